// RUN: attn-opt %s --attn-gpu-select-schedule=shared-bytes=232448 --split-input-file | FileCheck %s
// RUN: attn-opt %s --attn-gpu-select-schedule=shared-bytes=166912 --split-input-file | FileCheck %s --check-prefix=AMPERE

// Pairs that need little but products have larger blocks: of queries up to 64
// features, of keys with 128 where there is room for three. Where nothing is
// masked, and there is room for four, the next keys are copied into a ring.
// CHECK-LABEL: func.func @narrow
// CHECK: schedule(<block_q = 128, block_k = 64, stages = 2>)
// AMPERE-LABEL: func.func @narrow
// AMPERE: schedule(<block_q = 128, block_k = 64>)
func.func @narrow(%q: tensor<1x1x?x64xbf16>) -> tensor<1x1x?x64xbf16> {
  %o = attn.attend %q, %q, %q : tensor<1x1x?x64xbf16>, tensor<1x1x?x64xbf16>, tensor<1x1x?x64xbf16> -> tensor<1x1x?x64xbf16>
  return %o : tensor<1x1x?x64xbf16>
}

// -----

// CHECK-LABEL: func.func @causal
// CHECK: schedule(<block_q = 128, block_k = 64>)
func.func @causal(%q: tensor<1x1x?x64xbf16>) -> tensor<1x1x?x64xbf16> {
  %o = attn.attend %q, %q, %q
      mask (%b, %h, %i, %j) {
        %keep = arith.cmpi sge, %i, %j : index
        attn.yield %keep : i1
      } : tensor<1x1x?x64xbf16>, tensor<1x1x?x64xbf16>, tensor<1x1x?x64xbf16> -> tensor<1x1x?x64xbf16>
  return %o : tensor<1x1x?x64xbf16>
}

// -----

// CHECK-LABEL: func.func @window
// CHECK: schedule(<block_q = 128, block_k = 64>)
func.func @window(%q: tensor<1x1x?x64xbf16>) -> tensor<1x1x?x64xbf16> {
  %width = arith.constant 256 : index
  %o = attn.attend %q, %q, %q
      mask (%b, %h, %i, %j) {
        %past = arith.cmpi sge, %i, %j : index
        %distance = arith.subi %i, %j : index
        %near = arith.cmpi slt, %distance, %width : index
        %keep = arith.andi %past, %near : i1
        attn.yield %keep : i1
      } : tensor<1x1x?x64xbf16>, tensor<1x1x?x64xbf16>, tensor<1x1x?x64xbf16> -> tensor<1x1x?x64xbf16>
  return %o : tensor<1x1x?x64xbf16>
}

// -----

// Masks that compute more than distances have the usual blocks, and so have
// windows of 128 features.
// CHECK-LABEL: func.func @divided
// CHECK: schedule(<block_q = 64, block_k = 64>)
// CHECK: schedule(<block_q = 64, block_k = 64>)
func.func @divided(%q: tensor<1x1x?x64xbf16>, %w: tensor<1x1x?x128xbf16>) -> (tensor<1x1x?x64xbf16>, tensor<1x1x?x128xbf16>) {
  %width = arith.constant 256 : index
  %o = attn.attend %q, %q, %q
      mask (%b, %h, %i, %j) {
        %own = arith.divsi %i, %width : index
        %other = arith.divsi %j, %width : index
        %keep = arith.cmpi eq, %own, %other : index
        attn.yield %keep : i1
      } : tensor<1x1x?x64xbf16>, tensor<1x1x?x64xbf16>, tensor<1x1x?x64xbf16> -> tensor<1x1x?x64xbf16>
  %p = attn.attend %w, %w, %w
      mask (%b, %h, %i, %j) {
        %distance = arith.subi %i, %j : index
        %near = arith.cmpi slt, %distance, %width : index
        attn.yield %near : i1
      } : tensor<1x1x?x128xbf16>, tensor<1x1x?x128xbf16>, tensor<1x1x?x128xbf16> -> tensor<1x1x?x128xbf16>
  return %o, %p : tensor<1x1x?x64xbf16>, tensor<1x1x?x128xbf16>
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

// A term of the distance leaves registers for more keys, not for a second band.
// CHECK-LABEL: func.func @distances
// CHECK: schedule(<block_q = 64, block_k = 128>)
// AMPERE-LABEL: func.func @distances
// AMPERE: schedule(<block_q = 64, block_k = 128>)
func.func @distances(%q: tensor<1x1x?x64xbf16>, %slopes: tensor<?xf32>) -> tensor<1x1x?x64xbf16> {
  %o = attn.attend %q, %q, %q
      score (%s: f32, %b, %h, %i, %j) {
        %slope = tensor.extract %slopes[%h] : tensor<?xf32>
        %t = math.exp2 %slope : f32
        %d = arith.subi %j, %i : index
        %n = arith.index_cast %d : index to i64
        %x = arith.sitofp %n : i64 to f32
        %p = arith.mulf %t, %x : f32
        %r = arith.addf %s, %p : f32
        attn.yield %r : f32
      } : tensor<1x1x?x64xbf16>, tensor<1x1x?x64xbf16>, tensor<1x1x?x64xbf16> -> tensor<1x1x?x64xbf16>
  return %o : tensor<1x1x?x64xbf16>
}

// -----

// A load for each pair does not.
// CHECK-LABEL: func.func @loads
// CHECK: schedule(<block_q = 64, block_k = 64>)
func.func @loads(%q: tensor<1x1x?x64xbf16>, %bias: tensor<?x?xf32>) -> tensor<1x1x?x64xbf16> {
  %o = attn.attend %q, %q, %q
      score (%s: f32, %b, %h, %i, %j) {
        %t = tensor.extract %bias[%i, %j] : tensor<?x?xf32>
        %r = arith.addf %s, %t : f32
        attn.yield %r : f32
      } : tensor<1x1x?x64xbf16>, tensor<1x1x?x64xbf16>, tensor<1x1x?x64xbf16> -> tensor<1x1x?x64xbf16>
  return %o : tensor<1x1x?x64xbf16>
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
