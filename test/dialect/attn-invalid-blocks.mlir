// RUN: attn-opt %s --split-input-file --verify-diagnostics

// Every rule of lists of blocks, broken once; the label before a function is that
// of the rule in docs/spec.md.

// block_bounds_c1
func.func @negative_bounds_element_f32(%x: tensor<4x8xf32>) {
  // expected-error@below {{'table' must have integers of 8 to 64 bits or index, got 'tensor<4x8xf32>'}}
  %o:2 = attn.block_bounds %x along(1) width(4) : tensor<4x8xf32> -> tensor<4x2xf32>
  return
}

// -----

// block_bounds_c2
func.func @negative_bounds_dimension(%x: tensor<4x8xi32>) {
  // expected-error@below {{'along' must be a dimension of 'table', below 2, got 2}}
  %o:2 = attn.block_bounds %x along(2) width(4) : tensor<4x8xi32> -> tensor<4x2xi32>
  return
}

// -----

// block_bounds_c3
func.func @negative_bounds_width_0(%x: tensor<4x8xi32>) {
  // expected-error@below {{'width' must be between 1 and 4096, got 0}}
  %o:2 = attn.block_bounds %x along(1) width(0) : tensor<4x8xi32> -> tensor<4x2xi32>
  return
}

// -----

// block_bounds_c4
func.func @negative_bounds_result(%x: tensor<4x9xi32>) {
  // expected-error@below {{results must be 'tensor<4x3xi32>', got 'tensor<4x2xi32>'}}
  %o:2 = attn.block_bounds %x along(1) width(4) : tensor<4x9xi32> -> tensor<4x2xi32>
  return
}

// -----

// block_list_c1
func.func @negative_list_sizes(%n: index) {
  // expected-error@below {{'block_sizes' must be two numbers between 1 and 4096, those of queries and of keys, got [64]}}
  %o:2 = attn.block_list queries(%n) keys(%n) capacity(%n) block_sizes [64]
      classes (%b, %h, %f, %l, %fk, %lk) {
        %true = arith.constant true
        attn.yield %true, %true : i1, i1
      } : tensor<1x1x?xi32>, tensor<1x1x?xi32>
  return
}

// -----

// block_list_c1
func.func @negative_list_element_i64(%n: index) {
  // expected-error@below {{'offsets' must be a tensor of i32 of rank 3 ([batches, heads, entries]), got 'tensor<1x1x?xi64>'}}
  %o:2 = attn.block_list queries(%n) keys(%n) capacity(%n) block_sizes [64, 64]
      classes (%b, %h, %f, %l, %fk, %lk) {
        %true = arith.constant true
        attn.yield %true, %true : i1, i1
      } : tensor<1x1x?xi64>, tensor<1x1x?xi32>
  return
}

// -----

// block_list_c2
func.func @negative_list_static_room(%n: index) {
  // expected-error@below {{'offsets' and 'blocks' must have a dynamic number of entries, got 'tensor<1x1x?xi32>' and 'tensor<1x1x9xi32>'}}
  %o:2 = attn.block_list queries(%n) keys(%n) capacity(%n) block_sizes [64, 64]
      classes (%b, %h, %f, %l, %fk, %lk) {
        %true = arith.constant true
        attn.yield %true, %true : i1, i1
      } : tensor<1x1x?xi32>, tensor<1x1x9xi32>
  return
}

// -----

// block_list_c3
func.func @negative_list_batches(%n: index) {
  // expected-error@below {{'batches' must be given where the results have a dynamic number of them, and only there}}
  %o:2 = attn.block_list queries(%n) keys(%n) capacity(%n) block_sizes [64, 64]
      classes (%b, %h, %f, %l, %fk, %lk) {
        %true = arith.constant true
        attn.yield %true, %true : i1, i1
      } : tensor<?x1x?xi32>, tensor<?x1x?xi32>
  return
}

// -----

// block_list_c4
func.func @negative_list_without_classes(%n: index) {
  // expected-error@below {{region 'classes' must not be empty}}
  %o:2 = attn.block_list queries(%n) keys(%n) capacity(%n) block_sizes [64, 64]
      : tensor<1x1x?xi32>, tensor<1x1x?xi32>
  return
}

// -----

func.func @negative_list_yields_one(%n: index) {
  // expected-error@below {{region 'classes' must yield 2 values, got 1}}
  %o:2 = attn.block_list queries(%n) keys(%n) capacity(%n) block_sizes [64, 64]
      classes (%b, %h, %f, %l, %fk, %lk) {
        %true = arith.constant true
        attn.yield %true : i1
      } : tensor<1x1x?xi32>, tensor<1x1x?xi32>
  return
}

// -----

