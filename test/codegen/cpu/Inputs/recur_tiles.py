#===- recur_tiles.py - Tile programs of recurrences ------------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Writes the tile program of a recurrence.

    recur_tiles.py --gate=token --k=64 --v=64 --chunk=32 > FILE.mlir

recur_run.py executes such a program and says which variants there are.
"""

import argparse

LOG2E = 1.4426950408889634


class Program:
    """The text of one tile program; methods append ops and return values."""

    def __init__(self, options):
        self.o = options
        self.t = options.dtype
        self.wide = "f64" if self.t == "f64" else "f32"
        self.lines = []
        self.constants = {}
        self.count = 0

    def per_token(self):
        return self.o.gate in ("token", "head")

    def new(self, text):
        self.count += 1
        name = f"%{self.count}"
        self.lines.append(f"{name} = {text}")
        return name

    def tile(self, *shape, element=None):
        return f"tensor<{'x'.join(map(str, shape))}x{element or self.wide}>"

    def constant(self, value, *shape):
        key = (value, shape)
        if key not in self.constants:
            self.constants[key] = f"%c{len(self.constants)}_"
        return self.constants[key]

    def dims(self, name):
        """Names of the sizes of an argument."""
        gates = {"none": [], "head": ["H"], "token": ["B", "H", "N"], "channel": ["B", "H", "N", "K"]}
        return {
            "q": ["B", "H", "N", "K"], "k": ["B", "H", "N", "K"], "v": ["B", "H", "N", "V"],
            "h0": ["B", "H", "K", "V"], "ht": ["B", "H", "K", "V"], "out": ["B", "H", "N", "V"],
            "g": gates[self.o.gate], "u": ["H", "K"], "w": ["V"], "beta": ["B", "H", "N"],
            "part": ["B", "H", "N", "V"], "weights": ["B", "H", "N"],
        }[name]

    def view(self, name):
        dims = self.dims(name)
        sizes = "x".join({"K": str(self.o.k), "V": str(self.o.v)}.get(d, "?") for d in dims)
        strides = ", ".join(["?"] * (len(dims) - 1) + ["1"])
        return f"memref<{sizes}x{self.t}, strided<[{strides}], offset: ?>>"

    def load(self, name, offsets, *shape):
        raw = self.new(f"tile.load %{name}[{', '.join(offsets)}] : {self.view(name)} -> "
                       f"{self.tile(*shape, element=self.t)}")
        if self.t == self.wide:
            return raw
        return self.new(f"arith.extf {raw} : {self.tile(*shape, element=self.t)} to {self.tile(*shape)}")

    def store(self, value, name, offsets, *shape):
        if self.t != self.wide:
            value = self.new(f"arith.truncf {value} : {self.tile(*shape)} to {self.tile(*shape, element=self.t)}")
        self.lines.append(f"tile.store {value}, %{name}[{', '.join(offsets)}] : "
                          f"{self.tile(*shape, element=self.t)}, {self.view(name)}")

    def mul(self, x, y, *shape):
        return self.new(f"arith.mulf {x}, {y} : {self.tile(*shape)}")

    def add(self, x, y, *shape):
        return self.new(f"arith.addf {x}, {y} : {self.tile(*shape)}")

    def broadcast(self, x, along, *shape):
        source = shape[1 - along]
        return self.new(f"tile.broadcast {x} along {along} : {self.tile(source)} -> {self.tile(*shape)}")

    def dot(self, x, y, init, xs, ys, rs, flags=""):
        return self.new(f"tile.dot {x}, {y}, {init} {flags} : {self.tile(*xs)}, {self.tile(*ys)} -> {self.tile(*rs)}")

    def scan(self, x, flags, *shape):
        return self.new(f"tile.scan mul {x} {flags} : {self.tile(*shape)}")

    def exp(self, g, *shape):
        return self.new(f"math.exp2 {self.mul(g, self.constant(LOG2E, *shape), *shape)} : {self.tile(*shape)}")

    # One chunk.

    def gates(self, row):
        """The factors of the chunk: [C], [C x K], or None."""
        o = self.o
        if o.gate == "none":
            return None
        if o.gate == "head":
            return "%head"
        if o.gate == "token":
            return self.exp(self.load("g", ["%b", "%h", row], o.chunk), o.chunk)
        return self.exp(self.load("g", ["%b", "%h", row, "%c0"], o.chunk, o.kp), o.chunk, o.kp)

    def pairs(self, q, k, gate):
        """Products of queries and keys that decay in between: [C x C]."""
        o, c = self.o, self.o.chunk
        flags = " ".join(n for n, on in (("reverse", o.reverse), ("strict", o.before)) if on)
        zeros = self.constant(0.0, c, c)
        decays = lambda x, y, a, k: self.new(
            f"tile.decay_dot {x}, {y}, {a}, {zeros} {flags} : {self.tile(c, k)} -> {self.tile(c, c)}")
        if o.gate == "channel":
            return decays(q, k, gate, o.kp)
        s = self.dot(q, k, zeros, (c, o.kp), (c, o.kp), (c, c), "transpose_rhs")
        if o.gate == "none":
            i = self.new(f"tile.iota %c0 along 0 : tensor<{c}x{c}xindex>")
            j = self.new(f"tile.iota %c0 along 1 : tensor<{c}x{c}xindex>")
            order = {(0, 0): "sge", (0, 1): "sgt", (1, 0): "sle", (1, 1): "slt"}[o.reverse, o.before]
            seen = self.new(f"arith.cmpi {order}, {i}, {j} : tensor<{c}x{c}xindex>")
            return self.new(f"arith.select {seen}, {s}, {zeros} : tensor<{c}x{c}xi1>, {self.tile(c, c)}")
        ones = self.constant(1.0, c, 1)
        return self.mul(s, decays(ones, ones, self.broadcast(gate, 1, c, 1), 1), c, c)

    def bonus(self, q, k, pairs):
        o, c, kp = self.o, self.o.chunk, self.o.kp
        qk = self.mul(self.mul(q, k, c, kp), self.broadcast("%u0", 0, c, kp), c, kp)
        sums = self.new(f"tile.reduce add {qk}, {self.constant(0.0, c)} : {self.tile(c, kp)} -> {self.tile(c)}")
        i = self.new(f"tile.iota %c0 along 0 : tensor<{c}x{c}xindex>")
        j = self.new(f"tile.iota %c0 along 1 : tensor<{c}x{c}xindex>")
        same = self.new(f"arith.cmpi eq, {i}, {j} : tensor<{c}x{c}xindex>")
        return self.new(f"arith.select {same}, {self.broadcast(sums, 1, c, c)}, {pairs} : "
                        f"tensor<{c}x{c}xi1>, {self.tile(c, c)}")

    def read(self, q, gate, pairs, v):
        """What the chunk reads, and the sum of its weights: [C x V], [C]."""
        o, c, kp, vt = self.o, self.o.chunk, self.o.kp, self.o.vt
        flags = ("reverse " if o.reverse else "") + ("exclusive" if o.before else "")
        if o.gate == "channel":
            q = self.mul(q, self.scan(gate, flags, c, kp), c, kp)
        read = self.dot(q, "%S", self.constant(0.0, c, vt), (c, kp), (kp, vt), (c, vt))
        old = self.dot(q, "%z", self.constant(0.0, c, 1), (c, kp), (kp, 1), (c, 1)) if o.den else None
        factor = self.scan(gate, flags, c) if self.per_token() else None
        if factor:
            read = self.mul(read, self.broadcast(factor, 1, c, vt), c, vt)
        num = self.dot(pairs, v, read, (c, c), (c, vt), (c, vt))
        if not o.den:
            return num, None
        reduce = lambda x, init, n: self.new(
            f"tile.reduce add {x}, {init} : {self.tile(c, n)} -> {self.tile(c)}")
        old = reduce(old, self.constant(0.0, c), 1)
        if factor:
            old = self.mul(old, factor, c)
        return num, reduce(pairs, old, c)

    def write(self, k, gate, v):
        """The state behind the chunk."""
        o, c, kp, vt = self.o, self.o.chunk, self.o.kp, self.o.vt
        flags = "exclusive" if o.reverse else "reverse exclusive"
        state, sums = "%S", "%z"
        if o.gate != "none":
            left = self.scan(gate, flags, c) if self.per_token() else self.scan(gate, flags, c, kp)
            if self.per_token():
                left = self.broadcast(left, 1, c, kp)
                gate = self.broadcast(gate, 1, c, kp)
            k = self.mul(k, left, c, kp)
            all_ = self.new(f"tile.reduce mul {gate}, {self.constant(1.0, kp)} along 0 : "
                            f"{self.tile(c, kp)} -> {self.tile(kp)}")
            state = self.mul(state, self.broadcast(all_, 1, kp, vt), kp, vt)
            if o.den:
                sums = self.mul(sums, self.broadcast(all_, 1, kp, 1), kp, 1)
        result = [self.dot(k, v, state, (c, kp), (c, vt), (kp, vt), "transpose_lhs")]
        if o.den:
            result.append(self.dot(k, self.constant(1.0, c, 1), sums, (c, kp), (c, 1), (kp, 1), "transpose_lhs"))
        return result

    def normalize(self, x, rows, columns, weights=None):
        """Rows divided by the root of their mean square."""
        squares = self.mul(x, x, rows, columns)
        sums = self.new(f"tile.reduce add {squares}, {self.constant(1e-3, rows)} : "
                        f"{self.tile(rows, columns)} -> {self.tile(rows)}")
        factor = self.new(f"math.rsqrt {self.mul(sums, self.constant(1.0 / self.width(columns), rows), rows)} : {self.tile(rows)}")
        x = self.mul(x, self.broadcast(factor, 1, rows, columns), rows, columns)
        return self.mul(x, self.broadcast(weights, 0, rows, columns), rows, columns) if weights else x

    def width(self, columns):
        return self.o.k if columns == self.o.kp else columns

    def finish(self, num, den, at):
        o, c = self.o, self.o.chunk
        if den:
            num = self.new(f"arith.divf {num}, {self.broadcast(den, 1, c, o.vt)} : {self.tile(c, o.vt)}")
        if o.norm:
            num = self.normalize(num, c, o.vt, "%w0")
        self.store(num, "out", at + ["%v0"], c, o.vt)

    def chunk(self, row):
        o, c = self.o, self.o.chunk
        at = ["%b", "%h", row]
        q = self.load("q", at + ["%c0"], c, o.kp)
        q = self.mul(q, self.constant(o.scale, c, o.kp), c, o.kp)
        k = self.load("k", at + ["%c0"], c, o.kp)
        v = self.load("v", at + ["%v0"], c, o.vt)
        gate = self.gates(row)
        if o.qnorm:
            q = self.normalize(q, c, o.kp)
        if o.scaled:
            k = self.mul(k, self.broadcast(self.load("beta", at, c), 1, c, o.kp), c, o.kp)
        if o.tied:
            k = self.new(f"arith.subf {self.constant(1.0, c, o.kp)}, {gate} : {self.tile(c, o.kp)}")
        pairs = self.pairs(q, k, gate)
        if o.bonus:
            pairs = self.bonus(q, k, pairs)
        num, den = self.read(q, gate, pairs, v)
        if o.both and o.first:
            self.store(num, "part", at + ["%v0"], c, o.vt)
            if den:
                self.store(den, "weights", at, c)
        else:
            if o.both:
                num = self.add(num, self.load("part", at + ["%v0"], c, o.vt), c, o.vt)
                den = den and self.add(den, self.load("weights", at, c), c)
            self.finish(num, den, at)
        return self.write(k, gate, v)

    def two_sweeps(self):
        """Both directions without decay: one state, that all tokens read."""
        o, c = self.o, self.o.chunk
        at = ["%b", "%h", "%t"]
        k = self.load("k", at + ["%c0"], c, o.kp)
        v = self.load("v", at + ["%v0"], c, o.vt)
        first, self.lines = self.lines + [], []
        written = self.write(k, None, v)
        first, self.lines = first + self.lines, []
        q = self.load("q", at + ["%c0"], c, o.kp)
        q = self.mul(q, self.constant(o.scale, c, o.kp), c, o.kp)
        num = self.dot(q, "%r", self.constant(0.0, c, o.vt), (c, o.kp), (o.kp, o.vt), (c, o.vt))
        self.finish(num, None, at)
        second, self.lines = self.lines, []
        return first, written, second

    def names(self):
        """The arguments, results last."""
        o = self.o
        optional = {"g": o.gate != "none", "u": o.bonus, "w": o.norm, "beta": o.scaled,
                    "part": o.both and o.gate != "none", "weights": o.both and o.den}
        return ["q", "k", "v", "h0"] + [name for name, on in optional.items() if on] + ["out", "ht"]

    def arguments(self):
        texts = []
        for name in self.names():
            role = ", attn.result" if name in ("out", "ht", "part", "weights") else ""
            role += ', attn.fill = "decay"' if name == "g" else ""
            quoted = ", ".join(f'"{d}"' for d in self.dims(name))
            texts.append(f'    %{name}: {self.view(name)} {{attn.dims = [{quoted}], attn.name = "{name}"{role}}}')
        return ",\n".join(texts)

    def outer(self):
        """What all chunks share."""
        o, c = self.o, self.o.chunk
        if o.gate == "head":
            g = self.new(f"tile.gather %g[%h : index] : {self.view('g')} -> {self.t}")
            if self.t != self.wide:
                g = self.new(f"arith.extf {g} : {self.t} to {self.wide}")
            a = self.new(f"math.exp {g} : {self.wide}")
            self.lines.append(f"%head = tile.splat {a} : {self.wide} -> {self.tile(c)}")
        for name, view, at, n in (("%u0", "u", "%h, %c0", o.kp), ("%w0", "w", "%v0", o.vt)):
            if o.bonus if view == "u" else o.norm:
                self.lines.append(f"{name} = tile.load %{view}[{at}] : {self.view(view)} -> {self.tile(n)}")

    def loop(self, body, results, init):
        o = self.o
        carried, types = [f"%S = {init}"], [self.tile(o.kp, o.vt)]
        if o.den:
            carried.append(f"%z = {self.constant(0.0, o.kp, 1)}")
            types.append(self.tile(o.kp, 1))
        result = "%r" if o.first else "%r2"
        result += f":{len(types)}" if o.den else ""
        types = ", ".join(types)
        self.lines += [f"{result} = scf.for %t = %c0 to %n step %chunk iter_args({', '.join(carried)}) -> ({types}) {{"]
        self.lines += ["  " + line for line in body] + [f"  scf.yield {', '.join(results)} : {types}", "}"]

    def sweep(self, init):
        o = self.o
        lines, self.lines = self.lines, []
        if o.reverse:
            self.lines.append("%before = arith.subi %last, %t : index")
        results = self.chunk("%before" if o.reverse else "%t")
        body, self.lines = self.lines, lines
        self.loop(body, results, init)

    def block(self):
        o = self.o
        o.first = True
        self.outer()
        zero = self.constant(0.0, o.kp, o.vt)
        init = zero if o.both else self.load("h0", ["%b", "%h", "%c0", "%v0"], o.kp, o.vt)
        if o.both and o.gate == "none":
            lines, self.lines = self.lines, []
            first, written, second = self.two_sweeps()
            self.lines = lines
            self.loop(first, written, init)
            self.lines += ["scf.for %t = %c0 to %n step %chunk {"] + ["  " + line for line in second] + ["}"]
        else:
            self.sweep(init)
            if o.both:
                o.first, o.reverse, o.before = False, True, True
                self.sweep(zero)
        if not o.both:
            self.store("%r#0" if o.den else "%r", "ht", ["%b", "%h", "%c0", "%v0"], o.kp, o.vt)
        return self.lines

    def text(self):
        o = self.o
        block = self.block()
        constants = [f"{name} = arith.constant dense<{value!r}> : {self.tile(*shape)}"
                     for (value, shape), name in self.constants.items()]
        indent = lambda lines, n: "\n".join(" " * n + line for line in lines)
        return f"""func.func @recur(
{self.arguments()})
    attributes {{attn.defaults = {{B = 1 : i64, H = 2 : i64, N = 100 : i64}}}} {{
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %chunk = arith.constant {o.chunk} : index
  %width = arith.constant {o.vt} : index
  %batches = memref.dim %q, %c0 : {self.view("q")}
  %heads = memref.dim %q, %c1 : {self.view("q")}
  %n = memref.dim %q, %c2 : {self.view("q")}
  %chunks = arith.ceildivui %n, %chunk : index
  %whole = arith.muli %chunks, %chunk : index
  %last = arith.subi %whole, %chunk : index
  %parts = arith.constant {-(-o.v // o.vt)} : index
{indent(constants, 2)}
  scf.forall (%b, %h, %columns) in (%batches, %heads, %parts) {{
    %v0 = arith.muli %columns, %width : index
{indent(block, 4)}
  }}
  return
}}
"""


def make_parser(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--gate", choices=["none", "head", "token", "channel"], default="none")
    parser.add_argument("--k", type=int, default=64)
    parser.add_argument("--v", type=int, default=64)
    parser.add_argument("--vt", type=int, help="columns of a block; all of them")
    parser.add_argument("--chunk", type=int, default=32)
    parser.add_argument("--scale", type=float, default=0.125)
    parser.add_argument("--dtype", default="f32")
    for flag in ("den", "reverse", "before", "bonus", "tied", "scaled", "both", "norm", "qnorm"):
        parser.add_argument(f"--{flag}", action="store_true")
    return parser


def parse(parser):
    o = parser.parse_args()
    o.kp = -(-o.k // 16) * 16
    o.vt = o.vt or o.v
    return o


if __name__ == "__main__":
    print(Program(parse(make_parser(__doc__.split("\n")[0]))).text(), end="")
