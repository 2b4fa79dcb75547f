// RUN: attn-opt %s --resolve-ranked-shaped-type-result-dims --canonicalize | FileCheck %s

// Sizes of results are those of the operands they come from.

// CHECK-LABEL: func.func @attend
// CHECK-SAME: %[[Q:.*]]: tensor<?x?x?x8xf32>, %[[K:.*]]: tensor<?x?x?x8xf32>, %[[V:.*]]: tensor<?x?x?x6xf32>
// CHECK-DAG: %[[C0:.*]] = arith.constant 0 : index
// CHECK-DAG: %[[C1:.*]] = arith.constant 1 : index
// CHECK-DAG: %[[C2:.*]] = arith.constant 2 : index
// CHECK-DAG: %[[B:.*]] = tensor.dim %[[Q]], %[[C0]]
// CHECK-DAG: %[[H:.*]] = tensor.dim %[[Q]], %[[C1]]
// CHECK-DAG: %[[N:.*]] = tensor.dim %[[Q]], %[[C2]]
// CHECK-DAG: %[[NLSE:.*]] = tensor.dim %[[Q]], %[[C2]]
// CHECK: return %[[B]], %[[H]], %[[N]], %[[NLSE]]
func.func @attend(%q: tensor<?x?x?x8xf32>, %k: tensor<?x?x?x8xf32>, %v: tensor<?x?x?x6xf32>)
    -> (index, index, index, index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %o, %lse = attn.attend %q, %k, %v
      : tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>, tensor<?x?x?x6xf32> -> tensor<?x?x?x6xf32>, tensor<?x?x?xf32>
  %b = tensor.dim %o, %c0 : tensor<?x?x?x6xf32>
  %h = tensor.dim %lse, %c1 : tensor<?x?x?xf32>
  %n = tensor.dim %o, %c2 : tensor<?x?x?x6xf32>
  %n_lse = tensor.dim %lse, %c2 : tensor<?x?x?xf32>
  return %b, %h, %n, %n_lse : index, index, index, index
}

// The batches of a result are those of an operand that has more than a shared
// one.

// CHECK-LABEL: func.func @shared_query
// CHECK-SAME: %[[Q:.*]]: tensor<1x?x?x8xf32>, %[[K:.*]]: tensor<?x?x?x8xf32>
// CHECK: %[[C0:.*]] = arith.constant 0 : index
// CHECK: %[[B:.*]] = tensor.dim %[[K]], %[[C0]]
// CHECK: return %[[B]]
func.func @shared_query(%q: tensor<1x?x?x8xf32>, %k: tensor<?x?x?x8xf32>) -> index {
  %c0 = arith.constant 0 : index
  %o = attn.attend %q, %k, %k
      : tensor<1x?x?x8xf32>, tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32> -> tensor<?x?x?x8xf32>
  %b = tensor.dim %o, %c0 : tensor<?x?x?x8xf32>
  return %b : index
}

// CHECK-LABEL: func.func @map_rows
// CHECK-SAME: %[[X:.*]]: tensor<?x?x?x8xf32>
// CHECK: %[[C2:.*]] = arith.constant 2 : index
// CHECK: %[[N:.*]] = tensor.dim %[[X]], %[[C2]]
// CHECK: return %[[N]]
func.func @map_rows(%x: tensor<?x?x?x8xf32>) -> index {
  %c2 = arith.constant 2 : index
  %y = attn.map_rows %x rows (%r: tensor<8xf32>, %b, %h, %n) {
    %z = math.tanh %r : tensor<8xf32>
    attn.yield %z : tensor<8xf32>
  } : tensor<?x?x?x8xf32> -> tensor<?x?x?x8xf32>
  %n = tensor.dim %y, %c2 : tensor<?x?x?x8xf32>
  return %n : index
}

// The number of rows of a state is that of features, which is static.
// CHECK-LABEL: func.func @recur
// CHECK-SAME: %[[Q:.*]]: tensor<?x?x?x8xf32>, %[[V:.*]]: tensor<?x?x?x6xf32>
// CHECK-DAG: %[[C0:.*]] = arith.constant 0 : index
// CHECK-DAG: %[[C1:.*]] = arith.constant 1 : index
// CHECK-DAG: %[[C2:.*]] = arith.constant 2 : index
// CHECK-DAG: %[[N:.*]] = tensor.dim %[[V]], %[[C2]]
// CHECK-DAG: %[[B:.*]] = tensor.dim %[[V]], %[[C0]]
// CHECK-DAG: %[[H:.*]] = tensor.dim %[[V]], %[[C1]]
// CHECK: return %[[N]], %[[B]], %[[H]]
func.func @recur(%q: tensor<?x?x?x8xf32>, %v: tensor<?x?x?x6xf32>) -> (index, index, index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %o, %s = attn.recur %q, %q, %v : tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>, tensor<?x?x?x6xf32>
      -> tensor<?x?x?x6xf32>, tensor<?x?x8x6xf32>
  %n = tensor.dim %o, %c2 : tensor<?x?x?x6xf32>
  %b = tensor.dim %s, %c0 : tensor<?x?x8x6xf32>
  %h = tensor.dim %s, %c1 : tensor<?x?x8x6xf32>
  return %n, %b, %h : index, index, index
}

