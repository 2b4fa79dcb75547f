// RUN: attn-opt %s | attn-opt | FileCheck %s
// RUN: attn-opt %s --mlir-print-op-generic | attn-opt | FileCheck %s
// RUN: attn-opt %s --emit-bytecode | attn-opt | FileCheck %s

// attn.recur with and without each optional part.

!x = tensor<?x4x?x8xf32>

// What is the default is not printed.
// CHECK-LABEL: func.func @plain
// CHECK: %{{.*}} = attn.recur %{{.*}}, %{{.*}}, %{{.*}} : tensor<?x4x?x8xf32>, tensor<?x4x?x8xf32>, tensor<?x4x?x8xf32> -> tensor<?x4x?x8xf32>{{$}}
func.func @plain(%q: !x) -> !x {
  %o = attn.recur %q, %q, %q write(additive) read(after) order(causal) : !x, !x, !x -> !x
  return %o : !x
}

// CHECK-LABEL: func.func @state
// CHECK: %{{.*}}, %{{.*}} = attn.recur %{{.*}}, %{{.*}}, %{{.*}} gate(%{{.*}} : tensor<?x4x?x8xf32>) initial(%{{.*}} : tensor<1x4x8x6xf32>) scale(1.250000e-01) order(reversed) {note = "kept"} : tensor<?x2x?x8xbf16>, tensor<?x1x?x8xbf16>, tensor<?x4x?x6xbf16> -> tensor<?x4x?x6xbf16>, tensor<?x4x8x6xf32>
func.func @state(%q: tensor<?x2x?x8xbf16>, %k: tensor<?x1x?x8xbf16>, %v: tensor<?x4x?x6xbf16>,
                 %g: tensor<?x4x?x8xf32>, %h0: tensor<1x4x8x6xf32>)
    -> (tensor<?x4x?x6xbf16>, tensor<?x4x8x6xf32>) {
  %o, %ht = attn.recur %q, %k, %v gate(%g : tensor<?x4x?x8xf32>) initial(%h0 : tensor<1x4x8x6xf32>) scale(0.125) order(reversed) {note = "kept"}
      : tensor<?x2x?x8xbf16>, tensor<?x1x?x8xbf16>, tensor<?x4x?x6xbf16> -> tensor<?x4x?x6xbf16>, tensor<?x4x8x6xf32>
  return %o, %ht : tensor<?x4x?x6xbf16>, tensor<?x4x8x6xf32>
}

// CHECK-LABEL: func.func @scaled_bonus
// CHECK: attn.recur %{{.*}}, %{{.*}}, %{{.*}} gate(%{{.*}} : tensor<4xf32>) beta(%{{.*}} : tensor<?x4x?xf16>) bonus(%{{.*}} : tensor<4x8xf32>) write(scaled) read(before) order(bidirectional) :
func.func @scaled_bonus(%q: !x, %g: tensor<4xf32>, %beta: tensor<?x4x?xf16>, %u: tensor<4x8xf32>) -> !x {
  %o = attn.recur %q, %q, %q gate(%g : tensor<4xf32>) beta(%beta : tensor<?x4x?xf16>) bonus(%u : tensor<4x8xf32>)
      write(scaled) read(before) order(bidirectional) : !x, !x, !x -> !x
  return %o : !x
}

// Gates and factors of a token may have a dimension of 1, as a row map makes them.
// CHECK-LABEL: func.func @columns
// CHECK: attn.recur %{{.*}}, %{{.*}}, %{{.*}} gate(%{{.*}} : tensor<?x4x?x1xf32>) beta(%{{.*}} : tensor<?x4x?x1xf32>) write(scaled) :
func.func @columns(%q: !x, %g: tensor<?x4x?x1xf32>) -> !x {
  %o = attn.recur %q, %q, %q gate(%g : tensor<?x4x?x1xf32>) beta(%g : tensor<?x4x?x1xf32>) write(scaled) : !x, !x, !x -> !x
  return %o : !x
}

// A promise about the number of tokens.
// CHECK-LABEL: func.func @max_tokens
// CHECK: attn.recur %{{.*}}, %{{.*}}, %{{.*}} order(reversed) max_tokens(1) schedule(<block_q = 1, block_k = 8>) :
func.func @max_tokens(%q: !x) -> !x {
  %o = attn.recur %q, %q, %q order(reversed) max_tokens(1) schedule(<block_q = 1, block_k = 8, splits = 0>) : !x, !x, !x -> !x
  return %o : !x
}

