#===- _attend.py - attend() and compile_attend() --------------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Pairwise attention with Python functions for scores and masks."""

from __future__ import annotations

import copy
import functools
from typing import Any, Callable, NamedTuple, NoReturn, Optional

import numpy as np

from ._arrays import check_array, is_tensor
from ._closures import fingerprint
from ._context import (CompiledFunction, check_captured, check_port, has_database,
                       locate_database, round_length)
from ._errors import ArgumentError, ShapeError, TraceError
from ._graph import Captures
from ._options import Function, Functions, Layout, Options, check_options, examine
from ._text import compares_positions, name_axes, trace_regions, write_text


# Lengths of q and k, rounded, where a tuning database decides.
Lengths = tuple[tuple[int, ...], tuple[int, ...]]


def _name_lengths(lengths: Lengths, axes: tuple[tuple[str, ...], tuple[str, ...]],
                  captures: Captures) -> dict[str, int]:
    """The sizes that make a bucket, by their names in the spec."""
    dims = {f"{capture.name}_{axis}": round_length(size) for capture in captures.all
            for axis, size in enumerate(capture.array.shape) if axis >= 2}
    for names, sizes in zip(reversed(axes), reversed(lengths)):
        dims.update(zip(names, sizes))
    return dims


class Limit(NamedTuple):
    """A captured tensor that is indexed by a coordinate: along `axis`, capture number
    `place` must be as large as q, or k if `of_key`, along `dim`."""

    place: int
    axis: int
    of_key: bool
    dim: int


def _find_limits(captures: Captures, options: Options, layout: Layout) -> tuple[Limit, ...]:
    limits = []
    for place, capture in enumerate(captures.all):
        for axis, coordinates in sorted(capture.coordinates.items()):
            for name in sorted(coordinates):
                found = _locate(name, options, layout)
                if found is not None:
                    limits.append(Limit(place, axis, *found))
    return tuple(limits)


def _locate(name: str, options: Options, layout: Layout) -> Optional[tuple[bool, int]]:
    """The operand and dimension over which a coordinate runs."""
    if name == "b":
        return layout.shared[0], 0
    if name == "h":
        return False, 1
    if name[:1] not in ("i", "j"):
        return None
    axis = 2 if len(name) == 1 else 2 + "zyx"[3 - layout.axes:].index(name[1])
    return name[0] == "j" or options.alignment == "end", axis