// There is one state less than offsets, and at least none.
// CHECK-LABEL: func.func @segments
// CHECK-SAME: %[[Q:.*]]: tensor<1x?x?x8xf32>, %[[C:.*]]: tensor<?xi32>
// CHECK-DAG: %[[C0:.*]] = arith.constant 0 : index
// CHECK-DAG: %[[C1:.*]] = arith.constant 1 : index
// CHECK: %[[OFFSETS:.*]] = tensor.dim %[[C]], %[[C0]]
// CHECK: %[[LESS:.*]] = arith.subi %[[OFFSETS]], %[[C1]]
// CHECK: %[[G:.*]] = arith.maxsi %[[LESS]], %[[C0]]
// CHECK: return %[[G]]
func.func @segments(%q: tensor<1x?x?x8xf32>, %c: tensor<?xi32>) -> index {
  %c0 = arith.constant 0 : index
  %o, %s = attn.recur %q, %q, %q segments(%c : tensor<?xi32>) : tensor<1x?x?x8xf32>, tensor<1x?x?x8xf32>, tensor<1x?x?x8xf32>
      -> tensor<1x?x?x8xf32>, tensor<?x?x8x8xf32>
  %g = tensor.dim %s, %c0 : tensor<?x?x8x8xf32>
  return %g : index
}

// Heads are left where tokens are reduced, and tokens where heads are.
// CHECK-LABEL: func.func @reduce
// CHECK-SAME: %[[X:.*]]: tensor<?x?x?x8xf32>
// CHECK-DAG: %[[C0:.*]] = arith.constant 0 : index
// CHECK-DAG: %[[C1:.*]] = arith.constant 1 : index
// CHECK-DAG: %[[C2:.*]] = arith.constant 2 : index
// CHECK-DAG: %[[C8:.*]] = arith.constant 8 : index
// CHECK-DAG: %[[B:.*]] = tensor.dim %[[X]], %[[C0]]
// CHECK-DAG: %[[H:.*]] = tensor.dim %[[X]], %[[C1]]
// CHECK-DAG: %[[N:.*]] = tensor.dim %[[X]], %[[C2]]
// CHECK: return %[[B]], %[[H]], %[[N]], %[[C8]]
func.func @reduce(%x: tensor<?x?x?x8xf32>) -> (index, index, index, index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %t = attn.reduce sum %x over(tokens) : tensor<?x?x?x8xf32> -> tensor<?x?x8xf32>
  %h = attn.reduce sum %x over(heads) : tensor<?x?x?x8xf32> -> tensor<?x?x8xf32>
  %d0 = tensor.dim %t, %c0 : tensor<?x?x8xf32>
  %d1 = tensor.dim %t, %c1 : tensor<?x?x8xf32>
  %d2 = tensor.dim %h, %c1 : tensor<?x?x8xf32>
  %d3 = tensor.dim %h, %c2 : tensor<?x?x8xf32>
  return %d0, %d1, %d2, %d3 : index, index, index, index
}

// A grid has a size per axis.

// CHECK-LABEL: func.func @grid
// CHECK-SAME: %[[Q:.*]]: tensor<?x?x?x?x8xf32>, %[[K:.*]]: tensor<?x?x?x?x8xf32>
// CHECK-DAG: %[[C2:.*]] = arith.constant 2 : index
// CHECK-DAG: %[[C3:.*]] = arith.constant 3 : index
// CHECK-DAG: %[[X:.*]] = tensor.dim %[[Q]], %[[C3]]
// CHECK-DAG: %[[Y:.*]] = tensor.dim %[[Q]], %[[C2]]
// CHECK: return %[[X]], %[[Y]]
func.func @grid(%q: tensor<?x?x?x?x8xf32>, %k: tensor<?x?x?x?x8xf32>) -> (index, index) {
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %m = attn.map_rows %q rows (%r: tensor<8xf32>, %b, %h, %iy, %ix) {
    %t = arith.addf %r, %r : tensor<8xf32>
    attn.yield %t : tensor<8xf32>
  } : tensor<?x?x?x?x8xf32> -> tensor<?x?x?x?x8xf32>
  %o, %lse = attn.attend %m, %k, %k
      : tensor<?x?x?x?x8xf32>, tensor<?x?x?x?x8xf32>, tensor<?x?x?x?x8xf32> -> tensor<?x?x?x?x8xf32>, tensor<?x?x?x?xf32>
  %x = tensor.dim %o, %c3 : tensor<?x?x?x?x8xf32>
  %y = tensor.dim %lse, %c2 : tensor<?x?x?x?xf32>
  return %x, %y : index, index
}
