#===- recur_program.py - Tile programs of recurrences ----------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Prints the tile program of a recurrence, to test back ends on it.

  recur_program.py --gate=channel --keys=64 --values=128 --columns=32 --block=16

A block of tokens reads the state S, then changes it:

  A = decays between tokens, times products of queries and keys
  out = A v + (q * decays since the block began) S
  S = (decays of the block) S + (k * decays until it ends)^T v

--reverse goes from the last token to the first. --before lets a token read the
state before it writes, and adds `(q * u) . k v`. --denominator divides by the same
sum without v, at least 1. --twice stores the rows of a first loop to a view and
adds them to those of a second one in the other direction.
"""

import argparse

VIEW = "#view = strided<[?, ?, ?, 1], offset: ?>\n#line = strided<[?, ?, 1], offset: ?>\n"


class Program:
    """Text of a program; ops are methods that return the name of the result."""

    def __init__(self, options):
        self.o = options
        self.lines, self.constants, self.indent = [], {}, 4
        self.types, self.count = {}, 0

    def tile(self, *shape, element="f32"):
        return f"tensor<{'x'.join(map(str, shape))}x{element}>"

    def op(self, text, shape, types=None):
        """%n = text : types, of which the last is that of the result."""
        self.count += 1
        name = f"%t{self.count}"
        result = self.tile(*shape)
        self.types[name] = shape
        self.lines.append(f"{' ' * self.indent}{name} = {text} : {types or result}")
        return name

    def say(self, text):
        self.lines.append(" " * self.indent + text)

    def type(self, name):
        return self.tile(*self.types[name])

    def constant(self, value, *shape):
        name = f"%c_{str(value).replace('.', '_').replace('-', 'm')}_{'x'.join(map(str, shape))}"
        self.constants[name] = f"{name} = arith.constant dense<{value}> : {self.tile(*shape)}"
        self.types[name] = shape
        return name

    def load(self, view, offsets, *shape):
        element = self.o.dtype
        types = f"{self.view_type(view)} -> {self.tile(*shape, element=element)}"
        loaded = self.op(f"tile.load {view}[{offsets}]", shape, types)
        if element == "f32":
            return loaded
        return self.op(f"arith.extf {loaded}", shape,
                       f"{self.tile(*shape, element=element)} to {self.tile(*shape)}")

    def binary(self, kind, x, y):
        return self.op(f"arith.{kind} {x}, {y}", self.types[x])

    def mul(self, x, y):
        return self.binary("mulf", x, y)

    def broadcast(self, vector, along, *shape):
        return self.op(f"tile.broadcast {vector} along {along}", shape,
                       f"{self.type(vector)} -> {self.tile(*shape)}")

    def dot(self, x, y, init, flags=""):
        return self.op(f"tile.dot {x}, {y}, {init}{flags}", self.types[init],
                       f"{self.type(x)}, {self.type(y)} -> {self.type(init)}")

    def reduce(self, kind, x, init, along=1):
        return self.op(f"tile.reduce {kind} {x}, {init}{' along 0' if along == 0 else ''}",
                       self.types[init], f"{self.type(x)} -> {self.type(init)}")

    def scan(self, x, reverse, exclusive):
        flags = " reverse" * reverse + " exclusive" * exclusive
        return self.op(f"tile.scan mul {x}{flags}", self.types[x])

    def decay_dot(self, x, y, decay, size, reverse):
        flags = " reverse" * reverse + " strict" * self.o.before
        zero = self.constant(0.0, size, size)
        return self.op(f"tile.decay_dot {x}, {y}, {decay}, {zero}{flags}", (size, size),
                       f"{self.type(x)} -> {self.tile(size, size)}")

    def view_type(self, view):
        o, element = self.o, self.o.dtype
        shapes = {"%q": f"?x?x?x{o.keys}", "%k": f"?x?x?x{o.keys}",
                  "%v": f"?x?x?x{o.values}", "%out": f"?x?x?x{o.values}",
                  "%part": f"?x?x?x{o.values}", "%u": f"?x{o.keys}",
                  "%h0": f"?x?x{o.keys}x{o.values}", "%ht": f"?x?x{o.keys}x{o.values}",
                  "%g": f"?x?x?x{o.keys}" if o.gate == "channel" else "?x?x?"}
        layout = {"%u": "strided<[?, 1], offset: ?>",
                  "%g": "#view" if o.gate == "channel" else "#line"}.get(view, "#view")
        if view == "%part":
            element, layout = "f32", None
        return f"memref<{shapes[view]}x{element}{', ' + layout if layout else ''}>"


def decays(p, t, shape):
    """exp of the logarithms of a block."""
    g = p.load("%g", f"%i, %j, {t}" + (", %c0" if len(shape) == 2 else ""), *shape)
    return p.op(f"math.exp2 {p.mul(g, p.constant(1.44269502, *shape))}", shape)


def scores(p, q, k, al, reverse):
    """A, and the decays from the start of the block and to its end."""
    o, c = p.o, p.o.block
    if o.gate == "channel":
        a = p.decay_dot(q, k, al, c, reverse)
    else:
        a = p.dot(q, k, p.constant(0.0, c, c), " transpose_rhs")
        one = p.constant(1.0, c, 1)
        column = p.broadcast(al, 1, c, 1)
        a = p.mul(a, p.decay_dot(one, one, column, c, reverse))
    if not o.before:
        return a
    u = p.load("%u", "%j, %c0", o.keys)
    own = p.mul(p.mul(q, k), p.broadcast(u, 0, c, o.keys))
    bonus = p.reduce("add", own, p.constant(0.0, c))
    square = p.tile(c, c, element="index")
    p.count += 3
    row, column, same = (f"%t{p.count - n}" for n in range(3))
    p.say(f"{row} = tile.iota %c0 along 0 : {square}")
    p.say(f"{column} = tile.iota %c0 along 1 : {square}")
    p.say(f"{same} = arith.cmpi eq, {row}, {column} : {square}")
    return p.op(f"arith.select {same}, {p.broadcast(bonus, 1, c, c)}, {a}", (c, c),
                f"{p.tile(c, c, element='i1')}, {p.tile(c, c)}")


def spread(p, decay, *shape):
    return decay if p.types[decay] == shape else p.broadcast(decay, 1, *shape)


def block(p, t, state, z, reverse):
    """A block of tokens from t on: its rows, and what the state becomes."""
    o, c, keys, columns = p.o, p.o.block, p.o.keys, p.o.columns
    q = p.mul(p.load("%q", f"%i, %j, {t}, %c0", c, keys), p.constant(0.125, c, keys))
    k = p.load("%k", f"%i, %j, {t}, %c0", c, keys)
    v = p.load("%v", f"%i, %j, {t}, %v0", c, columns)
    al = decays(p, t, (c, keys) if o.gate == "channel" else (c,))
    a = scores(p, q, k, al, reverse)
    e = p.scan(al, reverse, o.before)
    zero = p.constant(0.0, c, columns)
    if o.gate == "channel":
        into = p.dot(p.mul(q, e), state, zero)
    else:
        into = p.mul(p.dot(q, state, zero), spread(p, e, c, columns))
    rows = p.dot(a, v, into)
    one, ones = p.constant(1.0, c, 1), p.constant(1.0, keys)
    if z:
        # A gate per token: z has a number per key.
        qz = p.reduce("add", p.dot(q, z, p.constant(0.0, c, 1)), p.constant(0.0, c))
        den = p.reduce("add", a, p.mul(qz, e))
        den = p.binary("maximumf", den, p.constant(1.0, c))
        rows = p.binary("divf", rows, p.broadcast(den, 1, c, columns))
    kd = p.mul(k, spread(p, p.scan(al, not reverse, True), c, keys))
    w = p.reduce("mul", spread(p, al, c, keys), ones, 0)
    after = p.dot(kd, v, p.mul(state, p.broadcast(w, 1, keys, columns)), " transpose_lhs")
    if z:
        z = p.dot(kd, one, p.mul(z, p.broadcast(w, 1, keys, 1)), " transpose_lhs")
    return rows, after, z


def loop(p, state, z, reverse, finish):
    """A loop over blocks of tokens, and the states behind it."""
    o = p.o
    carried = [state] + [z] * bool(z)
    names = [f"%carried{p.count}_{n}" for n in range(len(carried))]
    types = ", ".join(p.type(x) for x in carried)
    init = ", ".join(f"{name} = {x}" for name, x in zip(names, carried))
    for name, x in zip(names, carried):
        p.types[name] = p.types[x]
    results = f"%loop{p.count}"
    count = f":{len(carried)}" if z else ""
    p.say(f"{results}{count} = scf.for %at = %c0 to %n step %block iter_args({init}) -> ({types}) {{")
    p.indent += 2
    t = "%at"
    if reverse:
        # From the last block on; it begins at a multiple of the blocks' size.
        p.say("%back = arith.subi %end, %at : index")
        t = "%back"
    rows, after, z = block(p, t, names[0], names[1] if z else None, reverse)
    finish(rows, t)
    p.say(f"scf.yield {', '.join([after] + [z] * bool(z))} : {types}")
    p.indent -= 2
    p.say("}")
    return results + "#0" if z else results


def store(p, rows, view, t):
    shape, element = p.types[rows], p.o.dtype
    if element != "f32" and view != "%part":
        rows = p.op(f"arith.truncf {rows}", shape,
                    f"{p.tile(*shape)} to {p.tile(*shape, element=element)}")
    else:
        element = "f32"
    p.say(f"tile.store {rows}, {view}[%i, %j, {t}, %v0] : "
          f"{p.tile(*shape, element=element)}, {p.view_type(view)}")


def add_and_store(p, rows, t):
    shape = p.types[rows]
    first = p.op(f"tile.load %part[%i, %j, {t}, %v0]", shape,
                 f"{p.view_type('%part')} -> {p.tile(*shape)}")
    store(p, p.binary("addf", first, rows), "%out", t)


def kernel(p):
    """The body of the program: a block per batch, head and tile of columns."""
    o = p.o
    state = p.constant(0.0, o.keys, o.columns)
    z = p.constant(0.0, o.keys, 1) if o.denominator else None
    if o.states:
        state = p.load("%h0", "%i, %j, %c0, %v0", o.keys, o.columns)
    if o.twice:
        loop(p, state, z, o.reverse, lambda rows, t: store(p, rows, "%part", t))
        last = loop(p, state, z, not o.reverse, lambda rows, t: add_and_store(p, rows, t))
    else:
        last = loop(p, state, z, o.reverse, lambda rows, t: store(p, rows, "%out", t))
    if o.states:
        p.types[last] = (o.keys, o.columns)
        store(p, last, "%ht", "%c0")


def parameters(p):
    o = p.o
    dims = {"%q": '"B", "H", "N", "D"', "%k": '"B", "H", "N", "D"', "%v": '"B", "H", "N", "Dv"',
            "%g": '"B", "H", "N", "D"' if o.gate == "channel" else '"B", "H", "N"',
            "%u": '"H", "D"', "%h0": '"B", "H", "D", "Dv"', "%out": '"B", "H", "N", "Dv"',
            "%ht": '"B", "H", "D", "Dv"'}
    views = ["%q", "%k", "%v", "%g"] + ["%u"] * o.before + ["%h0"] * o.states
    views += ["%out"] + ["%ht"] * o.states
    marks = {"%g": ', attn.fill = "decay"', "%out": ", attn.result", "%ht": ", attn.result"}
    return ",\n".join(f"    {view}: {p.view_type(view)} {{attn.name = \"{view[1:]}\", "
                      f"attn.dims = [{dims[view]}]{marks.get(view, '')}}}" for view in views)


def text(options):
    p = Program(options)
    kernel(p)
    q = p.view_type("%q")
    names = ["b", "h", "n"]
    sizes = "\n".join(f"  %{x} = memref.dim %q, %c{n} : {q}" for n, x in enumerate(names))
    scratch = ""
    if options.twice:
        scratch = f"  %part = memref.alloc(%b, %h, %n) : {p.view_type('%part')}\n"
    return f"""{VIEW}
