// RUN: attn-opt %s --attn-split-blocks=longest-first=264 --cse | FileCheck %s
// RUN: attn-opt %s --attn-split-blocks=longest-first=264 --attn-to-tile --cse | FileCheck %s --check-prefix=TILE
// RUN: attn-opt %s --attn-split-blocks --cse | FileCheck %s --check-prefix=NONE

!x = tensor<?x?x?x8xf32>

// The blocks of a list, the long ones first: more than 264 of all heads, at most
// 16384 of one. The longest quarter of all heads comes before the others.
// CHECK-LABEL: func.func @listed
// CHECK-SAME: %[[OFFSETS:[a-z0-9]*]]: tensor<?x1x?xi32>
// NONE-LABEL: func.func @listed
// NONE-NOT: attn.block_order
// CHECK: %[[N:.*]] = arith.ceildivsi
// CHECK: %[[HEADS:.*]] = arith.muli
// CHECK: %[[ALL:.*]] = arith.muli %[[N]], %[[HEADS]]
// CHECK: %[[WAITING:.*]] = arith.subi %[[ALL]], %c264
// CHECK: %[[BELOW:.*]] = arith.subi %c16385, %[[N]]
// CHECK: %[[LEAST:.*]] = arith.minsi %[[WAITING]], %[[BELOW]]
// CHECK: %[[WORTH:.*]] = arith.cmpi sgt, %[[LEAST]], %c0
// CHECK: %[[COUNT:.*]] = arith.select %[[WORTH]], %[[N]], %c0
// CHECK: %[[ORDER:.*]] = attn.block_order %[[OFFSETS]] count(%[[COUNT]]) costs [2, 3] : tensor<?x1x?xi32> -> tensor<?x1x?xi32>
// CHECK: scf.forall (%[[B:.*]], %[[H:.*]], %[[R:.*]]) in
// CHECK: %[[SORTED:.*]] = arith.cmpi sgt, %[[COUNT]], %c0
// CHECK: %[[BLOCK:.*]] = scf.if %[[SORTED]] -> (index)
// CHECK: %[[ENTRY:.*]] = tensor.extract %[[ORDER]][%[[NB:.*]], %c0, %{{.*}}]
// CHECK: %[[NR:.*]] = arith.index_cast %[[ENTRY]]
// CHECK: scf.yield %[[NR]]
// CHECK: scf.yield %[[R]]
// CHECK: %[[BATCH:.*]] = arith.select %[[SORTED]], %[[NB]], %[[B]]
// CHECK: %[[HEAD:.*]] = arith.select %[[SORTED]], %{{.*}}, %[[H]]
// CHECK: %[[ROW:.*]] = arith.muli %[[BLOCK]], %{{.*}}
// A program reads zero outside of the order and chooses.
// TILE-LABEL: func.func @listed
// TILE: %[[N:.*]] = arith.ceildivsi
// TILE: scf.forall (%{{.*}}, %{{.*}}, %[[R:.*]]) in (%{{.*}}, %{{.*}}, %[[N]])
// TILE: arith.remui
// TILE: %[[ENTRY:.*]] = tile.gather
// TILE-NEXT: %[[NR:.*]] = arith.index_cast %[[ENTRY]]
// TILE-NEXT: arith.select %{{.*}}, %[[NR]], %[[R]]
// CHECK: tensor.parallel_insert_slice %{{.*}} into %{{.*}}[%[[BATCH]], %[[HEAD]], %[[ROW]], 0]
func.func @listed(%o: tensor<?x1x?xi32>, %l: tensor<?x1x?xi32>, %q: !x) -> !x {
  %y = attn.attend %q, %q, %q blocks(%o, %l : tensor<?x1x?xi32>, tensor<?x1x?xi32>) block_sizes [64, 32]
      schedule(<block_q = 64, block_k = 32>) : !x, !x, !x -> !x
  return %y : !x
}

// Without a list there is no order.
// CHECK-LABEL: func.func @dense
// CHECK-NOT: attn.block_order
// CHECK: scf.forall
func.func @dense(%q: !x) -> !x {
  %y = attn.attend %q, %q, %q schedule(<block_q = 64, block_k = 32>) : !x, !x, !x -> !x
  return %y : !x
}
