// RUN: attn-opt %s --attn-select-schedule | FileCheck %s --check-prefixes=CHECK,WIDE
// RUN: attn-opt %s --attn-select-schedule=vector-bits=128 | FileCheck %s --check-prefixes=CHECK,NARROW
// RUN: attn-opt %s --attn-select-schedule=schedule=block_q=32,block_k=16 | FileCheck %s --check-prefix=GIVEN
// RUN: not attn-opt %s --attn-select-schedule=schedule=block_q=40 2>&1 | FileCheck %s --check-prefix=LANES
// RUN: not attn-opt %s --attn-select-schedule=schedule=block_x=40 2>&1 | FileCheck %s --check-prefix=KEY
// RUN: not attn-opt %s --attn-select-schedule=schedule=block_k=zero 2>&1 | FileCheck %s --check-prefix=VALUE
// RUN: not attn-opt %s --attn-select-schedule=schedule=block_q=4096,block_k=4096 2>&1 | FileCheck %s --check-prefix=SCRATCH

// LANES: error: schedule: 'block_q' must be a multiple of the 16 vector lanes of this target, got 40
// KEY: error: schedule 'block_x=40': expected 'block_q', 'block_k', 'splits', 'warps', 'stages', 'overlap', 'resident', 'box_q', 'box_k' or 'step', got 'block_x'
// VALUE: error: schedule 'block_k=zero': 'block_k' must be a number between 1 and 4096, got 'zero'
// SCRATCH: error: schedule: block_q = 4096 and block_k = 4096 need {{[0-9]+}} bytes of scratch, at most 4194304 are allowed; choose smaller blocks

// The estimate: one strip, as keys and values are read where they lie.
// CHECK-LABEL: func @f32
// WIDE: attn.attend {{.*}} schedule(<block_q = 32, block_k = 128>)
// NARROW: attn.attend {{.*}} schedule(<block_q = 12, block_k = 128>)
// GIVEN-LABEL: func @f32
// GIVEN: attn.attend {{.*}} schedule(<block_q = 32, block_k = 16>)
func.func @f32(%q: tensor<1x1x?x64xf32>) -> tensor<1x1x?x64xf32> {
  %o = attn.attend %q, %q, %q : tensor<1x1x?x64xf32>, tensor<1x1x?x64xf32>, tensor<1x1x?x64xf32> -> tensor<1x1x?x64xf32>
  return %o : tensor<1x1x?x64xf32>
}

// Half as many lanes.
// CHECK-LABEL: func @f64
// WIDE: attn.attend {{.*}} schedule(<block_q = 16, block_k = 128>)
// GIVEN-LABEL: func @f64
// GIVEN: attn.attend {{.*}} schedule(<block_q = 32, block_k = 16>)
func.func @f64(%q: tensor<1x1x?x64xf64>) -> tensor<1x1x?x64xf64> {
  %o = attn.attend %q, %q, %q : tensor<1x1x?x64xf64>, tensor<1x1x?x64xf64>, tensor<1x1x?x64xf64> -> tensor<1x1x?x64xf64>
  return %o : tensor<1x1x?x64xf64>
}

// Keys and values that blocks copy: because they are converted, mapped, or have
// rows that are no whole vectors. More queries share a copy.
// CHECK-LABEL: func @bf16
// WIDE: attn.attend {{.*}} schedule(<block_q = 224, block_k = 128>)
func.func @bf16(%q: tensor<1x1x?x64xbf16>) -> tensor<1x1x?x64xbf16> {
  %o = attn.attend %q, %q, %q : tensor<1x1x?x64xbf16>, tensor<1x1x?x64xbf16>, tensor<1x1x?x64xbf16> -> tensor<1x1x?x64xbf16>
  return %o : tensor<1x1x?x64xbf16>
}

// CHECK-LABEL: func @mapped_keys
// WIDE: attn.attend {{.*}} schedule(<block_q = 160, block_k = 128>)
func.func @mapped_keys(%q: tensor<1x1x?x64xf32>) -> tensor<1x1x?x64xf32> {
  %o = attn.attend %q, %q, %q key (%x: tensor<64xf32>, %b, %h, %j) {
    %y = math.absf %x : tensor<64xf32>
    attn.yield %y : tensor<64xf32>
  } : tensor<1x1x?x64xf32>, tensor<1x1x?x64xf32>, tensor<1x1x?x64xf32> -> tensor<1x1x?x64xf32>
  return %o : tensor<1x1x?x64xf32>
}

// CHECK-LABEL: func @odd_rows
// WIDE: attn.attend {{.*}} schedule(<block_q = 224, block_k = 128>)
func.func @odd_rows(%q: tensor<1x1x?x40xf32>) -> tensor<1x1x?x40xf32> {
  %o = attn.attend %q, %q, %q : tensor<1x1x?x40xf32>, tensor<1x1x?x40xf32>, tensor<1x1x?x40xf32> -> tensor<1x1x?x40xf32>
  return %o : tensor<1x1x?x40xf32>
}

