// RUN: attn-opt %s --pass-pipeline="builtin.module(gpu.module(attn-nvidia-approximate-math))" | FileCheck %s

// CHECK-LABEL: gpu.func @exponentials
// CHECK: llvm.call_intrinsic "llvm.nvvm.ex2.approx.ftz.f"(%{{.*}}) : (f32) -> f32
// CHECK: math.exp2 %{{.*}} : f32
// CHECK: math.exp2 %{{.*}} fastmath<afn> : f64
gpu.module @kernels {
  gpu.func @exponentials(%x: memref<f32>, %y: memref<f64>) kernel {
    %a = memref.load %x[] : memref<f32>
    %b = math.exp2 %a fastmath<afn> : f32
    %c = math.exp2 %b : f32
    memref.store %c, %x[] : memref<f32>
    %d = memref.load %y[] : memref<f64>
    %e = math.exp2 %d fastmath<afn> : f64
    memref.store %e, %y[] : memref<f64>
    gpu.return
  }

// exp(x) = 2^(x log2 e).
// CHECK-LABEL: gpu.func @natural
// CHECK-DAG: %[[X:.*]] = memref.load
// CHECK-DAG: %[[LOG2E:.*]] = arith.constant 1.44269502 : f32
// CHECK: %[[P:.*]] = arith.mulf %[[X]], %[[LOG2E]]
// CHECK: %[[E:.*]] = llvm.call_intrinsic "llvm.nvvm.ex2.approx.ftz.f"(%[[P]]) : (f32) -> f32
// CHECK: math.exp %[[E]] : f32
  gpu.func @natural(%x: memref<f32>) kernel {
    %a = memref.load %x[] : memref<f32>
    %b = math.exp %a fastmath<afn> : f32
    %c = math.exp %b : f32
    memref.store %c, %x[] : memref<f32>
    gpu.return
  }

// A divisor of any size, and one that is not smaller than 1, whose quarter has a
// reciprocal. Without the flag nothing changes.
// CHECK-LABEL: gpu.func @quotients
// CHECK: %[[A:.*]] = llvm.call_intrinsic "llvm.nvvm.div.full"(%[[X:.*]], %[[X]]) : (f32, f32) -> f32
// CHECK: %[[SUM:.*]] = arith.addf
// CHECK-DAG: %[[D:.*]] = arith.mulf %[[SUM]], %[[QUARTER:.*]] : f32
// CHECK-DAG: %[[N:.*]] = arith.mulf %[[X]], %[[QUARTER]] : f32
// CHECK: %[[R:.*]] = llvm.call_intrinsic "llvm.nvvm.rcp.approx.ftz.f"(%[[D]]) : (f32) -> f32
// CHECK: %[[B:.*]] = arith.mulf %[[N]], %[[R]] : f32
// CHECK: llvm.call_intrinsic "llvm.nvvm.div.full"(%[[B]], %{{.*}}) : (f32, f32) -> f32
// CHECK: arith.divf %{{.*}} : f32
// CHECK-NEXT: memref.store
  gpu.func @quotients(%x: memref<f32>) kernel {
    %one = arith.constant 1.0 : f32
    %half = arith.constant 0.5 : f32
    %a = memref.load %x[] : memref<f32>
    %b = arith.divf %a, %a fastmath<afn> : f32
    %power = math.exp2 %b fastmath<afn> : f32
    %sum = arith.addf %power, %one : f32
    %c = arith.divf %a, %sum fastmath<afn> : f32
    %small = arith.addf %power, %half : f32
    %d = arith.divf %c, %small fastmath<afn> : f32
    %e = arith.divf %d, %sum : f32
    memref.store %e, %x[] : memref<f32>
    gpu.return
  }
}
