#===- _closures.py - What a Python function reads beside its arguments ------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Two walks over a callable and all that it can read: closures, defaults, globals,
attributes of its object, and the functions it calls.

`fingerprint` gives a key, equal for callables that are traced to the same text,
and the arrays that the text leaves open. It runs at each call of attend(), so
that a lambda made anew each time compiles once. Numbers are part of the key.

`lift` gives the callable again, with `Captured` in place of all arrays.
"""

from __future__ import annotations

import dis
import functools
import inspect
import sys
import types
from typing import Any, Callable, NamedTuple

import numpy as np

from ._arrays import device_of, is_array
from ._values import Captured, is_library

_SCALARS = frozenset((int, bool, str, bytes, type(None), complex))
_LEAVES = (type, types.BuiltinFunctionType, types.BuiltinMethodType, np.ufunc, np.dtype)
_LIMIT = 10000


class Read(NamedTuple):
    """A global name that some code reads, and the attributes that follow it."""

    name: str
    attributes: frozenset[str]


class CodeFacts:
    """What is known of some code for good: the globals that it and the functions
    inside of it read, none if it is of a library, and its parameters, last first."""

    __slots__ = ("code", "reads", "parameters")

    def __init__(self, code: types.CodeType):
        found: dict[str, set[str]] = {}
        if not is_library(code.co_filename):
            _collect_reads(code, found)
        self.code = code
        self.reads = tuple(Read(name, frozenset(found[name])) for name in sorted(found))
        self.parameters = code.co_varnames[:code.co_argcount][::-1]


_facts: dict[int, CodeFacts] = {}


def find_facts(code: types.CodeType) -> CodeFacts:
    """The facts of this object, which they keep alive. They stand for the code in
    keys, as they are compared faster."""
    facts = _facts.get(id(code))
    if facts is None:
        facts = _facts[id(code)] = CodeFacts(code)
    return facts


def _collect_reads(code: types.CodeType, found: dict[str, set[str]]) -> None:
    name = None
    for step in dis.get_instructions(code):
        if step.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            name = step.argval
            found.setdefault(name, set())
        elif step.opname in ("LOAD_ATTR", "LOAD_METHOD") and name is not None:
            found[name].add(step.argval)
            name = None
        elif step.opname not in ("CACHE", "PUSH_NULL", "PRECALL", "EXTENDED_ARG"):
            name = None
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            _collect_reads(constant, found)


def _is_library_module(module: types.ModuleType) -> bool:
    file = getattr(module, "__file__", None)
    return file is None or is_library(file) or module.__name__ in sys.stdlib_module_names


def _parts(function: types.FunctionType, facts: CodeFacts) -> list[tuple[str, Any]]:
    """What a function reads, with the names that it has for it."""
    parts: list[tuple[str, Any]] = []
    if function.__closure__:
        for name, cell in zip(facts.code.co_freevars, function.__closure__):
            try:
                parts.append((name, cell.cell_contents))
            except ValueError:
                pass  # Not assigned yet.
    if function.__defaults__:
        parts += zip(facts.parameters, reversed(function.__defaults__))
    if function.__kwdefaults__:
        parts += function.__kwdefaults__.items()
    scope = function.__globals__
    for read in facts.reads:
        if read.name in scope:
            value = scope[read.name]
            parts += _module_parts(value, read) if isinstance(value, types.ModuleType) \
                else [(read.name, value)]
    return parts


def _module_parts(module: types.ModuleType, read: Read) -> list[tuple[str, Any]]:
    if _is_library_module(module):
        return []
    return [(name, getattr(module, name)) for name in sorted(read.attributes)
            if hasattr(module, name)]


def find_methods(kind: type) -> dict[str, types.FunctionType]:
    """The methods and properties of a class that are no library's, as functions."""
    methods: dict[str, types.FunctionType] = {}
    for base in reversed(kind.__mro__):
        for name, member in vars(base).items():
            function = _as_function(member)
            if isinstance(function, types.FunctionType) \
                    and not is_library(function.__code__.co_filename):
                methods[name] = function
    return methods


def _as_function(member: Any) -> Any:
    if isinstance(member, property):
        return member.fget
    return member.__func__ if isinstance(member, (staticmethod, classmethod)) else member


#===-----------------------------------------------------------------------===#
# Fingerprints
#===-----------------------------------------------------------------------===#


class _Identity:
    """Equal to itself only, as long as anything has it."""

    def __init__(self, value: Any):
        self._value = value

    def __hash__(self) -> int:
        return id(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Identity) and self._value is other._value


