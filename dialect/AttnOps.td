//===- AttnOps.td - Ops of the attn dialect ----------------*- tablegen -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_DIALECT_ATTNOPS_TD
#define ATTN_DIALECT_ATTNOPS_TD

include "dialect/AttnBase.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

//===----------------------------------------------------------------------===//
// What a variant author meets
//===----------------------------------------------------------------------===//

def Attn_AttendOp : Attn_Op<"attend", [Pure, SingleBlock,
    AttrSizedOperandSegments,
    DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface,
        ["reifyResultShapes"]>]> {
  let summary = "Pairwise attention";
  let description = [{
    For every batch `b`, query head `h` and query `i`:

    ```
    s_ij  = score(scale * <query_rows(q_i), key_rows(k_j)>, b, h, i, j)
    A_i   = { j : mask(b, h, i, j) }
    p_ij  = s_ij normalised over j in A_i
    out_i = sum over j in A_i of prob(p_ij, b, h, i, j) * value_rows(v_j)
    ```

    | operand | shape | |
    |---|---|---|
    | `query` | `[B, H, Nq, Dqk]` | |
    | `key` | `[B, Hk, Nk, Dqk]` | `H` is a multiple of `Hk`; head `h` uses key head `h / (H / Hk)` |
    | `value` | `[B, Hk, Nk, Dv]` | |
    | `output` | `[B, H, Nq, Dv]` | element type of `query` |
    | `lse` | `[B, H, Nq]` | optional, of `softmax`; natural logarithm, f32 (f64 for f64 operands) |

    An operand whose `B` is the static 1 is shared by all batches of the others,
    which are those of the result: learned queries, or keys and values of a
    common prefix.

    Tokens may be a *grid* of two or three axes: operands and output then have
    rank 5 or 6, `[B, H, Y, X, D]` or `[B, H, Z, Y, X, D]`, `lse` one less, and
    regions get one index per axis in the place of each of theirs, those of the
    query first: `mask (%b, %h, %iy, %ix, %jy, %jx)`. Queries and keys may have
    grids of different sizes.

    `scale` defaults to `1 / sqrt(Dqk)`. Products, sums and regions are evaluated
    in the accumulator type: f64 for f64 operands, else f32.

    | `normalizer` | `p_ij` |
    |---|---|
    | `softmax` (default) | `exp(s_ij - lse_i)`, `lse_i = log(sum over j in A_i of exp(s_ij) + exp(sink(b, h, i)))` |
    | `sum` | `s_ij / (sum over j in A_i of abs(s_ij))`; 0 where that sum is 0 |
    | `none` | `s_ij` |

    A query without keys has output 0; its log-sum-exp is -inf, or its sink.

    The regions, each optional:

    - `score (%s: f32, %b, %h, %i, %j)` maps a scaled product to a score;
    - `mask (%b, %h, %i, %j)` yields whether query `i` attends to key `j`;
    - `prob (%p: f32, %b, %h, %i, %j)` maps a normalised weight to the factor of
      the value. Where it is linear in `%p`, keys are visited once; else the
      normaliser is computed first, and keys are visited again;
    - `sink (%b, %h, %i)` yields the score of one more key, whose value is 0
      (`softmax` only);
    - `query`, `key`, `value` `(%x: tensor<Dxf32>, %b, %h, %n)` map the feature
      vector of one token (see `attn.map_rows`, from which `attn-fuse` makes
      them); `%b` and `%h` count batches and heads of the operand, `%n` its rows;
    - `keys (%b, %h, %first, %last)` yields four indices: queries `%first` to
      `%last` attend to no key outside of the first two (begin, end), and to
      every key between the last two. It says nothing that `mask` does not say;
      `attn-infer-sparsity` writes it (see `docs/rationale/sparsity.md`).

    In pair regions the indices are `index` values: any `arith` and `math` on
    them and on captured values is allowed. A captured tensor is read with
    `tensor.extract`; an element outside of it reads as zero. `%i` counts rows
    of `query` under `alignment(start)` and `row + Nk - Nq` under
    `alignment(end)`, so that the last query meets the last key. Without an
    alignment `Nq` must equal `Nk` if a region uses `%i` and `%j` both.

    `mix_scores(w)` and `mix_weights(u)`, matrices `[H, H]`, let heads exchange
    what they computed: head `h` gets `sum over f of w[f, h] * scale * <q_f, k_f>`
    in place of its own product, and uses `sum over f of u[f, h] * p_f` as weights
    of its values. All regions see the mixed score. `attn-decompose` rewrites both
    to longer rows.

    `blocks(offsets, blocks)` lists the blocks of `block_sizes[1]` keys that each
    block of `block_sizes[0]` queries visits, in the form of `attn.block_list`. Keys
    of other blocks count as masked; those of full blocks as not masked, but for
    the last block of keys where it is shorter than the others: it is always
    mixed. Sizes of the first two dimensions are the static 1 where all batches or
    heads have one list. `attn-list-blocks` makes lists where a mask has no closed
    form; they may also be arguments. There is no `keys` region beside a list. On a
    grid the numbers are those of the boxes of `schedule`, which must be given then,
    and boxes that reach beyond the grid may be full.

    With `segments(offsets)`, sequences are packed one behind the other: tokens
    `offsets[g]` to `offsets[g + 1] - 1` are those of sequence `g`, and a query
    meets the keys of its own sequence only. A second operand, `segments(queries,
    keys)`, says where the keys of sequence `g` lie. Every sequence is to pair
    regions and sinks a batch of its own: `%b` is `g`, and `%i` and `%j` count
    from its begin, so a causal mask is the same as without. `alignment(end)` lets
    the last query of each sequence meet its last key. Row regions see the batch 0
    and count all tokens. Sequences may be empty. Batches are a static 1; offsets
    are as those of `attn.recur`. `attn-expand-segments` makes a mask of them.

    `precision(tf32)` is a permission: where operands are of f32, factors of the
    products `<q, k>` and `p v` may be rounded to tf32, which has 11 bits and the
    exponents of f32. Sums stay in f32. Targets and element types without
    instructions for it compute more exactly, as does everything under `ieee`, the
    default. `docs/numerics.md` bounds the errors.

    `max_queries(n)` promises that there are at most `n` queries; it lets
    `attn-select-schedule` share keys among blocks. `attn-specialize` makes such
    ops for numbers of queries that are known at run time only.

    Other normalisers are a score region under `none`: `1 / (1 + exp(-s))` is
    sigmoid attention, `max(s, 0)` is ReLU attention. A key that counts `n` times
    has `log(n)` added to its score. Dropout is a `prob` region that asks
    `attn.random`.

    Blocks of a grid are boxes, which `schedule` describes; `alignment(end)`,
    `max_queries`, `splits`, `segments`, mixed heads and the region `keys` are for
    one axis.

    Sources: Vaswani et al., "Attention Is All You Need", 2017; grouped heads:
    Ainslie et al., "GQA", 2023; mixed heads: Shazeer et al., "Talking-Heads
    Attention", 2020; sinks: Xiao et al., "Efficient Streaming Language
    Models with Attention Sinks", 2023; sigmoid: Ramapuram et al., "Theory,
    Analysis, and Best Practices for Sigmoid Self-Attention", 2024.

    Example:

    ```mlir
    func.func @causal(%q: tensor<?x8x?x64xf32>, %k: tensor<?x2x?x64xf32>,
                      %v: tensor<?x2x?x64xf32>) -> tensor<?x8x?x64xf32> {
      %out = attn.attend %q, %k, %v scale(1.250000e-01) alignment(end)
          mask (%b, %h, %i, %j) {
            %keep = arith.cmpi sge, %i, %j : index
            attn.yield %keep : i1
          } : tensor<?x8x?x64xf32>, tensor<?x2x?x64xf32>, tensor<?x2x?x64xf32>
            -> tensor<?x8x?x64xf32>
      return %out : tensor<?x8x?x64xf32>
    }
    ```

    On a grid: each query meets the 3 x 3 keys around it (Hassani et al.,
    "Neighborhood Attention Transformer", 2023, but for what happens at edges).

    ```mlir
    func.func @around(%q: tensor<?x?x?x?x64xf32>) -> tensor<?x?x?x?x64xf32> {
      %one = arith.constant 1 : index
      %out = attn.attend %q, %q, %q
          mask (%b, %h, %iy, %ix, %jy, %jx) {
            %dy = arith.subi %iy, %jy : index
            %dx = arith.subi %ix, %jx : index
            %ay = math.absi %dy : index
            %ax = math.absi %dx : index
            %far = arith.maxsi %ay, %ax : index
            %keep = arith.cmpi sle, %far, %one : index
            attn.yield %keep : i1
          } : tensor<?x?x?x?x64xf32>, tensor<?x?x?x?x64xf32>,
              tensor<?x?x?x?x64xf32> -> tensor<?x?x?x?x64xf32>
      return %out : tensor<?x?x?x?x64xf32>
    }
    ```
  }];
  let arguments = (ins
    AnyRankedTensor:$query, AnyRankedTensor:$key, AnyRankedTensor:$value,
    Optional<AnyRankedTensor>:$mixScores, Optional<AnyRankedTensor>:$mixWeights,
    Optional<AnyRankedTensor>:$offsets, Optional<AnyRankedTensor>:$blocks,
    Optional<AnyRankedTensor>:$querySegments,
    Optional<AnyRankedTensor>:$keySegments,
    OptionalAttr<F64Attr>:$scale, OptionalAttr<Attn_Alignment>:$alignment,
    DefaultValuedAttr<Attn_Normalizer, "::attn::Normalizer::Softmax">:$normalizer,
    DefaultValuedAttr<Attn_Precision, "::attn::Precision::IEEE">:$precision,
    OptionalAttr<I64Attr>:$max_queries,
    OptionalAttr<DenseI64ArrayAttr>:$block_sizes,
    OptionalAttr<Attn_ScheduleAttr>:$schedule);
  let results = (outs AnyRankedTensor:$output, Optional<AnyRankedTensor>:$lse);
  let regions = (region AnyRegion:$queryRows, AnyRegion:$keyRows,
                 AnyRegion:$valueRows, AnyRegion:$score, AnyRegion:$mask,
                 AnyRegion:$keys, AnyRegion:$prob, AnyRegion:$sink);
  let assemblyFormat = [{
    $query `,` $key `,` $value
    (`mix_scores` `(` $mixScores^ `:` type($mixScores) `)`)?
    (`mix_weights` `(` $mixWeights^ `:` type($mixWeights) `)`)?
    (`blocks` `(` $offsets^ `,` $blocks `:` type($offsets) `,` type($blocks) `)`)?
    (`block_sizes` $block_sizes^)?
    (`segments` `(` $querySegments^ (`,` $keySegments^)? `:`
     type($querySegments) (`,` type($keySegments)^)? `)`)?
    (`scale` `(` $scale^ `)`)? (`alignment` `(` $alignment^ `)`)?
    (`normalizer` `(` $normalizer^ `)`)? (`precision` `(` $precision^ `)`)?
    (`max_queries` `(` $max_queries^ `)`)?
    (`schedule` `(` $schedule^ `)`)?
    custom<AttendRegions>($queryRows, $keyRows, $valueRows, $score, $mask,
                          $keys, $prob, $sink)
    attr-dict `:` type($query) `,` type($key) `,` type($value)
    `->` type($output) (`,` type($lse)^)?
  }];
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
  let hasCanonicalizer = 1;
  let extraClassDeclaration = [{
    /// The scale, with its default 1 / sqrt(Dqk).
    double getScaleValue();
    /// The type that products, sums and regions are evaluated in.
    ::mlir::Type getAccumulatorType();
    /// Whether factors of products may be rounded to tf32.
    bool allowsTf32();
    /// The axes of the grid of tokens.
    int64_t getNumAxes();
    /// The operand whose batches are those of the results.
    ::mlir::Value getBatchOperand();
    /// Where the sequences of the keys begin, if sequences are packed.
    ::mlir::Value getOffsetsOfKeys() {
      return getKeySegments() ? getKeySegments() : getQuerySegments();
    }
    /// Whether heads exchange scores or weights.
    bool mixesHeads() { return getMixScores() || getMixWeights(); }
    /// Whether weights are normalised by a sum that value factors do not enter,
    /// so that keys are visited once.
    bool needsOneSweep();
    /// Whether blocks can share the keys: attn.merge combines results over
    /// parts of them, and queries of several heads can stand in one block.
    bool isMergeable();
  }];
}