class CompiledAttend(CompiledFunction):
    """What compile_attend() returns: a function of q, k and v. The arrays that its
    Python functions read are those of then, unless others are given by name.

    `text` is the spec, which the command line tools take as well; `captures` has
    the arrays by name.
    """

    def __init__(self, functions: Functions, options: Options, layout: Layout, threads: int = 0,
                 lengths: Optional[Lengths] = None):
        captures = Captures(("q", "k", "v", "out", "lse"))
        regions = trace_regions(functions, options, layout, captures)
        for capture in captures.all:
            check_captured(capture.array, capture.name, layout.device)
        self._same_lengths = options.alignment is None and compares_positions(regions)
        self._heads_last = options.layout == "BNHD"
        self._limits = _find_limits(captures, options, layout)
        self.captures = {capture.name: capture.array for capture in captures.all}
        self._captured = tuple(self.captures.values())
        super().__init__(write_text(options, layout, regions, captures), device=layout.device,
                         target=options.target, schedule=options.schedule, name="attend",
                         threads=threads, tuning_db=options.tuning_db,
                         dims=_name_lengths(lengths, name_axes(options, layout, regions), captures)
                         if lengths else None)

    def __call__(self, q: Any, k: Any, v: Any, *, out: Any = None,  # type: ignore[override]
                 **named: Any) -> Any:
        return self.call(q, k, v, self._replace(named) if named else self._captured, out)

    def bind(self, captured: tuple) -> "CompiledAttend":
        """The same with these arrays."""
        bound = copy.copy(self)
        bound._captured = captured
        bound.captures = dict(zip(self.captures, captured))
        return bound

    def release(self) -> None:
        """Lets go of the arrays, which each call brings."""
        self._captured = ()
        self.captures = dict.fromkeys(self.captures)

    def _replace(self, named: dict[str, Any]) -> tuple:
        for name, array in named.items():
            if name not in self.captures:
                known = ", ".join(self.captures) or "none"
                raise ArgumentError(f"captured tensor '{name}' is unknown; there are: {known}")
            check_array(array, name)
        return tuple(named.get(name, array) for name, array in self.captures.items())

    def call(self, q: Any, k: Any, v: Any, captured: tuple, out: Any = None) -> Any:
        """Runs the kernel on these arrays in place of those that were captured."""
        if self._heads_last:
            q, k, v = map(move_heads, (q, k, v))
        try:
            if self._same_lengths or self._limits:
                self._check_call(q, k, captured)
        except (AttributeError, IndexError):
            self._diagnose((q, k, v, *captured))
            raise
        if not self._heads_last:
            return self._launch((q, k, v, *captured), out)
        return self._call_heads_last((q, k, v, *captured), out)

    def _check_call(self, q: Any, k: Any, captured: tuple) -> None:
        """What the kernel does not know, or does not say as well."""
        queries, keys = q.shape, k.shape
        if self._same_lengths and queries[2:-1] != keys[2:-1]:
            for array, port in zip((q, k), self.arguments):
                check_port(array, port, self._device)
            raise ShapeError(
                f"argument 'k': expected {_spell(queries[2:-1])} tokens as of 'q', got "
                f"{_spell(keys[2:-1])}; as positions are compared, pass alignment='start' (query "
                "0 is token 0) or alignment='end' (the last query is the last token)")
        for place, axis, of_key, dim in self._limits:
            size = (keys if of_key else queries)[dim]
            if captured[place].shape[axis] < size:
                self._fail_limit(place, axis, captured[place].shape[axis], size)

    def _fail_limit(self, place: int, axis: int, given: int, size: int) -> NoReturn:
        name = list(self.captures)[place]
        raise ShapeError(f"captured tensor '{name}': dimension {axis} is read up to {size - 1}, so "
                         f"it must have at least {size} elements, got {given}")

    def _call_heads_last(self, arrays: tuple, out: Any) -> Any:
        outs = out if isinstance(out, tuple) or out is None else (out,)
        allocators = list(self._find_allocators(arrays))
        if outs is None:
            allocators[0] = functools.partial(_allocate_heads_last, allocators[0])
            results = self._run(arrays, tuple(allocators))
        else:
            results = self._run(arrays, self._results_given((move_heads(outs[0]), *outs[1:])))
        return self._pack((return_heads(results[0]), *results[1:]))


def _spell(sizes: Any) -> str:
    return " x ".join(map(str, sizes))


def move_heads(array: Any) -> Any:
    """[B, *tokens, H, D] as [B, H, *tokens, D]."""
    if is_tensor(array):
        return array.movedim(-2, 1)
    return np.moveaxis(array, -2, 1)


def return_heads(array: Any) -> Any:
    return array.movedim(1, -2) if is_tensor(array) else np.moveaxis(array, 1, -2)


def _allocate_heads_last(allocate: Callable, shape: tuple[int, ...]) -> Any:
    return move_heads(allocate((shape[0], *shape[2:-1], shape[1], shape[-1])))


#===-----------------------------------------------------------------------===#
# The functions of the package
#===-----------------------------------------------------------------------===#

_ALIASES = {"causal": "is_causal", "softmax_scale": "scale", "sm_scale": "scale",
            "attn_scale": "scale"}
_MOST_COMPILED = 1024
# Operations by key, and where each of their captured arrays comes from: a number
# in the list of the fingerprint, or the array itself.
_compiled: dict[tuple, tuple[CompiledAttend, tuple]] = {}


def _make_options(keywords: dict[str, Any]) -> Options:
    for alias, name in _ALIASES.items():
        if alias in keywords:
            if name in keywords:
                raise ArgumentError(f"'{name}' is given twice, also as '{alias}'")
            keywords[name] = keywords.pop(alias)
    for name in keywords:
        if name not in Options._fields:
            raise TypeError(f"attend() got an unexpected keyword argument '{name}'")
    if isinstance(keywords.get("window_size"), list):
        keywords["window_size"] = tuple(keywords["window_size"])
    if "tuning_db" in keywords:
        keywords["tuning_db"] = locate_database(keywords["tuning_db"])
    options = Options(**keywords)
    if options != Options():
        check_options(options)
    return options


