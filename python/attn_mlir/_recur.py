#===- _recur.py - recur() and compile_recur() -------------------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Linear attention with decay: attn.recur for arrays."""

from __future__ import annotations

from typing import Any, NamedTuple, Optional, Sequence

import numpy as np

from ._arrays import CPU, STORAGE, Description, check_array, describe
from ._attend import move_heads, return_heads
from ._context import (CompiledFunction, check_port, check_strides, has_database,
                       locate_database, round_length)
from ._errors import ArgumentError, DeviceError, DTypeError, ShapeError
from ._graph import spell_float
from ._text import write_defaults, write_port


class RecurOptions(NamedTuple):
    """What of a call is a number or a word; part of the key."""

    scale: Optional[float] = None
    write: Optional[str] = None
    read: str = "after"
    order: str = "causal"
    output_final_state: bool = False
    target: Optional[str] = None
    schedule: Optional[str] = None
    tuning_db: Optional[str] = None


class Operand(NamedTuple):
    """An argument of the function: its name, type and names of sizes."""

    name: str
    type: str
    dims: tuple[str, ...]


class CompiledRecur(CompiledFunction):
    """What compile_recur() returns: a function of the arrays that it was given, in
    the order q, k, v, g, beta, u, h0, cu_seqlens, those left out that were."""

    def _launch(self, arrays: Sequence[Any], out: Any = None) -> Any:
        # Kernels only take care that wrong offsets do no harm. Reading those of a GPU
        # would wait for it.
        if self.arguments[-1].name == "cu_seqlens" and self._device == CPU \
                and len(arrays) == len(self.arguments):
            for array, port in ((arrays[0], self.arguments[0]), (arrays[-1], self.arguments[-1])):
                check_port(array, port, CPU)
            _check_offsets(np.asarray(arrays[-1]), arrays[0].shape[2])
        return super()._launch(arrays, out)


def _check_offsets(offsets: np.ndarray, tokens: int) -> None:
    expected = "argument 'cu_seqlens': expected offsets"
    if offsets.size == 0:
        raise ShapeError(f"{expected} of sequences, one more than there are, got none")
    if offsets[0] != 0:
        raise ArgumentError(f"{expected} that begin with 0, got {offsets[0]}")
    falls = np.flatnonzero(offsets[1:] < offsets[:-1])
    if falls.size:
        place = falls[0]
        raise ArgumentError(f"{expected} that do not decrease, got {offsets[place + 1]} after "
                            f"{offsets[place]} at {place + 1}")
    if offsets[-1] > tokens:
        raise ArgumentError(f"{expected} of at most {tokens}, the tokens of 'q', got "
                            f"{offsets[-1]}")


_WORDS = {"write": (None, "additive", "tied", "scaled"), "read": ("after", "before"),
          "order": ("causal", "reversed", "bidirectional")}
_NAMES = ("q", "k", "v", "g", "beta", "u", "h0", "cu_seqlens")
_compiled: dict[tuple, CompiledRecur] = {}


def _check_options(options: RecurOptions) -> None:
    for name, allowed in _WORDS.items():
        if getattr(options, name) not in allowed:
            raise ArgumentError(f"'{name}': expected {', '.join(map(repr, allowed))}, got "
                                f"{getattr(options, name)!r}")


def _describe_all(arrays: dict[str, Any]) -> dict[str, Description]:
    shapes = {}
    for name, array in arrays.items():
        check_array(array, name)
        check_strides(array, name)
        shapes[name] = describe(array)
        if shapes[name].device != shapes["q"].device:
            raise DeviceError(f"argument '{name}': expected it on {shapes['q'].device} as 'q', "
                              f"got {shapes[name].device}")
    return shapes