func.func @negative_list_yields_index(%n: index) {
  // expected-error@below {{region 'classes' must yield 2 values of 'i1', got 'index'}}
  %o:2 = attn.block_list queries(%n) keys(%n) capacity(%n) block_sizes [64, 64]
      classes (%b, %h, %f, %l, %fk, %lk) {
        attn.yield %f, %l : index, index
      } : tensor<1x1x?xi32>, tensor<1x1x?xi32>
  return
}

// -----

// attend_c18
func.func @negative_attend_list_without_sizes(%x: tensor<2x3x?x8xf32>, %l: tensor<1x1x?xi32>) {
  // expected-error@below {{needs 'block_sizes' beside 'blocks', and only there: a list says nothing without them}}
  %o = attn.attend %x, %x, %x blocks(%l, %l : tensor<1x1x?xi32>, tensor<1x1x?xi32>)
      : tensor<2x3x?x8xf32>, tensor<2x3x?x8xf32>, tensor<2x3x?x8xf32> -> tensor<2x3x?x8xf32>
  return
}

// -----

// attend_c19
func.func @negative_attend_list_rank_2(%x: tensor<2x3x?x8xf32>, %l: tensor<1x?xi32>) {
  // expected-error@below {{'offsets' must be a tensor of i32 of rank 3 ([batches, heads, entries]), got 'tensor<1x?xi32>'}}
  %o = attn.attend %x, %x, %x blocks(%l, %l : tensor<1x?xi32>, tensor<1x?xi32>) block_sizes [64, 64]
      : tensor<2x3x?x8xf32>, tensor<2x3x?x8xf32>, tensor<2x3x?x8xf32> -> tensor<2x3x?x8xf32>
  return
}

// -----

// attend_c19
func.func @negative_attend_list_batches_differ(%x: tensor<2x3x?x8xf32>, %l: tensor<1x1x?xi32>, %m: tensor<2x1x?xi32>) {
  // expected-error@below {{'offsets' and 'blocks' must have the same batches and heads, got 'tensor<1x1x?xi32>' and 'tensor<2x1x?xi32>'}}
  %o = attn.attend %x, %x, %x blocks(%l, %m : tensor<1x1x?xi32>, tensor<2x1x?xi32>) block_sizes [64, 64]
      : tensor<2x3x?x8xf32>, tensor<2x3x?x8xf32>, tensor<2x3x?x8xf32> -> tensor<2x3x?x8xf32>
  return
}

// -----

// attend_c20
func.func @negative_attend_list_heads(%x: tensor<2x3x?x8xf32>, %l: tensor<1x2x?xi32>) {
  // expected-error@below {{'offsets' must have 1 or all 3 heads, got 2}}
  %o = attn.attend %x, %x, %x blocks(%l, %l : tensor<1x2x?xi32>, tensor<1x2x?xi32>) block_sizes [64, 64]
      : tensor<2x3x?x8xf32>, tensor<2x3x?x8xf32>, tensor<2x3x?x8xf32> -> tensor<2x3x?x8xf32>
  return
}

// -----

// attend_c21
func.func @negative_attend_list_and_keys(%x: tensor<2x3x?x8xf32>, %l: tensor<1x1x?xi32>) {
  // expected-error@below {{cannot have 'blocks' and a region 'keys': a list says already which keys are visited}}
  %o = attn.attend %x, %x, %x blocks(%l, %l : tensor<1x1x?xi32>, tensor<1x1x?xi32>) block_sizes [64, 64]
      keys (%b, %h, %first, %last) {
        attn.yield %first, %last, %first, %first : index, index, index, index
      } : tensor<2x3x?x8xf32>, tensor<2x3x?x8xf32>, tensor<2x3x?x8xf32> -> tensor<2x3x?x8xf32>
  return
}

// -----

// attend_c22
func.func @negative_attend_list_schedule(%x: tensor<2x3x?x8xf32>, %l: tensor<1x1x?xi32>) {
  // expected-error@below {{'schedule' must have the blocks of 'block_sizes', [64, 64], and no splits, got #attn.schedule<block_q = 64, block_k = 32>}}
  %o = attn.attend %x, %x, %x blocks(%l, %l : tensor<1x1x?xi32>, tensor<1x1x?xi32>) block_sizes [64, 64]
      schedule(<block_q = 64, block_k = 32>)
      : tensor<2x3x?x8xf32>, tensor<2x3x?x8xf32>, tensor<2x3x?x8xf32> -> tensor<2x3x?x8xf32>
  return
}

// -----

