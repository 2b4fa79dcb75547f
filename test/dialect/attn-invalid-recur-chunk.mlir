// RUN: attn-opt %s -split-input-file -verify-diagnostics
//
// What attn.load_state, attn.merge_state and attn.recur_chunk must look like; the labels are those of docs/spec.md.

// load_state_c1
func.func @negative_load_state(%h0: tensor<?x24x128xf32>, %b: index) {
  // expected-error@below {{must read a tensor of rank 2 from one of rank 4 and the same floating-point element type, got 'tensor<32x64xf32>' and 'tensor<?x24x128xf32>'}}
  %s = attn.load_state %h0 at(%b, %b, %b, %b) : tensor<?x24x128xf32> -> tensor<32x64xf32>
  return
}

// -----

// merge_state_c1
func.func @negative_merge_state(%p: tensor<?x?x24x129xf32>, %i: index, %s: tensor<32x64xf64>) {
  // expected-error@below {{must merge a tensor of rank 2 with one of rank 4 and the same floating-point element type, got 'tensor<32x64xf64>' and 'tensor<?x?x24x129xf32>'}}
  %n = attn.merge_state %p at(%i, %i, %i, %i) decay(%i) init(%s) : tensor<?x?x24x129xf32>, tensor<32x64xf64>
  return
}

// -----

// merge_state_c2
func.func @negative_decay(%p: tensor<?x?x24x129xf32>, %i: index, %s: tensor<32x64xf32>) {
  %d = arith.constant 129 : index
  // expected-error@below {{'decay' must be one of the 129 columns of 'parts', got 129}}
  %n = attn.merge_state %p at(%i, %i, %i, %i) decay(%d) init(%s) : tensor<?x?x24x129xf32>, tensor<32x64xf32>
  return
}

// -----

!x = tensor<?x?x?x8xf32>
// recur_chunk_c1
func.func @negative_parts(%q: !x, %i: index, %s: tensor<16x8xf32>) {
  // expected-error@below {{'init' must have 1 parts, got 2}}
  %o = attn.recur_chunk %q, %q, %q at(%i, %i, %i, %i) init(%s, %s : tensor<16x8xf32>, tensor<16x8xf32>) length(4)
      : !x, !x, !x -> rows(tensor<4x8xf32>)
  return
}

// -----

!x = tensor<?x?x?x8xf32>
// recur_chunk_c2
func.func @negative_few_rows(%q: !x, %i: index, %s: tensor<4x8xf32>) {
  // expected-error@below {{'init' must be a tensor of rank 2 of 'f32' with at least 8 rows and a column, got 'tensor<4x8xf32>'}}
  %o = attn.recur_chunk %q, %q, %q at(%i, %i, %i, %i) init(%s : tensor<4x8xf32>) length(4) : !x, !x, !x -> rows(tensor<4x8xf32>)
  return
}

// -----

!x = tensor<?x?x?x8xf32>
// recur_chunk_c3
func.func @negative_sums(%q: !x, %i: index, %s: tensor<16x8xf32>) {
  // expected-error@below {{'init' part 1 must be 'tensor<16x1xf32>', got 'tensor<16x8xf32>'}}
  %o = attn.recur_chunk %q, %q, %q at(%i, %i, %i, %i) init(%s, %s : tensor<16x8xf32>, tensor<16x8xf32>) length(4)
      norm (%num: tensor<8xf32>, %den: f32, %b, %h, %n) {
        %row = tensor.splat %den : tensor<8xf32>
        attn.yield %row : tensor<8xf32>
      } : !x, !x, !x -> rows(tensor<4x8xf32>)
  return
}

// -----

!x = tensor<?x?x?x8xf32>
// recur_chunk_c4
func.func @negative_state(%q: !x, %i: index, %s: tensor<16x8xf32>) {
  // expected-error@below {{'init' and 'state' must have the same types}}
  %n = attn.recur_chunk %q, %q, %q at(%i, %i, %i, %i) init(%s : tensor<16x8xf32>) length(4) : !x, !x, !x -> state(tensor<8x8xf32>)
  return
}

// -----

