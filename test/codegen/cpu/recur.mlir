// A chunk of a recurrence: it reads the state that the loop carries, stores its
// rows, and then updates the state in place.
//
// RUN: attn-opt %s --attn-cpu-block-registers --canonicalize --cse | FileCheck %s
// RUN: attn-opt %s --attn-cpu-block-registers="vector-bits=256 vector-registers=16" --canonicalize --cse | FileCheck %s --check-prefix=AVX2
// RUN: attn-run %s --target=cpu --func=decay_per_token --check
// RUN: attn-run %s --target=cpu --func=decay_per_channel --check
// RUN: attn-run %s --target=cpu --func=weights_of_columns --check

#rows = strided<[?, 1], offset: ?>
#flat = strided<[1], offset: ?>

// The state: strips of 32 rows, all columns. It is read, and replaced at the end.
// CHECK-LABEL: func.func @decay_per_token
// CHECK: %[[WRITTEN:.*]] = memref.alloca() {{.*}} : memref<32x32xf32>
// CHECK: %[[X:.*]] = memref.alloca() {{.*}} : memref<1x32x32xf32>
// CHECK: %[[STATE:.*]] = memref.alloca() {{.*}} : memref<1x16x32xf32>
// CHECK: scf.for %{{.*}} = %c0 to %{{.*}} step %c32 {
// Keys and values are read where they lie. Only queries are transposed.
// CHECK:   vector.shuffle
// CHECK:   memref.subview %{{.*}}[32, 32] [1, 1]
// CHECK:   %[[Z:.*]] = scf.if %{{.*}} -> (memref<32x16xf32
// CHECK:     memref.subview %{{.*}}[32, 16] [1, 1]
// Gates are computed by vectors, scanned one by one; keys are scaled by rows.
// CHECK:   math.exp2 %{{.*}} : vector<16xf32>
// CHECK:   scf.for
// CHECK:     arith.mulf %{{.*}} : f32
// CHECK:   scf.for
// CHECK:     arith.mulf %{{.*}} : f32
// CHECK:   scf.for
// CHECK:     vector.store %{{.*}}, %[[WRITTEN]]
// Decays between tokens: from the diagonal to the left, no exponential.
// CHECK:   scf.for %{{.*}} = %c0 to %c32 step %c8 {
// CHECK:     vector.create_mask
// CHECK-NOT: math.
// CHECK:     arith.select
// What is read: a vector of queries times elements of strips of the state.
// CHECK:   scf.for %{{.*}} = %c0 to %c16 step %c8 {
// CHECK:     scf.for %[[FEATURE:.*]] = %c0 to %c32 step %c1 iter_args
// CHECK:       vector.load %[[X]][%c0, %[[FEATURE]], %c0]
// CHECK:       memref.load %[[STATE]][%c0, %{{.*}}, %[[FEATURE]]]
// CHECK:       scf.yield
// It is read once, and rows are stored before it changes.
// CHECK-NOT: %[[STATE]]
// CHECK:   vector.store %{{.*}} : memref<?x16xf32
// The next state: vectors of rows of keys, nothing is transposed.
// CHECK:   scf.for %{{.*}} = %c0 to %c16 step %c8 {
// CHECK:     scf.for %[[TOKEN:.*]] = %c0 to %c32 step %c1 iter_args
// CHECK:       vector.load %[[WRITTEN]][%[[TOKEN]], %c0]
// CHECK:       vector.load %[[WRITTEN]][%[[TOKEN]], %c16]
// CHECK:       memref.load %[[Z]][%[[TOKEN]], %{{.*}}]
// CHECK:     %[[OLD:.*]] = vector.load %[[STATE]]
// CHECK:     vector.fma %[[OLD]],
// CHECK:     vector.store %{{.*}}, %[[STATE]]
// The last state, by rows.
// CHECK:   vector.shuffle
// CHECK:   vector.store %{{.*}} : memref<32x16xf32, strided

