// RUN: attn-opt %s --attn-infer-sparsity --split-input-file --verify-diagnostics | FileCheck %s
// A second run changes nothing.
// RUN: attn-opt %s --attn-infer-sparsity --split-input-file > %t.once
// RUN: attn-opt %t.once --attn-infer-sparsity --split-input-file | diff %t.once -

!x = tensor<?x?x?x8xf32>

// CHECK-LABEL: func.func @causal
// CHECK: keys (%{{.*}}, %{{.*}}, %[[FIRST:.*]], %[[LAST:.*]]) {
// CHECK-DAG: %[[NONE:.*]] = arith.constant 0
// CHECK-DAG: %[[ONE:.*]] = arith.constant 1
// CHECK-DAG: %[[VISITED:.*]] = arith.addi %[[LAST]], %[[ONE]]
// CHECK-DAG: %[[FULL:.*]] = arith.addi %[[FIRST]], %[[ONE]]
// CHECK-NOT: arith
// CHECK: attn.yield %[[NONE]], %[[VISITED]], %[[NONE]], %[[FULL]] : index, index, index, index
func.func @causal(%q: !x) -> !x {
  %o = attn.attend %q, %q, %q
      mask (%b, %h, %i, %j) {
        %keep = arith.cmpi sge, %i, %j : index
        attn.yield %keep : i1
      } : !x, !x, !x -> !x
  return %o : !x
}

// -----

!x = tensor<?x?x?x8xf32>

// Both bounds move, and a negated comparison is like its opposite.
// CHECK-LABEL: func.func @window
// CHECK: keys (%{{.*}}, %{{.*}}, %[[FIRST:.*]], %[[LAST:.*]]) {
// CHECK-DAG: %[[BACK:.*]] = arith.constant -7
// CHECK-DAG: %[[ONE:.*]] = arith.constant 1
// CHECK-DAG: %[[BEGIN:.*]] = arith.addi %[[FIRST]], %[[BACK]]
// CHECK-DAG: %[[END:.*]] = arith.addi %[[LAST]], %[[ONE]]
// CHECK-DAG: %[[FULL_BEGIN:.*]] = arith.addi %[[LAST]], %[[BACK]]
// CHECK-DAG: %[[FULL_END:.*]] = arith.addi %[[FIRST]], %[[ONE]]
// CHECK-NOT: arith
// CHECK: attn.yield %[[BEGIN]], %[[END]], %[[FULL_BEGIN]], %[[FULL_END]]
func.func @window(%q: !x) -> !x {
  %width = arith.constant 8 : index
  %o = attn.attend %q, %q, %q
      mask (%b, %h, %i, %j) {
        %true = arith.constant true
        %distance = arith.subi %i, %j : index
        %future = arith.cmpi slt, %distance, %b : index
        %after = arith.cmpi sgt, %j, %i : index
        %far = arith.cmpi sge, %distance, %width : index
        %out = arith.ori %after, %far : i1
        %keep = arith.xori %out, %true : i1
        attn.yield %keep : i1
      } : !x, !x, !x -> !x
  return %o : !x
}

// -----

!x = tensor<?x?x?x8xf32>

// A prefix that all queries see: the larger of two ends.
// CHECK-LABEL: func.func @prefix
// CHECK: keys (%{{.*}}, %{{.*}}, %[[FIRST:.*]], %[[LAST:.*]]) {
// CHECK: %[[VISITED:.*]] = arith.maxsi
// CHECK: %[[FULL:.*]] = arith.maxsi
// CHECK: attn.yield %c0{{.*}}, %[[VISITED]], %c0{{.*}}, %[[FULL]]
func.func @prefix(%q: !x) -> !x {
  %length = arith.constant 100 : index
  %o = attn.attend %q, %q, %q
      mask (%b, %h, %i, %j) {
        %past = arith.cmpi sge, %i, %j : index
        %in = arith.cmpi slt, %j, %length : index
        %keep = arith.ori %past, %in : i1
        attn.yield %keep : i1
      } : !x, !x, !x -> !x
  return %o : !x
}

