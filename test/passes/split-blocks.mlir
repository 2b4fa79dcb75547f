// RUN: attn-opt %s --attn-split-blocks --cse --split-input-file --verify-diagnostics | FileCheck %s

// CHECK-LABEL: func @dense
// CHECK-SAME: (%[[Q:.*]]: tensor<?x?x?x8xf32>, %[[K:.*]]: tensor<?x?x?x8xf32>)
// CHECK-DAG: %[[NQ:.*]] = tensor.dim %[[Q]], %c2
// CHECK-DAG: %[[NK:.*]] = tensor.dim %[[K]], %c2
// CHECK: %[[REST:.*]] = arith.remsi %[[NK]], %c32
// CHECK: %[[WHOLE:.*]] = arith.subi %[[NK]], %[[REST]]
// CHECK: %[[BLOCKS:.*]] = arith.ceildivsi %[[NQ]], %c16
// CHECK: scf.forall (%[[B:.*]], %[[H:.*]], %[[I:.*]]) in (%{{.*}}, %{{.*}}, %[[BLOCKS]])
// CHECK: %[[ROW:.*]] = arith.muli %[[I]], %c16
// The identity of the merge.
// CHECK-DAG: %[[T:.*]] = arith.constant dense<0xFF800000> : tensor<16xf32>
// CHECK-DAG: %[[L:.*]] = arith.constant dense<0.000000e+00> : tensor<16xf32>
// CHECK-DAG: %[[A:.*]] = arith.constant dense<0.000000e+00> : tensor<16x8xf32>
// CHECK: %[[R:.*]]:3 = scf.for %[[J:[a-z0-9]+]] = %c0{{.*}} to %[[WHOLE]] step %c32{{.*}} iter_args(%[[T1:.*]] = %[[T]], %[[L1:.*]] = %[[L]], %[[A1:.*]] = %[[A]])
// CHECK:   attn.partial %[[Q]], %[[K]], %[[K]] at(%[[B]], %[[H]], %[[ROW]], %[[J]]) init(%[[T1]], %[[L1]], %[[A1]]) width(32) scale(5.000000e-01)
// CHECK: %[[R2:.*]]:3 = scf.for %[[J:[a-z0-9]+]] = %[[WHOLE]] to %[[NK]] step %c32{{.*}} iter_args({{.*}} = %[[R]]#0, {{.*}} = %[[R]]#1, {{.*}} = %[[R]]#2)
// CHECK:   attn.partial {{.*}} width(32) bounded scale
// CHECK: %[[ROWS:.*]] = attn.finish %[[R2]]#0, %[[R2]]#1, %[[R2]]#2
// CHECK: %[[LEFT:.*]] = arith.subi %[[NQ]], %[[ROW]]
// CHECK: %[[COUNT:.*]] = arith.minsi %[[LEFT]], %c16
// CHECK: %[[SLICE:.*]] = tensor.extract_slice %[[ROWS]][0, 0] [%[[COUNT]], 8]
// CHECK: tensor.parallel_insert_slice %[[SLICE]] into {{.*}}[%[[B]], %[[H]], %[[ROW]], 0] [1, 1, %[[COUNT]], 8]
func.func @dense(%q: tensor<?x?x?x8xf32>, %k: tensor<?x?x?x8xf32>) -> tensor<?x?x?x8xf32> {
  %o = attn.attend %q, %k, %k scale(0.5) schedule(<block_q = 16, block_k = 32>) : tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32> -> tensor<?x?x?x8xf32>
  return %o : tensor<?x?x?x8xf32>
}

// -----

