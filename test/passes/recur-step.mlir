// A recurrence of one token at most: no loop, and no products of matrices.
//
// RUN: attn-opt %s --attn-select-schedule --attn-split-blocks | FileCheck %s
// RUN: attn-opt %s --attn-select-schedule --attn-split-blocks --attn-to-tile --canonicalize --cse | FileCheck %s --check-prefix=TILE
// RUN: attn-run %s --func=gated --check --dims=N=1 --dims=N=0
// RUN: attn-run %s --func=both --check
// RUN: attn-run %s --func=both --check --schedule=block_q=16
// RUN: attn-run %s --func=gated --target=cuda:sm_80 --simulate --check --dims=H=1,N=1
// RUN: not attn-run %s --func=gated --schedule=block_q=2 2>&1 | FileCheck %s --check-prefix=ODD
// ODD: schedule: 'block_q' must be 1 or a multiple of the {{[0-9]+}} vector lanes of this target, got 2

// CHECK-LABEL: func.func @gated
// CHECK: scf.forall
// CHECK: %[[S:.*]] = attn.load_state
// CHECK-NOT: scf.for %
// CHECK: attn.recur_chunk {{.*}} init(%[[S]] : tensor<16x24xf32>) length(1) scale(5.000000e-01) read(before)
// CHECK-NOT: scf.for %
//
// The state is weighted and summed row by row, and then replaced.
// TILE-LABEL: func.func @gated
// TILE: scf.forall
// TILE: %[[S:.*]] = tile.load %{{.*}} -> tensor<16x24xf32>
// TILE-NOT: tile.dot
// TILE: %[[READ:.*]] = tile.broadcast %{{.*}} along 1 : tensor<16xf32> -> tensor<16x24xf32>
// TILE: %[[WEIGHTED:.*]] = arith.mulf %[[S]], %[[READ]]
// TILE: tile.reduce add %[[WEIGHTED]], %{{.*}} along 0 : tensor<16x24xf32> -> tensor<24xf32>
// TILE: %[[KEPT:.*]] = arith.mulf %[[S]], %{{.*}}
// TILE: %[[NEXT:.*]] = arith.addf %[[KEPT]], %{{.*}}
// TILE: tile.store %{{.*}} : tensor<1x24xf32>
// TILE: tile.store %[[NEXT]], %{{.*}} : tensor<16x24xf32>
func.func @gated(%q: tensor<?x?x?x12xf32> {attn.name = "q", attn.dims = ["B", "H", "N", "K"]},
                 %v: tensor<?x?x?x24xf32> {attn.name = "v", attn.dims = ["B", "H", "N", "V"]},
                 %g: tensor<?x?x?x12xf32> {attn.name = "g", attn.dims = ["B", "H", "N", "K"], attn.fill = "decay"},
                 %u: tensor<?x12xf32> {attn.name = "u", attn.dims = ["H", "K"]},
                 %h0: tensor<?x?x12x24xf32> {attn.name = "h0", attn.dims = ["B", "H", "K", "V"]})
    -> (tensor<?x?x?x24xf32> {attn.name = "out"}, tensor<?x?x12x24xf32> {attn.name = "ht"})
    attributes {attn.defaults = {B = 2, H = 3, N = 1}} {
  %out, %ht = attn.recur %q, %q, %v gate(%g : tensor<?x?x?x12xf32>) bonus(%u : tensor<?x12xf32>)
      initial(%h0 : tensor<?x?x12x24xf32>) scale(0.5) read(before) order(reversed) max_tokens(1)
      : tensor<?x?x?x12xf32>, tensor<?x?x?x12xf32>, tensor<?x?x?x24xf32> -> tensor<?x?x?x24xf32>, tensor<?x?x12x24xf32>
  return %out, %ht : tensor<?x?x?x24xf32>, tensor<?x?x12x24xf32>
}

// One token alone is seen from both sides once; nothing is read of a state of
// zeros.
// CHECK-LABEL: func.func @both
// CHECK-COUNT-1: attn.recur_chunk
// CHECK-NOT: attn.recur_chunk
// CHECK-NOT: bidirectional
// TILE-LABEL: func.func @both
// TILE-NOT: tile.reduce add {{.*}} along 0
func.func @both(%q: tensor<?x?x1x16xf32> {attn.name = "q", attn.dims = ["B", "H", "N", "K"]},
                %v: tensor<?x?x1x16xf32> {attn.name = "v", attn.dims = ["B", "H", "N", "V"]},
                %g: tensor<?xf32> {attn.name = "g", attn.dims = ["H"], attn.fill = "decay"})
    -> (tensor<?x?x1x16xf32> {attn.name = "out"})
    attributes {attn.defaults = {B = 2, H = 3, N = 1}} {
  %out = attn.recur %q, %q, %v gate(%g : tensor<?xf32>) order(bidirectional)
      norm (%num: tensor<16xf32>, %den: f32, %b, %h, %i) {
        %row = tensor.splat %den : tensor<16xf32>
        %y = arith.divf %num, %row : tensor<16xf32>
        attn.yield %y : tensor<16xf32>
      } : tensor<?x?x1x16xf32>, tensor<?x?x1x16xf32>, tensor<?x?x1x16xf32> -> tensor<?x?x1x16xf32>
  return %out : tensor<?x?x1x16xf32>
}
