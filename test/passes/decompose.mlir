// RUN: attn-opt %s --attn-decompose --split-input-file | FileCheck %s
// RUN: not attn-opt %s --attn-select-schedule --attn-split-blocks --split-input-file 2>&1 | FileCheck %s --check-prefix=ORDER

// ORDER: 'attn.attend' op mixes heads; run attn-decompose first

// Queries of all heads, each times its share for the own head; keys of all heads.
// CHECK-LABEL: func @scores
// CHECK-SAME: (%[[Q:.*]]: tensor<?x2x?x8xbf16>, %[[K:.*]]: tensor<?x2x?x8xbf16>, %[[W:.*]]: tensor<2x2xf32>)
// CHECK: attn.attend %[[Q]], %[[K]], %[[K]] scale(0.353553390593273{{[0-9]+}})
// CHECK-NOT: mix_scores
// CHECK: query (%{{.*}}: tensor<8xf32>, %[[B:.*]], %[[H:.*]], %[[N:.*]]) {
// CHECK:   %[[Q0:.*]] = tensor.extract_slice %[[Q]][%[[B]], 0, %[[N]], 0]
// CHECK:   arith.extf %[[Q0]]
// CHECK:   %[[C0:.*]] = arith.constant 0 : index
// CHECK:   tensor.extract %[[W]][%[[C0]], %[[H]]]
// CHECK:   tensor.extract_slice %[[Q]][%[[B]], 1, %[[N]], 0]
// CHECK:   %[[C1:.*]] = arith.constant 1 : index
// CHECK:   tensor.extract %[[W]][%[[C1]], %[[H]]]
// CHECK:   tensor.concat dim(0) {{.*}} -> tensor<16xf32>
// CHECK: key (
// CHECK:   tensor.extract_slice %[[K]][%{{.*}}, 0, %{{.*}}, 0]
// CHECK:   tensor.extract_slice %[[K]][%{{.*}}, 1, %{{.*}}, 0]
// CHECK:   tensor.concat dim(0) {{.*}} -> tensor<16xf32>
// CHECK-NOT: value (
// CHECK: mask (
func.func @scores(%q: tensor<?x2x?x8xbf16>, %k: tensor<?x2x?x8xbf16>, %w: tensor<2x2xf32>) -> tensor<?x2x?x8xbf16> {
  %o = attn.attend %q, %k, %k mix_scores(%w : tensor<2x2xf32>)
      mask (%b, %h, %i, %j) {
        %keep = arith.cmpi sge, %i, %j : index
        attn.yield %keep : i1
      } : tensor<?x2x?x8xbf16>, tensor<?x2x?x8xbf16>, tensor<?x2x?x8xbf16> -> tensor<?x2x?x8xbf16>
  return %o : tensor<?x2x?x8xbf16>
}

// -----

// Heads that share a key are added; of the outputs, the part of the own key head.
// CHECK-LABEL: func @weights_of_groups
// CHECK: %[[O:.*]] = attn.attend
// CHECK-NOT: query (
// CHECK: value (
// CHECK-COUNT-2: tensor.extract_slice %arg1
// CHECK: -> tensor<?x4x?x16xf32>
// CHECK: attn.map_rows %[[O]]
// CHECK-NEXT: rows (%{{.*}}: tensor<16xf32>, %[[B:.*]], %[[H:.*]], %[[N:.*]]) {
// CHECK:   %[[GROUP:.*]] = arith.constant 2 : index
// CHECK:   %[[KEYHEAD:.*]] = arith.divui %[[H]], %[[GROUP]]
// CHECK:   %[[FIRST:.*]] = arith.muli %[[KEYHEAD]], %{{.*}}
// CHECK:   tensor.extract_slice %[[O]][%[[B]], 0, %[[N]], %[[FIRST]]] [1, 1, 1, 8]
// CHECK:   tensor.extract %arg2
// CHECK:   tensor.extract_slice %[[O]][%[[B]], 3, %[[N]], %[[FIRST]]] [1, 1, 1, 8]
// CHECK:   } : tensor<?x4x?x16xf32> -> tensor<?x4x?x8xf32>
func.func @weights_of_groups(%q: tensor<?x4x?x8xf32>, %k: tensor<?x2x?x8xf32>, %u: tensor<4x4xf32>) -> tensor<?x4x?x8xf32> {
  %o = attn.attend %q, %k, %k mix_weights(%u : tensor<4x4xf32>)
      : tensor<?x4x?x8xf32>, tensor<?x2x?x8xf32>, tensor<?x2x?x8xf32> -> tensor<?x4x?x8xf32>
  return %o : tensor<?x4x?x8xf32>
}

