// Bounds, alignment, content and permission of global memory.
// DEFINE: %{run} = attn-simulate %s --lower --grid=2 --block=64

// RUN: %{run} --kernel=add --arg=i64=100 "--arg=x:f32[100]=iota,const" "--arg=y:f32[100]=none" --print=y | FileCheck %s --check-prefix=ADD
// ADD: 0 defects
// ADD: y: 0 2 4 6 8 {{.*}} 196 198{{$}}

// The tail is one element longer than the buffers.
// RUN: not %{run} --kernel=add --arg=i64=101 "--arg=x:f32[100]=iota,const" "--arg=y:f32[100]=none" | FileCheck %s --check-prefix=TAIL
// TAIL: out-of-bounds: 'llvm.load' at {{.*}}global-memory.mlir:[[#@LINE+16]]:12, block (1,0,0) thread (36,0,0): reads 4 bytes at offset 400 of 'x', which has 400 bytes
// TAIL-NEXT: out-of-bounds: 'llvm.store' at {{.*}}global-memory.mlir:[[#@LINE+17]]:7, block (1,0,0) thread (36,0,0): writes 4 bytes at offset 400 of 'y', which has 400 bytes
// TAIL-NEXT: 2 defects

// No predicate would do for a buffer that the whole grid covers.
// RUN: %{run} --kernel=add --arg=i64=128 "--arg=x:f32[128]=iota,const" "--arg=y:f32[128]=none" | FileCheck %s --check-prefix=WHOLE
// WHOLE: 0 defects
gpu.module @m {
  gpu.func @add(%n: index, %x: memref<100xf32, 1>, %y: memref<100xf32, 1>) kernel {
    %t = gpu.thread_id x
    %b = gpu.block_id x
    %d = gpu.block_dim x
    %o = arith.muli %b, %d : index
    %i = arith.addi %o, %t : index
    %c = arith.cmpi slt, %i, %n : index
    scf.if %c {
      %v = memref.load %x[%i] : memref<100xf32, 1>
      %w = arith.addf %v, %v : f32
      memref.store %w, %y[%i] : memref<100xf32, 1>
    }
    gpu.return
  }

  // Each element from its left neighbour, which the first one has not.
  // RUN: not %{run} --kernel=shift "--arg=x:f32[128]=iota,const" "--arg=y:f32[128]=none" --print=y | FileCheck %s --check-prefix=LEFT
  // LEFT: out-of-bounds: 'llvm.load' at {{.*}}:[[#@LINE+12]]:10, block (0,0,0) thread (0,0,0): reads 4 bytes at offset -4 of 'x', which has 512 bytes
  // LEFT-NEXT: 1 defects
  // A value that does not exist is seen in the result.
  // LEFT-NEXT: y: {{-?nan}} 0 1 2
  gpu.func @shift(%x: memref<128xf32, 1>, %y: memref<128xf32, 1>) kernel {
    %t = gpu.thread_id x
    %b = gpu.block_id x
    %d = gpu.block_dim x
    %o = arith.muli %b, %d : index
    %i = arith.addi %o, %t : index
    %c1 = arith.constant 1 : index
    %left = arith.subi %i, %c1 : index
    %v = memref.load %x[%left] : memref<128xf32, 1>
    memref.store %v, %y[%i] : memref<128xf32, 1>
    gpu.return
  }

  // RUN: not attn-simulate %s --lower --kernel=wide "--arg=x:f32[8]=iota" --arg=i64=1 | FileCheck %s --check-prefix=MISALIGNED
  // MISALIGNED: misaligned: 'llvm.load' at {{.*}}:[[#@LINE+5]]:10, block (0,0,0) thread (0,0,0): expected an address that is a multiple of 16, got one that is 4 more
  // RUN: attn-simulate %s --lower --kernel=wide "--arg=x:f32[8]=iota" --arg=i64=4 --print=x | FileCheck %s --check-prefix=ALIGNED
  // ALIGNED: x: 4 5 6 7 4 5 6 7
  gpu.func @wide(%x: memref<8xf32, 1>, %i: index) kernel {
    %c0 = arith.constant 0 : index
    %v = vector.load %x[%i] {alignment = 16} : memref<8xf32, 1>, vector<4xf32>
    vector.store %v, %x[%c0] {alignment = 16} : memref<8xf32, 1>, vector<4xf32>
    gpu.return
  }

  // RUN: not attn-simulate %s --lower --kernel=wide "--arg=x:f32[8]=iota,const" --arg=i64=4 --print=x | FileCheck %s --check-prefix=CONST
  // CONST: read-only: 'llvm.store' at {{.*}}:[[#@LINE-5]]:5, block (0,0,0) thread (0,0,0): writes 16 bytes at offset 0 of 'x', which has 32 bytes and is read-only
  // CONST: x: 0 1 2 3 4 5 6 7

  // RUN: not attn-simulate %s --lower --kernel=wide "--arg=x:f32[8]=none" --arg=i64=4 | FileCheck %s --check-prefix=EMPTY
  // EMPTY: uninitialized: 'llvm.load' at {{.*}}:[[#@LINE-10]]:10, block (0,0,0) thread (0,0,0): reads 16 bytes at offset 16 of 'x', which has 32 bytes, before they are written

  // What one launch writes is content for the next one.
  // RUN: not attn-simulate %s --lower --kernel=rotate "--arg=x:f32[2]=none" --launches=2 | FileCheck %s --check-prefix=LAUNCHES
  // LAUNCHES: uninitialized: 'llvm.load'
  // LAUNCHES-NEXT: 1 defects
  // LAUNCHES-NEXT: 0 defects
  gpu.func @rotate(%x: memref<2xf32, 1>) kernel {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %zero = arith.constant 0.0 : f32
    %v = memref.load %x[%c0] : memref<2xf32, 1>
    memref.store %v, %x[%c1] : memref<2xf32, 1>
    memref.store %zero, %x[%c0] : memref<2xf32, 1>
    gpu.return
  }

  // Every block and thread of three dimensions writes its number.
  // RUN: attn-simulate %s --lower --kernel=box --grid=2,3,2 --block=2,2,2 "--arg=y:i32[96]=none" --print=y --counters | FileCheck %s --check-prefix=BOX
  // BOX: blocks 12
  // BOX: 0 defects
  // BOX: y: 0 1 2 3 4 5 6 7 8 9 10 {{.*}} 93 94 95{{$}}
  gpu.func @box(%y: memref<96xi32, 1>) kernel {
    %c2 = arith.constant 2 : index
    %c3 = arith.constant 3 : index
    %c8 = arith.constant 8 : index
    %tx = gpu.thread_id x
    %ty = gpu.thread_id y
    %tz = gpu.thread_id z
    %bx = gpu.block_id x
    %by = gpu.block_id y
    %bz = gpu.block_id z
    %0 = arith.muli %bz, %c3 : index
    %1 = arith.addi %0, %by : index
    %2 = arith.muli %1, %c2 : index
    %3 = arith.addi %2, %bx : index
    %4 = arith.muli %3, %c8 : index
    %5 = arith.muli %tz, %c2 : index
    %6 = arith.addi %5, %ty : index
    %7 = arith.muli %6, %c2 : index
    %8 = arith.addi %7, %tx : index
    %i = arith.addi %4, %8 : index
    %v = arith.index_cast %i : index to i32
    memref.store %v, %y[%i] : memref<96xi32, 1>
    gpu.return
  }
}
