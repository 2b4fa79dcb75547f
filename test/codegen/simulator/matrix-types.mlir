// Products in each type: every element of a is 1.5, of b 2 and of c 1 (and for
// tf32 the last bits of a do not count), so sums over k are 1 + 3 k.
// RUN: attn-simulate %s --kernel=k --block=32 "--arg=y:f32[5]=none" --print=y | FileCheck %s
// CHECK: 0 defects
// CHECK-NEXT: y: 25 49 25 49 25{{$}}
gpu.module @m {
  llvm.func @k(%y: !llvm.ptr<1>) attributes {nvvm.kernel} {
    %ah = llvm.mlir.constant(dense<1.5> : vector<2xf16>) : vector<2xf16>
    %bh = llvm.mlir.constant(dense<2.0> : vector<2xf16>) : vector<2xf16>
    %ab = llvm.mlir.constant(0x3FC03FC0 : i32) : i32
    %bb = llvm.mlir.constant(0x40004000 : i32) : i32
    %at = llvm.mlir.constant(0x3FC01FFF : i32) : i32
    %bt = llvm.mlir.constant(0x40000000 : i32) : i32
    %c = llvm.mlir.constant(1.0 : f32) : f32
    %0 = nvvm.mma.sync A[%ah, %ah] B[%bh] C[%c, %c, %c, %c] {layoutA = #nvvm.mma_layout<row>, layoutB = #nvvm.mma_layout<col>, shape = #nvvm.shape<m = 16, n = 8, k = 8>} : (vector<2xf16>, vector<2xf16>, f32) -> !llvm.struct<(f32, f32, f32, f32)>
    %1 = nvvm.mma.sync A[%ah, %ah, %ah, %ah] B[%bh, %bh] C[%c, %c, %c, %c] {layoutA = #nvvm.mma_layout<row>, layoutB = #nvvm.mma_layout<col>, shape = #nvvm.shape<m = 16, n = 8, k = 16>} : (vector<2xf16>, vector<2xf16>, f32) -> !llvm.struct<(f32, f32, f32, f32)>
    %2 = nvvm.mma.sync A[%ab, %ab] B[%bb] C[%c, %c, %c, %c] {layoutA = #nvvm.mma_layout<row>, layoutB = #nvvm.mma_layout<col>, multiplicandAPtxType = #nvvm.mma_type<bf16>, multiplicandBPtxType = #nvvm.mma_type<bf16>, shape = #nvvm.shape<m = 16, n = 8, k = 8>} : (i32, i32, f32) -> !llvm.struct<(f32, f32, f32, f32)>
    %3 = nvvm.mma.sync A[%ab, %ab, %ab, %ab] B[%bb, %bb] C[%c, %c, %c, %c] {layoutA = #nvvm.mma_layout<row>, layoutB = #nvvm.mma_layout<col>, multiplicandAPtxType = #nvvm.mma_type<bf16>, multiplicandBPtxType = #nvvm.mma_type<bf16>, shape = #nvvm.shape<m = 16, n = 8, k = 16>} : (i32, i32, f32) -> !llvm.struct<(f32, f32, f32, f32)>
    %4 = nvvm.mma.sync A[%at, %at, %at, %at] B[%bt, %bt] C[%c, %c, %c, %c] {layoutA = #nvvm.mma_layout<row>, layoutB = #nvvm.mma_layout<col>, multiplicandAPtxType = #nvvm.mma_type<tf32>, multiplicandBPtxType = #nvvm.mma_type<tf32>, shape = #nvvm.shape<m = 16, n = 8, k = 8>} : (i32, i32, f32) -> !llvm.struct<(f32, f32, f32, f32)>
    %r0 = llvm.extractvalue %0[0] : !llvm.struct<(f32, f32, f32, f32)>
    %r1 = llvm.extractvalue %1[1] : !llvm.struct<(f32, f32, f32, f32)>
    %r2 = llvm.extractvalue %2[2] : !llvm.struct<(f32, f32, f32, f32)>
    %r3 = llvm.extractvalue %3[3] : !llvm.struct<(f32, f32, f32, f32)>
    %r4 = llvm.extractvalue %4[0] : !llvm.struct<(f32, f32, f32, f32)>
    %t = nvvm.read.ptx.sreg.tid.x : i32
    %last = llvm.mlir.constant(31 : i32) : i32
    %isLast = llvm.icmp "eq" %t, %last : i32
    llvm.cond_br %isLast, ^store, ^end
  ^store:
    %y1 = llvm.getelementptr %y[1] : (!llvm.ptr<1>) -> !llvm.ptr<1>, f32
    %y2 = llvm.getelementptr %y[2] : (!llvm.ptr<1>) -> !llvm.ptr<1>, f32
    %y3 = llvm.getelementptr %y[3] : (!llvm.ptr<1>) -> !llvm.ptr<1>, f32
    %y4 = llvm.getelementptr %y[4] : (!llvm.ptr<1>) -> !llvm.ptr<1>, f32
    llvm.store %r0, %y : f32, !llvm.ptr<1>
    llvm.store %r1, %y1 : f32, !llvm.ptr<1>
    llvm.store %r2, %y2 : f32, !llvm.ptr<1>
    llvm.store %r3, %y3 : f32, !llvm.ptr<1>
    llvm.store %r4, %y4 : f32, !llvm.ptr<1>
    llvm.br ^end
  ^end:
    llvm.return
  }
}
