//===- Passes.td - Passes of the CPU back end --------------*- tablegen -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_CPU_PASSES_TD
#define ATTN_CODEGEN_CPU_PASSES_TD

include "mlir/Pass/PassBase.td"

def BlockRegisters : Pass<"attn-cpu-block-registers", "::mlir::func::FuncOp"> {
  let summary = "Turn tile programs into loops over vectors";
  let description = [{
    Blocks each `scf.forall` of a tile program for registers. Operands of products
    are packed into scratch memory; products run as loops over their depth with
    all accumulators in registers; what follows from a product (score, mask,
    exponential, maxima, sums) is evaluated on registers in the same loops, column
    by column, as far as dependences between whole rows allow. Lanes run along
    the queries, so softmax needs no horizontal operation.
    Blocks of recurrences (`tile.scan`, `tile.decay_dot`, products that read what a
    loop carries) store their rows before the loop's tiles are updated in place.
    `docs/rationale/cpu.md` tells the whole story.

    Before: a tile program (`attn-verify-tile`) whose blocks have a multiple of the
    vector lanes of query rows. After: `scf`, `memref`, `arith`, `math` and vectors
    of rank 1; scratch memory is `memref.alloca` of static shape. Reports a tile op
    in a place that the CPU back end does not support.

    Example (afterwards: a loop over 4 rows that loads, doubles and stores
    `vector<16xf32>`, masked where the view ends):

    ```mlir
    func.func @f(%x: memref<?x8xf32, strided<[?, 1], offset: ?>>,
                 %y: memref<?x8xf32, strided<[?, 1], offset: ?>>, %blocks: index) {
      %c0 = arith.constant 0 : index
      %c4 = arith.constant 4 : index
      scf.forall (%block) in (%blocks) {
        %row = arith.muli %block, %c4 : index
        %t = tile.load %x[%row, %c0] : memref<?x8xf32, strided<[?, 1], offset: ?>> -> tensor<4x8xf32>
        %d = arith.addf %t, %t : tensor<4x8xf32>
        tile.store %d, %y[%row, %c0] : tensor<4x8xf32>, memref<?x8xf32, strided<[?, 1], offset: ?>>
      }
      return
    }
    ```
  }];
  let options = [
    Option<"vectorBits", "vector-bits", "int64_t", /*default=*/"512",
           "width of a vector register">,
    Option<"vectorRegisters", "vector-registers", "int64_t", /*default=*/"32",
           "number of vector registers">,
    Option<"fma", "fma", "bool", /*default=*/"true",
           "the machine has fused multiply-add">];
  let dependentDialects = ["::mlir::scf::SCFDialect", "::mlir::arith::ArithDialect",
                           "::mlir::memref::MemRefDialect",
                           "::mlir::vector::VectorDialect"];
}

def CheckVectors : Pass<"attn-cpu-check-vectors"> {
  let summary = "Refuse vectors that do not fit into registers";
  let description = [{
    LLVM accepts vectors of any size and rank and turns large ones into code that
    spills and takes minutes to compile. This pass reports the first op with a
    vector of rank above 1 or of more than two registers, by name and type.
    Changes nothing; what follows may rely on it.

    Example: passes with 512-bit registers, fails with `vector-bits=128`.

    ```mlir
    func.func @f(%m: memref<16xf32>, %i: index) {
      %x = vector.load %m[%i] : memref<16xf32>, vector<16xf32>
      vector.store %x, %m[%i] : memref<16xf32>, vector<16xf32>
      return
    }
    ```
  }];
  let options = [Option<"vectorBits", "vector-bits", "int64_t", /*default=*/"512",
                        "width of a vector register">];
}

