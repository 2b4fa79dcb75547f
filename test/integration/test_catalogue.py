#===- test_catalogue.py - What the catalogue says of counters -------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Which counters of a launch are findings."""

import unittest

from catalogue import findings_in


def find(**counters):
    """The findings for one access, coalesced unless `counters` say otherwise."""
    where = counters.pop("where", "everywhere")
    site = {"op": "llvm.load", "location": "x.mlir:1:1", "loop": 1,
            "buffers": ["k"], "sectors": 4, "ideal": 4, "unaligned": 0,
            "conflicts": 0, **counters}
    return list(findings_in({"kernel": "x_0", "sites": [site]}, {"bias"},
                            where))


class FindingsTest(unittest.TestCase):
    def test_coalesced(self):
        self.assertEqual(find(), [])

    def test_bank_conflict(self):
        [finding] = find(buffers=[], sectors=0, ideal=0, conflicts=3)
        self.assertEqual(finding, "'x_0': 3 bank conflicts of 'llvm.load' on "
                                  "shared memory at x.mlir:1:1, loop 1")

    def test_scattered_in_and_out_of_loops(self):
        for loop in (0, 1):
            [finding] = find(sectors=16, loop=loop)
            self.assertEqual(
                finding, "'x_0': 16 sectors, 0 unaligned, at least 4 of "
                         f"'llvm.load' on k at x.mlir:1:1, loop {loop}")

    def test_unaligned_only_out_of_loops(self):
        self.assertEqual(find(sectors=5, unaligned=1, loop=0), [])
        self.assertEqual(len(find(sectors=5, unaligned=1, loop=1)), 1)
        self.assertEqual(len(find(sectors=6, unaligned=1, loop=0)), 1)

    def test_in_loops_only(self):
        only = {"sectors": 16, "where": "loops"}
        self.assertEqual(find(loop=0, **only), [])
        self.assertEqual(len(find(loop=1, **only)), 1)
        self.assertEqual(len(find(loop=0, conflicts=1, **only)), 1)

    def test_tables_are_excepted_unless_mixed(self):
        self.assertEqual(find(sectors=16, buffers=["bias"]), [])
        self.assertEqual(len(find(sectors=16, buffers=["bias", "k"])), 1)
        self.assertEqual(len(find(conflicts=1, buffers=["bias"])), 1)


if __name__ == "__main__":
    unittest.main()
