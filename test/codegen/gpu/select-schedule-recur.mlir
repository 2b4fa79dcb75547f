// RUN: attn-opt %s --attn-gpu-select-schedule --split-input-file | FileCheck %s
// RUN: attn-opt %s --attn-gpu-select-schedule=shared-bytes=232448 --split-input-file | FileCheck %s --check-prefix=LARGE
// RUN: not attn-opt %s --attn-gpu-select-schedule=schedule=block_q=64 --split-input-file 2>&1 | FileCheck %s --check-prefix=SHARED
// RUN: not attn-opt %s --attn-gpu-select-schedule="shared-bytes=232448 schedule=block_q=32,block_k=256" --split-input-file 2>&1 | FileCheck %s --check-prefix=REGISTERS

// What is asked for and does not fit is refused.
// SHARED: error: schedule: blocks of 64 x 64 need {{[0-9]+}} bytes of shared memory, at most 101376 are available on this device; choose smaller blocks
// REGISTERS: error: schedule: blocks of 32 x 256 need about {{[0-9]+}} registers per thread, at most 255 are available; choose smaller blocks

// A gate per channel: 16 tokens at a time; 64 of 128 columns of the state fit twice.
// CHECK-LABEL: func.func @channel
// CHECK: schedule(<block_q = 16, block_k = 64>)
// LARGE-LABEL: func.func @channel
// LARGE: schedule(<block_q = 16, block_k = 64>)
func.func @channel(%q: tensor<1x1x?x64xf32>, %v: tensor<1x1x?x128xf32>, %g: tensor<1x1x?x64xf32>) -> tensor<1x1x?x128xf32> {
  %o = attn.recur %q, %q, %v gate(%g : tensor<1x1x?x64xf32>) : tensor<1x1x?x64xf32>, tensor<1x1x?x64xf32>, tensor<1x1x?x128xf32> -> tensor<1x1x?x128xf32>
  return %o : tensor<1x1x?x128xf32>
}

// -----

// A gate per token: 32 tokens at a time, where they fit.
// CHECK-LABEL: func.func @token
// CHECK: schedule(<block_q = 16, block_k = 64>)
// LARGE-LABEL: func.func @token
// LARGE: schedule(<block_q = 32, block_k = 64>)
func.func @token(%q: tensor<1x1x?x64xf32>, %v: tensor<1x1x?x256xf32>, %g: tensor<1x1x?xf32>) -> tensor<1x1x?x256xf32> {
  %o = attn.recur %q, %q, %v gate(%g : tensor<1x1x?xf32>) : tensor<1x1x?x64xf32>, tensor<1x1x?x64xf32>, tensor<1x1x?x256xf32> -> tensor<1x1x?x256xf32>
  return %o : tensor<1x1x?x256xf32>
}

// -----

// A function of whole rows needs all columns, which leave registers for 16 tokens.
// CHECK-LABEL: func.func @rows
// CHECK: schedule(<block_q = 16, block_k = 128>)
// LARGE-LABEL: func.func @rows
// LARGE: schedule(<block_q = 16, block_k = 128>)
func.func @rows(%q: tensor<1x1x?x64xf32>, %v: tensor<1x1x?x128xf32>) -> tensor<1x1x?x128xf32> {
  %o = attn.recur %q, %q, %v norm (%num: tensor<128xf32>, %den: f32, %b, %h, %i) {
    %y = math.absf %num : tensor<128xf32>
    attn.yield %y : tensor<128xf32>
  } : tensor<1x1x?x64xf32>, tensor<1x1x?x64xf32>, tensor<1x1x?x128xf32> -> tensor<1x1x?x128xf32>
  return %o : tensor<1x1x?x128xf32>
}

// -----

