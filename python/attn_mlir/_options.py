#===- _options.py - What a call of attention is given ---------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""The arguments of attend() and what they have to be."""

from __future__ import annotations

from typing import Any, Callable, NamedTuple, Optional

from ._arrays import STORAGE, Description, Device, check_array, describe
from ._context import check_strides
from ._errors import ArgumentError, DeviceError, DTypeError, ShapeError

Function = Callable[..., Any]


class Functions(NamedTuple):
    """What of a call is Python code or an array with a place in a region."""

    score: Optional[Function] = None
    mask: Optional[Function] = None
    prob: Optional[Function] = None
    sink: Any = None


class Options(NamedTuple):
    """What of a call is a number or a word; part of the key."""

    scale: Optional[float] = None
    return_lse: bool = False
    is_causal: bool = False
    window_size: Optional[tuple[int, int]] = None
    softcap: Optional[float] = None
    enable_gqa: bool = False
    alignment: Optional[str] = None
    normalizer: str = "softmax"
    layout: str = "BHND"
    target: Optional[str] = None
    schedule: Optional[str] = None
    tuning_db: Optional[str] = None


class Layout(NamedTuple):
    """What the text of an operation needs to know of its operands."""

    dtype: str
    axes: int
    features: tuple[int, int]
    shared: tuple[bool, bool, bool]
    device: Device


def check_options(options: Options) -> None:
    words = {"normalizer": ("softmax", "sum", "none"), "layout": ("BHND", "BNHD"),
             "alignment": (None, "start", "end")}
    for name, allowed in words.items():
        if getattr(options, name) not in allowed:
            raise ArgumentError(f"'{name}': expected {', '.join(map(repr, allowed))}, got "
                                f"{getattr(options, name)!r}")
    for name in ("scale", "softcap"):
        value = getattr(options, name)
        if value is not None and not _is_finite(value):
            raise ArgumentError(f"'{name}': expected a finite number, got {value!r}")
    if options.softcap is not None and options.softcap <= 0:
        raise ArgumentError(f"'softcap': expected a positive number, got {options.softcap!r}")
    window = options.window_size
    if window is not None and not (isinstance(window, tuple) and len(window) == 2
                                   and all(isinstance(size, int) and size >= -1
                                           for size in window)):
        raise ArgumentError("'window_size': expected (left, right), two integers of at least -1, "
                            f"which means no limit, got {window!r}")
    if options.return_lse and options.normalizer != "softmax":
        raise ArgumentError(f"'return_lse' needs normalizer='softmax', got {options.normalizer!r}")


def _is_finite(value: Any) -> bool:
    try:
        return abs(float(value)) < float("inf")
    except (TypeError, ValueError):
        return False


# Layouts of operands that were examined, by types and sizes. Strides are checked by
# the kernel.
_examined: dict[tuple, Layout] = {}
_MOST_EXAMINED = 4096


def examine(q: Any, k: Any, v: Any, options: Options) -> Layout:
    """Checks the operands against each other, and tells their layout."""
    try:
        key = (options.enable_gqa, *[
            part for x in (q, k, v)
            for part in (type(x), x.dtype, x.shape, getattr(x, "device", None))])
        known = _examined.get(key)
    except (AttributeError, TypeError):
        return _examine(q, k, v, options)
    if known is None:
        known = _examine(q, k, v, options)
        if len(_examined) >= _MOST_EXAMINED:
            _examined.clear()
        _examined[key] = known
    return known


def _examine(q: Any, k: Any, v: Any, options: Options) -> Layout:
    shapes = []
    for name, array in (("q", q), ("k", k), ("v", v)):
        check_array(array, name)
        shapes.append(describe(array))
        check_strides(array, name)
    query, key, value = shapes
    _check_types(query, key, value)
    rank = len(query.shape)
    if rank not in (4, 5, 6):
        raise ShapeError("argument 'q': expected rank 4 (batch, heads, tokens, features), 5 or 6 "
                         f"for tokens on a grid, got {rank}")
    for name, shape in (("k", key), ("v", value)):
        if len(shape.shape) != rank:
            raise ShapeError(f"argument '{name}': expected rank {rank} as of 'q', got "
                             f"{len(shape.shape)}")
    _check_sizes(query.shape, key.shape, value.shape, options)
    batches = [shape.shape[0] for shape in shapes]
    most = max(batches)
    for name, size in zip("qkv", batches):
        if size not in (1, most) or 0 in batches and size != 0:
            raise ShapeError(f"argument '{name}': expected a batch of {most} or 1, got {size}")
    shared = tuple(size == 1 and most > 1 for size in batches)
    return Layout(query.dtype, rank - 3, (query.shape[-1], value.shape[-1]),
                  (shared[0], shared[1], shared[2]), query.device)


def _check_types(query: Description, key: Description, value: Description) -> None:
    if query.dtype not in STORAGE:
        raise DTypeError(f"argument 'q': expected element type {', '.join(STORAGE)}, got "
                         f"{query.dtype}")
    for name, shape in (("k", key), ("v", value)):
        if shape.dtype != query.dtype:
            raise DTypeError(f"argument '{name}': expected element type {query.dtype} as of 'q', "
                             f"got {shape.dtype}")
        if shape.device != query.device:
            raise DeviceError(f"argument '{name}': expected it on {query.device} as 'q', got "
                              f"{shape.device}")


def _check_sizes(query: tuple, key: tuple, value: tuple, options: Options) -> None:
    if query[-1] != key[-1]:
        raise ShapeError(f"argument 'k': expected {query[-1]} features as of 'q', got {key[-1]}")
    if query[-1] == 0 or value[-1] == 0:
        raise ShapeError("expected at least one feature, got 0")
    if key[1:-1] != value[1:-1]:
        raise ShapeError(f"argument 'v': expected heads and tokens {key[1:-1]} as of 'k', got "
                         f"{value[1:-1]}")
    heads, groups = query[1], key[1]
    if heads == groups:
        return
    if not options.enable_gqa:
        raise ShapeError(f"argument 'k': expected {heads} heads as of 'q', got {groups}; pass "
                         "enable_gqa=True if query heads share those of keys")
    if groups == 0 or heads % groups:
        raise ShapeError(f"argument 'q': expected a multiple of the {groups} heads of 'k', got "
                         f"{heads}")
