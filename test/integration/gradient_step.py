#===- gradient_step.py - A layer of linear attention learns in context -----===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""One layer of linear self-attention with the matrices of J. von Oswald et al.,
"Transformers Learn In-Context by Gradient Descent", 2023, arXiv:2212.07677, is one
step of gradient descent on the regression problem that its tokens state, and L
layers are L steps. The same for the causal layer, a step at each token.

The descent is written with its loss and gradient, and knows nothing of attention.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

TOLERANCE = 1e-12


def run_layer(options, name, arguments):
    """The output of variants/linear/NAME.mlir."""
    with tempfile.TemporaryDirectory() as folder:
        command = [options.attn_run, options.variants / "linear" / f"{name}.mlir",
                   f"--target={options.target}", "--dtype=f64",
                   f"--save=out={folder}/out.npy"]
        for key, x in arguments.items():
            np.save(f"{folder}/{key}.npy", x)
            command.append(f"--arg={key}={folder}/{key}.npy")
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        if done.returncode != 0:
            sys.exit((done.stdout + done.stderr).strip())
        return np.load(f"{folder}/out.npy")


def gradient(w, x, y):
    """Of the mean over tokens of |w x - y|^2 / 2."""
    return (x @ w.T - y).T @ x / len(x)


def blocks(corner, start, width):
    """A matrix of zeros with `corner` at `start`."""
    matrix = np.zeros((width, width))
    rows, columns = corner.shape
    matrix[start[0]:start[0] + rows, start[1]:start[1] + columns] = corner
    return matrix


def descend(options, generator, inputs, outputs, steps, rate, start):
    """Runs `steps` layers and as many steps of descent; returns how far apart they
    are: of predictions, of inputs and of targets."""
    context, width = 10, 16
    x = generator.uniform(-1, 1, (context, inputs))
    y = x @ generator.standard_normal((outputs, inputs)).T
    query = generator.uniform(-1, 1, inputs)
    w = start * generator.standard_normal((outputs, inputs))

    # Rows (x, y), behind them zeros, which nothing reads. The last token asks.
    tokens = np.zeros((context + 1, width))
    tokens[:-1, :inputs], tokens[-1, :inputs] = x, query
    at = slice(inputs, inputs + outputs)
    tokens[:-1, at], tokens[-1, at] = y, -w @ query
    key_query = blocks(np.eye(inputs), (0, 0), width)
    value = (blocks(w, (inputs, 0), width)
             - blocks(np.eye(outputs), (inputs, inputs), width))
    # Keys and values are the tokens of the context, each with weight rate / N.
    weight = np.append(np.full(context, rate / context), 0)
    first = tokens.copy()
    moved = w.copy()
    for _ in range(steps):
        tokens = run_layer(options, "lsa", {
            "x": tokens[None, None], "a": key_query.T[None], "p": value.T[None],
            "w": weight[None, None]})[0, 0]
        moved = moved - rate * gradient(moved, x, y)
    # Targets become those of the problem that is left; the query's is negative.
    targets = y - x @ (moved - w).T
    return [np.abs(tokens[-1, at] + moved @ query).max(),
            np.abs(tokens[:, :inputs] - first[:, :inputs]).max(),
            np.abs(tokens[:-1, at] - targets).max()]


def descend_causally(options, generator):
    """Predictions of the next token of x_(t+1) = W x_t, by one step from W = 0 at
    every token."""
    size, tokens, a, b = 16, 20, 0.7, 0.9
    w = np.linalg.qr(generator.standard_normal((size, size)))[0]
    x = [generator.standard_normal(size)]
    for _ in range(tokens - 1):
        x.append(w @ x[-1])
    x = np.array(x)
    # Tokens (x_t, x_(t-1)); products of the second half of a key with the first
    # of a query, values are first halves.
    pairs = np.concatenate([x, np.concatenate([0 * x[:1], x[:-1]])], axis=1)
    key_query = blocks(a * np.eye(size), (size, 0), 2 * size)
    value = np.concatenate([b * np.eye(size), np.zeros((size, size))], axis=1)
    out = run_layer(options, "lsa-causal", {
        "x": pairs[None, None], "a": key_query.T[None], "p": value.T[None]})[0, 0]
    errors = []
    for t in range(1, tokens):
        step = -a * b * gradient(np.zeros((size, size)), x[:t], x[1:t + 1])
        errors.append(np.abs(out[t] - step @ x[t]).max())
    return errors


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--attn-run", default="attn-run", metavar="PATH")
    parser.add_argument("--variants", type=pathlib.Path, required=True)
    parser.add_argument("--target", default="reference")
    options = parser.parse_args()
    generator = np.random.default_rng(0)
    cases = [((10, 1), 1, 0.3, 0), ((10, 1), 4, 0.3, 0), ((10, 1), 3, 0.1, 1),
             ((12, 4), 2, 0.5, 1)]
    failed = 0

    def report(what, errors):
        nonlocal failed
        ok = max(errors) <= TOLERANCE
        failed += not ok
        print(f"{'pass' if ok else 'FAIL'}  {what}: {max(errors):.1e}", flush=True)

    for (inputs, outputs), steps, rate, start in cases:
        report(f"{inputs} inputs, {outputs} outputs, {steps} steps of {rate} from "
               f"{'W' if start else 0}",
               descend(options, generator, inputs, outputs, steps, rate, start))
    report("causal, one step at each token",
           descend_causally(options, generator))
    print(f"{len(cases) + 1 - failed} agree, {failed} do not")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