func.func @recur(
{parameters(p)})
    attributes {{attn.defaults = {{B = 1 : i64, H = 2 : i64, N = 65 : i64}}}} {{
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %block = arith.constant {options.block} : index
  %columns = arith.constant {options.columns} : index
  %tiles = arith.constant {-(-options.values // options.columns)} : index
  {"  ".join(line + chr(10) for line in p.constants.values())}{sizes}
  %less = arith.subi %n, %c1 : index
  %blocks = arith.divsi %less, %block : index
  %end = arith.muli %blocks, %block : index
{scratch}  scf.forall (%i, %j, %x) in (%b, %h, %tiles) {{
    %v0 = arith.muli %x, %columns : index
""" + "\n".join(p.lines) + "\n  }\n" + (
        f"  memref.dealloc %part : {p.view_type('%part')}\n" if options.twice else "") + "  return\n}\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gate", choices=["channel", "token"], default="channel")
    parser.add_argument("--keys", type=int, default=64)
    parser.add_argument("--values", type=int, default=64)
    parser.add_argument("--columns", type=int, default=32, help="of the state at a time")
    parser.add_argument("--block", type=int, default=16, help="tokens at a time")
    parser.add_argument("--dtype", default="f32")
    for flag in ("reverse", "before", "denominator", "states", "twice"):
        parser.add_argument(f"--{flag}", action="store_true")
    print(text(parser.parse_args()), end="")


if __name__ == "__main__":
    main()
