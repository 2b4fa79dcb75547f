// What trims leave out is not computed where nobody reads it, and is what the
// definition says elsewhere.
//
// RUN: attn-opt %s --attn-cpu-block-registers --canonicalize --cse | FileCheck %s
// RUN: attn-run %s --func=narrow --target=cpu:avx2 --check
// RUN: attn-run %s --func=narrow --target=cpu --check
// RUN: attn-run %s --func=read_elsewhere --target=cpu --check
// RUN: %if avx512 %{ attn-run %s --func=few_rows --target=cpu:avx512 --check %}

#view = strided<[?, 1], offset: ?>

// The first 32 rows see keys 0 to 7, the others 8 to 31: both loops over keys,
// and the second product over its depth, have the bounds of the strip.
// CHECK-LABEL: func.func @narrow
// CHECK: scf.for %[[STRIP:[^ ]*]] = %c0 to %c2 step %c1
// CHECK: %[[GROUP:[^ ]*]] = arith.cmpi eq, %[[STRIP]], %c1
// CHECK: %[[BEGIN:[^ ]*]] = arith.select %[[GROUP]], %c8, %c0
// CHECK: %[[END:[^ ]*]] = arith.select %[[GROUP]], %c32, %c8
// CHECK: scf.for %{{.*}} = %[[BEGIN]] to %[[END]] step %c8
// CHECK: scf.for %{{.*}} = %[[BEGIN]] to %[[END]] step %c2
// CHECK: scf.for %{{.*}} = %[[BEGIN]] to %[[END]] step %c1
func.func @narrow(%q: memref<?x8xf32, #view> {attn.name = "q", attn.dims = ["N", "D"]},
                  %k: memref<?x8xf32, #view> {attn.name = "k", attn.dims = ["M", "D"]},
                  %out: memref<?x8xf32, #view> {attn.name = "out", attn.dims = ["N", "D"], attn.result})
    attributes {attn.defaults = {N = 64, M = 32}} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %c32 = arith.constant 32 : index
  %zeros = arith.constant dense<0.0> : tensor<64x32xf32>
  %lowest = arith.constant dense<0xFF800000> : tensor<64xf32>
  %none = arith.constant dense<0.0> : tensor<64x8xf32>
  scf.forall (%block) in (%c1) {
    %x = tile.load %q[%block, %c0] : memref<?x8xf32, #view> -> tensor<64x8xf32>
    %y = tile.load %k[%c0, %c0] : memref<?x8xf32, #view> -> tensor<32x8xf32>
    %s = tile.dot %x, %y, %zeros transpose_rhs : tensor<64x8xf32>, tensor<32x8xf32> -> tensor<64x32xf32>
    %t = tile.trim max %s rows(32) ranges(%c0, %c8, %c8, %c32) : tensor<64x32xf32>
    %m = tile.reduce max %t, %lowest : tensor<64x32xf32> -> tensor<64xf32>
    %ms = tile.broadcast %m along 1 : tensor<64xf32> -> tensor<64x32xf32>
    %d = arith.subf %s, %ms : tensor<64x32xf32>
    %e = math.exp2 %d : tensor<64x32xf32>
    %p = tile.trim add %e rows(32) ranges(%c0, %c8, %c8, %c32) : tensor<64x32xf32>
    %o = tile.dot %p, %y, %none : tensor<64x32xf32>, tensor<32x8xf32> -> tensor<64x8xf32>
    tile.store %o, %out[%block, %c0] : tensor<64x8xf32>, memref<?x8xf32, #view>
  }
  return
}

