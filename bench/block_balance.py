#!/usr/bin/env python3
#===- block_balance.py - The order of blocks of unequal length -------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Makes the lists of blocks of catalogue masks, and models how a GPU works through
them: thread blocks start in order, the next one when one ends, on multiprocessors that
hold some number of blocks each. A block takes as long as its entries cost, plus a fixed
share for what it does once. Prints the time until the last block ends, divided by what
no order is faster than: the work divided by the slots, or the longest block if that is
more."""

import argparse
import heapq
import pathlib
import tempfile

import numpy as np

from block_lists import add_tools, make_list

FULL, MIXED, ONCE = 2, 3, 4  # Costs; the first two as in passes/BlockOrder.cpp.
MULTIPROCESSORS = 132
ROWS = 65536 // 64
# Variant, schedule, sizes: 65,536 tokens each.
CASES = [
    ("document-window", "block_q=64,block_k=64", {"N": 65536}),
    ("document-causal", "block_q=64,block_k=64", {"N": 65536}),
    ("clear", "box_q=8x8,box_k=8x8", {"Y": 256, "X": 256}),
]


def makespan(costs, slots):
    """When the last of blocks ends that start in order."""
    ends = [0] * slots
    for cost in costs:
        heapq.heapreplace(ends, ends[0] + cost)
    return max(ends)


def orders(costs, heads):
    """The costs of all heads in the orders that are compared."""
    ranked = np.sort(costs)[::-1]
    first = len(costs) // 4
    yield "in order", np.tile(costs, heads)
    yield "longest first, per head", np.tile(ranked, heads)
    yield "the longest quarter first", np.concatenate(
        [np.repeat(ranked[:first], heads), np.tile(ranked[first:], heads)])
    yield "longest first, all heads", np.repeat(ranked, heads)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    add_tools(parser)
    parser.add_argument("--heads", default="1,4,16")
    parser.add_argument("--blocks", default="2,4", help="blocks of a multiprocessor")
    options = parser.parse_args()
    for variant, schedule, sizes in CASES:
        with tempfile.TemporaryDirectory() as folder:
            files = make_list(options, variant, schedule, sizes, ROWS, ROWS ** 2,
                              pathlib.Path(folder))
            ends = np.load(files["offsets"]).ravel()
        full, mixed = np.diff(ends)[::2], np.diff(ends)[1::2]
        costs = FULL * full + MIXED * mixed + ONCE
        print(f"{variant}: {len(costs)} blocks of queries, {full.sum()} full and "
              f"{mixed.sum()} mixed blocks; {(full + mixed).min()} to {(full + mixed).max()}, "
              f"{(full + mixed).mean():.1f} on average")
        for heads in map(int, options.heads.split(",")):
            for blocks in map(int, options.blocks.split(",")):
                slots = MULTIPROCESSORS * blocks
                ideal = max(costs.sum() * heads / slots, costs.max())
                found = [f"{name} {makespan(order.tolist(), slots) / ideal:.3f}"
                         for name, order in orders(costs, heads)]
                print(f"  {heads} heads, {blocks} blocks each: {', '.join(found)}")


if __name__ == "__main__":
    main()
