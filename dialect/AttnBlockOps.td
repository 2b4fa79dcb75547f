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

def Attn_TransposeListOp : Attn_Op<"transpose_list", [Pure,
    DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface,
        ["reifyResultShapes"]>]> {
  let summary = "Which blocks of queries visit each block of keys, as a list";
  let description = [{
    `offsets` and `blocks` are a list of R rows in the form of `attn.block_list`:
    for each block of queries, the blocks of keys that it visits. The result is the
    list of `columns` rows, one for each block of keys:

    | entries | numbers of blocks of queries |
    |---|---|
    | `new_offsets[b, h, 2 c]` to `new_offsets[b, h, 2 c + 1] - 1` | those with c among their full blocks |
    | `new_offsets[b, h, 2 c + 1]` to `new_offsets[b, h, 2 c + 2] - 1` | those with c among their mixed blocks |

    Each part is ascending. The last size of `offsets` is odd: 2 R + 1. Entries that are no number
    from 0 to `columns - 1` are left out, as are those that lie outside of `blocks`; one that stands
    twice in a part counts twice. There is room for all entries where offsets do not decrease, which is
    the caller's duty. The transpose of the transpose has the entries of the list, each part ascending.

    | operand | shape | |
    |---|---|---|
    | `offsets` | `[Bm, Hm, 2 R + 1]` of i32 | |
    | `blocks` | `[Bm, Hm, L]` of i32 | |
    | `columns` | index | number of blocks of keys |
    | `new_offsets` | `[Bm, Hm, 2 columns + 1]` of i32 | |
    | `new_blocks` | `[Bm, Hm, L]` of i32 | what lies behind the last entry is unspecified |

    It is made in time that is linear in the entries, the rows and the columns, and
    the same each time. What goes from queries to keys (the gradients of keys
    and values) visits blocks by it.

    Sources: Gustavson, "Two Fast Algorithms for Sparse Matrices: Multiplication and
    Permuted Transposition", 1978.

    Example:

    ```mlir
    func.func @turn(%offsets: tensor<1x?x?xi32>, %blocks: tensor<1x?x?xi32>, %c: index)
        -> (tensor<1x?x?xi32>, tensor<1x?x?xi32>) {
      %o, %l = attn.transpose_list %offsets, %blocks columns(%c)
          : tensor<1x?x?xi32>, tensor<1x?x?xi32> -> tensor<1x?x?xi32>, tensor<1x?x?xi32>
      return %o, %l : tensor<1x?x?xi32>, tensor<1x?x?xi32>
    }
    ```
  }];
  let arguments = (ins AnyRankedTensor:$offsets, AnyRankedTensor:$blocks,
                   Index:$columns);
  let results = (outs AnyRankedTensor:$newOffsets, AnyRankedTensor:$newBlocks);
  let assemblyFormat = [{
    $offsets `,` $blocks `columns` `(` $columns `)` attr-dict
    `:` type($offsets) `,` type($blocks) `->` type($newOffsets) `,`
    type($newBlocks)
  }];
  let hasVerifier = 1;
}

def Attn_BlockOrderOp : Attn_Op<"block_order", [Pure,
    DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface,
        ["reifyResultShapes"]>]> {
  let summary = "Blocks of queries by the length of their lists, longest first";
  let description = [{
    `offsets` is that of a list in the form of `attn.block_list`. Block of queries r
    costs

    ```
    cost(r) = costs[0] * (offsets[b, h, 2 r + 1] - offsets[b, h, 2 r])
            + costs[1] * (offsets[b, h, 2 r + 2] - offsets[b, h, 2 r + 1])
    ```

    (or the nearest number of i32) and `order[b, h, ..]` are the numbers 0 to `count - 1` by
    descending cost; of equal costs, the lower number comes first. Where a device starts
    blocks in order, and another one when one ends, the short ones are left for the end
    (`docs/rationale/sparsity.md`). `attn-split-blocks` introduces the op.

    | operand | shape | |
    |---|---|---|
    | `offsets` | `[Bm, Hm, 2 R + 1]` of i32 | |
    | `count` | index | at most R |
    | `order` | `[Bm, Hm, count]` of i32 | |

    Source: Graham, "Bounds on Multiprocessing Timing Anomalies", 1969 (longest
    first is at most a third worse than the best order).

    Example:

    ```mlir
    func.func @longest_first(%offsets: tensor<1x?x?xi32>, %rows: index) -> tensor<1x?x?xi32> {
      %order = attn.block_order %offsets count(%rows) costs [4, 5]
          : tensor<1x?x?xi32> -> tensor<1x?x?xi32>
      return %order : tensor<1x?x?xi32>
    }
    ```
  }];
  let arguments = (ins AnyRankedTensor:$offsets, Index:$count,
                   DenseI64ArrayAttr:$costs);
  let results = (outs AnyRankedTensor:$order);
  let assemblyFormat = [{
    $offsets `count` `(` $count `)` `costs` $costs attr-dict
    `:` type($offsets) `->` type($order)
  }];
  let hasVerifier = 1;
}

#endif // ATTN_DIALECT_ATTNBLOCKOPS_TD