def Attn_MapRowsOp : Attn_Op<"map_rows", [Pure, SingleBlock,
    DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface,
        ["reifyResultShapes"]>]> {
  let summary = "Any function of one token's feature vector";
  let description = [{
    `output[b, h, n, :] = rows(input[b, h, n, :], b, h, n)`

    | operand | shape |
    |---|---|
    | `input` | `[B, H, N, D]` |
    | `output` | `[B, H, N, D']`, element type of `input` |

    Tokens may be a grid of two or three axes, `[B, H, Y, X, D]` or
    `[B, H, Z, Y, X, D]`; `rows` then has an index for each of them.

    The region sees the vector as `tensor<Dxf32>` (f64 for f64 operands) and
    yields `tensor<D'xf32>`. Inside it, `arith` and `math` act elementwise on
    vectors of one length and on scalars; `tensor.extract_slice` with constant
    bounds takes part of a vector, or one row of a captured tensor;
    `tensor.concat` joins vectors; `tensor.splat` repeats a scalar;
    `tensor.extract` reads a captured scalar; `attn.reduce_row` sums a vector or
    takes its largest element; `attn.contract_row` multiplies a vector with a
    captured matrix. Elements outside of a captured tensor read as zero.

    Rotary embedding (Su et al., "RoFormer", 2021), features stored in halves:

    ```mlir
    func.func @rope(%x: tensor<?x?x?x8xf32>, %cos: tensor<?x4xf32>,
                    %sin: tensor<?x4xf32>) -> tensor<?x?x?x8xf32> {
      %y = attn.map_rows %x rows (%r: tensor<8xf32>, %b, %h, %n) {
        %c = tensor.extract_slice %cos[%n, 0] [1, 4] [1, 1]
           : tensor<?x4xf32> to tensor<4xf32>
        %s = tensor.extract_slice %sin[%n, 0] [1, 4] [1, 1]
           : tensor<?x4xf32> to tensor<4xf32>
        %lo = tensor.extract_slice %r[0] [4] [1] : tensor<8xf32> to tensor<4xf32>
        %hi = tensor.extract_slice %r[4] [4] [1] : tensor<8xf32> to tensor<4xf32>
        %a0 = arith.mulf %lo, %c : tensor<4xf32>
        %a1 = arith.mulf %hi, %s : tensor<4xf32>
        %a = arith.subf %a0, %a1 : tensor<4xf32>
        %b0 = arith.mulf %hi, %c : tensor<4xf32>
        %b1 = arith.mulf %lo, %s : tensor<4xf32>
        %bb = arith.addf %b0, %b1 : tensor<4xf32>
        %row = tensor.concat dim(0) %a, %bb
             : (tensor<4xf32>, tensor<4xf32>) -> tensor<8xf32>
        attn.yield %row : tensor<8xf32>
      } : tensor<?x?x?x8xf32> -> tensor<?x?x?x8xf32>
      return %y : tensor<?x?x?x8xf32>
    }
    ```
  }];
  let arguments = (ins AnyRankedTensor:$input,
                   OptionalAttr<Attn_ScheduleAttr>:$schedule);
  let results = (outs AnyRankedTensor:$output);
  let regions = (region AnyRegion:$rows);
  let assemblyFormat = [{
    $input (`schedule` `(` $schedule^ `)`)? custom<RowRegion>($rows)
    attr-dict `:` type($input) `->` type($output)
  }];
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
  let hasCanonicalizer = 1;
}

