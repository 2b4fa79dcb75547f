// RUN: attn-opt %s --attn-classify-blocks --split-input-file --verify-diagnostics

func.func @no_schedule(%x: tensor<1x1x?x8xf32>) -> tensor<1x1x?x8xf32> {
  // expected-error @+1 {{has no schedule; run attn-select-schedule first}}
  %o = attn.attend %x, %x, %x : tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32> -> tensor<1x1x?x8xf32>
  return %o : tensor<1x1x?x8xf32>
}

// -----

// expected-error @+1 {{must have one block, got 2}}
func.func @two_blocks(%x: tensor<1x1x?x8xf32>) -> tensor<1x1x?x8xf32> {
  cf.br ^next
^next:
  return %x : tensor<1x1x?x8xf32>
}