// A sum of squares of what is trimmed by the other kind, and of what is not
// trimmed, reads all columns: the trim is a select.
// CHECK-LABEL: func.func @read_elsewhere
// CHECK: scf.for %[[COL:.*]] = %c0 to %c16 step %c8
// CHECK: %[[FROM:.*]] = arith.cmpi sge, %{{.*}}, %c8
// CHECK: %[[TO:.*]] = arith.cmpi slt, %{{.*}}, %c16
// CHECK: %[[IN:.*]] = arith.andi %[[FROM]], %[[TO]]
// CHECK: arith.select %[[IN]], %{{.*}}, %{{.*}} : vector<16xf32>
func.func @read_elsewhere(%q: memref<?x8xf32, #view> {attn.name = "q", attn.dims = ["N", "D"]},
                          %k: memref<?x8xf32, #view> {attn.name = "k", attn.dims = ["M", "D"]},
                          %out: memref<?xf32, strided<[1], offset: ?>> {attn.name = "out", attn.dims = ["N"], attn.result})
    attributes {attn.defaults = {N = 48, M = 16}} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %c16 = arith.constant 16 : index
  %zeros = arith.constant dense<0.0> : tensor<48x16xf32>
  %none = arith.constant dense<0.0> : tensor<48xf32>
  scf.forall (%block) in (%c1) {
    %x = tile.load %q[%block, %c0] : memref<?x8xf32, #view> -> tensor<48x8xf32>
    %y = tile.load %k[%c0, %c0] : memref<?x8xf32, #view> -> tensor<16x8xf32>
    %s = tile.dot %x, %y, %zeros transpose_rhs : tensor<48x8xf32>, tensor<16x8xf32> -> tensor<48x16xf32>
    %t = tile.trim add %s rows(48) ranges(%c8, %c16) : tensor<48x16xf32>
    %u = arith.mulf %t, %s : tensor<48x16xf32>
    %v = arith.addf %u, %s : tensor<48x16xf32>
    %m = tile.reduce add %v, %none : tensor<48x16xf32> -> tensor<48xf32>
    tile.store %m, %out[%block] : tensor<48xf32>, memref<?xf32, strided<[1], offset: ?>>
  }
  return
}

// A block of few rows is computed row by row, with a select as well.
// CHECK-LABEL: func.func @few_rows
// CHECK: scf.for %[[ROW:[^ ]*]] = %c0 to %c16 step %c1
// CHECK: arith.cmpi {{.*}} : vector<16xindex>
// CHECK: %[[IN:.*]] = arith.andi %{{.*}}, %{{.*}} : vector<16xi1>
// CHECK: arith.select %[[IN]], %{{.*}}, %{{.*}} : vector<16xi1>, vector<16xf32>
func.func @few_rows(%q: memref<?x8xf32, #view> {attn.name = "q", attn.dims = ["N", "D"]},
                    %k: memref<?x8xf32, #view> {attn.name = "k", attn.dims = ["M", "D"]},
                    %most: memref<?xf32, strided<[1], offset: ?>> {attn.name = "most", attn.dims = ["N"], attn.result},
                    %out: memref<?x8xf32, #view> {attn.name = "out", attn.dims = ["N", "D"], attn.result})
    attributes {attn.defaults = {N = 15, M = 32}} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %c24 = arith.constant 24 : index
  %c32 = arith.constant 32 : index
  %zeros = arith.constant dense<0.0> : tensor<16x32xf32>
  %lowest = arith.constant dense<0xFF800000> : tensor<16xf32>
  %none = arith.constant dense<0.0> : tensor<16x8xf32>
  scf.forall (%block) in (%c1) {
    %x = tile.load %q[%block, %c0] : memref<?x8xf32, #view> -> tensor<16x8xf32>
    %y = tile.load %k[%c0, %c0] : memref<?x8xf32, #view> -> tensor<32x8xf32>
    %s = tile.dot %x, %y, %zeros transpose_rhs : tensor<16x8xf32>, tensor<32x8xf32> -> tensor<16x32xf32>
    %t = tile.trim max %s rows(4) ranges(%c0, %c8, %c8, %c32, %c0, %c24, %c0, %c0) : tensor<16x32xf32>
    %m = tile.reduce max %t, %lowest : tensor<16x32xf32> -> tensor<16xf32>
    %p = tile.trim add %s rows(8) ranges(%c0, %c8, %c24, %c32) : tensor<16x32xf32>
    %o = tile.dot %p, %y, %none : tensor<16x32xf32>, tensor<32x8xf32> -> tensor<16x8xf32>
    tile.store %m, %most[%block] : tensor<16xf32>, memref<?xf32, strided<[1], offset: ?>>
    tile.store %o, %out[%block, %c0] : tensor<16x8xf32>, memref<?x8xf32, #view>
  }
  return
}
