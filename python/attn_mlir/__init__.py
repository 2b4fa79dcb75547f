#===- __init__.py - Attention kernels from Python functions -----------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Compiled attention for arrays of NumPy and tensors of PyTorch.

  out = attn_mlir.attend(q, k, v, mask=lambda b, h, i, j: i >= j)

attend() and compile_attend() trace Python functions of scores and masks, recur() is
linear attention, compile() takes the text of a spec, and flex_attention() has the
interface of FlexAttention. docs/python.md is the manual.
"""

from ._attend import CompiledAttend, attend, compile_attend
from ._context import CompiledFunction, Port, config, counters
from ._errors import (ArgumentError, AttnError, CompileError, DeviceError, DTypeError, FileError,
                      KernelError, NotFoundError, OutOfMemoryError, ShapeError, StrideError,
                      TraceError, UnsupportedError)
from ._flex import (BlockMask, and_masks, create_block_mask, flex_attention, noop_mask, or_masks)
from ._numbers import (abs, cos, exp, exp2, floor, log, log1p, log2, maximum, minimum, random,
                       sin, sqrt, tanh, where)
from ._recur import CompiledRecur, compile_recur, recur
from ._spec import compile
from ._values import capture

__all__ = [
    "ArgumentError", "AttnError", "BlockMask", "CompileError", "CompiledAttend",
    "CompiledFunction", "CompiledRecur", "DTypeError", "DeviceError", "FileError",
    "KernelError", "NotFoundError", "OutOfMemoryError", "Port", "ShapeError", "StrideError", "TraceError",
    "UnsupportedError", "abs", "and_masks", "attend", "capture", "compile", "compile_attend",
    "compile_recur", "config", "cos", "counters", "create_block_mask", "exp", "exp2",
    "flex_attention", "floor", "log", "log1p", "log2", "maximum", "minimum", "noop_mask",
    "or_masks", "random", "recur", "sin", "sqrt", "tanh", "where",
]