def attend(q: Any, k: Any, v: Any, *, score: Optional[Function] = None,
           mask: Optional[Function] = None, prob: Optional[Function] = None, sink: Any = None,
           out: Any = None, threads: int = 0, **options: Any) -> Any:
    """Attention of queries `q` [B, H, N, D] over keys `k` and values `v`.

    `score(s, b, h, i, j)`, `mask(b, h, i, j)` and `prob(p, b, h, i, j)` are Python
    functions of one pair of a query and a key; on grids of two axes, of
    `(b, h, iy, ix, jy, jx)`. They are traced once, and compiled once for all
    batches, heads and lengths. `sink` is an array [H] or a function `(b, h, i)`.

    Options, with their defaults:
      scale=None            of the products; 1 / sqrt(D)
      return_lse=False      also return the log-sum-exp, float32 [B, H, N]
      is_causal=False       drop keys after the query
      window_size=None      (left, right): drop keys further away; -1: no limit
      softcap=None          c: scores become c * tanh(s / c), before `score`
      enable_gqa=False      k and v may have fewer heads, which divide those of q
      alignment=None        'start' or 'end': where queries stand among the keys;
                            needed where numbers differ and positions are compared
      normalizer='softmax'  or 'sum' or 'none'
      layout='BHND'         or 'BNHD': heads after the tokens, in q, k, v and out
      target, schedule      as for the compiler: 'cpu:avx2', 'block_q=64,block_k=64'
      tuning_db=None        a database of schedules, of which the record of the lengths
                            is taken; None: what ATTN_TUNING_DB names; '': none

    Returns an array like `q`, or (out, lse). Rows without keys are 0, their lse
    -inf.
    """
    chosen = _make_options(options)
    functions = Functions(score, mask, prob, sink)
    op, captured = _find_op(q, k, v, functions, chosen, threads)
    return op.call(q, k, v, captured, out)


def _round(sizes: Any) -> tuple[int, ...]:
    return tuple([round_length(size) for size in sizes])


def _find_op(q: Any, k: Any, v: Any, functions: Functions, options: Options,
             threads: int) -> tuple[CompiledAttend, tuple]:
    operands = (q, k, v)
    if options.layout == "BNHD":
        for name, array in zip("qkv", operands):
            check_array(array, name)
        operands = tuple(move_heads(array) for array in operands)
    layout = examine(*operands, options)
    try:
        has_none = all(function is None for function in functions)
        marks, arrays = ((), []) if has_none else fingerprint(functions)
    except (ValueError, RecursionError) as error:
        raise TraceError("attend", "the functions read too many objects, or too deep ones",
                         "close over what they need, not over an object with much more") from error
    key: tuple = (layout, options, threads, marks)
    lengths = None
    if has_database(options.tuning_db, options.schedule):
        lengths = _round(operands[0].shape[2:-1]), _round(operands[1].shape[2:-1])
        key += (lengths, tuple([_round(array.shape[2:]) for array in arrays]))
    found = _compiled.get(key)
    if found is None:
        op = CompiledAttend(functions, options, layout, threads, lengths)
        places = {id(array): place for place, array in enumerate(arrays)}
        sources = tuple(places.get(id(array), array) for array in op.captures.values())
        op.release()
        while len(_compiled) >= _MOST_COMPILED:
            _compiled.pop(next(iter(_compiled)), None)
        found = _compiled[key] = (op, sources)
    op, sources = found
    return op, tuple([arrays[source] if type(source) is int else source for source in sources])


def compile_attend(q: Any, k: Any, v: Any, *, score: Optional[Function] = None,
                   mask: Optional[Function] = None, prob: Optional[Function] = None,
                   sink: Any = None, threads: int = 0, **options: Any) -> CompiledAttend:
    """attend() without the call: a function of q, k and v.

    Of these examples, element type, device, rank and features count; batches,
    heads and lengths are free in calls. It does less in each call than attend(),
    which looks at its Python functions every time. A tuning database is asked for
    the lengths of these examples; `schedule` and `schedule_origin` of the result say
    what was chosen, and by whom.
    """
    chosen = _make_options(options)
    op, captured = _find_op(q, k, v, Functions(score, mask, prob, sink), chosen, threads)
    return op.bind(captured)


__all__ = ["CompiledAttend", "attend", "compile_attend"]
