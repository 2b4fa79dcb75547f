#===- precision.py - Element types and allowed errors ---------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""The element types of the kernels, and how wrong their results may be."""

from dataclasses import dataclass
from typing import Callable

import numpy as np


def to_bf16(x):
    """Rounds to bfloat16, nearest even; the result is kept as float32."""
    bits = np.asarray(x, np.float32).view(np.uint32)
    odd = (bits >> np.uint32(16)) & np.uint32(1)
    rounded = (bits + np.uint32(0x7FFF) + odd) & np.uint32(0xFFFF0000)
    return np.where(np.isnan(x), np.float32(np.nan), rounded.view(np.float32))


@dataclass(frozen=True)
class Precision:
    """One value of --dtype.

    `file` is the type in .npy files, `round` rounds an array to the element
    type (in the type of the file), `epsilon` is the distance from 1 to the next
    number of the element type. `accumulate` is the type of sums, statistics and
    the lse; `reference` is the type the oracle is evaluated in.
    """

    file: type
    round: Callable
    epsilon: float
    accumulate: type
    reference: type


def _native(dtype, accumulate, reference):
    return Precision(dtype, lambda x: np.asarray(x, dtype),
                     float(np.finfo(dtype).eps), accumulate, reference)


PRECISIONS = {
    "f64": _native(np.float64, np.float64, np.longdouble),
    "f32": _native(np.float32, np.float32, np.float64),
    "f16": _native(np.float16, np.float32, np.float64),
    "bf16": Precision(np.float32, to_bf16, 2.0**-7, np.float32, np.float64),
}


def allowed_error(reference, naive, accumulate, stored_epsilon):
    """The largest error of each element of a result.

    Two errors add up. That of the arithmetic is at most

        max(2 * error of the naive evaluation, 8 * eps * max|reference|)

    with eps that of the accumulator: a kernel adds in another order than the
    naive evaluation and has an exponential of its own, so it may be unlucky by
    a factor of two, and tiny problems whose naive evaluation happens to be
    exact still get a few roundings. Then the result is rounded once to the type
    that it is stored in, which costs half a unit in the last place.

    The reference is evaluated one precision above the accumulator: float64 for
    float32, the extended type of the machine for float64. Where no such type
    exists, reference and naive evaluation are the same numbers, both with
    errors like those of the kernel; 32 eps then stand for the unknown error.
    """
    finite = np.abs(np.where(np.isfinite(reference), reference, 0))
    epsilon = float(np.finfo(accumulate).eps)
    wider = np.finfo(reference.dtype).eps < epsilon
    floor = (8 if wider else 32) * epsilon * finite.max()
    arithmetic = max(2 * error_of(naive, reference).max(), floor)
    return arithmetic + stored_epsilon / 2 * (finite + arithmetic)


def error_of(result, reference):
    """|result - reference|, 0 where both are the same infinity."""
    same = result == reference
    with np.errstate(invalid="ignore"):
        return np.where(same, 0, np.abs(result - reference))
