#===- local_grids.py - Oracles of masks on token grids ---------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Softmax attention of tokens on grids of two and three axes: variants/local/.

Operands are [B, H, Y, X, D] or [B, H, T, Y, X, D]. They are flattened to
sequences, the last axis first, and what a token sees is found from its
coordinates. The conventions are those of softmax.py, names of parameters and
the way in which masks are written those of local.py.
"""

import itertools

import numpy as np

from local import attend_to, neighborhood
from softmax import Variant


def attend_grid(q, k, v, seen, score=None):
    """Softmax attention of grids to the pairs where seen [tokens, tokens] is
    true; `score` gets the numbers of tokens."""
    flat = [x.reshape(*x.shape[:2], -1, x.shape[-1]) for x in (q, k, v)]
    out, lse = attend_to(*flat, seen, score)
    return (out.reshape(*q.shape[:-1], v.shape[-1]),
            lse.reshape(q.shape[:-1]))


def coordinates(shape):
    """The coordinates of every token, in order: [tokens, axes]."""
    return np.array(list(np.ndindex(*shape))).reshape(-1, len(shape))


def product_of(*axes):
    """The pairs of tokens that are pairs on every axis: axes[a] is [X, X]."""
    seen = np.ones((1, 1), bool)
    for pairs in axes:
        seen = np.kron(seen, pairs)
    return seen


def neighborhood_2d(q, k, v, window_y=13, window_x=13, dilation_y=1,
                    dilation_x=1, stride_y=1, stride_x=1, causal_y=False,
                    causal_x=False):
    """Neighborhoods on both axes: those of local.neighbors on each of them.

    A. Hassani et al., "Neighborhood Attention Transformer", 2023,
    arXiv:2204.07143, section 3.1, and the papers of local.neighborhood_1d.
    """
    y, x = q.shape[2:4]
    return attend_grid(q, k, v, product_of(
        neighborhood(y, window_y, dilation_y, stride_y, causal_y),
        neighborhood(x, window_x, dilation_x, stride_x, causal_x)))


def neighborhood_3d(q, k, v, window_t=4, window_y=7, window_x=7, dilation_t=1,
                    dilation_y=1, dilation_x=1, stride_t=1, stride_y=1,
                    stride_x=1, causal_t=True, causal_y=False, causal_x=False):
    """Neighborhoods on three axes, by default causal in time; see there."""
    t, y, x = q.shape[2:5]
    return attend_grid(q, k, v, product_of(
        neighborhood(t, window_t, dilation_t, stride_t, causal_t),
        neighborhood(y, window_y, dilation_y, stride_y, causal_y),
        neighborhood(x, window_x, dilation_x, stride_x, causal_x)))


def blocks_with_halo(size, block, halo):
    """Each block of an axis sees itself and `halo` tokens on both sides."""
    seen = np.zeros((size, size), bool)
    for begin in range(0, size, block):
        keys = [j for j in range(begin - halo, begin + block + halo)
                if 0 <= j < size]
        for i in range(begin, min(begin + block, size)):
            seen[i, keys] = True
    return seen


def halo(q, k, v, block=8, halo=3):
    """Blocks of queries see the block of keys that is larger by a halo.

    A. Vaswani et al., "Scaling Local Self-Attention for Parameter Efficient
    Visual Backbones", 2021, arXiv:2103.12731. The halo is cut
    where the image ends.
    """
    return attend_grid(q, k, v, product_of(
        *(blocks_with_halo(size, block, halo) for size in q.shape[2:4])))


def rolled_windows(size, window, shift):
    """The pairs of an axis that is rolled by -shift, cut into windows, and
    masked where neighbours in a window were not before the roll.

    Where the axis has a last, shorter window, it is padded before the roll and
    nothing sees the padding. An axis of one window is not rolled.
    """
    if size <= window:
        window, shift = size, 0
    padded = -(-size // window) * window
    rolled = np.roll(np.arange(padded), -shift)
    seen = np.zeros((size, size), bool)
    for begin in range(0, padded, window):
        tokens = rolled[begin:begin + window]
        # What the roll brought from the front stands behind the end.
        wrapped = np.arange(begin, begin + window) >= padded - shift
        for (i, a), (j, b) in itertools.product(zip(tokens, wrapped), repeat=2):
            if i < size and j < size:
                seen[i, j] = a == b
    return seen


def table_bias(shape, windows, bias):
    """A score that adds bias[r, h], r the number of the difference of the
    coordinates of a query and a key; the last axis counts fastest."""
    places = coordinates(shape)
    row = np.zeros((len(places), len(places)), int)
    for a, window in enumerate(windows):
        digit = places[:, None, a] - places[None, :, a] + window - 1
        row = row * (2 * window - 1) + digit

    def score(s, h, i, j):
        # Differences that are not in the table belong to pairs that are masked.
        inside = np.clip(row, 0, len(bias) - 1)
        return s + np.moveaxis(bias[inside], -1, 0)

    return score


def swin(q, k, v, bias, window=7, shift=0):
    """Windows of tokens attend to themselves, with a learned bias.

    Z. Liu et al., "Swin Transformer: Hierarchical Vision Transformer using
    Shifted Windows", 2021, arXiv:2103.14030, section 3.2.
    """
    seen = product_of(*(rolled_windows(size, window, shift)
                        for size in q.shape[2:4]))
    return attend_grid(q, k, v, seen,
                       table_bias(q.shape[2:4], [window] * 2, bias))


def swin_shifted(q, k, v, bias, window=7, shift=3):
    """As swin, with windows that are shifted: section 3.2, figure 4."""
    return swin(q, k, v, bias, window, shift)


def swin_temporal_3d(q, k, v, bias, window_t=8, window_y=7, window_x=7,
                     shift_t=4, shift_y=3, shift_x=3):
    """Shifted windows of frames, rows and columns, with a learned bias.

    Z. Liu et al., "Video Swin Transformer", 2022, arXiv:2106.13230, section
    3.2.
    """
    windows = window_t, window_y, window_x
    shape = q.shape[2:5]
    seen = product_of(*map(rolled_windows, shape, windows,
                           (shift_t, shift_y, shift_x)))
    return attend_grid(q, k, v, seen, table_bias(shape, windows, bias))


def disc(shape, radius):
    """The pairs of tokens of an image less than `radius` apart."""
    places = [complex(y, x) for y, x in np.ndindex(*shape)]
    return np.array([[abs(a - b) < radius for b in places] for a in places])


def clear(q, k, v, text_rows=8, radius=8):
    """Text sees everything, an image token the text and a disc around it.

    S. Liu, Z. Tan, X. Wang, "CLEAR: Conv-Like Linearization Revs Pre-Trained
    Diffusion Transformers Up", 2024, arXiv:2412.16112. The first
    `text_rows` rows of the grid hold the text, the others the image.
    """
    rows, columns = q.shape[2:4]
    text = min(text_rows, rows) * columns
    seen = np.ones((rows * columns,) * 2, bool)
    if rows > text_rows:
        seen[text:, text:] = disc((rows - text_rows, columns), radius)
    return attend_grid(q, k, v, seen)


PLANE = {name: ("B", "H", "Y", "X", "D") for name in "qkv"}
VIDEO = {name: ("B", "H", "T", "Y", "X", "D") for name in "qkv"}
# What a table of biases has rows for: differences within a window.
SQUARE, BOX = 13 * 13, 15 * 13 * 13

VARIANTS = {
    "neighborhood-2d": Variant(neighborhood_2d, PLANE),
    "neighborhood-3d": Variant(neighborhood_3d, VIDEO),
    "halo": Variant(halo, PLANE),
    "swin": Variant(swin, {**PLANE, "bias": ("R", "H")},
                    {"D": 32, "R": SQUARE}),
    "swin-shifted": Variant(swin_shifted, {**PLANE, "bias": ("R", "H")},
                            {"D": 32, "R": SQUARE}),
    "swin-temporal-3d": Variant(swin_temporal_3d,
                                {**VIDEO, "bias": ("R", "H")},
                                {"D": 32, "R": BOX}),
    "clear": Variant(clear, PLANE),
}