// Regions, alignment and log-sum-exp go along.
// CHECK-LABEL: func @regions_lse
// CHECK: attn.partial {{.*}} alignment(end)
// CHECK-NEXT: mask (
// CHECK: %[[O:.*]], %[[LSE:.*]] = attn.finish
// CHECK: parallel_insert_slice {{.*}} : tensor<?x8xbf16> into tensor<?x?x?x8xbf16>
// CHECK: parallel_insert_slice {{.*}} : tensor<?xf32> into tensor<?x?x?xf32>
func.func @regions_lse(%q: tensor<?x?x?x8xbf16>, %k: tensor<?x?x?x8xbf16>) -> (tensor<?x?x?x8xbf16>, tensor<?x?x?xf32>) {
  %o, %lse = attn.attend %q, %k, %k alignment(end) schedule(<block_q = 16, block_k = 32>)
    mask (%b, %h, %i, %j) {
      %keep = arith.cmpi sge, %i, %j : index
      attn.yield %keep : i1
    } : tensor<?x?x?x8xbf16>, tensor<?x?x?x8xbf16>, tensor<?x?x?x8xbf16> -> tensor<?x?x?x8xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x8xbf16>, tensor<?x?x?xf32>
}

// -----

// A factor that is not linear in the weight: statistics over all keys, then the
// accumulator alone with them given. Only the second visit evaluates prob.
// CHECK-LABEL: func @two_visits
// CHECK: %[[S:.*]]:2 = scf.for {{.*}} iter_args(%[[T1:.*]] = %{{.*}}, %[[L1:.*]] = %{{[^)]*}}) -> (tensor<16xf32>, tensor<16xf32>)
// CHECK-NEXT: attn.partial {{.*}} init(%[[T1]], %[[L1]]) width(32) scale(1.000000e+00)
// CHECK-NEXT: mask (
// CHECK-NOT: prob (
// CHECK: %[[S2:.*]]:2 = scf.for {{.*}} iter_args({{.*}} = %[[S]]#0, {{.*}} = %[[S]]#1)
// CHECK-NEXT: attn.partial {{.*}} width(32) bounded
// CHECK-NOT: prob (
// CHECK: %[[A:.*]] = scf.for {{.*}} iter_args(%[[A1:.*]] = %{{.*}}) -> (tensor<16x8xf32>)
// CHECK-NEXT: attn.partial {{.*}} init(%[[A1]]) given(%[[S2]]#0, %[[S2]]#1 : tensor<16xf32>, tensor<16xf32>) width(32) scale(1.000000e+00)
// CHECK-NEXT: mask (
// CHECK: prob (
// CHECK: %[[A2:.*]] = scf.for {{.*}} iter_args({{.*}} = %[[A]])
// CHECK-NEXT: attn.partial {{.*}} given(%[[S2]]#0, %[[S2]]#1 : tensor<16xf32>, tensor<16xf32>) width(32) bounded
// CHECK: attn.finish %[[S2]]#0, %[[S2]]#1, %[[A2]] normalized
func.func @two_visits(%q: tensor<?x?x?x8xf32>) -> (tensor<?x?x?x8xf32>, tensor<?x?x?xf32>) {
  %o, %lse = attn.attend %q, %q, %q scale(1.0) schedule(<block_q = 16, block_k = 32>)
    mask (%b, %h, %i, %j) {
      %keep = arith.cmpi sge, %i, %j : index
      attn.yield %keep : i1
    }
    prob (%p: f32, %b, %h, %i, %j) {
      %w = arith.mulf %p, %p : f32
      attn.yield %w : f32
    } : tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32> -> tensor<?x?x?x8xf32>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x8xf32>, tensor<?x?x?xf32>
}

// -----

