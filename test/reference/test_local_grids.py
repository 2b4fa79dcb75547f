#===- test_local_grids.py - Masks on grids against closed forms ------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""The oracles of local_grids.py against inequalities, one pair at a time."""

import unittest

import numpy as np

import local
import local_grids
import softmax
from test_local import arguments_of, window_of


def seen_by(function, shape, **parameters):
    """Which pairs of tokens have a weight, [*shape, *shape]."""
    size = int(np.prod(shape))
    zero = np.zeros((1, 1, *shape, 2))
    value = np.eye(size).reshape(1, 1, *shape, size)
    out, _ = function(zero, zero, value, **parameters)
    return (out[0, 0] > 0).reshape(*shape, *shape)


def pairs(shape, sees):
    """The pairs (a, b) of coordinates with sees(a, b), as seen_by."""
    seen = np.zeros((*shape, *shape), bool)
    for a in np.ndindex(*shape):
        for b in np.ndindex(*shape):
            seen[a + b] = sees(a, b)
    return seen


def is_near(x, y, size, window, dilation, stride, causal):
    """Whether key y of an axis is in the neighborhood of query x."""
    if x % dilation != y % dilation:
        return False
    length = -(-(size - x % dilation) // dilation)
    begin, end = window_of(x // dilation, length, window, stride, causal)
    return begin <= y // dilation < end


def segment(x, size, window, shift):
    """The number of the shifted window of token x."""
    if size <= window:
        return 0
    return (x - shift) // window + 1 if x >= shift else 0


class Neighborhoods(unittest.TestCase):

    def test_of_planes(self):
        for shape in ((1, 9), (6, 7), (13, 2)):
            for y, x in (((3, 1, 1, False), (3, 1, 1, False)),
                         ((4, 1, 3, True), (2, 2, 1, False)),
                         ((20, 3, 2, False), (5, 1, 4, True))):
                axes = [*zip(("window", "dilation", "stride", "causal"), y, x)]
                seen = seen_by(
                    local_grids.neighborhood_2d, shape,
                    **{f"{name}_{axis}": value for name, *values in axes
                       for axis, value in zip("yx", values)})
                np.testing.assert_array_equal(seen, pairs(
                    shape, lambda a, b: is_near(a[0], b[0], shape[0], *y)
                    and is_near(a[1], b[1], shape[1], *x)))

    def test_of_videos_see_no_later_frame(self):
        shape = 5, 3, 8
        seen = seen_by(local_grids.neighborhood_3d, shape)
        np.testing.assert_array_equal(seen, pairs(
            shape, lambda a, b: is_near(a[0], b[0], 5, 4, 1, 1, True)
            and is_near(a[2], b[2], 8, 7, 1, 1, False)))
        self.assertFalse(seen[2, :, :, 3:].any())
        self.assertTrue(seen[2, 0, 0, 2, 2, 6])

    def test_rows_have_as_many_keys_as_the_window(self):
        seen = seen_by(local_grids.neighborhood_2d, (9, 8), window_y=4,
                       window_x=3)
        self.assertEqual({*seen.sum(axis=(2, 3)).ravel()}, {12})

    def test_a_line_is_an_axis(self):
        for shape, name in (((1, 40), "x"), ((40, 1), "y")):
            options = {"window": 6, "dilation": 3, "stride": 2}
            seen = seen_by(
                local_grids.neighborhood_2d, shape,
                **{f"{key}_{name}": value for key, value in options.items()})
            np.testing.assert_array_equal(
                seen.reshape(40, 40), local.neighborhood(40, **options))

    def test_a_window_of_all_tokens_is_dense(self):
        a = arguments_of("neighborhood-2d", Y=4, X=6)
        out, lse = local_grids.neighborhood_2d(**a)
        want = softmax.dense(*(x.reshape(2, 3, 24, 4) for x in a.values()))
        np.testing.assert_array_equal(out.reshape(2, 3, 24, 4), want[0])
        np.testing.assert_array_equal(lse.reshape(2, 3, 24), want[1])


class Halo(unittest.TestCase):

    def test_equals_the_inequalities(self):
        for block, halo in ((8, 3), (4, 0), (3, 5), (50, 1)):
            np.testing.assert_array_equal(
                seen_by(local_grids.halo, (10, 9), block=block, halo=halo),
                pairs((10, 9), lambda a, b: all(
                    x // block * block - halo <= y
                    < x // block * block + block + halo
                    for x, y in zip(a, b))))

    def test_inside_equals_a_strided_neighborhood(self):
        halo = local_grids.blocks_with_halo(16, 4, 2)
        strided = local.neighborhood(16, 8, 1, 4)
        np.testing.assert_array_equal(halo[4:12], strided[4:12])
        self.assertEqual((halo[0].sum(), strided[0].sum()), (6, 8))


class Swin(unittest.TestCase):

    def test_rolled_windows_equal_unequal_blocks(self):
        for size in range(1, 30):
            for window in range(1, 12):
                for shift in range(window):
                    number = np.array([segment(x, size, window, shift)
                                       for x in range(size)])
                    np.testing.assert_array_equal(
                        local_grids.rolled_windows(size, window, shift),
                        number[:, None] == number, f"{size} {window} {shift}")

    def test_bias_is_read_at_the_difference(self):
        a = arguments_of("swin-shifted", Y=10, X=8, R=13 * 13)
        out, lse = local_grids.swin_shifted(**a)
        b, h, y, x = 1, 2, 4, 5
        keys = [(v, u) for v in range(3, 10) for u in range(3, 8)]
        scores = [a["q"][b, h, y, x] @ a["k"][b, h, v, u] / 2
                  + a["bias"].reshape(13, 13, 3)[y - v + 6, x - u + 6, h]
                  for v, u in keys]
        total = np.exp(scores).sum()
        self.assertAlmostEqual(lse[b, h, y, x], np.log(total), 12)
        np.testing.assert_allclose(out[b, h, y, x], sum(
            np.exp(s) / total * a["v"][b, h, v, u]
            for s, (v, u) in zip(scores, keys)), atol=1e-13)

    def test_videos_have_three_digits(self):
        a = arguments_of("swin-temporal-3d", Y=4, X=5, T=10, R=15 * 169)
        a["q"] = np.zeros_like(a["q"])
        _, lse = local_grids.swin_temporal_3d(**a)
        table = a["bias"].reshape(15, 13, 13, 3)
        # Rows and columns fit into one window; frames are 0-3 and 4-9.
        want = [table[5 - t + 7, 2 - y + 6, 1 - x + 6, 0]
                for t in range(4, 10) for y in range(4) for x in range(5)]
        self.assertAlmostEqual(lse[0, 0, 5, 2, 1], np.log(np.exp(want).sum()), 12)

    def test_no_shift_of_equal_windows_is_a_strided_neighborhood(self):
        np.testing.assert_array_equal(
            local_grids.rolled_windows(21, 7, 0), local.neighborhood(21, 7, 1, 7))


class Clear(unittest.TestCase):

    def test_discs_are_as_large_as_published(self):
        for radius, size in ((8, 193), (16, 793), (32, 3205)):
            reach = np.arange(1 - radius, radius)
            self.assertEqual(
                (reach[:, None]**2 + reach**2 < radius**2).sum(), size)
        for radius, size in ((8, 193), (5, 69)):
            middle = (radius * 2 - 1,) * 2
            row = local_grids.disc(middle, radius)[middle[0]**2 // 2]
            self.assertEqual(row.sum(), size)

    def test_equals_the_inequalities(self):
        np.testing.assert_array_equal(
            seen_by(local_grids.clear, (11, 6), text_rows=2, radius=4),
            pairs((11, 6), lambda a, b: a[0] < 2 or b[0] < 2
                  or (a[0] - b[0])**2 + (a[1] - b[1])**2 < 16))

    def test_text_alone_is_dense(self):
        self.assertTrue(seen_by(local_grids.clear, (3, 4)).all())


if __name__ == "__main__":
    unittest.main()
