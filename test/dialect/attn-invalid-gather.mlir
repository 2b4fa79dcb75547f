// RUN: attn-opt %s --split-input-file --verify-diagnostics

// Each function breaks one rule of attn.gather.

// attn_gather_c1
func.func @negative_source_rank(%x: tensor<?x?x8xf32>, %t: tensor<?x?xi32>) {
  // expected-error@below {{'source' must have rank 4 ([P, S, H, D]), got 'tensor<?x?x8xf32>'}}
  %y = attn.gather %x at(%t) : tensor<?x?x8xf32>, tensor<?x?xi32> -> tensor<?x?x?x8xf32>
  return
}

// -----

// attn_gather_c2
func.func @negative_source_integers(%x: tensor<?x16x?x8xi32>, %t: tensor<?x?xi32>) {
  // expected-error@below {{'source' must have element type f64, f32, f16 or bf16, got 'i32'}}
  %y = attn.gather %x at(%t) : tensor<?x16x?x8xi32>, tensor<?x?xi32> -> tensor<?x?x?x8xi32>
  return
}

// -----

// attn_gather_c2
func.func @negative_source_dynamic_features(%x: tensor<?x16x?x?xf32>, %t: tensor<?x?xi32>) {
  // expected-error@below {{'source' must have a static number of features (its last dimension), got 'tensor<?x16x?x?xf32>'}}
  %y = attn.gather %x at(%t) : tensor<?x16x?x?xf32>, tensor<?x?xi32> -> tensor<?x?x?x?xf32>
  return
}

// -----

// attn_gather_c3
func.func @negative_page_size_dynamic(%x: tensor<?x?x?x8xf32>, %t: tensor<?x?xi32>) {
  // expected-error@below {{'source' must have a static number of tokens in a page (dimension 1), got 'tensor<?x?x?x8xf32>'}}
  %y = attn.gather %x at(%t) : tensor<?x?x?x8xf32>, tensor<?x?xi32> -> tensor<?x?x?x8xf32>
  return
}

// -----

// attn_gather_c3
func.func @negative_page_size_zero(%x: tensor<?x0x?x8xf32>, %t: tensor<?x?xi32>) {
  // expected-error@below {{'source' must have a static number of tokens in a page (dimension 1), got 'tensor<?x0x?x8xf32>'}}
  %y = attn.gather %x at(%t) : tensor<?x0x?x8xf32>, tensor<?x?xi32> -> tensor<?x?x?x8xf32>
  return
}

// -----

// attn_gather_c4
func.func @negative_table_rank(%x: tensor<?x16x?x8xf32>, %t: tensor<?xi32>) {
  // expected-error@below {{'table' must have rank 2 ([B, M]) and integers of more than one bit, got 'tensor<?xi32>'}}
  %y = attn.gather %x at(%t) : tensor<?x16x?x8xf32>, tensor<?xi32> -> tensor<?x?x?x8xf32>
  return
}

// -----

// attn_gather_c4
func.func @negative_table_floats(%x: tensor<?x16x?x8xf32>, %t: tensor<?x?xf32>) {
  // expected-error@below {{'table' must have rank 2 ([B, M]) and integers of more than one bit, got 'tensor<?x?xf32>'}}
  %y = attn.gather %x at(%t) : tensor<?x16x?x8xf32>, tensor<?x?xf32> -> tensor<?x?x?x8xf32>
  return
}

// -----

// attn_gather_c5
func.func @negative_output_rows(%x: tensor<?x16x?x8xf32>, %t: tensor<?x3xi32>) {
  // expected-error@below {{'output' must be 'tensor<?x?x48x8xf32>', got 'tensor<?x?x47x8xf32>'}}
  %y = attn.gather %x at(%t) : tensor<?x16x?x8xf32>, tensor<?x3xi32> -> tensor<?x?x47x8xf32>
  return
}

// -----

// attn_gather_c5
func.func @negative_output_type(%x: tensor<?x16x?x8xbf16>, %t: tensor<?x3xi32>) {
  // expected-error@below {{'output' must be 'tensor<?x?x48x8xbf16>', got 'tensor<?x?x48x8xf32>'}}
  %y = attn.gather %x at(%t) : tensor<?x16x?x8xbf16>, tensor<?x3xi32> -> tensor<?x?x48x8xf32>
  return
}
