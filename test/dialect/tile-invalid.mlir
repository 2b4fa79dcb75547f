// RUN: attn-opt %s --split-input-file --verify-diagnostics

// Every rule of the ops of the tile dialect, broken once; the label before a
// function is that of the rule in docs/spec.md. Rules of tile programs as a
// whole: test/passes/verify-tile.mlir.

// access_c1
func.func @negative_load_offsets(%m: memref<?x8xf32, strided<[?, 1], offset: ?>>, %i: index) {
  // expected-error@below {{needs one offset per dimension of 'view', expected 2, got 1}}
  %t = tile.load %m[%i] : memref<?x8xf32, strided<[?, 1], offset: ?>> -> tensor<8xf32>
  return
}

// -----

// access_c1
func.func @negative_store_offsets(%t: tensor<4x8xf32>, %m: memref<?x8xf32, strided<[?, 1], offset: ?>>, %i: index) {
  // expected-error@below {{needs one offset per dimension of 'view', expected 2, got 3}}
  tile.store %t, %m[%i, %i, %i] : tensor<4x8xf32>, memref<?x8xf32, strided<[?, 1], offset: ?>>
  return
}

// -----

// access_c2
func.func @negative_load_rank_3(%m: memref<?x?x?x8xf32, strided<[?, ?, ?, 1], offset: ?>>, %i: index) {
  // expected-error@below {{tile must have rank 1 or 2 and at most that of 'view', got 'tensor<2x4x8xf32>' and}}
  %t = tile.load %m[%i, %i, %i, %i] : memref<?x?x?x8xf32, strided<[?, ?, ?, 1], offset: ?>> -> tensor<2x4x8xf32>
  return
}

// -----

// access_c2
func.func @negative_load_rank_above_view(%m: memref<?xf32>, %i: index) {
  // expected-error@below {{tile must have rank 1 or 2 and at most that of 'view', got 'tensor<4x8xf32>' and 'memref<?xf32>'}}
  %t = tile.load %m[%i] : memref<?xf32> -> tensor<4x8xf32>
  return
}

// -----

// access_c2
func.func @negative_store_rank_0(%t: tensor<f32>, %m: memref<?x8xf32, strided<[?, 1], offset: ?>>, %i: index) {
  // expected-error@below {{tile must have rank 1 or 2 and at most that of 'view', got 'tensor<f32>' and}}
  tile.store %t, %m[%i, %i] : tensor<f32>, memref<?x8xf32, strided<[?, 1], offset: ?>>
  return
}

// -----

// access_c3
func.func @negative_load_element(%m: memref<?x8xf32, strided<[?, 1], offset: ?>>, %i: index) {
  // expected-error@below {{tile and 'view' must have the same element type, got 'f16' and 'f32'}}
  %t = tile.load %m[%i, %i] : memref<?x8xf32, strided<[?, 1], offset: ?>> -> tensor<4x8xf16>
  return
}

// -----

// access_c3
func.func @negative_store_element(%t: tensor<4x8xf64>, %m: memref<?x8xf32, strided<[?, 1], offset: ?>>, %i: index) {
  // expected-error@below {{tile and 'view' must have the same element type, got 'f64' and 'f32'}}
  tile.store %t, %m[%i, %i] : tensor<4x8xf64>, memref<?x8xf32, strided<[?, 1], offset: ?>>
  return
}

// -----

// access_c4
func.func @negative_load_column_major(%m: memref<?x8xf32, strided<[1, ?]>>, %i: index) {
  // expected-error@below {{the last dimension of 'view' must have stride 1, got 'memref<?x8xf32, strided<[1, ?]>>'}}
  %t = tile.load %m[%i, %i] : memref<?x8xf32, strided<[1, ?]>> -> tensor<4x8xf32>
  return
}

// -----

// access_c4
func.func @negative_gather_dynamic_stride(%m: memref<?xf32, strided<[?]>>, %i: index) {
  // expected-error@below {{the last dimension of 'view' must have stride 1, got 'memref<?xf32, strided<[?]>>'}}
  %t = tile.gather %m[%i : index] : memref<?xf32, strided<[?]>> -> f32
  return
}

