#===- _functions.py - What traced functions may compute ---------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""One table of functions by name, for operators, NumPy, PyTorch and this package.

Integers are `index` values, whatever width they have in Python; `/` gives a
float; `//` and `%` round down, as they do in Python, NumPy and PyTorch.
"""

from __future__ import annotations

import math
from typing import Any, Callable, Optional

from ._errors import TraceError
from ._graph import BOOL, INDEX, Node
from ._operands import (as_node, describe_type, make_constant, to_bool, to_float, to_index, unify)
from ._values import Traced, current_graph, fail

#===-----------------------------------------------------------------------===#
# Arithmetic
#===-----------------------------------------------------------------------===#


def _add(op: str, *nodes: Node, natural: bool = False) -> Node:
    operands = ", ".join(f"{{{n}}}" for n in range(len(nodes)))
    return current_graph().add(f"{op} {operands} : {nodes[0].type}", nodes, nodes[0].type,
                               is_natural=natural)


def _arithmetic(float_op: str, index_op: str, keeps_sign: bool) -> Callable:
    def function(x: Any, y: Any) -> Node:
        a, b = unify(as_node(x), as_node(y))
        if a.type == INDEX:
            return _add(index_op, a, b, natural=keeps_sign and a.is_natural and b.is_natural)
        return _add(float_op, a, b)
    return function


def _divide(x: Any, y: Any, rounding_mode: Optional[str] = None) -> Node:
    if rounding_mode == "floor":
        return _floor_divide(x, y)
    if rounding_mode is not None:
        fail(f"rounding_mode {rounding_mode!r} cannot be traced", "write x // y")
    return _add("arith.divf", to_float(as_node(x)), to_float(as_node(y)))


def _safe_divisor(node: Node) -> Node:
    """A divisor of integers that is never 0: regions are evaluated for pairs that
    are masked, too, where a division by zero would end the program."""
    if node.value == 0:
        fail("integer division by zero")
    if node.value is not None:
        return node
    is_zero = _compare("eq", node, make_constant(0))
    return _select(is_zero, make_constant(1), node)


def _floor_divide(x: Any, y: Any) -> Node:
    a, b = unify(as_node(x), as_node(y))
    if a.type != INDEX:
        return _add("math.floor", _add("arith.divf", a, b))
    b = _safe_divisor(b)
    if a.is_natural and b.value is not None and b.value > 0:
        return _add("arith.divsi", a, b, natural=True)
    return _add("arith.floordivsi", a, b)


def _remainder(x: Any, y: Any) -> Node:
    a, b = unify(as_node(x), as_node(y))
    if a.type != INDEX:
        whole = _add("math.floor", _add("arith.divf", a, b))
        return _add("arith.subf", a, _add("arith.mulf", whole, b))
    b = _safe_divisor(b)
    rest = _add("arith.remsi", a, b)
    if b.value is not None and b.value > 0:
        if a.is_natural:
            return _add("arith.remsi", a, b, natural=True)
        is_below = _compare("lt", rest, make_constant(0))
        return _select(is_below, _add("arith.addi", rest, b), rest)
    # The rest has the sign of the divisor.
    signs_differ = _compare("lt", _add("arith.xori", rest, b), make_constant(0))
    is_not_zero = _compare("ne", rest, make_constant(0))
    wrong = _add("arith.andi", signs_differ, is_not_zero)
    return _select(wrong, _add("arith.addi", rest, b), rest)


def _power(x: Any, y: Any) -> Node:
    a, b = as_node(x), as_node(y)
    if b.value in range(9):
        return _repeated_product(unify(a, b)[0], int(b.value))
    if b.value == 0.5:
        return _add("math.sqrt", to_float(a))
    if a.type == INDEX and b.type == INDEX:
        if a.value == 2 and b.is_natural:
            return _shift_left(1, Traced(b))
        fail("a power of two integers cannot be traced",
             "write 2.0 ** x, or x * x for a square")
    if a.value is not None and a.value > 0:
        factor = make_constant(math.log2(a.value))
        exponent = to_float(b) if factor.value == 1.0 else _add("arith.mulf", to_float(b), factor)
        return _add("math.exp2", exponent)
    return _add("math.powf", to_float(a), to_float(b))


def _repeated_product(node: Node, exponent: int) -> Node:
    op = "arith.muli" if node.type == INDEX else "arith.mulf"
    result = None
    while exponent:
        if exponent & 1:
            result = node if result is None else _add(op, result, node, natural=node.is_natural)
        exponent >>= 1
        if exponent:
            node = _add(op, node, node, natural=node.type == INDEX)
    return make_constant(1 if op == "arith.muli" else 1.0) if result is None else result


def _negate(x: Any) -> Node:
    node = as_node(x)
    if node.type in (BOOL, INDEX):
        return _add("arith.subi", make_constant(0), to_index(node))
    return _add("arith.negf", node)


def _absolute(x: Any) -> Node:
    node = as_node(x)
    if node.type in (BOOL, INDEX):
        node = to_index(node)
        return node if node.is_natural else _add("math.absi", node, natural=True)
    return _add("math.absf", node)


def _extreme(word: str) -> Callable:
    def function(x: Any, y: Any) -> Node:
        a, b = unify(as_node(x), as_node(y))
        if a.type == INDEX:
            natural = a.is_natural and b.is_natural or \
                word == "max" and (a.is_natural or b.is_natural)
            return _add(f"arith.{word}si", a, b, natural=natural)
        return _add(f"arith.{word}imumf", a, b)
    return function


def _clip(x: Any, min: Any = None, max: Any = None, **bounds: Any) -> Node:
    low, high = bounds.pop("a_min", min), bounds.pop("a_max", max)
    if bounds:
        fail(f"keyword '{next(iter(bounds))}' cannot be traced")
    result: Any = x
    if low is not None:
        result = Traced(_extreme("max")(result, low))
    if high is not None:
        result = Traced(_extreme("min")(result, high))
    return as_node(result)


#===-----------------------------------------------------------------------===#
# Comparisons, choices and bits
#===-----------------------------------------------------------------------===#

_PREDICATES = {"lt": ("slt", "olt"), "le": ("sle", "ole"), "gt": ("sgt", "ogt"),
               "ge": ("sge", "oge"), "eq": ("eq", "oeq"), "ne": ("ne", "une")}


def _compare(name: str, a: Node, b: Node) -> Node:
    if a.type == BOOL and b.type == BOOL and name in ("eq", "ne"):
        different = _add("arith.xori", a, b)
        return different if name == "ne" else _invert(Traced(different))
    a, b = unify(a, b)
    of_index, of_float = _PREDICATES[name]
    op, predicate = ("cmpi", of_index) if a.type == INDEX else ("cmpf", of_float)
    return current_graph().add(f"arith.{op} {predicate}, {{0}}, {{1}} : {a.type}", (a, b), BOOL)


def _comparison(name: str) -> Callable:
    return lambda x, y: _compare(name, as_node(x), as_node(y))


def _select(condition: Node, x: Node, y: Node) -> Node:
    return current_graph().add(f"arith.select {{0}}, {{1}}, {{2}} : {x.type}", (condition, x, y),
                               x.type, is_natural=x.is_natural and y.is_natural)


def _where(condition: Any, x: Any = None, y: Any = None) -> Node:
    if x is None or y is None:
        fail("where takes a condition and two values", "write where(condition, x, y)")
    chosen = as_node(condition)
    if chosen.type != BOOL:
        fail(f"the condition of where must be a bool, got a {describe_type(chosen)}",
             "compare it, as in x != 0")
    a, b = as_node(x), as_node(y)
    if a.type == b.type == BOOL:
        return _select(chosen, a, b)
    return _select(chosen, *unify(a, b))


def _bitwise(op: str) -> Callable:
    def function(x: Any, y: Any) -> Node:
        a, b = as_node(x), as_node(y)
        if a.type == b.type == BOOL:
            return _add(op, a, b)
        for node in (a, b):
            if node.type not in (BOOL, INDEX):
                fail("&, | and ^ take bools and integers, got a float",
                     "put comparisons in parentheses, as in (x < y) & (y < z)")
        a, b = to_index(a), to_index(b)
        return _add(op, a, b, natural=a.is_natural and b.is_natural)
    return function


def both(a: Node, b: Node) -> Node:
    """Whether two conditions hold."""
    return _add("arith.andi", a, b)


def _logical(op: str) -> Callable:
    return lambda x, y: _add(op, to_bool(as_node(x)), to_bool(as_node(y)))


def _invert(x: Any) -> Node:
    node = as_node(x)
    if node.type == BOOL:
        return _add("arith.xori", node, make_constant(True))
    if node.type != INDEX:
        fail("~ takes bools and integers, got a float")
    return _add("arith.xori", node, make_constant(-1))


def _shift_operands(x: Any, y: Any) -> tuple[Node, Node]:
    a, b = as_node(x), as_node(y)
    if any(node.type not in (BOOL, INDEX) for node in (a, b)):
        fail("<< and >> take integers, got a float")
    # Other shifts have no defined result in LLVM: kernels returned NaN.
    if b.value is not None and not 0 <= b.value < 64:
        fail(f"integers are shifted by 0 to 63 bits, got {b.value}")
    return to_index(a), to_index(b)


def _is_shift(bits: Node) -> Node:
    """Whether integers have as many bits to shift by."""
    is_below = _compare("lt", bits, make_constant(64))
    return is_below if bits.is_natural else \
        both(_compare("ge", bits, make_constant(0)), is_below)


def _shift_left(x: Any, y: Any) -> Node:
    """x << y, which is 0 for all other y than 0 to 63, as in NumPy."""
    a, b = _shift_operands(x, y)
    if b.value is not None:
        return _add("arith.shli", a, b)
    fits, zero = _is_shift(b), make_constant(0)
    return _select(fits, _add("arith.shli", a, _select(fits, b, zero)), zero)


def _shift_right(x: Any, y: Any) -> Node:
    """x >> y; all other y than 0 to 63 leave copies of the sign, as in NumPy."""
    a, b = _shift_operands(x, y)
    if b.value is None:
        b = _select(_is_shift(b), b, make_constant(63))
    return _add("arith.shrsi", a, b, natural=a.is_natural)


def _is_nan(x: Any) -> Node:
    node = to_float(as_node(x))
    return _compare("ne", node, node)


#===-----------------------------------------------------------------------===#
# Functions of floats
#===-----------------------------------------------------------------------===#


def _unary(op: str) -> Callable:
    return lambda x: _add(op, to_float(as_node(x)))


def _rounding(op: str) -> Callable:
    def function(x: Any) -> Node:
        node = as_node(x)
        return node if node.type in (BOOL, INDEX) else _add(op, node)
    return function


def _sigmoid(x: Any) -> Node:
    power = _add("math.exp", _add("arith.negf", to_float(as_node(x))))
    return _add("arith.divf", make_constant(1.0), _add("arith.addf", make_constant(1.0), power))


def _relu(x: Any) -> Node:
    return _extreme("max")(x, 0)


def _square(x: Any) -> Node:
    return _power(x, 2)


def _reciprocal(x: Any) -> Node:
    return _divide(1.0, x)


def _sign(x: Any) -> Node:
    node = as_node(x)
    below, above = _compare("lt", node, make_constant(0)), _compare("gt", node, make_constant(0))
    zero, one, less = unify(make_constant(0), make_constant(1), make_constant(-1)) \
        if node.type in (BOOL, INDEX) else (make_constant(0.0), make_constant(1.0), make_constant(-1.0))
    return _select(below, less, _select(above, one, zero))


def _random(seed: Any, *counter: Any) -> Node:
    if not 1 <= len(counter) <= 4:
        fail(f"random takes a seed and one to four integers, got {len(counter)}")
    words = [as_node(word) for word in (seed, *counter)]
    for word in words:
        if word.type != INDEX:
            fail(f"random takes integers, got a {describe_type(word)}")
    graph = current_graph()
    key = graph.add("arith.index_cast {0} : index to i64", (words[0],), "i64")
    places = ", ".join(f"{{{n}}}" for n in range(1, len(words)))
    return graph.add(f"attn.random {{0}} at({places}) : {graph.accumulator}",
                     (key, *words[1:]), graph.accumulator)


#===-----------------------------------------------------------------------===#
# Conversions
#===-----------------------------------------------------------------------===#


def _convert(x: Any, dtype: Any, **keywords: Any) -> Node:
    """x.to(dtype) and x.astype(dtype), where values keep what they are."""
    node, name = as_node(x), getattr(dtype, "name", None) or str(dtype).rpartition(".")[2]
    name = getattr(dtype, "__name__", name)
    if name.startswith("bool"):
        return to_bool(node)
    if name.startswith(("int", "long")):
        return to_index(node)
    if name in ("float", "float64", "double", "float32"):
        return to_float(node)
    fail(f"values of a region are computed in {current_graph().accumulator} and cannot be "
         f"converted to {name}", "leave the conversion out")


def _new(value: int) -> Callable:
    """x.new_zeros(()) and x.new_ones(()), which PyTorch's mask functions call."""
    def function(x: Any, size: Any = (), *, dtype: Any = None, **keywords: Any) -> Node:
        if tuple(size):
            fail(f"an array of shape {tuple(size)} cannot be made in a traced function",
                 "make it before")
        constant = Traced(make_constant(value))
        return _convert(constant, dtype) if dtype is not None else to_float(constant._node)
    return function


