// RUN: attn-opt %s --pass-pipeline="builtin.module(gpu.module(attn-nvidia-delay-scales,canonicalize))" | FileCheck %s

// No score is multiplied for its own sake.
// CHECK-LABEL: gpu.func @masked
// CHECK: %[[S:.*]] = tile.dot
// CHECK-NEXT: %[[X:.*]] = arith.select %{{.*}}, %[[S]], %{{.*}} : tensor<64x64xi1>, tensor<64x64xf32>
// CHECK-NEXT: %[[M:.*]] = tile.reduce max %[[X]], %{{.*}} : tensor<64x64xf32> -> tensor<64xf32>
// CHECK-NEXT: %[[CM:.*]] = arith.mulf %[[M]], %{{.*}} : tensor<64xf32>
// CHECK-NEXT: %[[B:.*]] = tile.broadcast %[[CM]]
// CHECK-NEXT: %[[N:.*]] = arith.negf %[[B]]
// CHECK-NEXT: %[[D:.*]] = math.fma %[[X]], %{{.*}}, %[[N]]
// CHECK-NEXT: tile.store %[[D]]

// Exponents of 2 are differences in units of their own: one multiply-add each.
// CHECK-LABEL: gpu.func @exponent
// CHECK: %[[S:.*]] = tile.dot
// CHECK: %[[L:.*]] = arith.mulf %{{.*}}, %{{.*}} : tensor<64xf32>
// CHECK-NEXT: %[[B:.*]] = tile.broadcast %[[L]] along 1
// CHECK-NEXT: %[[N:.*]] = arith.negf %[[B]]
// CHECK-NEXT: %[[E:.*]] = math.fma %[[S]], %{{.*}}, %[[N]]
// CHECK-NEXT: tile.store %[[E]]

// A negative scale turns the order; what is not a product of 16 bits stays; a
// maximum that starts from something is not that of scaled numbers alone.
// CHECK-LABEL: gpu.func @negative_scale
// CHECK: arith.mulf {{.*}} tensor<64x64xf32>
// CHECK: tile.reduce max
// CHECK: arith.mulf {{.*}} tensor<64x64xf32>
// CHECK: tile.reduce max
gpu.module @kernels {
  gpu.func @masked(%q: tensor<64x64xbf16>, %k: tensor<64x64xbf16>, %mask: tensor<64x64xi1>, %y: memref<?x64xf32>) kernel {
    %c0 = arith.constant 0 : index
    %zero = arith.constant dense<0.0> : tensor<64x64xf32>
    %scale = arith.constant dense<0.125> : tensor<64x64xf32>
    %nothing = arith.constant dense<0xFF800000> : tensor<64x64xf32>
    %lowest = arith.constant dense<0xFF800000> : tensor<64xf32>
    %s = tile.dot %q, %k, %zero transpose_rhs : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
    %c = arith.mulf %s, %scale : tensor<64x64xf32>
    %x = arith.select %mask, %c, %nothing : tensor<64x64xi1>, tensor<64x64xf32>
    %m = tile.reduce max %x, %lowest : tensor<64x64xf32> -> tensor<64xf32>
    %b = tile.broadcast %m along 1 : tensor<64xf32> -> tensor<64x64xf32>
    %d = arith.subf %x, %b : tensor<64x64xf32>
    tile.store %d, %y[%c0, %c0] : tensor<64x64xf32>, memref<?x64xf32>
    gpu.return
  }
  gpu.func @exponent(%q: tensor<64x64xbf16>, %m: tensor<64xf32>, %y: memref<?x64xf32>) kernel {
    %c0 = arith.constant 0 : index
    %zero = arith.constant dense<0.0> : tensor<64x64xf32>
    %scale = arith.constant dense<0.125> : tensor<64x64xf32>
    %base = arith.constant dense<1.5> : tensor<64x64xf32>
    %s = tile.dot %q, %q, %zero transpose_rhs : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
    %c = arith.mulf %s, %scale : tensor<64x64xf32>
    %b = tile.broadcast %m along 1 : tensor<64xf32> -> tensor<64x64xf32>
    %d = arith.subf %c, %b : tensor<64x64xf32>
    %e = arith.mulf %d, %base : tensor<64x64xf32>
    tile.store %e, %y[%c0, %c0] : tensor<64x64xf32>, memref<?x64xf32>
    gpu.return
  }
  gpu.func @negative_scale(%q: tensor<64x64xbf16>, %m: tensor<64xf32>, %y: memref<?xf32>) kernel {
    %c0 = arith.constant 0 : index
    %zero = arith.constant dense<0.0> : tensor<64x64xf32>
    %negative = arith.constant dense<-0.125> : tensor<64x64xf32>
    %scale = arith.constant dense<0.125> : tensor<64x64xf32>
    %lowest = arith.constant dense<0xFF800000> : tensor<64xf32>
    %s = tile.dot %q, %q, %zero transpose_rhs : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
    %c = arith.mulf %s, %negative : tensor<64x64xf32>
    %r = tile.reduce max %c, %lowest : tensor<64x64xf32> -> tensor<64xf32>
    tile.store %r, %y[%c0] : tensor<64xf32>, memref<?xf32>
    %d = arith.mulf %s, %scale : tensor<64x64xf32>
    %t = tile.reduce max %d, %m : tensor<64x64xf32> -> tensor<64xf32>
    tile.store %t, %y[%c0] : tensor<64xf32>, memref<?xf32>
    gpu.return
  }

  // Maxima of columns stay maxima of columns.
  // CHECK-LABEL: gpu.func @columns
  // CHECK: %[[S:.*]] = tile.dot
  // CHECK: tile.reduce max %[[S]], %{{.*}} along 0 : tensor<64x32xf32> -> tensor<32xf32>
  gpu.func @columns(%q: tensor<64x64xbf16>, %k: tensor<32x64xbf16>, %y: memref<?xf32>) kernel {
    %c0 = arith.constant 0 : index
    %zero = arith.constant dense<0.0> : tensor<64x32xf32>
    %scale = arith.constant dense<0.125> : tensor<64x32xf32>
    %lowest = arith.constant dense<0xFF800000> : tensor<32xf32>
    %s = tile.dot %q, %k, %zero transpose_rhs : tensor<64x64xbf16>, tensor<32x64xbf16> -> tensor<64x32xf32>
    %c = arith.mulf %s, %scale : tensor<64x32xf32>
    %r = tile.reduce max %c, %lowest along 0 : tensor<64x32xf32> -> tensor<32xf32>
    tile.store %r, %y[%c0] : tensor<32xf32>, memref<?xf32>
    gpu.return
  }
}
