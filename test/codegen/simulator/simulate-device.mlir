// RUN: attn-opt %s --split-input-file --attn-simulate-device | FileCheck %s

// Registers are read from the context; accesses go through a call that knows their
// size, alignment and name; promises that the optimizer would believe are gone.
// CHECK: module attributes {attn.shared_dynamic = 0 : i64, attn.shared_names = [], attn.shared_ranges = array<i64>}
// CHECK: llvm.func @attn_simulated_copy(%[[CONTEXT:.*]]: !llvm.ptr, %[[ARGS:.*]]: !llvm.ptr)
// CHECK: %[[P0:.*]] = llvm.load %{{.*}} : !llvm.ptr -> !llvm.ptr
// CHECK: %[[X:.*]] = llvm.load %[[P0]] : !llvm.ptr -> !llvm.ptr
// CHECK: %[[P1:.*]] = llvm.load %{{.*}} : !llvm.ptr -> !llvm.ptr
// CHECK: %[[N:.*]] = llvm.load %[[P1]] : !llvm.ptr -> i32
// CHECK: llvm.call @copy(%[[CONTEXT]], %[[X]], %[[N]]) {attn.block_size = array<i32: 64, 1, 1>, attn.kernel_types = [!llvm.ptr, i32]}
// CHECK: llvm.func internal @copy(%[[CONTEXT:.*]]: !llvm.ptr, %[[X:.*]]: !llvm.ptr, %[[N:.*]]: i32) {
// CHECK: %[[T_AT:.*]] = llvm.getelementptr %[[CONTEXT]][24]
// CHECK: %[[T:.*]] = llvm.load %[[T_AT]] : !llvm.ptr -> i32
// CHECK: %[[P:.*]] = llvm.getelementptr %[[X]][%[[T]]] : (!llvm.ptr, i32) -> !llvm.ptr, f32
// CHECK: %[[Q:.*]] = llvm.call %{{.*}}(%[[CONTEXT]], %{{.*}}, %[[P]]) {attn.site = 0 : i32, attn.site_align = 4 : i32, attn.site_bytes = 4 : i32, attn.site_kind = "load", attn.site_mode = "load", attn.site_op = "llvm.load"}
// CHECK: llvm.load %[[Q]] : !llvm.ptr -> f32
// CHECK: attn.site_bytes = 16 : i32, attn.site_kind = "store"
// CHECK-NOT: gpu.module
gpu.module @m {
  llvm.func @copy(%x: !llvm.ptr<1> {llvm.noalias}, %n: i32) attributes {nvvm.kernel, nvvm.reqntid = array<i32: 64>} {
    %t = nvvm.read.ptx.sreg.tid.x range <i32, 0, 64> : i32
    %p = llvm.getelementptr inbounds %x[%t] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, f32
    %v = llvm.load %p invariant : !llvm.ptr<1> -> f32
    %u = llvm.mlir.undef : vector<4xf32>
    %c0 = llvm.mlir.constant(0 : i32) : i32
    %w = llvm.insertelement %v, %u[%c0 : i32] : vector<4xf32>
    llvm.store %w, %x : vector<4xf32>, !llvm.ptr<1>
    llvm.return
  }
}

// -----

// Shared memory: variables in order, with gaps; what has no size is what a launch
// adds. Two kernels and a function of theirs, which needs the context too.
// CHECK: module attributes {attn.shared_dynamic = 512 : i64, attn.shared_names = ["a", "b"], attn.shared_ranges = array<i64: 0, 12, 144, 128>}
// CHECK: llvm.func internal @get(%[[CONTEXT:.*]]: !llvm.ptr, %{{.*}}: i32) -> i32
// CHECK: %[[SHARED_AT:.*]] = llvm.getelementptr %[[CONTEXT]][8]
// CHECK: %[[SHARED:.*]] = llvm.load %[[SHARED_AT]] : !llvm.ptr -> !llvm.ptr
// CHECK: llvm.getelementptr %[[SHARED]][144]
// CHECK: llvm.func @attn_simulated_one
// CHECK: llvm.func internal @one(%[[CONTEXT:.*]]: !llvm.ptr)
// CHECK: llvm.call @get(%[[CONTEXT]], %{{.*}}) : (!llvm.ptr, i32) -> i32
// CHECK: llvm.getelementptr %{{.*}}[512]
// CHECK: llvm.func @attn_simulated_two
gpu.module @m {
  llvm.mlir.global internal @a() {addr_space = 3 : i32} : !llvm.array<3 x f32>
  llvm.mlir.global internal @b() {addr_space = 3 : i32, alignment = 16 : i64} : !llvm.array<32 x f32>
  llvm.mlir.global external @rest() {addr_space = 3 : i32} : !llvm.array<0 x i8>
  llvm.func @get(%i: i32) -> i32 {
    %b = llvm.mlir.addressof @b : !llvm.ptr<3>
    %p = llvm.getelementptr %b[%i] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i32
    %v = llvm.load %p : !llvm.ptr<3> -> i32
    llvm.return %v : i32
  }
  llvm.func @one() attributes {nvvm.kernel} {
    %c1 = llvm.mlir.constant(1 : i32) : i32
    %v = llvm.call @get(%c1) : (i32) -> i32
    %r = llvm.mlir.addressof @rest : !llvm.ptr<3>
    llvm.store %v, %r : i32, !llvm.ptr<3>
    llvm.return
  }
  llvm.func @two() attributes {nvvm.kernel} {
    llvm.return
  }
}