// -----

// write_c1
func.func @negative_write_indices(%x: f32, %m: memref<?x8xf32, strided<[?, 1], offset: ?>>, %i: index) {
  // expected-error@below {{needs one index per dimension of 'view', expected 2, got 1}}
  tile.write %x, %m[%i] : memref<?x8xf32, strided<[?, 1], offset: ?>>
  return
}

// -----

// gather_c1
func.func @negative_gather_indices(%m: memref<?x8xf32, strided<[?, 1], offset: ?>>, %i: index) {
  // expected-error@below {{needs one index per dimension of 'view', expected 2, got 1}}
  %t = tile.gather %m[%i : index] : memref<?x8xf32, strided<[?, 1], offset: ?>> -> f32
  return
}

// -----

// gather_c2
func.func @negative_gather_shapes(%m: memref<?x8xf32, strided<[?, 1], offset: ?>>, %i: index, %j: tensor<4xindex>) {
  // expected-error@below {{index tiles must be of index and have the shape of the result, 'tensor<4x8xf32>', got 'tensor<4xindex>'}}
  %t = tile.gather %m[%i, %j : index, tensor<4xindex>] : memref<?x8xf32, strided<[?, 1], offset: ?>> -> tensor<4x8xf32>
  return
}

// -----

// gather_c2
func.func @negative_gather_i32(%m: memref<?x8xf32, strided<[?, 1], offset: ?>>, %i: index, %j: tensor<4xi32>) {
  // expected-error@below {{index tiles must be of index and have the shape of the result, 'tensor<4xf32>', got 'tensor<4xi32>'}}
  %t = tile.gather %m[%i, %j : index, tensor<4xi32>] : memref<?x8xf32, strided<[?, 1], offset: ?>> -> tensor<4xf32>
  return
}

// -----

// gather_c2
func.func @negative_gather_scalar_result(%m: memref<?x8xf32, strided<[?, 1], offset: ?>>, %i: index, %j: tensor<4xindex>) {
  // expected-error@below {{index tiles must be of index and have the shape of the result, 'f32', got 'tensor<4xindex>'}}
  %t = tile.gather %m[%i, %j : index, tensor<4xindex>] : memref<?x8xf32, strided<[?, 1], offset: ?>> -> f32
  return
}

// -----

// gather_c3
func.func @negative_gather_element(%m: memref<?x8xf32, strided<[?, 1], offset: ?>>, %i: index) {
  // expected-error@below {{result must have the element type of 'view', expected 'f32', got 'f16'}}
  %t = tile.gather %m[%i, %i : index, index] : memref<?x8xf32, strided<[?, 1], offset: ?>> -> f16
  return
}

// -----

// gather_c4
func.func @negative_gather_scalar_indices(%m: memref<?x8xf32, strided<[?, 1], offset: ?>>, %i: index) {
  // expected-error@below {{with scalar indices must have a scalar result, got 'tensor<4xf32>'}}
  %t = tile.gather %m[%i, %i : index, index] : memref<?x8xf32, strided<[?, 1], offset: ?>> -> tensor<4xf32>
  return
}

// -----

// tile_c1
func.func @negative_gather_rank_3(%m: memref<?xf32>, %j: tensor<2x2x2xindex>) {
  // expected-error@below {{result must be a tile of rank 1 or 2, got 'tensor<2x2x2xf32>'}}
  %t = tile.gather %m[%j : tensor<2x2x2xindex>] : memref<?xf32> -> tensor<2x2x2xf32>
  return
}

// -----

// tile_c1
func.func @negative_splat_rank_0(%x: f32) {
  // expected-error@below {{result must be a tile of rank 1 or 2, got 'tensor<f32>'}}
  %t = tile.splat %x : f32 -> tensor<f32>
  return
}

// -----

// tile_c1
func.func @negative_iota_rank_3(%x: index) {
  // expected-error@below {{result must be a tile of rank 1 or 2, got 'tensor<2x2x2xindex>'}}
  %t = tile.iota %x along 2 : tensor<2x2x2xindex>
  return
}