// What the spec states is kept, unless the option says otherwise.
// CHECK-LABEL: func @stated
// CHECK: attn.map_rows {{.*}} schedule(<block_q = 16, block_k = 1>)
// GIVEN-LABEL: func @stated
// GIVEN: attn.map_rows {{.*}} schedule(<block_q = 32, block_k = 16>)
func.func @stated(%q: tensor<1x1x?x64xf32>) -> tensor<1x1x?x64xf32> {
  %o = attn.map_rows %q schedule(<block_q = 16, block_k = 1>) rows (%x: tensor<64xf32>, %b, %h, %n) {
    %y = math.absf %x : tensor<64xf32>
    attn.yield %y : tensor<64xf32>
  } : tensor<1x1x?x64xf32> -> tensor<1x1x?x64xf32>
  return %o : tensor<1x1x?x64xf32>
}

// Few queries, by their type or by a promise: one register of rows, and the
// keys are shared.
// CHECK-LABEL: func @few
// WIDE: attn.attend {{.*}} schedule(<block_q = 16, block_k = 64, splits = 8>)
// NARROW: attn.attend {{.*}} schedule(<block_q = 4, block_k = 64, splits = 8>)
// WIDE: attn.attend {{.*}} max_queries(16) schedule(<block_q = 16, block_k = 64, splits = 8>)
// NARROW: attn.attend {{.*}} max_queries(16) schedule(<block_q = 4, block_k = 64, splits = 8>)
// An option that leaves splits out keeps the choice.
// GIVEN-LABEL: func @few
// GIVEN-COUNT-2: attn.attend {{.*}} schedule(<block_q = 32, block_k = 16, splits = 8>)
func.func @few(%q: tensor<1x1x16x64xf32>, %p: tensor<1x1x?x64xf32>, %k: tensor<1x1x?x64xf32>) -> (tensor<1x1x16x64xf32>, tensor<1x1x?x64xf32>) {
  %o = attn.attend %q, %k, %k : tensor<1x1x16x64xf32>, tensor<1x1x?x64xf32>, tensor<1x1x?x64xf32> -> tensor<1x1x16x64xf32>
  %o1 = attn.attend %p, %k, %k max_queries(16) : tensor<1x1x?x64xf32>, tensor<1x1x?x64xf32>, tensor<1x1x?x64xf32> -> tensor<1x1x?x64xf32>
  return %o, %o1 : tensor<1x1x16x64xf32>, tensor<1x1x?x64xf32>
}

// Seventeen are many.
// CHECK-LABEL: func @seventeen
// WIDE: schedule(<block_q = 32, block_k = 128>)
// NARROW: schedule(<block_q = 12, block_k = 128>)
// GIVEN-LABEL: func @seventeen
func.func @seventeen(%q: tensor<1x1x17x64xf32>, %k: tensor<1x1x?x64xf32>) -> tensor<1x1x17x64xf32> {
  %o = attn.attend %q, %k, %k : tensor<1x1x17x64xf32>, tensor<1x1x?x64xf32>, tensor<1x1x?x64xf32> -> tensor<1x1x17x64xf32>
  return %o : tensor<1x1x17x64xf32>
}

// Where parts cannot be merged, blocks are small and keys are not shared.
// CHECK-LABEL: func @not_mergeable
// WIDE: attn.attend {{.*}} normalizer(none) schedule(<block_q = 16, block_k = 64>)
// WIDE: attn.attend {{.*}} schedule(<block_q = 16, block_k = 64>)
// GIVEN-LABEL: func @not_mergeable
// GIVEN-COUNT-2: attn.attend {{.*}} schedule(<block_q = 32, block_k = 16>)
func.func @not_mergeable(%q: tensor<1x1x16x64xf32>, %k: tensor<1x1x?x64xf32>) -> (tensor<1x1x16x64xf32>, tensor<1x1x16x64xf32>) {
  %o = attn.attend %q, %k, %k normalizer(none) : tensor<1x1x16x64xf32>, tensor<1x1x?x64xf32>, tensor<1x1x?x64xf32> -> tensor<1x1x16x64xf32>
  %o1 = attn.attend %q, %k, %k
      prob (%p: f32, %b, %h, %i, %j) {
        %w = arith.mulf %p, %p : f32
        attn.yield %w : f32
      } : tensor<1x1x16x64xf32>, tensor<1x1x?x64xf32>, tensor<1x1x?x64xf32> -> tensor<1x1x16x64xf32>
  return %o, %o1 : tensor<1x1x16x64xf32>, tensor<1x1x16x64xf32>
}

// CHECK-LABEL: func @merge
// WIDE: attn.merge {{.*}} schedule(<block_q = 16, block_k = 64>)
// NARROW: attn.merge {{.*}} schedule(<block_q = 4, block_k = 64>)
// GIVEN-LABEL: func @merge
// GIVEN: attn.merge {{.*}} schedule(<block_q = 32, block_k = 16>)
func.func @merge(%outs: tensor<2x1x1x?x64xf32>, %lses: tensor<2x1x1x?xf32>) -> tensor<1x1x?x64xf32> {
  %o = attn.merge %outs, %lses : tensor<2x1x1x?x64xf32>, tensor<2x1x1x?xf32> -> tensor<1x1x?x64xf32>
  return %o : tensor<1x1x?x64xf32>
}
