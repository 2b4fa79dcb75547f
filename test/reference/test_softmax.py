#===- test_softmax.py - Properties of the softmax oracles -----------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""The softmax oracles against properties that do not depend on them."""

import math
import unittest

import numpy as np

import softmax

# Small sizes for the scalar definitions. Nq exceeds Nk + 127 in `cross`, so
# rows without keys occur; H = 4 and Hk = 2 share heads in `causal-gqa`.
TINY = {"B": 2, "H": 4, "Hk": 2, "N": 5, "Nq": 134, "Nk": 4}
TINY_STATIC = {"D": 6, "Dv": 3, "D2": 3}


def arguments_of(variant, seed=0, **sizes):
    """Random arguments of a variant at tiny sizes, rope tables included."""
    sizes = {**TINY, **TINY_STATIC, **sizes}
    generator = np.random.default_rng(seed)
    arguments = {
        name: generator.standard_normal([sizes[dim] for dim in dims])
        for name, dims in variant.arguments.items()
    }
    if "cos" in arguments:
        tables = softmax.rope_tables(sizes["N"], sizes["D"])
        arguments["cos"], arguments["sin"] = tables
    return arguments


def dot(x, y):
    return sum(float(a) * float(b) for a, b in zip(x, y))


def rotated(x, n):
    """The token x at position n as complex numbers turned by n theta_c."""
    half = len(x) // 2
    turned = []
    for c in range(half):
        theta = n * 10000.0 ** (-2.0 * c / len(x))
        turned.append(complex(x[c], x[c + half]) * complex(
            math.cos(theta), math.sin(theta)))
    return [z.real for z in turned] + [z.imag for z in turned]


# What each variant adds to softmax attention, one pair (i, j) at a time.
SEES = {
    "dense": lambda i, j: True,
    "decode": lambda i, j: j <= i + TINY["Nk"] - TINY["Nq"],
    "cross": lambda i, j: -128 < i - j < 128,
    "sliding-window": lambda i, j: j <= i and i - j < 256,
}
SCORE = {
    "alibi": lambda s, h, heads, i, j:
        s - (i - j) / 2.0 ** (8.0 * (h + 1) / heads),
    "softcap": lambda s, h, heads, i, j: 50.0 * math.tanh(s / 50.0),
}


def row_by_loops(name, q, k, v, b, h, i):
    """One row of the output and its lse, in scalar arithmetic."""
    heads, key_heads = q.shape[1], k.shape[1]
    g = h * key_heads // heads
    sees = SEES.get(name, lambda i, j: j <= i)
    score = SCORE.get(name, lambda s, h, heads, i, j: s)
    turn = rotated if name == "rope-causal" else lambda x, n: x
    weights = {}
    for j in range(k.shape[2]):
        if sees(i, j):
            s = dot(turn(q[b, h, i], i), turn(k[b, g, j], j))
            s /= math.sqrt(q.shape[3])
            weights[j] = math.exp(score(s, h, heads, i, j))
    if not weights:
        return [0.0] * v.shape[3], -math.inf
    total = sum(weights.values())
    out = [
        sum(w / total * float(v[b, g, j, c]) for j, w in weights.items())
        for c in range(v.shape[3])
    ]
    return out, math.log(total)


class EveryVariant(unittest.TestCase):

    def test_equals_the_scalar_loops(self):
        for name, variant in softmax.VARIANTS.items():
            with self.subTest(variant=name):
                arguments = arguments_of(variant)
                q, k, v = (arguments[x] for x in "qkv")
                out, lse = variant.function(**arguments)
                for b, h, i in np.ndindex(lse.shape):
                    row, row_lse = row_by_loops(name, q, k, v, b, h, i)
                    np.testing.assert_allclose(out[b, h, i], row, atol=1e-13)
                    np.testing.assert_allclose(
                        lse[b, h, i], row_lse, atol=1e-13)

    def test_weights_sum_to_one(self):
        for name, variant in softmax.VARIANTS.items():
            with self.subTest(variant=name):
                arguments = arguments_of(variant)
                arguments["v"] = np.ones_like(arguments["v"])
                out, lse = variant.function(**arguments)
                want = np.where(np.isneginf(lse), 0.0, 1.0)[..., None]
                np.testing.assert_allclose(
                    out, np.broadcast_to(want, out.shape), atol=1e-14)

    def test_computes_in_the_type_of_its_arguments(self):
        for name, variant in softmax.VARIANTS.items():
            with self.subTest(variant=name):
                arguments = {
                    key: value.astype(np.float32)
                    for key, value in arguments_of(variant).items()
                }
                out, lse = variant.function(**arguments)
                self.assertEqual(out.dtype, np.float32)
                self.assertEqual(lse.dtype, np.float32)

    def test_survives_large_scores(self):
        for name, variant in softmax.VARIANTS.items():
            with self.subTest(variant=name):
                arguments = arguments_of(variant)
                arguments["q"] = arguments["q"] * 1e4
                out, lse = variant.function(**arguments)
                self.assertTrue(np.isfinite(out).all())
                self.assertFalse(np.isnan(lse).any())

    def test_shapes_follow_the_named_dimensions(self):
        dims = {"B": 2, "H": 4, "Hk": 2, "N": 3, "Nq": 5, "Nk": 7}
        shapes = softmax.VARIANTS["cross"].shapes(dims)
        self.assertEqual(shapes["q"], (2, 4, 5, 64))
        self.assertEqual(shapes["v"], (2, 4, 7, 32))
        shapes = softmax.VARIANTS["rope-causal"].shapes(dims)
        self.assertEqual(shapes["cos"], (3, 32))
        self.assertEqual(
            softmax.VARIANTS["causal-gqa"].dynamic, ["B", "H", "N", "Hk"])