// -----

// splat_c1
func.func @negative_splat_element(%x: f16) {
  // expected-error@below {{'scalar' must have the element type of the result, expected 'f32', got 'f16'}}
  %t = tile.splat %x : f16 -> tensor<4xf32>
  return
}

// -----

// iota_c1
func.func @negative_iota_element(%x: index) {
  // expected-error@below {{result must be an index tile with a dimension 0, got 'tensor<4xi32>'}}
  %t = tile.iota %x along 0 : tensor<4xi32>
  return
}

// -----

// iota_c1
func.func @negative_iota_along(%x: index) {
  // expected-error@below {{result must be an index tile with a dimension 1, got 'tensor<4xindex>'}}
  %t = tile.iota %x along 1 : tensor<4xindex>
  return
}

// -----

// iota_c1
func.func @negative_iota_negative(%x: index) {
  // expected-error@below {{result must be an index tile with a dimension -1, got 'tensor<4xindex>'}}
  %t = tile.iota %x along -1 : tensor<4xindex>
  return
}

// -----

// broadcast_c1
func.func @negative_broadcast_size(%x: tensor<4xf32>) {
  // expected-error@below {{must repeat a vector along dimension 0 or 1, got 'tensor<4xf32>' along 0 to 'tensor<4x8xf32>'}}
  %t = tile.broadcast %x along 0 : tensor<4xf32> -> tensor<4x8xf32>
  return
}

// -----

// broadcast_c1
func.func @negative_broadcast_along_2(%x: tensor<4xf32>) {
  // expected-error@below {{must repeat a vector along dimension 0 or 1, got 'tensor<4xf32>' along 2 to 'tensor<4x8xf32>'}}
  %t = tile.broadcast %x along 2 : tensor<4xf32> -> tensor<4x8xf32>
  return
}

// -----

// broadcast_c1
func.func @negative_broadcast_element(%x: tensor<4xf16>) {
  // expected-error@below {{must repeat a vector along dimension 0 or 1, got 'tensor<4xf16>' along 1 to 'tensor<4x8xf32>'}}
  %t = tile.broadcast %x along 1 : tensor<4xf16> -> tensor<4x8xf32>
  return
}

// -----

// slice_c1
func.func @negative_slice_start(%x: tensor<4x8xf32>) {
  // expected-error@below {{must take columns of its operand, got 'tensor<4x4xf32>' from 5 of 'tensor<4x8xf32>'}}
  %t = tile.slice %x from 5 : tensor<4x8xf32> -> tensor<4x4xf32>
  return
}

// -----

// slice_c1
func.func @negative_slice_start_largest(%x: tensor<4x8xf32>) {
  // expected-error@below {{got 'tensor<4x4xf32>' from 9223372036854775807 of 'tensor<4x8xf32>'}}
  %t = tile.slice %x from 9223372036854775807 : tensor<4x8xf32> -> tensor<4x4xf32>
  return
}

// -----

// slice_c1
func.func @negative_slice_negative(%x: tensor<4x8xf32>) {
  // expected-error@below {{got 'tensor<4x4xf32>' from -1 of 'tensor<4x8xf32>'}}
  %t = tile.slice %x from -1 : tensor<4x8xf32> -> tensor<4x4xf32>
  return
}

// -----

// slice_c1
func.func @negative_slice_rows(%x: tensor<4x8xf32>) {
  // expected-error@below {{got 'tensor<3x4xf32>' from 0 of 'tensor<4x8xf32>'}}
  %t = tile.slice %x from 0 : tensor<4x8xf32> -> tensor<3x4xf32>
  return
}

// -----

// concat_c1
func.func @negative_concat_rows(%x: tensor<4x4xf32>, %y: tensor<3x4xf32>) {
  // expected-error@below {{operands must be tiles with the rows and the element type of the result, 'tensor<4x8xf32>', got 'tensor<3x4xf32>'}}
  %t = tile.concat %x, %y : tensor<4x4xf32>, tensor<3x4xf32> -> tensor<4x8xf32>
  return
}

// -----

