// RUN: attn-opt %s --attn-split-blocks --attn-to-tile --canonicalize --cse | FileCheck %s

// A box is loaded and stored by row indices, c_0 = row div 8 and 2 (row mod 8); an
// index of a key is a vector that all rows of scores share, that of a query one that
// all columns share. Keys that do not exist are told once per key.

// CHECK-LABEL: func.func @plane
// CHECK-DAG: %[[EIGHT:.*]] = arith.constant dense<8> : tensor<16xindex>
// CHECK-DAG: %[[TWO:.*]] = arith.constant dense<2> : tensor<16xindex>
// CHECK-DAG: %[[FOUR:.*]] = arith.constant dense<4> : tensor<16xindex>
// CHECK: %[[ROW:.*]] = tile.iota %c0 along 0 : tensor<16xindex>
// CHECK: %[[QY:.*]] = arith.divui %[[ROW]], %[[EIGHT]]
// CHECK: %[[Q8:.*]] = arith.remui %[[ROW]], %[[EIGHT]]
// CHECK: %[[QX:.*]] = arith.muli %[[Q8]], %[[TWO]]
// CHECK: tile.load %{{.*}}[%{{.*}}, %{{.*}}, %[[FY:.*]], %[[FX:.*]], %c0] rows(%[[QY]], %[[QX]] : tensor<16xindex>, tensor<16xindex>)
// CHECK: scf.for
// CHECK: %[[KY:.*]] = arith.divui %[[ROW]], %[[FOUR]]
// CHECK: %[[K4:.*]] = arith.remui %[[ROW]], %[[FOUR]]
// CHECK: %[[KX:.*]] = arith.muli %[[K4]], %[[TWO]]
// CHECK: tile.load %{{.*}}[%{{.*}}, %{{.*}}, %[[GY:.*]], %[[GX:.*]], %c0] rows(%[[KY]], %[[KX]] : tensor<16xindex>, tensor<16xindex>)
// CHECK: %[[SY:.*]] = tile.splat %[[FY]]
// CHECK: %[[IY:.*]] = arith.addi %[[SY]], %[[QY]]
// CHECK: tile.broadcast %[[IY]] along 1
// CHECK: %[[TY:.*]] = tile.splat %[[GY]]
// CHECK: %[[JY:.*]] = arith.addi %[[TY]], %[[KY]]
// CHECK: tile.broadcast %[[JY]] along 0
// CHECK: %[[INY:.*]] = arith.cmpi slt, %[[JY]]
// CHECK: %[[INX:.*]] = arith.cmpi slt
// CHECK: %[[BOTH:.*]] = arith.andi %[[INY]], %[[INX]] : tensor<16xi1>
// CHECK: tile.broadcast %[[BOTH]] along 0 : tensor<16xi1> -> tensor<16x16xi1>
// CHECK: tile.store %{{.*}}, %{{.*}}[%{{.*}}, %{{.*}}, %[[FY]], %[[FX]], %c0] rows(%[[QY]], %[[QX]] : tensor<16xindex>, tensor<16xindex>)
func.func @plane(%q: tensor<?x?x?x?x8xf32>) -> tensor<?x?x?x?x8xf32> {
  %o = attn.attend %q, %q, %q schedule(<block_q = 16, block_k = 16, box_q = [2, 8], box_k = [4, 4], step = [1, 2]>)
      mask (%b, %h, %iy, %ix, %jy, %jx) {
        %keep = arith.cmpi sge, %iy, %jy : index
        attn.yield %keep : i1
      } : tensor<?x?x?x?x8xf32>, tensor<?x?x?x?x8xf32>, tensor<?x?x?x?x8xf32> -> tensor<?x?x?x?x8xf32>
  return %o : tensor<?x?x?x?x8xf32>
}