def _check_rows(shapes: dict[str, Description]) -> None:
    for name in ("q", "k", "v"):
        if name not in shapes:
            continue
        shape = shapes[name]
        if len(shape.shape) != 4:
            raise ShapeError(f"argument '{name}': expected rank 4 (batch, heads, tokens, "
                             f"features), got {len(shape.shape)}")
        if shape.dtype not in STORAGE or shape.dtype != shapes["q"].dtype:
            wanted = f"{shapes['q'].dtype} as of 'q'" if name != "q" else ", ".join(STORAGE)
            raise DTypeError(f"argument '{name}': expected element type {wanted}, got "
                             f"{shape.dtype}")
        heads, most = shape.shape[1], shapes["v"].shape[1]
        if heads != most and (heads == 0 or most % heads):
            raise ShapeError(f"argument '{name}': expected heads that divide the {most} of 'v', "
                             f"got {heads}")


def _check_element_types(shapes: dict[str, Description]) -> None:
    """Of what is not a row: gates and the like may be narrower than the accumulator,
    states are not."""
    is_wide = shapes["q"].dtype == "f64"
    accumulator = "f64" if is_wide else "f32"
    narrow = ("f64",) if is_wide else ("f32", "f16", "bf16")
    allowed = {"g": narrow, "beta": narrow, "u": narrow, "h0": (accumulator,),
               "cu_seqlens": ("i32", "i64")}
    for name, types in allowed.items():
        if name in shapes and shapes[name].dtype not in types:
            raise DTypeError(f"argument '{name}': expected element type {', '.join(types)}, got "
                             f"{shapes[name].dtype}")


def _gate_operand(name: str, shape: Description, features: int) -> Operand:
    """The type of a gate or a beta; its rank says what it is constant over."""
    sizes = shape.shape
    if len(sizes) == 1 and name == "g":
        return Operand(name, f"tensor<?x{shape.dtype}>", ("H",))
    if len(sizes) == 3:
        return Operand(name, f"tensor<?x?x?x{shape.dtype}>", ("B", "H", "N"))
    allowed = (1, features) if name == "g" else (1,)
    if len(sizes) == 4 and sizes[3] in allowed:
        dim = "D" if sizes[3] == features and features > 1 else "one"
        return Operand(name, f"tensor<?x?x?x{sizes[3]}x{shape.dtype}>", ("B", "H", "N", dim))
    wanted = "[H], [B, H, N] or [B, H, N, D]" if name == "g" else "[B, H, N]"
    raise ShapeError(f"argument '{name}': expected shape {wanted}, got {list(sizes)}")


def _operands(shapes: dict[str, Description]) -> list[Operand]:
    query, value = shapes["q"], shapes["v"]
    features, columns = query.shape[3], value.shape[3]
    is_packed = "cu_seqlens" in shapes
    batch, sequences = ("1", "G") if is_packed else ("?", "B")
    accumulator = "f64" if query.dtype == "f64" else "f32"
    # Columns that are as many as features have a name of their own all the same.
    rows = {"q": ("Hq", features, "D"), "k": ("Hk", features, "D"), "v": ("H", columns, "Dv")}
    operands = []
    for name, shape in shapes.items():
        if name in rows:
            heads, size, dim = rows[name]
            if shape.shape[3] != size:
                raise ShapeError(f"argument '{name}': expected {size} features as of 'q', got "
                                 f"{shape.shape[3]}")
            operands.append(Operand(name, f"tensor<{batch}x?x?x{size}x{query.dtype}>",
                                    ("B", heads, "N", dim)))
        elif name in ("g", "beta"):
            operand = _gate_operand(name, shape, features)
            operands.append(operand._replace(type=operand.type.replace("<?x?", f"<{batch}x?"))
                            if len(operand.dims) > 1 else operand)
        elif name == "u":
            operands.append(Operand(name, f"tensor<?x{features}x{shape.dtype}>", ("H", "D")))
        elif name == "h0":
            is_shared = bool(shape.shape) and shape.shape[0] == 1 and \
                (is_packed or query.shape[0] > 1)
            first = ("1", "Bh") if is_shared else ("?", sequences)
            operands.append(Operand(name, f"tensor<{first[0]}x?x{features}x{columns}x"
                                    f"{accumulator}>", (first[1], "H", "D", "Dv")))
        else:
            operands.append(Operand(name, f"tensor<?x{shape.dtype}>", ("G+1",)))
    return operands


