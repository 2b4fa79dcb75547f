// RUN: attn-opt %s --attn-gpu-select-schedule --split-input-file --verify-diagnostics | FileCheck %s
// RUN: attn-opt %s --attn-gpu-select-schedule=shared-bytes=232448 --split-input-file --verify-diagnostics | FileCheck %s --check-prefix=LARGE
// RUN: not attn-opt %s --attn-gpu-select-schedule=schedule=block_q=24 --split-input-file 2>&1 | FileCheck %s --check-prefix=ROWS

// RUN: attn-opt %s --attn-gpu-select-schedule=shared-bytes=65536 --split-input-file --verify-diagnostics | FileCheck %s --check-prefix=SMALL
// RUN: not attn-opt %s --attn-gpu-select-schedule="shared-bytes=49152 schedule=block_q=64,block_k=64" --split-input-file 2>&1 | FileCheck %s --check-prefix=SHARED
// RUN: not attn-opt %s --attn-gpu-select-schedule="shared-bytes=232448 schedule=block_q=32,block_k=64" --split-input-file 2>&1 | FileCheck %s --check-prefix=REGISTERS

// What is asked for and does not fit is refused.
// SHARED: error: schedule: blocks of 64 x 64 need 196608 bytes of shared memory, at most 49152 are available on this device; choose smaller blocks
// REGISTERS: error: schedule: blocks of 32 x 64 need about 392 registers per thread, at most 255 are available; choose smaller blocks
// ROWS: error: schedule: 'block_q' must be a multiple of 16 on GPUs, got 24

// Two blocks of 64 x 64 fit side by side.
// CHECK-LABEL: func.func @narrow
// CHECK: schedule(<block_q = 64, block_k = 64>)
// LARGE-LABEL: func.func @narrow
// LARGE: schedule(<block_q = 64, block_k = 64>)
func.func @narrow(%q: tensor<1x1x?x64xf32>) -> tensor<1x1x?x64xf32> {
  %o = attn.attend %q, %q, %q : tensor<1x1x?x64xf32>, tensor<1x1x?x64xf32>, tensor<1x1x?x64xf32> -> tensor<1x1x?x64xf32>
  return %o : tensor<1x1x?x64xf32>
}

// -----

// Wide rows: fewer of them; the keys are read in slices, so a small device will do.
// CHECK-LABEL: func.func @wide
// CHECK: schedule(<block_q = 16, block_k = 32>)
// SMALL-LABEL: func.func @wide
// SMALL: schedule(<block_q = 16, block_k = 16>)
// LARGE-LABEL: func.func @wide
// LARGE: schedule(<block_q = 16, block_k = 32>)
func.func @wide(%q: tensor<1x1x?x576xf32>, %v: tensor<1x1x?x512xf32>) -> tensor<1x1x?x512xf32> {
  %o = attn.attend %q, %q, %v : tensor<1x1x?x576xf32>, tensor<1x1x?x576xf32>, tensor<1x1x?x512xf32> -> tensor<1x1x?x512xf32>
  return %o : tensor<1x1x?x512xf32>
}

// -----

// Few queries: as many rows as threads have, and splits.
// CHECK-LABEL: func.func @few
// CHECK: schedule(<block_q = 16, block_k = 64, splits = 8>)
func.func @few(%q: tensor<1x1x4x64xf32>, %k: tensor<1x1x?x64xf32>) -> tensor<1x1x4x64xf32> {
  %o = attn.attend %q, %k, %k : tensor<1x1x4x64xf32>, tensor<1x1x?x64xf32>, tensor<1x1x?x64xf32> -> tensor<1x1x4x64xf32>
  return %o : tensor<1x1x4x64xf32>
}

// -----

func.func @negative_f64(%q: tensor<1x1x?x64xf64>) -> tensor<1x1x?x64xf64> {
  // expected-error@below {{GPUs compute in f32: expected f32, f16 or bf16, got 'f64'}}
  %o = attn.attend %q, %q, %q : tensor<1x1x?x64xf64>, tensor<1x1x?x64xf64>, tensor<1x1x?x64xf64> -> tensor<1x1x?x64xf64>
  return %o : tensor<1x1x?x64xf64>
}
