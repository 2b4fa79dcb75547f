#===- peers.py - What PyTorch has beside our kernels on a GPU --------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""scaled_dot_product_attention with each of its backends, compiled
FlexAttention, and probes: products of large matrices and a large copy.

Everything runs on PyTorch's default stream, which is the null stream of the
driver. A backend that refuses a case is named with its reason.
"""

import contextlib
import dataclasses
import warnings

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

import paths  # noqa: F401  (makes compare_torch importable.)
import plan
import recurrences
import compare_torch

TYPES = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}
BACKENDS = {"cudnn": SDPBackend.CUDNN_ATTENTION, "flash": SDPBackend.FLASH_ATTENTION,
            "efficient": SDPBackend.EFFICIENT_ATTENTION}
MATRIX, COPY_BYTES = 8192, 1 << 30


def is_near(b, h, i, j):
    return (i >= j) & (i - j < plan.WINDOW)


VARIANTS = {variant.name: variant for variant in compare_torch.VARIANTS}
VARIANTS["sliding-window"] = dataclasses.replace(VARIANTS["sliding-window"], keep=is_near)
# One query at the end sees every key.
VARIANTS["decode"] = compare_torch.Variant("decode")


def get_reason(error, warned):
    """The first line of what PyTorch says. Backends give their reasons as warnings,
    after one that only says that they were not used."""
    reasons = [str(warning.message) for warning in warned]
    reasons = [text.split(" (Triggered")[0] for text in reasons
               if "Triggered internally" in text and "not used because" not in text]
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return reasons[0] if reasons else lines[0]


@dataclasses.dataclass(frozen=True)
class Peer:
    """A contender: `run(index)` on one of the sets, within a context."""

    run: object
    context: object = contextlib.nullcontext

    def run_once(self):
        """The result for the first set."""
        with self.context():
            return self.run(0)


class Peers:
    """Makes tensors and contenders on a device of PyTorch."""

    def __init__(self, device):
        self._device = device
        torch.set_grad_enabled(False)
        # Whoever is asked for float32 computes in it.
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = False
        torch._dynamo.config.cache_size_limit = 1024
        torch.set_warn_always(True)  # Not only for the first case.

    def make_sets(self, shapes, dtype, count):
        torch.manual_seed(1)
        return [[torch.randn(shape, dtype=TYPES[dtype], device=self._device)
                 for shape in shapes] for _ in range(count)]

    def make_recurrences(self):
        """Makes tensors and peers of recurrences."""
        return recurrences.Tensors(torch, self._device, TYPES)

    def make_outputs(self, q):
        return [torch.full_like(q, torch.nan),
                torch.full(q.shape[:3], torch.nan, dtype=torch.float32, device=q.device)]

    @staticmethod
    def release():
        """Gives memory back that PyTorch keeps for later."""
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    @staticmethod
    def get_view(tensor):
        return tensor.data_ptr(), tuple(tensor.shape), tuple(tensor.stride())

    def make_calls(self, case, sets):
        """Contenders by name, and who refuses the case, with the reason."""
        makers = ({"flex": self._make_flex} if case["kind"] == "flex" else
                  {name: self._make_sdpa(backend) for name, backend in BACKENDS.items()})
        calls, refused = {}, {}
        for name, make in makers.items():
            with warnings.catch_warnings(record=True) as warned:
                warnings.simplefilter("always")
                try:
                    call = make(VARIANTS[case["spec"]], sets)
                    call.run_once()
                    calls[name] = call
                except Exception as error:  # Each of them has errors of its own.
                    refused[name] = get_reason(error, warned)
        return calls, refused

    def _make_sdpa(self, backend):
        def make(variant, sets):
            q, k, _ = sets[0]
            if not variant.has_sdpa:
                raise RuntimeError("scores that are no sum with a bias")
            if variant.score and compare_torch.get_score_bytes(q) > compare_torch.LARGEST_MATRIX:
                raise RuntimeError("the matrix of biases is too large")
            options = compare_torch.get_sdpa_options(variant, q)
            options["enable_gqa"] = k.shape[1] != q.shape[1]
            function = torch.nn.functional.scaled_dot_product_attention

            # Choosing a backend takes as long as a short kernel, so timing.py
            # does that once for many calls.
            return Peer(lambda index: function(*sets[index % len(sets)], **options),
                        lambda: sdpa_kernel(backend))
        return make

    def _make_flex(self, variant, sets):
        run = compare_torch.compile_flex(variant, sets[0][0])
        return Peer(lambda index: run(*sets[index % len(sets)]))

    def get_errors(self, case, results, q, k, v):
        """The largest error of every result, and what is allowed."""
        variant = VARIANTS[case["spec"]]
        if q.shape[1] != k.shape[1]:  # The last head is compared; that is enough.
            q, k, v = (x[:1, -1:] for x in (q, k, v))
            results = {name: x[:1, -1:] for name, x in results.items()}
        return compare_torch.get_errors(variant, results, q[:1], k[:1], v[:1])

    def make_probe(self, probe):
        """(peer, operations, bytes) of a probe."""
        # Dry runs on the CPU should not wait for it.
        matrix, copied = (256, 1 << 20) if self._device == "cpu" else (MATRIX, COPY_BYTES)
        if probe == "copy":
            source = torch.zeros(copied, dtype=torch.uint8, device=self._device)
            target = torch.empty_like(source)
            return Peer(lambda index: target.copy_(source)), 0, 2 * copied
        left, right = (torch.randn(matrix, matrix, device=self._device).to(TYPES[probe])
                       for _ in range(2))
        result = torch.empty_like(left)
        moved = 3 * left.numel() * left.element_size()
        return Peer(lambda index: torch.mm(left, right, out=result)), 2 * matrix**3, moved
