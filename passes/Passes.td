//===- Passes.td - Passes over the attn and tile dialects --*- tablegen -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_PASSES_TD
#define ATTN_PASSES_PASSES_TD

include "mlir/Pass/PassBase.td"
include "passes/SparsityPasses.td"

def SetDtype : Pass<"attn-set-dtype", "::mlir::ModuleOp"> {
  let summary = "Rewrite a spec to another element type";
  let description = [{
    A spec is written once, in one element type. This pass changes the element
    type of the tensors that attn ops take and yield: the operands and results
    of `attn.attend`, `attn.map_rows` and `attn.recur` and the operand of
    `attn.reduce`, with the function arguments and results they come from. Tensors
    that regions capture keep their type, as do the log-sum-exp, the gates, factors
    and states of recurrences, the operands of row maps of which only these are
    made, and the results of `attn.reduce`, unless the
    accumulator type changes between f32 and f64: then every floating-point type
    that is the old accumulator type becomes the new one, regions and constants
    included.

    Before: a function of attn ops. After: the same function over the new type.
    Does nothing where the type is the one asked for already. Reports an error
    if `dtype` is not f64, f32, f16 or bf16.

    Before, and after `--attn-set-dtype=dtype=bf16`:

    ```mlir
    func.func @f(%q: tensor<1x1x?x8xf32>, %k: tensor<1x1x?x8xf32>) -> tensor<1x1x?x8xf32> {
      %o = attn.attend %q, %k, %k : tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32> -> tensor<1x1x?x8xf32>
      return %o : tensor<1x1x?x8xf32>
    }
    ```

    ```mlir
    func.func @f(%q: tensor<1x1x?x8xbf16>, %k: tensor<1x1x?x8xbf16>) -> tensor<1x1x?x8xbf16> {
      %o = attn.attend %q, %k, %k : tensor<1x1x?x8xbf16>, tensor<1x1x?x8xbf16>, tensor<1x1x?x8xbf16> -> tensor<1x1x?x8xbf16>
      return %o : tensor<1x1x?x8xbf16>
    }
    ```
  }];
  let options = [Option<"dtype", "dtype", "std::string", /*default=*/"\"f32\"",
                        "f64, f32, f16 or bf16">];
}

def LowerToReference : Pass<"attn-lower-to-reference", "::mlir::ModuleOp"> {
  let summary = "The executable definition: naive loop nests";
  let description = [{
    Replaces every attn and tile op by plain loops over scalars, written to be
    read, not to be fast. Everything the compiler produces is compared with what
    this pass produces.

    With `precision=f64`, the definition, every floating-point type of the
    function becomes f64 first, its arguments and results included, so the
    result is the meaning of the spec over (nearly) real numbers. With
    `precision=spec` types stay, and the result is the naive evaluation in the
    precision of the spec, to whose error that of a kernel is compared.

    Runs on any form between a spec and a tile program, and on mixtures.

    Before: attn and tile ops. After: func, scf, arith, math, tensor, linalg and
    memref only. Fails if a function holds an op it does not know.

    Before (after it, three nested `scf.for` compute the row sums):

    ```mlir
    func.func @f(%q: tensor<1x1x?x8xf32>, %k: tensor<1x1x?x8xf32>) -> tensor<1x1x?x8xf32> {
      %o = attn.attend %q, %k, %k : tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32> -> tensor<1x1x?x8xf32>
      return %o : tensor<1x1x?x8xf32>
    }
    ```
  }];
  let options = [Option<"precision", "precision", "std::string", /*default=*/"\"f64\"",
                        "f64 (the definition) or spec (naive, in the types of the spec)">];
  let dependentDialects = ["::mlir::scf::SCFDialect", "::mlir::arith::ArithDialect",
                           "::mlir::math::MathDialect", "::mlir::tensor::TensorDialect",
                           "::mlir::linalg::LinalgDialect", "::mlir::memref::MemRefDialect"];
}