// A tied write has no key.
// CHECK-LABEL: func.func @tied
// CHECK-SAME: %[[Q:.*]]: tensor<?x4x?x8xf32>, %[[V:.*]]: tensor<?x4x?x6xf32>,
// CHECK: attn.recur %[[Q]], %[[V]] gate(%{{.*}} : tensor<?x4x?x8xf32>) write(tied) : tensor<?x4x?x8xf32>, tensor<?x4x?x6xf32> -> tensor<?x4x?x6xf32>
func.func @tied(%q: !x, %v: tensor<?x4x?x6xf32>, %g: !x) -> tensor<?x4x?x6xf32> {
  %o = attn.recur %q, %v gate(%g : !x) write(tied) : !x, tensor<?x4x?x6xf32> -> tensor<?x4x?x6xf32>
  return %o : tensor<?x4x?x6xf32>
}

// Regions may be written in any order. A matrix of norm may depend on the head.
// CHECK-LABEL: func.func @regions
// CHECK: attn.recur %{{.*}}, %{{.*}}, %{{.*}} gate(%{{.*}} : tensor<?x?x?xf32>)
// CHECK-NEXT: query (%[[X:.*]]: tensor<8xf32>, %{{[a-z0-9]+}}, %{{[a-z0-9]+}}, %{{[a-z0-9]+}}) {
// CHECK-NEXT: attn.yield %[[X]] : tensor<8xf32>
// CHECK: key (%{{.*}}: tensor<8xf32>,
// CHECK: value (%{{.*}}: tensor<8xf32>,
// CHECK: norm (%[[NUM:.*]]: tensor<9xf32>, %[[DEN:[a-z0-9]+]]: f32, %{{[a-z0-9]+}}, %[[H:[a-z0-9]+]], %{{[a-z0-9]+}}) {
// CHECK: tensor.splat %[[DEN]]
// CHECK: attn.contract_row %{{.*}}, %{{.*}}[%[[H]]]
// CHECK: -> tensor<?x?x?x3xf32>
func.func @regions(%q: tensor<?x?x?x8xf32>, %g: tensor<?x?x?xf32>, %w: tensor<?x9x3xf32>) -> tensor<?x?x?x3xf32> {
  %o = attn.recur %q, %q, %q gate(%g : tensor<?x?x?xf32>)
      norm (%num: tensor<9xf32>, %den: f32, %b, %h, %i) {
        %row = tensor.splat %den : tensor<9xf32>
        %y = arith.divf %num, %row : tensor<9xf32>
        %z = attn.contract_row %y, %w[%h] : tensor<9xf32>, tensor<?x9x3xf32> -> tensor<3xf32>
        attn.yield %z : tensor<3xf32>
      }
      value (%x: tensor<8xf32>, %b, %h, %n) {
        %one = arith.constant dense<1.0> : tensor<1xf32>
        %y = tensor.concat dim(0) %x, %one : (tensor<8xf32>, tensor<1xf32>) -> tensor<9xf32>
        attn.yield %y : tensor<9xf32>
      }
      key (%x: tensor<8xf32>, %b, %h, %n) { attn.yield %x : tensor<8xf32> }
      query (%x: tensor<8xf32>, %b, %h, %n) { attn.yield %x : tensor<8xf32> }
      : tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32> -> tensor<?x?x?x3xf32>
  return %o : tensor<?x?x?x3xf32>
}

