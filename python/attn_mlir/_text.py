#===- _text.py - The spec of a call of attention --------------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Traces the functions of a call and writes the text for the compiler."""

from __future__ import annotations

from typing import Any, Sequence

from ._arrays import is_array
from ._errors import ShapeError, UnsupportedError
from ._functions import apply as apply_function
from ._graph import Captures, spell_float
from ._options import Function, Functions, Layout, Options
from ._trace import Region, pair_arguments, trace

AXES = {1: ("N",), 2: ("Y", "X"), 3: ("Z", "Y", "X")}


def _is_past(b: Any, h: Any, i: Any, j: Any) -> Any:
    return i >= j


def _make_window(left: int, right: int) -> Function:
    def is_near(b: Any, h: Any, i: Any, j: Any) -> Any:
        if left < 0:
            return j - i <= right if right >= 0 else True
        return (i - j <= left) & (j - i <= right) if right >= 0 else i - j <= left
    return is_near


def _make_cap(softcap: float) -> Function:
    def cap(s: Any, *pair: Any) -> Any:
        bounded: Any = apply_function("tanh", (s / softcap,), {})
        return softcap * bounded
    return cap


def _masks(functions: Functions, options: Options, axes: int) -> list[Function]:
    masks: list[Function] = []
    if axes > 1 and (options.is_causal or options.window_size):
        raise UnsupportedError("'is_causal' and 'window_size' are for tokens in a row; on a grid, "
                               "say it with 'mask'")
    if options.is_causal:
        masks.append(_is_past)
    if options.window_size is not None:
        masks.append(_make_window(*options.window_size))
    if functions.mask is not None:
        masks.append(functions.mask)
    return masks


def _sink_function(sink: Any) -> Function:
    return (lambda b, h, *i: sink[h]) if is_array(sink) else sink


def trace_regions(functions: Functions, options: Options, layout: Layout,
                  captures: Captures) -> list[Region]:
    accumulator = "f64" if layout.dtype == "f64" else "f32"
    scores = ([_make_cap(options.softcap)] if options.softcap is not None else []) + \
        ([functions.score] if functions.score is not None else [])
    if functions.sink is not None and is_array(functions.sink) and functions.sink.ndim != 1:
        raise ShapeError("argument 'sink': expected rank 1, one score for each head, got "
                         f"{functions.sink.ndim}")
    wanted = {"score": scores, "mask": _masks(functions, options, layout.axes),
              "prob": [functions.prob] if functions.prob is not None else [],
              "sink": [_sink_function(functions.sink)] if functions.sink is not None else []}
    return [trace(tuple(chosen), region, pair_arguments(region, layout.axes, accumulator),
                  accumulator, captures) for region, chosen in wanted.items() if chosen]


def compares_positions(regions: list[Region]) -> bool:
    used = frozenset().union(*(region.used for region in regions))
    return any(name.startswith("i") for name in used) and \
        any(name.startswith("j") for name in used)


def name_axes(options: Options, layout: Layout,
              regions: list[Region]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names of the lengths of q and of k."""
    axes = AXES[layout.axes]
    same = options.alignment is None and compares_positions(regions)
    return axes, axes if same else tuple(f"{axis}k" for axis in axes)


def write_text(options: Options, layout: Layout, regions: list[Region],
               captures: Captures) -> str:
    """The spec; it can be saved and given to the tools."""
    axes, key_axes = name_axes(options, layout, regions)
    features, value_features = layout.features
    value_dim = "D" if value_features == features else "Dv"
    operands = []
    for number, (name, heads, tokens, size, dim) in enumerate((
            ("q", "H", axes, features, "D"), ("k", "Hk", key_axes, features, "D"),
            ("v", "Hk", key_axes, value_features, value_dim))):
        batch, batch_name = ("1", f"B{name}") if layout.shared[number] else ("?", "B")
        type = f"tensor<{batch}x?{'x?' * layout.axes}x{size}x{layout.dtype}>"
        operands.append((name, type, (batch_name, heads, *tokens, dim)))
    for capture in captures.all:
        dims = tuple(f"{capture.name}_{axis}" for axis in range(capture.rank))
        operands.append((capture.name, capture.type, dims))
    return _assemble(options, layout, regions, operands)


def _assemble(options: Options, layout: Layout, regions: list[Region],
              operands: Sequence[tuple[str, str, tuple[str, ...]]]) -> str:
    accumulator = "f64" if layout.dtype == "f64" else "f32"
    batch = "1" if all(layout.shared) else "?"
    results = [("out", f"tensor<{batch}x?{'x?' * layout.axes}x{layout.features[1]}x"
                f"{layout.dtype}>")]
    if options.return_lse:
        results.append(("lse", f"tensor<{batch}x?{'x?' * layout.axes}x{accumulator}>"))
    types = ", ".join(type for _, type in results)
    names = ", ".join(f"%{name}" for name, _ in results)
    lines = ["func.func @attend(",
             ",\n".join(f"    %{name}: {type} {write_port(name, dims)}"
                        for name, type, dims in operands) + ")",
             "    -> (" + ", ".join(f'{type} {{attn.name = "{name}"}}'
                                    for name, type in results) + ")",
             f"    attributes {write_defaults(operands)} {{",
             f"  {names} = attn.attend %q, %k, %v" + _write_attributes(options)]
    lines += [region.text for region in regions]
    lines += ["      : " + ", ".join(type for _, type, _ in operands[:3]) + f" -> {types}",
              f"  return {names} : {types}", "}"]
    return "\n".join(lines) + "\n"


def _write_attributes(options: Options) -> str:
    text = ""
    if options.scale is not None:
        text += f" scale({spell_float(float(options.scale))})"
    if options.alignment is not None:
        text += f" alignment({options.alignment})"
    if options.normalizer != "softmax":
        text += f" normalizer({options.normalizer})"
    return text


def write_port(name: str, dims: tuple[str, ...]) -> str:
    listed = ", ".join(f'"{dim}"' for dim in dims)
    return f'{{attn.name = "{name}"' + (f", attn.dims = [{listed}]}}" if dims else "}")


def write_defaults(operands: Sequence[tuple[str, str, tuple[str, ...]]]) -> str:
    """Sizes for tools that are given none."""
    sizes = {"B": 1, "H": 8, "Hk": 8, "N": 1024, "Nk": 1024}
    names = dict.fromkeys(dim.partition("+")[0] for _, type, dims in operands
                          for dim, size in zip(dims, type[7:].split("x")) if size == "?")
    listed = ", ".join(f"{name} = {sizes.get(name, 32)}" for name in names)
    return f"{{attn.defaults = {{{listed}}}}}"
