#===- tuning.py - The cost model against exhaustive measurements -----------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Compares choices with the times of all schedules of seven specs.

  tuning.py measure [NAME...]
                         writes bench/tuning/NAME.jsonl anew, of all specs or of
                         some (minutes each); of all, also the parameters of this
                         machine, bench/tuning/machine.json
  tuning.py check        the default schedule and the model's ranking of today
                         against these files; prints the lines of
                         bench/tuning/golden.txt and fails if a bound is missed

Tools are found on PATH.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
DATA = ROOT / "bench" / "tuning"
TARGET = "cpu:avx512"
# The spec, what is replaced in its text, and sizes.
SPECS = {
    "causal-d128": ("softmax/causal.mlir", ("64", "128"), "B=1,H=2,N=1024"),
    "neighborhood-2d": ("local/neighborhood-2d.mlir", None, "B=1,H=1,Y=32,X=32"),
    "lightning": ("linear/lightning.mlir", None, "B=1,H=4,N=1024"),
    # The constants of the model were not fitted to these.
    "alibi": ("softmax/alibi.mlir", None, "B=1,H=2,N=1024"),
    "gla": ("linear/gla.mlir", None, "B=1,H=4,N=1024"),
    "dense": ("softmax/dense.mlir", None, "B=1,H=2,N=1024"),
    "sliding-window": ("softmax/sliding-window.mlir", None, "B=1,H=2,N=2048"),
}
# Shares of the best time: of the default, and of the best of what a tuner
# tries, the default and the first eight of the ranking.
LEAST_DEFAULT, LEAST_TUNED = 0.90, 0.97
# The correlation of ranks.
LEAST_CORRELATION = 0.70
TRIED = 8
RANK = re.compile(r"^ *\d+ +(\S+=\S+) +([\d.]+) ms +(.*)$")


def tune(name, options, folder):
    """Runs attn-tune on a spec; returns what it prints."""
    path, replaced, sizes = SPECS[name]
    text = (ROOT / "variants" / path).read_text()
    spec = pathlib.Path(folder) / "spec.mlir"
    spec.write_text(text.replace(*replaced) if replaced else text)
    command = ["attn-tune", str(spec), "--target=" + TARGET, "--dims=" + sizes,
               "--threads=1", *options]
    return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE,
                          env={**os.environ, "ATTN_CONFIG_DIR": str(DATA)}).stdout


def read(name):
    lines = (DATA / f"{name}.jsonl").read_text().splitlines()
    return {line["schedule"]: line["ratio"] for line in map(json.loads, lines)}


def ranking(name, folder):
    """The model's ranking, and the default."""
    rows = [match for line in tune(name, ["--explain"], folder).splitlines()
            if (match := RANK.match(line))]
    chosen = [row[1] for row in rows if "(the default)" in row[3]]
    assert len(chosen) == 1, (name, chosen)
    return {row[1]: float(row[2]) for row in rows}, chosen[0]


def ranks(values):
    """Ranks of numbers; equal ones share theirs."""
    order = sorted(range(len(values)), key=lambda n: values[n])
    result, first = [0.0] * len(values), 0
    while first < len(order):
        last = first
        while last + 1 < len(order) and values[order[last + 1]] == values[order[first]]:
            last += 1
        for n in order[first:last + 1]:
            result[n] = (first + last) / 2
        first = last + 1
    return result


def correlate(x, y):
    """Spearman's coefficient."""
    x, y = ranks(x), ranks(y)
    mx, my = sum(x) / len(x), sum(y) / len(y)
    products = sum((a - mx) * (b - my) for a, b in zip(x, y))
    return products / (sum((a - mx) ** 2 for a in x) *
                       sum((b - my) ** 2 for b in y)) ** 0.5


def describe(name, folder):
    """The line of a spec, and whether all bounds hold."""
    measured, (predicted, chosen) = read(name), ranking(name, folder)
    assert set(measured) == set(predicted), (
        name, "the space has changed: measure again",
        set(measured) ^ set(predicted))
    best = min(measured.values())
    tried = sorted(predicted, key=predicted.get)[:TRIED] + [chosen]
    default = best / measured[chosen]
    tuned = best / min(measured[point] for point in tried)
    points = sorted(measured)
    correlation = correlate([predicted[p] for p in points],
                            [measured[p] for p in points])
    holds = (default >= LEAST_DEFAULT and
             tuned >= LEAST_TUNED and correlation >= LEAST_CORRELATION)
    span = max(measured.values()) / best
    return (f"{name}: {len(points)} schedules, span {span:.1f}, default {chosen} "
            f"{default:.2f} of the best, tuned {tuned:.2f}, rank correlation "
            f"{correlation:.2f}", holds)


def main(mode, *names):
    DATA.mkdir(exist_ok=True)
    holds = True
    if mode == "measure" and not names:
        subprocess.run(["attn-tune", "--calibrate"], check=True,
                       env={**os.environ, "ATTN_CONFIG_DIR": str(DATA)})
    for name in names or SPECS:
        with tempfile.TemporaryDirectory() as folder:
            if mode == "measure":
                tune(name, [f"--exhaustive={DATA / name}.jsonl"], folder)
                continue
            line, good = describe(name, folder)
            print(line)
            holds &= good
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
