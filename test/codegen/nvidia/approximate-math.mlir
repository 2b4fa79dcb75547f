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
}
