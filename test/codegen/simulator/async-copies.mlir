// Asynchronous copies, in both orders in which they may take effect.
// DEFINE: %{run} = attn-simulate %s --lower --block=32

// Four rounds with two buffers: while one is read, the other one is filled. Each
// round adds its 32 numbers to the sums.
// RUN: %{run} --kernel=pipeline "--arg=x:f32[128]=iota,const" "--arg=y:f32[32]=none" --print=y --copies=issue --counters | FileCheck %s --check-prefix=PIPELINE
// RUN: %{run} --kernel=pipeline "--arg=x:f32[128]=iota,const" "--arg=y:f32[32]=none" --print=y --copies=wait --counters | FileCheck %s --check-prefix=PIPELINE
// RUN: %{run} --kernel=pipeline "--arg=x:f32[128]=iota,const" "--arg=y:f32[32]=none" --print=y --copies=wait --order=random --counters | FileCheck %s --check-prefix=PIPELINE
// A copy is one request to global memory and one to shared memory.
// PIPELINE: 'nvvm.cp.async.shared.global' at {{.*}}: requests 2 sectors 4 ideal 4 wavefronts 1{{$}}
// PIPELINE: 0 defects
// PIPELINE-NEXT: y: 316 312 308 {{.*}} 196 192{{$}}
gpu.module @m {
  gpu.func @pipeline(%x: memref<128xf32, 1>, %y: memref<32xf32, 1>)
      workgroup(%stages: memref<2x32xf32, 3>) kernel {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c2 = arith.constant 2 : index
    %c4 = arith.constant 4 : index
    %c31 = arith.constant 31 : index
    %c32 = arith.constant 32 : index
    %zero = arith.constant 0.0 : f32
    %t = gpu.thread_id x
    %other = arith.subi %c31, %t : index
    %copy = nvgpu.device_async_copy %x[%t], %stages[%c0, %t], 1 : memref<128xf32, 1> to memref<2x32xf32, 3>
    %group = nvgpu.device_async_create_group %copy
    %sum = scf.for %k = %c0 to %c4 step %c1 iter_args(%s = %zero) -> f32 {
      %next = arith.addi %k, %c1 : index
      %hasNext = arith.cmpi slt, %next, %c4 : index
      scf.if %hasNext {
        %stage = arith.remui %next, %c2 : index
        %0 = arith.muli %next, %c32 : index
        %i = arith.addi %0, %t : index
        %c = nvgpu.device_async_copy %x[%i], %stages[%stage, %t], 1 : memref<128xf32, 1> to memref<2x32xf32, 3>
        %g = nvgpu.device_async_create_group %c
        nvgpu.device_async_wait %g {numGroups = 1 : i32}
      } else {
        nvgpu.device_async_wait %group {numGroups = 0 : i32}
      }
      gpu.barrier
      %now = arith.remui %k, %c2 : index
      %v = memref.load %stages[%now, %other] : memref<2x32xf32, 3>
      %r = arith.addf %s, %v : f32
      gpu.barrier
      scf.yield %r : f32
    }
    memref.store %sum, %y[%t] : memref<32xf32, 1>
    gpu.return
  }

  // Two copies; a wait that leaves %pending of them unfinished, as told below.
  // RUN: %{run} --kernel=waits "--arg=x:f32[64]=iota,const" "--arg=y:f32[64]=none" --arg=i64=0 --print=y --copies=wait | FileCheck %s --check-prefix=WAIT0
  // RUN: %{run} --kernel=waits "--arg=x:f32[64]=iota,const" "--arg=y:f32[64]=none" --arg=i64=0 --print=y --copies=issue | FileCheck %s --check-prefix=WAIT0
  // WAIT0: 0 defects
  // WAIT0-NEXT: y: 31 30 {{.*}} 1 0 63 62 {{.*}} 33 32{{$}}
  // RUN: not %{run} --kernel=waits "--arg=x:f32[64]=iota,const" "--arg=y:f32[64]=none" --arg=i64=1 --copies=issue | FileCheck %s --check-prefix=WAIT1
  // RUN: not %{run} --kernel=waits "--arg=x:f32[64]=iota,const" "--arg=y:f32[64]=none" --arg=i64=1 --copies=wait --order=reverse | FileCheck %s --check-prefix=WAIT1
  // The first copy is waited for, the second one is not.
  // WAIT1: unfinished-copy: 'llvm.load' at {{.*}}:[[#@LINE+34]]:11, {{.*}}: reads 4 bytes at offset {{.*}}, which this copy may still write: 'nvvm.cp.async.shared.global' at {{.*}}:[[#@LINE+20]]:11, {{.*}} (32 times)
  // WAIT1-NEXT: outstanding-copy: 'nvvm.cp.async.shared.global' at {{.*}}:[[#@LINE+19]]:11, {{.*}}: the thread ends, and no wait has covered this copy (32 times)
  // WAIT1-NEXT: 2 defects
  // RUN: not %{run} --kernel=waits "--arg=x:f32[64]=iota,const" "--arg=y:f32[64]=none" --arg=i64=2 --copies=wait | FileCheck %s --check-prefix=WAIT2
  // Without any wait; and with effects as late as possible the numbers are missing.
  // WAIT2-DAG: unfinished-copy: 'llvm.load' at {{.*}}:[[#@LINE+28]]:11
  // WAIT2-DAG: unfinished-copy: 'llvm.load' at {{.*}}:[[#@LINE+28]]:11
  // WAIT2-DAG: outstanding-copy: 'nvvm.cp.async.shared.global' at {{.*}}:[[#@LINE+11]]:10
  // WAIT2-DAG: outstanding-copy: 'nvvm.cp.async.shared.global' at {{.*}}:[[#@LINE+12]]:11
  // WAIT2: 4 defects
  gpu.func @waits(%x: memref<64xf32, 1>, %y: memref<64xf32, 1>, %pending: index)
      workgroup(%a: memref<32xf32, 3>, %b: memref<32xf32, 3>) kernel {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c31 = arith.constant 31 : index
    %c32 = arith.constant 32 : index
    %t = gpu.thread_id x
    %i = arith.addi %t, %c32 : index
    %c = nvgpu.device_async_copy %x[%t], %a[%t], 1 : memref<64xf32, 1> to memref<32xf32, 3>
    %g = nvgpu.device_async_create_group %c
    %c2 = nvgpu.device_async_copy %x[%i], %b[%t], 1 : memref<64xf32, 1> to memref<32xf32, 3>
    %g2 = nvgpu.device_async_create_group %c2
    %isNone = arith.cmpi eq, %pending, %c0 : index
    %isOne = arith.cmpi eq, %pending, %c1 : index
    scf.if %isNone {
      nvgpu.device_async_wait %g {numGroups = 0 : i32}
    } else {
      scf.if %isOne {
        nvgpu.device_async_wait %g {numGroups = 1 : i32}
      }
    }
    gpu.barrier
    %other = arith.subi %c31, %t : index
    %v1 = memref.load %a[%other] : memref<32xf32, 3>
    %v2 = memref.load %b[%other] : memref<32xf32, 3>
    memref.store %v1, %y[%t] : memref<64xf32, 1>
    memref.store %v2, %y[%i] : memref<64xf32, 1>
    gpu.return
  }

  // A wait covers groups only: this copy is in none.
  // RUN: not %{run} --kernel=no_commit "--arg=x:f32[32]=iota,const" "--arg=y:f32[32]=none" | FileCheck %s --check-prefix=COMMIT
  // COMMIT: unfinished-copy: 'llvm.load' at {{.*}}:[[#@LINE+6]]:10, {{.*}} thread (0,0,0){{.*}} 'nvvm.cp.async.shared.global' at {{.*}}:[[#@LINE+4]]:10, block (0,0,0) thread (0,0,0)
  // COMMIT-NEXT: outstanding-copy: 'nvvm.cp.async.shared.global' {{.*}}: the thread ends, and this copy is in no group
  gpu.func @no_commit(%x: memref<32xf32, 1>, %y: memref<32xf32, 1>) workgroup(%a: memref<32xf32, 3>) kernel {
    %t = gpu.thread_id x
    %c = nvgpu.device_async_copy %x[%t], %a[%t], 1 : memref<32xf32, 1> to memref<32xf32, 3>
    nvvm.cp.async.wait.group 0
    %v = memref.load %a[%t] : memref<32xf32, 3>
    memref.store %v, %y[%t] : memref<32xf32, 1>
    gpu.return
  }

  // A wait covers the copies of its own thread; for those of others it takes a
  // barrier after it.
  // RUN: not %{run} --kernel=others "--arg=x:f32[32]=iota,const" "--arg=y:f32[32]=none" | FileCheck %s --check-prefix=OTHERS
  // OTHERS: race: 'llvm.load' at {{.*}}:[[#@LINE+8]]:10, {{.*}} unordered with a write: 'nvvm.cp.async.shared.global' at {{.*}}:[[#@LINE+4]]:10
  gpu.func @others(%x: memref<32xf32, 1>, %y: memref<32xf32, 1>) workgroup(%a: memref<32xf32, 3>) kernel {
    %c31 = arith.constant 31 : index
    %t = gpu.thread_id x
    %c = nvgpu.device_async_copy %x[%t], %a[%t], 1 : memref<32xf32, 1> to memref<32xf32, 3>
    %g = nvgpu.device_async_create_group %c
    nvgpu.device_async_wait %g {numGroups = 0 : i32}
    %other = arith.subi %c31, %t : index
    %v = memref.load %a[%other] : memref<32xf32, 3>
    memref.store %v, %y[%t] : memref<32xf32, 1>
    gpu.return
  }

  // A copy into a buffer that other threads still read: a barrier is missing.
  // RUN: not %{run} --kernel=too_early "--arg=x:f32[32]=iota,const" "--arg=y:f32[32]=none" | FileCheck %s --check-prefix=EARLY
  // RUN: not %{run} --kernel=too_early "--arg=x:f32[32]=iota,const" "--arg=y:f32[32]=none" --order=reverse | FileCheck %s --check-prefix=EARLY
  // EARLY-DAG: race: 'llvm.load' at {{.*}}:[[#@LINE+9]]:10, {{.*}} unordered with a write: 'nvvm.cp.async.shared.global' at {{.*}}:[[#@LINE+10]]:10
  // EARLY-DAG: race: 'nvvm.cp.async.shared.global' at {{.*}}:[[#@LINE+9]]:10, {{.*}} unordered with a read: 'llvm.load' at {{.*}}:[[#@LINE+8]]:10
  gpu.func @too_early(%x: memref<32xf32, 1>, %y: memref<32xf32, 1>) workgroup(%a: memref<32xf32, 3>) kernel {
    %c31 = arith.constant 31 : index
    %zero = arith.constant 0.0 : f32
    %t = gpu.thread_id x
    memref.store %zero, %a[%t] : memref<32xf32, 3>
    gpu.barrier
    %other = arith.subi %c31, %t : index
    %v = memref.load %a[%other] : memref<32xf32, 3>
    %c = nvgpu.device_async_copy %x[%t], %a[%t], 1 : memref<32xf32, 1> to memref<32xf32, 3>
    %g = nvgpu.device_async_create_group %c
    nvgpu.device_async_wait %g {numGroups = 0 : i32}
    memref.store %v, %y[%t] : memref<32xf32, 1>
    gpu.return
  }

  // Only %n of 4 numbers come from the source, the others are zeros; the source
  // need not have more.
  // RUN: attn-simulate %s --lower --kernel=fill --arg=i64=3 "--arg=x:f32[3]=1,const" "--arg=y:f32[4]=none" --print=y | FileCheck %s --check-prefix=FILL
  // FILL: y: 1 1 1 0
  // RUN: not attn-simulate %s --lower --kernel=fill --arg=i64=4 "--arg=x:f32[3]=1,const" "--arg=y:f32[4]=none" | FileCheck %s --check-prefix=OVER
  // OVER: out-of-bounds: 'nvvm.cp.async.shared.global' at {{.*}} reads 16 bytes at offset 0 of 'x', which has 12 bytes
  gpu.func @fill(%n: index, %x: memref<4xf32, 1>, %y: memref<4xf32, 1>) workgroup(%a: memref<4xf32, 3>) kernel {
    %c0 = arith.constant 0 : index
    %c = nvgpu.device_async_copy %x[%c0], %a[%c0], 4, %n : memref<4xf32, 1> to memref<4xf32, 3>
    %g = nvgpu.device_async_create_group %c
    nvgpu.device_async_wait %g {numGroups = 0 : i32}
    %v = vector.load %a[%c0] {alignment = 16} : memref<4xf32, 3>, vector<4xf32>
    vector.store %v, %y[%c0] {alignment = 16} : memref<4xf32, 1>, vector<4xf32>
    gpu.return
  }
}
