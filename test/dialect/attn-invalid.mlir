// RUN: attn-opt %s --split-input-file --verify-diagnostics

// Every rule of the ops of the attn dialect, broken once; the label before a
// function is that of the rule in docs/spec.md. Rules of regions:
// attn-invalid-regions.mlir; of ops over partial results:
// attn-invalid-partial.mlir.

// attend_c1
func.func @negative_attend_rank_3(%q: tensor<2x4x8xf32>, %k: tensor<2x4x8xf32>, %v: tensor<2x4x8xf32>) {
  // expected-error@below {{'query' must have rank 4 ([B, H, N, D]) to 6 ([B, H, X0, .., D]), got 'tensor<2x4x8xf32>'}}
  %o = attn.attend %q, %k, %v : tensor<2x4x8xf32>, tensor<2x4x8xf32>, tensor<2x4x8xf32> -> tensor<2x4x8xf32>
  return
}

// -----

// attend_c2
func.func @negative_attend_element_i32(%q: tensor<1x2x4x8xi32>, %k: tensor<1x2x4x8xi32>, %v: tensor<1x2x4x8xi32>) {
  // expected-error@below {{'query' must have element type f64, f32, f16 or bf16, got 'i32'}}
  %o = attn.attend %q, %k, %v : tensor<1x2x4x8xi32>, tensor<1x2x4x8xi32>, tensor<1x2x4x8xi32> -> tensor<1x2x4x8xi32>
  return
}

// -----

