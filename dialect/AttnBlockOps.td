//===- AttnBlockOps.td - Which blocks of keys are visited ---*- tablegen -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Lists of blocks, and what they are made from. Included by AttnOps.td.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_DIALECT_ATTNBLOCKOPS_TD
#define ATTN_DIALECT_ATTNBLOCKOPS_TD

def Attn_BlockBoundsOp : Attn_Op<"block_bounds", [Pure,
    TypesMatchWith<"'least' and 'largest' have one type", "least", "largest", "$_self">,
    DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface,
        ["reifyResultShapes"]>]> {
  let summary = "Least and largest integer of each block of a tensor";
  let description = [{
    Along dimension `along`, elements are taken `width` at a time:

    ```
    least[.., n, ..]   = min over w < width of table[.., width n + w, ..]
    largest[.., n, ..] = max over w < width of table[.., width n + w, ..]
    ```

    Elements beyond the last one do not count. Integers are signed.

    | operand | shape | |
    |---|---|---|
    | `table` | any | integers of 8 to 64 bits, or index |
    | `least`, `largest` | that of `table`, but for `ceil(N / width)` along `along` | element type of `table` |

    What a mask reads of a tensor at the position of a token is so known for a
    whole block of tokens: `attn-list-blocks` introduces the op
    (`docs/rationale/sparsity.md`).

    Example: the documents that meet in each block of 128 tokens.

    ```mlir
    func.func @documents(%ids: tensor<?x?xi32>) -> (tensor<?x?xi32>, tensor<?x?xi32>) {
      %first, %last = attn.block_bounds %ids along(1) width(128)
          : tensor<?x?xi32> -> tensor<?x?xi32>
      return %first, %last : tensor<?x?xi32>, tensor<?x?xi32>
    }
    ```
  }];
  let arguments = (ins AnyRankedTensor:$table, I64Attr:$along, I64Attr:$width);
  let results = (outs AnyRankedTensor:$least, AnyRankedTensor:$largest);
  let assemblyFormat = [{
    $table `along` `(` $along `)` `width` `(` $width `)` attr-dict
    `:` type($table) `->` type($least)
  }];
  let hasVerifier = 1;
}

