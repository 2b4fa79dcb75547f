#===- softmax_weights.py - Oracles that change the weights of values -------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Attention whose weights are not, or not only, a softmax over the keys.

The conventions are those of softmax.py; functions without a log-sum-exp return
`(out,)`.
"""

import numpy as np

from softmax import (SELF_ATTENTION, Variant, attend, positions, scores,
                     softmax_average)
from softmax_pairs import uniform


def sink(q, k, v, sink):
    """Causal; one more key has the score sink[h] and the value 0.

    OpenAI, "gpt-oss-120b & gpt-oss-20b Model Card", 2025, arXiv:2508.10925,
    section 2; after G. Xiao et al., "Efficient Streaming Language Models with
    Attention Sinks", 2024, arXiv:2309.17453, section 3.2.
    """
    s = causal_scores(q, k, -np.inf)
    column = np.broadcast_to(sink[:, None, None], s.shape[:-1] + (1,))
    zero = np.zeros_like(v[:, :, :1])
    return softmax_average(np.concatenate([s, column], axis=-1),
                           np.concatenate([v, zero], axis=2))


def causal_scores(q, k, hidden):
    """Scores of the keys j <= i; of the others, `hidden`."""
    s = scores(q, k)
    _, i, j = positions(s)
    return np.where(j <= i, s, q.dtype.type(hidden))


def sigmoid(q, k, v):
    """Causal; weights 1 / (1 + exp(log(N) - s)), which nothing divides.

    J. Ramapuram et al., "Theory, Analysis, and Best Practices for Sigmoid
    Self-Attention", 2025, arXiv:2409.04431, equation (3) and section 4.
    """
    s = causal_scores(q, k, -np.inf) - np.log(q.dtype.type(k.shape[2]))
    # Of the two forms the one whose exponential cannot overflow.
    small = np.exp(-np.abs(s))
    return (np.where(s >= 0, 1, small) / (1 + small) @ v,)


def relu(q, k, v):
    """Causal; weights max(s, 0) / N.

    M. Wortsman et al., "Replacing softmax with ReLU in Vision Transformers",
    2023, arXiv:2309.08586, section 3.
    """
    weights = np.maximum(causal_scores(q, k, 0), 0)
    return (weights @ v / q.dtype.type(k.shape[2]),)


def philox(counter, key):
    """Philox4x32-10: four words for each counter.

    J. K. Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", 2011,
    section 3.3. `counter` is four and `key` two arrays of 32-bit words.
    """
    word = np.uint64(0xFFFFFFFF)
    c = [np.asarray(x).astype(np.uint64) & word for x in counter]
    k = [np.asarray(x).astype(np.uint64) & word for x in key]
    for _ in range(10):
        p0, p1 = c[0] * np.uint64(0xD2511F53), c[2] * np.uint64(0xCD9E8D57)
        c = [(p1 >> np.uint64(32)) ^ c[1] ^ k[0], p1 & word,
             (p0 >> np.uint64(32)) ^ c[3] ^ k[1], p0 & word]
        k = [(k[0] + np.uint64(0x9E3779B9)) & word,
             (k[1] + np.uint64(0xBB67AE85)) & word]
    return c


def random_pairs(shape, seed):
    """Uniform numbers in [0, 1), multiples of 2^-24, for scores [B, H, i, j]."""
    b, h, i, j = np.indices(shape, np.int64)
    seed = np.asarray(seed).astype(np.uint64)
    words = philox((i, j, h, b), (seed, seed >> np.uint64(32)))
    return (words[0] >> np.uint64(8)) / 2.0**24


def dropout(q, k, v, seed, rate):
    """Causal; weights are kept where a random number is at least the rate.

    N. Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from
    Overfitting", 2014. Kept weights are divided by 1 - rate.
    """
    s = causal_scores(q, k, -np.inf)
    _, lse = softmax_average(s, v)
    p = np.exp(s - lse[..., None])
    kept = random_pairs(s.shape, seed) >= rate
    return np.where(kept, p / (1 - rate), 0) @ v, lse


def differential(q1, k1, q2, k2, v, store=lambda rows: rows, **captured):
    """The difference of two causal softmax maps, the second times lambda[h].

    T. Ye et al., "Differential Transformer", 2025, arXiv:2410.05258, equation
    (1). `store` is what keeping the two outputs in a tensor does to them.
    """
    weight = captured["lambda"][:, None, None]
    first, second = (store(attend(q, k, v, mask=lambda i, j: j <= i)[0])
                     for q, k in ((q1, k1), (q2, k2)))
    return (first - weight * second,)


def talking_heads(q, k, v, logits_mix, weights_mix, store=None):
    """Heads exchange scores before the softmax, and weights after it.

    N. Shazeer et al., "Talking-Heads Attention", 2020, arXiv:2003.02436:
    s'[g] = sum_h s[h] logits_mix[h, g] and likewise for weights. `store` is
    what keeping the output of each head over the values of each other does to
    it; the reference mixes weights and has no such outputs.
    """
    mixed = np.einsum("bhij,hg->bgij", scores(q, k), logits_mix)
    _, lse = softmax_average(mixed, v)
    p = np.exp(mixed - lse[..., None])
    if store:
        outputs = store(np.einsum("bhij,bgjd->bhgid", p, v))
        return np.einsum("bhgid,hg->bgid", outputs, weights_mix), lse
    return np.einsum("bhij,hg->bgij", p, weights_mix) @ v, lse


def mixtures(generator, shape, sizes):
    """A fill of matrices that mostly keep heads apart, as in training."""
    return np.eye(shape[0]) + 0.5 * generator.standard_normal(shape)


def seeds(generator, shape, sizes):
    """A fill of 64 random bits, as signed integers."""
    return generator.integers(-2**63, 2**63 - 1, shape)


# Numbers that bf16 holds: all element types see the same rate.
def rates(generator, shape, sizes):
    """A fill of dropout rates."""
    return np.full(shape, 0.125)


CAUSAL = dict(SELF_ATTENTION)

VARIANTS = {
    "sink": Variant(sink, {**CAUSAL, "sink": ("H",)}),
    "sigmoid": Variant(sigmoid, CAUSAL, results=("out",)),
    "relu": Variant(relu, CAUSAL, results=("out",)),
    "dropout": Variant(dropout, {**CAUSAL, "seed": (), "rate": ()},
                       fill={"seed": seeds, "rate": rates}),
    "talking-heads": Variant(
        talking_heads,
        {**SELF_ATTENTION, "logits_mix": ("H", "H"), "weights_mix": ("H", "H")},
        {"H": 4, "D": 64},
        fill={"logits_mix": mixtures, "weights_mix": mixtures}),
    "differential": Variant(
        differential,
        {**{name: ("B", "H", "N", "D") for name in ("q1", "k1", "q2", "k2")},
         "v": ("B", "H", "N", "Dv"), "lambda": ("H",)},
        {"D": 64, "Dv": 128}, results=("out",), fill={"lambda": uniform}),
}
