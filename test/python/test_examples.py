#===- test_examples.py - Python functions against the formula -------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Well-known variants in their usual Python form agree with the formula."""

import unittest

import numpy as np

import attn_mlir
import examples
import naive
from examples import BATCH, EXAMPLES, HEADS, LENGTH
from naive import attention, find_error, normal, to_library, xp


def make_operands(seed, lengths=(LENGTH, LENGTH), features=(16, 16), heads=(HEADS, HEADS)):
    rng = np.random.default_rng(seed)
    return (normal(rng, BATCH, heads[0], lengths[0], features[0]),
            normal(rng, BATCH, heads[1], lengths[1], features[0]),
            normal(rng, BATCH, heads[1], lengths[1], features[1]))


class Examples(unittest.TestCase):
    def check(self, results, operands, **functions):
        references = attention(*operands, **functions)
        naives = attention(*operands, dtype="float32", **functions)
        for result, reference, other in zip(results, references, naives):
            error, allowed = find_error(result, reference, other)
            self.assertLessEqual(error, allowed)

    def test_flex_attention_takes_them_unchanged(self):
        operands = make_operands(1)
        for name, score, mask in EXAMPLES:
            with self.subTest(name):
                block_mask = mask and attn_mlir.create_block_mask(mask, None, None, LENGTH, LENGTH)
                results = attn_mlir.flex_attention(*operands, score_mod=score,
                                                   block_mask=block_mask, return_lse=True)
                self.check(results, operands, score=score, mask=mask)

    def test_prob_and_sink(self):
        operands = make_operands(2)
        gate, sink = normal(np.random.default_rng(3), LENGTH), normal(np.random.default_rng(4),
                                                                      HEADS)
        prob = lambda p, b, h, i, j: p * gate[j]
        results = attn_mlir.attend(*operands, prob=prob, sink=sink, return_lse=True)
        self.check(results, operands, prob=prob, sink=sink)

    def test_options_say_what_functions_do(self):
        operands = make_operands(5)
        result = attn_mlir.attend(*operands, causal=True, window_size=(9, -1), softcap=1.5,
                                  scale=0.7)
        self.check([result], operands, scale=0.7, score=examples.generate_softcap(1.5),
                   mask=lambda b, h, i, j: (i >= j) & (i - j <= 9))

    def test_a_grid_of_two_axes(self):
        rng = np.random.default_rng(6)
        operands = tuple(normal(rng, 1, 2, 9, 11, 8) for _ in range(3))
        mask = lambda b, h, iy, ix, jy, jx: (xp.abs(iy - jy) <= 2) & (xp.abs(ix - jx) <= 3)
        score = lambda s, b, h, iy, ix, jy, jx: s + 0.25 * (iy - jx)
        results = attn_mlir.attend(*operands, score=score, mask=mask, return_lse=True)
        self.check(results, operands, score=score, mask=mask)

    def test_heads_and_lengths_that_differ(self):
        operands = make_operands(7, lengths=(13, LENGTH), features=(16, 24), heads=(4, 2))
        result = attn_mlir.attend(*operands, is_causal=True, enable_gqa=True, alignment="end")
        shifted = lambda b, h, i, j: i + (LENGTH - 13) >= j
        self.check([result], operands, mask=shifted)


class Functions(unittest.TestCase):
    """All functions of the table, in one region."""

    def test_floats(self):
        def score(s, b, h, i, j):
            x = xp.abs(s) + 0.5
            terms = [xp.exp(-x), xp.exp2(-x), xp.expm1(-x), xp.log(x), xp.log2(x), xp.log1p(x),
                     xp.sin(s), xp.cos(s), xp.tanh(s), xp.sqrt(x), xp.floor(s), xp.ceil(s),
                     xp.trunc(s), xp.sign(s), xp.square(s), x ** 0.5, x ** 3, x ** -1.5, 2.0 ** s,
                     s % 0.7, s // 0.7, -s, +s, 1 / x, xp.minimum(s, x), xp.maximum(s, -x),
                     xp.clip(s, -0.5, 0.25), xp.where(xp.isnan(s), x, s), 3 - s, xp.reciprocal(x)]
            result = 0.0
            for number, term in enumerate(terms):
                result = result + term * (0.3 + 0.1 * number)
            return result * 0.05

        operands = make_operands(8)
        result = attn_mlir.attend(*operands, score=score)
        Examples.check(self, [result], operands, score=score)

    def test_integers(self):
        table = to_library(np.arange(-40, 40, dtype=np.int32))
        small = to_library(np.arange(80, dtype=np.uint8) * 3)

        def score(s, b, h, i, j):
            d = table[j] + 0 * i
            terms = [d // 7, d % 7, d // -7, d % -7, i // (j + 1), (i - j) % (h + 2), abs(d), -d,
                     d & 12, d | 3, d ^ 5, ~d, (i << 1) >> 2, xp.minimum(i, j),
                     xp.maximum(d, i - 9), d * d, 5 - d, xp.clip(d, -3, 8), small[i],
                     xp.where(d > 0, i, -j), d ** 2, table[i - j], table[-3]]
            result = s
            for number, term in enumerate(terms):
                result = result + term * (0.01 + 0.001 * number)
            return result * 0.1

        operands = make_operands(9)
        result = attn_mlir.attend(*operands, score=score)
        Examples.check(self, [result], operands, score=score)

    def test_conditions(self):
        flags = to_library(np.arange(LENGTH) % 3 != 0)

        def mask(b, h, i, j):
            parts = [(i < j) | (i == j), (i >= j) ^ (h > 1), ~(i > j), flags[i] == flags[j],
                     xp.logical_and(i != j, j <= 30), xp.logical_or(i < 3, xp.logical_not(j < 50)),
                     xp.where(h == 2, flags[j], i - j < 20)]
            votes = parts[0] * 1
            for part in parts[1:]:
                votes = votes + part
            return votes > 3

        operands = make_operands(10)
        result = attn_mlir.attend(*operands, mask=mask)
        Examples.check(self, [result], operands, mask=mask)

    def test_random_numbers(self):
        q, k, v = make_operands(11)

        def measure(seed):
            mask = lambda b, h, i, j: attn_mlir.random(seed[0], i, j, h, b) < 0.5
            return naive.to_numpy(attn_mlir.attend(q * 0, k, v, mask=mask, return_lse=True)[1])

        lse = [measure(to_library(np.array([seed]))) for seed in (5, 5, 6)]
        kept = np.exp(lse[0]) / LENGTH
        self.assertLess(abs(kept.mean() - 0.5), 0.02)
        self.assertTrue((lse[0] == lse[1]).all())
        self.assertFalse((lse[0] == lse[2]).all())


if __name__ == "__main__":
    unittest.main()
