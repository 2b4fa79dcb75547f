// RUN: attn-opt %s --pass-pipeline="builtin.module(gpu.module(attn-gpu-distribute,canonicalize,cse))" --split-input-file --verify-diagnostics | FileCheck %s

#rows = #tile.registers<rows = 16, columns = 8, vector = 1>
#quads = #tile.registers<rows = 16, columns = 8, vector = 4>

// A thread has two rows and one column of 32 x 8 elements. The view may end
// between the rows, so each has a test; columns are known to exist.
// CHECK-LABEL: gpu.func @rows
// CHECK-SAME: (%[[X:[^:]*]]: memref<?x8xf32>,
// CHECK-DAG: %[[T:.*]] = gpu.thread_id x
// CHECK-DAG: %[[C8:.*]] = arith.constant 8 : index
// CHECK-DAG: %[[C16:.*]] = arith.constant 16 : index
// CHECK-DAG: %[[R:.*]] = arith.divui %[[T]], %[[C8]]
// CHECK-DAG: %[[R1:.*]] = arith.addi %[[R]], %[[C16]]
// CHECK-DAG: %[[C:.*]] = arith.remui %[[T]], %[[C8]]
// CHECK: %[[N:.*]] = memref.dim %[[X]]
// CHECK: %[[IN:.*]] = arith.cmpi ult, %{{.*}}, %[[N]]
// CHECK: %[[A:.*]] = scf.if %[[IN]] -> (f32)
// CHECK: memref.load %[[X]][%{{.*}}, %[[C]]]
// CHECK: else
// CHECK: scf.yield %cst
// CHECK: scf.if
// CHECK: memref.load
// CHECK-NOT: memref.load
// CHECK: arith.addf
// CHECK: arith.addf
// CHECK-NOT: arith.addf
// CHECK: memref.store
// CHECK: memref.store
// CHECK-NOT: memref.store
gpu.module @kernels {
  gpu.func @rows(%x: memref<?x8xf32>, %y: memref<?x8xf32>, %i: index) kernel
      attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %t = tile.load %x[%i, %c0] : memref<?x8xf32> -> tensor<32x8xf32, #rows>
    %d = arith.addf %t, %t : tensor<32x8xf32, #rows>
    tile.store %d, %y[%i, %c0] : tensor<32x8xf32, #rows>, memref<?x8xf32>
    gpu.return
  }
}

// -----

#rows = #tile.registers<rows = 16, columns = 8, vector = 1>
!rows = tensor<16x16xf32, #tile.registers<rows = 16, columns = 8, vector = 1>>
!row = tensor<16xf32, #tile.slice<along = 1, of = <rows = 16, columns = 8, vector = 1>>>

// Two numbers of a thread, then the eight lanes of a row in three steps. Each of
// them has the result, one stores it. Of ten columns the last six do not count.
// CHECK-LABEL: gpu.func @reduce
// CHECK: %[[IN:.*]] = arith.cmpi ult, %{{.*}}, %c10
// CHECK: arith.select %[[IN]], %{{.*}}, %{{.*}} : f32
// CHECK: arith.maxnumf
// CHECK: %[[V:.*]], %{{.*}} = gpu.shuffle xor %{{.*}}, %c1_i32, %c32_i32 : f32
// CHECK: arith.maxnumf %{{.*}}, %[[V]]
// CHECK: gpu.shuffle xor %{{.*}}, %c2_i32, %c32_i32
// CHECK: gpu.shuffle xor %{{.*}}, %c4_i32, %c32_i32
// CHECK-NOT: gpu.shuffle
// CHECK: %[[FIRST:.*]] = arith.cmpi eq, %{{.*}}, %c0
// CHECK: scf.if %[[FIRST]]
// CHECK: memref.store
gpu.module @kernels {
  gpu.func @reduce(%x: memref<16x16xf32>, %y: memref<16xf32>) kernel
      attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %init = arith.constant dense<0.0> : !row
    %t = tile.load %x[%c0, %c0] : memref<16x16xf32> -> tensor<16x10xf32, #rows>
    %m = tile.reduce max %t, %init : tensor<16x10xf32, #rows> -> !row
    tile.store %m, %y[%c0] : !row, memref<16xf32>
    gpu.return
  }
}

