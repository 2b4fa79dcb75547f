// RUN: attn-opt %s --pass-pipeline="builtin.module(func.func(attn-gpu-move-factors))" | FileCheck %s

// A gain of each feature moves to the queries, over the number of the norm, which
// stays. What is left of the keys is multiplied by that number only.
// CHECK-LABEL: func.func @normed
// CHECK-SAME: %[[QG:[a-z0-9]*]]: tensor<64xf32>, %[[KG:[a-z0-9]*]]: tensor<64xf32>
// CHECK: query (%[[Q:.*]]: tensor<64xf32>,
// CHECK: %[[Q1:.*]] = arith.mulf %[[Q]], %[[QG]]
// CHECK: %[[Q2:.*]] = arith.mulf %[[Q1]], %[[KG]]
// CHECK: attn.yield %[[Q2]]
// CHECK: key (%[[K:.*]]: tensor<64xf32>,
// CHECK: %[[N:.*]] = tensor.splat
// CHECK: %[[K1:.*]] = arith.mulf %[[K]], %[[N]]
// CHECK: attn.yield %[[K1]]
func.func @normed(%q: tensor<?x?x?x64xbf16>, %k: tensor<?x?x?x64xbf16>, %v: tensor<?x?x?x64xbf16>,
                  %qg: tensor<64xf32>, %kg: tensor<64xf32>) -> tensor<?x?x?x64xbf16> {
  %o = attn.attend %q, %k, %v
      query (%x: tensor<64xf32>, %b, %h, %i) {
        %y = arith.mulf %x, %qg : tensor<64xf32>
        attn.yield %y : tensor<64xf32>
      }
      key (%x: tensor<64xf32>, %b, %h, %j) {
        %squares = arith.mulf %x, %x : tensor<64xf32>
        %sum = attn.reduce_row sum %squares : tensor<64xf32>
        %inverse = math.rsqrt %sum : f32
        %n = tensor.splat %inverse : tensor<64xf32>
        %gained = arith.mulf %x, %kg : tensor<64xf32>
        %y = arith.mulf %gained, %n : tensor<64xf32>
        attn.yield %y : tensor<64xf32>
      } : tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16> -> tensor<?x?x?x64xbf16>
  return %o : tensor<?x?x?x64xbf16>
}

// Queries without a region get one. What the factor is computed from goes along.
// CHECK-LABEL: func.func @computed
// CHECK-SAME: %[[G:[a-z0-9]*]]: tensor<2x64xf32>
// CHECK: query (%[[Q:.*]]: tensor<64xf32>,
// CHECK: %[[ROW:.*]] = tensor.extract_slice %[[G]][1, 0] [1, 64] [1, 1]
// CHECK: %[[E:.*]] = math.exp %[[ROW]]
// CHECK: %[[Q1:.*]] = arith.mulf %[[Q]], %[[E]]
// CHECK: attn.yield %[[Q1]]
// CHECK: key (%[[K:.*]]: tensor<64xf32>,
// CHECK: attn.yield %[[K]]
func.func @computed(%q: tensor<?x?x?x64xf16>, %k: tensor<?x?x?x64xf16>, %v: tensor<?x?x?x64xf16>,
                    %g: tensor<2x64xf32>) -> tensor<?x?x?x64xf16> {
  %o = attn.attend %q, %k, %v
      key (%x: tensor<64xf32>, %b, %h, %j) {
        %row = tensor.extract_slice %g[1, 0] [1, 64] [1, 1] : tensor<2x64xf32> to tensor<64xf32>
        %e = math.exp %row : tensor<64xf32>
        %y = arith.mulf %e, %x : tensor<64xf32>
        attn.yield %y : tensor<64xf32>
      } : tensor<?x?x?x64xf16>, tensor<?x?x?x64xf16>, tensor<?x?x?x64xf16> -> tensor<?x?x?x64xf16>
  return %o : tensor<?x?x?x64xf16>
}

