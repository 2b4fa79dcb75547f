//===- Passes.td - Passes of the simulator -----------------*- tablegen -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_SIMULATOR_PASSES_TD
#define ATTN_CODEGEN_SIMULATOR_PASSES_TD

include "mlir/Pass/PassBase.td"

def SimulateDevice : Pass<"attn-simulate-device", "::mlir::ModuleOp"> {
  let summary = "Turn GPU kernels into host code that runs one thread of them";
  let description = [{
    Replaces every `gpu.module` by host functions. A device function gets one
    more argument in front, the context of a thread (`codegen/simulator/Abi.h`).
    Arithmetic and control flow stay as they are. An access stays too, but its
    address first passes through a call of the simulator, which checks it. Special
    registers are read from the context. Barriers, shuffles, asynchronous copies
    and the like become calls whose operands and results travel in 64-bit slots.
    Each of these calls is a *site*: it has a number (`attn.site`), the name of the
    device op, its location, and the outermost loop that it is in (`attn.site_loop`). For each kernel `k` a function `attn_simulated_k`
    takes the context and an array of addresses of the arguments.

    Globals in address space 3 get places in shared memory, with gaps between
    them; the module's attributes `attn.shared_ranges` and `attn.shared_names` list
    place, size and name of each, and `attn.shared_dynamic` tells where dynamic
    shared memory starts. Numbers
    that are undefined get all bits set, a NaN. Promises from which LLVM would
    draw conclusions (`inbounds`, `noalias`, `invariant`, alias scopes) are removed.

    Before: `gpu.module`s with `llvm.func`s, of which kernels have `nvvm.kernel`,
    in the dialects `llvm` and `nvvm`. After: the dialect `llvm`, no pointer in
    another address space than 0. Reports, by name and place, each op that it does
    not know, inline assembly, calls of functions without a body, and accesses of
    more than 16 bytes. Changes nothing outside of `gpu.module`s.

    Before and after:

    ```mlir
    gpu.module @m {
      llvm.func @k(%x: !llvm.ptr<1>) attributes {nvvm.kernel} {
        %t = nvvm.read.ptx.sreg.tid.x : i32
        %p = llvm.getelementptr %x[%t] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, f32
        %v = llvm.load %p : !llvm.ptr<1> -> f32
        llvm.return
      }
    }
    ```

    ```mlir
    llvm.func @k(%thread: !llvm.ptr, %x: !llvm.ptr) {
      %a = llvm.getelementptr %thread[24] : (!llvm.ptr) -> !llvm.ptr, i8
      %t = llvm.load %a : !llvm.ptr -> i32
      %f = llvm.load %thread : !llvm.ptr -> !llvm.ptr
      %load = llvm.load %f : !llvm.ptr -> !llvm.ptr
      %p = llvm.getelementptr %x[%t] : (!llvm.ptr, i32) -> !llvm.ptr, f32
      %site = llvm.mlir.constant(0 : i32) : i32
      %q = llvm.call %load(%thread, %site, %p) {attn.site = 0 : i32, attn.site_kind = "load",
          attn.site_mode = "load", attn.site_op = "llvm.load", attn.site_bytes = 4 : i32, attn.site_align = 4 : i32}
          : !llvm.ptr, (!llvm.ptr, i32, !llvm.ptr) -> !llvm.ptr
      %v = llvm.load %q : !llvm.ptr -> f32
      llvm.return
    }
    ```
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

#endif // ATTN_CODEGEN_SIMULATOR_PASSES_TD
