// RUN: attn-opt %s --split-input-file --verify-diagnostics

// Every rule about grids of tokens and boxes, broken once; the label before a
// function is that of the rule in docs/spec.md.

// attend_c1
func.func @negative_grid_of_four_axes(%q: tensor<1x2x4x4x4x4x8xf32>) {
  // expected-error@below {{'query' must have rank 4 ([B, H, N, D]) to 6 ([B, H, X0, .., D]), got 'tensor<1x2x4x4x4x4x8xf32>'}}
  %o = attn.attend %q, %q, %q : tensor<1x2x4x4x4x4x8xf32>, tensor<1x2x4x4x4x4x8xf32>, tensor<1x2x4x4x4x4x8xf32> -> tensor<1x2x4x4x4x4x8xf32>
  return
}

// -----

// attend_c7
func.func @negative_grid_value_rows(%q: tensor<1x2x4x4x8xf32>, %v: tensor<1x2x4x5x8xf32>) {
  // expected-error@below {{'key' and 'value' must have the same number of rows (dimension 3), got 4 and 5}}
  %o = attn.attend %q, %q, %v : tensor<1x2x4x4x8xf32>, tensor<1x2x4x4x8xf32>, tensor<1x2x4x5x8xf32> -> tensor<1x2x4x4x8xf32>
  return
}

// -----

// attend_c8
func.func @negative_grid_output(%q: tensor<1x2x4x5x8xf32>) {
  // expected-error@below {{'output' must be 'tensor<1x2x4x5x8xf32>', got 'tensor<1x2x5x4x8xf32>'}}
  %o = attn.attend %q, %q, %q : tensor<1x2x4x5x8xf32>, tensor<1x2x4x5x8xf32>, tensor<1x2x4x5x8xf32> -> tensor<1x2x5x4x8xf32>
  return
}

// -----

// attend_c9
func.func @negative_grid_lse(%q: tensor<1x2x4x4x8xf32>) {
  // expected-error@below {{'lse' must be 'tensor<1x2x4x4xf32>', got 'tensor<1x2x4xf32>'}}
  %o, %l = attn.attend %q, %q, %q : tensor<1x2x4x4x8xf32>, tensor<1x2x4x4x8xf32>, tensor<1x2x4x4x8xf32> -> tensor<1x2x4x4x8xf32>, tensor<1x2x4xf32>
  return
}

// -----

// attend_c11
func.func @negative_grid_alignment(%q: tensor<1x2x4x4x8xf32>, %k: tensor<1x2x4x5x8xf32>) {
  // expected-error@below {{needs 'alignment(start)': its regions use indices of both, and 'query' and 'key' have different numbers of rows, 4 and 5}}
  %o = attn.attend %q, %k, %k
      mask (%b, %h, %iy, %ix, %jy, %jx) {
        %keep = arith.cmpi sge, %iy, %jy : index
        attn.yield %keep : i1
      } : tensor<1x2x4x4x8xf32>, tensor<1x2x4x5x8xf32>, tensor<1x2x4x5x8xf32> -> tensor<1x2x4x4x8xf32>
  return
}

// -----

// attend_c23
func.func @negative_ranks_differ(%q: tensor<1x2x4x4x8xf32>, %k: tensor<1x2x16x8xf32>) {
  // expected-error@below {{'key' must have the rank of 'query', expected 5, got 4}}
  %o = attn.attend %q, %k, %k : tensor<1x2x4x4x8xf32>, tensor<1x2x16x8xf32>, tensor<1x2x16x8xf32> -> tensor<1x2x4x4x8xf32>
  return
}

// -----

// attend_c24
func.func @negative_grid_alignment_end(%q: tensor<1x2x4x4x8xf32>) {
  // expected-error@below {{'alignment(end)' needs one axis of tokens, got 2}}
  %o = attn.attend %q, %q, %q alignment(end) : tensor<1x2x4x4x8xf32>, tensor<1x2x4x4x8xf32>, tensor<1x2x4x4x8xf32> -> tensor<1x2x4x4x8xf32>
  return
}

// -----

