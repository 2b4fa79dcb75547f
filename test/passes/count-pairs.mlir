// RUN: attn-opt %s --attn-infer-sparsity --attn-count-pairs --canonicalize --cse --split-input-file | FileCheck %s

// Executed with known counts in test/unit/CountPairsTest.cpp.

// Nothing is returned, and a counter is the last argument.
// CHECK-LABEL: func @all(
// CHECK-SAME: %[[X:[^:]*]]: tensor<2x4x?x8xf32>, %[[N:[^:]*]]: memref<1xi64, {{.*}}> {attn.result}) {
// CHECK-NOT: scf.for
// CHECK: %[[ROWS:.*]] = arith.muli %{{.*}}, %c8
// CHECK: %[[ALL:.*]] = arith.muli %[[ROWS]],
// CHECK: %[[PAIRS:.*]] = arith.index_cast %[[ALL]] : index to i64
// CHECK: %[[BEFORE:.*]] = memref.load %[[N]]
// CHECK: %[[AFTER:.*]] = arith.addi %[[BEFORE]], %[[PAIRS]]
// CHECK: memref.store %[[AFTER]], %[[N]]
// CHECK-NEXT: return{{$}}
func.func @all(%x: tensor<2x4x?x8xf32>) -> (tensor<2x4x?x8xf32> {attn.name = "out"}) {
  %o = attn.attend %x, %x, %x : tensor<2x4x?x8xf32>, tensor<2x4x?x8xf32>, tensor<2x4x?x8xf32> -> tensor<2x4x?x8xf32>
  return %o : tensor<2x4x?x8xf32>
}

// -----

// Where ranges tell the answer, loops over keys are empty; a mask that does not look at batch and head is counted for one of them.
// CHECK-LABEL: func @causal(
// CHECK: %[[SUM:.*]] = scf.for %[[I:.*]] = %c0 to
// CHECK: scf.for %{{.*}} = %[[FULL_END:.*]] to %[[END:.*]] step
// CHECK: arith.muli %[[SUM]], %c8
func.func @causal(%x: tensor<2x4x?x8xf32>) -> tensor<2x4x?x8xf32> {
  %o = attn.attend %x, %x, %x
      mask (%b, %h, %i, %j) {
        %keep = arith.cmpi sge, %i, %j : index
        attn.yield %keep : i1
      } : tensor<2x4x?x8xf32>, tensor<2x4x?x8xf32>, tensor<2x4x?x8xf32> -> tensor<2x4x?x8xf32>
  return %o : tensor<2x4x?x8xf32>
}

// -----

// Heads are looped over where the mask asks for them, and captured tensors are read as zero outside.
// CHECK-LABEL: func @widths(
// CHECK: scf.for %[[H:.*]] = %c0 to %c4
// CHECK: scf.for %[[I:.*]] = %c0 to
// CHECK: scf.for %[[J:.*]] = %c0 to
// CHECK: %[[INSIDE:.*]] = arith.cmpi ult, %[[H]],
// CHECK: scf.if %[[INSIDE]]
// CHECK: tensor.extract %{{.*}}[%[[H]]]
// CHECK-NOT: attn.attend
func.func @widths(%x: tensor<2x4x?x8xf32>, %widths: tensor<?xindex>) -> tensor<2x4x?x8xf32> {
  %o = attn.attend %x, %x, %x
      mask (%b, %h, %i, %j) {
        %width = tensor.extract %widths[%h] : tensor<?xindex>
        %distance = arith.subi %i, %j : index
        %keep = arith.cmpi slt, %distance, %width : index
        attn.yield %keep : i1
      } : tensor<2x4x?x8xf32>, tensor<2x4x?x8xf32>, tensor<2x4x?x8xf32> -> tensor<2x4x?x8xf32>
  return %o : tensor<2x4x?x8xf32>
}

// -----

// A counter for each op, also inside of control flow.
// CHECK-LABEL: func @branches(
// CHECK-SAME: %[[FIRST:[^:]*]]: memref<1xi64, {{.*}}> {attn.result}, %[[SECOND:[^:]*]]: memref<1xi64, {{.*}}> {attn.result})
// CHECK: scf.if
// CHECK: memref.store %{{.*}}, %[[FIRST]]
// CHECK: else
// CHECK: memref.store %{{.*}}, %[[SECOND]]
func.func @branches(%x: tensor<2x4x?x8xf32>, %one: i1) -> tensor<2x4x?x8xf32> {
  %o = scf.if %one -> tensor<2x4x?x8xf32> {
    %y = attn.attend %x, %x, %x : tensor<2x4x?x8xf32>, tensor<2x4x?x8xf32>, tensor<2x4x?x8xf32> -> tensor<2x4x?x8xf32>
    scf.yield %y : tensor<2x4x?x8xf32>
  } else {
    %y = attn.attend %x, %x, %x scale(1.0) : tensor<2x4x?x8xf32>, tensor<2x4x?x8xf32>, tensor<2x4x?x8xf32> -> tensor<2x4x?x8xf32>
    scf.yield %y : tensor<2x4x?x8xf32>
  }
  return %o : tensor<2x4x?x8xf32>
}

// -----

// Tokens of recurrences count where they are reached, all batches and heads.
// CHECK-LABEL: func @tokens(
// CHECK-SAME: %[[X:[^:]*]]: tensor<2x4x?x8xf32>, %{{[^:]*}}: i1, %[[N:[^:]*]]: memref<1xi64, {{.*}}> {attn.result}) {
// CHECK: scf.if
// CHECK: %[[LENGTH:.*]] = tensor.dim %[[X]], %c2
// CHECK: %[[ALL:.*]] = arith.muli %[[LENGTH]], %c8
// CHECK: %[[TOKENS:.*]] = arith.index_cast %[[ALL]] : index to i64
// CHECK: arith.addi %{{.*}}, %[[TOKENS]]
// CHECK: memref.store %{{.*}}, %[[N]]
// CHECK-NOT: attn.recur
func.func @tokens(%x: tensor<2x4x?x8xf32>, %one: i1) -> tensor<2x4x?x8xf32> {
  %o = scf.if %one -> tensor<2x4x?x8xf32> {
    %y = attn.recur %x, %x, %x : tensor<2x4x?x8xf32>, tensor<2x4x?x8xf32>, tensor<2x4x?x8xf32> -> tensor<2x4x?x8xf32>
    scf.yield %y : tensor<2x4x?x8xf32>
  } else {
    scf.yield %x : tensor<2x4x?x8xf32>
  }
  return %o : tensor<2x4x?x8xf32>
}
