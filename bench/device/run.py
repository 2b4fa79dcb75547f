#!/usr/bin/env python3
#===- run.py - Verify and time packaged kernels on a GPU -------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Runs what bench/device/pack.py made on the machine that has a GPU: compares all
kernels with their oracles, then times some beside what PyTorch has.

  python3 PACK/bench/device/run.py --out=results/gpu [--budget=SECONDS]

Writes OUT.md and OUT.json while it runs, and ends with a summary. docs/device.md
tells more. Exits 1 if anything failed.
"""

import argparse
from concurrent.futures import ThreadPoolExecutor
import datetime
import importlib.metadata
import os
import pathlib
import platform
import subprocess
import sys
import tempfile
import threading
import time

import paths
import plan
import report
import workers

# Seconds after which a worker that says nothing is stuck.
VERIFY_SILENCE, TIME_SILENCE = 60, 120


class Run:
    """The records so far, and when to stop."""

    def __init__(self, options):
        self.start = time.time()
        self.deadline = self.start + options.budget if options.budget else None
        self.verified, self.timed, self.left_out = [], [], []
        self._options, self._lock = options, threading.Lock()
        self._machine, self._written = describe_machine(options), 0.0

    def take(self, outcomes):
        """A function that keeps records in `outcomes`."""
        def keep(case, record):
            with self._lock:
                outcomes.append((case, record))
                if time.time() > self._written + 5:
                    self.write()
        return keep

    def leave_out(self, cases, outcomes):
        done = {plan.get_case_name(case) for case, _ in outcomes}
        names = map(plan.get_case_name, cases)
        self.left_out += [name for name in names if name not in done]

    def get_data(self):
        return {"machine": self._machine, "seconds": time.time() - self.start,
                "verified": self.verified, "timed": self.timed, "left_out": self.left_out}

    def write(self):
        if self._options.out:
            report.write(self.get_data(), self._options.out)
        self._written = time.time()


def describe_exponentials():
    """What exponentials.py says, in a process of its own."""
    script = pathlib.Path(__file__).with_name("exponentials.py")
    try:
        done = subprocess.run([sys.executable, script], capture_output=True, text=True,
                              timeout=60)
    except subprocess.TimeoutExpired:
        return "no answer"
    return "; ".join((done.stdout + done.stderr).strip().splitlines()[-2:])


def describe_machine(options):
    from attn_runtime import RuntimeFailure
    from memory import describe_gpu
    machine = {"name": "cpu"}
    if options.device == "cuda":
        try:
            machine = describe_gpu()
        except RuntimeFailure as failure:
            machine = {"name": str(failure)}
    try:
        done = subprocess.run(["nvidia-smi", "--query-gpu=driver_version,clocks.max.sm,"
                               "power.limit", "--format=csv,noheader"],
                              capture_output=True, text=True, timeout=20)
        machine["nvidia-smi"] = done.stdout.strip().splitlines()[0]
    except (OSError, IndexError, subprocess.TimeoutExpired):
        pass
    try:
        torch = importlib.metadata.version("torch")
    except importlib.metadata.PackageNotFoundError:
        torch = "not installed"
    if options.device == "cuda" and not options.dry_run:
        machine["exponentials"] = describe_exponentials()
    return {**machine, "torch": torch, "python": platform.python_version(),
            "date": datetime.datetime.now().isoformat(timespec="minutes"),
            "command": " ".join(sys.argv)}


#===-----------------------------------------------------------------------===#
# Verification
#===-----------------------------------------------------------------------===#


def list_variants(options):
    """variant -> cases, of what is in the pack; those with most work first."""
    import catalogue
    cases = {}
    for path in sorted((options.pack / "packages").glob("*.attn.gz")):
        name, _, dtype = path.name.removesuffix(".attn.gz").rpartition("-")
        if name in catalogue.VARIANTS and dtype in options.dtype:
            wanted = argparse.Namespace(dtype=[dtype], n=options.n, batch=2, heads=None,
                                        constants={})
            cases.setdefault(name, []).extend(
                {"variant": name, "dtype": dtype, "dims": list(case.dims)}
                for case in catalogue.cases_of(name, wanted))
    for name in cases:
        cases[name] = [case for case in cases[name] if is_wanted(options, case)]
    return dict(sorted(cases.items(), key=lambda item: -len(item[1])))


def is_wanted(options, case):
    is_probe = case.get("kind") == "probe"
    return is_probe or not options.filter or options.filter in plan.get_case_name(case)


def verify(run, options):
    # Workers must not all use all cores.
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
    variants = list_variants(options)
    arguments = [str(options.pack), options.device] + ["--dry-run"] * options.dry_run

    def verify_variant(cases):
        workers.run_cases(workers.get_script("verify.py"), arguments, cases, run.deadline,
                          VERIFY_SILENCE, run.take(run.verified))

    with ThreadPoolExecutor(options.jobs) as executor:
        list(executor.map(verify_variant, variants.values()))
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        del os.environ[name]
    run.leave_out([case for cases in variants.values() for case in cases], run.verified)


#===-----------------------------------------------------------------------===#
# Times
#===-----------------------------------------------------------------------===#


def compile_ahead(run, options, cases):
    """Loads the packages of cases in several processes. Drivers keep what they
    compile in a cache on disk, and compiling one after the other takes long."""
    packages = {(plan.get_timed_name(case["spec"], case["features"], schedule), case["dtype"]): None
                for case in cases if case["kind"] != "probe"
                for schedule in ["", *plan.get_schedules(case["spec"], case["dtype"],
                                                         case["features"])]}

    def load(package):
        workers.run_cases(workers.get_script("verify.py"), [str(options.pack), options.device],
                          [{"load": package}], run.deadline, VERIFY_SILENCE,
                          lambda case, record: None)

    with ThreadPoolExecutor(options.jobs) as executor:
        list(executor.map(load, packages))


def measure(run, options):
    cases = [case for case in plan.list_timed(options.lengths, options.timed_dtypes)
             if is_wanted(options, case)]
    arguments = [str(options.pack), options.device, f"--samples={options.samples}",
                 f"--torch-device={options.torch_device}"]
    arguments += ["--dry-run"] * options.dry_run + ["--without-torch"] * options.without_torch
    compile_ahead(run, options, cases)
    deadline = run.deadline
    if options.time_budget:
        own = time.time() + options.time_budget
        deadline = min(own, deadline) if deadline else own
    workers.run_cases(workers.get_script("timing.py"), arguments, cases, deadline,
                      TIME_SILENCE, run.take(run.timed))
    run.leave_out(cases, run.timed)


#===-----------------------------------------------------------------------===#
# Options
#===-----------------------------------------------------------------------===#


def split_ints(text):
    return [int(part) for part in text.split(",")]


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    add = parser.add_argument
    add("--pack", type=pathlib.Path, metavar="DIR",
        help="what pack.py made (default: the folder that this file is in)")
    add("--out", type=pathlib.Path, metavar="OUT", help="write OUT.md and OUT.json")
    add("--verify-only", action="store_true")
    add("--time-only", action="store_true")
    add("--budget", type=float, metavar="SECONDS",
        help="start nothing new after this time; what is left out is listed")
    add("--time-budget", type=float, metavar="SECONDS", help="the same for the times alone")
    add("--filter", metavar="TEXT", help="only cases whose name has it: 'causal bf16'")
    add("--dtype", type=lambda text: text.split(","), default=["f32", "f16", "bf16"],
        metavar="LIST", help="element types to verify")
    add("--n", type=split_ints, default=[1, 63, 65, 127, 300, 1000], metavar="LIST",
        help="numbers of tokens to verify")
    add("--lengths", type=split_ints, default=list(plan.LENGTHS), metavar="LIST",
        help="numbers of tokens to time")
    add("--timed-dtypes", type=lambda text: text.split(","), default=list(plan.TYPES),
        metavar="LIST", help="element types to time")
    add("--samples", type=int, default=20, help="samples of each time")
    add("--jobs", type=int, default=max(1, min(12, (os.cpu_count() or 1) * 3 // 4)),
        help="verifying processes at a time")
    add("--dry-run", action="store_true",
        help="compare no numbers: for a driver that computes nothing")
    add("--device", choices=("cuda", "cpu"), default="cuda",
        help="cpu: run the code for the CPU that a pack may have, to try this script")
    add("--without-torch", action="store_true", help="as if PyTorch were not there")
    add("--torch-device", default="cuda", help="where PyTorch has its tensors, for dry runs")
    options = parser.parse_args()
    if options.pack is None:
        options.pack = paths.ROOT
    options.pack = options.pack.resolve()
    if not (options.pack / "packages").is_dir():
        parser.error(f"argument --pack: '{options.pack}' has no packages; "
                     "make some with bench/device/pack.py")
    return options


def main():
    options = parse_options()
    # Drivers keep what they compile there, where it can be written.
    os.environ.setdefault("CUDA_CACHE_PATH",
                          os.path.join(tempfile.gettempdir(), "attn-cuda-cache"))
    run = Run(options)
    if not options.time_only:
        verify(run, options)
    if not options.verify_only:
        measure(run, options)
    run.write()
    outcomes = run.verified + run.timed
    print("\n".join(report.summarize(run.get_data())), flush=True)
    if not outcomes:
        sys.exit("run.py: error: no case was run")
    return 0 if all(record["passed"] for _, record in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