// attend_c24
func.func @negative_grid_max_queries(%q: tensor<1x2x4x4x8xf32>) {
  // expected-error@below {{'max_queries' needs one axis of tokens, got 2}}
  %o = attn.attend %q, %q, %q max_queries(16) : tensor<1x2x4x4x8xf32>, tensor<1x2x4x4x8xf32>, tensor<1x2x4x4x8xf32> -> tensor<1x2x4x4x8xf32>
  return
}

// -----

// attend_c24
func.func @negative_grid_mix_scores(%q: tensor<1x2x4x4x8xf32>, %w: tensor<2x2xf32>) {
  // expected-error@below {{'mix_scores' needs one axis of tokens, got 2}}
  %o = attn.attend %q, %q, %q mix_scores(%w : tensor<2x2xf32>) : tensor<1x2x4x4x8xf32>, tensor<1x2x4x4x8xf32>, tensor<1x2x4x4x8xf32> -> tensor<1x2x4x4x8xf32>
  return
}

// -----

// attend_c24
func.func @negative_grid_mix_weights(%q: tensor<1x2x4x4x8xf32>, %w: tensor<2x2xf32>) {
  // expected-error@below {{'mix_weights' needs one axis of tokens, got 2}}
  %o = attn.attend %q, %q, %q mix_weights(%w : tensor<2x2xf32>) : tensor<1x2x4x4x8xf32>, tensor<1x2x4x4x8xf32>, tensor<1x2x4x4x8xf32> -> tensor<1x2x4x4x8xf32>
  return
}

// -----

// attend_c24
func.func @negative_grid_splits(%q: tensor<1x2x4x4x8xf32>) {
  // expected-error@below {{'splits' needs one axis of tokens, got 2}}
  %o = attn.attend %q, %q, %q schedule(<block_q = 16, block_k = 16, splits = 2>) : tensor<1x2x4x4x8xf32>, tensor<1x2x4x4x8xf32>, tensor<1x2x4x4x8xf32> -> tensor<1x2x4x4x8xf32>
  return
}

// -----

// attend_c24
func.func @negative_grid_keys(%q: tensor<1x2x4x4x8xf32>) {
  // expected-error@below {{region 'keys' needs one axis of tokens, got 2}}
  %o = attn.attend %q, %q, %q
      keys (%b, %h, %first, %last) {
        attn.yield %first, %last, %first, %first : index, index, index, index
      } : tensor<1x2x4x4x8xf32>, tensor<1x2x4x4x8xf32>, tensor<1x2x4x4x8xf32> -> tensor<1x2x4x4x8xf32>
  return
}

// -----

// attend_c25
func.func @negative_boxes_of_one_axis(%q: tensor<1x2x4x4x8xf32>) {
  // expected-error@below {{'schedule' must have boxes with a size for each of the 2 axes of tokens, got 1}}
  %o = attn.attend %q, %q, %q schedule(<block_q = 16, block_k = 16, box_q = [16], box_k = [16]>) : tensor<1x2x4x4x8xf32>, tensor<1x2x4x4x8xf32>, tensor<1x2x4x4x8xf32> -> tensor<1x2x4x4x8xf32>
  return
}

// -----

// regions_c1
func.func @negative_grid_mask_arguments(%q: tensor<1x2x4x4x8xf32>) {
  // expected-error@below {{region 'mask' takes 6 arguments, got 4}}
  %o = attn.attend %q, %q, %q
      mask (%b, %h, %i, %j) {
        %keep = arith.cmpi sge, %i, %j : index
        attn.yield %keep : i1
      } : tensor<1x2x4x4x8xf32>, tensor<1x2x4x4x8xf32>, tensor<1x2x4x4x8xf32> -> tensor<1x2x4x4x8xf32>
  return
}

// -----

// regions_c14
func.func @negative_grid_matrix_of_row(%x: tensor<1x2x4x4x8xf32>, %w: tensor<4x8x8xf32>) {
  %y = attn.map_rows %x rows (%r: tensor<8xf32>, %b, %h, %iy, %ix) {
    // expected-error@below {{must take the same matrix for all rows of a head; its indices cannot depend on argument 3}}
    %z = attn.contract_row %r, %w[%iy] : tensor<8xf32>, tensor<4x8x8xf32> -> tensor<8xf32>
    attn.yield %z : tensor<8xf32>
  } : tensor<1x2x4x4x8xf32> -> tensor<1x2x4x4x8xf32>
  return
}