// A sink is added once, after all keys, at the position of the block's first row.
// CHECK-LABEL: func @sink
// CHECK-SAME: (%[[Q:.*]]: tensor<?x?x?x8xf32>, %[[K:.*]]: tensor<?x?x?x8xf32>)
// CHECK-DAG: %[[NQ:.*]] = tensor.dim %[[Q]], %c2
// CHECK-DAG: %[[NK:.*]] = tensor.dim %[[K]], %c2
// CHECK: scf.forall (%[[B:.*]], %[[H:.*]], %{{.*}}) in
// CHECK: %[[ROW:.*]] = arith.muli
// CHECK: scf.for
// CHECK-NOT: attn.add_sink
// CHECK: %[[R:.*]]:3 = scf.for
// CHECK: %[[SHIFT:.*]] = arith.subi %[[NK]], %[[NQ]]
// CHECK: %[[POSITION:.*]] = arith.addi %[[ROW]], %[[SHIFT]]
// CHECK: %[[S:.*]]:3 = attn.add_sink %[[R]]#0, %[[R]]#1, %[[R]]#2 at(%[[B]], %[[H]], %[[POSITION]])
// CHECK-NEXT: sink (
// CHECK-NOT: attn.add_sink
// CHECK: attn.finish %[[S]]#0, %[[S]]#1, %[[S]]#2 :
func.func @sink(%q: tensor<?x?x?x8xf32>, %k: tensor<?x?x?x8xf32>) -> tensor<?x?x?x8xf32> {
  %o = attn.attend %q, %k, %k alignment(end) schedule(<block_q = 16, block_k = 32>)
    sink (%b, %h, %i) {
      %zero = arith.constant 0.0 : f32
      attn.yield %zero : f32
    } : tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32> -> tensor<?x?x?x8xf32>
  return %o : tensor<?x?x?x8xf32>
}

// -----

// With two visits, the sink belongs to the statistics.
// CHECK-LABEL: func @sink_two_visits
// CHECK: %[[S:.*]]:2 = attn.add_sink
// CHECK: attn.partial {{.*}} given(%[[S]]#0, %[[S]]#1
// CHECK-NOT: attn.add_sink
// CHECK: attn.finish %[[S]]#0, %[[S]]#1, %{{.*}} normalized
func.func @sink_two_visits(%q: tensor<?x?x?x8xf32>) -> tensor<?x?x?x8xf32> {
  %o = attn.attend %q, %q, %q schedule(<block_q = 16, block_k = 32>)
    prob (%p: f32, %b, %h, %i, %j) {
      %w = math.sqrt %p : f32
      attn.yield %w : f32
    }
    sink (%b, %h, %i) {
      %zero = arith.constant 0.0 : f32
      attn.yield %zero : f32
    } : tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32> -> tensor<?x?x?x8xf32>
  return %o : tensor<?x?x?x8xf32>
}

// -----

// CHECK-LABEL: func @sum
// CHECK: %[[R:.*]]:2 = scf.for {{.*}} -> (tensor<16xf32>, tensor<16x8xf32>)
// CHECK-NEXT: attn.partial {{.*}} width(32) scale(1.000000e+00) normalizer(sum) :
// CHECK: %[[R2:.*]]:2 = scf.for {{.*}} iter_args({{.*}} = %[[R]]#0, {{.*}} = %[[R]]#1)
// CHECK: attn.finish %[[R2]]#0, %[[R2]]#1 : tensor<16xf32>, tensor<16x8xf32>
func.func @sum(%q: tensor<?x?x?x8xf32>) -> tensor<?x?x?x8xf32> {
  %o = attn.attend %q, %q, %q scale(1.0) normalizer(sum) schedule(<block_q = 16, block_k = 32>)
     : tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32> -> tensor<?x?x?x8xf32>
  return %o : tensor<?x?x?x8xf32>
}

// -----

// CHECK-LABEL: func @sum_two_visits
// CHECK: %[[S:.*]] = scf.for {{.*}} -> (tensor<16xf32>)
// CHECK: %[[S2:.*]] = scf.for {{.*}} iter_args({{.*}} = %[[S]])
// CHECK: attn.partial {{.*}} init(%{{[a-z0-9]+}}) given(%[[S2]] : tensor<16xf32>) width(32) scale(1.000000e+00) normalizer(sum)
// CHECK: attn.finish %[[S2]], %{{.*}} normalized
func.func @sum_two_visits(%q: tensor<?x?x?x8xf32>) -> tensor<?x?x?x8xf32> {
  %o = attn.attend %q, %q, %q scale(1.0) normalizer(sum) schedule(<block_q = 16, block_k = 32>)
    prob (%p: f32, %b, %h, %i, %j) {
      %w = arith.mulf %p, %p : f32
      attn.yield %w : f32
    } : tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32> -> tensor<?x?x?x8xf32>
  return %o : tensor<?x?x?x8xf32>
}