def _swapped(function: Callable) -> Callable:
    return lambda x, y: function(y, x)


_ADD = _arithmetic("arith.addf", "arith.addi", True)
_SUBTRACT = _arithmetic("arith.subf", "arith.subi", False)
_MULTIPLY = _arithmetic("arith.mulf", "arith.muli", True)
_MINIMUM, _MAXIMUM = _extreme("min"), _extreme("max")
_AND, _OR, _XOR = map(_bitwise, ("arith.andi", "arith.ori", "arith.xori"))

# Names as PyTorch, NumPy and Python's operators have them, without underscores
# around them.
_TABLE: dict[str, Callable] = {
    **dict.fromkeys(("add",), _ADD),
    **dict.fromkeys(("sub", "subtract"), _SUBTRACT),
    **dict.fromkeys(("rsub",), _swapped(_SUBTRACT)),
    **dict.fromkeys(("mul", "multiply"), _MULTIPLY),
    **dict.fromkeys(("truediv", "true_divide", "div", "divide"), _divide),
    **dict.fromkeys(("rdiv", "rtruediv"), _swapped(_divide)),
    **dict.fromkeys(("floordiv", "floor_divide"), _floor_divide),
    **dict.fromkeys(("rfloordiv",), _swapped(_floor_divide)),
    **dict.fromkeys(("mod", "remainder"), _remainder),
    **dict.fromkeys(("rmod",), _swapped(_remainder)),
    **dict.fromkeys(("pow", "power", "float_power"), _power),
    **dict.fromkeys(("rpow",), _swapped(_power)),
    **dict.fromkeys(("neg", "negative"), _negate),
    **dict.fromkeys(("abs", "absolute", "fabs"), _absolute),
    **dict.fromkeys(("minimum",), _MINIMUM),
    **dict.fromkeys(("maximum",), _MAXIMUM),
    **dict.fromkeys(("clip", "clamp"), _clip),
    "clamp_min": _MAXIMUM, "clamp_max": _MINIMUM,
    **dict.fromkeys(("lt", "less"), _comparison("lt")),
    **dict.fromkeys(("le", "less_equal"), _comparison("le")),
    **dict.fromkeys(("gt", "greater"), _comparison("gt")),
    **dict.fromkeys(("ge", "greater_equal"), _comparison("ge")),
    **dict.fromkeys(("eq", "equal"), _comparison("eq")),
    **dict.fromkeys(("ne", "not_equal"), _comparison("ne")),
    "where": _where,
    **dict.fromkeys(("and", "bitwise_and"), _AND), "rand": _swapped(_AND),
    **dict.fromkeys(("or", "bitwise_or"), _OR), "ror": _swapped(_OR),
    **dict.fromkeys(("xor", "bitwise_xor"), _XOR), "rxor": _swapped(_XOR),
    "logical_and": _logical("arith.andi"), "logical_or": _logical("arith.ori"),
    "logical_xor": _logical("arith.xori"),
    "logical_not": lambda x: _invert(Traced(to_bool(as_node(x)))),
    **dict.fromkeys(("invert", "bitwise_not"), _invert),
    **dict.fromkeys(("lshift", "left_shift", "bitwise_left_shift"), _shift_left),
    **dict.fromkeys(("rshift", "right_shift", "bitwise_right_shift"), _shift_right),
    "rlshift": _swapped(_shift_left), "rrshift": _swapped(_shift_right),
    **{name: _unary(f"math.{name}") for name in
       ("exp", "exp2", "expm1", "log", "log2", "log1p", "sin", "cos", "tanh", "sqrt", "rsqrt",
        "erf")},
    "floor": _rounding("math.floor"), "ceil": _rounding("math.ceil"),
    "trunc": _rounding("math.trunc"),
    **dict.fromkeys(("round", "rint"), _rounding("math.roundeven")),
    **dict.fromkeys(("sigmoid", "expit"), _sigmoid),
    "relu": _relu, "square": _square, "reciprocal": _reciprocal,
    **dict.fromkeys(("sign", "sgn"), _sign), "isnan": _is_nan,
    "random": _random,
    **dict.fromkeys(("to", "type", "astype"), _convert),
}

