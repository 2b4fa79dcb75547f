#===- test_errors.py - Wrong uses and their messages ----------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Each wrong use raises one exception of the right class, and its message says what
was expected and given. Nothing here is compiled, but for the specs of TextErrors."""

import math
import pathlib
import sys
import unittest

import numpy as np

import attn_mlir
from attn_mlir import attend

try:
    import torch
except ImportError:
    torch = None

Q = np.zeros((1, 4, 8, 16), np.float32)
K2 = np.zeros((1, 2, 8, 16), np.float32)
BIAS = np.zeros((4, 8, 8), np.float32)
GRID = np.zeros((1, 2, 3, 4, 8), np.float32)
SOURCE = pathlib.Path(__file__).read_text()
EMPTY_FLAGS = np.zeros(8, np.complex64)


class Recorder:
    """Keeps a value of one traced function, which another one must not use."""

    value = None


def keep_value(s, b, h, i, j):
    Recorder.value = i
    return s


def count_down(s, b, h, i, j):
    while i > j:  # Neither and nor or.
        i = i - 1
    return s


def assert_order(s, b, h, i, j):
    assert i > j, "min or max"
    return s


class Case(unittest.TestCase):
    def expect(self, kind, text, function):
        with self.assertRaises(kind) as context:
            function()
        self.assertIs(type(context.exception), kind)
        self.assertIn(text, str(context.exception))
        self.assertTrue(context.exception.status.startswith("ATTN_"))
        return context.exception


class ArgumentErrors(Case):
    def check(self, kind, text, *operands, **keywords):
        self.expect(kind, text, lambda: attend(*operands, **keywords))

    def test_element_types(self):
        error = attn_mlir.DTypeError
        self.assertTrue(issubclass(error, TypeError))
        self.check(error, "argument 'q': expected element type f32, f16, bf16, f64, got i64",
                   Q.astype(np.int64), Q, Q)
        self.check(error, "argument 'k': expected element type f32 as of 'q', got f16", Q,
                   Q.astype(np.float16), Q)
        self.check(error, "got complex64", Q, Q, Q.astype(np.complex64))
        self.check(error, "argument 'v': expected a NumPy array or a PyTorch tensor, got 'list'",
                   Q, Q, [1.0])
        self.check(error, "captured tensor 'EMPTY_FLAGS': expected an element type of float64, "
                   "float32", Q, Q, Q, mask=lambda b, h, i, j: EMPTY_FLAGS[j] == 0)
        large = np.full(8, 2**63, np.uint64)
        self.check(error, "captured tensor 'large': expected an element type of", Q, Q, Q,
                   mask=lambda b, h, i, j: large[j] > 0)
        self.check(error, "got uint64; convert it to int64", Q, Q, Q,
                   mask=lambda b, h, i, j: attn_mlir.capture(large)[j] > 0)
        self.check(error, "argument 'q': expected an element type of float64", Q.astype("g"), Q, Q)
        self.check(error, "argument 'k': expected elements in the byte order of this machine, got "
                   ">f4", Q, Q.astype(">f4"), Q)
        turned, wide = np.arange(8).astype(">i8"), np.zeros(8, "g")
        self.check(error, "captured tensor 'turned': expected elements in the byte order", Q, Q, Q,
                   score=lambda s, b, h, i, j: s + turned[j])
        self.check(error, "captured tensor 'wide': expected an element type", Q, Q, Q,
                   score=lambda s, b, h, i, j: s + wide[j])

    def test_masked_arrays(self):
        masked = np.ma.MaskedArray(Q, Q == 0)
        text = "': expected an array without a mask of its own, got a MaskedArray"
        for place, name in enumerate("qkv"):
            operands = [masked if place == n else Q for n in range(3)]
            for call in (attend, attn_mlir.recur, attn_mlir.compile_attend(Q, Q, Q),
                         attn_mlir.compile_attend(Q, Q, Q, layout="BNHD")):
                self.expect(attn_mlir.DTypeError, f"argument '{name}{text}",
                            lambda: call(*operands))
        table = np.ones(8, np.float32)
        # The second call differs from the first in the class of the array alone.
        attend(Q, Q, Q, score=lambda s, b, h, i, j: s + table[j])
        table = np.ma.MaskedArray(table, table == 1)
        self.check(attn_mlir.DTypeError, f"captured tensor 'table{text}", Q, Q, Q,
                   score=lambda s, b, h, i, j: s + table[j])

    def test_shapes(self):
        error = attn_mlir.ShapeError
        self.assertTrue(issubclass(error, ValueError))
        self.check(error, "argument 'q': expected rank 4", Q[0], Q, Q)
        self.check(error, "argument 'k': expected rank 4 as of 'q', got 5", Q, GRID, GRID)
        self.check(error, "argument 'k': expected 16 features as of 'q', got 8", Q, Q[..., :8], Q)
        self.check(error, "argument 'v': expected heads and tokens (4, 8) as of 'k', got (4, 7)",
                   Q, Q, Q[:, :, :7])
        self.check(error, "pass enable_gqa=True", Q, K2, K2)
        self.check(error, "argument 'q': expected a multiple of the 3 heads of 'k', got 4", Q,
                   Q[:, :3], Q[:, :3], enable_gqa=True)
        three, two = np.concatenate([Q] * 3), np.concatenate([Q] * 2)
        self.check(error, "argument 'k': expected a batch of 3 or 1, got 2", three, two, three)
        self.check(error, "argument 'sink': expected rank 1", Q, Q, Q, sink=BIAS)

    def test_memory(self):
        error = attn_mlir.StrideError
        turned = np.zeros((1, 4, 16, 8), np.float32).swapaxes(2, 3)
        self.check(error, "argument 'k': the last stride must be 1, got 8; pass a copy", Q, turned,
                   Q)
        self.check(error, "argument 'v': strides must not be negative", Q, Q, Q[:, ::-1])
        narrow = np.zeros((8, 8, 4), np.float32).transpose(2, 0, 1)
        self.check(error, "argument 'narrow': the last stride must be 1, got 4", Q, Q, Q,
                   score=lambda s, b, h, i, j: s + narrow[h, i, j])

    def test_options(self):
        error = attn_mlir.ArgumentError
        self.check(error, "'layout': expected 'BHND', 'BNHD', got 'NHD'", Q, Q, Q, layout="NHD")
        self.check(error, "'scale': expected a finite number, got inf", Q, Q, Q, scale=math.inf)
        self.check(error, "'window_size': expected (left, right)", Q, Q, Q, window_size=5)
        self.check(error, "two integers of at least -1, which means no limit, got (-2, 3)", Q, Q, Q,
                   window_size=(-2, 3))
        self.check(error, "'softcap': expected a positive number, got -1", Q, Q, Q, softcap=-1)
        self.check(error, "'return_lse' needs normalizer='softmax'", Q, Q, Q, normalizer="sum",
                   return_lse=True)
        self.check(error, "'is_causal' is given twice, also as 'causal'", Q, Q, Q, causal=True,
                   is_causal=True)
        self.check(attn_mlir.UnsupportedError, "for tokens in a row", GRID, GRID, GRID,
                   is_causal=True)
        self.assertTrue(issubclass(attn_mlir.UnsupportedError, NotImplementedError))
        with self.assertRaisesRegex(TypeError, "unexpected keyword argument 'dropout_p'"):
            attend(Q, Q, Q, dropout_p=0.1)

    def test_recurrences(self):
        g = np.zeros((1, 4, 8), np.float32)
        cases = [
            (attn_mlir.ShapeError, "argument 'g': expected shape [H], [B, H, N] or [B, H, N, D], "
             "got [4, 8]", dict(g=g[0])),
            (attn_mlir.ArgumentError, "'order': expected 'causal'", dict(order="backwards")),
            (attn_mlir.ArgumentError, "argument 'k': expected None with write='tied'",
             dict(g=g, write="tied")),
            (attn_mlir.DTypeError, "got 'float'", dict(beta=1.0)),
            (attn_mlir.DTypeError, "argument 'g': expected element type f32, f16, bf16, got f64",
             dict(g=g.astype(float))),
            (attn_mlir.DTypeError, "argument 'beta': expected element type f32, f16, bf16, got f64",
             dict(g=g, beta=g.astype(float))),
            (attn_mlir.DTypeError, "argument 'u': expected element type f32, f16, bf16, got i64",
             dict(g=g, u=np.zeros((4, 16), int), read="before")),
            (attn_mlir.DTypeError, "argument 'h0': expected element type f32, got f64",
             dict(g=g, h0=np.zeros((1, 4, 16, 16)))),
            (attn_mlir.DTypeError, "argument 'cu_seqlens': expected element type i32, i64, got f64",
             dict(g=g, cu_seqlens=np.array([0.0, 8.0]))),
        ]
        for kind, text, keywords in cases:
            self.expect(kind, text, lambda: attn_mlir.recur(Q, Q, Q, **keywords))

    def test_offsets_of_sequences(self):
        start = "argument 'cu_seqlens': expected offsets "
        op = attn_mlir.compile_recur(Q, Q, Q, cu_seqlens=np.array([0, 8]))
        cases = [
            (attn_mlir.ArgumentError, "that begin with 0, got 1", [1, 3, 8]),
            (attn_mlir.ArgumentError, "that begin with 0, got -1", [-1, 8]),
            (attn_mlir.ArgumentError, "that do not decrease, got 2 after 4 at 2", [0, 4, 2, 8]),
            (attn_mlir.ArgumentError, "of at most 8, the tokens of 'q', got 9", [0, 3, 9]),
            (attn_mlir.ShapeError, "of sequences, one more than there are, got none", []),
        ]
        for kind, text, offsets in cases:
            array = np.array(offsets, np.int64)
            self.expect(kind, start + text, lambda: op(Q, Q, Q, array))
            self.expect(kind, start + text, lambda: op(Q, Q, Q, cu_seqlens=array))
            self.expect(kind, start + text, lambda: attn_mlir.recur(Q, Q, Q, cu_seqlens=array))
        moved = Q.swapaxes(1, 2).copy()
        self.expect(attn_mlir.ArgumentError, start + "of at most 8", lambda: attn_mlir.recur(
            moved, moved, moved, cu_seqlens=np.array([0, 9]), layout="BNHD"))
        self.expect(attn_mlir.ShapeError, "argument 'cu_seqlens': expected rank 1, got 0",
                    lambda: op(Q, Q, Q, np.array(0)))
        self.expect(attn_mlir.DTypeError, "argument 'cu_seqlens': expected a NumPy array",
                    lambda: op(Q, Q, Q, [0, 8]))

    def test_block_masks(self):
        made = attn_mlir.create_block_mask(lambda b, h, i, j: i >= j, None, None, 9, 8)
        self.expect(attn_mlir.ShapeError, "'block_mask': made for Q_LEN=9, got 8",
                    lambda: attn_mlir.flex_attention(Q, Q, Q, block_mask=made))
        self.expect(attn_mlir.DTypeError, "'block_mask': expected a block mask",
                    lambda: attn_mlir.flex_attention(Q, Q, Q, block_mask=lambda *x: True))
        self.expect(attn_mlir.ArgumentError, "'Q_LEN': expected a size, got -1",
                    lambda: attn_mlir.create_block_mask(lambda *x: True, 1, 1, -1, 8))

    @unittest.skipIf(torch is None, "needs PyTorch")
    def test_tensors(self):
        x = torch.zeros(1, 4, 8, 16)
        self.check(attn_mlir.UnsupportedError, "argument 'q': requires a gradient",
                   x.clone().requires_grad_(), x, x)
        op = attn_mlir.compile_attend(x, x, x)
        op(x, x, x)
        self.expect(attn_mlir.UnsupportedError, "call it under torch.no_grad()",
                    lambda: op(x, x.clone().requires_grad_(), x))
        meta = torch.zeros(1, 4, 8, 16, device="meta")
        self.check(attn_mlir.DeviceError, "got one on 'meta'", x, meta, x)


class TraceErrors(Case):
    def check(self, text, hint, score=None, mask=None):
        error = self.expect(attn_mlir.TraceError, text,
                            lambda: attend(Q, Q, Q, score=score, mask=mask))
        self.assertIn(hint, error.hint)
        self.assertTrue(error.filename.endswith("test_errors.py"), error)
        self.assertIn(error.line, SOURCE)
        self.assertGreater(len(error.line), 5)
        return error

    def test_the_message_shows_the_line(self):
        def score(s, b, h, i, j):
            if i > j:  # Here.
                s = s + 1
            return s

        error = self.check("neither true nor false", "write where(condition, x, y)", score)
        self.assertEqual(error.line, "if i > j:  # Here.")
        self.assertIn(f'File "{__file__}", line {error.lineno}', str(error))

    def test_words_of_python(self):
        self.check("neither true", "write x & y in place of 'x and y'",
                   mask=lambda b, h, i, j: i >= j and h > 1)
        self.check("neither true", "write x | y in place of 'x or y'",
                   mask=lambda b, h, i, j: i >= j or h > 1)
        self.check("neither true", "write ~x in place of 'not x'",
                   mask=lambda b, h, i, j: not i >= j)
        self.check("neither true", "(x <= y) & (y < z)", mask=lambda b, h, i, j: 0 <= i - j < 3)
        self.check("neither true", "maximum(x, y)", lambda s, b, h, i, j: max(s, 0.0))
        self.check("cannot become a Python int", "no loops whose bounds are traced",
                   lambda s, b, h, i, j: sum(s for _ in range(i)))
        self.check("cannot become a Python float", "use functions of torch, numpy",
                   lambda s, b, h, i, j: s + math.exp(s))
        self.check("cannot be iterated over", "", lambda s, b, h, i, j: sum(s))

    @unittest.skipIf(sys.version_info < (3, 11), "needs columns of instructions")
    def test_hints_are_of_the_operation(self):
        some, known, both = [1, 2, 3, 4, 5, 6, 7, 8], {0: 1.0}, "and"
        self.check("neither true", "write (i == 1) | (i == 2) in place of 'i in (1, 2)'",
                   mask=lambda b, h, i, j: i in (1, 2))
        self.check("neither true", "write (j != 3) & (j != h) in place of 'j not in [3, h]'",
                   mask=lambda b, h, i, j: j not in [3, h])
        self.check("neither true", "write (x == 1) | (x == 2) in place of 'x in (1, 2)'",
                   mask=lambda b, h, i, j: j in some)
        self.check("found in a dictionary or a set", "write (i == 1) | (i == 2) in place of",
                   mask=lambda b, h, i, j: i in {1, 2})
        self.check("cannot become a Python int", "make it an array: np.array(some)",
                   lambda s, b, h, i, j: s + some[j])
        self.check("found in a dictionary or a set", "np.array([known[0], known[1], ...])",
                   lambda s, b, h, i, j: s + known[j])
        self.check("found in a dictionary or a set", "make an array of what it chooses from",
                   lambda s, b, h, i, j: s + known.get(j))
        self.check("neither true", "a loop must not depend on traced values", count_down)
        self.check("neither true", "leave it out", assert_order)
        self.check("neither true", "write ~x in place of 'not x'",
                   mask=lambda b, h, i, j: True if not abs(i) else False)
        self.check("neither true", "write x & y in place of 'x and y'",
                   mask=lambda b, h, i, j: 1 if abs(i) and abs(j) else 0)
        self.check("neither true", "write where(condition, x, y)",
                   mask=lambda b, h, i, j: (1 if abs(i) else 0) or not j)
        # Words beside it say nothing of the operation.
        self.check("neither true", "write where(condition, x, y)",  # and, or, not
                   mask=lambda b, h, i, j: (1 if i > j else 0) if both != "or" and True else 1)
        self.check("neither true", "write x | y in place of 'x or y'",
                   mask=lambda b, h, i, j: True and (i > j or h > 1))
        self.check("neither true", "write x & y in place of 'x and y'",
                   mask=lambda b, h, i, j: (i > 1 and j > 1) if not both == "not" else i > j or h)
        self.check("neither true", "maximum(x, y)",
                   lambda s, b, h, i, j: max(s, 0.0) if both == "and" and not 0 <= 1 < 1 else s)
        self.check("neither true", "write x | y in place of any((x, y))",
                   mask=lambda b, h, i, j: any(i == n for n in (1, 2)))
        self.check("cannot become a Python int", "no loops whose bounds are traced",
                   lambda s, b, h, i, j: s + some[0] + sum(some[n] for n in range(i)))

    def test_functions_that_are_not_there(self):
        self.check("traced values have no 'item'", "use the value itself",
                   lambda s, b, h, i, j: s + h.item())
        self.check("'matmul' cannot be traced", "products of vectors",
                   lambda s, b, h, i, j: np.matmul(s, s))
        self.check("numpy.add.reduce cannot be traced", "", lambda s, b, h, i, j: np.add.reduce(s))
        self.check("a power of two integers", "write 2.0 ** x",
                   lambda s, b, h, i, j: s + 3 ** h)
        self.check("cannot be converted to float16", "leave the conversion out",
                   lambda s, b, h, i, j: s.astype(np.float16))
        self.check("integer division by zero", "", lambda s, b, h, i, j: s + i // 0)
        self.check("integers are shifted by 0 to 63 bits, got 64", "",
                   lambda s, b, h, i, j: s + (i << 64))
        self.check("integers are shifted by 0 to 63 bits, got -1", "",
                   lambda s, b, h, i, j: s + (i >> -1))

    def test_captured_tensors(self):
        self.check("captured tensor 'BIAS' has rank 3, got 2 indices", "index it with 3",
                   lambda s, b, h, i, j: s + BIAS[h, i])
        self.check("captured tensor 'BIAS' has rank 3, got 4 indices", "index it with 3",
                   lambda s, b, h, i, j: s + BIAS[b, h, i, j])
        self.check("index 1 of captured tensor 'BIAS' must be an integer, got a float", "",
                   lambda s, b, h, i, j: s + BIAS[h, s, j])
        self.check("takes one integer for each dimension", "before the function is traced",
                   lambda s, b, h, i, j: s + BIAS[h, :, j])
        self.check("nor the index of one that is not captured", "attn_mlir.capture(array)",
                   lambda s, b, h, i, j: s + np.zeros(8)[i])

    def test_results(self):
        self.check("must return a bool, got a float", "compare it",
                   mask=lambda b, h, i, j: (i - j) * 0.5)
        self.check("must return a bool, got a int", "compare it", mask=lambda b, h, i, j: i - j)
        self.check("must return a float, got a bool", "pairs are dropped by a mask",
                   lambda s, b, h, i, j: i > j)
        self.check("must return one float, got 'NoneType'", "", lambda s, b, h, i, j: None)
        self.check("must return one float, got 'tuple'", "", lambda s, b, h, i, j: (s, s))
        self.check("the condition of where must be a bool, got a int", "compare it",
                   lambda s, b, h, i, j: attn_mlir.where(i, s, 0.0))

    def test_arguments(self):
        self.check("expected a function of 5 arguments (s, b, h, i, j), got (s, i, j)", "",
                   lambda s, i, j: s)
        self.expect(attn_mlir.TraceError, "expected a function, got 'ndarray'",
                    lambda: attend(Q, Q, Q, mask=BIAS))

    def test_values_that_escape(self):
        op = attn_mlir.compile_attend(Q, Q, Q, score=keep_value)
        self.assertEqual(op(Q, Q, Q).shape, Q.shape)
        self.check("a value of another traced function is used", "compute it again",
                   lambda s, b, h, i, j: s + Recorder.value)
        self.expect(attn_mlir.TraceError, "used after its function was traced",
                    lambda: Recorder.value + 1)


class CallErrors(Case):
    @classmethod
    def setUpClass(cls):
        table = np.zeros((4, 8), np.float32)
        cls.op = attn_mlir.compile_attend(Q, Q, Q, is_causal=True,
                                          score=lambda s, b, h, i, j: s + table[h, j])

    def check(self, kind, text, *arrays, **named):
        self.expect(kind, text, lambda: self.op(*arrays, **named))

    def test_calls_of_a_compiled_function(self):
        shape, argument = attn_mlir.ShapeError, attn_mlir.ArgumentError
        self.check(attn_mlir.DTypeError, "argument 'q': expected element type f32, got f64",
                   Q.astype(float), Q, Q)
        self.check(shape, "argument 'k': dimension 3 (D) must be 16, got 8", Q, Q[..., :8], Q)
        self.check(shape, "argument 'q': expected rank 4, got 3", Q[0], Q, Q)
        self.check(attn_mlir.StrideError, "argument 'v': the last stride must be 1", Q, Q,
                   np.zeros((1, 4, 16, 8), np.float32).swapaxes(2, 3))
        self.check(argument, "multiple", Q, Q[:, :3], Q[:, :3])
        self.check(shape, "argument 'k': expected 8 tokens as of 'q', got 7; as positions are "
                   "compared, pass alignment='start'", Q, Q[:, :, :7], Q[:, :, :7])
        longer = np.zeros((1, 4, 9, 16), np.float32)
        self.check(shape, "captured tensor 'table': dimension 1 is read up to 8, so it must have "
                   "at least 9 elements, got 8", longer, longer, longer)
        self.check(argument, "captured tensor 'bias' is unknown; there are: table", Q, Q, Q,
                   bias=BIAS)
        self.check(shape, "argument 'table': expected rank 2, got 3", Q, Q, Q, table=BIAS)
        self.check(shape, "'out': expected shape (1, 4, 8, 16), got (1, 4, 7, 16)", Q, Q, Q,
                   out=np.zeros((1, 4, 7, 16), np.float32))
        self.check(attn_mlir.DTypeError, "'out': expected element type f32, got f64", Q, Q, Q,
                   out=np.zeros(Q.shape))
        self.check(argument, "share", Q, Q, Q, out=Q)
        fixed = np.ones_like(Q)
        fixed.flags.writeable = False
        self.check(argument, "'out': expected an array that may be written, got one that is "
                   "read-only", Q, Q, Q, out=fixed)
        self.assertTrue(fixed.all())


SPEC = """
func.func @twice(%x: tensor<?x?x?x8xf32> {attn.name = "x", attn.dims = ["B", "H", "N", "D"]})
    -> (tensor<?x?x?x8xf32> {attn.name = "out"}) {
  %out = attn.attend %x, %x, %x : tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32> -> tensor<?x?x?x8xf32>
  return %out : tensor<?x?x?x8xf32>
}
"""

PACKED = """
func.func @packed(%x: tensor<1x?x?x8xf32> {attn.name = "x", attn.dims = ["B", "H", "N", "D"]},
                  %offsets: tensor<?xi64> {attn.name = "offsets", attn.dims = ["G+1"]})
    -> (tensor<1x?x?x8xf32> {attn.name = "out"}) {
  %out = attn.recur %x, %x, %x segments(%offsets : tensor<?xi64>) scale(1.0)
      : tensor<1x?x?x8xf32>, tensor<1x?x?x8xf32>, tensor<1x?x?x8xf32> -> tensor<1x?x?x8xf32>
  return %out : tensor<1x?x?x8xf32>
}
"""


class TextErrors(Case):
    def test_specs(self):
        error = attn_mlir.CompileError
        self.assertTrue(issubclass(error, ValueError))
        self.expect(error, "text.mlir:1", lambda: attn_mlir.compile("no spec", name="text.mlir"))
        wrong = SPEC.replace("-> tensor<?x?x?x8xf32>\n", "-> tensor<?x?x?x9xf32>\n")
        self.expect(error, "9", lambda: attn_mlir.compile(wrong))
        self.expect(attn_mlir.DTypeError, "expected the text of a spec, got 'bytes'",
                    lambda: attn_mlir.compile(b""))
        self.expect(attn_mlir.DeviceError, "expected a device 'cpu', 'cuda' or 'cuda:N', got 'tpu'",
                    lambda: attn_mlir.compile(SPEC, device="tpu"))

    def test_calls(self):
        function = attn_mlir.compile(SPEC)
        x = np.zeros((1, 1, 4, 8), np.float32)
        for text, call in (("argument 'x' is missing", lambda: function(y=x)),
                           ("argument 'x' is given twice", lambda: function(x, x=x)),
                           ("expected 1 arguments (x), got 2", lambda: function(x, x))):
            if "missing" in text:
                text = "argument 'y' is unknown; arguments are x"
            self.expect(attn_mlir.ArgumentError, text, call)
        self.expect(attn_mlir.ArgumentError, "expected 1 arguments (x), got 0", lambda: function())

    def test_unsigned_integers_of_64_bits(self):
        recurrence = attn_mlir.compile(PACKED)
        x = np.ones((1, 1, 4, 8), np.float32)
        recurrence(x=x, offsets=np.array([0, 4]))
        # What was called before knows the class of the array, and the kernel its type.
        self.expect(attn_mlir.DTypeError, "argument 'offsets': expected an element type of",
                    lambda: recurrence(x=x, offsets=np.array([0, 4], np.uint64)))


if __name__ == "__main__":
    unittest.main()
