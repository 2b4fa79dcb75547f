#===- list_work.py - Time and memory of a list of blocks -------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""list_work.py ATTN_RUN PROGRAM PREFIX: runs a program that lists the blocks of
long-documents.mlir on 100,000 and on 1,048,576 tokens, compares the lists with
the classes of all blocks in the window, and prints what they cost."""

import re
import subprocess
import sys

import numpy as np

BLOCK, WINDOW, MEAN = 128, 1024, 4096
TOKENS = [100_000, 1_048_576]


def make_documents(tokens):
    """Numbers of documents of random lengths."""
    random = np.random.default_rng(1)
    lengths = random.exponential(MEAN, 4 * tokens // MEAN + 4).astype(np.int64) + 1
    return np.repeat(np.arange(len(lengths)), lengths)[:tokens].astype(np.int32)


def expected_rows(documents):
    """For each block of queries its full and its mixed blocks, by definition."""
    tokens = len(documents)
    for first in range(0, tokens, BLOCK):
        last = min(first + BLOCK, tokens) - 1
        full, mixed = [], []
        for block in range(max(0, first - WINDOW + 1) // BLOCK, last // BLOCK + 1):
            key, last_key = block * BLOCK, min(block * BLOCK + BLOCK, tokens) - 1
            # Documents ascend: the nearest pair, and the farthest.
            nearest = documents[first] == documents[last_key] or last_key >= first
            inside = first - last_key < WINDOW
            whole = (documents[last] == documents[key] and key <= first
                     and last_key <= first and last - key < WINDOW)
            if nearest and inside:
                (full if whole else mixed).append(block)
        yield full, mixed


def check(documents, offsets, blocks):
    counts = [0, 0]
    for row, parts in enumerate(expected_rows(documents)):
        for part, expected in enumerate(parts):
            begin, end = offsets[2 * row + part], offsets[2 * row + part + 1]
            if blocks[begin:end].tolist() != expected:
                raise SystemExit(f"row {row}: got {blocks[begin:end]}, expected {expected}")
            counts[part] += len(expected)
    return counts


def sizes_of(tokens):
    """Tokens, offsets and room for entries, as --dims takes them."""
    rows = -(-tokens // BLOCK)
    most = -(-(BLOCK + WINDOW - 1) // BLOCK) + 1
    return rows, f"--dims=B=1,H=1,N={tokens},E={2 * rows + 1},L={rows * most}"


def main():
    tool, program, prefix = sys.argv[1:]

    def run(*arguments):
        return subprocess.run([tool, program, "--threads=1", *arguments],
                              check=True, capture_output=True, text=True).stdout

    once = run(*(sizes_of(tokens)[1] for tokens in TOKENS))
    lengths = len(re.findall(r"(?m)^dims ", once))
    print(f"{len(re.findall(r'(?m)^compile ', once))} compilation for {lengths} lengths")
    for tokens in TOKENS:
        documents = make_documents(tokens)
        np.save(f"{prefix}.document.npy", documents)
        rows, dims = sizes_of(tokens)
        output = run(dims, "--repeat=9", f"--arg=document={prefix}.document.npy",
                     f"--save=offsets={prefix}.offsets.npy", f"--save=blocks={prefix}.blocks.npy")
        offsets = np.load(f"{prefix}.offsets.npy").ravel()
        blocks = np.load(f"{prefix}.blocks.npy").ravel()
        full, mixed = check(documents, offsets, blocks)
        print(f"entries of {tokens} tokens: {full} full, {mixed} mixed, all of them right")
    # Beside the list, bounds of documents and counts: two numbers per block each.
    kilobytes = 4 * (len(offsets) + len(blocks) + 4 * rows) / 1000
    milliseconds = float(re.search(r"min ([0-9.]+) ms", output).group(1))
    print(f"time {milliseconds} ms, memory {kilobytes:.0f} kB")
    print(f"under 50 ms: {'yes' if milliseconds < 50 else 'no'}")
    print(f"under 16 MB: {'yes' if kilobytes < 16000 else 'no'}")


if __name__ == "__main__":
    main()
