#===- timing.py - Time packaged kernels and their peers on a GPU -----------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""The worker that times kernels, and what PyTorch has beside them if it is there.

  timing.py PACK DEVICE [--samples=N] < cases

All contenders get the same tensors and take turns, so that clocks that change
concern all of them. With PyTorch every result is compared with the formula in
float64 before anything is timed.
"""

import argparse
import contextlib
import dataclasses
import importlib.util
import math
import statistics
import sys

import numpy as np

import paths
import plan
import recurrences
from attn_runtime import Library, RuntimeFailure
from memory import open_device
from workers import FatalFailure, serve

# Several sets of tensors together are larger than the cache of a GPU.
SET_BYTES, MOST_SETS = 120e6, 4
# Calls of a sample take this long together, samples of a contender at most that.
SAMPLE_SECONDS, MOST_SECONDS = 4e-3, 2.0
# Where there is no compiler, each case would take seconds to say so.
MOST_FLEX_REFUSALS = 3


def get_shapes(case):
    """The sizes of q, k and v."""
    features = case["features"]
    if case["kind"] == "decode":
        keys = (plan.DECODE_BATCH, plan.DECODE_KEY_HEADS, case["length"], features)
        return [(plan.DECODE_BATCH, plan.DECODE_HEADS, 1, features), keys, keys]
    return [(plan.BATCH, plan.HEADS, case["length"], features)] * 3


def count_work(case):
    """Operations and bytes of a call."""
    if case["kind"] == "linear":
        return recurrences.count_work(case)
    shapes = get_shapes(case)
    batch, heads, _, features = shapes[0]
    pairs = (case["length"] if case["kind"] == "decode"
             else plan.count_pairs(case["spec"], case["length"]))
    moved = sum(math.prod(shape) for shape in [*shapes, shapes[0]])
    return 4 * batch * heads * pairs * features, moved * plan.ITEM_BYTES[case["dtype"]]


def count_sets(case):
    bytes_of_set = count_work(case)[1]
    return max(1, min(MOST_SETS, math.ceil(SET_BYTES / bytes_of_set)))


#===-----------------------------------------------------------------------===#
# Tensors
#===-----------------------------------------------------------------------===#


class DriverTensors:
    """Random tensors in memory of the driver, where there is no PyTorch."""

    def __init__(self, device):
        self._device, self._addresses = device, []

    def _allocate(self, shape, item_bytes):
        size = math.prod(shape) * item_bytes
        self._addresses.append(self._device.allocate(size))
        return self._addresses[-1], size

    def make_random(self, shape, dtype, is_gate=False):
        address, size = self._allocate(shape, plan.ITEM_BYTES[dtype])
        numbers = np.random.default_rng(1).standard_normal(1 << 16).astype(np.float32)
        if is_gate:
            numbers = recurrences.DECAY * abs(numbers)
        if dtype == "f16":
            numbers = numbers.astype(np.float16)
        elif dtype == "bf16":
            numbers = (numbers.view(np.uint32) >> 16).astype(np.uint16)
        for start in range(0, size, numbers.nbytes):
            part = numbers.view(np.uint8)[:size - start]
            self._device.write(address + start, part)
        return address, shape, None

    def make_empty(self, shape, dtype):
        return self._allocate(shape, plan.ITEM_BYTES[dtype])[0], shape, None

    def make_set(self, case):
        """Arguments and results of a call."""
        if case["kind"] == "linear":
            return ([self.make_random(x.shape, x.dtype, x.name == "g")
                     for x in recurrences.get_arguments(case)],
                    [self.make_empty(x.shape, x.dtype) for x in recurrences.get_results(case)])
        shapes = get_shapes(case)
        return ([self.make_random(shape, case["dtype"]) for shape in shapes],
                [self.make_empty(shapes[0], case["dtype"]),
                 self.make_empty(shapes[0][:3], "f32")])

    def free(self):
        for address in self._addresses:
            self._device.free(address)


def make_calls(kernel, sets, device):
    """A function that launches on one of the sets of views."""
    prepared = []
    for inputs, outputs in sets:
        arguments = kernel.take_arguments(inputs)
        prepared.append((arguments, kernel.take_results(outputs)))
    size = max(kernel.get_workspace_bytes(arguments) for arguments, _ in prepared)
    workspace = device.allocate(size) if size else None

    def call(index):
        arguments, results = prepared[index % len(prepared)]
        kernel.launch(arguments, results, workspace, size)

    def free():
        if workspace:
            device.free(workspace)

    return call, free


#===-----------------------------------------------------------------------===#
# Measuring
#===-----------------------------------------------------------------------===#


@dataclasses.dataclass(frozen=True)
class Ours:
    """Our kernel as a contender; see Peer in peers.py."""

    run: object
    context: object = contextlib.nullcontext


def plan_samples(device, contender, most_samples):
    """(samples, calls of each) for a contender, which this also warms up."""
    with contender.context():
        contender.run(0)
        device.synchronize()
        seconds = device.measure(contender.run, 2)
    count = max(1, min(200, int(SAMPLE_SECONDS / max(seconds, 1e-7))))
    samples = max(5, min(most_samples, int(MOST_SECONDS / max(seconds * count, 1e-7))))
    return samples, count


def take_sample(device, contender, count):
    with contender.context():
        if count > 1:  # A call before keeps the GPU busy while others are queued.
            contender.run(0)
        return device.measure(contender.run, count)


def time_in_turns(device, contenders, most_samples):
    """name -> seconds of a call in each sample."""
    plans = {name: plan_samples(device, contender, most_samples)
             for name, contender in contenders.items()}
    times = {name: [] for name in contenders}
    for turn in range(max(samples for samples, _ in plans.values())):
        for name, contender in contenders.items():
            samples, count = plans[name]
            if turn < samples:
                times[name].append(take_sample(device, contender, count))
    return times


def summarize(times, work):
    operations, moved = work
    median = statistics.median(times)
    return {"ms": median * 1e3, "best_ms": min(times) * 1e3, "worst_ms": max(times) * 1e3,
            "samples": len(times), "tflops": operations / median * 1e-12,
            "gb_s": moved / median * 1e-9}


#===-----------------------------------------------------------------------===#
# Cases
#===-----------------------------------------------------------------------===#


class Timer:
    """Runs cases on one device."""

    def __init__(self, options):
        self._options = options
        self._device = open_device(options.device)
        self._library = Library(paths.find_library(options.pack))
        self._kernels, self._peers = {}, None
        self._flex_refusals = []
        if importlib.util.find_spec("torch") and not options.without_torch:
            import peers  # Takes seconds, so only where it is there.
            self._peers = peers.Peers(options.torch_device)

    def _load(self, case, schedule=""):
        key = plan.get_timed_name(case["spec"], case["features"], schedule), case["dtype"]
        if key not in self._kernels:
            self._kernels[key] = self._library.load(
                paths.read_package(self._options.pack, *key), self._device.handle)
        return self._kernels[key]

    def run(self, case):
        """The record of one case."""
        try:
            if case["kind"] == "probe":
                return self._run_probe(case["probe"])
            if case["kind"] == "flex" and len(self._flex_refusals) == MOST_FLEX_REFUSALS:
                return {"passed": True, "refused": {"flex": self._flex_refusals[-1]}}
            if not self._peers:
                return self._run_alone(case)
            run = self._run_linear if case["kind"] == "linear" else self._run_with_peers
            return run(case)
        except RuntimeFailure as failure:
            if failure.is_fatal:
                raise FatalFailure(str(failure)) from None
            return {"passed": False, "words": str(failure)}
        except MemoryError as error:
            return {"passed": False, "words": str(error)}
        except FileNotFoundError as error:
            return {"passed": False, "words": f"not in the pack: {error.filename}"}

    def _run_probe(self, probe):
        if not self._peers:
            return {"passed": True, "skipped": "needs PyTorch"}
        peer, operations, moved = self._peers.make_probe(probe)
        times = time_in_turns(self._device, {"probe": peer}, self._options.samples)
        return {"passed": True,
                "contenders": {"probe": summarize(times["probe"], (operations, moved))}}

    def _list_kernels(self, case):
        """Our kernels of a case: that of the default schedule, then others."""
        schedules = (plan.get_schedules(case["spec"], case["dtype"], case["features"])
                     if case["kind"] in ("forward", "linear") else [])
        return {"ours": self._load(case),
                **{name: self._load(case, name) for name in schedules}}

    def _run_alone(self, case):
        if case["kind"] == "flex":
            return {"passed": True, "skipped": "needs PyTorch"}
        kernels = self._list_kernels(case)
        tensors = DriverTensors(self._device)
        with contextlib.ExitStack() as stack:
            stack.callback(tensors.free)
            sets = [tensors.make_set(case) for _ in range(count_sets(case))]
            calls = {}
            for name, kernel in kernels.items():
                call, free = make_calls(kernel, sets, self._device)
                stack.callback(free)
                calls[name] = Ours(call)
            times = time_in_turns(self._device, calls, self._options.samples)
        return {"passed": True, "target": kernels["ours"].target,
                "contenders": {name: summarize(seconds, count_work(case))
                               for name, seconds in times.items()}}

    def _run_with_peers(self, case):
        kernels, peers = self._list_kernels(case), self._peers
        sets = peers.make_sets(get_shapes(case), case["dtype"], count_sets(case))
        with contextlib.ExitStack() as stack:
            stack.callback(peers.release)
            ours, results = {}, {}
            for name, kernel in kernels.items():
                outputs = [peers.make_outputs(q) for q, _, _ in sets]
                ours[name] = Ours(self._bind(stack, kernel, sets, outputs))
                results[name] = outputs[0][0]
            calls, refused = peers.make_calls(case, sets)
            record = {"passed": True, "target": kernels["ours"].target, "refused": refused}
            if case["kind"] == "flex" and not calls:
                self._flex_refusals.append(refused["flex"])
                return record
            for contender in ours.values():
                contender.run(0)
            self._device.synchronize()
            results.update((name, peer.run_once()) for name, peer in calls.items())
            errors, tolerance = peers.get_errors(case, results, *sets[0])
            times = time_in_turns(self._device, {**ours, **calls}, self._options.samples)
        self._judge(record, case, times, errors, tolerance, list(ours))
        return record

    def _bind(self, stack, kernel, sets, outputs):
        """A function that launches on one of the sets of tensors of PyTorch."""
        get_view = self._peers.get_view
        views = [([get_view(x) for x in inputs], [get_view(x) for x in results])
                 for inputs, results in zip(sets, outputs)]
        call, free = make_calls(kernel, views, self._device)
        stack.callback(free)
        return call

    def _judge(self, record, case, times, errors, tolerance, ours):
        """Puts what was measured into the record; kernels of ours must be right."""
        record["tolerance"] = tolerance
        record["contenders"] = {
            name: {**summarize(seconds, count_work(case)), "error": errors[name],
                   "ok": errors[name] <= tolerance} for name, seconds in times.items()}
        wrong = [name for name in ours if not record["contenders"][name]["ok"]]
        worst = wrong[0] if wrong else "ours"
        record["passed"] = not wrong or self._options.dry_run
        record["words"] = (f"error {errors[worst]:.2g} of {tolerance:.2g}"
                           + (f" with the schedule {worst}" if worst != "ours" else ""))

    def _run_linear(self, case):
        """Everybody is compared with the recurrence on few tokens first."""
        kernels, maker = self._list_kernels(case), self._peers.make_recurrences()
        small = {**case, "length": recurrences.SMALL_LENGTH}
        record = {"passed": True, "target": kernels["ours"].target, "refused": {}}
        with contextlib.ExitStack() as stack:
            stack.callback(self._peers.release)
            tensors, results, peer = maker.make_set(small), {}, None
            for name, kernel in kernels.items():
                results[name] = maker.make_outputs(small)
                self._bind(stack, kernel, [maker.get_views(small, tensors)], [results[name]])(0)
            self._device.synchronize()
            try:
                peer = maker.make_peer(case)
                rows, *states = peer(*tensors)
                results["fla"] = [rows.transpose(1, 2), *states]
            except Exception as error:  # A compiler of its own has errors of its own.
                record["refused"]["fla"] = f"{type(error).__name__}: {error}"
            errors, tolerance = recurrences.get_errors(small, tensors, results)
            sets = [maker.make_set(case) for _ in range(count_sets(case))]
            views, contenders = [maker.get_views(case, x) for x in sets], {}
            for name, kernel in kernels.items():
                outputs = [maker.make_outputs(case) for _ in sets]
                contenders[name] = Ours(self._bind(stack, kernel, views, outputs))
            if "fla" in results:
                contenders["fla"] = Ours(lambda index: peer(*sets[index % len(sets)]))
            times = time_in_turns(self._device, contenders, self._options.samples)
        self._judge(record, case, times, errors, tolerance, list(kernels))
        return record


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pack")
    parser.add_argument("device", choices=("cpu", "cuda"))
    parser.add_argument("--samples", type=int, default=20)
    parser.add_argument("--dry-run", action="store_true")
    parser.add_argument("--without-torch", action="store_true")
    parser.add_argument("--torch-device", default="cuda")
    options = parser.parse_args()
    try:
        timer = Timer(options)
    except (OSError, RuntimeFailure) as failure:
        sys.exit(f"timing.py: error: {failure}")
    return serve(timer.run)


if __name__ == "__main__":
    sys.exit(main())
