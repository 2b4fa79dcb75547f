// RUN: attn-opt %s --split-input-file --verify-diagnostics

// Every rule of the ops over partial results, broken once; the label before a
// function is that of the rule in docs/spec.md.

// attend_c1
func.func @negative_partial_query_rank(%q: tensor<4x8xf32>, %x: index, %t: tensor<4xf32>, %l: tensor<4xf32>, %a: tensor<4x8xf32>) {
  // expected-error@below {{'query' must have rank 4 ([B, H, N, D]) to 6 ([B, H, X0, .., D]), got 'tensor<4x8xf32>'}}
  %r:3 = attn.partial %q, %q, %q at(%x, %x, %x, %x) init(%t, %l, %a) width(16) scale(1.0)
      : tensor<4x8xf32>, tensor<4x8xf32>, tensor<4x8xf32> -> tensor<4xf32>, tensor<4xf32>, tensor<4x8xf32>
  return
}

// -----

// partial_c2
func.func @negative_partial_accumulator_element(%q: tensor<1x2x4x8xf32>, %x: index, %t: tensor<4xf32>, %l: tensor<4xf32>, %a: tensor<4x8xf64>) {
  // expected-error@below {{'init' part 2 must be a tensor of rank 2 of 'f32' with 4 rows, got 'tensor<4x8xf64>'}}
  %r:3 = attn.partial %q, %q, %q at(%x, %x, %x, %x) init(%t, %l, %a) width(16) scale(1.0)
      : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<4xf32>, tensor<4xf32>, tensor<4x8xf64>
  return
}

// -----

// partial_c2
func.func @negative_partial_accumulator_rank(%q: tensor<1x2x4x8xf32>, %x: index, %t: tensor<4xf32>, %l: tensor<4xf32>, %a: tensor<8xf32>) {
  // expected-error@below {{'init' part 2 must be a tensor of rank 2 of 'f32' with 4 rows, got 'tensor<8xf32>'}}
  %r:3 = attn.partial %q, %q, %q at(%x, %x, %x, %x) init(%t, %l, %a) width(16) scale(1.0)
      : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<4xf32>, tensor<4xf32>, tensor<8xf32>
  return
}

// -----

// partial_c2
func.func @negative_partial_no_rows(%q: tensor<1x2x4x8xf32>, %x: index, %t: tensor<0xf32>, %l: tensor<0xf32>, %a: tensor<0x8xf32>) {
  // expected-error@below {{'init' must hold tensors that are not empty, got 'tensor<0xf32>'}}
  %r:3 = attn.partial %q, %q, %q at(%x, %x, %x, %x) init(%t, %l, %a) width(16) scale(1.0)
      : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<0xf32>, tensor<0xf32>, tensor<0x8xf32>
  return
}

// -----

// partial_c2
func.func @negative_partial_reference_size(%q: tensor<1x2x4x8xf32>, %x: index, %t: tensor<3xf32>, %l: tensor<4xf32>, %a: tensor<4x8xf32>) {
  // expected-error@below {{'init' part 1 must be a tensor of rank 1 of 'f32' with 3 rows, got 'tensor<4xf32>'}}
  %r:3 = attn.partial %q, %q, %q at(%x, %x, %x, %x) init(%t, %l, %a) width(16) scale(1.0)
      : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<3xf32>, tensor<4xf32>, tensor<4x8xf32>
  return
}

// -----

// partial_c2
func.func @negative_partial_sum_size(%q: tensor<1x2x4x8xf32>, %x: index, %t: tensor<4xf32>, %l: tensor<5xf32>, %a: tensor<4x8xf32>) {
  // expected-error@below {{'init' part 1 must be a tensor of rank 1 of 'f32' with 4 rows, got 'tensor<5xf32>'}}
  %r:3 = attn.partial %q, %q, %q at(%x, %x, %x, %x) init(%t, %l, %a) width(16) scale(1.0)
      : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<4xf32>, tensor<5xf32>, tensor<4x8xf32>
  return
}

// -----

// partial_c3
func.func @negative_partial_width_zero(%q: tensor<1x2x4x8xf32>, %x: index, %t: tensor<4xf32>, %l: tensor<4xf32>, %a: tensor<4x8xf32>) {
  // expected-error@below {{'width' must be positive, got 0}}
  %r:3 = attn.partial %q, %q, %q at(%x, %x, %x, %x) init(%t, %l, %a) width(0) scale(1.0)
      : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<4xf32>, tensor<4xf32>, tensor<4x8xf32>
  return
}

// -----

