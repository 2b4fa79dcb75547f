#===- planted_chunks.py - Defects in the copies of a recurrence ------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Damages the rings of a recurrence of bf16, one defect at a time.

  planted_chunks.py SPEC.mlir

Works like planted.py. Each defect must be reported at a line of the loop over
chunks, with copies that take effect at once, so that numbers are right. The kernel
as it is has no report and computes the recurrence, whether its copies take effect
as early or as late as they may.
"""

import pathlib
import re
import subprocess
import sys
import tempfile

import numpy as np

from planted import Defect, Program, REPORT, is_at

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "reference"))
import linear  # noqa: E402

TOKENS, KEYS, VALUES = 130, 64, 128  # Two whole chunks and a part of one.
ARGUMENTS = {"q": f"bf16[1x1x{TOKENS}x{KEYS}]=random,const",
             "k": f"bf16[1x1x{TOKENS}x{KEYS}]=random,const",
             "v": f"bf16[1x1x{TOKENS}x{VALUES}]=random,const",
             "g": "f32[1]=-0.1,const",
             "out": f"bf16[1x1x{TOKENS}x{VALUES}]=none"}


def list_defects(tiles):
    """What can go wrong with rings of chunks."""
    loop, = tiles.loops
    end = tiles.end_of(loop)
    where, kinds = set(range(loop, end)), {"race", "unfinished-copy"}
    barrier = tiles.find("tile.barrier block", loop, end)[0]
    yield Defect("no barrier between two chunks", tiles,
                 tiles.lines[:barrier] + tiles.lines[barrier + 1:], kinds, where)
    awaits = tiles.find(r"tile\.await", loop, end)
    # No copy is behind the last one of a chunk until the next ones begin.
    yield Defect("wait one copy short", tiles, tiles.replace(
        awaits[-1], r"(stage\(%\w+\)) :", r"\1 pending 1 :"), kinds, where)
    here = re.search(r"stage\((%\w+)\)", tiles.lines[awaits[0]])[1]
    copies = tiles.find(r"tile\.load .* async", loop, end)
    assert len(copies) == len(awaits) == 3, "queries, keys and values are copied"
    for which, n in enumerate(copies):
        yield Defect(f"place of copy {which} used while it is read", tiles,
                     tiles.replace(n, r"stage\(%\w+\)", f"stage({here})"), kinds, where)


def compile_tiles(spec, folder):
    subprocess.run(["attn-compile", spec, "--target=cuda:sm_80", "--emit=llvm", "--dtype=bf16",
                    "--schedule=block_q=64,block_k=64,stages=2", f"--dump-phases={folder}",
                    "-o", folder / "llvm.mlir"], check=True)
    path, = folder.glob("*-place-tiles.mlir")
    return Program("place-tiles", path.read_text())


def simulate(name, lines, folder, copies):
    """The reports, and the tensors by name after the run."""
    path = folder / "damaged.mlir"
    path.write_text("\n".join(lines) + "\n")
    command = ["attn-simulate", path, "--after=place-tiles", f"--host={name}",
               f"--copies={copies}"]
    for argument, text in ARGUMENTS.items():
        command += [f"--arg={argument}:{text}", f"--print={argument}"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode not in (0, 1) or "defects\n" not in done.stdout:
        sys.exit(f"attn-simulate: {done.stdout}{done.stderr}")
    reports, values = [], {}
    for line in done.stdout.splitlines():
        argument, _, numbers = line.partition(": ")
        if argument in ARGUMENTS:
            values[argument] = np.array(numbers.split(), dtype=float)
        elif not line.endswith(" defects"):
            reports.append(line)
    return reports, values


def is_right(values):
    """Whether the rows are those of the recurrence, in bf16."""
    q, k, v, out = (values[name].reshape(1, 1, TOKENS, -1) for name in ("q", "k", "v", "out"))
    expected = linear.retention(q, k, v, values["g"])[0]
    return np.allclose(out, expected, rtol=2e-2, atol=2e-2 * abs(expected).max())


def main():
    spec, failed = pathlib.Path(sys.argv[1]), 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        tiles = compile_tiles(spec, folder)
        for copies in ("issue", "wait"):
            reports, values = simulate(spec.stem, tiles.lines, folder, copies)
            if reports or not is_right(values):
                sys.exit(f"the undamaged kernel has {reports}, right: {is_right(values)}")
            print(f"sound     copies at {copies}")
        for defect in list_defects(tiles):
            reports, _ = simulate(spec.stem, defect.lines, folder, "issue")
            found = any((match := REPORT.match(report)) and match["kind"] in defect.kinds
                        and is_at(report, defect.at) for report in reports)
            failed += not found
            print(f"found     {defect.name}" if found else
                  f"MISSED    {defect.name}: {reports}", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