// -----

// schedule_c3
func.func @negative_box_of_queries_only(%q: tensor<1x2x4x4x8xf32>) {
  // expected-error@below {{schedule must have both 'box_q' and 'box_k' or neither, and as many sizes in them and in 'step', got [4, 4], nothing and nothing}}
  %o = attn.attend %q, %q, %q schedule(<block_q = 16, block_k = 16, box_q = [4, 4]>) : tensor<1x2x4x4x8xf32>, tensor<1x2x4x4x8xf32>, tensor<1x2x4x4x8xf32> -> tensor<1x2x4x4x8xf32>
  return
}

// -----

// schedule_c3
func.func @negative_box_ranks(%q: tensor<1x2x4x4x8xf32>) {
  // expected-error@below {{schedule must have both 'box_q' and 'box_k' or neither, and as many sizes in them and in 'step', got [4, 4], [16] and nothing}}
  %o = attn.attend %q, %q, %q schedule(<block_q = 16, block_k = 16, box_q = [4, 4], box_k = [16]>) : tensor<1x2x4x4x8xf32>, tensor<1x2x4x4x8xf32>, tensor<1x2x4x4x8xf32> -> tensor<1x2x4x4x8xf32>
  return
}

// -----

// schedule_c3
func.func @negative_step_without_boxes(%q: tensor<1x2x4x4x8xf32>) {
  // expected-error@below {{schedule must have both 'box_q' and 'box_k' or neither, and as many sizes in them and in 'step', got nothing, nothing and [1, 2]}}
  %o = attn.attend %q, %q, %q schedule(<block_q = 16, block_k = 16, step = [1, 2]>) : tensor<1x2x4x4x8xf32>, tensor<1x2x4x4x8xf32>, tensor<1x2x4x4x8xf32> -> tensor<1x2x4x4x8xf32>
  return
}

// -----

// schedule_c4
func.func @negative_box_product(%q: tensor<1x2x4x4x8xf32>) {
  // expected-error@below {{schedule 'box_q' must have 1 to 3 positive sizes whose product is the 16 of 'block_q', got [4, 5]}}
  %o = attn.attend %q, %q, %q schedule(<block_q = 16, block_k = 16, box_q = [4, 5], box_k = [4, 4]>) : tensor<1x2x4x4x8xf32>, tensor<1x2x4x4x8xf32>, tensor<1x2x4x4x8xf32> -> tensor<1x2x4x4x8xf32>
  return
}

// -----

// schedule_c4
func.func @negative_box_size(%q: tensor<1x2x4x4x8xf32>) {
  // expected-error@below {{schedule 'box_k' must have 1 to 3 positive sizes whose product is the 16 of 'block_k', got [-4, -4]}}
  %o = attn.attend %q, %q, %q schedule(<block_q = 16, block_k = 16, box_q = [4, 4], box_k = [-4, -4]>) : tensor<1x2x4x4x8xf32>, tensor<1x2x4x4x8xf32>, tensor<1x2x4x4x8xf32> -> tensor<1x2x4x4x8xf32>
  return
}

// -----

// schedule_c5
func.func @negative_step_zero(%q: tensor<1x2x4x4x8xf32>) {
  // expected-error@below {{schedule 'step' must be between 1 and 65536, got [1, 0]}}
  %o = attn.attend %q, %q, %q schedule(<block_q = 16, block_k = 16, box_q = [4, 4], box_k = [4, 4], step = [1, 0]>) : tensor<1x2x4x4x8xf32>, tensor<1x2x4x4x8xf32>, tensor<1x2x4x4x8xf32> -> tensor<1x2x4x4x8xf32>
  return
}

// -----

// schedule_c6
func.func @negative_boxes_with_splits(%q: tensor<1x2x4x4x8xf32>) {
  // expected-error@below {{schedule 'splits' must be 0 with boxes, got 2}}
  %o = attn.attend %q, %q, %q schedule(<block_q = 16, block_k = 16, splits = 2, box_q = [4, 4], box_k = [4, 4]>) : tensor<1x2x4x4x8xf32>, tensor<1x2x4x4x8xf32>, tensor<1x2x4x4x8xf32> -> tensor<1x2x4x4x8xf32>
  return
}

