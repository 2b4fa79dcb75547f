#===- linear_features.py - Oracles of feature maps -------------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""NumPy definitions of linear attention that differs in its features or in the
norm of its output. See linear.py for the conventions."""

import numpy as np

from linear import (ROWS, decayed_by_head, decays, elu_plus_one, exactly, outer,
                    qkv, read, silu, small_matrices, stack, tokens_of,
                    zero_state)
from softmax import Variant

TINY = 2.0**-40


def sum_of_tokens(x):
    """The sum of all rows of each head, [B, H, ...]."""
    total = np.zeros_like(x[:, :, 0])
    for x_t, in tokens_of(x):
        total = total + x_t
    return total


def state_of_all(r, v):
    """sum_j r_j v_j^T for every head."""
    s = zero_state(r, v)
    for r_t, v_t in tokens_of(r, v):
        s = s + outer(r_t, v_t)
    return s


def read_all(s, p):
    """s^T p_i for all tokens."""
    return stack([read(s, p_t) for p_t, in tokens_of(p)])


def products(p, shared):
    """<p_i, shared> for a row that all tokens of a head share, [B, H, N, 1].

    Terms are added one after the other; `sum` would add them in pairs, which is
    not what is meant by a naive evaluation.
    """
    return np.cumsum(p * shared[:, :, None], axis=-1)[..., -1:]


def causal_ratio(p, r, v, epsilon):
    """sum_(j <= i) <p_i, r_j> v_j, over the same of ones and epsilon."""
    s, z, out = zero_state(r, v), np.zeros_like(r[:, :, 0]), []
    for p_t, r_t, v_t in tokens_of(p, r, v):
        s, z = s + outer(r_t, v_t), z + r_t
        weight = (p_t * z).sum(axis=-1, keepdims=True)
        out.append(read(s, p_t) / (weight + v.dtype.type(epsilon)))
    return stack(out)


def softmax_of_features(x):
    power = np.exp(x - x.max(axis=-1, keepdims=True))
    return power / power.sum(axis=-1, keepdims=True)


def softmax_of_both_signs(x):
    both = np.concatenate([softmax_of_features(x), softmax_of_features(-x)],
                          axis=-1)
    return np.maximum(both, x.dtype.type(TINY))


def hedgehog(q, k, v, wq, wk, store=exactly):
    """Causal averages; features are a softmax of a projection, and of its negative.

    M. Zhang et al., "The Hedgehog & the Porcupine: Expressive Linear Attentions
    with Softmax Mimicry", 2024, arXiv:2402.04347; the map is `softmax_dim` of
    M. Zhang et al., "LoLCATs", 2024, arXiv:2410.10254.
    """
    p = store(softmax_of_both_signs(q @ wq))
    r = store(softmax_of_both_signs(k @ wk))
    return causal_ratio(p, r, v, TINY),


PERFORMER_EPSILON = 2.0**-13


def performer(q, k, v, w, store=exactly):
    """Averages of all tokens with positive random features.

    K. Choromanski et al., "Rethinking Attention with Performers", 2020,
    arXiv:2009.14794, FAVOR+: exp(u - |x|^2 / 2 - c) + e with x divided by D^(1/4)
    and u = x w; c is the largest u of a query, or of all keys of a head.
    """
    def features(x, axes):
        x = x * np.sqrt(x.dtype.type(x.shape[-1]**-0.5))
        u = x @ w
        half = (x * x).sum(axis=-1, keepdims=True) / 2
        power = np.exp(u - (half + u.max(axis=axes, keepdims=True)))
        return store(power + x.dtype.type(PERFORMER_EPSILON))

    p, r = features(q, -1), features(k, (-2, -1))
    weight = products(p, sum_of_tokens(r))
    return read_all(state_of_all(r, v), p) / weight,


LAYER_NORM_EPSILON = 2.0**-17
LINFUSION_EPSILON = 2.0**-13


def linfusion(x, v, uq, wq, tq, aq, uk, wk, tk, ak, store=exactly):
    """Averages of all tokens, by means; a network adds to tokens before they are
    projected.

    S. Liu et al., "LinFusion: 1 GPU, 1 Minute, 16K Image", 2024,
    arXiv:2409.02097: matrix, layer norm, leaky relu with slope 0.01, matrix.
    """
    def network(x, u, w, t):
        hidden = x @ u + t[0]
        centered = hidden - hidden.mean(axis=-1, keepdims=True)
        variance = (centered * centered).mean(axis=-1, keepdims=True)
        normed = centered / np.sqrt(variance + x.dtype.type(LAYER_NORM_EPSILON))
        shifted = normed * t[1] + t[2]
        return np.where(shifted > 0, shifted, shifted / 100) @ w + t[3]

    p = store(elu_plus_one(store(x + network(x, uq, wq, tq)) @ aq))
    r = store(elu_plus_one(store(x + network(x, uk, wk, tk)) @ ak))
    tokens = v.dtype.type(v.shape[2])
    weight = products(p, sum_of_tokens(r) / tokens)
    return read_all(state_of_all(r, v) / tokens, p) / (
        weight + v.dtype.type(LINFUSION_EPSILON)),


NORM_EPSILON = 2.0**-27


def over_root_mean_square(o):
    """Rows of all heads of a token over their root mean square."""
    mean = (o * o).mean(axis=(1, 3), keepdims=True)
    return o / (np.sqrt(mean) + o.dtype.type(NORM_EPSILON))


def transnormer_norm(q, k, v, store=exactly):
    """Causal, without a denominator; a norm over all heads.

    Z. Qin et al., "The Devil in Linear Transformer", 2022, arXiv:2210.10340:
    NormAttention, features elu(x) + 1.
    """
    p, r = store(elu_plus_one(q)), store(elu_plus_one(k))
    s, out = zero_state(r, v), []
    for p_t, r_t, v_t in tokens_of(p, r, v):
        s = s + outer(r_t, v_t)
        out.append(read(s, p_t))
    return over_root_mean_square(store(stack(out))),


def transnormer_llm(q, k, v, u, g, store=exactly):
    """Constant decay per head, features silu, a norm over all heads, a gate.

    Z. Qin et al., "TransNormerLLM", 2023, arXiv:2307.14995; g = -lambda.
    """
    o, = decayed_by_head(store(silu(q)), store(silu(k)), v, g, 1)
    return over_root_mean_square(store(o)) * u,


def efficient(q, k, v, store=exactly):
    """Softmax over the features of a query, over the tokens of a key's feature.

    Z. Shen et al., "Efficient Attention: Attention with Linear Complexities",
    2018, arXiv:1812.01243, section 3.
    """
    p = store(softmax_of_features(q))
    power = np.exp(k - k.max(axis=2, keepdims=True))
    r = store(power / sum_of_tokens(power)[:, :, None])
    return read_all(state_of_all(r, v), p),


ESSA_EPSILON = 2.0**-23


def essa(q, k, v, store=exactly):
    """Squared, centred spectra; keys of unit length along tokens; a skip.

    M. Zhang et al., "ESSAformer: Efficient Transformer for Hyperspectral Image
    Super-resolution", 2023, arXiv:2307.14010, as in its released code.
    """
    def spectrum(x):
        squares = (x - x.mean(axis=-1, keepdims=True))**2
        return squares / (squares.sum(axis=-1, keepdims=True)
                          + x.dtype.type(ESSA_EPSILON))

    a, b = spectrum(q), store(spectrum(k))
    length = np.sqrt((a * a).sum(axis=-1, keepdims=True))
    a = store(a / np.maximum(length, q.dtype.type(TINY)))
    length = np.sqrt(sum_of_tokens(b * b))[:, :, None]
    b = store(b / np.maximum(length, q.dtype.type(TINY)))
    root = np.sqrt(v.dtype.type(v.shape[2]))
    return v + read_all(state_of_all(b, v), a) / root,


def rows_of_any_size(generator, shape, sizes):
    """Rows of which exponentials overflow, unless something is subtracted: a third
    of them, since the errors of a few extreme ones are no measure of a kernel."""
    size = generator.choice([0.1, 1.0, 40.0], (*shape[:-1], 1))
    return generator.standard_normal(shape) * size


NARROW = ("B", "H", "N", "Dv")


VARIANTS = {
    "hedgehog": Variant(
        hedgehog, qkv(wq=("H", "D", "F"), wk=("H", "D", "F")),
        {"D": 64, "F": 64}, ("out",),
        {"q": rows_of_any_size, "k": rows_of_any_size, "wq": small_matrices,
         "wk": small_matrices}),
    "performer": Variant(
        performer, qkv(w=("D", "M")), {"D": 64, "M": 128}, ("out",)),
    "linfusion": Variant(
        linfusion,
        {"x": ("B", "One", "N", "C"), "v": ROWS,
         "uq": ("C", "M"), "wq": ("M", "C"), "tq": ("Four", "M"),
         "aq": ("H", "C", "D"), "uk": ("C", "M"), "wk": ("M", "C"),
         "tk": ("Four", "M"), "ak": ("H", "C", "D")},
        {"One": 1, "Four": 4, "C": 64, "M": 64, "D": 32}, ("out",),
        {name: small_matrices
         for name in ("uq", "wq", "aq", "uk", "wk", "ak")}),
    "transnormer-norm": Variant(transnormer_norm, results=("out",)),
    "transnormer-llm": Variant(
        transnormer_llm, qkv(u=ROWS, g=("H",)), results=("out",),
        fill={"g": decays}),
    "efficient": Variant(
        efficient, qkv(NARROW), {"D": 64, "Dv": 32}, ("out",),
        {"q": rows_of_any_size, "k": rows_of_any_size}),
    "essa": Variant(essa, qkv(NARROW), {"D": 64, "Dv": 32}, ("out",)),
}