// -----

#rows = #tile.registers<rows = 16, columns = 8, vector = 1>
#quads = #tile.registers<rows = 16, columns = 8, vector = 4>
#permuted = #tile.shared<row = 32, swizzle = true>
#plain = #tile.shared<row = 32, swizzle = false>

// A copy to shared memory with and without tests, a conversion, and a product in
// steps of four: one row of four weights, four rows of four values.
// CHECK-LABEL: gpu.func @product
// CHECK: %[[ALL:.*]] = gpu.dynamic_shared_memory : memref<?xi8, #gpu.address_space<workgroup>>
// CHECK-DAG: %[[V:.*]] = memref.view %[[ALL]][%c2048][] : {{.*}} to memref<1024xf32, #gpu.address_space<workgroup>>
// CHECK-DAG: %[[W:.*]] = memref.view %[[ALL]][%c0][] : {{.*}} to memref<512xf32, #gpu.address_space<workgroup>>
// CHECK: scf.if %{{.*}} -> (f32, f32, f32, f32)
// CHECK: scf.if %{{.*}} {
// CHECK-NOT: scf.if
// CHECK: memref.store %{{.*}}, %[[V]]
// CHECK: else
// CHECK: scf.if
// CHECK: memref.store %{{.*}}, %[[V]]
// CHECK: memref.store %{{.*}}, %[[W]]
// CHECK: gpu.barrier
// CHECK: tile.barrier warp
// CHECK: scf.for %{{.*}} = %c0 to %c32 step %c4 iter_args
// CHECK: vector.load %[[W]][%{{.*}}] {alignment = 16 : i64} : {{.*}}, vector<4xf32>
// CHECK-COUNT-4: vector.load %[[V]][%{{.*}}] {alignment = 16 : i64} : {{.*}}, vector<4xf32>
// CHECK-NOT: vector.load
// CHECK-COUNT-16: math.fma
// CHECK-NOT: math.fma
// CHECK: scf.yield
gpu.module @kernels {
  gpu.func @product(%x: memref<?x32xf32>, %y: memref<?x32xf32>, %i: index) kernel
      attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %zero = arith.constant dense<0.0> : tensor<16x32xf32, #quads>
    %p = tile.load %x[%c0, %c0] : memref<?x32xf32> -> tensor<16x32xf32, #rows>
    %v = tile.load %x[%i, %c0] {tile.shared_offset = 2048 : i64} : memref<?x32xf32> -> tensor<32x32xf32, #plain>
    %w = tile.convert_layout %p {tile.shared_offset = 0 : i64} : tensor<16x32xf32, #rows> -> tensor<16x32xf32, #permuted>
    tile.barrier block
    tile.barrier warp
    %d = tile.dot %w, %v, %zero : tensor<16x32xf32, #permuted>, tensor<32x32xf32, #plain> -> tensor<16x32xf32, #quads>
    tile.store %d, %y[%c0, %c0] : tensor<16x32xf32, #quads>, memref<?x32xf32>
    gpu.return
  }
}

// -----

// Eight threads share a row; what depends on the row alone is computed once.
// CHECK-LABEL: gpu.func @positions
// CHECK: arith.muli
// CHECK-NOT: arith.muli
// CHECK: memref.store
#rows = #tile.registers<rows = 16, columns = 8, vector = 1>
gpu.module @kernels {
  gpu.func @positions(%y: memref<16x64xindex>, %i: index) kernel
      attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %r = tile.iota %i along 0 : tensor<16x64xindex, #rows>
    %q = arith.muli %r, %r : tensor<16x64xindex, #rows>
    tile.store %q, %y[%c0, %c0] : tensor<16x64xindex, #rows>, memref<16x64xindex>
    gpu.return
  }
}

// -----

