//===- Passes.td - Passes that all GPU targets share -------*- tablegen -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_GPU_PASSES_TD
#define ATTN_CODEGEN_GPU_PASSES_TD

include "mlir/Pass/PassBase.td"

def GpuMoveFactors : Pass<"attn-gpu-move-factors", "::mlir::func::FuncOp"> {
  let summary = "Let queries take the factors of features that keys have";
  let description = [{
    A number for each feature that multiplies the rows of the keys, and is the same for all
    keys, such as a learned gain, multiplies the rows of the queries instead: scores are sums
    over features of products. Queries are computed once for all keys. Keys with nothing
    left but a number for each key are operands of matrix instructions as they are in memory.

    Before: row maps are regions of `attn.attend` (`attn-fuse`). After: such factors are
    in the `query` region. Does nothing where operands do not have 16 bits, where rows have more
    than 128 features, where the factor depends on the head or the key, where the
    product has another use, such as a norm, and where rows are joined, which are multiplied part
    by part.

    Before and after:

    ```mlir
    func.func @f(%q: tensor<?x?x?x64xbf16>, %k: tensor<?x?x?x64xbf16>, %v: tensor<?x?x?x64xbf16>,
                 %gain: tensor<64xf32>) -> tensor<?x?x?x64xbf16> {
      %o = attn.attend %q, %k, %v
          key (%x: tensor<64xf32>, %b, %h, %j) {
            %y = arith.mulf %x, %gain : tensor<64xf32>
            attn.yield %y : tensor<64xf32>
          } : tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>
          -> tensor<?x?x?x64xbf16>
      return %o : tensor<?x?x?x64xbf16>
    }
    ```

    ```mlir
    func.func @f(%q: tensor<?x?x?x64xbf16>, %k: tensor<?x?x?x64xbf16>, %v: tensor<?x?x?x64xbf16>,
                 %gain: tensor<64xf32>) -> tensor<?x?x?x64xbf16> {
      %o = attn.attend %q, %k, %v
          query (%x: tensor<64xf32>, %b, %h, %i) {
            %y = arith.mulf %x, %gain : tensor<64xf32>
            attn.yield %y : tensor<64xf32>
          }
          key (%x: tensor<64xf32>, %b, %h, %j) {
            attn.yield %x : tensor<64xf32>
          } : tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>
          -> tensor<?x?x?x64xbf16>
      return %o : tensor<?x?x?x64xbf16>
    }
    ```
  }];
}

def GpuSelectSchedule : Pass<"attn-gpu-select-schedule", "::mlir::func::FuncOp"> {
  let summary = "Choose block sizes for a GPU";
  let description = [{
    Gives every `attn.attend`, `attn.map_rows`, `attn.merge` and `attn.recur` the largest blocks
    of which two, else one, fit into the shared memory of a multiprocessor and
    whose accumulators fit into registers. Where little is computed for a pair beside its
    products by matrix instructions, up to 64 features get 128 queries, and 128 features 128 keys
    if three such blocks fit. Few queries get small blocks and
    splits. A schedule that the op has, or that the option asks for, is kept; what it leaves open
    of `attn.recur` has room for its `splits` and `stages`.
    `attn.recur` gets chunks of 16 tokens, 32 where its gate is not per channel, or 64 by matrix
    instructions, and up to 64 columns of the state per block, or all that its regions need.

    Before: attn ops. After: each has a `schedule`. Reports f64 and, of a schedule that was asked
    for, sizes that are not multiples of 16, the rows of threads, blocks without room in
    shared memory or registers, `warps`, `stages` and `overlap` without matrix instructions, and
    keys that an op does not have.

    Example (afterwards `schedule(<block_q = 64, block_k = 64>)`):

    ```mlir
    func.func @f(%q: tensor<?x?x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x64xf32>)
        -> tensor<?x?x?x64xf32> {
      %o = attn.attend %q, %k, %v scale(0.125)
         : tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32> -> tensor<?x?x?x64xf32>
      return %o : tensor<?x?x?x64xf32>
    }
    ```
  }];
  let options = [
    Option<"schedule", "schedule", "std::string", /*default=*/"",
           "sizes to use, 'block_q=64,block_k=32'; what is not named is chosen">,
    Option<"sharedBytes", "shared-bytes", "int64_t", /*default=*/"101376",
           "shared memory that a block may have">,
    Option<"threads", "threads", "int64_t", /*default=*/"128",
           "threads of a block">];
}