// Features of keys are rounded up to the rows of threads; few columns are one block.
// CHECK-LABEL: func.func @narrow
// CHECK: schedule(<block_q = 32, block_k = 24>)
func.func @narrow(%q: tensor<1x1x?x20xf32>, %v: tensor<1x1x?x24xf32>) -> tensor<1x1x?x24xf32> {
  %o = attn.recur %q, %q, %v : tensor<1x1x?x20xf32>, tensor<1x1x?x20xf32>, tensor<1x1x?x24xf32> -> tensor<1x1x?x24xf32>
  return %o : tensor<1x1x?x24xf32>
}

// -----

// One token is a chunk of its own, with as many columns.
// CHECK-LABEL: func.func @step
// CHECK: max_tokens(1) schedule(<block_q = 1, block_k = 64>)
func.func @step(%q: tensor<1x1x?x64xf32>, %v: tensor<1x1x?x128xf32>) -> tensor<1x1x?x128xf32> {
  %o = attn.recur %q, %q, %v max_tokens(1) : tensor<1x1x?x64xf32>, tensor<1x1x?x64xf32>, tensor<1x1x?x128xf32> -> tensor<1x1x?x128xf32>
  return %o : tensor<1x1x?x128xf32>
}

// -----

// 16 bits: matrix instructions, 64 tokens at a time.
// CHECK-LABEL: func.func @matrices
// CHECK: schedule(<block_q = 64, block_k = 64>)
func.func @matrices(%q: tensor<1x1x?x64xbf16>, %v: tensor<1x1x?x128xbf16>, %g: tensor<1x1x?xf32>) -> tensor<1x1x?x128xbf16> {
  %o = attn.recur %q, %q, %v gate(%g : tensor<1x1x?xf32>) : tensor<1x1x?x64xbf16>, tensor<1x1x?x64xbf16>, tensor<1x1x?x128xbf16> -> tensor<1x1x?x128xbf16>
  return %o : tensor<1x1x?x128xbf16>
}

// -----

// 128 features of keys leave room for one block on small devices.
// CHECK-LABEL: func.func @wide_matrices
// CHECK: schedule(<block_q = 64, block_k = 64>)
// LARGE-LABEL: func.func @wide_matrices
// LARGE: schedule(<block_q = 64, block_k = 64>)
func.func @wide_matrices(%q: tensor<1x1x?x128xf16>, %v: tensor<1x1x?x64xf16>) -> tensor<1x1x?x64xf16> {
  %o = attn.recur %q, %q, %v : tensor<1x1x?x128xf16>, tensor<1x1x?x128xf16>, tensor<1x1x?x64xf16> -> tensor<1x1x?x64xf16>
  return %o : tensor<1x1x?x64xf16>
}

// -----

// Keys that are computed have two terms, and are copied to the place of queries that
// are; but a denominator with 128 features does not fit on small devices.
// CHECK-LABEL: func.func @computed_keys
// CHECK: schedule(<block_q = 64, block_k = 64>)
// CHECK: schedule(<block_q = 16, block_k = 64>)
// LARGE-LABEL: func.func @computed_keys
// LARGE: schedule(<block_q = 64, block_k = 64>)
// LARGE: schedule(<block_q = 64, block_k = 64>)
func.func @computed_keys(%q: tensor<1x1x?x128xbf16>, %v: tensor<1x1x?x64xbf16>) -> (tensor<1x1x?x64xbf16>, tensor<1x1x?x64xbf16>) {
  %o = attn.recur %q, %q, %v query (%x: tensor<128xf32>, %b, %h, %n) {
    %y = math.absf %x : tensor<128xf32>
    attn.yield %y : tensor<128xf32>
  } key (%x: tensor<128xf32>, %b, %h, %n) {
    %y = math.absf %x : tensor<128xf32>
    attn.yield %y : tensor<128xf32>
  } : tensor<1x1x?x128xbf16>, tensor<1x1x?x128xbf16>, tensor<1x1x?x64xbf16> -> tensor<1x1x?x64xbf16>
  %r = attn.recur %q, %q, %v norm (%num: tensor<64xf32>, %den: f32, %b, %h, %i) {
    %divisor = tensor.splat %den : tensor<64xf32>
    %y = arith.divf %num, %divisor : tensor<64xf32>
    attn.yield %y : tensor<64xf32>
  } : tensor<1x1x?x128xbf16>, tensor<1x1x?x128xbf16>, tensor<1x1x?x64xbf16> -> tensor<1x1x?x64xbf16>
  return %o, %r : tensor<1x1x?x64xbf16>, tensor<1x1x?x64xbf16>
}

