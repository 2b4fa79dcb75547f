#===- test_local.py - Masks along one axis against closed forms ------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""The oracles of local.py against inequalities, and properties of theirs."""

import itertools
import math
import unittest

import numpy as np

import local
import softmax
from variants import VARIANTS


def arguments_of(name, seed=0, **dims):
    """Random arguments, with few features."""
    sizes = {"B": 2, "H": 3, "Hk": 3, "N": 50, "Nq": 50, "Nk": 40, "P": 5,
             "M": 3, "G": 6, **dims, "D": 4}
    return VARIANTS[name].random_arguments(np.random.default_rng(seed), sizes)


def seen_by(function, size, **parameters):
    """Which pairs of a variant of one axis have a weight, [size, size]."""
    zero = np.zeros((1, 1, size, 2))
    out, _ = function(zero, zero, np.eye(size)[None, None], **parameters)
    return out[0, 0] > 0


def window_of(i, size, window, stride, causal):
    """The window of row i of a class of `size` tokens, begin and end."""
    if causal:
        leader = min(i // stride * stride + stride - 1, size - 1)
        return max(leader - window + 1, 0), i + 1
    leader = min(i // stride * stride + stride // 2, size - 1)
    begin = max(min(leader - window // 2, size - window), 0)
    return begin, min(begin + window, size)


def readers_of(j, size, window, stride, causal):
    """The queries that see key j, first and behind the last, without a search:
    the transposed relation of windows that are not larger than the class."""
    left, right = window // 2, window - 1 - window // 2
    if causal:
        after = (j + window) // stride + (j + window >= size)
        return j, min(after * stride, size)
    o = stride - stride // 2 - 1
    begin = 0 if j < window else (j - right + o) // stride * stride
    end = (size if j >= size - window
           else (j + left + o + 1) // stride * stride)
    return begin, end


def small_windows():
    for size, window in itertools.product(range(1, 18), range(1, 20)):
        for stride, causal in itertools.product(
                range(1, min(window, 6) + 1), (False, True)):
            yield size, window, stride, causal


class Neighborhood(unittest.TestCase):

    def test_equals_the_closed_form(self):
        for size, window, stride, causal in small_windows():
            seen = local.neighborhood(size, window, 1, stride, causal)
            want = np.zeros_like(seen)
            for i in range(size):
                want[i, slice(*window_of(i, size, window, stride, causal))] = 1
            np.testing.assert_array_equal(
                seen, want, f"{size} {window} {stride} {causal}")

    def test_dilation_equals_each_class_on_its_own(self):
        for size, d, causal in itertools.product(
                (1, 2, 7, 12, 19), (1, 2, 3, 5, 23), (False, True)):
            for window, stride in ((1, 1), (2, 1), (3, 2), (4, 3), (30, 1)):
                want = np.zeros((size, size), bool)
                for rest in range(min(d, size)):
                    of_class = local.neighborhood(
                        len(range(rest, size, d)), window, 1, stride, causal)
                    want[rest::d, rest::d] = of_class
                seen = local.neighborhood(size, window, d, stride, causal)
                np.testing.assert_array_equal(seen, want)

    def test_rows_have_as_many_keys_as_the_window(self):
        for size, window, stride, causal in small_windows():
            count = local.neighborhood(size, window, 1, stride, causal).sum(1)
            if not causal:
                self.assertEqual({*count}, {min(window, size)})
            elif stride == 1:
                np.testing.assert_array_equal(
                    count, np.minimum(np.arange(size) + 1, window))
            self.assertGreater(count.min(), 0)

    def test_counts_in_a_causal_group(self):
        count = local.neighborhood(24, 8, 1, 4, True).sum(axis=1)
        self.assertEqual([*count[12:16]], [5, 6, 7, 8])

    def test_readers_equal_the_transpose(self):
        for size, window, stride, causal in small_windows():
            if window > size:
                continue
            seen = local.neighborhood(size, window, 1, stride, causal)
            for j in range(size):
                begin, end = readers_of(j, size, window, stride, causal)
                self.assertEqual([*np.flatnonzero(seen[:, j])],
                                 [*range(begin, end)])

    def test_a_window_of_all_tokens(self):
        a = arguments_of("neighborhood-1d")
        for window in (50, 64):
            for causal, same in ((False, softmax.dense), (True, softmax.causal)):
                for got, want in zip(
                        local.neighborhood_1d(**a, window=window, causal=causal),
                        same(**a)):
                    np.testing.assert_array_equal(got, want)

    def test_a_stride_of_the_window_gives_blocks(self):
        np.testing.assert_array_equal(
            seen_by(local.neighborhood_1d, 24, window=8, stride=8),
            seen_by(local.block_diagonal, 24, block=8))

    def test_corners_are_not_centred(self):
        seen = local.neighborhood(10, 4)
        self.assertEqual([*np.flatnonzero(seen[0])], [0, 1, 2, 3])
        self.assertEqual([*np.flatnonzero(seen[5])], [3, 4, 5, 6])
        self.assertEqual([*np.flatnonzero(seen[9])], [6, 7, 8, 9])


class Dilated(unittest.TestCase):

    def test_equals_the_inequalities(self):
        i, j = np.ogrid[:40, :40]
        for reach, d in ((0, 1), (5, 1), (12, 4), (13, 4), (11, 4), (100, 7)):
            want = (abs(i - j) <= reach) & (abs(i - j) % d == 0)
            np.testing.assert_array_equal(
                seen_by(local.dilated_1d, 40, reach=reach, dilation=d), want)

    def test_inside_equals_a_dilated_neighborhood(self):
        near = seen_by(local.dilated_1d, 60, reach=12, dilation=4)
        neighbors = local.neighborhood(60, 7, 4)
        np.testing.assert_array_equal(near[12:48], neighbors[12:48])
        self.assertFalse((near[0] == neighbors[0]).all())


class Blocks(unittest.TestCase):

    def test_equals_equal_quotients(self):
        i, j = np.ogrid[:50, :50]
        for block in (1, 7, 16, 50, 64):
            np.testing.assert_array_equal(
                seen_by(local.block_diagonal, 50, block=block),
                i // block == j // block)


class PerHeadWindow(unittest.TestCase):

    def test_equals_the_inequalities(self):
        a = arguments_of("per-head-window")
        a["window"] = np.array([3, 0, 60])
        width = a["window"][:, None, None]
        want = softmax.attend(
            a["q"], a["k"], a["v"],
            mask=lambda i, j: (0 <= i - j) & (i - j < width))
        for x, y in zip(local.per_head_window(**a), want):
            np.testing.assert_array_equal(x, y)

    def test_equal_windows_give_a_sliding_window(self):
        a = arguments_of("per-head-window")
        a["window"] = np.array([3, 3, 3])
        want = softmax.sliding_window(a["q"], a["k"], a["v"], window=3)
        np.testing.assert_array_equal(local.per_head_window(**a)[0], want[0])


class Scales(unittest.TestCase):

    def test_offsets_are_those_of_the_papers(self):
        scale = local.scales(680)
        begins = [int(np.argmax(scale == t)) for t in range(10)]
        self.assertEqual(begins, [0, 1, 5, 14, 30, 55, 91, 155, 255, 424])
        self.assertEqual(scale[-1], 9)

    def test_pairs_are_as_many_as_published(self):
        own = seen_by(local.var_scales, 680)
        before = seen_by(local.var_scales_causal, 680)
        self.assertEqual((own.sum(), before.sum()), (110468, 286434))
        self.assertTrue((before | ~own).all())

    def test_rows_see_a_range_that_ends_with_their_scale(self):
        ends = [0, 1, 5, 14, 30, 55, 91, 155, 255, 424, 1000]
        count = seen_by(local.var_scales_causal, 700).sum(axis=1)
        for begin, end in zip(ends, ends[1:]):
            self.assertTrue((count[begin:end] == min(end, 700)).all())


class Rows(unittest.TestCase):
    """Attention itself, by loops."""

    def test_equals_the_scalar_loops(self):
        a = arguments_of("dilated-1d", N=12)
        out, lse = local.dilated_1d(**a, reach=5, dilation=2)
        for b, h, i in np.ndindex(lse.shape):
            weights = {j: math.exp(math.fsum(
                x * y for x, y in zip(a["q"][b, h, i], a["k"][b, h, j])) / 2)
                for j in range(12) if abs(i - j) in (0, 2, 4)}
            total = math.fsum(weights.values())
            self.assertAlmostEqual(lse[b, h, i], math.log(total), 12)
            np.testing.assert_allclose(
                out[b, h, i],
                sum(w / total * a["v"][b, h, j] for j, w in weights.items()),
                atol=1e-13)


LOCAL = [name for name, variant in VARIANTS.items()
         if variant.function.__module__.startswith("local")]


class EveryVariant(unittest.TestCase):

    def test_computes_in_the_type_of_its_arguments(self):
        for name in LOCAL:
            with self.subTest(variant=name):
                arguments = {
                    key: x.astype(np.float32) if x.dtype == float else x
                    for key, x in arguments_of(name, Y=5, X=7, T=3).items()}
                for result in VARIANTS[name].function(**arguments):
                    self.assertEqual(result.dtype, np.float32)

    def test_rows_without_keys_are_zero(self):
        for name in LOCAL:
            with self.subTest(variant=name):
                arguments = arguments_of(name, Y=5, X=7, T=3)
                arguments["v"] = np.ones_like(arguments["v"])
                out, lse = VARIANTS[name].function(**arguments)
                want = np.where(np.isneginf(lse), 0.0, 1.0)[..., None]
                np.testing.assert_allclose(
                    out, np.broadcast_to(want, out.shape), atol=1e-14)


if __name__ == "__main__":
    unittest.main()
