//===- AttnRecurOp.td - Recurrences over a matrix of state -*- tablegen -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Linear attention with decay. Included by AttnOps.td.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_DIALECT_ATTNRECUROP_TD
#define ATTN_DIALECT_ATTNRECUROP_TD

/// What a recurrence says about itself, whole or chunk by chunk.
defvar Attn_RecurDeclarations = [{
    /// The scale, with its default 1.
    double getScaleValue();
    /// The type that decays, states and regions are evaluated in.
    ::mlir::Type getAccumulatorType();
    /// How many rows (K) and columns (V) the state has: the features of query
    /// and value rows, after their row maps.
    int64_t getStateRows();
    int64_t getStateColumns();
    /// Whether tokens or heads decay, and whether channels do so on their own.
    bool hasGate() { return getGate() != nullptr; }
    bool hasGatePerToken();
    bool hasGatePerChannel();
    /// Whether the output depends on the denominator.
    bool usesDenominator();
}];

def Attn_RecurOp : Attn_Op<"recur", [Pure, SingleBlock,
    AttrSizedOperandSegments,
    DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface,
        ["reifyResultShapes"]>]> {
  let summary = "Matrix-state recurrence: linear attention with decay";
  let description = [{
    Each batch `b` and head `h` has a state `S`, a matrix `[K, V]`. Token by
    token,

    ```
    S_t   = Diag(exp(gate_t)) S_(t-1) + beta_t * key_rows(k_t) value_rows(v_t)^T
    num_t = scale * S_t^T query_rows(q_t)
    out_t = norm(num_t, den_t, b, h, t)
    ```

    where `den_t` is `num_t` with all values replaced by the number 1, so that
    `num_t / den_t` is an average of values. There are no pairs of tokens, and
    what a token costs does not depend on how many came before it.

    | operand | shape | |
    |---|---|---|
    | `query` | `[B, Hq, N, D]` | `H` is a multiple of `Hq`; head `h` uses query head `h / (H / Hq)` |
    | `key` | `[B, Hk, N, D']` | `H` is a multiple of `Hk`; absent under `write(tied)` |
    | `value` | `[B, H, N, D'']` | |
    | `gate` | `[H]`, `[B, H, N]` or `[B, H, N, K]` | optional: natural logarithm of the decay, of all tokens of a head, of a token, or of a token and channel of the key; `[B, H, N, 1]` is one of a token |
    | `beta` | `[B, H, N]` or `[B, H, N, 1]` | of `write(scaled)` |
    | `bonus` | `[H, K]` | optional, of `read(before)` |
    | `initial` | `[B, H, K, V]` | optional: the state before the first token, else 0; the accumulator type. A static batch size of 1 is shared by all batches |
    | `segments` | `[G + 1]` of i32 or i64 | optional: where sequences begin that are packed one behind the other; then B is 1 |
    | `output` | `[B, H, N, V']` | element type of `query` |
    | `state` | `[B, H, K, V]` | optional: the state after the last token, in the accumulator type |

    Gates are finite and at most 0. A layer that computes them, by a sigmoid or a
    softplus, is an `attn.map_rows` before the op, in the type of the gates. `scale` defaults to 1. Decays, states, sums and regions are evaluated in the
    accumulator type: f64 for f64 operands, else f32.

    | `write` | the token adds |
    |---|---|
    | `additive` (default) | `k_t v_t^T` |
    | `tied` | `(1 - exp(gate_t)) v_t^T`; `gate` is `[B, H, N, K]` |
    | `scaled` | `beta_t k_t v_t^T` |

    | `read` | `num_t / scale` |
    |---|---|
    | `after` (default) | `S_t^T q_t` |
    | `before` | `S_(t-1)^T q_t`, and with a bonus `u` also `<q_t, u_h * w_t> v_t`, where `w_t v_t^T` is what the token adds |

    | `order` | tokens |
    |---|---|
    | `causal` (default) | first to last |
    | `reversed` | last to first: `t + 1` stands for `t - 1` above; `initial` comes before token `N - 1`, `state` after token 0 |
    | `bidirectional` | both, each with a state of its own; `num_t` is the sum of both, in which token `t` itself counts once; no `initial`, no `state` |

    With `segments`, tokens `segments[g] .. segments[g + 1] - 1` are sequence `g`
    of G, and each sequence is a recurrence of its own, in any order. The batch
    size of query, key and value is a static 1. `initial` and `state` have one
    state per sequence, `[G, H, K, V]`: a sequence without tokens leaves its
    initial one. Offsets begin with 0, do not decrease and do not exceed N; a
    token from the last offset on belongs to no sequence, and its output is 0. Others are
    moved to where they fit: what is computed is then not specified, but nothing outside
    of the operands is read or written. In regions, `%n` and `%i` count the
    tokens of all sequences.

    The regions, each optional:

    - `query`, `key`, `value` `(%x: tensor<Dxf32>, %b, %h, %n)` map the feature
      vector of one token, as those of `attn.attend` do;
    - `norm (%num: tensor<Vxf32>, %den: f32, %b, %h, %i)` yields the output of
      token `%i`: a ratio, with an epsilon or a clamp, a norm, a gate, or a sum
      with a captured row. `%h` counts the heads of `value`. Without it the output
      is `%num`. Where it uses `%den`, there is neither `initial` nor `state`,
      which do not hold the denominator: a 1 that is appended to value rows
      carries it.

    Not here yet: the delta rule, whose transition is `Diag(exp(gate_t))`
    followed by `I - beta_t k_t k_t^T`. It will be one more rule of `write`, with
    `beta` as operand.

    `max_tokens(n)` promises that there are at most `n` tokens. Under
    `max_tokens(1)` all orders are alike, and `attn-select-schedule` chooses a
    chunk of one token; `attn-specialize` makes such ops for numbers of tokens that are
    known at run time only.

    A `schedule` says how the op is blocked: `block_q` tokens are a chunk, whose pairs are
    computed as products of matrices, and `block_k` columns of the state are the
    unit of independent work. A chunk of one token has no products: it is one pass
    over the state. With `splits`, so many parts of the sequence are
    visited in parallel, twice: for the states that they leave, and, once these are
    merged, for their rows. With `segments`, sequences are parallel work, and there
    are no `splits`.

    Sources: Katharopoulos et al., "Transformers are RNNs", 2020 (`norm`);
    Sun et al., "Retentive Network", 2023 (constant gates); Yang et al., "Gated
    Linear Attention Transformers with Hardware-Efficient Training", 2024 (gates
    per channel); Dao and Gu, "Transformers are SSMs", 2024 (scaled writes);
    Qin et al., "HGRN2", 2024 (tied keys); Peng et al., "Eagle and Finch", 2024
    (bonus).

    Example: a causal average of values.

    ```mlir
    func.func @average(%q: tensor<?x4x?x64xf32>, %k: tensor<?x4x?x64xf32>,
                       %v: tensor<?x4x?x32xf32>, %g: tensor<?x4x?x64xf32>)
        -> tensor<?x4x?x32xf32> {
      %out = attn.recur %q, %k, %v gate(%g : tensor<?x4x?x64xf32>) scale(1.250000e-01)
          norm (%num: tensor<32xf32>, %den: f32, %b, %h, %i) {
            %row = tensor.splat %den : tensor<32xf32>
            %y = arith.divf %num, %row : tensor<32xf32>
            attn.yield %y : tensor<32xf32>
          } : tensor<?x4x?x64xf32>, tensor<?x4x?x64xf32>, tensor<?x4x?x32xf32>
            -> tensor<?x4x?x32xf32>
      return %out : tensor<?x4x?x32xf32>
    }
    ```

    Example: sequences of several lengths, each from a state of its own.

    ```mlir
    func.func @packed(%x: tensor<1x4x?x64xf32>, %g: tensor<1x4x?xf32>,
                      %offsets: tensor<?xi32>, %h0: tensor<?x4x64x64xf32>)
        -> (tensor<1x4x?x64xf32>, tensor<?x4x64x64xf32>) {
      %out, %ht = attn.recur %x, %x, %x gate(%g : tensor<1x4x?xf32>)
          initial(%h0 : tensor<?x4x64x64xf32>) segments(%offsets : tensor<?xi32>)
          : tensor<1x4x?x64xf32>, tensor<1x4x?x64xf32>, tensor<1x4x?x64xf32>
            -> tensor<1x4x?x64xf32>, tensor<?x4x64x64xf32>
      return %out, %ht : tensor<1x4x?x64xf32>, tensor<?x4x64x64xf32>
    }
    ```
  }];
  let arguments = (ins
    AnyRankedTensor:$query, Optional<AnyRankedTensor>:$key,
    AnyRankedTensor:$value, Optional<AnyRankedTensor>:$gate,
    Optional<AnyRankedTensor>:$beta, Optional<AnyRankedTensor>:$bonus,
    Optional<AnyRankedTensor>:$initial, Optional<AnyRankedTensor>:$segments,
    OptionalAttr<F64Attr>:$scale,
    DefaultValuedAttr<Attn_WriteRule, "::attn::WriteRule::Additive">:$write,
    DefaultValuedAttr<Attn_ReadTime, "::attn::ReadTime::After">:$read,
    DefaultValuedAttr<Attn_TokenOrder, "::attn::TokenOrder::Causal">:$order,
    OptionalAttr<I64Attr>:$max_tokens, OptionalAttr<Attn_ScheduleAttr>:$schedule);
  let results = (outs AnyRankedTensor:$output, Optional<AnyRankedTensor>:$state);
  let regions = (region AnyRegion:$queryRows, AnyRegion:$keyRows,
                 AnyRegion:$valueRows, AnyRegion:$norm);
  let assemblyFormat = [{
    custom<RecurRows>($query, $key, $value)
    (`gate` `(` $gate^ `:` type($gate) `)`)?
    (`beta` `(` $beta^ `:` type($beta) `)`)?
    (`bonus` `(` $bonus^ `:` type($bonus) `)`)?
    (`initial` `(` $initial^ `:` type($initial) `)`)?
    (`segments` `(` $segments^ `:` type($segments) `)`)?
    (`scale` `(` $scale^ `)`)? (`write` `(` $write^ `)`)?
    (`read` `(` $read^ `)`)? (`order` `(` $order^ `)`)?
    (`max_tokens` `(` $max_tokens^ `)`)? (`schedule` `(` $schedule^ `)`)?
    custom<RecurRegions>($queryRows, $keyRows, $valueRows, $norm)
    attr-dict `:` custom<RecurRowTypes>(type($query), type($key), type($value))
    `->` type($output) (`,` type($state)^)?
  }];
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
  let extraClassDeclaration = Attn_RecurDeclarations # [{
    /// Whether there is certainly no more than one token.
    bool hasOneToken();
  }];
}

