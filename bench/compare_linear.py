#===- compare_linear.py - Our recurrences beside chunked PyTorch -----------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Times compiled recurrences and chunked PyTorch in turn, in one process.

The peers are those of bench/peers/chunked_linear.py, all chunks at once (batched),
one after the other (stepwise), and that with steps that torch.compile has fused
(compiled). All get the same arrays of float32 and the same
number of threads, and every result is compared with the recurrence in float64
before anything is timed. Slices of calls of all contenders follow each other,
round by round; a ratio is that of two slices of one round.

PyTorch is optional: without it only our kernels are checked and timed.

  python -m venv build/torch-venv
  build/torch-venv/bin/pip install torch numpy
  build/torch-venv/bin/python bench/compare_linear.py --out=docs/results/cpu-linear-torch
"""

import argparse
import dataclasses
import functools
import itertools
import sys

import numpy as np

try:
    import torch
    from peers import chunked_linear
except ImportError:
    torch = None

import comparison
import rounds
from compiled_kernel import CompiledKernel

PEERS = ["batched", "stepwise", "compiled"]
# Tokens of a chunk for which operations are counted, as attn-run does.
COUNTED_CHUNK = 64


#===----------------------------------------------------------------------===#
# The variants
#===----------------------------------------------------------------------===#


@dataclasses.dataclass(frozen=True)
class Variant:
    """What a file of the catalogue computes. Its arguments are q, k, v, g and, if
    it `has_state`, h0, its results out and ht. `map_rows` is the feature map of
    queries and keys for the modules NumPy and PyTorch."""
    name: str
    gate_per_channel: bool = False
    has_state: bool = False
    scale: float = 1.0
    map_rows: object = None


def apply_silu(module, x):
    return torch.nn.functional.silu(x) if module is torch else x / (1 + np.exp(-x))


VARIANTS = [
    Variant("lightning", map_rows=apply_silu),
    Variant("gla", gate_per_channel=True, has_state=True, scale=0.125),
]


def make_arguments(variant, case):
    random = np.random.default_rng(1)
    heads, n, d = case.heads, case.length, case.features
    q, k, v = (random.standard_normal((1, heads, n, d), np.float32) for _ in range(3))
    gates = (1, heads, n, d) if variant.gate_per_channel else (heads,)
    g = -0.1 * np.abs(random.standard_normal(gates, np.float32))
    state = [random.standard_normal((1, heads, d, d), np.float32)] if variant.has_state else []
    return [q, k, v, g, *state]


def compute_definition(variant, arguments, dtype):
    """The rows of the last head, token by token."""
    q, k, v, g, *state = (x.astype(dtype) for x in arguments)
    q, k, v = q[0, -1], k[0, -1], v[0, -1]
    if variant.map_rows:
        q, k = variant.map_rows(np, q), variant.map_rows(np, k)
    q = q * dtype(variant.scale)
    decay = np.exp(g[0, -1] if variant.gate_per_channel else np.full((len(q), 1), g[-1]))
    s = state[0][0, -1].copy() if state else np.zeros((k.shape[1], v.shape[1]), dtype)
    out = np.empty_like(v)
    for t in range(len(q)):
        s *= decay[t, :, None]
        s += np.outer(k[t], v[t])
        out[t] = q[t] @ s
    return out


#===----------------------------------------------------------------------===#
# Contenders
#===----------------------------------------------------------------------===#


@functools.cache
def compile_spec(name, features, build, schedule):
    spec = (comparison.ROOT / "variants" / "linear" / f"{name}.mlir").read_text()
    for old in ["x{}x", "<{}x"]:
        spec = spec.replace(old.format(64), old.format(features))
        spec = spec.replace(old.format(128), old.format(features))
    options = [f"--schedule={schedule}"] if schedule else []
    return CompiledKernel(spec, "f32", build, options)


def make_ours(variant, case, tensors, arguments):
    kernel = compile_spec(variant.name, case.features, arguments.build, arguments.schedule)
    out = np.full_like(tensors[2], np.nan)
    states = [np.full_like(state, np.nan) for state in tensors[4:]]
    arrays = [*tensors, out, *states]
    run = kernel.bind([(x.ctypes.data, x.shape, [s // x.itemsize for s in x.strides])
                       for x in arrays], case.threads)

    def call(_arrays=arrays):  # They live as long as the function.
        run()
        return out

    return call


def make_peer(name, variant, tensors):
    q, k, v, g, *state = map(torch.from_numpy, tensors)
    run = getattr(chunked_linear, f"run_{name}")
    map_rows = variant.map_rows and functools.partial(variant.map_rows, torch)
    return lambda: run(q, k, v, g, *state, map_rows=map_rows, scale=variant.scale)[0].numpy()


#===----------------------------------------------------------------------===#
# Measuring
#===----------------------------------------------------------------------===#


@dataclasses.dataclass(frozen=True)
class Case:
    variant: str
    length: int
    features: int
    heads: int
    threads: int


def get_errors(variant, tensors, results):
    """The largest error of every result in the last head, and what is allowed: eight
    times the error of the recurrence in float32, or 8 eps of the largest result."""
    expected = compute_definition(variant, tensors, np.float64)
    naive = np.abs(compute_definition(variant, tensors, np.float32) - expected).max()
    errors = {name: float(np.abs(result[0, -1] - expected).max())
              for name, result in results.items()}
    eps = np.finfo(np.float32).eps
    return errors, float(max(8 * naive, 8 * eps * np.abs(expected).max()))


def count_flops(case):
    d = case.features
    return case.heads * case.length * (4 * COUNTED_CHUNK * d + 4 * d * d)


def run_case(variant, case, arguments):
    tensors = make_arguments(variant, case)
    calls = {"ours": make_ours(variant, case, tensors, arguments)}
    if torch:
        torch.set_num_threads(case.threads)
        calls |= {name: make_peer(name, variant, tensors) for name in arguments.peers}
    errors, tolerance = get_errors(variant, tensors,
                                   {name: call() for name, call in calls.items()})
    times = rounds.time_rounds(calls, arguments.rounds, arguments.slice)
    return comparison.make_record(case, count_flops(case), tolerance, errors, times)


#===----------------------------------------------------------------------===#
# Output
#===----------------------------------------------------------------------===#


def get_machine():
    return {**rounds.get_machine(), "torch": torch.__version__ if torch else None}


def format_row(record):
    ours = record["contenders"]["ours"]
    cells = [record["variant"], record["length"], record["features"], record["threads"],
             f"{ours['ms']:.3g} ms {'ok' if ours['ok'] else 'wrong'}", f"{ours['gflops']:.1f}"]
    cells += [comparison.format_peer(record, peer) for peer in PEERS]
    return "| " + " | ".join(map(str, cells)) + " |"


def format_page(machine, records, arguments):
    header = ["variant", "N", "K = V", "threads", "ours", "GFLOP/s", *PEERS]
    notes = [
        f"Written by `bench/compare_linear.py` on {machine['date']}; do not edit.",
        f"{machine['processor']}, {machine['cores']} cores, PyTorch {machine['torch']}; "
        f"float32, 1 batch, {arguments.heads} heads, {arguments.rounds} rounds.",
        "",
        "A cell has the median time of a call and how many times as long as ours it takes: "
        "the median of the rounds' ratios, and their p10 and p90. Above 1 ours is faster. "
        "GFLOP/s are those that `attn-run` counts, for chunks of 64 tokens.",
    ]
    return comparison.format_page("Recurrences beside chunked PyTorch on the CPU", notes, header,
                                  [format_row(r) for r in records])


def parse_arguments():
    names = [variant.name for variant in VARIANTS]
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n\n")[0], epilog="Lists are separated by commas.")
    add = functools.partial(parser.add_argument, metavar="LIST")
    add("--variants", type=rounds.split_list(str, names), default=names)
    add("--lengths", type=rounds.split_list(int), default=[1024, 4096, 16384],
        help="multiples of 64, for the peers")
    add("--features", type=rounds.split_list(int), default=[128], help="K and V")
    add("--peers", type=rounds.split_list(str, PEERS), default=PEERS)
    add("--threads", type=rounds.split_list(int), default=[1])
    comparison.add_options(parser)
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    comparison.check_build("compare_linear.py", arguments.build)
    if torch:
        torch.set_grad_enabled(False)
        torch._dynamo.config.cache_size_limit = 1024
        uneven = [n for n in arguments.lengths if n % chunked_linear.CHUNK]
        if uneven:
            sys.exit(f"compare_linear.py: error: --lengths: expected multiples of "
                     f"{chunked_linear.CHUNK}, which the peers need, got {uneven[0]}")
    else:
        print("no PyTorch here, so no peers; 'pip install torch' gets it")
    machine, records = get_machine(), []
    variants = {variant.name: variant for variant in VARIANTS}
    for name, features, length, threads in itertools.product(
            arguments.variants, arguments.features, arguments.lengths, arguments.threads):
        case = Case(name, length, features, arguments.heads, threads)
        records.append(run_case(variants[name], case, arguments))
        print(format_row(records[-1]), flush=True)
        comparison.write(arguments.out, machine, arguments.rounds, records,
                         format_page(machine, records, arguments))
    wrong = [r for r in records if not all(c["ok"] for c in r["contenders"].values())]
    if wrong:
        sys.exit(f"compare_linear.py: error: {len(wrong)} cases have results over tolerance")


if __name__ == "__main__":
    main()
