// RUN: attn-opt %s --attn-verify-tile --split-input-file --verify-diagnostics

#view = strided<[?, 1], offset: ?>
func.func @accepted(%x: memref<?x8xf32, #view>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.forall (%i) in (%n) {
    %t = tile.load %x[%i, %c0] : memref<?x8xf32, #view> -> tensor<4x8xf32>
    %r = scf.for %j = %c0 to %n step %c1 iter_args(%a = %t) -> tensor<4x8xf32> {
      %e = math.exp2 %a : tensor<4x8xf32>
      scf.yield %e : tensor<4x8xf32>
    }
    tile.store %r, %x[%i, %c0] : tensor<4x8xf32>, memref<?x8xf32, #view>
  }
  return
}

// -----

// expected-error @+1 {{a tile program takes views, not tensors, got 'tensor<?x8xf32>'}}
func.func @negative_tensor_argument(%x: tensor<?x8xf32>) {
  return
}

// -----

func.func @negative_foreign_op(%x: memref<?xf32>, %v: f32, %i: index) {
  // expected-error @+1 {{not part of a tile program: 'memref.store'}}
  memref.store %v, %x[%i] : memref<?xf32>
  return
}

// -----

// What runs blocks may read what they have computed; blocks read tiles.
func.func @negative_load_in_block(%x: memref<?xi32>, %n: index) {
  %c0 = arith.constant 0 : index
  %v = memref.load %x[%c0] : memref<?xi32>
  scf.forall (%i) in (%n) {
    // expected-error @+1 {{blocks of a tile program read tiles, not elements of memory: expected 'tile.gather', got 'memref.load'}}
    %w = memref.load %x[%i] : memref<?xi32>
  }
  return
}

// -----

func.func @negative_attn_op(%a: memref<?xf32>) {
  %x = arith.constant dense<0.0> : tensor<1x1x4x8xf32>
  // expected-error @+1 {{not part of a tile program: 'attn.attend'}}
  %o = attn.attend %x, %x, %x : tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32> -> tensor<1x1x4x8xf32>
  return
}

// -----

func.func @negative_open_shape(%n: index, %t: index) {
  %c0 = arith.constant 0 : index
  // expected-error @+1 {{not part of a tile program: 'tensor.empty'}}
  %e = tensor.empty(%n) : tensor<?xf32>
  return
}

// -----

func.func @negative_yielding_blocks(%n: index) {
  %e = arith.constant dense<0.0> : tensor<4xf32>
  // expected-error @+1 {{blocks of a tile program store their results, they do not yield them}}
  %r = scf.forall (%i) in (%n) shared_outs(%o = %e) -> tensor<4xf32> {
    scf.forall.in_parallel {
    }
  }
  return
}

// -----

func.func @negative_blocks_of_rows(%x: memref<4x8xf32>) {
  %c0 = arith.constant 0 : index
  %t = tile.load %x[%c0, %c0] : memref<4x8xf32> -> tensor<4x8xf32>
  // expected-error @+1 {{expected no 'within' in a tile program: back ends introduce it}}
  %s = tile.scan mul %t within 2 : tensor<4x8xf32>
  return
}

// -----

func.func @negative_pairs_of_blocks(%x: memref<4x8xf32>) {
  %c0 = arith.constant 0 : index
  %t = tile.load %x[%c0, %c0] : memref<4x8xf32> -> tensor<4x8xf32>
  // expected-error @+1 {{expected no 'across' in a tile program: back ends introduce it}}
  %s = tile.scan mul %t across 2 : tensor<4x8xf32>
  return
}
