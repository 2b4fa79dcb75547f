// RUN: attn-opt %s --split-input-file --attn-cpu-to-llvm --verify-diagnostics

// expected-error@+1 {{'func.func' op argument 0 must be a memref here, got 'tensor<4xf32>'}}
func.func @negative_tensor(%x: tensor<4xf32>) {
  return
}

// -----

// expected-error@+1 {{'func.func' op must write its results to memrefs, got a result of type 'f32'}}
func.func @negative_result(%x: memref<4xf32>) -> f32 {
  %f = arith.constant 0.0 : f32
  return %f : f32
}

// -----

func.func private @blocks(%begin: index, %end: index, %scratch: memref<0xi8>)
func.func private @negative_private_call(%n: index, %scratch: memref<0xi8>) {
  // expected-error@+1 {{'func.call' op with 'attn.scratch_bytes' must be in a public function}}
  func.call @blocks(%n, %n, %scratch) {attn.scratch_bytes = 0 : i64} : (index, index, memref<0xi8>) -> ()
  return
}

// -----

func.func @negative_unknown_op(%x: memref<4xf32>, %y: memref<4xf32>) {
  // expected-error@+1 {{failed to legalize operation 'linalg.copy'}}
  linalg.copy ins(%x : memref<4xf32>) outs(%y : memref<4xf32>)
  return
}
