// RUN: attn-opt %s -split-input-file -verify-diagnostics
//
// What attn.load_state, attn.merge_state and attn.recur_chunk must look like; the labels are those of docs/spec.md.

// load_state_c1
func.func @negative_load_state(%h0: tensor<?x24x128xf32>, %b: index) {
  // expected-error@below {{must read a tensor of rank 2 from one of rank 4 and the same element type, got 'tensor<32x64xf32>' and 'tensor<?x24x128xf32>'}}
  %s = attn.load_state %h0 at(%b, %b, %b, %b) : tensor<?x24x128xf32> -> tensor<32x64xf32>
  return
}

// -----

// merge_state_c1
func.func @negative_merge_state(%p: tensor<?x?x24x129xf32>, %i: index, %s: tensor<32x64xf64>) {
  // expected-error@below {{must merge a tensor of rank 2 with one of rank 4 and the same element type, got 'tensor<32x64xf64>' and 'tensor<?x?x24x129xf32>'}}
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
  // expected-error@below {{'init' must be a tensor of rank 2 of 'f32' with at least 8 rows, got 'tensor<4x8xf32>'}}
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
  // expected-error@below {{'length' must be positive, got 0}}
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
