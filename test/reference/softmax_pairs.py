#===- softmax_pairs.py - Oracles of scores and masks from tables -----------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Softmax attention whose scores or masks read what was learned or given.

The conventions are those of softmax.py.
"""

import numpy as np

from softmax import SELF_ATTENTION, Variant, attend


def prefix_lm(q, k, v, prefix):
    """Row i sees the keys j <= i and those of the prefix, j < prefix[b].

    C. Raffel et al., "Exploring the Limits of Transfer Learning with a Unified
    Text-to-Text Transformer", 2020, arXiv:1910.10683, section 3.2.1.
    """
    length = prefix[:, None, None, None]
    return attend(q, k, v, mask=lambda i, j: (j <= i) | (j < length))


def relative_bias(q, k, v, bias):
    """s + bias[h, clip(i - j) + R] with offsets clipped to -R .. R.

    P. Shaw, J. Uszkoreit, A. Vaswani, "Self-Attention with Relative Position
    Representations", 2018, arXiv:1803.02155, section 3.2; one number per head
    and offset as in Raffel et al., 2020, section 2.1.
    """
    reach = bias.shape[1] // 2
    return attend(q, k, v, score=lambda s, h, i, j:
                  s + bias[h, np.clip(i - j, -reach, reach) + reach])


def alibi_learned(q, k, v, slope):
    """Causal; s + slope[h] (j - i).

    O. Press, N. A. Smith, M. Lewis, "Train Short, Test Long: Attention with
    Linear Biases Enables Input Length Extrapolation", 2022, arXiv:2108.12409,
    section 3 (trainable slopes).
    """
    return attend(q, k, v, mask=lambda i, j: j <= i, score=lambda s, h, i, j:
                  s + slope[h] * (j - i).astype(s.dtype))


def per_token_scale(q, k, v, q_scale, k_scale):
    """The score of a pair times the factors of its query and of its key.

    J. Zhang et al., "SageAttention: Accurate 8-Bit Attention for Plug-and-play
    Inference Acceleration", 2025, arXiv:2410.02367, section 4.2.
    """
    return attend(q, k, v, score=lambda s, h, i, j:
                  s * q_scale[..., :, None] * k_scale[..., None, :])


def bias(q, k, v, bias):
    """s + bias[b, h, i, j].

    J. Jumper et al., "Highly accurate protein structure prediction with
    AlphaFold", 2021, supplement, algorithm 7 (attention with pair bias).
    """
    return attend(q, k, v, score=lambda s, h, i, j: s + bias)


def multiplicity(q, k, v, count):
    """Key j counts count[b, j] times: its exponential is multiplied by that.

    D. Bolya et al., "Token Merging: Your ViT But Faster", 2023,
    arXiv:2210.09461, equation (1) (proportional attention).
    """
    with np.errstate(divide="ignore"):
        weight = np.log(count.astype(q.dtype))[:, None, None, :]
    return attend(q, k, v, score=lambda s, h, i, j: s + weight)


def integers(low, high):
    """A fill of integers from low to high (not included), names or numbers."""

    def fill(generator, shape, sizes):
        bounds = [sizes.get(bound, bound) for bound in (low, high)]
        return generator.integers(*bounds, shape)

    return fill


def uniform(generator, shape, sizes):
    """A fill of uniform numbers in [0, 1)."""
    return generator.random(shape)


def some_hidden(generator, shape, sizes):
    """A fill of normal numbers and, sometimes, -inf: once for a whole row."""
    numbers = generator.standard_normal(shape)
    numbers[generator.random(shape) < 0.1] = -np.inf
    numbers[0, 0, 0] = -np.inf
    return numbers


TWO_SEQUENCES = {
    "q": ("B", "H", "Nq", "D"),
    "k": ("B", "H", "Nk", "D"),
    "v": ("B", "H", "Nk", "D"),
}

VARIANTS = {
    "prefix-lm": Variant(prefix_lm, {**SELF_ATTENTION, "prefix": ("B",)},
                         fill={"prefix": integers(0, "N")}),
    "relative-bias": Variant(relative_bias,
                             {**SELF_ATTENTION, "bias": ("H", "R")},
                             {"D": 64, "R": 129}),
    "alibi-learned": Variant(alibi_learned, {**SELF_ATTENTION, "slope": ("H",)}),
    "per-token-scale": Variant(
        per_token_scale,
        {**TWO_SEQUENCES, "q_scale": ("B", "H", "Nq"),
         "k_scale": ("B", "H", "Nk")},
        fill={"q_scale": uniform, "k_scale": uniform}),
    "bias": Variant(bias, {**TWO_SEQUENCES, "bias": ("B", "H", "Nq", "Nk")},
                    fill={"bias": some_hidden}),
    "multiplicity": Variant(multiplicity,
                            {**TWO_SEQUENCES, "count": ("B", "Nk")},
                            fill={"count": integers(0, 5)}),
}
