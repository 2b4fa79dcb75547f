// RUN: attn-opt %s --attn-gpu-map-blocks --split-input-file --verify-diagnostics | FileCheck %s
// RUN: attn-opt %s --attn-gpu-map-blocks=threads=256 --split-input-file --verify-diagnostics | FileCheck %s --check-prefix=THREADS

// The grid has one dimension; the number of a block is taken apart from the last
// dimension on. Trip counts come first among the parameters, each value once;
// constants are no parameters.
// CHECK: module attributes {gpu.container_module}
// CHECK-LABEL: func.func @two
// CHECK-SAME: (%[[X:.*]]: memref<?x4xf32>, %[[N:.*]]: index)
// CHECK-DAG: %[[ONE:.*]] = arith.constant 1 : index
// CHECK-DAG: %[[P:.*]] = arith.muli %{{.*}}, %[[N]] : index
// CHECK: %[[BLOCKS:.*]] = arith.muli %[[P]], %{{.*}} : index
// CHECK: gpu.launch_func @kernels::@two_0 blocks in (%[[BLOCKS]], %[[Y:.*]], %[[Y]]) threads in (%[[T:.*]], %[[Y]], %[[Y]]) args(%[[N]] : index, %[[X]] : memref<?x4xf32>)
// CHECK: gpu.launch_func @kernels::@two_1
// CHECK-NOT: scf.forall
// CHECK: gpu.module @kernels
// CHECK: gpu.func @two_0(%[[KN:.*]]: index, %[[KX:.*]]: memref<?x4xf32>) kernel attributes {known_block_size = array<i32: 128, 1, 1>}
// THREADS: gpu.func @two_0({{.*}}) kernel attributes {known_block_size = array<i32: 256, 1, 1>}
// CHECK-DAG: %[[ID:.*]] = gpu.block_id x
// CHECK-DAG: %[[FOUR:.*]] = arith.constant 4 : index
// CHECK: %[[J:.*]] = arith.remui %[[ID]], %[[FOUR]] : index
// CHECK: %[[I:.*]] = arith.divui %[[ID]], %[[FOUR]] : index
// CHECK: memref.store %{{.*}}, %[[KX]][%[[I]], %[[J]]]
// CHECK: gpu.return
// CHECK: gpu.func @two_1
func.func @two(%x: memref<?x4xf32>, %n: index) {
  %one = arith.constant 1.0 : f32
  %c0 = arith.constant 0 : index
  scf.forall (%i, %j) in (%n, 4) {
    memref.store %one, %x[%i, %j] : memref<?x4xf32>
  }
  scf.forall (%i) in (%n) {
    memref.store %one, %x[%i, %c0] : memref<?x4xf32>
  }
  return
}

// -----

// Buffers that the function allocates are aligned; nothing is known of others.
// CHECK: gpu.func @scratch_0(%{{.*}}: index, %{{.*}}: memref<?xf32>, %{{.*}}: memref<?xf32> {tile.alignment = 16 : i64}) kernel
func.func @scratch(%x: memref<?xf32>, %n: index) {
  %scratch = memref.alloc(%n) : memref<?xf32>
  scf.forall (%i) in (%n) {
    %v = memref.load %x[%i] : memref<?xf32>
    memref.store %v, %scratch[%i] : memref<?xf32>
    memref.store %v, %x[%i] : memref<?xf32>
  }
  memref.dealloc %scratch : memref<?xf32>
  return
}

// -----

// A function without blocks stays as it is.
// CHECK-LABEL: func.func @none
// CHECK-NOT: gpu.module
func.func @none(%x: memref<4xf32>) {
  return
}

// -----

// A single block has no loop any more. Sizes stay with the host.
// CHECK-LABEL: func.func @single
// CHECK: memref.dim
// CHECK: gpu.launch_func @kernels::@single_0
// CHECK-NOT: tile.
// CHECK: gpu.func @single_0
// CHECK: tile.load
// CHECK: scf.for
// CHECK: tile.store
func.func @single(%x: memref<?x8xf32>, %y: memref<16x8xf32>) {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %t = tile.load %x[%c0, %c0] : memref<?x8xf32> -> tensor<16x8xf32>
  %n = memref.dim %x, %c0 : memref<?x8xf32>
  %r = scf.for %j = %c0 to %n step %c16 iter_args(%a = %t) -> (tensor<16x8xf32>) {
    %u = tile.load %x[%j, %c0] : memref<?x8xf32> -> tensor<16x8xf32>
    %s = arith.addf %a, %u : tensor<16x8xf32>
    scf.yield %s : tensor<16x8xf32>
  }
  tile.store %r, %y[%c0, %c0] : tensor<16x8xf32>, memref<16x8xf32>
  return
}

// -----

// Numbers that a kernel reads stay in it, and loops whose ends they are: a host does
// not look at data.
// CHECK-LABEL: func.func @single_of_data
// CHECK-NOT: scf.for
// CHECK-NOT: tile.
// CHECK: gpu.launch_func @kernels::@single_of_data_0
// CHECK: gpu.func @single_of_data_0
// CHECK: %[[READ:.*]] = tile.gather
// CHECK: %[[END:.*]] = arith.index_cast %[[READ]]
// CHECK: scf.for %{{.*}} = %{{.*}} to %[[END]]
// CHECK: tile.store
// CHECK: gpu.return
func.func @single_of_data(%x: memref<?x8xf32>, %c: memref<?xi32>) {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %zero = arith.constant dense<0.0> : tensor<16x8xf32>
  %r = tile.gather %c[%c0 : index] : memref<?xi32> -> i32
  %n = arith.index_cast %r : i32 to index
  scf.for %j = %c0 to %n step %c16 {
    tile.store %zero, %x[%j, %c0] : tensor<16x8xf32>, memref<?x8xf32>
  }
  return
}

