#!/usr/bin/env python3
#===- sparsity.py - What masks save on the CPU ------------------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Times masks beside what they are a part of, f32, one head, one thread, and prints
how the times compare with the pairs of tokens: the median of the rounds' ratios. All
programs of a comparison run one after the other in each round. With --lists, time and
memory of documents in a long sequence, with room for a list of all pairs of blocks and
of as many as there are."""

import argparse
import pathlib
import re
import statistics
import subprocess
import tempfile
import time

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent
VARIANTS = ROOT / "variants"
INPUTS = ROOT / "test" / "integration" / "Inputs"
N, WINDOW = 16384, 512
# Windows of 13 x 13 on 64 x 64 tokens: 4 x 8 queries meet boxes of 2 x 8 keys in
# 124 pairs along one axis and 22 along the other, as attn-explain counts.
VISITED = (124 * 4 * 2) * (22 * 8 * 8)


def milliseconds(options, spec, dims):
    command = [options.attn_run, spec, f"--dims={dims}", "--threads=1",
               f"--repeat={options.repeat}"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(re.search(r"min ([0-9.]+) ms", done.stdout).group(1))


def compare(options, name, one, other):
    """Median times of two specs and of the ratio other / one."""
    rounds = [(milliseconds(options, *one), milliseconds(options, *other))
              for _ in range(options.rounds)]
    times = [statistics.median(times) for times in zip(*rounds)]
    ratio = statistics.median(b / a for a, b in rounds)
    print(f"{name}: {times[0]:.2f} ms and {times[1]:.2f} ms, {ratio:.2f} times as long")
    return ratio


def make_documents(tokens, mean):
    """Numbers of documents of random lengths."""
    random = np.random.default_rng(1)
    lengths = random.exponential(mean, 4 * tokens // mean + 4).astype(np.int64) + 1
    return np.repeat(np.arange(len(lengths)), lengths)[:tokens].astype(np.int32)[None]


def run_watched(command):
    """What a program prints, and the most address space that it had, in kB."""
    program = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    most = 0
    while program.poll() is None:
        status = pathlib.Path(f"/proc/{program.pid}/status").read_text()
        found = re.search(r"VmPeak:\s*(\d+)", status)
        most = max(most, int(found.group(1)) if found else 0)
        time.sleep(0.005)
    if program.returncode:
        raise SystemExit(f"{command}: exit status {program.returncode}")
    return program.stdout.read(), most


def compare_lists(options, tokens=1 << 20, mean=4096, block=128):
    """document-causal with 16 features by both ways to make room for its list: tile
    programs from a schedule that is asked for."""
    opt = str(pathlib.Path(options.attn_run).with_name("attn-opt"))
    spec = (VARIANTS / "local" / "document-causal.mlir").read_text().replace("x64xf32", "x16xf32")
    # Nothing traces the sizes of results in a tile program.
    for result, dims in (("out", '"B", "H", "N", "D"'), ("lse", '"B", "H", "N"')):
        spec = spec.replace(f'{{attn.name = "{result}"}}',
                            f'{{attn.name = "{result}", attn.dims = [{dims}]}}')
    to_tile = ["--attn-infer-sparsity",
               f"--attn-select-schedule=schedule=block_q={block},block_k={block}",
               "--attn-list-blocks", "--attn-split-blocks", "--attn-apply-sparsity"]
    with tempfile.TemporaryDirectory() as folder:
        np.save(f"{folder}/document.npy", make_documents(tokens, mean))
        for name, flag in (("all pairs", ""), ("those counted", "=count-lists")):
            program = f"{folder}/program.mlir"
            tiles = subprocess.run([opt, *to_tile, f"--attn-to-tile{flag}", "--canonicalize"],
                                   input=spec, check=True, capture_output=True, text=True).stdout
            pathlib.Path(program).write_text(tiles)
            command = [options.attn_run, program, f"--dims=B=1,H=1,N={tokens}", "--threads=1",
                       f"--arg=document={folder}/document.npy", f"--repeat={options.repeat}"]
            printed, kilobytes = run_watched(command)
            least, unit = re.search(r"min ([0-9.]+) (\w+)", printed).groups()
            print(f"document-causal, {tokens} tokens, room for the list of {name}: "
                  f"{least} {unit}, address space {kilobytes / 1000:.0f} MB", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--attn-run", default=str(ROOT / "build/bin/attn-run"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--lists", action="store_true")
    options = parser.parse_args()
    if options.lists:
        compare_lists(options)
        return
    softmax, plane = VARIANTS / "softmax", VARIANTS / "local" / "neighborhood-2d.mlir"
    with tempfile.TemporaryDirectory() as folder:
        window = pathlib.Path(folder) / "window.mlir"
        text = (softmax / "sliding-window.mlir").read_text()
        window.write_text(text.replace("arith.constant 256 ", f"arith.constant {WINDOW} "))
        ratio = compare(options, f"sliding window of {WINDOW}, causal, N = {N}",
                        (window, f"B=1,H=1,N={N}"),
                        (softmax / "causal.mlir", f"B=1,H=1,N={N}"))
    pairs = N * (N + 1) / 2 / (WINDOW * N - WINDOW * (WINDOW - 1) / 2)
    print(f"  its share of the pairs is 1 / {pairs:.2f}: it takes {pairs / ratio:.2f} of "
          "its share")
    ratio = compare(options, "neighborhood 13 x 13 on 64 x 64, dense", (plane, "B=1,H=1,Y=64,X=64"),
                    (softmax / "dense.mlir", "B=1,H=1,N=4096"))
    print(f"  boxes that it visits have 1 / {4096 ** 2 / VISITED:.2f} of the pairs: "
          f"the gain is {ratio * VISITED / 4096 ** 2:.2f} of that")
    compare(options, "neighborhood 13 x 13 on 128 x 128, the same on rows",
            (plane, "B=1,H=1,Y=128,X=128"), (INPUTS / "neighborhood-rows.mlir", "B=1,H=1,N=16384"))


if __name__ == "__main__":
    main()
