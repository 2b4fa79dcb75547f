// What blocks of one grid do to each other's global memory.
// DEFINE: %{run} = attn-simulate %s --lower

// RUN: not %{run} --kernel=same_place --grid=3 "--arg=y:i32[1]=none" | FileCheck %s --check-prefix=WRITES
// RUN: not %{run} --kernel=same_place --grid=3 "--arg=y:i32[1]=none" --workers=2 | FileCheck %s --check-prefix=WORKERS
// WRITES: race: 'llvm.store' at {{.*}}:[[#@LINE+7]]:5, block (1,0,0) thread (0,0,0): writes 4 bytes at offset 0 of 'y', which has 4 bytes, unordered with a write: 'llvm.store' at {{.*}}:[[#@LINE+7]]:5, block (0,0,0) thread (0,0,0) (2 times)
// WORKERS: race: 'llvm.store' at {{.*}}:[[#@LINE+6]]:5
gpu.module @m {
  gpu.func @same_place(%y: memref<1xi32, 1>) kernel {
    %c0 = arith.constant 0 : index
    %b = gpu.block_id x
    %i = arith.index_cast %b : index to i32
    memref.store %i, %y[%c0] : memref<1xi32, 1>
    gpu.return
  }

  // Each block reads what its left neighbour writes. From one launch to the next
  // there is order, so the same is right in two launches.
  // RUN: not %{run} --kernel=neighbour --grid=4 "--arg=y:i32[5]=zero" | FileCheck %s --check-prefix=READS
  // READS: race: 'llvm.load' at {{.*}}:[[#@LINE+9]]:10, block (1,0,0) thread (0,0,0): reads 4 bytes at offset 4 of 'y', which has 20 bytes, unordered with a write: 'llvm.store' at {{.*}}:[[#@LINE+11]]:5, block (0,0,0) thread (0,0,0) (3 times)
  // RUN: %{run} --kernel=neighbour --grid=1 "--arg=y:i32[5]=zero" --launches=2 | FileCheck %s --check-prefix=CLEAN
  // CLEAN-NOT: race
  // CLEAN: 0 defects
  gpu.func @neighbour(%y: memref<5xi32, 1>) kernel {
    %c1 = arith.constant 1 : index
    %one = arith.constant 1 : i32
    %b = gpu.block_id x
    %right = arith.addi %b, %c1 : index
    %v = memref.load %y[%b] : memref<5xi32, 1>
    %w = arith.addi %v, %one : i32
    memref.store %w, %y[%right] : memref<5xi32, 1>
    gpu.return
  }

  // A read before the write of another block, of which the reader comes first.
  // RUN: not %{run} --kernel=read_first --grid=2 --block=32 "--arg=y:i32[2]=zero" | FileCheck %s --check-prefix=FIRST
  // FIRST: race: 'llvm.store' at {{.*}}:[[#@LINE+12]]:7, block (1,0,0) thread (0,0,0): writes 4 bytes at offset 0 of 'y', which has 8 bytes, unordered with a read: 'llvm.load' at {{.*}}:[[#@LINE+8]]:12, block (0,0,0)
  gpu.func @read_first(%y: memref<2xi32, 1>) kernel {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %b = gpu.block_id x
    %t = gpu.thread_id x
    %isFirst = arith.cmpi eq, %b, %c0 : index
    scf.if %isFirst {
      %v = memref.load %y[%c0] : memref<2xi32, 1>
      memref.store %v, %y[%c1] : memref<2xi32, 1>
    } else {
      %one = arith.constant 1 : i32
      memref.store %one, %y[%c0] : memref<2xi32, 1>
    }
    gpu.return
  }

  // Neighbours in different blocks that write the halves of one word.
  // RUN: %{run} --kernel=halves --grid=8 "--arg=y:f16[8]=none" --print=y | FileCheck %s --check-prefix=HALVES
  // HALVES: 0 defects
  // HALVES-NEXT: y: 0 1 2 3 4 5 6 7
  gpu.func @halves(%y: memref<8xf16, 1>) kernel {
    %b = gpu.block_id x
    %i = arith.index_cast %b : index to i32
    %v = arith.sitofp %i : i32 to f16
    memref.store %v, %y[%b] : memref<8xf16, 1>
    gpu.return
  }

  // Halves of a word that the block which wrote them has read as a whole: another
  // block that reads the word still races with those writes.
  // RUN: not %{run} --kernel=whole --grid=2 --block=2 "--arg=y:f16[2]=none" "--arg=z:f16[4]=none" | FileCheck %s --check-prefix=WHOLE
  // WHOLE: race: 'llvm.load' at {{.*}}:[[#@LINE+11]]:10, block (1,0,0) thread (0,0,0): reads 4 bytes at offset 0 of 'y', which has 4 bytes, unordered with a write: 'llvm.store' at {{.*}}:[[#@LINE+8]]:7, block (0,0,0)
  gpu.func @whole(%y: memref<2xf16, 1>, %z: memref<2x2xf16, 1>) kernel {
    %c0 = arith.constant 0 : index
    %zero = arith.constant 0.0 : f16
    %b = gpu.block_id x
    %t = gpu.thread_id x
    %isFirst = arith.cmpi eq, %b, %c0 : index
    scf.if %isFirst {
      memref.store %zero, %y[%t] : memref<2xf16, 1>
    }
    gpu.barrier
    %w = vector.load %y[%c0] {alignment = 4} : memref<2xf16, 1>, vector<2xf16>
    %isOne = arith.cmpi eq, %t, %c0 : index
    scf.if %isOne {
      vector.store %w, %z[%b, %c0] {alignment = 4} : memref<2x2xf16, 1>, vector<2xf16>
    }
    gpu.return
  }

  // Atomic additions may meet; atomic and plain ones may not.
  // RUN: %{run} --kernel=atomic --grid=4 --block=64 "--arg=y:f32[1]=zero" --print=y | FileCheck %s --check-prefix=ATOMIC
  // RUN: %{run} --kernel=atomic --grid=4 --block=64 "--arg=y:f32[1]=zero" --print=y --workers=2 --order=random | FileCheck %s --check-prefix=ATOMIC
  // ATOMIC: 0 defects
  // ATOMIC-NEXT: y: 256
  gpu.func @atomic(%y: memref<1xf32, 1>) kernel {
    %c0 = arith.constant 0 : index
    %one = arith.constant 1.0 : f32
    %old = memref.atomic_rmw addf %one, %y[%c0] : (f32, memref<1xf32, 1>) -> f32
    gpu.return
  }
  // RUN: not %{run} --kernel=half_atomic --grid=2 "--arg=y:f32[1]=zero" | FileCheck %s --check-prefix=PLAIN
  // PLAIN: race: 'llvm.store' at {{.*}}:[[#@LINE+9]]:7, block (1,0,0) thread (0,0,0): {{.*}} 'llvm.atomicrmw' at {{.*}}:[[#@LINE+7]]:14, block (0,0,0)
  gpu.func @half_atomic(%y: memref<1xf32, 1>) kernel {
    %c0 = arith.constant 0 : index
    %one = arith.constant 1.0 : f32
    %b = gpu.block_id x
    %isFirst = arith.cmpi eq, %b, %c0 : index
    scf.if %isFirst {
      %old = memref.atomic_rmw addf %one, %y[%c0] : (f32, memref<1xf32, 1>) -> f32
    } else {
      memref.store %one, %y[%c0] : memref<1xf32, 1>
    }
    gpu.return
  }
}
