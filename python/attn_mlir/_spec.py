#===- _spec.py - compile() --------------------------------------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Specs that are written in MLIR."""

from __future__ import annotations

from typing import Any, Mapping, Optional

from ._context import CompiledFunction, PathLike, parse_device
from ._errors import DTypeError


def compile(text: str, *, function: Optional[str] = None, device: Any = "cpu",
            target: Optional[str] = None, dtype: Optional[str] = None,
            schedule: Optional[str] = None, name: Optional[str] = None,
            threads: int = 0, tuning_db: Optional[PathLike] = None,
            dims: Optional[Mapping[str, int]] = None) -> CompiledFunction:
    """Compiles one function of a spec, the text of which is MLIR.

    `function` may be left out if there is one. `dtype` ('f32', 'bf16', ...) rewrites
    the element type of the spec, as --dtype of the tools; `name` stands for the text
    in messages. Calls of the result take arguments by place or by name.

    `tuning_db` is the path of a tuning database; None is what ATTN_TUNING_DB names, ''
    is none.
    The record of the lengths of `dims`, {'H': 8, 'N': 4096}, is taken; without dims
    that with the most tokens. The result serves all sizes all the same.
    """
    if not isinstance(text, str):
        raise DTypeError(f"'text': expected the text of a spec, got '{type(text).__name__}'")
    return CompiledFunction(text, device=parse_device(device), function=function, target=target,
                            dtype=dtype, schedule=schedule, name=name, threads=threads,
                            tuning_db=tuning_db, dims=dims)
