#===- read_once.py - Keys and values are read once per block of queries ----===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Counts what simulated kernels of 16 bits read of keys and values.

  read_once.py SPEC.mlir --features=64 [--tokens=256,200] [--schedule=TEXT]
      [--dtype=bf16] [--copies=wait]
  read_once.py decode.mlir --features=64 --queries=3 --keys=512 --heads=8 --key-heads=2

For each number of tokens, every result must be right, there must be no bank
conflict in any loop, and keys and values must be read as often as the sizes say:
each block of queries reads the sectors of the blocks of keys that it sees, once.
A block of a causal spec sees those up to its last query. Where heads and splits
share the keys of few queries, all blocks together read them once. So does the block of
a recurrence with as many columns of the state as features.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile

SECTOR, ITEM = 32, 2


def count_rows(tokens, block_q, block_k, is_causal):
    """Rows of keys that the blocks of queries of a head read together."""
    rows = 0
    for first in range(0, tokens, block_q):
        seen = min(first + block_q, tokens) if is_causal else tokens
        rows += min(-(-seen // block_k) * block_k, tokens)
    return rows


def sizes_of(schedule):
    """block_q and block_k of a schedule, the one for many queries."""
    many = dict(part.split("=") for part in schedule.split(";")[-1].split(","))
    return int(many["block_q"]), int(many["block_k"])


def simulate(options, spec, dims):
    """The schedule, and the launches for each of the dims."""
    counters = spec.with_suffix(".json")
    command = ["attn-run", spec, "--target=cuda:sm_80", "--simulate", "--check",
               f"--dtype={options.dtype}", f"--counters={counters}", f"--copies={options.copies}",
               *[f"--dims={text}" for text in dims]]
    if options.schedule:
        command.append(f"--schedule={options.schedule}")
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{done.stdout}{done.stderr}")
    found = json.loads(counters.read_text())
    return found["schedule"], [run["launches"] for run in found["runs"]]


def check(launches, rows, features):
    """What is wrong with a run, in words."""
    expected = rows * features * ITEM // SECTOR
    counted = [launch for launch in launches if launch["matrix_ops"]]
    if len(counted) != 1:
        yield f"expected one kernel of matrix instructions, got {len(counted)}"
        return
    conflicts = sum(loop["conflicts"] for loop in counted[0]["loops"])
    if conflicts:
        yield f"{conflicts} bank conflicts"
    for buffer in ("k", "v"):
        found = sum(site["sectors"] for site in counted[0]["sites"]
                    if site["buffers"] == [buffer])
        if found != expected:
            yield f"{found} sectors of {buffer} read, expected {expected}"


def list_runs(options):
    """(dims, a function of the sizes of blocks that gives the rows that are read)."""
    if options.queries:
        # Heads that share keys are in one block.
        yield (f"B=1,H={options.heads},Hk={options.key_heads},Nq={options.queries},"
               f"Nk={options.keys}", lambda q, k: options.key_heads * options.keys)
        return
    is_causal, is_recurrence = (options.spec.stem == name for name in ("causal", "retention"))
    for tokens in map(int, options.tokens.split(",")):
        yield (f"B=1,H=1,N={tokens}",
               lambda q, k, tokens=tokens: tokens if is_recurrence else
               count_rows(tokens, q, k, is_causal))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("spec", type=pathlib.Path)
    parser.add_argument("--features", type=int, required=True)
    parser.add_argument("--tokens", default="256,200")
    parser.add_argument("--schedule", default="")
    parser.add_argument("--dtype", default="bf16")
    parser.add_argument("--copies", default="issue")
    for name in ("queries", "keys", "heads", "key-heads"):
        parser.add_argument(f"--{name}", type=int, default=0)
    options = parser.parse_args()
    runs = list(list_runs(options))
    with tempfile.TemporaryDirectory() as folder:
        spec = pathlib.Path(folder) / options.spec.name
        spec.write_text(re.sub(r"(?<=[x<])(?:64|128)(?=xf32>)", str(options.features),
                               options.spec.read_text()))
        schedule, counted = simulate(options, spec, [dims for dims, _ in runs])
    failed = False
    for (dims, count), launches in zip(runs, counted, strict=True):
        rows = count(*sizes_of(schedule))
        found = list(check(launches, rows, options.features))
        failed |= bool(found)
        print(f"{options.spec.stem} D={options.features} {dims} {schedule}: "
              f"{'; '.join(found) or f'{rows} rows, ok'}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
