#===- test_device.py - Parts of the scripts for a GPU ----------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""What bench/device/ watches and counts, and how it treats processes that die."""

import argparse
import importlib
import pathlib
import sys
import tempfile
import textwrap
import time
import unittest

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "bench" / "device"))
import attn_runtime  # noqa: E402
import catalogue  # noqa: E402
import memory  # noqa: E402
import plan  # noqa: E402
import recurrences  # noqa: E402
import report  # noqa: E402
import timing  # noqa: E402
import verify  # noqa: E402
import workers  # noqa: E402

WORKER = """
import os, sys, time
sys.path.insert(0, {folder!r})
import workers

def run(case):
    if case["does"] == "die":
        os._exit(9)
    if case["does"] == "hang":
        time.sleep(60)
    if case["does"] == "break":
        raise workers.FatalFailure("broken")
    print("a line that is no record")
    return {{"passed": True, "words": str(os.getpid())}}

sys.exit(workers.serve(run))
"""


def run_cases(does, deadline=None, silence=20):
    """The records of cases, and those that have none."""
    records = {}
    cases = [{"index": index, "does": word} for index, word in enumerate(does)]
    with tempfile.TemporaryDirectory() as folder:
        script = pathlib.Path(folder) / "worker.py"
        script.write_text(textwrap.dedent(WORKER).format(
            folder=str(pathlib.Path(workers.__file__).parent)))
        workers.run_cases(script, [], cases, deadline, silence,
                          lambda case, record: records.update({case["index"]: record}))
    return records


class WorkersTest(unittest.TestCase):
    def test_one_process(self):
        records = run_cases(["pass"] * 3)
        self.assertEqual([records[i]["passed"] for i in range(3)], [True] * 3)
        self.assertEqual(len({record["words"] for record in records.values()}), 1)

    def test_process_that_dies(self):
        records = run_cases(["pass", "die", "pass", "break", "pass"])
        self.assertEqual([records[i]["passed"] for i in range(5)],
                         [True, False, True, False, True])
        self.assertIn("status 9", records[1]["words"])
        self.assertEqual(records[3]["words"], "broken")
        self.assertNotEqual(records[0]["words"], records[2]["words"])

    def test_process_that_hangs(self):
        start = time.monotonic()
        records = run_cases(["hang", "pass"], silence=3)
        self.assertLess(time.monotonic() - start, 30)
        self.assertIn("no answer for 3 s", records[0]["words"])
        self.assertTrue(records[1]["passed"])

    def test_too_many_deaths(self):
        records = run_cases(["break"] * (workers.MOST_RESTARTS + 3))
        self.assertEqual(len(records), workers.MOST_RESTARTS + 3)
        self.assertFalse(any(record["passed"] for record in records.values()))
        self.assertIn("not run", records[len(records) - 1]["words"])

    def test_deadline(self):
        self.assertEqual(run_cases(["pass"], deadline=time.time() - 1), {})


class GuardedArrayTest(unittest.TestCase):
    def setUp(self):
        self.device = memory.CpuDevice()
        self.array = verify.GuardedArray(self.device, (3, 5), "f32")

    def test_elements(self):
        numbers = np.arange(15, dtype=np.float32).reshape(3, 5)
        self.array.write(numbers)
        np.testing.assert_array_equal(self.array.read("x"), numbers)

    def test_starts_as_nan(self):
        self.assertTrue(np.isnan(self.array.read("x")).all())

    def test_written_outside(self):
        for offset, where in ((-1, "before"), (60, "behind")):
            self.array.clear()
            self.device.write(self.array.view[0] + offset, np.zeros(1, np.uint8))
            with self.assertRaisesRegex(catalogue.Failure, f"'x': the memory {where} it"):
                self.array.read("x")

    def test_bf16(self):
        numbers = np.array([1, -2.5, np.inf, 2.0**-130], np.float32)
        bits = verify.encode(numbers, "bf16")
        self.assertEqual(list(bits[:2]), [0x3f80, 0xc020])
        np.testing.assert_array_equal(verify.decode(bits, "bf16"), numbers)


