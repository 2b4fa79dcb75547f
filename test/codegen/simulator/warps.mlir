// Shuffles, votes and reductions of a warp.
// DEFINE: %{run} = attn-simulate %s --lower

// RUN: %{run} --kernel=kinds --block=32 "--arg=y:i32[128]=none" --print=y | FileCheck %s --check-prefix=KINDS
// KINDS: 0 defects
// Up by 2, down by 3 within halves, the lane xor 5, the value of lane 7.
// KINDS-NEXT: y: 0 1 0 1 2 3 {{.*}} 28 29 3 4 5 {{.*}} 15 13 14 15 19 20 {{.*}} 31 29 30 31 5 4 7 6 1 0 3 2 13 {{.*}} 7 7 7 7{{$}}
gpu.module @m {
  gpu.func @kinds(%y: memref<4x32xi32, 1>) kernel {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c2 = arith.constant 2 : index
    %c3 = arith.constant 3 : index
    %all = arith.constant -1 : i32
    %by2 = arith.constant 2 : i32
    %by3 = arith.constant 3 : i32
    %by5 = arith.constant 5 : i32
    %lane7 = arith.constant 7 : i32
    %first = arith.constant 0 : i32
    %last = arith.constant 31 : i32
    %halves = arith.constant 0x101F : i32
    %t = gpu.thread_id x
    %i = arith.index_cast %t : index to i32
    %up = nvvm.shfl.sync up %all, %i, %by2, %first : i32 -> i32
    %down = nvvm.shfl.sync down %all, %i, %by3, %halves : i32 -> i32
    %xor = nvvm.shfl.sync bfly %all, %i, %by5, %last : i32 -> i32
    %from7 = nvvm.shfl.sync idx %all, %i, %lane7, %last : i32 -> i32
    memref.store %up, %y[%c0, %t] : memref<4x32xi32, 1>
    memref.store %down, %y[%c1, %t] : memref<4x32xi32, 1>
    memref.store %xor, %y[%c2, %t] : memref<4x32xi32, 1>
    memref.store %from7, %y[%c3, %t] : memref<4x32xi32, 1>
    gpu.return
  }

  // The sum of 256 numbers, by shuffles and then over the warps. Each lane reads
  // another one's value and learns whether that lane is in its segment.
  // RUN: %{run} --kernel=sum --block=256 "--arg=x:f32[256]=iota,const" "--arg=y:f32[1]=none" --print=y | FileCheck %s --check-prefix=SUM
  // RUN: %{run} --kernel=sum --block=256 "--arg=x:f32[256]=iota,const" "--arg=y:f32[1]=none" --print=y --order=random | FileCheck %s --check-prefix=SUM
  // SUM: 0 defects
  // SUM-NEXT: y: 32640
  gpu.func @sum(%x: memref<256xf32, 1>, %y: memref<1xf32, 1>) workgroup(%sums: memref<8xf32, 3>) kernel {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c8 = arith.constant 8 : index
    %c32 = arith.constant 32 : index
    %one = arith.constant 1 : i32
    %width = arith.constant 32 : i32
    %zero = arith.constant 0.0 : f32
    %t = gpu.thread_id x
    %v = memref.load %x[%t] : memref<256xf32, 1>
    %s, %by = scf.while (%a = %v, %b = %one) : (f32, i32) -> (f32, i32) {
      %more = arith.cmpi slt, %b, %width : i32
      scf.condition(%more) %a, %b : f32, i32
    } do {
    ^bb0(%a: f32, %b: i32):
      %o, %ok = gpu.shuffle xor %a, %b, %width : f32
      %next = arith.addf %a, %o : f32
      %twice = arith.shli %b, %one : i32
      scf.yield %next, %twice : f32, i32
    }
    %lane = arith.remui %t, %c32 : index
    %warp = arith.divui %t, %c32 : index
    %isFirst = arith.cmpi eq, %lane, %c0 : index
    scf.if %isFirst {
      memref.store %s, %sums[%warp] : memref<8xf32, 3>
    }
    gpu.barrier
    %isOne = arith.cmpi eq, %t, %c0 : index
    scf.if %isOne {
      %all = scf.for %w = %c0 to %c8 step %c1 iter_args(%a = %zero) -> f32 {
        %p = memref.load %sums[%w] : memref<8xf32, 3>
        %next = arith.addf %a, %p : f32
        scf.yield %next : f32
      }
      memref.store %all, %y[%c0] : memref<1xf32, 1>
    }
    gpu.return
  }

  // Lanes that the mask names have ended.
  // RUN: not %{run} --kernel=ended --block=32 --arg=i64=20 "--arg=y:i32[32]=none" | FileCheck %s --check-prefix=ENDED
  // ENDED: inactive-lane: 'nvvm.shfl.sync' at {{.*}}:[[#@LINE+11]]:12, block (0,0,0) thread (0,0,0): lane 20 takes part but has ended
  // RUN: %{run} --kernel=ended --block=32 --arg=i64=32 "--arg=y:i32[32]=none" | FileCheck %s --check-prefix=ALL
  // ALL: 0 defects
  gpu.func @ended(%n: index, %y: memref<32xi32, 1>) kernel {
    %all = arith.constant -1 : i32
    %by = arith.constant 1 : i32
    %last = arith.constant 31 : i32
    %t = gpu.thread_id x
    %isIn = arith.cmpi slt, %t, %n : index
    scf.if %isIn {
      %i = arith.index_cast %t : index to i32
      %v = nvvm.shfl.sync bfly %all, %i, %by, %last : i32 -> i32
      memref.store %v, %y[%t] : memref<32xi32, 1>
    }
    gpu.return
  }

  // With a mask of the lower half, reading from the upper half.
  // RUN: not %{run} --kernel=outside --block=32 --arg=i32=16 "--arg=y:i32[32]=none" | FileCheck %s --check-prefix=OUTSIDE
  // OUTSIDE: inactive-lane: 'nvvm.shfl.sync' at {{.*}}:[[#@LINE+15]]:12, block (0,0,0) thread (0,0,0): reads from lane 16, which does not take part
  // RUN: %{run} --kernel=outside --block=32 --arg=i32=15 "--arg=y:i32[32]=none" | FileCheck %s --check-prefix=ALL
  // One lane more than the mask has.
  // RUN: not %{run} --kernel=outside --block=33 --arg=i32=15 "--arg=y:i32[33]=none" | FileCheck %s --check-prefix=ITSELF
  // ITSELF: inactive-lane: 'nvvm.shfl.sync' at {{.*}} thread (32,0,0): reads from lane 15, which does not take part
  gpu.func @outside(%from: i32, %y: memref<32xi32, 1>) kernel {
    %half = arith.constant 0xFFFF : i32
    %last = arith.constant 31 : i32
    %c16 = arith.constant 16 : index
    %c32 = arith.constant 32 : index
    %t = gpu.thread_id x
    %lane = arith.remui %t, %c32 : index
    %isIn = arith.cmpi slt, %lane, %c16 : index
    scf.if %isIn {
      %i = arith.index_cast %t : index to i32
      %v = nvvm.shfl.sync idx %half, %i, %from, %last : i32 -> i32
      memref.store %v, %y[%t] : memref<32xi32, 1>
    }
    gpu.return
  }
  // RUN: not %{run} --kernel=excluded --block=32 | FileCheck %s --check-prefix=EXCLUDED
  // EXCLUDED: inactive-lane: 'nvvm.bar.warp.sync' at {{.*}}:[[#@LINE+3]]:5, block (0,0,0) thread (16,0,0): lane 16 is not in its own mask 0xffff
  gpu.func @excluded() kernel {
    %half = arith.constant 0xFFFF : i32
    nvvm.bar.warp.sync %half : i32
    gpu.return
  }

  // Halves of a warp shuffle at different ops, with masks of all lanes.
  // RUN: not %{run} --kernel=apart --block=32 "--arg=y:i32[32]=none" | FileCheck %s --check-prefix=APART
  // APART: deadlock: 'nvvm.shfl.sync' at {{.*}}:[[#@LINE+10]]:12, block (0,0,0) thread (0,0,0): waits for ever; another thread waits elsewhere: 'nvvm.shfl.sync' at {{.*}}:[[#@LINE+13]]:12, block (0,0,0) thread (16,0,0)
  gpu.func @apart(%y: memref<32xi32, 1>) kernel {
    %all = arith.constant -1 : i32
    %by = arith.constant 1 : i32
    %last = arith.constant 31 : i32
    %c16 = arith.constant 16 : index
    %t = gpu.thread_id x
    %i = arith.index_cast %t : index to i32
    %isIn = arith.cmpi slt, %t, %c16 : index
    %v = scf.if %isIn -> i32 {
      %a = nvvm.shfl.sync bfly %all, %i, %by, %last : i32 -> i32
      scf.yield %a : i32
    } else {
      %b = nvvm.shfl.sync up %all, %i, %by, %last : i32 -> i32
      scf.yield %b : i32
    }
    memref.store %v, %y[%t] : memref<32xi32, 1>
    gpu.return
  }

  // Votes on "lane < 5", and reductions of the lane's number - 4.
  // RUN: %{run} --kernel=votes --block=32 "--arg=y:i32[10]=none" --print=y | FileCheck %s --check-prefix=VOTES
  // VOTES: y: 31 1 0 0 368 -4 27 -1 0 -1{{$}}
  gpu.func @votes(%y: memref<10xi32, 1>) kernel {
    %all = arith.constant -1 : i32
    %c0 = arith.constant 0 : index
    %c5 = arith.constant 5 : index
    %four = arith.constant 4 : i32
    %t = gpu.thread_id x
    %i = arith.index_cast %t : index to i32
    %v = arith.subi %i, %four : i32
    %isLow = arith.cmpi ult, %t, %c5 : index
    %ballot = nvvm.vote.sync ballot %all, %isLow -> i32
    %any = nvvm.vote.sync any %all, %isLow -> i1
    %every = nvvm.vote.sync all %all, %isLow -> i1
    %uni = nvvm.vote.sync uni %all, %isLow -> i1
    %add = nvvm.redux.sync add %v, %all : i32 -> i32
    %min = nvvm.redux.sync min %v, %all : i32 -> i32
    %max = nvvm.redux.sync max %v, %all : i32 -> i32
    %umax = nvvm.redux.sync umax %v, %all : i32 -> i32
    %and = nvvm.redux.sync and %v, %all : i32 -> i32
    %or = nvvm.redux.sync or %v, %all : i32 -> i32
    %any32 = arith.extui %any : i1 to i32
    %every32 = arith.extui %every : i1 to i32
    %uni32 = arith.extui %uni : i1 to i32
    %isFirst = arith.cmpi eq, %t, %c0 : index
    %r = vector.from_elements %ballot, %any32, %every32, %uni32, %add, %min, %max, %umax, %and, %or : vector<10xi32>
    scf.if %isFirst {
      %c1 = arith.constant 1 : index
      %c10 = arith.constant 10 : index
      scf.for %k = %c0 to %c10 step %c1 {
        %e = vector.extract %r[%k] : i32 from vector<10xi32>
        memref.store %e, %y[%k] : memref<10xi32, 1>
      }
    }
    gpu.return
  }
}
