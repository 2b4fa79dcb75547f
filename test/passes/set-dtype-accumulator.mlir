// RUN: attn-opt %s --attn-set-dtype=dtype=f16 | FileCheck %s
// RUN: attn-opt %s --attn-set-dtype=dtype=f32 | FileCheck %s --check-prefix=F32

// Sets of a merge stay in the accumulator type where they are kept in it. What is
// written back as f32 cannot tell, so this is not in set-dtype.mlir.
// CHECK-LABEL: func.func @merge_of_accumulators
// CHECK: attn.merge {{.*}} : tensor<2x1x1x?x8xf32>, tensor<2x1x1x?xf32> -> tensor<1x1x?x8xf16>
// F32: attn.merge {{.*}} : tensor<2x1x1x?x8xf32>, tensor<2x1x1x?xf32> -> tensor<1x1x?x8xf32>
func.func @merge_of_accumulators(%outs: tensor<2x1x1x?x8xf32>, %lses: tensor<2x1x1x?xf32>) -> tensor<1x1x?x8xbf16> {
  %out = attn.merge %outs, %lses : tensor<2x1x1x?x8xf32>, tensor<2x1x1x?xf32> -> tensor<1x1x?x8xbf16>
  return %out : tensor<1x1x?x8xbf16>
}
