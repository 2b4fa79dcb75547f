// RUN: attn-opt %s --split-input-file --attn-cpu-outline-parallel --canonicalize | FileCheck %s

// Blocks are numbered in row-major order; what is constant is copied, the rest
// captured.
// CHECK-LABEL: func.func @two_dimensions
// CHECK-SAME:    (%[[X:.*]]: memref<?x?xf32>, %[[B:.*]]: index, %[[N:.*]]: index, %[[F:.*]]: f32)
// CHECK-DAG:     %[[C0:.*]] = arith.constant 0 : index
// CHECK-DAG:     %[[BN:.*]] = arith.maxsi %[[B]], %[[C0]]
// CHECK-DAG:     %[[NN:.*]] = arith.maxsi %[[N]], %[[C0]]
// CHECK:         %[[TOTAL:.*]] = arith.muli %[[BN]], %[[NN]]
// CHECK:         %[[SCRATCH:.*]] = memref.alloca() {alignment = 64 : i64} : memref<0xi8>
// CHECK:         call @two_dimensions_blocks(%[[C0]], %[[TOTAL]], %[[SCRATCH]], %[[NN]], %[[F]], %[[X]])
// CHECK-SAME:      {attn.scratch_bytes = 0 : i64}
// CHECK-NOT:   scf.forall
// CHECK-LABEL: func.func private @two_dimensions_blocks
// CHECK-SAME:    (%[[BEGIN:.*]]: index, %[[END:.*]]: index, %{{.*}}: memref<0xi8>,
// CHECK-SAME:     %[[COUNT:.*]]: index, %[[G:.*]]: f32, %[[Y:.*]]: memref<?x?xf32>)
// CHECK-DAG:     %[[TWO:.*]] = arith.constant 2.000000e+00 : f32
// CHECK:         scf.for %[[BLOCK:.*]] = %[[BEGIN]] to %[[END]]
// CHECK:           %[[J:.*]] = arith.remui %[[BLOCK]], %[[COUNT]]
// CHECK:           %[[I:.*]] = arith.divui %[[BLOCK]], %[[COUNT]]
// CHECK:           %[[R:.*]] = arith.mulf %[[G]], %[[TWO]]
// CHECK:           memref.store %[[R]], %[[Y]][%[[I]], %[[J]]]
func.func @two_dimensions(%x: memref<?x?xf32>, %b: index, %n: index, %f: f32) {
  %two = arith.constant 2.0 : f32
  scf.forall (%i, %j) in (%b, %n) {
    %r = arith.mulf %f, %two : f32
    memref.store %r, %x[%i, %j] : memref<?x?xf32>
  }
  return
}

// -----

// A lower bound and a step: 3, 5, 7, ... is 3 + 2 * block.
// CHECK-LABEL: func.func @bounds_and_step
// CHECK-SAME:    (%{{.*}}: memref<?xf32>, %[[N:.*]]: index
// CHECK:         arith.ceildivsi
// CHECK-LABEL: func.func private @bounds_and_step_blocks
// CHECK-DAG:     %[[C2:.*]] = arith.constant 2 : index
// CHECK-DAG:     %[[C3:.*]] = arith.constant 3 : index
// CHECK:         scf.for %[[BLOCK:.*]] =
// CHECK:           %[[OFFSET:.*]] = arith.muli %[[BLOCK]], %[[C2]]
// CHECK:           %[[I:.*]] = arith.addi %[[OFFSET]], %[[C3]]
// CHECK:           memref.store %{{.*}}, %{{.*}}[%[[I]]]
func.func @bounds_and_step(%x: memref<?xf32>, %n: index, %f: f32) {
  scf.forall (%i) = (3) to (%n) step (2) {
    memref.store %f, %x[%i] : memref<?xf32>
  }
  return
}

// -----

// Allocas at any depth share one buffer; each starts on a cache line.
// CHECK-LABEL: func.func @scratch
// CHECK:         memref.alloca() {alignment = 64 : i64} : memref<256xi8>
// CHECK:         {attn.scratch_bytes = 256 : i64}
// CHECK-LABEL: func.func private @scratch_blocks
// CHECK-SAME:    %[[SCRATCH:[^:]*]]: memref<256xi8>
// CHECK-DAG:     %[[C0:.*]] = arith.constant 0 : index
// CHECK-DAG:     %[[C64:.*]] = arith.constant 64 : index
// CHECK-DAG:     %[[C128:.*]] = arith.constant 128 : index
// CHECK-NOT:     memref.alloca
// CHECK-DAG:     memref.view %[[SCRATCH]][%[[C0]]][] : memref<256xi8> to memref<3xf32>
// CHECK-DAG:     memref.view %[[SCRATCH]][%[[C64]]][] : memref<256xi8> to memref<2x8xf16>
// CHECK-DAG:     memref.view %[[SCRATCH]][%[[C128]]][] : memref<256xi8> to memref<2xvector<16xf32>>
func.func @scratch(%x: memref<?xf32>, %n: index, %v: vector<16xf32>) {
  scf.forall (%i) in (%n) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %a = memref.alloca() : memref<3xf32>
    %f = memref.load %a[%c0] : memref<3xf32>
    scf.for %j = %c0 to %n step %c1 {
      %b = memref.alloca() : memref<2x8xf16>
      %h = memref.load %b[%c0, %c0] : memref<2x8xf16>
      %w = arith.extf %h : f16 to f32
      %s = arith.addf %f, %w : f32
      %d = memref.alloca() : memref<2xvector<16xf32>>
      memref.store %v, %d[%c1] : memref<2xvector<16xf32>>
      memref.store %s, %x[%i] : memref<?xf32>
    }
  }
  return
}

// -----

// Each loop is a function; one inside another becomes serial.
// CHECK-LABEL: func.func @several
// CHECK:         call @several_blocks
// CHECK:         call @several_blocks_0
// CHECK-NOT:   scf.forall
// CHECK-DAG:   func.func private @several_blocks(
// CHECK-DAG:   func.func private @several_blocks_0(
func.func @several(%x: memref<?x?xf32>, %n: index, %f: f32) {
  scf.forall (%i) in (%n) {
    scf.forall (%j) in (%n) {
      memref.store %f, %x[%i, %j] : memref<?x?xf32>
    }
  }
  scf.forall (%i) in (%n) {
    memref.store %f, %x[%i, %i] : memref<?x?xf32>
  }
  return
}