// -----

// Nothing is normalised, so any factor is applied in the one visit.
// CHECK-LABEL: func @none
// CHECK: %[[R:.*]] = scf.for {{.*}} -> (tensor<16x8xf32>)
// CHECK-NEXT: attn.partial {{.*}} normalizer(none)
// CHECK-NEXT: prob (
// CHECK: %[[R2:.*]] = scf.for {{.*}} iter_args({{.*}} = %[[R]])
// CHECK-NOT: scf.for
// CHECK: attn.finish %[[R2]] : tensor<16x8xf32>
func.func @none(%q: tensor<?x?x?x8xf32>) -> tensor<?x?x?x8xf32> {
  %o = attn.attend %q, %q, %q scale(1.0) normalizer(none) schedule(<block_q = 16, block_k = 32>)
    prob (%p: f32, %b, %h, %i, %j) {
      %w = arith.mulf %p, %p : f32
      attn.yield %w : f32
    } : tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32> -> tensor<?x?x?x8xf32>
  return %o : tensor<?x?x?x8xf32>
}

// -----

// Four blocks share the keys, and hold the queries of all heads of a key head.
// CHECK-LABEL: func @splits
// CHECK-SAME: (%[[Q:.*]]: tensor<?x?x?x8xbf16>, %[[K:.*]]: tensor<?x?x?x8xbf16>, %[[SINKS:.*]]: tensor<?xf32>)
// CHECK-DAG: %[[NQ:.*]] = tensor.dim %[[Q]], %c2
// CHECK-DAG: %[[NK:.*]] = tensor.dim %[[K]], %c2
// CHECK-DAG: %[[H:.*]] = tensor.dim %[[Q]], %c1
// CHECK-DAG: %[[HK:.*]] = tensor.dim %[[K]], %c1
// CHECK: %[[SOME:.*]] = arith.maxsi %[[HK]], %c1
// CHECK: %[[G:.*]] = arith.divsi %[[H]], %[[SOME]]
// CHECK: %[[PACKED:.*]] = arith.muli %[[G]], %[[NQ]]
// CHECK: %[[BLOCKS:.*]] = arith.ceildivsi %[[PACKED]], %c16
// CHECK: %[[PARTS:.*]]:2 = scf.forall (%[[S:.*]], %[[B:.*]], %[[HEAD:.*]], %[[I:.*]]) in (4, %{{.*}}, %[[HK]], %[[BLOCKS]])
// CHECK-SAME: -> (tensor<4x?x?x?x8xf32>, tensor<4x?x?x?xf32>)
// CHECK: %[[ROW:.*]] = arith.muli %[[I]], %c16
// The share of a split is a whole number of blocks of keys.
// CHECK: %[[N:.*]] = arith.ceildivsi %[[NK]], %c32
// CHECK: %[[SHARE:.*]] = arith.ceildivsi %[[N]], %c4
// CHECK: %[[WIDTH:.*]] = arith.muli %[[SHARE]], %c32
// CHECK: %[[FIRST:.*]] = arith.muli %[[S]], %[[WIDTH]]
// CHECK: %[[END:.*]] = arith.addi %[[FIRST]], %[[WIDTH]]
// CHECK: %[[LAST:.*]] = arith.minsi %[[NK]], %[[END]]
// CHECK: scf.for {{.*}} = %[[FIRST]] to %{{.*}} step %c32
// CHECK:   attn.partial %[[Q]], %[[K]], %[[K]] at(%[[B]], %[[HEAD]], %[[ROW]], %{{.*}}) {{.*}} width(32) packed scale
// CHECK: scf.for {{.*}} to %[[LAST]] step %c32
// CHECK:   attn.partial {{.*}} width(32) bounded packed scale
// The sink counts once: it is not in the parts, which keep the accumulator type.
// CHECK-NOT: sink
// CHECK: attn.finish {{.*}} -> tensor<16x8xf32>, tensor<16xf32>
// CHECK: parallel_insert_slice {{.*}} into {{.*}}[%[[S]], %[[B]], %[[HEAD]], %[[ROW]], 0] [1, 1, 1, %{{.*}}, 8] [1, 1, 1, 1, 1]
// CHECK: parallel_insert_slice {{.*}} into {{.*}}[%[[S]], %[[B]], %[[HEAD]], %[[ROW]]] [1, 1, 1, %{{.*}}] [1, 1, 1, 1]
// CHECK: %[[OUTS:.*]] = tensor.reshape %[[PARTS]]#0({{.*}} -> tensor<4x?x?x?x8xf32>
// CHECK: %[[LSES:.*]] = tensor.reshape %[[PARTS]]#1({{.*}} -> tensor<4x?x?x?xf32>
// CHECK: %[[SHIFT:.*]] = arith.subi %[[NK]], %[[NQ]]
// CHECK: %[[O:.*]], %[[LSE:.*]] = attn.merge %[[OUTS]], %[[LSES]]
// CHECK-NEXT: sink (%{{.*}}, %{{.*}}, %[[R:.*]]) {
// The sink sees positions, the merge counts rows.
// CHECK:   %[[P:.*]] = arith.addi %[[R]], %[[SHIFT]]
// CHECK:   tensor.extract %[[SINKS]][%[[P]]]
// CHECK: : tensor<4x?x?x?x8xf32>, tensor<4x?x?x?xf32> -> tensor<?x?x?x8xbf16>, tensor<?x?x?xf32>
// CHECK: return %[[O]], %[[LSE]]
func.func @splits(%q: tensor<?x?x?x8xbf16>, %k: tensor<?x?x?x8xbf16>, %sinks: tensor<?xf32>) -> (tensor<?x?x?x8xbf16>, tensor<?x?x?xf32>) {
  %o, %lse = attn.attend %q, %k, %k alignment(end) schedule(<block_q = 16, block_k = 32, splits = 4>)
    sink (%b, %h, %i) {
      %s = tensor.extract %sinks[%i] : tensor<?xf32>
      attn.yield %s : f32
    } : tensor<?x?x?x8xbf16>, tensor<?x?x?x8xbf16>, tensor<?x?x?x8xbf16> -> tensor<?x?x?x8xbf16>, tensor<?x?x?xf32>
  return %o, %lse : tensor<?x?x?x8xbf16>, tensor<?x?x?xf32>
}

// -----

func.func @negative_splits_of_none(%q: tensor<?x?x?x8xf32>) -> tensor<?x?x?x8xf32> {
  // expected-error @+1 {{cannot share keys among blocks: 'splits' needs normalizer(softmax), a prob region that is linear in its first argument, and no matrix per head in its query region}}
  %o = attn.attend %q, %q, %q normalizer(none) schedule(<block_q = 16, block_k = 32, splits = 2>) : tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32> -> tensor<?x?x?x8xf32>
  return %o : tensor<?x?x?x8xf32>
}

// -----

func.func @negative_no_schedule(%q: tensor<?x?x?x8xf32>) -> tensor<?x?x?x8xf32> {
  // expected-error @+1 {{has no schedule; run attn-select-schedule first}}
  %o = attn.attend %q, %q, %q : tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32> -> tensor<?x?x?x8xf32>
  return %o : tensor<?x?x?x8xf32>
}
