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

func.func @negative_no_schedule(%q: tensor<?x?x?x8xf32>) -> tensor<?x?x?x8xf32> {
  // expected-error @+1 {{has no schedule; run attn-select-schedule first}}
  %o = attn.attend %q, %q, %q : tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32> -> tensor<?x?x?x8xf32>
  return %o : tensor<?x?x?x8xf32>
}
