#===- comparison.py - What comparisons with peers have in common -----------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Records, tables and options of the scripts that time our kernels and peers in
one process. The first contender of a record is ours."""

import dataclasses
import json
import pathlib
import sys

from rounds import get_quantiles

ROOT = pathlib.Path(__file__).resolve().parent.parent


def make_record(case, flops, tolerance, errors, times):
    """What is known of a case: `times` and `errors` have its contenders by name."""
    record = {**dataclasses.asdict(case), "tolerance": tolerance, "contenders": {}}
    for name, seconds in times.items():
        ratios = [theirs / ours for theirs, ours in zip(seconds, times["ours"])]
        low, median, high = get_quantiles(ratios)
        typical = get_quantiles(seconds)[1]
        record["contenders"][name] = {
            "ms": typical * 1e3, "gflops": flops / typical * 1e-9,
            "ratio_p10": low, "ratio": median, "ratio_p90": high, "error": errors[name],
            # NaN is not at most anything.
            "ok": errors[name] <= tolerance}
    return record


def format_peer(record, name):
    """The cell of a peer: its time, and how many times as long as ours it takes."""
    peer = record["contenders"].get(name)
    if peer is None:
        return "-"
    wrong = "" if peer["ok"] else " wrong"
    return (f"{peer['ms']:.3g} ms, {peer['ratio']:.2f} "
            f"({peer['ratio_p10']:.2f}-{peer['ratio_p90']:.2f}){wrong}")


def format_page(title, notes, header, rows):
    """A page with one table; `rows` are lines of Markdown."""
    return "\n".join([f"# {title}", "", *notes, "", "| " + " | ".join(header) + " |",
                      "|" + "---|" * len(header), *rows]) + "\n"


def write(out, machine, rounds, records, page):
    """Writes OUT.json and OUT.md, if `out` is given."""
    if not out:
        return
    path = pathlib.Path(out)
    path.with_suffix(".json").write_text(
        json.dumps({"machine": machine, "rounds": rounds, "cases": records}, indent=1) + "\n")
    path.with_suffix(".md").write_text(page)


def add_options(parser):
    parser.add_argument("--heads", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--slice", type=float, default=0.05, metavar="SECONDS",
                        help="how long calls of one contender follow each other")
    parser.add_argument("--schedule", help="block sizes of our kernels")
    parser.add_argument("--build", default=ROOT / "build", type=pathlib.Path)
    parser.add_argument("--out", help="write OUT.md and OUT.json, after every case")


def check_build(program, build):
    if not (build / "bin" / "attn-compile").exists():
        sys.exit(f"{program}: error: '{build}': expected a build with bin/attn-compile, "
                 "got none; run 'make build' or give --build")
