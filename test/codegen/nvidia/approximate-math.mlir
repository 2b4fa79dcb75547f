// RUN: attn-opt %s --pass-pipeline="builtin.module(gpu.module(attn-nvidia-approximate-math))" | FileCheck %s

// CHECK-LABEL: gpu.func @exponentials
// CHECK: llvm.call_intrinsic "llvm.nvvm.ex2.approx.ftz.f"(%{{.*}}) : (f32) -> f32
// CHECK: math.exp2 %{{.*}} : f32
// CHECK: math.exp2 %{{.*}} fastmath<afn> : f64
// CHECK: %[[L:.*]] = arith.constant 1.44269502 : f32
// CHECK: %[[P:.*]] = arith.mulf %{{.*}}, %[[L]] : f32
// CHECK: llvm.call_intrinsic "llvm.nvvm.ex2.approx.ftz.f"(%[[P]]) : (f32) -> f32
// CHECK: math.exp %{{.*}} : f32
gpu.module @kernels {
  gpu.func @exponentials(%x: memref<f32>, %y: memref<f64>) kernel {
    %a = memref.load %x[] : memref<f32>
    %b = math.exp2 %a fastmath<afn> : f32
    %c = math.exp2 %b : f32
    memref.store %c, %x[] : memref<f32>
    %d = memref.load %y[] : memref<f64>
    %e = math.exp2 %d fastmath<afn> : f64
    memref.store %e, %y[] : memref<f64>
    %f = math.exp %c fastmath<afn> : f32
    %g = math.exp %f : f32
    memref.store %g, %x[] : memref<f32>
    gpu.return
  }

  // A quotient by a number, one of a product and a number, two of numbers; by a
  // number whose reciprocal is subnormal; one that has to be exact.
  // CHECK-LABEL: gpu.func @quotients
  // CHECK-SAME: %[[X:.*]]: f32, %[[Y:.*]]: memref<6xf32>
  // CHECK: %[[THIRD:.*]] = arith.constant 0.333333343 : f32
  // CHECK: arith.mulf %[[X]], %[[THIRD]] : f32
  // CHECK: %[[RATIO:.*]] = arith.constant 6.66666718E-4 : f32
  // CHECK: arith.mulf %[[X]], %[[RATIO]] : f32
  // CHECK: llvm.call_intrinsic "llvm.nvvm.div.full"(%{{.*}}, %[[X]]) : (f32, f32) -> f32
  // CHECK: llvm.call_intrinsic "llvm.nvvm.div.full"(%{{.*}}, %[[X]]) : (f32, f32) -> f32
  // CHECK: llvm.call_intrinsic "llvm.nvvm.div.full"(%[[X]], %{{.*}}) : (f32, f32) -> f32
  // CHECK: arith.divf %[[X]], %{{.*}} : f32
  gpu.func @quotients(%x: f32, %y: memref<6xf32>) kernel {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c2 = arith.constant 2 : index
    %c3 = arith.constant 3 : index
    %c4 = arith.constant 4 : index
    %c5 = arith.constant 5 : index
    %small = arith.constant 2.0e-3 : f32
    %one = arith.constant 1.0 : f32
    %three = arith.constant 3.0 : f32
    %huge = arith.constant 3.0e38 : f32
    %0 = arith.divf %x, %three fastmath<arcp> : f32
    memref.store %0, %y[%c0] : memref<6xf32>
    %scaled = arith.mulf %x, %small : f32
    %1 = arith.divf %scaled, %three fastmath<arcp> : f32
    memref.store %1, %y[%c1] : memref<6xf32>
    %2 = arith.divf %one, %x fastmath<arcp> : f32
    memref.store %2, %y[%c2] : memref<6xf32>
    %3 = arith.divf %three, %x fastmath<arcp> : f32
    memref.store %3, %y[%c3] : memref<6xf32>
    %4 = arith.divf %x, %huge fastmath<arcp> : f32
    memref.store %4, %y[%c4] : memref<6xf32>
    %5 = arith.divf %x, %three : f32
    memref.store %5, %y[%c5] : memref<6xf32>
    gpu.return
  }

  // A divisor of any size, and one that is not smaller than 1, whose quarter has a
  // reciprocal. Without the flag nothing changes.
  // CHECK-LABEL: gpu.func @shifted
  // CHECK: %[[A:.*]] = llvm.call_intrinsic "llvm.nvvm.div.full"(%[[X:.*]], %[[X]]) : (f32, f32) -> f32
  // CHECK: %[[SUM:.*]] = arith.addf
  // CHECK-DAG: %[[D:.*]] = arith.mulf %[[SUM]], %[[QUARTER:.*]] : f32
  // CHECK-DAG: %[[N:.*]] = arith.mulf %[[X]], %[[QUARTER]] : f32
  // CHECK: %[[R:.*]] = llvm.call_intrinsic "llvm.nvvm.rcp.approx.ftz.f"(%[[D]]) : (f32) -> f32
  // CHECK: %[[B:.*]] = arith.mulf %[[N]], %[[R]] : f32
  // CHECK: llvm.call_intrinsic "llvm.nvvm.div.full"(%[[B]], %{{.*}}) : (f32, f32) -> f32
  // CHECK: arith.divf %{{.*}} : f32
  // CHECK-NEXT: memref.store
  gpu.func @shifted(%x: memref<f32>) kernel {
    %one = arith.constant 1.0 : f32
    %half = arith.constant 0.5 : f32
    %a = memref.load %x[] : memref<f32>
    %b = arith.divf %a, %a fastmath<arcp> : f32
    %power = math.exp2 %b fastmath<afn> : f32
    %sum = arith.addf %power, %one : f32
    %c = arith.divf %a, %sum fastmath<arcp> : f32
    %small = arith.addf %power, %half : f32
    %d = arith.divf %c, %small fastmath<arcp> : f32
    %e = arith.divf %d, %sum : f32
    memref.store %e, %x[] : memref<f32>
    gpu.return
  }
}
