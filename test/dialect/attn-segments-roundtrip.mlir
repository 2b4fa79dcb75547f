// RUN: attn-opt %s | attn-opt | FileCheck %s
// RUN: attn-opt %s --mlir-print-op-generic | attn-opt | FileCheck %s
// RUN: attn-opt %s --emit-bytecode | attn-opt | FileCheck %s

// attn.attend with segments, and the op that they become.

!x = tensor<1x4x?x8xf32>

// CHECK-LABEL: func.func @one
// CHECK: attn.attend %{{.*}}, %{{.*}}, %{{.*}} segments(%{{.*}} : tensor<?xi32>) scale(1.250000e-01) : tensor<1x4x?x8xf32>
func.func @one(%q: !x, %c: tensor<?xi32>) -> !x {
  %o = attn.attend %q, %q, %q segments(%c : tensor<?xi32>) scale(0.125) : !x, !x, !x -> !x
  return %o : !x
}

// CHECK-LABEL: func.func @two
// CHECK-SAME: (%[[Q:.*]]: tensor<1x4x?x8xf32>, %[[C:.*]]: tensor<5xi64>, %[[D:.*]]: tensor<?xi32>)
// CHECK: attn.attend %[[Q]], %[[Q]], %[[Q]] segments(%[[C]], %[[D]] : tensor<5xi64>, tensor<?xi32>) alignment(end)
func.func @two(%q: !x, %c: tensor<5xi64>, %d: tensor<?xi32>) -> !x {
  %o = attn.attend %q, %q, %q segments(%c, %d : tensor<5xi64>, tensor<?xi32>) alignment(end) : !x, !x, !x -> !x
  return %o : !x
}

// CHECK-LABEL: func.func @bounds
// CHECK: attn.segment_bounds %{{.*}}, %{{.*}} tokens(%{{.*}}) limit(%{{.*}}) {note = "kept"} : tensor<5xi64>, tensor<?xi32> -> tensor<?xi32>
func.func @bounds(%c: tensor<5xi64>, %d: tensor<?xi32>, %n: index, %m: index) {
  %number, %begin, %end = attn.segment_bounds %c, %d tokens(%n) limit(%m) {note = "kept"} : tensor<5xi64>, tensor<?xi32> -> tensor<?xi32>
  return
}
