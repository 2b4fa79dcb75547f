#!/usr/bin/env python3
#===- gpu_resources.py - What ptxas says of the kernels --------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===------------------------------------------------------------------------===#
"""Compiles the catalogues for NVIDIA devices and tabulates what ptxas reports.

  gpu_resources.py [--output=FILE] [--devices=sm_80,...] [--dtype=bf16]
                   [--features=64,96,...] [--jobs=2] [SPEC...]

Needs attn-compile and ptxas on the PATH; with nvdisasm there, or named by
ATTN_NVDISASM, it counts instructions of main loops. With --features, the SPECs
are compiled for each of these instead of 64 features per head; without SPECs,
some of the softmax catalogue are, besides all specs as they are. Exits 1 if a
kernel spills, uses local memory or the stack, or if its PTX names a function of
libdevice.
"""

import argparse
import concurrent.futures
import dataclasses
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import gpu_code

DEVICES = ["sm_80", "sm_86", "sm_89", "sm_90"]
CATALOGUES = ["softmax", "local", "linear"]
# What --features compiles of the softmax catalogue.
OF_EACH_WIDTH = ["dense", "causal", "rope-causal"]
ROOT = pathlib.Path(__file__).resolve().parent.parent

HEADER = """# Registers and shared memory of GPU kernels in {dtype}

What `ptxas` {version} says of {what} with default schedules, made by

<!-- not run -->
```sh
bench/gpu_resources.py {command}
```

The script fails if a kernel spills registers, uses local memory or the stack, or names a function
of libdevice (`__nv_`): {verdict}.

- Kernels of a function are numbered: with softmax, `FUNCTION_0` and `FUNCTION_1` are those for up
  to 16 queries (the parts, and their merge), the last one that for more.
- Shared memory is what a launch asks for, in bytes; registers are per thread.
- Several numbers in a cell are those of {devices}; one number is that of all.
- Blocks are those that registers, shared memory and threads leave room for on a multiprocessor, and
  occupancy is their warps of the most that it has: the theoretical occupancy.
- {matrices}
- A dash stands for a device for which the compiler refuses the spec; the reasons are at the end.

| spec | kernel | block_q x block_k | shared memory | registers | blocks | occupancy, % | HMMA |
|---|---|---|---|---|---|---|---|
"""
COUNTED = """HMMA is matrix instructions of all instructions in the first loop that has some, the one over
  keys or chunks, as disassembled, code for views that are not aligned included."""
NOT_COUNTED = """No disassembler was there: HMMA is the number of `mma.sync` in the PTX of the kernel."""


class Refused(Exception):
    """The compiler's message."""


def run(command, **options):
    return subprocess.run(command, text=True, capture_output=True, **options)


def find_disassembler():
    return os.environ.get("ATTN_NVDISASM") or shutil.which("nvdisasm")


@dataclasses.dataclass
class Kernel:
    """What a kernel takes of a device."""

    registers: int
    stack: int
    spilled: int
    shared: int = 0
    threads: int = 128
    matrix: str = "0"
    schedules: str = ""

    def blocks(self, device):
        return gpu_code.blocks_per_multiprocessor(
            device, self.registers, self.shared, self.threads)

    def occupancy(self, device):
        threads = self.blocks(device) * self.threads
        return f"{100 * threads / gpu_code.MULTIPROCESSORS[device].threads:.3g}"


REPORT = re.compile(
    r"Compiling entry function '(\w+)'.*?(\d+) bytes stack frame, "
    r"(\d+) bytes spill stores, (\d+) bytes spill loads.*?Used (\d+) registers", re.S)


def assemble(ptx, device, cubin):
    """name -> Kernel, as ptxas reports them."""
    result = run(["ptxas", "-v", f"-arch={device}", ptx, "-o", cubin])
    if result.returncode:
        sys.exit(f"ptxas: {result.stdout}{result.stderr}")
    found = REPORT.findall(result.stdout + result.stderr)
    return {name: Kernel(int(registers), int(stack), int(stores) + int(loads))
            for name, stack, stores, loads, registers in found}


def matrices(ptx, cubin):
    """name -> what the last column says."""
    tool = find_disassembler()
    if not tool:
        return {name: str(n) for name, n in gpu_code.matrix_count(ptx).items()}
    result = run([tool, "-c", cubin])
    if result.returncode:
        sys.exit(f"{tool}: {result.stderr}")
    return {name: f"{count} of {all}"
            for name, (count, all) in gpu_code.matrix_share(result.stdout).items()}


def schedules_of(text):
    found = re.findall(r"schedule\(<block_q = (\d+), block_k = (\d+)", text)
    return ", ".join(dict.fromkeys(f"{q} x {k}" for q, k in found))