// attend_c26
func.func @negative_attend_list_grid_without_schedule(%x: tensor<2x3x?x?x8xf32>, %l: tensor<1x1x?xi32>) {
  // expected-error@below {{needs a 'schedule' with boxes beside 'blocks': a list of blocks of a grid says nothing without them}}
  %o = attn.attend %x, %x, %x blocks(%l, %l : tensor<1x1x?xi32>, tensor<1x1x?xi32>) block_sizes [64, 64]
      : tensor<2x3x?x?x8xf32>, tensor<2x3x?x?x8xf32>, tensor<2x3x?x?x8xf32> -> tensor<2x3x?x?x8xf32>
  return
}

// -----

// attend_c26
func.func @negative_attend_list_grid_without_boxes(%x: tensor<2x3x?x?x8xf32>, %l: tensor<1x1x?xi32>) {
  // expected-error@below {{needs a 'schedule' with boxes beside 'blocks' of a grid, got #attn.schedule<block_q = 64, block_k = 64>}}
  %o = attn.attend %x, %x, %x blocks(%l, %l : tensor<1x1x?xi32>, tensor<1x1x?xi32>) block_sizes [64, 64]
      schedule(<block_q = 64, block_k = 64>)
      : tensor<2x3x?x?x8xf32>, tensor<2x3x?x?x8xf32>, tensor<2x3x?x?x8xf32> -> tensor<2x3x?x?x8xf32>
  return
}

// -----

// block_list_c5
func.func @negative_list_axes_differ(%n: index) {
  // expected-error@below {{'queries' and 'keys' must have a size for each of 1 to 3 axes of tokens, got 2 and 1}}
  %o:2 = attn.block_list queries(%n, %n) keys(%n) capacity(%n) block_sizes [64, 64] box_q [8, 8] box_k [8, 8]
      classes (%b, %h, %iy, %ix, %ly, %lx, %jy, %jx, %my, %mx) {
        %true = arith.constant true
        attn.yield %true, %true : i1, i1
      } : tensor<1x1x?xi32>, tensor<1x1x?xi32>
  return
}

// -----

// block_list_c6
func.func @negative_list_grid_without_boxes(%n: index) {
  // expected-error@below {{'box_q', 'box_k' and 'step' must have a size for each of the 2 axes of tokens, got nothing}}
  %o:2 = attn.block_list queries(%n, %n) keys(%n, %n) capacity(%n) block_sizes [64, 64]
      classes (%b, %h, %iy, %ix, %ly, %lx, %jy, %jx, %my, %mx) {
        %true = arith.constant true
        attn.yield %true, %true : i1, i1
      } : tensor<1x1x?xi32>, tensor<1x1x?xi32>
  return
}

// -----

// block_list_c6
func.func @negative_list_box_product(%n: index) {
  // expected-error@below {{boxes of a list: schedule 'box_k' must have 1 to 3 positive sizes whose product is the 64 of 'block_k', got [8, 4]}}
  %o:2 = attn.block_list queries(%n, %n) keys(%n, %n) capacity(%n) block_sizes [64, 64] box_q [8, 8] box_k [8, 4]
      classes (%b, %h, %iy, %ix, %ly, %lx, %jy, %jx, %my, %mx) {
        %true = arith.constant true
        attn.yield %true, %true : i1, i1
      } : tensor<1x1x?xi32>, tensor<1x1x?xi32>
  return
}

// -----

// block_list_c7
func.func @negative_list_box_shift(%n: index) {
  // expected-error@below {{cannot have 'shift' or a region 'keys' with boxes: they are those of one axis}}
  %o:2 = attn.block_list queries(%n) keys(%n) capacity(%n) shift(%n) block_sizes [64, 64] box_q [64] box_k [64] step [2]
      classes (%b, %h, %f, %l, %fk, %lk) {
        %true = arith.constant true
        attn.yield %true, %true : i1, i1
      } : tensor<1x1x?xi32>, tensor<1x1x?xi32>
  return
}

// -----

func.func @negative_list_grid_six_arguments(%n: index) {
  // expected-error@below {{region 'classes' takes 10 arguments, got 6}}
  %o:2 = attn.block_list queries(%n, %n) keys(%n, %n) capacity(%n) block_sizes [64, 64] box_q [8, 8] box_k [8, 8]
      classes (%b, %h, %f, %l, %fk, %lk) {
        %true = arith.constant true
        attn.yield %true, %true : i1, i1
      } : tensor<1x1x?xi32>, tensor<1x1x?xi32>
  return
}

// -----

// transpose_list_c1
func.func @negative_transpose_element_i64(%o: tensor<1x1x?xi32>, %l: tensor<1x1x?xi64>, %c: index) {
  // expected-error@below {{'blocks' must be a tensor of i32 of rank 3 ([batches, heads, entries]), got 'tensor<1x1x?xi64>'}}
  %t:2 = attn.transpose_list %o, %l columns(%c) : tensor<1x1x?xi32>, tensor<1x1x?xi64> -> tensor<1x1x?xi32>, tensor<1x1x?xi32>
  return
}

// -----

