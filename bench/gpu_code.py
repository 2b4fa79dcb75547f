#===- gpu_code.py - What machine code of a kernel says ---------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===------------------------------------------------------------------------===#
"""Blocks that fit onto a multiprocessor, and matrix instructions in main loops."""

import dataclasses
import re


@dataclasses.dataclass(frozen=True)
class Multiprocessor:
    """What blocks share, from the CUDA programming guide: compute capabilities."""

    threads: int
    blocks: int
    shared: int  # Bytes.
    registers: int = 65536


MULTIPROCESSORS = {
    "sm_80": Multiprocessor(2048, 32, 164 * 1024),
    "sm_86": Multiprocessor(1536, 16, 100 * 1024),
    "sm_89": Multiprocessor(1536, 24, 100 * 1024),
    "sm_90": Multiprocessor(2048, 32, 228 * 1024),
}
# Each block takes this much of shared memory for the system.
RESERVED_BYTES = 1024
# Registers are handed out to warps in units.
REGISTER_UNIT, LANES = 256, 32


def round_up(number, unit):
    return -(-number // unit) * unit


def blocks_per_multiprocessor(device, registers, shared, threads=128):
    """How many blocks of a kernel a multiprocessor has at a time at most."""
    has = MULTIPROCESSORS[device]
    warps = round_up(threads, LANES) // LANES
    per_block = warps * round_up(registers * LANES, REGISTER_UNIT)
    return min(has.threads // threads, has.blocks, has.registers // per_block,
               has.shared // (shared + RESERVED_BYTES))


INSTRUCTION = re.compile(r"\s+/\*\w+\*/\s+(?:@!?U?P\w+\s+)?([A-Z][\w.]*)(.*?);")
LABEL = re.compile(r"^(\.L_\w+):")
TARGET = re.compile(r"`\((\.L_\w+)\)")


def loops_of(text):
    """The loops of a function of a disassembly, each as the list of its
    instructions: from where a branch leads back to, to the branch."""
    labels, instructions, loops = {}, [], []
    for line in text.splitlines():
        if label := LABEL.match(line):
            labels[label[1]] = len(instructions)
        elif found := INSTRUCTION.match(line):
            instructions.append(found[1])
            target = TARGET.search(found[2]) if found[1].startswith("BRA") else None
            if target and target[1] in labels:
                loops.append(instructions[labels[target[1]]:])
    return loops


def matrix_share(text):
    """name -> (matrix instructions, all instructions) of the first loop with
    matrix instructions, which is the one over whole blocks of keys; code that is
    seldom executed, such as copies of views that are not aligned, counts too."""
    shares = {}
    for part in re.split(r"\n\s*\.section\s+\.text\.", text)[1:]:
        name = re.match(r"\w+", part)[0]
        for loop in loops_of(part):
            count = sum(op.startswith("HMMA") for op in loop)
            if count:
                shares[name] = (count, len(loop))
                break
    return shares


def matrix_count(ptx):
    """name -> mma.sync in the PTX of a kernel, where there is no disassembler."""
    kernels = re.findall(r"\.entry (\w+)\((.*?)\n}", ptx, re.S)
    return {name: body.count("mma.sync") for name, body in kernels}