// A gain that the norm has seen stays; so does one of each head, which queries
// count otherwise, one that is no factor of the whole row, and any in f32.
// CHECK-LABEL: func.func @seen
// CHECK-NOT: query
// CHECK-LABEL: func.func @of_heads
// CHECK-NOT: query
// CHECK-LABEL: func.func @added
// CHECK-NOT: query
// CHECK-LABEL: func.func @wide
// CHECK-NOT: query
func.func @seen(%q: tensor<?x?x?x64xbf16>, %k: tensor<?x?x?x64xbf16>, %v: tensor<?x?x?x64xbf16>,
                %g: tensor<64xf32>) -> tensor<?x?x?x64xbf16> {
  %o = attn.attend %q, %k, %v
      key (%x: tensor<64xf32>, %b, %h, %j) {
        %gained = arith.mulf %x, %g : tensor<64xf32>
        %squares = arith.mulf %gained, %gained : tensor<64xf32>
        %sum = attn.reduce_row sum %squares : tensor<64xf32>
        %inverse = math.rsqrt %sum : f32
        %n = tensor.splat %inverse : tensor<64xf32>
        %y = arith.mulf %gained, %n : tensor<64xf32>
        attn.yield %y : tensor<64xf32>
      } : tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16> -> tensor<?x?x?x64xbf16>
  return %o : tensor<?x?x?x64xbf16>
}
func.func @of_heads(%q: tensor<?x?x?x64xbf16>, %k: tensor<?x?x?x64xbf16>, %v: tensor<?x?x?x64xbf16>,
                    %g: tensor<?x64xf32>) -> tensor<?x?x?x64xbf16> {
  %o = attn.attend %q, %k, %v
      key (%x: tensor<64xf32>, %b, %h, %j) {
        %row = tensor.extract_slice %g[%h, 0] [1, 64] [1, 1] : tensor<?x64xf32> to tensor<64xf32>
        %y = arith.mulf %x, %row : tensor<64xf32>
        attn.yield %y : tensor<64xf32>
      } : tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16> -> tensor<?x?x?x64xbf16>
  return %o : tensor<?x?x?x64xbf16>
}
func.func @added(%q: tensor<?x?x?x64xbf16>, %k: tensor<?x?x?x64xbf16>, %v: tensor<?x?x?x64xbf16>,
                 %g: tensor<64xf32>) -> tensor<?x?x?x64xbf16> {
  %o = attn.attend %q, %k, %v
      key (%x: tensor<64xf32>, %b, %h, %j) {
        %gained = arith.mulf %x, %g : tensor<64xf32>
        %y = arith.addf %gained, %x : tensor<64xf32>
        attn.yield %y : tensor<64xf32>
      } : tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16> -> tensor<?x?x?x64xbf16>
  return %o : tensor<?x?x?x64xbf16>
}
func.func @wide(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>,
                %g: tensor<64xf32>) -> tensor<?x?x?x64xf32> {
  %o = attn.attend %q, %k, %v
      key (%x: tensor<64xf32>, %b, %h, %j) {
        %y = arith.mulf %x, %g : tensor<64xf32>
        attn.yield %y : tensor<64xf32>
      } : tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32> -> tensor<?x?x?x64xf32>
  return %o : tensor<?x?x?x64xf32>
}

// Joined keys keep their gain: queries that it multiplies have no parts to
// multiply with those of the keys. So does one behind a number.
// CHECK-LABEL: func.func @joined
// CHECK-NOT: query
// CHECK: tensor.concat
// CHECK: arith.mulf
// CHECK: tensor.splat
// CHECK: arith.mulf
func.func @joined(%q: tensor<?x?x?x64xbf16>, %k: tensor<?x?x?x32xbf16>, %v: tensor<?x?x?x64xbf16>,
                  %e: tensor<?x?x32xbf16>, %g: tensor<64xf32>, %r: f32) -> tensor<?x?x?x64xbf16> {
  %o = attn.attend %q, %k, %v
      key (%x: tensor<32xf32>, %b, %h, %j) {
        %row = tensor.extract_slice %e[%b, %j, 0] [1, 1, 32] [1, 1, 1] : tensor<?x?x32xbf16> to tensor<32xbf16>
        %wide = arith.extf %row : tensor<32xbf16> to tensor<32xf32>
        %joined = tensor.concat dim(0) %x, %wide : (tensor<32xf32>, tensor<32xf32>) -> tensor<64xf32>
        %gained = arith.mulf %joined, %g : tensor<64xf32>
        %n = tensor.splat %r : tensor<64xf32>
        %y = arith.mulf %gained, %n : tensor<64xf32>
        attn.yield %y : tensor<64xf32>
      } : tensor<?x?x?x64xbf16>, tensor<?x?x?x32xbf16>, tensor<?x?x?x64xbf16> -> tensor<?x?x?x64xbf16>
  return %o : tensor<?x?x?x64xbf16>
}