def Attn_LoadStateOp : Attn_Op<"load_state", [Pure]> {
  let summary = "A block of columns of the state of a head";
  let description = [{
    Rows from `row` on and columns from `col` on of the state of a batch (or of a segment) and a head; what lies
    outside of `initial` is 0. A static batch size
    of 1 is shared by all batches. Introduced by `attn-split-blocks`.

    Example:

    ```mlir
    func.func @begin(%h0: tensor<?x?x24x128xf32>, %b: index, %h: index, %v: index)
        -> tensor<32x64xf32> {
      %c0 = arith.constant 0 : index
      %s = attn.load_state %h0 at(%b, %h, %c0, %v) : tensor<?x?x24x128xf32> -> tensor<32x64xf32>
      return %s : tensor<32x64xf32>
    }
    ```
  }];
  let arguments = (ins AnyRankedTensor:$initial, Index:$batch, Index:$head,
                   Index:$row, Index:$col);
  let results = (outs AnyStaticShapeTensor:$state);
  let assemblyFormat = [{
    $initial `at` `(` $batch `,` $head `,` $row `,` $col `)` attr-dict
    `:` type($initial) `->` type($state)
  }];
  let hasVerifier = 1;
}

def Attn_MergeStateOp : Attn_Op<"merge_state",
    [Pure, AllTypesMatch<["init", "state"]>]> {
  let summary = "The state behind a part of a sequence";
  let description = [{
    A part of a sequence turns the state `init` before it into

    `result[k, v] = parts[b, h, row + k, decay] * init[k, v] + parts[b, h, row + k, col + v]`,

    where `parts` has, from row `row` on, in column `decay` what the part leaves of
    rows of the state, and in columns `col ..` the state that it makes of 0. What lies outside of `parts`
    is 0. Introduced by `attn-split-blocks` where parts are visited in parallel:
    this is the associative combination of their results (docs/rationale/recur.md).

    Example: a state of 64 columns, with its decays behind them.

    ```mlir
    func.func @behind(%parts: tensor<?x?x?x65xf32>, %b: index, %h: index, %row: index,
                      %s: tensor<32x64xf32>) -> tensor<32x64xf32> {
      %c0 = arith.constant 0 : index
      %c64 = arith.constant 64 : index
      %next = attn.merge_state %parts at(%b, %h, %row, %c0) decay(%c64) init(%s)
          : tensor<?x?x?x65xf32>, tensor<32x64xf32>
      return %next : tensor<32x64xf32>
    }
    ```
  }];
  let arguments = (ins AnyRankedTensor:$parts, Index:$batch, Index:$head,
                   Index:$row, Index:$col, Index:$decay,
                   AnyStaticShapeTensor:$init);
  let results = (outs AnyStaticShapeTensor:$state);
  let assemblyFormat = [{
    $parts `at` `(` $batch `,` $head `,` $row `,` $col `)` `decay` `(` $decay `)`
    `init` `(` $init `)` attr-dict `:` type($parts) `,`
    type($init)
  }];
  let hasVerifier = 1;
}

