#===- _values.py - Values that write down what is done with them ------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""`Traced` stands for a number while a Python function is traced, `Captured` for an
array that the function reads. Operators and the functions of NumPy and PyTorch
end up in the table of _functions.py; all else is a TraceError."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import threading
from typing import Any, Callable, Iterator, NoReturn, Optional, Union

from ._errors import TraceError
from ._graph import BOOL, INDEX, Capture, Graph, Node
from ._hints import hint_for_index, hint_for_key, hint_for_truth

Number = Union[bool, int, float]

_state = threading.local()
_PACKAGE = os.path.dirname(os.path.abspath(__file__))
_LIBRARIES = re.compile(r"[/\\](numpy|torch)[/\\]")


@contextlib.contextmanager
def tracing(graph: Graph) -> Iterator[None]:
    """Makes `graph` the one that values of this thread write to."""
    outer = getattr(_state, "graph", None)
    _state.graph = graph
    try:
        yield
    finally:
        _state.graph = outer


def current_graph() -> Graph:
    graph = getattr(_state, "graph", None)
    if graph is None:
        raise TraceError("value", "a traced value is used after its function was traced",
                         "do not keep values of a score or mask function", *find_user_line())
    return graph


def is_tracing() -> bool:
    return getattr(_state, "graph", None) is not None


def is_library(filename: str) -> bool:
    """Whether a line of this file is of no help to a user."""
    return filename.startswith((_PACKAGE, "<")) or bool(_LIBRARIES.search(filename))


def _find_user_frame() -> Any:
    """The innermost call that is neither here nor in a library, or None."""
    frame: Any = sys._getframe(1)
    while frame is not None and is_library(frame.f_code.co_filename):
        frame = frame.f_back
    return frame


def find_user_line() -> tuple[str, int]:
    """File and line of that call."""
    frame = _find_user_frame()
    return ("", 0) if frame is None else (frame.f_code.co_filename, frame.f_lineno)


def _find_hint(find: Callable[[Any], str]) -> str:
    """What `find` says of that call."""
    frame = _find_user_frame()
    return "" if frame is None else find(frame)


def fail(reason: str, hint: str = "") -> NoReturn:
    """Raises a TraceError at the line of the user that is being traced."""
    graph = getattr(_state, "graph", None)
    raise TraceError(graph.region if graph else "value", reason, hint, *find_user_line())


def _apply(name: str, *arguments: Any, **keywords: Any) -> Any:
    from . import _functions
    return _functions.apply(name, arguments, keywords)


class _Functions:
    """The protocols through which functions of libraries meet traced values."""

    __slots__ = ()
    # NumPy scalars and arrays leave operators to us.
    __array_priority__ = 1000

    @classmethod
    def __torch_function__(cls, function: Callable, types: Any, args: tuple = (),
                           kwargs: Optional[dict] = None) -> Any:
        return apply_torch(function, args, kwargs or {})

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method != "__call__":
            fail(f"numpy.{ufunc.__name__}.{method} cannot be traced")
        return _apply(ufunc.__name__, *inputs, **kwargs)

    def __array_function__(self, function: Callable, types: Any, args: tuple,
                           kwargs: dict) -> Any:
        return _apply(function.__name__, *args, **kwargs)

    def __array__(self, *args: Any, **kwargs: Any) -> NoReturn:
        fail("a traced value cannot become an array, nor the index of one that is not captured",
             "compute with the value itself; wrap an array that the function makes, or finds in "
             "an unusual place, in attn_mlir.capture(array)")


def apply_torch(function: Callable, args: tuple, kwargs: dict) -> Any:
    name = getattr(function, "__name__", repr(function)).strip("_")
    if name == "getitem":
        # A tensor that no closure shows, or that the function has made.
        return as_captured(args[0])[args[1]]
    return _apply(name, *args, **kwargs)


class Traced(_Functions):
    """A number that a region computes."""

    __slots__ = ("_node",)

    def __init__(self, node: Node):
        self._node = node

    def __repr__(self) -> str:
        kind = {BOOL: "bool", INDEX: "int"}.get(self._node.type, "float")
        return f"<traced {kind}>"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        from . import _functions
        method = _functions.find_method(name)
        if method is None:
            fail(f"traced values have no '{name}'", _ATTRIBUTE_HINTS.get(name, ""))
        return lambda *args, **kwargs: method(self, *args, **kwargs)

    @property
    def dtype(self) -> Any:
        """What it is computed in: of PyTorch where that is there, else of NumPy."""
        from ._arrays import scalar_dtype
        return scalar_dtype(self._node.type)

    def __bool__(self) -> NoReturn:
        fail("a traced value is neither true nor false yet", _find_hint(hint_for_truth))

    def _no_number(self, wanted: str) -> NoReturn:
        fail(f"a traced value cannot become a Python {wanted}", _find_hint(hint_for_index))

    def __int__(self) -> NoReturn:
        self._no_number("int")

    def __index__(self) -> NoReturn:
        self._no_number("int")

    def __float__(self) -> NoReturn:
        self._no_number("float")

    def __complex__(self) -> NoReturn:
        self._no_number("complex")

    def __len__(self) -> NoReturn:
        fail("a traced value is one number and has no length")

    def __iter__(self) -> NoReturn:
        fail("a traced value is one number and cannot be iterated over")

    def __getitem__(self, index: Any) -> NoReturn:
        fail("a traced value is one number and cannot be indexed")

    # Equality is traced.
    def __hash__(self) -> NoReturn:
        fail("a traced value cannot be found in a dictionary or a set", _find_hint(hint_for_key))

    def __contains__(self, item: Any) -> NoReturn:
        fail("a traced value is one number and contains nothing")

    def __pos__(self) -> "Traced":
        return self


