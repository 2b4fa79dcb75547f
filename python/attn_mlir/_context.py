#===- _context.py - The compiler in this process, and what it has made ------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""One context of the JIT library for the process, made when it is first needed,
and compiled functions as Python callables."""

from __future__ import annotations

import collections
import functools
import json
import os
import threading
from typing import Any, Callable, Mapping, Optional, Sequence, Union

from . import _native
from ._arrays import (CPU, Device, check_array, describe, is_array, is_tensor, make_allocator,
                      torch_module)
from ._errors import ArgumentError, DeviceError, DTypeError, ShapeError, StrideError

PathLike = Union[str, "os.PathLike[str]"]

_lock = threading.Lock()
_jit: Optional[_native.Jit] = None


def jit() -> _native.Jit:
    """The context of this process."""
    global _jit
    if _jit is None:
        with _lock:
            if _jit is None:
                _jit = _native.Jit()
    return _jit


def counters() -> dict[str, int]:
    """How often this process has compiled, and found compiled code in memory or on
    disk, and what became of entries of the cache."""
    return jit().counters()


def config() -> dict[str, Any]:
    """What the environment says about the compiler and its cache, and where each
    value comes from."""
    return json.loads(jit().config())


@functools.lru_cache(maxsize=1)
def _environment_database() -> str:
    return config()["tuning_db"]["value"]


def locate_database(tuning_db: Optional[PathLike]) -> Optional[str]:
    """What is given as a tuning database, as an absolute path: where relative ones
    count from may change. None and '' stay."""
    if tuning_db is None or tuning_db == "":
        return tuning_db  # type: ignore[return-value]
    path = os.fspath(tuning_db) if isinstance(tuning_db, (str, os.PathLike)) else None
    if not isinstance(path, str):
        raise DTypeError("'tuning_db': expected a path as a str or pathlib.Path, or None, got "
                         f"'{type(tuning_db).__name__}'")
    return os.path.abspath(path)


def has_database(tuning_db: Optional[str], schedule: Optional[str]) -> bool:
    """Whether a tuning database decides: what is given, else that of the environment;
    a schedule that is given, which '' is not, leaves it nothing to decide."""
    if schedule:
        return False
    return bool(_environment_database() if tuning_db is None else tuning_db)


def round_length(size: int) -> int:
    """A length as buckets of tuning databases have it: the next power of two."""
    return 1 << max(int(size) - 1, 0).bit_length()


def parse_device(device: Any) -> Device:
    """'cpu', 'cuda', 'cuda:1' or a device of PyTorch."""
    kind, _, index = str(device).partition(":")
    if kind == "cpu":
        return CPU
    if kind == "cuda" and (not index or index.isdigit()):
        return Device(2, int(index or 0))
    raise DeviceError(f"expected a device 'cpu', 'cuda' or 'cuda:N', got '{device}'")


class Port:
    """An argument or a result: `name`, `dtype`, `shape` with -1 where calls decide,
    and `dims`, the names of the sizes."""

    __slots__ = ("name", "dtype", "shape", "dims")

    def __init__(self, name: str, dtype: str, shape: tuple[int, ...], dims: tuple[str, ...]):
        self.name, self.dtype, self.shape, self.dims = name, dtype, shape, dims

    def __repr__(self) -> str:
        sizes = ", ".join(dim if size < 0 else f"{dim}={size}"
                          for dim, size in zip(self.dims, self.shape))
        return f"{self.name}: {self.dtype}[{sizes}]"


class CompiledFunction:
    """A compiled function of a spec. Calls take its arguments by place or name, and
    return its result, or a named tuple where there are several.

    It may be called from several threads at a time. `threads` is how many threads
    of the CPU a call may use, 0 for all; results do not depend on it. `dims` are
    sizes of calls, for the choice of a record of the tuning database.
    """

    def __init__(self, text: str, *, device: Device = CPU, function: Optional[str] = None,
                 target: Optional[str] = None, dtype: Optional[str] = None,
                 schedule: Optional[str] = None, name: Optional[str] = None, threads: int = 0,
                 tuning_db: Optional[PathLike] = None,
                 dims: Optional[Mapping[str, int]] = None):
        self.text, self.threads = text, threads
        self._device = device
        sizes = ",".join(f"{name}={int(size)}" for name, size in dims.items()) if dims else None
        self._kernel = jit().compile(text, device.type, device.number, name, function, target,
                                     dtype, schedule, locate_database(tuning_db), sizes)
        self.arguments = tuple(Port(*port) for port in self._kernel.arguments())
        self.results = tuple(Port(*port) for port in self._kernel.results())
        names = [port.name for port in self.results]
        self._pack: Callable = _take_only if len(names) == 1 else \
            collections.namedtuple(  # type: ignore[attr-defined]
                "Results", names, rename=True)._make
        # By the types of the arguments, which are looked at the first time.
        self._allocators: dict[tuple[type, ...], tuple[Callable, ...]] = {}

    @property
    def target(self) -> str:
        """What the code was made for, such as 'cpu:avx512'."""
        return self._kernel.target()

    @property
    def schedule(self) -> str:
        """What the code was made with, such as 'block_q=64,block_k=128'."""
        return self._kernel.schedule()

    @property
    def schedule_origin(self) -> str:
        """Where the schedule is from: 'given', 'default', 'record N=4096 many:...' of
        the tuning database, or 'default, no record of N=4096'."""
        return self._kernel.schedule_origin()

    def __repr__(self) -> str:
        return f"<compiled function {self.arguments} -> {self.results} for {self.target}>"

    def __call__(self, *arrays: Any, out: Any = None, **named: Any) -> Any:
        if named:
            arrays = self._bind(arrays, named)
        return self._launch(arrays, out)

    def _bind(self, arrays: tuple, named: dict[str, Any]) -> tuple:
        """All arguments in their order."""
        names = [port.name for port in self.arguments]
        for name in named:
            if name not in names[len(arrays):]:
                problem = "given twice" if name in names else "unknown"
                raise ArgumentError(f"argument '{name}' is {problem}; arguments are "
                                    + ", ".join(names))
        rest = names[len(arrays):]
        missing = [name for name in rest if name not in named]
        if missing:
            raise ArgumentError(f"argument '{missing[0]}' is missing")
        return (*arrays, *(named[name] for name in rest))

    def _launch(self, arrays: Sequence[Any], out: Any = None) -> Any:
        allocators = self._find_allocators(arrays)
        if out is not None:
            allocators = self._results_given(out)
        return self._pack(self._run(arrays, allocators))

    def _find_allocators(self, arrays: Sequence[Any]) -> tuple[Callable, ...]:
        types = tuple(map(type, arrays))
        try:
            return self._allocators[types]
        except KeyError:
            return self._make_allocators(arrays, types)

    def _run(self, arrays: Sequence[Any], allocators: tuple[Callable, ...]) -> tuple:
        stream = 0 if self._device.type == CPU.type else _current_stream(arrays[0])
        try:
            return self._kernel.launch(arrays, allocators, stream, self.threads)
        except (ArgumentError, TypeError, BufferError):
            self._diagnose(arrays)
            raise

    def _make_allocators(self, arrays: Sequence[Any],
                         types: tuple[type, ...]) -> tuple[Callable, ...]:
        self._diagnose(arrays)
        like = arrays[0]
        allocators = tuple(make_allocator(like, port.dtype, self._device)
                           for port in self.results)
        self._allocators[types] = allocators
        return allocators

    def _results_given(self, out: Any) -> tuple[Callable, ...]:
        outs = out if isinstance(out, tuple) else (out,)
        if len(outs) != len(self.results):
            raise ArgumentError(f"'out': expected {len(self.results)} arrays, got {len(outs)}")
        for array, port in zip(outs, self.results):
            check_array(array, "out")
            if describe(array).dtype != port.dtype:
                raise DTypeError(f"'out': expected element type {port.dtype}, got "
                                 f"{describe(array).dtype}")
        return tuple(functools.partial(_check_out, array) for array in outs)

    def _diagnose(self, arrays: Sequence[Any]) -> None:
        """Raises the exception for what is wrong with these arguments, if it is
        something that Python has a class for."""
        if len(arrays) != len(self.arguments):
            raise ArgumentError(f"expected {len(self.arguments)} arguments "
                                f"({', '.join(port.name for port in self.arguments)}), got "
                                f"{len(arrays)}")
        sizes: dict[str, tuple[int, str]] = {}
        for array, port in zip(arrays, self.arguments):
            check_port(array, port, self._device)
            for axis, (size, dim) in enumerate(zip(describe(array).shape, port.dims)):
                known = sizes.setdefault(dim, (size, port.name))
                if known[0] != size:
                    raise ShapeError(
                        f"argument '{port.name}': dimension {axis} ({dim}) must be {known[0]} as "
                        f"in argument '{known[1]}', got {size}")


def check_port(array: Any, port: Port, device: Device) -> None:
    """Whether an array may stand for an argument, apart from sizes that others
    decide."""
    check_array(array, port.name)
    given = describe(array)
    if given.device != device:
        raise DeviceError(f"argument '{port.name}': expected it on {device}, got {given.device}")
    if given.dtype != port.dtype:
        raise DTypeError(f"argument '{port.name}': expected element type {port.dtype}, got "
                         f"{given.dtype}")
    if len(given.shape) != len(port.shape):
        raise ShapeError(f"argument '{port.name}': expected rank {len(port.shape)}, got "
                         f"{len(given.shape)}")
    for axis, (size, wanted) in enumerate(zip(given.shape, port.shape)):
        if wanted >= 0 and size != wanted:
            raise ShapeError(f"argument '{port.name}': dimension {axis} ({port.dims[axis]}) must "
                             f"be {wanted}, got {size}")
    check_strides(array, port.name)


def check_captured(array: Any, name: str, device: Device) -> None:
    """Whether an array that a function reads may be an argument."""
    check_array(array, name, "captured tensor")
    given = describe(array).device
    if given != device:
        raise DeviceError(f"captured tensor '{name}': expected it on {device}, got {given}")
    check_strides(array, name)


def check_strides(array: Any, name: str) -> None:
    given = describe(array)
    if 0 in given.shape:
        return
    if given.shape and given.shape[-1] > 1 and given.strides[-1] != 1:
        raise StrideError(f"argument '{name}': the last stride must be 1, got "
                          f"{given.strides[-1]}; pass a copy, of numpy.ascontiguousarray(x) or "
                          "x.contiguous()")
    if any(stride < 0 for stride in given.strides):
        raise StrideError(f"argument '{name}': strides must not be negative, got "
                          f"{given.strides}; pass a copy")


def _take_only(results: tuple) -> Any:
    return results[0]


def _check_out(array: Any, shape: tuple[int, ...]) -> Any:
    if tuple(array.shape) != tuple(shape):
        raise ShapeError(f"'out': expected shape {tuple(shape)}, got {tuple(array.shape)}")
    # Kernels write to the address, whatever the flag says; tensors of PyTorch have none.
    if not is_tensor(array) and not array.flags.writeable:
        raise ArgumentError("'out': expected an array that may be written, got one that is "
                            "read-only; pass a copy")
    return array


def _current_stream(tensor: Any) -> int:
    torch = torch_module()
    if not is_tensor(tensor):
        raise DeviceError("expected tensors on an NVIDIA GPU, got "
                          + ("a NumPy array" if is_array(tensor) else type(tensor).__name__))
    return torch.cuda.current_stream(tensor.device).cuda_stream