// attend_c2
func.func @negative_attend_mixed_elements(%q: tensor<1x2x4x8xf32>, %k: tensor<1x2x4x8xf16>, %v: tensor<1x2x4x8xf32>) {
  // expected-error@below {{'key' must have the element type of 'query', expected 'f32', got 'f16'}}
  %o = attn.attend %q, %k, %v : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf16>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// attend_c3
func.func @negative_attend_dynamic_features(%q: tensor<1x2x4x8xf32>, %k: tensor<1x2x4x8xf32>, %v: tensor<1x2x4x?xf32>) {
  // expected-error@below {{'value' must have a static number of features (its last dimension), got 'tensor<1x2x4x?xf32>'}}
  %o = attn.attend %q, %k, %v : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x?xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// attend_c3
func.func @negative_attend_no_features(%q: tensor<1x2x4x0xf32>, %k: tensor<1x2x4x0xf32>, %v: tensor<1x2x4x0xf32>) {
  // expected-error@below {{'query' must have a static number of features (its last dimension), got 'tensor<1x2x4x0xf32>'}}
  %o = attn.attend %q, %k, %v : tensor<1x2x4x0xf32>, tensor<1x2x4x0xf32>, tensor<1x2x4x0xf32> -> tensor<1x2x4x0xf32>
  return
}

// -----

// attend_c4
func.func @negative_attend_features_of_query_and_key(%q: tensor<1x2x4x8xf32>, %k: tensor<1x2x4x6xf32>, %v: tensor<1x2x4x8xf32>) {
  // expected-error@below {{'query' and 'key' rows must have the same number of features, got 8 and 6}}
  %o = attn.attend %q, %k, %v : tensor<1x2x4x8xf32>, tensor<1x2x4x6xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// attend_c4
func.func @negative_attend_features_of_mapped_rows(%q: tensor<1x2x4x8xf32>, %k: tensor<1x2x4x8xf32>, %v: tensor<1x2x4x8xf32>) {
  // expected-error@below {{'query' and 'key' rows must have the same number of features, got 4 and 8}}
  %o = attn.attend %q, %k, %v

      query (%x: tensor<8xf32>, %b, %h, %n) {
        %y = tensor.extract_slice %x[0] [4] [1] : tensor<8xf32> to tensor<4xf32>
        attn.yield %y : tensor<4xf32>
      }
      : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// attend_c5
func.func @negative_attend_batch_of_key(%q: tensor<2x2x4x8xf32>, %k: tensor<3x2x4x8xf32>, %v: tensor<1x2x4x8xf32>) {
  // expected-error@below {{'query' and 'key' must have the same batch size (dimension 0) or a static 1, got 2 and 3}}
  %o = attn.attend %q, %k, %v : tensor<2x2x4x8xf32>, tensor<3x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<2x2x4x8xf32>
  return
}

// -----

// attend_c5
func.func @negative_attend_batch_of_value(%q: tensor<2x2x4x8xf32>, %k: tensor<1x2x4x8xf32>, %v: tensor<3x2x4x8xf32>) {
  // expected-error@below {{'query' and 'value' must have the same batch size (dimension 0) or a static 1, got 2 and 3}}
  %o = attn.attend %q, %k, %v : tensor<2x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<3x2x4x8xf32> -> tensor<2x2x4x8xf32>
  return
}

// -----

// attend_c5
func.func @negative_attend_batch_of_key_and_value(%q: tensor<1x2x4x8xf32>, %k: tensor<2x2x4x8xf32>, %v: tensor<3x2x4x8xf32>) {
  // expected-error@below {{'key' and 'value' must have the same batch size (dimension 0) or a static 1, got 2 and 3}}
  %o = attn.attend %q, %k, %v : tensor<1x2x4x8xf32>, tensor<2x2x4x8xf32>, tensor<3x2x4x8xf32> -> tensor<2x2x4x8xf32>
  return
}

// -----

// attend_c8
func.func @negative_attend_output_of_shared_query(%q: tensor<1x2x4x8xf32>, %k: tensor<2x2x4x8xf32>) {
  // expected-error@below {{'output' must be 'tensor<2x2x4x8xf32>', got 'tensor<1x2x4x8xf32>'}}
  %o = attn.attend %q, %k, %k : tensor<1x2x4x8xf32>, tensor<2x2x4x8xf32>, tensor<2x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// attend_c6
func.func @negative_attend_heads_of_value(%q: tensor<1x2x4x8xf32>, %k: tensor<1x2x4x8xf32>, %v: tensor<1x1x4x8xf32>) {
  // expected-error@below {{'key' and 'value' must have the same number of heads (dimension 1), got 2 and 1}}
  %o = attn.attend %q, %k, %v : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x1x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// attend_c6
func.func @negative_attend_heads_not_multiple(%q: tensor<1x2x4x8xf32>, %k: tensor<1x3x4x8xf32>, %v: tensor<1x3x4x8xf32>) {
  // expected-error@below {{'query' must have a multiple of the heads of 'key', got 2 and 3}}
  %o = attn.attend %q, %k, %v : tensor<1x2x4x8xf32>, tensor<1x3x4x8xf32>, tensor<1x3x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// attend_c6
func.func @negative_attend_no_key_heads(%q: tensor<1x2x4x8xf32>, %k: tensor<1x0x4x8xf32>, %v: tensor<1x0x4x8xf32>) {
  // expected-error@below {{'query' must have a multiple of the heads of 'key', got 2 and 0}}
  %o = attn.attend %q, %k, %v : tensor<1x2x4x8xf32>, tensor<1x0x4x8xf32>, tensor<1x0x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// attend_c7
func.func @negative_attend_rows_of_value(%q: tensor<1x2x4x8xf32>, %k: tensor<1x2x4x8xf32>, %v: tensor<1x2x5x8xf32>) {
  // expected-error@below {{'key' and 'value' must have the same number of rows (dimension 2), got 4 and 5}}
  %o = attn.attend %q, %k, %v : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x5x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// attend_c8
func.func @negative_attend_output_shape(%q: tensor<1x2x4x8xf32>, %k: tensor<1x2x4x8xf32>, %v: tensor<1x2x4x8xf32>) {
  // expected-error@below {{'output' must be 'tensor<1x2x4x8xf32>', got 'tensor<1x2x4x6xf32>'}}
  %o = attn.attend %q, %k, %v : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x6xf32>
  return
}

// -----

// attend_c8
func.func @negative_attend_output_element(%q: tensor<1x2x4x8xf32>, %k: tensor<1x2x4x8xf32>, %v: tensor<1x2x4x8xf32>) {
  // expected-error@below {{'output' must be 'tensor<1x2x4x8xf32>', got 'tensor<1x2x4x8xf16>'}}
  %o = attn.attend %q, %k, %v : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf16>
  return
}

// -----

// attend_c9
func.func @negative_attend_lse_shape(%q: tensor<1x2x4x8xf32>, %k: tensor<1x2x4x8xf32>, %v: tensor<1x2x4x8xf32>) {
  // expected-error@below {{'lse' must be 'tensor<1x2x4xf32>', got 'tensor<1x2x3xf32>'}}
  %o, %l = attn.attend %q, %k, %v : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>, tensor<1x2x3xf32>
  return
}

// -----

// attend_c9
func.func @negative_attend_lse_element(%q: tensor<1x2x4x8xbf16>, %k: tensor<1x2x4x8xbf16>, %v: tensor<1x2x4x8xbf16>) {
  // expected-error@below {{'lse' must be 'tensor<1x2x4xf32>', got 'tensor<1x2x4xbf16>'}}
  %o, %l = attn.attend %q, %k, %v : tensor<1x2x4x8xbf16>, tensor<1x2x4x8xbf16>, tensor<1x2x4x8xbf16> -> tensor<1x2x4x8xbf16>, tensor<1x2x4xbf16>
  return
}

// -----

// attend_c10
func.func @negative_attend_scale_infinite(%q: tensor<1x2x4x8xf32>, %k: tensor<1x2x4x8xf32>, %v: tensor<1x2x4x8xf32>) {
  // expected-error@below {{'scale' must be finite, got 0x7FF0000000000000 : f64}}
  %o = attn.attend %q, %k, %v scale(0x7FF0000000000000) : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// attend_c10
func.func @negative_attend_scale_nan(%q: tensor<1x2x4x8xf32>, %k: tensor<1x2x4x8xf32>, %v: tensor<1x2x4x8xf32>) {
  // expected-error@below {{'scale' must be finite, got 0x7FF8000000000000 : f64}}
  %o = attn.attend %q, %k, %v scale(0x7FF8000000000000) : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// attend_c11
func.func @negative_attend_no_alignment_static(%q: tensor<1x2x4x8xf32>, %k: tensor<1x2x6x8xf32>, %v: tensor<1x2x6x8xf32>) {
  // expected-error@below {{needs 'alignment(start)' or 'alignment(end)': its regions use %i and %j, and 'query' and 'key' have different numbers of rows, 4 and 6}}
  %o = attn.attend %q, %k, %v

      mask (%b, %h, %i, %j) {
        %keep = arith.cmpi sge, %i, %j : index
        attn.yield %keep : i1
      }
      : tensor<1x2x4x8xf32>, tensor<1x2x6x8xf32>, tensor<1x2x6x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// attend_c11
func.func @negative_attend_no_alignment_names(
    %q: tensor<1x2x?x8xf32> {attn.dims = ["B", "H", "Nq", "D"]},
    %k: tensor<1x2x?x8xf32> {attn.dims = ["B", "H", "Nk", "D"]}) {
  // expected-error@below {{needs 'alignment(start)' or 'alignment(end)': its regions use %i and %j, and 'query' and 'key' have different numbers of rows, "Nq" and "Nk"}}
  %o = attn.attend %q, %k, %k
      mask (%b, %h, %i, %j) {
        %keep = arith.cmpi sge, %i, %j : index
        attn.yield %keep : i1
      }
      : tensor<1x2x?x8xf32>, tensor<1x2x?x8xf32>, tensor<1x2x?x8xf32> -> tensor<1x2x?x8xf32>
  return
}

// -----

// schedule_c1
func.func @negative_schedule_zero(%q: tensor<1x2x4x8xf32>) {
  // expected-error@below {{schedule 'block_k' must be between 1 and 4096, got 0}}
  %o = attn.attend %q, %q, %q schedule(<block_q = 16, block_k = 0>) : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// schedule_c1
func.func @negative_schedule_too_large(%q: tensor<1x2x4x8xf32>) {
  // expected-error@below {{schedule 'block_q' must be between 1 and 4096, got 4097}}
  %o = attn.attend %q, %q, %q schedule(<block_q = 4097, block_k = 16>) : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// schedule_c2
func.func @negative_schedule_too_many_splits(%q: tensor<1x2x4x8xf32>) {
  // expected-error@below {{schedule 'splits' must be between 0 and 64, got 65}}
  %o = attn.attend %q, %q, %q schedule(<block_q = 16, block_k = 16, splits = 65>) : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// schedule_c2
func.func @negative_schedule_splits_below_zero(%q: tensor<1x2x4x8xf32>) {
  // expected-error@below {{schedule 'splits' must be between 0 and 64, got -1}}
  %o = attn.attend %q, %q, %q schedule(<block_q = 16, block_k = 16, splits = -1>) : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// schedule_c7
func.func @negative_schedule_three_warps(%q: tensor<1x2x4x8xf32>) {
  // expected-error@below {{schedule 'warps' must be 4 or 8, or 0 for what the target has, got 3}}
  %o = attn.attend %q, %q, %q schedule(<block_q = 16, block_k = 16, warps = 3>) : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// schedule_c8
func.func @negative_schedule_too_many_stages(%q: tensor<1x2x4x8xf32>) {
  // expected-error@below {{schedule 'stages' must be between 0 and 8, got 9}}
  %o = attn.attend %q, %q, %q schedule(<block_q = 16, block_k = 16, stages = 9>) : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// schedule_c9
func.func @negative_schedule_overlaps_twice(%q: tensor<1x2x4x8xf32>) {
  // expected-error@below {{schedule 'overlap' must be 0 or 1, got 2}}
  %o = attn.attend %q, %q, %q schedule(<block_q = 16, block_k = 16, overlap = 2>) : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// schedule_c10
func.func @negative_schedule_too_many_resident(%q: tensor<1x2x4x8xf32>) {
  // expected-error@below {{schedule 'resident' must be between 0 and 8, got 9}}
  %o = attn.attend %q, %q, %q schedule(<block_q = 16, block_k = 16, resident = 9>) : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// attend_c14
func.func @negative_attend_more_queries_than_promised(%q: tensor<1x2x4x8xf32>) {
  // expected-error@below {{'max_queries' must be positive and at least the number of queries, got 3 for 'tensor<1x2x4x8xf32>'}}
  %o = attn.attend %q, %q, %q max_queries(3) : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// attend_c14
func.func @negative_attend_max_queries_zero(%q: tensor<1x2x?x8xf32>) {
  // expected-error@below {{'max_queries' must be positive and at least the number of queries, got 0 for 'tensor<1x2x?x8xf32>'}}
  %o = attn.attend %q, %q, %q max_queries(0) : tensor<1x2x?x8xf32>, tensor<1x2x?x8xf32>, tensor<1x2x?x8xf32> -> tensor<1x2x?x8xf32>
  return
}

// -----

// map_rows_c1
func.func @negative_map_rows_rank_3(%q: tensor<2x4x8xf32>) {
  // expected-error@below {{'input' must have rank 4 ([B, H, N, D]) to 6 ([B, H, X0, .., D]), got 'tensor<2x4x8xf32>'}}
  %y = attn.map_rows %q rows (%x: tensor<8xf32>, %b, %h, %n) {
    attn.yield %x : tensor<8xf32>
  } : tensor<2x4x8xf32> -> tensor<2x4x8xf32>
  return
}

// -----

// map_rows_c2
func.func @negative_map_rows_element_i8(%q: tensor<1x2x4x8xi8>) {
  // expected-error@below {{'input' must have element type f64, f32, f16 or bf16, got 'i8'}}
  %y = attn.map_rows %q rows (%x: tensor<8xf32>, %b, %h, %n) {
    attn.yield %x : tensor<8xf32>
  } : tensor<1x2x4x8xi8> -> tensor<1x2x4x8xi8>
  return
}

// -----

// map_rows_c3
func.func @negative_map_rows_dynamic_features(%q: tensor<1x2x4x?xf32>) {
  // expected-error@below {{'input' must have a static number of features (its last dimension), got 'tensor<1x2x4x?xf32>'}}
  %y = attn.map_rows %q rows (%x: tensor<8xf32>, %b, %h, %n) {
    attn.yield %x : tensor<8xf32>
  } : tensor<1x2x4x?xf32> -> tensor<1x2x4x?xf32>
  return
}

// -----

// map_rows_c4
func.func @negative_map_rows_no_region(%q: tensor<1x2x4x8xf32>) {
  // expected-error@below {{region 'rows' must not be empty}}
  %y = "attn.map_rows"(%q) ({}) : (tensor<1x2x4x8xf32>) -> tensor<1x2x4x8xf32>
  return
}

// -----

// map_rows_c5
func.func @negative_map_rows_output_features(%q: tensor<1x2x4x8xf32>) {
  // expected-error@below {{'output' must be 'tensor<1x2x4x8xf32>', got 'tensor<1x2x4x4xf32>'}}
  %y = attn.map_rows %q rows (%x: tensor<8xf32>, %b, %h, %n) {
    attn.yield %x : tensor<8xf32>
  } : tensor<1x2x4x8xf32> -> tensor<1x2x4x4xf32>
  return
}

// -----

// map_rows_c5
func.func @negative_map_rows_output_element(%q: tensor<1x2x4x8xf32>) {
  // expected-error@below {{'output' must be 'tensor<1x2x4x8xf32>', got 'tensor<1x2x4x8xf64>'}}
  %y = attn.map_rows %q rows (%x: tensor<8xf32>, %b, %h, %n) {
    attn.yield %x : tensor<8xf32>
  } : tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf64>
  return
}

// -----

// reduce_row_c1
func.func @negative_reduce_row_rank_2(%x: tensor<4x8xf32>) {
  // expected-error@below {{'vector' must have rank 1 and a static size, got 'tensor<4x8xf32>'}}
  %s = attn.reduce_row sum %x : tensor<4x8xf32>
  return
}

// -----

// reduce_row_c1
func.func @negative_reduce_row_dynamic(%x: tensor<?xf32>) {
  // expected-error@below {{'vector' must have rank 1 and a static size, got 'tensor<?xf32>'}}
  %s = attn.reduce_row max %x : tensor<?xf32>
  return
}

// -----

// reduce_row_c2
func.func @negative_reduce_row_outside(%x: tensor<8xf32>) {
  // expected-error@below {{must stand in a row region of an attn op}}
  %s = attn.reduce_row sum %x : tensor<8xf32>
  return
}

// -----

// attend_c12
func.func @negative_attend_lse_of_sum(%q: tensor<1x2x4x8xf32>) {
  // expected-error@below {{result 'lse' needs 'normalizer(softmax)', got 'sum'}}
  %o, %lse = attn.attend %q, %q, %q normalizer(sum)
      : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>, tensor<1x2x4xf32>
  return
}

// -----

// attend_c13
func.func @negative_attend_sink_of_none(%q: tensor<1x2x4x8xf32>) {
  // expected-error@below {{region 'sink' needs 'normalizer(softmax)', got 'none'}}
  %o = attn.attend %q, %q, %q normalizer(none)
      sink (%b, %h, %i) {
        %zero = arith.constant 0.0 : f32
        attn.yield %zero : f32
      } : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// A prob region that uses both positions counts like a mask.
// attend_c11
func.func @negative_attend_prob_without_alignment(%q: tensor<1x2x4x8xf32>, %k: tensor<1x2x6x8xf32>) {
  // expected-error@below {{needs 'alignment(start)' or 'alignment(end)': its regions use %i and %j, and 'query' and 'key' have different numbers of rows, 4 and 6}}
  %o = attn.attend %q, %k, %k
      prob (%p: f32, %b, %h, %i, %j) {
        %same = arith.cmpi eq, %i, %j : index
        %zero = arith.constant 0.0 : f32
        %w = arith.select %same, %p, %zero : f32
        attn.yield %w : f32
      } : tensor<1x2x4x8xf32>, tensor<1x2x6x8xf32>, tensor<1x2x6x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// random_c1
func.func @negative_random_no_counter(%q: tensor<1x2x4x8xf32>, %seed: i64) {
  %o = attn.attend %q, %q, %q
      prob (%p: f32, %b, %h, %i, %j) {
        // expected-error@below {{'counter' must have 1 to 4 words, got 0}}
        %u = attn.random %seed at() : f32
        attn.yield %u : f32
      } : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// random_c1
func.func @negative_random_five_words(%q: tensor<1x2x4x8xf32>, %seed: i64) {
  %o = attn.attend %q, %q, %q
      prob (%p: f32, %b, %h, %i, %j) {
        // expected-error@below {{'counter' must have 1 to 4 words, got 5}}
        %u = attn.random %seed at(%b, %h, %i, %j, %j) : f32
        attn.yield %u : f32
      } : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// random_c2
func.func @negative_random_outside(%seed: i64, %i: index) {
  // expected-error@below {{must stand in a pair region of an attn op}}
  %u = attn.random %seed at(%i) : f32
  return
}

// -----

// merge_c1
func.func @negative_merge_output_of_integers(%outs: tensor<2x1x3x4x8xf32>, %lses: tensor<2x1x3x4xf32>) {
  // expected-error@below {{'output' must have element type f64, f32, f16 or bf16, got 'i32'}}
  %o = attn.merge %outs, %lses : tensor<2x1x3x4x8xf32>, tensor<2x1x3x4xf32> -> tensor<1x3x4x8xi32>
  return
}

// -----

// merge_c2
func.func @negative_merge_outputs_of_other_type(%outs: tensor<2x1x3x4x8xf16>, %lses: tensor<2x1x3x4xf32>) {
  // expected-error@below {{'outputs' must have element type 'f32' or 'bf16', got 'f16'}}
  %o = attn.merge %outs, %lses : tensor<2x1x3x4x8xf16>, tensor<2x1x3x4xf32> -> tensor<1x3x4x8xbf16>
  return
}

// -----

// merge_c3
func.func @negative_merge_outputs_rank_4(%outs: tensor<2x3x4x8xf32>, %lses: tensor<2x1x3x4xf32>) {
  // expected-error@below {{'outputs' must have rank 5 ([S, B, H, N, D]) and a static number of sets, got 'tensor<2x3x4x8xf32>'}}
  %o = attn.merge %outs, %lses : tensor<2x3x4x8xf32>, tensor<2x1x3x4xf32> -> tensor<1x3x4x8xf32>
  return
}

// -----

// merge_c3
func.func @negative_merge_number_of_sets_dynamic(%outs: tensor<?x1x3x4x8xf32>, %lses: tensor<2x1x3x4xf32>) {
  // expected-error@below {{'outputs' must have rank 5 ([S, B, H, N, D]) and a static number of sets, got 'tensor<?x1x3x4x8xf32>'}}
  %o = attn.merge %outs, %lses : tensor<?x1x3x4x8xf32>, tensor<2x1x3x4xf32> -> tensor<1x3x4x8xf32>
  return
}

// -----

// merge_c3
func.func @negative_merge_no_set(%outs: tensor<0x1x3x4x8xf32>, %lses: tensor<0x1x3x4xf32>) {
  // expected-error@below {{'outputs' must have rank 5 ([S, B, H, N, D]) and a static number of sets, got 'tensor<0x1x3x4x8xf32>'}}
  %o = attn.merge %outs, %lses : tensor<0x1x3x4x8xf32>, tensor<0x1x3x4xf32> -> tensor<1x3x4x8xf32>
  return
}

// -----

// merge_c4
func.func @negative_merge_lses_of_other_sets(%outs: tensor<2x1x3x4x8xf32>, %lses: tensor<3x1x3x4xf32>) {
  // expected-error@below {{'lses' must be 'tensor<2x1x3x4xf32>', got 'tensor<3x1x3x4xf32>'}}
  %o = attn.merge %outs, %lses : tensor<2x1x3x4x8xf32>, tensor<3x1x3x4xf32> -> tensor<1x3x4x8xf32>
  return
}

// -----

// merge_c4
func.func @negative_merge_lses_of_storage_type(%outs: tensor<2x1x3x4x8xbf16>, %lses: tensor<2x1x3x4xbf16>) {
  // expected-error@below {{'lses' must be 'tensor<2x1x3x4xf32>', got 'tensor<2x1x3x4xbf16>'}}
  %o = attn.merge %outs, %lses : tensor<2x1x3x4x8xbf16>, tensor<2x1x3x4xbf16> -> tensor<1x3x4x8xbf16>
  return
}

// -----

// merge_c5
func.func @negative_merge_output_of_other_rows(%outs: tensor<2x1x3x4x8xf32>, %lses: tensor<2x1x3x4xf32>) {
  // expected-error@below {{'output' must be 'tensor<1x3x4x8xf32>', got 'tensor<1x3x5x8xf32>'}}
  %o = attn.merge %outs, %lses : tensor<2x1x3x4x8xf32>, tensor<2x1x3x4xf32> -> tensor<1x3x5x8xf32>
  return
}

// -----

// merge_c6
func.func @negative_merge_lse_of_other_heads(%outs: tensor<2x1x3x4x8xf32>, %lses: tensor<2x1x3x4xf32>) {
  // expected-error@below {{'lse' must be 'tensor<1x3x4xf32>', got 'tensor<1x2x4xf32>'}}
  %o, %lse = attn.merge %outs, %lses : tensor<2x1x3x4x8xf32>, tensor<2x1x3x4xf32> -> tensor<1x3x4x8xf32>, tensor<1x2x4xf32>
  return
}

// -----

// contract_row_c1
func.func @negative_contract_row_vector_rank(%q: tensor<1x2x4x8xf32>, %v: tensor<1x8xf32>, %w: tensor<8x8xf32>) {
  %y = attn.map_rows %q rows (%x: tensor<8xf32>, %b, %h, %n) {
    // expected-error@below {{'vector' must have rank 1, a static size and element type f32 or f64, got 'tensor<1x8xf32>'}}
    %z = attn.contract_row %v, %w[] : tensor<1x8xf32>, tensor<8x8xf32> -> tensor<8xf32>
    attn.yield %x : tensor<8xf32>
  } : tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// contract_row_c1
func.func @negative_contract_row_vector_integers(%q: tensor<1x2x4x8xf32>, %v: tensor<8xi32>, %w: tensor<8x8xi32>) {
  %y = attn.map_rows %q rows (%x: tensor<8xf32>, %b, %h, %n) {
    // expected-error@below {{'vector' must have rank 1, a static size and element type f32 or f64, got 'tensor<8xi32>'}}
    %z = attn.contract_row %v, %w[] : tensor<8xi32>, tensor<8x8xi32> -> tensor<8xi32>
    attn.yield %x : tensor<8xf32>
  } : tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// contract_row_c2
func.func @negative_contract_row_indices(%q: tensor<1x2x4x8xf32>, %w: tensor<?x8x8xf32>) {
  %y = attn.map_rows %q rows (%x: tensor<8xf32>, %b, %h, %n) {
    // expected-error@below {{'matrix' must have two dimensions more than there are indices, expected rank 4, got 'tensor<?x8x8xf32>'}}
    %z = attn.contract_row %x, %w[%b, %h] : tensor<8xf32>, tensor<?x8x8xf32> -> tensor<8xf32>
    attn.yield %x : tensor<8xf32>
  } : tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// contract_row_c2
func.func @negative_contract_row_dynamic_matrix(%q: tensor<1x2x4x8xf32>, %w: tensor<8x?xf32>) {
  %y = attn.map_rows %q rows (%x: tensor<8xf32>, %b, %h, %n) {
    // expected-error@below {{'matrix' must have static sizes of at least 1 in its last two dimensions, got 'tensor<8x?xf32>'}}
    %z = attn.contract_row %x, %w[] : tensor<8xf32>, tensor<8x?xf32> -> tensor<8xf32>
    attn.yield %x : tensor<8xf32>
  } : tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// contract_row_c3
func.func @negative_contract_row_matrix_f64(%q: tensor<1x2x4x8xf32>, %w: tensor<8x8xf64>) {
  %y = attn.map_rows %q rows (%x: tensor<8xf32>, %b, %h, %n) {
    // expected-error@below {{'matrix' must have an element type that is accumulated in 'f32', got 'f64'}}
    %z = attn.contract_row %x, %w[] : tensor<8xf32>, tensor<8x8xf64> -> tensor<8xf32>
    attn.yield %x : tensor<8xf32>
  } : tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// contract_row_c4
func.func @negative_contract_row_features(%q: tensor<1x2x4x8xf32>, %w: tensor<4x8xf32>) {
  %y = attn.map_rows %q rows (%x: tensor<8xf32>, %b, %h, %n) {
    // expected-error@below {{'vector' must have the 4 rows of 'matrix', got 'tensor<8xf32>'}}
    %z = attn.contract_row %x, %w[] : tensor<8xf32>, tensor<4x8xf32> -> tensor<8xf32>
    attn.yield %x : tensor<8xf32>
  } : tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// contract_row_c5
func.func @negative_contract_row_result(%q: tensor<1x2x4x8xf32>, %w: tensor<8x4xf32>) {
  %y = attn.map_rows %q rows (%x: tensor<8xf32>, %b, %h, %n) {
    // expected-error@below {{'result' must be 'tensor<4xf32>', got 'tensor<8xf32>'}}
    %z = attn.contract_row %x, %w[] : tensor<8xf32>, tensor<8x4xf32> -> tensor<8xf32>
    attn.yield %x : tensor<8xf32>
  } : tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// contract_row_c6
func.func @negative_contract_row_alone(%x: tensor<8xf32>, %w: tensor<8x4xf32>) {
  // expected-error@below {{must stand in a row region of an attn op}}
  %z = attn.contract_row %x, %w[] : tensor<8xf32>, tensor<8x4xf32> -> tensor<4xf32>
  return
}

// -----

// attend_c15
func.func @negative_attend_mix_scores_shape(%q: tensor<1x2x4x8xf32>, %w: tensor<2x3xf32>) {
  // expected-error@below {{'mix_scores' must be a matrix of 2 x 2 (heads of 'query'), got 'tensor<2x3xf32>'}}
  %o = attn.attend %q, %q, %q mix_scores(%w : tensor<2x3xf32>) : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// attend_c15
func.func @negative_attend_mix_weights_dynamic_heads(%q: tensor<1x2x4x8xf32>, %k: tensor<1x?x4x8xf32>, %u: tensor<2x2xf32>) {
  // expected-error@below {{'mix_weights' needs a static number of heads in 'key', got 'tensor<1x?x4x8xf32>'}}
  %o = attn.attend %q, %k, %k mix_weights(%u : tensor<2x2xf32>) : tensor<1x2x4x8xf32>, tensor<1x?x4x8xf32>, tensor<1x?x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// attend_c16
func.func @negative_attend_mix_scores_f64(%q: tensor<1x2x4x8xf32>, %w: tensor<2x2xf64>) {
  // expected-error@below {{'mix_scores' must have an element type that is accumulated in 'f32', got 'f64'}}
  %o = attn.attend %q, %q, %q mix_scores(%w : tensor<2x2xf64>) : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// attend_c17
func.func @negative_attend_mix_weights_prob(%q: tensor<1x2x4x8xf32>, %u: tensor<2x2xf32>) {
  // expected-error@below {{cannot have 'mix_weights' and a region 'prob': which of them comes first is not defined}}
  %o = attn.attend %q, %q, %q mix_weights(%u : tensor<2x2xf32>)
      prob (%p: f32, %b, %h, %i, %j) {
        attn.yield %p : f32
      } : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}
