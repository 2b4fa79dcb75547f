//===- AttnPartialOps.td - Partial results over keys -------*- tablegen -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Internal to the compiler: what attn.attend becomes when its keys are visited
// in blocks. Included by AttnOps.td.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_DIALECT_ATTNPARTIALOPS_TD
#define ATTN_DIALECT_ATTNPARTIALOPS_TD

def Attn_PartialOp : Attn_Op<"partial", [Pure, SingleBlock,
    AttrSizedOperandSegments]> {
  let summary = "Continue a partial result over one block of keys";
  let description = [{
    The partial result of attention for a block of `M` queries is the tuple
    `state`, whose parts depend on the normaliser:

    | part | shape | of | meaning |
    |---|---|---|---|
    | reference t | `[M]` | `softmax` | largest score seen |
    | sum l | `[M]` | `softmax`, `sum` | sum of `exp(s_ij - t_i)`; of `abs(s_ij)` |
    | accumulator a | `[M, Dv]` | all | sum of `prob(w_ij) v_j` |

    with `w_ij = exp(s_ij - t_i)` for `softmax`, else `s_ij`. The identity is
    (-inf, 0, 0). This op adds keys `col .. col + width - 1` to the tuple of
    query rows `row .. row + M - 1` of batch `b` and head `h`. With `bounded`,
    keys at or beyond `Nk` are left out; without it the caller guarantees that
    there are none. Rows at or beyond `Nq` hold unspecified values, which nobody
    stores.

    The weights `w_ij` are not normalised yet, which is right where `prob` is
    linear. Otherwise the keys are visited twice:

    - first for the *statistics*: the tuple has no accumulator;
    - then with `given(t, l)`, the statistics over all keys (for `sum` only `l`):
      the tuple is the accumulator alone, and
      `w_ij = exp(s_ij - t_i) / l_i` (for `sum`: `s_ij / l_i`), 0 where `l_i = 0`.

    With `packed`, `head` counts heads of `key`, and rows count the queries of
    the `G = H / Hk` heads that use it: row `r` is query `r mod Nq` of head
    `head G + r / Nq`. Few queries of grouped heads so share one block.

    With `ranges[g](b0, e0, b1, e1, ...)`, rows come in groups of `g`, and those
    of group n only see the keys `col + b_n .. col + e_n - 1`; others count as
    masked. Bounds are multiples of 8, at least 0 and at most `width`. What they
    leave out need not be computed (`attn-apply-sparsity` writes them).

    Where tokens are a grid, blocks are boxes, and `at` has lists of the indices
    of their first tokens, one per axis. With `box_q([w_0, w_1])`, row r of the
    block is the query `row_a + step_a c_a`, where c are the coordinates of r in
    the box: `r = c_0 w_1 + c_1`, with `c_1 < w_1`. `box_k` says the same of keys;
    `step` is 1 if it is left out. Keys are left out by `bounded`, and rows hold
    unspecified values, where one of their indices is outside of the grid.

    Regions, `scale`, `alignment` and `precision` are those of `attn.attend`. Introduced by
    `attn-split-blocks`.

    Source of the recurrence: Milakov and Gimelshein, "Online normalizer
    calculation for softmax", 2018; Dao et al., "FlashAttention", 2022.

    Example:

    ```mlir
    func.func @block(%q: tensor<?x?x?x8xf32>, %k: tensor<?x?x?x8xf32>,
                     %v: tensor<?x?x?x8xf32>, %b: index, %h: index, %i: index,
                     %j: index, %t: tensor<4xf32>, %l: tensor<4xf32>,
                     %a: tensor<4x8xf32>) -> tensor<4xf32> {
      %r:3 = attn.partial %q, %k, %v at(%b, %h, %i, %j) init(%t, %l, %a)
          width(16) bounded scale(1.000000e+00)
          : tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>
          -> tensor<4xf32>, tensor<4xf32>, tensor<4x8xf32>
      return %r#0 : tensor<4xf32>
    }

    func.func @box(%q: tensor<?x?x?x?x8xf32>, %k: tensor<?x?x?x?x8xf32>,
                   %v: tensor<?x?x?x?x8xf32>, %b: index, %h: index, %y: index,
                   %x: index, %t: tensor<4xf32>, %l: tensor<4xf32>,
                   %a: tensor<4x8xf32>) -> tensor<4xf32> {
      %r:3 = attn.partial %q, %k, %v at(%b, %h, [%y, %x], [%y, %x])
          init(%t, %l, %a) width(16) bounded box_q([2, 2]) box_k([4, 4])
          scale(1.000000e+00)
          : tensor<?x?x?x?x8xf32>, tensor<?x?x?x?x8xf32>, tensor<?x?x?x?x8xf32>
          -> tensor<4xf32>, tensor<4xf32>, tensor<4x8xf32>
      return %r#0 : tensor<4xf32>
    }
    ```
  }];
  let arguments = (ins
    AnyRankedTensor:$query, AnyRankedTensor:$key, AnyRankedTensor:$value,
    Index:$batch, Index:$head,
    Variadic<Index>:$firstQuery, Variadic<Index>:$firstKey,
    Variadic<AnyStaticShapeTensor>:$init,
    Variadic<AnyStaticShapeTensor>:$statistics,
    Variadic<Index>:$ranges, OptionalAttr<I64Attr>:$rangeRows,
    I64Attr:$width, UnitAttr:$bounded, UnitAttr:$packed,
    OptionalAttr<DenseI64ArrayAttr>:$boxQ, OptionalAttr<DenseI64ArrayAttr>:$boxK,
    OptionalAttr<DenseI64ArrayAttr>:$step,
    F64Attr:$scale, OptionalAttr<Attn_Alignment>:$alignment,
    DefaultValuedAttr<Attn_Normalizer, "::attn::Normalizer::Softmax">:$normalizer,
    DefaultValuedAttr<Attn_Precision, "::attn::Precision::IEEE">:$precision);
  let results = (outs Variadic<AnyStaticShapeTensor>:$state);
  let regions = (region AnyRegion:$queryRows, AnyRegion:$keyRows,
                 AnyRegion:$valueRows, AnyRegion:$score, AnyRegion:$mask,
                 AnyRegion:$keys, AnyRegion:$prob);
  let assemblyFormat = [{
    $query `,` $key `,` $value
    `at` `(` $batch `,` $head `,` custom<FirstTokens>($firstQuery, $firstKey) `)`
    `init` `(` $init `)` (`given` `(` $statistics^ `:` type($statistics) `)`)?
    `width` `(` $width `)` (`bounded` $bounded^)? (`packed` $packed^)?
    (`ranges` `` `[` $rangeRows `]` `` `(` $ranges^ `)`)?
    (`box_q` `(` $boxQ^ `)`)? (`box_k` `(` $boxK^ `)`)? (`step` `(` $step^ `)`)?
    `scale` `(` $scale `)` (`alignment` `(` $alignment^ `)`)?
    (`normalizer` `(` $normalizer^ `)`)? (`precision` `(` $precision^ `)`)?
    custom<PartialRegions>($queryRows, $keyRows, $valueRows, $score, $mask,
                           $keys, $prob)
    attr-dict `:` type($query) `,` type($key) `,` type($value)
    `->` custom<SameTypes>(type($init), type($state))
  }];
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::Type getAccumulatorType();
    /// Query rows of the block.
    int64_t getRows();
    /// The first query and the first key of a block of one axis.
    ::mlir::Value getRow() { return getFirstQuery().front(); }
    ::mlir::Value getCol() { return getFirstKey().front(); }
    /// Whether the tuple has an accumulator; else it is statistics only.
    bool accumulates();
  }];
}

