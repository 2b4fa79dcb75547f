// RUN: attn-opt %s | attn-opt | FileCheck %s
// RUN: attn-opt %s --mlir-print-op-generic | attn-opt | FileCheck %s
// RUN: attn-opt %s --emit-bytecode | attn-opt | FileCheck %s

// Ops on grids of tokens survive printing in both syntaxes and in bytecode.

!x = tensor<?x4x?x?x8xf32>
!v = tensor<?x2x?x?x6xf32>
!z = tensor<?x?x?x?x?x8xf32>

// CHECK-LABEL: func.func @attend
// CHECK: attn.attend %{{.*}}, %{{.*}}, %{{.*}} alignment(start) schedule(<block_q = 16, block_k = 32, box_q = [4, 4], box_k = [4, 8], step = [1, 2]>)
// CHECK-NEXT: query (%{{.*}}: tensor<8xf32>, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}) {
// CHECK: score (%{{.*}}: f32, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}) {
// CHECK: mask (%{{.*}}, %{{.*}}, %[[IY:.*]], %{{.*}}, %{{.*}}, %[[JX:.*]]) {
// CHECK-NEXT: arith.cmpi sge, %[[IY]], %[[JX]] : index
// CHECK: sink (%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}) {
// CHECK: : tensor<?x4x?x?x8xf32>, tensor<?x2x?x?x8xf32>, tensor<?x2x?x?x6xf32> -> tensor<?x4x?x?x6xf32>, tensor<?x4x?x?xf32>
func.func @attend(%q: !x, %k: tensor<?x2x?x?x8xf32>, %v: !v) -> (tensor<?x4x?x?x6xf32>, tensor<?x4x?x?xf32>) {
  %o, %lse = attn.attend %q, %k, %v alignment(start)
      schedule(<block_q = 16, block_k = 32, box_q = [4, 4], box_k = [4, 8], step = [1, 2]>)
      query (%r: tensor<8xf32>, %b, %h, %y, %x) {
        attn.yield %r : tensor<8xf32>
      }
      score (%s: f32, %b, %h, %iy, %ix, %jy, %jx) {
        attn.yield %s : f32
      }
      mask (%b, %h, %iy, %ix, %jy, %jx) {
        %keep = arith.cmpi sge, %iy, %jx : index
        attn.yield %keep : i1
      }
      sink (%b, %h, %iy, %ix) {
        %zero = arith.constant 0.0 : f32
        attn.yield %zero : f32
      } : !x, tensor<?x2x?x?x8xf32>, !v -> tensor<?x4x?x?x6xf32>, tensor<?x4x?x?xf32>
  return %o, %lse : tensor<?x4x?x?x6xf32>, tensor<?x4x?x?xf32>
}

// CHECK-LABEL: func.func @three_axes
// CHECK: attn.map_rows %{{.*}}
// CHECK-NEXT: rows (%{{.*}}: tensor<8xf32>, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}) {
// CHECK: attn.attend %{{.*}} : tensor<?x?x?x?x?x8xf32>, tensor<?x?x?x?x?x8xf32>, tensor<?x?x?x?x?x8xf32> -> tensor<?x?x?x?x?x8xf32>
func.func @three_axes(%q: !z) -> !z {
  %m = attn.map_rows %q rows (%r: tensor<8xf32>, %b, %h, %z, %y, %x) {
    attn.yield %r : tensor<8xf32>
  } : !z -> !z
  %o = attn.attend %m, %m, %m : !z, !z, !z -> !z
  return %o : !z
}

// One axis may have boxes too, and its lists are printed as single indices.
// CHECK-LABEL: func.func @partial
// CHECK: attn.partial %{{.*}} at(%{{.*}}, %{{.*}}, [%[[Y:.*]], %[[X:.*]]], [%[[X]], %[[Y]]]) init({{.*}}) width(16) bounded box_q([2, 2]) box_k([2, 8]) step([3, 1]) scale(1.000000e+00)
// CHECK: attn.partial %{{.*}} at(%{{.*}}, %{{.*}}, %[[Y]], %[[X]]) init({{.*}}) width(16) box_q([4]) box_k([16]) step([2]) scale(1.000000e+00)
// CHECK: attn.add_sink %{{.*}} at(%{{.*}}, %{{.*}}, %[[Y]], %[[X]]) box([2, 2]) step([3, 1])
// CHECK-NEXT: sink (%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}) {
func.func @partial(%q: !x, %p: tensor<?x4x?x8xf32>, %b: index, %h: index, %y: index, %x: index,
                   %t: tensor<4xf32>, %l: tensor<4xf32>, %a: tensor<4x8xf32>) {
  %r:3 = attn.partial %q, %q, %q at(%b, %h, [%y, %x], [%x, %y]) init(%t, %l, %a) width(16) bounded
      box_q([2, 2]) box_k([2, 8]) step([3, 1]) scale(1.0) : !x, !x, !x -> tensor<4xf32>, tensor<4xf32>, tensor<4x8xf32>
  %s:3 = attn.partial %p, %p, %p at(%b, %h, %y, %x) init(%t, %l, %a) width(16)
      box_q([4]) box_k([16]) step([2]) scale(1.0)
      : tensor<?x4x?x8xf32>, tensor<?x4x?x8xf32>, tensor<?x4x?x8xf32> -> tensor<4xf32>, tensor<4xf32>, tensor<4x8xf32>
  %u:3 = attn.add_sink %r#0, %r#1, %r#2 at(%b, %h, %y, %x) box([2, 2]) step([3, 1])
      sink (%bb, %hh, %iy, %ix) {
        %zero = arith.constant 0.0 : f32
        attn.yield %zero : f32
      } : tensor<4xf32>, tensor<4xf32>, tensor<4x8xf32>
  return
}