class StandInKernel:
    """Writes one more to its result each time, or to memory of somebody else."""

    def __init__(self, device, step=0, offset=0):
        port = attn_runtime.Port("x", "f32", attn_runtime.DataType(2, 32, 1), 1)
        self.arguments, self.results = [port], [port]
        self._device, self._step, self._offset = device, step, offset
        self._value = 0

    def take_arguments(self, views):
        return views

    take_results = take_arguments

    def get_result_shapes(self, arguments):
        return [arguments[0][1]]

    def get_workspace_bytes(self, arguments):
        return 0

    def launch(self, arguments, results, workspace, size):
        self._value += self._step
        [(address, shape, _)] = results
        self._device.write(address, np.full(shape, self._value, np.float32))
        if self._offset:
            self._device.write(arguments[0][0] + self._offset, np.zeros(1, np.uint8))


class LaunchTest(unittest.TestCase):
    def launch(self, **options):
        device = memory.CpuDevice()
        return verify.launch_twice(device, StandInKernel(device, **options),
                                   {"x": np.ones(3, np.float32)})

    def test_result(self):
        np.testing.assert_array_equal(self.launch()["x"], np.zeros(3, np.float32))

    def test_different_bits(self):
        with self.assertRaisesRegex(catalogue.Failure, "two launches gave different bits"):
            self.launch(step=1)

    def test_memory_around_an_argument(self):
        with self.assertRaisesRegex(catalogue.Failure, "'tensor 0': the memory behind it"):
            self.launch(offset=12)


class PlanTest(unittest.TestCase):
    def test_count_pairs(self):
        for n in (1, 511, 512, 513, 1030):
            i, j = np.arange(n)[:, None], np.arange(n)
            masks = {"dense": i + j >= 0, "causal": i >= j,
                     "sliding-window": (i >= j) & (i - j < plan.WINDOW)}
            for name, mask in masks.items():
                self.assertEqual(plan.count_pairs(name, n), mask.sum(), (name, n))

    def test_rewrite_spec(self):
        self.assertEqual(plan.rewrite_spec("dense", "tensor<?x64xf32>", 128),
                         "tensor<?x128xf32>")
        with self.assertRaisesRegex(ValueError, "no head size"):
            plan.rewrite_spec("dense", "tensor<?x32xf32>", 128)
        with self.assertRaisesRegex(ValueError, "one window of 256, got 0"):
            plan.rewrite_spec("sliding-window", "tensor<?x64xf32>", 64)

    def test_rewrite_recurrence(self):
        folder = pathlib.Path(__file__).parents[2] / "variants" / "linear"
        texts = {name: plan.rewrite_recurrence(name, (folder / f"{file}.mlir").read_text(), 32)
                 for name, file in plan.LINEAR_SPECS.items()}
        for name, text in texts.items():
            self.assertNotRegex(text, "x64x|x128x|<64x|<128x|0.125", name)
            self.assertIn("%v: tensor<?x?x?x32xf32>", text)
        self.assertIn("scale(0.17677669529663687)", texts["gla"])
        self.assertIn("%g: tensor<?x?x?x32xf32>", texts["gla"])
        self.assertIn('%g: tensor<?x?x?xf32> {attn.name = "g", attn.dims = ["B", "H", "N"]',
                      texts["gla-scalar"])
        self.assertIn("gate(%g : tensor<?x?x?xf32>)", texts["gla-scalar"])
        with self.assertRaisesRegex(ValueError, "spec 'gla' has nothing like"):
            plan.rewrite_recurrence("gla", "tensor<?x64xf32>", 32)

    def test_schedules(self):
        self.assertEqual(set().union(*plan.SCHEDULED_SPECS.values()), set(plan.SCHEDULES))
        self.assertEqual(plan.get_schedules("causal", "bf16", 64),
                         list(plan.SCHEDULED_SPECS["causal"]))
        self.assertEqual(plan.get_schedules("softcap", "bf16", 128), ["64x32-r3"])
        self.assertEqual(plan.get_schedules("gla", "bf16", 128), ["8-parts"])
        self.assertEqual(plan.get_schedules("causal", "f32", 64), [])
        self.assertEqual(plan.get_schedules("decode", "bf16", 64), [])
        self.assertEqual(plan.get_timed_name("dense", 64, "128x64"), "time-dense-64-128x64")

    def test_case_names_differ(self):
        names = [plan.get_case_name(case) for case in plan.list_timed()]
        self.assertEqual(len(names), len(set(names)))