// partial_c4
func.func @negative_partial_accumulator_features(%q: tensor<1x2x4x8xf32>, %x: index, %t: tensor<4xf32>, %l: tensor<4xf32>, %a: tensor<4x6xf32>) {
  // expected-error@below {{the accumulator must have the features of the value rows, expected 8, got 6}}
  %r:3 = attn.partial %q, %q, %q at(%x, %x, %x, %x) init(%t, %l, %a) width(16) scale(1.0)
      : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<4xf32>, tensor<4xf32>, tensor<4x6xf32>
  return
}

// -----

// partial_c5
func.func @negative_partial_scale_nan(%q: tensor<1x2x4x8xf32>, %x: index, %t: tensor<4xf32>, %l: tensor<4xf32>, %a: tensor<4x8xf32>) {
  // expected-error@below {{'scale' must be finite, got 0x7FF8000000000000 : f64}}
  %r:3 = attn.partial %q, %q, %q at(%x, %x, %x, %x) init(%t, %l, %a) width(16) scale(0x7FF8000000000000)
      : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<4xf32>, tensor<4xf32>, tensor<4x8xf32>
  return
}

// -----

// finish_c1
func.func @negative_finish_accumulator_f16(%t: tensor<4xf16>, %l: tensor<4xf16>, %a: tensor<4x8xf16>) {
  // expected-error@below {{'state' must have element type f32 or f64, got 'f16'}}
  %o, %lse = attn.finish %t, %l, %a : tensor<4xf16>, tensor<4xf16>, tensor<4x8xf16> -> tensor<4x8xf16>, tensor<4xf16>
  return
}

// -----

// finish_c2
func.func @negative_finish_accumulator_rank(%t: tensor<4xf32>, %l: tensor<4xf32>, %a: tensor<8xf32>) {
  // expected-error@below {{'state' part 2 must be a tensor of rank 2 of 'f32' with 4 rows, got 'tensor<8xf32>'}}
  %o, %lse = attn.finish %t, %l, %a : tensor<4xf32>, tensor<4xf32>, tensor<8xf32> -> tensor<4x8xbf16>, tensor<4xf32>
  return
}

// -----

// finish_c2
func.func @negative_finish_reference_size(%t: tensor<3xf32>, %l: tensor<4xf32>, %a: tensor<4x8xf32>) {
  // expected-error@below {{'state' part 1 must be a tensor of rank 1 of 'f32' with 3 rows, got 'tensor<4xf32>'}}
  %o, %lse = attn.finish %t, %l, %a : tensor<3xf32>, tensor<4xf32>, tensor<4x8xf32> -> tensor<4x8xbf16>, tensor<4xf32>
  return
}

// -----

// finish_c2
func.func @negative_finish_sum_element(%t: tensor<4xf32>, %l: tensor<4xf64>, %a: tensor<4x8xf32>) {
  // expected-error@below {{'state' part 1 must be a tensor of rank 1 of 'f32' with 4 rows, got 'tensor<4xf64>'}}
  %o, %lse = attn.finish %t, %l, %a : tensor<4xf32>, tensor<4xf64>, tensor<4x8xf32> -> tensor<4x8xbf16>, tensor<4xf32>
  return
}

// -----

// finish_c3
func.func @negative_finish_output_element(%t: tensor<4xf32>, %l: tensor<4xf32>, %a: tensor<4x8xf32>) {
  // expected-error@below {{'output' must have an element type that is accumulated in 'f32', got 'f64'}}
  %o, %lse = attn.finish %t, %l, %a : tensor<4xf32>, tensor<4xf32>, tensor<4x8xf32> -> tensor<4x8xf64>, tensor<4xf32>
  return
}

// -----

// finish_c3
func.func @negative_finish_output_integer(%t: tensor<4xf32>, %l: tensor<4xf32>, %a: tensor<4x8xf32>) {
  // expected-error@below {{'output' must have an element type that is accumulated in 'f32', got 'i32'}}
  %o, %lse = attn.finish %t, %l, %a : tensor<4xf32>, tensor<4xf32>, tensor<4x8xf32> -> tensor<4x8xi32>, tensor<4xf32>
  return
}

// -----

// finish_c4
func.func @negative_finish_output_shape(%t: tensor<4xf32>, %l: tensor<4xf32>, %a: tensor<4x8xf32>) {
  // expected-error@below {{'output' must be 'tensor<4x8xbf16>', got 'tensor<8x4xbf16>'}}
  %o, %lse = attn.finish %t, %l, %a : tensor<4xf32>, tensor<4xf32>, tensor<4x8xf32> -> tensor<8x4xbf16>, tensor<4xf32>
  return
}

// -----

// finish_c4
func.func @negative_finish_lse_element(%t: tensor<4xf32>, %l: tensor<4xf32>, %a: tensor<4x8xf32>) {
  // expected-error@below {{'lse' must be 'tensor<4xf32>', got 'tensor<4xbf16>'}}
  %o, %lse = attn.finish %t, %l, %a : tensor<4xf32>, tensor<4xf32>, tensor<4x8xf32> -> tensor<4x8xbf16>, tensor<4xbf16>
  return
}