// -----

!x = tensor<?x?x?x8xf32>

// Floors are solved for the key.
// CHECK-LABEL: func.func @chunks
// CHECK: keys (%{{.*}}, %{{.*}}, %[[FIRST:.*]], %[[LAST:.*]]) {
// CHECK-DAG: arith.floordivsi %[[FIRST]], %c16
// CHECK-DAG: arith.floordivsi %[[LAST]], %c16
func.func @chunks(%q: !x) -> !x {
  %size = arith.constant 16 : index
  %o = attn.attend %q, %q, %q
      mask (%b, %h, %i, %j) {
        %chunk_i = arith.divsi %i, %size : index
        %chunk_j = arith.divsi %j, %size : index
        %keep = arith.cmpi eq, %chunk_i, %chunk_j : index
        attn.yield %keep : i1
      } : !x, !x, !x -> !x
  return %o : !x
}

// -----

!x = tensor<?x?x?x8xf32>

// Sizes and heads are the same for all pairs.
// CHECK-LABEL: func.func @head_and_size
// CHECK: keys (%{{.*}}, %[[H:.*]], %{{.*}}, %{{.*}}) {
// CHECK: %[[DENSE:.*]] = arith.cmpi slt, %[[H]],
// CHECK: tensor.dim %arg0
// CHECK: arith.select %[[DENSE]]
func.func @head_and_size(%q: !x) -> !x {
  %two = arith.constant 2 : index
  %o = attn.attend %q, %q, %q
      mask (%b, %h, %i, %j) {
        %c2 = arith.constant 2 : index
        %dense = arith.cmpi slt, %h, %two : index
        %n = tensor.dim %q, %c2 : !x
        %half = arith.divsi %n, %two : index
        %early = arith.cmpi slt, %j, %half : index
        %true = arith.constant true
        %keep = arith.select %dense, %true, %early : i1
        attn.yield %keep : i1
      } : !x, !x, !x -> !x
  return %o : !x
}

// -----

!x = tensor<?x?x?x8xf32>

// No range follows from data. Integers at positions have bounds for blocks, which
// a list of blocks uses (attn-list-blocks).
// CHECK-LABEL: func.func @data
// CHECK-NOT: keys
func.func @data(%q: !x, %limits: tensor<?xindex>) -> !x {
  %o = attn.attend %q, %q, %q
      mask (%b, %h, %i, %j) {
        %limit = tensor.extract %limits[%i] : tensor<?xindex>
        %keep = arith.cmpi slt, %j, %limit : index
        attn.yield %keep : i1
      } : !x, !x, !x -> !x
  return %o : !x
}

// -----

!x = tensor<?x?x?x8xf32>

// Nothing is known of data that a query and a key choose.
// CHECK-LABEL: func.func @data_of_pairs
// CHECK-NOT: keys
func.func @data_of_pairs(%q: !x, %limits: tensor<?xindex>) -> !x {
  // expected-remark@below {{every block of keys is visited}}
  %o = attn.attend %q, %q, %q
      mask (%b, %h, %i, %j) {
        %d = arith.subi %i, %j : index
        // expected-note@below {{'tensor.extract' has no bounds that are known}}
        %limit = tensor.extract %limits[%d] : tensor<?xindex>
        %keep = arith.cmpi slt, %j, %limit : index
        attn.yield %keep : i1
      } : !x, !x, !x -> !x
  return %o : !x
}

// -----

!x = tensor<?x?x?x8xf32>

// What is known beside the data still counts.
// CHECK-LABEL: func.func @half_data
// CHECK: keys
// CHECK: attn.yield %[[NONE:c0.*]], %{{.*}}, %[[NONE]], %[[NONE]] :
func.func @half_data(%q: !x, %keep: tensor<?xi1>) -> !x {
  // expected-remark@below {{the mask is evaluated in every block of keys}}
  %o = attn.attend %q, %q, %q
      mask (%b, %h, %i, %j) {
        // expected-note@below {{'tensor.extract' has no bounds that are known}}
        %exists = tensor.extract %keep[%j] : tensor<?xi1>
        %past = arith.cmpi sge, %i, %j : index
        %both = arith.andi %exists, %past : i1
        attn.yield %both : i1
      } : !x, !x, !x -> !x
  return %o : !x
}

