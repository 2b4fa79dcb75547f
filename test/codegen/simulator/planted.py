#===- planted.py - Defects in generated kernels are reported ---------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Damages the kernel of a spec, one defect at a time, and simulates the rest.

  planted.py SPEC.mlir [--dtype=bf16 [--stages=3 | --overlap]] [--only=TEXT]

The kernel is taken as attn-compile leaves it after a phase, one line of it is
edited, and attn-simulate runs the phases behind and then the kernel. Each
defect must be reported with op, line, block and thread, at a line that the
edit concerns, or change the result: then the simulator must say which op of
which thread wrote what is wrong. The kernel as it was must do neither. Kernels
of bf16 use matrix instructions and asynchronous copies, and have defects of
their own; copies take effect as late as they may.
"""

import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "reference"))
import softmax  # noqa: E402

TOKENS, FEATURES = 130, 64  # Two whole blocks of keys and a tail of two.
ARGUMENTS = {"q": "random,const", "k": "random,const", "v": "random,const",
             "out": "none", "lse": "none"}

REPORT = re.compile(
    r"(?P<kind>[a-z-]+): '(?P<op>[\w.]+)' at \S+?:(?P<line>\d+):\d+, "
    r"block \((?P<block>\d+),0,0\) thread \((?P<thread>\d+),0,0\): [^']*"
    r"(?P<rest>.*)")
WRITER = re.compile(r"writer of (?:out|lse):\d+: '[\w.]+' at \S+?:\d+:\d+, "
                    r"block \(\d+,0,0\) thread \(\d+,0,0\)")
OTHER = re.compile(r"'[\w.]+' at \S+?:(\d+):\d+, block \(\d+,0,0\) "
                   r"thread \(\d+,0,0\)")


class Program:
    """The lines of a module after a phase; edits are made to copies."""

    def __init__(self, phase, text):
        self.phase, self.lines = phase, text.splitlines()
        kernels = self.find(r"gpu\.func @")
        # The last kernel is the one for more than a few queries.
        self.start = kernels[-1]
        self.loops = [n for n in self.find(r"scf\.for .* iter_args", self.start)
                      if self.depth(n) == 6]
        # Those around which the first and the last iteration stand.
        self.inner = [n for n in self.find(r"scf\.for .* iter_args", self.start)
                      if self.depth(n) == 8]

    @staticmethod
    def indent(line):
        return len(line) - len(line.lstrip())

    def depth(self, number):
        return self.indent(self.lines[number])

    def find(self, pattern, start=0, end=None):
        return [n for n in range(start, end or len(self.lines))
                if re.search(pattern, self.lines[n])]

    def end_of(self, number):
        """The line that closes what this one opens."""
        return next(n for n in range(number + 1, len(self.lines))
                    if self.depth(n) <= self.depth(number))

    def guard_of(self, number):
        """The line of the scf.if around this one."""
        return next(n for n in range(number, 0, -1)
                    if self.depth(n) < self.depth(number))

    def insert(self, number, *new):
        margin = " " * self.depth(number)
        return (self.lines[:number] + [margin + line for line in new] +
                self.lines[number:])

    def replace(self, number, pattern, new):
        line, count = re.subn(pattern, new, self.lines[number], count=1)
        assert count == 1, f"no {pattern} in: {self.lines[number]}"
        return self.lines[:number] + [line] + self.lines[number + 1:]

    def parameters(self):
        """The views in the order of the spec: q, k, v, out, lse."""
        return re.findall(r"(%arg\d+): memref", self.lines[self.start])


class Defect:
    """An edited program. `kinds` and `lines` are what a report must have; if
    there are none, the result must differ."""

    def __init__(self, name, program, lines, kinds=(), at=()):
        self.name, self.phase, self.lines = name, program.phase, lines
        self.kinds, self.at = set(kinds), {line + 1 for line in at}


#===-----------------------------------------------------------------------===#
# What is planted
#===-----------------------------------------------------------------------===#


def removed_barriers(tiles):
    """Each barrier of the loops over keys in turn."""
    for loop in tiles.loops:
        found = tiles.find("tile.barrier block", loop, tiles.end_of(loop))
        assert len(found) >= 3, "a loop over keys has three barriers or more"
        for n in found:
            # Behind the barrier stands what it orders, now one line earlier.
            yield Defect(f"removed barrier, line {n + 1}", tiles,
                         tiles.lines[:n] + tiles.lines[n + 1:], {"race"}, {n})


def shift(program, number, index, by):
    """Adds `by` to one index of the access in a line."""
    lines = program.insert(number, f"%planted = arith.constant {by} : index",
                           f"%moved = arith.addi {index}, %planted : index")
    access = lines[number + 2]
    at = access.index("[")
    lines[number + 2] = access[:at] + access[at:].replace(index, "%moved", 1)
    return lines


def indices_of(line):
    return re.search(r"\[([^]]*)\]", line)[1].split(", ")


def accesses(scalars, name):
    """Lines that access a view, and the first of them that has a guard and is
    executed with the tail: of keys and values, in the last loop."""
    view = scalars.parameters()[list(ARGUMENTS).index(name)]
    isResult = ARGUMENTS[name] == "none"
    access = "memref.store .*, " if isResult else "memref.load "
    found = scalars.find(f"{access}{view}\\[", scalars.start)
    start = scalars.loops[-1] if name in ("k", "v") else 0
    guarded = [n for n in found if n > start
               and re.search(r"scf\.if .*->|^      scf\.if",
                             scalars.lines[scalars.guard_of(n)])]
    return found, guarded[0]


def shifted_indices(scalars):
    """Rows of views moved behind their end, places in shared memory moved to
    other tiles."""
    for name in ARGUMENTS:
        found, guarded = accesses(scalars, name)
        for which, n in (("first", found[0]), ("guarded", guarded)):
            row = indices_of(scalars.lines[n])[2]
            yield Defect(f"shifted row, {which} access to {name}", scalars,
                         shift(scalars, n, row, TOKENS),
                         {"out-of-bounds"}, {n + 2})
    loads = scalars.find(r"vector\.load %view", scalars.start)
    stores = scalars.find(r"memref\.store %\w+, %view", scalars.start)
    tile = 64 * 64
    place = indices_of(scalars.lines[loads[0]])[0]
    yield Defect("shifted read of shared memory, into what nobody wrote",
                 scalars, shift(scalars, loads[0], place, 2 * tile),
                 {"uninitialized"}, {loads[0] + 2})
    place = indices_of(scalars.lines[loads[-1]])[0]
    yield Defect("shifted read of shared memory, behind its end", scalars,
                 shift(scalars, loads[-1], place, 2 * tile),
                 {"out-of-bounds"}, {loads[-1] + 2})
    place = indices_of(scalars.lines[stores[0]])[0]
    reads = {n + 2 for n in loads[:4]}
    yield Defect("shifted write to shared memory, away from its reader",
                 scalars, shift(scalars, stores[0], place, 2 * tile),
                 {"uninitialized"}, reads)


def missing_predicates(scalars):
    """For every view, the guard of an access: always true."""
    for name in ARGUMENTS:
        _, n = accesses(scalars, name)
        guard = scalars.guard_of(n)
        lines = scalars.insert(guard, "%planted = arith.constant true")
        lines[guard + 1] = re.sub(r"scf\.if %\w+", "scf.if %planted",
                                  lines[guard + 1])
        yield Defect(f"missing predicate of {name}", scalars, lines,
                     {"out-of-bounds"}, {n + 1})


def written_again(tiles, number, pattern, new):
    """After a tile is written, the same numbers in another layout."""
    again = re.sub(r"%\w+ =", "%planted =", tiles.lines[number], count=1)
    again, count = re.subn(pattern, new, again, count=1)
    assert count == 1, f"no {pattern} in: {again}"
    return tiles.insert(number + 1, "tile.barrier block", again.strip())


def swapped_layouts(tiles, scalars):
    """Writers and readers of a tile that do not agree where elements lie."""
    loop = tiles.loops[-1]
    keys, values = tiles.find(r"tile\.load .*#tile\.shared", loop)
    weights, = tiles.find(r"tile\.convert_layout", loop, tiles.end_of(loop))
    scores, = tiles.find(r"tile\.dot .* transpose_rhs", loop)
    yield Defect("keys read transposed", tiles,
                 tiles.replace(scores, " transpose_rhs", ""))
    yield Defect("keys written without swizzle", tiles, written_again(
        tiles, keys, "swizzle = true", "swizzle = false"))
    yield Defect("values written with swizzle", tiles, written_again(
        tiles, values, "swizzle = false", "swizzle = true"))
    yield Defect("weights written without swizzle", tiles, written_again(
        tiles, weights, "(.*)swizzle = true", r"\1swizzle = false"))
    yield Defect("values written in wider rows", tiles, written_again(
        tiles, values, "row = 64", "row = 128"), {"out-of-bounds"},
        {values + 2})
    stores = scalars.find(r"memref\.store %\w+, %view", scalars.loops[-1])
    first, second = [n for n in stores if scalars.depth(n) == 8][:2]
    places = [indices_of(scalars.lines[n])[0] for n in (first, second)]
    lines = list(scalars.lines)
    for n, place in zip((first, second), reversed(places)):
        lines[n] = re.sub(r"\[%\w+\]", f"[{place}]", lines[n])
    # The place of the second is computed behind the first store.
    lines.insert(second + 1, lines.pop(first))
    yield Defect("two columns of weights exchanged", scalars, lines)


def matrix_defects(tiles, scalars):
    """What can go wrong with copies and fragments of matrix instructions."""
    loop = tiles.loops[-1]
    arrived, free = tiles.find("tile.barrier block", loop, tiles.end_of(loop))
    for name, n in (("keys read before others wrote them", arrived),
                    ("place of keys written while others read", free)):
        yield Defect(name, tiles, tiles.lines[:n] + tiles.lines[n + 1:],
                     {"race", "unfinished-copy"}, {*range(n - 3, n + 4)})
    waits = scalars.find(r"nvvm\.cp\.async\.wait\.group 0", scalars.loops[-1])
    reads = scalars.find(r"nvgpu\.ldmatrix", scalars.loops[-1])
    for which, n in (("keys", waits[0]), ("values", waits[1])):
        yield Defect(f"wait for {which} one group short", scalars,
                     scalars.replace(n, "group 0", "group 1"),
                     {"unfinished-copy"}, {*reads, *(scalars.find(
                         r"nvgpu\.device_async_copy|memref\.store",
                         scalars.start))})
    products = scalars.find(r"nvvm\.mma\.sync", scalars.loops[-1])
    yield Defect("two registers of the left operand exchanged", scalars,
                 scalars.replace(products[0], r"A\[(%\w+), (%\w+), (%\w+),",
                                 r"A[\1, \3, \2,"))
    yield Defect("two registers of the right operand exchanged", scalars,
                 scalars.replace(products[-1], r"B\[(%\w+), (%\w+)\]",
                                 r"B[\2, \1]"))
    yield Defect("values read as if they were keys", scalars, scalars.replace(
        reads[-1], "transpose = true", "transpose = false"))
    swizzles = scalars.find(r"arith\.xori", scalars.start)
    yield Defect("keys read without swizzle", scalars, scalars.replace(
        swizzles[0], r"arith\.xori (%\w+), (%\w+)", r"arith.ori \1, \1"))


def ring_defects(tiles, scalars):
    """What can go wrong with rings of tiles."""
    loop = tiles.loops[0]
    end = tiles.end_of(loop)
    barrier, = tiles.find("tile.barrier block", loop, end)
    yield Defect("no barrier between two iterations", tiles,
                 tiles.lines[:barrier] + tiles.lines[barrier + 1:],
                 {"race", "unfinished-copy"}, set(range(loop, end)))
    await_ = tiles.find(r"tile\.await", loop, end)[-1]
    pending = int(re.search(r"pending (\d+)", tiles.lines[await_])[1])
    yield Defect("wait one copy short", tiles, tiles.replace(
        await_, r"pending \d+", f"pending {pending + 1}"),
        {"unfinished-copy", "race"}, set(range(loop, end)))
    here = re.search(r"stage\((%\w+)\)", tiles.lines[await_])[1]
    for which, n in zip(("keys", "values"),
                        tiles.find(r"tile\.load .* async", loop, end)):
        yield Defect(f"place of {which} used while they are read", tiles,
                     tiles.replace(n, r"stage\(%\w+\)", f"stage({here})"),
                     {"race", "unfinished-copy"}, set(range(loop, end)))


def overlap_defects(tiles):
    """What can go wrong where products of two blocks of keys overlap."""
    loop, around = tiles.inner[0], tiles.loops[0]
    end, last = tiles.end_of(loop), tiles.end_of(around)
    arrived, free = tiles.find("tile.barrier block", loop, end)
    for name, n in (("values begun while those before are read", arrived),
                    ("keys begun while the next ones are read", free)):
        yield Defect(name, tiles, tiles.lines[:n] + tiles.lines[n + 1:],
                     {"race", "unfinished-copy"}, set(range(loop, end)))
    wait = tiles.find(r"tile\.await", around, loop)[0]
    yield Defect("no wait for the first keys", tiles, tiles.replace(
        wait, r"(tile\.await %\w+)", r"\1 pending 9"),
        {"unfinished-copy", "race"}, set(range(around, last)))
    values = tiles.find(r"tile\.load .* async", around, loop)[1]
    places = [re.search(r"tile\.shared_offset = (\d+)", tiles.lines[n])[1]
              for n in (values, tiles.find(r"tile\.load .* async", loop, end)[0])]
    yield Defect("last values overwritten by others", tiles, tiles.replace(
        values, f"offset = {places[0]} ", f"offset = {places[1]} "))


def defects_of(options, tiles, scalars):
    """What is planted in kernels of an element type."""
    dtype, stages = options.dtype, options.stages
    if options.overlap:
        return overlap_defects(tiles)
    if stages > 1:
        return ring_defects(tiles, scalars)
    if dtype == "bf16":
        return matrix_defects(tiles, scalars)
    return [*removed_barriers(tiles), *shifted_indices(scalars),
            *missing_predicates(scalars), *swapped_layouts(tiles, scalars)]


#===-----------------------------------------------------------------------===#
# Running
#===-----------------------------------------------------------------------===#


def compile_phases(spec, folder, options):
    """The program after each phase, by the phase's name."""
    has_many = options.overlap or options.stages > 1
    schedule = f"block_q=64,block_k={32 if has_many else 64},stages={options.stages}"
    subprocess.run(["attn-compile", spec, "--target=cuda:sm_80", "--emit=llvm",
                    f"--dtype={options.dtype}",
                    f"--schedule={schedule}" + ",overlap=1" * options.overlap,
                    f"--dump-phases={folder}", "-o", folder / "llvm.mlir"],
                   check=True)
    return {path.stem.partition("-")[2]: path.read_text()
            for path in folder.glob("*-*.mlir")}


