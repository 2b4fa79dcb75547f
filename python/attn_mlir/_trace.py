#===- _trace.py - Python functions become regions ---------------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Runs a score, mask, prob or sink function once, on values that write down what
is done with them."""

from __future__ import annotations

import contextlib
import inspect
import traceback
from typing import Any, Callable, NamedTuple

from ._arrays import torch_module
from ._closures import lift
from ._errors import AttnError, DTypeError, TraceError
from ._functions import both
from ._graph import BOOL, INDEX, Captures, Graph
from ._operands import as_node, describe_type, to_float
from ._values import Traced, apply_torch, is_library, tracing


class Region(NamedTuple):
    """A traced function: its text, and which arguments it uses."""

    text: str
    used: frozenset[str]


def trace(functions: tuple[Callable, ...], region: str,
          arguments: tuple[tuple[str, str], ...], accumulator: str,
          captures: Captures) -> Region:
    """Traces functions to one region, whose arguments have these names and types.
    Masks must all hold; scores are handed from one function to the next."""
    graph = Graph(region, accumulator, captures)
    proxies = [Traced(graph.add_argument(name, type)) for name, type in arguments]
    names = [name for name, _ in arguments]
    known: dict = {}
    result = None
    for function in functions:
        _check_arguments(function, region, names)
        with tracing(graph), _torch_mode():
            value = _run(lift(function, region, known), region, proxies)
            node = _check_result(value, function, graph)
            if region == "mask":
                result = node if result is None else both(result, node)
            else:
                result, proxies[0] = node, Traced(node)
    assert result is not None
    used = frozenset(argument.op[1:] for argument in graph.arguments
                     if graph.is_used((result,), argument))
    return Region(graph.print((result,), "      "), used)


def _check_arguments(function: Callable, region: str, names: list[str]) -> None:
    if not callable(function):
        raise TraceError(region, f"expected a function, got '{type(function).__name__}'",
                         f"write lambda {', '.join(names)}: ...")
    try:
        inspect.signature(function).bind(*names)
    except TypeError:
        expected = f"{len(names)} arguments ({', '.join(names)})"
        given = str(inspect.signature(function))
        raise TraceError(region, f"expected a function of {expected}, got {given}", "",
                         *_find_definition(function)) from None
    except ValueError:
        pass  # One of C, whose arguments nobody knows.


def _find_definition(function: Any) -> tuple[str, int]:
    code = getattr(inspect.unwrap(function), "__code__", None)
    code = code or getattr(getattr(type(function), "__call__", None), "__code__", None)
    return (code.co_filename, code.co_firstlineno) if code else ("", 0)


def _run(function: Callable, region: str, proxies: list[Traced]) -> Any:
    try:
        return function(*proxies)
    except (TraceError, DTypeError):
        raise
    except Exception as error:
        place = ("", 0)
        for frame, lineno in traceback.walk_tb(error.__traceback__):
            if not is_library(frame.f_code.co_filename):
                place = (frame.f_code.co_filename, lineno)
        reason = str(error) if isinstance(error, AttnError) else \
            f"{type(error).__name__}: {error}"
        raise TraceError(region, reason, "", *place) from error


def _check_result(result: Any, function: Callable, graph: Graph) -> Any:
    place = _find_definition(function)
    wanted = "bool" if graph.region == "mask" else "float"
    if result is None or isinstance(result, (tuple, list, str, dict)):
        raise TraceError(graph.region, f"must return one {wanted}, got "
                         f"'{type(result).__name__}'", "", *place)
    try:
        node = as_node(result)
    except TraceError as error:
        raise TraceError(graph.region, error.reason, error.hint, *place) from None
    if (node.type == BOOL) != (wanted == "bool") or wanted == "bool" and node.type == INDEX:
        hint = "compare it, as in x != 0" if wanted == "bool" else \
            "write where(condition, x, y); pairs are dropped by a mask"
        raise TraceError(graph.region, f"must return a {wanted}, got a {describe_type(node)}",
                         hint, *place)
    return node if wanted == "bool" else to_float(node)


def _torch_mode() -> Any:
    """Catches functions of PyTorch on tensors that meet traced values, such as a
    tensor that is indexed by one."""
    torch = torch_module()
    base = getattr(getattr(torch, "overrides", None), "TorchFunctionMode", None)
    if base is None:
        return contextlib.nullcontext()

    class Mode(base):  # type: ignore[misc, valid-type]
        def __torch_function__(self, function: Any, types: Any, args: Any = (),
                               kwargs: Any = None) -> Any:
            if _has_traced(args) or _has_traced((kwargs or {}).values()):
                return apply_torch(function, args, kwargs or {})
            return function(*args, **(kwargs or {}))

    return Mode()


def _has_traced(values: Any) -> bool:
    return any(isinstance(value, Traced) or
               isinstance(value, (tuple, list)) and _has_traced(value) for value in values)


INDICES = {1: (("i",), ("j",)), 2: (("iy", "ix"), ("jy", "jx")),
           3: (("iz", "iy", "ix"), ("jz", "jy", "jx"))}


def pair_arguments(region: str, axes: int, accumulator: str) -> tuple[tuple[str, str], ...]:
    """Names and types of the arguments of a pair region on a grid."""
    queries, keys = INDICES[axes]
    names = ("b", "h", *queries, *(() if region == "sink" else keys))
    first = {"score": (("s", accumulator),), "prob": (("p", accumulator),)}.get(region, ())
    return (*first, *((name, INDEX) for name in names))
