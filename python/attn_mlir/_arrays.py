#===- _arrays.py - Arrays of NumPy, PyTorch and others ----------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""What is known of an array without reading it."""

from __future__ import annotations

import functools
import sys
from typing import Any, Callable, NamedTuple

import numpy as np

from ._errors import DeviceError, DTypeError, UnsupportedError

STORAGE = ("f32", "f16", "bf16", "f64")

_DTYPES = {
    "float64": "f64", "float32": "f32", "float16": "f16", "bfloat16": "bf16",
    "int64": "i64", "int32": "i32", "int16": "i16", "int8": "i8",
    "uint32": "i32", "uint16": "i16", "uint8": "i8", "bool": "i1",
}


class Device(NamedTuple):
    """A device as DLPack counts them."""

    type: int
    number: int

    def __str__(self) -> str:
        return "cpu" if self.type == 1 else f"cuda:{self.number}"


CPU = Device(1, 0)


class Description(NamedTuple):
    """The element type and device of an array; sizes and strides in elements."""

    dtype: str
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    device: Device
    is_signed: bool


def torch_module() -> Any:
    """PyTorch, if the program has imported it: there are no tensors otherwise."""
    return sys.modules.get("torch")


def is_tensor(value: Any) -> bool:
    torch = torch_module()
    return torch is not None and isinstance(value, getattr(torch, "Tensor", ()))


def is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray) or is_tensor(value)


@functools.lru_cache(maxsize=None)
def _dtype_names(dtype: Any) -> tuple[str, bool]:
    name = getattr(dtype, "name", None) or str(dtype).rpartition(".")[2]
    if name not in _DTYPES:
        # The integers of regions have 64 bits and a sign: large ones would be below 0.
        hint = "; convert it to int64" if name == "uint64" else ""
        raise DTypeError(f"expected an element type of {', '.join(_DTYPES)}, got {name}{hint}")
    if not getattr(dtype, "isnative", True):
        raise DTypeError(f"expected elements in the byte order of this machine, got {dtype.str}; "
                         "convert it, as in x.astype(x.dtype.newbyteorder('='))")
    return _DTYPES[name], not name.startswith("uint")


def dtype_name(array: Any) -> str:
    """'f32' and so on; DTypeError for what kernels do not know."""
    return _dtype_names(array.dtype)[0]


def device_of(array: Any) -> Device:
    if isinstance(array, np.ndarray):
        return CPU
    device = array.device
    if device.type == "cpu":
        return CPU
    if device.type == "cuda":
        return Device(2, device.index or 0)
    raise DeviceError(f"expected arrays on the CPU or an NVIDIA GPU, got one on '{device}'")


def describe(array: Any) -> Description:
    dtype, is_signed = _dtype_names(array.dtype)
    if isinstance(array, np.ndarray):
        strides = tuple(step // array.itemsize for step in array.strides)
        return Description(dtype, array.shape, strides, CPU, is_signed)
    return Description(dtype, tuple(array.shape), tuple(array.stride()), device_of(array),
                       is_signed)


def check_array(value: Any, name: str, kind: str = "argument") -> None:
    """Whether a value is an array whose elements kernels know; `kind` and `name` say
    in messages what it is."""
    if not is_array(value):
        raise DTypeError(f"{kind} '{name}': expected a NumPy array or a PyTorch tensor, got "
                         f"'{type(value).__name__}'")
    if isinstance(value, np.ma.MaskedArray):
        raise DTypeError(f"{kind} '{name}': expected an array without a mask of its own, got a "
                         "MaskedArray; pass x.filled(number), and drop pairs by 'mask'")
    try:
        _dtype_names(value.dtype)
    except DTypeError as error:
        raise DTypeError(f"{kind} '{name}': {error}") from None
    torch = torch_module()
    if torch is not None and is_tensor(value):
        if value.requires_grad:
            refuse_gradient(name)
        if value.layout != torch.strided:
            raise UnsupportedError(f"argument '{name}': expected a strided tensor, got one of "
                                   f"layout {value.layout}")


def refuse_gradient(name: str) -> None:
    """Raises, unless gradients are off, as nothing here would compute them."""
    torch = torch_module()
    if torch is not None and torch.is_grad_enabled():
        raise UnsupportedError(
            f"argument '{name}': requires a gradient, and there are no backward passes; call it "
            "under torch.no_grad(), or pass a detached tensor")


def make_allocator(like: Any, dtype: str, device: Device) -> Callable[[tuple], Any]:
    """A function of a shape that makes an array of the kind of `like`."""
    if is_tensor(like):
        torch = torch_module()
        names = {"f64": "float64", "f32": "float32", "f16": "float16", "bf16": "bfloat16",
                 "i64": "int64", "i32": "int32", "i16": "int16", "i8": "int8", "i1": "bool"}
        where = like.device
        return functools.partial(torch.empty, dtype=getattr(torch, names[dtype]), device=where)
    if device.type != CPU.type:
        raise DeviceError(f"expected tensors on '{device}', got a NumPy array")
    return functools.partial(np.empty, dtype=numpy_dtype(dtype))


def numpy_dtype(dtype: str) -> Any:
    if dtype == "bf16":
        import ml_dtypes
        return np.dtype(ml_dtypes.bfloat16)
    names = {"f64": np.float64, "f32": np.float32, "f16": np.float16, "i64": np.int64,
             "i32": np.int32, "i16": np.int16, "i8": np.int8, "i1": np.bool_}
    return np.dtype(names[dtype])


def scalar_dtype(type: str) -> Any:
    """The element type for a type of traced values."""
    name = {"f32": "float32", "f64": "float64", "index": "int64", "i1": "bool"}[type]
    torch = torch_module()
    return getattr(torch, name) if torch is not None else np.dtype(name)
