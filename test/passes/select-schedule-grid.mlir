// RUN: attn-opt %s --attn-select-schedule --split-input-file | FileCheck %s
// RUN: attn-opt %s --attn-gpu-select-schedule --split-input-file | FileCheck %s --check-prefix=GPU

// Boxes near to squares and cubes; with a mask, smaller ones.
// CHECK-LABEL: func @plane
// CHECK: schedule(<block_q = 256, block_k = 128, box_q = [16, 16], box_k = [8, 16]>)
// GPU-LABEL: func @plane
// GPU: schedule(<block_q = 64, block_k = 64, box_q = [8, 8], box_k = [8, 8]>)
func.func @plane(%q: tensor<?x?x?x?x64xf32>) -> tensor<?x?x?x?x64xf32> {
  %o = attn.attend %q, %q, %q : tensor<?x?x?x?x64xf32>, tensor<?x?x?x?x64xf32>, tensor<?x?x?x?x64xf32> -> tensor<?x?x?x?x64xf32>
  return %o : tensor<?x?x?x?x64xf32>
}

// -----

// CHECK-LABEL: func @masked_space
// CHECK: schedule(<block_q = 64, block_k = 64, box_q = [4, 4, 4], box_k = [4, 4, 4]>)
// GPU-LABEL: func @masked_space
// GPU: schedule(<block_q = 64, block_k = 64, box_q = [4, 4, 4], box_k = [4, 4, 4]>)
func.func @masked_space(%q: tensor<?x?x?x?x?x64xf32>) -> tensor<?x?x?x?x?x64xf32> {
  %o = attn.attend %q, %q, %q
      mask (%b, %h, %iz, %iy, %ix, %jz, %jy, %jx) {
        %keep = arith.cmpi eq, %iz, %jz : index
        attn.yield %keep : i1
      } : tensor<?x?x?x?x?x64xf32>, tensor<?x?x?x?x?x64xf32>, tensor<?x?x?x?x?x64xf32> -> tensor<?x?x?x?x?x64xf32>
  return %o : tensor<?x?x?x?x?x64xf32>
}

// -----

// Short axes that are known.
// CHECK-LABEL: func @row
// CHECK: box_q = [1, {{[0-9]+}}], box_k = [1, {{[0-9]+}}]
// GPU-LABEL: func @row
// GPU: schedule(<block_q = 64, block_k = 64, box_q = [1, 64], box_k = [1, 64]>)
func.func @row(%q: tensor<?x?x1x?x64xf32>) -> tensor<?x?x1x?x64xf32> {
  %o = attn.attend %q, %q, %q : tensor<?x?x1x?x64xf32>, tensor<?x?x1x?x64xf32>, tensor<?x?x1x?x64xf32> -> tensor<?x?x1x?x64xf32>
  return %o : tensor<?x?x1x?x64xf32>
}

// -----

// One axis has no boxes unless they are asked for.
// CHECK-LABEL: func @line
// CHECK-NOT: box
func.func @line(%q: tensor<?x?x?x64xf32>) -> tensor<?x?x?x64xf32> {
  %o = attn.attend %q, %q, %q : tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32> -> tensor<?x?x?x64xf32>
  return %o : tensor<?x?x?x64xf32>
}
