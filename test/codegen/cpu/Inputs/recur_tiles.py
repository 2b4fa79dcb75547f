#===- recur_tiles.py - Tile programs of recurrences ------------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Writes the tile program of a recurrence, and computes what it should give.

    recur_tiles.py program --gate=token --k=64 --v=64 --chunk=32 > FILE.mlir
    recur_tiles.py run     --gate=token ... --dims=B=1,H=2,N=100 --target=cpu

`run` executes the program on random arguments, goes from token to token in float64,
and compares. attn-run is found on the PATH.
"""

import argparse
import sys

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

    def view(self, name):
        o, t = self.o, self.t
        last = {"q": o.k, "k": o.k, "v": o.v, "out": o.v, "h0": o.v, "ht": o.v,
                "part": o.v}
        strides = "strided<[?, ?, ?, 1], offset: ?>"
        if name == "g":
            return (f"memref<?x?x?xf, strided<[?, ?, 1], offset: ?>>".replace("xf,", f"x{t},")
                    if o.gate == "token" else f"memref<?x?x?x{o.k}x{t}, {strides}>")
        if name == "u":
            return f"memref<?x{o.k}x{t}, strided<[?, 1], offset: ?>>"
        rows = o.k if name in ("h0", "ht") else "?"
        return f"memref<?x?x{rows}x{last[name]}x{t}, {strides}>"

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
            order = ("sle" if o.reverse else "sge").replace("e", "t" if o.before else "e", 3)
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
        factor = self.scan(gate, flags, c) if o.gate == "token" else None
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
            left = self.scan(gate, flags, c) if o.gate == "token" else self.scan(gate, flags, c, kp)
            if o.gate == "token":
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

    def chunk(self, row):
        o, c = self.o, self.o.chunk
        at = ["%b", "%h", row]
        q = self.load("q", at + ["%c0"], c, o.kp)
        q = self.mul(q, self.constant(o.scale, c, o.kp), c, o.kp)
        k = self.load("k", at + ["%c0"], c, o.kp)
        v = self.load("v", at + ["%v0"], c, o.vt)
        gate = self.gates(row)
        if o.tied:
            k = self.new(f"arith.subf {self.constant(1.0, c, o.kp)}, {gate} : {self.tile(c, o.kp)}")
        pairs = self.pairs(q, k, gate)
        if o.bonus:
            pairs = self.bonus(q, k, pairs)
        num, den = self.read(q, gate, pairs, v)
        if den:
            num = self.new(f"arith.divf {num}, {self.broadcast(den, 1, c, o.vt)} : {self.tile(c, o.vt)}")
        self.store(num, "out", at + ["%v0"], c, o.vt)
        return self.write(k, gate, v)

    def arguments(self):
        o = self.o
        names = {"q": ["B", "H", "N", "K"], "k": ["B", "H", "N", "K"], "v": ["B", "H", "N", "V"],
                 "h0": ["B", "H", "K", "V"]}
        if o.gate != "none":
            names["g"] = ["B", "H", "N"] + (["K"] if o.gate == "channel" else [])
        if o.bonus:
            names["u"] = ["H", "K"]
        names |= {"out": ["B", "H", "N", "V"], "ht": ["B", "H", "K", "V"]}
        fill = {"g": ', attn.fill = "decay"'}
        texts = []
        for name, dims in names.items():
            role = ", attn.result" if name in ("out", "ht") else fill.get(name, "")
            quoted = ", ".join(f'"{d}"' for d in dims)
            texts.append(f'    %{name}: {self.view(name)} {{attn.dims = [{quoted}], attn.name = "{name}"{role}}}')
        return ",\n".join(texts)

    def text(self):
        o = self.o
        state = self.tile(o.kp, o.vt)
        first = self.load("h0", ["%b", "%h", "%c0", "%v0"], o.kp, o.vt)
        if o.bonus:
            self.lines.append(f"%u0 = tile.load %u[%h, %c0] : {self.view('u')} -> {self.tile(o.kp)}")
        carried, types = [f"%S = {first}"], [state]
        if o.den:
            carried.append(f"%z = {self.constant(0.0, o.kp, 1)}")
            types.append(self.tile(o.kp, 1))
        outer, self.lines = self.lines, []
        if o.reverse:
            self.lines.append("%before = arith.subi %last, %t : index")
        results = self.chunk("%before" if o.reverse else "%t")
        body, self.lines = self.lines, []
        self.store("%r#0", "ht", ["%b", "%h", "%c0", "%v0"], o.kp, o.vt)
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
  scf.forall (%b, %h, %part) in (%batches, %heads, %parts) {{
    %v0 = arith.muli %part, %width : index
{indent(outer, 4)}
    %r:{len(types)} = scf.for %t = %c0 to %n step %chunk iter_args({", ".join(carried)}) -> ({", ".join(types)}) {{
{indent(body, 6)}
      scf.yield {", ".join(results)} : {", ".join(types)}
    }}
{indent(self.lines, 4)}
  }}
  return
}}
"""


