// RUN: attn-opt %s --attn-apply-sparsity --cse --split-input-file | FileCheck %s
// RUN: attn-opt %s --attn-apply-sparsity=row-group=2 --cse --split-input-file | FileCheck %s --check-prefix=GROUPS
// RUN: attn-opt %s --attn-apply-sparsity=row-group=64 --cse --split-input-file | FileCheck %s --check-prefix=ONE

!x = tensor<?x?x?x8xf32>
!t = tensor<4xf32>
!a = tensor<4x8xf32>

// Full blocks first, then those on the diagonal.
// CHECK-LABEL: func.func @causal
// CHECK-SAME: %[[Q:[a-z0-9]+]]: tensor<?x?x?x8xf32>, %[[ROW:[a-z0-9]+]]: index, %[[END:[a-z0-9]+]]: index
// CHECK-DAG: %[[NQ:.*]] = tensor.dim %[[Q]], %c2
// CHECK-DAG: %[[LAST_ROW:.*]] = arith.addi %[[ROW]], %c3
// CHECK-DAG: %[[LAST_QUERY:.*]] = arith.subi %[[NQ]], %c1
// CHECK: %[[LAST:.*]] = arith.minsi %[[LAST_ROW]], %[[LAST_QUERY]]
// CHECK: %[[VISITED:.*]] = arith.addi %[[LAST]], %c1
// CHECK: %[[FULL:.*]] = arith.addi %[[ROW]], %c1
// CHECK: %[[T:.*]]:3 = scf.for %{{.*}} = %c0 to %[[CUT:.*]] step %c16 iter_args
// CHECK: attn.partial
// CHECK-NOT: mask
// CHECK: scf.yield
// CHECK: scf.for %{{.*}} = %[[CUT]] to %{{.*}} step %c16 iter_args(%{{.*}} = %[[T]]#0, %{{.*}} = %[[T]]#1, %{{.*}} = %[[T]]#2)
// CHECK: attn.partial
// CHECK-NEXT: mask
// CHECK-NOT: keys
// CHECK-NOT: scf.for

// Each 2 of the 4 rows end where their last query does, rounded up to 8.
// GROUPS-LABEL: func.func @causal
// GROUPS-SAME: %{{[a-z0-9]+}}: tensor<?x?x?x8xf32>, %[[ROW:[a-z0-9]+]]: index
// GROUPS: %[[LAST0:.*]] = arith.addi %[[ROW]], %c1
// GROUPS: %[[LAST0B:.*]] = arith.minsi %[[LAST0]]
// GROUPS: %[[END0:.*]] = arith.addi %[[LAST0B]], %c1
// GROUPS: %[[FIRST1:.*]] = arith.addi %[[ROW]], %c2
// GROUPS: scf.for
// GROUPS-NOT: ranges
// GROUPS: scf.for %[[J:[^ ]*]] =
// GROUPS: arith.subi %[[END0]], %[[J]]
// GROUPS: arith.addi %{{.*}}, %c7
// GROUPS: arith.andi %{{.*}}, %c-8
// GROUPS: attn.partial {{.*}} ranges[2](%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}})
// A block of less than two groups is one.
// ONE-LABEL: func.func @causal
// ONE: attn.partial {{.*}} ranges[4](%{{[a-z0-9]+}}, %{{[a-z0-9]+}})
func.func @causal(%q: !x, %row: index, %end: index, %t: !t, %l: !t, %a: !a) -> !a {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %r:3 = scf.for %j = %c0 to %end step %c16 iter_args(%t0 = %t, %l0 = %l, %a0 = %a) -> (!t, !t, !a) {
    %p:3 = attn.partial %q, %q, %q at(%c0, %c0, %row, %j) init(%t0, %l0, %a0) width(16) scale(1.0)
      mask (%b, %h, %i, %key) {
        %keep = arith.cmpi sge, %i, %key : index
        attn.yield %keep : i1
      }
      keys (%b, %h, %first, %last) {
        %none = arith.constant 0 : index
        %one = arith.constant 1 : index
        %visited_end = arith.addi %last, %one : index
        %full_end = arith.addi %first, %one : index
        attn.yield %none, %visited_end, %none, %full_end : index, index, index, index
      } : !x, !x, !x -> !t, !t, !a
    scf.yield %p#0, %p#1, %p#2 : !t, !t, !a
  }
  return %r#2 : !a
}

