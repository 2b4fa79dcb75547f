//===- AttnReduceOp.td - Rows of many tokens become one -----*- tablegen -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Sums and maxima over tokens or heads. Included by AttnOps.td.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_DIALECT_ATTNREDUCEOP_TD
#define ATTN_DIALECT_ATTNREDUCEOP_TD

def Attn_ReducedAxis : I32EnumAttr<"ReducedAxis", "which rows become one", [
      I32EnumAttrCase<"Tokens", 0, "tokens">,
      I32EnumAttrCase<"Heads", 1, "heads">]> {
  let cppNamespace = "::attn";
}

def Attn_ReduceOp : Attn_Op<"reduce", [Pure, SingleBlock,
    DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface,
        ["reifyResultShapes"]>]> {
  let summary = "Sum or largest of the rows of all tokens, or of all heads";
  let description = [{
    ```
    output[b, h] = sum or max over n of rows(input[b, h, n], b, h, n)   over(tokens)
    output[b, n] = sum or max over h of rows(input[b, h, n], b, h, n)   over(heads)
    ```

    feature by feature: rows that a sequence has in common, such as the mean of
    its keys or the divisor of a softmax over its tokens, and norms over all heads
    of a token. Regions of other ops read the result as a capture, at `[%b, %h, d]`
    or `[%b, %n, d]`.

    | operand | shape | |
    |---|---|---|
    | `input` | `[B, H, N, D]` | |
    | `output` | `[B, H, D']` or `[B, N, D']` | the accumulator type: f64 for f64 input, else f32 |

    The region `rows` `(%x: tensor<Dxf32>, %b, %h, %n)` is that of `attn.map_rows`;
    without it, rows are taken as they are. It is evaluated, and sums are made, in
    the accumulator type. Without a row, a sum is 0 and a maximum is -inf.

    Example: a softmax over tokens, feature by feature.

    ```mlir
    func.func @softmax(%k: tensor<?x?x?x8xf32>) -> tensor<?x?x?x8xf32> {
      %max = attn.reduce max %k over(tokens) : tensor<?x?x?x8xf32> -> tensor<?x?x8xf32>
      %sum = attn.reduce sum %k over(tokens) rows (%x: tensor<8xf32>, %b, %h, %n) {
        %m = tensor.extract_slice %max[%b, %h, 0] [1, 1, 8] [1, 1, 1]
           : tensor<?x?x8xf32> to tensor<8xf32>
        %d = arith.subf %x, %m : tensor<8xf32>
        %e = math.exp %d : tensor<8xf32>
        attn.yield %e : tensor<8xf32>
      } : tensor<?x?x?x8xf32> -> tensor<?x?x8xf32>
      %y = attn.map_rows %k rows (%x: tensor<8xf32>, %b, %h, %n) {
        %m = tensor.extract_slice %max[%b, %h, 0] [1, 1, 8] [1, 1, 1]
           : tensor<?x?x8xf32> to tensor<8xf32>
        %z = tensor.extract_slice %sum[%b, %h, 0] [1, 1, 8] [1, 1, 1]
           : tensor<?x?x8xf32> to tensor<8xf32>
        %d = arith.subf %x, %m : tensor<8xf32>
        %e = math.exp %d : tensor<8xf32>
        %p = arith.divf %e, %z : tensor<8xf32>
        attn.yield %p : tensor<8xf32>
      } : tensor<?x?x?x8xf32> -> tensor<?x?x?x8xf32>
      return %y : tensor<?x?x?x8xf32>
    }
    ```
  }];
  let arguments = (ins Attn_RowReduction:$kind, AnyRankedTensor:$input,
                   Attn_ReducedAxis:$over);
  let results = (outs AnyRankedTensor:$output);
  let regions = (region AnyRegion:$rows);
  let assemblyFormat = [{
    $kind $input `over` `(` $over `)` custom<OptionalRowRegion>($rows)
    attr-dict `:` type($input) `->` type($output)
  }];
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    /// The dimension of 'input' that disappears: that of tokens or of heads.
    int64_t getReducedDim();
    /// The dimension of heads or of tokens that is left.
    int64_t getKeptDim() { return 3 - getReducedDim(); }
  }];
}

#endif // ATTN_DIALECT_ATTNREDUCEOP_TD
