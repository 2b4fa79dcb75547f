// RUN: attn-opt %s --attn-expand-segments --split-input-file | FileCheck %s

!x = tensor<1x4x?x8xf32>
!c = tensor<?xi32>

// A mask from nothing: the keys of the sequence. Nothing else is read.
// CHECK-LABEL: func @dense
// CHECK-SAME: (%[[Q:.*]]: tensor<1x4x?x8xf32>, %[[C:.*]]: tensor<?xi32>)
// CHECK: %[[N:.*]] = tensor.dim %[[Q]], %c2
// CHECK: %{{.*}}, %[[BEGIN:.*]], %[[END:.*]] = attn.segment_bounds %[[C]], %[[C]] tokens(%{{.*}}) limit(%[[N]])
// CHECK-NOT: attn.segment_bounds
// CHECK: attn.attend %[[Q]], %[[Q]], %[[Q]] alignment(start)
// CHECK-NEXT: mask (%{{.*}}, %{{.*}}, %[[I:.*]], %[[J:.*]]) {
// CHECK: %[[FROM:.*]] = tensor.extract %[[BEGIN]][%[[I]]]
// CHECK: %[[FIRST:.*]] = arith.index_cast %[[FROM]]
// CHECK: arith.cmpi sge, %[[J]], %[[FIRST]]
// CHECK: %[[TO:.*]] = tensor.extract %[[END]][%[[I]]]
// CHECK: %[[LAST:.*]] = arith.index_cast %[[TO]]
// CHECK: arith.cmpi slt, %[[J]], %[[LAST]]
func.func @dense(%q: !x, %c: !c) -> !x {
  %o = attn.attend %q, %q, %q segments(%c : !c) : !x, !x, !x -> !x
  return %o : !x
}

// -----

!x = tensor<1x4x?x8xf32>
!c = tensor<?xi32>

// Positions from the begin of the sequence, which keys and queries have each.
// CHECK-LABEL: func @start
// CHECK-SAME: (%[[Q:.*]]: tensor<1x4x?x8xf32>, %[[K:.*]]: tensor<1x4x?x8xf32>, %[[C:.*]]: tensor<?xi32>, %[[D:.*]]: tensor<?xi32>)
// CHECK: %{{.*}}, %[[BEGIN:.*]], %{{.*}} = attn.segment_bounds %[[C]], %[[D]]
// CHECK: %{{.*}}, %[[OWN:.*]], %{{.*}} = attn.segment_bounds %[[C]], %[[C]]
// CHECK: mask (%{{.*}}, %{{.*}}, %[[I:.*]], %[[J:.*]]) {
// CHECK-NEXT: %[[FROM:.*]] = tensor.extract %[[BEGIN]][%[[I]]]
// CHECK-NEXT: %[[FIRST:.*]] = arith.index_cast %[[FROM]]
// CHECK-NEXT: %[[KEY:.*]] = arith.subi %[[J]], %[[FIRST]]
// CHECK-NEXT: %[[FROM:.*]] = tensor.extract %[[OWN]][%[[I]]]
// CHECK-NEXT: %[[FIRST:.*]] = arith.index_cast %[[FROM]]
// CHECK-NEXT: %[[QUERY:.*]] = arith.subi %[[I]], %[[FIRST]]
// CHECK-NEXT: arith.cmpi sge, %[[QUERY]], %[[KEY]]
func.func @start(%q: !x, %k: !x, %c: !c, %d: !c) -> !x {
  %o = attn.attend %q, %k, %k segments(%c, %d : !c, !c) alignment(start)
      mask (%b, %h, %i, %j) {
        %keep = arith.cmpi sge, %i, %j : index
        attn.yield %keep : i1
      } : !x, !x, !x -> !x
  return %o : !x
}

// -----

!x = tensor<1x4x?x8xf32>
!c = tensor<?xi32>

// From the end; the number of the sequence stands for the batch; sinks know it too.
// CHECK-LABEL: func @end
// CHECK: %[[NUMBER:.*]], %[[BEGIN:.*]], %[[END:.*]] = attn.segment_bounds %[[C:.*]], %[[D:.*]] tokens
// CHECK: %{{.*}}, %{{.*}}, %[[OWN:.*]] = attn.segment_bounds %[[C]], %[[C]]
// CHECK: alignment(start)
// CHECK: score (%{{.*}}: f32, %{{.*}}, %{{.*}}, %[[I:.*]], %{{.*}}) {
// CHECK-NEXT: tensor.extract %[[NUMBER]][%[[I]]]
// CHECK-NEXT: %[[B:.*]] = arith.index_cast
// CHECK-NEXT: tensor.extract %[[OWN]][%[[I]]]
// CHECK-NEXT: %[[BEHIND:.*]] = arith.index_cast
// CHECK-NEXT: %[[FROM:.*]] = arith.subi %[[I]], %[[BEHIND]]
// CHECK-NEXT: tensor.extract %[[END]][%[[I]]]
// CHECK-NEXT: %[[LAST:.*]] = arith.index_cast
// CHECK-NEXT: %[[SUM:.*]] = arith.addi %[[FROM]], %[[LAST]]
// CHECK-NEXT: tensor.extract %[[BEGIN]][%[[I]]]
// CHECK-NEXT: %[[FIRST:.*]] = arith.index_cast
// CHECK-NEXT: %[[QUERY:.*]] = arith.subi %[[SUM]], %[[FIRST]]
// CHECK-NEXT: tensor.extract %{{.*}}[%[[B]], %[[QUERY]]]
// CHECK: sink (%{{.*}}, %{{.*}}, %[[I:.*]]) {
// CHECK-NEXT: tensor.extract %[[NUMBER]][%[[I]]]
// CHECK-NEXT: %[[B:.*]] = arith.index_cast
// CHECK-NEXT: tensor.extract %{{.*}}[%[[B]]]
func.func @end(%q: !x, %k: !x, %c: !c, %d: !c, %t: tensor<?x?xf32>, %s: tensor<?xf32>) -> !x {
  %o = attn.attend %q, %k, %k segments(%c, %d : !c, !c) alignment(end)
      score (%x: f32, %b, %h, %i, %j) {
        %w = tensor.extract %t[%b, %i] : tensor<?x?xf32>
        %y = arith.addf %x, %w : f32
        attn.yield %y : f32
      }
      sink (%b, %h, %i) {
        %y = tensor.extract %s[%b] : tensor<?xf32>
        attn.yield %y : f32
      } : !x, !x, !x -> !x
  return %o : !x
}

// -----

!x = tensor<1x4x?x8xf32>

// Nothing to do.
// CHECK-LABEL: func @unpacked
// CHECK-NEXT: attn.attend %arg0, %arg0, %arg0 :
func.func @unpacked(%q: !x) -> !x {
  %o = attn.attend %q, %q, %q : !x, !x, !x -> !x
  return %o : !x
}