def GpuMapBlocks : Pass<"attn-gpu-map-blocks", "::mlir::ModuleOp"> {
  let summary = "Make each loop over independent blocks a kernel";
  let description = [{
    Every outermost `scf.forall` becomes a kernel `FUNCTION_0`, `FUNCTION_1`, ... of
    the `gpu.module` `kernels`, and a launch with as many thread blocks, along x, as
    the loop has iterations. The last index runs backwards where a loop in the body ends
    later for later indices, and none begins later: long blocks are started first. Where
    blocks have no tiles and are marked `tile.scalar_blocks`, or write elements of a view
    that they read (`tile.write`, `tile.gather`), each thread does one; the kernel is
    marked `tile.block_per_thread`. `tile.warps` of the loop says how many warps a block has;
    `tile.stages`, `tile.overlap` and `tile.resident` are handed on to the kernel. Trip counts may be dynamic. The kernel takes what the
    body used; constants are copied into it. A launch of an empty grid does
    nothing. Parameters that the function allocates are marked `tile.alignment = 16`:
    of those of callers nothing is known. Ops on tiles outside of any loop, which are left where a loop over a
    single block was folded away, become a kernel of one block.

    Before: `scf.forall` without results that count from 0 in steps of 1. After: no
    `scf.forall` outside of kernels. Those of a `gpu.module` stay. Reports other ones, and those that are
    not in a `func.func`.

    Before and after:

    ```mlir
    func.func @f(%x: memref<?xf32>, %n: index) {
      scf.forall (%i) in (%n) {
        %v = arith.constant 1.0 : f32
        memref.store %v, %x[%i] : memref<?xf32>
      }
      return
    }
    ```

    ```mlir
    module attributes {gpu.container_module} {
      func.func @f(%x: memref<?xf32>, %n: index) {
        %c1 = arith.constant 1 : index
        %c128 = arith.constant 128 : index
        gpu.launch_func @kernels::@f_0 blocks in (%n, %c1, %c1) threads in (%c128, %c1, %c1)
          args(%n : index, %x : memref<?xf32>)
        return
      }
      gpu.module @kernels {
        gpu.func @f_0(%n: index, %x: memref<?xf32>) kernel
            attributes {known_block_size = array<i32: 128, 1, 1>} {
          %i = gpu.block_id x
          %v = arith.constant 1.0 : f32
          memref.store %v, %x[%i] : memref<?xf32>
          gpu.return
        }
      }
    }
    ```
  }];
  let options = [Option<"threads", "threads", "int64_t", /*default=*/"128",
                        "threads of a block">];
  let dependentDialects = ["::mlir::gpu::GPUDialect", "::mlir::arith::ArithDialect",
                           "::mlir::scf::SCFDialect"];
}

