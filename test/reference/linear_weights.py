#===- linear_weights.py - Oracles of weights and denominators --------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""NumPy definitions of linear attention to all tokens that differs in what stands
in place of the denominator, or in how much keys count. See linear.py for the
conventions."""

import numpy as np

from linear import EPSILON, elu_plus_one, exactly, qkv
from linear_features import (NARROW, products, read_all, state_of_all,
                             sum_of_tokens)
from softmax import Variant


def turn(x, cos, sin):
    """Turns feature c against feature c + D / 2 by the angle of the token."""
    lo, hi = np.split(x, 2, axis=-1)
    return np.concatenate([lo * cos - hi * sin, hi * cos + lo * sin], axis=-1)


def turn_halves(x, cos, sin):
    """The same within each half of the features."""
    return np.concatenate([turn(half, cos, sin)
                           for half in np.split(x, 2, axis=-1)], axis=-1)


def mala(q, k, v, cos, sin, store=exactly):
    """A factor 1 + 1 / z_i and an offset z_i in place of a denominator.

    Q. Fan et al., "Rectifying Magnitude Neglect in Linear Attention", 2025,
    arXiv:2507.00698, as in the released code: z_i is the mean product of rows
    that are not turned, times D^(-1/2).
    """
    p, r = store(elu_plus_one(q)), store(elu_plus_one(k))
    tokens = v.dtype.type(v.shape[2])
    scale = v.dtype.type(q.shape[-1]**-0.5)
    z = scale * products(p, sum_of_tokens(r) / tokens)
    s = scale / tokens * state_of_all(store(turn(r, cos, sin)), v)
    mean = sum_of_tokens(v)[:, :, None] / tokens
    read_rows = read_all(s, store(turn(p, cos, sin)))
    return (1 + 1 / (z + v.dtype.type(EPSILON))) * read_rows - z * mean,


def softmax_of_tokens(scores):
    """Over dimension 2."""
    power = np.exp(scores - scores.max(axis=2, keepdims=True))
    return power / sum_of_tokens(power)[:, :, None]


def rala(q, k, v, cos, sin, store=exactly):
    """Keys count by a softmax of their product with the mean query.

    Q. Fan, H. Huang, R. He, "Breaking the Low-Rank Dilemma of Linear Attention",
    2024, arXiv:2411.07635, as in the released code.
    """
    p, r = store(elu_plus_one(q)), store(elu_plus_one(k))
    mean = sum_of_tokens(p) / v.dtype.type(v.shape[2])
    a = softmax_of_tokens(v.dtype.type(q.shape[-1]**-0.5) * products(r, mean))
    r = store(a * r)
    weight = products(p, sum_of_tokens(r)) + v.dtype.type(EPSILON)
    s = state_of_all(store(turn(r, cos, sin)), v)
    return read_all(s, store(turn(p, cos, sin))) / weight,


def nalaformer(q, k, v, cos, sin, store=exactly):
    """The exponent of a query's features depends on its norm.

    W. Meng et al., "NaLaFormer: Norm-Aware Linear Attention for Transformer
    Models", 2025, arXiv:2506.21137, as in the released code.
    """
    def both_signs(x):
        return np.concatenate([np.maximum(x, 0), np.maximum(-x, 0)], axis=-1)

    norm = np.sqrt((q * q).sum(axis=-1, keepdims=True))
    exponent = 3 * (np.tanh(norm) + q.dtype.type(0.5))
    f, g = store(both_signs(q / norm)**exponent), store(both_signs(k)**3)
    tokens = v.dtype.type(v.shape[2])
    weight = products(f, sum_of_tokens(g) / tokens) + v.dtype.type(EPSILON)
    s = state_of_all(store(turn_halves(g, cos, sin)), v) / tokens
    return read_all(s, store(turn_halves(f, cos, sin))) / weight,


def l2vit(q, k, v, tau, store=exactly):
    """Features relu; the denominator is at least 100.

    C. Zheng, "The Linear Attention Resurrection in Vision Transformer", 2025,
    arXiv:2501.16182, with the bound of the released code.
    """
    p, r = store(np.maximum(q, 0)), store(np.maximum(k, 0))
    weight = np.maximum(products(p, sum_of_tokens(r)), 100)
    return tau[:, None, None] * read_all(state_of_all(r, v), p) / weight,


def inline(q, k, v):
    """Weights less their mean over the keys, plus 1 / N.

    D. Han et al., "Bridging the Divide: Reconsidering Softmax and Linear
    Attention", 2024, arXiv:2412.06590, with the factor of the released code:
    (s / N) q_i^T K^T V + (1 - s <q_i, mean k>) mean v.
    """
    tokens = v.dtype.type(v.shape[2])
    scale = v.dtype.type(q.shape[-1]**-0.5)
    rest = 1 - scale * products(q, sum_of_tokens(k) / tokens)
    mean = sum_of_tokens(v)[:, :, None] / tokens
    return scale * read_all(state_of_all(k, v), q) / tokens + rest * mean,


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def flow(q, k, v, store=exactly):
    """Flows out of keys and into queries, both conserved.

    H. Wu et al., "Flowformer: Linearizing Transformers with Conservation Flows",
    2022, arXiv:2202.06258, as in the main version of the released code. Nq = Nk.
    """
    e = v.dtype.type(EPSILON)
    p, r = store(sigmoid(q)), store(sigmoid(k))
    into = products(p + e, sum_of_tokens(r) + e)
    out_of = products(r + e, sum_of_tokens(p) + e)
    conserved_into = products(p + e, sum_of_tokens(r / out_of) + e)
    conserved_out_of = products(r + e, sum_of_tokens(p / into) + e)
    tokens = v.dtype.type(v.shape[2])
    competition = tokens * softmax_of_tokens(np.clip(conserved_out_of, -1, 1))
    s = state_of_all(r, store(competition * v))
    return sigmoid(conserved_into) * read_all(s, p) / into,


def rows_of_any_norm(generator, shape, sizes):
    """Rows whose norms are far below and far above 1."""
    length = np.exp(generator.normal(0, 1.5, (*shape[:-1], 1)))
    rows = generator.standard_normal(shape)
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True) * length


TURNED = {"cos": ("N", "D2"), "sin": ("N", "D2")}

VARIANTS = {
    "mala": Variant(mala, qkv(**TURNED), {"D": 64, "D2": 32}, ("out",)),
    "rala": Variant(
        rala, qkv(NARROW, **TURNED), {"D": 64, "D2": 32, "Dv": 32}, ("out",)),
    "nalaformer": Variant(
        nalaformer, qkv(**TURNED), {"D": 64, "D2": 32}, ("out",),
        {"q": rows_of_any_norm}),
    "l2vit": Variant(l2vit, qkv(tau=("H",)), {"D": 32}, ("out",)),
    "inline": Variant(inline, qkv(NARROW), {"D": 64, "Dv": 32}, ("out",)),
    "flow": Variant(flow, qkv(NARROW), {"D": 64, "Dv": 32}, ("out",)),
}
