#===- _graph.py - What a traced function computes ---------------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""The graph of one region: operations in the order in which they were made, each
once, and the text of MLIR for them.

Values have one of three types: `index` for all integers, `i1`, and the type of
the accumulator, `f32` or `f64`.
"""

from __future__ import annotations

import math
import struct
from typing import Any, NamedTuple, Optional

BOOL, INDEX = "i1", "index"


class Node(NamedTuple):
    """One value. `op` is the text of an operation in which {0}, {1}, ... stand for
    its operands; of an argument it is the name."""

    op: str
    operands: tuple["Node", ...]
    type: str
    number: int
    is_natural: bool = False  # An integer that is not negative.
    value: Any = None  # Of a constant.

    # Nodes are made once each.
    def __hash__(self) -> int:
        return self.number

    def __eq__(self, other: object) -> bool:
        return self is other

    def __ne__(self, other: object) -> bool:
        return self is not other


class Capture:
    """An array that a region reads: an argument of the function."""

    def __init__(self, array: Any, name: str, dtype: str, rank: int):
        self.array, self.name, self.dtype, self.rank = array, name, dtype, rank
        # Pairs of a dimension and the coordinate that indexes it.
        self.coordinates: dict[int, set[str]] = {}

    @property
    def type(self) -> str:
        return f"tensor<{'?x' * self.rank}{self.dtype}>"


class Captures:
    """The captures of all regions of a function."""

    def __init__(self, taken: tuple[str, ...]):
        self.all: list[Capture] = []
        self._by_array: dict[int, Capture] = {}
        self._names = set(taken)

    def add(self, array: Any, name: str, dtype: str, rank: int) -> Capture:
        capture = self._by_array.get(id(array))
        if capture is None:
            capture = Capture(array, self._make_name(name), dtype, rank)
            self._by_array[id(array)] = capture
            self.all.append(capture)
        return capture

    def _make_name(self, name: str) -> str:
        base = "".join(c if c.isascii() and c.isalnum() else "_" for c in name)
        base = base if base and not base[0].isdigit() else f"t{base}"
        number, unique = 2, base
        while unique in self._names:
            unique, number = f"{base}_{number}", number + 1
        self._names.add(unique)
        return unique


class Graph:
    """What one region computes. `region` is its name in messages."""

    def __init__(self, region: str, accumulator: str, captures: Captures):
        self.region, self.accumulator, self.captures = region, accumulator, captures
        self._nodes: dict[tuple, Node] = {}
        self._order: list[Node] = []
        self.arguments: list[Node] = []

    def add(self, op: str, operands: tuple[Node, ...], type: str,
            is_natural: bool = False, value: Any = None) -> Node:
        key = (op, tuple(node.number for node in operands), type)
        node = self._nodes.get(key)
        if node is None:
            node = Node(op, operands, type, len(self._order), is_natural, value)
            self._nodes[key] = node
            self._order.append(node)
        return node

    def add_argument(self, name: str, type: str) -> Node:
        node = self.add(f"%{name}", (), type, is_natural=type == INDEX)
        self.arguments.append(node)
        return node

    def constant(self, value: Any, type: str) -> Node:
        if type == BOOL:
            return self.add(f"arith.constant {'true' if value else 'false'}", (), BOOL,
                            value=bool(value))
        if type == INDEX:
            return self.add(f"arith.constant {int(value)} : index", (), INDEX,
                            is_natural=value >= 0, value=int(value))
        return self.add(f"arith.constant {spell_float(value, type)} : {type}", (), type,
                        value=float(value))

    def owns(self, node: Node) -> bool:
        return node.number < len(self._order) and self._order[node.number] is node

    def is_used(self, results: tuple[Node, ...], argument: Node) -> bool:
        return argument in self._reach(results)

    def _reach(self, results: tuple[Node, ...]) -> set[Node]:
        reached: set[Node] = set()
        pending = list(results)
        while pending:
            node = pending.pop()
            if node not in reached:
                reached.add(node)
                pending.extend(node.operands)
        return reached

    def print(self, results: tuple[Node, ...], indent: str) -> str:
        """The lines of the region, its header and `attn.yield` included."""
        names = {node: node.op for node in self.arguments}
        header = ", ".join(node.op if node.type == INDEX else f"{node.op}: {node.type}"
                           for node in self.arguments)
        lines = [f"{indent}{self.region} ({header}) {{"]
        reached = self._reach(results)
        for node in self._order:
            if node in names or node not in reached:
                continue
            names[node] = f"%{len(names) - len(self.arguments)}"
            text = node.op.format(*(names[operand] for operand in node.operands))
            lines.append(f"{indent}  {names[node]} = {text}")
        values = ", ".join(names[node] for node in results)
        types = ", ".join(node.type for node in results)
        lines += [f"{indent}  attn.yield {values} : {types}", f"{indent}}}"]
        return "\n".join(lines)


def spell_float(value: float, type: str = "f64") -> str:
    """A float as MLIR reads it, as near as its type allows."""
    if type == "f32" and math.isfinite(value):
        try:
            value = struct.unpack("<f", struct.pack("<f", value))[0]
        except OverflowError:
            value = math.copysign(math.inf, value)
    if not math.isfinite(value):
        code = struct.unpack("<Q", struct.pack("<d", value))[0] if type == "f64" else \
            struct.unpack("<I", struct.pack("<f", value))[0]
        return f"0x{code:0{16 if type == 'f64' else 8}X}"
    mantissa, _, exponent = repr(float(value)).partition("e")
    if "." not in mantissa:
        mantissa += ".0"
    return f"{mantissa}e{exponent}" if exponent else mantissa


def find_coordinate(node: Node) -> Optional[str]:
    """The name of the argument that an index is, if it is one."""
    return node.op[1:] if node.op.startswith("%") else None
