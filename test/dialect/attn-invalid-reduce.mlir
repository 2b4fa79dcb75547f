// RUN: attn-opt %s --split-input-file --verify-diagnostics

// Every rule of attn.reduce, broken once; the label before a function is that of
// the rule in docs/spec.md.

// attn_reduce_c1
func.func @negative_reduce_rank_3(%x: tensor<2x4x8xf32>) {
  // expected-error@below {{'input' must have rank 4 ([B, H, N, D]), got 'tensor<2x4x8xf32>'}}
  %o = attn.reduce sum %x over(tokens) : tensor<2x4x8xf32> -> tensor<2x4x8xf32>
  return
}

// -----

// attn_reduce_c2
func.func @negative_reduce_element_i32(%x: tensor<1x2x4x8xi32>) {
  // expected-error@below {{'input' must have element type f64, f32, f16 or bf16, got 'i32'}}
  %o = attn.reduce sum %x over(tokens) : tensor<1x2x4x8xi32> -> tensor<1x2x8xi32>
  return
}

// -----

// attn_reduce_c3
func.func @negative_reduce_dynamic_features(%x: tensor<1x2x4x?xf32>) {
  // expected-error@below {{'input' must have a static number of features (its last dimension), got 'tensor<1x2x4x?xf32>'}}
  %o = attn.reduce sum %x over(tokens) : tensor<1x2x4x?xf32> -> tensor<1x2x8xf32>
  return
}

// -----

// attn_reduce_c4
func.func @negative_reduce_storage_type(%x: tensor<1x2x4x8xbf16>) {
  // expected-error@below {{'output' must be 'tensor<1x2x8xf32>', got 'tensor<1x2x8xbf16>'}}
  %o = attn.reduce sum %x over(tokens) : tensor<1x2x4x8xbf16> -> tensor<1x2x8xbf16>
  return
}

// -----

// attn_reduce_c4
func.func @negative_reduce_tokens_kept(%x: tensor<1x2x4x8xf32>) {
  // expected-error@below {{'output' must be 'tensor<1x2x8xf32>', got 'tensor<1x4x8xf32>'}}
  %o = attn.reduce sum %x over(tokens) : tensor<1x2x4x8xf32> -> tensor<1x4x8xf32>
  return
}

// -----

// attn_reduce_c4
func.func @negative_reduce_heads_kept(%x: tensor<1x2x4x8xf32>) {
  // expected-error@below {{'output' must be 'tensor<1x4x8xf32>', got 'tensor<1x2x8xf32>'}}
  %o = attn.reduce sum %x over(heads) : tensor<1x2x4x8xf32> -> tensor<1x2x8xf32>
  return
}

// -----

// attn_reduce_c4
func.func @negative_reduce_width_of_rows(%x: tensor<1x2x4x8xf32>) {
  // expected-error@below {{'output' must be 'tensor<1x2x1xf32>', got 'tensor<1x2x8xf32>'}}
  %o = attn.reduce sum %x over(tokens) rows (%r: tensor<8xf32>, %b, %h, %n) {
    %s = attn.reduce_row sum %r : tensor<8xf32>
    %y = tensor.splat %s : tensor<1xf32>
    attn.yield %y : tensor<1xf32>
  } : tensor<1x2x4x8xf32> -> tensor<1x2x8xf32>
  return
}

// -----

// Regions of attn.reduce hold what those of attn.map_rows do.
// regions_c1
func.func @negative_reduce_region_arguments(%x: tensor<1x2x4x8xf32>) {
  // expected-error@below {{region 'rows' takes 4 arguments, got 3}}
  %o = attn.reduce sum %x over(tokens) rows (%r: tensor<8xf32>, %b, %h) {
    attn.yield %r : tensor<8xf32>
  } : tensor<1x2x4x8xf32> -> tensor<1x2x8xf32>
  return
}

// -----

// regions_c14
func.func @negative_reduce_matrix_of_the_row(%x: tensor<1x2x4x8xf32>, %w: tensor<?x8x8xf32>) {
  %o = attn.reduce sum %x over(tokens) rows (%r: tensor<8xf32>, %b, %h, %n) {
    // expected-error@below {{in region 'rows' must take the same matrix for all rows of a head; its indices cannot depend on argument 3}}
    %y = attn.contract_row %r, %w[%n] : tensor<8xf32>, tensor<?x8x8xf32> -> tensor<8xf32>
    attn.yield %y : tensor<8xf32>
  } : tensor<1x2x4x8xf32> -> tensor<1x2x8xf32>
  return
}
