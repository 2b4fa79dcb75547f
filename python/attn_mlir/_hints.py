#===- _hints.py - What to write in place of Python's words ------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Python asks a value for its truth, its index or its hash without saying why. The
instruction that a frame is at says which expression of the source it is for, and the
syntax tree what that expression is."""

from __future__ import annotations

import ast
import dis
import linecache
from typing import Any, Iterator, Optional

IF = "write where(condition, x, y), of torch, numpy or attn_mlir, in place of 'if'"
_CHAIN = "write (x <= y) & (y < z) in place of 'x <= y < z'"
_NOT = "write ~x in place of 'not x'"
_WORDS = {
    ast.And: "write x & y in place of 'x and y', with each comparison in parentheses",
    ast.Or: "write x | y in place of 'x or y', with each comparison in parentheses",
    ast.While: "a loop must not depend on traced values",
    ast.Assert: "traced values cannot be asserted: leave it out",
}
_CALLS = {
    "min": "write minimum(x, y), of torch, numpy or attn_mlir, in place of min(x, y)",
    "max": "write maximum(x, y), of torch, numpy or attn_mlir, in place of max(x, y)",
    "any": "write x | y in place of any((x, y))",
    "all": "write x & y in place of all((x, y))",
    "bool": "leave bool() out, or compare the value, as in x != 0",
}
_NUMBER = ("use functions of torch, numpy or attn_mlir in place of those of Python, and no loops "
           "whose bounds are traced")
_KEY = "make an array of what it chooses from, and index that"
_MOST_CHOICES = 4


class _Place:
    """Where a frame is: the instruction, and the node of the tree that it is for. Of a
    condition that may be all that has it, as in 'if x: ...'."""

    def __init__(self, frame: Any):
        self.parents: dict[ast.AST, ast.AST] = {}
        self.opcode = _find_opcode(frame)
        self.node: Optional[ast.AST] = None
        tree = _parse(frame.f_code.co_filename)
        if tree is None:
            return
        for parent in ast.walk(tree):
            self.parents.update((child, parent) for child in ast.iter_child_nodes(parent))
        self.node = self._find_node(frame)

    def _find_node(self, frame: Any) -> Optional[ast.AST]:
        wanted = _find_position(frame)
        for node in self.parents:
            if isinstance(node, (ast.expr, ast.If, ast.While, ast.Assert)) and wanted == (
                    node.lineno, node.end_lineno, node.col_offset, node.end_col_offset):
                return node
        return None

    def on_line(self, line: int) -> Iterator[ast.expr]:
        """All expressions that begin on a line."""
        return (node for node in self.parents
                if isinstance(node, ast.expr) and node.lineno == line)


def _parse(filename: str) -> Optional[ast.Module]:
    try:
        return ast.parse("".join(linecache.getlines(filename)))
    except (SyntaxError, ValueError):
        return None


def _find_opcode(frame: Any) -> str:
    for step in dis.get_instructions(frame.f_code):
        if step.offset == frame.f_lasti:
            # Python 3.14 has no instruction of its own for x[y].
            return "BINARY_SUBSCR" if step.argrepr == "[]" else step.opname
    return ""


def _find_position(frame: Any) -> Optional[tuple]:
    """First and last line and column of the instruction; Python 3.10 does not know."""
    positions = getattr(frame.f_code, "co_positions", None)
    if positions is None:
        return None
    start, end, column, end_column = list(positions())[frame.f_lasti // 2]
    return start, end, column, end_column


def hint_for_truth(frame: Any) -> str:
    """For what a frame wants to know whether it is true."""
    place = _Place(frame)
    if place.node is not None:
        return _hint_for_node(place.node, place) or IF
    if place.opcode in ("CONTAINS_OP", "UNARY_NOT"):
        return _NOT if place.opcode == "UNARY_NOT" else _hint_for_member(None)
    # Without a column, a hint must be the only one on the line.
    hints = {_hint_for_node(node, place) for node in place.on_line(frame.f_lineno)} - {""}
    return hints.pop() if len(hints) == 1 else IF


def _hint_for_node(node: ast.AST, place: _Place) -> str:
    if isinstance(node, ast.Compare):
        if isinstance(node.ops[0], (ast.In, ast.NotIn)):
            return _hint_for_member(node)
        if len(node.ops) > 1:
            return _CHAIN
    # Else what a call has returned is asked.
    if isinstance(node, ast.Call) and place.opcode.startswith("CALL"):
        return _CALLS.get(ast.unparse(node.func), "")
    if isinstance(node, (ast.If, ast.IfExp)):
        return _hint_for_word(node.test)
    return _hint_for_word(node) or _hint_for_word(place.parents.get(node))


def _hint_for_word(node: Optional[ast.AST]) -> str:
    if isinstance(node, ast.BoolOp):
        return _WORDS[type(node.op)]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return _NOT
    return _WORDS.get(type(node), "")  # type: ignore[call-overload]


def _hint_for_member(node: Optional[ast.Compare]) -> str:
    """For `x in y`, with the names of the source where they are short."""
    left, choices, right, is_in = "x", ["1", "2"], "(1, 2)", True
    if node is not None:
        is_in, members = isinstance(node.ops[0], ast.In), node.comparators[0]
        if isinstance(members, (ast.Tuple, ast.List, ast.Set)) \
                and 0 < len(members.elts) <= _MOST_CHOICES:
            left, right = ast.unparse(node.left), ast.unparse(members)
            choices = [ast.unparse(choice) for choice in members.elts]
    sign, join, word = ("==", " | ", "in") if is_in else ("!=", " & ", "not in")
    written = join.join(f"({left} {sign} {choice})" for choice in choices)
    return f"write {written} in place of '{left} {word} {right}'"


def hint_for_index(frame: Any) -> str:
    """For what a frame wants as an integer of Python."""
    place = _Place(frame)
    return _hint_for_subscript(place) if place.opcode == "BINARY_SUBSCR" else _NUMBER


def hint_for_key(frame: Any) -> str:
    """For what a frame wants to find in a dictionary or a set."""
    place = _Place(frame)
    if place.opcode == "CONTAINS_OP":
        return _hint_for_member(place.node if isinstance(place.node, ast.Compare) else None)
    return _hint_for_subscript(place, of_dict=True) if place.opcode == "BINARY_SUBSCR" else _KEY


def _hint_for_subscript(place: _Place, of_dict: bool = False) -> str:
    name = "x"
    if isinstance(place.node, ast.Subscript):
        if isinstance(place.node.slice, ast.Slice):
            return _NUMBER
        if isinstance(place.node.value, (ast.Name, ast.Attribute)):
            name = ast.unparse(place.node.value)
    if of_dict:
        return f"make it an array: np.array([{name}[0], {name}[1], ...])"
    return f"make it an array: np.array({name})"