_WRITTEN = {"g": "gate", "beta": "beta", "u": "bonus", "h0": "initial", "cu_seqlens": "segments"}


def _write_text(options: RecurOptions, shapes: dict[str, Description]) -> str:
    operands = _operands(shapes)
    value = shapes["v"]
    features, columns = shapes["q"].shape[3], value.shape[3]
    is_packed = "cu_seqlens" in shapes
    accumulator = "f64" if value.dtype == "f64" else "f32"
    results = [("out", f"tensor<{'1' if is_packed else '?'}x?x?x{columns}x{value.dtype}>")]
    if options.output_final_state:
        results.append(("ht", f"tensor<?x?x{features}x{columns}x{accumulator}>"))
    rows = [operand for operand in operands if operand.name in ("q", "k", "v")]
    text = "  " + ", ".join(f"%{name}" for name, _ in results) + " = attn.recur "
    text += ", ".join(f"%{operand.name}" for operand in rows)
    for operand in operands:
        if operand.name in _WRITTEN:
            text += f" {_WRITTEN[operand.name]}(%{operand.name} : {operand.type})"
    scale = features ** -0.5 if options.scale is None else float(options.scale)
    text += f" scale({spell_float(scale)})"
    write = options.write or ("scaled" if "beta" in shapes else "additive")
    for word, given, default in (("write", write, "additive"), ("read", options.read, "after"),
                                 ("order", options.order, "causal")):
        text += f" {word}({given})" if given != default else ""
    types = ", ".join(type for _, type in results)
    lines = ["func.func @recur(",
             ",\n".join(f"    %{operand.name}: {operand.type} "
                        f"{write_port(operand.name, operand.dims)}" for operand in operands) + ")",
             "    -> (" + ", ".join(f'{type} {{attn.name = "{name}"}}'
                                    for name, type in results) + ")",
             f"    attributes {write_defaults(operands)} {{", text,
             "      : " + ", ".join(operand.type for operand in rows) + f" -> {types}",
             "  return " + ", ".join(f"%{name}" for name, _ in results) + f" : {types}", "}"]
    return "\n".join(lines) + "\n"


def _heads_first(arrays: dict[str, Any]) -> dict[str, Any]:
    """Views with the heads before the tokens; states and gates of heads have none."""
    moved = {}
    for name, array in arrays.items():
        check_array(array, name)
        if name in ("q", "k", "v", "g", "beta") and array.ndim in (3, 4):
            array = move_heads(array if array.ndim == 4 else array[..., None])
        moved[name] = array
    return moved


def _find_op(arrays: dict[str, Any], options: RecurOptions, threads: int) -> CompiledRecur:
    shapes = _describe_all(arrays)
    _check_rows(shapes)
    _check_element_types(shapes)
    sizes = tuple((name, shape.dtype, len(shape.shape), shape.shape[3:]) for name, shape in
                  shapes.items())
    is_shared = "h0" in shapes and shapes["h0"].shape[:1] == (1,) and \
        ("cu_seqlens" in shapes or shapes["q"].shape[0] > 1)
    dims = {"N": round_length(shapes["q"].shape[2])} \
        if has_database(options.tuning_db, options.schedule) else None
    key = (sizes, is_shared, shapes["q"].device, options, threads, dims and dims["N"])
    op = _compiled.get(key)
    if op is None:
        op = CompiledRecur(_write_text(options, shapes), device=shapes["q"].device,
                           target=options.target, schedule=options.schedule, name="recur",
                           threads=threads, tuning_db=options.tuning_db, dims=dims)
        _compiled[key] = op
    return op