def GpuSliceProducts : Pass<"attn-gpu-slice-products", "::mlir::gpu::GPUModuleOp"> {
  let summary = "Cut products whose right operand is large into slices";
  let description = [{
    The right operand of a product must lie in shared memory. One that would have
    more than the given number of bytes is cut into slices, which can have the
    same place one after the other: a transposed one along its columns, so that
    products are added up; a plain one along its columns, so that results are
    joined, at most 128 of them, and along its rows if that is not enough. A slice of a load is a load of
    the slice, unless the kernel stores to its view. The left operand is cut where it is defined.

    Before: kernels with tiles without layouts. After: no right operand has more than
    the given bytes, but for those with one slice of 32 columns that has more and
    cannot be read in rows, such as that of a transposed left operand. Does nothing where all fit,
    and with products both of whose operands are transposed.

    Example, with `bytes=8192` (afterwards two products of 32 features each, of a
    `tile.load` and a `tile.slice` of `%q` each, and an `arith.addf`):

    ```mlir
    gpu.module @kernels {
      gpu.func @f(%k: memref<?x64xf32>, %q: tensor<16x64xf32>, %zero: tensor<16x64xf32>,
                  %j: index) kernel {
        %c0 = arith.constant 0 : index
        %t = tile.load %k[%j, %c0] : memref<?x64xf32> -> tensor<64x64xf32>
        %s = tile.dot %q, %t, %zero transpose_rhs
           : tensor<16x64xf32>, tensor<64x64xf32> -> tensor<16x64xf32>
        gpu.return
      }
    }
    ```
  }];
  let options = [Option<"bytes", "bytes", "int64_t", /*default=*/"32768",
                        "bytes of shared memory that a right operand may have">];
  let dependentDialects = ["::attn::tile::TileDialect", "::mlir::arith::ArithDialect"];
}

def GpuSliceStores : Pass<"attn-gpu-slice-stores", "::mlir::gpu::GPUModuleOp"> {
  let summary = "Compute wide tiles of elementwise kernels some columns at a time";
  let description = [{
    In kernels without loops, products, reductions and scans, replaces a store of more than
    the given number of columns by stores of slices, each behind the loads and ops
    that it needs: merging partial results of wide rows would need all of them in
    registers at once.

    Before: kernels with tiles without layouts. After: no such store is wider. Does
    nothing in other kernels.

    Example (afterwards two loads, additions and stores of 128 columns):

    ```mlir
    gpu.module @kernels {
      gpu.func @f(%x: memref<?x256xf32>, %y: memref<?x256xf32>, %i: index) kernel {
        %c0 = arith.constant 0 : index
        %t = tile.load %x[%i, %c0] : memref<?x256xf32> -> tensor<16x256xf32>
        %d = arith.addf %t, %t : tensor<16x256xf32>
        tile.store %d, %y[%i, %c0] : tensor<16x256xf32>, memref<?x256xf32>
        gpu.return
      }
    }
    ```
  }];
  let options = [Option<"columns", "columns", "int64_t", /*default=*/"128",
                        "columns of a store">];
  let dependentDialects = ["::attn::tile::TileDialect", "::mlir::arith::ArithDialect"];
}

def GpuShareColumns : Pass<"attn-gpu-share-columns", "::mlir::gpu::GPUModuleOp"> {
  let summary = "Put what is combined along columns into shared memory";
  let description = [{
    Rows are dealt out over all threads of a block. Operands of `tile.scan` and
    `tile.decay_dot`, and those of `tile.reduce` along 0, get a `tile.convert_layout`
    to shared memory behind their definition, once for all of their readers. Rows of
    a single number that is the same everywhere stay as they are, and so do rows of 16 bits, which are
    operands of products. A `tile.reduce`
    along 0 of a vector that was broadcast along 1 becomes one along 1, of the vector
    broadcast along 0. Beside products of 16 bits, scans of 64 rows and more leave their
    results in shared memory, what they read is loaded there directly, and a `tile.convert_layout`
    brings both back.

    Before: kernels with tiles without layouts. After: no such operand is without a
    layout. Does nothing in other kernels.

    Example (afterwards `%t` is converted to `tensor<16x64xf32, #tile.shared<row = 72,
    swizzle = false>>`, once, and both ops read that):

    ```mlir
    gpu.module @kernels {
      gpu.func @f(%x: memref<?x64xf32>, %one: tensor<64xf32>) kernel {
        %c0 = arith.constant 0 : index
        %t = tile.load %x[%c0, %c0] : memref<?x64xf32> -> tensor<16x64xf32>
        %before = tile.scan mul %t exclusive : tensor<16x64xf32>
        %all = tile.reduce mul %t, %one along 0 : tensor<16x64xf32> -> tensor<64xf32>
        gpu.return
      }
    }
    ```
  }];
  let dependentDialects = ["::attn::tile::TileDialect"];
}

