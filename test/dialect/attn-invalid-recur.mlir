// RUN: attn-opt %s --split-input-file --verify-diagnostics

// Every rule of attn.recur, broken once; the label before a function is that of
// the rule in docs/spec.md.

// recur_c1
func.func @negative_recur_rank_3(%q: tensor<1x2x4x8xf32>, %v: tensor<2x4x8xf32>) {
  // expected-error@below {{'value' must have rank 4 ([B, H, N, D]), got 'tensor<2x4x8xf32>'}}
  %o = attn.recur %q, %q, %v : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// recur_c1
func.func @negative_recur_query_rank_2(%q: tensor<1x2x4x8xf32>, %x: tensor<4x8xf32>) {
  // expected-error@below {{'query' must have rank 4 ([B, H, N, D]), got 'tensor<4x8xf32>'}}
  %o = attn.recur %x, %q, %q : tensor<4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// recur_c2
func.func @negative_recur_element_i32(%q: tensor<1x2x4x8xi32>) {
  // expected-error@below {{'value' must have element type f64, f32, f16 or bf16, got 'i32'}}
  %o = attn.recur %q, %q, %q : tensor<1x2x4x8xi32>, tensor<1x2x4x8xi32>, tensor<1x2x4x8xi32> -> tensor<1x2x4x8xi32>
  return
}

// -----

// recur_c2
func.func @negative_recur_mixed_elements(%q: tensor<1x2x4x8xf32>, %k: tensor<1x2x4x8xf16>) {
  // expected-error@below {{'key' must have the element type of 'query', expected 'f32', got 'f16'}}
  %o = attn.recur %q, %k, %q : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf16>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// recur_c3
func.func @negative_recur_dynamic_features(%q: tensor<1x2x4x8xf32>, %v: tensor<1x2x4x?xf32>) {
  // expected-error@below {{'value' must have a static number of features (its last dimension), got 'tensor<1x2x4x?xf32>'}}
  %o = attn.recur %q, %q, %v : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x?xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// recur_c4
func.func @negative_recur_without_key(%q: tensor<1x2x4x8xf32>) {
  // expected-error@below {{needs 'key' or 'write(tied)'; expected three operands, 'query', 'key' and 'value', got two}}
  %o = attn.recur %q, %q : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// recur_c4
func.func @negative_recur_tied_with_key(%q: tensor<1x2x4x8xf32>) {
  // expected-error@below {{'write(tied)' makes keys of the gate; expected neither 'key' nor a region 'key', but two operands, 'query' and 'value'}}
  %o = attn.recur %q, %q, %q gate(%q : tensor<1x2x4x8xf32>) write(tied) : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// recur_c4
func.func @negative_recur_tied_with_key_rows(%q: tensor<1x2x4x8xf32>) {
  // expected-error@below {{'write(tied)' makes keys of the gate; expected neither 'key' nor a region 'key'}}
  %o = attn.recur %q, %q gate(%q : tensor<1x2x4x8xf32>) write(tied)
      key (%x: tensor<8xf32>, %b, %h, %n) { attn.yield %x : tensor<8xf32> } : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// recur_c5
func.func @negative_recur_features_of_query_and_key(%q: tensor<1x2x4x8xf32>, %k: tensor<1x2x4x6xf32>) {
  // expected-error@below {{'query' and 'key' rows must have the same number of features, got 8 and 6}}
  %o = attn.recur %q, %k, %q : tensor<1x2x4x8xf32>, tensor<1x2x4x6xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// recur_c5
func.func @negative_recur_features_of_mapped_query(%q: tensor<1x2x4x8xf32>) {
  // expected-error@below {{'query' and 'key' rows must have the same number of features, got 4 and 8}}
  %o = attn.recur %q, %q, %q
      query (%x: tensor<8xf32>, %b, %h, %n) {
        %y = tensor.extract_slice %x[0] [4] [1] : tensor<8xf32> to tensor<4xf32>
        attn.yield %y : tensor<4xf32>
      } : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// recur_c6
func.func @negative_recur_batches(%q: tensor<1x2x4x8xf32>, %k: tensor<3x2x4x8xf32>) {
  // expected-error@below {{'key' and 'value' must have the same batch size (dimension 0), got 3 and 1}}
  %o = attn.recur %q, %k, %q : tensor<1x2x4x8xf32>, tensor<3x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// recur_c6
func.func @negative_recur_rows(%q: tensor<1x2x4x8xf32>, %x: tensor<1x2x5x8xf32>) {
  // expected-error@below {{'query' and 'value' must have the same number of rows (dimension 2), got 5 and 4}}
  %o = attn.recur %x, %q, %q : tensor<1x2x5x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// recur_c7
func.func @negative_recur_heads(%q: tensor<1x2x4x8xf32>, %x: tensor<1x4x4x8xf32>) {
  // expected-error@below {{'value' must have a multiple of the heads of 'query', got 2 and 4}}
  %o = attn.recur %x, %q, %q : tensor<1x4x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// recur_c7
func.func @negative_recur_no_heads(%q: tensor<1x2x4x8xf32>, %k: tensor<1x0x4x8xf32>) {
  // expected-error@below {{'value' must have a multiple of the heads of 'key', got 2 and 0}}
  %o = attn.recur %q, %k, %q : tensor<1x2x4x8xf32>, tensor<1x0x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// recur_c8
func.func @negative_recur_gate_per_batch(%q: tensor<1x2x4x8xf32>, %g: tensor<1x2xf32>) {
  // expected-error@below {{'gate' must have the shape [H], [B, H, N], [B, H, N, K] or [B, H, N, 1], expected 'tensor<2xf32>' or 'tensor<1x2x4xf32>' or 'tensor<1x2x4x8xf32>' or 'tensor<1x2x4x1xf32>', got 'tensor<1x2xf32>'}}
  %o = attn.recur %q, %q, %q gate(%g : tensor<1x2xf32>) : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// recur_c8
func.func @negative_recur_gate_channels(%q: tensor<1x2x4x8xf32>, %g: tensor<1x2x4x6xf32>) {
  // expected-error@below {{'gate' must have the shape [H], [B, H, N], [B, H, N, K] or [B, H, N, 1], expected 'tensor<2xf32>' or 'tensor<1x2x4xf32>' or 'tensor<1x2x4x8xf32>' or 'tensor<1x2x4x1xf32>', got 'tensor<1x2x4x6xf32>'}}
  %o = attn.recur %q, %q, %q gate(%g : tensor<1x2x4x6xf32>) : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// recur_c9
func.func @negative_recur_gate_f64(%q: tensor<1x2x4x8xf32>, %g: tensor<2xf64>) {
  // expected-error@below {{'gate' must have an element type that is accumulated in 'f32', got 'f64'}}
  %o = attn.recur %q, %q, %q gate(%g : tensor<2xf64>) : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// recur_c9
func.func @negative_recur_gate_i32(%q: tensor<1x2x4x8xf32>, %g: tensor<2xi32>) {
  // expected-error@below {{'gate' must have an element type that is accumulated in 'f32', got 'i32'}}
  %o = attn.recur %q, %q, %q gate(%g : tensor<2xi32>) : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// recur_c10
func.func @negative_recur_tied_without_gate(%q: tensor<1x2x4x8xf32>) {
  // expected-error@below {{'write(tied)' needs a 'gate' of shape [B, H, N, K], got none}}
  %o = attn.recur %q, %q write(tied) : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// recur_c10
func.func @negative_recur_tied_gate_per_head(%q: tensor<1x2x4x8xf32>, %g: tensor<2xf32>) {
  // expected-error@below {{'write(tied)' needs a 'gate' of shape [B, H, N, K], got 'tensor<2xf32>'}}
  %o = attn.recur %q, %q gate(%g : tensor<2xf32>) write(tied) : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// recur_c8
func.func @negative_recur_tied_gate_of_a_token(%q: tensor<1x2x4x8xf32>, %g: tensor<1x2x4x1xf32>) {
  // expected-error@below {{'gate' must have the shape [B, H, N, K], expected 'tensor<1x2x4x8xf32>', got 'tensor<1x2x4x1xf32>'}}
  %o = attn.recur %q, %q gate(%g : tensor<1x2x4x1xf32>) write(tied) : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// recur_c11
func.func @negative_recur_scaled_without_beta(%q: tensor<1x2x4x8xf32>) {
  // expected-error@below {{'beta' and 'write(scaled)' need each other, got 'write(scaled)' without 'beta'}}
  %o = attn.recur %q, %q, %q write(scaled) : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// recur_c11
func.func @negative_recur_beta_of_additive(%q: tensor<1x2x4x8xf32>, %b: tensor<1x2x4xf32>) {
  // expected-error@below {{'beta' and 'write(scaled)' need each other, got 'write(additive)' with 'beta'}}
  %o = attn.recur %q, %q, %q beta(%b : tensor<1x2x4xf32>) : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// recur_c11
func.func @negative_recur_beta_per_head(%q: tensor<1x2x4x8xf32>, %b: tensor<2xf32>) {
  // expected-error@below {{'beta' must have the shape [B, H, N] or [B, H, N, 1], expected 'tensor<1x2x4xf32>' or 'tensor<1x2x4x1xf32>', got 'tensor<2xf32>'}}
  %o = attn.recur %q, %q, %q beta(%b : tensor<2xf32>) write(scaled) : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// recur_c12
func.func @negative_recur_bonus_after(%q: tensor<1x2x4x8xf32>, %u: tensor<2x8xf32>) {
  // expected-error@below {{'bonus' needs 'read(before)', got 'read(after)'}}
  %o = attn.recur %q, %q, %q bonus(%u : tensor<2x8xf32>) : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// recur_c12
func.func @negative_recur_bonus_per_head(%q: tensor<1x2x4x8xf32>, %u: tensor<2xf32>) {
  // expected-error@below {{'bonus' must have the shape [H, K], expected 'tensor<2x8xf32>', got 'tensor<2xf32>'}}
  %o = attn.recur %q, %q, %q bonus(%u : tensor<2xf32>) read(before) : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// recur_c13
func.func @negative_recur_initial_columns(%q: tensor<1x2x4x8xf32>, %s: tensor<1x2x8x6xf32>) {
  // expected-error@below {{'initial' must be 'tensor<1x2x8x8xf32>', got 'tensor<1x2x8x6xf32>'}}
  %o = attn.recur %q, %q, %q initial(%s : tensor<1x2x8x6xf32>) : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// recur_c13
func.func @negative_recur_initial_bf16(%q: tensor<2x2x4x8xbf16>, %s: tensor<1x2x8x8xbf16>) {
  // expected-error@below {{'initial' must be 'tensor<1x2x8x8xf32>', got 'tensor<1x2x8x8xbf16>'}}
  %o = attn.recur %q, %q, %q initial(%s : tensor<1x2x8x8xbf16>) : tensor<2x2x4x8xbf16>, tensor<2x2x4x8xbf16>, tensor<2x2x4x8xbf16> -> tensor<2x2x4x8xbf16>
  return
}

// -----

// recur_c13
func.func @negative_recur_initial_rank(%q: tensor<1x2x4x8xf32>, %s: tensor<f32>) {
  // expected-error@below {{'initial' must be 'tensor<1x2x8x8xf32>', got 'tensor<f32>'}}
  %o = attn.recur %q, %q, %q initial(%s : tensor<f32>) : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// recur_c14
func.func @negative_recur_state_shared(%q: tensor<2x2x4x8xf32>) {
  // expected-error@below {{'state' must be 'tensor<2x2x8x8xf32>', got 'tensor<1x2x8x8xf32>'}}
  %o, %s = attn.recur %q, %q, %q : tensor<2x2x4x8xf32>, tensor<2x2x4x8xf32>, tensor<2x2x4x8xf32> -> tensor<2x2x4x8xf32>, tensor<1x2x8x8xf32>
  return
}

// -----

// recur_c15
func.func @negative_recur_state_of_both(%q: tensor<1x2x4x8xf32>) {
  // expected-error@below {{'state' needs 'order(causal)' or 'order(reversed)': 'order(bidirectional)' has two states}}
  %o, %s = attn.recur %q, %q, %q order(bidirectional) : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>, tensor<1x2x8x8xf32>
  return
}

// -----

// recur_c15
func.func @negative_recur_initial_of_both(%q: tensor<1x2x4x8xf32>, %s: tensor<1x2x8x8xf32>) {
  // expected-error@below {{'initial' needs 'order(causal)' or 'order(reversed)': 'order(bidirectional)' has two states}}
  %o = attn.recur %q, %q, %q initial(%s : tensor<1x2x8x8xf32>) order(bidirectional) : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// recur_c16
func.func @negative_recur_output_features(%q: tensor<1x2x4x8xf32>) {
  // expected-error@below {{'output' must be 'tensor<1x2x4x8xf32>', got 'tensor<1x2x4x6xf32>'}}
  %o = attn.recur %q, %q, %q : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x6xf32>
  return
}

// -----

// recur_c16
func.func @negative_recur_output_of_norm(%q: tensor<1x2x4x8xf32>) {
  // expected-error@below {{'output' must be 'tensor<1x2x4x4xf32>', got 'tensor<1x2x4x8xf32>'}}
  %o = attn.recur %q, %q, %q
      norm (%num: tensor<8xf32>, %den: f32, %b, %h, %i) {
        %y = tensor.extract_slice %num[0] [4] [1] : tensor<8xf32> to tensor<4xf32>
        attn.yield %y : tensor<4xf32>
      } : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// recur_c17
func.func @negative_recur_scale_infinite(%q: tensor<1x2x4x8xf32>) {
  // expected-error@below {{'scale' must be finite, got 0x7FF0000000000000 : f64}}
  %o = attn.recur %q, %q, %q scale(0x7FF0000000000000) : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// recur_c18
func.func @negative_recur_denominator_beside_state(%q: tensor<1x2x4x8xf32>) {
  // expected-error@below {{region 'norm' uses %den, which 'state' does not hold; expected value rows with a 1 at their end, whose sum is the denominator}}
  %o, %s = attn.recur %q, %q, %q
      norm (%num: tensor<8xf32>, %den: f32, %b, %h, %i) {
        %row = tensor.splat %den : tensor<8xf32>
        %y = arith.divf %num, %row : tensor<8xf32>
        attn.yield %y : tensor<8xf32>
      } : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>, tensor<1x2x8x8xf32>
  return
}

// -----

// recur_c18
func.func @negative_recur_denominator_beside_initial(%q: tensor<1x2x4x8xf32>, %s: tensor<1x2x8x8xf32>) {
  // expected-error@below {{region 'norm' uses %den, which 'initial' does not hold}}
  %o = attn.recur %q, %q, %q initial(%s : tensor<1x2x8x8xf32>)
      norm (%num: tensor<8xf32>, %den: f32, %b, %h, %i) {
        %row = tensor.splat %den : tensor<8xf32>
        %y = arith.divf %num, %row : tensor<8xf32>
        attn.yield %y : tensor<8xf32>
      } : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// recur_c13
func.func @negative_recur_initial_of_other_segments(%q: tensor<1x2x4x8xf32>, %s: tensor<4x2x8x8xf32>, %c: tensor<4xi32>) {
  // expected-error@below {{'initial' must be 'tensor<3x2x8x8xf32>', got 'tensor<4x2x8x8xf32>'}}
  %o = attn.recur %q, %q, %q initial(%s : tensor<4x2x8x8xf32>) segments(%c : tensor<4xi32>)
      : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// recur_c14
func.func @negative_recur_state_of_other_segments(%q: tensor<1x2x4x8xf32>, %c: tensor<4xi32>) {
  // expected-error@below {{'state' must be 'tensor<3x2x8x8xf32>', got 'tensor<1x2x8x8xf32>'}}
  %o, %s = attn.recur %q, %q, %q segments(%c : tensor<4xi32>)
      : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>, tensor<1x2x8x8xf32>
  return
}

// -----

// recur_c19
func.func @negative_recur_segments_of_i16(%q: tensor<1x2x4x8xf32>, %c: tensor<?xi16>) {
  // expected-error@below {{'segments' must be a tensor of i32 or i64 with one offset more than there are segments ([G + 1]), got 'tensor<?xi16>'}}
  %o = attn.recur %q, %q, %q segments(%c : tensor<?xi16>) : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// recur_c19
func.func @negative_recur_segments_of_rank_2(%q: tensor<1x2x4x8xf32>, %c: tensor<1x?xi32>) {
  // expected-error@below {{'segments' must be a tensor of i32 or i64 with one offset more than there are segments ([G + 1]), got 'tensor<1x?xi32>'}}
  %o = attn.recur %q, %q, %q segments(%c : tensor<1x?xi32>) : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// recur_c19
func.func @negative_recur_segments_empty(%q: tensor<1x2x4x8xf32>, %c: tensor<0xi64>) {
  // expected-error@below {{'segments' must be a tensor of i32 or i64 with one offset more than there are segments ([G + 1]), got 'tensor<0xi64>'}}
  %o = attn.recur %q, %q, %q segments(%c : tensor<0xi64>) : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// recur_c20
func.func @negative_recur_segments_of_two_batches(%q: tensor<2x2x4x8xf32>, %c: tensor<?xi32>) {
  // expected-error@below {{with 'segments' the sequences lie in one batch: 'query' must have the static batch size (dimension 0) 1, got 2}}
  %o = attn.recur %q, %q, %q segments(%c : tensor<?xi32>) : tensor<2x2x4x8xf32>, tensor<2x2x4x8xf32>, tensor<2x2x4x8xf32> -> tensor<2x2x4x8xf32>
  return
}

// -----

// recur_c20
func.func @negative_recur_segments_of_dynamic_batch(%q: tensor<1x2x4x8xf32>, %k: tensor<?x2x4x8xf32>, %c: tensor<?xi32>) {
  // expected-error@below {{with 'segments' the sequences lie in one batch: 'key' must have the static batch size (dimension 0) 1, got a dynamic size}}
  %o = attn.recur %q, %k, %q segments(%c : tensor<?xi32>) : tensor<1x2x4x8xf32>, tensor<?x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// regions_c1
func.func @negative_recur_norm_without_denominator(%q: tensor<1x2x4x8xf32>) {
  // expected-error@below {{region 'norm' takes 5 arguments, got 4}}
  %o = attn.recur %q, %q, %q
      norm (%num: tensor<8xf32>, %b, %h, %i) { attn.yield %num : tensor<8xf32> } : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// regions_c12
func.func @negative_recur_norm_yields_scalar(%q: tensor<1x2x4x8xf32>) {
  // expected-error@below {{region 'norm' must yield a vector of static size of 'f32', got 'f32'}}
  %o = attn.recur %q, %q, %q
      norm (%num: tensor<8xf32>, %den: f32, %b, %h, %i) { attn.yield %den : f32 } : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// regions_c14
func.func @negative_recur_matrix_of_denominator(%q: tensor<1x2x4x8xf32>, %w: tensor<?x8x8xf32>) {
  %o = attn.recur %q, %q, %q
      norm (%num: tensor<8xf32>, %den: f32, %b, %h, %i) {
        %integer = arith.fptosi %den : f32 to i32
        %which = arith.index_cast %integer : i32 to index
        // expected-error@below {{in region 'norm' must take the same matrix for all rows of a head; its indices cannot depend on argument 1}}
        %y = attn.contract_row %num, %w[%which] : tensor<8xf32>, tensor<?x8x8xf32> -> tensor<8xf32>
        attn.yield %y : tensor<8xf32>
      } : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// regions_c14
func.func @negative_recur_matrix_of_row(%q: tensor<1x2x4x8xf32>, %w: tensor<?x8x8xf32>) {
  %o = attn.recur %q, %q, %q
      norm (%num: tensor<8xf32>, %den: f32, %b, %h, %i) {
        %which = arith.addi %i, %h : index
        // expected-error@below {{in region 'norm' must take the same matrix for all rows of a head; its indices cannot depend on argument 4}}
        %y = attn.contract_row %num, %w[%which] : tensor<8xf32>, tensor<?x8x8xf32> -> tensor<8xf32>
        attn.yield %y : tensor<8xf32>
      } : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// Errors of the parser.
func.func @negative_recur_one_type(%q: tensor<1x2x4x8xf32>) {
  // expected-error@below {{expected the types of 'query', 'key' (unless it is absent) and 'value', got 1}}
  %o = attn.recur %q, %q, %q : tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

func.func @negative_recur_too_few_types(%q: tensor<1x2x4x8xf32>) {
  // expected-error@below {{number of operands and types do not match: got 1 operands and 0 types}}
  %o = attn.recur %q, %q, %q : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

func.func @negative_recur_region_of_pairs(%q: tensor<1x2x4x8xf32>) {
  %o = attn.recur %q, %q, %q
  // expected-error@below {{expected region 'query', 'key', 'value' or 'norm', got 'mask'}}
      mask (%b, %h, %i, %j) { attn.yield %b : index } : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

func.func @negative_recur_delta(%q: tensor<1x2x4x8xf32>, %b: tensor<1x2x4xf32>) {
  // expected-error@below {{expected string or keyword containing one of the following enum values for attribute 'write' [additive, tied, scaled]}}
  %o = attn.recur %q, %q, %q beta(%b : tensor<1x2x4xf32>) write(delta) : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

func.func @negative_clauses_out_of_order(%q: tensor<1x2x4x8xf32>) {
  // expected-error@below {{clause 'scale' is given twice or too late; expected clauses in the order gate, beta, bonus, initial, segments, scale, write, read, order, max_tokens, schedule, and regions behind them}}
  %o = attn.recur %q, %q, %q read(before) scale(2.0) : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// recur_c21
func.func @negative_recur_max_tokens_too_few(%q: tensor<1x2x4x8xf32>) {
  // expected-error@below {{'max_tokens' must be positive and at least the number of tokens, got 3 for 'tensor<1x2x4x8xf32>'}}
  %o = attn.recur %q, %q, %q max_tokens(3) : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

func.func @negative_clause_behind_region(%q: tensor<1x2x4x8xf32>) {
  %o = attn.recur %q, %q, %q
      query (%x: tensor<8xf32>, %b, %h, %n) { attn.yield %x : tensor<8xf32> }
      // expected-error@below {{clause 'order' is given twice or too late}}
      order(reversed) : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// recur_c8
func.func @negative_gate_dynamic_channels(%q: tensor<1x2x4x8xf32>, %g: tensor<1x2x4x?xf32>) {
  // expected-error@below {{'gate' must have a static last dimension, which says whether channels have gates of their own, got 'tensor<1x2x4x?xf32>'}}
  %o = attn.recur %q, %q, %q gate(%g : tensor<1x2x4x?xf32>) : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// recur_c21
func.func @negative_recur_max_tokens_zero(%q: tensor<1x2x?x8xf32>) {
  // expected-error@below {{'max_tokens' must be positive and at least the number of tokens, got 0 for 'tensor<1x2x?x8xf32>'}}
  %o = attn.recur %q, %q, %q max_tokens(0) : tensor<1x2x?x8xf32>, tensor<1x2x?x8xf32>, tensor<1x2x?x8xf32> -> tensor<1x2x?x8xf32>
  return
}
