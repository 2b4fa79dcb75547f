#===- test_calls.py - Arrays, layouts and caches --------------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Calls of compiled functions: kinds of arrays, views, threads, and what compiles
when."""

import threading
import unittest

import numpy as np

import attn_mlir
from attn_mlir import attend

try:
    import torch
except ImportError:
    torch = None


def make_operands(seed=0, batch=2, heads=4, tokens=33, features=16, dtype=np.float32):
    rng = np.random.default_rng(seed)
    return tuple(rng.standard_normal((batch, heads, tokens, features)).astype(dtype)
                 for _ in range(3))


def causal(b, h, i, j):
    return i >= j


def count(function):
    """How often `function` makes the compiler work, or load what it has made."""
    before = attn_mlir.counters()
    function()
    after = attn_mlir.counters()
    return sum(after[name] - before[name] for name in ("compilations", "disk_hits"))


FACTOR, SHIFTS = 2, np.zeros(4, np.float32)


class Bias:
    """A score function with a state, whose methods read globals, too."""

    def __init__(self, table):
        self.table, self.factor = table, 1

    @property
    def scale(self):
        return self.factor * FACTOR

    def __call__(self, s, b, h, i, j):
        return s + self.shift(h) + self.table[h] * j * self.scale

    @staticmethod
    def shift(h):
        return SHIFTS[h]

    def add(self, s, b, h, i, j):
        return self(s, b, h, i, j)


class Compiling(unittest.TestCase):
    def test_all_lengths_share_one_compilation(self):
        rng = np.random.default_rng(1)
        table = np.zeros(64, np.float32)
        mask = lambda b, h, i, j: (i >= j) & (i - j < 7)
        score = lambda s, b, h, i, j: s + table[j]

        def call_often():
            for _ in range(1000):
                batch, heads, tokens = rng.integers(1, 4), rng.integers(1, 5), rng.integers(1, 40)
                x = np.zeros((batch, heads, tokens, 8), np.float32)
                self.assertEqual(attend(x, x, x, mask=mask, score=score, threads=1).shape, x.shape)

        self.assertEqual(count(call_often), 1)

    def test_a_new_function_of_the_same_code_compiles_once(self):
        q, k, v = make_operands(2)

        def call(bias, width):
            return attend(q, k, v, score=lambda s, b, h, i, j: s + bias[h],
                          mask=lambda b, h, i, j: i - j < width)

        results = []
        self.assertEqual(count(lambda: results.append(call(np.zeros(4, np.float32), 5))), 1)
        self.assertEqual(count(lambda: results.append(call(np.ones(4, np.float32), 5))), 0)
        self.assertEqual(count(lambda: call(np.ones(4, np.float32), 6)), 1)
        self.assertLess(np.abs(results[0] - results[1]).max(), 1e-6)

    def test_arrays_are_those_of_the_call(self):
        q, k, v = make_operands(3)

        def call(first, second):
            score = lambda s, b, h, i, j: s + first[j] - second[i % 2 + j % 2]
            return attend(q, k, v, score=score)

        x, y = np.linspace(0, 1, 33, dtype=np.float32), np.array([0, 3, 1], np.float32)
        # One array in two places is another function: only one argument is left.
        same = call(x, x)
        both = [call(x, y), call(y.repeat(11), y)]
        for result, first, second in zip([*both, same], (x, y.repeat(11), x), (y, y, x)):
            i, j = np.ogrid[:33, :33]
            s = np.einsum("bhid,bhjd->bhij", q, k) / 4 + first[j] - second[i % 2 + j % 2]
            p = np.exp(s - s.max(-1, keepdims=True))
            wanted = np.einsum("bhij,bhjd->bhid", p / p.sum(-1, keepdims=True), v)
            self.assertLess(np.abs(result - wanted).max(), 1e-5)

    def test_a_compiled_function_keeps_its_arrays(self):
        q, k, v = make_operands(4)
        first, second = np.arange(33, dtype=np.float32) / 9, np.zeros(33, np.float32)
        ops = []
        for table in (first, second):
            ops.append(attn_mlir.compile_attend(q, k, v, score=lambda s, b, h, i, j: s + table[j]))
        results = [op(q, k, v) for op in ops]
        self.assertEqual(list(ops[0].captures), ["table"])
        self.assertGreater(np.abs(results[0] - results[1]).max(), 1e-2)
        np.testing.assert_array_equal(ops[0](q, k, v, table=second), results[1])

    def test_objects_and_globals(self):
        q, k, v = make_operands(5)
        table = np.linspace(-1, 1, 4, dtype=np.float32)
        bias = Bias(table)
        wanted = attend(q, k, v, score=lambda s, b, h, i, j: s + table[h] * j * 2)
        np.testing.assert_array_equal(attend(q, k, v, score=bias), wanted)
        np.testing.assert_array_equal(attend(q, k, v, score=bias.add), wanted)
        bias.table = -table
        wanted = attend(q, k, v, score=lambda s, b, h, i, j: s + table[h] * j * -2)
        np.testing.assert_array_equal(attend(q, k, v, score=bias), wanted)
        global FACTOR, SHIFTS
        SHIFTS = np.ones(4, np.float32) * np.arange(4, dtype=np.float32)
        self.assertEqual(count(lambda: attend(q, k, v, score=bias)), 0)
        FACTOR = 0
        self.assertEqual(count(lambda: attend(q, k, v, score=bias)), 1)
        self.assertLess(np.abs(attend(q, k, v, score=bias) - attend(q, k, v)).max(), 1e-6)

    def test_threads_of_the_program(self):
        q, k, v = make_operands(6)
        wanted = attend(q, k, v, mask=causal)
        wrong = []

        def work():
            for _ in range(20):
                if (attend(q, k, v, mask=causal, threads=0) != wanted).any():
                    wrong.append(1)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])

    def test_the_text_is_a_spec(self):
        q, k, v = make_operands(7)
        op = attn_mlir.compile_attend(q, k, v, mask=causal, return_lse=True)
        self.assertIn("%0 = arith.cmpi sge, %i, %j : index", op.text)
        again = attn_mlir.compile(op.text)
        for mine, theirs in zip(op(q, k, v), again(q=q, k=k, v=v)):
            np.testing.assert_array_equal(mine, theirs)
        self.assertEqual([port.name for port in again.results], ["out", "lse"])
        self.assertEqual(again(q, k, v)._fields, ("out", "lse"))
        self.assertTrue(op.target.startswith("cpu:"))
        self.assertIn("cache_dir", attn_mlir.config())


class Arrays(unittest.TestCase):
    def test_views(self):
        q, k, v = make_operands(8)
        wanted = attend(q, k, v, mask=causal)
        tokens_first = [np.ascontiguousarray(x.swapaxes(1, 2)) for x in (q, k, v)]
        views = [x.swapaxes(1, 2) for x in tokens_first]
        np.testing.assert_array_equal(attend(*views, mask=causal), wanted)
        out = attend(*tokens_first, mask=causal, layout="BNHD")
        np.testing.assert_array_equal(out, wanted.swapaxes(1, 2))
        self.assertTrue(out.flags.c_contiguous)
        wide = np.zeros((2, 4, 50, 40), np.float32)
        part = wide[:, :, 3:36, 5:21]
        part[...] = k
        np.testing.assert_array_equal(attend(q, part, v, mask=causal), wanted)
        for x in (q, k, v):
            x.flags.writeable = False
        np.testing.assert_array_equal(attend(q, k, v, mask=causal), wanted)

    def test_results_that_are_given(self):
        q, k, v = make_operands(9)
        wanted = attend(q, k, v, mask=causal, return_lse=True)
        op = attn_mlir.compile_attend(q, k, v, mask=causal, return_lse=True)
        out, lse = np.empty_like(q), np.empty(q.shape[:3], np.float32)
        results = op(q, k, v, out=(out, lse))
        self.assertIs(results[0], out)
        self.assertIs(results[1], lse)
        np.testing.assert_array_equal(out, wanted[0])
        np.testing.assert_array_equal(lse, wanted[1])

    def test_shared_batches_and_empty_arrays(self):
        q, k, v = make_operands(10)
        np.testing.assert_allclose(attend(q, k[:1], v[:1])[1], attend(q[1:], k[:1], v[:1])[0],
                                   rtol=1e-5, atol=1e-6)
        self.assertEqual(attend(q[:0], k[:0], v[:0]).shape, (0, 4, 33, 16))
        out, lse = attend(q, k[:, :, :0], v[:, :, :0], return_lse=True)
        self.assertFalse(out.any())
        self.assertTrue((lse == -np.inf).all())

    def test_element_types(self):
        import ml_dtypes
        operands = make_operands(11)
        reference = attend(*(x.astype(np.float64) for x in operands), mask=causal)
        self.assertEqual(reference.dtype, np.float64)
        for dtype, allowed in ((np.float32, 1e-5), (np.float16, 4e-3), (ml_dtypes.bfloat16, 3e-2)):
            result = attend(*(x.astype(dtype) for x in operands), mask=causal)
            self.assertEqual(result.dtype, dtype)
            self.assertLess(np.abs(result.astype(np.float64) - reference).max(), allowed)

    def test_captured_element_types(self):
        q, k, v = make_operands(12)
        tables = [np.arange(33).astype(dtype) for dtype in
                  (np.float16, np.float64, np.int16, np.uint8, np.int64)]
        factor = np.float32(0.01)
        number = np.array(0.5, np.float32)

        def score(s, b, h, i, j):
            for table in tables:
                s = s + factor * table[j] * number
            return s

        result = attend(q, k, v, score=score)
        wanted = attend(q, k, v, score=lambda s, b, h, i, j: s + j * 0.025)
        self.assertLess(np.abs(result - wanted).max(), 1e-5)

    def test_shifts_by_any_amount(self):
        amounts = np.array([0, 1, 5, 62, 63, 64, 65, 127, 128, 2**40, -1, -63, -64, -2**63])
        bits, numbers = np.array([3, -3]), np.arange(len(amounts))
        # Amounts of heads are shifted by as numbers, those of keys as vectors.
        by_head = np.ones((1, len(amounts), 1, 16), np.float32)
        by_key = by_head.swapaxes(1, 2)

        def count(compute, wanted):
            """Sums 1 for each amount at which the kernel agrees with NumPy: scores of
            float32 would lose bits."""
            def of_head(b, h, i, j):
                return compute(bits[0], bits[1], amounts[h], h) == wanted[h]

            def of_key(b, h, i, j):
                return compute(bits[0], bits[1], amounts[j], j) == wanted[j]

            return [attend(x[:, :, :1], x, x, mask=mask, normalizer="none", alignment="start",
                           score=lambda s, b, h, i, j: s * 0 + 1)[..., 0].sum()
                    for x, mask in ((by_head, of_head), (by_key, of_key))]

        for compute in (lambda x, y, n, j: x << n, lambda x, y, n, j: y << n,
                        lambda x, y, n, j: x >> n, lambda x, y, n, j: y >> n,
                        lambda x, y, n, j: -7 >> n, lambda x, y, n, j: x << j * 5,
                        lambda x, y, n, j: np.right_shift(y, j * 5)):
            wanted = [compute(*bits, amount, j) for j, amount in enumerate(amounts)]
            self.assertEqual(count(compute, np.array(wanted)), [len(amounts)] * 2)
        powers = np.left_shift(1, numbers * 5)
        self.assertEqual(count(lambda x, y, n, j: 2 ** (j * 5), powers), [len(amounts)] * 2)

    def test_absolute_values_of_the_package(self):
        q, k, v = make_operands(21)
        wanted = attend(q, k, v, score=lambda s, b, h, i, j: s - abs(i - j) * 0.25)
        out = attend(q, k, v, score=lambda s, b, h, i, j: s - attn_mlir.abs(i - j) * 0.25)
        np.testing.assert_array_equal(out, wanted)
        self.assertEqual(attn_mlir.abs(-3), 3)

    @unittest.skipIf(torch is None, "needs PyTorch")
    def test_tensors(self):
        arrays = make_operands(13)
        tensors = [torch.from_numpy(x) for x in arrays]
        out = attend(*tensors, mask=causal)
        self.assertIs(type(out), torch.Tensor)
        np.testing.assert_array_equal(out.numpy(), attend(*arrays, mask=causal))
        wanted = torch.nn.functional.scaled_dot_product_attention(*tensors, is_causal=True)
        self.assertLess((out - wanted).abs().max(), 1e-5)
        moved = [x.transpose(1, 2).contiguous() for x in tensors]
        turned = attend(*moved, mask=causal, layout="BNHD")
        self.assertTrue(torch.equal(turned, out.transpose(1, 2)))
        half = [x.bfloat16() for x in tensors]
        self.assertEqual(attend(*half, mask=causal).dtype, torch.bfloat16)
        # Tensors that only the body of the function knows.
        made = attend(*tensors, score=lambda s, b, h, i, j: s + torch.arange(33)[j] * 0.25)
        wanted = attend(*tensors, score=lambda s, b, h, i, j: s + j * 0.25)
        self.assertTrue(torch.equal(made, wanted))

    @unittest.skipIf(torch is None, "needs PyTorch")
    def test_block_masks_of_pytorch(self):
        from torch.nn.attention import flex_attention as flex
        tensors = [torch.from_numpy(x) for x in make_operands(15)]
        prefix = torch.tensor([3, 20])
        mask = flex.or_masks(lambda b, h, q_idx, kv_idx: kv_idx < prefix[b], causal)
        score = lambda s, b, h, q_idx, kv_idx: torch.where(q_idx - kv_idx < 9, s, s / (h + 2))
        block_mask = flex.create_block_mask(mask, 2, None, 33, 33, device="cpu")
        wanted = flex.flex_attention(*tensors, score_mod=score, block_mask=block_mask)
        out = attn_mlir.flex_attention(*tensors, score_mod=score, block_mask=block_mask)
        self.assertLess((out - wanted).abs().max(), 1e-5)

    @unittest.skipIf(torch is None, "needs PyTorch")
    def test_a_module_with_parameters(self):
        class Bias(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.table = torch.nn.Parameter(torch.linspace(-1, 1, 4))

            def forward(self, q, k, v):
                return attend(q, k, v, score=self.score)

            def score(self, s, b, h, i, j):
                return s + self.table[h] * (i - j)

        tensors = [torch.from_numpy(x) for x in make_operands(14)]
        module = Bias()
        with torch.no_grad():
            out = module(*tensors)
        slopes = module.table.detach()
        wanted = attend(*tensors, score=lambda s, b, h, i, j: s + slopes[h] * (i - j))
        self.assertTrue(torch.equal(out, wanted))


class Recurrences(unittest.TestCase):
    def step_by_step(self, q, k, v, g, beta=None, h0=None):
        """Token by token in float64."""
        decay = np.exp(g.astype(np.float64))
        decay = decay[:, :, :, None] if decay.ndim == 3 else decay
        state = np.zeros((*q.shape[:2], q.shape[3], v.shape[3])) if h0 is None else h0.copy()
        out = np.zeros((*q.shape[:3], v.shape[3]))
        for t in range(q.shape[2]):
            write = k[:, :, t] if beta is None else k[:, :, t] * beta[:, :, t, None]
            state = state * decay[:, :, t, :, None] + write[..., None] * v[:, :, t, None]
            out[:, :, t] = np.einsum("bhd,bhde->bhe", q[:, :, t], state) * q.shape[3] ** -0.5
        return out, state

    def test_gates(self):
        q, k, v = make_operands(15)
        rng = np.random.default_rng(16)
        g = -rng.random(q.shape, np.float32)
        h0 = rng.standard_normal((2, 4, 16, 16)).astype(np.float32)
        beta = rng.random(q.shape[:3], np.float32)
        for keywords in (dict(g=g), dict(g=g[..., 0].copy(), beta=beta), dict(g=g, h0=h0)):
            results = attn_mlir.recur(q, k, v, output_final_state=True, **keywords)
            for result, wanted in zip(results, self.step_by_step(q, k, v, **keywords)):
                self.assertLess(np.abs(result - wanted).max(), 2e-5)
        op = attn_mlir.compile_recur(q, k, v, g=g)
        np.testing.assert_array_equal(op(q, k, v, g), op(q, k, v=v, g=g))

    def test_heads_after_tokens(self):
        q, k, v = make_operands(17)
        g = -np.random.default_rng(18).random(q.shape[:3], np.float32)
        wanted = attn_mlir.recur(q, k, v, g=g)
        turned = [np.ascontiguousarray(x.swapaxes(1, 2)) for x in (q, k, v, g)]
        result = attn_mlir.recur(*turned[:3], g=turned[3], layout="BNHD")
        self.assertLess(np.abs(result.swapaxes(1, 2) - wanted).max(), 1e-5)

    def test_sequences_of_several_lengths(self):
        q, k, v = (x[:1] for x in make_operands(19))
        g = -np.random.default_rng(20).random(q.shape[:3], np.float32)
        offsets = np.array([0, 9, 9, 33], np.int32)
        out, ht = attn_mlir.recur(q, k, v, g=g, cu_seqlens=offsets, output_final_state=True)
        self.assertEqual(ht.shape, (3, 4, 16, 16))
        for n, (begin, end) in enumerate(zip(offsets[:-1], offsets[1:])):
            part = [x[:, :, begin:end] for x in (q, k, v, g)]
            wanted, state = self.step_by_step(*part)
            self.assertLess(np.abs(out[:, :, begin:end] - wanted).max(initial=0), 2e-5)
            self.assertLess(np.abs(ht[n] - state[0]).max(), 2e-5)
        # Fewer tokens are in sequences: the other rows are 0, and the first as before.
        short = attn_mlir.recur(q, k, v, g=g, cu_seqlens=offsets[:2], out=np.full_like(out, 7))
        np.testing.assert_array_equal(short[:, :, :9], out[:, :, :9])
        self.assertFalse(short[:, :, 9:].any())


if __name__ == "__main__":
    unittest.main()