def Attn_RowReduction : I32EnumAttr<"RowReduction", "how a vector becomes a scalar", [
      I32EnumAttrCase<"Sum", 0, "sum">, I32EnumAttrCase<"Max", 1, "max">]> {
  let cppNamespace = "::attn";
}

def Attn_ReduceRowOp : Attn_Op<"reduce_row", [Pure,
    TypesMatchWith<"result is the element type of 'vector'", "vector", "result",
                   "::llvm::cast<::mlir::RankedTensorType>($_self).getElementType()">]> {
  let summary = "Sum or largest element of a feature vector";
  let description = [{
    Used inside row regions, for norms: `sum` is `sum over d of x[d]`, `max` is
    `max over d of x[d]`.

    Example: the root-mean-square norm of Zhang and Sennrich, 2019.

    ```mlir
    func.func @rms(%x: tensor<?x?x?x8xf32>) -> tensor<?x?x?x8xf32> {
      %y = attn.map_rows %x rows (%r: tensor<8xf32>, %b, %h, %n) {
        %sq = arith.mulf %r, %r : tensor<8xf32>
        %sum = attn.reduce_row sum %sq : tensor<8xf32>
        %eighth = arith.constant 1.250000e-01 : f32
        %mean = arith.mulf %sum, %eighth : f32
        %inv = math.rsqrt %mean : f32
        %scale = tensor.splat %inv : tensor<8xf32>
        %z = arith.mulf %r, %scale : tensor<8xf32>
        attn.yield %z : tensor<8xf32>
      } : tensor<?x?x?x8xf32> -> tensor<?x?x?x8xf32>
      return %y : tensor<?x?x?x8xf32>
    }
    ```
  }];
  let arguments = (ins Attn_RowReduction:$kind, AnyRankedTensor:$vector);
  let results = (outs AnyFloat:$result);
  let assemblyFormat = "$kind $vector attr-dict `:` type($vector)";
  let hasVerifier = 1;
}

