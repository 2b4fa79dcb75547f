#===- recur_run.py - Execute tile programs of recurrences ------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Executes the tile program of a recurrence on random arguments, goes from token to
token in float64, and compares.

    recur_run.py --gate=token --k=64 ... --dims=B=1,H=2,N=100 --target=cpu

attn-run is found on the PATH.
"""

import argparse
import subprocess
import sys
import tempfile

import numpy as np
import recur_tiles


def sweep(o, x, reverse, before):
    """The recurrence, token by token: what is read, sums of weights, the state."""
    q, k, v = x["q"] * o.scale, x["k"], x["v"]
    normalize = lambda y: y / np.sqrt((y**2).sum(-1, keepdims=True) / y.shape[-1] + 1e-3 / y.shape[-1])
    if o.qnorm:
        q = normalize(q)
    if o.scaled:
        k = k * x["beta"][..., None]
    gate = np.exp(x["g"]) if o.gate != "none" else np.ones(q.shape[:3])
    gate = gate[None, :, None, None] if gate.ndim == 1 else gate[..., None] if gate.ndim == 3 else gate
    gate = np.broadcast_to(gate, q.shape)
    if o.tied:
        k = 1 - gate
    state, sums = x["h0"] * (not o.both), np.zeros(x["h0"].shape[:3])
    num, den = np.zeros(v.shape), np.ones(v.shape[:3])
    order = range(q.shape[2])
    for t in reversed(order) if reverse else order:
        written = state * gate[:, :, t, :, None] + k[:, :, t, :, None] * v[:, :, t, None, :]
        weights = sums * gate[:, :, t] + k[:, :, t]
        num[:, :, t] = np.einsum("bhk,bhkv->bhv", q[:, :, t], state if before else written)
        den[:, :, t] = np.einsum("bhk,bhk->bh", q[:, :, t], sums if before else weights)
        if o.bonus:
            num[:, :, t] += np.einsum("bhk,hk,bhk->bh", q[:, :, t], x["u"], k[:, :, t])[..., None] * v[:, :, t]
        state, sums = written, weights
    return num, den, state, normalize


def define(o, x):
    num, den, state, normalize = sweep(o, x, o.reverse and not o.both, o.before and not o.both)
    if o.both:
        back = sweep(o, x, True, True)
        num, den = num + back[0], den + back[1]
    if o.den:
        num = num / den[..., None]
    if o.norm:
        num = normalize(num) * x["w"]
    return num, state


def make_arguments(o, dims):
    rng = np.random.default_rng(o.chunk + o.k)
    b, h, n = dims["B"], dims["H"], dims["N"]
    shapes = {"q": (b, h, n, o.k), "k": (b, h, n, o.k), "v": (b, h, n, o.v), "h0": (b, h, o.k, o.v)}
    x = {name: rng.standard_normal(shape) for name, shape in shapes.items()}
    if o.den:
        x["q"], x["k"] = abs(x["q"]), abs(x["k"])
    if o.gate != "none":
        shape = {"head": h, "token": (b, h, n), "channel": (b, h, n, o.k)}[o.gate]
        x["g"] = -rng.exponential(0.2, shape)
    if o.gate in ("token", "channel"):
        x["g"][:, :, n // 2] = -200  # A new sequence begins.
    if o.norm:
        x["w"] = rng.standard_normal(o.v)
    if o.scaled:
        x["beta"] = rng.random((b, h, n))
    if o.bonus:
        x["u"] = rng.standard_normal((h, o.k))
    # As the kernel sees them.
    types = {"f64": np.float64, "f32": np.float32, "f16": np.float16}
    return {name: value.astype(types[o.dtype]) for name, value in x.items()}


def run(o):
    dims = {k: int(v) for k, v in (part.split("=") for part in o.dims.split(","))}
    x = make_arguments(o, dims)
    results = ["out"] if o.both else ["out", "ht"]
    tolerance = {"f64": 1e-13, "f32": 2e-6, "f16": 2e-3}[o.dtype]
    with tempfile.TemporaryDirectory() as folder:
        with open(f"{folder}/recur.mlir", "w") as program:
            program.write(recur_tiles.Program(argparse.Namespace(**vars(o))).text())
        command = ["attn-run", f"{folder}/recur.mlir", f"--target={o.target}", "--func=recur"]
        command += [f"--save={name}={folder}/{name}.npy" for name in results]
        for name, value in x.items():
            np.save(f"{folder}/{name}.npy", value)
            command.append(f"--arg={name}={folder}/{name}.npy")
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        got = [np.load(f"{folder}/{name}.npy").astype(np.float64) for name in results]
    want = define(o, {name: value.astype(np.float64) for name, value in x.items()})
    for name, a, b in zip(results, got, want):
        error = np.abs(a - b).max() / np.abs(b).max()
        print(f"{name} {'ok' if error <= tolerance else 'FAIL'}: error {error:.1e}, tolerance {tolerance:.0e}")
        if not error <= tolerance:
            sys.exit(1)


def main():
    parser = recur_tiles.make_parser(__doc__.split("\n")[0])
    parser.add_argument("--dims", default="B=1,H=2,N=100")
    parser.add_argument("--target", default="cpu")
    run(recur_tiles.parse(parser))


if __name__ == "__main__":
    main()
