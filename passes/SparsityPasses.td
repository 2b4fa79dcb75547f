//===- SparsityPasses.td - Passes that find and use masks --*- tablegen -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What a mask leaves: ranges of keys, lists and classes of blocks, counts of
// pairs. Included by Passes.td.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_SPARSITYPASSES_TD
#define ATTN_PASSES_SPARSITYPASSES_TD

include "mlir/Pass/PassBase.td"

def InferSparsity : Pass<"attn-infer-sparsity", "::mlir::func::FuncOp"> {
  let summary = "Derive from masks which keys a block of queries meets";
  let description = [{
    Evaluates the `mask` region of every `attn.attend` for a whole block of
    queries: comparisons of indices that are linear in query and key, their
    maxima, minima, absolute values and quotients become ranges of keys, and
    `and`, `or`, `xor`, `select` and negation act on ranges. The result is a
    `keys` region: bounds of the keys that any query of the block attends to, and
    of keys that all of them attend to. Ranges hold for every mask; they are tight
    for masks that are one range per query (see `docs/rationale/sparsity.md`).

    Does nothing for an op without a mask or with a `keys` region, and where
    nothing can be bounded, as by a mask that reads captured data: all blocks of
    keys are visited then. A remark names the op that stood in the way. The
    program means the same with and without the region. Indices are taken to be
    below 2^31.

    Before and after:

    ```mlir
    func.func @f(%q: tensor<1x1x?x8xf32>, %k: tensor<1x1x?x8xf32>) -> tensor<1x1x?x8xf32> {
      %o = attn.attend %q, %k, %k
        mask (%b, %h, %i, %j) {
          %keep = arith.cmpi sge, %i, %j : index
          attn.yield %keep : i1
        } : tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32> -> tensor<1x1x?x8xf32>
      return %o : tensor<1x1x?x8xf32>
    }
    ```

    ```mlir
    func.func @f(%q: tensor<1x1x?x8xf32>, %k: tensor<1x1x?x8xf32>) -> tensor<1x1x?x8xf32> {
      %o = attn.attend %q, %k, %k
        mask (%b, %h, %i, %j) {
          %keep = arith.cmpi sge, %i, %j : index
          attn.yield %keep : i1
        }
        keys (%b, %h, %first, %last) {
          %c0 = arith.constant 0 : index
          %c1 = arith.constant 1 : index
          %visited_end = arith.addi %last, %c1 : index
          %full_end = arith.addi %first, %c1 : index
          attn.yield %c0, %visited_end, %c0, %full_end : index, index, index, index
        } : tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32> -> tensor<1x1x?x8xf32>
      return %o : tensor<1x1x?x8xf32>
    }
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

def CountPairs : Pass<"attn-count-pairs", "::mlir::func::FuncOp"> {
  let summary = "Count the pairs of query and key that attention computes";
  let description = [{
    Gives the function one more argument for every `attn.attend` and `attn.recur`,
    in the order of a walk, a memref of one i64 that is marked with `attn.result`,
    and adds to it how many pairs of query and key the attend op's mask keeps, over
    all batches and query heads, or how many tokens all batches and heads of the
    recurrence have. Without a mask these are all pairs. Nothing is returned any
    more, so that most of what the function computed is dead; tools ask the
    result for the work of a call (docs/tools.md).

    Before: attn ops; `attn.random` only where masks do not ask for it
    (`attn-expand-random`). After: the same ops, and loops that count. A mask is
    asked for single pairs where no `keys` region (`attn-infer-sparsity`) tells
    the answer. Reports an error if the function has several blocks.

    Before:

    ```mlir
    func.func @f(%q: tensor<1x2x?x8xf32>, %k: tensor<1x2x?x8xf32>) -> tensor<1x2x?x8xf32> {
      %o = attn.attend %q, %k, %k : tensor<1x2x?x8xf32>, tensor<1x2x?x8xf32>, tensor<1x2x?x8xf32> -> tensor<1x2x?x8xf32>
      return %o : tensor<1x2x?x8xf32>
    }
    ```

    After, when what is dead is gone:

    ```mlir
    func.func @f(%q: tensor<1x2x?x8xf32>, %k: tensor<1x2x?x8xf32>,
                 %pairs: memref<1xi64, strided<[1], offset: ?>> {attn.result}) {
      %c0 = arith.constant 0 : index
      %c2 = arith.constant 2 : index
      %nq = tensor.dim %q, %c2 : tensor<1x2x?x8xf32>
      %nk = tensor.dim %k, %c2 : tensor<1x2x?x8xf32>
      %rows = arith.muli %nq, %c2 : index
      %all = arith.muli %rows, %nk : index
      %count = arith.index_cast %all : index to i64
      %before = memref.load %pairs[%c0] : memref<1xi64, strided<[1], offset: ?>>
      %after = arith.addi %before, %count : i64
      memref.store %after, %pairs[%c0] : memref<1xi64, strided<[1], offset: ?>>
      return
    }
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect",
                           "::mlir::tensor::TensorDialect"];
}

def ClassifyBlocks : Pass<"attn-classify-blocks", "::mlir::func::FuncOp"> {
  let summary = "Write down which blocks of pairs a mask leaves";
  let description = [{
    Gives the function three more arguments for every `attn.attend`, in the order of a
    walk, memrefs that are marked with `attn.result`, and writes to them

    - nine i64: numbers of batches, heads, blocks of queries and blocks of keys, 1, boxes
      of keys along each axis and, if the op has a list of blocks, the entries of a head
      that there is room for. Batches and heads are 1 where neither the mask nor the list
      asks for them. Nothing is written if control flow goes another way;
    - for each pair of blocks an i8, blocks of keys fastest: 0 if the formula of the mask
      says that no pair is kept, 2 if it says that all are, else 1, and 3 if no
      pair exists, as in a box beyond the grid; plus 4 times the same number as the
      `keys` region says it, 4 without one;
    - for each pair of blocks two i32: how many pairs exist, and how many are kept.

    The second and the third are written only where they have room for all blocks, so a
    caller may ask for the numbers first. Pairs are counted by evaluating the mask where
    the classes do not tell, and everywhere with the option `exact`. Boxes of grids have
    the numbers of `docs/rationale/grids.md`. Of an op with a list of blocks, the list
    says which blocks are full, mixed and, if it does not name them, empty; pairs of full
    ones all count. Nothing is returned any more; `attn-explain` prints what it is told.

    Needs schedules (`attn-select-schedule`); `attn.random` only where masks do not ask
    for it. Reports an error if there is no schedule or the function has several blocks.

    Before:

    ```mlir
    func.func @f(%q: tensor<1x2x?x8xf32>) -> tensor<1x2x?x8xf32> {
      %o = attn.attend %q, %q, %q schedule(<block_q = 64, block_k = 32>)
        mask (%b, %h, %i, %j) {
          %keep = arith.cmpi sge, %i, %j : index
          attn.yield %keep : i1
        } : tensor<1x2x?x8xf32>, tensor<1x2x?x8xf32>, tensor<1x2x?x8xf32> -> tensor<1x2x?x8xf32>
      return %o : tensor<1x2x?x8xf32>
    }
    ```

    After, in part:

    ```mlir
    func.func @f(%q: tensor<1x2x?x8xf32>,
                 %numbers: memref<9xi64, strided<[1], offset: ?>> {attn.result},
                 %classes: memref<?xi8, strided<[1], offset: ?>> {attn.result},
                 %pairs: memref<?xi32, strided<[1], offset: ?>> {attn.result}) {
      %c0 = arith.constant 0 : index
      %c2 = arith.constant 2 : index
      %c64 = arith.constant 64 : index
      %n = tensor.dim %q, %c2 : tensor<1x2x?x8xf32>
      %rows = arith.ceildivsi %n, %c64 : index
      %number = arith.index_cast %rows : index to i64
      memref.store %number, %numbers[%c2] : memref<9xi64, strided<[1], offset: ?>>
      return
    }
    ```
  }];
  let options = [Option<"exact", "exact", "bool", /*default=*/"false",
                        "evaluate the mask for all pairs">];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect",
                           "::mlir::tensor::TensorDialect"];
}

