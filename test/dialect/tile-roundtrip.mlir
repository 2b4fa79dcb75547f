// RUN: attn-opt %s | attn-opt | FileCheck %s
// RUN: attn-opt %s --mlir-print-op-generic | attn-opt | FileCheck %s
// RUN: attn-opt %s --emit-bytecode | attn-opt | FileCheck %s

// Every op of the tile dialect survives printing in both syntaxes and in
// bytecode.

!view = memref<?x8xf32, strided<[?, 1], offset: ?>>

// CHECK-LABEL: func.func @load_store
// CHECK: %[[T:.*]] = tile.load %{{.*}}[%{{.*}}, %{{.*}}] : memref<?x8xf32, strided<[?, 1], offset: ?>> -> tensor<4x8xf32>
// CHECK: tile.store %[[T]], %{{.*}}[%{{.*}}, %{{.*}}] : tensor<4x8xf32>, memref<?x8xf32, strided<[?, 1], offset: ?>>
func.func @load_store(%m: !view, %i: index) {
  %t = tile.load %m[%i, %i] : !view -> tensor<4x8xf32>
  tile.store %t, %m[%i, %i] : tensor<4x8xf32>, !view
  return
}

// A vector of a matrix: the leading offset picks the row.
// CHECK-LABEL: func.func @load_vector
// CHECK: tile.load %{{.*}}[%{{.*}}, %{{.*}}] : memref<?x8xf32, strided<[?, 1], offset: ?>> -> tensor<4xf32>
func.func @load_vector(%m: !view, %i: index) -> tensor<4xf32> {
  %t = tile.load %m[%i, %i] : !view -> tensor<4xf32>
  return %t : tensor<4xf32>
}

// CHECK-LABEL: func.func @gather
// CHECK: tile.gather %{{.*}}[%{{.*}}, %{{.*}} : index, tensor<4x8xindex>] : memref<?x8xf32, strided<[?, 1], offset: ?>> -> tensor<4x8xf32>
// CHECK: tile.gather %{{.*}}[%{{.*}}, %{{.*}} : index, index] : memref<?x8xf32, strided<[?, 1], offset: ?>> -> f32
func.func @gather(%m: !view, %i: index, %j: tensor<4x8xindex>) -> tensor<4x8xf32> {
  %t = tile.gather %m[%i, %j : index, tensor<4x8xindex>] : !view -> tensor<4x8xf32>
  %x = tile.gather %m[%i, %i : index, index] : !view -> f32
  return %t : tensor<4x8xf32>
}

// CHECK-LABEL: func.func @make
// CHECK: tile.splat %{{.*}} : f32 -> tensor<4xf32>
// CHECK: tile.splat %{{.*}} : i1 -> tensor<4x8xi1>
// CHECK: tile.iota %{{.*}} along 0 : tensor<4xindex>
// CHECK: tile.iota %{{.*}} along 1 : tensor<4x8xindex>
func.func @make(%x: f32, %c: i1, %i: index) -> tensor<4xf32> {
  %t = tile.splat %x : f32 -> tensor<4xf32>
  %m = tile.splat %c : i1 -> tensor<4x8xi1>
  %a = tile.iota %i along 0 : tensor<4xindex>
  %b = tile.iota %i along 1 : tensor<4x8xindex>
  return %t : tensor<4xf32>
}

// CHECK-LABEL: func.func @reshape
// CHECK: tile.broadcast %{{.*}} along 1 : tensor<4xf32> -> tensor<4x8xf32>
// CHECK: tile.broadcast %{{.*}} along 0 : tensor<4xf32> -> tensor<8x4xf32>
// CHECK: tile.slice %{{.*}} from 2 : tensor<4x8xf32> -> tensor<4x6xf32>
// CHECK: tile.concat %{{.*}}, %{{.*}} : tensor<4x8xf32>, tensor<4x6xf32> -> tensor<4x14xf32>
func.func @reshape(%v: tensor<4xf32>) -> tensor<4x14xf32> {
  %a = tile.broadcast %v along 1 : tensor<4xf32> -> tensor<4x8xf32>
  %b = tile.broadcast %v along 0 : tensor<4xf32> -> tensor<8x4xf32>
  %c = tile.slice %a from 2 : tensor<4x8xf32> -> tensor<4x6xf32>
  %d = tile.concat %a, %c : tensor<4x8xf32>, tensor<4x6xf32> -> tensor<4x14xf32>
  return %d : tensor<4x14xf32>
}

