// RUN: attn-opt %s --attn-fuse --split-input-file | FileCheck %s

// A row map becomes the region of the operand that it produces.
// CHECK-LABEL: func @query_map
// CHECK-NOT: attn.map_rows
// CHECK: attn.attend %arg0, %arg1, %arg1
// CHECK-NEXT: query (%[[X:.*]]: tensor<8xf32>, %{{.*}}, %{{.*}}, %{{.*}}) {
// CHECK-NEXT:   %[[Y:.*]] = math.tanh %[[X]]
// CHECK-NEXT:   attn.yield %[[Y]]
func.func @query_map(%q: tensor<1x1x?x8xf32>, %k: tensor<1x1x?x8xf32>) -> tensor<1x1x?x8xf32> {
  %p = attn.map_rows %q rows (%x: tensor<8xf32>, %b, %h, %n) {
    %y = math.tanh %x : tensor<8xf32>
    attn.yield %y : tensor<8xf32>
  } : tensor<1x1x?x8xf32> -> tensor<1x1x?x8xf32>
  %o = attn.attend %p, %k, %k : tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32> -> tensor<1x1x?x8xf32>
  return %o : tensor<1x1x?x8xf32>
}

// -----

// Chains compose, the producer first.
// CHECK-LABEL: func @chain
// CHECK: key (%[[X:.*]]: tensor<8xf32>
// CHECK-NEXT:   %[[A:.*]] = math.absf %[[X]]
// CHECK-NEXT:   %[[B:.*]] = math.sqrt %[[A]]
// CHECK-NEXT:   %[[C:.*]] = math.tanh %[[B]]
// CHECK-NEXT:   attn.yield %[[C]]
func.func @chain(%q: tensor<1x1x?x8xf32>, %k: tensor<1x1x?x8xf32>) -> tensor<1x1x?x8xf32> {
  %k1 = attn.map_rows %k rows (%x: tensor<8xf32>, %b, %h, %n) {
    %y = math.absf %x : tensor<8xf32>
    attn.yield %y : tensor<8xf32>
  } : tensor<1x1x?x8xf32> -> tensor<1x1x?x8xf32>
  %k2 = attn.map_rows %k1 rows (%x: tensor<8xf32>, %b, %h, %n) {
    %y = math.sqrt %x : tensor<8xf32>
    attn.yield %y : tensor<8xf32>
  } : tensor<1x1x?x8xf32> -> tensor<1x1x?x8xf32>
  %o = attn.attend %q, %k2, %k
    key (%x: tensor<8xf32>, %b, %h, %n) {
      %y = math.tanh %x : tensor<8xf32>
      attn.yield %y : tensor<8xf32>
    } : tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32> -> tensor<1x1x?x8xf32>
  return %o : tensor<1x1x?x8xf32>
}

// -----

// A map with a second reader stays.
// CHECK-LABEL: func @negative_two_readers
// CHECK: %[[P:.*]] = attn.map_rows
// CHECK: attn.attend %[[P]], %[[P]], %arg1
// CHECK-NOT: query (
func.func @negative_two_readers(%q: tensor<1x1x?x8xf32>, %k: tensor<1x1x?x8xf32>) -> tensor<1x1x?x8xf32> {
  %p = attn.map_rows %q rows (%x: tensor<8xf32>, %b, %h, %n) {
    %y = math.tanh %x : tensor<8xf32>
    attn.yield %y : tensor<8xf32>
  } : tensor<1x1x?x8xf32> -> tensor<1x1x?x8xf32>
  %o = attn.attend %p, %p, %k : tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32> -> tensor<1x1x?x8xf32>
  return %o : tensor<1x1x?x8xf32>
}

// -----

// The batch of the input is not known to be one that all batches share.
// CHECK-LABEL: func @negative_shared_batch
// CHECK: %[[P:.*]] = attn.map_rows
// CHECK: attn.attend %[[P]], %arg1, %arg1
func.func @negative_shared_batch(%q: tensor<?x1x?x8xf32>, %k: tensor<?x1x?x8xf32>) -> tensor<?x1x?x8xf32> {
  %p = attn.map_rows %q rows (%x: tensor<8xf32>, %b, %h, %n) {
    %y = math.tanh %x : tensor<8xf32>
    attn.yield %y : tensor<8xf32>
  } : tensor<?x1x?x8xf32> -> tensor<1x1x?x8xf32>
  %o = attn.attend %p, %k, %k : tensor<1x1x?x8xf32>, tensor<?x1x?x8xf32>, tensor<?x1x?x8xf32> -> tensor<?x1x?x8xf32>
  return %o : tensor<?x1x?x8xf32>
}

// -----

