#===- test_softmax_variants.py - Oracles against scalar loops --------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""The oracles of softmax_pairs, _rows and _weights against scalar loops.

A variant is written once more, one number at a time: `SCALARS` has its score,
its mask and its weights, each a function of the arguments a and of the indices.
"""

from dataclasses import dataclass
import math
from typing import Callable
import unittest

import numpy as np

import softmax
import softmax_pairs
import softmax_rows
import softmax_weights

VARIANTS = {**softmax_pairs.VARIANTS, **softmax_rows.VARIANTS,
            **softmax_weights.VARIANTS}
DIMS = {"B": 2, "H": 3, "N": 6, "Nq": 6, "Nk": 4, "L": 5}
# Small enough for scalar loops; R = 5 clips at offset 2.
STATIC = {"relative-bias": {"D": 4, "R": 5}, "mla": {"D": 6, "Dv": 3},
          "mla-absorbed": {"Hk": 1, "D": 6, "C": 7, "Dc": 4, "R": 5, "Dv": 3},
          "pooling": {"One": 1, "D": 4},
          "merged-kq": {"One": 1, "E": 3, "D": 4},
          "differential": {"D": 4, "Dv": 6}}


def arguments_of(name, seed=0, **dims):
    dims = {**DIMS, **STATIC.get(name, {"D": 4}), **dims}
    return VARIANTS[name].random_arguments(np.random.default_rng(seed), dims)


def dot(x, y):
    return math.fsum(float(a) * float(b) for a, b in zip(x, y))


def product(a, b, h, i, j):
    """<q, k> / sqrt(D)."""
    q, k = a["q"][b, h, i], a["k"][b, h, j]
    return dot(q, k) / math.sqrt(len(q))


def cosine_of(x, y):
    return dot(x, y) / math.hypot(*x) / math.hypot(*y)


def rms(x, gain):
    mean = math.fsum(float(c) ** 2 for c in x) / len(x)
    return [float(g) * float(c) / math.sqrt(mean + 2.0**-20)
            for g, c in zip(gain, x)]


def past(a, b, h, i, j):
    return j <= i


@dataclass
class Scalar:
    """A variant, one pair at a time; `value` is the vector of a key."""

    score: Callable = product
    sees: Callable = lambda a, b, h, i, j: True
    value: Callable = lambda a, b, h, j: a["v"][b, h, j]
    sink: Callable = lambda a, h: -math.inf
    after: Callable = lambda a, p, b, h, i, j: p


SCALARS = {
    "prefix-lm": Scalar(
        sees=lambda a, b, h, i, j: j <= i or j < a["prefix"][b]),
    "relative-bias": Scalar(
        lambda a, b, h, i, j: product(a, b, h, i, j)
        + a["bias"][h][2 + sorted([-2, i - j, 2])[1]]),
    "alibi-learned": Scalar(
        lambda a, b, h, i, j: product(a, b, h, i, j) - a["slope"][h] * (i - j),
        past),
    "per-token-scale": Scalar(
        lambda a, b, h, i, j: product(a, b, h, i, j) * a["q_scale"][b, h, i]
        * a["k_scale"][b, h, j]),
    "bias": Scalar(lambda a, b, h, i, j: product(a, b, h, i, j)
                   + a["bias"][b, h, i, j]),
    "multiplicity": Scalar(
        lambda a, b, h, i, j: product(a, b, h, i, j)
        + math.log(a["count"][b, j]),
        lambda a, b, h, i, j: a["count"][b, j] > 0),
    "mla": Scalar(sees=past),
    "mla-absorbed": Scalar(
        lambda a, b, h, i, j: (
            dot(a["q"][b, h, i, :4],
                [dot(row, a["c"][b, 0, j, :5]) for row in a["w_uk"][h]])
            + dot(a["q"][b, h, i, 4:], a["c"][b, 0, j, 5:])) / math.sqrt(6),
        lambda a, b, h, i, j: j <= i + a["c"].shape[2] - a["q"].shape[2],
        lambda a, b, h, j: np.array(
            [dot(a["w_uv"][h, :, d], a["c"][b, 0, j, :5]) for d in range(3)])),
    "pooling": Scalar(
        lambda a, b, h, i, j: dot(a["q"][0, h, i], a["k"][b, h, j]) / 2),
    "merged-kq": Scalar(
        lambda a, b, h, i, j: math.fsum(
            float(a["x"][b, h, j, d] * a["w"][h, e, d] * a["z"][b, h, i, e])
            for d in range(4) for e in range(3)),
        value=lambda a, b, h, j: a["x"][b, h, j]),
    "cosine": Scalar(lambda a, b, h, i, j: a["gain"][h]
                     * cosine_of(a["q"][b, h, i], a["k"][b, h, j])),
    "qk-norm": Scalar(
        lambda a, b, h, i, j: dot(rms(a["q"][b, h, i], a["q_gain"]),
                                  rms(a["k"][b, h, j], a["k_gain"])) / 2,
        past),
    "sink": Scalar(sees=past, sink=lambda a, h: a["sink"][h]),
    "dropout": Scalar(
        sees=past, after=lambda a, p, b, h, i, j:
        0 if word_of(a["seed"], i, j, h, b) >> 8 < 0.125 * 2**24
        else p / 0.875),
}


def word_of(seed, *counter):
    """The first word of Philox4x32-10, in unbounded integers."""
    c, key = list(counter), [int(seed) % 2**32, int(seed) // 2**32 % 2**32]
    for _ in range(10):
        left, right = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [right // 2**32 ^ c[1] ^ key[0], right % 2**32,
             left // 2**32 ^ c[3] ^ key[1], left % 2**32]
        key = [(key[0] + 0x9E3779B9) % 2**32, (key[1] + 0xBB67AE85) % 2**32]
    return c[0]


def row_by_loops(scalar, a, keys, b, h, i):
    """One row of the output and its lse."""
    weights = {j: math.exp(scalar.score(a, b, h, i, j))
               for j in range(keys) if scalar.sees(a, b, h, i, j)}
    total = math.fsum([*weights.values(), math.exp(scalar.sink(a, h))])
    values = [scalar.value(a, b, h, j) for j in range(keys)]
    out = np.zeros(len(values[0]))
    for j, w in weights.items():
        if w > 0:
            out += scalar.after(a, w / total, b, h, i, j) * values[j]
    return out, math.log(total) if total > 0 else -math.inf


def unnormalised_row(a, weight, b, h, i):
    """A causal row of weights that nothing divides."""
    out = np.zeros(a["v"].shape[3])
    for j in range(i + 1):
        out += weight(product(a, b, h, i, j)) * a["v"][b, h, j]
    return out


class EveryVariant(unittest.TestCase):

    def test_equals_the_scalar_loops(self):
        for name, scalar in SCALARS.items():
            with self.subTest(variant=name):
                arguments = arguments_of(name)
                out, lse = VARIANTS[name].function(**arguments)
                tokens = next(name for name in "kxc" if name in arguments)
                keys = arguments[tokens].shape[2]
                for b, h, i in np.ndindex(lse.shape):
                    row, row_lse = row_by_loops(
                        scalar, arguments, keys, b, h, i)
                    np.testing.assert_allclose(out[b, h, i], row, atol=1e-13)
                    np.testing.assert_allclose(
                        lse[b, h, i], row_lse, atol=1e-13)

    def test_unnormalised_variants_equal_the_scalar_loops(self):
        n = DIMS["N"]
        weights = {"sigmoid": lambda s: 1 / (1 + n * math.exp(-s)),
                   "relu": lambda s: max(s, 0) / n}
        for name, weight in weights.items():
            with self.subTest(variant=name):
                arguments = arguments_of(name)
                out, = VARIANTS[name].function(**arguments)
                for b, h, i in np.ndindex(out.shape[:3]):
                    np.testing.assert_allclose(
                        out[b, h, i],
                        unnormalised_row(arguments, weight, b, h, i),
                        atol=1e-13)

    def test_every_variant_has_scalar_loops(self):
        with_others = {*SCALARS, "sigmoid", "relu", "differential",
                       "talking-heads"}
        self.assertEqual(with_others, set(VARIANTS))

    def test_computes_in_the_type_of_its_arguments(self):
        for name, variant in VARIANTS.items():
            with self.subTest(variant=name):
                arguments = {
                    key: x.astype(np.float32) if x.dtype == float else x
                    for key, x in arguments_of(name).items()}
                for result in variant.function(**arguments):
                    self.assertEqual(result.dtype, np.float32)

    def test_returns_what_it_names(self):
        for name, variant in VARIANTS.items():
            with self.subTest(variant=name):
                results = variant.function(**arguments_of(name))
                self.assertEqual(len(results), len(variant.results))

    def test_survives_large_scores(self):
        for name, variant in VARIANTS.items():
            with self.subTest(variant=name):
                arguments = arguments_of(name)
                query = next(x for x in ("q", "q1", "z") if x in arguments)
                arguments[query] = arguments[query] * 1e4
                out, *lse = variant.function(**arguments)
                self.assertTrue(np.isfinite(out).all())
                self.assertFalse(np.isnan(lse).any())


class Pairs(unittest.TestCase):

    def test_prefixes_without_and_with_all_tokens(self):
        a = arguments_of("prefix-lm")
        qkv = [a[x] for x in "qkv"]
        for length, same in ((0, softmax.causal), (6, softmax.dense)):
            got = softmax_pairs.prefix_lm(*qkv, np.full(2, length))
            np.testing.assert_array_equal(got[0], same(*qkv)[0])

    def test_offsets_beyond_the_table_share_its_ends(self):
        a = arguments_of("relative-bias", N=9)
        a["q"] = np.zeros_like(a["q"])
        a["bias"] = np.log(np.arange(1.0, 16.0).reshape(3, 5))
        _, lse = softmax_pairs.relative_bias(**a)
        # The last query is 8 .. 0 after the keys: 6 times offset >= 2.
        weights = np.exp(a["bias"][0])
        self.assertAlmostEqual(math.exp(lse[0, 0, 8]),
                               7 * weights[4] + weights[3] + weights[2])

    def test_learned_slopes_of_the_paper_give_alibi(self):
        a = arguments_of("alibi-learned")
        a["slope"] = 2.0 ** (-8 * np.arange(1, 4) / 3)
        want = softmax.alibi(a["q"], a["k"], a["v"])
        np.testing.assert_allclose(
            softmax_pairs.alibi_learned(**a)[0], want[0], atol=1e-14)

    def test_token_scales_may_move_into_the_vectors(self):
        a = arguments_of("per-token-scale")
        want = softmax.attend(a["q"] * a["q_scale"][..., None],
                              a["k"] * a["k_scale"][..., None], a["v"])
        np.testing.assert_allclose(
            softmax_pairs.per_token_scale(**a)[0], want[0], atol=1e-14)

    def test_a_bias_of_minus_infinity_hides(self):
        a = arguments_of("bias")
        out, lse = softmax_pairs.bias(**a)
        self.assertTrue((out[0, 0, 0] == 0).all())
        self.assertEqual(lse[0, 0, 0], -math.inf)
        self.assertTrue(np.isfinite(lse[1]).any())

    def test_a_multiple_key_equals_as_many_keys(self):
        a = arguments_of("multiplicity", B=1)
        times = np.array([2, 0, 1, 3])
        a["count"] = times[None]
        want = softmax.attend(a["q"], *(np.repeat(a[x], times, axis=2)
                                        for x in "kv"))
        got = softmax_pairs.multiplicity(**a)
        for x, y in zip(got, want):
            np.testing.assert_allclose(x, y, atol=1e-14)


class Rows(unittest.TestCase):

    def test_absorbed_form_equals_the_expanded_one(self):
        a = arguments_of("mla-absorbed")
        want = softmax_rows.mla_absorbed(**a)
        absorbed = softmax_rows.mla_absorbed(**a, store=lambda rows: rows)
        for got, expected in zip(absorbed, want):
            np.testing.assert_allclose(got, expected, atol=1e-13)

    def test_absorbed_form_equals_attention_of_projected_keys(self):
        a = arguments_of("mla-absorbed", Nq=4)
        latent, position = np.split(a["c"], [5], axis=-1)
        keys = np.concatenate(
            [np.einsum("hdr,botr->bhtd", a["w_uk"], latent),
             np.repeat(position, 3, axis=1)], axis=-1)
        values = np.einsum("hrd,botr->bhtd", a["w_uv"], latent)
        want = softmax_rows.mla(a["q"], keys, values)
        for got, expected in zip(softmax_rows.mla_absorbed(**a), want):
            np.testing.assert_allclose(got, expected, atol=1e-13)

    def test_pooling_does_not_see_the_order_of_tokens(self):
        a = arguments_of("pooling")
        want = softmax_rows.pooling(**a)
        order = [3, 0, 5, 1, 4, 2]
        a["k"], a["v"] = a["k"][:, :, order], a["v"][:, :, order]
        for got, expected in zip(softmax_rows.pooling(**a), want):
            np.testing.assert_allclose(got, expected, atol=1e-14)

    def test_merged_matrix_equals_two_projections(self):
        a = arguments_of("merged-kq")
        project_k, project_q = np.random.default_rng(8).standard_normal(
            (2, 4, 5))
        project_q = project_q[:3]
        a["w"] = np.repeat((project_q @ project_k.T)[None], 3, axis=0)
        want = softmax.attend(a["z"] @ project_q, a["x"] @ project_k, a["x"],
                              scale=1)
        for got, expected in zip(softmax_rows.merged_kq(**a), want):
            np.testing.assert_allclose(got, expected, atol=1e-12)

    def test_cosine_does_not_see_lengths(self):
        a = arguments_of("cosine")
        out, _ = softmax_rows.cosine(**a)
        a["q"], a["k"] = 3 * a["q"], 0.1 * a["k"]
        np.testing.assert_allclose(softmax_rows.cosine(**a)[0], out, atol=1e-14)

    def test_cosine_of_a_zero_vector_is_zero(self):
        a = arguments_of("cosine")
        a["k"] = np.zeros_like(a["k"])
        _, lse = softmax_rows.cosine(**a)
        np.testing.assert_allclose(lse, math.log(DIMS["N"]), atol=1e-14)

    def test_normed_rows_have_unit_mean_square(self):
        x = np.random.default_rng(4).standard_normal((5, 64)) * 100
        rows = softmax_rows.rms_norm(x, np.ones(64))
        np.testing.assert_allclose((rows**2).mean(axis=1), 1, atol=1e-6)


class Weights(unittest.TestCase):

    def test_a_sink_of_minus_infinity_gives_causal(self):
        a = arguments_of("sink")
        a["sink"] = np.full(3, -np.inf)
        want = softmax.causal(a["q"], a["k"], a["v"])
        for got, expected in zip(softmax_weights.sink(**a), want):
            np.testing.assert_allclose(got, expected, atol=1e-14)

    def test_sigmoid_of_one_token_is_half_where_scores_are_zero(self):
        one = np.ones((1, 1, 1, 4))
        out, = softmax_weights.sigmoid(0 * one, one, one)
        np.testing.assert_array_equal(out, one / 2)

    def test_philox_equals_the_published_vectors(self):
        # Known answers of the authors' library Random123, philox4x32 10.
        ones, pi = [2**32 - 1] * 6, [
            0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344, 0xA4093822,
            0x299F31D0]
        for words, want in (
            ([0] * 6, [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
            (ones, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
            (pi, [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1])):
            got = softmax_weights.philox(words[:4], words[4:])
            self.assertEqual([int(x) for x in got], want)

    def test_dropout_keeps_the_mean(self):
        a = arguments_of("dropout", B=4, N=64)
        a["q"], a["v"] = np.zeros_like(a["q"]), np.ones_like(a["v"])
        out, _ = softmax_weights.dropout(**a)
        self.assertLess(abs(out.mean() - 1), 0.02)
        self.assertGreater(out.std(), 0.01)

    def test_difference_of_equal_maps_is_a_multiple(self):
        a = arguments_of("differential")
        a["q2"], a["k2"] = a["q1"], a["k1"]
        out, = softmax_weights.differential(**a)
        causal, _ = softmax.causal(a["q1"], a["k1"], a["v"])
        share = 1 - a["lambda"][:, None, None]
        np.testing.assert_allclose(out, share * causal, atol=1e-14)

    def test_difference_equals_the_scalar_loops(self):
        a = arguments_of("differential")
        out, = softmax_weights.differential(**a)
        first, second = ({"q": a[f"q{n}"], "k": a[f"k{n}"], "v": a["v"]}
                         for n in (1, 2))
        for b, h, i in np.ndindex(out.shape[:3]):
            rows = [row_by_loops(Scalar(sees=past), x, DIMS["N"], b, h, i)[0]
                    for x in (first, second)]
            np.testing.assert_allclose(
                out[b, h, i], rows[0] - a["lambda"][h] * rows[1], atol=1e-13)

    def test_heads_that_talk_to_themselves_only_are_dense(self):
        q, k, v = np.random.default_rng(5).standard_normal((3, 2, 3, 4, 6))
        got = softmax_weights.talking_heads(q, k, v, np.eye(3), np.eye(3))
        for x, y in zip(got, softmax.dense(q, k, v)):
            np.testing.assert_allclose(x, y, atol=1e-14)

    def test_mixed_weights_equal_mixed_outputs(self):
        a = arguments_of("talking-heads", H=3)
        want = softmax_weights.talking_heads(**a)
        got = softmax_weights.talking_heads(**a, store=lambda rows: rows)
        for x, y in zip(got, want):
            np.testing.assert_allclose(x, y, atol=1e-13)

    def test_talking_heads_equal_the_scalar_loops(self):
        generator = np.random.default_rng(6)
        q, k, v = generator.standard_normal((3, 2, 3, 4, 6))
        w1, w2 = generator.standard_normal((2, 3, 3))
        out, _ = softmax_weights.talking_heads(q, k, v, w1, w2)
        a = {"q": q, "k": k}
        for b, i in np.ndindex(2, 4):
            p = np.array([[math.exp(sum(product(a, b, h, i, j) * w1[h, g]
                                        for h in range(3)))
                           for j in range(4)] for g in range(3)])
            p /= p.sum(axis=1, keepdims=True)
            for g in range(3):
                mixed = [sum(p[h, j] * w2[h, g] for h in range(3))
                         for j in range(4)]
                row = sum(w * v[b, g, j] for j, w in enumerate(mixed))
                np.testing.assert_allclose(out[b, g, i], row, atol=1e-12)


if __name__ == "__main__":
    unittest.main()