def GpuAssignLayouts : Pass<"attn-gpu-assign-layouts", "::mlir::gpu::GPUModuleOp"> {
  let summary = "Decide where the elements of each tile live";
  let description = [{
    Gives every tile of a kernel an encoding: `#tile.registers`, for vectors
    `#tile.slice`, and for operands of products `#tile.shared`. A load that only
    feeds products goes to shared memory directly; other operands of products get a
    `tile.convert_layout` behind their definition. Left operands of 16 bits and tf32 stay in
    registers, which are `paired` in the whole kernel, unless they are transposed, are loaded in
    each iteration of a loop, or are there before the loop (queries) and have more than one band
    of 16 rows per warp, or more than 128 columns together. In loops that update a
    state by products of 16 bits, loads of 16 bits go to shared memory, and come back by a
    `tile.convert_layout` for other readers than products. A result whose threads own several
    neighbouring columns gets one in front of its store, to one column at a time, unless the rows of
    the view are known to be aligned (`tile.alignment`), or pairs of 16 bits will be stored:
    in a loop, to a parameter, at even columns that are known to lie in it. Loads that accumulators
    start from, or that are added to, get the converse. `docs/rationale/gpu.md` tells how layouts
    are chosen.

    Before: the ops of tile programs, `known_block_size` a multiple of 128. After: no
    tile without encoding. Reports tiles whose columns cannot be cut where a slice
    asks for, vectors that are used along rows and along columns, constants of several numbers, and
    kernels with products of 16 bits or tf32 and of 32 bits.

    Example (afterwards `%x` has the type
    `tensor<16x64xf32, #tile.registers<rows = 16, columns = 8, vector = 1>>`):

    ```mlir
    gpu.module @kernels {
      gpu.func @f(%x: memref<?x64xf32>, %y: memref<?x64xf32>) kernel
          attributes {known_block_size = array<i32: 128, 1, 1>} {
        %c0 = arith.constant 0 : index
        %t = tile.load %x[%c0, %c0] : memref<?x64xf32> -> tensor<16x64xf32>
        %d = arith.addf %t, %t : tensor<16x64xf32>
        tile.store %d, %y[%c0, %c0] : tensor<16x64xf32>, memref<?x64xf32>
        gpu.return
      }
    }
    ```
  }];
  let dependentDialects = ["::attn::tile::TileDialect"];
}

def GpuOverlapProducts
    : Pass<"attn-gpu-overlap-products", "::mlir::gpu::GPUModuleOp"> {
  let summary = "Compute weights of the next keys beside the products of these";
  let description = [{
    In a kernel with `tile.overlap`, rotates each loop with a product that another one
    depends on: an iteration computes the first products (scores) of the next iteration
    and all that is computed from them alone (weights), and the products with them
    (sums) of its own. What the latter read of the former, the loop carries. What the
    first iteration needs stands in front of the loop, the last sums behind, and a loop
    of one iteration or none around it all, as there may be no block of keys.

    Before: layouts are assigned, copies are not begun early. After: the loop around has
    `tile.once`, the kernel no `tile.overlap`; every number is computed by the same ops in
    the same order. Does nothing in loops without such products. Reports loops that need
    the sums of one iteration for the weights of the next, weights in shared memory, tiles of 16 bits
    that are carried and are no left operands, ops that store or have regions, and loops that count in
    something else than `index`.

    Example (afterwards the loop carries `%w`, its body has the first product of the
    next iteration, and the second one of its own; both stand around it once more):

    ```mlir
    gpu.module @kernels {
      gpu.func @f(%x: memref<?x64xbf16>, %n: index,
                  %q: tensor<64x64xbf16, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>,
                  %z: tensor<64x64xf32, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>) kernel
          attributes {tile.overlap} {
        %c0 = arith.constant 0 : index
        %c64 = arith.constant 64 : index
        %s = scf.for %i = %c0 to %n step %c64 iter_args(%a = %z)
            -> (tensor<64x64xf32, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>) {
          %k = tile.load %x[%i, %c0] : memref<?x64xbf16>
            -> tensor<64x64xbf16, #tile.shared<row = 64, swizzle = true>>
          %d = tile.dot %q, %k, %z transpose_rhs
             : tensor<64x64xbf16, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>,
               tensor<64x64xbf16, #tile.shared<row = 64, swizzle = true>>
            -> tensor<64x64xf32, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>
          %w = arith.truncf %d
             : tensor<64x64xf32, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>
            to tensor<64x64xbf16, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>
          %v = tile.load %x[%i, %c0] : memref<?x64xbf16>
            -> tensor<64x64xbf16, #tile.shared<row = 64, swizzle = true>>
          %e = tile.dot %w, %v, %a
             : tensor<64x64xbf16, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>,
               tensor<64x64xbf16, #tile.shared<row = 64, swizzle = true>>
            -> tensor<64x64xf32, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>
          scf.yield %e : tensor<64x64xf32, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>
        }
        gpu.return
      }
    }
    ```
  }];
  let dependentDialects = ["::attn::tile::TileDialect", "::mlir::arith::ArithDialect"];
}