#===-----------------------------------------------------------------------===#
# Recurrences and schedules, with NumPy in the place of PyTorch
#===-----------------------------------------------------------------------===#


class StandInTensor:
    """What the scripts ask of a tensor of PyTorch. Types are ignored."""

    def __init__(self, array):
        self.array = array

    def __getitem__(self, index):
        return StandInTensor(self.array[index])

    def __mul__(self, number):
        return StandInTensor(self.array * number)

    def transpose(self, first, second):
        return StandInTensor(self.array.swapaxes(first, second))

    def abs(self):
        return StandInTensor(abs(self.array))

    def contiguous(self):
        return StandInTensor(np.ascontiguousarray(self.array))

    def to(self, dtype):
        return self

    float = double = cpu = lambda self: self

    def numpy(self):
        return self.array

    ndim = property(lambda self: self.array.ndim)
    shape = property(lambda self: self.array.shape)


class StandInTorch:
    """The functions of PyTorch that recurrences.py calls."""

    random = np.random.default_rng(1)

    def randn(self, shape, device):
        return StandInTensor(self.random.standard_normal(shape))

    def full(self, shape, value, device, dtype):
        return StandInTensor(np.full(shape, value))

    def arange(self, count, device):
        return StandInTensor(np.arange(count))

    class nn:
        class functional:
            @staticmethod
            def silu(x):
                return StandInTensor(x.array / (1 + np.exp(-x.array)))


# A package with the ops that are called, of tensors [B, N, H, ...].
PEER = """
import numpy as np

class Rows:
    def __init__(self, array):
        self.array = array

    def transpose(self, first, second):
        return Rows(self.array.swapaxes(first, second))

    def __getitem__(self, index):
        return Rows(self.array[index])

    double = cpu = lambda self: self

    def numpy(self):
        return self.array

def run(q, k, v, decay, scale, state):
    q, k, v, s = (None if x is None else x.array for x in (q, k, v, state))
    s = np.zeros((*k.shape[:1], *k.shape[2:], v.shape[-1])) if s is None else s
    out = np.empty_like(v)
    for t in range(q.shape[1]):
        s = decay(t) * s + k[:, t, :, :, None] * v[:, t, :, None]
        out[:, t] = scale * np.einsum("bhk,bhkv->bhv", q[:, t], s)
    return Rows(out), Rows(s)

def chunk_lightning_attn(q, k, v, layer_idx, num_layers, scale=None, initial_state=None,
                         output_final_state=False):
    heads = q.shape[2]
    g = -8 / heads * (1 - layer_idx / num_layers) * np.arange(heads)
    return run(q, k, v, lambda t: np.exp(g)[:, None, None], scale, initial_state)

def chunk_simple_gla(q, k, v, g=None, {GAMMA}=None, scale=None, initial_state=None,
                     output_final_state=False, head_first=True):
    assert not head_first
    if g is None:
        decay = lambda t: np.exp({GAMMA}.array)[:, None, None]
    else:
        decay = lambda t: np.exp(g.array[:, t])[:, :, None, None]
    return run(q, k, v, decay, scale, initial_state)

def chunk_gla(q, k, v, g, scale=None, initial_state=None, output_final_state=False):
    return run(q, k, v, lambda t: np.exp(g.array[:, t])[..., None], scale, initial_state)
"""