class Dense(unittest.TestCase):

    def test_does_not_depend_on_the_order_of_keys(self):
        arguments = arguments_of(softmax.VARIANTS["dense"])
        out, lse = softmax.dense(**arguments)
        order = np.random.default_rng(1).permutation(TINY["N"])
        permuted_out, permuted_lse = softmax.dense(
            arguments["q"], arguments["k"][:, :, order],
            arguments["v"][:, :, order])
        np.testing.assert_allclose(permuted_out, out, atol=1e-14)
        np.testing.assert_allclose(permuted_lse, lse, atol=1e-14)

    def test_averages_values_when_queries_are_zero(self):
        arguments = arguments_of(softmax.VARIANTS["dense"])
        arguments["q"] = np.zeros_like(arguments["q"])
        out, lse = softmax.dense(**arguments)
        mean = arguments["v"].mean(axis=2, keepdims=True)
        np.testing.assert_allclose(
            out, np.broadcast_to(mean, out.shape), atol=1e-14)
        np.testing.assert_allclose(lse, math.log(TINY["N"]), atol=1e-14)

    def test_merges_from_two_blocks_of_keys(self):
        arguments = arguments_of(softmax.VARIANTS["dense"])
        q, k, v = (arguments[x] for x in "qkv")
        out, lse = softmax.dense(q, k, v)
        left = softmax.dense(q, k[:, :, :2], v[:, :, :2])
        right = softmax.dense(q, k[:, :, 2:], v[:, :, 2:])
        merged = np.logaddexp(left[1], right[1])
        np.testing.assert_allclose(merged, lse, atol=1e-14)
        np.testing.assert_allclose(
            sum(o * np.exp(l - merged)[..., None] for o, l in (left, right)),
            out, atol=1e-14)


class Causal(unittest.TestCase):

    def test_is_the_last_row_of_dense_on_each_prefix(self):
        arguments = arguments_of(softmax.VARIANTS["causal"])
        q, k, v = (arguments[x] for x in "qkv")
        out, lse = softmax.causal(q, k, v)
        for n in range(1, TINY["N"] + 1):
            last = softmax.dense(q[:, :, n - 1:n], k[:, :, :n], v[:, :, :n])
            np.testing.assert_allclose(out[:, :, n - 1:n], last[0], atol=1e-14)
            np.testing.assert_allclose(lse[:, :, n - 1:n], last[1], atol=1e-14)

    def test_equals_a_window_of_all_keys(self):
        arguments = arguments_of(softmax.VARIANTS["causal"])
        for got, want in zip(softmax.sliding_window(**arguments, window=10**9),
                             softmax.causal(**arguments)):
            np.testing.assert_array_equal(got, want)


class CausalGqa(unittest.TestCase):

    def test_equals_causal_with_repeated_key_heads(self):
        arguments = arguments_of(softmax.VARIANTS["causal-gqa"])
        q, k, v = (arguments[x] for x in "qkv")
        heads = [0, 0, 1, 1]
        for got, want in zip(softmax.causal_gqa(q, k, v),
                             softmax.causal(q, k[:, heads], v[:, heads])):
            np.testing.assert_array_equal(got, want)


class Decode(unittest.TestCase):

    def test_step_by_step_equals_causal(self):
        arguments = arguments_of(softmax.VARIANTS["causal-gqa"])
        q, k, v = (arguments[x] for x in "qkv")
        out, lse = softmax.causal_gqa(q, k, v)
        for n in range(q.shape[2]):
            step = softmax.decode(q[:, :, n:n + 1], k[:, :, :n + 1],
                                  v[:, :, :n + 1])
            np.testing.assert_allclose(step[0][:, :, 0], out[:, :, n],
                                       atol=1e-14)
            np.testing.assert_allclose(step[1][:, :, 0], lse[:, :, n],
                                       atol=1e-14)

    def test_first_rows_see_no_key_where_queries_are_more(self):
        arguments = arguments_of(softmax.VARIANTS["decode"], Nq=5, Nk=3)
        out, lse = softmax.decode(**arguments)
        self.assertTrue(np.isneginf(lse[:, :, :2]).all())
        self.assertTrue((out[:, :, :2] == 0).all())
        self.assertTrue(np.isfinite(lse[:, :, 2:]).all())


