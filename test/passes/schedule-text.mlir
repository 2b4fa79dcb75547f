// What a text of a schedule may say: each bad key or value is refused with the
// key, what is expected and what is given.

// DEFINE: %{text} =
// DEFINE: %{refuse} = not attn-opt %s --attn-gpu-select-schedule='schedule=%{text}' 2>&1 | FileCheck %s --check-prefix

// REDEFINE: %{text} = warps=3
// RUN: %{refuse}=WARPS
// WARPS: error: schedule 'warps=3': 'warps' must be 0, 4 or 8, got '3'
// REDEFINE: %{text} = warps=-4
// RUN: %{refuse}=NEGATIVE-WARPS
// NEGATIVE-WARPS: error: schedule 'warps=-4': 'warps' must be 0, 4 or 8, got '-4'
// REDEFINE: %{text} = warps=16
// RUN: %{refuse}=MANY-WARPS
// MANY-WARPS: error: schedule 'warps=16': 'warps' must be 0, 4 or 8, got '16'
// REDEFINE: %{text} = block_q=64,stages=9
// RUN: %{refuse}=STAGES
// STAGES: error: schedule 'block_q=64,stages=9': 'stages' must be a number between 0 and 8, got '9'
// REDEFINE: %{text} = splits=-1
// RUN: %{refuse}=SPLITS
// SPLITS: error: schedule 'splits=-1': 'splits' must be a number between 0 and 64, got '-1'
// REDEFINE: %{text} = overlap=yes
// RUN: %{refuse}=OVERLAP
// OVERLAP: error: schedule 'overlap=yes': 'overlap' must be a number between 0 and 1, got 'yes'
// REDEFINE: %{text} = resident=9
// RUN: %{refuse}=RESIDENT
// RESIDENT: error: schedule 'resident=9': 'resident' must be a number between 0 and 8, got '9'
// REDEFINE: %{text} = block_q=0
// RUN: %{refuse}=ZERO
// ZERO: error: schedule 'block_q=0': 'block_q' must be a number between 1 and 4096, got '0'
// REDEFINE: %{text} = block_k=1.5
// RUN: %{refuse}=FRACTION
// FRACTION: error: schedule 'block_k=1.5': 'block_k' must be a number between 1 and 4096, got '1.5'
// REDEFINE: %{text} = block_k=99999999999999999999
// RUN: %{refuse}=HUGE
// HUGE: error: schedule 'block_k=99999999999999999999': 'block_k' must be a number between 1 and 4096, got '99999999999999999999'
// REDEFINE: %{text} = block_q=24
// RUN: %{refuse}=MULTIPLE
// MULTIPLE: error: schedule: 'block_q' must be a multiple of 16 on GPUs, got 24
// REDEFINE: %{text} = block_k=8
// RUN: %{refuse}=MULTIPLE-K
// MULTIPLE-K: error: schedule: 'block_k' must be a multiple of 16 on GPUs, got 8
// REDEFINE: %{text} = block_q=64,stages=2,block_q=64
// RUN: %{refuse}=TWICE
// TWICE: error: schedule 'block_q=64,stages=2,block_q=64': expected each key once, got 'block_q' twice
// REDEFINE: %{text} = step=1,step=1
// RUN: %{refuse}=TWICE-LIST
// TWICE-LIST: error: schedule 'step=1,step=1': expected each key once, got 'step' twice
// REDEFINE: %{text} = block_q=64,
// RUN: %{refuse}=EMPTY
// EMPTY: error: schedule 'block_q=64,': expected 'block_q', 'block_k', 'splits', 'warps', 'stages', 'overlap', 'resident', 'box_q', 'box_k' or 'step', got ''

// Parts that are for other numbers of queries are read as well.
// REDEFINE: %{text} = few:warp=4;many:block_q=64
// RUN: %{refuse}=OTHER
// OTHER: error: schedule 'warp=4': expected 'block_q', {{.*}}, got 'warp'

// RUN: attn-opt %s --attn-gpu-select-schedule='schedule=few:warps=4;many:block_q=48,warps=4,stages=0,overlap=0' | FileCheck %s
// CHECK: schedule(<block_q = 48, block_k = 64, warps = 4>)
func.func @f(%q: tensor<1x1x300x64xbf16>) -> tensor<1x1x300x64xbf16> {
  %o = attn.attend %q, %q, %q : tensor<1x1x300x64xbf16>, tensor<1x1x300x64xbf16>, tensor<1x1x300x64xbf16> -> tensor<1x1x300x64xbf16>
  return %o : tensor<1x1x300x64xbf16>
}