// -----

// partial_c1
func.func @negative_partial_one_part(%q: tensor<1x2x4x8xf32>, %x: index, %t: tensor<4xf32>) {
  // expected-error@below {{'init' must have 2 or 3 parts, got 1}}
  %r = attn.partial %q, %q, %q at(%x, %x, %x, %x) init(%t) width(16) scale(1.0)
      : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<4xf32>
  return
}

// -----

// partial_c1
func.func @negative_partial_none_two_parts(%q: tensor<1x2x4x8xf32>, %x: index, %l: tensor<4xf32>, %a: tensor<4x8xf32>) {
  // expected-error@below {{'init' must have 1 parts, got 2}}
  %r:2 = attn.partial %q, %q, %q at(%x, %x, %x, %x) init(%l, %a) width(16) scale(1.0) normalizer(none)
      : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<4xf32>, tensor<4x8xf32>
  return
}

// -----

// partial_c1
func.func @negative_partial_sum_three_parts(%q: tensor<1x2x4x8xf32>, %x: index, %l: tensor<4xf32>, %a: tensor<4x8xf32>) {
  // expected-error@below {{'init' must have 1 or 2 parts, got 3}}
  %r:3 = attn.partial %q, %q, %q at(%x, %x, %x, %x) init(%l, %l, %a) width(16) scale(1.0) normalizer(sum)
      : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<4xf32>, tensor<4xf32>, tensor<4x8xf32>
  return
}

// -----

// partial_c7
func.func @negative_partial_given_without_sum(%q: tensor<1x2x4x8xf32>, %x: index, %t: tensor<4xf32>, %a: tensor<4x8xf32>) {
  // expected-error@below {{'given' must have 2 parts for normalizer 'softmax', got 1}}
  %r = attn.partial %q, %q, %q at(%x, %x, %x, %x) init(%a) given(%t : tensor<4xf32>) width(16) scale(1.0)
      : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<4x8xf32>
  return
}

// -----

// partial_c7
func.func @negative_partial_given_for_none(%q: tensor<1x2x4x8xf32>, %x: index, %t: tensor<4xf32>, %a: tensor<4x8xf32>) {
  // expected-error@below {{'given' must have 0 parts for normalizer 'none', got 1}}
  %r = attn.partial %q, %q, %q at(%x, %x, %x, %x) init(%a) given(%t : tensor<4xf32>) width(16) scale(1.0) normalizer(none)
      : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<4x8xf32>
  return
}

// -----

// partial_c7
func.func @negative_partial_given_and_statistics(%q: tensor<1x2x4x8xf32>, %x: index, %t: tensor<4xf32>, %a: tensor<4x8xf32>) {
  // expected-error@below {{'init' must be the accumulator alone where statistics are given, got 3 parts}}
  %r:3 = attn.partial %q, %q, %q at(%x, %x, %x, %x) init(%t, %t, %a) given(%t, %t : tensor<4xf32>, tensor<4xf32>) width(16) scale(1.0)
      : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<4xf32>, tensor<4xf32>, tensor<4x8xf32>
  return
}

// -----

// partial_c2
func.func @negative_partial_given_rows(%q: tensor<1x2x4x8xf32>, %x: index, %t: tensor<3xf32>, %a: tensor<4x8xf32>) {
  // expected-error@below {{'given and init' part 2 must be a tensor of rank 2 of 'f32' with 3 rows, got 'tensor<4x8xf32>'}}
  %r = attn.partial %q, %q, %q at(%x, %x, %x, %x) init(%a) given(%t, %t : tensor<3xf32>, tensor<3xf32>) width(16) scale(1.0)
      : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<4x8xf32>
  return
}

// -----

// The syntax has no place for types of results that differ.
// partial_c6
func.func @negative_partial_result_types(%q: tensor<1x2x4x8xf32>, %x: index, %a: tensor<4x8xf32>) {
  // expected-error@below {{'init' and results must have the same types}}
  %r = "attn.partial"(%q, %q, %q, %x, %x, %x, %x, %a) <{normalizer = 2 : i32, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1, 1, 1, 0, 0>, scale = 1.0 : f64, width = 16 : i64}> ({}, {}, {}, {}, {}, {}, {})
      : (tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, index, index, index, index, tensor<4x8xf32>) -> tensor<5x8xf32>
  return
}

// -----

// partial_c8
func.func @negative_partial_range_rows(%q: tensor<1x2x4x8xf32>, %x: index, %t: tensor<4xf32>, %a: tensor<4x8xf32>) {
  // expected-error@below {{'ranges' must be of a number of rows that divides the 4 of the block, got 3}}
  %r:3 = attn.partial %q, %q, %q at(%x, %x, %x, %x) init(%t, %t, %a) width(16) ranges[3](%x, %x) scale(1.0)
      : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<4xf32>, tensor<4xf32>, tensor<4x8xf32>
  return
}

