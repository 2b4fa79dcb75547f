#===- shapes.py - One kernel serves many shapes ---------------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Runs attn-run once on many random shapes; it must compile only once."""

import argparse
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "reference"))
import softmax  # noqa: E402


def random_dims(variant, generator):
    """Small sizes; the query heads are a multiple of the key heads."""
    sizes = {"B": generator.randint(1, 3), "Hk": generator.randint(1, 3)}
    sizes["H"] = sizes["Hk"] * generator.randint(1, 3)
    for length in ("N", "Nq", "Nk", "L"):
        sizes[length] = generator.randint(1, 200)
    return ",".join(f"{name}={sizes[name]}" for name in variant.dynamic)


def distinct_dims(variant, count, seed):
    generator = random.Random(seed)
    dims = {}
    while len(dims) < count:
        dims[random_dims(variant, generator)] = None
    return list(dims)


def problem_with(done):
    """What is wrong with the run, or None."""
    if done.returncode != 0:
        return f"attn-run: exit status {done.returncode}"
    counts = re.findall(r"compilations: (\d+)", done.stdout + done.stderr)
    if counts != ["1"]:
        return f"expected one line 'compilations: 1', got the counts {counts}"
    return None


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--attn-run", default="attn-run", metavar="PATH",
                        help="the tool (default: attn-run on PATH)")
    parser.add_argument("--variants", type=pathlib.Path, required=True,
                        metavar="DIR", help="the folder of the catalogue")
    parser.add_argument("--variant", choices=sorted(softmax.VARIANTS),
                        required=True)
    parser.add_argument("--target", default="cpu")
    parser.add_argument("--dtype", default="f32")
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    found = shutil.which(options.attn_run)
    if not found:
        parser.error("argument --attn-run: no such program: "
                     f"'{options.attn_run}'")
    options.attn_run = os.path.abspath(found)
    return options


def main():
    options = parse_options()
    variant = softmax.VARIANTS[options.variant]
    dims = distinct_dims(variant, options.count, options.seed)
    spec = options.variants / "softmax" / f"{options.variant}.mlir"
    command = [options.attn_run, str(spec), f"--target={options.target}",
               f"--dtype={options.dtype}", "--check",
               *(f"--dims={text}" for text in dims)]
    done = subprocess.run(command, capture_output=True, text=True,
                          errors="replace")
    problem = problem_with(done)
    if problem:
        print(done.stdout + done.stderr)
        print(f"FAIL  {options.variant}: {problem}")
        return 1
    print(f"pass  {options.variant}: one kernel, {len(dims)} shapes, "
          f"from {dims[0]} to {dims[-1]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
