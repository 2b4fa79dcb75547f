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
