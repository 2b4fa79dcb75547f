// RUN: attn-opt %s --attn-to-tile=count-lists --canonicalize --cse --attn-verify-tile --split-input-file | FileCheck %s
// RUN: attn-opt %s --attn-to-tile --canonicalize --cse --attn-verify-tile --split-input-file | FileCheck %s --check-prefix=ROOM

// A list of each batch: room for the most entries that one has, once they are counted, and the blocks between the first and the last that is visited are asked for again. By default there is room for the capacity, and all blocks are asked for twice.

// CHECK-LABEL: func @lists(
// CHECK-SAME: %[[OFFSETS:[^:]*]]: memref<?x1x?xi32, {{.*}} {attn.result})
// CHECK: %[[COUNTS:.*]] = memref.alloc(%{{.*}}) : memref<?x1x?xi32>
// CHECK: scf.forall
// CHECK: scf.for {{.*}} iter_args(%{{.*}} = %c0, %{{.*}} = %c0, %{{.*}} = %c2147483647, %{{.*}} = %c0)
// CHECK-COUNT-4: tile.write %{{.*}}, %[[COUNTS]]
// CHECK: scf.forall
// CHECK: tile.write %{{.*}}, %[[OFFSETS]]
// CHECK: %[[MOST:.*]] = scf.for %[[HEAD:.*]] = %c0 to %{{.*}} step %c1 iter_args(%[[SO:.*]] = %c1) -> (index) {
// CHECK:   %[[ENTRY:.*]] = memref.load %[[OFFSETS]][%[[HEAD]], %c0, %{{.*}}]
// CHECK:   %[[END:.*]] = arith.index_cast %[[ENTRY]]
// CHECK:   arith.maxsi %[[SO]], %[[END]]
// CHECK: %[[BLOCKS:.*]] = memref.alloc(%{{.*}}, %[[MOST]]) : memref<?x1x?xi32>
// CHECK: scf.forall
// CHECK-NEXT: tile.write %c0_i32, %[[BLOCKS]]
// CHECK: scf.forall
// CHECK: %[[FIRST:.*]] = tile.gather %[[COUNTS]]
// CHECK: %[[BEGIN:.*]] = arith.index_cast %[[FIRST]]
// CHECK: scf.for %{{.*}} = %[[BEGIN]] to
// CHECK: tile.write %{{.*}}, %[[BLOCKS]]

// ROOM-LABEL: func @lists(
// ROOM: memref.alloc(
// ROOM: memref.alloc(
// ROOM: memref.alloc(%{{.*}}, %[[CAPACITY:.*]]) : memref<?x1x?xi32>
// ROOM-NOT: memref.load
// ROOM: scf.for %{{.*}} = %c0 to
// ROOM: scf.for %{{.*}} = %c0 to
// ROOM: scf.for %{{.*}} = %c0 to
// ROOM-NOT: scf.for %
func.func @lists(%ids: tensor<?x?xi32>, %x: tensor<?x1x?x8xf32>) -> tensor<?x1x?xi32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c100 = arith.constant 100 : index
  %batches = tensor.dim %ids, %c0 : tensor<?x?xi32>
  %n = tensor.dim %ids, %c1 : tensor<?x?xi32>
  %least, %largest = attn.block_bounds %ids along(1) width(16) : tensor<?x?xi32> -> tensor<?x?xi32>
  %offsets, %blocks = attn.block_list queries(%n) keys(%n) capacity(%c100) batches(%batches) block_sizes [16, 16]
      classes (%b, %h, %first, %last, %key, %last_key) {
        %c16 = arith.constant 16 : index
        %r = arith.divui %first, %c16 : index
        %c = arith.divui %key, %c16 : index
        %p = tensor.extract %least[%b, %r] : tensor<?x?xi32>
        %q = tensor.extract %largest[%b, %c] : tensor<?x?xi32>
        %some = arith.cmpi sle, %p, %q : i32
        %all = arith.cmpi slt, %p, %q : i32
        attn.yield %some, %all : i1, i1
      } : tensor<?x1x?xi32>, tensor<?x1x?xi32>
  return %offsets : tensor<?x1x?xi32>
}

// -----

// A list that is a result has the size of its view.
// ROOM-LABEL: func @returned(
// CHECK-LABEL: func @returned(
// CHECK: %[[COUNTS:.*]] = memref.alloc(
// CHECK-NOT: memref.alloc
// CHECK-NOT: memref.load
func.func @returned(%n: tensor<?xi32>) -> (tensor<1x1x?xi32>, tensor<1x1x?xi32>) {
  %c0 = arith.constant 0 : index
  %c100 = arith.constant 100 : index
  %tokens = tensor.dim %n, %c0 : tensor<?xi32>
  %offsets, %blocks = attn.block_list queries(%tokens) keys(%tokens) capacity(%c100) block_sizes [16, 16]
      classes (%b, %h, %first, %last, %key, %last_key) {
        %some = arith.cmpi sle, %key, %last : index
        %all = arith.cmpi sle, %last_key, %first : index
        attn.yield %some, %all : i1, i1
      } : tensor<1x1x?xi32>, tensor<1x1x?xi32>
  return %offsets, %blocks : tensor<1x1x?xi32>, tensor<1x1x?xi32>
}