// -----

func.func @negative_bounds(%x: memref<?xf32>, %n: index) {
  %one = arith.constant 1.0 : f32
  // expected-error@below {{blocks must be counted from 0 in steps of 1}}
  scf.forall (%i) = (0) to (%n) step (2) {
    memref.store %one, %x[%i] : memref<?xf32>
  }
  return
}

// -----

// A single block that lost its loop and is a loop over scalars.
// CHECK-LABEL: func.func @counted
// CHECK-NOT: scf.for
// CHECK: gpu.launch_func @kernels::@counted_0
// CHECK: gpu.func @counted_0
// CHECK: scf.for
// CHECK: tile.write
func.func @counted(%x: memref<?xindex>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %sum = scf.for %i = %c0 to %n step %c1 iter_args(%so = %c0) -> (index) {
    %next = arith.addi %so, %i : index
    tile.write %next, %x[%i] : memref<?xindex>
    scf.yield %next : index
  }
  tile.write %sum, %x[%c0] : memref<?xindex>
  return
}

// -----

// Later blocks have longer loops: the last index comes first. Where loops begin
// later as well, all are as long.
// CHECK: gpu.func @longer_0
// CHECK-DAG: %[[LID:.*]] = gpu.block_id x
// CHECK: %[[FORWARD:.*]] = arith.remui %[[LID]], %[[COUNT:.*]] : index
// CHECK: arith.divui
// CHECK: %[[LAST:.*]] = arith.subi %[[COUNT]], %{{.*}} : index
// CHECK: %[[BACK:.*]] = arith.subi %[[LAST]], %[[FORWARD]] : index
// CHECK: scf.for %{{.*}} = %{{.*}} to %[[BACK]]
// CHECK: gpu.func @longer_1
// CHECK-NOT: arith.subi
// CHECK: scf.for
func.func @longer(%x: memref<?x?xf32>, %m: index, %n: index) {
  scf.forall (%h, %i) in (%m, %n) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %f = arith.constant 1.0 : f32
    scf.for %j = %c0 to %i step %c1 {
      memref.store %f, %x[%h, %j] : memref<?x?xf32>
    }
  }
  scf.forall (%h, %i) in (%m, %n) {
    %c1 = arith.constant 1 : index
    %c8 = arith.constant 8 : index
    %f = arith.constant 1.0 : f32
    %end = arith.addi %i, %c8 : index
    scf.for %j = %i to %end step %c1 {
      memref.store %f, %x[%h, %j] : memref<?x?xf32>
    }
  }
  return
}

// -----

// Blocks that count in memory: one for each thread, of which there are as many as
// the grid has, and then some. Those left over do nothing.
// CHECK-LABEL: func.func @scalars
// CHECK: %[[N:.*]] = arith.muli %{{.*}}, %{{.*}} : index
// CHECK: %[[ALL:.*]] = arith.muli %[[N]], %{{.*}} : index
// CHECK: %[[GRID:.*]] = arith.ceildivsi %[[ALL]], %{{.*}} : index
// CHECK: gpu.launch_func @kernels::@scalars_0 blocks in (%[[GRID]],
// CHECK: gpu.func @scalars_0
// CHECK-SAME: tile.block_per_thread
// CHECK: %[[FIRST:.*]] = arith.muli %block_id_x, %c128
// CHECK: %[[NUMBER:.*]] = arith.addi %[[FIRST]], %thread_id_x : index
// CHECK: %[[EXISTS:.*]] = arith.cmpi slt, %[[NUMBER]], %{{.*}} : index
// CHECK: %[[TIMES:.*]] = arith.select %[[EXISTS]], %{{.*}}, %{{.*}} : index
// CHECK: scf.for %{{.*}} = %{{.*}} to %[[TIMES]] step
// CHECK: %[[J:.*]] = arith.remui %[[NUMBER]], %{{.*}} : index
// CHECK: tile.write %{{.*}}, %{{.*}}[%{{.*}}, %[[J]]] : memref<?x4xindex>
// CHECK: }
// CHECK-NEXT: gpu.return
func.func @scalars(%x: memref<?x4xindex>, %n: index) {
  scf.forall (%i, %j) in (%n, 4) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %so = tile.gather %x[%i, %j : index, index] : memref<?x4xindex> -> index
    %next = arith.addi %so, %c1 : index
    tile.write %next, %x[%i, %j] : memref<?x4xindex>
  }
  return
}

// -----

// Others are asked for by a mark.
// CHECK: gpu.func @marked_0
// CHECK-SAME: tile.block_per_thread
// CHECK: gpu.func @marked_1
// CHECK-NOT: tile.block_per_thread
// CHECK: gpu.return
func.func @marked(%x: memref<?xindex>, %n: index) {
  scf.forall (%i) in (%n) {
    tile.write %i, %x[%i] : memref<?xindex>
  } {tile.scalar_blocks}
  scf.forall (%i) in (%n) {
    tile.write %i, %x[%i] : memref<?xindex>
  }
  return
}

// -----

// Blocks of kernels are theirs.
// CHECK: gpu.module @others
// CHECK: scf.forall
gpu.module @others {
  gpu.func @f(%x: memref<?xf32>, %n: index) kernel {
    scf.forall (%i) in (%n) {
      %v = arith.constant 1.0 : f32
      memref.store %v, %x[%i] : memref<?xf32>
    }
    gpu.return
  }
}
