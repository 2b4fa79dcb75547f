// Blocks that wait for each other through atomic variables, in the dialects that
// the simulator takes.
// DEFINE: %{run} = attn-simulate %s

// Each block stores its part, counts itself, and the last one adds the parts. The
// fences make the parts known to the last one.
// RUN: %{run} --kernel=last --grid=4 "--arg=parts:i32[4]=none" "--arg=count:i32[1]=zero" "--arg=y:i32[1]=none" --print=y | FileCheck %s --check-prefix=LAST
// RUN: %{run} --kernel=last --grid=4 "--arg=parts:i32[4]=none" "--arg=count:i32[1]=zero" "--arg=y:i32[1]=none" --print=y --workers=2 | FileCheck %s --check-prefix=LAST
// LAST: 0 defects
// LAST-NEXT: y: 10
gpu.module @m {
  llvm.func @last(%parts: !llvm.ptr<1>, %count: !llvm.ptr<1>, %y: !llvm.ptr<1>) attributes {nvvm.kernel} {
    %one = llvm.mlir.constant(1 : i32) : i32
    %b = nvvm.read.ptx.sreg.ctaid.x : i32
    %n = nvvm.read.ptx.sreg.nctaid.x : i32
    %lastNumber = llvm.sub %n, %one : i32
    %part = llvm.add %b, %one : i32
    %p = llvm.getelementptr %parts[%b] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, i32
    llvm.store %part, %p : i32, !llvm.ptr<1>
    nvvm.memory.barrier #nvvm.mem_scope<gpu>
    %before = llvm.atomicrmw add %count, %one syncscope("device") monotonic : !llvm.ptr<1>, i32
    nvvm.memory.barrier #nvvm.mem_scope<gpu>
    %isLast = llvm.icmp "eq" %before, %lastNumber : i32
    llvm.cond_br %isLast, ^sum, ^end
  ^sum:
    %zero = llvm.mlir.constant(0 : i32) : i32
    llvm.br ^loop(%zero, %zero : i32, i32)
  ^loop(%i: i32, %s: i32):
    %q = llvm.getelementptr %parts[%i] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, i32
    %v = llvm.load %q : !llvm.ptr<1> -> i32
    %s2 = llvm.add %s, %v : i32
    %i2 = llvm.add %i, %one : i32
    %more = llvm.icmp "slt" %i2, %n : i32
    llvm.cond_br %more, ^loop(%i2, %s2 : i32, i32), ^store(%s2 : i32)
  ^store(%sum: i32):
    llvm.store %sum, %y : i32, !llvm.ptr<1>
    llvm.br ^end
  ^end:
    llvm.return
  }

  // Without the first fence nobody knows that the parts are there.
  // RUN: not %{run} --kernel=no_fence --grid=4 "--arg=parts:i32[4]=none" "--arg=count:i32[1]=zero" "--arg=y:i32[4]=none" | FileCheck %s --check-prefix=FENCE
  // FENCE: race: 'llvm.load' at {{.*}}:[[#@LINE+14]]:10, block (3,0,0) thread (0,0,0): reads 4 bytes at offset 0 of 'parts', which has 16 bytes, unordered with a write: 'llvm.store' at {{.*}}:[[#@LINE+8]]:5, block (0,0,0) thread (0,0,0)
  // FENCE-NEXT: 1 defects
  llvm.func @no_fence(%parts: !llvm.ptr<1>, %count: !llvm.ptr<1>, %y: !llvm.ptr<1>) attributes {nvvm.kernel} {
    %one = llvm.mlir.constant(1 : i32) : i32
    %b = nvvm.read.ptx.sreg.ctaid.x : i32
    %n = nvvm.read.ptx.sreg.nctaid.x : i32
    %lastNumber = llvm.sub %n, %one : i32
    %p = llvm.getelementptr %parts[%b] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, i32
    llvm.store %one, %p : i32, !llvm.ptr<1>
    %before = llvm.atomicrmw add %count, %one syncscope("device") monotonic : !llvm.ptr<1>, i32
    nvvm.memory.barrier #nvvm.mem_scope<gpu>
    %isLast = llvm.icmp "eq" %before, %lastNumber : i32
    llvm.cond_br %isLast, ^sum, ^end
  ^sum:
    %v = llvm.load %parts : !llvm.ptr<1> -> i32
    llvm.store %v, %y : i32, !llvm.ptr<1>
    llvm.br ^end
  ^end:
    llvm.return
  }

  // Block 0 waits for a flag that block 1 sets after its data: they run side by
  // side. Thread 0 of each block speaks for it; barriers pass the word on.
  // RUN: %{run} --kernel=flag --grid=2 --block=64 --arg=i32=1 "--arg=data:i32[64]=none" "--arg=flag:i32[1]=zero" "--arg=y:i32[64]=none" --print=y | FileCheck %s --check-prefix=FLAG
  // RUN: %{run} --kernel=flag --grid=2 --block=64 --arg=i32=1 "--arg=data:i32[64]=none" "--arg=flag:i32[1]=zero" "--arg=y:i32[64]=none" --print=y --workers=2 --order=reverse | FileCheck %s --check-prefix=FLAG
  // RUN: %{run} --kernel=flag --grid=2 --block=64 --arg=i32=1 "--arg=data:i32[64]=none" "--arg=flag:i32[1]=zero" "--arg=y:i32[64]=none" --writer=y:3 --writer=data:40 | FileCheck %s --check-prefix=WRITER
  // RUN: not %{run} --kernel=flag --grid=2 --block=64 --arg=i32=1 "--arg=data:i32[64]=none" "--arg=flag:i32[1]=zero" "--arg=y:i32[64]=none" --writer=y:64 2>&1 | FileCheck %s --check-prefix=NOELEMENT
  // FLAG: 0 defects
  // FLAG-NEXT: y: 63 62 61
  // Who wrote an element last.
  // WRITER: writer of y:3: 'llvm.store' at {{.*}}:[[#@LINE+36]]:5, block (0,0,0) thread (3,0,0)
  // WRITER-NEXT: writer of data:40: 'llvm.store' at {{.*}}:[[#@LINE+20]]:5, block (1,0,0) thread (40,0,0)
  // NOELEMENT: attn-simulate: error: --writer: there is no element 'y:64'
  // A flag that nobody sets to 2.
  // RUN: not %{run} --kernel=flag --grid=2 --block=64 --arg=i32=2 "--arg=data:i32[64]=none" "--arg=flag:i32[1]=zero" "--arg=y:i32[64]=none" --most-ops=10000 | FileCheck %s --check-prefix=ENDLESS
  // ENDLESS: endless: 'llvm.cond_br' at {{.*}}:[[#@LINE+27]]:5, block (0,0,0) thread (0,0,0): still runs after 1000{{.}} ops
  // ENDLESS-NEXT: 1 defects
  llvm.func @flag(%wanted: i32, %data: !llvm.ptr<1>, %flag: !llvm.ptr<1>, %y: !llvm.ptr<1>) attributes {nvvm.kernel} {
    %zero = llvm.mlir.constant(0 : i32) : i32
    %one = llvm.mlir.constant(1 : i32) : i32
    %c63 = llvm.mlir.constant(63 : i32) : i32
    %t = nvvm.read.ptx.sreg.tid.x : i32
    %b = nvvm.read.ptx.sreg.ctaid.x : i32
    %other = llvm.sub %c63, %t : i32
    %mine = llvm.getelementptr %data[%t] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, i32
    %theirs = llvm.getelementptr %data[%other] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, i32
    %to = llvm.getelementptr %y[%t] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, i32
    %isFirst = llvm.icmp "eq" %t, %zero : i32
    %isReader = llvm.icmp "eq" %b, %zero : i32
    llvm.cond_br %isReader, ^read, ^write
  ^write:
    llvm.store %t, %mine : i32, !llvm.ptr<1>
    nvvm.barrier0
    llvm.cond_br %isFirst, ^set, ^end
  ^set:
    llvm.store %one, %flag atomic syncscope("device") release {alignment = 4 : i64} : i32, !llvm.ptr<1>
    llvm.br ^end
  ^read:
    llvm.cond_br %isFirst, ^spin, ^ready
  ^spin:
    %f = llvm.load %flag atomic syncscope("device") acquire {alignment = 4 : i64} : !llvm.ptr<1> -> i32
    %isSet = llvm.icmp "eq" %f, %wanted : i32
    llvm.cond_br %isSet, ^ready, ^spin
  ^ready:
    nvvm.barrier0
    %v = llvm.load %theirs : !llvm.ptr<1> -> i32
    llvm.store %v, %to : i32, !llvm.ptr<1>
    llvm.br ^end
  ^end:
    llvm.return
  }

  // A loop that touches nothing ends as well.
  // RUN: not %{run} --kernel=forever --grid=100 --most-ops=10000 | FileCheck %s --check-prefix=FOREVER
  // FOREVER: endless: 'llvm.cond_br' at {{.*}}:[[#@LINE+9]]:5, block (0,0,0) thread (0,0,0): still runs after 10001 ops
  // FOREVER-NEXT: 1 defects
  llvm.func @forever() attributes {nvvm.kernel} {
    %one = llvm.mlir.constant(1 : i32) : i32
    %t = nvvm.read.ptx.sreg.tid.x : i32
    llvm.br ^loop(%t : i32)
  ^loop(%i: i32):
    %next = llvm.xor %i, %one : i32
    %c = llvm.icmp "slt" %next, %one : i32
    llvm.cond_br %c, ^loop(%next : i32), ^loop(%one : i32)
  }
}