// -----

// Channels that decay, too: gates and what is scanned take room. 128 channels, or keys
// that are computed, leave none on small devices, which then use f32 units.
// CHECK-LABEL: func.func @channel_matrices
// CHECK: schedule(<block_q = 64, block_k = 64>)
// CHECK: schedule(<block_q = 16, block_k = 64>)
// CHECK: schedule(<block_q = 16, block_k = 64>)
// LARGE-LABEL: func.func @channel_matrices
// LARGE: schedule(<block_q = 64, block_k = 64>)
// LARGE: schedule(<block_q = 64, block_k = 64>)
// LARGE: schedule(<block_q = 64, block_k = 64>)
func.func @channel_matrices(%q: tensor<1x1x?x64xf16>, %p: tensor<1x1x?x128xf16>, %g: tensor<1x1x?x64xf32>, %f: tensor<1x1x?x128xf32>) -> (tensor<1x1x?x64xf16>, tensor<1x1x?x64xf16>, tensor<1x1x?x64xf16>) {
  %o = attn.recur %q, %q, %q gate(%g : tensor<1x1x?x64xf32>) : tensor<1x1x?x64xf16>, tensor<1x1x?x64xf16>, tensor<1x1x?x64xf16> -> tensor<1x1x?x64xf16>
  %t = attn.recur %q, %q gate(%g : tensor<1x1x?x64xf32>) write(tied) : tensor<1x1x?x64xf16>, tensor<1x1x?x64xf16> -> tensor<1x1x?x64xf16>
  %w = attn.recur %p, %p, %q gate(%f : tensor<1x1x?x128xf32>) : tensor<1x1x?x128xf16>, tensor<1x1x?x128xf16>, tensor<1x1x?x64xf16> -> tensor<1x1x?x64xf16>
  return %o, %t, %w : tensor<1x1x?x64xf16>, tensor<1x1x?x64xf16>, tensor<1x1x?x64xf16>
}

// -----

// Columns that blocks share evenly, else all of them.
// CHECK-LABEL: func.func @odd_columns
// CHECK: schedule(<block_q = 64, block_k = 16>)
// CHECK: schedule(<block_q = 16, block_k = 72>)
func.func @odd_columns(%q: tensor<1x1x?x64xbf16>, %v: tensor<1x1x?x80xbf16>, %w: tensor<1x1x?x72xbf16>) -> (tensor<1x1x?x80xbf16>, tensor<1x1x?x72xbf16>) {
  %o = attn.recur %q, %q, %v : tensor<1x1x?x64xbf16>, tensor<1x1x?x64xbf16>, tensor<1x1x?x80xbf16> -> tensor<1x1x?x80xbf16>
  %r = attn.recur %q, %q, %w : tensor<1x1x?x64xbf16>, tensor<1x1x?x64xbf16>, tensor<1x1x?x72xbf16> -> tensor<1x1x?x72xbf16>
  return %o, %r : tensor<1x1x?x80xbf16>, tensor<1x1x?x72xbf16>
}

// -----

// Not rows of keys that warps cannot share.
// CHECK-LABEL: func.func @no_matrices
// CHECK: schedule(<block_q = 16, block_k = 64>)
func.func @no_matrices(%q: tensor<1x1x?x64xf16>, %p: tensor<1x1x?x48xf16>) -> tensor<1x1x?x64xf16> {
  %r = attn.recur %p, %p, %q : tensor<1x1x?x48xf16>, tensor<1x1x?x48xf16>, tensor<1x1x?x64xf16> -> tensor<1x1x?x64xf16>
  return %r : tensor<1x1x?x64xf16>
}

