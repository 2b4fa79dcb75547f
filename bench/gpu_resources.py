#!/usr/bin/env python3
#===- gpu_resources.py - What ptxas says of the kernels --------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===------------------------------------------------------------------------===#
"""Compiles the catalogue for NVIDIA devices and tabulates what ptxas reports.

  gpu_resources.py [--output=FILE] [--devices=sm_80,...] [SPEC...]

Needs attn-compile and ptxas on the PATH. Exits 1 if a kernel spills, uses local
memory or the stack, or if its PTX names a function of libdevice.
"""

import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

DEVICES = ["sm_80", "sm_86", "sm_89", "sm_90"]
ROOT = pathlib.Path(__file__).resolve().parent.parent

HEADER = """# Registers and shared memory of GPU kernels

What `ptxas` {version} says of every kernel of the softmax catalogue in f32, made by

<!-- not run -->
```sh
bench/gpu_resources.py --output=docs/results/gpu-resources.md
```

The script fails if a kernel spills registers, uses local memory or the stack, or names a function
of libdevice (`__nv_`): {verdict}. `FUNCTION_0` and
`FUNCTION_1` are the kernels for up to 16 queries (the parts, and their merge), the last one of a
function that for more. Shared memory is what a launch asks for, in bytes. Registers are per thread, for {devices}; a block has 128 threads.
A dash stands for a device for which the compiler refuses the spec; the reasons are at the end.

| spec | kernel | block_q x block_k | shared memory | registers |
|---|---|---|---|---|
"""


class Refused(Exception):
    """The compiler's message."""


def run(command, **options):
    return subprocess.run(command, text=True, capture_output=True, **options)


def kernels(ptx_path, device):
    """name -> (registers, spilled bytes, stack bytes) of the kernels."""
    result = run(["ptxas", "-v", f"-arch={device}", ptx_path, "-o", "/dev/null"])
    if result.returncode:
        sys.exit(f"ptxas: {result.stdout}{result.stderr}")
    text = result.stdout + result.stderr
    pattern = re.compile(
        r"Compiling entry function '(\w+)'.*?(\d+) bytes stack frame, "
        r"(\d+) bytes spill stores, (\d+) bytes spill loads.*?Used (\d+) registers",
        re.S)
    return {name: (int(registers), int(stores) + int(loads), int(stack))
            for name, stack, stores, loads, registers in pattern.findall(text)}


def shared_bytes(module):
    """name -> bytes of dynamic shared memory."""
    pattern = re.compile(r"llvm\.func @(\w+)\(.*?tile\.shared_bytes = (\d+)")
    return {name: int(count) for name, count in pattern.findall(module)}


def compile_to(spec, device, stage):
    result = run(["attn-compile", spec, f"--target=cuda:{device}", f"--emit={stage}",
                  "-o", "-"])
    if result.returncode:
        raise Refused(re.sub(r"^attn-compile: error: \S+ ", "", result.stderr.strip()))
    return result.stdout


def schedules(spec, device):
    text = compile_to(spec, device, "attn")
    found = re.findall(r"schedule\(<block_q = (\d+), block_k = (\d+)", text)
    return ", ".join(dict.fromkeys(f"{q} x {k}" for q, k in found))


def rows(spec, devices):
    """Table rows of one spec, what is wrong with its kernels, and refusals."""
    found, shared, chosen, wrong, refusals = {}, {}, {}, [], []
    for device in devices:
        found[device] = {}
        try:
            ptx = compile_to(spec, device, "ptx")
        except Refused as refused:
            refusals.append(f"{spec.stem} for {device}: {refused}")
            continue
        if "__nv_" in ptx:
            wrong.append(f"{spec.stem} for {device}: names a function of libdevice")
        with tempfile.NamedTemporaryFile("w", suffix=".ptx") as file:
            file.write(ptx)
            file.flush()
            found[device] = kernels(file.name, device)
        shared[device] = shared_bytes(compile_to(spec, device, "llvm"))
        chosen[device] = schedules(spec, device)
        for name, (_, spilled, stack) in found[device].items():
            if spilled or stack or ".local" in ptx:
                wrong.append(f"{name} for {device}: {spilled} bytes spilled, "
                             f"{stack} bytes of stack")

    def each(name, value_for):
        values = [str(value_for(d)) if name in found[d] else "-" for d in devices]
        return values[0] if len(set(values)) == 1 else " / ".join(values)

    def row_of(name):
        cells = [spec.stem, name, each(name, lambda d: chosen[d]),
                 each(name, lambda d: shared[d].get(name, 0)),
                 each(name, lambda d: found[d][name][0])]
        return f"| {' | '.join(cells)} |"

    names = sorted(set().union(*found.values()))
    table = [row_of(name) for name in names] or [f"| {spec.stem} | - | - | - | - |"]
    return table, wrong, refusals


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--output")
    parser.add_argument("--devices", default=",".join(DEVICES))
    parser.add_argument("specs", nargs="*", type=pathlib.Path)
    options = parser.parse_args()
    devices = options.devices.split(",")
    specs = options.specs or sorted((ROOT / "variants/softmax").glob("*.mlir"))
    version = re.search(r"release ([\d.]+)", run(["ptxas", "--version"]).stdout)[1]
    text, problems, refusals = "", [], []
    for spec in specs:
        table, wrong, refused = rows(spec, devices)
        refusals += refused
        text += "\n".join(table) + "\n"
        problems += wrong
        print("\n".join(table), flush=True)
    verdict = "those that do stand at the end" if problems else "none does"
    text = HEADER.format(version=version, devices=" / ".join(devices), verdict=verdict) + text
    for title, lines in (("Refused", refusals), ("Spilled", problems)):
        if lines:
            text += f"\n{title}:\n\n" + "".join(f"- {line}\n" for line in lines)
    if options.output:
        pathlib.Path(options.output).write_text(text)
    print("\n".join(refusals + problems), file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