def _collect(q: Any, k: Any, v: Any, optional: dict[str, Any],
             options: dict[str, Any]) -> tuple[dict[str, Any], RecurOptions]:
    for name in options:
        if name not in RecurOptions._fields:
            raise TypeError(f"recur() got an unexpected keyword argument '{name}'")
    if "tuning_db" in options:
        options["tuning_db"] = locate_database(options["tuning_db"])
    chosen = RecurOptions(**options)
    _check_options(chosen)
    arrays = {"q": q, "k": k, "v": v, **optional}
    given = {name: arrays[name] for name in _NAMES if arrays[name] is not None}
    for name in ("q", "v"):
        if name not in given:
            raise DTypeError(f"argument '{name}': expected an array, got None")
    if ("k" in given) == (chosen.write == "tied"):
        raise ArgumentError("argument 'k': expected None with write='tied', and an array "
                            "without")
    return given, chosen


def recur(q: Any, k: Any, v: Any, *, g: Any = None, beta: Any = None, u: Any = None,
          h0: Any = None, cu_seqlens: Any = None, layout: str = "BHND", out: Any = None,
          threads: int = 0, **options: Any) -> Any:
    """The recurrence S[t] = exp(g[t]) S[t-1] + w[t] v[t]^T, read by queries: linear
    attention with decay.

    `q`, `k` [B, H, N, D] and `v` [B, H, N, Dv]; heads of q and k may be fewer. `g` has
    natural logarithms of decays, finite and at most 0: [H], one for each token
    [B, H, N], or one for each channel as well, [B, H, N, D]. `beta` [B, H, N] scales
    what is written, `u` [H, D] is the bonus of read='before', `h0` [B, H, D, Dv] in
    float32 the first state. `cu_seqlens` [G + 1] has the offsets of sequences that are
    packed into one batch: the first is 0, none is less than the one before, the last is
    at most N, and rows after it are 0. In memory of the CPU they are checked.

    Options, with their defaults:
      scale=None                 of the queries; 1 / sqrt(D)
      write=None                 'additive', 'scaled' (with beta), or 'tied': the key is
                                 1 - exp(g), and k is None
      read='after'               or 'before' the token is written
      order='causal'             or 'reversed', 'bidirectional'
      output_final_state=False   also return the last state, float32
      layout='BHND'              or 'BNHD': heads after tokens in q, k, v, g, beta, out
      target, schedule           as for the compiler
      tuning_db=None             as of attend()

    Returns an array like `v`, or (out, ht).
    """
    if layout not in ("BHND", "BNHD"):
        raise ArgumentError(f"'layout': expected 'BHND' or 'BNHD', got {layout!r}")
    optional = {"g": g, "beta": beta, "u": u, "h0": h0, "cu_seqlens": cu_seqlens}
    arrays, chosen = _collect(q, k, v, optional, options)
    if layout == "BHND":
        return _find_op(arrays, chosen, threads)(*arrays.values(), out=out)
    if out is not None:
        raise ArgumentError("'out': expected None with layout='BNHD'")
    moved = _heads_first(arrays)
    results = _find_op(moved, chosen, threads)(*moved.values())
    if isinstance(results, tuple):
        return results._replace(out=return_heads(results[0]))  # type: ignore[attr-defined]
    return return_heads(results)


def compile_recur(q: Any, k: Any, v: Any, *, g: Any = None, beta: Any = None, u: Any = None,
                  h0: Any = None, cu_seqlens: Any = None, threads: int = 0,
                  **options: Any) -> CompiledRecur:
    """recur() without the call: a function of the same arrays, in the order q, k, v, g,
    beta, u, h0, cu_seqlens, or by name. Lengths, batches and heads are free."""
    optional = {"g": g, "beta": beta, "u": u, "h0": h0, "cu_seqlens": cu_seqlens}
    arrays, chosen = _collect(q, k, v, optional, options)
    return _find_op(arrays, chosen, threads)