// -----

// partial_c10
func.func @negative_partial_one_index(%q: tensor<1x2x4x4x8xf32>, %i: index, %t: tensor<4xf32>, %l: tensor<4xf32>, %a: tensor<4x8xf32>) {
  // expected-error@below {{must have an index of its first query and its first key for each of the 2 axes of tokens, got 1 and 1}}
  %r:3 = attn.partial %q, %q, %q at(%i, %i, %i, %i) init(%t, %l, %a) width(16) box_q([2, 2]) box_k([4, 4]) scale(1.0) : tensor<1x2x4x4x8xf32>, tensor<1x2x4x4x8xf32>, tensor<1x2x4x4x8xf32> -> tensor<4xf32>, tensor<4xf32>, tensor<4x8xf32>
  return
}

// -----

// partial_c11
func.func @negative_partial_grid_without_boxes(%q: tensor<1x2x4x4x8xf32>, %i: index, %t: tensor<4xf32>, %l: tensor<4xf32>, %a: tensor<4x8xf32>) {
  // expected-error@below {{must have both 'box_q' and 'box_k' on a grid, and where there is a 'step'}}
  %r:3 = attn.partial %q, %q, %q at(%i, %i, [%i, %i], [%i, %i]) init(%t, %l, %a) width(16) scale(1.0) : tensor<1x2x4x4x8xf32>, tensor<1x2x4x4x8xf32>, tensor<1x2x4x4x8xf32> -> tensor<4xf32>, tensor<4xf32>, tensor<4x8xf32>
  return
}

// -----

// partial_c11
func.func @negative_partial_one_box(%q: tensor<1x2x4x4x8xf32>, %i: index, %t: tensor<4xf32>, %l: tensor<4xf32>, %a: tensor<4x8xf32>) {
  // expected-error@below {{must have both 'box_q' and 'box_k' on a grid, and where there is a 'step'}}
  %r:3 = attn.partial %q, %q, %q at(%i, %i, [%i, %i], [%i, %i]) init(%t, %l, %a) width(16) box_q([2, 2]) scale(1.0) : tensor<1x2x4x4x8xf32>, tensor<1x2x4x4x8xf32>, tensor<1x2x4x4x8xf32> -> tensor<4xf32>, tensor<4xf32>, tensor<4x8xf32>
  return
}

// -----

// partial_c12
func.func @negative_partial_box_product(%q: tensor<1x2x4x4x8xf32>, %i: index, %t: tensor<4xf32>, %l: tensor<4xf32>, %a: tensor<4x8xf32>) {
  // expected-error@below {{boxes must have 2 sizes whose products are the 4 rows and the 16 keys of the block, got [2, 3] and [4, 4]}}
  %r:3 = attn.partial %q, %q, %q at(%i, %i, [%i, %i], [%i, %i]) init(%t, %l, %a) width(16) box_q([2, 3]) box_k([4, 4]) scale(1.0) : tensor<1x2x4x4x8xf32>, tensor<1x2x4x4x8xf32>, tensor<1x2x4x4x8xf32> -> tensor<4xf32>, tensor<4xf32>, tensor<4x8xf32>
  return
}

// -----

// partial_c12
func.func @negative_partial_box_rank(%q: tensor<1x2x4x4x8xf32>, %i: index, %t: tensor<4xf32>, %l: tensor<4xf32>, %a: tensor<4x8xf32>) {
  // expected-error@below {{boxes must have 2 sizes whose products are the 4 rows and the 16 keys of the block, got [2, 2] and [2, 2, 4]}}
  %r:3 = attn.partial %q, %q, %q at(%i, %i, [%i, %i], [%i, %i]) init(%t, %l, %a) width(16) box_q([2, 2]) box_k([2, 2, 4]) scale(1.0) : tensor<1x2x4x4x8xf32>, tensor<1x2x4x4x8xf32>, tensor<1x2x4x4x8xf32> -> tensor<4xf32>, tensor<4xf32>, tensor<4x8xf32>
  return
}