// 32 rows are two strips of two registers where three do not fit.
// AVX2-LABEL: func.func @decay_per_token
// AVX2: memref.alloca() {{.*}} : memref<2x16x16xf32>
// The second strip has columns in front of its diagonal, the first behind it.
// AVX2:   scf.for %{{.*}} = %[[FIRST:[^ ]*]] to %[[END:[^ ]*]] step %c4 {
// AVX2:     vector.create_mask
// AVX2:   scf.for %{{.*}} = %c0 to %[[FIRST]] step %c4 {
// AVX2-NOT: arith.select
// AVX2:   scf.for %{{.*}} = %[[END]] to %c32 step %c1 {
// AVX2-NOT: vector.fma
// AVX2:     vector.store %cst
func.func @decay_per_token(
    %q: memref<?x32xf32, #rows> {attn.name = "q", attn.dims = ["N", "K"]},
    %k: memref<?x32xf32, #rows> {attn.name = "k", attn.dims = ["N", "K"]},
    %v: memref<?x16xf32, #rows> {attn.name = "v", attn.dims = ["N", "V"]},
    %g: memref<?xf32, #flat> {attn.name = "g", attn.dims = ["N"], attn.fill = "decay"},
    %out: memref<?x16xf32, #rows> {attn.name = "out", attn.dims = ["N", "V"], attn.result},
    %ht: memref<32x16xf32, #rows> {attn.name = "ht", attn.dims = ["K", "V"], attn.result})
    attributes {attn.defaults = {N = 77}} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  %n = memref.dim %q, %c0 : memref<?x32xf32, #rows>
  %zero_cc = arith.constant dense<0.0> : tensor<32x32xf32>
  %zero_cv = arith.constant dense<0.0> : tensor<32x16xf32>
  %ones = arith.constant dense<1.0> : tensor<32x1xf32>
  %ones_k = arith.constant dense<1.0> : tensor<32xf32>
  scf.forall (%block) in (%c1) {
    %last = scf.for %t = %c0 to %n step %c32 iter_args(%state = %zero_cv) -> (tensor<32x16xf32>) {
      %x = tile.load %q[%t, %c0] : memref<?x32xf32, #rows> -> tensor<32x32xf32>
      %y = tile.load %k[%t, %c0] : memref<?x32xf32, #rows> -> tensor<32x32xf32>
      %z = tile.load %v[%t, %c0] : memref<?x16xf32, #rows> -> tensor<32x16xf32>
      %gate = tile.load %g[%t] : memref<?xf32, #flat> -> tensor<32xf32>
      %decay = math.exp2 %gate : tensor<32xf32>
      // Between tokens of the chunk.
      %column = tile.broadcast %decay along 1 : tensor<32xf32> -> tensor<32x1xf32>
      %decays = tile.decay_dot %ones, %ones, %column, %zero_cc : tensor<32x1xf32> -> tensor<32x32xf32>
      %products = tile.dot %x, %y, %zero_cc transpose_rhs : tensor<32x32xf32>, tensor<32x32xf32> -> tensor<32x32xf32>
      %pairs = arith.mulf %products, %decays : tensor<32x32xf32>
      // From the state.
      %before = tile.scan mul %decay : tensor<32xf32>
      %befores = tile.broadcast %before along 1 : tensor<32xf32> -> tensor<32x16xf32>
      %read = tile.dot %x, %state, %zero_cv : tensor<32x32xf32>, tensor<32x16xf32> -> tensor<32x16xf32>
      %decayed = arith.mulf %read, %befores : tensor<32x16xf32>
      %o = tile.dot %pairs, %z, %decayed : tensor<32x32xf32>, tensor<32x16xf32> -> tensor<32x16xf32>
      tile.store %o, %out[%t, %c0] : tensor<32x16xf32>, memref<?x16xf32, #rows>
      // The next state.
      %behind = tile.scan mul %decay reverse exclusive : tensor<32xf32>
      %behinds = tile.broadcast %behind along 1 : tensor<32xf32> -> tensor<32x32xf32>
      %written = arith.mulf %y, %behinds : tensor<32x32xf32>
      %all = tile.broadcast %decay along 1 : tensor<32xf32> -> tensor<32x32xf32>
      %kept = tile.reduce mul %all, %ones_k along 0 : tensor<32x32xf32> -> tensor<32xf32>
      %kepts = tile.broadcast %kept along 1 : tensor<32xf32> -> tensor<32x16xf32>
      %old = arith.mulf %state, %kepts : tensor<32x16xf32>
      %next = tile.dot %written, %z, %old transpose_lhs : tensor<32x32xf32>, tensor<32x16xf32> -> tensor<32x16xf32>
      scf.yield %next : tensor<32x16xf32>
    }
    tile.store %last, %ht[%c0, %c0] : tensor<32x16xf32>, memref<32x16xf32, #rows>
  }
  return
}