def sweep(o, x):
    """The recurrence, token by token."""
    import numpy as np
    q, k, v = x["q"] * o.scale, x["k"], x["v"]
    gate = np.exp(x["g"]) if o.gate != "none" else np.ones(q.shape[:3])
    if gate.ndim == 3:
        gate = np.broadcast_to(gate[..., None], q.shape)
    if o.tied:
        k = 1 - gate
    state, sums = x["h0"].copy(), np.zeros(x["h0"].shape[:3])
    out = np.zeros(v.shape)
    order = range(q.shape[2])
    for t in reversed(order) if o.reverse else order:
        def read(query):
            num = np.einsum("bhk,bhkv->bhv", query, state)
            return num, np.einsum("bhk,bhk->bh", query, sums)
        forget = gate[:, :, t]
        if o.before:
            num, den = read(q[:, :, t])
        state = state * forget[..., None] + k[:, :, t, :, None] * v[:, :, t, None, :]
        sums = sums * forget + k[:, :, t]
        if not o.before:
            num, den = read(q[:, :, t])
        if o.bonus:
            num += np.einsum("bhk,hk,bhk->bh", q[:, :, t], x["u"], k[:, :, t])[..., None] * v[:, :, t]
        out[:, :, t] = num / den[..., None] if o.den else num
    return out, state


def make_arguments(o, dims):
    import numpy as np
    rng = np.random.default_rng(o.chunk + o.k)
    b, h, n = dims["B"], dims["H"], dims["N"]
    shapes = {"q": (b, h, n, o.k), "k": (b, h, n, o.k), "v": (b, h, n, o.v), "h0": (b, h, o.k, o.v)}
    x = {name: rng.standard_normal(shape) for name, shape in shapes.items()}
    if o.den:
        x["q"], x["k"] = abs(x["q"]), abs(x["k"])
    if o.gate != "none":
        x["g"] = -rng.exponential(0.2, (b, h, n) if o.gate == "token" else (b, h, n, o.k))
        x["g"][:, :, n // 2] = -200  # A new sequence begins.
    if o.bonus:
        x["u"] = rng.standard_normal((h, o.k))
    # As the kernel sees them.
    types = {"f64": np.float64, "f32": np.float32, "f16": np.float16}
    return {name: value.astype(types[o.dtype]) for name, value in x.items()}


def run(o):
    import subprocess
    import tempfile
    import numpy as np
    dims = {k: int(v) for k, v in (part.split("=") for part in o.dims.split(","))}
    x = make_arguments(o, dims)
    tolerance = {"f64": 1e-13, "f32": 2e-6, "f16": 2e-3}[o.dtype]
    with tempfile.TemporaryDirectory() as folder:
        with open(f"{folder}/recur.mlir", "w") as program:
            program.write(Program(o).text())
        command = ["attn-run", f"{folder}/recur.mlir", f"--target={o.target}", "--func=recur"]
        command += [f"--save={name}={folder}/{name}.npy" for name in ("out", "ht")]
        for name, value in x.items():
            np.save(f"{folder}/{name}.npy", value)
            command.append(f"--arg={name}={folder}/{name}.npy")
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        got = [np.load(f"{folder}/{name}.npy").astype(np.float64) for name in ("out", "ht")]
    want = sweep(o, {name: value.astype(np.float64) for name, value in x.items()})
    for name, a, b in zip(("out", "ht"), got, want):
        error = np.abs(a - b).max() / np.abs(b).max()
        print(f"{name} {'ok' if error <= tolerance else 'FAIL'}: error {error:.1e}, tolerance {tolerance:.0e}")
        if not error <= tolerance:
            sys.exit(1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("what", choices=["program", "run"])
    parser.add_argument("--gate", choices=["none", "token", "channel"], default="none")
    parser.add_argument("--k", type=int, default=64)
    parser.add_argument("--v", type=int, default=64)
    parser.add_argument("--vt", type=int, help="columns of a block; all of them")
    parser.add_argument("--chunk", type=int, default=32)
    parser.add_argument("--scale", type=float, default=0.125)
    parser.add_argument("--dtype", default="f32")
    parser.add_argument("--dims", default="B=1,H=2,N=100")
    parser.add_argument("--target", default="cpu")
    for flag in ("den", "reverse", "before", "bonus", "tied"):
        parser.add_argument(f"--{flag}", action="store_true")
    o = parser.parse_args()
    o.kp = -(-o.k // 16) * 16
    o.vt = o.vt or o.v
    if o.what == "program":
        print(Program(o).text(), end="")
    else:
        run(o)


if __name__ == "__main__":
    main()
