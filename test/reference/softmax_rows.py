#===- softmax_rows.py - Oracles with maps of queries and keys --------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Softmax attention of queries, keys and values that are computed first.

The conventions are those of softmax.py.
"""

import numpy as np

from softmax import SELF_ATTENTION, Variant, attend


def mla(q, k, v):
    """Causal; keys of 192 features, values of 128.

    DeepSeek-AI, "DeepSeek-V2: A Strong, Economical, and Efficient Mixture-of-
    Experts Language Model", 2024, arXiv:2405.04434, section 2.1.
    """
    return attend(q, k, v, mask=lambda i, j: j <= i)


def mla_absorbed(q, c, w_uk, w_uv, store=None):
    """The same from latent vectors that all heads share, without absorption.

    DeepSeek-V2, 2024, section 2.1, equations (9) to (18): the content of keys
    and the values are projected from the latent vector, its last features are
    the positions of the keys. The last query stands at the last key.

    `store` is what keeping absorbed queries and averaged latent vectors in a
    tensor does to them; the reference has neither.
    """
    latent, position = np.split(c[:, 0], [w_uk.shape[2]], axis=-1)
    ahead = c.shape[2] - q.shape[2]
    past = {"mask": lambda i, j: j <= i + ahead,
            "scale": 1 / np.sqrt(q.dtype.type(q.shape[-1]))}
    if store:
        start, end = np.split(q, [w_uk.shape[1]], axis=-1)
        absorbed = store(np.einsum("hdr,bhtd->bhtr", w_uk, start))
        out, lse = attend(np.concatenate([absorbed, end], axis=-1), c,
                          latent[:, None], **past)
        return np.einsum("hrd,bhtr->bhtd", w_uv, store(out)), lse
    content = np.einsum("hdr,btr->bhtd", w_uk, latent)
    position = np.broadcast_to(position[:, None],
                               (*content.shape[:3], position.shape[-1]))
    return attend(q, np.concatenate([content, position], axis=-1),
                  np.einsum("hrd,btr->bhtd", w_uv, latent), **past)


def up_projections(generator, shape, sizes):
    """A fill of matrices that keep the variance of latent vectors."""
    return generator.standard_normal(shape) / np.sqrt(sizes["R"])


def pooling(q, k, v):
    """L learned queries, the same in all batches, each over all tokens.

    J. Lee et al., "Set Transformer", 2019, arXiv:1810.00825, section 3.2.
    """
    return attend(np.broadcast_to(q, (k.shape[0], *q.shape[1:])), k, v)


def merged_kq(z, x, w, store=lambda rows: rows):
    """softmax(X W z), one query per head; w[h] is the transpose of W_h.

    D. A. Tarzanagh et al., "Transformers as Support Vector Machines", 2023,
    arXiv:2308.16898. `store` is what keeping W z in a tensor does to it.
    """
    return attend(store(np.einsum("bhie,hed->bhid", z, w)), x, x, scale=1)


def merged_matrices(generator, shape, sizes):
    """A fill of matrices that give scores of variance 1."""
    return generator.standard_normal(shape) / np.sqrt(sizes["E"] * sizes["D"])


def to_unit(x):
    """x / max(|x|, 10^-12), vector by vector."""
    length = np.sqrt((x * x).sum(axis=-1, keepdims=True))
    return x / np.maximum(length, x.dtype.type(1e-12))


def cosine(q, k, v, gain):
    """The score is gain[h] times the cosine between query and key.

    A. Henry et al., "Query-Key Normalization for Transformers", 2020,
    arXiv:2010.04245, equation (5); per head as in Z. Liu et al., "Swin
    Transformer V2", 2022, arXiv:2111.09883, section 3.2.
    """
    return attend(to_unit(q), to_unit(k), v, scale=1,
                  score=lambda s, h, i, j: s * gain[h])


def rms_norm(x, gain, epsilon=2.0**-20):
    """gain x / sqrt(mean of squares + epsilon), vector by vector.

    B. Zhang, R. Sennrich, "Root Mean Square Layer Normalization", 2019,
    arXiv:1910.07467, equation (4).
    """
    mean = (x * x).mean(axis=-1, keepdims=True)
    return gain * x / np.sqrt(mean + x.dtype.type(epsilon))


def qk_norm(q, k, v, q_gain, k_gain):
    """Causal attention of queries and keys with a norm each.

    M. Dehghani et al., "Scaling Vision Transformers to 22 Billion Parameters",
    2023, arXiv:2302.05442, section 2.
    """
    return attend(rms_norm(q, q_gain), rms_norm(k, k_gain), v,
                  mask=lambda i, j: j <= i)


def near_one(generator, shape, sizes):
    """A fill of gains, which start from 1 in training."""
    return 1 + 0.25 * generator.standard_normal(shape)


VARIANTS = {
    "mla": Variant(
        mla,
        {"q": ("B", "H", "N", "D"), "k": ("B", "H", "N", "D"),
         "v": ("B", "H", "N", "Dv")},
        {"D": 192, "Dv": 128}),
    "mla-absorbed": Variant(
        mla_absorbed,
        {"q": ("B", "H", "Nq", "D"), "c": ("B", "Hk", "Nk", "C"),
         "w_uk": ("H", "Dc", "R"), "w_uv": ("H", "R", "Dv")},
        {"Hk": 1, "D": 192, "C": 576, "Dc": 128, "R": 512, "Dv": 128},
        fill={"w_uk": up_projections, "w_uv": up_projections}),
    "pooling": Variant(
        pooling,
        {"q": ("One", "H", "L", "D"), "k": ("B", "H", "N", "D"),
         "v": ("B", "H", "N", "D")},
        {"One": 1, "D": 64}),
    "merged-kq": Variant(
        merged_kq,
        {"z": ("B", "H", "One", "E"), "x": ("B", "H", "N", "D"),
         "w": ("H", "E", "D")},
        {"One": 1, "E": 64, "D": 64}, fill={"w": merged_matrices}),
    "cosine": Variant(cosine, {**SELF_ATTENTION, "gain": ("H",)}),
    "qk-norm": Variant(
        qk_norm, {**SELF_ATTENTION, "q_gain": ("D",), "k_gain": ("D",)},
        fill={"q_gain": near_one, "k_gain": near_one}),
}