// A product with a matrix is not done again for each block.
// CHECK-LABEL: func @negative_product
// CHECK: %[[P:.*]] = attn.map_rows %arg0
// CHECK: attn.attend %[[P]], %arg1, %arg1
func.func @negative_product(%q: tensor<?x1x?x8xf32>, %k: tensor<?x1x?x8xf32>, %w: tensor<8x8xf32>) -> tensor<?x1x?x8xf32> {
  %p = attn.map_rows %q rows (%x: tensor<8xf32>, %b, %h, %n) {
    %y = attn.contract_row %x, %w[] : tensor<8xf32>, tensor<8x8xf32> -> tensor<8xf32>
    attn.yield %y : tensor<8xf32>
  } : tensor<?x1x?x8xf32> -> tensor<?x1x?x8xf32>
  %o = attn.attend %p, %k, %k : tensor<?x1x?x8xf32>, tensor<?x1x?x8xf32>, tensor<?x1x?x8xf32> -> tensor<?x1x?x8xf32>
  return %o : tensor<?x1x?x8xf32>
}

// -----

// A row map of the gates' neighbours: query and value of a recurrence, and what
// reads its output.
// CHECK-LABEL: func @recurrence
// CHECK-NOT: attn.map_rows
// CHECK: attn.recur %arg0, %arg0, %arg1
// CHECK-NEXT: value (%[[V:.*]]: tensor<8xf32>
// CHECK-NEXT:   %[[W:.*]] = math.absf %[[V]]
// CHECK-NEXT:   attn.yield %[[W]]
// CHECK: norm (%[[X:.*]]: tensor<8xf32>, %{{.*}}: f32, %{{.*}}, %[[H:.*]], %[[I:.*]]) {
// CHECK-NEXT:   %[[G:.*]] = tensor.extract %arg2[%[[H]], %[[I]]]
// CHECK-NEXT:   %[[R:.*]] = tensor.splat %[[G]]
// CHECK-NEXT:   %[[Y:.*]] = arith.mulf %[[X]], %[[R]]
// CHECK-NEXT:   attn.yield %[[Y]]
// CHECK: -> tensor<1x1x?x8xf32>
func.func @recurrence(%q: tensor<1x1x?x8xf32>, %v: tensor<1x1x?x8xf32>, %g: tensor<1x?xf32>) -> tensor<1x1x?x8xf32> {
  %w = attn.map_rows %v rows (%x: tensor<8xf32>, %b, %h, %n) {
    %y = math.absf %x : tensor<8xf32>
    attn.yield %y : tensor<8xf32>
  } : tensor<1x1x?x8xf32> -> tensor<1x1x?x8xf32>
  %o = attn.recur %q, %q, %w : tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32> -> tensor<1x1x?x8xf32>
  %p = attn.map_rows %o rows (%x: tensor<8xf32>, %b, %h, %n) {
    %f = tensor.extract %g[%h, %n] : tensor<1x?xf32>
    %r = tensor.splat %f : tensor<8xf32>
    %y = arith.mulf %x, %r : tensor<8xf32>
    attn.yield %y : tensor<8xf32>
  } : tensor<1x1x?x8xf32> -> tensor<1x1x?x8xf32>
  return %p : tensor<1x1x?x8xf32>
}

// -----

// The region that is there comes first; a narrower row makes a narrower output.
// CHECK-LABEL: func @after_norm
// CHECK: norm (%[[X:.*]]: tensor<8xf32>, %[[D:.*]]: f32,
// CHECK-NEXT:   %[[R:.*]] = tensor.splat %[[D]]
// CHECK-NEXT:   %[[Y:.*]] = arith.divf %[[X]], %[[R]]
// CHECK-NEXT:   %[[S:.*]] = tensor.extract_slice %[[Y]][0] [4] [1]
// CHECK-NEXT:   attn.yield %[[S]]
// CHECK: -> tensor<1x1x?x4xf32>
func.func @after_norm(%q: tensor<1x1x?x8xf32>) -> tensor<1x1x?x4xf32> {
  %o = attn.recur %q, %q, %q norm (%num: tensor<8xf32>, %den: f32, %b, %h, %i) {
    %row = tensor.splat %den : tensor<8xf32>
    %y = arith.divf %num, %row : tensor<8xf32>
    attn.yield %y : tensor<8xf32>
  } : tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32> -> tensor<1x1x?x8xf32>
  %p = attn.map_rows %o rows (%x: tensor<8xf32>, %b, %h, %n) {
    %s = tensor.extract_slice %x[0] [4] [1] : tensor<8xf32> to tensor<4xf32>
    attn.yield %s : tensor<4xf32>
  } : tensor<1x1x?x8xf32> -> tensor<1x1x?x4xf32>
  return %p : tensor<1x1x?x4xf32>
}

// -----

// Rows of tokens in no segment are 0, whatever a row map would make of them.
// CHECK-LABEL: func @after_segments
// CHECK: attn.recur
// CHECK-NOT: norm
// CHECK: attn.map_rows
func.func @after_segments(%q: tensor<1x1x?x8xf32>, %c: tensor<?xi32>) -> tensor<1x1x?x8xf32> {
  %o = attn.recur %q, %q, %q segments(%c : tensor<?xi32>) : tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32> -> tensor<1x1x?x8xf32>
  %p = attn.map_rows %o rows (%x: tensor<8xf32>, %b, %h, %n) {
    %y = math.exp %x : tensor<8xf32>
    attn.yield %y : tensor<8xf32>
  } : tensor<1x1x?x8xf32> -> tensor<1x1x?x8xf32>
  return %p : tensor<1x1x?x8xf32>
}