def simulate(spec, phase, lines, folder, dtype, writer=None):
    """The reports, and the arguments by name after the run; of `writer`, an
    element, the line that says who wrote it is a report too."""
    path = folder / "damaged.mlir"
    path.write_text("\n".join(lines) + "\n")
    command = ["attn-simulate", path, f"--after={phase}",
               f"--host={spec.stem.replace('-', '_')}", "--copies=wait"]
    for name, content in ARGUMENTS.items():
        sizes = f"1x1x{TOKENS}" + ("" if name == "lse" else f"x{FEATURES}")
        kind = "f32" if name == "lse" else dtype
        command += [f"--arg={name}:{kind}[{sizes}]={content}",
                    f"--print={name}"]
    if writer:
        command.append(f"--writer={writer}")
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode not in (0, 1) or "defects\n" not in done.stdout:
        sys.exit(f"attn-simulate: {done.stdout}{done.stderr}")
    reports, values = [], {}
    for line in done.stdout.splitlines():
        name, _, numbers = line.partition(": ")
        if name in ARGUMENTS:
            flat = np.array(numbers.split(), dtype=float)
            values[name] = flat.reshape(1, 1, TOKENS, -1)
        elif not re.fullmatch(r"\d+ defects", line):
            reports.append(line)
    return reports, values