// From four columns of a thread to one at a time: four selects by each bit of the
// number of the first of two lanes, four shuffles, four selects by each bit of
// the second; then 16 bytes at once, as the view is known to be aligned.
// CHECK-LABEL: gpu.func @results
// CHECK-COUNT-8: arith.select
// CHECK-NOT: arith.select
// CHECK-COUNT-4: gpu.shuffle idx %{{.*}}, %{{.*}}, %c32_i32{{.*}} : f32
// CHECK-NOT: gpu.shuffle
// CHECK-COUNT-8: arith.select
// CHECK-NOT: arith.select
// CHECK-COUNT-4: memref.store %{{.*}}, %arg1
// CHECK-NOT: memref.store
// CHECK: vector.store %{{.*}}, %arg2[%{{.*}}, %{{.*}}] {alignment = 16 : i64} : memref<16x32xf32>, vector<4xf32>
// CHECK-NOT: store
#rows = #tile.registers<rows = 16, columns = 8, vector = 1>
#quads = #tile.registers<rows = 16, columns = 8, vector = 4>
gpu.module @kernels {
  gpu.func @results(%x: memref<16x32xf32>, %y: memref<16x32xf32>,
                    %z: memref<16x32xf32> {tile.alignment = 16 : i64}) kernel
      attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %t = tile.load %x[%c0, %c0] : memref<16x32xf32> -> tensor<16x32xf32, #quads>
    %d = tile.convert_layout %t : tensor<16x32xf32, #quads> -> tensor<16x32xf32, #rows>
    tile.store %d, %y[%c0, %c0] : tensor<16x32xf32, #rows>, memref<16x32xf32>
    tile.store %t, %z[%c0, %c0] : tensor<16x32xf32, #quads>, memref<16x32xf32>
    gpu.return
  }
}

// -----

// Shuffles move 32 bits; two columns need two.
// CHECK-LABEL: gpu.func @narrow
// CHECK: arith.extui %{{.*}} : i16 to i32
// CHECK: gpu.shuffle idx %{{.*}}, %{{.*}}, %{{.*}} : i32
// CHECK: arith.trunci %{{.*}} : i32 to i16
// CHECK: gpu.shuffle idx
// CHECK-NOT: gpu.shuffle
#rows = #tile.registers<rows = 16, columns = 8, vector = 1>
#pairs = #tile.registers<rows = 16, columns = 8, vector = 2>
gpu.module @kernels {
  gpu.func @narrow(%x: memref<16x16xbf16>, %y: memref<16x16xbf16>) kernel
      attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %t = tile.load %x[%c0, %c0] : memref<16x16xbf16> -> tensor<16x16xbf16, #pairs>
    %d = tile.convert_layout %t : tensor<16x16xbf16, #pairs> -> tensor<16x16xbf16, #rows>
    tile.store %d, %y[%c0, %c0] : tensor<16x16xbf16, #rows>, memref<16x16xbf16>
    gpu.return
  }
}

// -----

#pairs = #tile.registers<rows = 16, columns = 8, vector = 2>
#quads = #tile.registers<rows = 16, columns = 8, vector = 4>
gpu.module @kernels {
  gpu.func @negative_conversion(%x: memref<16x32xf32>) kernel
      attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %t = tile.load %x[%c0, %c0] : memref<16x32xf32> -> tensor<16x32xf32, #pairs>
    // expected-error@below {{expected to go to or from shared memory, or to or from 'vector = 1' of the same threads, got 'tensor<16x32xf32, #tile.registers<rows = 16, columns = 8, vector = 2>>' to 'tensor<16x32xf32, #tile.registers<rows = 16, columns = 8, vector = 4>>'}}
    %d = tile.convert_layout %t : tensor<16x32xf32, #pairs> -> tensor<16x32xf32, #quads>
    gpu.return
  }
}

// -----

gpu.module @kernels {
  gpu.func @negative_layout(%x: memref<16x8xf32>) kernel
      attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    // expected-error@below {{has a tile without layout, 'tensor<16x8xf32>'; run 'attn-gpu-assign-layouts' first}}
    %t = tile.load %x[%c0, %c0] : memref<16x8xf32> -> tensor<16x8xf32>
    gpu.return
  }
}

// -----

#rows = #tile.registers<rows = 16, columns = 8, vector = 1>
#shared = #tile.shared<row = 160, swizzle = true>

