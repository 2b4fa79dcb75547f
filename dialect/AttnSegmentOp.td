//===- AttnSegmentOp.td - Where the sequence of each token lies -*- tablegen -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What packed sequences become masks with. Included by AttnOps.td.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_DIALECT_ATTNSEGMENTOP_TD
#define ATTN_DIALECT_ATTNSEGMENTOP_TD

def Attn_SegmentBoundsOp : Attn_Op<"segment_bounds", [Pure,
    TypesMatchWith<"'number' and 'begin' have one type", "number", "begin", "$_self">,
    TypesMatchWith<"'number' and 'end' have one type", "number", "end", "$_self">,
    DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface,
        ["reifyResultShapes"]>]> {
  let summary = "Of each token, where its packed sequence lies";
  let description = [{
    Tokens `segments[g]` to `segments[g + 1] - 1`, of `tokens` in all, are those of
    sequence `g`, one of G. For each token `t`, with `g` its sequence:

    ```
    number[t] = g
    begin[t]  = bounds[g]
    end[t]    = bounds[g + 1]
    ```

    `bounds` are offsets of the same sequences in another packed tensor, which has
    `limit` tokens, or `segments` again. A token of no sequence has `number[t]` = G
    and `begin[t]` = `end[t]` = `limit`. So no result decreases from one token to the
    next, if offsets do not.

    | operand | shape | |
    |---|---|---|
    | `segments`, `bounds` | `[G + 1]` of i32 or i64 | offsets, as those of `attn.recur` |
    | `number`, `begin`, `end` | `[tokens]` of i32 | |

    Offsets that decrease or exceed the tokens are moved to where they fit.
    Introduced by `attn-expand-segments` for masks, which read the results by the
    position of the query; `attn-infer-sparsity` knows that they do not decrease.

    Example: the keys that each query may meet.

    ```mlir
    func.func @keys(%of_queries: tensor<?xi32>, %of_keys: tensor<?xi32>, %nq: index, %nk: index)
        -> (tensor<?xi32>, tensor<?xi32>, tensor<?xi32>) {
      %number, %begin, %end = attn.segment_bounds %of_queries, %of_keys tokens(%nq) limit(%nk)
          : tensor<?xi32>, tensor<?xi32> -> tensor<?xi32>
      return %number, %begin, %end : tensor<?xi32>, tensor<?xi32>, tensor<?xi32>
    }
    ```
  }];
  let arguments = (ins AnyRankedTensor:$segments, AnyRankedTensor:$bounds,
                   Index:$tokens, Index:$limit);
  let results = (outs AnyRankedTensor:$number, AnyRankedTensor:$begin,
                 AnyRankedTensor:$end);
  let assemblyFormat = [{
    $segments `,` $bounds `tokens` `(` $tokens `)` `limit` `(` $limit `)` attr-dict
    `:` type($segments) `,` type($bounds) `->` type($number)
  }];
  let hasVerifier = 1;
}

#endif // ATTN_DIALECT_ATTNSEGMENTOP_TD
