// RUN: attn-opt %s --split-input-file --verify-diagnostics --attn-lower-to-reference
// RUN: not attn-opt %s --attn-lower-to-reference=precision=f32 2>&1 | FileCheck %s

// CHECK: error: 'precision' must be f64 or spec, got 'f32'

func.func @negative_unknown_dialect(%x: vector<4xf32>) -> vector<4xf32> {
  // expected-error@below {{has no executable definition; expected an op of attn, tile, func, scf, arith, math, tensor, linalg or memref}}
  %y = vector.shuffle %x, %x [3, 2, 1, 0] : vector<4xf32>, vector<4xf32>
  return %y : vector<4xf32>
}

// -----

func.func @negative_bits_of_float(%x: f32) -> i32 {
  // expected-error@below {{reads the bits of a number whose type changes, expected types of one width, got 'f64' and 'i32'}}
  %bits = arith.bitcast %x : f32 to i32
  return %bits : i32
}