def differs(result, expected, dtype):
    """Whether numbers printed with six digits are not those expected."""
    error = {"f32": 1e-4, "bf16": 2e-2}[dtype]
    return not np.allclose(result, expected, rtol=error, atol=error)


def check_sound(spec, phase, text, folder, dtype):
    """The kernel as it is: nothing reported, and right. Returns results."""
    reports, values = simulate(spec, phase, text.splitlines(), folder, dtype)
    oracle = getattr(softmax, spec.stem)(*(values[x] for x in "qkv"))
    wrong = [name for name, expected in zip(("out", "lse"), oracle)
             if differs(values[name], expected.reshape(values[name].shape),
                        dtype)]
    if reports or wrong:
        sys.exit(f"{phase}: the undamaged kernel has {reports}, {wrong} wrong")
    print(f"sound     the kernel after '{phase}'")
    return values


def is_at(report, lines):
    """Whether a report names one of the lines, first or as the other."""
    match = REPORT.match(report)
    found = {int(match["line"])}
    found |= {int(line) for line in OTHER.findall(match["rest"])}
    return bool(found & lines)


def first_difference(values, sound):
    """The first element of a result that is not as it was, as NAME:ELEMENT;
    None if there is none."""
    for name in ("out", "lse"):
        same = np.isclose(values[name], sound[name], rtol=1e-4, atol=1e-4)
        if not same.all():
            return f"{name}:{np.flatnonzero(~same)[0]}"
    return None


