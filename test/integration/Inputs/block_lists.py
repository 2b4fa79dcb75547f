#===- block_lists.py - Lists of blocks as a caller makes them --------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Writes offsets and blocks for 2 heads, 100 tokens and blocks of 32 x 16 to
PREFIX.offsets.npy and PREFIX.blocks.npy: for each block of queries the full
blocks of keys and the mixed ones. PREFIX.wild.npy has numbers that are none."""

import sys

import numpy as np

LISTS = [
    # Head 0: the last block of keys is shorter, and listed as full.
    [([0], [1, 6]), ([], []), ([2, 3, 6], [0, 4]), ([1, 5], [6])],
    # Head 1: everything, without and with the mask.
    [(range(7), []), ([], range(7)), ([0, 2, 4, 6], [1, 3, 5]), ([], [])],
]


def write(prefix):
    most = max(sum(len(full) + len(mixed) for full, mixed in head) for head in LISTS)
    offsets, blocks = [], []
    for head in LISTS:
        ends, entries = [0], []
        for full, mixed in head:
            for part in (full, mixed):
                entries += list(part)
                ends.append(len(entries))
        offsets.append(ends)
        blocks.append(entries + [0] * (most - len(entries)))
    np.save(f"{prefix}.offsets.npy", np.array([offsets], np.int32))
    blocks = np.array([blocks], np.int32)
    np.save(f"{prefix}.blocks.npy", blocks)
    blocks[0, :, ::2] = [[-5], [1 << 30]]
    np.save(f"{prefix}.wild.npy", blocks)


if __name__ == "__main__":
    write(sys.argv[1])