def Attn_BlockListOp : Attn_Op<"block_list", [Pure, SingleBlock,
    AttrSizedOperandSegments,
    DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface,
        ["reifyResultShapes"]>]> {
  let summary = "Which blocks of keys each block of queries visits, as a list";
  let description = [{
    Queries and keys are numbered from 0 to `queries - 1` and `keys - 1` and cut
    into blocks, `R = ceil(queries / block_sizes[0])` and
    `C = ceil(keys / block_sizes[1])` of them. For every pair of a block of
    queries and one of keys the region

    `classes (%b, %h, %first, %last, %first_key, %last_key)`

    yields two bits: whether some pair may be allowed, and whether all pairs are.
    `%first` to `%last` are the queries of the block that exist, plus `shift`
    (0 if it is left out), and `%first_key` to `%last_key` its keys that exist.

    The *list* of block r of batch b and head h stands in `blocks` in two parts,
    each ascending:

    | entries | numbers of blocks of keys |
    |---|---|
    | `offsets[b, h, 2 r]` to `offsets[b, h, 2 r + 1] - 1` | full: both bits are set |
    | `offsets[b, h, 2 r + 1]` to `offsets[b, h, 2 r + 2] - 1` | mixed: only the first is |

    Entries of a head begin at 0 and follow each other; what lies behind the last
    one is unspecified. The optional region
    `keys (%b, %h, %first, %last)` is that of `attn.attend`: blocks without a key
    in its first range are left out, and their classes are not asked for.

    On a grid, `queries` and `keys` have a size per axis, and blocks are boxes, as
    in the schedule of `attn.attend`: `box_q`, `box_k` and `step` say which. The
    numbers of the list are those of boxes. Indices of `classes` come per axis,
    `(%b, %h, %first_y, %first_x, %last_y, %last_x, %first_key_y, ..)`; a box
    without a token is in no list and has none. The region may also be asked for
    all boxes of a row of boxes at once, with the first and the last of their keys,
    and must then allow some pair if it does so for one of them. Entries of a part
    are ascending by the residue classes of a step, axis by axis, and then by their
    numbers. There is neither `shift` nor `keys`.

    | operand | | |
    |---|---|---|
    | `batches`, `heads` | sizes of the results where they are dynamic | |
    | `capacity` | room for the entries of one head | at least their number |
    | `offsets` | `[Bm, Hm, 2 R + 1]` of i32 | |
    | `blocks` | `[Bm, Hm, capacity]` of i32 | |

    Introduced by `attn-list-blocks`; `attn.attend` takes the list.

    Example: the blocks of a band of keys.

    ```mlir
    func.func @band(%n: index, %capacity: index) -> (tensor<1x1x?xi32>, tensor<1x1x?xi32>) {
      %offsets, %blocks = attn.block_list queries(%n) keys(%n) capacity(%capacity)
          block_sizes [64, 128]
          classes (%b, %h, %first, %last, %first_key, %last_key) {
            %some = arith.cmpi sge, %last, %first_key : index
            %all = arith.cmpi sge, %first, %last_key : index
            attn.yield %some, %all : i1, i1
          } : tensor<1x1x?xi32>, tensor<1x1x?xi32>
      return %offsets, %blocks : tensor<1x1x?xi32>, tensor<1x1x?xi32>
    }
    ```

    Boxes of 8 x 8 tokens, on the same rows of boxes:

    ```mlir
    func.func @rows(%y: index, %x: index, %capacity: index) -> (tensor<1x1x?xi32>, tensor<1x1x?xi32>) {
      %offsets, %blocks = attn.block_list queries(%y, %x) keys(%y, %x) capacity(%capacity)
          block_sizes [64, 64] box_q [8, 8] box_k [8, 8]
          classes (%b, %h, %iy, %ix, %ly, %lx, %jy, %jx, %my, %mx) {
            %no = arith.constant false
            %below = arith.cmpi sge, %ly, %jy : index
            %above = arith.cmpi sge, %my, %iy : index
            %some = arith.andi %below, %above : i1
            attn.yield %some, %no : i1, i1
          } : tensor<1x1x?xi32>, tensor<1x1x?xi32>
      return %offsets, %blocks : tensor<1x1x?xi32>, tensor<1x1x?xi32>
    }
    ```
  }];
  let arguments = (ins
    Variadic<Index>:$queries, Variadic<Index>:$keyCount, Index:$capacity,
    Optional<Index>:$shift, Optional<Index>:$batches, Optional<Index>:$heads,
    DenseI64ArrayAttr:$blockSizes, OptionalAttr<DenseI64ArrayAttr>:$boxQ,
    OptionalAttr<DenseI64ArrayAttr>:$boxK,
    OptionalAttr<DenseI64ArrayAttr>:$step);
  let results = (outs AnyRankedTensor:$offsets, AnyRankedTensor:$blocks);
  let regions = (region AnyRegion:$classes, AnyRegion:$keys);
  let assemblyFormat = [{
    `queries` `(` $queries `)` `keys` `(` $keyCount `)`
    `capacity` `(` $capacity `)` (`shift` `(` $shift^ `)`)?
    (`batches` `(` $batches^ `)`)? (`heads` `(` $heads^ `)`)?
    `block_sizes` $blockSizes (`box_q` $boxQ^)? (`box_k` $boxK^)?
    (`step` $step^)? custom<BlockListRegions>($classes, $keys)
    attr-dict `:` type($offsets) `,` type($blocks)
  }];
  let extraClassDeclaration = [{
    /// How many axes tokens have.
    int64_t getNumAxes() { return getQueries().size(); }
  }];
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
}

#endif // ATTN_DIALECT_ATTNBLOCKOPS_TD
