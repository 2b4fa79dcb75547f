#===- _operands.py - What functions of traced values are given --------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Numbers, traced values and elements of arrays as nodes of the graph, and from one
of the three types to another."""

from __future__ import annotations

import math
from typing import Any

from ._arrays import describe, is_array
from ._graph import BOOL, INDEX, Node, find_coordinate
from ._values import Captured, Traced, as_captured, current_graph, fail

LARGEST = 2**63


def describe_type(node: Node) -> str:
    return {BOOL: "bool", INDEX: "int"}.get(node.type, "float")


def as_node(value: Any) -> Node:
    """The node of a traced value, or one for a number or an array of rank 0."""
    if isinstance(value, Traced):
        if not current_graph().owns(value._node):
            fail("a value of another traced function is used",
                 "compute it again, or return it from this function")
        return value._node
    if isinstance(value, Captured):
        return read(value)._node
    if hasattr(value, "item") and hasattr(value, "dtype") and not is_array(value):
        value = value.item()  # A NumPy scalar.
    if isinstance(value, (bool, int, float)):
        return make_constant(value)
    if is_array(value):
        return read(as_captured(value))._node
    fail(f"a value of type '{type(value).__name__}' cannot be used in a traced function",
         "use numbers, traced values and elements of arrays")


def make_constant(value: Any) -> Node:
    graph = current_graph()
    if isinstance(value, bool):
        return graph.constant(value, BOOL)
    if isinstance(value, int):
        if not -LARGEST <= value < LARGEST:
            fail(f"integers must fit into 64 bits, got {value}")
        return graph.constant(value, INDEX)
    return graph.constant(value, graph.accumulator)


def read(captured: Captured) -> Traced:
    """The element of an array that all indices are there for."""
    if captured.ndim:
        fail(f"captured tensor '{captured._name}' has rank {captured._array.ndim}, got "
             f"{len(captured._indices)} indices",
             f"index it with {captured._array.ndim} to get a number")
    graph, capture = current_graph(), captured._capture()
    for axis, node in enumerate(captured._indices):
        capture.coordinates.setdefault(axis, set()).add(find_coordinate(node) or "")
    places = ", ".join(f"{{{n}}}" for n in range(capture.rank))
    op = f"tensor.extract %{capture.name}[{places}] : {capture.type}"
    node = graph.add(op, captured._indices, capture.dtype)
    return Traced(from_storage(node, capture))


def from_storage(node: Node, capture: Any) -> Node:
    """An element of a captured array as one of the three types of values."""
    graph, type = current_graph(), node.type
    if type in (BOOL, graph.accumulator):
        return node
    if type.startswith(("f", "bf")):
        widens = type in ("f16", "bf16") or graph.accumulator == "f64"
        op = "extf" if widens else "truncf"
        return graph.add(f"arith.{op} {{0}} : {type} to {graph.accumulator}", (node,),
                         graph.accumulator)
    is_signed = describe(capture.array).is_signed
    op = "index_cast" if is_signed else "index_castui"
    return graph.add(f"arith.{op} {{0}} : {type} to index", (node,), INDEX,
                     is_natural=not is_signed)


def to_index(node: Node) -> Node:
    if node.type == INDEX:
        return node
    graph = current_graph()
    if node.type == BOOL:
        if node.value is not None:
            return graph.constant(int(node.value), INDEX)
        return graph.add("arith.index_castui {0} : i1 to index", (node,), INDEX, is_natural=True)
    if node.value is not None and math.isfinite(node.value):
        return graph.constant(int(node.value), INDEX)
    wide = graph.add(f"arith.fptosi {{0}} : {node.type} to i64", (node,), "i64")
    return graph.add("arith.index_cast {0} : i64 to index", (wide,), INDEX)


def to_float(node: Node) -> Node:
    graph = current_graph()
    if node.type == graph.accumulator:
        return node
    if node.value is not None:
        return graph.constant(float(node.value), graph.accumulator)
    wide = graph.add("arith.index_cast {0} : index to i64", (to_index(node),), "i64")
    return graph.add(f"arith.sitofp {{0}} : i64 to {graph.accumulator}", (wide,),
                     graph.accumulator)


def to_bool(node: Node) -> Node:
    if node.value is not None:
        return make_constant(bool(node.value))
    if node.type == BOOL:
        return node
    op, zero = ("cmpi ne", 0) if node.type == INDEX else ("cmpf une", 0.0)
    operands = (node, current_graph().constant(zero, node.type))
    return current_graph().add(f"arith.{op}, {{0}}, {{1}} : {node.type}", operands, BOOL)


def unify(*nodes: Node) -> tuple[Node, ...]:
    """All as float if one is, else all as integers."""
    if any(node.type not in (BOOL, INDEX) for node in nodes):
        return tuple(map(to_float, nodes))
    return tuple(map(to_index, nodes))