// Sequences that are packed; a state of one is that of all.
// CHECK-LABEL: func.func @segments
// CHECK: attn.recur %{{.*}}, %{{.*}}, %{{.*}} initial(%{{.*}} : tensor<?x4x8x6xf32>) segments(%{{.*}} : tensor<?xi32>) scale(5.000000e-01) order(reversed)
// CHECK-SAME: -> tensor<1x4x?x6xf32>, tensor<?x4x8x6xf32>
// CHECK: attn.recur %{{.*}}, %{{.*}} initial(%{{.*}} : tensor<1x4x8x6xf32>) segments(%{{.*}} : tensor<3xi64>)
// CHECK-SAME: -> tensor<1x4x?x6xf32>, tensor<2x4x8x6xf32>
func.func @segments(%q: tensor<1x4x?x8xf32>, %v: tensor<1x4x?x6xf32>, %c: tensor<?xi32>, %d: tensor<3xi64>, %h0: tensor<?x4x8x6xf32>, %one: tensor<1x4x8x6xf32>)
    -> (tensor<1x4x?x6xf32>, tensor<?x4x8x6xf32>, tensor<1x4x?x6xf32>, tensor<2x4x8x6xf32>) {
  %o, %s = attn.recur %q, %q, %v initial(%h0 : tensor<?x4x8x6xf32>) segments(%c : tensor<?xi32>) scale(0.5) order(reversed)
      : tensor<1x4x?x8xf32>, tensor<1x4x?x8xf32>, tensor<1x4x?x6xf32> -> tensor<1x4x?x6xf32>, tensor<?x4x8x6xf32>
  %p, %t = attn.recur %q, %q, %v initial(%one : tensor<1x4x8x6xf32>) segments(%d : tensor<3xi64>)
      : tensor<1x4x?x8xf32>, tensor<1x4x?x8xf32>, tensor<1x4x?x6xf32> -> tensor<1x4x?x6xf32>, tensor<2x4x8x6xf32>
  return %o, %s, %p, %t : tensor<1x4x?x6xf32>, tensor<?x4x8x6xf32>, tensor<1x4x?x6xf32>, tensor<2x4x8x6xf32>
}

// Chunks of tokens, as attn-split-blocks makes them.
// CHECK-LABEL: func.func @chunks
// CHECK: %[[S:.*]] = attn.load_state %{{.*}} at(%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}) : tensor<?x?x8x6xf32> -> tensor<16x6xf32>
// CHECK: %[[M:.*]] = attn.merge_state %{{.*}} at(%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}) decay(%{{.*}}) init(%[[S]]) : tensor<?x?x8x6xf32>, tensor<16x6xf32>
// CHECK: %{{.*}}, %{{.*}} = attn.recur_chunk %{{.*}}, %{{.*}}, %{{.*}} gate(%{{.*}} : tensor<?x?x?xf32>) at(%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}) init(%[[M]] : tensor<16x6xf32>) length(4) scale(2.000000e+00) order(reversed) unscaled
// CHECK-SAME: -> rows(tensor<4x6xf32>) state(tensor<16x6xf32>)
// CHECK: attn.recur_chunk %{{.*}}, %{{.*}}, %{{.*}} at(%{{.*}}) init(%{{.*}} : tensor<16x6xf32>) length(4)
// CHECK-SAME: -> state(tensor<16x6xf32>)
// CHECK: attn.recur_chunk %{{.*}}, %{{.*}}, %{{.*}} at(%{{.*}}) init(%{{.*}} : tensor<16x6xf32>) past(%{{.*}} : tensor<?x6xf32>) length(4)
// CHECK-SAME: -> rows(tensor<4x6xf32>)
func.func @chunks(%q: tensor<?x?x?x8xf32>, %v: tensor<?x?x?x6xf32>, %g: tensor<?x?x?xf32>, %h0: tensor<?x?x8x6xf32>, %p: tensor<?x6xf32>, %i: index) -> tensor<4x6xf32> {
  %s = attn.load_state %h0 at(%i, %i, %i, %i) : tensor<?x?x8x6xf32> -> tensor<16x6xf32>
  %m = attn.merge_state %h0 at(%i, %i, %i, %i) decay(%i) init(%s) : tensor<?x?x8x6xf32>, tensor<16x6xf32>
  %a, %t = attn.recur_chunk %q, %q, %v gate(%g : tensor<?x?x?xf32>) at(%i, %i, %i, %i) init(%m : tensor<16x6xf32>) length(4) scale(2.0) order(reversed) unscaled
      : tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>, tensor<?x?x?x6xf32> -> rows(tensor<4x6xf32>) state(tensor<16x6xf32>)
  %u = attn.recur_chunk %q, %q, %v at(%i, %i, %i, %i) init(%t : tensor<16x6xf32>) length(4)
      : tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>, tensor<?x?x?x6xf32> -> state(tensor<16x6xf32>)
  %o = attn.recur_chunk %q, %q, %v at(%i, %i, %i, %i) init(%u : tensor<16x6xf32>) past(%p : tensor<?x6xf32>) length(4)
      : tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>, tensor<?x?x?x6xf32> -> rows(tensor<4x6xf32>)
  return %o : tensor<4x6xf32>
}