def write_peer(folder, gamma="g_gamma"):
    """A package `fla` in a folder."""
    text = PEER.replace("{GAMMA}", gamma)
    for name in ("lightning_attn", "simple_gla", "gla"):
        package = pathlib.Path(folder) / "fla" / "ops" / name
        package.mkdir(parents=True)
        (package / "__init__.py").write_text(text)
    for package in ("fla", "fla/ops"):
        (pathlib.Path(folder) / package / "__init__.py").touch()


class StandInPeers:
    """The parts of Peers that concern our kernels."""

    def make_recurrences(self):
        return recurrences.Tensors(StandInTorch(), "cpu", dict.fromkeys(plan.ITEM_BYTES))

    def make_sets(self, shapes, dtype, count):
        return [[StandInTensor(np.ones(shape)) for shape in shapes]]

    def make_outputs(self, q):
        return [StandInTensor(np.full(q.shape, np.nan))]

    def make_calls(self, case, sets):
        return {}, {"cudnn": "not here"}

    def get_errors(self, case, results, q, k, v):
        return {name: abs(x.array - 1).max() for name, x in results.items()}, 0.5

    get_view = staticmethod(lambda tensor: tensor)
    release = staticmethod(lambda: None)


class OracleKernel:
    """Computes a recurrence, or ones, with errors of the rows and of the state."""

    def __init__(self, spec, error=0.0, state_error=0.0):
        self.target, self._spec, self._errors = "cuda:sm_90", spec, (error, state_error)

    def take_arguments(self, views):
        return views

    take_results = take_arguments

    def get_workspace_bytes(self, arguments):
        return 0

    def launch(self, arguments, results, workspace, size):
        arrays = [x.array for x in arguments]
        recurrence = recurrences.RECURRENCES.get(self._spec)
        expected = recurrence.oracle(*arrays) if recurrence else [np.ones(arrays[0].shape)]
        for result, own, error in zip(results, expected, self._errors):
            result.array[...] = own * (1 + error)


class StandInTimer(timing.Timer):
    """With kernels by the name of their schedule."""

    def __init__(self, kernels):
        self._options = argparse.Namespace(samples=5, dry_run=False)
        self._device, self._peers = memory.CpuDevice(), StandInPeers()
        self._stand_ins = kernels

    def _load(self, case, schedule=""):
        return self._stand_ins[schedule]


class RecurrencesTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder, path = folder.name, list(sys.path)
        self.addCleanup(lambda: sys.path.__setitem__(slice(None), path))
        sys.path.insert(0, self.folder)
        importlib.invalidate_caches()
        for name in [name for name in sys.modules if name.split(".")[0] == "fla"]:
            del sys.modules[name]

    def write_peer(self, **options):
        write_peer(self.folder, **options)

    def run_case(self, spec, length=20, parts=None, **options):
        kernel = OracleKernel(spec, **options)
        timer = StandInTimer({"": kernel, "8-parts": parts or kernel})
        return timer.run({"kind": "linear", "spec": spec, "dtype": "bf16", "features": 8,
                          "length": length})

    def test_peer_computes_the_same(self):
        self.write_peer()
        for spec in recurrences.RECURRENCES:
            record = self.run_case(spec)
            self.assertEqual((record["passed"], record["refused"]), (True, {}), spec)
            for name in ("ours", "fla"):
                self.assertLess(record["contenders"][name]["error"],
                                1e-3 * record["tolerance"], (spec, name))

    def test_wrong_peer(self):
        self.write_peer()
        for path in pathlib.Path(self.folder).glob("fla/ops/*/__init__.py"):
            path.write_text(path.read_text().replace("out[:, t] = scale", "out[:, t] = 1.3 * scale"))
        record = self.run_case("gla")
        self.assertTrue(record["passed"])
        self.assertFalse(record["contenders"]["fla"]["ok"])

    def test_wrong_kernel(self):
        self.write_peer()
        record = self.run_case("gla-scalar", error=0.3)
        self.assertFalse(record["passed"])
        self.assertRegex(record["words"], "error .* of ")

    def test_wrong_schedule(self):
        record = self.run_case("gla", parts=OracleKernel("gla", error=0.3))
        self.assertFalse(record["passed"])
        self.assertRegex(record["words"], "error .* of .* with the schedule 8-parts")

    def test_wrong_state(self):
        self.write_peer()
        path = pathlib.Path(self.folder) / "fla/ops/gla/__init__.py"
        path.write_text(path.read_text().replace("Rows(s)", "Rows(1.3 * s)"))
        record = self.run_case("gla")
        self.assertTrue(record["passed"])
        self.assertFalse(record["contenders"]["fla"]["ok"])
        self.assertFalse(self.run_case("gla", state_error=0.3)["passed"])

    def test_no_package(self):
        record = self.run_case("gla")
        self.assertTrue(record["passed"])
        self.assertEqual(list(record["contenders"]), ["ours", "8-parts"])
        self.assertIn("flash-linear-attention is not there: No module named 'fla'; expected a "
                      "package with 'fla.ops.gla'", record["refused"]["fla"])

    def test_other_version(self):
        self.write_peer(gamma="decays")
        record = self.run_case("retention")
        self.assertIn("'chunk_simple_gla' of this version takes no 'g_gamma'",
                      record["refused"]["fla"])

    def test_rows_lie_as_kernels_want_them(self):
        for spec in recurrences.RECURRENCES:
            case = {"kind": "linear", "spec": spec, "dtype": "bf16", "features": 4, "length": 3}
            tensors = StandInPeers().make_recurrences()
            for view in tensors.get_views(case, tensors.make_set(case)):
                self.assertEqual(view.array.strides[-1], view.array.itemsize, spec)

    def test_work(self):
        case = {"kind": "linear", "spec": "gla-scalar", "dtype": "bf16", "features": 128,
                "length": 10}
        rows = plan.BATCH * plan.HEADS * 10
        states = 2 * plan.BATCH * plan.HEADS * 128 * 128 * 4
        self.assertEqual(timing.count_work(case),
                         (rows * (2 * 64 * 256 + 4 * 128 * 128), rows * (4 * 128 * 2 + 4) + states))


class SchedulesTest(unittest.TestCase):
    def run_case(self, wrong=None):
        timer = StandInTimer({name: OracleKernel("causal", error=float(name == wrong))
                              for name in ["", *plan.SCHEDULED_SPECS["causal"]]})
        return timer.run({"kind": "forward", "spec": "causal", "dtype": "bf16", "features": 4,
                          "length": 4})

    def test_all_are_timed(self):
        record = self.run_case()
        self.assertEqual(list(record["contenders"]), ["ours", *plan.SCHEDULED_SPECS["causal"]])
        self.assertTrue(record["passed"])

    def test_wrong_schedule(self):
        record = self.run_case(wrong="64x64-s2-o")
        self.assertFalse(record["passed"])
        self.assertEqual(record["words"], "error 1 of 0.5 with the schedule 64x64-s2-o")


class ReportTest(unittest.TestCase):
    def test_summary_is_short(self):
        case = {"variant": "v" * 20, "dtype": "bf16", "dims": [["N", 1]]}
        verified = [({**case, "variant": f"variant-{i % 28}"}, {"passed": False, "words": "w" * 999 + str(i)})
                    for i in range(600)]
        figures = {"ms": 1.0, "tflops": 1.0, "gb_s": 1.0, "ok": True}
        timed = [(case, {"passed": True, "refused": {"cudnn": f"{i}" * 200},
                         "contenders": dict.fromkeys(("ours", "flash", "probe"), figures)})
                 for i, case in enumerate(plan.list_timed())]
        run = {"machine": {"name": "x", "torch": "y"}, "seconds": 1, "verified": verified,
               "timed": timed, "left_out": ["z"]}
        text = "\n".join(report.summarize(run))
        self.assertLess(len(text), 10000)
        self.assertTrue(text.endswith(f"timed: {len(timed)} passed, 0 failed"))


if __name__ == "__main__":
    unittest.main()
