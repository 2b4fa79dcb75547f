// RUN: attn-opt %s --split-input-file --attn-cpu-to-llvm --canonicalize --cse | FileCheck %s

// The entry unpacks descriptors; nothing else is visible. Names and dimensions
// have no place here.
// CHECK-LABEL: llvm.func internal @entry(%{{.*}}: !llvm.ptr, %{{.*}}: !llvm.ptr, %{{.*}}: !llvm.ptr, %{{.*}}: i64, %{{.*}}: i64, %{{.*}}: i64,
// CHECK-NOT:   attn.name
// CHECK:       llvm.func internal @_mlir_ciface_entry(%{{.*}}: !llvm.ptr, %{{.*}}: !llvm.ptr, %{{.*}}: !llvm.ptr)
// CHECK-LABEL: llvm.func @attn_entry_entry
// CHECK-SAME:    (%[[HOST:.*]]: !llvm.ptr, %[[ARGS:.*]]: !llvm.ptr) -> i32
// CHECK-DAG:     %[[OK:.*]] = llvm.mlir.constant(0 : i32) : i32
// CHECK-DAG:     %[[X:.*]] = llvm.load %[[ARGS]] : !llvm.ptr -> !llvm.ptr
// CHECK-DAG:     %[[AT:.*]] = llvm.getelementptr %[[ARGS]][1] : (!llvm.ptr) -> !llvm.ptr, !llvm.ptr
// CHECK-DAG:     %[[Y:.*]] = llvm.load %[[AT]] : !llvm.ptr -> !llvm.ptr
// CHECK:         llvm.call @_mlir_ciface_entry(%[[HOST]], %[[X]], %[[Y]])
// CHECK:         llvm.return %[[OK]] : i32
func.func @entry(%x: memref<?xf32, strided<[1], offset: ?>> {attn.name = "x", attn.dims = ["N"]},
                 %y: memref<4xf32> {attn.result}) attributes {attn.defaults = {N = 4}} {
  return
}

// -----

// A range of blocks goes to the host, with captures in a struct.
// CHECK-LABEL: llvm.func internal @parallel
// CHECK-SAME:    (%[[HOST:[^:]*]]: !llvm.ptr, %[[X:[^:]*]]: !llvm.ptr
// CHECK-DAG:     %[[BYTES:.*]] = llvm.mlir.constant(128 : i64) : i64
// CHECK-DAG:     %[[ENV:.*]] = llvm.alloca %{{.*}} x !llvm.struct<(f32, ptr, ptr, i64, i64, i64)>
// CHECK-DAG:     %[[FIRST:.*]] = llvm.getelementptr %[[ENV]][0, 0]
// CHECK-DAG:     llvm.store %{{.*}}, %[[FIRST]] : f32, !llvm.ptr
// CHECK-DAG:     %[[FIELD:.*]] = llvm.getelementptr %[[ENV]][0, 1]
// CHECK-DAG:     llvm.store %[[X]], %[[FIELD]]
// CHECK-DAG:     %[[SHARE:.*]] = llvm.mlir.addressof @parallel_blocks_share
// CHECK-DAG:     %[[CALLEE:.*]] = llvm.load %[[HOST]] : !llvm.ptr -> !llvm.ptr
// CHECK:         llvm.call %[[CALLEE]](%[[HOST]], %[[N:.*]], %[[SHARE]], %[[ENV]], %[[BYTES]])
// CHECK-SAME:      (!llvm.ptr, i64, !llvm.ptr, !llvm.ptr, i64) -> ()
// CHECK-NOT:     llvm.call @parallel_blocks(
// CHECK-LABEL: llvm.func internal @parallel_blocks(%{{.*}}: i64, %{{.*}}: i64, %{{.*}}: !llvm.ptr, %{{.*}}: !llvm.ptr {llvm.noalias},
// CHECK-LABEL: llvm.func internal @parallel_blocks_share
// CHECK-SAME:    (%[[E:.*]]: !llvm.ptr, %[[BEGIN:.*]]: i64, %[[END:.*]]: i64, %[[SCRATCH:.*]]: !llvm.ptr)
// CHECK:         %[[AT:.*]] = llvm.getelementptr %[[E]][0, 0]
// CHECK:         %[[F:.*]] = llvm.load %[[AT]] : !llvm.ptr -> f32
// CHECK:         llvm.call @parallel_blocks(%[[BEGIN]], %[[END]], %[[SCRATCH]], %[[SCRATCH]], %{{.*}}, %{{.*}}, %{{.*}}, %[[F]],
func.func @parallel(%x: memref<?xf32>) {
  %c0 = arith.constant 0 : index
  %n = memref.dim %x, %c0 : memref<?xf32>
  %f = memref.load %x[%c0] : memref<?xf32>
  %scratch = memref.alloca() {alignment = 64 : i64} : memref<128xi8>
  func.call @parallel_blocks(%c0, %n, %scratch, %f, %x) {attn.scratch_bytes = 128 : i64}
      : (index, index, memref<128xi8>, f32, memref<?xf32>) -> ()
  return
}
func.func private @parallel_blocks(%begin: index, %end: index,
    %scratch: memref<128xi8>, %f: f32, %x: memref<?xf32>) {
  %c1 = arith.constant 1 : index
  scf.for %i = %begin to %end step %c1 {
    memref.store %f, %x[%i] : memref<?xf32>
  }
  return
}

// -----

// Math functions: intrinsics where LLVM has them, else the C library's.
// CHECK-DAG:   llvm.func @erf(f64) -> f64
// CHECK-LABEL: llvm.func internal @math
// CHECK:         llvm.intr.exp(%{{.*}}) : (f64) -> f64
// CHECK:         llvm.call @erf(%{{.*}}) : (f64) -> f64
func.func @math(%x: memref<f64>) {
  %a = memref.load %x[] : memref<f64>
  %b = math.exp %a : f64
  %c = math.erf %b : f64
  memref.store %c, %x[] : memref<f64>
  return
}

// -----

// Vectors at the end of a view are masked, offsets have 64 bits, and bf16 needs
// no library.
// CHECK-LABEL: llvm.func internal @vectors
// CHECK:         llvm.intr.masked.load
// CHECK-NOT:     llvm.fptrunc
// CHECK:         llvm.lshr
// CHECK:         llvm.intr.masked.store
func.func @vectors(%x: memref<?xf32>, %y: memref<?xbf16>) {
  %c0 = arith.constant 0 : index
  %n = memref.dim %x, %c0 : memref<?xf32>
  %zero = arith.constant dense<0.0> : vector<16xf32>
  %m = vector.create_mask %n : vector<16xi1>
  %v = vector.maskedload %x[%c0], %m, %zero
     : memref<?xf32>, vector<16xi1>, vector<16xf32> into vector<16xf32>
  %h = arith.truncf %v : vector<16xf32> to vector<16xbf16>
  vector.maskedstore %y[%c0], %m, %h : memref<?xbf16>, vector<16xi1>, vector<16xbf16>
  return
}
