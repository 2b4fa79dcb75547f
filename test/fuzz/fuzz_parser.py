#===- fuzz_parser.py - Feed damaged specs to attn-opt ----------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Damages programs and asserts that attn-opt accepts or refuses each: its exit
status is 0 or 1. A crash, a hang or another status is a bug.

Many damaged programs go through one process (--split-input-file); where one of
them crashes it, halving finds the culprit, which is printed and kept. The same
seed gives the same programs.
"""

import argparse
import pathlib
import random
import re
import subprocess
import sys

SEPARATOR = b"\n// -----\n"
TOKEN = re.compile(rb'"[^"\n]*"|->|[%@!#^]?[\w.$]+|\s+|.', re.DOTALL)
# What the programs themselves do not hold, or seldom.
NASTY = [b"-1", b"0", b"9223372036854775807", b"18446744073709551616", b"0x7FF8",
         b"i0", b"i128", b"tensor<*xf32>", b"tensor<f32>", b"tensor<0xf32>",
         b"tensor<9223372036854775807xf32>", b"memref<*xf32>", b"vector<4xf32>",
         b"none", b"complex<f32>", b"f8E4M3FN", b"dense<[]>", b"unit", b'""', b"[]",
         b"{}", b"()", b"\x00", b"\xff", b"//", b"\"", b"?", b"}", b"{", b"^bb0:"]


def read_programs(paths):
    """The programs in the files, without comments, split at `// -----`."""
    programs = []
    for path in paths:
        for program in pathlib.Path(path).read_bytes().split(SEPARATOR):
            code = re.sub(rb"(?m)^\s*//.*\n", b"", program)
            if code.strip():
                programs.append(code)
    return programs


def damage_tokens(rng, program, vocabulary):
    """Drops, repeats, replaces or exchanges one token."""
    tokens = TOKEN.findall(program)
    at = [i for i, token in enumerate(tokens) if not token.isspace()]
    if not at:
        return program
    i, j = rng.choice(at), rng.choice(at)
    action = rng.randrange(5)
    if action == 0:
        tokens[i] = b""
    elif action == 1:
        tokens[i] = tokens[i] + b" " + tokens[i]
    elif action == 2:
        tokens[i] = rng.choice(vocabulary)
    elif action == 3:
        tokens[i] = rng.choice(NASTY)
    else:
        tokens[i], tokens[j] = tokens[j], tokens[i]
    return b"".join(tokens)


def damage_lines(rng, program, _):
    """Drops, repeats or exchanges one line."""
    lines = program.split(b"\n")
    i, j = rng.randrange(len(lines)), rng.randrange(len(lines))
    action = rng.randrange(3)
    if action == 0:
        del lines[i]
    elif action == 1:
        lines.insert(j, lines[i])
    else:
        lines[i], lines[j] = lines[j], lines[i]
    return b"\n".join(lines)


def damage_bytes(rng, program, _):
    """Changes one byte, or cuts the program off."""
    at = rng.randrange(len(program) + 1)
    if rng.randrange(4) == 0:
        return program[:at]
    return program[:at] + bytes([rng.randrange(256)]) + program[at + 1:]


def damage(rng, programs, vocabulary):
    program = rng.choice(programs)
    # Most tokens of a program survive, so that verifiers are reached as well.
    for _ in range(rng.choice([1, 1, 1, 2, 4])):
        action = rng.choice([damage_tokens] * 4 + [damage_lines] * 2 + [damage_bytes])
        program = action(rng, program, vocabulary)
    return program


def survives(tool, programs, timeout):
    """Whether the tool ends by itself on all programs, with status 0 or 1."""
    try:
        run = subprocess.run(tool + ["--split-input-file", "-o", "/dev/null", "-"],
                             input=SEPARATOR.join(programs), timeout=timeout,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        return False
    return run.returncode in (0, 1)


def find_culprits(tool, programs, timeout):
    """The programs among `programs` that the tool does not survive."""
    if survives(tool, programs, timeout):
        return []
    if len(programs) == 1:
        return programs
    middle = len(programs) // 2
    culprits = (find_culprits(tool, programs[:middle], timeout) +
                find_culprits(tool, programs[middle:], timeout))
    # Several programs may crash the tool only together.
    return culprits or [SEPARATOR.join(programs)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tool", default="attn-opt", help="the tool and its options")
    parser.add_argument("--count", type=int, default=300, help="damaged programs")
    parser.add_argument("--batch", type=int, default=50, help="programs per process")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--timeout", type=float, default=60, help="seconds per process")
    parser.add_argument("--keep", type=pathlib.Path, help="folder for what crashes")
    parser.add_argument("programs", nargs="+", help="files of programs to damage")
    options = parser.parse_args()

    tool = options.tool.split()
    programs = read_programs(options.programs)
    vocabulary = sorted({token for program in programs
                         for token in TOKEN.findall(program) if not token.isspace()})
    if not survives(tool, programs, options.timeout):
        sys.exit("the undamaged programs crash the tool")
    rng = random.Random(options.seed)
    damaged = [damage(rng, programs, vocabulary) for _ in range(options.count)]
    culprits = []
    for first in range(0, len(damaged), options.batch):
        culprits += find_culprits(tool, damaged[first:first + options.batch],
                                  options.timeout)
    for number, culprit in enumerate(culprits):
        print(f"--- crashes {options.tool}:\n{culprit.decode(errors='replace')}")
        if options.keep:
            options.keep.mkdir(parents=True, exist_ok=True)
            (options.keep / f"crash-{number}.mlir").write_bytes(culprit)
    print(f"{len(damaged)} damaged programs, {len(culprits)} crashes")
    sys.exit(bool(culprits))


if __name__ == "__main__":
    main()