def Attn_AddSinkOp : Attn_Op<"add_sink", [Pure, SingleBlock,
    AttrSizedOperandSegments]> {
  let summary = "Add a key whose value is 0 to a softmax partial result";
  let description = [{
    The tuple `init` (t, l) or (t, l, a) of `attn.partial` with one more key,
    whose score for row `r` is `s_r = sink(b, h, position + r)`:

    ```
    t' = max(t, s)   l' = exp(t - t') l + exp(s - t')   a' = exp(t - t') a
    ```

    On a grid, `at` has one index per axis, and `box` and `step` say which tokens
    the rows are, as those of `attn.partial` do.

    Introduced by `attn-split-blocks` after the last block of keys.

    Example: "off by one" softmax (Miller, 2023), whose sink is 0.

    ```mlir
    func.func @rows(%b: index, %h: index, %i: index, %t: tensor<4xf32>,
                    %l: tensor<4xf32>, %a: tensor<4x8xf32>) -> tensor<4xf32> {
      %r:3 = attn.add_sink %t, %l, %a at(%b, %h, %i)
          sink (%bb, %hh, %ii) {
            %zero = arith.constant 0.000000e+00 : f32
            attn.yield %zero : f32
          } : tensor<4xf32>, tensor<4xf32>, tensor<4x8xf32>
      return %r#1 : tensor<4xf32>
    }
    ```
  }];
  let arguments = (ins Variadic<AnyStaticShapeTensor>:$init,
    Index:$batch, Index:$head, Variadic<Index>:$position,
    OptionalAttr<DenseI64ArrayAttr>:$box, OptionalAttr<DenseI64ArrayAttr>:$step);
  let results = (outs Variadic<AnyStaticShapeTensor>:$state);
  let regions = (region AnyRegion:$sink);
  let assemblyFormat = [{
    $init `at` `(` $batch `,` $head `,` $position `)`
    (`box` `(` $box^ `)`)? (`step` `(` $step^ `)`)? custom<SinkRegion>($sink)
    attr-dict `:` custom<SameTypes>(type($init), type($state))
  }];
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
}

def Attn_FinishOp : Attn_Op<"finish", [Pure]> {
  let summary = "Turn a partial result into rows of the output";
  let description = [{
    | tuple | `output` | `lse` |
    |---|---|---|
    | (t, l, a) | `a_i / l_i` | `t_i + log(l_i)` |
    | (l, a) | `a_i / l_i` | |
    | (a) | `a_i` | |

    0 and -inf where `l_i = 0` (no key). With `normalized`, the accumulator comes
    of a second visit and the output is `a_i`. The output is converted to its
    element type.

    Example:

    ```mlir
    func.func @rows(%t: tensor<4xf32>, %l: tensor<4xf32>, %a: tensor<4x8xf32>)
        -> (tensor<4x8xbf16>, tensor<4xf32>) {
      %o, %lse = attn.finish %t, %l, %a
          : tensor<4xf32>, tensor<4xf32>, tensor<4x8xf32>
          -> tensor<4x8xbf16>, tensor<4xf32>
      return %o, %lse : tensor<4x8xbf16>, tensor<4xf32>
    }
    ```
  }];
  let arguments = (ins Variadic<AnyStaticShapeTensor>:$state,
                   UnitAttr:$normalized);
  let results = (outs AnyStaticShapeTensor:$output,
                 Optional<AnyStaticShapeTensor>:$lse);
  let assemblyFormat = [{
    $state (`normalized` $normalized^)? attr-dict `:` type($state) `->`
    type($output) (`,` type($lse)^)?
  }];
  let hasVerifier = 1;
}

#endif // ATTN_DIALECT_ATTNPARTIALOPS_TD
