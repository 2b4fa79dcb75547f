#===- _errors.py - What goes wrong, as exceptions ---------------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""The exceptions of the package. Each has a `status`, the name of the status
that the C interface has for it, and is also one of Python's own exceptions."""

from __future__ import annotations

import linecache


class AttnError(Exception):
    """All errors of this package."""

    status: str = "ATTN_INVALID_ARGUMENT"


class ArgumentError(AttnError, ValueError):
    """An argument has a value that a call cannot take."""


class ShapeError(ArgumentError):
    """Sizes or ranks do not fit each other."""


class StrideError(ArgumentError):
    """An array lies in memory in a way that kernels cannot read."""


class DeviceError(ArgumentError):
    """Arrays are not on the device where they should be."""


class DTypeError(AttnError, TypeError):
    """An argument has a type or an element type that a call cannot take."""


class UnsupportedError(AttnError, NotImplementedError):
    """Something that is known, and is not there yet."""


class CompileError(AttnError, ValueError):
    """A spec that the compiler refuses; the message is the compiler's."""

    status = "ATTN_INVALID_SPEC"


class NotFoundError(AttnError, RuntimeError):
    """No such driver, device or file."""

    status = "ATTN_NOT_FOUND"


class KernelError(AttnError, RuntimeError):
    """The driver or the kernel reports an error."""

    status = "ATTN_DEVICE_ERROR"


class FileError(AttnError, OSError):
    """A file that cannot be read or written, or is damaged."""

    status = "ATTN_IO_ERROR"


class OutOfMemoryError(AttnError, MemoryError):
    """No memory for a workspace."""

    status = "ATTN_OUT_OF_MEMORY"


class TraceError(AttnError, TypeError):
    """A Python function that cannot become a region.

    `filename`, `lineno` and `line` say where, `reason` says why, and `hint` what
    to write in its place; `hint` may be empty.
    """

    status = "ATTN_INVALID_SPEC"

    def __init__(self, region: str, reason: str, hint: str = "",
                 filename: str = "", lineno: int = 0):
        self.region, self.reason, self.hint = region, reason, hint
        self.filename, self.lineno = filename, lineno
        self.line = linecache.getline(filename, lineno).strip() if filename else ""
        super().__init__(self._format())

    def _format(self) -> str:
        text = f"{self.region}: {self.reason}"
        if self.filename:
            text += f'\n  File "{self.filename}", line {self.lineno}'
            text += f"\n    {self.line}" if self.line else ""
        return text + (f"\n  {self.hint}" if self.hint else "")


_BY_STATUS: dict[str, type[AttnError]] = {
    "ATTN_INVALID_ARGUMENT": ArgumentError,
    "ATTN_INVALID_SPEC": CompileError,
    "ATTN_UNSUPPORTED_PACKAGE": UnsupportedError,
    "ATTN_NOT_FOUND": NotFoundError,
    "ATTN_NO_CODE_FOR_DEVICE": NotFoundError,
    "ATTN_DEVICE_ERROR": KernelError,
    "ATTN_OUT_OF_MEMORY": OutOfMemoryError,
    "ATTN_IO_ERROR": FileError,
}


def make_error(status: str, message: str) -> AttnError:
    """The exception for a status of the C interface and its message."""
    error = _BY_STATUS.get(status, KernelError)(message)
    error.status = status
    return error