def GpuPipelineCopies
    : Pass<"attn-gpu-pipeline-copies", "::mlir::gpu::GPUModuleOp"> {
  let summary = "Copy the next tiles to shared memory while computing";
  let description = [{
    In a loop that loads tiles of 16 bits, or for products of tf32, to shared memory, the loads that the
    first product and those of its kind read (keys) begin an iteration earlier and are
    carried by the loop, the others (values) begin with the iteration; all do if the first
    product reads none. `tile.await` and a barrier stand where they are read. Loads of the
    first iteration stand in front of the loop. `when` keeps those of iterations that do
    not come from being copied.

    In a kernel with `tile.stages` of S, all loads begin S - 1 iterations earlier, into
    rings of S places. In a loop with `tile.once`, loads begin at its start.

    Before: layouts are assigned. After: such loads are `async`. Does nothing in loops with
    a load of which the offsets need more than the iteration, or that an inner loop reads, and in those
    with barriers. Without `tile.stages` it does
    nothing in loops that store, or with a load that others than products read; with it,
    nothing in loops that store to what they load.

    Example (afterwards the loop carries a tile, and its body is `tile.await`, a barrier,
    the product, and the load of the next iteration):

    ```mlir
    gpu.module @kernels {
      gpu.func @f(%x: memref<?x64xbf16>, %n: index,
                  %q: tensor<64x64xbf16, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>,
                  %z: tensor<64x64xf32, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>) kernel {
        %c0 = arith.constant 0 : index
        %c64 = arith.constant 64 : index
        %s = scf.for %i = %c0 to %n step %c64 iter_args(%a = %z)
            -> (tensor<64x64xf32, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>) {
          %k = tile.load %x[%i, %c0] : memref<?x64xbf16>
            -> tensor<64x64xbf16, #tile.shared<row = 64, swizzle = true>>
          %d = tile.dot %q, %k, %a transpose_rhs
             : tensor<64x64xbf16, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>,
               tensor<64x64xbf16, #tile.shared<row = 64, swizzle = true>>
            -> tensor<64x64xf32, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>
          scf.yield %d : tensor<64x64xf32, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>
        }
        gpu.return
      }
    }
    ```
  }];
  let dependentDialects = ["::attn::tile::TileDialect", "::mlir::arith::ArithDialect"];
}

