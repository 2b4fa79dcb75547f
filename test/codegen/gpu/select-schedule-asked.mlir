// RUN: not attn-opt %s --attn-gpu-select-schedule=schedule=block_k=272 --split-input-file 2>&1 | FileCheck %s --check-prefix=KEYS
// RUN: attn-opt %s --attn-gpu-select-schedule=schedule=splits=2 --split-input-file | FileCheck %s
// RUN: not attn-opt %s --attn-gpu-select-schedule=schedule=stages=8 --split-input-file 2>&1 | FileCheck %s --check-prefix=STAGES
// RUN: not attn-opt %s --attn-gpu-select-schedule=schedule=block_k=272,overlap=1 --split-input-file 2>&1 | FileCheck %s --check-prefix=OVERLAP
// RUN: not attn-opt %s --attn-gpu-select-schedule=schedule=block_q=64,block_k=8,stages=2 --split-input-file 2>&1 | FileCheck %s --check-prefix=COLUMNS

// Matrix instructions have no products of more than 256 columns. What is asked for is
// planned as what it becomes: keys of 272 rows and scores in 32 bits.
// KEYS: error: schedule: blocks of 128 x 272 need 215040 bytes of shared memory, at most 101376 are available on this device; choose smaller blocks
// OVERLAP: error: schedule: 'overlap' of 1 needs products by matrix instructions, of 16 bits or tf32, which this op has not with 'block_k' of 272; expected a schedule without it
func.func @many_keys(%q: tensor<1x1x?x64xbf16>) -> tensor<1x1x?x64xbf16> {
  %o = attn.attend %q, %q, %q : tensor<1x1x?x64xbf16>, tensor<1x1x?x64xbf16>, tensor<1x1x?x64xbf16> -> tensor<1x1x?x64xbf16>
  return %o : tensor<1x1x?x64xbf16>
}

// -----

// A state of parts is stored, and has three terms: sizes are chosen that have room for
// them, so that what the space of schedules offers is taken. Stages need matrix
// instructions, whose chunk has no room here.
// CHECK-LABEL: func.func @parts
// CHECK: schedule(<block_q = 16, block_k = 32, splits = 2>)
// STAGES: error: schedule: blocks of 64 x 16 need {{[0-9]+}} bytes of shared memory, at most 101376 are available on this device; choose smaller blocks, or fewer stages
// COLUMNS: error: schedule: 'stages' of 2 needs products by matrix instructions, of 16 bits or tf32, which this op has not with 'block_k' of 8; expected a schedule without it
func.func @parts(%q: tensor<1x1x?x128xbf16>) -> tensor<1x1x?x128xbf16> {
  %o = attn.recur %q, %q, %q query (%x: tensor<128xf32>, %b, %h, %n) {
    %y = math.absf %x : tensor<128xf32>
    attn.yield %y : tensor<128xf32>
  } key (%x: tensor<128xf32>, %b, %h, %n) {
    %y = math.absf %x : tensor<128xf32>
    attn.yield %y : tensor<128xf32>
  } : tensor<1x1x?x128xbf16>, tensor<1x1x?x128xbf16>, tensor<1x1x?x128xbf16> -> tensor<1x1x?x128xbf16>
  return %o : tensor<1x1x?x128xbf16>
}