def check(defect, reports, values, sound, ask_writer):
    """What is wrong with the outcome; None if the defect was found."""
    for report in reports:
        match = REPORT.match(report)
        if not match:
            return f"a report without op, line, block or thread: {report}"
        if int(match["block"]) > TOKENS // 64 or int(match["thread"]) >= 128:
            return f"no such block or thread: {report}"
    if defect.kinds:
        if not any(REPORT.match(report)["kind"] in defect.kinds
                   and is_at(report, defect.at) for report in reports):
            return (f"expected {defect.kinds} at lines {defect.at}, got "
                    f"{reports or 'no report'}")
    else:
        element = first_difference(values, sound)
        if not element:
            return "the results are those of the undamaged kernel"
        words = [line for line in ask_writer(element) if "writer of" in line]
        if not (words and WRITER.fullmatch(words[0])):
            return f"nobody is said to have written {element}: {words}"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("spec", type=pathlib.Path)
    parser.add_argument("--dtype", default="f32", choices=["f32", "bf16"])
    parser.add_argument("--stages", type=int, default=1,
                        help="of a ring, whose defects are planted if there "
                        "are more than one")
    parser.add_argument("--overlap", action="store_true",
                        help="products of two blocks of keys overlap, whose "
                        "defects are planted")
    parser.add_argument("--only", default="", help="defects with this text")
    options = parser.parse_args()
    failed = 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        texts = compile_phases(options.spec, folder, options)
        tiles, scalars = [Program(phase, texts[phase])
                          for phase in ("place-tiles", "distribute")]
        sound = {program.phase: check_sound(options.spec, program.phase,
                                            texts[program.phase], folder,
                                            options.dtype)
                 for program in (tiles, scalars)}
        for defect in defects_of(options, tiles, scalars):
            if options.only not in defect.name:
                continue
            reports, values = simulate(options.spec, defect.phase,
                                       defect.lines, folder, options.dtype)
            wrong = check(
                defect, reports, values, sound[defect.phase],
                lambda element: simulate(options.spec, defect.phase,
                                         defect.lines, folder, options.dtype,
                                         element)[0])
            failed += wrong is not None
            how = f"reported {len(reports)}" if reports else "wrong result"
            print(f"MISSED    {defect.name}: {wrong}" if wrong else
                  f"found     {defect.name}: {how}", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
