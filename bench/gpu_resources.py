#!/usr/bin/env python3
#===- gpu_resources.py - What ptxas says of the kernels --------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===------------------------------------------------------------------------===#
"""Compiles the catalogue for NVIDIA devices and tabulates what ptxas reports.

  gpu_resources.py [--output=FILE] [--devices=sm_80,...] [--dtype=bf16]
                   [--features=64,96,...] [SPEC...]

Needs attn-compile and ptxas on the PATH; with nvdisasm there, or named by
ATTN_NVDISASM, it counts instructions of main loops. With --features, specs are
compiled for each of these instead of 64 features per head. Exits 1 if a kernel
spills, uses local memory or the stack, or if its PTX names a function of
libdevice.
"""

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import gpu_code

DEVICES = ["sm_80", "sm_86", "sm_89", "sm_90"]
ROOT = pathlib.Path(__file__).resolve().parent.parent

HEADER = """# Registers and shared memory of GPU kernels{title}

What `ptxas` {version} says of {what}, made by

<!-- not run -->
```sh
bench/gpu_resources.py {command}
```

The script fails if a kernel spills registers, uses local memory or the stack, or names a function
of libdevice (`__nv_`): {verdict}. `FUNCTION_0` and
`FUNCTION_1` are the kernels for up to 16 queries (the parts, and their merge), the last one of a
function that for more. Shared memory is what a launch asks for, in bytes. Registers are per thread, for {devices}; a block has 128 threads.
Blocks are those that registers, shared memory and threads leave room for on a multiprocessor. {matrices}
A dash stands for a device for which the compiler refuses the spec; the reasons are at the end.

| spec | kernel | block_q x block_k | shared memory | registers | blocks | HMMA |
|---|---|---|---|---|---|---|
"""
COUNTED = """HMMA is matrix
instructions of all instructions in the first loop over keys, as disassembled, code for views that are not aligned included."""
NOT_COUNTED = """No
disassembler was there: HMMA is the number of `mma.sync` in the PTX of the kernel."""


class Refused(Exception):
    """The compiler's message."""


def run(command, **options):
    return subprocess.run(command, text=True, capture_output=True, **options)


def find_disassembler():
    return os.environ.get("ATTN_NVDISASM") or shutil.which("nvdisasm")


def kernels(ptx_path, device, cubin):
    """name -> (registers, spilled bytes, stack bytes) of the kernels."""
    result = run(["ptxas", "-v", f"-arch={device}", ptx_path, "-o", cubin])
    if result.returncode:
        sys.exit(f"ptxas: {result.stdout}{result.stderr}")
    text = result.stdout + result.stderr
    pattern = re.compile(
        r"Compiling entry function '(\w+)'.*?(\d+) bytes stack frame, "
        r"(\d+) bytes spill stores, (\d+) bytes spill loads.*?Used (\d+) registers",
        re.S)
    return {name: (int(registers), int(stores) + int(loads), int(stack))
            for name, stack, stores, loads, registers in pattern.findall(text)}


def matrices(ptx, cubin):
    """name -> what the last column says."""
    tool = find_disassembler()
    if not tool:
        return gpu_code.matrix_count(ptx)
    result = run([tool, "-c", cubin])
    if result.returncode:
        sys.exit(f"{tool}: {result.stderr}")
    return {name: f"{count} of {all}"
            for name, (count, all) in gpu_code.matrix_share(result.stdout).items()}


def shared_bytes(module):
    """name -> bytes of dynamic shared memory."""
    pattern = re.compile(r"llvm\.func @(\w+)\(.*?tile\.shared_bytes = (\d+)")
    return {name: int(count) for name, count in pattern.findall(module)}


class Spec:
    """A spec in an element type."""

    def __init__(self, path, dtype, label):
        self.path, self.dtype, self.label = path, dtype, label

    def compile_to(self, device, stage):
        result = run(["attn-compile", self.path, f"--target=cuda:{device}",
                      f"--emit={stage}", f"--dtype={self.dtype}", "-o", "-"])
        if result.returncode:
            message = result.stderr.strip()
            raise Refused(re.sub(r"^attn-compile: error: \S+ ", "", message))
        return result.stdout

    def schedules(self, device):
        text = self.compile_to(device, "attn")
        found = re.findall(r"schedule\(<block_q = (\d+), block_k = (\d+)", text)
        return ", ".join(dict.fromkeys(f"{q} x {k}" for q, k in found))