_ATTRIBUTE_HINTS = {
    "item": "traced values have no contents yet; use the value itself",
    "numpy": "traced values have no contents yet; use the value itself",
    "tolist": "traced values have no contents yet; use the value itself",
    "shape": "a traced value is one number: the function is called for one pair",
}


class Captured(_Functions):
    """An array that a traced function reads, with the indices so far."""

    __slots__ = ("_array", "_name", "_indices")

    def __init__(self, array: Any, name: str, indices: tuple[Node, ...] = ()):
        self._array, self._name, self._indices = array, name, indices

    def __repr__(self) -> str:
        return f"<captured tensor '{self._name}' of rank {self.ndim}>"

    @property
    def ndim(self) -> int:
        return self._array.ndim - len(self._indices)

    @property
    def dtype(self) -> Any:
        return self._array.dtype

    @property
    def shape(self) -> tuple[Traced, ...]:
        return tuple(self._size(axis) for axis in range(len(self._indices), self._array.ndim))

    def size(self, axis: Optional[int] = None) -> Any:
        return self.shape if axis is None else self.shape[axis]

    def dim(self) -> int:
        return self.ndim

    def _size(self, axis: int) -> Traced:
        graph = current_graph()
        capture = self._capture()
        operand = graph.constant(axis, INDEX)
        op = f"tensor.dim %{capture.name}, {{0}} : {capture.type}"
        return Traced(graph.add(op, (operand,), INDEX, is_natural=True))

    def _capture(self) -> Capture:
        from ._arrays import check_array, describe
        check_array(self._array, self._name, "captured tensor")
        return current_graph().captures.add(self._array, self._name,
                                            describe(self._array).dtype, self._array.ndim)

    def __getitem__(self, index: Any) -> Union["Captured", Traced]:
        from . import _operands
        indices = index if isinstance(index, tuple) else (index,)
        total = len(self._indices) + len(indices)
        if total > self._array.ndim:
            fail(f"captured tensor '{self._name}' has rank {self._array.ndim}, got {total} indices",
                 f"index it with {self._array.ndim}")
        nodes = tuple(self._index(index, axis)
                      for axis, index in enumerate(indices, len(self._indices)))
        result = Captured(self._array, self._name, self._indices + nodes)
        return result if total < self._array.ndim else _operands.read(result)

    def _index(self, index: Any, axis: int) -> Node:
        """An index as a node; below 0, it counts from the end."""
        from . import _operands
        if index is None or index is Ellipsis or isinstance(index, (slice, list)):
            fail(f"captured tensor '{self._name}' takes one integer for each dimension, "
                 f"got {index!r}", "reshape or slice it before the function is traced")
        node = _operands.as_node(index)
        if node.type != INDEX:
            fail(f"index {axis} of captured tensor '{self._name}' must be an integer, got a "
                 f"{_operands.describe_type(node)}")
        if node.is_natural:
            return node
        value: Any = Traced(node)
        return _operands.as_node(_apply("where", value < 0, value + self._size(axis), value))

    def to(self, *args: Any, **kwargs: Any) -> "Captured":
        fail(f"captured tensor '{self._name}' cannot be converted as a whole",
             "convert it before the function is traced")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if self.ndim == 0:
            from . import _operands
            return getattr(_operands.read(self), name)
        fail(f"captured tensor '{self._name}' has no '{name}' while it is traced",
             "index it first, or compute it before")

    def __bool__(self) -> NoReturn:
        fail("a captured tensor is neither true nor false yet", _find_hint(hint_for_truth))

    def __len__(self) -> NoReturn:
        fail(f"the length of captured tensor '{self._name}' is not known when it is traced",
             "write .shape[0], or pass the number")

    def __iter__(self) -> NoReturn:
        fail(f"captured tensor '{self._name}' cannot be iterated over", "index it")

    def __index__(self) -> NoReturn:
        fail(f"captured tensor '{self._name}' cannot become a Python int")

    def __float__(self) -> NoReturn:
        fail(f"captured tensor '{self._name}' cannot become a Python float",
             "use functions of torch, numpy or attn_mlir in place of those of Python")

    __hash__ = None  # type: ignore[assignment]


def as_captured(array: Any, name: str = "captured") -> Captured:
    return array if isinstance(array, Captured) else Captured(array, name)


def capture(array: Any, name: str = "captured") -> Any:
    """`array` as an operand of a score or mask function.

    Arrays in closures, globals, defaults and attributes are found without this. It
    is for those that a traced function reaches in another way.
    """
    return as_captured(array, name) if is_tracing() else array


_OPERATORS = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "and_", "or_", "xor",
              "lshift", "rshift")


def _add_operators(cls: type) -> None:
    """Operators of both, which go to the table of functions by their names."""

    def make(name: str, swapped: bool) -> Callable:
        if swapped:
            return lambda self, other: _apply(name, other, self)
        return lambda self, other: _apply(name, self, other)

    for name in _OPERATORS:
        word = name.strip("_")
        setattr(cls, f"__{word}__", make(word, False))
        setattr(cls, f"__r{word}__", make(word, True))
    for name in ("lt", "le", "gt", "ge", "eq", "ne"):
        setattr(cls, f"__{name}__", make(name, False))
    for name in ("neg", "abs", "invert"):
        setattr(cls, f"__{name}__", lambda self, name=name: _apply(name, self))


_add_operators(Traced)
_add_operators(Captured)