// CHECK-LABEL: func.func @contract
// CHECK: tile.dot %{{.*}}, %{{.*}}, %{{.*}} transpose_rhs : tensor<4x8xf64>, tensor<16x8xf64> -> tensor<4x16xf64>
// CHECK: tile.dot %{{.*}}, %{{.*}}, %{{.*}} : tensor<4x16xf64>, tensor<16x8xf64> -> tensor<4x8xf64>
// CHECK: tile.reduce add %{{.*}}, %{{.*}} : tensor<4x8xf64> -> tensor<4xf64>
// CHECK: tile.reduce max %{{.*}}, %{{.*}} : tensor<4x8xf64> -> tensor<4xf64>
func.func @contract(%q: tensor<4x8xf64>, %k: tensor<16x8xf64>, %s: tensor<4x16xf64>, %l: tensor<4xf64>) -> tensor<4xf64> {
  %p = tile.dot %q, %k, %s transpose_rhs : tensor<4x8xf64>, tensor<16x8xf64> -> tensor<4x16xf64>
  %o = tile.dot %p, %k, %q : tensor<4x16xf64>, tensor<16x8xf64> -> tensor<4x8xf64>
  %a = tile.reduce add %o, %l : tensor<4x8xf64> -> tensor<4xf64>
  %m = tile.reduce max %o, %l : tensor<4x8xf64> -> tensor<4xf64>
  return %m : tensor<4xf64>
}

// CHECK-LABEL: func.func @recur
// CHECK: tile.dot %{{.*}}, %{{.*}}, %{{.*}} transpose_lhs : tensor<4x8xf32>, tensor<4x6xf32> -> tensor<8x6xf32>
// CHECK: tile.dot %{{.*}}, %{{.*}}, %{{.*}} transpose_lhs transpose_rhs : tensor<4x8xf32>, tensor<6x4xf32> -> tensor<8x6xf32>
// CHECK: tile.scan mul %{{.*}} : tensor<4x8xf32>
// CHECK: tile.scan add %{{.*}} reverse exclusive : tensor<4xf32>
// CHECK: tile.reduce mul %{{.*}}, %{{.*}} along 0 : tensor<4x8xf32> -> tensor<8xf32>
// CHECK: tile.decay_dot %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} : tensor<4x8xf32> -> tensor<4x4xf32>
// CHECK: tile.decay_dot %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} reverse strict : tensor<4x8xf32> -> tensor<4x4xf32>
func.func @recur(%k: tensor<4x8xf32>, %v: tensor<4x6xf32>, %w: tensor<6x4xf32>, %s: tensor<8x6xf32>,
                 %z: tensor<4x4xf32>, %l: tensor<4xf32>, %r: tensor<8xf32>) -> tensor<4x4xf32> {
  %a = tile.dot %k, %v, %s transpose_lhs : tensor<4x8xf32>, tensor<4x6xf32> -> tensor<8x6xf32>
  %b = tile.dot %k, %w, %a transpose_lhs transpose_rhs : tensor<4x8xf32>, tensor<6x4xf32> -> tensor<8x6xf32>
  %c = tile.scan mul %k : tensor<4x8xf32>
  %d = tile.scan add %l reverse exclusive : tensor<4xf32>
  %e = tile.reduce mul %k, %r along 0 : tensor<4x8xf32> -> tensor<8xf32>
  %f = tile.decay_dot %k, %k, %c, %z : tensor<4x8xf32> -> tensor<4x4xf32>
  %g = tile.decay_dot %k, %k, %c, %f reverse strict : tensor<4x8xf32> -> tensor<4x4xf32>
  return %g : tensor<4x4xf32>
}

