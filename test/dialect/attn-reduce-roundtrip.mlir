// RUN: attn-opt %s | attn-opt | FileCheck %s
// RUN: attn-opt %s --mlir-print-op-generic | attn-opt | FileCheck %s
// RUN: attn-opt %s --emit-bytecode | attn-opt | FileCheck %s

// attn.reduce over both axes, of both kinds, with and without a row map.

// CHECK-LABEL: func.func @plain
// CHECK: attn.reduce max %{{.*}} over(tokens) : tensor<?x4x?x8xbf16> -> tensor<?x4x8xf32>{{$}}
func.func @plain(%k: tensor<?x4x?x8xbf16>) -> tensor<?x4x8xf32> {
  %m = attn.reduce max %k over(tokens) : tensor<?x4x?x8xbf16> -> tensor<?x4x8xf32>
  return %m : tensor<?x4x8xf32>
}

// CHECK-LABEL: func.func @heads
// CHECK: attn.reduce sum %{{.*}} over(heads) {note = "kept"} : tensor<?x4x32x8xf64> -> tensor<?x32x8xf64>{{$}}
func.func @heads(%k: tensor<?x4x32x8xf64>) -> tensor<?x32x8xf64> {
  %m = attn.reduce sum %k over(heads) {note = "kept"} : tensor<?x4x32x8xf64> -> tensor<?x32x8xf64>
  return %m : tensor<?x32x8xf64>
}

// What one op computes, the region of the next one captures.
// CHECK-LABEL: func.func @rows
// CHECK: %[[MAX:.*]] = attn.reduce max
// CHECK: attn.reduce sum %{{.*}} over(tokens)
// CHECK-NEXT: rows (%[[X:.*]]: tensor<8xf32>, %[[B:[a-z0-9]+]], %[[H:[a-z0-9]+]], %{{[a-z0-9]+}}) {
// CHECK-NEXT: tensor.extract_slice %[[MAX]][%[[B]], %[[H]], 0] [1, 1, 8] [1, 1, 1]
// CHECK: attn.reduce_row sum
// CHECK: attn.contract_row
// CHECK: } : tensor<?x?x?x8xf32> -> tensor<?x?x3xf32>
func.func @rows(%k: tensor<?x?x?x8xf32>, %w: tensor<?x8x3xf32>) -> tensor<?x?x3xf32> {
  %max = attn.reduce max %k over(tokens) : tensor<?x?x?x8xf32> -> tensor<?x?x8xf32>
  %sum = attn.reduce sum %k over(tokens) rows (%x: tensor<8xf32>, %b, %h, %n) {
    %m = tensor.extract_slice %max[%b, %h, 0] [1, 1, 8] [1, 1, 1] : tensor<?x?x8xf32> to tensor<8xf32>
    %d = arith.subf %x, %m : tensor<8xf32>
    %all = attn.reduce_row sum %d : tensor<8xf32>
    %row = tensor.splat %all : tensor<8xf32>
    %z = attn.contract_row %row, %w[%h] : tensor<8xf32>, tensor<?x8x3xf32> -> tensor<3xf32>
    attn.yield %z : tensor<3xf32>
  } : tensor<?x?x?x8xf32> -> tensor<?x?x3xf32>
  return %sum : tensor<?x?x3xf32>
}