// More than 128 terms are summed in parts of 64, each from zero on, and the parts
// are added to the initial value.
// CHECK-LABEL: gpu.func @long_product
// CHECK-DAG: %[[ZERO:.*]] = arith.constant 0.0
// CHECK: scf.for %[[FROM:.*]] = %c0 to %c144 step %c64 iter_args(%[[T0:.*]] = %{{.*}}, %[[T1:.*]] = %{{.*}})
// CHECK: %[[NEXT:.*]] = arith.addi %[[FROM]], %c64
// CHECK: %[[TO:.*]] = arith.minsi %[[NEXT]], %c144
// CHECK: %[[PART:.*]]:2 = scf.for %{{.*}} = %[[FROM]] to %[[TO]] step %c4 iter_args(%{{.*}} = %[[ZERO]], %{{.*}} = %[[ZERO]])
// CHECK-COUNT-8: math.fma
// CHECK: %[[S0:.*]] = arith.addf %[[T0]], %[[PART]]#0
// CHECK: %[[S1:.*]] = arith.addf %[[T1]], %[[PART]]#1
// CHECK: scf.yield %[[S0]], %[[S1]]
gpu.module @kernels {
  gpu.func @long_product(%x: memref<16x144xf32>, %y: memref<16x16xf32>) kernel
      attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %one = arith.constant dense<1.0> : tensor<16x16xf32, #rows>
    %a = tile.load %x[%c0, %c0] {tile.shared_offset = 0 : i64} : memref<16x144xf32> -> tensor<16x144xf32, #shared>
    tile.barrier block
    %d = tile.dot %a, %a, %one transpose_rhs : tensor<16x144xf32, #shared>, tensor<16x144xf32, #shared> -> tensor<16x16xf32, #rows>
    tile.store %d, %y[%c0, %c0] : tensor<16x16xf32, #rows>, memref<16x16xf32>
    gpu.return
  }
}

// -----

#rows = #tile.registers<rows = 16, columns = 8, vector = 1>
#shared = #tile.shared<row = 128, swizzle = true>

// 128 terms are one chain.
// CHECK-LABEL: gpu.func @two_parts
// CHECK: scf.for
// CHECK-SAME: %c0 to %c128 step %c4
// CHECK-NOT: scf.for
gpu.module @kernels {
  gpu.func @two_parts(%x: memref<16x128xf32>, %y: memref<16x16xf32>) kernel
      attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %one = arith.constant dense<1.0> : tensor<16x16xf32, #rows>
    %p = tile.load %x[%c0, %c0] : memref<16x128xf32> -> tensor<16x128xf32, #rows>
    %a = tile.convert_layout %p {tile.shared_offset = 0 : i64} : tensor<16x128xf32, #rows> -> tensor<16x128xf32, #shared>
    tile.barrier block
    %d = tile.dot %a, %a, %one transpose_rhs : tensor<16x128xf32, #shared>, tensor<16x128xf32, #shared> -> tensor<16x16xf32, #rows>
    tile.store %d, %y[%c0, %c0] : tensor<16x16xf32, #rows>, memref<16x16xf32>
    gpu.return
  }
}

// -----

// Zeros behind 10 columns, which end within a round of eight threads: the second
// column of a thread may be a zero, the third one is.
// CHECK-LABEL: gpu.func @padding
// CHECK-DAG: %[[ZERO:.*]] = arith.constant 0.0
// CHECK: %[[A:.*]] = scf.if
// CHECK: %[[B:.*]] = scf.if
// CHECK: %[[SECOND:.*]] = arith.select %{{.*}}, %[[B]], %[[ZERO]]
// CHECK-NOT: arith.select
// CHECK: memref.store %[[A]], %arg1
// CHECK: memref.store %[[SECOND]], %arg1
// CHECK: memref.store %[[ZERO]], %arg1
// CHECK-NOT: memref.store
#rows = #tile.registers<rows = 16, columns = 8, vector = 1>
gpu.module @kernels {
  gpu.func @padding(%x: memref<16x10xf32>, %y: memref<16x24xf32>) kernel
      attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %t = tile.load %x[%c0, %c0] : memref<16x10xf32> -> tensor<16x10xf32, #rows>
    %zero = arith.constant dense<0.0> : tensor<16x14xf32, #rows>
    %p = tile.concat %t, %zero : tensor<16x10xf32, #rows>, tensor<16x14xf32, #rows> -> tensor<16x24xf32, #rows>
    tile.store %p, %y[%c0, %c0] : tensor<16x24xf32, #rows>, memref<16x24xf32>
    gpu.return
  }
}