// concat_c1
func.func @negative_concat_rank_0(%x: tensor<4x4xf32>) {
  // expected-error@below {{operands must be tiles with the rows and the element type of the result, 'tensor<f32>', got 'tensor<4x4xf32>'}}
  %t = tile.concat %x : tensor<4x4xf32> -> tensor<f32>
  return
}

// -----

// concat_c2
func.func @negative_concat_columns(%x: tensor<4x4xf32>) {
  // expected-error@below {{operands must have as many columns as the result, expected 9, got 8}}
  %t = tile.concat %x, %x : tensor<4x4xf32>, tensor<4x4xf32> -> tensor<4x9xf32>
  return
}

// -----

// concat_c3
func.func @negative_concat_nothing() {
  // expected-error@below {{needs at least one operand}}
  %t = "tile.concat"() : () -> tensor<f32>
  return
}

// -----

// dot_c1
func.func @negative_dot_rank_1(%a: tensor<8xf32>, %b: tensor<8x4xf32>, %c: tensor<4x4xf32>) {
  // expected-error@below {{operands must have rank 2, got 'tensor<8xf32>', 'tensor<8x4xf32>' and 'tensor<4x4xf32>'}}
  %t = tile.dot %a, %b, %c : tensor<8xf32>, tensor<8x4xf32> -> tensor<4x4xf32>
  return
}

// -----

// dot_c2
func.func @negative_dot_mixed(%a: tensor<4x8xf16>, %b: tensor<8x4xbf16>, %c: tensor<4x4xf32>) {
  // expected-error@below {{operands must have one floating-point type, or 'lhs' and 'rhs' f16 or bf16 and 'init' f32, got 'f16', 'bf16' and 'f32'}}
  %t = tile.dot %a, %b, %c : tensor<4x8xf16>, tensor<8x4xbf16> -> tensor<4x4xf32>
  return
}

// -----

// dot_c2
func.func @negative_dot_integer(%a: tensor<4x8xi32>, %b: tensor<8x4xi32>, %c: tensor<4x4xi32>) {
  // expected-error@below {{operands must have one floating-point type, or 'lhs' and 'rhs' f16 or bf16 and 'init' f32, got 'i32', 'i32' and 'i32'}}
  %t = tile.dot %a, %b, %c : tensor<4x8xi32>, tensor<8x4xi32> -> tensor<4x4xi32>
  return
}

// -----

// dot_c3
func.func @negative_dot_depth(%a: tensor<4x8xf32>, %b: tensor<6x4xf32>, %c: tensor<4x4xf32>) {
  // expected-error@below {{'lhs' and 'rhs' must have the same depth, got 8 and 6}}
  %t = tile.dot %a, %b, %c : tensor<4x8xf32>, tensor<6x4xf32> -> tensor<4x4xf32>
  return
}

// -----

// dot_c3
func.func @negative_dot_depth_transposed(%a: tensor<4x8xf32>, %b: tensor<8x4xf32>, %c: tensor<4x8xf32>) {
  // expected-error@below {{'lhs' and 'rhs' must have the same depth, got 8 and 4}}
  %t = tile.dot %a, %b, %c transpose_rhs : tensor<4x8xf32>, tensor<8x4xf32> -> tensor<4x8xf32>
  return
}

// -----

// dot_c4
func.func @negative_dot_init(%a: tensor<4x8xf32>, %b: tensor<8x6xf32>, %c: tensor<4x8xf32>) {
  // expected-error@below {{'init' must be 'tensor<4x6xf32>', got 'tensor<4x8xf32>'}}
  %t = tile.dot %a, %b, %c : tensor<4x8xf32>, tensor<8x6xf32> -> tensor<4x8xf32>
  return
}

// -----

// dot_c3
func.func @negative_dot_depth_of_columns(%a: tensor<4x8xf32>, %b: tensor<8x4xf32>, %c: tensor<8x4xf32>) {
  // expected-error@below {{'lhs' and 'rhs' must have the same depth, got 4 and 8}}
  %t = tile.dot %a, %b, %c transpose_lhs : tensor<4x8xf32>, tensor<8x4xf32> -> tensor<8x4xf32>
  return
}

