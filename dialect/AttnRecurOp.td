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

    Only the executable definition runs this op so far, `--target=reference` and
    `--target=naive` of the tools; kernels for it are refused.

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
  }];
  let arguments = (ins
    AnyRankedTensor:$query, Optional<AnyRankedTensor>:$key,
    AnyRankedTensor:$value, Optional<AnyRankedTensor>:$gate,
    Optional<AnyRankedTensor>:$beta, Optional<AnyRankedTensor>:$bonus,
    Optional<AnyRankedTensor>:$initial, OptionalAttr<F64Attr>:$scale,
    DefaultValuedAttr<Attn_WriteRule, "::attn::WriteRule::Additive">:$write,
    DefaultValuedAttr<Attn_ReadTime, "::attn::ReadTime::After">:$read,
    DefaultValuedAttr<Attn_TokenOrder, "::attn::TokenOrder::Causal">:$order);
  let results = (outs AnyRankedTensor:$output, Optional<AnyRankedTensor>:$state);
  let regions = (region AnyRegion:$queryRows, AnyRegion:$keyRows,
                 AnyRegion:$valueRows, AnyRegion:$norm);
  let assemblyFormat = [{
    custom<RecurRows>($query, $key, $value)
    (`gate` `(` $gate^ `:` type($gate) `)`)?
    (`beta` `(` $beta^ `:` type($beta) `)`)?
    (`bonus` `(` $bonus^ `:` type($bonus) `)`)?
    (`initial` `(` $initial^ `:` type($initial) `)`)?
    (`scale` `(` $scale^ `)`)? (`write` `(` $write^ `)`)?
    (`read` `(` $read^ `)`)? (`order` `(` $order^ `)`)?
    custom<RecurRegions>($queryRows, $keyRows, $valueRows, $norm)
    attr-dict `:` custom<RecurRowTypes>(type($query), type($key), type($value))
    `->` type($output) (`,` type($state)^)?
  }];
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
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
}

#endif // ATTN_DIALECT_ATTNRECUROP_TD
