//===- AttnGatherOp.td - Rows from where a table says -----*- tablegen -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Rows that lie in pages or in another order. Included by AttnOps.td.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_DIALECT_ATTNGATHEROP_TD
#define ATTN_DIALECT_ATTNGATHEROP_TD

def Attn_GatherOp : Attn_Op<"gather", [Pure,
    DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface,
        ["reifyResultShapes"]>]> {
  let summary = "The rows of each batch, from the pages that a table names";
  let description = [{
    `output[b, h, n, :] = source[table[b, n / S], n mod S, h, :]`

    with the quotient rounded down: the tokens of batch b lie in pages of `S`
    tokens, and `table` names its pages in order. Pages of one token are a
    permutation, or any choice of rows.

    | operand | shape | |
    |---|---|---|
    | `source` | `[P, S, H, D]` | static `S` |
    | `table` | `[B, M]` | integers |
    | `output` | `[B, H, M S, D]` | element type of `source` |

    A page may be named several times or not at all. One that is not in `source`,
    as numbers below 0 or of P and more, reads as zero. `attn-decompose` makes an
    `attn.map_rows` of it, which `attn-fuse` moves into an `attn.attend` that reads
    the rows: then they are loaded from their pages and never copied.

    Source: Kwon et al., "Efficient Memory Management for Large Language Model
    Serving with PagedAttention", 2023, section 4.1.

    Example:

    ```mlir
    func.func @paged(%q: tensor<?x?x1x64xf32>, %pages: tensor<?x16x?x64xf32>, %table: tensor<?x?xi32>)
        -> tensor<?x?x1x64xf32> {
      %k = attn.gather %pages at(%table) : tensor<?x16x?x64xf32>, tensor<?x?xi32> -> tensor<?x?x?x64xf32>
      %out = attn.attend %q, %k, %k : tensor<?x?x1x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>
          -> tensor<?x?x1x64xf32>
      return %out : tensor<?x?x1x64xf32>
    }
    ```
  }];
  let arguments = (ins AnyRankedTensor:$source, AnyRankedTensor:$table);
  let results = (outs AnyRankedTensor:$output);
  let assemblyFormat = [{
    $source `at` `(` $table `)` attr-dict `:` type($source) `,` type($table)
    `->` type($output)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// How many tokens a page has.
    int64_t getPageSize();
  }];
}

#endif // ATTN_DIALECT_ATTNGATHEROP_TD
