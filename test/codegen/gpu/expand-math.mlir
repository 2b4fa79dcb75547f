// RUN: attn-opt %s --pass-pipeline="builtin.module(gpu.module(attn-gpu-expand-math))" --split-input-file --verify-diagnostics | FileCheck %s

// Polynomials, no approximations and no library; instructions stay.
// CHECK-LABEL: gpu.func @functions
// CHECK-NOT: math.{{exp|log|tanh|rsqrt}}
// CHECK: math.fma
// CHECK: math.sqrt
// CHECK: math.absf
// CHECK-NOT: call
gpu.module @kernels {
  gpu.func @functions(%m: memref<f32>) kernel {
    %x = memref.load %m[] : memref<f32>
    %a = math.exp2 %x : f32
    %b = math.log %a : f32
    %c = math.tanh %b : f32
    %d = math.rsqrt %c : f32
    %e = math.absf %d : f32
    memref.store %e, %m[] : memref<f32>
    gpu.return
  }
}

// -----

// Powers: a logarithm in two parts.
// CHECK-LABEL: gpu.func @power
// CHECK-NOT: math.powf
// CHECK-NOT: call
// CHECK: math.roundeven
// CHECK: math.copysign
gpu.module @kernels {
  gpu.func @power(%m: memref<f32>) kernel {
    %x = memref.load %m[] : memref<f32>
    %a = math.powf %x, %x : f32
    memref.store %a, %m[] : memref<f32>
    gpu.return
  }
}

// -----

gpu.module @kernels {
  gpu.func @negative_sine(%m: memref<f32>) kernel {
    %x = memref.load %m[] : memref<f32>
    // expected-error@below {{'math.sin' on 'f32' has no expansion for GPUs}}
    %a = math.sin %x : f32
    memref.store %a, %m[] : memref<f32>
    gpu.return
  }
}
