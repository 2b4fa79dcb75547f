#===- gates.py - Recurrences with gates of any size ------------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Runs recurrences with gates that keep everything, that forget everything, and
with both side by side, and lets attn-run compare with the definition.

A kernel that divides by products of decays, or takes exponentials of differences
of their sums, overflows or cancels here."""

import argparse
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

# What the gate of each spec belongs to, by its dimensions.
SPECS = {
    "retention": lambda b, h, n: (h,),
    "mamba2": lambda b, h, n: (b, h, n),
    "gla": lambda b, h, n: (b, h, n, 64),
    "hgrn2": lambda b, h, n: (b, h, n, 64),
    "rwkv6": lambda b, h, n: (b, h, n, 64),
}

def late(random, shape):
    """Most tokens of the first 64 forget everything, the others nearly nothing."""
    gates = np.full(shape, -0.01)
    if len(shape) > 1:
        gates[:, :, :48] = -1000
    return gates


# Gates from a generator and a shape.
GATES = {
    "zero": lambda random, shape: np.zeros(shape),
    "-50": lambda random, shape: np.full(shape, -50.0),
    "-1000": lambda random, shape: np.full(shape, -1000.0),
    "mixed": lambda random, shape: random.choice(
        [0.0, -1e-3, -0.5, -20.0, -50.0, -1000.0], shape),
    "late": late,
    "rare": lambda random, shape: np.where(random.random(shape) < 0.03, -50.0, -0.01),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--attn-run", default="attn-run")
    parser.add_argument("--variants", type=pathlib.Path, required=True)
    parser.add_argument("--dtype", default="f32,bf16")
    parser.add_argument("--n", default="65,300")
    parser.add_argument("--spec", nargs="+", default=list(SPECS))
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--heads", type=int, default=2)
    parser.add_argument("extra", nargs="*", help="passed on to attn-run")
    options = parser.parse_args()
    passed = failed = 0
    with tempfile.TemporaryDirectory() as folder:
        gates = pathlib.Path(folder) / "g.npy"
        for spec, shape in ((name, SPECS[name]) for name in options.spec):
            for name, make in GATES.items():
                for n in map(int, options.n.split(",")):
                    random = np.random.default_rng(n)
                    values = make(random, shape(options.batch, options.heads, n))
                    np.save(gates, values.astype(np.float32))
                    for dtype in options.dtype.split(","):
                        done = subprocess.run(
                            [options.attn_run, options.variants / f"linear/{spec}.mlir",
                             f"--dims=B={options.batch},H={options.heads},N={n}",
                             f"--dtype={dtype}",
                             f"--arg=g={gates}", "--check", *options.extra],
                            capture_output=True, text=True)
                        ok = done.returncode == 0
                        passed, failed = passed + ok, failed + (not ok)
                        if not ok:
                            lines = (done.stdout + done.stderr).strip().splitlines()
                            print(f"FAIL  {spec} {name} N={n} {dtype}:", *lines[-2:],
                                  sep="\n      ")
    print(f"{passed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