// CHECK-LABEL: func.func @blocks
// CHECK: tile.scan mul %{{.*}} reverse exclusive within 16 : tensor<32x8xf32>
// CHECK: tile.scan mul %{{.*}} reverse across 8 : tensor<32x8xf32>
// CHECK: tile.decay_dot %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} strict within 16 : tensor<32x8xbf16>, tensor<32x8xbf16>, tensor<32x8xf32> -> tensor<32x32xf32>
// CHECK: tile.dot %{{.*}}, %{{.*}}, %{{.*}} transpose_rhs between 16 : tensor<32x8xbf16>, tensor<32x8xbf16> -> tensor<32x32xf32>
func.func @blocks(%q: tensor<32x8xbf16>, %a: tensor<32x8xf32>, %z: tensor<32x32xf32>) -> tensor<32x32xf32> {
  %s = tile.scan mul %a reverse exclusive within 16 : tensor<32x8xf32>
  %t = tile.scan mul %s reverse across 8 : tensor<32x8xf32>
  %w = tile.decay_dot %q, %q, %t, %z strict within 16 : tensor<32x8xbf16>, tensor<32x8xbf16>, tensor<32x8xf32> -> tensor<32x32xf32>
  %b = tile.dot %q, %q, %w transpose_rhs between 16 : tensor<32x8xbf16>, tensor<32x8xbf16> -> tensor<32x32xf32>
  return %b : tensor<32x32xf32>
}

// What is the default is not printed.
// CHECK-LABEL: func.func @precision
// CHECK: tile.dot %{{.*}}, %{{.*}}, %{{.*}} transpose_rhs precision(tf32) : tensor<4x8xf32>, tensor<4x8xf32> -> tensor<4x4xf32>
// CHECK: tile.dot %{{.*}}, %{{.*}}, %{{.*}} transpose_rhs : tensor<4x8xf32>, tensor<4x8xf32> -> tensor<4x4xf32>
func.func @precision(%q: tensor<4x8xf32>, %z: tensor<4x4xf32>) -> tensor<4x4xf32> {
  %s = tile.dot %q, %q, %z transpose_rhs precision(tf32) : tensor<4x8xf32>, tensor<4x8xf32> -> tensor<4x4xf32>
  %t = tile.dot %q, %q, %s transpose_rhs precision(ieee) : tensor<4x8xf32>, tensor<4x8xf32> -> tensor<4x4xf32>
  return %t : tensor<4x4xf32>
}

// CHECK-LABEL: func.func @trim
// CHECK: tile.trim add %{{.*}} rows(2) ranges(%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}) : tensor<4x8xf64>
// CHECK: tile.trim max %{{.*}} rows(4) ranges(%{{.*}}, %{{.*}}) : tensor<4x8xf64>
func.func @trim(%x: tensor<4x8xf64>, %i: index) -> tensor<4x8xf64> {
  %a = tile.trim add %x rows(2) ranges(%i, %i, %i, %i) : tensor<4x8xf64>
  %m = tile.trim max %a rows(4) ranges(%i, %i) : tensor<4x8xf64>
  return %m : tensor<4x8xf64>
}

// CHECK-LABEL: func.func @layouts
// CHECK-SAME: tensor<64xf32, #tile.slice<along = 1, of = <rows = 16, columns = 8, vector = 4>>>
// CHECK-SAME: tensor<64x8xf32, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>
// CHECK: tile.convert_layout %{{.*}} : tensor<64x8xf32, #tile.registers<rows = 16, columns = 8, vector = 1>> -> tensor<64x8xf32, #tile.shared<row = 32, swizzle = true>>
// CHECK: tile.barrier warp
// CHECK: tile.barrier block
func.func @layouts(%x: tensor<64x8xf32, #tile.registers<rows = 16, columns = 8, vector = 1>>,
                   %y: tensor<64xf32, #tile.slice<along = 1, of = <rows = 16, columns = 8, vector = 4>>>,
                   %z: tensor<64x8xf32, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>) {
  %s = tile.convert_layout %x : tensor<64x8xf32, #tile.registers<rows = 16, columns = 8, vector = 1>>
      -> tensor<64x8xf32, #tile.shared<row = 32, swizzle = true>>
  tile.barrier warp
  tile.barrier block
  return
}

#rows = #tile.registers<rows = 16, columns = 8, vector = 1>
#shared = #tile.shared<row = 32, swizzle = true>

// Operands of one shape may have several layouts.
// CHECK-LABEL: @layouts_of_rows
// CHECK: tile.scan mul %arg0 : tensor<16x1xf32, #{{.*}}> -> tensor<16x1xf32, #{{.*}}>
// CHECK: tile.decay_dot %arg1, %arg1, %arg0, %arg2 : tensor<16x1xf32, #{{.*}}>, tensor<16x1xf32, #{{.*}}>, tensor<16x1xf32, #{{.*}}> -> tensor<16x16xf32, #{{.*}}>
func.func @layouts_of_rows(%a: tensor<16x1xf32, #shared>, %x: tensor<16x1xf32, #rows>,
                           %init: tensor<16x16xf32, #rows>) {
  %s = tile.scan mul %a : tensor<16x1xf32, #shared> -> tensor<16x1xf32, #rows>
  %d = tile.decay_dot %x, %x, %a, %init
     : tensor<16x1xf32, #rows>, tensor<16x1xf32, #rows>, tensor<16x1xf32, #shared>
    -> tensor<16x16xf32, #rows>
  return
}

