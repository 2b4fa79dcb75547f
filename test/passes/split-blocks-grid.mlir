// RUN: attn-opt %s --attn-split-blocks --cse --split-input-file --verify-diagnostics | FileCheck %s

// Boxes of 4 x 4 tokens, neighbours of axis 1 two apart.
// CHECK-LABEL: func @plane
// CHECK-SAME: (%[[Q:.*]]: tensor<?x?x?x?x8xf32>)
// CHECK-DAG: %[[Y:.*]] = tensor.dim %[[Q]], %c2
// CHECK-DAG: %[[X:.*]] = tensor.dim %[[Q]], %c3
// CHECK: %[[BY:.*]] = arith.ceildivsi %[[Y]], %c4
// CHECK: %[[CX:.*]] = arith.ceildivsi %[[X]], %c2
// CHECK: %[[BX:.*]] = arith.ceildivsi %[[CX]], %c4
// CHECK: %[[AX:.*]] = arith.muli %[[BX]], %c2
// CHECK: %[[COUNT:.*]] = arith.muli %[[BY]], %[[AX]]
// CHECK: scf.forall (%[[B:.*]], %[[H:.*]], %[[N:.*]]) in (%{{.*}}, %{{.*}}, %[[COUNT]])
// The first token of a number.
// CHECK: %[[PX:.*]] = arith.remui %[[N]], %[[AX]]
// CHECK: %[[PY:.*]] = arith.divui %[[N]], %[[AX]]
// CHECK: %[[R:.*]] = arith.divui %[[PX]], %[[BX]]
// CHECK: %[[IN:.*]] = arith.remui %[[PX]], %[[BX]]
// CHECK: %[[S:.*]] = arith.muli %[[IN]], %c8
// CHECK: %[[FX:.*]] = arith.addi %[[R]], %[[S]]
// CHECK: %[[FY:.*]] = arith.muli %[[PY]], %c4
// CHECK: %[[T:.*]]:3 = scf.for %[[M:.*]] = %c0{{.*}} to %[[COUNT]] step %c1
// CHECK: arith.remui %[[M]], %[[AX]]
// CHECK: attn.partial %[[Q]], %[[Q]], %[[Q]] at(%[[B]], %[[H]], [%[[FY]], %[[FX]]], [%{{.*}}, %{{.*}}]) init({{.*}}) width(16) bounded box_q([4, 4]) box_k([4, 4]) step([1, 2])
// CHECK: %[[ROWS:.*]] = attn.finish %[[T]]#0, %[[T]]#1, %[[T]]#2
// CHECK: %[[BOX:.*]] = tensor.expand_shape %[[ROWS]] {{\[\[}}0, 1], [2]] {{.*}} : tensor<16x8xf32> into tensor<4x4x8xf32>
// CHECK: %[[LY:.*]] = arith.subi %[[Y]], %[[FY]]
// CHECK: %[[NY:.*]] = arith.minsi %[[LY]], %c4
// CHECK: %[[LX:.*]] = arith.subi %[[X]], %[[FX]]
// CHECK: %[[LC:.*]] = arith.ceildivsi %[[LX]], %c2
// CHECK: %[[L0:.*]] = arith.maxsi %[[LC]], %c0
// CHECK: %[[NX:.*]] = arith.minsi %[[L0]], %c4
// CHECK: %[[PART:.*]] = tensor.extract_slice %[[BOX]][0, 0, 0] [%[[NY]], %[[NX]], 8] [1, 1, 1]
// CHECK: tensor.parallel_insert_slice %[[PART]] into {{.*}}[%[[B]], %[[H]], %[[FY]], %[[FX]], 0] [1, 1, %[[NY]], %[[NX]], 8] [1, 1, 1, 2, 1]
func.func @plane(%q: tensor<?x?x?x?x8xf32>) -> tensor<?x?x?x?x8xf32> {
  %o = attn.attend %q, %q, %q schedule(<block_q = 16, block_k = 16, box_q = [4, 4], box_k = [4, 4], step = [1, 2]>)
     : tensor<?x?x?x?x8xf32>, tensor<?x?x?x?x8xf32>, tensor<?x?x?x?x8xf32> -> tensor<?x?x?x?x8xf32>
  return %o : tensor<?x?x?x?x8xf32>
}

