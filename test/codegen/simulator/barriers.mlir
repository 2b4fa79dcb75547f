// Barriers that complete, and those that never do.
// DEFINE: %{run} = attn-simulate %s --lower

// Whole warps that have ended are not waited for.
// RUN: %{run} --kernel=early_exit --block=96 --arg=i64=64 "--arg=y:f32[96]=none" --print=y --counters | FileCheck %s --check-prefix=EARLY
// EARLY: 'nvvm.barrier0' {{.*}} barriers 1
// EARLY: 0 defects
// EARLY-NEXT: y: 32 33 34 {{.*}} 63 0 1 2 {{.*}} 31 {{-?nan}}

// Lanes of a warp that has not ended must all come.
// RUN: not %{run} --kernel=early_exit --block=96 --arg=i64=70 "--arg=y:f32[96]=none" | FileCheck %s --check-prefix=PART
// PART: divergent-barrier: 'nvvm.barrier0' at {{.*}}:[[#@LINE+10]]:7, block (0,0,0) thread (64,0,0): lane 6 of the same warp has ended
gpu.module @m {
  gpu.func @early_exit(%n: index, %y: memref<96xf32, 1>) workgroup(%line: memref<96xf32, 3>) kernel {
    %c32 = arith.constant 32 : index
    %t = gpu.thread_id x
    %isIn = arith.cmpi slt, %t, %n : index
    scf.if %isIn {
      %i = arith.index_cast %t : index to i32
      %v = arith.sitofp %i : i32 to f32
      memref.store %v, %line[%t] : memref<96xf32, 3>
      gpu.barrier
      %other = arith.xori %t, %c32 : index
      %isThere = arith.cmpi slt, %other, %n : index
      scf.if %isThere {
        %w = memref.load %line[%other] : memref<96xf32, 3>
        memref.store %w, %y[%t] : memref<96xf32, 1>
      }
    }
    gpu.return
  }

  // Lanes of one warp wait at two barriers.
  // RUN: not %{run} --kernel=divergent --block=32 --arg=i64=16 | FileCheck %s --check-prefix=DIVERGENT
  // DIVERGENT: divergent-barrier: 'nvvm.barrier0' at {{.*}}:[[#@LINE+11]]:7, block (0,0,0) thread (0,0,0): another thread waits at another barrier: 'nvvm.barrier0' at {{.*}}:[[#@LINE+14]]:7, block (0,0,0) thread (16,0,0)
  // DIVERGENT-NEXT: 1 defects
  // So do two warps.
  // RUN: not %{run} --kernel=divergent --block=64 --arg=i64=32 | FileCheck %s --check-prefix=MISMATCH
  // MISMATCH: divergent-barrier: 'nvvm.barrier0' at {{.*}}:[[#@LINE+7]]:7, block (0,0,0) thread (0,0,0): another thread waits at another barrier: 'nvvm.barrier0' at {{.*}}:[[#@LINE+10]]:7, block (0,0,0) thread (32,0,0)
  // RUN: %{run} --kernel=divergent --block=64 --arg=i64=64 | FileCheck %s --check-prefix=UNIFORM
  // UNIFORM: 0 defects
  gpu.func @divergent(%n: index) workgroup(%line: memref<64xindex, 3>) kernel {
    %t = gpu.thread_id x
    %isIn = arith.cmpi slt, %t, %n : index
    scf.if %isIn {
      gpu.barrier
      memref.store %t, %line[%t] : memref<64xindex, 3>
    } else {
      gpu.barrier
    }
    gpu.return
  }

  // One half of a warp waits for the block, the other one for the warp.
  // RUN: not %{run} --kernel=deadlock --block=64 | FileCheck %s --check-prefix=DEADLOCK
  // DEADLOCK: deadlock: 'nvvm.barrier0' at {{.*}}:[[#@LINE+8]]:7, block (0,0,0) thread (0,0,0): waits for ever; 32 threads have ended; another thread waits elsewhere: 'nvvm.bar.warp.sync' at {{.*}}:[[#@LINE+10]]:7, block (0,0,0) thread (16,0,0)
  // DEADLOCK-NEXT: 1 defects
  gpu.func @deadlock() kernel {
    %c16 = arith.constant 16 : index
    %all = arith.constant -1 : i32
    %t = gpu.thread_id x
    %isIn = arith.cmpi slt, %t, %c16 : index
    scf.if %isIn {
      gpu.barrier
    } else {
      nvvm.bar.warp.sync %all : i32
    }
    gpu.return
  }

  // Two pairs of warps, each with a barrier of its own. A pair is ordered, the
  // pairs are not: with %by = 64 the neighbour is in the other one.
  // RUN: %{run} --kernel=named --block=128 --arg=i64=32 "--arg=y:i64[128]=none" --print=y --counters | FileCheck %s --check-prefix=NAMED
  // NAMED: 'nvvm.barrier' {{.*}} barriers 2
  // NAMED: 0 defects
  // NAMED-NEXT: y: 32 33
  // RUN: not %{run} --kernel=named --block=128 --arg=i64=64 "--arg=y:i64[128]=none" | FileCheck %s --check-prefix=PAIRS
  // PAIRS: race: 'llvm.load' at {{.*}}:[[#@LINE+15]]:10, block (0,0,0) thread (0,0,0): {{.*}} 'llvm.store' {{.*}} thread (64,0,0) (128 times)
  // A barrier of three warps for which only two come.
  // RUN: not %{run} --kernel=named --block=96 --arg=i64=32 "--arg=y:i64[128]=none" | FileCheck %s --check-prefix=FEW
  // FEW: deadlock: 'nvvm.barrier' at {{.*}}:[[#@LINE+10]]:5, block (0,0,0) thread (64,0,0): waits for ever; 64 threads have ended
  gpu.func @named(%by: index, %y: memref<128xindex, 1>) workgroup(%line: memref<128xindex, 3>) kernel {
    %c64 = arith.constant 64 : index
    %c64i = arith.constant 64 : i32
    %one = arith.constant 1 : i32
    %t = gpu.thread_id x
    memref.store %t, %line[%t] : memref<128xindex, 3>
    %pair = arith.divui %t, %c64 : index
    %pairi = arith.index_cast %pair : index to i32
    %id = arith.addi %pairi, %one : i32
    nvvm.barrier id = %id number_of_threads = %c64i
    %other = arith.xori %t, %by : index
    %w = memref.load %line[%other] : memref<128xindex, 3>
    memref.store %w, %y[%t] : memref<128xindex, 1>
    gpu.return
  }

  // One warp produces and does not wait, another one waits for it.
  // RUN: %{run} --kernel=producer --block=64 "--arg=y:i64[32]=none" --print=y | FileCheck %s --check-prefix=PRODUCER
  // RUN: %{run} --kernel=producer --block=64 "--arg=y:i64[32]=none" --print=y --order=reverse | FileCheck %s --check-prefix=PRODUCER
  // PRODUCER: 0 defects
  // PRODUCER-NEXT: y: 0 1 2 3
  gpu.func @producer(%y: memref<32xindex, 1>) workgroup(%line: memref<32xindex, 3>) kernel {
    %c32 = arith.constant 32 : index
    %c64 = arith.constant 64 : i32
    %one = arith.constant 1 : i32
    %t = gpu.thread_id x
    %isProducer = arith.cmpi slt, %t, %c32 : index
    scf.if %isProducer {
      memref.store %t, %line[%t] : memref<32xindex, 3>
      nvvm.barrier.arrive id = %one number_of_threads = %c64
    } else {
      nvvm.barrier id = %one number_of_threads = %c64
      %i = arith.subi %t, %c32 : index
      %w = memref.load %line[%i] : memref<32xindex, 3>
      memref.store %w, %y[%i] : memref<32xindex, 1>
    }
    gpu.return
  }

  // RUN: not %{run} --kernel=bad_count --block=32 | FileCheck %s --check-prefix=COUNT
  // COUNT: bad-operand: 'nvvm.barrier' at {{.*}}:[[#@LINE+4]]:5, block (0,0,0) thread (0,0,0): expected a barrier 0..15 and a multiple of 32 threads up to the block's, got 16 and 20
  gpu.func @bad_count() kernel {
    %c16 = arith.constant 16 : i32
    %c20 = arith.constant 20 : i32
    nvvm.barrier id = %c16 number_of_threads = %c20
    gpu.return
  }

  // A barrier that counts for how many threads a predicate holds.
  // RUN: %{run} --kernel=count --block=64 "--arg=y:i32[64]=none" --print=y | FileCheck %s --check-prefix=POPC
  // POPC: y: 10 10 10
  gpu.func @count(%y: memref<64xi32, 1>) kernel {
    %c10 = arith.constant 10 : index
    %t = gpu.thread_id x
    %isLow = arith.cmpi ult, %t, %c10 : index
    %p = arith.extui %isLow : i1 to i32
    %n = nvvm.barrier #nvvm.reduction<popc> %p -> i32
    memref.store %n, %y[%t] : memref<64xi32, 1>
    gpu.return
  }
}