// Products that decay with each channel: one register of rows, all 16 columns at
// once, from the first channel to the last. Of the pair of a token with itself a
// weighted sum over channels is taken instead.
// CHECK-LABEL: func.func @decay_per_channel
// CHECK: scf.for %{{.*}} = %c0 to %{{.*}} step %c16 {
// The sum across channels, by rows.
// CHECK: vector.reduction <add>
// CHECK-COUNT-15: vector.constant_mask
// CHECK: scf.for %[[CHANNEL:.*]] = %c0 to %c16 step %c1 iter_args
// CHECK-NEXT: vector.load %[[TERMS:.*]][%[[CHANNEL]], %c0]
// CHECK:   vector.fma
// CHECK:   arith.mulf
// CHECK:   arith.select
// CHECK:   vector.store %{{.*}}, %[[TERMS]][%[[CHANNEL]], %c0]
// CHECK: arith.cmpi eq, %{{.*}} : vector<16xindex>
func.func @decay_per_channel(
    %q: memref<?x16xf32, #rows> {attn.name = "q", attn.dims = ["N", "K"]},
    %k: memref<?x16xf32, #rows> {attn.name = "k", attn.dims = ["N", "K"]},
    %v: memref<?x8xf32, #rows> {attn.name = "v", attn.dims = ["N", "V"]},
    %g: memref<?x16xf32, #rows> {attn.name = "g", attn.dims = ["N", "K"], attn.fill = "decay"},
    %u: memref<16xf32, #flat> {attn.name = "u", attn.dims = ["K"]},
    %out: memref<?x8xf32, #rows> {attn.name = "out", attn.dims = ["N", "V"], attn.result})
    attributes {attn.defaults = {N = 77}} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %n = memref.dim %q, %c0 : memref<?x16xf32, #rows>
  %zeros = arith.constant dense<0.0> : tensor<16xf32>
  %zero_cc = arith.constant dense<0.0> : tensor<16x16xf32>
  %zero_cv = arith.constant dense<0.0> : tensor<16x8xf32>
  %ones_k = arith.constant dense<1.0> : tensor<16xf32>
  scf.forall (%block) in (%c1) {
    %bonus = tile.load %u[%c0] : memref<16xf32, #flat> -> tensor<16xf32>
    %bonuses = tile.broadcast %bonus along 0 : tensor<16xf32> -> tensor<16x16xf32>
    %last = scf.for %t = %c0 to %n step %c16 iter_args(%state = %zero_cv) -> (tensor<16x8xf32>) {
      %x = tile.load %q[%t, %c0] : memref<?x16xf32, #rows> -> tensor<16x16xf32>
      %y = tile.load %k[%t, %c0] : memref<?x16xf32, #rows> -> tensor<16x16xf32>
      %z = tile.load %v[%t, %c0] : memref<?x8xf32, #rows> -> tensor<16x8xf32>
      %gate = tile.load %g[%t, %c0] : memref<?x16xf32, #rows> -> tensor<16x16xf32>
      %decay = math.exp2 %gate : tensor<16x16xf32>
      %earlier = tile.decay_dot %x, %y, %decay, %zero_cc strict : tensor<16x16xf32> -> tensor<16x16xf32>
      %xy = arith.mulf %x, %y : tensor<16x16xf32>
      %terms = arith.mulf %xy, %bonuses : tensor<16x16xf32>
      %own = tile.reduce add %terms, %zeros : tensor<16x16xf32> -> tensor<16xf32>
      %owns = tile.broadcast %own along 1 : tensor<16xf32> -> tensor<16x16xf32>
      %is = tile.iota %c0 along 0 : tensor<16x16xindex>
      %js = tile.iota %c0 along 1 : tensor<16x16xindex>
      %same = arith.cmpi eq, %is, %js : tensor<16x16xindex>
      %pairs = arith.select %same, %owns, %earlier : tensor<16x16xi1>, tensor<16x16xf32>
      %before = tile.scan mul %decay exclusive : tensor<16x16xf32>
      %decayed = arith.mulf %x, %before : tensor<16x16xf32>
      %read = tile.dot %decayed, %state, %zero_cv : tensor<16x16xf32>, tensor<16x8xf32> -> tensor<16x8xf32>
      %o = tile.dot %pairs, %z, %read : tensor<16x16xf32>, tensor<16x8xf32> -> tensor<16x8xf32>
      tile.store %o, %out[%t, %c0] : tensor<16x8xf32>, memref<?x8xf32, #rows>
      %behind = tile.scan mul %decay reverse exclusive : tensor<16x16xf32>
      %written = arith.mulf %y, %behind : tensor<16x16xf32>
      %kept = tile.reduce mul %decay, %ones_k along 0 : tensor<16x16xf32> -> tensor<16xf32>
      %kepts = tile.broadcast %kept along 1 : tensor<16xf32> -> tensor<16x8xf32>
      %old = arith.mulf %state, %kepts : tensor<16x8xf32>
      %next = tile.dot %written, %z, %old transpose_lhs : tensor<16x16xf32>, tensor<16x8xf32> -> tensor<16x8xf32>
      scf.yield %next : tensor<16x8xf32>
    }
  }
  return
}