// CHECK-LABEL: func.func @ring
// CHECK: %[[R:.*]] = tile.load %{{.*}}[%{{.*}}, %{{.*}}] stage(%[[I:.*]]) async : memref<?x8xf32> -> tensor<4x8xf32, #[[RING:.*]]>
// CHECK: %[[S:.*]] = tile.load %{{.*}} stage(%{{.*}}) into(%[[R]] : tensor<4x8xf32, #[[RING]]>) when(%{{.*}}) async
// CHECK: tile.await %[[S]] stage(%[[I]]) pending 1 : tensor<4x8xf32, #[[RING]]> -> tensor<4x8xf32, #{{.*}}>
!ring = tensor<4x8xf32, #tile.shared<row = 32, swizzle = true, stages = 2>>
func.func @ring(%x: memref<?x8xf32>, %i: index, %j: index, %c: i1) {
  %r = tile.load %x[%i, %i] stage(%i) async : memref<?x8xf32> -> !ring
  %s = tile.load %x[%j, %i] stage(%j) into(%r : !ring) when(%c) async : memref<?x8xf32> -> !ring
  %a = tile.await %s stage(%i) pending 1 : !ring -> tensor<4x8xf32, #tile.shared<row = 32, swizzle = true>>
  return
}

// CHECK-LABEL: func.func @async
// CHECK: %[[T:.*]] = tile.load %{{.*}}[%{{.*}}, %{{.*}}] async : memref<?x8xf32> -> tensor<4x8xf32, #[[SHARED:.*]]>
// CHECK: tile.await %[[T]] : tensor<4x8xf32, #[[SHARED]]>
func.func @async(%x: memref<?x8xf32>, %i: index) {
  %t = tile.load %x[%i, %i] async : memref<?x8xf32> -> tensor<4x8xf32, #tile.shared<row = 32, swizzle = true>>
  %a = tile.await %t : tensor<4x8xf32, #tile.shared<row = 32, swizzle = true>>
  return
}

// CHECK-LABEL: func.func @rows
// CHECK: %[[T:.*]] = tile.load %{{.*}}[%{{.*}}, %{{.*}}, %{{.*}}] rows(%[[Y:.*]], %[[X:.*]] : tensor<4xindex>, tensor<4xindex>) : memref<?x?x8xf32, strided<[?, ?, 1], offset: ?>> -> tensor<4x8xf32>
// CHECK: tile.store %[[T]], %{{.*}}[%{{.*}}, %{{.*}}, %{{.*}}] rows(%[[X]], %[[Y]] : tensor<4xindex>, tensor<4xindex>) : tensor<4x8xf32>, memref<?x?x8xf32, strided<[?, ?, 1], offset: ?>>
// CHECK: tile.load %{{.*}}[%{{.*}}] rows(%[[Y]] : tensor<4xindex>) : memref<?xf32, strided<[1], offset: ?>> -> tensor<4xf32>
func.func @rows(%m: memref<?x?x8xf32, strided<[?, ?, 1], offset: ?>>, %l: memref<?xf32, strided<[1], offset: ?>>,
                %i: index, %y: tensor<4xindex>, %x: tensor<4xindex>) {
  %t = tile.load %m[%i, %i, %i] rows(%y, %x : tensor<4xindex>, tensor<4xindex>)
     : memref<?x?x8xf32, strided<[?, ?, 1], offset: ?>> -> tensor<4x8xf32>
  tile.store %t, %m[%i, %i, %i] rows(%x, %y : tensor<4xindex>, tensor<4xindex>)
     : tensor<4x8xf32>, memref<?x?x8xf32, strided<[?, ?, 1], offset: ?>>
  %u = tile.load %l[%i] rows(%y : tensor<4xindex>) : memref<?xf32, strided<[1], offset: ?>> -> tensor<4xf32>
  return
}