class _Fingerprint:
    def __init__(self) -> None:
        self.key: list[Any] = []
        self.arrays: list[Any] = []
        self._seen: dict[int, int] = {}
        self._keep: list[Any] = []

    def visit(self, value: Any) -> None:
        kind = type(value)
        if kind in _SCALARS:
            self.key += (kind, value)
        elif kind is float:
            self.key.append(value.hex())
        elif self._is_known(value):
            pass
        elif is_array(value):
            self.key += ("array", kind, value.dtype, value.ndim, device_of(value))
            self.arrays.append(value)
        elif kind is types.FunctionType:
            facts = find_facts(value.__code__)
            self.key.append(facts)
            for name, part in _parts(value, facts):
                self.key.append(name)
                self.visit(part)
            self.key.append(")")
        else:
            self._visit_other(value, kind)

    def _is_known(self, value: Any) -> bool:
        """Whether it was visited before: the key then has its number only."""
        number = self._seen.get(id(value))
        if number is not None:
            self.key += ("again", number)
            return True
        if len(self._seen) > _LIMIT:
            raise ValueError("too many objects")
        self._seen[id(value)] = len(self._seen)
        self._keep.append(value)  # So that no other object gets its id.
        return False

    def _visit_other(self, value: Any, kind: type) -> None:
        if isinstance(value, (list, tuple)):
            self._visit_all(kind, value)
        elif isinstance(value, dict):
            self._visit_all(kind, [part for item in value.items() for part in item])
        elif kind is types.MethodType:
            self._visit_all(kind, (value.__func__, value.__self__))
        elif kind is functools.partial:
            self._visit_all(kind, (value.func, value.args, value.keywords))
        elif isinstance(value, np.generic):
            self.key += (kind, value.item())
        elif isinstance(value, types.ModuleType) or isinstance(value, _LEAVES):
            self.key.append(value)
        elif isinstance(getattr(value, "__dict__", None), dict):
            self._visit_all(kind, [part for item in vars(value).items() for part in item])
            # What methods read counts as well, as the function may call them.
            for method in find_methods(kind).values():
                self.visit(method)
        else:
            self._visit_opaque(value, kind)

    def _visit_all(self, kind: type, values: Any) -> None:
        self.key += (kind, len(values))
        for value in values:
            self.visit(value)

    def _visit_opaque(self, value: Any, kind: type) -> None:
        try:
            hash(value)
        except TypeError:
            self.key.append(_Identity(value))
        else:
            self.key.append(value)


def fingerprint(function: Any) -> tuple[tuple, list[Any]]:
    """The key of a callable, or of a tuple of some, and the arrays that it reads, each once."""
    walk = _Fingerprint()
    walk.visit(function)
    return tuple(walk.key), walk.arrays


#===-----------------------------------------------------------------------===#
# Lifting
#===-----------------------------------------------------------------------===#


def lift(value: Any, name: str = "captured", known: Any = None) -> Any:
    """`value` with all arrays replaced that it reads."""
    known = {} if known is None else known
    if type(value) in _SCALARS or type(value) is float:
        return value
    if id(value) in known:
        return known[id(value)][1]
    if is_array(value):
        lifted: Any = Captured(value, name)
    elif type(value) is types.FunctionType:
        return _lift_function(value, known)
    elif isinstance(value, (list, tuple)):
        parts = [lift(part, name, known) for part in value]
        lifted = type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    elif isinstance(value, dict):
        lifted = dict((key, lift(part, str(key), known)) for key, part in value.items())
    elif type(value) is types.MethodType:
        lifted = types.MethodType(lift(value.__func__, name, known),
                                  lift(value.__self__, name, known))
    elif type(value) is functools.partial:
        lifted = functools.partial(lift(value.func, name, known),
                                   *(lift(part, name, known) for part in value.args),
                                   **lift(value.keywords, name, known))
    elif _is_plain_object(value):
        return _lift_object(value, known)
    else:
        lifted = value
    known[id(value)] = (value, lifted)
    return lifted


def _is_plain_object(value: Any) -> bool:
    return (not isinstance(value, (types.ModuleType, np.generic, *_LEAVES))
            and isinstance(getattr(value, "__dict__", None), dict)
            and type(value).__new__ is object.__new__)


def _lift_function(function: types.FunctionType, known: dict) -> Any:
    scope = function.__globals__
    reads = find_facts(function.__code__).reads
    if not function.__closure__ and not reads and not function.__defaults__ \
            and not function.__kwdefaults__:
        return function
    cells = tuple(types.CellType() for _ in function.__closure__ or ())
    globals_ = dict(scope) if reads else scope
    lifted = types.FunctionType(function.__code__, globals_, function.__name__, None, cells)
    known[id(function)] = (function, lifted)
    for name, cell, new in zip(function.__code__.co_freevars, function.__closure__ or (), cells):
        try:
            new.cell_contents = lift(cell.cell_contents, name, known)
        except ValueError:
            pass  # Not assigned yet.
    lifted.__defaults__ = lift(function.__defaults__, "default", known)
    lifted.__kwdefaults__ = lift(function.__kwdefaults__, "default", known)
    for read in reads:
        if read.name in scope:
            globals_[read.name] = _lift_global(scope[read.name], read, known)
    return lifted


def _lift_global(value: Any, read: Read, known: dict) -> Any:
    if not isinstance(value, types.ModuleType):
        return lift(value, read.name, known)
    parts = {name: lift(part, name, known) for name, part in _module_parts(value, read)}
    if not parts:
        return value
    view = types.ModuleType(value.__name__)
    view.__dict__.update(vars(value))
    view.__dict__.update(parts)
    return view


def _lift_object(value: Any, known: dict) -> Any:
    """A copy of an object whose attributes and methods are lifted."""
    kind = type(value)
    view: Any = object.__new__(type(kind.__name__, (kind,), {}))
    known[id(value)] = (value, view)
    for name, method in find_methods(kind).items():
        lifted = lift(method, name, known)
        member = inspect.getattr_static(kind, name)
        if isinstance(member, property):
            lifted = property(lifted)
        elif isinstance(member, (staticmethod, classmethod)):
            lifted = type(member)(lifted)
        setattr(type(view), name, lifted)
    for name, part in vars(value).items():
        view.__dict__[name] = lift(part, name, known)
    return view