class Spec:
    """A spec in an element type."""

    def __init__(self, path, dtype, label):
        self.path, self.dtype, self.label = path, dtype, label

    def compile_to(self, folder, device):
        """Leaves the IR after each phase and the PTX in `folder`."""
        result = run(["attn-compile", self.path, f"--target=cuda:{device}",
                      "--emit=ptx", f"--dtype={self.dtype}",
                      f"--dump-phases={folder}", "-o", folder / "code.ptx"])
        if result.returncode:
            message = result.stderr.strip()
            raise Refused(re.sub(r"^attn-compile: error: \S+ ", "", message))

    def measure(self, device):
        """name -> Kernel, and what is wrong with the PTX."""
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            self.compile_to(folder, device)
            ptx = (folder / "code.ptx").read_text()
            kernels = assemble(folder / "code.ptx", device, folder / "cubin")
            shares = matrices(ptx, folder / "cubin")
            chosen, = folder.glob("*-select-schedule.mlir")
            schedules = schedules_of(chosen.read_text())
            placed, = folder.glob("*-to-nvvm.mlir")
            shared = dict(re.findall(
                r"llvm\.func @(\w+)\(.*?tile\.shared_bytes = (\d+)", placed.read_text()))
        threads = dict(re.findall(r"\.entry (\w+)\(.*?\n\.maxntid (\d+)", ptx, re.S))
        for name, kernel in kernels.items():
            kernel.shared = int(shared.get(name, 0))
            kernel.threads = int(threads[name])
            kernel.matrix = shares.get(name, "0")
            kernel.schedules = schedules
        return kernels, self.find_problems(device, kernels, ptx)

    def find_problems(self, device, kernels, ptx):
        problems = []
        if "__nv_" in ptx:
            problems.append(f"{self.label} for {device}: names a function of libdevice")
        if ".local" in ptx:
            problems.append(f"{self.label} for {device}: uses local memory")
        for name, kernel in sorted(kernels.items()):
            if kernel.spilled or kernel.stack:
                problems.append(
                    f"{self.label}: {name} for {device}: {kernel.spilled} bytes spilled, "
                    f"{kernel.stack} bytes of stack")
        return problems


def widen(text, features):
    """A spec of 64 features with so many: its numbers of them, or of half."""
    return re.sub(r"(?<=[x<\[ ])(64|32)(?=[x\]])",
                  lambda found: str(int(found[1]) * features // 64), text)


def of_widths(paths, dtype, features, folder):
    """Specs with other numbers of features than theirs."""
    for path in paths:
        for count in features.split(","):
            changed = pathlib.Path(folder) / f"{path.stem}-{count}.mlir"
            changed.write_text(widen(path.read_text(), int(count)))
            yield Spec(changed, dtype, f"{path.stem}, D = {count}")


def specs_of(options, folder):
    """The specs to compile."""
    paths, dtype, features = options.specs, options.dtype, options.features
    if paths and features:
        return list(of_widths(paths, dtype, features, folder))
    if paths:
        return [Spec(path, dtype, path.stem) for path in paths]
    variants = ROOT / "variants"
    specs = [Spec(path, dtype, path.stem) for catalogue in CATALOGUES
             for path in sorted((variants / catalogue).glob("*.mlir"))]
    if features:
        wide = [variants / f"softmax/{name}.mlir" for name in OF_EACH_WIDTH]
        specs += of_widths(wide, dtype, features, folder)
    return specs


def rows(spec, found):
    """Table rows of one spec; `found` is device -> name -> Kernel."""
    def each(name, value_for):
        values = [str(value_for(device, kernels[name])) if name in kernels else "-"
                  for device, kernels in found.items()]
        return values[0] if len(set(values)) == 1 else " / ".join(values)

    def row_of(name):
        cells = [spec.label, name, each(name, lambda _, kernel: kernel.schedules),
                 each(name, lambda _, kernel: kernel.shared),
                 each(name, lambda _, kernel: kernel.registers),
                 each(name, lambda device, kernel: kernel.blocks(device)),
                 each(name, lambda device, kernel: kernel.occupancy(device)),
                 each(name, lambda _, kernel: kernel.matrix)]
        return f"| {' | '.join(cells)} |"

    names = sorted(set().union(*found.values()))
    return [row_of(name) for name in names] or [f"| {spec.label} |" + " - |" * 7]


def tabulate(specs, devices, jobs):
    """The table, what is wrong with kernels, and refusals."""
    table, problems, refusals = [], [], []
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        running = [[pool.submit(spec.measure, device) for device in devices]
                   for spec in specs]
        for spec, futures in zip(specs, running):
            found = {}
            for device, future in zip(devices, futures):
                try:
                    found[device], wrong = future.result()
                    problems += wrong
                except Refused as refused:
                    found[device] = {}
                    refusals.append(f"{spec.label} for {device}: {refused}")
            table += rows(spec, found)
            print("\n".join(rows(spec, found)), flush=True)
    return "\n".join(table) + "\n", problems, refusals


def describe(options):
    if options.specs:
        return ", ".join(path.stem for path in options.specs)
    what = f"every kernel of the {', '.join(CATALOGUES[:-1])} and {CATALOGUES[-1]} catalogues"
    if options.features:
        what += (f", and of {', '.join(OF_EACH_WIDTH)} with "
                 f"{options.features.replace(',', ', ')} features")
    return what


def make_header(options, problems):
    version = re.search(r"release ([\d.]+)", run(["ptxas", "--version"]).stdout)[1]
    return HEADER.format(
        dtype=options.dtype, what=describe(options), command=" ".join(sys.argv[1:]),
        version=version, devices=", ".join(options.devices.split(",")),
        verdict="those that do stand at the end" if problems else "none does",
        matrices=COUNTED if find_disassembler() else NOT_COUNTED)


def parse_options():
    parser = argparse.ArgumentParser()
    parser.add_argument("--output")
    parser.add_argument("--devices", default=",".join(DEVICES))
    parser.add_argument("--dtype", default="f32", choices=["f32", "f16", "bf16"])
    parser.add_argument("--features", help="numbers of features, besides 64")
    parser.add_argument("--jobs", type=int, default=1, help="compilations at a time")
    parser.add_argument("specs", nargs="*", type=pathlib.Path)
    return parser.parse_args()


def main():
    options = parse_options()
    with tempfile.TemporaryDirectory() as folder:
        table, problems, refusals = tabulate(
            specs_of(options, folder), options.devices.split(","), options.jobs)
    text = make_header(options, problems) + table
    for title, lines in (("Refused", refusals), ("Spilled", problems)):
        if lines:
            text += f"\n{title}:\n\n" + "".join(f"- {line}\n" for line in lines)
    if options.output:
        pathlib.Path(options.output).write_text(text)
    print("\n".join(refusals + problems), file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
