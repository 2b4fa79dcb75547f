// RUN: attn-opt %s --attn-reference-pipeline --split-input-file --verify-diagnostics | FileCheck %s

// Arguments and results are views, results behind the arguments; everything is
// of f64; what the body needs in between is allocated and freed.
// CHECK-LABEL: func.func @twice(
// CHECK-SAME: %[[X:.*]]: memref<?x8xf64, strided<[?, 1], offset: ?>> {attn.name = "x"}
// CHECK-SAME: %[[Y:.*]]: memref<?x8xf64, strided<[?, 1], offset: ?>> {attn.name = "y", attn.result}) {
// CHECK: %[[ROOM:.*]] = memref.alloc
// CHECK: %[[A:.*]] = memref.load %[[X]]
// CHECK: %[[SUM:.*]] = arith.addf %[[A]], %[[A]] : f64
// CHECK: memref.store %[[SUM]], %[[ROOM]]
// CHECK: memref.store %{{.*}}, %[[Y]]
// CHECK: memref.dealloc %[[ROOM]]
// CHECK-NEXT: return
func.func @twice(%x: tensor<?x8xf32> {attn.name = "x"}) -> (tensor<?x8xf32> {attn.name = "y"}) {
  %zero = arith.constant 0 : index
  %n = tensor.dim %x, %zero : tensor<?x8xf32>
  %init = tensor.empty(%n) : tensor<?x8xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>],
                       iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<?x8xf32>) outs(%init : tensor<?x8xf32>) {
  ^bb0(%a: f32, %b: f32):
    %s = arith.addf %a, %a : f32
    linalg.yield %s : f32
  } -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// -----

// expected-error@below {{'func.func' op results must be ranked tensors, got 'f64'}}
func.func @number(%x: tensor<4xf32>) -> f32 {
  %zero = arith.constant 0.0 : f32
  return %zero : f32
}

// -----

func.func private @other(%x: tensor<4xf32>) -> tensor<4xf32>

func.func @caller(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error@below {{'func.call' op cannot be compiled; expected functions that call no other}}
  %y = call @other(%x) : (tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}