// -----

// dot_c4
func.func @negative_dot_init_of_columns(%a: tensor<4x8xf32>, %b: tensor<4x6xf32>, %c: tensor<4x6xf32>) {
  // expected-error@below {{'init' must be 'tensor<8x6xf32>', got 'tensor<4x6xf32>'}}
  %t = tile.dot %a, %b, %c transpose_lhs : tensor<4x8xf32>, tensor<4x6xf32> -> tensor<4x6xf32>
  return
}

// -----

// decay_dot_c1
func.func @negative_decay_dot_rank(%a: tensor<8xf32>, %c: tensor<8x8xf32>) {
  // expected-error@below {{rows must be floating-point tiles of rank 2, got 'tensor<8xf32>'}}
  %t = tile.decay_dot %a, %a, %a, %c : tensor<8xf32> -> tensor<8x8xf32>
  return
}

// -----

// decay_dot_c1
func.func @negative_decay_dot_integer(%a: tensor<4x8xi32>, %c: tensor<4x4xi32>) {
  // expected-error@below {{rows must be floating-point tiles of rank 2, got 'tensor<4x8xi32>'}}
  %t = tile.decay_dot %a, %a, %a, %c : tensor<4x8xi32> -> tensor<4x4xi32>
  return
}

// -----

// decay_dot_c2
func.func @negative_decay_dot_init(%a: tensor<4x8xf32>, %c: tensor<4x8xf32>) {
  // expected-error@below {{'init' must be 'tensor<4x4xf32>', got 'tensor<4x8xf32>'}}
  %t = tile.decay_dot %a, %a, %a, %c strict : tensor<4x8xf32> -> tensor<4x8xf32>
  return
}

// -----

// decay_dot_c1
func.func @negative_decay_dot_element(%a: tensor<4x8xf32>, %b: tensor<4x8xf16>, %c: tensor<4x4xf32>) {
  // expected-error@below {{'lhs', 'rhs' and 'decay' must have one element type, or 'lhs' and 'rhs' f16 or bf16 and 'decay' f32, got 'f16', 'f32' and 'f32'}}
  %t = tile.decay_dot %b, %a, %a, %c : tensor<4x8xf16>, tensor<4x8xf32>, tensor<4x8xf32> -> tensor<4x4xf32>
  return
}

// -----

// decay_dot_c3
func.func @negative_decay_dot_within(%a: tensor<4x8xf32>, %c: tensor<4x4xf32>) {
  // expected-error@below {{'within' must divide the 4 rows of the tile, got 3}}
  %t = tile.decay_dot %a, %a, %a, %c within 3 : tensor<4x8xf32> -> tensor<4x4xf32>
  return
}

// -----

// dot_c5
func.func @negative_dot_between(%a: tensor<4x8xf32>, %c: tensor<4x4xf32>) {
  // expected-error@below {{twice 'between' must divide the 4 rows and 4 columns of 'init', got 4}}
  %t = tile.dot %a, %a, %c transpose_rhs between 4 : tensor<4x8xf32>, tensor<4x8xf32> -> tensor<4x4xf32>
  return
}

// -----

// dot_c6
func.func @negative_dot_precision_bf16(%a: tensor<4x8xbf16>, %c: tensor<4x4xf32>) {
  // expected-error@below {{'precision(tf32)' needs 'lhs' and 'rhs' of f32, got 'bf16'}}
  %t = tile.dot %a, %a, %c transpose_rhs precision(tf32) : tensor<4x8xbf16>, tensor<4x8xbf16> -> tensor<4x4xf32>
  return
}

// -----

// reduce_c1
func.func @negative_reduce_columns(%x: tensor<4x8xf32>, %z: tensor<4xf32>) {
  // expected-error@below {{must reduce the columns of a tile of rank 2 to a vector, got 'tensor<4x8xf32>' to 'tensor<4xf32>'}}
  %t = tile.reduce mul %x, %z along 0 : tensor<4x8xf32> -> tensor<4xf32>
  return
}

// -----

