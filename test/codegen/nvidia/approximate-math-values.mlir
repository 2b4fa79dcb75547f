// What approximate functions compute, where the instructions are exact.
// RUN: attn-opt %s --pass-pipeline="builtin.module(gpu.module(attn-nvidia-approximate-math,attn-nvidia-to-nvvm,canonicalize,cse,reconcile-unrealized-casts))" > %t.mlir
// DEFINE: %{run} = attn-simulate %t.mlir --grid=1 --block=16 --arg=y:f32[16]=none --print=y
gpu.module @kernels {
  // x = -3.6, -3.15, ..., 3.15: both ways to compute it, and both signs.
  // RUN: %{run} --kernel=tanh | FileCheck %s --check-prefix=TANH
  // TANH: y: -0.998508 -0.996334 -0.991007 -0.978026 -0.946806 -0.874053 -0.716298 -0.421899 {{.*}} 0.421899 0.716298 0.874053 0.946806 0.978026 0.991007 0.996334{{$}}
  gpu.func @tanh(%y: memref<16xf32>) kernel {
    %thread = gpu.thread_id x
    %number = arith.index_cast %thread : index to i32
    %float = arith.sitofp %number : i32 to f32
    %part = arith.constant 0.45 : f32
    %first = arith.constant -3.6 : f32
    %step = arith.mulf %float, %part : f32
    %x = arith.addf %step, %first : f32
    %t = math.tanh %x fastmath<afn> : f32
    memref.store %t, %y[%thread] : memref<16xf32>
    gpu.return
  }

  // tanh(2^(10 - 8 t)) for thread t, an infinity, 0, and what is no number.
  // RUN: %{run} --kernel=special | FileCheck %s --check-prefix=SPECIAL
  // SPECIAL: y: 1 0.999329 0.0156237 6.10352e-05 2.38419e-07 9.31323e-10 3.63798e-12 1.42109e-14 5.55112e-17 2.1684e-19 8.47033e-22 3.30872e-24 1.29247e-26 1 -0 nan{{$}}
  gpu.func @special(%y: memref<16xf32>) kernel {
    %thread = gpu.thread_id x
    %number = arith.index_cast %thread : index to i32
    %float = arith.sitofp %number : i32 to f32
    %step = arith.constant -8.0 : f32
    %ten = arith.constant 10.0 : f32
    %up = arith.mulf %float, %step : f32
    %exponent = arith.addf %up, %ten : f32
    %power = math.exp2 %exponent fastmath<afn> : f32
    %c13 = arith.constant 13 : i32
    %c14 = arith.constant 14 : i32
    %c15 = arith.constant 15 : i32
    %inf = arith.constant 0x7F800000 : f32
    %nan = arith.constant 0x7FC00000 : f32
    %zero = arith.constant -0.0 : f32
    %is13 = arith.cmpi eq, %number, %c13 : i32
    %is14 = arith.cmpi eq, %number, %c14 : i32
    %is15 = arith.cmpi eq, %number, %c15 : i32
    %a = arith.select %is13, %inf, %power : f32
    %b = arith.select %is14, %zero, %a : f32
    %x = arith.select %is15, %nan, %b : f32
    %t = math.tanh %x fastmath<afn> : f32
    memref.store %t, %y[%thread] : memref<16xf32>
    gpu.return
  }
}
