#===- test_local_documents.py - Sequences in one row against masks ---------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""The oracles of local_documents.py against masks of all pairs, and properties."""

import itertools
import unittest

import numpy as np

import local_documents
import softmax
from test_local import arguments_of


def attend_where(a, sees):
    """Attention of all pairs; sees(i, j) is [B, H or 1, Nq, Nk]."""
    return softmax.attend(a["q"], a["k"], a["v"], mask=sees)


def same(a):
    number = a["document"][:, None]
    return number[..., :, None] == number[..., None, :]


def paged(a, i, j):
    return (j <= i + a["length"][:, None, None, None] - a["q"].shape[2])


def packed(a, i, j):
    """The last key of query i is as far from the end of its sequence as the query."""
    starts, ends = a["cu_seqlens_q"][:-1], a["cu_seqlens_q"][1:]
    inside = (starts[:, None, None] <= i) & (i < ends[:, None, None])
    first, behind = (x[:, None, None] for x in (
        a["cu_seqlens_k"][:-1], a["cu_seqlens_k"][1:]))
    past = j <= i - ends[:, None, None] + behind
    return (inside & (first <= j) & past).any(axis=0)


# The masks, by comparisons of arrays.
SEES = {
    "document-causal": lambda a, i, j: same(a) & (j <= i),
    "document-window": lambda a, i, j: same(a) & (j <= i) & (i < j + 1024),
    "prefix-document": lambda a, i, j: same(a) & (
        (j <= i) | (j < a["prefix_end"][:, None, :, None])),
    "varlen-causal": packed,
}


class Documents(unittest.TestCase):

    def assert_same(self, got, want):
        for x, y in zip(got, want):
            np.testing.assert_allclose(x, y, atol=1e-13)

    def test_equal_masks_of_all_pairs(self):
        for name, sees in SEES.items():
            for seed in range(10):
                with self.subTest(variant=name, seed=seed):
                    a = arguments_of(name, seed)
                    got = local_documents.VARIANTS[name].function(**a)
                    self.assert_same(got, attend_where(
                        a, lambda i, j: sees(a, i, j)))

    def test_every_variant_has_a_mask(self):
        self.assertEqual({*SEES, "paged-causal"}, {*local_documents.VARIANTS})

    def test_pages_equal_a_mask_of_copied_rows(self):
        for seed, queries in itertools.product(range(5), (1, 5, 40)):
            a = arguments_of("paged-causal", seed, B=4, P=7, M=3, Nq=queries)
            want = a["q"], *(np.array([
                [[a[x][a["table"][b, j // 16], j % 16, h] for j in range(48)]
                 for h in range(3)] for b in range(4)]) for x in "kv")
            self.assert_same(
                local_documents.paged_causal(**a),
                softmax.attend(*want, mask=lambda i, j: paged(a, i, j)))

    def test_order_of_pages_in_memory_does_not_matter(self):
        a = arguments_of("paged-causal", B=2, P=6, M=3, Nq=2)
        want = local_documents.paged_causal(**a)
        order = np.array([3, 5, 0, 1, 4, 2])
        places = np.argsort(order)
        a = {**a, "k": a["k"][order], "v": a["v"][order],
             "table": places[a["table"]]}
        self.assert_same(local_documents.paged_causal(**a), want)

    def test_a_short_window(self):
        a = arguments_of("document-window")
        for window in (1, 2, 5):
            self.assert_same(
                local_documents.document_window(**a, window=window),
                attend_where(a, lambda i, j:
                             same(a) & (j <= i) & (i - j < window)))

    def test_one_document_is_causal(self):
        a = arguments_of("document-causal")
        a["document"][:] = 3
        want = softmax.causal(a["q"], a["k"], a["v"])
        self.assert_same(local_documents.document_causal(**a), want)
        ends = np.zeros((2, 50), int)
        self.assert_same(
            local_documents.prefix_document(**a, prefix_end=ends), want)
        dense = softmax.dense(a["q"], a["k"], a["v"])
        self.assert_same(
            local_documents.prefix_document(**a, prefix_end=ends + 50), dense)

    def test_documents_do_not_meet(self):
        a = arguments_of("document-causal", B=1)
        a["document"][0] = np.repeat([1, 4], [20, 30])
        out, _ = local_documents.document_causal(**a)
        a["k"][:, :, :20] += 1
        a["v"][:, :, :20] += 1
        changed, _ = local_documents.document_causal(**a)
        rows = np.flatnonzero((changed != out).any(axis=(0, 1, 3)))
        self.assertEqual([*rows], [*range(20)])

    def test_fills_have_missing_numbers_and_are_sorted(self):
        a = arguments_of("document-causal", B=50)
        self.assertTrue((np.diff(a["document"]) >= 0).all())
        self.assertTrue(any(len({*row}) < 6 for row in a["document"]))

    def test_packed_sequences_equal_decoding_of_each(self):
        queries, keys = np.array([0, 3, 3, 10, 12]), np.array([0, 5, 9, 16, 17])
        a = {**arguments_of("varlen-causal", B=1, Nq=12, Nk=17),
             "cu_seqlens_q": queries, "cu_seqlens_k": keys}
        out, lse = local_documents.varlen_causal(**a)
        for s in range(4):
            rows, columns = (slice(x[s], x[s + 1]) for x in (queries, keys))
            if queries[s] < queries[s + 1]:
                self.assert_same(
                    (out[:, :, rows], lse[:, :, rows]),
                    softmax.decode(a["q"][:, :, rows], a["k"][:, :, columns],
                                   a["v"][:, :, columns]))
        # The last sequence has two queries and one key.
        self.assertEqual([*np.isneginf(lse[0, 0, 10:])], [True, False])

    def test_random_sequences_leave_some_without_tokens(self):
        offsets = local_documents.cuts(np.random.default_rng(0), 3, 6)
        self.assertEqual((offsets[0], offsets[-1], len(offsets)), (0, 3, 7))
        self.assertGreater((np.diff(offsets) == 0).sum(), 0)


if __name__ == "__main__":
    unittest.main()
