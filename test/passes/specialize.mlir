// RUN: attn-opt %s --attn-specialize --split-input-file | FileCheck %s
// RUN: attn-opt %s --attn-specialize --attn-specialize --split-input-file | FileCheck %s
// RUN: attn-opt %s --attn-specialize=max-queries=4 --split-input-file | FileCheck %s --check-prefix=FOUR

// A copy for few queries says so; the other one is the op as it was.
// CHECK-LABEL: func @dynamic
// CHECK-SAME: (%[[Q:.*]]: tensor<1x2x?x8xf32>, %[[K:.*]]: tensor<1x2x?x8xf32>)
// CHECK-DAG: %[[N:.*]] = tensor.dim %[[Q]], %c2 : tensor<1x2x?x8xf32>
// CHECK-DAG: %[[MOST:.*]] = arith.constant 16 : index
// CHECK: %[[FEW:.*]] = arith.cmpi ule, %[[N]], %[[MOST]] : index
// CHECK: %[[R:.*]]:2 = scf.if %[[FEW]] -> (tensor<1x2x?x8xf32>, tensor<1x2x?xf32>) {
// CHECK-NEXT: %[[O:.*]], %[[L:.*]] = attn.attend %[[Q]], %[[K]], %[[K]] alignment(end) max_queries(16)
// CHECK-NEXT: mask (
// CHECK: scf.yield %[[O]], %[[L]]
// CHECK: } else {
// CHECK-NEXT: %[[O:.*]], %[[L:.*]] = attn.attend %[[Q]], %[[K]], %[[K]] alignment(end){{ *$}}
// CHECK-NEXT: mask (
// CHECK: scf.yield %[[O]], %[[L]]
// CHECK: return %[[R]]#0, %[[R]]#1
// FOUR-LABEL: func @dynamic
// FOUR: arith.constant 4 : index
// FOUR: max_queries(4)
func.func @dynamic(%q: tensor<1x2x?x8xf32>, %k: tensor<1x2x?x8xf32>) -> (tensor<1x2x?x8xf32>, tensor<1x2x?xf32>) {
  %o, %lse = attn.attend %q, %k, %k alignment(end)
      mask (%b, %h, %i, %j) {
        %keep = arith.cmpi sge, %i, %j : index
        attn.yield %keep : i1
      } : tensor<1x2x?x8xf32>, tensor<1x2x?x8xf32>, tensor<1x2x?x8xf32> -> tensor<1x2x?x8xf32>, tensor<1x2x?xf32>
  return %o, %lse : tensor<1x2x?x8xf32>, tensor<1x2x?xf32>
}

// -----

// Each of two ops has a choice of its own, also where one reads the other.
// CHECK-LABEL: func @chain
// CHECK: %[[A:.*]] = scf.if
// CHECK: %[[N:.*]] = tensor.dim %[[A]], %{{.*}}
// CHECK: arith.cmpi ule, %[[N]],
// CHECK: scf.if
// CHECK: attn.attend %[[A]], %{{.*}}, %{{.*}} max_queries(16)
func.func @chain(%q: tensor<1x2x?x8xf32>, %k: tensor<1x2x?x8xf32>) -> tensor<1x2x?x8xf32> {
  %a = attn.attend %q, %k, %k : tensor<1x2x?x8xf32>, tensor<1x2x?x8xf32>, tensor<1x2x?x8xf32> -> tensor<1x2x?x8xf32>
  %o = attn.attend %a, %k, %k : tensor<1x2x?x8xf32>, tensor<1x2x?x8xf32>, tensor<1x2x?x8xf32> -> tensor<1x2x?x8xf32>
  return %o : tensor<1x2x?x8xf32>
}

// -----

// What is known or decided already stays: a static number of queries ...
// CHECK-LABEL: func @static
// CHECK-NOT: scf.if
func.func @static(%q: tensor<1x2x64x8xf32>, %k: tensor<1x2x?x8xf32>) -> tensor<1x2x64x8xf32> {
  %o = attn.attend %q, %k, %k : tensor<1x2x64x8xf32>, tensor<1x2x?x8xf32>, tensor<1x2x?x8xf32> -> tensor<1x2x64x8xf32>
  return %o : tensor<1x2x64x8xf32>
}

