// RUN: attn-opt %s | attn-opt | FileCheck %s
// RUN: attn-opt %s --mlir-print-op-generic | attn-opt | FileCheck %s
// RUN: attn-opt %s --emit-bytecode | attn-opt | FileCheck %s
// RUN: attn-opt %s --resolve-ranked-shaped-type-result-dims --canonicalize | FileCheck %s --check-prefix=SIZES

// CHECK-LABEL: func.func @pages
// CHECK: attn.gather %{{.*}} at(%{{.*}}) : tensor<?x16x?x8xf32>, tensor<?x?xi32> -> tensor<?x?x?x8xf32>
func.func @pages(%x: tensor<?x16x?x8xf32>, %t: tensor<?x?xi32>) -> tensor<?x?x?x8xf32> {
  %y = attn.gather %x at(%t) : tensor<?x16x?x8xf32>, tensor<?x?xi32> -> tensor<?x?x?x8xf32>
  return %y : tensor<?x?x?x8xf32>
}

// A permutation of tokens, of static sizes.
// CHECK-LABEL: func.func @tokens
// CHECK: attn.gather %{{.*}} at(%{{.*}}) : tensor<20x1x4x8xbf16>, tensor<2x9xi64> -> tensor<2x4x9x8xbf16>
func.func @tokens(%x: tensor<20x1x4x8xbf16>, %t: tensor<2x9xi64>) -> tensor<2x4x9x8xbf16> {
  %y = attn.gather %x at(%t) : tensor<20x1x4x8xbf16>, tensor<2x9xi64> -> tensor<2x4x9x8xbf16>
  return %y : tensor<2x4x9x8xbf16>
}

// SIZES-LABEL: func.func @sizes
// SIZES-SAME: %[[X:.*]]: tensor<?x16x?x8xf32>, %[[T:.*]]: tensor<?x?xi32>
// SIZES-DAG: %[[C0:.*]] = arith.constant 0 : index
// SIZES-DAG: %[[C1:.*]] = arith.constant 1 : index
// SIZES-DAG: %[[C2:.*]] = arith.constant 2 : index
// SIZES-DAG: %[[S:.*]] = arith.constant 16 : index
// SIZES-DAG: %[[B:.*]] = tensor.dim %[[T]], %[[C0]]
// SIZES-DAG: %[[H:.*]] = tensor.dim %[[X]], %[[C2]]
// SIZES-DAG: %[[M:.*]] = tensor.dim %[[T]], %[[C1]]
// SIZES-DAG: %[[N:.*]] = arith.muli %[[M]], %[[S]] : index
// SIZES: return %[[B]], %[[H]], %[[N]]
func.func @sizes(%x: tensor<?x16x?x8xf32>, %t: tensor<?x?xi32>) -> (index, index, index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %y = attn.gather %x at(%t) : tensor<?x16x?x8xf32>, tensor<?x?xi32> -> tensor<?x?x?x8xf32>
  %b = tensor.dim %y, %c0 : tensor<?x?x?x8xf32>
  %h = tensor.dim %y, %c1 : tensor<?x?x?x8xf32>
  %n = tensor.dim %y, %c2 : tensor<?x?x?x8xf32>
  return %b, %h, %n : index, index, index
}