# What is called as a method only.
_METHODS: dict[str, Callable] = {
    **dict.fromkeys(("float", "double"), lambda x: to_float(as_node(x))),
    **dict.fromkeys(("int", "long"), lambda x: to_index(as_node(x))),
    "bool": lambda x: to_bool(as_node(x)),
    "new_zeros": _new(0), "new_ones": _new(1),
    **dict.fromkeys(("clone", "detach", "contiguous"), as_node),
}

_HINTS = {
    "matmul": "products of vectors are not part of a region",
    "tensor": "use the number itself", "asarray": "use the value itself",
    "array": "use the value itself",
    "amin": "write minimum(x, y)", "amax": "write maximum(x, y)",
    "min": "write minimum(x, y)", "max": "write maximum(x, y)",
    "tan": "write sin(x) / cos(x)", "fmod": "write x % y, which rounds down",
    "isinf": "write abs(x) == float('inf')", "isfinite": "write abs(x) < float('inf')",
    "rand": "write attn_mlir.random(seed, b, h, i, j)",
    "dropout": "write attn_mlir.random(seed, b, h, i, j) < rate",
}


def apply(name: str, arguments: tuple, keywords: dict) -> Traced:
    """Calls a function of the table; TraceError if it has none of this name."""
    name = name.strip("_")
    function = _TABLE.get(name)
    if function is None:
        fail(f"'{name}' cannot be traced", _HINTS.get(name, "functions that can: " + SUPPORTED))
    return _call(function, name, arguments, keywords)


def _call(function: Callable, name: str, arguments: tuple, keywords: dict) -> Traced:
    keywords = {key: value for key, value in keywords.items() if value is not None}
    try:
        return Traced(function(*arguments, **keywords))
    except TypeError as error:
        if isinstance(error, TraceError):
            raise
        fail(f"'{name}' is called with arguments that cannot be traced: "
             f"{str(error).rpartition('() ')[2]}")


def find_method(name: str) -> Optional[Callable]:
    """What `x.name(...)` calls, or None."""
    function = _METHODS.get(name) or _TABLE.get(name)
    if function is None or name == "where":
        return None
    return lambda *args, **kwargs: _call(function, name, args, kwargs)


SUPPORTED = ("abs, ceil, clip, cos, erf, exp, exp2, expm1, floor, log, log1p, log2, maximum, "
             "minimum, pow, relu, round, rsqrt, sigmoid, sign, sin, sqrt, square, tanh, trunc, "
             "where, logical_and, logical_or, logical_not")
