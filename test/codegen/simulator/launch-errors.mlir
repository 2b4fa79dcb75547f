// What cannot be launched or loaded: one line each, and exit status 1.
// DEFINE: %{run} = not attn-simulate %s 2>&1

// RUN: %{run} --kernel=none | FileCheck %s --check-prefix=KERNEL
// KERNEL: attn-simulate: error: there is no kernel 'none'
// RUN: %{run} --block=64 --arg=i32=1 | FileCheck %s --check-prefix=COUNT
// COUNT: error: the kernel takes 2 arguments, got 1
// RUN: %{run} --block=64 --arg=i64=1 "--arg=x:f32[1]=zero" | FileCheck %s --check-prefix=BYTES
// BYTES: error: argument 0 is a scalar of 4 bytes, got 8 bytes
// RUN: %{run} --block=64 "--arg=x:f32[1]=zero" "--arg=x:f32[1]=zero" | FileCheck %s --check-prefix=POINTER
// POINTER: error: argument 0 is a scalar of 4 bytes, got a pointer
// RUN: %{run} --block=64 --arg=i32=1 --arg=i64=0 | FileCheck %s --check-prefix=SCALAR
// SCALAR: error: argument 1 is a pointer, got a scalar
// RUN: %{run} --block=32 --arg=i32=1 "--arg=x:f32[1]=zero" | FileCheck %s --check-prefix=BLOCK
// BLOCK: error: the kernel was made for block (64, 1, 1), got (32, 1, 1)
// RUN: %{run} --kernel=largest --block=33 | FileCheck %s --check-prefix=LARGEST
// LARGEST: error: the kernel was made for at most block (32, 1, 1), got (33, 1, 1)
// RUN: %{run} --kernel=free --block=32,33 | FileCheck %s --check-prefix=THREADS
// THREADS: error: expected at most 1024 threads, got block (32, 33, 1)
// RUN: %{run} --kernel=free --grid=0 | FileCheck %s --check-prefix=GRID
// GRID: error: --grid
// RUN: %{run} --kernel=free --grid=65536,65536 | FileCheck %s --check-prefix=BLOCKS
// BLOCKS: error: expected fewer than 2^31 blocks, got (65536, 65536, 1)
// RUN: echo 'gpu.module @m { llvm.func @k() attributes {nvvm.kernel} { llvm.inline_asm "", "" : () -> () llvm.return } }' > %t.mlir
// RUN: not attn-simulate %t.mlir 2>&1 | FileCheck %s --check-prefix=LOAD
// LOAD: error: {{.*}}.mlir:1:59: 'llvm.inline_asm' op cannot be simulated
// RUN: echo 'func.func @f() { return }' > %t.mlir
// RUN: not attn-simulate %t.mlir 2>&1 | FileCheck %s --check-prefix=NONE
// NONE: error: expected a 'gpu.module', got none
gpu.module @m {
  llvm.func @k(%n: i32, %x: !llvm.ptr<1>) attributes {nvvm.kernel, nvvm.reqntid = array<i32: 64>} {
    llvm.return
  }
  llvm.func @largest() attributes {nvvm.kernel, nvvm.maxntid = array<i32: 32>} {
    llvm.return
  }
  llvm.func @free() attributes {nvvm.kernel} {
    llvm.return
  }
}
