// RUN: attn-opt %s --split-input-file --verify-diagnostics

// Errors of the parser: what a person who writes a spec by hand gets wrong.

func.func @negative_region_twice(%q: tensor<1x2x4x8xf32>) {
  %o = attn.attend %q, %q, %q
      mask (%b, %h, %i, %j) {
        %keep = arith.cmpi sge, %i, %j : index
        attn.yield %keep : i1
      }
  // expected-error@below {{region 'mask' is given twice}}
      mask (%b, %h, %i, %j) {
        %keep = arith.constant true
        attn.yield %keep : i1
      } : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

func.func @negative_region_unknown(%q: tensor<1x2x4x8xf32>) {
  %o = attn.attend %q, %q, %q
  // expected-error@below {{expected region 'query', 'key', 'value', 'score', 'mask', 'keys', 'prob' or 'sink', got 'bias'}}
      bias (%s: f32, %b, %h, %i, %j) { attn.yield %s : f32 } : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

func.func @negative_clause_after_region(%q: tensor<1x2x4x8xf32>) {
  %o = attn.attend %q, %q, %q
      value (%x: tensor<8xf32>, %b, %h, %n) { attn.yield %x : tensor<8xf32> }
  // expected-error@below {{clause 'scale' is given twice or too late; expected clauses in the order mix_scores, mix_weights, scale, alignment, normalizer, precision, max_queries, schedule, and regions behind them}}
      scale(1.0) : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

func.func @negative_region_without_arguments(%q: tensor<1x2x4x8xf32>) {
  %o = attn.attend %q, %q, %q
  // expected-error@below {{expected '('}}
      mask { attn.yield %q : i1 } : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

func.func @negative_region_argument_number(%q: tensor<1x2x4x8xf32>) {
  %o = attn.attend %q, %q, %q
  // expected-error@below {{expected SSA operand}}
      mask (b, h, i, j) { attn.yield %q : i1 } : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

func.func @negative_region_argument_type(%q: tensor<1x2x4x8xf32>) {
  %o = attn.attend %q, %q, %q
  // expected-error@below {{expected non-function type}}
      score (%s: , %b, %h, %i, %j) { attn.yield %s : f32 } : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

func.func @negative_region_without_body(%q: tensor<1x2x4x8xf32>) {
  %o = attn.attend %q, %q, %q
  // expected-error@below {{expected '{' to begin a region}}
      mask (%b, %h, %i, %j) : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

func.func @negative_yield_without_type(%q: tensor<1x2x4x8xf32>) {
  %o = attn.attend %q, %q, %q
      mask (%b, %h, %i, %j) {
        // expected-error@below {{expected ':'}}
        attn.yield %b
      } : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

func.func @negative_scale_not_number(%q: tensor<1x2x4x8xf32>) {
  // expected-error@below {{expected attribute value}}
  %o = attn.attend %q, %q, %q scale(large) : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

func.func @negative_alignment_unknown(%q: tensor<1x2x4x8xf32>) {
  // expected-error@below {{expected string or keyword containing one of the following enum values for attribute 'alignment' [start, end]}}
  %o = attn.attend %q, %q, %q alignment(middle) : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

func.func @negative_schedule_incomplete(%q: tensor<1x2x4x8xf32>) {
  // expected-error@below {{struct is missing required parameter: block_k}}
  %o = attn.attend %q, %q, %q schedule(<block_q = 16>) : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

func.func @negative_schedule_misspelt(%q: tensor<1x2x4x8xf32>) {
  // expected-error@below {{duplicate or unknown struct parameter name: block_m}}
  %o = attn.attend %q, %q, %q schedule(<block_m = 16, block_k = 16>) : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

func.func @negative_attend_operands(%q: tensor<1x2x4x8xf32>) {
  // expected-error@below {{expected ','}}
  %o = attn.attend %q, %q : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

func.func @negative_attend_results(%q: tensor<1x2x4x8xf32>) {
  // expected-error@below {{expected '->'}}
  %o = attn.attend %q, %q, %q : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>
  return
}

// -----

func.func @negative_map_rows_without_region(%q: tensor<1x2x4x8xf32>) {
  // expected-error@below {{expected 'rows'}}
  %y = attn.map_rows %q : tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

func.func @negative_map_rows_misnamed_region(%q: tensor<1x2x4x8xf32>) {
  // expected-error@below {{expected 'rows'}}
  %y = attn.map_rows %q query (%x: tensor<8xf32>, %b, %h, %n) {
    attn.yield %x : tensor<8xf32>
  } : tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

func.func @negative_reduce_row_kind(%q: tensor<1x2x4x8xf32>) {
  %y = attn.map_rows %q rows (%x: tensor<8xf32>, %b, %h, %n) {
  // expected-error@below {{expected string or keyword containing one of the following enum values for attribute 'kind' [sum, max]}}
    %s = attn.reduce_row min %x : tensor<8xf32>
    attn.yield %x : tensor<8xf32>
  } : tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

func.func @negative_reduce_row_unranked(%q: tensor<1x2x4x8xf32>) {
  // expected-error@below {{invalid kind of type specified: expected builtin.tensor, but found 'tensor<*xf32>'}}
  %s = attn.reduce_row sum %q : tensor<*xf32>
  return
}

// -----

func.func @negative_splat_arrow(%q: tensor<1x2x4x8xf32>) {
  %x = arith.constant 0.0 : f32
  // expected-error@below {{expected '->'}}
  %t = tile.splat %x : f32
  return
}

// -----

func.func @negative_broadcast_along(%q: tensor<1x2x4x8xf32>) {
  // expected-error@below {{expected attribute value}}
  %t = tile.broadcast %q along first : tensor<4xf32> -> tensor<4x8xf32>
  return
}

// -----

func.func @negative_dynamic_tile(%q: tensor<1x2x4x8xf32>) {
  %i = arith.constant 0 : index
  // expected-error@below {{must be statically shaped tensor}}
  %t = tile.iota %i along 0 : tensor<?xindex>
  return
}

// -----

// The name is used in one region and defined in another.
func.func @negative_value_used_outside(%q: tensor<1x2x4x8xf32>) {
  %o = attn.attend %q, %q, %q
      score (%s: f32, %b, %h, %i, %j) {
        %t = arith.select %keep, %s, %s : f32
        attn.yield %t : f32
      }
      // expected-error@below {{region defines a value that an op outside of it uses}}
      mask (%b, %h, %i, %j) {
        %keep = arith.cmpi sge, %i, %j : index
        attn.yield %keep : i1
      } : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

func.func @negative_precision_half(%q: tensor<1x2x4x8xf32>) {
  // expected-error@below {{expected string or keyword containing one of the following enum values for attribute 'precision' [ieee, tf32]}}
  %o = attn.attend %q, %q, %q precision(half) : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}