// -----

!x = tensor<?x?x?x8xf32>

// Queries at negative positions: an unsigned comparison of them says nothing of
// ranges.
// CHECK-LABEL: func.func @unsigned_of_negative
// CHECK-NOT: keys
func.func @unsigned_of_negative(%q: !x, %k: !x) -> !x {
  %o = attn.attend %q, %k, %k alignment(end)
      mask (%b, %h, %i, %j) {
        %before = arith.subi %j, %i : index
        %keep = arith.cmpi ult, %before, %i : index
        attn.yield %keep : i1
      } : !x, !x, !x -> !x
  return %o : !x
}

// -----

!x = tensor<?x?x?x8xf32>

// CHECK-LABEL: func.func @no_mask
// CHECK-NOT: keys
func.func @no_mask(%q: !x) -> !x {
  %o = attn.attend %q, %q, %q : !x, !x, !x -> !x
  return %o : !x
}

// -----

!x = tensor<1x?x?x8xf32>

// What is read at the query from bounds of sequences grows with it: from the first query
// of the block and the last. Differences of positions do not depend on the sequence.
// CHECK-LABEL: func.func @packed
// CHECK: %{{.*}}, %[[BEGIN:.*]], %[[END:.*]] = attn.segment_bounds
// CHECK: keys (%{{.*}}, %{{.*}}, %[[FIRST:.*]], %[[LAST:.*]]) {
// CHECK-DAG: %[[BF:.*]] = tensor.extract %[[BEGIN]][%[[FIRST]]]
// CHECK-DAG: %[[BEGIN_FIRST:.*]] = arith.index_cast %[[BF]]
// CHECK-DAG: %[[BL:.*]] = tensor.extract %[[BEGIN]][%[[LAST]]]
// CHECK-DAG: %[[BEGIN_LAST:.*]] = arith.index_cast %[[BL]]
// CHECK-DAG: %[[EF:.*]] = tensor.extract %[[END]][%[[FIRST]]]
// CHECK-DAG: %[[END_FIRST:.*]] = arith.index_cast %[[EF]]
// CHECK-DAG: %[[EL:.*]] = tensor.extract %[[END]][%[[LAST]]]
// CHECK-DAG: %[[END_LAST:.*]] = arith.index_cast %[[EL]]
// CHECK-DAG: %[[PAST_LAST:.*]] = arith.addi %[[LAST]], %{{.*}}
// CHECK-DAG: %[[VISITED:.*]] = arith.minsi %{{.*}}, %{{.*}}
// CHECK-DAG: %[[PAST_FIRST:.*]] = arith.addi %[[FIRST]], %{{.*}}
// CHECK: attn.yield %[[BEGIN_FIRST]], %{{.*}}, %[[BEGIN_LAST]], %{{.*}} : index, index, index, index
func.func @packed(%q: !x, %c: tensor<?xi32>, %n: index) -> !x {
  %number, %begin, %end = attn.segment_bounds %c, %c tokens(%n) limit(%n) : tensor<?xi32>, tensor<?xi32> -> tensor<?xi32>
  %o = attn.attend %q, %q, %q
      mask (%b, %h, %i, %j) {
        %from = tensor.extract %begin[%i] : tensor<?xi32>
        %first = arith.index_cast %from : i32 to index
        %query = arith.subi %i, %first : index
        %key = arith.subi %j, %first : index
        %past = arith.cmpi sge, %query, %key : index
        %behind = arith.cmpi sge, %j, %first : index
        %to = tensor.extract %end[%i] : tensor<?xi32>
        %last = arith.index_cast %to : i32 to index
        %before = arith.cmpi slt, %j, %last : index
        %inside = arith.andi %behind, %before : i1
        %keep = arith.andi %inside, %past : i1
        attn.yield %keep : i1
      } : !x, !x, !x -> !x
  return %o : !x
}
