#===- check_benchmarks.py - What attn-bench reports ------------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Reads the JSON of attn-bench from standard input and checks its numbers.

Every benchmark has a time, rates that fit it, and ratios of sensible size that
fit the rates. Prints the names.
"""

import json
import sys

# The ratio is the median of the rounds', beside which stands the quotient of two
# medians; when other programs run, both lie where the rounds do.
SAME = 1.5


def check_ratio(benchmark, name, rate, peak):
    low, middle, high = (benchmark[name + part] for part in ("_p10", "", "_p90"))
    assert 0 < low <= middle <= high, benchmark
    assert middle <= 1.2, benchmark
    quotient = benchmark[rate] / benchmark[peak]
    assert low / SAME < quotient < high * SAME, benchmark


def check(benchmark):
    assert benchmark["time_unit"] == "ms" and benchmark["real_time"] > 0, benchmark
    assert benchmark["label"].startswith("block_q="), benchmark
    if benchmark["name"].startswith("memory"):
        check_ratio(benchmark, "ratio", "GB/s", "copy_GB/s")
        check_ratio(benchmark, "read_ratio", "GB/s", "read_GB/s")
    else:
        check_ratio(benchmark, "ratio", "GFLOP/s", "peak_GFLOP/s")
    if benchmark["name"].startswith(("dense", "causal")):
        # Two products of 128 x 128 x 64 for each of two heads; a causal mask
        # keeps a triangle.
        pairs = 128 * 129 // 2 if benchmark["name"].startswith("causal") else 128 * 128
        flops = 2 * 2 * 2 * pairs * 64
        expected = flops / benchmark["real_time"] * 1e-6
        assert abs(benchmark["GFLOP/s"] / expected - 1) < 0.01, benchmark


for benchmark in json.load(sys.stdin)["benchmarks"]:
    check(benchmark)
    print(benchmark["name"])
