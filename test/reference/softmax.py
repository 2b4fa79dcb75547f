#===- softmax.py - Float64 oracles of softmax attention -------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""NumPy definitions of the softmax attention variants in variants/softmax/.

Each function is written from the formula of its paper and shares no code with
the compiler. It computes in the element type of its arguments: given float64
arrays it is the reference, given float32 arrays it is the naive evaluation
whose error scales the tolerance of the kernels.

Every function returns `(out, lse)`:

    s_ij  = score(scale * <q_i, k_j>)       for the keys j that row i may see
    lse_i = log(sum_j exp(s_ij))            natural logarithm
    out_i = sum_j exp(s_ij - lse_i) * v_j

A row that sees no key has out = 0 and lse = -inf. Tensors are [B, H, N, D];
with fewer key heads than query heads, query head h uses key head h // (H / Hk).
"""

from dataclasses import dataclass, field
from typing import Callable
import inspect

import numpy as np


def attend(q, k, v, mask=None, score=None, scale=None):
    """Softmax attention with optional score(s, h, i, j) and mask(i, j)."""
    v = repeat_heads(v, q.shape[1])
    s = scores(q, k, score, scale)
    if mask is not None:
        s = np.where(mask(*positions(s)[1:]), s, -np.inf)
    return softmax_average(s, v)


def repeat_heads(x, heads):
    """Key heads, each as often as query heads use it."""
    return np.repeat(x, heads // x.shape[1], axis=1)


def scores(q, k, score=None, scale=None):
    """All scores [B, H, Nq, Nk]; `scale` defaults to 1 / sqrt(D)."""
    k = repeat_heads(k, q.shape[1])
    if scale is None:
        scale = 1 / np.sqrt(q.dtype.type(q.shape[-1]))
    s = q.dtype.type(scale) * (q @ np.swapaxes(k, -1, -2))
    return s if score is None else score(s, *positions(s))


def positions(s):
    """Head, query and key of every score: indices that broadcast to `s`."""
    return (np.arange(s.shape[1])[:, None, None],
            np.arange(s.shape[2])[:, None], np.arange(s.shape[3]))


def softmax_average(s, v):
    """Softmax over the last axis of s, applied to v; and the log of its sum."""
    largest = s.max(axis=-1, keepdims=True)
    empty = np.isneginf(largest)
    shift = np.where(empty, 0, largest)
    p = np.exp(s - shift)
    total = p.sum(axis=-1, keepdims=True)
    out = (p @ v) / np.where(empty, 1, total)
    lse = np.where(empty, -np.inf, shift + np.log(np.where(empty, 1, total)))
    return out, lse[..., 0]


def dense(q, k, v):
    """Every row sees every key.

    A. Vaswani et al., "Attention Is All You Need", 2017, arXiv:1706.03762,
    equation (1).
    """
    return attend(q, k, v)


def causal(q, k, v):
    """Row i sees the keys j <= i.

    A. Vaswani et al., "Attention Is All You Need", 2017, arXiv:1706.03762,
    section 3.2.3 (decoder self-attention).
    """
    return attend(q, k, v, mask=lambda i, j: j <= i)


def causal_gqa(q, k, v):
    """Causal attention in which H / Hk query heads share a key head.

    J. Ainslie et al., "GQA: Training Generalized Multi-Query Transformer
    Models from Multi-Head Checkpoints", 2023, arXiv:2305.13245, section 2.2.
    """
    return attend(q, k, v, mask=lambda i, j: j <= i)


def decode(q, k, v):
    """The last Nq of Nk tokens, each sees the tokens up to its own.

    J. Ainslie et al., "GQA: Training Generalized Multi-Query Transformer
    Models from Multi-Head Checkpoints", 2023, arXiv:2305.13245, section 2.2,
    one step of decoding. Row i is token i + Nk - Nq; with more queries than
    tokens, the first rows see no key.
    """
    shift = k.shape[2] - q.shape[2]
    return attend(q, k, v, mask=lambda i, j: j <= i + shift)


CROSS_REACH = 128


def cross(q, k, v):
    """Row i of one sequence sees the keys |i - j| < 128 of another one.

    M.-T. Luong, H. Pham, C. D. Manning, "Effective Approaches to
    Attention-based Neural Machine Translation", 2015, arXiv:1508.04025,
    section 3.2 (monotonic local attention, p_t = t). The values may have
    another head size than the keys. Rows i >= Nk + 127 see no key.
    """
    return attend(q, k, v, mask=lambda i, j: np.abs(i - j) < CROSS_REACH)


SLIDING_WINDOW = 256


def sliding_window(q, k, v, window=SLIDING_WINDOW):
    """Row i sees the last W keys, 0 <= i - j < W.

    I. Beltagy, M. E. Peters, A. Cohan, "Longformer: The Long-Document
    Transformer", 2020, arXiv:2004.05150, section 3.1; in its causal form
    A. Q. Jiang et al., "Mistral 7B", 2023, arXiv:2310.06825, section 2.
    """
    return attend(q, k, v, mask=lambda i, j: (0 <= i - j) & (i - j < window))


def alibi(q, k, v):
    """Causal; the score falls linearly with the distance, s + m_h (j - i).

    O. Press, N. A. Smith, M. Lewis, "Train Short, Test Long: Attention with
    Linear Biases Enables Input Length Extrapolation", 2022, arXiv:2108.12409,
    section 3: m_h = 2^(-8 (h + 1) / H), here for every head count H.
    """
    heads = q.shape[1]

    def score(s, h, i, j):
        slope = np.exp2(-8 * (h + 1).astype(s.dtype) / heads)
        return s + slope * (j - i).astype(s.dtype)

    return attend(q, k, v, mask=lambda i, j: j <= i, score=score)


SOFTCAP = 50.0


def softcap(q, k, v, cap=SOFTCAP):
    """Causal; scores are kept inside (-c, c) by c tanh(s / c).

    Gemma Team, "Gemma 2: Improving Open Language Models at a Practical Size",
    2024, arXiv:2408.00118, section 2 (logit soft-capping, c = 50).
    """

    def score(s, h, i, j):
        return cap * np.tanh(s / cap)

    return attend(q, k, v, mask=lambda i, j: j <= i, score=score)


def rope_tables(tokens, head_size, base=10000.0):
    """cos and sin of n * base^(-2 c / D): float64 tables [N, D / 2]."""
    frequency = base ** (-2.0 * np.arange(head_size // 2) / head_size)
    angle = np.arange(tokens)[:, None] * frequency
    return np.cos(angle), np.sin(angle)


def rotate_half(x, cos, sin):
    """Rotates feature c against feature c + D / 2 by the angle of its token."""
    lo, hi = np.split(x, 2, axis=-1)
    return np.concatenate([lo * cos - hi * sin, hi * cos + lo * sin], axis=-1)


def rope_causal(q, k, v, cos, sin, store=lambda rows: rows):
    """Causal attention of rotated queries and keys.

    J. Su et al., "RoFormer: Enhanced Transformer with Rotary Position
    Embedding", 2021, arXiv:2104.09864, equation (34), with the features of a
    pair half a head apart (rotate-half) instead of side by side.

    `store` is what keeping the rotated rows in a tensor does to them; the
    reference keeps them exactly.
    """
    q, k = store(rotate_half(q, cos, sin)), store(rotate_half(k, cos, sin))
    return attend(q, k, v, mask=lambda i, j: j <= i)


SELF_ATTENTION = {name: ("B", "H", "N", "D") for name in ("q", "k", "v")}


def size_of(dim, sizes):
    """The size of a dimension: "G" or "G+1"."""
    name, _, more = dim.partition("+")
    return sizes[name] + int(more or 0)


@dataclass(frozen=True)
class Variant:
    """An oracle and the named dimensions of its arguments, in order; "G+1" is one
    more than "G".

    `results` names what the function returns. `fill` makes the arguments that
    are not standard normal numbers: fill[name](generator, shape, sizes), with
    the sizes of all dimensions.
    """

    function: Callable
    arguments: dict = field(default_factory=lambda: dict(SELF_ATTENTION))
    static: dict = field(default_factory=lambda: {"D": 64})
    results: tuple = ("out", "lse")
    fill: dict = field(default_factory=dict)

    def random_arguments(self, generator, dims):
        """Arguments for the given dynamic dimensions."""
        sizes = {**self.static, **dims}
        return {
            name: self.fill[name](generator, shape, sizes)
            if name in self.fill else generator.standard_normal(shape)
            for name, shape in self.shapes(dims).items()
        }

    def shapes(self, dims):
        """The shape of every argument for the given dynamic dimensions."""
        sizes = {**self.static, **dims}
        return {
            name: tuple(size_of(dim, sizes) for dim in names)
            for name, names in self.arguments.items()
        }

    @property
    def dynamic(self):
        """The names of the dynamic dimensions, in order of appearance."""
        names = [dim.partition("+")[0]
                 for dims in self.arguments.values() for dim in dims]
        return [dim for dim in dict.fromkeys(names) if dim not in self.static]

    @property
    def has_stored_rows(self):
        """Whether the formula keeps intermediate rows in a tensor."""
        return "store" in inspect.signature(self.function).parameters


VARIANTS = {
    "dense": Variant(dense),
    "causal": Variant(causal),
    "causal-gqa": Variant(
        causal_gqa,
        {
            "q": ("B", "H", "N", "D"),
            "k": ("B", "Hk", "N", "D"),
            "v": ("B", "Hk", "N", "D"),
        },
    ),
    "decode": Variant(
        decode,
        {
            "q": ("B", "H", "Nq", "D"),
            "k": ("B", "Hk", "Nk", "D"),
            "v": ("B", "Hk", "Nk", "D"),
        },
        {"D": 128},
    ),
    "cross": Variant(
        cross,
        {
            "q": ("B", "H", "Nq", "D"),
            "k": ("B", "H", "Nk", "D"),
            "v": ("B", "H", "Nk", "Dv"),
        },
        {"D": 64, "Dv": 32},
    ),
    "sliding-window": Variant(sliding_window),
    "alibi": Variant(alibi),
    "softcap": Variant(softcap),
    "rope-causal": Variant(
        rope_causal,
        {**SELF_ATTENTION, "cos": ("N", "D2"), "sin": ("N", "D2")},
        {"D": 64, "D2": 32},
    ),
}
