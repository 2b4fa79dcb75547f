#===- planted_recur.py - Defects in kernels of recurrences -----------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Damages the kernel of a recurrence, one defect at a time, and simulates it.

  planted_recur.py PROGRAM.mlir

Works like planted.py: the kernel is taken as attn-compile leaves it after a
phase, one line is edited, and attn-simulate runs the rest. Barriers that are
removed, and a state that is overwritten before it is read, must be reported as
races at a line that the edit concerns; rows that are combined wrongly must change
the results, and only where they should. The kernel as it was does neither.
"""

import pathlib
import re
import subprocess
import sys
import tempfile

import numpy as np

from planted import Defect, Program, REPORT, is_at

TOKENS, KEYS, VALUES = 40, 64, 64  # Two whole blocks of tokens and half of one.
ARGUMENTS = {"q": f"1x1x{TOKENS}x{KEYS}", "k": f"1x1x{TOKENS}x{KEYS}",
             "v": f"1x1x{TOKENS}x{VALUES}", "g": f"1x1x{TOKENS}x{KEYS}",
             "h0": f"1x1x{KEYS}x{VALUES}", "out": f"1x1x{TOKENS}x{VALUES}",
             "ht": f"1x1x{KEYS}x{VALUES}"}
RESULTS = ("out", "ht")


def removed_barriers(tiles):
    """Each barrier of the kernel in turn."""
    found = tiles.find("tile.barrier", tiles.start)
    assert len(found) >= 4, "a block of tokens has four barriers or more"
    for n in found:
        yield Defect(f"removed barrier, line {n + 1}", tiles,
                     tiles.lines[:n] + tiles.lines[n + 1:], {"race"}, {n})


def early_state(tiles):
    """The state of the next block of tokens takes the place of this one's, which
    is still read."""
    shared = r"tensor<64x32xf32, #tile\.shared"
    copy, = tiles.find(r"tile\.convert_layout .* -> " + shared, tiles.start)
    read, = tiles.find(r"tile\.dot .*" + shared, tiles.start)
    text = tiles.lines[copy].strip()
    state, kind = re.search(r"convert_layout (%\w+) .* : (.*) ->", text).groups()
    lines = tiles.insert(read, f"%planted = arith.addf {state}, {state} : {kind}",
                         re.sub(r"%\w+ = (\S+) %\w+", r"%again = \1 %planted", text))
    yield Defect("state overwritten before it is read", tiles,
                 lines, {"race"}, {read + 1, read + 2})


def wrong_rows(tiles):
    """Ops that combine other rows than they should."""
    edits = (("scan starts at the second row", r"tile\.scan mul (%\w+) :",
              r"tile.scan mul \1 exclusive :"),
             ("scan in the wrong direction", r"tile\.scan mul (%\w+) reverse",
              r"tile.scan mul \1"),
             ("tokens that do not see themselves", r"(tile\.decay_dot .*?) :",
              r"\1 strict :"),
             ("tokens that see the future", r"(tile\.decay_dot .*?) :",
              r"\1 reverse :"))
    for name, pattern, new in edits:
        number = tiles.find(pattern, tiles.start)[0]
        yield Defect(name, tiles, tiles.replace(number, pattern, new))


def wrong_bounds(scalars):
    """Loops over rows with other bounds."""
    loops = scalars.find(r"scf\.for %\w+ = %c0\w* to %\w+ step %c1\b", scalars.start)
    for which, n in (("first", loops[0]), ("last", loops[-1])):
        yield Defect(f"row left out by a loop, {which}", scalars,
                     scalars.replace(n, r"= %c0\w*", "= %c1"))


def phases(path, folder):
    subprocess.run(["attn-compile", path, "--target=cuda:sm_80", "--emit=llvm",
                    f"--dump-phases={folder}", "-o", folder / "llvm.mlir"],
                   check=True)
    return {file.stem.partition("-")[2]: file.read_text()
            for file in folder.glob("*-*.mlir")}


def simulate(phase, lines, folder):
    """The reports, and the results by name after the run."""
    path = folder / "damaged.mlir"
    path.write_text("\n".join(lines) + "\n")
    command = ["attn-simulate", path, f"--after={phase}", "--host=recur"]
    for name, shape in ARGUMENTS.items():
        content = "none" if name in RESULTS else "-0.1,const" if name == "g" else "random,const"
        command += [f"--arg={name}:f32[{shape}]={content}", f"--print={name}"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode not in (0, 1) or "defects\n" not in done.stdout:
        sys.exit(f"attn-simulate: {done.stdout}{done.stderr}")
    reports, values = [], {}
    for line in done.stdout.splitlines():
        name, _, numbers = line.partition(": ")
        if name in ARGUMENTS:
            shape = [int(size) for size in ARGUMENTS[name].split("x")[2:]]
            values[name] = np.array(numbers.split(), dtype=float).reshape(shape)
        elif not line.endswith(" defects"):
            reports.append(line)
    return reports, values


def expected(values):
    """The recurrence, token by token."""
    state, rows = values["h0"].copy(), []
    for q, k, v, g in zip(values["q"], values["k"], values["v"], values["g"]):
        state = np.exp(g)[:, None] * state + np.outer(k, v)
        rows.append(state.T @ q / 8)
    return {"out": np.array(rows), "ht": state}


def differing(values, sound):
    return [name for name in RESULTS
            if not np.allclose(values[name], sound[name], rtol=1e-4, atol=1e-4)]


def check(defect, folder, sound):
    """What is wrong with the outcome; None if the defect was found."""
    reports, values = simulate(defect.phase, defect.lines, folder)
    if not defect.kinds:
        return None if differing(values, sound) else "the results are right"
    matches = [REPORT.match(report) for report in reports]
    if not all(matches):
        return f"a report without op, line, block or thread: {reports}"
    if not any(match["kind"] in defect.kinds and is_at(report, defect.at)
               for match, report in zip(matches, reports)):
        return f"expected {defect.kinds} at lines {defect.at}, got {reports}"
    return None


def main():
    failed = 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        texts = phases(sys.argv[1], folder)
        tiles, scalars = (Program(phase, texts[phase])
                          for phase in ("place-tiles", "distribute"))
        for program in (tiles, scalars):
            reports, values = simulate(program.phase, program.lines, folder)
            sound = expected(values)
            if reports or differing(values, sound):
                sys.exit(f"{program.phase}: the undamaged kernel has {reports}, "
                         f"{differing(values, sound)} wrong")
            print(f"sound     the kernel after '{program.phase}'")
        for defect in [*removed_barriers(tiles), *early_state(tiles),
                       *wrong_rows(tiles), *wrong_bounds(scalars)]:
            wrong = check(defect, folder, sound)
            failed += wrong is not None
            print(f"MISSED    {defect.name}: {wrong}" if wrong else
                  f"found     {defect.name}", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