// transpose_list_c1
func.func @negative_transpose_heads_differ(%o: tensor<1x2x?xi32>, %l: tensor<1x3x?xi32>, %c: index) {
  // expected-error@below {{'offsets' and 'blocks' must have the same batches and heads, got 'tensor<1x2x?xi32>' and 'tensor<1x3x?xi32>'}}
  %t:2 = attn.transpose_list %o, %l columns(%c) : tensor<1x2x?xi32>, tensor<1x3x?xi32> -> tensor<1x2x?xi32>, tensor<1x2x?xi32>
  return
}

// -----

// transpose_list_c2
func.func @negative_transpose_static_room(%o: tensor<1x2x?xi32>, %l: tensor<1x2x9xi32>, %c: index) {
  // expected-error@below {{'new_blocks' must be 'tensor<1x2x?xi32>', as 'offsets' has these batches and heads, got 'tensor<1x2x9xi32>'}}
  %t:2 = attn.transpose_list %o, %l columns(%c) : tensor<1x2x?xi32>, tensor<1x2x9xi32> -> tensor<1x2x?xi32>, tensor<1x2x9xi32>
  return
}

// -----

// transpose_list_c2
func.func @negative_transpose_batches(%o: tensor<?x2x?xi32>, %l: tensor<?x2x?xi32>, %c: index) {
  // expected-error@below {{'new_offsets' must be 'tensor<?x2x?xi32>', as 'offsets' has these batches and heads, got 'tensor<1x2x?xi32>'}}
  %t:2 = attn.transpose_list %o, %l columns(%c) : tensor<?x2x?xi32>, tensor<?x2x?xi32> -> tensor<1x2x?xi32>, tensor<?x2x?xi32>
  return
}

// -----

// transpose_list_c3
func.func @negative_transpose_even(%o: tensor<1x1x6xi32>, %l: tensor<1x1x9xi32>, %c: index) {
  // expected-error@below {{'offsets' must have an odd number of entries, 2 R + 1 of a list of R rows, got 'tensor<1x1x6xi32>'}}
  %t:2 = attn.transpose_list %o, %l columns(%c) : tensor<1x1x6xi32>, tensor<1x1x9xi32> -> tensor<1x1x?xi32>, tensor<1x1x?xi32>
  return
}

// -----

// transpose_list_c4
func.func @negative_transpose_columns(%o: tensor<1x1x?xi32>, %l: tensor<1x1x?xi32>) {
  %c = arith.constant -3 : index
  // expected-error@below {{'columns' must not be negative, got -3}}
  %t:2 = attn.transpose_list %o, %l columns(%c) : tensor<1x1x?xi32>, tensor<1x1x?xi32> -> tensor<1x1x?xi32>, tensor<1x1x?xi32>
  return
}

// -----

// block_order_c1
func.func @negative_order_rank_2(%o: tensor<1x?xi32>, %n: index) {
  // expected-error@below {{'offsets' must be a tensor of i32 of rank 3 ([batches, heads, entries]), got 'tensor<1x?xi32>'}}
  %order = attn.block_order %o count(%n) costs [4, 5] : tensor<1x?xi32> -> tensor<1x1x?xi32>
  return
}

// -----

// block_order_c2
func.func @negative_order_result(%o: tensor<1x?x?xi32>, %n: index) {
  // expected-error@below {{'order' must be 'tensor<1x?x?xi32>', as 'offsets' has these batches and heads, got 'tensor<1x?x?xi64>'}}
  %order = attn.block_order %o count(%n) costs [4, 5] : tensor<1x?x?xi32> -> tensor<1x?x?xi64>
  return
}

// -----

// block_order_c3
func.func @negative_order_one_cost(%o: tensor<1x?x?xi32>, %n: index) {
  // expected-error@below {{'costs' must be two numbers between 1 and 255, those of full and of mixed blocks, got [4]}}
  %order = attn.block_order %o count(%n) costs [4] : tensor<1x?x?xi32> -> tensor<1x?x?xi32>
  return
}

// -----

// block_order_c3
func.func @negative_order_cost_0(%o: tensor<1x?x?xi32>, %n: index) {
  // expected-error@below {{'costs' must be two numbers between 1 and 255, those of full and of mixed blocks, got [0, 256]}}
  %order = attn.block_order %o count(%n) costs [0, 256] : tensor<1x?x?xi32> -> tensor<1x?x?xi32>
  return
}

// -----

// block_order_c4
func.func @negative_order_count(%o: tensor<1x?x?xi32>) {
  %n = arith.constant -1 : index
  // expected-error@below {{'count' must not be negative, got -1}}
  %order = attn.block_order %o count(%n) costs [4, 5] : tensor<1x?x?xi32> -> tensor<1x?x?xi32>
  return
}