def ListBlocks : Pass<"attn-list-blocks", "::mlir::func::FuncOp"> {
  let summary = "List the blocks of keys that a mask leaves where they are no range";
  let description = [{
    Gives an `attn.attend` whose mask is no range of keys that follows from
    positions a list of blocks: an `attn.block_list`, whose region `classes` says
    of a pair of blocks whether the mask may keep some and whether it keeps all of
    its pairs, by interval arithmetic on the formula. Captured tensors of integers
    that are read at the position of a token get an `attn.block_bounds`. A `keys`
    region moves to the list, where it bounds what is looked at, and the room for the
    entries (see `docs/rationale/sparsity.md`). Where the schedule has boxes, the list
    is one of boxes, for all masks; indices of `classes` then come per axis.

    Needs a schedule (`attn-select-schedule`) and, to be good, `attn-infer-sparsity`.
    Does nothing where the ranges of keys are exact, where a list is given, where
    blocks share the keys (`splits`), and where nothing is known of any pair.

    Before and after: documents.

    ```mlir
    func.func @f(%q: tensor<1x1x?x8xf32>, %ids: tensor<?xi32>) -> tensor<1x1x?x8xf32> {
      %o = attn.attend %q, %q, %q schedule(<block_q = 64, block_k = 32>)
        mask (%b, %h, %i, %j) {
          %x = tensor.extract %ids[%i] : tensor<?xi32>
          %y = tensor.extract %ids[%j] : tensor<?xi32>
          %keep = arith.cmpi eq, %x, %y : i32
          attn.yield %keep : i1
        } : tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32> -> tensor<1x1x?x8xf32>
      return %o : tensor<1x1x?x8xf32>
    }
    ```

    ```mlir
    func.func @f(%q: tensor<1x1x?x8xf32>, %ids: tensor<?xi32>, %capacity: index) -> tensor<1x1x?x8xf32> {
      %c2 = arith.constant 2 : index
      %n = tensor.dim %q, %c2 : tensor<1x1x?x8xf32>
      %least_q, %largest_q = attn.block_bounds %ids along(0) width(64) : tensor<?xi32> -> tensor<?xi32>
      %least_k, %largest_k = attn.block_bounds %ids along(0) width(32) : tensor<?xi32> -> tensor<?xi32>
      %offsets, %blocks = attn.block_list queries(%n) keys(%n) capacity(%capacity) block_sizes [64, 32]
        classes (%b, %h, %first, %last, %first_key, %last_key) {
          %c64 = arith.constant 64 : index
          %c32 = arith.constant 32 : index
          %block = arith.floordivsi %first, %c64 : index
          %key_block = arith.floordivsi %first_key, %c32 : index
          %x0 = tensor.extract %least_q[%block] : tensor<?xi32>
          %x1 = tensor.extract %largest_q[%block] : tensor<?xi32>
          %y0 = tensor.extract %least_k[%key_block] : tensor<?xi32>
          %y1 = tensor.extract %largest_k[%key_block] : tensor<?xi32>
          %a = arith.cmpi sle, %x0, %y1 : i32
          %d = arith.cmpi sle, %y0, %x1 : i32
          %some = arith.andi %a, %d : i1
          %e = arith.cmpi sle, %x1, %y0 : i32
          %g = arith.cmpi sle, %y1, %x0 : i32
          %all = arith.andi %e, %g : i1
          attn.yield %some, %all : i1, i1
        } : tensor<1x1x?xi32>, tensor<1x1x?xi32>
      %o = attn.attend %q, %q, %q blocks(%offsets, %blocks : tensor<1x1x?xi32>, tensor<1x1x?xi32>)
        block_sizes [64, 32] schedule(<block_q = 64, block_k = 32>)
        mask (%b, %h, %i, %j) {
          %x = tensor.extract %ids[%i] : tensor<?xi32>
          %y = tensor.extract %ids[%j] : tensor<?xi32>
          %keep = arith.cmpi eq, %x, %y : i32
          attn.yield %keep : i1
        } : tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32> -> tensor<1x1x?x8xf32>
      return %o : tensor<1x1x?x8xf32>
    }
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::tensor::TensorDialect"];
}

def ApplySparsity : Pass<"attn-apply-sparsity", "::mlir::func::FuncOp"> {
  let summary = "Visit only the blocks of keys that masks leave";
  let description = [{
    Cuts each loop over blocks of keys whose body is one `attn.partial` with a
    `keys` region into up to three: blocks of which the mask may leave a part,
    blocks that it leaves whole, where the mask is dropped, and again the first
    kind. Other blocks are not visited. Bounds are index arithmetic on the number
    of the block of queries. A loop that is empty for all of them is not made.
    The loop over the last, shorter block of keys becomes a part of the last of
    them, which is `bounded` then; one that stands alone is skipped or not.

    With `row-group`, rows of a block whose mask is evaluated are divided into
    groups of so many, and each group gets its own range of keys (`ranges` of
    `attn.partial`), from the same region. Targets choose what they can leave out
    at once. A block of less than two is one group. Does nothing where the rows of a
    block are no multiple, where heads are packed, or where the keys of a block are
    no multiple of 8.

    Needs `attn-split-blocks`. After it no `keys` region is left in an
    `attn.partial`; one in another place than such a loop is dropped. Results
    keep their bits: a block that is left out would have changed nothing.

    Before and after (shortened to the loops; the mask is causal):

    ```mlir
    func.func @f(%q: tensor<1x1x?x8xf32>, %k: tensor<1x1x?x8xf32>, %row: index, %end: index,
                 %t: tensor<4xf32>, %l: tensor<4xf32>, %a: tensor<4x8xf32>) -> tensor<4x8xf32> {
      %c0 = arith.constant 0 : index
      %c16 = arith.constant 16 : index
      %r:3 = scf.for %j = %c0 to %end step %c16 iter_args(%t0 = %t, %l0 = %l, %a0 = %a)
          -> (tensor<4xf32>, tensor<4xf32>, tensor<4x8xf32>) {
        %p:3 = attn.partial %q, %k, %k at(%c0, %c0, %row, %j) init(%t0, %l0, %a0) width(16) scale(1.0)
          mask (%b, %h, %i, %key) {
            %keep = arith.cmpi sge, %i, %key : index
            attn.yield %keep : i1
          }
          keys (%b, %h, %first, %last) {
            %none = arith.constant 0 : index
            %one = arith.constant 1 : index
            %visited_end = arith.addi %last, %one : index
            %full_end = arith.addi %first, %one : index
            attn.yield %none, %visited_end, %none, %full_end : index, index, index, index
          } : tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32> -> tensor<4xf32>, tensor<4xf32>, tensor<4x8xf32>
        scf.yield %p#0, %p#1, %p#2 : tensor<4xf32>, tensor<4xf32>, tensor<4x8xf32>
      }
      return %r#2 : tensor<4x8xf32>
    }
    ```

    ```mlir
    func.func @f(%q: tensor<1x1x?x8xf32>, %k: tensor<1x1x?x8xf32>, %row: index, %full_end: index, %visited_end: index,
                 %t: tensor<4xf32>, %l: tensor<4xf32>, %a: tensor<4x8xf32>) -> tensor<4x8xf32> {
      %c0 = arith.constant 0 : index
      %c16 = arith.constant 16 : index
      %full:3 = scf.for %j = %c0 to %full_end step %c16 iter_args(%t0 = %t, %l0 = %l, %a0 = %a)
          -> (tensor<4xf32>, tensor<4xf32>, tensor<4x8xf32>) {
        %p:3 = attn.partial %q, %k, %k at(%c0, %c0, %row, %j) init(%t0, %l0, %a0) width(16) scale(1.0)
          : tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32> -> tensor<4xf32>, tensor<4xf32>, tensor<4x8xf32>
        scf.yield %p#0, %p#1, %p#2 : tensor<4xf32>, tensor<4xf32>, tensor<4x8xf32>
      }
      %mixed:3 = scf.for %j = %full_end to %visited_end step %c16 iter_args(%t0 = %full#0, %l0 = %full#1, %a0 = %full#2)
          -> (tensor<4xf32>, tensor<4xf32>, tensor<4x8xf32>) {
        %p:3 = attn.partial %q, %k, %k at(%c0, %c0, %row, %j) init(%t0, %l0, %a0) width(16) scale(1.0)
          mask (%b, %h, %i, %key) {
            %keep = arith.cmpi sge, %i, %key : index
            attn.yield %keep : i1
          } : tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32> -> tensor<4xf32>, tensor<4xf32>, tensor<4x8xf32>
        scf.yield %p#0, %p#1, %p#2 : tensor<4xf32>, tensor<4xf32>, tensor<4x8xf32>
      }
      return %mixed#2 : tensor<4x8xf32>
    }
    ```
  }];
  let options = [
    Option<"rowGroup", "row-group", "int64_t", /*default=*/"0",
           "rows that have a range of keys of their own; 0: only whole blocks">];
  let dependentDialects = ["::mlir::scf::SCFDialect", "::mlir::arith::ArithDialect",
                           "::mlir::tensor::TensorDialect"];
}

#endif // ATTN_PASSES_SPARSITYPASSES_TD