// ... a schedule ...
// CHECK-LABEL: func @scheduled
// CHECK-NOT: scf.if
func.func @scheduled(%q: tensor<1x2x?x8xf32>) -> tensor<1x2x?x8xf32> {
  %o = attn.attend %q, %q, %q schedule(<block_q = 16, block_k = 32>) : tensor<1x2x?x8xf32>, tensor<1x2x?x8xf32>, tensor<1x2x?x8xf32> -> tensor<1x2x?x8xf32>
  return %o : tensor<1x2x?x8xf32>
}

// ... a promise.
// CHECK-LABEL: func @promised
// CHECK-NOT: scf.if
func.func @promised(%q: tensor<1x2x?x8xf32>) -> tensor<1x2x?x8xf32> {
  %o = attn.attend %q, %q, %q max_queries(100) : tensor<1x2x?x8xf32>, tensor<1x2x?x8xf32>, tensor<1x2x?x8xf32> -> tensor<1x2x?x8xf32>
  return %o : tensor<1x2x?x8xf32>
}

// -----

// A recurrence that goes on from a state has a version for a single token.
// CHECK-LABEL: func @step
// CHECK-SAME: (%[[Q:.*]]: tensor<?x4x?x8xf32>, %[[H:.*]]: tensor<?x4x8x8xf32>)
// CHECK: %[[N:.*]] = tensor.dim %[[Q]], %c2
// CHECK: %[[ONE:.*]] = arith.cmpi ule, %[[N]], %c1{{.*}} : index
// CHECK: %[[R:.*]]:2 = scf.if %[[ONE]] -> (tensor<?x4x?x8xf32>, tensor<?x4x8x8xf32>) {
// CHECK-NEXT: %[[O:.*]], %[[S:.*]] = attn.recur %[[Q]], %[[Q]], %[[Q]] initial(%[[H]] : tensor<?x4x8x8xf32>) order(reversed) max_tokens(1) :
// CHECK-NEXT: scf.yield %[[O]], %[[S]]
// CHECK-NEXT: } else {
// CHECK-NEXT: attn.recur %[[Q]], %[[Q]], %[[Q]] initial(%[[H]] : tensor<?x4x8x8xf32>) order(reversed) :
// CHECK: return %[[R]]#0, %[[R]]#1
func.func @step(%q: tensor<?x4x?x8xf32>, %h0: tensor<?x4x8x8xf32>) -> (tensor<?x4x?x8xf32>, tensor<?x4x8x8xf32>) {
  %o, %ht = attn.recur %q, %q, %q initial(%h0 : tensor<?x4x8x8xf32>) order(reversed)
      : tensor<?x4x?x8xf32>, tensor<?x4x?x8xf32>, tensor<?x4x?x8xf32> -> tensor<?x4x?x8xf32>, tensor<?x4x8x8xf32>
  return %o, %ht : tensor<?x4x?x8xf32>, tensor<?x4x8x8xf32>
}

// -----

// Not so without a state, nor where the number of tokens, a promise about it or
// a schedule is there.
// CHECK-LABEL: func @no_step
// CHECK-NOT: scf.if
func.func @no_step(%q: tensor<?x4x?x8xf32>, %p: tensor<?x4x1x8xf32>, %h0: tensor<?x4x8x8xf32>)
    -> (tensor<?x4x?x8xf32>, tensor<?x4x1x8xf32>, tensor<?x4x?x8xf32>, tensor<?x4x?x8xf32>) {
  %a = attn.recur %q, %q, %q : tensor<?x4x?x8xf32>, tensor<?x4x?x8xf32>, tensor<?x4x?x8xf32> -> tensor<?x4x?x8xf32>
  %b = attn.recur %p, %p, %p initial(%h0 : tensor<?x4x8x8xf32>)
      : tensor<?x4x1x8xf32>, tensor<?x4x1x8xf32>, tensor<?x4x1x8xf32> -> tensor<?x4x1x8xf32>
  %c = attn.recur %q, %q, %q initial(%h0 : tensor<?x4x8x8xf32>) max_tokens(3)
      : tensor<?x4x?x8xf32>, tensor<?x4x?x8xf32>, tensor<?x4x?x8xf32> -> tensor<?x4x?x8xf32>
  %d = attn.recur %q, %q, %q initial(%h0 : tensor<?x4x8x8xf32>) schedule(<block_q = 16, block_k = 8>)
      : tensor<?x4x?x8xf32>, tensor<?x4x?x8xf32>, tensor<?x4x?x8xf32> -> tensor<?x4x?x8xf32>
  return %a, %b, %c, %d : tensor<?x4x?x8xf32>, tensor<?x4x1x8xf32>, tensor<?x4x?x8xf32>, tensor<?x4x?x8xf32>
}