// -----

// Where each thread has a block of its own, each writes.
// CHECK-LABEL: gpu.func @own_scalars
// CHECK-NOT: arith.cmpi eq
// CHECK: %[[IN:.*]] = arith.cmpi ult, %{{.*}}, %{{.*}}
// CHECK: scf.if %[[IN]] {
// CHECK-NEXT: memref.store
gpu.module @kernels {
  gpu.func @own_scalars(%list: memref<?xi32>, %x: i32) kernel
      attributes {known_block_size = array<i32: 128, 1, 1>, tile.block_per_thread} {
    %n = gpu.thread_id x
    tile.write %x, %list[%n] : memref<?xi32>
    gpu.return
  }
}

// -----

// The first thread writes a scalar, if the place is inside; all read one.
// CHECK-LABEL: gpu.func @scalars
// CHECK-SAME: (%[[LIST:.*]]: memref<?xi32>, %[[N:.*]]: index)
// CHECK-DAG: %[[T:.*]] = gpu.thread_id x
// CHECK: %[[X:.*]] = scf.if %{{.*}} -> (i32)
// CHECK-DAG: %[[FIRST:.*]] = arith.cmpi eq, %[[T]], %c0
// CHECK-DAG: %[[IN:.*]] = arith.cmpi ult, %{{.*}}, %{{.*}}
// CHECK: %[[WRITES:.*]] = arith.andi %[[FIRST]], %{{.*}}
// CHECK: scf.if %[[WRITES]] {
// CHECK-NEXT: memref.store %[[X]], %[[LIST]]
gpu.module @kernels {
  gpu.func @scalars(%list: memref<?xi32>, %n: index) kernel attributes {known_block_size = array<i32: 128, 1, 1>} {
    %one = arith.constant 1 : index
    %x = tile.gather %list[%n : index] : memref<?xi32> -> i32
    %next = arith.addi %n, %one : index
    tile.write %x, %list[%next] : memref<?xi32>
    gpu.return
  }
}

// -----

!half = tensor<64x16xf16, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>

// A loop carries tiles of 16 bits in pairs, so they have to be rounded: what it
// begins with, and what it yields.
gpu.module @kernels {
  gpu.func @negative_loaded_halves(%x: memref<64x16xf16>, %n: index) kernel
      attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %a = tile.load %x[%c0, %c0] : memref<64x16xf16> -> !half
    // expected-error@below {{expected elements of 32 bits, or a factor of products that is rounded in front of it}}
    %b = scf.for %i = %c0 to %n step %c1 iter_args(%h = %a) -> (!half) {
      scf.yield %h : !half
    }
    gpu.return
  }
}

// -----

!wide = tensor<64x16xf32, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>
!half = tensor<64x16xf16, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>

gpu.module @kernels {
  gpu.func @negative_yielded_halves(%x: memref<64x16xf32>, %y: memref<64x16xf16>, %n: index) kernel
      attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %w = tile.load %x[%c0, %c0] : memref<64x16xf32> -> !wide
    %a = arith.truncf %w : !wide to !half
    %b = scf.for %i = %c0 to %n step %c1 iter_args(%h = %a) -> (!half) {
      %l = tile.load %y[%c0, %c0] : memref<64x16xf16> -> !half
      // expected-error@below {{expected elements of 32 bits, or a factor of products that is rounded in front of it}}
      scf.yield %l : !half
    }
    gpu.return
  }
}

// -----

#rows = #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>
#shared = #tile.shared<row = 72, swizzle = false>

gpu.module @kernels {
  gpu.func @negative_scan_across(%g: memref<32x64xf32>, %y: memref<32x64xf32>) kernel
      attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %t = tile.load %g[%c0, %c0] {tile.shared_offset = 0 : i64} : memref<32x64xf32> -> tensor<32x64xf32, #shared>
    tile.barrier block
    // expected-error@below {{with 'across' expected its result in shared memory on GPUs, got 'tensor<32x64xf32, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>'}}
    %s = tile.scan mul %t across 16 : tensor<32x64xf32, #shared> -> tensor<32x64xf32, #rows>
    tile.store %s, %y[%c0, %c0] : tensor<32x64xf32, #rows>, memref<32x64xf32>
    gpu.return
  }
}
