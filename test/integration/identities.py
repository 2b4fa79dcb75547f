#===- identities.py - What recurrences have in common ----------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Runs pairs of attn.recur that must agree, on any target.

A constant gate is a gate per head, a sequence is its two halves, a reversed
recurrence is a causal one of flipped tokens, and so on. Nothing here knows what a
recurrence computes but `triangle`; what is compared are results of attn-run.
"""

import argparse
from dataclasses import dataclass
import itertools
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

K, V = 32, 16
B, H, N = 2, 4, 65
CUT = 23  # Where a sequence is cut into two.

# How far results may be apart, in units of the largest one.
TOLERANCES = {"f64": 1e-12, "f32": 2e-5}

GATES = {"head": ("H",), "token": ("B", "H", "N"), "channel": ("B", "H", "N", "K")}


@dataclass(frozen=True)
class Recurrence:
    """One attn.recur in a function; what it takes and what it yields."""

    gate: str = ""  # A key of GATES.
    write: str = "additive"
    read: str = "after"
    order: str = "causal"
    bonus: bool = False
    initial: bool = False
    state: bool = False
    shared: bool = False  # One initial state for all batches.
    column: bool = False  # Gates and factors of a token are [B, H, N, 1].
    ratio: bool = False  # num / den.
    columns: int = V
    scale: float = 1.0

    def arguments(self):
        """Names and dimensions of the arguments, in order."""
        rows = {"q": ("B", "Hq", "N", "K"), "k": ("B", "Hk", "N", "K"),
                "v": ("B", "H", "N", "V")}
        if self.write == "tied":
            del rows["k"]
        if self.gate:
            rows["g"] = GATES[self.gate]
        if self.write == "scaled":
            rows["beta"] = ("B", "H", "N")
        if self.column:
            rows["g"] = rows["beta"] = ("B", "H", "N", "One")
        if self.bonus:
            rows["u"] = ("H", "K")
        if self.initial:
            rows["h0"] = ("One" if self.shared else "B", "H", "K", "V")
        return rows

    def clauses(self):
        """What stands before an argument in the op."""
        return {"gate": "g", "beta": "beta", "bonus": "u", "initial": "h0"}

    def state_dims(self):
        return ("B", "H", "K", "V")

    def static(self):
        return {"K": K, "V": self.columns, "One": 1}

    def type_of(self, dims, element="f32"):
        static = self.static()
        sizes = "x".join(str(static.get(dim, "?")) for dim in dims)
        return f"tensor<{sizes}x{element}>"

    def types(self):
        """The types of the arguments, by name."""
        return {name: self.type_of(dims)
                for name, dims in self.arguments().items()}

    def norm(self):
        row = f"tensor<{self.columns}xf32>"
        return f"""
      norm (%num: {row}, %den: f32, %b, %h, %i) {{
        %dens = tensor.splat %den : {row}
        %y = arith.divf %num, %dens : {row}
        attn.yield %y : {row}
      }}""" if self.ratio else ""

    def spec(self):
        arguments = self.arguments()
        types = self.types()
        declared = ",\n    ".join(
            f'%{name}: {types[name]} {{attn.name = "{name}", attn.dims = ['
            + ", ".join(f'"{dim}"' for dim in dims) + "]}"
            for name, dims in arguments.items())
        rows = [name for name in "qkv" if name in arguments]
        clauses = "".join(
            f" {clause}(%{name} : {types[name]})"
            for clause, name in self.clauses().items() if name in arguments)
        results = [("out", types["v"])]
        if self.state:
            results.append(("ht", self.type_of(self.state_dims())))
        values = ", ".join(f"%{name}" for name, _ in results)
        yielded = ", ".join(kind for _, kind in results)
        named = ", ".join(f'{kind} {{attn.name = "{name}"}}'
                          for name, kind in results)
        return f"""func.func @recurrence({declared}) -> ({named}) {{
  {values} = attn.recur {", ".join(f"%{name}" for name in rows)}{clauses}
      scale({self.scale:e}) write({self.write}) read({self.read}) order({self.order}){self.norm()}
      : {", ".join(types[name] for name in rows)} -> {yielded}
  return {values} : {yielded}
}}
"""


class Failure(Exception):
    """What does not agree, in one line."""


@dataclass
class Runner:
    """Runs recurrences with attn-run and compares what they yield."""

    attn_run: str
    target: str
    dtype: str
    folder: pathlib.Path

    def run(self, recurrence, **arrays):
        """The results of a recurrence, by name."""
        return self.run_text(recurrence.spec(),
                             ("out", "ht") if recurrence.state else ("out",),
                             **arrays)

    def program(self, text):
        """What attn-run is told to run."""
        spec = self.folder / "spec.mlir"
        spec.write_text(text)
        return [spec, f"--target={self.target}", f"--dtype={self.dtype}"]

    def run_text(self, text, results, **arrays):
        command = [self.attn_run, *self.program(text)]
        if self.target.startswith("cuda:"):
            command.append("--simulate")
        for name, x in arrays.items():
            if np.issubdtype(x.dtype, np.floating):
                x = x.astype({"f64": np.float64, "f32": np.float32}[self.dtype])
            np.save(self.folder / f"{name}.npy", x)
            command.append(f"--arg={name}={self.folder / name}.npy")
        command += [f"--save={name}={self.folder / name}-result.npy"
                    for name in results]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        if done.returncode != 0:
            raise Failure((done.stdout + done.stderr).strip().splitlines()[-1])
        return {name: np.load(self.folder / f"{name}-result.npy")
                for name in results}

    def same(self, got, want, what):
        """Raises a Failure unless two arrays agree."""
        if got.shape != want.shape:
            raise Failure(f"{what}: shapes {got.shape} and {want.shape}")
        if not np.isfinite(want).all() or not want.any():
            raise Failure(f"{what}: expected finite numbers that are not all 0")
        error = np.abs(got - want).max() / np.abs(want).max()
        # A NaN compares false.
        if not error <= TOLERANCES[self.dtype]:
            raise Failure(f"{what}: apart by {error:.2g} of the largest number")


def arrays_for(recurrence, seed=0, tokens=N, heads_q=H, heads_k=H):
    """Random arguments."""
    generator = np.random.default_rng(seed)
    sizes = {"B": B, "H": H, "Hq": heads_q, "Hk": heads_k, "N": tokens, "K": K,
             "V": recurrence.columns, "One": 1}
    arrays = {name: generator.standard_normal([sizes[dim] for dim in dims])
              for name, dims in recurrence.arguments().items()}
    if "g" in arrays:
        arrays["g"] = -np.exp(arrays["g"] - 2)
    return arrays


def cut(recurrence, arrays, begin, end):
    """The arguments of some tokens."""
    return {name: x[:, :, begin:end]
            if "N" in recurrence.arguments()[name] else x
            for name, x in arrays.items()}


def flipped(recurrence, arrays):
    """The arguments with their tokens in reverse."""
    return {name: x[:, :, ::-1] if "N" in recurrence.arguments()[name] else x
            for name, x in arrays.items()}


def kinds(**fixed):
    """Recurrences of every gate, rule and time that go together, with states."""
    for gate, write, read in itertools.product(
            ("", *GATES), ("additive", "tied", "scaled"), ("after", "before")):
        if write != "tied" or gate == "channel":
            yield Recurrence(gate=gate, write=write, read=read,
                             bonus=read == "before", initial=True, state=True,
                             scale=0.5, **fixed)


def name_of(recurrence):
    return (f"{recurrence.gate or 'no'} gate, {recurrence.write}, "
            f"{recurrence.read}, {recurrence.order}")


def same_results(runner, got, want, what):
    for name, x in want.items():
        runner.same(got[name], x, f"{what}: '{name}'")


# ------------------------------------------------------------------------------
# Gates
# ------------------------------------------------------------------------------

def constant_gates(runner):
    """A gate that is the same for all tokens, or channels, is one of the head, or
    of the token."""
    for write, read in itertools.product(("additive", "scaled"),
                                         ("after", "before")):
        for few, many in (("head", "token"), ("head", "channel"),
                          ("token", "channel")):
            small, large = (Recurrence(gate=gate, write=write, read=read,
                                       initial=True, state=True)
                            for gate in (few, many))
            arrays = arrays_for(small)
            g = arrays["g"] if few == "token" else arrays["g"][None, :, None]
            shape = (B, H, N) if many == "token" else (B, H, N, K)
            wide = np.broadcast_to(g[..., None] if many == "channel" else g,
                                   shape)
            same_results(runner, runner.run(large, **{**arrays, "g": wide}),
                         runner.run(small, **arrays),
                         f"{few} and {many}, {name_of(small)}")


def gates_of_zero(runner):
    """Decays of 1 are none."""
    plain = Recurrence(initial=True, state=True)
    arrays = arrays_for(plain)
    want = runner.run(plain, **arrays)
    for gate, dims in GATES.items():
        shape = [{"B": B, "H": H, "N": N, "K": K}[dim] for dim in dims]
        gated = Recurrence(gate=gate, initial=True, state=True)
        same_results(runner, runner.run(gated, **arrays, g=np.zeros(shape)), want,
                     name_of(gated))


def columns(runner):
    """Gates and factors of a token may have a dimension of 1."""
    flat, column = (Recurrence(gate="token", write="scaled", initial=True,
                               state=True, column=column)
                    for column in (False, True))
    arrays = arrays_for(flat)
    wide = {**arrays, "g": arrays["g"][..., None],
            "beta": arrays["beta"][..., None]}
    same_results(runner, runner.run(column, **wide), runner.run(flat, **arrays),
                 "columns")


def resets(runner):
    """A gate of -1000 at a token: nothing before it is left."""
    for gate in ("token", "channel"):
        kept = Recurrence(gate=gate, initial=True, state=True)
        fresh = Recurrence(gate=gate, state=True)
        arrays = arrays_for(kept)
        arrays["g"][:, :, CUT] = -1000
        got = runner.run(kept, **arrays)
        del arrays["h0"]
        want = runner.run(fresh, **cut(fresh, arrays, CUT, N))
        runner.same(got["out"][:, :, CUT:], want["out"], f"{gate}: 'out'")
        runner.same(got["ht"], want["ht"], f"{gate}: 'ht'")


# ------------------------------------------------------------------------------
# States
# ------------------------------------------------------------------------------

def in_parts(runner, recurrence, arrays, cuts):
    """Runs parts of the tokens one after the other, each from the state of the one
    before; returns the results of the whole."""
    ranges = list(itertools.pairwise(cuts))
    is_reversed = recurrence.order == "reversed"
    outs, state = [], arrays["h0"]
    for begin, end in ranges[::-1] if is_reversed else ranges:
        part = cut(recurrence, arrays, begin, end)
        results = runner.run(recurrence, **{**part, "h0": state})
        outs.append(results["out"])
        state = results["ht"]
    out = np.concatenate(outs[::-1] if is_reversed else outs, axis=2)
    return {"out": out, "ht": state}


def two_halves(runner):
    """A sequence is its two parts, with the state in between."""
    for order in ("causal", "reversed"):
        for recurrence in kinds(order=order):
            arrays = arrays_for(recurrence)
            same_results(runner, in_parts(runner, recurrence, arrays, (0, CUT, N)),
                         runner.run(recurrence, **arrays), name_of(recurrence))


def single_steps(runner):
    """A sequence is its tokens, one by one, as a decoder takes them."""
    for order in ("causal", "reversed"):
        for recurrence in kinds(order=order):
            arrays = arrays_for(recurrence, tokens=3)
            same_results(runner, in_parts(runner, recurrence, arrays, range(4)),
                         runner.run(recurrence, **arrays), name_of(recurrence))


def shared_states(runner):
    """An initial state of one batch is that of all batches."""
    one = Recurrence(gate="token", initial=True, state=True, shared=True)
    all_batches = Recurrence(gate="token", initial=True, state=True)
    arrays = arrays_for(one)
    repeated = {**arrays, "h0": np.repeat(arrays["h0"], B, axis=0)}
    same_results(runner, runner.run(one, **arrays),
                 runner.run(all_batches, **repeated), "shared")


# ------------------------------------------------------------------------------
# Orders
# ------------------------------------------------------------------------------

def reversed_is_flipped(runner):
    """From the last token to the first is causal, of flipped tokens."""
    for recurrence in kinds(order="reversed"):
        causal = Recurrence(**{**vars(recurrence), "order": "causal"})
        arrays = arrays_for(recurrence)
        want = runner.run(causal, **flipped(causal, arrays))
        want["out"] = want["out"][:, :, ::-1]
        same_results(runner, runner.run(recurrence, **arrays), want,
                     name_of(recurrence))


def triangle(runner):
    """Reversed is a product with an upper triangle, whose decays are those of the
    tokens t .. j - 1."""
    recurrence = Recurrence(gate="token", order="reversed")
    a = arrays_for(recurrence)
    want = np.zeros_like(a["v"])
    for t in range(N):
        for j in range(t, N):
            decay = np.exp(a["g"][:, :, t:j].sum(axis=2))
            product = (a["q"][:, :, t] * a["k"][:, :, j]).sum(axis=-1)
            want[:, :, t] += (decay * product)[..., None] * a["v"][:, :, j]
    runner.same(runner.run(recurrence, **a)["out"], want, "token gate")


def both_sides(runner):
    """Bidirectional is causal and reversed, less what a token says to itself."""
    for kind in kinds():
        if kind.write == "tied":
            continue  # What a token adds is not an argument.
        plain = {**vars(kind), "initial": False, "state": False, "scale": 1.0}
        causal, backward, both = (Recurrence(**{**plain, "order": order})
                                  for order in ("causal", "reversed",
                                                "bidirectional"))
        a = arrays_for(causal)
        weight = a["k"] * a.get("beta", np.ones((B, H, N)))[..., None]
        if kind.bonus:
            weight = weight * a["u"][None, :, None]
        own = (a["q"] * weight).sum(axis=-1, keepdims=True) * a["v"]
        want = (runner.run(causal, **a)["out"]
                + runner.run(backward, **a)["out"] - own)
        runner.same(runner.run(both, **a)["out"], want, name_of(both))


# ------------------------------------------------------------------------------
# Writes, reads and rows
# ------------------------------------------------------------------------------

def tied_keys(runner):
    """A tied write has the complement of its decay as key."""
    for order in ("causal", "reversed", "bidirectional"):
        tied = Recurrence(gate="channel", write="tied", order=order)
        additive = Recurrence(gate="channel", order=order)
        arrays = arrays_for(tied)
        runner.same(runner.run(tied, **arrays)["out"],
                    runner.run(additive, **arrays,
                               k=-np.expm1(arrays["g"]))["out"], order)


def scaled_keys(runner):
    """A scaled write has a multiple of the key."""
    scaled = Recurrence(gate="token", write="scaled", state=True)
    additive = Recurrence(gate="token", state=True)
    arrays = arrays_for(scaled)
    beta = arrays["beta"]
    keys = {name: x for name, x in arrays.items() if name != "beta"}
    keys["k"] = beta[..., None] * arrays["k"]
    same_results(runner, runner.run(scaled, **arrays),
                 runner.run(additive, **keys), "beta")


def bonus_of_one(runner):
    """Without decays, a bonus of 1 is what a token reads of itself afterwards."""
    before = Recurrence(read="before", bonus=True, initial=True, state=True)
    after = Recurrence(initial=True, state=True)
    arrays = arrays_for(before)
    arrays["u"] = np.ones_like(arrays["u"])
    got = runner.run(before, **arrays)
    del arrays["u"]
    same_results(runner, got, runner.run(after, **arrays), "bonus")


def grouped_heads(runner):
    """Heads of queries and keys that values share are repeated."""
    recurrence = Recurrence(gate="token", initial=True, state=True)
    for heads_q, heads_k in ((1, 2), (2, 1), (4, 2)):
        arrays = arrays_for(recurrence, heads_q=heads_q, heads_k=heads_k)
        repeated = {**arrays, "q": np.repeat(arrays["q"], H // heads_q, axis=1),
                    "k": np.repeat(arrays["k"], H // heads_k, axis=1)}
        same_results(runner, runner.run(recurrence, **arrays),
                     runner.run(recurrence, **repeated), f"{heads_q}, {heads_k}")


def denominators(runner):
    """The denominator is a column of values that are 1."""
    for order, gate in itertools.product(("causal", "reversed", "bidirectional"),
                                         ("", "token", "channel")):
        ratio = Recurrence(gate=gate, order=order, ratio=True)
        plain = Recurrence(gate=gate, order=order, columns=V + 1)
        arrays = arrays_for(ratio)
        arrays["q"], arrays["k"] = np.abs(arrays["q"]), np.abs(arrays["k"])
        got = runner.run(ratio, **arrays)["out"]
        ones = np.ones((*arrays["v"].shape[:3], 1))
        arrays["v"] = np.concatenate([arrays["v"], ones], axis=-1)
        wide = runner.run(plain, **arrays)["out"]
        runner.same(got, wide[..., :-1] / wide[..., -1:], name_of(ratio))


def sums_of_tokens(runner):
    """A sum over tokens is the state of a recurrence whose keys are 1."""
    text = f"""func.func @sum(
    %v: tensor<?x?x?x{V}xf32> {{attn.name = "v", attn.dims = ["B", "H", "N", "V"]}})
    -> (tensor<?x?x{V}xf32> {{attn.name = "out"}}) {{
  %out = attn.reduce sum %v over(tokens) : tensor<?x?x?x{V}xf32> -> tensor<?x?x{V}xf32>
  return %out : tensor<?x?x{V}xf32>
}}
"""
    recurrence = Recurrence(state=True)
    arrays = arrays_for(recurrence)
    arrays["k"] = np.ones_like(arrays["k"])
    got = runner.run_text(text, ("out",), v=arrays["v"])["out"]
    runner.same(got, runner.run(recurrence, **arrays)["ht"][:, :, 0], "sum")


IDENTITIES = {function.__name__.replace("_", "-"): function for function in (
    constant_gates, gates_of_zero, columns, resets, two_halves, single_steps,
    shared_states, reversed_is_flipped, triangle, both_sides, tied_keys,
    scaled_keys, bonus_of_one, grouped_heads, denominators, sums_of_tokens)}


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--attn-run", default="attn-run", metavar="PATH")
    parser.add_argument("--target", default="reference")
    parser.add_argument("--dtype", default="f64", choices=sorted(TOLERANCES))
    parser.add_argument("--only", nargs="+", choices=sorted(IDENTITIES),
                        metavar="NAME", default=list(IDENTITIES),
                        help="some of " + ", ".join(IDENTITIES))
    return parser.parse_args()


def main():
    options = parse_options()
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        runner = Runner(options.attn_run, options.target, options.dtype,
                        pathlib.Path(folder))
        for name in options.only:
            try:
                IDENTITIES[name](runner)
                print(f"pass  {name}", flush=True)
            except Failure as failure:
                failed += 1
                print(f"FAIL  {name}: {failure}", flush=True)
    print(f"{len(options.only) - failed} identities hold, {failed} fail")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
