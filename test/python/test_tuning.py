#===- test_tuning.py - Schedules of a tuning database ---------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Compiled functions take the record of the lengths of their arrays, and say so."""

import os
import pathlib
import sqlite3
import subprocess
import sys
import tempfile
import unittest

import numpy as np

import attn_mlir
from attn_mlir import _native

TOOLS = pathlib.Path(_native.__file__).parents[2] / "bin"
COLUMNS = ("spec, dtype, target, device, {}, compiler, {}, seconds, baseline, tokens, name, "
           "dims, build")


def causal(b, h, i, j):
    return i >= j


def make_operands(tokens, heads=2):
    rng = np.random.default_rng(0)
    return tuple(rng.standard_normal((1, heads, tokens, 16), dtype=np.float32)
                 for _ in range(3))


def make_database(folder, text):
    """A database with records of a spec for up to 64 and for 65 to 128 tokens."""
    spec, path = os.path.join(folder, "spec.mlir"), os.path.join(folder, "a.db")
    pathlib.Path(spec).write_text(text)
    subprocess.run([TOOLS / "attn-tune", spec, "--dims=H=1,Hk=1,N=64", "--candidates=1",
                    "--threads=1", "--db=" + path], check=True, capture_output=True)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE records SET schedule = 'many:block_q=16,block_k=16'")
        connection.execute(
            f"INSERT INTO records SELECT {COLUMNS.format(*['?'] * 2)} FROM records",
            ("N=128", "many:block_q=16,block_k=32"))
    return path


class Tuning(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        op = attn_mlir.compile_attend(*make_operands(8), mask=causal, tuning_db="")
        assert op.schedule_origin == "default" and op.schedule, op.schedule
        cls.text, cls.path = op.text, make_database(cls.folder.name, op.text)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def find(self, tokens, **options):
        op = attn_mlir.compile_attend(*make_operands(tokens), mask=causal, **options)
        return op.schedule_origin, op.schedule

    def test_lengths_choose_the_record(self):
        for tokens, bucket, blocks in ((40, "N=64", "block_q=16,block_k=16"),
                                       (64, "N=64", "block_q=16,block_k=16"),
                                       (65, "N=128", "block_q=16,block_k=32")):
            origin, schedule = self.find(tokens, tuning_db=self.path)
            self.assertEqual(origin, f"record {bucket} many:{blocks}")
            self.assertIn(blocks, schedule)
        self.assertEqual(self.find(129, tuning_db=self.path)[0], "default, no record of N=256")
        self.assertEqual(self.find(64)[0], "default")
        self.assertEqual(self.find(64, tuning_db=self.path, schedule="block_q=16,block_k=16")[0],
                         "given")

    def test_attend_is_the_same_function(self):
        """attend() uses what compile_attend() shows, and computes the same as ever."""
        for tokens in (64, 100):
            q, k, v = make_operands(tokens)
            out = attn_mlir.attend(q, k, v, mask=causal, tuning_db=self.path)
            before = attn_mlir.counters()
            op = attn_mlir.compile_attend(q, k, v, mask=causal, tuning_db=self.path)
            self.assertEqual(attn_mlir.counters(), before)
            self.assertIn("record", op.schedule_origin)
            np.testing.assert_array_equal(op(q, k, v), out)
            np.testing.assert_allclose(out, attn_mlir.attend(q, k, v, mask=causal), atol=1e-5)

    def test_captured_lengths_are_part_of_the_bucket(self):
        bias = np.zeros((2, 64, 64), np.float32)
        q, k, v = make_operands(64)
        op = attn_mlir.compile_attend(q, k, v, score=lambda s, b, h, i, j: s + bias[h, i, j],
                                      tuning_db=self.path)
        self.assertEqual(op.schedule_origin, "default, no record of N=64,bias_2=64")

    def test_specs_take_sizes(self):
        def origin(**options):
            return attn_mlir.compile(self.text, tuning_db=self.path, **options).schedule_origin
        self.assertIn("record N=64 ", origin(dims={"H": 3, "N": 50}))
        self.assertIn("record N=128 ", origin())
        with self.assertRaisesRegex(attn_mlir.ArgumentError, "unknown dimension 'M'; expected"):
            origin(dims={"M": 50})
        gla = attn_mlir.compile_recur(*make_operands(50), tuning_db=self.path)
        self.assertEqual(gla.schedule_origin, "default, no record of N=64")

    def test_environment(self):
        code = ("import numpy as np, attn_mlir; x = np.zeros((1, 2, 64, 16), np.float32); "
                "print(attn_mlir.compile_attend(x, x, x, mask=lambda b, h, i, j: i >= j)"
                ".schedule_origin); print(attn_mlir.config()['tuning_db']['from'])")
        result = subprocess.run([sys.executable, "-c", code], text=True, capture_output=True,
                                env={**os.environ, "ATTN_TUNING_DB": self.path})
        self.assertEqual(result.stdout, "record N=64 many:block_q=16,block_k=16\n"
                         "ATTN_TUNING_DB\n", result.stderr)

    def test_a_damaged_database_is_an_error(self):
        path = os.path.join(self.folder.name, "text.db")
        pathlib.Path(path).write_text("x" * 200)
        with self.assertRaisesRegex(attn_mlir.FileError, "expected a tuning database") as caught:
            self.find(64, tuning_db=path)
        self.assertEqual(caught.exception.status, "ATTN_IO_ERROR")
        self.assertEqual(pathlib.Path(path).read_text(), "x" * 200)
        with self.assertRaisesRegex(attn_mlir.FileError, "cannot read"):
            self.find(64, tuning_db=path + ".absent")

    def test_an_empty_schedule_is_none(self):
        self.assertIn("record N=64 ", self.find(64, tuning_db=self.path, schedule="")[0])
        self.assertEqual(self.find(64, schedule="")[0], "default")

    def test_paths(self):
        gla = attn_mlir.compile_recur(*make_operands(50), tuning_db=pathlib.Path(self.path))
        self.assertEqual(gla.schedule_origin, "default, no record of N=64")
        op = attn_mlir.compile(self.text, tuning_db=pathlib.Path(self.path), dims={"N": 50})
        self.assertIn("record N=64 ", op.schedule_origin)
        operands = make_operands(64)
        for wrong in (5, b"a.db", [self.path]):
            for call in (lambda: self.find(64, tuning_db=wrong),
                         lambda: attn_mlir.recur(*operands, tuning_db=wrong),
                         lambda: attn_mlir.compile(self.text, tuning_db=wrong)):
                with self.assertRaisesRegex(attn_mlir.DTypeError,
                                            "'tuning_db': expected a path as a str or"):
                    call()

    def test_relative_paths_count_from_where_the_call_is_made(self):
        before = os.getcwd()
        with tempfile.TemporaryDirectory() as empty:
            try:
                os.chdir(os.path.dirname(self.path))
                self.assertIn("record N=64 ", self.find(64, tuning_db="a.db")[0])
                os.chdir(empty)
                with self.assertRaisesRegex(attn_mlir.FileError, "cannot read"):
                    attn_mlir.attend(*make_operands(64), mask=causal, tuning_db="a.db")
            finally:
                os.chdir(before)


if __name__ == "__main__":
    unittest.main()