!x = tensor<?x?x?x8xf32>
// recur_chunk_c5
func.func @negative_length(%q: !x, %i: index, %s: tensor<16x8xf32>) {
  // expected-error@below {{'length' must be between 1 and 4096, got 0}}
  %n = attn.recur_chunk %q, %q, %q at(%i, %i, %i, %i) init(%s : tensor<16x8xf32>) length(0) : !x, !x, !x -> state(tensor<16x8xf32>)
  return
}

// -----

!x = tensor<?x?x?x8xf32>
// recur_chunk_c6
func.func @negative_nothing(%q: !x, %i: index, %s: tensor<16x8xf32>) {
  // expected-error@below {{must have rows or, unless it is bidirectional, a state}}
  attn.recur_chunk %q, %q, %q at(%i, %i, %i, %i) init(%s : tensor<16x8xf32>) length(4) : !x, !x, !x ->
  return
}

// -----

!x = tensor<?x?x?x8xf32>
// recur_chunk_c6
func.func @negative_bidirectional(%q: !x, %i: index, %s: tensor<16x8xf32>) {
  // expected-error@below {{with order(bidirectional) has neither a state nor 'past'}}
  %o, %n = attn.recur_chunk %q, %q, %q at(%i, %i, %i, %i) init(%s : tensor<16x8xf32>) length(4) order(bidirectional)
      : !x, !x, !x -> rows(tensor<4x8xf32>) state(tensor<16x8xf32>)
  return
}

// -----

!x = tensor<?x?x?x8xf32>
// recur_chunk_c7
func.func @negative_past_unscaled(%q: !x, %i: index, %s: tensor<16x8xf32>, %p: tensor<?x8xf32>) {
  // expected-error@below {{with 'past' must have rows and cannot be 'unscaled'}}
  %o = attn.recur_chunk %q, %q, %q at(%i, %i, %i, %i) init(%s : tensor<16x8xf32>) past(%p : tensor<?x8xf32>) length(4) unscaled
      : !x, !x, !x -> rows(tensor<4x8xf32>)
  return
}

// -----

!x = tensor<?x?x?x8xf32>
// recur_chunk_c8
func.func @negative_part_of_mapped(%q: !x, %i: index, %s: tensor<16x4xf32>) {
  // expected-error@below {{with a region 'value' or 'norm' must have all columns, expected 8, got 4}}
  %o = attn.recur_chunk %q, %q, %q at(%i, %i, %i, %i) init(%s : tensor<16x4xf32>) length(4)
      norm (%num: tensor<8xf32>, %den: f32, %b, %h, %n) { attn.yield %num : tensor<8xf32> } : !x, !x, !x -> rows(tensor<4x8xf32>)
  return
}

// -----

!x = tensor<?x?x?x8xf32>
// recur_chunk_c9
func.func @negative_past(%q: !x, %i: index, %s: tensor<16x8xf32>, %p: tensor<?x9xf32>) {
  // expected-error@below {{'past' must be a tensor of rank 2 of 'f32' with 8 columns, got 'tensor<?x9xf32>'}}
  %o = attn.recur_chunk %q, %q, %q at(%i, %i, %i, %i) init(%s : tensor<16x8xf32>) past(%p : tensor<?x9xf32>) length(4)
      : !x, !x, !x -> rows(tensor<4x8xf32>)
  return
}

// -----

!x = tensor<?x?x?x8xbf16>
// recur_chunk_c10
func.func @negative_rows(%q: !x, %i: index, %s: tensor<16x4xf32>) {
  // expected-error@below {{'output' must be 'tensor<4x4xbf16>', got 'tensor<4x8xbf16>'}}
  %o = attn.recur_chunk %q, %q, %q at(%i, %i, %i, %i) init(%s : tensor<16x4xf32>) length(4) : !x, !x, !x -> rows(tensor<4x8xbf16>)
  return
}

// -----

func.func @negative_chunk_clauses_out_of_order(%q: tensor<1x2x4x8xf32>, %s: tensor<8x8xf32>, %i: index) {
  // expected-error@below {{clause 'length' is given twice or too late; expected clauses in the order gate, beta, bonus, at, init, past, length, scale, write, read, order, unscaled, and regions behind them}}
  %o = attn.recur_chunk %q, %q, %q at(%i, %i, %i, %i) init(%s : tensor<8x8xf32>) length(4) scale(2.0) length(4) : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> rows(tensor<4x8xf32>)
  return
}

// -----

