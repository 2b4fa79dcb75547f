#===- tune_catalogue.py - Tuned schedules beside the default ---------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Tunes twelve specs for three lengths each, and times the result anew.

  tune_catalogue.py DATABASE [NAME...]

What attn-tune records is run by attn-run in turn with the default, in processes
of their own, nine times each; the ratio is that of the shortest calls. Tools are
found on PATH. Prints a line of Markdown for each.
"""

import os
import pathlib
import re
import subprocess
import sys
import time

VARIANTS = pathlib.Path(__file__).resolve().parent.parent / "variants"
SPECS = {
    "softmax/dense": ("B=1,H=4,N={}", (256, 1024, 2048)),
    "softmax/causal": ("B=1,H=4,N={}", (256, 1024, 2048)),
    "softmax/causal-gqa": ("B=1,H=8,Hk=2,N={}", (256, 512, 1024)),
    "softmax/sliding-window": ("B=1,H=4,N={}", (256, 1024, 4096)),
    "softmax/alibi": ("B=1,H=4,N={}", (256, 512, 1024)),
    "softmax/softcap": ("B=1,H=4,N={}", (256, 512, 1024)),
    "softmax/decode": ("B=1,H=8,Hk=2,Nq=1,Nk={}", (1024, 4096, 16384)),
    "local/neighborhood-2d": ("B=1,H=2,Y={0},X={0}", (16, 32, 48)),
    "linear/lightning": ("B=1,H=4,N={}", (256, 1024, 4096)),
    "linear/linear": ("B=1,H=4,N={}", (256, 1024, 4096)),
    "linear/retention": ("B=1,H=4,N={}", (256, 1024, 4096)),
    "linear/gla": ("B=1,H=2,N={}", (256, 1024, 2048)),
}
TURNS = 9
LEAST = re.compile(r"min ([\d.]+) ms")
SECONDS_OF_CALLS = 0.02


def run(*command):
    return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE,
                          env={k: v for k, v in os.environ.items()
                               if k != "ATTN_TUNING_DB"}).stdout


def shortest(spec, dims, milliseconds, *options):
    repeat = max(3, min(50, int(1e3 * SECONDS_OF_CALLS / milliseconds)))
    output = run("attn-run", spec, f"--dims={dims}", f"--repeat={repeat}", *options)
    return float(LEAST.search(output)[1]), "(tuned)" in output


def main(database, *names):
    for name in names or SPECS:
        form, lengths = SPECS[name]
        spec = str(VARIANTS / f"{name}.mlir")
        for length in lengths:
            dims = form.format(length)
            start = time.time()
            line = run("attn-tune", spec, f"--dims={dims}", f"--db={database}",
                       "--budget=60").splitlines()[-1]
            spent = time.time() - start
            schedule, milliseconds = re.search(r"  (\S+:\S+)  ([\d.]+) ms", line).groups()
            ours, theirs = [], []
            for _ in range(TURNS):
                theirs.append(shortest(spec, dims, float(milliseconds))[0])
                own, is_tuned = shortest(spec, dims, float(milliseconds),
                                         f"--db={database}")
                assert is_tuned, (name, dims)
                ours.append(own)
            note = " (the default)" if "the default is" in line else ""
            print(f"| `{name}` | {dims} | `{schedule}`{note} | "
                  f"{min(ours) / min(theirs):.3f} | {spent:.0f} s |", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