def ExpandSegments : Pass<"attn-expand-segments", "::mlir::func::FuncOp"> {
  let summary = "Rewrite packed sequences to a mask";
  let description = [{
    An `attn.attend` with `segments` becomes one without: `attn.segment_bounds` finds,
    for each query, where the keys and the queries of its sequence lie, and its mask
    keeps only those keys. Regions compute the positions in the sequence from those in
    the packed tensor, and the number of the sequence stands for the batch. The
    alignment becomes `start`.

    Nothing but the tables of `attn.segment_bounds` is kept, a few integers for each
    query; what they say of ranges of keys, `attn-infer-sparsity` finds. After it no op has
    `segments`. It does nothing where none did.

    Before and after:

    ```mlir
    func.func @f(%q: tensor<1x4x?x8xf32>, %o: tensor<?xi32>) -> tensor<1x4x?x8xf32> {
      %out = attn.attend %q, %q, %q segments(%o : tensor<?xi32>)
          : tensor<1x4x?x8xf32>, tensor<1x4x?x8xf32>, tensor<1x4x?x8xf32> -> tensor<1x4x?x8xf32>
      return %out : tensor<1x4x?x8xf32>
    }
    ```

    ```mlir
    func.func @f(%q: tensor<1x4x?x8xf32>, %o: tensor<?xi32>) -> tensor<1x4x?x8xf32> {
      %rows = arith.constant 2 : index
      %n = tensor.dim %q, %rows : tensor<1x4x?x8xf32>
      %number, %begin, %end = attn.segment_bounds %o, %o tokens(%n) limit(%n)
          : tensor<?xi32>, tensor<?xi32> -> tensor<?xi32>
      %out = attn.attend %q, %q, %q alignment(start) mask (%b, %h, %i, %j) {
        %from = tensor.extract %begin[%i] : tensor<?xi32>
        %first = arith.index_cast %from : i32 to index
        %behind = arith.cmpi sge, %j, %first : index
        %to = tensor.extract %end[%i] : tensor<?xi32>
        %last = arith.index_cast %to : i32 to index
        %before = arith.cmpi slt, %j, %last : index
        %keep = arith.andi %behind, %before : i1
        attn.yield %keep : i1
      } : tensor<1x4x?x8xf32>, tensor<1x4x?x8xf32>, tensor<1x4x?x8xf32> -> tensor<1x4x?x8xf32>
      return %out : tensor<1x4x?x8xf32>
    }
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::tensor::TensorDialect"];
}

def Decompose : Pass<"attn-decompose", "::mlir::func::FuncOp"> {
  let summary = "Rewrite mixed heads and gathered rows to other ops";
  let description = [{
    An `attn.attend` with `mix_scores` or `mix_weights` becomes one without:

    - a sum over heads of products is one product of longer rows, so the region
      `query` yields the queries of all heads, each times its share, and `key` the
      keys of all heads side by side;
    - a sum over heads of weights is a sum over heads of outputs, so `value` yields
      the values of all heads side by side, and an `attn.map_rows` adds the parts of
      the outputs that belong to the head, each times its share. Between the two, outputs
      have the accumulator type: they are rounded once.

    Nothing is kept for all pairs, but each head works on the features of all `Hk`
    key heads: both products cost `Hk` times as much. Row regions that were there
    are evaluated for each head; other regions stay as they are.

    An `attn.gather` becomes an `attn.map_rows` that reads its rows as a capture.
    It maps rows of one feature with any contents: only their number matters.

    After it no op mixes heads or gathers. It does nothing where none did.

    Before and after:

    ```mlir
    func.func @f(%x: tensor<1x2x?x8xf32>, %w: tensor<2x2xf32>) -> tensor<1x2x?x8xf32> {
      %o = attn.attend %x, %x, %x mix_scores(%w : tensor<2x2xf32>) : tensor<1x2x?x8xf32>, tensor<1x2x?x8xf32>, tensor<1x2x?x8xf32> -> tensor<1x2x?x8xf32>
      return %o : tensor<1x2x?x8xf32>
    }
    ```

    ```mlir
    func.func @f(%x: tensor<1x2x?x8xf32>, %w: tensor<2x2xf32>) -> tensor<1x2x?x8xf32> {
      %o = attn.attend %x, %x, %x scale(0.35355339059327373)
        query (%r: tensor<8xf32>, %b, %h, %n) {
          %c0 = arith.constant 0 : index
          %c1 = arith.constant 1 : index
          %x0 = tensor.extract_slice %x[%b, 0, %n, 0] [1, 1, 1, 8] [1, 1, 1, 1] : tensor<1x2x?x8xf32> to tensor<8xf32>
          %w0 = tensor.extract %w[%c0, %h] : tensor<2x2xf32>
          %s0 = tensor.splat %w0 : tensor<8xf32>
          %q0 = arith.mulf %x0, %s0 : tensor<8xf32>
          %x1 = tensor.extract_slice %x[%b, 1, %n, 0] [1, 1, 1, 8] [1, 1, 1, 1] : tensor<1x2x?x8xf32> to tensor<8xf32>
          %w1 = tensor.extract %w[%c1, %h] : tensor<2x2xf32>
          %s1 = tensor.splat %w1 : tensor<8xf32>
          %q1 = arith.mulf %x1, %s1 : tensor<8xf32>
          %q = tensor.concat dim(0) %q0, %q1 : (tensor<8xf32>, tensor<8xf32>) -> tensor<16xf32>
          attn.yield %q : tensor<16xf32>
        }
        key (%r: tensor<8xf32>, %b, %h, %n) {
          %k0 = tensor.extract_slice %x[%b, 0, %n, 0] [1, 1, 1, 8] [1, 1, 1, 1] : tensor<1x2x?x8xf32> to tensor<8xf32>
          %k1 = tensor.extract_slice %x[%b, 1, %n, 0] [1, 1, 1, 8] [1, 1, 1, 1] : tensor<1x2x?x8xf32> to tensor<8xf32>
          %k = tensor.concat dim(0) %k0, %k1 : (tensor<8xf32>, tensor<8xf32>) -> tensor<16xf32>
          attn.yield %k : tensor<16xf32>
        } : tensor<1x2x?x8xf32>, tensor<1x2x?x8xf32>, tensor<1x2x?x8xf32> -> tensor<1x2x?x8xf32>
      return %o : tensor<1x2x?x8xf32>
    }
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::tensor::TensorDialect"];
}

def Fuse : Pass<"attn-fuse", "::mlir::func::FuncOp"> {
  let summary = "Move row maps into the attend ops that load the rows";
  let description = [{
    `attn.map_rows` that produces the query, key or value of an `attn.attend` or
    `attn.recur` becomes the `query`, `key` or `value` region of the latter, one
    that reads the output of an `attn.recur` becomes part of its `norm` region, and
    chains of `attn.map_rows` become one. Maps of queries are computed once per block
    of queries; those of keys and values once per block of queries and keys, so
    they save a pass through memory at the price of that arithmetic.

    A map behind an `attn.recur` with `segments` stays where it is: rows of tokens
    in no segment are 0, and what it makes of 0 is for it to say.

    A map whose result is also used elsewhere stays where it is and is not fused:
    its rows are in memory anyway. So does a map with an `attn.contract_row`,
    which is too much to do again for each block, and one that changes whether
    its batch is the static 1.

    Before and after:

    ```mlir
    func.func @f(%q: tensor<1x1x?x8xf32>, %k: tensor<1x1x?x8xf32>) -> tensor<1x1x?x8xf32> {
      %p = attn.map_rows %q rows (%x: tensor<8xf32>, %b, %h, %n) {
        %y = math.tanh %x : tensor<8xf32>
        attn.yield %y : tensor<8xf32>
      } : tensor<1x1x?x8xf32> -> tensor<1x1x?x8xf32>
      %o = attn.attend %p, %k, %k : tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32> -> tensor<1x1x?x8xf32>
      return %o : tensor<1x1x?x8xf32>
    }
    ```

    ```mlir
    func.func @f(%q: tensor<1x1x?x8xf32>, %k: tensor<1x1x?x8xf32>) -> tensor<1x1x?x8xf32> {
      %o = attn.attend %q, %k, %k
        query (%x: tensor<8xf32>, %b, %h, %n) {
          %y = math.tanh %x : tensor<8xf32>
          attn.yield %y : tensor<8xf32>
        } : tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32> -> tensor<1x1x?x8xf32>
      return %o : tensor<1x1x?x8xf32>
    }
    ```
  }];
}

def ExpandRandom : Pass<"attn-expand-random", "::mlir::func::FuncOp"> {
  let summary = "Random numbers as integer arithmetic on their counter";
  let description = [{
    Replaces every `attn.random` by the ten rounds of Philox4x32 that define it,
    in i32 and i64 arithmetic on the indices of the pair.

    Before: regions of attn ops. After: the same regions without `attn.random`.
    Does nothing where there is none. Reports nothing.

    Before:

    ```mlir
    func.func @f(%x: tensor<1x1x?x8xf32>, %seed: i64) -> tensor<1x1x?x8xf32> {
      %o = attn.attend %x, %x, %x
          prob (%p: f32, %b, %h, %i, %j) {
            %u = attn.random %seed at(%i, %j) : f32
            %w = arith.mulf %p, %u : f32
            attn.yield %w : f32
          } : tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32> -> tensor<1x1x?x8xf32>
      return %o : tensor<1x1x?x8xf32>
    }
    ```

    After: the first round begins with
    `%lo = arith.muli %wide, %c3528531795 : i64` of the first counter word, and
    the last word becomes `%u` by `arith.shrui`, `arith.sitofp` and a product
    with 2^-24.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

def Specialize : Pass<"attn-specialize", "::mlir::func::FuncOp"> {
  let summary = "Versions for few and for many queries or tokens";
  let description = [{
    A kernel for thousands of queries and one for a few are blocked in different
    ways. Where their number is known at run time only, this pass replaces an
    `attn.attend` by a choice between two copies; the one for few queries says so
    by `max_queries`, which `attn-select-schedule` reads.

    In the same way an `attn.recur` that goes on from an `initial` state becomes a choice
    between any number of tokens and `max_tokens(1)`, a step of a decoder
    (`docs/rationale/recur.md`).

    Before: `attn.attend` and `attn.recur` on tensors. After: `scf.if` on the number
    of queries or tokens. Does nothing to ops with a static number of them, a schedule,
    `max_queries` or `max_tokens`, to recurrences without `initial`, nor inside of
    `scf.if`, where the choice is made already: the pass may run again. Reports nothing.

    Before:

    ```mlir
    func.func @f(%q: tensor<1x1x?x8xf32>, %k: tensor<1x1x?x8xf32>) -> tensor<1x1x?x8xf32> {
      %o = attn.attend %q, %k, %k : tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32> -> tensor<1x1x?x8xf32>
      return %o : tensor<1x1x?x8xf32>
    }
    ```

    After:

    ```mlir
    func.func @f(%q: tensor<1x1x?x8xf32>, %k: tensor<1x1x?x8xf32>) -> tensor<1x1x?x8xf32> {
      %c2 = arith.constant 2 : index
      %n = tensor.dim %q, %c2 : tensor<1x1x?x8xf32>
      %c16 = arith.constant 16 : index
      %few = arith.cmpi ule, %n, %c16 : index
      %o = scf.if %few -> (tensor<1x1x?x8xf32>) {
        %0 = attn.attend %q, %k, %k max_queries(16) : tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32> -> tensor<1x1x?x8xf32>
        scf.yield %0 : tensor<1x1x?x8xf32>
      } else {
        %0 = attn.attend %q, %k, %k : tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32> -> tensor<1x1x?x8xf32>
        scf.yield %0 : tensor<1x1x?x8xf32>
      }
      return %o : tensor<1x1x?x8xf32>
    }
    ```
  }];
  let options = [Option<"maxQueries", "max-queries", "int64_t", /*default=*/"16",
                        "at most so many queries are few">];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::scf::SCFDialect",
                           "::mlir::tensor::TensorDialect"];
}

def SelectSchedule : Pass<"attn-select-schedule", "::mlir::func::FuncOp"> {
  let summary = "Attach a schedule to every attn op that has none";
  let description = [{
    Chooses block sizes by a closed-form estimate from vector width, number of
    vector registers and cache sizes (see `docs/rationale/schedule.md`). A
    schedule that the spec states is kept, one given by the option `schedule`
    replaces all, and either is refused, with the reason, if it does not fit.
    Where tokens are a grid, or one of the two has boxes or a step, boxes that
    are missing are chosen.

    Before and after, with the default options:

    ```mlir
    func.func @f(%q: tensor<1x1x?x64xf32>, %k: tensor<1x1x?x64xf32>) -> tensor<1x1x?x64xf32> {
      %o = attn.attend %q, %k, %k : tensor<1x1x?x64xf32>, tensor<1x1x?x64xf32>, tensor<1x1x?x64xf32> -> tensor<1x1x?x64xf32>
      return %o : tensor<1x1x?x64xf32>
    }
    ```

    ```mlir
    func.func @f(%q: tensor<1x1x?x64xf32>, %k: tensor<1x1x?x64xf32>) -> tensor<1x1x?x64xf32> {
      %o = attn.attend %q, %k, %k schedule(<block_q = 96, block_k = 128>) : tensor<1x1x?x64xf32>, tensor<1x1x?x64xf32>, tensor<1x1x?x64xf32> -> tensor<1x1x?x64xf32>
      return %o : tensor<1x1x?x64xf32>
    }
    ```
  }];
  let options = [
    Option<"schedule", "schedule", "std::string", /*default=*/"\"\"",
           "block_q=M,block_k=N,splits=S or box_q=8x8,box_k=8x8,step=1x1: use "
           "this instead of the cost model">,
    Option<"vectorBits", "vector-bits", "int64_t", /*default=*/"512",
           "width of a vector register">,
    Option<"l1Bytes", "l1-bytes", "int64_t", /*default=*/"49152",
           "size of the first-level data cache">,
    Option<"l2Bytes", "l2-bytes", "int64_t", /*default=*/"2097152",
           "size of the second-level cache">];
}

def SplitBlocks : Pass<"attn-split-blocks", "::mlir::func::FuncOp"> {
  let summary = "Split attention into blocks: independent queries, merged keys";
  let description = [{
    `attn.attend` becomes an `scf.forall` over (batch, head, block of queries)
    around an `scf.for` over blocks of keys that carries the partial result
    (`attn.partial`, `attn.finish`). A last block that may be cut short by `Nk`
    is visited by a loop of its own, at most once, so that the main loop needs no
    bound checks.

    With boxes in the schedule, which grids of tokens need, both loops run over
    the numbers of boxes (`docs/rationale/grids.md`), and each box checks its
    bounds unless static sizes tell that none reaches beyond the grid.

    `attn.recur` becomes an `scf.forall` over (batch, head, block of columns of the
    state) around an `scf.for` over chunks of tokens that carries the state
    (`attn.load_state`, `attn.recur_chunk`; `docs/rationale/recur.md`). Where there is
    one token at most, and chunks are of one, there is no loop. With
    `segments`, blocks are those of (segment, head, block of columns), and see
    operands and output that end with the segment.

    With `longest-first`, blocks of queries of a list are visited by the length of
    their lists, which `attn.block_order` sorts: block number n is block
    `order[b, h, n]`. Where all blocks start at once, `longest-first` of them, or where
    there are more than 16384 of a head, none is sorted and they keep their order.
    It is for devices that start blocks in order; the results are the same bits.

    Needs a schedule on every attn op (`attn-select-schedule`). After it no
    `attn.attend` and no `attn.recur` is left. `attn.map_rows` that was not fused stays and is blocked
    by `attn-to-tile`.

    Before (after it: see `docs/rationale/tile.md` for the whole program):

    ```mlir
    func.func @f(%q: tensor<1x1x?x64xf32>, %k: tensor<1x1x?x64xf32>) -> tensor<1x1x?x64xf32> {
      %o = attn.attend %q, %k, %k schedule(<block_q = 96, block_k = 128>) : tensor<1x1x?x64xf32>, tensor<1x1x?x64xf32>, tensor<1x1x?x64xf32> -> tensor<1x1x?x64xf32>
      return %o : tensor<1x1x?x64xf32>
    }
    ```
  }];
  let options = [
    Option<"longestFirst", "longest-first", "int64_t", /*default=*/"0",
           "blocks that start at once, beyond which blocks of a list are sorted "
           "by its length; 0 for no order">];
  let dependentDialects = ["::mlir::scf::SCFDialect", "::mlir::arith::ArithDialect",
                           "::mlir::tensor::TensorDialect"];
}

def ToTile : Pass<"attn-to-tile", "::mlir::ModuleOp"> {
  let summary = "Turn blocked attention into a tile program";
  let description = [{
    Functions change to destination-passing style: every tensor argument becomes
    a view (`memref` with any strides but a last one of 1), and every result a
    view behind the arguments that the function writes. `attn.partial`,
    `attn.finish`, `attn.recur_chunk` and `attn.map_rows` become tile ops; regions become elementwise
    ops on tiles. Intermediate tensors become allocated buffers.

    With `count-lists`, the entries of an `attn.block_list` are allocated after they
    have been counted, for as many as there are. So the host reads what the program
    has computed: CPUs may ask for it. The entries are then looked for between the first
    and the last block of keys that counted. Otherwise there is room for `capacity` entries,
    which follows from sizes. Lists that are results have the size of their view.

    Needs `attn-split-blocks`. After it `attn-verify-tile` holds. Fails with a
    message if a function does something else than attn ops.

    Before and after (shortened to a row map; its schedule blocks 4 rows):

    ```mlir
    func.func @f(%x: tensor<1x1x?x8xf32>) -> tensor<1x1x?x8xf32> {
      %y = attn.map_rows %x schedule(<block_q = 4, block_k = 4>) rows (%r: tensor<8xf32>, %b, %h, %n) {
        %z = math.tanh %r : tensor<8xf32>
        attn.yield %z : tensor<8xf32>
      } : tensor<1x1x?x8xf32> -> tensor<1x1x?x8xf32>
      return %y : tensor<1x1x?x8xf32>
    }
    ```

    ```mlir
    #view = strided<[?, ?, ?, 1], offset: ?>
    func.func @f(%x: memref<1x1x?x8xf32, #view>, %y: memref<1x1x?x8xf32, #view>) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c2 = arith.constant 2 : index
      %c4 = arith.constant 4 : index
      %n = memref.dim %x, %c2 : memref<1x1x?x8xf32, #view>
      %blocks = arith.ceildivsi %n, %c4 : index
      scf.forall (%b, %h, %block) in (1, 1, %blocks) {
        %row = arith.muli %block, %c4 : index
        %r = tile.load %x[%b, %h, %row, %c0] : memref<1x1x?x8xf32, #view> -> tensor<4x8xf32>
        %z = math.tanh %r : tensor<4x8xf32>
        tile.store %z, %y[%b, %h, %row, %c0] : tensor<4x8xf32>, memref<1x1x?x8xf32, #view>
      }
      return
    }
    ```
  }];
  let options = [
    Option<"countLists", "count-lists", "bool", /*default=*/"false",
           "Make room for the entries that lists have, not for all that they may have">
  ];
  let dependentDialects = ["::attn::tile::TileDialect", "::mlir::scf::SCFDialect",
                           "::mlir::arith::ArithDialect", "::mlir::math::MathDialect",
                           "::mlir::tensor::TensorDialect", "::mlir::memref::MemRefDialect"];
}

def VerifyTile : Pass<"attn-verify-tile", "::mlir::func::FuncOp"> {
  let summary = "Check that a function is a tile program and nothing else";
  let description = [{
    The waist between variants and targets is closed: a function after
    `attn-to-tile` holds only tile ops; elementwise `arith` and `math`;
    `scf.forall`, `scf.for`, `scf.if`; `memref.dim`, `memref.subview`,
    `memref.reinterpret_cast`, `memref.cast`, `memref.alloc`, `memref.dealloc`;
    `memref.load` outside of blocks, which reads a number that blocks have computed; and
    all tensors in it have static shape. Changes nothing; reports the first op
    that does not belong. Back ends may rely on it.

    Example: a program that passes.

    ```mlir
    func.func @f(%x: memref<?x8xf32, strided<[?, 1], offset: ?>>) {
      %c0 = arith.constant 0 : index
      %t = tile.load %x[%c0, %c0] : memref<?x8xf32, strided<[?, 1], offset: ?>> -> tensor<4x8xf32>
      tile.store %t, %x[%c0, %c0] : tensor<4x8xf32>, memref<?x8xf32, strided<[?, 1], offset: ?>>
      return
    }
    ```
  }];
}

#endif // ATTN_PASSES_PASSES_TD