// A weighted sum of what is read, in strips: weights of columns are broadcast
// from their column.
// CHECK-LABEL: func.func @weights_of_columns
// CHECK: vector.store %{{.*}}, %[[WEIGHTS:[^ ]*]][%c0] : memref<16xf32>
// CHECK: scf.for %{{.*}} = %c0 to %{{.*}} step %c16 {
// CHECK:   memref.load %[[WEIGHTS]][%{{.*}}] : memref<16xf32>
func.func @weights_of_columns(
    %q: memref<?x16xf32, #rows> {attn.name = "q", attn.dims = ["N", "K"]},
    %k: memref<?x16xf32, #rows> {attn.name = "k", attn.dims = ["N", "K"]},
    %v: memref<?x16xf32, #rows> {attn.name = "v", attn.dims = ["N", "K"]},
    %w: memref<16xf32, #flat> {attn.name = "w", attn.dims = ["K"]},
    %out: memref<?xf32, #flat> {attn.name = "out", attn.dims = ["N"], attn.result})
    attributes {attn.defaults = {N = 77}} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %n = memref.dim %q, %c0 : memref<?x16xf32, #rows>
  %zeros = arith.constant dense<0.0> : tensor<16xf32>
  %none = arith.constant dense<0.0> : tensor<16x16xf32>
  scf.forall (%block) in (%c1) {
    %weights = tile.load %w[%c0] : memref<16xf32, #flat> -> tensor<16xf32>
    %rows = tile.broadcast %weights along 0 : tensor<16xf32> -> tensor<16x16xf32>
    %last = scf.for %t = %c0 to %n step %c16 iter_args(%state = %none) -> (tensor<16x16xf32>) {
      %x = tile.load %q[%t, %c0] : memref<?x16xf32, #rows> -> tensor<16x16xf32>
      %y = tile.load %k[%t, %c0] : memref<?x16xf32, #rows> -> tensor<16x16xf32>
      %z = tile.load %v[%t, %c0] : memref<?x16xf32, #rows> -> tensor<16x16xf32>
      %read = tile.dot %x, %state, %none : tensor<16x16xf32>, tensor<16x16xf32> -> tensor<16x16xf32>
      %weighted = arith.mulf %read, %rows : tensor<16x16xf32>
      %sums = tile.reduce add %weighted, %zeros : tensor<16x16xf32> -> tensor<16xf32>
      tile.store %sums, %out[%t] : tensor<16xf32>, memref<?xf32, #flat>
      %next = tile.dot %y, %z, %state transpose_lhs : tensor<16x16xf32>, tensor<16x16xf32> -> tensor<16x16xf32>
      scf.yield %next : tensor<16x16xf32>
    }
  }
  return
}