def Attn_RecurChunkOp : Attn_Op<"recur_chunk", [Pure, SingleBlock,
    AttrSizedOperandSegments, AttrSizedResultSegments]> {
  let summary = "Take a recurrence past one chunk of tokens";
  let description = [{
    The tokens `row .. row + length - 1` of batch `b` and head `h`, as far as they
    exist, in the order of the op; under `reversed` the last one comes first. The
    state is the tuple

    | part | shape | |
    |---|---|---|
    | S | `[R, V']` | columns `col .. col + V' - 1` of the state; rows from `K` on are 0 |
    | z | `[R, 1]` | the state of the denominator, where `norm` uses it |

    before the chunk in `init`, behind it in `state`. `output` holds the rows of
    the tokens, normalised; those of tokens that do not exist are not specified. Either of
    `output` and `state` may be absent. Both are computed from products of
    matrices (`docs/rationale/recur.md`), not token by token. A chunk of `length(1)` is
    one step: rows of S are weighted and summed, and a product of a column and a
    row is added to what decays.

    | `order` | |
    |---|---|
    | `causal`, `reversed` | as in `attn.recur` |
    | `bidirectional` | `init` has met all tokens, and is read as it is; there is no `state` |

    With `past(%sums)`, rows of `sums` `[N, V']` are added to those of the
    chunk before they are normalised, and, if `norm` uses the denominator, column
    `V'` of `sums` to it; then the chunk leaves out what a token says to itself. `unscaled` leaves out
    `scale` and `norm`, and the denominator becomes one more column of `output`. A
    bidirectional order with decays is a causal sweep that is `unscaled`, and a
    reversed one with its rows.

    Operands and regions are those of `attn.recur`. Introduced by
    `attn-split-blocks`.

    Source of the chunks: Yang et al., "Gated Linear Attention Transformers with
    Hardware-Efficient Training", 2024; Dao and Gu, "Transformers are SSMs", 2024.

    Example:

    ```mlir
    func.func @chunk(%q: tensor<?x?x?x64xf32>, %v: tensor<?x?x?x128xf32>,
                     %g: tensor<?x?x?xf32>, %b: index, %h: index, %t: index,
                     %c: index, %s: tensor<64x32xf32>) -> tensor<16x32xf32> {
      %out, %next = attn.recur_chunk %q, %q, %v gate(%g : tensor<?x?x?xf32>)
          at(%b, %h, %t, %c) init(%s : tensor<64x32xf32>) length(16) scale(1.250000e-01)
          : tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x128xf32>
          -> rows(tensor<16x32xf32>) state(tensor<64x32xf32>)
      return %out : tensor<16x32xf32>
    }
    ```
  }];
  let arguments = (ins
    AnyRankedTensor:$query, Optional<AnyRankedTensor>:$key,
    AnyRankedTensor:$value, Optional<AnyRankedTensor>:$gate,
    Optional<AnyRankedTensor>:$beta, Optional<AnyRankedTensor>:$bonus,
    Index:$batch, Index:$head, Index:$row, Index:$col,
    Variadic<AnyStaticShapeTensor>:$init, Optional<AnyRankedTensor>:$sums,
    I64Attr:$length, OptionalAttr<F64Attr>:$scale,
    DefaultValuedAttr<Attn_WriteRule, "::attn::WriteRule::Additive">:$write,
    DefaultValuedAttr<Attn_ReadTime, "::attn::ReadTime::After">:$read,
    DefaultValuedAttr<Attn_TokenOrder, "::attn::TokenOrder::Causal">:$order,
    UnitAttr:$unscaled);
  let results = (outs Optional<AnyStaticShapeTensor>:$output,
                 Variadic<AnyStaticShapeTensor>:$state);
  let regions = (region AnyRegion:$queryRows, AnyRegion:$keyRows,
                 AnyRegion:$valueRows, AnyRegion:$norm);
  let assemblyFormat = [{
    custom<RecurRows>($query, $key, $value)
    (`gate` `(` $gate^ `:` type($gate) `)`)?
    (`beta` `(` $beta^ `:` type($beta) `)`)?
    (`bonus` `(` $bonus^ `:` type($bonus) `)`)?
    `at` `(` $batch `,` $head `,` $row `,` $col `)`
    `init` `(` $init `:` type($init) `)`
    (`past` `(` $sums^ `:` type($sums) `)`)? `length` `(` $length `)`
    (`scale` `(` $scale^ `)`)? (`write` `(` $write^ `)`)?
    (`read` `(` $read^ `)`)? (`order` `(` $order^ `)`)? (`unscaled` $unscaled^)?
    custom<RecurChunkRegions>($queryRows, $keyRows, $valueRows, $norm)
    attr-dict `:` custom<RecurRowTypes>(type($query), type($key), type($value))
    `->` (`rows` `(` type($output)^ `)`)? (`state` `(` type($state)^ `)`)?
  }];
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
  let extraClassDeclaration = Attn_RecurDeclarations # [{
    /// Columns of the state that the chunk works on.
    int64_t getBlockColumns();
    /// Whether a token does not read what it wrote itself: it did so in another
    /// sweep.
    bool leavesOutOwn() { return getSums() != nullptr; }
  }];
}

#endif // ATTN_DIALECT_ATTNRECUROP_TD
