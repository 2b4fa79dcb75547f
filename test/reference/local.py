#===- local.py - Oracles of masks along one axis ---------------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Softmax attention to keys near the query or in its block: variants/local/.

The conventions are those of softmax.py. Which keys a query sees is written as a
set, found by walking along the axis, and not as the comparison of a few numbers
that a spec uses. What is a constant in a spec is a parameter here, of the same
name.
"""

import functools

import numpy as np

from softmax import SELF_ATTENTION, Variant, attend
from softmax_pairs import integers


def attend_to(q, k, v, seen, score=None):
    """Softmax attention to the pairs where `seen` [.., Nq, Nk] is true."""
    return attend(q, k, v, mask=lambda i, j: seen, score=score)


def pairs_of(rows, columns, keys_of):
    """The pairs of each row i with the columns in keys_of(i)."""
    seen = np.zeros((rows, columns), bool)
    for i in range(rows):
        seen[i, sorted(keys_of(i))] = True
    return seen


def neighbors(x, size, window, dilation, stride, causal):
    """The keys of query x on an axis of `size` tokens, as a set.

    Only every dilation-th token counts: those of the residue class of x. In
    it, `stride` consecutive queries are a group and share the window of one of
    them: of the last one if causal, else of the one in the middle, the right
    one of two. The window has window // 2 tokens before that query and the rest
    behind it. At the ends of the class it is pushed inwards, as it is.
    """
    tokens = [y for y in range(size) if y % dilation == x % dilation]
    place = tokens.index(x)
    group = [p for p in range(place - place % stride,
                              place - place % stride + stride)]
    if causal:
        leader = min(group[-1], len(tokens) - 1)
        return {tokens[p] for p in range(place + 1) if leader - p < window}
    leader = min(group[len(group) // 2], len(tokens) - 1)
    begin = leader - window // 2
    while begin + window > len(tokens):
        begin -= 1
    while begin < 0:
        begin += 1
    return {tokens[p] for p in range(begin, begin + window) if p < len(tokens)}


@functools.cache
def neighborhood(size, window, dilation=1, stride=1, causal=False):
    """The pairs of one axis, [size, size]."""
    return pairs_of(size, size, lambda x: neighbors(
        x, size, window, dilation, stride, causal))


def neighborhood_1d(q, k, v, window=64, dilation=1, stride=1, causal=False):
    """Row i sees the `window` tokens of its residue class around it.

    A. Hassani et al., "Neighborhood Attention Transformer", 2023,
    arXiv:2204.07143, section 3.1; dilation: A. Hassani and H. Shi, "Dilated
    Neighborhood Attention Transformer", 2022, arXiv:2209.15001;
    stride: A. Hassani et al., "Generalized Neighborhood Attention", 2025,
    arXiv:2504.16922. A window that is larger than the class sees all of it.
    """
    return attend_to(q, k, v, neighborhood(q.shape[2], window, dilation,
                                           stride, causal))


def dilated_1d(q, k, v, reach=256, dilation=4):
    """Row i sees the keys i + m d, m an integer, at most `reach` away.

    I. Beltagy, M. E. Peters, A. Cohan, "Longformer: The Long-Document
    Transformer", 2020, arXiv:2004.05150, section 3.1 (dilated sliding window).
    """
    size = q.shape[2]

    def keys_of(i):
        steps = range(-reach // dilation - 1, reach // dilation + 2)
        near = {i + m * dilation for m in steps if abs(m * dilation) <= reach}
        return near & set(range(size))

    return attend_to(q, k, v, pairs_of(size, size, keys_of))


def block_diagonal(q, k, v, block=64):
    """Blocks of `block` tokens attend to themselves.

    Z. Qin et al., "The Devil in Linear Transformer", 2022, arXiv:2210.10340,
    (DiagAttention).
    """
    tokens = q.shape[2]
    seen = np.zeros((tokens, tokens), bool)
    for begin in range(0, tokens, block):
        seen[begin:begin + block, begin:begin + block] = True
    return attend_to(q, k, v, seen)


def per_head_window(q, k, v, window):
    """Row i of head h sees the last window[h] keys.

    T. Fu et al., "MoA: Mixture of Sparse Attention for Automatic Large Language
    Model Compression", 2024, arXiv:2406.14909 (spans that differ by head).
    """
    size = q.shape[2]
    seen = [pairs_of(size, size, lambda i: range(max(0, i - width + 1), i + 1))
            for width in window]
    return attend_to(q, k, v, np.array(seen))


SIDES = (1, 2, 3, 4, 5, 6, 8, 10, 13, 16)


def scales(tokens):
    """The scale of every token: scale t has SIDES[t]^2 of them; tokens beyond
    the last scale belong to it."""
    numbers = [t for t, side in enumerate(SIDES) for _ in range(side * side)]
    rest = max(0, tokens - len(numbers))
    return np.array((numbers + [len(SIDES) - 1] * rest)[:tokens])


def var_scales(q, k, v):
    """Row i sees the tokens of its own scale.

    S. Ren et al., "M-VAR: Decoupled Scale-wise Autoregressive Modeling for
    High-Quality Image Generation", 2024, arXiv:2411.10433.
    """
    scale = scales(q.shape[2])
    return attend_to(q, k, v, scale[:, None] == scale)


def var_scales_causal(q, k, v):
    """Row i sees the tokens of its own scale and of those before.

    K. Tian et al., "Visual Autoregressive Modeling: Scalable Image Generation
    via Next-Scale Prediction", 2024, arXiv:2404.02905.
    """
    scale = scales(q.shape[2])
    return attend_to(q, k, v, scale[:, None] >= scale)


VARIANTS = {
    "neighborhood-1d": Variant(neighborhood_1d),
    "dilated-1d": Variant(dilated_1d),
    "block-diagonal": Variant(block_diagonal),
    "per-head-window": Variant(per_head_window,
                               {**SELF_ATTENTION, "window": ("H",)},
                               fill={"window": integers(0, "N")}),
    "var-scales": Variant(var_scales),
    "var-scales-causal": Variant(var_scales_causal),
}
