#!/usr/bin/env python3
#===- pack.py - Make a folder that is run on a machine with a GPU ----------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Compiles the catalogue into packages and puts them into one folder with the
runtime, the oracles and the scripts that verify and time them elsewhere.

  bench/device/pack.py --out=build/device [--check]

The folder needs Python and NumPy there, and PyTorch for peers; see
docs/device.md. What is up to date is not compiled again.
"""

import argparse
from concurrent.futures import ThreadPoolExecutor
import filecmp
import gzip
import itertools
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile
from typing import NamedTuple

import paths
import plan

ROOT = paths.ROOT
FORMAT_PTX = 2


class Refused(Exception):
    """What the compiler or the assembler says."""


def run_tool(command, **options):
    done = subprocess.run(command, capture_output=True, text=True, **options)
    if done.returncode:
        raise Refused((done.stderr or done.stdout).strip())
    return done.stdout


#===-----------------------------------------------------------------------===#
# Packages
#===-----------------------------------------------------------------------===#


class Item(NamedTuple):
    """A package: its name, element type, text of the spec, and schedule."""

    name: str
    dtype: str
    text: str
    schedule: str = ""


def list_packages(options):
    """Every package that is asked for."""
    return [item for item in list_all(options)
            if not options.filter or options.filter in item.name]


def list_all(options):
    for family, dtypes in (("softmax", options.dtype), ("local", options.dtype),
                           ("linear", options.linear_dtype)):
        for path in sorted((options.variants / family).glob("*.mlir")):
            for dtype in dtypes:
                yield Item(path.stem, dtype, path.read_text())
    if options.without_timing:
        return
    for name in plan.SPECS:
        path = options.variants / "softmax" / f"{name}.mlir"
        for dtype, features in itertools.product(options.dtype, plan.FEATURES):
            text = plan.rewrite_spec(name, path.read_text(), features)
            yield from list_timed(name, dtype, features, text)
    for name, file in plan.LINEAR_SPECS.items():
        path = options.variants / "linear" / f"{file}.mlir"
        text = plan.rewrite_recurrence(name, path.read_text(), plan.LINEAR_FEATURES)
        for dtype in plan.LINEAR_TYPES:
            yield from list_timed(name, dtype, plan.LINEAR_FEATURES, text)


def list_timed(name, dtype, features, text):
    """The packages of a spec that is timed, one for each schedule."""
    for schedule in ["", *plan.get_schedules(name, dtype, features)]:
        yield Item(plan.get_timed_name(name, features, schedule), dtype, text,
                   plan.SCHEDULES.get(schedule, ""))


def compile_package(options, item):
    """Compiles one package unless the same text has been; gives its path."""
    name, dtype, text, schedule = item
    if schedule:
        text = f"// Schedule: {schedule}\n{text}"
    path = paths.get_package_path(options.out, name, dtype)
    source = path.with_name(f"{name}-{dtype}.mlir")
    compiler = options.build / "bin" / "attn-compile"
    if (path.exists() and source.exists() and source.read_text() == text
            and path.stat().st_mtime > compiler.stat().st_mtime):
        return path
    path.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        package = pathlib.Path(folder) / "package.attn"
        run_tool([compiler, "-", f"--dtype={dtype}", f"--target={options.targets}",
                  "--emit=package", "-o", package]
                 + [f"--schedule={schedule}"] * bool(schedule), input=text)
        compressed = gzip.compress(package.read_bytes(), mtime=0)
    source.write_text(text)
    part = path.with_suffix(".part")
    part.write_bytes(compressed)
    part.rename(path)
    return path


def read_ptx(path):
    """(target, text) of the sections of a package with PTX."""
    data = gzip.decompress(path.read_bytes())
    count, width = struct.unpack_from("<II", data, 48)
    for index in range(count):
        target, _, kind, _, offset, size = struct.unpack_from(
            "<32s40sIIQQ", data, 64 + width * index)
        if kind == FORMAT_PTX:
            yield target.rstrip(b"\0").decode(), data[offset:offset + size]


def assemble(options, path):
    """Runs ptxas on the PTX that the device will choose."""
    marker = path.with_suffix(".checked")
    if marker.exists() and marker.stat().st_mtime > path.stat().st_mtime:
        return
    architecture = f"sm_{options.check}"
    made = {int(re.search(r"sm_(\d+)$", target)[1]): text for target, text in read_ptx(path)
            if re.search(r"sm_(\d+)$", target)}
    fitting = [number for number in made if number <= options.check]
    if not fitting:
        raise Refused(f"{path.name} has no PTX for {architecture}")
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder) / "kernel.ptx"
        source.write_bytes(made[max(fitting)])
        run_tool(["ptxas", f"-arch={architecture}", source, "-o", "/dev/null"])
    marker.touch()


def make_package(options, item):
    """What is wrong with a package, in words, or None."""
    try:
        path = compile_package(options, item)
        if options.check:
            assemble(options, path)
    except Refused as refused:
        return f"{item.name} {item.dtype}: {str(refused).splitlines()[0]}"
    return None


#===-----------------------------------------------------------------------===#
# What else is in the folder
#===-----------------------------------------------------------------------===#


def copy_file(source, target):
    """Copies a file that somebody may be running: it is replaced, not overwritten."""
    if target.exists() and filecmp.cmp(source, target, shallow=False):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    shutil.copy2(source, part)
    part.rename(target)


def copy_sources(out):
    for pattern in paths.SOURCES:
        for path in sorted(ROOT.glob(pattern)):
            copy_file(path, out / path.relative_to(ROOT))


def copy_libraries(options):
    """libattn, and oneTBB, which other machines may not have."""
    folder = options.out / "lib"
    library = options.build / "lib" / "libattn.so.1"
    copy_file(library.resolve(), folder / library.name)
    found = re.search(r"libtbb\.so\S* => (\S+)", run_tool(["ldd", library]))
    if found:
        copy_file(os.path.realpath(found[1]), folder / pathlib.Path(found[1]).name)


def get_size(out):
    return sum(path.stat().st_size for path in out.rglob("*") if path.is_file())


def remove_stale(options, items):
    """Packages of specs that are no longer packed."""
    expected = {f"{item.name}-{item.dtype}" for item in items}
    for path in (options.out / "packages").iterdir():
        if path.name.split(".")[0] not in expected:
            path.unlink()


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "build" / "device",
                        metavar="DIR", help="the folder (default: build/device)")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build", metavar="DIR")
    parser.add_argument("--variants", type=pathlib.Path, default=ROOT / "variants",
                        metavar="DIR", help="the folder of the catalogue")
    parser.add_argument("--targets", default="cuda:sm_80,cuda:sm_90", metavar="LIST")
    parser.add_argument("--dtype", type=lambda text: text.split(","),
                        default=["f32", "f16", "bf16"], metavar="LIST")
    parser.add_argument("--linear-dtype", type=lambda text: [t for t in text.split(",") if t],
                        default=["f32"], metavar="LIST",
                        help="element types of recurrences (default: f32)")
    parser.add_argument("--filter", metavar="TEXT", help="only packages whose name has it")
    parser.add_argument("--without-timing", action="store_true",
                        help="leave out what is only timed")
    parser.add_argument("--check", nargs="?", const=90, type=int, metavar="NN",
                        help="assemble the PTX for sm_NN with ptxas (default: 90)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    return parser.parse_args()


def main():
    options = parse_options()
    (options.out / "packages").mkdir(parents=True, exist_ok=True)
    items = list_packages(options)
    if not items:
        sys.exit(f"pack.py: error: no package of '{options.variants}' has "
                 f"'{options.filter}' in its name")
    copy_sources(options.out)
    copy_libraries(options)
    if not options.filter:
        remove_stale(options, items)
    with ThreadPoolExecutor(options.jobs) as executor:
        problems = list(filter(None, executor.map(
            lambda item: make_package(options, item), items)))
    for problem in problems:
        print(f"refused: {problem}")
    print(f"{len(items) - len(problems)} packages, {len(problems)} refused, "
          f"{get_size(options.out) / 2**20:.1f} MiB in {options.out}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