// reduce_c3
func.func @negative_reduce_along(%x: tensor<4x8xf32>, %z: tensor<4xf32>) {
  // expected-error@below {{'along' must be 0 or 1, got 2}}
  %t = tile.reduce add %x, %z along 2 : tensor<4x8xf32> -> tensor<4xf32>
  return
}

// -----

// scan_c1
func.func @negative_scan_integer(%x: tensor<4x8xi32>) {
  // expected-error@below {{needs a floating-point type, got 'i32'}}
  %t = tile.scan add %x : tensor<4x8xi32>
  return
}

// -----

// scan_c2
func.func @negative_scan_within(%x: tensor<4x8xf32>) {
  // expected-error@below {{'within' must divide the 4 rows of the tile, got 0}}
  %t = tile.scan add %x within 0 : tensor<4x8xf32>
  return
}

// -----

// scan_c3
func.func @negative_scan_across(%x: tensor<4x8xf32>) {
  // expected-error@below {{twice 'across' must divide the 4 rows of the tile, got 4}}
  %t = tile.scan add %x across 4 : tensor<4x8xf32>
  return
}

// -----

// scan_c3
func.func @negative_scan_within_across(%x: tensor<4x8xf32>) {
  // expected-error@below {{expected 'within' or 'across', got both, 4 and 2}}
  %t = tile.scan add %x within 4 across 2 : tensor<4x8xf32>
  return
}

// -----

// reduce_c1
func.func @negative_reduce_shape(%x: tensor<4x8xf32>, %z: tensor<8xf32>) {
  // expected-error@below {{must reduce the rows of a tile of rank 2 to a vector, got 'tensor<4x8xf32>' to 'tensor<8xf32>'}}
  %t = tile.reduce add %x, %z : tensor<4x8xf32> -> tensor<8xf32>
  return
}

// -----

// reduce_c1
func.func @negative_reduce_element(%x: tensor<4x8xf32>, %z: tensor<4xf64>) {
  // expected-error@below {{got 'tensor<4x8xf32>' to 'tensor<4xf64>'}}
  %t = tile.reduce max %x, %z : tensor<4x8xf32> -> tensor<4xf64>
  return
}

// -----

// reduce_c2
func.func @negative_reduce_integer(%x: tensor<4x8xi32>, %z: tensor<4xi32>) {
  // expected-error@below {{needs a floating-point type, got 'i32'}}
  %t = tile.reduce max %x, %z : tensor<4x8xi32> -> tensor<4xi32>
  return
}

// -----

// trim_c1
func.func @negative_trim_rank(%x: tensor<4xf32>, %i: index) {
  // expected-error@below {{needs a floating-point tile of rank 2, got 'tensor<4xf32>'}}
  %t = tile.trim add %x rows(2) ranges(%i, %i, %i, %i) : tensor<4xf32>
  return
}

// -----