class Cross(unittest.TestCase):

    def test_rows_far_from_every_key_are_empty(self):
        out, lse = softmax.cross(**arguments_of(softmax.VARIANTS["cross"]))
        # Nk = 4: key 3 is the last; row 130 sees it, row 131 does not.
        self.assertTrue(np.isfinite(lse[:, :, :131]).all())
        self.assertTrue((out[:, :, :131] != 0).all())
        self.assertTrue(np.isneginf(lse[:, :, 131:]).all())
        self.assertTrue((out[:, :, 131:] == 0).all())

    def test_equals_dense_when_everything_is_near(self):
        arguments = arguments_of(softmax.VARIANTS["cross"], Nq=7, Nk=100)
        for got, want in zip(softmax.cross(**arguments),
                             softmax.dense(**arguments)):
            np.testing.assert_array_equal(got, want)


class SlidingWindow(unittest.TestCase):

    def test_of_one_key_returns_the_values(self):
        arguments = arguments_of(softmax.VARIANTS["sliding-window"])
        out, _ = softmax.sliding_window(**arguments, window=1)
        np.testing.assert_array_equal(out, arguments["v"])

    def test_ignores_keys_that_left_the_window(self):
        arguments = arguments_of(softmax.VARIANTS["sliding-window"], N=300)
        out, lse = softmax.sliding_window(**arguments)
        arguments["k"][:, :, 10] += 5.0
        arguments["v"][:, :, 10] += 5.0
        changed, _ = softmax.sliding_window(**arguments)
        rows = np.nonzero((changed != out).any(axis=(0, 1, 3)))[0]
        self.assertEqual((rows.min(), rows.max()), (10, 265))


class Alibi(unittest.TestCase):

    def test_slopes_of_eight_heads_are_those_of_the_paper(self):
        zero = np.zeros((1, 8, 2, 4))
        _, lse = softmax.alibi(zero, zero, zero)
        # Row 1 sees scores 0 and -slope: lse = log(1 + exp(-slope)).
        slopes = -np.log(np.expm1(lse[0, :, 1]))
        np.testing.assert_allclose(
            slopes, [1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 32, 1 / 64, 1 / 128,
                     1 / 256], rtol=1e-12)


class Softcap(unittest.TestCase):

    def test_tends_to_causal_when_the_cap_grows(self):
        arguments = arguments_of(softmax.VARIANTS["softcap"])
        for got, want in zip(softmax.softcap(**arguments, cap=1e9),
                             softmax.causal(**arguments)):
            np.testing.assert_allclose(got, want, atol=1e-12)

    def test_bounds_the_scores(self):
        arguments = arguments_of(softmax.VARIANTS["softcap"])
        arguments["q"] = arguments["q"] * 1e6
        _, lse = softmax.softcap(**arguments)
        self.assertLessEqual(np.abs(lse).max(), 50.0 + math.log(TINY["N"]))
        self.assertGreater(np.abs(lse).max(), 49.0)


class RopeCausal(unittest.TestCase):

    def test_scores_depend_on_the_distance_only(self):
        generator = np.random.default_rng(2)
        x, y = generator.standard_normal((2, 8))
        cos, sin = softmax.rope_tables(20, 8)
        xs, ys = (softmax.rotate_half(z, cos, sin) for z in (x, y))
        scores = xs @ ys.T
        for distance in range(-19, 20):
            diagonal = np.diagonal(scores, distance)
            np.testing.assert_allclose(diagonal, diagonal[0], atol=1e-12)
        self.assertGreater(np.ptp(scores), 0.1)

    def test_rotation_keeps_lengths(self):
        x = np.random.default_rng(3).standard_normal((20, 8))
        turned = softmax.rotate_half(x, *softmax.rope_tables(20, 8))
        np.testing.assert_allclose(
            np.linalg.norm(turned, axis=1), np.linalg.norm(x, axis=1))

    def test_angles_zero_give_causal(self):
        arguments = arguments_of(softmax.VARIANTS["rope-causal"])
        q, k, v = (arguments[x] for x in "qkv")
        cos, sin = np.ones((TINY["N"], 3)), np.zeros((TINY["N"], 3))
        for got, want in zip(softmax.rope_causal(q, k, v, cos, sin),
                             softmax.causal(q, k, v)):
            np.testing.assert_array_equal(got, want)

    def test_store_acts_on_the_rotated_rows(self):
        arguments = arguments_of(softmax.VARIANTS["rope-causal"])
        exact, _ = softmax.rope_causal(**arguments)
        rounded, _ = softmax.rope_causal(
            **arguments, store=lambda x: x.astype(np.float16).astype(float))
        difference = np.abs(exact - rounded).max()
        self.assertTrue(0 < difference < 1e-2)


if __name__ == "__main__":
    unittest.main()
