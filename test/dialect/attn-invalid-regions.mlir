// RUN: attn-opt %s --split-input-file --verify-diagnostics

// Every rule of the regions of attn ops, broken once; the label before a
// function is that of the rule in docs/spec.md.

// regions_c1
func.func @negative_score_arguments_missing(%q: tensor<1x2x4x8xf32>) {
  // expected-error@below {{region 'score' takes 5 arguments, got 4}}
  %o = attn.attend %q, %q, %q
      score (%s: f32, %b, %h, %i) {
        attn.yield %s : f32
      } : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// regions_c1
func.func @negative_mask_arguments_too_many(%q: tensor<1x2x4x8xf32>) {
  // expected-error@below {{region 'mask' takes 4 arguments, got 5}}
  %o = attn.attend %q, %q, %q
      mask (%b, %h, %i, %j, %k) {
        %t = arith.constant true
        attn.yield %t : i1
      } : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// regions_c1
func.func @negative_score_argument_f64(%q: tensor<1x2x4x8xf32>) {
  // expected-error@below {{region 'score' argument 0 must be 'f32', got 'f64'}}
  %o = attn.attend %q, %q, %q
      score (%s: f64, %b, %h, %i, %j) {
        attn.yield %s : f64
      } : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// regions_c1
func.func @negative_query_argument_size(%q: tensor<1x2x4x8xf32>) {
  // expected-error@below {{region 'query' argument 0 must be 'tensor<8xf32>', got 'tensor<4xf32>'}}
  %o = attn.attend %q, %q, %q
      query (%x: tensor<4xf32>, %b, %h, %n) {
        attn.yield %x : tensor<4xf32>
      } : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// regions_c1
func.func @negative_rows_argument_i64(%q: tensor<1x2x4x8xf32>) {
  // expected-error@below {{region 'rows' argument 3 must be 'index', got 'i64'}}
  %y = attn.map_rows %q rows (%x: tensor<8xf32>, %b, %h, %n: i64) {
    attn.yield %x : tensor<8xf32>
  } : tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// regions_c2
func.func @negative_rows_two_blocks(%q: tensor<1x2x4x8xf32>) {
  // expected-error@below {{expects region #0 to have 0 or 1 blocks}}
  %y = attn.map_rows %q rows (%x: tensor<8xf32>, %b, %h, %n) {
    cf.br ^next
  ^next:
    attn.yield %x : tensor<8xf32>
  } : tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// regions_c2
func.func @negative_rows_no_op(%q: tensor<1x2x4x8xf32>) {
  // expected-error@below {{expects a non-empty block}}
  %y = attn.map_rows %q rows (%x: tensor<8xf32>, %b, %h, %n) {
  } : tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// regions_c2
func.func @negative_score_no_terminator(%q: tensor<1x2x4x8xf32>) {
  %o = attn.attend %q, %q, %q
      score (%s: f32, %b, %h, %i, %j) {
        // expected-error@below {{block with no terminator}}
        %t = arith.addf %s, %s : f32
      } : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// regions_c2
func.func @negative_score_other_terminator(%q: tensor<1x2x4x8xf32>) {
  // expected-error@below {{region 'score' cannot hold 'llvm.unreachable'}}
  %o = attn.attend %q, %q, %q
      score (%s: f32, %b, %h, %i, %j) {
        // expected-note@below {{the op is here}}
        llvm.unreachable
      } : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// regions_c3
func.func @negative_score_clamp(%q: tensor<1x2x4x8xf32>) {
  // expected-error@below {{region 'score' cannot hold 'math.clampf', whose definition is ambiguous; write arith.maximumf and arith.minimumf}}
  %o = attn.attend %q, %q, %q
      score (%s: f32, %b, %h, %i, %j) {
        %t = math.clampf %s to [%s, %s] : f32
        attn.yield %t : f32
      } : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// regions_c3
func.func @negative_score_memory(%q: tensor<1x2x4x8xf32>, %m: memref<?xf32>) {
  // expected-error@below {{region 'score' cannot hold 'memref.load'; expected elementwise arith and math with one result, tensor.extract and tensor.dim of captures}}
  %o = attn.attend %q, %q, %q
      score (%s: f32, %b, %h, %i, %j) {
        // expected-note@below {{the op is here}}
        %t = memref.load %m[%i] : memref<?xf32>
        attn.yield %t : f32
      } : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// regions_c3
func.func @negative_score_two_results(%q: tensor<1x2x4x8xf32>) {
  // expected-error@below {{region 'score' cannot hold 'arith.mulsi_extended'}}
  %o = attn.attend %q, %q, %q
      score (%s: f32, %b, %h, %i, %j) {
        %k = arith.constant 3 : i32
        // expected-note@below {{the op is here}}
        %lo, %hi = arith.mulsi_extended %k, %k : i32
        attn.yield %s : f32
      } : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// regions_c3
func.func @negative_score_slice(%q: tensor<1x2x4x8xf32>, %c: tensor<8xf32>) {
  // expected-error@below {{region 'score' cannot hold 'tensor.extract_slice'}}
  %o = attn.attend %q, %q, %q
      score (%s: f32, %b, %h, %i, %j) {
        // expected-note@below {{the op is here}}
        %t = tensor.extract_slice %c[0] [4] [1] : tensor<8xf32> to tensor<4xf32>
        attn.yield %s : f32
      } : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// regions_c3
func.func @negative_mask_loop(%q: tensor<1x2x4x8xf32>) {
  // expected-error@below {{region 'mask' cannot hold 'scf.if'}}
  %o = attn.attend %q, %q, %q
      mask (%b, %h, %i, %j) {
        %t = arith.constant true
        // expected-note@below {{the op is here}}
        scf.if %t {
        }
        attn.yield %t : i1
      } : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// regions_c3
func.func @negative_rows_reduction(%q: tensor<1x2x4x8xf32>) {
  // expected-error@below {{region 'rows' cannot hold 'tensor.insert'; expected elementwise arith and math with one result, tensor.extract and tensor.dim of captures, tensor.extract_slice, tensor.concat, tensor.splat, attn.reduce_row, attn.contract_row}}
  %y = attn.map_rows %q rows (%x: tensor<8xf32>, %b, %h, %n) {
    %z = arith.constant 0.0 : f32
    // expected-note@below {{the op is here}}
    %y = tensor.insert %z into %x[%n] : tensor<8xf32>
    attn.yield %y : tensor<8xf32>
  } : tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// regions_c4
func.func @negative_slice_rank_2(%q: tensor<1x2x4x8xf32>, %c: tensor<?x8xf32>) {
  %y = attn.map_rows %q rows (%x: tensor<8xf32>, %b, %h, %n) {
    // expected-error@below {{in region 'rows' must take consecutive elements of the last dimension, sizes 1 before it and strides 1, got result 'tensor<1x8xf32>'}}
    %y = tensor.extract_slice %c[%n, 0] [1, 8] [1, 1] : tensor<?x8xf32> to tensor<1x8xf32>
    attn.yield %x : tensor<8xf32>
  } : tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// regions_c4
func.func @negative_slice_stride_2(%q: tensor<1x2x4x8xf32>) {
  %y = attn.map_rows %q rows (%x: tensor<8xf32>, %b, %h, %n) {
    // expected-error@below {{must take consecutive elements of the last dimension}}
    %y = tensor.extract_slice %x[0] [4] [2] : tensor<8xf32> to tensor<4xf32>
    attn.yield %x : tensor<8xf32>
  } : tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// regions_c4
func.func @negative_slice_column(%q: tensor<1x2x4x8xf32>, %c: tensor<4x?xf32>) {
  %y = attn.map_rows %q rows (%x: tensor<8xf32>, %b, %h, %n) {
    // expected-error@below {{must take consecutive elements of the last dimension}}
    %y = tensor.extract_slice %c[0, %n] [4, 1] [1, 1] : tensor<4x?xf32> to tensor<4xf32>
    attn.yield %x : tensor<8xf32>
  } : tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// regions_c4
func.func @negative_slice_dynamic_size(%q: tensor<1x2x4x8xf32>, %c: tensor<?xf32>) {
  %y = attn.map_rows %q rows (%x: tensor<8xf32>, %b, %h, %n) {
    // expected-error@below {{must take consecutive elements of the last dimension}}
    %y = tensor.extract_slice %c[0] [%n] [1] : tensor<?xf32> to tensor<?xf32>
    attn.yield %x : tensor<8xf32>
  } : tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// regions_c5
func.func @negative_constant_not_splat(%q: tensor<1x2x4x8xf32>) {
  %y = attn.map_rows %q rows (%x: tensor<8xf32>, %b, %h, %n) {
    // expected-error@below {{'arith.constant' op in region 'rows' must have the same element everywhere, got a dense constant; pass it as a captured tensor}}
    %c = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
    attn.yield %x : tensor<8xf32>
  } : tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// regions_c5
func.func @negative_constant_resource(%q: tensor<1x2x4x8xf32>) {
  %y = attn.map_rows %q rows (%x: tensor<8xf32>, %b, %h, %n) {
    // expected-error@below {{must have the same element everywhere, got a dense constant; pass it as a captured tensor}}
    %c = arith.constant dense_resource<table> : tensor<2xf32>
    attn.yield %x : tensor<8xf32>
  } : tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

{-#
  dialect_resources: {
    builtin: {
      table: "0x040000000000803f0000803f"
    }
  }
#-}

// -----

// regions_c6
func.func @negative_extract_of_own_vector(%q: tensor<1x2x4x8xf32>) {
  %y = attn.map_rows %q rows (%x: tensor<8xf32>, %b, %h, %n) {
    // expected-error@below {{'tensor.extract' op in region 'rows' must read a captured tensor, got one that the region computes}}
    %e = tensor.extract %x[%n] : tensor<8xf32>
    attn.yield %x : tensor<8xf32>
  } : tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// regions_c6
func.func @negative_dim_of_own_vector(%q: tensor<1x2x4x8xf32>) {
  %y = attn.map_rows %q rows (%x: tensor<8xf32>, %b, %h, %n) {
    %c0 = arith.constant 0 : index
    // expected-error@below {{'tensor.dim' op in region 'rows' must read a captured tensor, got one that the region computes}}
    %d = tensor.dim %x, %c0 : tensor<8xf32>
    attn.yield %x : tensor<8xf32>
  } : tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// regions_c7
func.func @negative_captured_operand(%q: tensor<1x2x4x8xf32>, %c: tensor<1x8xf32>) {
  %y = attn.map_rows %q rows (%x: tensor<8xf32>, %b, %h, %n) {
    // expected-error@below {{'arith.addf' op in region 'rows' cannot use a captured tensor as a whole; expected what tensor.extract, tensor.extract_slice or tensor.dim read of it, got 'tensor<1x8xf32>'}}
    %y = arith.addf %c, %c : tensor<1x8xf32>
    attn.yield %x : tensor<8xf32>
  } : tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// regions_c7
func.func @negative_captured_dynamic(%q: tensor<1x2x4x8xf32>, %c: tensor<?xf32>) {
  %y = attn.map_rows %q rows (%x: tensor<8xf32>, %b, %h, %n) {
    // expected-error@below {{'arith.addf' op in region 'rows' cannot use a captured tensor as a whole}}
    %y = arith.addf %c, %c : tensor<?xf32>
    attn.yield %x : tensor<8xf32>
  } : tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// regions_c7
func.func @negative_captured_vector_in_mask(%q: tensor<1x2x4x8xf32>, %c: tensor<8xi1>) {
  %o = attn.attend %q, %q, %q mask (%b, %h, %i, %j) {
    // expected-error@below {{'arith.andi' op in region 'mask' cannot use a captured tensor as a whole}}
    %y = arith.andi %c, %c : tensor<8xi1>
    %t = arith.constant true
    attn.yield %t : i1
  } : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// regions_c7
func.func @negative_captured_yield(%q: tensor<1x2x4x8xf32>, %c: tensor<1x8xf32>) {
  %y = attn.map_rows %q rows (%x: tensor<8xf32>, %b, %h, %n) {
    // expected-error@below {{'attn.yield' op in region 'rows' cannot use a captured tensor as a whole}}
    attn.yield %c : tensor<1x8xf32>
  } : tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// regions_c7
func.func @negative_captured_concat(%q: tensor<1x2x4x8xf32>, %c: tensor<1x4xf32>) {
  %y = attn.map_rows %q rows (%x: tensor<8xf32>, %b, %h, %n) {
    // expected-error@below {{'tensor.concat' op in region 'rows' cannot use a captured tensor as a whole}}
    %w = tensor.concat dim(1) %c, %c : (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<1x8xf32>
    attn.yield %x : tensor<8xf32>
  } : tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// regions_c8
func.func @negative_slice_dynamic_offset(%q: tensor<1x2x4x8xf32>) {
  %y = attn.map_rows %q rows (%x: tensor<8xf32>, %b, %h, %n) {
    // expected-error@below {{'tensor.extract_slice' op in region 'rows' must take a part of a vector from a constant offset, got one that is computed}}
    %y = tensor.extract_slice %x[%n] [4] [1] : tensor<8xf32> to tensor<4xf32>
    attn.yield %x : tensor<8xf32>
  } : tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// regions_c8
func.func @negative_slice_out_of_bounds(%q: tensor<1x2x4x8xf32>) {
  %y = attn.map_rows %q rows (%x: tensor<8xf32>, %b, %h, %n) {
    // expected-error@below {{slice along dimension 0 runs out-of-bounds: 11 >= 8}}
    %y = tensor.extract_slice %x[4] [8] [1] : tensor<8xf32> to tensor<8xf32>
    attn.yield %y : tensor<8xf32>
  } : tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// regions_c9
func.func @negative_dim_too_large(%q: tensor<1x2x4x8xf32>, %c: tensor<?xf32>) {
  %o = attn.attend %q, %q, %q
      score (%s: f32, %b, %h, %i, %j) {
        %c1 = arith.constant 1 : index
        // expected-error@below {{'tensor.dim' op in region 'score' must take a constant dimension below the rank 1, got 1}}
        %d = tensor.dim %c, %c1 : tensor<?xf32>
        attn.yield %s : f32
      } : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// regions_c9
func.func @negative_dim_computed(%q: tensor<1x2x4x8xf32>, %c: tensor<?xf32>) {
  %o = attn.attend %q, %q, %q
      score (%s: f32, %b, %h, %i, %j) {
        // expected-error@below {{'tensor.dim' op in region 'score' must take a constant dimension below the rank 1, got one that is computed}}
        %d = tensor.dim %c, %j : tensor<?xf32>
        attn.yield %s : f32
      } : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// regions_c10
func.func @negative_score_i128(%q: tensor<1x2x4x8xf32>) {
  %o = attn.attend %q, %q, %q
      score (%s: f32, %b, %h, %i, %j) {
        // expected-error@below {{'arith.constant' op in region 'score' must compute a scalar of index, i1 to i64, f16, bf16, f32 or f64, got 'i128'}}
        %w = arith.constant 1 : i128
        attn.yield %s : f32
      } : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// regions_c10
func.func @negative_score_f8(%q: tensor<1x2x4x8xf32>) {
  %o = attn.attend %q, %q, %q
      score (%s: f32, %b, %h, %i, %j) {
        // expected-error@below {{'arith.truncf' op in region 'score' must compute a scalar of index, i1 to i64, f16, bf16, f32 or f64, got 'f8E4M3FN'}}
        %w = arith.truncf %s : f32 to f8E4M3FN
        attn.yield %s : f32
      } : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// regions_c10
func.func @negative_score_vector(%q: tensor<1x2x4x8xf32>) {
  %o = attn.attend %q, %q, %q
      score (%s: f32, %b, %h, %i, %j) {
        // expected-error@below {{'arith.constant' op in region 'score' must compute a scalar of index, i1 to i64, f16, bf16, f32 or f64, got 'tensor<4xf32>'}}
        %w = arith.constant dense<1.0> : tensor<4xf32>
        attn.yield %s : f32
      } : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// regions_c10
func.func @negative_score_builtin_vector(%q: tensor<1x2x4x8xf32>) {
  %o = attn.attend %q, %q, %q
      score (%s: f32, %b, %h, %i, %j) {
        // expected-error@below {{must compute a scalar of index, i1 to i64, f16, bf16, f32 or f64, got 'vector<4xf32>'}}
        %w = arith.constant dense<1.0> : vector<4xf32>
        attn.yield %s : f32
      } : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// regions_c10
func.func @negative_rows_matrix(%q: tensor<1x2x4x8xf32>) {
  %y = attn.map_rows %q rows (%x: tensor<8xf32>, %b, %h, %n) {
    %z = arith.constant 0.0 : f32
    // expected-error@below {{'tensor.splat' op in region 'rows' must compute a scalar or a vector of static size of index, i1 to i64, f16, bf16, f32 or f64, got 'tensor<2x4xf32>'}}
    %w = tensor.splat %z : tensor<2x4xf32>
    attn.yield %x : tensor<8xf32>
  } : tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// regions_c10
func.func @negative_rows_dynamic(%q: tensor<1x2x4x8xf32>) {
  %y = attn.map_rows %q rows (%x: tensor<8xf32>, %b, %h, %n) {
    %z = arith.constant 0.0 : f32
    // expected-error@below {{must compute a scalar or a vector of static size of index, i1 to i64, f16, bf16, f32 or f64, got 'tensor<?xf32>'}}
    %w = tensor.splat %z[%n] : tensor<?xf32>
    attn.yield %x : tensor<8xf32>
  } : tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// regions_c10
func.func @negative_rows_empty_vector(%q: tensor<1x2x4x8xf32>) {
  %y = attn.map_rows %q rows (%x: tensor<8xf32>, %b, %h, %n) {
    // expected-error@below {{must compute a scalar or a vector of static size of index, i1 to i64, f16, bf16, f32 or f64, got 'tensor<0xf32>'}}
    %w = tensor.extract_slice %x[0] [0] [1] : tensor<8xf32> to tensor<0xf32>
    attn.yield %x : tensor<8xf32>
  } : tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// regions_c10
func.func @negative_concat_dimension(%q: tensor<1x2x4x8xf32>) {
  %y = attn.map_rows %q rows (%x: tensor<8xf32>, %b, %h, %n) {
    // expected-error@below {{concatenation dim must be less than the tensor rank}}
    %w = tensor.concat dim(1) %x, %x : (tensor<8xf32>, tensor<8xf32>) -> tensor<16xf32>
    attn.yield %x : tensor<8xf32>
  } : tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// regions_c11
func.func @negative_capture_i128(%q: tensor<1x2x4x8xf32>, %c: i128) {
  %o = attn.attend %q, %q, %q
      score (%s: f32, %b, %h, %i, %j) {
        // expected-error@below {{'arith.addi' op in region 'score' can capture scalars and ranked tensors of index, i1 to i64, f16, bf16, f32 or f64, got 'i128'}}
        %w = arith.addi %c, %c : i128
        attn.yield %s : f32
      } : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// regions_c11
func.func @negative_capture_memref(%q: tensor<1x2x4x8xf32>, %c: memref<4xf32>) {
  %o = attn.attend %q, %q, %q
      score (%s: f32, %b, %h, %i, %j) {
        %t = arith.constant true
        // expected-error@below {{'arith.select' op in region 'score' can capture scalars and ranked tensors of index, i1 to i64, f16, bf16, f32 or f64, got 'memref<4xf32>'}}
        %w = arith.select %t, %c, %c : memref<4xf32>
        attn.yield %s : f32
      } : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// regions_c11
func.func @negative_capture_complex_tensor(%q: tensor<1x2x4x8xf32>, %c: tensor<?xcomplex<f32>>) {
  %o = attn.attend %q, %q, %q
      score (%s: f32, %b, %h, %i, %j) {
        // expected-error@below {{'tensor.extract' op in region 'score' can capture scalars and ranked tensors of index, i1 to i64, f16, bf16, f32 or f64, got 'tensor<?xcomplex<f32>>'}}
        %w = tensor.extract %c[%i] : tensor<?xcomplex<f32>>
        attn.yield %s : f32
      } : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// regions_c11
func.func @negative_capture_unranked(%q: tensor<1x2x4x8xf32>, %c: tensor<*xf32>) {
  %o = attn.attend %q, %q, %q
      score (%s: f32, %b, %h, %i, %j) {
        %c0 = arith.constant 0 : index
        // expected-error@below {{'tensor.dim' op in region 'score' can capture scalars and ranked tensors of index, i1 to i64, f16, bf16, f32 or f64, got 'tensor<*xf32>'}}
        %w = tensor.dim %c, %c0 : tensor<*xf32>
        attn.yield %s : f32
      } : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// regions_c12
func.func @negative_score_yields_index(%q: tensor<1x2x4x8xf32>) {
  // expected-error@below {{region 'score' must yield 'f32', got 'index'}}
  %o = attn.attend %q, %q, %q
      score (%s: f32, %b, %h, %i, %j) {
        attn.yield %i : index
      } : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// regions_c12
func.func @negative_mask_yields_i8(%q: tensor<1x2x4x8xf32>) {
  // expected-error@below {{region 'mask' must yield 'i1', got 'i8'}}
  %o = attn.attend %q, %q, %q
      mask (%b, %h, %i, %j) {
        %t = arith.constant 1 : i8
        attn.yield %t : i8
      } : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// regions_c12
func.func @negative_rows_yields_scalar(%q: tensor<1x2x4x8xf32>) {
  // expected-error@below {{region 'rows' must yield a vector of static size of 'f32', got 'f32'}}
  %y = attn.map_rows %q rows (%x: tensor<8xf32>, %b, %h, %n) {
    %t = attn.reduce_row sum %x : tensor<8xf32>
    attn.yield %t : f32
  } : tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// regions_c12
func.func @negative_rows_yields_f16(%q: tensor<1x2x4x8xf32>) {
  // expected-error@below {{region 'rows' must yield a vector of static size of 'f32', got 'tensor<8xf16>'}}
  %y = attn.map_rows %q rows (%x: tensor<8xf32>, %b, %h, %n) {
    %t = arith.truncf %x : tensor<8xf32> to tensor<8xf16>
    attn.yield %t : tensor<8xf16>
  } : tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// regions_c1
func.func @negative_prob_arguments(%q: tensor<1x2x4x8xf32>) {
  // expected-error@below {{region 'prob' takes 5 arguments, got 4}}
  %o = attn.attend %q, %q, %q
      prob (%p: f32, %b, %h, %i) {
        attn.yield %p : f32
      } : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// regions_c1
func.func @negative_sink_of_pair(%q: tensor<1x2x4x8xf32>) {
  // expected-error@below {{region 'sink' takes 3 arguments, got 4}}
  %o = attn.attend %q, %q, %q
      sink (%b, %h, %i, %j) {
        %zero = arith.constant 0.0 : f32
        attn.yield %zero : f32
      } : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// The weights of f64 operands are f64.
// regions_c1
func.func @negative_prob_of_f32_in_f64(%q: tensor<1x2x4x8xf64>) {
  // expected-error@below {{region 'prob' argument 0 must be 'f64', got 'f32'}}
  %o = attn.attend %q, %q, %q
      prob (%p: f32, %b, %h, %i, %j) {
        attn.yield %p : f32
      } : tensor<1x2x4x8xf64>, tensor<1x2x4x8xf64>, tensor<1x2x4x8xf64> -> tensor<1x2x4x8xf64>
  return
}

// -----

// regions_c3
func.func @negative_row_random(%q: tensor<1x2x4x8xf32>, %seed: i64) {
  // expected-error@below {{region 'query' cannot hold 'attn.random'; expected elementwise arith and math with one result, tensor.extract and tensor.dim of captures, tensor.extract_slice, tensor.concat, tensor.splat, attn.reduce_row, attn.contract_row}}
  %o = attn.attend %q, %q, %q
      query (%x: tensor<8xf32>, %b, %h, %n) {
        // expected-note@below {{the op is here}}
        %u = attn.random %seed at(%n) : f32
        %y = tensor.splat %u : tensor<8xf32>
        attn.yield %y : tensor<8xf32>
      } : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// regions_c3
func.func @negative_prob_memory(%q: tensor<1x2x4x8xf32>, %m: memref<?xf32>) {
  // expected-error@below {{region 'prob' cannot hold 'memref.load'; expected elementwise arith and math with one result, tensor.extract and tensor.dim of captures, attn.random}}
  %o = attn.attend %q, %q, %q
      prob (%p: f32, %b, %h, %i, %j) {
        // expected-note@below {{the op is here}}
        %t = memref.load %m[%i] : memref<?xf32>
        attn.yield %t : f32
      } : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// regions_c12
func.func @negative_prob_yields_bool(%q: tensor<1x2x4x8xf32>) {
  // expected-error@below {{region 'prob' must yield 'f32', got 'i1'}}
  %o = attn.attend %q, %q, %q
      prob (%p: f32, %b, %h, %i, %j) {
        %keep = arith.constant true
        attn.yield %keep : i1
      } : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// regions_c12
func.func @negative_sink_yields_f64(%q: tensor<1x2x4x8xf32>) {
  // expected-error@below {{region 'sink' must yield 'f32', got 'f64'}}
  %o = attn.attend %q, %q, %q
      sink (%b, %h, %i) {
        %zero = arith.constant 0.0 : f64
        attn.yield %zero : f64
      } : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// regions_c12
func.func @negative_mask_yields_two_values(%q: tensor<1x2x4x8xf32>) {
  // expected-error@below {{region 'mask' must yield 1 value, got 2}}
  %o = attn.attend %q, %q, %q
      mask (%b, %h, %i, %j) {
        %t = arith.constant true
        attn.yield %t, %t : i1, i1
      } : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// regions_c12
func.func @negative_keys_yields_two_values(%q: tensor<1x2x4x8xf32>) {
  // expected-error@below {{region 'keys' must yield 4 values, got 2}}
  %o = attn.attend %q, %q, %q
      keys (%b, %h, %first, %last) {
        attn.yield %first, %last : index, index
      } : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// regions_c12
func.func @negative_keys_yields_bit(%q: tensor<1x2x4x8xf32>) {
  // expected-error@below {{region 'keys' must yield 4 values of 'index', got 'i1'}}
  %o = attn.attend %q, %q, %q
      keys (%b, %h, %first, %last) {
        %t = arith.constant true
        attn.yield %first, %last, %first, %t : index, index, index, i1
      } : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// regions_c13
func.func @negative_keys_reads_float(%q: tensor<1x2x4x8xf32>, %lengths: tensor<1xf32>) {
  // expected-error@below {{region 'keys' cannot hold 'tensor.extract'; expected arith on indices and integers, tensor.dim, and tensor.extract of integers}}
  %o = attn.attend %q, %q, %q
      keys (%b, %h, %first, %last) {
        // expected-note@below {{the op is here}}
        %end = tensor.extract %lengths[%b] : tensor<1xf32>
        attn.yield %first, %last, %first, %first : index, index, index, index
      } : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// regions_c1
func.func @negative_keys_three_arguments(%q: tensor<1x2x4x8xf32>) {
  // expected-error@below {{region 'keys' takes 4 arguments, got 3}}
  %o = attn.attend %q, %q, %q
      keys (%h, %first, %last) {
        attn.yield %first, %last, %first, %first : index, index, index, index
      } : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// regions_c7
func.func @negative_contract_captured_rows(%q: tensor<1x2x4x8xf32>, %w: tensor<8x8xf32>) {
  %y = attn.map_rows %q rows (%x: tensor<8xf32>, %b, %h, %n) {
    // expected-error@below {{in region 'rows' cannot use a captured tensor as a whole}}
    %z = arith.addf %w, %w : tensor<8x8xf32>
    attn.yield %x : tensor<8xf32>
  } : tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// regions_c14
func.func @negative_contract_matrix_of_row(%q: tensor<1x2x4x8xf32>, %w: tensor<?x8x8xf32>) {
  %two = arith.constant 2 : index
  %y = attn.map_rows %q rows (%x: tensor<8xf32>, %b, %h, %n) {
    %half = arith.divui %n, %two : index
    %which = arith.addi %half, %h : index
    // expected-error@below {{in region 'rows' must take the same matrix for all rows of a head; its indices cannot depend on argument 3}}
    %z = attn.contract_row %x, %w[%which] : tensor<8xf32>, tensor<?x8x8xf32> -> tensor<8xf32>
    attn.yield %z : tensor<8xf32>
  } : tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// regions_c14
func.func @negative_contract_matrix_of_vector(%q: tensor<1x2x4x8xf32>, %w: tensor<?x8x8xf32>) {
  %y = attn.map_rows %q rows (%x: tensor<8xf32>, %b, %h, %n) {
    %largest = attn.reduce_row max %x : tensor<8xf32>
    %integer = arith.fptosi %largest : f32 to i32
    %which = arith.index_cast %integer : i32 to index
    // expected-error@below {{indices cannot depend on argument 0}}
    %z = attn.contract_row %x, %w[%which] : tensor<8xf32>, tensor<?x8x8xf32> -> tensor<8xf32>
    attn.yield %z : tensor<8xf32>
  } : tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}