def GpuAllocateShared : Pass<"attn-gpu-allocate-shared", "::mlir::gpu::GPUModuleOp"> {
  let summary = "Give tiles in shared memory their places";
  let description = [{
    Every op that makes a tile with the encoding `#tile.shared` gets
    `tile.shared_offset`, every kernel `tile.shared_bytes`. Tiles lie side by side if
    all of them fit into the budget, else those share a place that never live at
    the same time.

    Before: layouts are assigned. After: offsets are multiples of 128 bytes. Reports
    kernels that need more than the limit, and parameters in shared memory.

    Example (afterwards the load has `{tile.shared_offset = 0 : i64}`):

    ```mlir
    gpu.module @kernels {
      gpu.func @f(%x: memref<?x64xf32>) kernel {
        %c0 = arith.constant 0 : index
        %t = tile.load %x[%c0, %c0]
           : memref<?x64xf32> -> tensor<16x64xf32, #tile.shared<row = 64, swizzle = true>>
        gpu.return
      }
    }
    ```
  }];
  let options = [
    Option<"limit", "limit", "int64_t", /*default=*/"101376",
           "bytes that a block may have">,
    Option<"budget", "budget", "int64_t", /*default=*/"49152",
           "bytes up to which tiles get places of their own">];
}

def GpuInsertBarriers : Pass<"attn-gpu-insert-barriers", "::mlir::gpu::GPUModuleOp"> {
  let summary = "Put barriers between accesses to shared memory";
  let description = [{
    Puts a `tile.barrier` in front of every op that reads shared memory which
    another thread may have written since the last barrier, or writes what another
    may still read. A barrier of the warp where only the rows of a warp are meant. Stores to
    a view of global memory and loads from it, or from parts of the same one, are kept in order as
    well. In kernels that update a state by products of 16 bits, the barrier of tiles that are stored
    one after the other stands in front of the first.

    Before: tiles in shared memory have places. After: accesses to the same bytes, one
    of them a write, have a barrier between them. Reports control flow other than
    `scf.for`, and tiles in shared memory without places.

    Example (afterwards `tile.barrier warp` stands in front of the product for `%a`,
    and `tile.barrier block` for `%b`, so the latter):

    ```mlir
    gpu.module @kernels {
      gpu.func @f(%x: memref<?x64xf32>,
                  %p: tensor<16x64xf32, #tile.registers<rows = 16, columns = 8, vector = 1>>,
                  %z: tensor<16x64xf32, #tile.registers<rows = 16, columns = 8, vector = 4>>) kernel {
        %c0 = arith.constant 0 : index
        %a = tile.convert_layout %p {tile.shared_offset = 0 : i64}
           : tensor<16x64xf32, #tile.registers<rows = 16, columns = 8, vector = 1>>
          -> tensor<16x64xf32, #tile.shared<row = 64, swizzle = true>>
        %b = tile.load %x[%c0, %c0] {tile.shared_offset = 4096 : i64}
           : memref<?x64xf32> -> tensor<64x64xf32, #tile.shared<row = 64, swizzle = false>>
        %d = tile.dot %a, %b, %z
           : tensor<16x64xf32, #tile.shared<row = 64, swizzle = true>>,
             tensor<64x64xf32, #tile.shared<row = 64, swizzle = false>>
          -> tensor<16x64xf32, #tile.registers<rows = 16, columns = 8, vector = 4>>
        gpu.return
      }
    }
    ```
  }];
  let dependentDialects = ["::attn::tile::TileDialect"];
}