def Attn_ContractRowOp : Attn_Op<"contract_row", [Pure]> {
  let summary = "Product of a feature vector with a captured matrix";
  let description = [{
    `result[e] = sum over d of vector[d] * matrix[indices..., d, e]`

    Used inside row regions, for projections and learned feature maps. `matrix`
    is a captured tensor whose last two sizes are static; `indices` select one of
    its matrices. They may depend on `%b`, `%h` and captured values, but not on
    the row: all rows of a block meet one matrix. Its element type may be narrower
    than that of `vector`, in which sums are made. Elements outside of the capture
    read as zero.

    Where a row map is fused into `attn.attend`, the product is computed again
    for each block that loads the rows, and queries of heads with matrices of
    their own do not share a block; `attn-fuse` therefore leaves it where it is.

    Example: a projection per head.

    ```mlir
    func.func @project(%x: tensor<?x?x?x8xf32>, %w: tensor<?x8x4xf32>)
        -> tensor<?x?x?x4xf32> {
      %y = attn.map_rows %x rows (%r: tensor<8xf32>, %b, %h, %n) {
        %z = attn.contract_row %r, %w[%h]
           : tensor<8xf32>, tensor<?x8x4xf32> -> tensor<4xf32>
        attn.yield %z : tensor<4xf32>
      } : tensor<?x?x?x8xf32> -> tensor<?x?x?x4xf32>
      return %y : tensor<?x?x?x4xf32>
    }
    ```
  }];
  let arguments = (ins AnyRankedTensor:$vector, AnyRankedTensor:$matrix,
                   Variadic<Index>:$indices);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    $vector `,` $matrix `[` $indices `]` attr-dict
    `:` type($vector) `,` type($matrix) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Attn_MergeOp : Attn_Op<"merge", [Pure, SingleBlock,
    DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface,
        ["reifyResultShapes"]>]> {
  let summary = "Combine softmax attention over several sets of keys";
  let description = [{
    `outputs` and `lses` are what `attn.attend` yields for the same queries and
    `S` sets of keys that have no key in common. The result is what it yields for
    all keys:

    ```
    lse_i    = log(sum over s of exp(lses[s]_i) + exp(sink(b, h, i)))
    output_i = sum over s of exp(lses[s]_i - lse_i) * outputs[s]_i
    ```

    | operand | shape | |
    |---|---|---|
    | `outputs` | `[S, B, H, N, D]` | static `S`; the accumulator type of `output`, or its type |
    | `lses` | `[S, B, H, N]` | natural logarithms, in the accumulator type |
    | `output` | `[B, H, N, D]` | |
    | `lse` | `[B, H, N]` | optional, type of `lses` |

    A query without keys in any set has output 0 and log-sum-exp -inf. The region
    `sink` is that of `attn.attend`; `%i` counts rows. Sets are combined in
    order, so the bits are the same each time.

    Sources: Milakov and Gimelshein, "Online normalizer calculation for softmax",
    2018; Dao et al., "Flash-Decoding for long-context inference", 2023.

    Example:

    ```mlir
    func.func @cascade(%outs: tensor<2x?x?x?x8xf32>, %lses: tensor<2x?x?x?xf32>)
        -> (tensor<?x?x?x8xf32>, tensor<?x?x?xf32>) {
      %out, %lse = attn.merge %outs, %lses
          : tensor<2x?x?x?x8xf32>, tensor<2x?x?x?xf32>
          -> tensor<?x?x?x8xf32>, tensor<?x?x?xf32>
      return %out, %lse : tensor<?x?x?x8xf32>, tensor<?x?x?xf32>
    }
    ```
  }];
  let arguments = (ins AnyRankedTensor:$outputs, AnyRankedTensor:$lses,
                   OptionalAttr<Attn_ScheduleAttr>:$schedule);
  let results = (outs AnyRankedTensor:$output, Optional<AnyRankedTensor>:$lse);
  let regions = (region AnyRegion:$sink);
  let assemblyFormat = [{
    $outputs `,` $lses (`schedule` `(` $schedule^ `)`)?
    custom<OptionalSinkRegion>($sink) attr-dict `:` type($outputs) `,`
    type($lses) `->` type($output) (`,` type($lse)^)?
  }];
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
}

def Attn_YieldOp : Attn_Op<"yield", [Pure, Terminator, ReturnLike,
    ParentOneOf<["AttendOp", "MapRowsOp", "ReduceOp", "RecurOp", "RecurChunkOp",
                 "PartialOp", "AddSinkOp", "MergeOp", "BlockListOp"]>]> {
  let summary = "Ends a region of an attn op with what it yields";
  let description = [{
    Example: `attn.yield %keep : i1` ends a `mask` region. A `keys` region yields
    four values, a `classes` region two, all others one.
  }];
  let arguments = (ins Variadic<AnyType>:$values);
  let assemblyFormat = "$values attr-dict `:` type($values)";
}

def Attn_RandomOp : Attn_Op<"random", [Pure]> {
  let summary = "A uniform random number that a counter determines";
  let description = [{
    `u = floor(w / 2^8) / 2^24`, where `w` is the first 32-bit word of
    Philox4x32-10 with the two halves of `seed` as key, the low one first, and
    `counter` as counter, each reduced modulo 2^32; words that are not given are
    0. So `u` is in [0, 1), a multiple of 2^-24, and the same wherever, whenever
    and in whatever order it is asked for.

    Stands in pair regions of attn ops.

    Source: Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", 2011.

    Example: dropout (Srivastava et al., 2014) of a tenth of the weights.

    ```mlir
    func.func @dropout(%x: tensor<?x?x?x8xf32>, %seed: tensor<i64>)
        -> tensor<?x?x?x8xf32> {
      %rate = arith.constant 1.000000e-01 : f32
      %inverse = arith.constant 1.11111116 : f32
      %zero = arith.constant 0.000000e+00 : f32
      %out = attn.attend %x, %x, %x
          prob (%p: f32, %b, %h, %i, %j) {
            %key = tensor.extract %seed[] : tensor<i64>
            %u = attn.random %key at(%i, %j, %h, %b) : f32
            %keep = arith.cmpf oge, %u, %rate : f32
            %scaled = arith.mulf %p, %inverse : f32
            %kept = arith.select %keep, %scaled, %zero : f32
            attn.yield %kept : f32
          } : tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>
            -> tensor<?x?x?x8xf32>
      return %out : tensor<?x?x?x8xf32>
    }
    ```
  }];
  let arguments = (ins I64:$seed, Variadic<Index>:$counter);
  let results = (outs AnyTypeOf<[F32, F64]>:$result);
  let assemblyFormat =
      "$seed `at` `(` $counter `)` attr-dict `:` type($result)";
  let hasVerifier = 1;
}

include "dialect/AttnBlockOps.td"
include "dialect/AttnGatherOp.td"
include "dialect/AttnSegmentOp.td"
include "dialect/AttnReduceOp.td"
include "dialect/AttnRecurOp.td"
include "dialect/AttnPartialOps.td"

#endif // ATTN_DIALECT_ATTNOPS_TD