// load_state_c1
func.func @negative_load_state_complex(%h0: tensor<?x?x24x128xcomplex<f32>>, %b: index) {
  // expected-error@below {{same floating-point element type, got 'tensor<32x64xcomplex<f32>>' and}}
  %s = attn.load_state %h0 at(%b, %b, %b, %b) : tensor<?x?x24x128xcomplex<f32>> -> tensor<32x64xcomplex<f32>>
  return
}

// -----

// load_state_c1
func.func @negative_load_state_dynamic(%h0: tensor<?x?x24x128xf32>, %b: index) {
  // expected-error@below {{result #0 must be statically shaped tensor of any type values, but got 'tensor<?x64xf32>'}}
  %s = attn.load_state %h0 at(%b, %b, %b, %b) : tensor<?x?x24x128xf32> -> tensor<?x64xf32>
  return
}

// -----

// merge_state_c1
func.func @negative_merge_state_index(%p: tensor<?x?x24x129xindex>, %i: index, %s: tensor<32x64xindex>) {
  // expected-error@below {{same floating-point element type, got 'tensor<32x64xindex>' and}}
  %n = attn.merge_state %p at(%i, %i, %i, %i) decay(%i) init(%s) : tensor<?x?x24x129xindex>, tensor<32x64xindex>
  return
}

// -----

// merge_state_c2
func.func @negative_decay_before_columns(%p: tensor<?x?x24x?xf32>, %i: index, %s: tensor<32x64xf32>) {
  %d = arith.constant -1 : index
  // expected-error@below {{'decay' must be one of the}}
  %n = attn.merge_state %p at(%i, %i, %i, %i) decay(%d) init(%s) : tensor<?x?x24x?xf32>, tensor<32x64xf32>
  return
}

// -----

!x = tensor<?x?x?x8xf32>
// recur_chunk_c5
func.func @negative_length_below_zero(%q: !x, %i: index, %s: tensor<16x8xf32>) {
  // expected-error@below {{'length' must be between 1 and 4096, got -1}}
  %n = attn.recur_chunk %q, %q, %q at(%i, %i, %i, %i) init(%s : tensor<16x8xf32>) length(-1) : !x, !x, !x -> state(tensor<16x8xf32>)
  return
}

// -----

!x = tensor<?x?x?x8xf32>
// recur_chunk_c5: this number means a dynamic size in types
func.func @negative_length_lowest(%q: !x, %i: index, %s: tensor<16x8xf32>) {
  // expected-error@below {{'length' must be between 1 and 4096, got -9223372036854775808}}
  %n = attn.recur_chunk %q, %q, %q at(%i, %i, %i, %i) init(%s : tensor<16x8xf32>) length(-9223372036854775808) : !x, !x, !x -> rows(tensor<4x8xf32>)
  return
}

// -----

!x = tensor<?x?x?x8xf32>
// recur_chunk_c5
func.func @negative_length_large(%q: !x, %i: index, %s: tensor<16x8xf32>) {
  // expected-error@below {{'length' must be between 1 and 4096, got 9223372036854775807}}
  %n = attn.recur_chunk %q, %q, %q at(%i, %i, %i, %i) init(%s : tensor<16x8xf32>) length(9223372036854775807) : !x, !x, !x -> state(tensor<16x8xf32>)
  return
}

// -----

!x = tensor<?x?x?x8xf32>
// recur_chunk_c2
func.func @negative_no_columns(%q: !x, %i: index, %s: tensor<16x0xf32>) {
  // expected-error@below {{with at least 8 rows and a column, got 'tensor<16x0xf32>'}}
  %n = attn.recur_chunk %q, %q, %q at(%i, %i, %i, %i) init(%s : tensor<16x0xf32>) length(4) : !x, !x, !x -> state(tensor<16x0xf32>)
  return
}

// -----

!x = tensor<?x?x?x8xf32>
// regions_c1: without its denominator
func.func @negative_norm_arguments(%q: !x, %i: index, %s: tensor<16x8xf32>) {
  // expected-error@below {{region 'norm'}}
  %o = attn.recur_chunk %q, %q, %q at(%i, %i, %i, %i) init(%s : tensor<16x8xf32>) length(4)
      norm (%num: tensor<8xf32>) { attn.yield %num : tensor<8xf32> } : !x, !x, !x -> rows(tensor<4x8xf32>)
  return
}