// layout_c1
// expected-error@below {{'rows' and 'columns' must be powers of two and 'columns' at most 32, got 12 and 8}}
func.func @negative_registers_rows(%x: tensor<4x8xf32, #tile.registers<rows = 12, columns = 8, vector = 1>>)

// -----

// layout_c1
// expected-error@below {{'rows' and 'columns' must be powers of two and 'columns' at most 32, got 2 and 64}}
func.func @negative_registers_columns(%x: tensor<4x8xf32, #tile.registers<rows = 2, columns = 64, vector = 1>>)

// -----

// layout_c2
// expected-error@below {{'vector' must be 1, 2 or 4, got 8}}
func.func @negative_registers_vector(%x: tensor<4x8xf32, #tile.registers<rows = 16, columns = 8, vector = 8>>)

// -----

// layout_c3
// expected-error@below {{'along' must be 0 or 1, got 2}}
func.func @negative_slice_along(%x: tensor<4xf32, #tile.slice<along = 2, of = <rows = 16, columns = 8, vector = 1>>>)

// -----

// layout_c4
// expected-error@below {{'row' must be a multiple of 32 with 'swizzle', got 40}}
func.func @negative_shared_row(%x: tensor<4x8xf32, #tile.shared<row = 40, swizzle = true>>)

// -----

// layout_c4
// expected-error@below {{'row' must be a multiple of 4 without 'swizzle', got 34}}
func.func @negative_shared_padded_row(%x: tensor<4x8xf32, #tile.shared<row = 34, swizzle = false>>)

// -----

// layout_c6
// expected-error@below {{'stages' must be between 1 and 8, got 9}}
func.func @negative_shared_stages(%x: tensor<4x8xf32, #tile.shared<row = 32, swizzle = true, stages = 9>>)

// -----

// layout_c5
// expected-error@below {{'paired' needs a multiple of 8 'rows', got 4}}
func.func @negative_registers_paired(%x: tensor<4x8xf32, #tile.registers<rows = 4, columns = 4, vector = 2, paired = true>>)

// -----

// convert_layout_c1
func.func @negative_convert_layout_shape(%x: tensor<4x8xf32>) {
  // expected-error@below {{must keep shape and element type, got 'tensor<4x8xf32>' to 'tensor<8x4xf32>'}}
  %t = tile.convert_layout %x : tensor<4x8xf32> -> tensor<8x4xf32>
  return
}

// -----

// trim_c1
func.func @negative_trim_integers(%x: tensor<4x8xi32>, %i: index) {
  // expected-error@below {{needs a floating-point tile of rank 2, got 'tensor<4x8xi32>'}}
  %t = tile.trim add %x rows(4) ranges(%i, %i) : tensor<4x8xi32>
  return
}

// -----

// trim_c2
func.func @negative_trim_rows(%x: tensor<4x8xf32>, %i: index) {
  // expected-error@below {{'rows' must divide the 4 rows of the tile, got 3}}
  %t = tile.trim add %x rows(3) ranges(%i, %i) : tensor<4x8xf32>
  return
}

// -----

// trim_c3
func.func @negative_trim_ranges(%x: tensor<4x8xf32>, %i: index) {
  // expected-error@below {{'ranges' must have a begin and an end for each 2 rows, expected 4 bounds, got 2}}
  %t = tile.trim max %x rows(2) ranges(%i, %i) : tensor<4x8xf32>
  return
}

// -----

// convert_layout_c1
func.func @negative_convert_layout_element(%x: tensor<4x8xf32>) {
  // expected-error@below {{must keep shape and element type, got 'tensor<4x8xf32>' to 'tensor<4x8xf16>'}}
  %t = tile.convert_layout %x : tensor<4x8xf32> -> tensor<4x8xf16>
  return
}

// -----

// load_c1
func.func @negative_load_async_registers(%x: memref<?x8xf32>, %i: index) {
  // expected-error@below {{with 'async' must have a result in shared memory, got 'tensor<4x8xf32>'}}
  %t = tile.load %x[%i, %i] async : memref<?x8xf32> -> tensor<4x8xf32>
  return
}

// -----

// load_c2
func.func @negative_load_ring_without_stage(%x: memref<?x8xf32>, %i: index) {
  // expected-error@below {{must have a 'stage', with 'async', if and only if its result is a ring, got 'tensor<4x8xf32, #tile.shared<row = 32, swizzle = true, stages = 2>>'}}
  %t = tile.load %x[%i, %i] async : memref<?x8xf32> -> tensor<4x8xf32, #tile.shared<row = 32, swizzle = true, stages = 2>>
  return
}

// -----

// load_c2
func.func @negative_load_stage_without_ring(%x: memref<?x8xf32>, %i: index) {
  // expected-error@below {{must have a 'stage', with 'async', if and only if its result is a ring, got 'tensor<4x8xf32, #tile.shared<row = 32, swizzle = true>>'}}
  %t = tile.load %x[%i, %i] stage(%i) async : memref<?x8xf32> -> tensor<4x8xf32, #tile.shared<row = 32, swizzle = true>>
  return
}

// -----

// load_c3
func.func @negative_load_into_tile(%x: memref<?x8xf32>, %i: index, %t: tensor<4x8xf32, #tile.shared<row = 32, swizzle = true>>) {
  // expected-error@below {{'into' must be a ring of the type of the result, got 'tensor<4x8xf32, #tile.shared<row = 32, swizzle = true>>'}}
  %r = tile.load %x[%i, %i] stage(%i) into(%t : tensor<4x8xf32, #tile.shared<row = 32, swizzle = true>>) async : memref<?x8xf32> -> tensor<4x8xf32, #tile.shared<row = 32, swizzle = true, stages = 2>>
  return
}

// -----

// load_c4
func.func @negative_load_when_without_async(%x: memref<?x8xf32>, %i: index, %c: i1) {
  // expected-error@below {{with 'when' must have 'async': its result may be none}}
  %t = tile.load %x[%i, %i] when(%c) : memref<?x8xf32> -> tensor<4x8xf32, #tile.shared<row = 32, swizzle = true>>
  return
}

// -----

// await_c2
func.func @negative_await_pending(%x: tensor<4x8xf32, #tile.shared<row = 32, swizzle = true>>) {
  // expected-error@below {{'pending' must not be negative, got -1}}
  %t = tile.await %x pending -1 : tensor<4x8xf32, #tile.shared<row = 32, swizzle = true>>
  return
}

// -----

// await_c3
func.func @negative_await_ring(%x: tensor<4x8xf32, #tile.shared<row = 32, swizzle = true, stages = 2>>) {
  // expected-error@below {{must have a 'stage' if and only if 'value' is a ring, got 'tensor<4x8xf32, #tile.shared<row = 32, swizzle = true, stages = 2>>'}}
  %t = tile.await %x : tensor<4x8xf32, #tile.shared<row = 32, swizzle = true, stages = 2>>
  return
}

// -----

// await_c4
func.func @negative_await_result(%x: tensor<4x8xf32, #tile.shared<row = 32, swizzle = true, stages = 2>>, %i: index) {
  // expected-error@below {{must have the result 'tensor<4x8xf32, #tile.shared<row = 32, swizzle = true>>', got 'tensor<4x8xf32, #tile.shared<row = 32, swizzle = true, stages = 2>>'}}
  %t = tile.await %x stage(%i) : tensor<4x8xf32, #tile.shared<row = 32, swizzle = true, stages = 2>>
  return
}

// -----

// await_c1
func.func @negative_await_registers(%x: tensor<4x8xf32>) {
  // expected-error@below {{'value' must be in shared memory, got 'tensor<4x8xf32>'}}
  %t = tile.await %x : tensor<4x8xf32>
  return
}

// -----

// access_c5
func.func @negative_load_too_many_rows(%m: memref<?x8xf32, strided<[?, 1], offset: ?>>, %i: index, %r: tensor<4xindex>) {
  // expected-error@below {{'rows' must have at most the 1 dimensions of 'view' that rows can lie along, got 2}}
  %t = tile.load %m[%i, %i] rows(%r, %r : tensor<4xindex>, tensor<4xindex>) : memref<?x8xf32, strided<[?, 1], offset: ?>> -> tensor<4x8xf32>
  return
}

// -----

// access_c6
func.func @negative_load_row_count(%m: memref<?x8xf32, strided<[?, 1], offset: ?>>, %i: index, %r: tensor<8xindex>) {
  // expected-error@below {{'rows' must be vectors of 4 indices, one per row of the tile, got 'tensor<8xindex>'}}
  %t = tile.load %m[%i, %i] rows(%r : tensor<8xindex>) : memref<?x8xf32, strided<[?, 1], offset: ?>> -> tensor<4x8xf32>
  return
}

// -----

// access_c6
func.func @negative_store_row_element(%t: tensor<4x8xf32>, %m: memref<?x8xf32, strided<[?, 1], offset: ?>>, %i: index, %r: tensor<4xi32>) {
  // expected-error@below {{'rows' must be vectors of 4 indices, one per row of the tile, got 'tensor<4xi32>'}}
  tile.store %t, %m[%i, %i] rows(%r : tensor<4xi32>) : tensor<4x8xf32>, memref<?x8xf32, strided<[?, 1], offset: ?>>
  return
}