// -----

// What is mixed is not rounded before.
// CHECK-LABEL: func @weights_in_bf16
// CHECK: attn.attend
// CHECK: -> tensor<?x2x?x16xf32>
// CHECK: attn.map_rows
// CHECK: } : tensor<?x2x?x16xf32> -> tensor<?x2x?x8xbf16>
func.func @weights_in_bf16(%q: tensor<?x2x?x8xbf16>, %u: tensor<2x2xf32>) -> tensor<?x2x?x8xbf16> {
  %o = attn.attend %q, %q, %q mix_weights(%u : tensor<2x2xf32>)
      : tensor<?x2x?x8xbf16>, tensor<?x2x?x8xbf16>, tensor<?x2x?x8xbf16> -> tensor<?x2x?x8xbf16>
  return %o : tensor<?x2x?x8xbf16>
}

// -----

// Nothing to do.
// CHECK-LABEL: func @unmixed
// CHECK-NEXT: attn.attend %arg0, %arg0, %arg0 :
func.func @unmixed(%q: tensor<?x4x?x8xf32>) -> tensor<?x4x?x8xf32> {
  %o = attn.attend %q, %q, %q : tensor<?x4x?x8xf32>, tensor<?x4x?x8xf32>, tensor<?x4x?x8xf32> -> tensor<?x4x?x8xf32>
  return %o : tensor<?x4x?x8xf32>
}

// -----

// Rows are read from their pages; of what is mapped only the number of rows matters.
// CHECK-LABEL: func @gather
// CHECK-SAME: (%[[X:.*]]: tensor<?x16x?x8xbf16>, %[[T:.*]]: tensor<?x?xi32>)
// CHECK-DAG: %[[B:.*]] = tensor.dim %[[T]], %c0
// CHECK-DAG: %[[M:.*]] = tensor.dim %[[T]], %c1
// CHECK-DAG: %[[H:.*]] = tensor.dim %[[X]], %c2
// CHECK-DAG: %[[N:.*]] = arith.muli %[[M]], %c16
// CHECK: %[[ROWS:.*]] = tensor.empty(%[[B]], %[[H]], %[[N]]) : tensor<?x?x?x1xbf16>
// CHECK: attn.map_rows %[[ROWS]]
// CHECK-NEXT: rows (%{{.*}}: tensor<1xf32>, %[[IB:.*]], %[[IH:.*]], %[[IN:.*]]) {
// CHECK:   %[[PLACE:.*]] = arith.divsi %[[IN]], %c16
// CHECK:   %[[SLOT:.*]] = arith.remsi %[[IN]], %c16
// CHECK:   %[[NUMBER:.*]] = tensor.extract %[[T]][%[[IB]], %[[PLACE]]]
// CHECK:   %[[PAGE:.*]] = arith.index_cast %[[NUMBER]] : i32 to index
// CHECK:   %[[ROW:.*]] = tensor.extract_slice %[[X]][%[[PAGE]], %[[SLOT]], %[[IH]], 0] [1, 1, 1, 8]
// CHECK:   arith.extf %[[ROW]]
// CHECK-NOT: attn.gather
func.func @gather(%x: tensor<?x16x?x8xbf16>, %t: tensor<?x?xi32>) -> tensor<?x?x?x8xbf16> {
  %y = attn.gather %x at(%t) : tensor<?x16x?x8xbf16>, tensor<?x?xi32> -> tensor<?x?x?x8xbf16>
  return %y : tensor<?x?x?x8xbf16>
}

// -----

// What may be rounded may be so behind.
// CHECK-LABEL: func @precision
// CHECK: attn.attend {{.*}} precision(tf32)
func.func @precision(%q: tensor<?x2x?x8xf32>, %w: tensor<2x2xf32>) -> tensor<?x2x?x8xf32> {
  %o = attn.attend %q, %q, %q mix_scores(%w : tensor<2x2xf32>) precision(tf32)
    : tensor<?x2x?x8xf32>, tensor<?x2x?x8xf32>, tensor<?x2x?x8xf32> -> tensor<?x2x?x8xf32>
  return %o : tensor<?x2x?x8xf32>
}
