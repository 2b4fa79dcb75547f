#===- test_precision.py - Rounding and tolerance of the drivers -----------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""The drivers round like the hardware and refuse what they should refuse."""

import unittest

import numpy as np

from precision import PRECISIONS, allowed_error, error_of, to_bf16


class Bf16(unittest.TestCase):

    def test_keeps_every_bf16_number(self):
        bits = np.arange(1 << 16, dtype=np.uint32) << 16
        numbers = bits.view(np.float32)
        numbers = numbers[~np.isnan(numbers)]
        np.testing.assert_array_equal(to_bf16(numbers), numbers)

    def test_rounds_to_nearest_and_ties_to_even(self):
        ulp = 2.0**-7
        for x, want in [(1 + ulp / 2, 1.0), (1 + 3 * ulp / 2, 1 + 2 * ulp),
                        (1 + ulp * 0.51, 1 + ulp), (-1 - ulp * 0.49, -1.0),
                        (np.inf, np.inf), (3.4e38, np.inf)]:
            self.assertEqual(to_bf16(np.float32(x)), np.float32(want))
        self.assertTrue(np.isnan(to_bf16(np.float32(np.nan))))


class AllowedError(unittest.TestCase):

    def test_of_an_exact_naive_evaluation_is_eight_eps(self):
        reference = np.array([1.0, -4.0])
        allowed = allowed_error(reference, reference, np.float32, 0.0)
        np.testing.assert_allclose(allowed, 32 * 2.0**-23)

    def test_grows_with_the_naive_error(self):
        reference = np.array([1.0, -4.0])
        allowed = allowed_error(reference, reference + 1e-3, np.float32, 0.0)
        np.testing.assert_allclose(allowed, 2e-3)

    def test_adds_the_rounding_of_each_element(self):
        reference = np.array([1.0, -4.0])
        allowed = allowed_error(reference, reference, np.float32, 2.0**-7)
        np.testing.assert_allclose(allowed, [2.0**-8, 2.0**-6], rtol=2e-3)

    def test_ignores_rows_without_keys(self):
        reference = np.array([1.0, -np.inf])
        allowed = allowed_error(reference, reference, np.float32, 0.0)
        np.testing.assert_allclose(allowed, 8 * 2.0**-23)

    def test_without_a_wider_type_is_thirty_two_eps(self):
        reference = np.array([1.0], np.float32)
        allowed = allowed_error(reference, reference, np.float32, 0.0)
        np.testing.assert_allclose(allowed, 32 * 2.0**-23)


class ErrorOf(unittest.TestCase):

    def test_infinities_match_only_themselves(self):
        result = np.array([-np.inf, -np.inf, np.inf, 1.0, np.nan])
        reference = np.array([-np.inf, np.inf, 1.0, -np.inf, 1.0])
        error = error_of(result, reference)
        self.assertEqual(error[0], 0)
        self.assertFalse((error[1:] <= 1e30).any())


class Types(unittest.TestCase):

    def test_epsilon_is_the_distance_after_one(self):
        for name, precision in PRECISIONS.items():
            with self.subTest(dtype=name):
                one = precision.file(1)
                above = precision.file(1 + precision.epsilon)
                self.assertEqual(precision.round(above), above)
                between = precision.file(1 + precision.epsilon / 2)
                self.assertEqual(precision.round(between), one)


if __name__ == "__main__":
    unittest.main()
