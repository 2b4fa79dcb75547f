#===- grids.py - Attention on grids of tokens, against an oracle ------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Runs attention on grids of one to three axes and compares it with NumPy.

The op has all that an index of a grid can occur in: a dilated window as mask, a
bias table, a sink and a factor of the weights that differ by axis, a row map of
the queries, grouped heads, other values than keys, grids of queries and keys that
differ. The oracle knows nothing of boxes.
"""

import argparse
from dataclasses import dataclass
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

B, H, HK, D, E = 2, 2, 1, 16, 24
NAMES = "zyx"  # Axes, the last ones first where there are fewer.

# How far results may be apart, in units of the largest one; storage types of 16
# bits round once, and weights of products of 16 bits are rounded too.
TOLERANCES = {"f64": 1e-12, "f32": 1e-5, "f16": 4e-3, "bf16": 3e-2}


@dataclass(frozen=True)
class Case:
    queries: tuple
    keys: tuple
    reach: tuple  # How far a query sees along each axis.
    dilation: tuple = ()  # Only every so many-th token, along each axis.
    plain: bool = False  # A mask and nothing else.
    widths: tuple = (D, E)

    def axes(self):
        return NAMES[-len(self.queries):]

    def dilations(self):
        return self.dilation or (1,) * len(self.queries)


def tensor(*sizes):
    return "tensor<" + "x".join(str(size) for size in sizes) + "xf32>"


def indices(*groups):
    return ", ".join(f"%{group}{axis}" for group, axes in groups for axis in axes)


def mask(case):
    """Pairs within reach along all axes, a multiple of the dilation apart."""
    lines, kept = [], None
    for axis, reach, dilation in zip(case.axes(), case.reach, case.dilations()):
        lines += [
            f"%d{axis} = arith.subi %i{axis}, %j{axis} : index",
            f"%n{axis} = arith.subi %zero, %d{axis} : index",
            f"%a{axis} = arith.maxsi %d{axis}, %n{axis} : index",
            f"%reach{axis} = arith.constant {reach} : index",
            f"%near{axis} = arith.cmpi sle, %a{axis}, %reach{axis} : index",
            f"%step{axis} = arith.constant {dilation} : index",
            f"%rest{axis} = arith.remui %a{axis}, %step{axis} : index",
            f"%on{axis} = arith.cmpi eq, %rest{axis}, %zero : index",
            f"%keep{axis} = arith.andi %near{axis}, %on{axis} : i1",
        ]
        if kept:
            lines.append(f"%all{axis} = arith.andi {kept}, %keep{axis} : i1")
            kept = f"%all{axis}"
        else:
            kept = f"%keep{axis}"
    return "\n        ".join(lines + [f"attn.yield {kept} : i1"])


def as_float(name, index):
    return (f"%{name}i = arith.index_cast {index} : index to i32\n"
            f"        %{name} = arith.sitofp %{name}i : i32 to f32")


def spec(case):
    axes, count = case.axes(), len(case.queries)
    open_sizes = ["?"] * count
    d, e = case.widths
    q, k, v, o = (tensor("?", heads, *open_sizes, width) for heads, width in
                  ((H, d), (HK, d), (HK, e), (H, e)))
    lse = tensor("?", H, *open_sizes)
    names = lambda group: ", ".join(f'"{group}{axis}"' for axis in axes)
    first, last = axes[0], axes[-1]
    pair = f"%b, %h, {indices(('i', axes), ('j', axes))}"
    others = "" if case.plain else f"""
      score (%s: f32, {pair}) {{
        %bias = tensor.extract %table[%i{first}, %j{last}] : tensor<?x?xf32>
        %t = arith.addf %s, %bias : f32
        attn.yield %t : f32
      }}
      prob (%p: f32, {pair}) {{
        %same = arith.cmpi eq, %i{last}, %j{last} : index
        %half = arith.constant 0.5 : f32
        %less = arith.mulf %p, %half : f32
        %r = arith.select %same, %p, %less : f32
        attn.yield %r : f32
      }}
      sink (%b, %h, {indices(('i', axes))}) {{
        {as_float("place", f"%i{last}")}
        %slope = arith.constant -0.125 : f32
        %r = arith.mulf %place, %slope : f32
        attn.yield %r : f32
      }}"""
    rows = "" if case.plain else f"""
  %mapped = attn.map_rows %q rows (%row: tensor<{d}xf32>, %b, %h, {indices(('i', axes))}) {{
        {as_float("place", f"%i{last}")}
        %hundredth = arith.constant 0.0078125 : f32
        %small = arith.mulf %place, %hundredth : f32
        %all = tensor.splat %small : tensor<{d}xf32>
        %turn = tensor.extract_slice %rows[%i{first}, 0] [1, {d}] [1, 1] : tensor<?x{d}xf32> to tensor<{d}xf32>
        %moved = arith.addf %row, %all : tensor<{d}xf32>
        %turned = arith.mulf %moved, %turn : tensor<{d}xf32>
        attn.yield %turned : tensor<{d}xf32>
      }} : {q} -> {q}"""
    query = "q" if case.plain else "mapped"
    return f"""func.func @grid(
    %q: {q} {{attn.name = "q", attn.dims = ["B", "H", {names("Q")}, "D"]}},
    %k: {k} {{attn.name = "k", attn.dims = ["B", "Hk", {names("K")}, "D"]}},
    %v: {v} {{attn.name = "v", attn.dims = ["B", "Hk", {names("K")}, "E"]}},
    %rows: tensor<?x{d}xf32> {{attn.name = "rows", attn.dims = ["Q{first}", "D"]}},
    %table: tensor<?x?xf32> {{attn.name = "table", attn.dims = ["Q{first}", "K{last}"]}})
    -> ({o} {{attn.name = "out"}}, {lse} {{attn.name = "lse"}}) {{
  %zero = arith.constant 0 : index{rows}
  %out, %lse = attn.attend %{query}, %k, %v scale(0.25) alignment(start)
      mask ({pair}) {{
        {mask(case)}
      }}{others}
      : {q}, {k}, {v} -> {o}, {lse}
  return %out, %lse : {o}, {lse}
}}
"""


def oracle(case, q, k, v, rows, table):
    """Output and log-sum-exp, in float64."""
    count = len(case.queries)
    i = np.stack(np.meshgrid(*map(np.arange, case.queries), indexing="ij"), -1).reshape(-1, count)
    j = np.stack(np.meshgrid(*map(np.arange, case.keys), indexing="ij"), -1).reshape(-1, count)
    apart = np.abs(i[:, None] - j[None])
    seen = ((apart <= case.reach) & (apart % case.dilations() == 0)).all(-1)
    q = q.reshape(B, H, len(i), -1)
    k, v = (np.repeat(x.reshape(B, HK, len(j), -1), H // HK, 1) for x in (k, v))
    if not case.plain:
        q = (q + 0.0078125 * i[:, -1:]) * rows[i[:, 0]]
    s = 0.25 * q @ k.swapaxes(-1, -2)
    if not case.plain:
        s = s + table[i[:, 0]][:, j[:, -1]]
    s = np.where(seen, s, -np.inf)
    sink = np.full(len(i), -np.inf) if case.plain else -0.125 * i[:, -1]
    largest = np.maximum(s.max(-1), sink)
    largest = np.where(np.isfinite(largest), largest, 0)
    p = np.exp(s - largest[..., None])
    total = p.sum(-1) + np.exp(sink - largest)
    with np.errstate(divide="ignore", invalid="ignore"):
        lse = largest + np.log(total)
        p = np.where(total[..., None] > 0, p / total[..., None], 0)
    if not case.plain:
        p = p * np.where(i[:, None, -1] == j[None, :, -1], 1, 0.5)
    return ((p @ v).reshape(B, H, *case.queries, -1),
            lse.reshape(B, H, *case.queries))


CASES = {
    # Rows and columns, primes, less than a box, other keys than queries.
    "plane": Case((13, 17), (13, 17), (4, 3)),
    "other-keys": Case((7, 19), (11, 5), (3, 9)),
    "row": Case((1, 37), (1, 37), (0, 6)),
    "column": Case((41, 1), (41, 1), (5, 2)),
    "point": Case((1, 1), (1, 1), (0, 0)),
    "few": Case((3, 2), (2, 3), (9, 9)),
    "line": Case((131,), (97,), (20,)),
    "space": Case((3, 5, 7), (3, 5, 7), (1, 2, 3)),
    "space-other": Case((2, 9, 3), (5, 4, 6), (2, 3, 1)),
    # Some queries see no key: keys end before their window begins.
    "beyond": Case((12, 12), (4, 5), (3, 2), plain=True),
    # Dilation by steps that do not divide the sizes.
    "dilated": Case((13, 17), (13, 17), (6, 8), (2, 4)),
    "dilated-line": Case((50,), (50,), (21,), (7,)),
    "dilated-space": Case((5, 7, 4), (5, 7, 4), (4, 4, 3), (2, 3, 1)),
    "plain": Case((13, 17), (13, 17), (6, 8), (2, 1), plain=True),
    "plain-other": Case((9, 14), (17, 6), (5, 20), plain=True),
    "plain-space": Case((3, 5, 7), (4, 5, 3), (1, 2, 3), plain=True),
    # Few tokens, for the simulator.
    "small": Case((5, 9), (6, 7), (3, 3), (1, 2)),
    "small-space": Case((2, 3, 5), (3, 2, 4), (1, 2, 3)),
    "small-line": Case((29,), (35,), (21,), (7,)),
    # Whole vectors and matrix instructions.
    "wide": Case((9, 11), (9, 11), (4, 5), plain=True, widths=(64, 64)),
    "wide-space": Case((3, 4, 7), (4, 5, 3), (1, 2, 3), plain=True, widths=(32, 64)),
}


class Failure(Exception):
    """What does not agree, in one line."""


def rounded(x, dtype):
    """`x` as numbers of `dtype`, in float32 or float64."""
    if dtype == "bf16":
        bits = x.astype(np.float32).view(np.uint32).astype(np.uint64)
        bits = (bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000
        return bits.astype(np.uint32).view(np.float32)
    return x.astype({"f64": np.float64, "f32": np.float32, "f16": np.float16}[dtype])


def arguments(case):
    generator = np.random.default_rng(5)
    d, e = case.widths
    return {
        "q": generator.standard_normal((B, H, *case.queries, d)),
        "k": generator.standard_normal((B, HK, *case.keys, d)),
        "v": generator.standard_normal((B, HK, *case.keys, e)),
        "rows": generator.standard_normal((case.queries[0], d)),
        "table": generator.standard_normal((case.queries[0], case.keys[-1])),
    }


def same(got, want, tolerance, what):
    if got.shape != want.shape:
        raise Failure(f"{what}: shapes {got.shape} and {want.shape}")
    if not np.array_equal(np.isfinite(got), np.isfinite(want)):
        raise Failure(f"{what}: other elements than expected are not finite")
    finite = np.isfinite(want)
    error = np.abs(got[finite] - want[finite]).max(initial=0)
    if not error <= tolerance * max(np.abs(want[finite]).max(initial=0), 1):
        raise Failure(f"{what}: apart by {error:.2g}")


def run(case, dtype, options, folder):
    (folder / "spec.mlir").write_text(spec(case))
    command = [options.attn_run, folder / "spec.mlir", f"--target={options.target}",
               f"--dtype={dtype}", f"--layout={options.layout}", "--threads=1"]
    if options.target.startswith("cuda:"):
        command.append("--simulate")
    if options.schedule:
        command.append(f"--schedule={options.schedule}")
    arrays = {name: rounded(x, dtype if name in "qkv" else "f64" if dtype == "f64" else "f32")
              for name, x in arguments(case).items()}
    for name, x in arrays.items():
        np.save(folder / f"{name}.npy", x)
        command.append(f"--arg={name}={folder / name}.npy")
    command += [f"--save={name}={folder / name}-result.npy" for name in ("out", "lse")]
    command += ["--check"] if options.check else []
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    if done.returncode != 0:
        raise Failure((done.stdout + done.stderr).strip().splitlines()[-1])
    want = oracle(case, **{name: x.astype(np.float64) for name, x in arrays.items()})
    for name, expected in zip(("out", "lse"), want):
        same(np.load(folder / f"{name}-result.npy").astype(np.float64), expected,
             TOLERANCES[dtype], name)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--case", default=",".join(CASES))
    parser.add_argument("--dtype", default="f64,f32")
    parser.add_argument("--target", default="cpu")
    parser.add_argument("--schedule", default="")
    parser.add_argument("--layout", default="bhnd")
    parser.add_argument("--check", action="store_true",
                        help="compare with the executable definition, too")
    parser.add_argument("--print", action="store_true", help="print the specs only")
    parser.add_argument("--attn-run", default="attn-run")
    options = parser.parse_args()
    runs, failures = 0, 0
    for name in options.case.split(","):
        if options.print:
            print(spec(CASES[name]))
            continue
        for dtype in options.dtype.split(","):
            with tempfile.TemporaryDirectory() as folder:
                runs += 1
                try:
                    run(CASES[name], dtype, options, pathlib.Path(folder))
                except Failure as failure:
                    failures += 1
                    print(f"{name} {dtype} {options.target}: {failure}")
    if not options.print:
        print(f"{runs} runs, {failures} failures")
    return failures > 0


if __name__ == "__main__":
    sys.exit(main())
