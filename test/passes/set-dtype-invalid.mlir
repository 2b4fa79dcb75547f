// RUN: attn-opt %s --split-input-file --verify-diagnostics --attn-set-dtype=dtype=bf16
// RUN: not attn-opt %s --attn-set-dtype=dtype=f8 2>&1 | FileCheck %s

// CHECK: error: 'dtype' must be f64, f32, f16 or bf16, got 'f8'

func.func @negative_origin_not_attn(%x: tensor<1x1x4x8xf32>) -> tensor<1x1x4x8xf32> {
  // expected-error@below {{makes an operand of an attn op, whose element type cannot be changed here; expected an argument of the function or the output of an attn op}}
  %y = math.tanh %x : tensor<1x1x4x8xf32>
  %o = attn.attend %y, %y, %y : tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32> -> tensor<1x1x4x8xf32>
  return %o : tensor<1x1x4x8xf32>
}

// -----

func.func @negative_use_not_attn(%x: tensor<1x1x4x8xf32>) -> tensor<1x1x4x8xf32> {
  %o = attn.attend %x, %x, %x : tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32> -> tensor<1x1x4x8xf32>
  // expected-error@below {{reads a tensor of an attn op, whose element type changes; expected only attn ops to do so}}
  %y = math.tanh %o : tensor<1x1x4x8xf32>
  return %y : tensor<1x1x4x8xf32>
}

// -----

// expected-error@below {{must compute in one accumulator type, got data of 'f32' and of 'f64'}}
func.func @negative_two_accumulators(%x: tensor<1x1x4x8xf32>, %y: tensor<1x1x4x8xf64>)
    -> (tensor<1x1x4x8xf32>, tensor<1x1x4x8xf64>) {
  %a = attn.attend %x, %x, %x : tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32> -> tensor<1x1x4x8xf32>
  %b = attn.attend %y, %y, %y : tensor<1x1x4x8xf64>, tensor<1x1x4x8xf64>, tensor<1x1x4x8xf64> -> tensor<1x1x4x8xf64>
  return %a, %b : tensor<1x1x4x8xf32>, tensor<1x1x4x8xf64>
}
