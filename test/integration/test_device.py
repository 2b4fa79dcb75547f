#===- test_device.py - Parts of the scripts for a GPU ----------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""What bench/device/ watches and counts, and how it treats processes that die."""

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
import report  # noqa: E402
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

    def test_case_names_differ(self):
        names = [plan.get_case_name(case) for case in plan.list_timed()]
        self.assertEqual(len(names), len(set(names)))


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
