// Values that only devices have: addresses of 32 bits, registers, approximate
// functions, undefined numbers, constants and local arrays.
// RUN: attn-simulate %s --kernel=k --grid=3,2 --block=40 --shared=64 "--arg=y:f32[13]=zero" --print=y | FileCheck %s
// CHECK: 0 defects
// 2^3, log2 8, 1/4, 1/sqrt 4, a number through a 32-bit address of shared memory,
// the lanes below lane 5, the warps of a block, one that is undefined, the third
// constant, the sum of a local array, blocks along x, bytes of shared memory, 7/4.
// CHECK-NEXT: y: 8 3 0.25 0.5 7 31 2 {{-?nan}} 33 6 3 72 1.75{{$}}
gpu.module @m {
  llvm.mlir.global internal @two() {addr_space = 3 : i32} : !llvm.array<2 x f32>
  llvm.mlir.global internal constant @table(dense<[11.0, 22.0, 33.0]> : tensor<3xf32>) {addr_space = 1 : i32} : !llvm.array<3 x f32>
  llvm.func @put(%y: !llvm.ptr<1>, %i: i32, %v: f32) {
    %p = llvm.getelementptr inbounds %y[%i] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, f32
    llvm.store %v, %p : f32, !llvm.ptr<1>
    llvm.return
  }
  llvm.func @k(%y: !llvm.ptr<1>) attributes {nvvm.kernel} {
    %c0 = llvm.mlir.constant(0 : i32) : i32
    %c1 = llvm.mlir.constant(1 : i32) : i32
    %c2 = llvm.mlir.constant(2 : i32) : i32
    %c3 = llvm.mlir.constant(3 : i32) : i32
    %c4 = llvm.mlir.constant(4 : i32) : i32
    %c5 = llvm.mlir.constant(5 : i32) : i32
    %c6 = llvm.mlir.constant(6 : i32) : i32
    %c7 = llvm.mlir.constant(7 : i32) : i32
    %c8 = llvm.mlir.constant(8 : i32) : i32
    %c9 = llvm.mlir.constant(9 : i32) : i32
    %c10 = llvm.mlir.constant(10 : i32) : i32
    %c11 = llvm.mlir.constant(11 : i32) : i32
    %c12 = llvm.mlir.constant(12 : i32) : i32
    %f1 = llvm.mlir.constant(1.0 : f32) : f32
    %f2 = llvm.mlir.constant(2.0 : f32) : f32
    %f3 = llvm.mlir.constant(3.0 : f32) : f32
    %f4 = llvm.mlir.constant(4.0 : f32) : f32
    %f7 = llvm.mlir.constant(7.0 : f32) : f32
    %f8 = llvm.mlir.constant(8.0 : f32) : f32
    %lane = nvvm.read.ptx.sreg.laneid : i32
    %warp = nvvm.read.ptx.sreg.warpid : i32
    %bx = nvvm.read.ptx.sreg.ctaid.x : i32
    %by = nvvm.read.ptx.sreg.ctaid.y : i32
    %0 = llvm.add %bx, %by : i32
    %1 = llvm.add %0, %warp : i32
    %isZero = llvm.icmp "eq" %1, %c0 : i32
    %isLane = llvm.icmp "eq" %lane, %c5 : i32
    %isOne = llvm.and %isZero, %isLane : i1
    llvm.cond_br %isOne, ^work, ^end
  ^work:
    %e = llvm.call_intrinsic "llvm.nvvm.ex2.approx.ftz.f"(%f3) : (f32) -> f32
    llvm.call @put(%y, %c0, %e) : (!llvm.ptr<1>, i32, f32) -> ()
    %l = llvm.call_intrinsic "llvm.nvvm.lg2.approx.f"(%f8) : (f32) -> f32
    llvm.call @put(%y, %c1, %l) : (!llvm.ptr<1>, i32, f32) -> ()
    %r = nvvm.rcp.approx.ftz.f %f4 : f32
    llvm.call @put(%y, %c2, %r) : (!llvm.ptr<1>, i32, f32) -> ()
    %q = llvm.call_intrinsic "llvm.nvvm.rsqrt.approx.f"(%f4) : (f32) -> f32
    llvm.call @put(%y, %c3, %q) : (!llvm.ptr<1>, i32, f32) -> ()
    %s = llvm.mlir.addressof @two : !llvm.ptr<3>
    %narrow = llvm.ptrtoint %s : !llvm.ptr<3> to i32
    %next = llvm.add %narrow, %c4 : i32
    %again = llvm.inttoptr %next : i32 to !llvm.ptr<3>
    llvm.store %f7, %again : f32, !llvm.ptr<3>
    %generic = llvm.addrspacecast %s : !llvm.ptr<3> to !llvm.ptr
    %second = llvm.getelementptr %generic[1] : (!llvm.ptr) -> !llvm.ptr, f32
    %v = llvm.load %second : !llvm.ptr -> f32
    llvm.call @put(%y, %c4, %v) : (!llvm.ptr<1>, i32, f32) -> ()
    %lower = nvvm.read.ptx.sreg.lanemask.lt : i32
    %lowerF = llvm.uitofp %lower : i32 to f32
    llvm.call @put(%y, %c5, %lowerF) : (!llvm.ptr<1>, i32, f32) -> ()
    %warps = nvvm.read.ptx.sreg.nwarpid : i32
    %warpsF = llvm.uitofp %warps : i32 to f32
    llvm.call @put(%y, %c6, %warpsF) : (!llvm.ptr<1>, i32, f32) -> ()
    %u = llvm.mlir.undef : f32
    llvm.call @put(%y, %c7, %u) : (!llvm.ptr<1>, i32, f32) -> ()
    %table = llvm.mlir.addressof @table : !llvm.ptr<1>
    %third = llvm.getelementptr %table[2] : (!llvm.ptr<1>) -> !llvm.ptr<1>, f32
    %w = llvm.load %third : !llvm.ptr<1> -> f32
    llvm.call @put(%y, %c8, %w) : (!llvm.ptr<1>, i32, f32) -> ()
    %local = llvm.alloca %c2 x f32 : (i32) -> !llvm.ptr
    %local1 = llvm.getelementptr %local[%c1] : (!llvm.ptr, i32) -> !llvm.ptr, f32
    llvm.store %f2, %local : f32, !llvm.ptr
    llvm.store %f4, %local1 : f32, !llvm.ptr
    %a = llvm.load %local : !llvm.ptr -> f32
    %b = llvm.load %local1 : !llvm.ptr -> f32
    %sum = llvm.fadd %a, %b : f32
    llvm.call @put(%y, %c9, %sum) : (!llvm.ptr<1>, i32, f32) -> ()
    %n = nvvm.read.ptx.sreg.nctaid.x : i32
    %nF = llvm.uitofp %n : i32 to f32
    llvm.call @put(%y, %c10, %nF) : (!llvm.ptr<1>, i32, f32) -> ()
    %bytes = nvvm.read.ptx.sreg.total.smem.size : i32
    %bytesF = llvm.uitofp %bytes : i32 to f32
    llvm.call @put(%y, %c11, %bytesF) : (!llvm.ptr<1>, i32, f32) -> ()
    %quotient = llvm.call_intrinsic "llvm.nvvm.div.full"(%f7, %f4) : (f32, f32) -> f32
    llvm.call @put(%y, %c12, %quotient) : (!llvm.ptr<1>, i32, f32) -> ()
    llvm.br ^end
  ^end:
    llvm.return
  }
}
