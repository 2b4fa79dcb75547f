// RUN: attn-opt %s --attn-infer-sparsity --attn-classify-blocks --canonicalize --cse --split-input-file | FileCheck %s
// RUN: attn-opt %s --attn-infer-sparsity --attn-classify-blocks=exact --canonicalize --cse --split-input-file | FileCheck %s -check-prefix=EXACT

// Counts are compared with those of NumPy in test/integration/attn-explain.test.

// Numbers are always written, classes and pairs where there is room; pairs are asked for only where both classes are 1.
// CHECK-LABEL: func @causal(
// CHECK-SAME: %[[X:[^:]*]]: tensor<2x4x?x8xf32>, %[[NUMBERS:[^:]*]]: memref<9xi64, {{.*}}> {attn.result}, %[[CLASSES:[^:]*]]: memref<?xi8, {{.*}}> {attn.result}, %[[PAIRS:[^:]*]]: memref<?xi32, {{.*}}> {attn.result}) {
// CHECK-DAG: %[[ROWS:.*]] = arith.ceildivsi %{{.*}}, %c64
// CHECK-DAG: %[[COLUMNS:.*]] = arith.ceildivsi %{{.*}}, %c32
// CHECK: memref.store %{{.*}}, %[[NUMBERS]][%c0]
// CHECK: %[[TOTAL:.*]] = arith.muli %[[ROWS]], %[[COLUMNS]]
// CHECK: %[[ROOM:.*]] = memref.dim %[[CLASSES]]
// CHECK: %[[FITS:.*]] = arith.cmpi sle, %[[TOTAL]], %[[ROOM]]
// CHECK: scf.if %[[FITS]]
// CHECK: scf.for {{.*}} to %[[ROWS]]
// CHECK: scf.for {{.*}} to %[[COLUMNS]]
// CHECK: memref.store %{{.*}}, %[[CLASSES]]
// CHECK: scf.if %{{.*}} -> (index)
// CHECK: } else {
// CHECK: scf.for
// CHECK: memref.store %{{.*}}, %[[PAIRS]]
// CHECK: memref.store %{{.*}}, %[[PAIRS]]
// CHECK: return{{$}}

// With the option, pairs are asked for in all blocks.
// EXACT-LABEL: func @causal(
// EXACT: memref.store %{{.*}}, %{{.*}} : memref<?xi8
// EXACT-NOT: scf.if %{{.*}} -> (index)
// EXACT: memref.store %{{.*}}, %{{.*}} : memref<?xi32
func.func @causal(%x: tensor<2x4x?x8xf32>) -> tensor<2x4x?x8xf32> {
  %o = attn.attend %x, %x, %x schedule(<block_q = 64, block_k = 32>)
      mask (%b, %h, %i, %j) {
        %keep = arith.cmpi sge, %i, %j : index
        attn.yield %keep : i1
      } : tensor<2x4x?x8xf32>, tensor<2x4x?x8xf32>, tensor<2x4x?x8xf32> -> tensor<2x4x?x8xf32>
  return %o : tensor<2x4x?x8xf32>
}

// -----

// Batches and heads have blocks of their own where the mask asks for them. What is read at the position of a token has bounds, of blocks of queries and of keys.
// CHECK-LABEL: func @documents(
// CHECK-DAG: attn.block_bounds %{{.*}} along(1) width(64)
// CHECK-DAG: attn.block_bounds %{{.*}} along(1) width(32)
// CHECK: scf.for %[[B:.*]] = %c0 to %{{.*}} step
// CHECK: tensor.extract %{{.*}}[%[[B]], %
func.func @documents(%x: tensor<?x4x?x8xf32>, %ids: tensor<?x?xi32>) -> tensor<?x4x?x8xf32> {
  %o = attn.attend %x, %x, %x schedule(<block_q = 64, block_k = 32>)
      mask (%b, %h, %i, %j) {
        %p = tensor.extract %ids[%b, %i] : tensor<?x?xi32>
        %q = tensor.extract %ids[%b, %j] : tensor<?x?xi32>
        %keep = arith.cmpi eq, %p, %q : i32
        attn.yield %keep : i1
      } : tensor<?x4x?x8xf32>, tensor<?x4x?x8xf32>, tensor<?x4x?x8xf32> -> tensor<?x4x?x8xf32>
  return %o : tensor<?x4x?x8xf32>
}

// -----

// A list says which blocks are mixed, and then which are full; the mask is asked of pairs of mixed ones.
// CHECK-LABEL: func @listed(
// CHECK-SAME: %[[CLASSES:[^:]*]]: memref<?xi8
// CHECK: memref.store %{{.*}}, %{{.*}}[%c8] : memref<9xi64
// CHECK: memref.store %c0_i8, %[[CLASSES]]
// CHECK: memref.store %c1_i8, %[[CLASSES]]
// CHECK: %[[CODE:.*]] = arith.select %{{.*}}, %c2, %c1 : index
// CHECK: %[[CLASS:.*]] = arith.index_cast %[[CODE]] : index to i8
// CHECK: memref.store %[[CLASS]], %[[CLASSES]]
// CHECK: memref.load %[[CLASSES]]
func.func @listed(%x: tensor<1x1x?x8xf32>, %offsets: tensor<1x1x?xi32>, %blocks: tensor<1x1x?xi32>) -> tensor<1x1x?x8xf32> {
  %o = attn.attend %x, %x, %x blocks(%offsets, %blocks : tensor<1x1x?xi32>, tensor<1x1x?xi32>) block_sizes [64, 32]
      schedule(<block_q = 64, block_k = 32>)
      mask (%b, %h, %i, %j) {
        %keep = arith.cmpi sge, %i, %j : index
        attn.yield %keep : i1
      } : tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32> -> tensor<1x1x?x8xf32>
  return %o : tensor<1x1x?x8xf32>
}

// -----

// Boxes of a grid. A box beyond the grid has class 3.
// CHECK-LABEL: func @plane(
// CHECK: arith.select %{{.*}}, %c3, %{{.*}} : index
// CHECK: memref.store %{{.*}}, %{{.*}} : memref<?xi8
func.func @plane(%x: tensor<1x1x?x?x8xf32>) -> tensor<1x1x?x?x8xf32> {
  %o = attn.attend %x, %x, %x schedule(<block_q = 16, block_k = 16, box_q = [4, 4], box_k = [4, 4], step = [1, 2]>)
      mask (%b, %h, %iy, %ix, %jy, %jx) {
        %keep = arith.cmpi sge, %iy, %jy : index
        attn.yield %keep : i1
      } : tensor<1x1x?x?x8xf32>, tensor<1x1x?x?x8xf32>, tensor<1x1x?x?x8xf32> -> tensor<1x1x?x?x8xf32>
  return %o : tensor<1x1x?x?x8xf32>
}