// -----

// partial_c13
func.func @negative_partial_step(%q: tensor<1x2x4x4x8xf32>, %i: index, %t: tensor<4xf32>, %l: tensor<4xf32>, %a: tensor<4x8xf32>) {
  // expected-error@below {{'step' must have 2 positive sizes, got [2]}}
  %r:3 = attn.partial %q, %q, %q at(%i, %i, [%i, %i], [%i, %i]) init(%t, %l, %a) width(16) box_q([2, 2]) box_k([4, 4]) step([2]) scale(1.0) : tensor<1x2x4x4x8xf32>, tensor<1x2x4x4x8xf32>, tensor<1x2x4x4x8xf32> -> tensor<4xf32>, tensor<4xf32>, tensor<4x8xf32>
  return
}

// -----

// partial_c13
func.func @negative_partial_step_zero(%q: tensor<1x2x4x4x8xf32>, %i: index, %t: tensor<4xf32>, %l: tensor<4xf32>, %a: tensor<4x8xf32>) {
  // expected-error@below {{'step' must have 2 positive sizes, got [0, 1]}}
  %r:3 = attn.partial %q, %q, %q at(%i, %i, [%i, %i], [%i, %i]) init(%t, %l, %a) width(16) box_q([2, 2]) box_k([4, 4]) step([0, 1]) scale(1.0) : tensor<1x2x4x4x8xf32>, tensor<1x2x4x4x8xf32>, tensor<1x2x4x4x8xf32> -> tensor<4xf32>, tensor<4xf32>, tensor<4x8xf32>
  return
}

// -----

// partial_c14
func.func @negative_partial_packed_boxes(%q: tensor<1x2x4x4x8xf32>, %i: index, %t: tensor<4xf32>, %l: tensor<4xf32>, %a: tensor<4x8xf32>) {
  // expected-error@below {{cannot have boxes together with 'packed', 'ranges', 'alignment(end)' or a region 'keys'}}
  %r:3 = attn.partial %q, %q, %q at(%i, %i, [%i, %i], [%i, %i]) init(%t, %l, %a) width(16) packed box_q([2, 2]) box_k([4, 4]) scale(1.0) : tensor<1x2x4x4x8xf32>, tensor<1x2x4x4x8xf32>, tensor<1x2x4x4x8xf32> -> tensor<4xf32>, tensor<4xf32>, tensor<4x8xf32>
  return
}

// -----

// add_sink_c3
func.func @negative_sink_without_box(%i: index, %t: tensor<4xf32>, %l: tensor<4xf32>) {
  // expected-error@below {{must be at one position, or at one per size of a 'box' of its 4 rows with as many positive sizes of 'step', got 2 positions}}
  %r:2 = attn.add_sink %t, %l at(%i, %i, %i, %i) sink (%b, %h, %y, %x) {
    %z = arith.constant 0.0 : f32
    attn.yield %z : f32
  } : tensor<4xf32>, tensor<4xf32>
  return
}

// -----

// add_sink_c3
func.func @negative_sink_box(%i: index, %t: tensor<4xf32>, %l: tensor<4xf32>) {
  // expected-error@below {{must be at one position, or at one per size of a 'box' of its 4 rows with as many positive sizes of 'step', got 2 positions}}
  %r:2 = attn.add_sink %t, %l at(%i, %i, %i, %i) box([2, 3]) sink (%b, %h, %y, %x) {
    %z = arith.constant 0.0 : f32
    attn.yield %z : f32
  } : tensor<4xf32>, tensor<4xf32>
  return
}

// -----

// add_sink_c3
func.func @negative_sink_step(%i: index, %t: tensor<4xf32>, %l: tensor<4xf32>) {
  // expected-error@below {{must be at one position, or at one per size of a 'box' of its 4 rows with as many positive sizes of 'step', got 1 positions}}
  %r:2 = attn.add_sink %t, %l at(%i, %i, %i) step([2]) sink (%b, %h, %y) {
    %z = arith.constant 0.0 : f32
    attn.yield %z : f32
  } : tensor<4xf32>, tensor<4xf32>
  return
}
