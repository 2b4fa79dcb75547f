//===- AttnBase.td - The attn dialect: what a variant computes -*- tablegen -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_DIALECT_ATTNBASE_TD
#define ATTN_DIALECT_ATTNBASE_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/DialectBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpBase.td"

def Attn_Dialect : Dialect {
  let name = "attn";
  let cppNamespace = "::attn";
  let summary = "What an attention variant computes";
  let description = [{
    A variant is a function over ranked tensors `[B, H, N, D]` built from the
    ops of this dialect. How it is blocked is decided by passes and written in
    the `tile` dialect.

    Arguments and results of such a function carry names and named dimensions:

    - `attn.name = "q"`: how tools and messages call the argument or result;
    - `attn.dims = ["B", "H", "N", "D"]`: one name per dimension. Equal names
      mean equal sizes, in one argument and across all of them; `"G+1"` is one
      more than `"G"`;
    - `attn.fill = "normal" | "uniform" | "decay" | "below BOUND" | "segments BOUND" | "offsets DIM" | "one of NUMBERS"`:
      what `attn-run` fills the argument with when no file is given: standard
      normal (the default), uniform in [0, 1), plausible negative logarithms of a
      decay, integers from 0 up to, not including, a number or the size of a
      dimension, in any order or sorted along the last dimension, offsets of
      segments: integers that go up from 0 to that size, or any of some numbers,
      as in `"one of 0 -50 -1000"`;
    - `attn.result`: a unit attribute on a memref argument that the function
      writes; `attn-to-tile` sets it where results become arguments;
    - on the function, `attn.defaults = {B = 1, H = 4, N = 256}`: the sizes that
      tools assume where none are given.
  }];
  let useDefaultAttributePrinterParser = 1;
  let hasOperationAttrVerify = 1;
  let hasRegionArgAttrVerify = 1;
  let hasRegionResultAttrVerify = 1;
}

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

def Attn_Alignment : I32EnumAttr<"Alignment",
    "which query position row 0 has when there are more or fewer queries than keys", [
      I32EnumAttrCase<"Start", 0, "start">,
      I32EnumAttrCase<"End", 1, "end">]> {
  let cppNamespace = "::attn";
}

def Attn_Normalizer : I32EnumAttr<"Normalizer",
    "what makes weights of the scores of one query", [
      I32EnumAttrCase<"Softmax", 0, "softmax">,
      I32EnumAttrCase<"Sum", 1, "sum">,
      I32EnumAttrCase<"None", 2, "none">]> {
  let cppNamespace = "::attn";
}

def Attn_Precision : I32EnumAttr<"Precision",
    "what the factors of products may be rounded to", [
      I32EnumAttrCase<"IEEE", 0, "ieee">,
      I32EnumAttrCase<"TF32", 1, "tf32">]> {
  let cppNamespace = "::attn";
}

def Attn_WriteRule : I32EnumAttr<"WriteRule",
    "what a token adds to the state of a recurrence", [
      I32EnumAttrCase<"Additive", 0, "additive">,
      I32EnumAttrCase<"Tied", 1, "tied">,
      I32EnumAttrCase<"Scaled", 2, "scaled">]> {
  let cppNamespace = "::attn";
}

def Attn_ReadTime : I32EnumAttr<"ReadTime",
    "whether a token reads the state after or before it writes to it", [
      I32EnumAttrCase<"After", 0, "after">,
      I32EnumAttrCase<"Before", 1, "before">]> {
  let cppNamespace = "::attn";
}

def Attn_TokenOrder : I32EnumAttr<"TokenOrder",
    "in which direction a recurrence visits tokens", [
      I32EnumAttrCase<"Causal", 0, "causal">,
      I32EnumAttrCase<"Reversed", 1, "reversed">,
      I32EnumAttrCase<"Bidirectional", 2, "bidirectional">]> {
  let cppNamespace = "::attn";
}

/// A list of numbers, one per axis of a grid of tokens; null if left out.
def Attn_PerAxis : OptionalParameter<"::mlir::DenseI64ArrayAttr">;

def Attn_ScheduleAttr : AttrDef<Attn_Dialect, "Schedule"> {
  let mnemonic = "schedule";
  let summary = "How an op is blocked";
  let description = [{
    Decisions of `attn-select-schedule`, or of the user, who may pass `--schedule`:

    - `block_q`: query rows of a block, which is the unit of parallel work; of
      a recurrence: tokens of a chunk;
    - `block_k`: key rows visited at a time; columns of a recurrence's state;
    - `splits`: for few queries and many keys. 0, the default: one block visits
      all keys. Else that many share them, a block has the queries of all heads
      of one key head, and `attn.merge` combines the parts. Of a recurrence:
      parts of the sequence that are visited in parallel;
    - `warps`, of attention on GPUs: warps of a block, of 32 threads each. 0, the
      default, is what the target has;
    - `stages`, on GPUs: blocks of keys and values, or chunks of a recurrence,
      that shared memory has room for. 0, the default, is one; of attention, one
      half of it is copied while the other is read. With more, the copies of a
      block or chunk begin that many, less one, before it is read;
    - `overlap`, of attention on GPUs: 1 if a warp multiplies the weights of a
      block of keys with its values while it computes the weights of the next
      block. 0, the default: one after the other;
    - `resident`, on GPUs: how many blocks a multiprocessor has at a time, for
      which registers of a thread are limited. 0, the default: as many as leave
      a thread the most registers it can have, which is two of 4 warps.

    Where tokens are a grid, a block is a *box* of them:

    - `box_q`, `box_k`: the sizes of a box of queries and of one of keys along
      each axis; their products are `block_q` and `block_k`;
    - `step`: the distance of neighbouring tokens of a box along each axis, 1 if
      it is left out. With a step of d, the tokens of an axis that are equal
      modulo d are cut into boxes of their own.

    Examples: `#attn.schedule<block_q = 96, block_k = 64>`,
    `#attn.schedule<block_q = 64, block_k = 64, box_q = [8, 8], box_k = [8, 8]>`
  }];
  let parameters = (ins "int64_t":$block_q, "int64_t":$block_k,
                        DefaultValuedParameter<"int64_t", "0">:$splits,
                        DefaultValuedParameter<"int64_t", "0">:$warps,
                        DefaultValuedParameter<"int64_t", "0">:$stages,
                        DefaultValuedParameter<"int64_t", "0">:$overlap,
                        DefaultValuedParameter<"int64_t", "0">:$resident,
                        Attn_PerAxis:$box_q, Attn_PerAxis:$box_k,
                        Attn_PerAxis:$step);
  let builders = [
    AttrBuilder<(ins "int64_t":$blockQ, "int64_t":$blockK,
                     CArg<"int64_t", "0">:$splits,
                     CArg<"int64_t", "0">:$warps,
                     CArg<"int64_t", "0">:$stages,
                     CArg<"int64_t", "0">:$resident), [{
      return $_get($_ctxt, blockQ, blockK, splits, warps, stages, /*overlap=*/0,
                   resident, ::mlir::DenseI64ArrayAttr(), ::mlir::DenseI64ArrayAttr(),
                   ::mlir::DenseI64ArrayAttr());
    }]>
  ];
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// Whether blocks are boxes of a grid.
    bool hasBoxes() const { return bool(getBoxQ()); }
  }];
}

class Attn_Op<string mnemonic, list<Trait> traits = []>
    : Op<Attn_Dialect, mnemonic, traits>;

#endif // ATTN_DIALECT_ATTNBASE_TD
