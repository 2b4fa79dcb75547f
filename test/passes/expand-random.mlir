// RUN: attn-opt %s --attn-expand-random | FileCheck %s
// RUN: attn-opt %s --attn-expand-random --canonicalize --cse | FileCheck %s --check-prefix=CLEAN

// What the numbers are is tested where they are computed, in
// integration/random.test.

// The key is the low word of the seed, then the high one; words of the counter
// that are not given are 0; the first round multiplies words 0 and 2.
// CHECK-LABEL: func.func @two_words
// CHECK: prob (%{{.*}}: f32, %{{.*}}, %{{.*}}, %[[I:.*]], %[[J:.*]]) {
// CHECK-NEXT: %[[C0:.*]] = arith.index_cast %[[I]] : index to i32
// CHECK-NEXT: %[[C1:.*]] = arith.index_cast %[[J]] : index to i32
// CHECK-NEXT: %[[C2:.*]] = arith.constant 0 : i32
// CHECK-NEXT: %[[C3:.*]] = arith.constant 0 : i32
// CHECK-NEXT: %[[K0:.*]] = arith.trunci %[[SEED:.*]] : i64 to i32
// CHECK: %[[SHIFT:.*]] = arith.shrui %[[SEED]], %c32_i64
// CHECK-NEXT: %[[K1:.*]] = arith.trunci %[[SHIFT]] : i64 to i32
// CHECK: %[[WIDE0:.*]] = arith.extui %[[C0]] : i32 to i64
// CHECK-NEXT: %[[M0:.*]] = arith.constant 3528531795 : i64
// CHECK-NEXT: arith.muli %[[WIDE0]], %[[M0]] : i64
// CHECK: %[[WIDE2:.*]] = arith.extui %[[C2]] : i32 to i64
// CHECK-NEXT: %[[M1:.*]] = arith.constant 3449720151 : i64
// CHECK-NEXT: arith.muli %[[WIDE2]], %[[M1]] : i64
// The key of the second round.
// CHECK: %[[STEP0:.*]] = arith.constant -1640531527 : i32
// CHECK-NEXT: arith.addi %[[K0]], %[[STEP0]] : i32
// CHECK: %[[STEP1:.*]] = arith.constant -1150833019 : i32
// CHECK-NEXT: arith.addi %[[K1]], %[[STEP1]] : i32
// Two products in each of the nine other rounds.
// CHECK-COUNT-18: arith.muli
// CHECK-NOT: arith.muli
// 24 bits, times 2^-24.
// CHECK: %[[BITS:.*]] = arith.shrui %{{.*}}, %c8_i32 : i32
// CHECK-NEXT: %[[NUMBER:.*]] = arith.sitofp %[[BITS]] : i32 to f32
// CHECK-NEXT: %[[UNIT:.*]] = arith.constant 5.96046448E-8 : f32
// CHECK-NEXT: %[[U:.*]] = arith.mulf %[[NUMBER]], %[[UNIT]] : f32
// CHECK-NEXT: arith.mulf %{{.*}}, %[[U]]
// CHECK-NOT: attn.random
func.func @two_words(%x: tensor<1x1x?x8xf32>, %seed: i64) -> tensor<1x1x?x8xf32> {
  %o = attn.attend %x, %x, %x
      prob (%p: f32, %b, %h, %i, %j) {
        %u = attn.random %seed at(%i, %j) : f32
        %w = arith.mulf %p, %u : f32
        attn.yield %w : f32
      } : tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32> -> tensor<1x1x?x8xf32>
  return %o : tensor<1x1x?x8xf32>
}

// The same number twice is computed once.
// CLEAN-LABEL: func.func @twice
// CLEAN-COUNT-1: arith.sitofp
// CLEAN-NOT: arith.sitofp
// CLEAN: return
func.func @twice(%x: tensor<1x1x?x8xf32>, %seed: i64) -> tensor<1x1x?x8xf32> {
  %o = attn.attend %x, %x, %x
      prob (%p: f32, %b, %h, %i, %j) {
        %u = attn.random %seed at(%i, %j) : f32
        %v = attn.random %seed at(%i, %j) : f32
        %w = arith.mulf %u, %v : f32
        attn.yield %w : f32
      } : tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32> -> tensor<1x1x?x8xf32>
  return %o : tensor<1x1x?x8xf32>
}

// In every pair region, and in double precision.
// CHECK-LABEL: func.func @regions
// CHECK: score (
// CHECK: arith.sitofp %{{.*}} : i32 to f64
// CHECK: mask (
// CHECK: arith.sitofp %{{.*}} : i32 to f32
// CHECK: sink (
// CHECK: arith.sitofp %{{.*}} : i32 to f64
// CHECK-NOT: attn.random
func.func @regions(%x: tensor<1x1x?x8xf64>, %seed: i64) -> tensor<1x1x?x8xf64> {
  %half = arith.constant 0.5 : f32
  %o = attn.attend %x, %x, %x
      score (%s: f64, %b, %h, %i, %j) {
        %u = attn.random %seed at(%i, %j) : f64
        %t = arith.addf %s, %u : f64
        attn.yield %t : f64
      }
      mask (%b, %h, %i, %j) {
        %u = attn.random %seed at(%i, %j) : f32
        %keep = arith.cmpf oge, %u, %half : f32
        attn.yield %keep : i1
      }
      sink (%b, %h, %i) {
        %u = attn.random %seed at(%h) : f64
        attn.yield %u : f64
      } : tensor<1x1x?x8xf64>, tensor<1x1x?x8xf64>, tensor<1x1x?x8xf64> -> tensor<1x1x?x8xf64>
  return %o : tensor<1x1x?x8xf64>
}

// Nothing to do.
// CHECK-LABEL: func.func @none
// CHECK-NEXT: attn.attend
func.func @none(%x: tensor<1x1x?x8xf32>) -> tensor<1x1x?x8xf32> {
  %o = attn.attend %x, %x, %x : tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32> -> tensor<1x1x?x8xf32>
  return %o : tensor<1x1x?x8xf32>
}