// -----

// All blocks have as many columns. What nothing divides is one block.
// CHECK-LABEL: func.func @columns
// CHECK: schedule(<block_q = 32, block_k = 48>)
// CHECK: schedule(<block_q = 32, block_k = 32>)
// CHECK: schedule(<block_q = 32, block_k = 72>)
func.func @columns(%q: tensor<1x1x?x32xf32>, %v: tensor<1x1x?x96xf32>, %w: tensor<1x1x?x160xf32>, %u: tensor<1x1x?x72xf32>) -> (tensor<1x1x?x96xf32>, tensor<1x1x?x160xf32>, tensor<1x1x?x72xf32>) {
  %0 = attn.recur %q, %q, %v : tensor<1x1x?x32xf32>, tensor<1x1x?x32xf32>, tensor<1x1x?x96xf32> -> tensor<1x1x?x96xf32>
  %1 = attn.recur %q, %q, %w : tensor<1x1x?x32xf32>, tensor<1x1x?x32xf32>, tensor<1x1x?x160xf32> -> tensor<1x1x?x160xf32>
  %2 = attn.recur %q, %q, %u : tensor<1x1x?x32xf32>, tensor<1x1x?x32xf32>, tensor<1x1x?x72xf32> -> tensor<1x1x?x72xf32>
  return %0, %1, %2 : tensor<1x1x?x96xf32>, tensor<1x1x?x160xf32>, tensor<1x1x?x72xf32>
}

// -----

// In bf16 too: a state of three terms and as many of rows are what two of f16 and what
// is scanned take.
// CHECK-LABEL: func.func @channel_matrices_bf16
// CHECK: schedule(<block_q = 64, block_k = 64>)
func.func @channel_matrices_bf16(%q: tensor<1x1x?x64xbf16>, %g: tensor<1x1x?x64xf32>) -> tensor<1x1x?x64xbf16> {
  %o = attn.recur %q, %q, %q gate(%g : tensor<1x1x?x64xf32>) : tensor<1x1x?x64xbf16>, tensor<1x1x?x64xbf16>, tensor<1x1x?x64xbf16> -> tensor<1x1x?x64xbf16>
  return %o : tensor<1x1x?x64xbf16>
}

// -----

// A denominator is one of bf16; in f16 weights far below its smallest number have a
// quotient, which only f32 units find.
// CHECK-LABEL: func.func @denominators
// LARGE-LABEL: func.func @denominators
// LARGE: schedule(<block_q = 64, block_k = 64>)
// LARGE: schedule(<block_q = 32, block_k = 64>)
func.func @denominators(%q: tensor<1x1x?x64xbf16>, %p: tensor<1x1x?x64xf16>) -> (tensor<1x1x?x64xbf16>, tensor<1x1x?x64xf16>) {
  %o = attn.recur %q, %q, %q norm (%num: tensor<64xf32>, %den: f32, %b, %h, %i) {
    %divisor = tensor.splat %den : tensor<64xf32>
    %quotient = arith.divf %num, %divisor : tensor<64xf32>
    attn.yield %quotient : tensor<64xf32>
  } : tensor<1x1x?x64xbf16>, tensor<1x1x?x64xbf16>, tensor<1x1x?x64xbf16> -> tensor<1x1x?x64xbf16>
  %r = attn.recur %p, %p, %p norm (%num: tensor<64xf32>, %den: f32, %b, %h, %i) {
    %divisor = tensor.splat %den : tensor<64xf32>
    %quotient = arith.divf %num, %divisor : tensor<64xf32>
    attn.yield %quotient : tensor<64xf32>
  } : tensor<1x1x?x64xf16>, tensor<1x1x?x64xf16>, tensor<1x1x?x64xf16> -> tensor<1x1x?x64xf16>
  return %o, %r : tensor<1x1x?x64xbf16>, tensor<1x1x?x64xf16>
}
