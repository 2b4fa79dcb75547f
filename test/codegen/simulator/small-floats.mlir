// Numbers are rounded to 16 bits as on devices: to the nearest, ties to even.
// RUN: attn-simulate %s --lower "--arg=x:f32[5]=iota,const" "--arg=b:bf16[5]=none" "--arg=h:f16[5]=none" --block=5 --print=b --print=h | FileCheck %s
// The numbers are 257 + 2 i, ties of bf16, and 4097 + 2 i.
// CHECK: 0 defects
// CHECK-NEXT: b: 256 260 260 264 264
// CHECK-NEXT: h: 4096 4100 4100 4104 4104
gpu.module @m {
  gpu.func @k(%x: memref<5xf32, 1>, %b: memref<5xbf16, 1>, %h: memref<5xf16, 1>) kernel {
    %two = arith.constant 2.0 : f32
    %first = arith.constant 257.0 : f32
    %offset = arith.constant 3840.0 : f32
    %t = gpu.thread_id x
    %i = memref.load %x[%t] : memref<5xf32, 1>
    %s = arith.mulf %i, %two : f32
    %v = arith.addf %s, %first : f32
    %w = arith.addf %v, %offset : f32
    %vb = arith.truncf %v : f32 to bf16
    %wh = arith.truncf %w : f32 to f16
    memref.store %vb, %b[%t] : memref<5xbf16, 1>
    memref.store %wh, %h[%t] : memref<5xf16, 1>
    gpu.return
  }
}
