// What would stop this process is reported instead.
// DEFINE: %{run} = attn-simulate %s

// RUN: not %{run} --kernel=gives_up --block=2 | FileCheck %s --check-prefix=TRAP
// TRAP: trap: 'llvm.intr.trap' at {{.*}}:[[#@LINE+4]]:5, block (0,0,0) thread (0,0,0): the thread gives up
// TRAP-NEXT: 1 defects
gpu.module @m {
  llvm.func @gives_up() attributes {nvvm.kernel} {
    "llvm.intr.trap"() : () -> ()
    llvm.return
  }

  // RUN: not %{run} --kernel=cannot_be | FileCheck %s --check-prefix=UNREACHABLE
  // UNREACHABLE: trap: 'llvm.unreachable' at {{.*}}:[[#@LINE+2]]:5
  llvm.func @cannot_be() attributes {nvvm.kernel} {
    llvm.unreachable
  }

  // RUN: attn-simulate %s --kernel=divide --arg=i32=-7 --arg=i32=2 "--arg=y:i32[4]=none" --print=y | FileCheck %s --check-prefix=DIVIDE
  // DIVIDE: y: -3 2.14748e+09 -1 1
  // RUN: not %{run} --kernel=divide --arg=i32=-7 --arg=i32=0 "--arg=y:i32[4]=none" | FileCheck %s --check-prefix=ZERO
  // ZERO: division: 'llvm.sdiv' at {{.*}}:[[#@LINE+13]]:10, block (0,0,0) thread (0,0,0): divides by zero, or the result is too large
  // ZERO-NEXT: division: 'llvm.udiv'
  // ZERO-NEXT: division: 'llvm.srem'
  // ZERO-NEXT: division: 'llvm.urem'
  // ZERO-NEXT: 4 defects
  // RUN: not %{run} --kernel=divide --arg=i32=-2147483648 --arg=i32=-1 "--arg=y:i32[4]=none" | FileCheck %s --check-prefix=OVERFLOW
  // OVERFLOW: division: 'llvm.sdiv'
  // OVERFLOW-NEXT: division: 'llvm.srem'
  // OVERFLOW-NEXT: 2 defects
  llvm.func @divide(%a: i32, %b: i32, %y: !llvm.ptr<1>) attributes {nvvm.kernel} {
    %y1 = llvm.getelementptr %y[1] : (!llvm.ptr<1>) -> !llvm.ptr<1>, i32
    %y2 = llvm.getelementptr %y[2] : (!llvm.ptr<1>) -> !llvm.ptr<1>, i32
    %y3 = llvm.getelementptr %y[3] : (!llvm.ptr<1>) -> !llvm.ptr<1>, i32
    %0 = llvm.sdiv %a, %b : i32
    %1 = llvm.udiv %a, %b : i32
    %2 = llvm.srem %a, %b : i32
    %3 = llvm.urem %a, %b : i32
    llvm.store %0, %y : i32, !llvm.ptr<1>
    llvm.store %1, %y1 : i32, !llvm.ptr<1>
    llvm.store %2, %y2 : i32, !llvm.ptr<1>
    llvm.store %3, %y3 : i32, !llvm.ptr<1>
    llvm.return
  }
}
