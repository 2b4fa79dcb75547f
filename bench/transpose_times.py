#!/usr/bin/env python3
#===- transpose_times.py - How long the transpose of a list takes ----------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Makes the list of document-window over 1,048,576 tokens in blocks of 128 x 128, times
its transpose on one core, and compares the result with NumPy."""

import argparse
import pathlib
import re
import tempfile

import numpy as np

from block_lists import INPUTS, add_tools, make_list, run

TOKENS, BLOCK, WINDOW = 1 << 20, 128, 1024


def is_transpose(offsets, blocks, new_offsets, new_blocks):
    """Whether a list is the transpose of another one with as many rows as columns."""
    def pairs(ends, entries, turned):
        counts = np.diff(ends)
        part = np.repeat(np.arange(len(counts)), counts)
        number = entries[:ends[-1]].astype(np.int64)
        row, kind = part // 2, part % 2
        return np.stack([number, kind, row] if turned else [row, kind, number])

    def key(triples):
        return (triples[0] * 2 + triples[1]) * len(offsets) + triples[2]

    expected = np.sort(key(pairs(offsets, blocks, turned=True)))
    return np.array_equal(expected, key(pairs(new_offsets, new_blocks, turned=False)))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    add_tools(parser)
    parser.add_argument("--repeat", type=int, default=20)
    options = parser.parse_args()
    rows = TOKENS // BLOCK
    room = rows * (WINDOW // BLOCK + 2)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        files = make_list(options, "document-window", f"block_q={BLOCK},block_k={BLOCK}",
                          {"N": TOKENS}, rows, room, folder)
        dims = {"B": 1, "H": 1, "E": 2 * rows + 1, "T": 2 * rows + 1, "L": room, "C": rows}
        command = [options.attn_run, INPUTS / "list-sorts.mlir", "--func=transpose",
                   "--threads=1", f"--repeat={options.repeat}",
                   "--dims=" + ",".join(f"{name}={size}" for name, size in dims.items())]
        command += [f"--arg={name}={file}" for name, file in files.items()]
        results = {name: folder / f"{name}.npy" for name in ("new_offsets", "new_blocks")}
        command += [f"--save={name}={file}" for name, file in results.items()]
        printed = run(*command)
        arrays = [np.load(file).ravel() for file in (*files.values(), *results.values())]
    time = re.search(r"median +([0-9.]+) ms +min +([0-9.]+) ms", printed)
    print(f"{rows} rows and columns, {arrays[0][-1]} entries: {time[1]} ms, at best {time[2]} ms; "
          f"{'right' if is_transpose(*arrays) else 'WRONG'}")


if __name__ == "__main__":
    main()
