#===- _numbers.py - Functions for score and mask functions ------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""`where`, `exp` and others, for functions that use neither NumPy nor PyTorch.

On traced values they are traced; on arrays and numbers they are NumPy's, on tensors
PyTorch's, so that a function can be tried without compiling it.
"""

from __future__ import annotations

from typing import Any, Callable

import numpy as np

from ._arrays import is_tensor, torch_module
from ._errors import UnsupportedError
from ._functions import apply
from ._values import is_tracing


def _make(name: str, summary: str) -> Callable[..., Any]:
    def function(*operands: Any) -> Any:
        if is_tracing():
            return apply(name, operands, {})
        library: Any = torch_module() if any(map(is_tensor, operands)) else np
        found = getattr(library, name, None)
        if found is None:
            raise UnsupportedError(f"{name}: there is no function of that name in "
                                   f"{library.__name__}")
        return found(*operands)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = summary
    return function


where = _make("where", "where(condition, x, y): x where the condition holds, else y.")
minimum = _make("minimum", "minimum(x, y): the smaller of two.")
maximum = _make("maximum", "maximum(x, y): the larger of two.")
abs = _make("abs", "abs(x): x without its sign.")
exp = _make("exp", "exp(x): e to the x.")
exp2 = _make("exp2", "exp2(x): 2 to the x.")
log = _make("log", "log(x): the natural logarithm.")
log2 = _make("log2", "log2(x): the logarithm to base 2.")
log1p = _make("log1p", "log1p(x): the natural logarithm of 1 + x.")
sqrt = _make("sqrt", "sqrt(x): the square root.")
tanh = _make("tanh", "tanh(x): the hyperbolic tangent.")
sin = _make("sin", "sin(x): the sine.")
cos = _make("cos", "cos(x): the cosine.")
floor = _make("floor", "floor(x): the largest whole number that is at most x.")


def random(seed: Any, *counter: Any) -> Any:
    """A uniform random number in [0, 1) that its operands determine: an integer and
    one to four more, such as (b, h, i, j). The same for the same integers."""
    if not is_tracing():
        raise UnsupportedError("random: there are random numbers in traced functions only")
    return apply("random", (seed, *counter), {})