// -----

// Events carry their operands in slots. Loops can be ended; atomic accesses say
// how they order others.
// CHECK-LABEL: llvm.func internal @events
// CHECK: attn.site_kind = "loop", attn.site_loop = 1 : i32, attn.site_op = "llvm.br"
// CHECK: attn.site_kind = "shuffle", attn.site_loop = 1 : i32, attn.site_mode = "bfly", attn.site_op = "nvvm.shfl.sync"
// CHECK: attn.site_kind = "barrier", attn.site_loop = 1 : i32, attn.site_op = "nvvm.barrier0"
// CHECK: attn.site_bytes = 16 : i32, attn.site_kind = "copy_async", attn.site_loop = 1 : i32, attn.site_op = "nvvm.cp.async.shared.global"
// CHECK: attn.site_kind = "update", attn.site_loop = 1 : i32, attn.site_mode = "update.acq_rel", attn.site_op = "llvm.atomicrmw"
// CHECK: attn.site_kind = "update", attn.site_loop = 1 : i32, attn.site_mode = "load.monotonic", attn.site_op = "llvm.load"
gpu.module @m {
  llvm.func @events(%x: !llvm.ptr<1>, %s: !llvm.ptr<3>) attributes {nvvm.kernel} {
    %m = llvm.mlir.constant(-1 : i32) : i32
    %c1 = llvm.mlir.constant(1 : i32) : i32
    llvm.br ^loop
  ^loop:
    %w = nvvm.shfl.sync bfly %m, %c1, %c1, %m {return_value_and_is_valid} : i32 -> !llvm.struct<(i32, i1)>
    nvvm.barrier0
    nvvm.cp.async.shared.global %s, %x, 16, cache = ca : !llvm.ptr<3>, !llvm.ptr<1>
    %a = llvm.atomicrmw add %x, %c1 acq_rel : !llvm.ptr<1>, i32
    %f = llvm.load %x atomic monotonic {alignment = 4 : i64} : !llvm.ptr<1> -> i32
    llvm.br ^loop
  }
}

// -----

// Nothing to do.
// CHECK-LABEL: func.func @host
// CHECK-NEXT: return
func.func @host() {
  return
}

// -----

// Sites know the outermost loop that they are in, if there is one.
// CHECK-LABEL: llvm.func internal @loops
// CHECK: attn.site_kind = "load"
// CHECK-NOT: site_loop
// CHECK: attn.site_kind = "loop", attn.site_loop = 1 : i32
// CHECK: attn.site_kind = "loop", attn.site_loop = 1 : i32
// CHECK: attn.site_kind = "load", attn.site_loop = 1 : i32
// CHECK: attn.site_kind = "loop", attn.site_loop = 2 : i32
// CHECK: attn.site_kind = "store", attn.site_loop = 2 : i32
// CHECK: attn.site_kind = "barrier", attn.site_op
gpu.module @m {
  llvm.func @loops(%x: !llvm.ptr<1>, %c: i1) attributes {nvvm.kernel} {
    %v = llvm.load %x : !llvm.ptr<1> -> f32
    llvm.br ^outer
  ^outer:
    llvm.br ^inner
  ^inner:
    %w = llvm.load %x : !llvm.ptr<1> -> f32
    llvm.cond_br %c, ^inner, ^latch
  ^latch:
    llvm.cond_br %c, ^outer, ^second
  ^second:
    llvm.store %v, %x : f32, !llvm.ptr<1>
    llvm.cond_br %c, ^second, ^end
  ^end:
    nvvm.barrier0
    llvm.return
  }
}