// -----

!x = tensor<?x?x?x8xf32>
!t = tensor<4xf32>
!a = tensor<4x8xf32>

// Three loops; positions count from the last key.
// CHECK-LABEL: func.func @window
// CHECK: %[[NK:.*]] = tensor.dim %arg1, %c2
// CHECK: %[[SHIFT:.*]] = arith.subi %[[NK]], %{{.*}} : index
// CHECK: arith.addi %{{.*}}, %[[SHIFT]]
// CHECK: arith.addi %{{.*}}, %[[SHIFT]]
// CHECK: scf.for %{{.*}} = %[[BEGIN:.*]] to %[[FULL:.*]] step
// CHECK-NEXT: attn.partial {{.*}} alignment(end)
// CHECK-NEXT: mask
// CHECK: scf.for %{{.*}} = %[[FULL]] to %[[FULL_END:.*]] step
// CHECK-NEXT: attn.partial {{.*}} alignment(end)
// CHECK-NEXT: scf.yield
// CHECK: scf.for %{{.*}} = %[[FULL_END]] to %{{.*}} step
// CHECK-NEXT: attn.partial {{.*}} alignment(end)
// CHECK-NEXT: mask
// CHECK-NOT: scf.for
func.func @window(%q: !x, %k: !x, %row: index, %end: index, %t: !t, %l: !t, %a: !a) -> !a {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %r:3 = scf.for %j = %c0 to %end step %c16 iter_args(%t0 = %t, %l0 = %l, %a0 = %a) -> (!t, !t, !a) {
    %p:3 = attn.partial %q, %k, %k at(%c0, %c0, %row, %j) init(%t0, %l0, %a0) width(16) scale(1.0) alignment(end)
      mask (%b, %h, %i, %key) {
        %width = arith.constant 64 : index
        %distance = arith.subi %i, %key : index
        %keep = arith.cmpi ult, %distance, %width : index
        attn.yield %keep : i1
      }
      keys (%b, %h, %first, %last) {
        %back = arith.constant -63 : index
        %one = arith.constant 1 : index
        %visited_begin = arith.addi %first, %back : index
        %visited_end = arith.addi %last, %one : index
        %full_begin = arith.addi %last, %back : index
        %full_end = arith.addi %first, %one : index
        attn.yield %visited_begin, %visited_end, %full_begin, %full_end : index, index, index, index
      } : !x, !x, !x -> !t, !t, !a
    scf.yield %p#0, %p#1, %p#2 : !t, !t, !a
  }
  return %r#2 : !a
}

// -----

!x = tensor<?x?x?x8xf32>
!t = tensor<4xf32>
!a = tensor<4x8xf32>

// The last, shorter block keeps its mask, and is visited or not.
// CHECK-LABEL: func.func @bounded
// CHECK: scf.for
// CHECK-NEXT: attn.partial {{.*}} bounded
// CHECK-NEXT: mask
// CHECK-NOT: scf.for
func.func @bounded(%q: !x, %row: index, %begin: index, %end: index, %t: !t, %l: !t, %a: !a) -> !a {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %r:3 = scf.for %j = %begin to %end step %c16 iter_args(%t0 = %t, %l0 = %l, %a0 = %a) -> (!t, !t, !a) {
    %p:3 = attn.partial %q, %q, %q at(%c0, %c0, %row, %j) init(%t0, %l0, %a0) width(16) bounded scale(1.0)
      mask (%b, %h, %i, %key) {
        %keep = arith.cmpi sge, %i, %key : index
        attn.yield %keep : i1
      }
      keys (%b, %h, %first, %last) {
        %none = arith.constant 0 : index
        %one = arith.constant 1 : index
        %visited_end = arith.addi %last, %one : index
        %full_end = arith.addi %first, %one : index
        attn.yield %none, %visited_end, %none, %full_end : index, index, index, index
      } : !x, !x, !x -> !t, !t, !a
    scf.yield %p#0, %p#1, %p#2 : !t, !t, !a
  }
  return %r#2 : !a
}

// -----

!x = tensor<?x?x?x8xf32>
!t = tensor<4xf32>
!a = tensor<4x8xf32>

