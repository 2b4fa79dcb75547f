// Rounding to tf32: to nearest, of two the larger magnitude; the largest number
// becomes an infinity, infinities and NaN stay.
// RUN: attn-simulate %s --kernel=k --block=8 "--arg=y:f32[8]=none" --print=y | FileCheck %s
// CHECK: 0 defects
// 1 + 2^-11 - 2^-23, 1 + 2^-11, -(1 + 3 2^-11), 2 - 2^-23, the largest, -inf, a
// NaN all of whose bits are set, 2^-149.
// CHECK-NEXT: y: 1 1.00098 -1.00195 2 inf -inf {{-?nan}} 0{{$}}
gpu.module @m {
  llvm.mlir.global internal constant @x(dense<[0x3F800FFF, 0x3F801000, 0xBF803000, 0x3FFFFFFF, 0x7F7FFFFF, 0xFF800000, 0x7FFFFFFF, 0x00000001]> : tensor<8xi32>) {addr_space = 1 : i32} : !llvm.array<8 x i32>
  llvm.func @k(%y: !llvm.ptr<1>) attributes {nvvm.kernel} {
    %t = nvvm.read.ptx.sreg.tid.x : i32
    %x = llvm.mlir.addressof @x : !llvm.ptr<1>
    %from = llvm.getelementptr %x[%t] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, f32
    %number = llvm.load %from : !llvm.ptr<1> -> f32
    %bits = nvvm.convert.float.to.tf32 %number {rnd = #nvvm.fp_rnd_mode<rna>}
    %rounded = llvm.bitcast %bits : i32 to f32
    %to = llvm.getelementptr %y[%t] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, f32
    llvm.store %rounded, %to : f32, !llvm.ptr<1>
    llvm.return
  }
}
