// RUN: attn-opt %s | attn-opt | FileCheck %s
// RUN: attn-opt %s --mlir-print-op-generic | attn-opt | FileCheck %s

// CHECK-LABEL: func.func @bounds
// CHECK: attn.block_bounds %{{.*}} along(1) width(64) : tensor<?x100xi8> -> tensor<?x2xi8>
func.func @bounds(%ids: tensor<?x100xi8>) -> tensor<?x2xi8> {
  %least, %largest = attn.block_bounds %ids along(1) width(64) : tensor<?x100xi8> -> tensor<?x2xi8>
  return %least : tensor<?x2xi8>
}

// CHECK-LABEL: func.func @list
// CHECK: attn.block_list queries(%{{.*}}) keys(%{{.*}}) capacity(%{{.*}}) shift(%{{.*}}) batches(%{{.*}}) heads(%{{.*}}) block_sizes [64, 32]
// CHECK-NEXT: classes (%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}) {
// CHECK: attn.yield %{{.*}}, %{{.*}} : i1, i1
// CHECK: keys (%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}) {
// CHECK: } : tensor<?x?x?xi32>, tensor<?x?x?xi32>
func.func @list(%n: index, %m: index) -> tensor<?x?x?xi32> {
  %offsets, %blocks = attn.block_list queries(%n) keys(%m) capacity(%n) shift(%m) batches(%n) heads(%m)
      block_sizes [64, 32]
      classes (%b, %h, %first, %last, %first_key, %last_key) {
        %some = arith.cmpi sge, %last, %first_key : index
        %all = arith.cmpi sge, %first, %last_key : index
        attn.yield %some, %all : i1, i1
      }
      keys (%b, %h, %first, %last) {
        %zero = arith.constant 0 : index
        attn.yield %zero, %last, %zero, %zero : index, index, index, index
      } : tensor<?x?x?xi32>, tensor<?x?x?xi32>
  return %blocks : tensor<?x?x?xi32>
}

// CHECK-LABEL: func.func @list_of_boxes
// CHECK: attn.block_list queries(%{{.*}}, %{{.*}}) keys(%{{.*}}, %{{.*}}) capacity(%{{.*}}) block_sizes [64, 32] box_q [8, 8] box_k [4, 8] step [2, 1]
// CHECK-NEXT: classes (%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}) {
func.func @list_of_boxes(%n: index, %m: index) -> tensor<1x1x?xi32> {
  %offsets, %blocks = attn.block_list queries(%n, %m) keys(%m, %n) capacity(%n)
      block_sizes [64, 32] box_q [8, 8] box_k [4, 8] step [2, 1]
      classes (%b, %h, %iy, %ix, %ly, %lx, %jy, %jx, %my, %mx) {
        %some = arith.cmpi sge, %ly, %jy : index
        %all = arith.cmpi sge, %iy, %my : index
        attn.yield %some, %all : i1, i1
      } : tensor<1x1x?xi32>, tensor<1x1x?xi32>
  return %blocks : tensor<1x1x?xi32>
}

// CHECK-LABEL: func.func @attend_boxes
// CHECK: blocks(%{{.*}}, %{{.*}} : tensor<1x1x?xi32>, tensor<1x1x?xi32>) block_sizes [16, 16] schedule(<block_q = 16, block_k = 16, box_q = [4, 4], box_k = [2, 8]>)
func.func @attend_boxes(%x: tensor<?x2x?x?x8xf32>, %l: tensor<1x1x?xi32>) -> tensor<?x2x?x?x8xf32> {
  %y = attn.attend %x, %x, %x blocks(%l, %l : tensor<1x1x?xi32>, tensor<1x1x?xi32>) block_sizes [16, 16]
      schedule(<block_q = 16, block_k = 16, box_q = [4, 4], box_k = [2, 8]>)
      : tensor<?x2x?x?x8xf32>, tensor<?x2x?x?x8xf32>, tensor<?x2x?x?x8xf32> -> tensor<?x2x?x?x8xf32>
  return %y : tensor<?x2x?x?x8xf32>
}

// CHECK-LABEL: func.func @attend(
// CHECK: attn.attend %{{.*}}, %{{.*}}, %{{.*}} blocks(%{{.*}}, %{{.*}} : tensor<?x1x?xi32>, tensor<?x1x?xi32>) block_sizes [64, 32] alignment(end) schedule(<block_q = 64, block_k = 32>)
func.func @attend(%x: tensor<?x2x?x8xf32>, %o: tensor<?x1x?xi32>, %l: tensor<?x1x?xi32>) -> tensor<?x2x?x8xf32> {
  %y = attn.attend %x, %x, %x blocks(%o, %l : tensor<?x1x?xi32>, tensor<?x1x?xi32>) block_sizes [64, 32]
      alignment(end) schedule(<block_q = 64, block_k = 32>)
      : tensor<?x2x?x8xf32>, tensor<?x2x?x8xf32>, tensor<?x2x?x8xf32> -> tensor<?x2x?x8xf32>
  return %y : tensor<?x2x?x8xf32>
}

// CHECK-LABEL: func.func @transpose
// CHECK: attn.transpose_list %{{.*}}, %{{.*}} columns(%{{.*}}) : tensor<?x2x9xi32>, tensor<?x2x?xi32> -> tensor<?x2x?xi32>, tensor<?x2x?xi32>
func.func @transpose(%o: tensor<?x2x9xi32>, %l: tensor<?x2x?xi32>, %c: index) -> tensor<?x2x?xi32> {
  %to, %tl = attn.transpose_list %o, %l columns(%c) : tensor<?x2x9xi32>, tensor<?x2x?xi32> -> tensor<?x2x?xi32>, tensor<?x2x?xi32>
  return %tl : tensor<?x2x?xi32>
}

// CHECK-LABEL: func.func @order
// CHECK: attn.block_order %{{.*}} count(%{{.*}}) costs [4, 5] : tensor<1x?x?xi32> -> tensor<1x?x?xi32>
func.func @order(%o: tensor<1x?x?xi32>, %n: index) -> tensor<1x?x?xi32> {
  %order = attn.block_order %o count(%n) costs [4, 5] : tensor<1x?x?xi32> -> tensor<1x?x?xi32>
  return %order : tensor<1x?x?xi32>
}

// CHECK-LABEL: func.func @write
// CHECK: tile.write %{{.*}}, %{{.*}}[%{{.*}}] : memref<?xi32, strided<[1], offset: ?>>
func.func @write(%x: i32, %m: memref<?xi32, strided<[1], offset: ?>>, %n: index) {
  tile.write %x, %m[%n] : memref<?xi32, strided<[1], offset: ?>>
  return
}
