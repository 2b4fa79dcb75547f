// RUN: attn-opt %s --attn-gpu-select-schedule=shared-bytes=232448 --split-input-file | FileCheck %s
// RUN: attn-opt %s --attn-gpu-select-schedule=shared-bytes=166912 --split-input-file | FileCheck %s --check-prefix=AMPERE

// Pairs that need little but products have larger blocks: of queries up to 64
// features, of keys with 128 where there is room for three.
// CHECK-LABEL: func.func @narrow
// CHECK: schedule(<block_q = 128, block_k = 64>)
// AMPERE-LABEL: func.func @narrow
// AMPERE: schedule(<block_q = 128, block_k = 64>)
func.func @narrow(%q: tensor<1x1x?x64xbf16>) -> tensor<1x1x?x64xbf16> {
  %o = attn.attend %q, %q, %q : tensor<1x1x?x64xbf16>, tensor<1x1x?x64xbf16>, tensor<1x1x?x64xbf16> -> tensor<1x1x?x64xbf16>
  return %o : tensor<1x1x?x64xbf16>
}

// -----

// CHECK-LABEL: func.func @wide
// CHECK: schedule(<block_q = 64, block_k = 128>)
// AMPERE-LABEL: func.func @wide
// AMPERE: schedule(<block_q = 64, block_k = 64>)
func.func @wide(%q: tensor<1x1x?x128xbf16>) -> tensor<1x1x?x128xbf16> {
  %o = attn.attend %q, %q, %q : tensor<1x1x?x128xbf16>, tensor<1x1x?x128xbf16>, tensor<1x1x?x128xbf16> -> tensor<1x1x?x128xbf16>
  return %o : tensor<1x1x?x128xbf16>
}

// -----

// With 96 features both would spill.
// CHECK-LABEL: func.func @between
// CHECK: schedule(<block_q = 64, block_k = 64>)
func.func @between(%q: tensor<1x1x?x96xbf16>) -> tensor<1x1x?x96xbf16> {
  %o = attn.attend %q, %q, %q : tensor<1x1x?x96xbf16>, tensor<1x1x?x96xbf16>, tensor<1x1x?x96xbf16> -> tensor<1x1x?x96xbf16>
  return %o : tensor<1x1x?x96xbf16>
}

// -----

// Scores that are changed need registers of their own.
// CHECK-LABEL: func.func @scored
// CHECK: schedule(<block_q = 64, block_k = 64>)
func.func @scored(%q: tensor<1x1x?x128xbf16>) -> tensor<1x1x?x128xbf16> {
  %o = attn.attend %q, %q, %q
      score (%s: f32, %b, %h, %i, %j) {
        %t = math.tanh %s : f32
        attn.yield %t : f32
      } : tensor<1x1x?x128xbf16>, tensor<1x1x?x128xbf16>, tensor<1x1x?x128xbf16> -> tensor<1x1x?x128xbf16>
  return %o : tensor<1x1x?x128xbf16>
}

// -----

// Rows of tf32 have 4 bytes and some more; what has the room is as large.
// CHECK-LABEL: func.func @tf32
// CHECK: schedule(<block_q = 128, block_k = 64>)
// AMPERE-LABEL: func.func @tf32
// AMPERE: schedule(<block_q = 128, block_k = 64>)
func.func @tf32(%q: tensor<1x1x?x64xf32>) -> tensor<1x1x?x64xf32> {
  %o = attn.attend %q, %q, %q precision(tf32) : tensor<1x1x?x64xf32>, tensor<1x1x?x64xf32>, tensor<1x1x?x64xf32> -> tensor<1x1x?x64xf32>
  return %o : tensor<1x1x?x64xf32>
}
