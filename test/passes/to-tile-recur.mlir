// RUN: attn-opt %s --attn-split-blocks --attn-to-tile --canonicalize --cse --attn-verify-tile --split-input-file | FileCheck %s

// Decays of tokens: their products within the chunk, before and after a token, and
// of all. The chunk is stored within the loop, the state after it.
// CHECK-LABEL: func.func @per_token
// CHECK-SAME: %[[Q:[a-z0-9]+]]: memref<?x?x?x8xf32{{.*}}, %[[K:[a-z0-9]+]]: memref<{{.*}}, %[[V:[a-z0-9]+]]: memref<{{.*}}, %[[G:[a-z0-9]+]]: memref<?x?x?xf32{{.*}}, %[[O:[a-z0-9]+]]: memref<{{.*}}, %[[HT:[a-z0-9]+]]: memref<
// CHECK: scf.forall (%[[B:.*]], %[[H:.*]]) in
// CHECK: %[[END:.*]] = scf.for %[[T:.*]] = %c0 to %{{.*}} step %c32 iter_args(%[[S:.*]] = %{{.*}}) -> (tensor<16x12xf32>)
// CHECK-DAG: %[[GATE:.*]] = tile.load %[[G]][%[[B]], %[[H]], %[[T]]] : {{.*}} -> tensor<32xf32>
// CHECK-DAG: %[[Q0:.*]] = tile.load %[[Q]][%[[B]], %{{.*}}, %[[T]], %c0] : {{.*}} -> tensor<32x16xf32>
// CHECK-DAG: %[[V0:.*]] = tile.load %[[V]][%[[B]], %[[H]], %[[T]], %c0] : {{.*}} -> tensor<32x12xf32>
// CHECK-DAG: %[[K0:.*]] = tile.load %[[K]][%[[B]], %{{.*}}, %[[T]], %c0] : {{.*}} -> tensor<32x16xf32>
// CHECK-DAG: %[[BEFORE:.*]] = tile.scan add %[[GATE]] : tensor<32xf32>
// CHECK-DAG: %[[READ:.*]] = tile.dot %[[Q0]], %[[S]], %{{.*}} : tensor<32x16xf32>, tensor<16x12xf32> -> tensor<32x12xf32>
// CHECK-DAG: %[[PAIRS:.*]] = tile.dot %[[Q0]], %[[K0]], %{{.*}} transpose_rhs
// CHECK-DAG: %[[SUMS:.*]] = tile.scan add %{{.*}} : tensor<32x32xf32>
// CHECK-DAG: %[[W0:.*]] = arith.mulf %[[PAIRS]], %{{.*}}
// CHECK-DAG: %[[W:.*]] = arith.select %{{.*}}, %[[W0]], %{{.*}} : tensor<32x32xi1>
// CHECK-DAG: %[[NUM:.*]] = tile.dot %[[W]], %[[V0]], %{{.*}} : tensor<32x32xf32>, tensor<32x12xf32>
// CHECK-DAG: %[[AFTER:.*]] = tile.scan add %[[GATE]] reverse exclusive
// CHECK-DAG: %[[TOTAL:.*]] = tile.reduce add %{{.*}} along 0 : tensor<32x16xf32> -> tensor<16xf32>
// CHECK-DAG: %[[NEXT:.*]] = tile.dot %{{.*}}, %[[V0]], %{{.*}} transpose_lhs : tensor<32x16xf32>, tensor<32x12xf32> -> tensor<16x12xf32>
// CHECK: tile.store %[[NUM]], %[[O]][%[[B]], %[[H]], %[[T]], %c0]
// CHECK: scf.yield %[[NEXT]]
// CHECK: tile.store %[[END]], %[[HT]][%[[B]], %[[H]], %c0, %c0]
func.func @per_token(%q: tensor<?x?x?x8xf32>, %k: tensor<?x?x?x8xf32>, %v: tensor<?x?x?x12xf32>, %g: tensor<?x?x?xf32>) -> (tensor<?x?x?x12xf32>, tensor<?x?x8x12xf32>) {
  %o, %s = attn.recur %q, %k, %v gate(%g : tensor<?x?x?xf32>) schedule(<block_q = 32, block_k = 12>)
      : tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>, tensor<?x?x?x12xf32> -> tensor<?x?x?x12xf32>, tensor<?x?x8x12xf32>
  return %o, %s : tensor<?x?x?x12xf32>, tensor<?x?x8x12xf32>
}

// -----

