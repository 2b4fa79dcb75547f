#===- python_overhead.py - What a call from Python costs -------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Times calls of compiled functions on tiny arrays from Python and from C.

The C call is attn_kernel_workspace_size() and attn_kernel_launch() on tensors that
are ready, in a loop in C++. Rounds of both follow each other; the difference of a
round is what Python adds: conversion of arrays, allocation of results, checks.

  PYTHONPATH=build/python build/venv/bin/python bench/python_overhead.py --out=docs/results/python.md
"""

import argparse
import os
import pathlib
import sys
import tempfile
import time

import numpy as np

try:
    import attn_mlir
    from attn_mlir import _attend, _context
except ImportError as error:
    sys.exit(f"python_overhead.py: error: expected the package attn_mlir, got '{error}'; set "
             "PYTHONPATH=build/python")

try:
    import torch
except ImportError:
    torch = None


def time_calls(function, count):
    start = time.perf_counter()
    for _ in range(count):
        function()
    return (time.perf_counter() - start) / count


def compare(call, op, arrays, rounds, count):
    """Median microseconds of a call, of the C call, and of their difference."""
    results = call()
    results = results if isinstance(results, tuple) else (results,)
    whole, inside = [], []
    for _ in range(rounds):
        whole.append(time_calls(call, count) * 1e6)
        inside.append(op._kernel.measure(arrays, results, 1, count) * 1e6)
    added = np.array(whole) - np.array(inside)
    return np.median(whole), np.median(inside), np.median(added)


def causal(b, h, i, j):
    return i >= j


def make_cases(convert):
    """Name, call, compiled function and arguments of the C call."""
    rng = np.random.default_rng(0)
    q, k, v, g = (convert(rng.standard_normal((1, 1, 8, 16), dtype=np.float32)) for _ in range(4))
    slopes = convert(np.ones(1, np.float32))
    score = lambda s, b, h, i, j: s + slopes[h] * (j - i)
    plain = attn_mlir.compile_attend(q, k, v, mask=causal, threads=1)
    captures = attn_mlir.compile_attend(q, k, v, score=score, mask=causal, return_lse=True,
                                        threads=1)
    recur = attn_mlir.compile_recur(q, k, v, g=-abs(g), threads=1)
    decays = -abs(g)
    return [
        ("compiled, causal", lambda: plain(q, k, v), plain, (q, k, v)),
        ("compiled, one captured array, lse", lambda: captures(q, k, v), captures,
         (q, k, v, slopes)),
        ("compiled recurrence", lambda: recur(q, k, v, decays), recur, (q, k, v, decays)),
        ("attend(), causal", lambda: attn_mlir.attend(q, k, v, mask=causal, threads=1), plain,
         (q, k, v)),
        ("attend(), one captured array, lse", lambda: attn_mlir.attend(
            q, k, v, score=score, mask=causal, return_lse=True, threads=1), captures,
         (q, k, v, slopes)),
    ]


def time_first_calls():
    """Seconds of the first call of attend(), when nothing is known and from a warm
    cache on disk."""
    x = np.zeros((1, 1, 8, 64), np.float32)
    seconds = []
    with tempfile.TemporaryDirectory() as folder:
        os.environ["ATTN_CACHE_DIR"] = folder
        for _ in range(2):
            # As in a new process.
            _context._jit = None
            _attend._compiled.clear()
            start = time.perf_counter()
            attn_mlir.attend(x, x, x, mask=causal)
            seconds.append(time.perf_counter() - start)
    return seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--count", type=int, default=500, help="calls of a round")
    parser.add_argument("--out", type=pathlib.Path, help="write a page")
    options = parser.parse_args()
    libraries = [("NumPy", lambda x: x)] + ([("PyTorch", torch.from_numpy)] if torch else [])
    lines = []
    for library, convert in libraries:
        for name, call, op, arrays in make_cases(convert):
            numbers = compare(call, op, arrays, options.rounds, options.count)
            lines.append(f"| {library}: {name} | " + " | ".join(f"{x:.1f}" for x in numbers)
                         + " |")
    cold, warm = time_first_calls()
    page = "\n".join([
        "# Calls from Python", "",
        "Written by `bench/python_overhead.py`: microseconds of a call on arrays [1, 1, 8, 16] of "
        "float32 with one thread, of the", "C call inside of it, and what Python adds (medians of "
        f"{options.rounds} rounds of {options.count} calls).", "",
        f"Python {sys.version.split()[0]}, NumPy {np.__version__}"
        + (f", PyTorch {torch.__version__}" if torch else "") + ", "
        + attn_mlir.config()["cpu"] + ".", "",
        "| call | whole | in C | added |", "|---|---|---|---|", *lines, "",
        f"The first call of `attend` with a causal mask, D = 64: {cold:.2f} s where it has to be "
        f"compiled, {warm * 1e3:.1f} ms from a warm", "cache on disk; the import of the package, "
        "which takes as long as that of NumPy, is not in it."]) + "\n"
    print(page)
    if options.out:
        options.out.write_text(page)


if __name__ == "__main__":
    main()
