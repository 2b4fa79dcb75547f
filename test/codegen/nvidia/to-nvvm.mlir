// RUN: attn-opt %s --pass-pipeline="builtin.module(gpu.module(attn-nvidia-to-nvvm,canonicalize,cse))" | FileCheck %s

// A view is a pointer, its dynamic sizes and its dynamic strides; nothing is left
// of descriptors. Offsets are computed in 64 bits.
// CHECK-LABEL: gpu.module @kernels
// CHECK: llvm.mlir.global external @[[SHARED:.*]]() {addr_space = 3 : i32, alignment = 16 : i64} : !llvm.array<0 x i8>
// CHECK-NOT: __nv_
// CHECK: llvm.func @views(%[[P:.*]]: !llvm.ptr<1>, %[[N:[^:]*]]: i64, %[[S:[^:]*]]: i64, %[[I:[^:]*]]: i64, %{{.*}}: !llvm.ptr<1>)
// CHECK-SAME: nvvm.kernel
// CHECK-SAME: nvvm.maxntid = array<i32: 128, 1, 1>
// CHECK-SAME: nvvm.minctasm = 2 : i32
// CHECK-NOT: llvm.insertvalue
// CHECK-DAG: %[[ALL:.*]] = llvm.mlir.constant(-1 : i32)
// CHECK-DAG: nvvm.read.ptx.sreg.tid.x range <i32, 0, 128> : i32
// CHECK-DAG: llvm.mlir.addressof @[[SHARED]] : !llvm.ptr<3>
// CHECK: %[[O:.*]] = llvm.mul %[[I]], %[[S]]
// CHECK: llvm.load {{.*}} : !llvm.ptr<1> -> f32
// CHECK: llvm.intr.maxnum
// CHECK: llvm.intr.sqrt
// CHECK: llvm.intr.fabs
// CHECK: nvvm.shfl.sync  bfly {{.*}} : f32 -> f32
// CHECK: llvm.store {{.*}} : vector<4xf32>, !llvm.ptr<3>
// CHECK: nvvm.barrier0
// CHECK: nvvm.bar.warp.sync %[[ALL]]
// CHECK: llvm.return
gpu.module @kernels {
  gpu.func @views(%x: memref<?x8xf32, strided<[?, 1], offset: ?>>, %i: index, %y: memref<8xf32>) kernel
      attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %one = arith.constant 1 : i32
    %width = arith.constant 32 : i32
    %t = gpu.thread_id x
    %all = gpu.dynamic_shared_memory : memref<?xi8, #gpu.address_space<workgroup>>
    %s = memref.view %all[%c0][] : memref<?xi8, #gpu.address_space<workgroup>> to memref<512xf32, #gpu.address_space<workgroup>>
    %a = memref.load %x[%i, %t] : memref<?x8xf32, strided<[?, 1], offset: ?>>
    %n = memref.dim %x, %c0 : memref<?x8xf32, strided<[?, 1], offset: ?>>
    %b = memref.load %y[%n] : memref<8xf32>
    %c = arith.maxnumf %a, %b : f32
    %d = math.sqrt %c : f32
    %e = math.absf %d : f32
    %f, %valid = gpu.shuffle xor %e, %one, %width : f32
    %v = vector.from_elements %f, %e, %d, %c : vector<4xf32>
    vector.store %v, %s[%t] {alignment = 16} : memref<512xf32, #gpu.address_space<workgroup>>, vector<4xf32>
    gpu.barrier
    tile.barrier warp
    gpu.return
  }
}