// Decays of channels are within the sums. Tied keys are what does not decay.
// CHECK-LABEL: func.func @per_channel
// CHECK: %[[A:.*]] = math.exp2 %{{.*}} : tensor<16x16xf32>
// CHECK: %[[W:.*]] = arith.subf %{{.*}}, %[[A]] : tensor<16x16xf32>
// CHECK: tile.scan add %{{.*}} exclusive : tensor<16x16xf32>
// CHECK: %[[BEFORE:.*]] = math.exp2
// CHECK: %[[READ:.*]] = arith.mulf %{{.*}}, %[[BEFORE]]
// CHECK: tile.dot %[[READ]], %{{.*}}
// CHECK: %[[PAIRS:.*]] = tile.decay_dot %{{.*}}, %[[W]], %[[A]], %{{.*}} strict : tensor<16x16xf32> -> tensor<16x16xf32>
// CHECK: tile.dot %[[PAIRS]]
// CHECK: tile.reduce add %{{.*}}, %{{.*}} along 0
func.func @per_channel(%q: tensor<?x?x?x16xf32>, %v: tensor<?x?x?x12xf32>, %g: tensor<?x?x?x16xf32>) -> tensor<?x?x?x12xf32> {
  %o = attn.recur %q, %v gate(%g : tensor<?x?x?x16xf32>) write(tied) read(before) schedule(<block_q = 16, block_k = 12>)
      : tensor<?x?x?x16xf32>, tensor<?x?x?x12xf32> -> tensor<?x?x?x12xf32>
  return %o : tensor<?x?x?x12xf32>
}

// -----

// The sums of the first sweep lie in a buffer of their own.
// CHECK-LABEL: func.func @both_sides
// CHECK: %[[SUMS:.*]] = memref.alloc({{.*}}) : memref<?x?x?x8xf32>
// CHECK: scf.forall
// CHECK: scf.for
// CHECK: tile.store %{{.*}}, %[[SUMS]]
// CHECK: scf.for
// CHECK: tile.load %[[SUMS]]
// CHECK: memref.dealloc %[[SUMS]]
func.func @both_sides(%q: tensor<?x?x?x8xf32>, %g: tensor<?xf32>) -> tensor<?x?x?x8xf32> {
  %o = attn.recur %q, %q, %q gate(%g : tensor<?xf32>) order(bidirectional) schedule(<block_q = 32, block_k = 8>)
      : tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32> -> tensor<?x?x?x8xf32>
  return %o : tensor<?x?x?x8xf32>
}

// -----

// Sums over tokens leave out those that do not exist; sums over heads go from
// head to head.
// CHECK-LABEL: func.func @sums
// CHECK: scf.forall
// CHECK: scf.for {{.*}} iter_args(%[[S:.*]] = %{{.*}}) -> (tensor<16xf32>)
// CHECK:   %[[KEPT:.*]] = arith.select
// CHECK:   tile.reduce add %[[KEPT]], %[[S]] along 0 : tensor<32x16xf32> -> tensor<16xf32>
// CHECK: tile.store %{{.*}} : tensor<16xf32>
// CHECK: scf.forall
// CHECK: scf.for {{.*}} -> (tensor<32x16xf32>)
// CHECK:   arith.maxnumf
// CHECK: tile.store %{{.*}} : tensor<32x16xf32>
func.func @sums(%x: tensor<?x?x?x16xf32>) -> (tensor<?x?x16xf32>, tensor<?x?x16xf32>) {
  %s = attn.reduce sum %x over(tokens) : tensor<?x?x?x16xf32> -> tensor<?x?x16xf32>
  %m = attn.reduce max %x over(heads) : tensor<?x?x?x16xf32> -> tensor<?x?x16xf32>
  return %s, %m : tensor<?x?x16xf32>, tensor<?x?x16xf32>
}

// -----

// The views of a segment end with it; so do the rows that are stored. Rows of no
// segment are stored as 0.
// CHECK-LABEL: func.func @segments
// CHECK-SAME: %[[Q:[a-z0-9]+]]: memref<1x2x?x8xf32{{.*}}, %[[C:[a-z0-9]+]]: memref<?xi64{{.*}}, %[[O:[a-z0-9]+]]: memref<
// CHECK: scf.forall (%[[S:.*]], %[[H:.*]]) in
// CHECK: %[[GIVEN:.*]] = tile.gather %[[C]]{{.*}} -> i64
// CHECK: %[[OFFSET:.*]] = arith.index_cast %[[GIVEN]] : i64 to index
// CHECK: %[[AT_LEAST:.*]] = arith.maxsi %[[OFFSET]], %c0
// CHECK: %[[FIRST:.*]] = arith.minsi %[[AT_LEAST]], %[[N:.*]]
// CHECK: tile.gather %[[C]]
// CHECK: %[[END:.*]] = arith.minsi %{{.*}}, %[[N]]
// CHECK: %[[ROWS:.*]] = memref.subview %[[Q]][0, 0, 0, 0] [1, 2, %{{.*}}, 8]
// CHECK: %[[OUT:.*]] = memref.subview %[[O]][0, 0, 0, 0] [1, 2, %{{.*}}, 8]
// CHECK: scf.for
// CHECK: tile.load %[[ROWS]]
// CHECK: tile.store %{{.*}}, %[[OUT]]
// CHECK: scf.for
// CHECK: tile.store %{{.*}}, %[[O]]
func.func @segments(%q: tensor<1x2x?x8xf32>, %c: tensor<?xi64>) -> tensor<1x2x?x8xf32> {
  %o = attn.recur %q, %q, %q segments(%c : tensor<?xi64>) schedule(<block_q = 32, block_k = 8>)
      : tensor<1x2x?x8xf32>, tensor<1x2x?x8xf32>, tensor<1x2x?x8xf32> -> tensor<1x2x?x8xf32>
  return %o : tensor<1x2x?x8xf32>
}