// -----

// partial_c8
func.func @negative_partial_range_rows_zero(%q: tensor<1x2x4x8xf32>, %x: index, %t: tensor<4xf32>, %a: tensor<4x8xf32>) {
  // expected-error@below {{'ranges' must be of a number of rows that divides the 4 of the block, got 0}}
  %r:3 = attn.partial %q, %q, %q at(%x, %x, %x, %x) init(%t, %t, %a) width(16) ranges[0](%x, %x) scale(1.0)
      : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<4xf32>, tensor<4xf32>, tensor<4x8xf32>
  return
}

// -----

// partial_c9
func.func @negative_partial_range_count(%q: tensor<1x2x4x8xf32>, %x: index, %t: tensor<4xf32>, %a: tensor<4x8xf32>) {
  // expected-error@below {{'ranges' must have a begin and an end for each 2 rows, expected 4 bounds, got 3}}
  %r:3 = attn.partial %q, %q, %q at(%x, %x, %x, %x) init(%t, %t, %a) width(16) ranges[2](%x, %x, %x) scale(1.0)
      : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<4xf32>, tensor<4xf32>, tensor<4x8xf32>
  return
}

// -----

// add_sink_c1
func.func @negative_add_sink_one_part(%x: index, %t: tensor<4xf32>) {
  // expected-error@below {{'init' must have 2 or 3 parts, got 1}}
  %r = attn.add_sink %t at(%x, %x, %x) sink (%b, %h, %i) {
    %zero = arith.constant 0.0 : f32
    attn.yield %zero : f32
  } : tensor<4xf32>
  return
}

// -----

// add_sink_c1
func.func @negative_add_sink_rows(%x: index, %t: tensor<4xf32>, %l: tensor<5xf32>) {
  // expected-error@below {{'init' part 1 must be a tensor of rank 1 of 'f32' with 4 rows, got 'tensor<5xf32>'}}
  %r:2 = attn.add_sink %t, %l at(%x, %x, %x) sink (%b, %h, %i) {
    %zero = arith.constant 0.0 : f32
    attn.yield %zero : f32
  } : tensor<4xf32>, tensor<5xf32>
  return
}

// -----

// add_sink_c1
func.func @negative_add_sink_integer(%x: index, %t: tensor<4xi32>) {
  // expected-error@below {{'init' must have element type f32 or f64, got 'i32'}}
  %r:2 = attn.add_sink %t, %t at(%x, %x, %x) sink (%b, %h, %i) {
    %zero = arith.constant 0 : i32
    attn.yield %zero : i32
  } : tensor<4xi32>, tensor<4xi32>
  return
}

// -----

// partial_c6
func.func @negative_add_sink_result_types(%x: index, %t: tensor<4xf32>) {
  // expected-error@below {{'init' and results must have the same types}}
  %r:2 = "attn.add_sink"(%t, %t, %x, %x, %x) <{operandSegmentSizes = array<i32: 2, 1, 1, 1>}> ({
    ^bb0(%b: index, %h: index, %i: index):
      %zero = arith.constant 0.0 : f32
      attn.yield %zero : f32
  }) : (tensor<4xf32>, tensor<4xf32>, index, index, index) -> (tensor<4xf32>, tensor<5xf32>)
  return
}

// -----

// add_sink_c2
func.func @negative_add_sink_no_region(%x: index, %t: tensor<4xf32>) {
  // expected-error@below {{region 'sink' must not be empty}}
  %r:2 = "attn.add_sink"(%t, %t, %x, %x, %x) <{operandSegmentSizes = array<i32: 2, 1, 1, 1>}> ({}) : (tensor<4xf32>, tensor<4xf32>, index, index, index) -> (tensor<4xf32>, tensor<4xf32>)
  return
}

// -----

// finish_c1
func.func @negative_finish_four_parts(%t: tensor<4xf32>, %a: tensor<4x8xf32>) {
  // expected-error@below {{'state' must have 1 to 3 parts, got 4}}
  %o = attn.finish %t, %t, %t, %a : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4x8xf32> -> tensor<4x8xbf16>
  return
}

// -----

// finish_c5
func.func @negative_finish_lse_of_sum(%l: tensor<4xf32>, %a: tensor<4x8xf32>) {
  // expected-error@below {{'lse' needs a reference and a sum, got a state of 2 parts}}
  %o, %lse = attn.finish %l, %a : tensor<4xf32>, tensor<4x8xf32> -> tensor<4x8xbf16>, tensor<4xf32>
  return
}