// -----

// Static sizes that are multiples of the boxes of keys need no bounds; a sink and
// a log-sum-exp go along.
// CHECK-LABEL: func @whole
// CHECK: attn.partial
// CHECK-NOT: bounded
// CHECK-SAME: box_q([4, 4]) box_k([2, 8])
// CHECK: attn.add_sink {{.*}} at(%{{.*}}, %{{.*}}, %[[Y:.*]], %[[X:.*]]) box([4, 4])
// CHECK: tensor.expand_shape {{.*}} : tensor<16xf32> into tensor<4x4xf32>
// CHECK: parallel_insert_slice {{.*}}[%{{.*}}, %{{.*}}, %[[Y]], %[[X]]] {{.*}} : tensor<?x?xf32> into tensor<?x?x6x16xf32>
func.func @whole(%q: tensor<?x?x6x16x8xf32>) -> (tensor<?x?x6x16x8xf32>, tensor<?x?x6x16xf32>) {
  %o, %l = attn.attend %q, %q, %q schedule(<block_q = 16, block_k = 16, box_q = [4, 4], box_k = [2, 8]>)
     sink (%b, %h, %iy, %ix) {
       %zero = arith.constant 0.0 : f32
       attn.yield %zero : f32
     } : tensor<?x?x6x16x8xf32>, tensor<?x?x6x16x8xf32>, tensor<?x?x6x16x8xf32> -> tensor<?x?x6x16x8xf32>, tensor<?x?x6x16xf32>
  return %o, %l : tensor<?x?x6x16x8xf32>, tensor<?x?x6x16xf32>
}

// -----

// A step on one axis: rows of a box are not folded. The range of keys, which is
// for tokens in a row, is left out.
// CHECK-LABEL: func @line
// CHECK: attn.partial {{.*}} at(%{{[a-z0-9]+}}, %{{[a-z0-9]+}}, %[[I:[a-z0-9]+]], %{{[a-z0-9]+}}) {{.*}} box_q([16]) box_k([16]) step([3])
// CHECK-NOT: keys
// CHECK: mask
// CHECK-NOT: expand_shape
// CHECK: parallel_insert_slice {{.*}}[%{{.*}}, %{{.*}}, %[[I]], 0] [1, 1, %{{.*}}, 8] [1, 1, 3, 1]
func.func @line(%q: tensor<?x?x?x8xf32>) -> tensor<?x?x?x8xf32> {
  %o = attn.attend %q, %q, %q schedule(<block_q = 16, block_k = 16, box_q = [16], box_k = [16], step = [3]>)
     mask (%b, %h, %i, %j) {
       %keep = arith.cmpi sge, %i, %j : index
       attn.yield %keep : i1
     }
     keys (%b, %h, %first, %last) {
       %zero = arith.constant 0 : index
       attn.yield %zero, %last, %zero, %first : index, index, index, index
     } : tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32> -> tensor<?x?x?x8xf32>
  return %o : tensor<?x?x?x8xf32>
}

// -----

func.func @no_boxes(%q: tensor<?x?x?x?x8xf32>) -> tensor<?x?x?x?x8xf32> {
  // expected-error@below {{has a schedule without 'box_q' and 'box_k', which blocks of a grid need; run attn-select-schedule first}}
  %o = attn.attend %q, %q, %q schedule(<block_q = 16, block_k = 16>)
     : tensor<?x?x?x?x8xf32>, tensor<?x?x?x?x8xf32>, tensor<?x?x?x?x8xf32> -> tensor<?x?x?x?x8xf32>
  return %o : tensor<?x?x?x?x8xf32>
}

// -----

func.func @alignment_end(%q: tensor<?x?x?x8xf32>) -> tensor<?x?x?x8xf32> {
  // expected-error@below {{cannot be cut into boxes with 'alignment(end)'; expected a schedule without 'box_q' and 'box_k'}}
  %o = attn.attend %q, %q, %q alignment(end) schedule(<block_q = 16, block_k = 16, box_q = [16], box_k = [16]>)
     : tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32> -> tensor<?x?x?x8xf32>
  return %o : tensor<?x?x?x8xf32>
}