def GpuDistribute : Pass<"attn-gpu-distribute", "::mlir::gpu::GPUModuleOp"> {
  let summary = "Replace tiles by the code of one thread";
  let description = [{
    Tiles in registers become the scalars that the thread owns, tiles in shared
    memory memrefs in the workgroup's address space. Loads and stores are guarded
    where a view may end; products are loops over their depth with `math.fma`, those of
    16 bits sequences of `nvvm.mma.sync`, whose right operands `nvgpu.ldmatrix` reads and
    asynchronous copies of 16 bytes bring where the rows of a view are aligned;
    reductions are butterflies of `gpu.shuffle` among the lanes that share a row,
    conversions between layouts in registers are shuffles among the same lanes. Rows
    of a view that are known to be aligned are stored as many columns at a time as a thread has, results of
    16 bits in loops two at a time if the view turns out to be aligned.

    Before: layouts, places and barriers. After: no tensor, and of the tile dialect
    only `tile.barrier warp`. Reports conversions in registers to other than one
    column at a time of the same threads, products whose operands or result are not where threads
    or matrix instructions have them, tiles of 16 bits that a loop carries and that are no left
    operands, and indices of rows that are not computed by elementwise ops.

    Example (afterwards eight stores, of elements `tid mod 8 + 8 j` of row `tid / 8`):

    ```mlir
    gpu.module @kernels {
      gpu.func @f(%x: memref<16x64xf32>) kernel
          attributes {known_block_size = array<i32: 128, 1, 1>} {
        %c0 = arith.constant 0 : index
        %t = arith.constant dense<1.0> : tensor<16x64xf32, #tile.registers<rows = 16, columns = 8, vector = 1>>
        tile.store %t, %x[%c0, %c0]
          : tensor<16x64xf32, #tile.registers<rows = 16, columns = 8, vector = 1>>, memref<16x64xf32>
        gpu.return
      }
    }
    ```
  }];
  let dependentDialects = ["::mlir::gpu::GPUDialect", "::mlir::arith::ArithDialect",
                           "::mlir::math::MathDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect",
                           "::mlir::LLVM::LLVMDialect", "::mlir::NVVM::NVVMDialect",
                           "::mlir::nvgpu::NVGPUDialect", "::attn::tile::TileDialect"];
}

def GpuNarrowPositions : Pass<"attn-gpu-narrow-positions", "::mlir::gpu::GPUModuleOp"> {
  let summary = "Use positions by their distance: compares, clamps, conversions";
  let description = [{
    Eight or more ops of one kind in a block that use differences of the same two positions, each
    plus a constant of its own, use the distance of these positions, which is computed once:

    - Signed compares, of positions or of their difference with a constant, become compares of the
      distance in 32 bits with constants.
    - `min` and `max` with constants on both sides become those of the distance in 32 bits.
    - Conversions to f32 become one, in 64 bits, to which the constants are added. Where the
      distance is beyond 2^24 it is rounded twice so.

    Where the distance does not fit into 32 bits it becomes 2^30 or -2^30 - 1; constants are
    below 2^29. Positions are computed from thread and block
    numbers, loops, sizes and indices of 32 bits, which are never so large that a difference
    wraps around. Compares without a sign stay, as do numbers of 64 bits from memory.

    Before: scalars. After: scalars. Does nothing elsewhere.

    Example (of eight such compares; afterwards `arith.cmpi sge, %d, %c-7 : i32` with one
    distance `%d` of `%i` and `%j`):

    ```mlir
    gpu.module @kernels {
      gpu.func @f(%i: index, %j: index, %out: memref<i1>) kernel {
        %c7 = arith.constant 7 : index
        %row = arith.addi %i, %c7 : index
        %keep = arith.cmpi sge, %row, %j : index
        memref.store %keep, %out[] : memref<i1>
        gpu.return
      }
    }
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

def GpuExpandMath : Pass<"attn-gpu-expand-math", "::mlir::gpu::GPUModuleOp"> {
  let summary = "Lower math functions without a library of the device";
  let description = [{
    Exponentials, logarithms and tanh become the polynomials of `docs/math.md`, which
    are accurate to two units in the last place, and not the approximations of the
    hardware, which are not. Functions that are instructions stay.

    Before: math on scalars. After: of `math` only what the hardware has. Reports other
    functions by name.

    Example (afterwards arithmetic):

    ```mlir
    gpu.module @kernels {
      gpu.func @f(%x: memref<f32>) kernel {
        %v = memref.load %x[] : memref<f32>
        %e = math.exp2 %v : f32
        memref.store %e, %x[] : memref<f32>
        gpu.return
      }
    }
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect",
                           "::mlir::vector::VectorDialect"];
}

#endif // ATTN_CODEGEN_GPU_PASSES_TD