def OutlineParallel : Pass<"attn-cpu-outline-parallel", "::mlir::ModuleOp"> {
  let summary = "Make each loop over independent blocks a function of its own";
  let description = [{
    Every `scf.forall` becomes a call of a private function that runs a range of
    its blocks, numbered in row-major order: `(begin, end, scratch, captures...)`.
    Constants are copied into it, other values of its surroundings are captures.
    Scratch memory replaces every `memref.alloca` of the body, at offsets that
    are multiples of 64 bytes. The call carries `attn.scratch_bytes`, which says
    that the range may be split among threads; executed as it stands it runs all
    blocks in order. A `scf.forall` inside another one becomes loops.

    Before: `scf.forall` without results, `memref.alloca` of static shape. After:
    no `scf.forall`. Reports an error if the body needs more than 8 MiB of
    scratch, if the loop yields tensors, or if a tensor is captured.

    Before and after:

    ```mlir
    func.func @f(%x: memref<?xf32>, %n: index) {
      scf.forall (%i) in (%n) {
        %t = memref.alloca() : memref<8xf32>
        %c0 = arith.constant 0 : index
        %v = memref.load %x[%i] : memref<?xf32>
        memref.store %v, %t[%c0] : memref<8xf32>
      }
      return
    }
    ```

    ```mlir
    func.func @f(%x: memref<?xf32>, %n: index) {
      %c0 = arith.constant 0 : index
      %scratch = memref.alloca() {alignment = 64 : i64} : memref<64xi8>
      func.call @f_blocks(%c0, %n, %scratch, %x) {attn.scratch_bytes = 64 : i64}
          : (index, index, memref<64xi8>, memref<?xf32>) -> ()
      return
    }
    func.func private @f_blocks(%begin: index, %end: index,
        %scratch: memref<64xi8>, %x: memref<?xf32>) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      scf.for %i = %begin to %end step %c1 {
        %t = memref.view %scratch[%c0][] : memref<64xi8> to memref<8xf32>
        %v = memref.load %x[%i] : memref<?xf32>
        memref.store %v, %t[%c0] : memref<8xf32>
      }
      return
    }
    ```
  }];
  let dependentDialects = ["::mlir::scf::SCFDialect", "::mlir::arith::ArithDialect",
                           "::mlir::memref::MemRefDialect",
                           "::mlir::func::FuncDialect"];
}

def ToLlvm : Pass<"attn-cpu-to-llvm", "::mlir::ModuleOp"> {
  let summary = "Convert loops, vectors and memrefs to the LLVM dialect";
  let description = [{
    One conversion of everything that is left to the LLVM dialect, with 64-bit
    indices and MLIR's descriptors for memrefs. Math functions become LLVM
    intrinsics or calls of the C library; conversions from and to bf16 become
    integer arithmetic.

    A public function `f` gets an entry with the interface of
    `runtime/ParallelFor.h`: `attn_entry_f(host, args) -> i32`, and is not visible
    itself any more. A call with `attn.scratch_bytes` becomes a call of the host:
    its captures are stored into a struct on the stack, and a function that
    unpacks them is what the host calls. Nothing else points to scratch memory,
    which LLVM is told.

    Before: func, scf, cf, arith, math, memref, affine, index and rank-1 vectors;
    public functions take memrefs and return nothing. After: only the LLVM
    dialect. Reports the first op that has no conversion.

    Before and after (the descriptor of `%x` is unpacked by the entry):

    ```mlir
    func.func @f(%x: memref<1xf32>) {
      return
    }
    ```

    ```mlir
    llvm.func internal @f(%host: !llvm.ptr, %allocated: !llvm.ptr, %aligned: !llvm.ptr,
                          %offset: i64, %size: i64, %stride: i64) {
      llvm.return
    }
    llvm.func @attn_entry_f(%host: !llvm.ptr, %args: !llvm.ptr) -> i32 {
      %x = llvm.load %args : !llvm.ptr -> !llvm.ptr
      %d = llvm.load %x : !llvm.ptr -> !llvm.struct<(ptr, ptr, i64, array<1 x i64>, array<1 x i64>)>
      %0 = llvm.extractvalue %d[0] : !llvm.struct<(ptr, ptr, i64, array<1 x i64>, array<1 x i64>)>
      %1 = llvm.extractvalue %d[1] : !llvm.struct<(ptr, ptr, i64, array<1 x i64>, array<1 x i64>)>
      %2 = llvm.extractvalue %d[2] : !llvm.struct<(ptr, ptr, i64, array<1 x i64>, array<1 x i64>)>
      %3 = llvm.extractvalue %d[3, 0] : !llvm.struct<(ptr, ptr, i64, array<1 x i64>, array<1 x i64>)>
      %4 = llvm.extractvalue %d[4, 0] : !llvm.struct<(ptr, ptr, i64, array<1 x i64>, array<1 x i64>)>
      llvm.call @f(%host, %0, %1, %2, %3, %4) : (!llvm.ptr, !llvm.ptr, !llvm.ptr, i64, i64, i64) -> ()
      %ok = llvm.mlir.constant(0 : i32) : i32
      llvm.return %ok : i32
    }
    ```
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::scf::SCFDialect",
                           "::mlir::cf::ControlFlowDialect",
                           "::mlir::memref::MemRefDialect",
                           "::mlir::vector::VectorDialect"];
}

#endif // ATTN_CODEGEN_CPU_PASSES_TD
