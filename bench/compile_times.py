#===- compile_times.py - How long specs take to compile --------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Compiles every spec of the catalogue several times and prints a table.

  python3 bench/compile_times.py
  python3 bench/compile_times.py --variants=causal,mla --dtypes=bf16 --repeat=5

Times are those of the fastest of the repetitions, in seconds: from text to a
kernel that can be called, and the parts of it that are MLIR's passes, LLVM's
optimizer and LLVM's code generator. Slowest first.
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PARTS = ["total", "passes", "optimizer", "machine code"]


def compile_once(tool, spec, dtype):
    """Seconds of each part."""
    environment = os.environ | {"ATTN_OBJECT_CACHE": ""}
    result = subprocess.run([tool, spec, f"--dtype={dtype}", "--mlir-timing"],
                            capture_output=True, text=True, env=environment)
    if result.returncode:
        sys.exit(f"compile_times.py: error: {result.stderr.strip()}")
    phases = re.findall(r"^ +([0-9.]+) \( *[0-9.]+%\)  (\S+)$", result.stderr, re.M)
    times = {name: float(seconds) for seconds, name in phases}
    total, optimizer, code = times["Total"], times["llvm-ir"], times["machine-code"]
    return total, total - optimizer - code, optimizer, code


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0],
                                     epilog="Lists are separated by commas.")
    parser.add_argument("--variants", metavar="LIST", help="names; default all")
    parser.add_argument("--dtypes", metavar="LIST", default="f32,bf16")
    parser.add_argument("--repeat", type=int, default=3, metavar="R")
    parser.add_argument("--tool", default=ROOT / "build/bin/attn-run", metavar="PATH",
                        help="attn-run; default build/bin/attn-run")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    specs = {path.stem: path for family in ("softmax", "local")
             for path in sorted((ROOT / "variants" / family).glob("*.mlir"))}
    names = arguments.variants.split(",") if arguments.variants else list(specs)
    if unknown := [name for name in names if name not in specs]:
        sys.exit(f"compile_times.py: error: --variants: expected some of "
                 f"{', '.join(specs)}, got '{unknown[0]}'")
    rows = [(min(compile_once(arguments.tool, specs[name], dtype)
                 for _ in range(arguments.repeat)), name, dtype)
            for name in names for dtype in arguments.dtypes.split(",")]
    print("| variant | type | " + " | ".join(PARTS) + " |")
    print("|---|---|" + "---|" * len(PARTS))
    for times, name, dtype in sorted(rows, reverse=True):
        print(f"| {name} | {dtype} | " + " | ".join(f"{t:.2f}" for t in times) + " |")


if __name__ == "__main__":
    main()