// A step that is not the width of the block, and a block outside of a loop:
// nothing to cut, and what the region says is not needed.
// CHECK-LABEL: func.func @other_places
// CHECK: scf.for %{{.*}} = %c0 to %{{.*}} step %c32
// CHECK-NEXT: attn.partial
// CHECK-NEXT: mask
// CHECK: attn.partial
// CHECK-NOT: keys
func.func @other_places(%q: !x, %row: index, %end: index, %t: !t, %l: !t, %a: !a) -> (!a, !a) {
  %c0 = arith.constant 0 : index
  %c32 = arith.constant 32 : index
  %r:3 = scf.for %j = %c0 to %end step %c32 iter_args(%t0 = %t, %l0 = %l, %a0 = %a) -> (!t, !t, !a) {
    %p:3 = attn.partial %q, %q, %q at(%c0, %c0, %row, %j) init(%t0, %l0, %a0) width(16) scale(1.0)
      mask (%b, %h, %i, %key) {
        %keep = arith.cmpi eq, %i, %key : index
        attn.yield %keep : i1
      }
      keys (%b, %h, %first, %last) {
        attn.yield %first, %last, %first, %first : index, index, index, index
      } : !x, !x, !x -> !t, !t, !a
    scf.yield %p#0, %p#1, %p#2 : !t, !t, !a
  }
  %s:3 = attn.partial %q, %q, %q at(%c0, %c0, %row, %c0) init(%t, %l, %a) width(16) scale(1.0)
    keys (%b, %h, %first, %last) {
      attn.yield %first, %last, %first, %first : index, index, index, index
    } : !x, !x, !x -> !t, !t, !a
  return %r#2, %s#2 : !a, !a
}

// -----

!x = tensor<?x?x?x8xf32>
!a = tensor<4x8xf32>

// The shorter block at the end is a part of the loop with a mask, which then
// checks where the keys end; full blocks do not.
// CHECK-LABEL: func.func @tail
// CHECK-SAME: %{{[a-z0-9]+}}: tensor<?x?x?x8xf32>, %{{[a-z0-9]+}}: index, %[[WHOLE:[a-z0-9]+]]: index, %[[END:[a-z0-9]+]]: index
// CHECK: arith.minsi %{{.*}}, %[[END]]
// CHECK: arith.minsi %{{.*}}, %[[WHOLE]]
// CHECK: scf.for
// CHECK-NEXT: attn.partial
// CHECK-NOT: bounded
// CHECK: scf.for
// CHECK-NEXT: attn.partial {{.*}} bounded
// CHECK-NEXT: mask
// CHECK-NOT: scf.for
func.func @tail(%q: !x, %row: index, %whole: index, %end: index, %a: !a) -> !a {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %r = scf.for %j = %c0 to %whole step %c16 iter_args(%a0 = %a) -> !a {
    %p = attn.partial %q, %q, %q at(%c0, %c0, %row, %j) init(%a0) width(16) scale(1.0) normalizer(none)
      mask (%b, %h, %i, %key) {
        %keep = arith.cmpi sge, %i, %key : index
        attn.yield %keep : i1
      }
      keys (%b, %h, %first, %last) {
        %none = arith.constant 0 : index
        %one = arith.constant 1 : index
        %visited_end = arith.addi %last, %one : index
        %full_end = arith.addi %first, %one : index
        attn.yield %none, %visited_end, %none, %full_end : index, index, index, index
      } : !x, !x, !x -> !a
    scf.yield %p : !a
  }
  %s = scf.for %j = %whole to %end step %c16 iter_args(%a0 = %r) -> !a {
    %p = attn.partial %q, %q, %q at(%c0, %c0, %row, %j) init(%a0) width(16) bounded scale(1.0) normalizer(none)
      mask (%b, %h, %i, %key) {
        %keep = arith.cmpi sge, %i, %key : index
        attn.yield %keep : i1
      }
      keys (%b, %h, %first, %last) {
        %none = arith.constant 0 : index
        %one = arith.constant 1 : index
        %visited_end = arith.addi %last, %one : index
        %full_end = arith.addi %first, %one : index
        attn.yield %none, %visited_end, %none, %full_end : index, index, index, index
      } : !x, !x, !x -> !a
    scf.yield %p : !a
  }
  return %s : !a
}