def specs_of(paths, dtype, features, folder):
    """The specs to compile: as they are, or with other numbers of features."""
    if not features:
        return [Spec(path, dtype, path.stem) for path in paths]
    specs = []
    for path in paths:
        for count in features.split(","):
            changed = pathlib.Path(folder) / f"{path.stem}-{count}.mlir"
            changed.write_text(path.read_text().replace("x64xf32", f"x{count}xf32"))
            specs.append(Spec(changed, dtype, f"{path.stem}, D = {count}"))
    return specs


def rows(spec, devices):
    """Table rows of one spec, what is wrong with its kernels, and refusals."""
    found, shared, chosen, counts = {}, {}, {}, {}
    wrong, refusals = [], []
    for device in devices:
        found[device] = {}
        try:
            ptx = spec.compile_to(device, "ptx")
        except Refused as refused:
            refusals.append(f"{spec.label} for {device}: {refused}")
            continue
        if "__nv_" in ptx:
            wrong.append(f"{spec.label} for {device}: names a function of libdevice")
        with tempfile.TemporaryDirectory() as folder:
            file, cubin = (pathlib.Path(folder) / name for name in ("ptx", "cubin"))
            file.write_text(ptx)
            found[device] = kernels(file, device, cubin)
            counts[device] = matrices(ptx, cubin)
        shared[device] = shared_bytes(spec.compile_to(device, "llvm"))
        chosen[device] = spec.schedules(device)
        for name, (_, spilled, stack) in found[device].items():
            if spilled or stack or ".local" in ptx:
                wrong.append(f"{spec.label}: {name} for {device}: {spilled} bytes spilled, "
                             f"{stack} bytes of stack")

    def each(name, value_for):
        values = [str(value_for(d)) if name in found[d] else "-" for d in devices]
        return values[0] if len(set(values)) == 1 else " / ".join(values)

    def row_of(name):
        cells = [spec.label, name, each(name, lambda d: chosen[d]),
                 each(name, lambda d: shared[d].get(name, 0)),
                 each(name, lambda d: found[d][name][0]),
                 each(name, lambda d: gpu_code.blocks_per_multiprocessor(
                     d, found[d][name][0], shared[d].get(name, 0))),
                 each(name, lambda d: counts[d].get(name, 0))]
        return f"| {' | '.join(cells)} |"

    names = sorted(set().union(*found.values()))
    table = [row_of(name) for name in names] or [f"| {spec.label} |" + " - |" * 6]
    return table, wrong, refusals


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--output")
    parser.add_argument("--devices", default=",".join(DEVICES))
    parser.add_argument("--dtype", default="f32", choices=["f32", "f16", "bf16"])
    parser.add_argument("--features", help="numbers of features, instead of 64")
    parser.add_argument("specs", nargs="*", type=pathlib.Path)
    options = parser.parse_args()
    devices = options.devices.split(",")
    paths = options.specs or sorted((ROOT / "variants/softmax").glob("*.mlir"))
    version = re.search(r"release ([\d.]+)", run(["ptxas", "--version"]).stdout)[1]
    text, problems, refusals = "", [], []
    with tempfile.TemporaryDirectory() as folder:
        for spec in specs_of(paths, options.dtype, options.features, folder):
            table, wrong, refused = rows(spec, devices)
            refusals += refused
            text += "\n".join(table) + "\n"
            problems += wrong
            print("\n".join(table), flush=True)
    verdict = "those that do stand at the end" if problems else "none does"
    what = (f"{', '.join(path.stem for path in options.specs)}" if options.specs
            else "every kernel of the softmax catalogue") + f" in {options.dtype}"
    text = HEADER.format(
        title="" if options.dtype == "f32" else f" in {options.dtype}", what=what,
        command=" ".join(sys.argv[1:]), version=version, verdict=verdict,
        devices=" / ".join(devices),
        matrices=COUNTED if find_disassembler() else NOT_COUNTED) + text
    for title, lines in (("Refused", refusals), ("Spilled", problems)):
        if lines:
            text += f"\n{title}:\n\n" + "".join(f"- {line}\n" for line in lines)
    if options.output:
        pathlib.Path(options.output).write_text(text)
    print("\n".join(refusals + problems), file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
