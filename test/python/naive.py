#===- naive.py - The formula over whole matrices --------------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Attention as the formula says it, with the same Python functions: they are called
once, on arrays of indices, in NumPy or PyTorch."""

import numpy as np

try:
    import torch
except ImportError:
    torch = None

# The library in which the examples are written and evaluated.
xp = torch if torch is not None else np


def to_library(array):
    """An array of NumPy as one of the library."""
    return torch.from_numpy(array) if torch is not None else array


def to_numpy(array):
    return array.numpy() if torch is not None and isinstance(array, torch.Tensor) else array


def normal(rng, *shape, dtype=np.float32):
    return to_library(rng.standard_normal(shape).astype(dtype))


class Single(np.ndarray):
    """Arrays whose arithmetic is rounded to float32, also that of float32 and
    integers, for which NumPy takes float64."""

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        return self._round(getattr(ufunc, method)(*map(self._strip, inputs), **kwargs))

    def __array_function__(self, function, types, args, kwargs):
        return self._round(function(*map(self._strip, args), **kwargs))

    @staticmethod
    def _strip(x):
        return x.view(np.ndarray) if isinstance(x, Single) else x

    @staticmethod
    def _round(x):
        x = np.asarray(x)
        return (x.astype(np.float32) if x.dtype == np.float64 else x).view(Single)


def make_indices(sizes):
    """An array of indices for each axis, which broadcast against each other."""
    rank = len(sizes)
    return [to_library(np.arange(size, dtype=np.int64).reshape([-1 if axis == at else 1
                                                                for at in range(rank)]))
            for axis, size in enumerate(sizes)]


@np.errstate(divide="ignore")  # The logarithm of 0, where a row has no keys.
def attention(q, k, v, score=None, mask=None, prob=None, sink=None, scale=None, dtype="float64"):
    """(out, lse) of operands [B, H, *tokens, D], computed in `dtype`."""
    kind = getattr(xp, dtype)
    convert = (lambda x: x.to(kind)) if torch is not None else (lambda x: x.astype(kind))
    batch, heads = q.shape[:2]
    queries, keys = tuple(q.shape[2:-1]), tuple(k.shape[2:-1])
    group = heads // k.shape[1]
    flat = lambda x: convert(x).reshape(x.shape[0], x.shape[1], -1, x.shape[-1])
    q, k, v = flat(q), flat(k), flat(v)
    head_of = [head // group for head in range(heads)]
    k, v = k[:, head_of], v[:, head_of]
    s = xp.einsum("bhid,bhjd->bhij", q, k) * (q.shape[-1] ** -0.5 if scale is None else scale)
    full = (batch, heads, *queries, *keys)
    places = make_indices(full)
    s = s.reshape(full)
    if torch is None and dtype == "float32":
        s, places = s.view(Single), [place.view(Single) for place in places]
    if score is not None:
        s = score(s, *places)
    keep = mask(*places) if mask is not None else True
    keep = xp.broadcast_to(xp.asarray(keep), full)
    low = xp.asarray(float("-inf"), dtype=kind)
    rows = (batch, heads, int(np.prod(queries)), int(np.prod(keys)))
    s = xp.where(keep, s, low).reshape(rows)
    top = xp.amax(s, -1) if rows[-1] else convert(xp.zeros(rows[:3]))
    top = xp.where(xp.isfinite(top), top, xp.asarray(0.0, dtype=kind))
    p = xp.exp(s - top[..., None])
    total = p.sum(-1)
    if sink is not None:
        total = total + xp.exp(convert(sink)[None, :, None] - top)
    lse = top + xp.log(total)
    p = p / xp.where(total == 0, xp.asarray(1.0, dtype=kind), total)[..., None]
    if prob is not None:
        p = xp.where(keep, prob(p.reshape(full), *places), xp.asarray(0.0, dtype=kind))
    out = xp.einsum("bhij,bhjd->bhid", p.reshape(rows), v)
    return out.reshape(batch, heads, *queries, v.shape[-1]), lse.reshape(batch, heads, *queries)


def find_error(result, reference, naive):
    """The largest error of a result and what it may be: docs/numerics.md."""
    result, reference, naive = (np.asarray(to_numpy(x), np.float64)
                                for x in (result, reference, naive))
    finite = np.isfinite(reference)
    if (np.isfinite(result) != finite).any():
        return np.inf, 0.0
    result, reference, naive = result[finite], reference[finite], naive[finite]
    error = np.abs(result - reference).max(initial=0)
    allowed = max(2 * np.abs(naive - reference).max(initial=0),
                  8 * 2.0**-23 * np.abs(reference).max(initial=0))
    return error, allowed
