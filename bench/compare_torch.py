#===- compare_torch.py - Our kernels beside PyTorch on the CPU -------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Times compiled specs and their peers in PyTorch in turn, in one process.

Peers are scaled_dot_product_attention (sdpa), compiled FlexAttention (flex) and
the formula over whole matrices (naive). All get the same tensors and the same
number of threads. Slices of calls of all contenders follow each other, round by
round; a ratio is that of two slices of one round, so that a clock that wanders
and other programs change both. Every result is compared with the formula in
float64 before anything is timed.

  python -m venv build/torch-venv
  build/torch-venv/bin/pip install torch numpy
  build/torch-venv/bin/python bench/compare_torch.py --out=docs/results/cpu-torch
"""

import argparse
import dataclasses
import functools
import itertools
import sys

try:
    import torch
    from torch.nn.attention.flex_attention import create_block_mask, flex_attention
except ImportError:
    sys.exit("compare_torch.py: error: expected PyTorch 2.5 or later; install it with "
             "'pip install torch numpy', best in an environment of its own")

import comparison
import rounds
from compiled_kernel import CompiledKernel
from rounds import split_list

DTYPES = {"f32": torch.float32, "bf16": torch.bfloat16,
          "f16": torch.float16, "f64": torch.float64}
# Contenders whose matrices of scores would be larger are left out.
LARGEST_MATRIX = 2 << 30
# Queries of one step of the definition, which would be large as a whole.
CHUNK = 1024


#===-----------------------------------------------------------------------===#
# The variants in PyTorch
#===-----------------------------------------------------------------------===#


@dataclasses.dataclass(frozen=True)
class Variant:
    """What a file of the catalogue computes, written for PyTorch.

    `score` and `keep` take indices as tensors, as FlexAttention wants them;
    `score` also takes the number of heads.
    """
    name: str
    keep: object = None
    score: object = None
    has_sdpa: bool = True


def is_past(b, h, i, j):
    return i >= j


def is_near(b, h, i, j):
    return (i >= j) & (i - j < 256)


def add_distance(s, heads, h, i, j):
    return s + torch.exp2(-8.0 * (h + 1) / heads) * (j - i)


def cap(s, heads, h, i, j):
    return 50.0 * torch.tanh(s / 50.0)


VARIANTS = [
    Variant("dense"),
    Variant("causal", is_past),
    Variant("sliding-window", is_near),
    Variant("alibi", is_past, add_distance),
    Variant("softcap", is_past, cap, has_sdpa=False),
]


def formula(variant, q, k, v, queries=slice(None), head=None):
    """softmax(score(q k^T / sqrt(D))) v over whole matrices, for some queries
    and, if `head` is given, for that head only."""
    heads, n, d = q.shape[1:]
    h = torch.arange(heads, device=q.device)[:, None, None]
    if head is not None:
        h, q, k, v = (x[head:head + 1] for x in (h, q[0], k[0], v[0]))
    i = torch.arange(n, device=q.device)[queries, None]
    j = torch.arange(k.shape[-2], device=q.device)
    s = q[..., queries, :] @ k.transpose(-1, -2) * d**-0.5
    if variant.score:
        s = variant.score(s, heads, h, i, j)
    if variant.keep:
        s = s.masked_fill(~variant.keep(0, h, i, j), -torch.inf)
    return torch.softmax(s, -1).to(v.dtype) @ v


#===-----------------------------------------------------------------------===#
# Contenders
#===-----------------------------------------------------------------------===#


def get_sdpa_options(variant, q):
    """What scaled_dot_product_attention needs to compute a variant."""
    heads, n = q.shape[1:3]
    if not variant.keep:
        return {}
    if variant.keep is is_past and not variant.score:
        return {"is_causal": True}
    j = torch.arange(n, device=q.device)
    i = j[:, None]
    mask = variant.keep(0, 0, i, j)
    if variant.score:
        h = torch.arange(heads, device=q.device)[:, None, None]
        bias = variant.score(torch.zeros((), device=q.device), heads, h, i, j)
        # Only masks of two or four dimensions reach the fused kernel.
        mask = bias.masked_fill(~mask, -torch.inf).to(q.dtype)[None]
    return {"attn_mask": mask}


def get_score_bytes(q):
    """The memory of the scores of all pairs and heads."""
    heads, n = q.shape[1:3]
    return heads * n * n * q.element_size()


def count_pairs(variant, n):
    """How many pairs of query and key a head has that are not masked."""
    if not variant.keep:
        return n * n
    j = torch.arange(n)
    return sum(variant.keep(0, 0, i[:, None], j).sum().item()
               for i in torch.arange(n).split(CHUNK))


def make_sdpa(variant, q, k, v):
    if not variant.has_sdpa or variant.score and get_score_bytes(q) > LARGEST_MATRIX:
        return None
    options = get_sdpa_options(variant, q)
    sdpa = torch.nn.functional.scaled_dot_product_attention
    return lambda: sdpa(q, k, v, **options)


def compile_flex(variant, q):
    """A function of tensors that have the sizes of `q` and are where it is."""
    torch._dynamo.reset()  # Sizes are compiled in, and threads are, too.
    heads, n = q.shape[1:3]
    options = {}
    if variant.keep:
        options["block_mask"] = create_block_mask(variant.keep, None, None, n, n,
                                                  device=q.device)
    if variant.score:
        options["score_mod"] = lambda s, b, h, i, j: variant.score(s, heads, h, i, j)
    compiled = torch.compile(flex_attention, dynamic=False)
    return lambda q, k, v: compiled(q, k, v, **options)


def make_flex(variant, q, k, v):
    run = compile_flex(variant, q)
    return lambda: run(q, k, v)


def make_naive(variant, q, k, v):
    # Scores, their mask and the probabilities are alive at the same time.
    if 2 * get_score_bytes(q) > LARGEST_MATRIX:
        return None
    return lambda: formula(variant, q, k, v)


@functools.cache
def compile_spec(name, features, dtype, build, schedule):
    spec = (comparison.ROOT / "variants" / "softmax" / f"{name}.mlir").read_text()
    options = [f"--schedule={schedule}"] if schedule else []
    return CompiledKernel(spec.replace("x64x", f"x{features}x"), dtype, build, options)


def make_ours(variant, q, k, v, case, arguments):
    kernel = compile_spec(variant.name, case.features, case.dtype, arguments.build,
                          arguments.schedule)
    out = torch.full_like(q, torch.nan)
    lse = torch.full(q.shape[:3], torch.nan, dtype=torch.promote_types(q.dtype, torch.float32))
    tensors = [q, k, v, out, lse]
    run = kernel.bind([(t.data_ptr(), t.shape, t.stride()) for t in tensors], case.threads)

    def call(_tensors=tensors):  # They live as long as the function.
        run()
        return out

    return call


#===-----------------------------------------------------------------------===#
# Measuring
#===-----------------------------------------------------------------------===#


@dataclasses.dataclass(frozen=True)
class Case:
    variant: str
    dtype: str
    length: int
    features: int
    heads: int
    threads: int


def get_errors(variant, results, q, k, v):
    """The largest error of every result in the last head, and what is allowed.

    This finds contenders that compute something else. It is rougher than
    `attn-run --check`: PyTorch sums in blocks, and so its formula in the type of
    the tensors is several times as exact as sums in order, which are allowed.
    Hence eight times the error of that formula, or 8 eps of float32 (float64
    for f64) times the largest result."""
    head, n = q.shape[1] - 1, q.shape[2]
    errors, naive, largest = dict.fromkeys(results, 0.0), 0.0, 0.0
    for start in range(0, n, CHUNK):
        rows = slice(start, start + CHUNK)
        expected = formula(variant, q.double(), k.double(), v.double(), rows, head)[0]
        low = formula(variant, q, k, v, rows, head)[0].double()
        naive = max(naive, (low - expected).abs().max().item())
        largest = max(largest, expected.abs().max().item())
        for name, result in results.items():
            error = (result[0, head, rows].double() - expected).abs().max().item()
            # NaN is not less than anything.
            errors[name] = error if not error <= errors[name] else errors[name]
    eps = torch.finfo(torch.promote_types(q.dtype, torch.float32)).eps
    return errors, max(8 * naive, 8 * eps * largest)


def make_calls(variant, case, tensors, arguments):
    makers = {"sdpa": make_sdpa, "flex": make_flex, "naive": make_naive}
    calls = {"ours": make_ours(variant, *tensors, case, arguments)}
    for name in arguments.peers:
        call = makers[name](variant, *tensors)
        if call:
            calls[name] = call
    return calls


def run_case(variant, case, arguments):
    torch.set_num_threads(case.threads)
    torch.manual_seed(1)
    shape = (1, case.heads, case.length, case.features)
    tensors = [torch.randn(shape).to(DTYPES[case.dtype]) for _ in range(3)]
    calls = make_calls(variant, case, tensors, arguments)
    # This also compiles and warms up.
    errors, tolerance = get_errors(
        variant, {name: call() for name, call in calls.items()}, *tensors)
    times = rounds.time_rounds(calls, arguments.rounds, arguments.slice)
    flops = 4 * case.heads * count_pairs(variant, case.length) * case.features
    return comparison.make_record(case, flops, tolerance, errors, times)


#===-----------------------------------------------------------------------===#
# Output
#===-----------------------------------------------------------------------===#


def get_machine():
    return {**rounds.get_machine(), "torch": torch.__version__,
            "vectors": torch.backends.cpu.get_cpu_capability()}


def format_row(record, peers):
    ours = record["contenders"]["ours"]
    cells = [record["variant"], record["dtype"], record["length"], record["features"],
             record["threads"], f"{ours['ms']:.3g} ms{'' if ours['ok'] else ' wrong'}",
             f"{ours['gflops']:.0f}"]
    cells += [comparison.format_peer(record, peer) for peer in peers]
    return "| " + " | ".join(map(str, cells)) + " |"


def format_page(machine, records, arguments):
    header = ["variant", "type", "N", "D", "threads", "ours", "GFLOP/s", *arguments.peers]
    notes = [
        f"Written by `bench/compare_torch.py` on {machine['date']}; do not edit.",
        f"{machine['processor']}, {machine['cores']} cores, PyTorch {machine['torch']} "
        f"({machine['vectors']}); 1 batch, {arguments.heads} heads, {arguments.rounds} rounds.",
        "",
        "A cell has the median time of a call and how many times as long as ours it takes: "
        "the median of the rounds' ratios, and their p10 and p90. Above 1 ours is faster. "
        "GFLOP/s count the pairs that the mask keeps. `-`: no such peer, or its matrix of "
        "scores is too large.",
    ]
    return comparison.format_page("Kernels beside PyTorch on the CPU", notes, header,
                                  [format_row(r, arguments.peers) for r in records])


def parse_arguments():
    names = [variant.name for variant in VARIANTS]
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n\n")[0], epilog="Lists are separated by commas.")
    add = functools.partial(parser.add_argument, metavar="LIST")
    add("--variants", type=split_list(str, names), default=names)
    add("--dtypes", type=split_list(str, list(DTYPES)), default=["f32", "bf16"])
    add("--lengths", type=split_list(int), default=[1024, 2048, 4096, 8192])
    add("--features", type=split_list(int), default=[64, 128])
    add("--threads", type=split_list(int), default=[1, 2])
    add("--peers", type=split_list(str, ["sdpa", "flex", "naive"]),
        default=["sdpa", "flex", "naive"])
    comparison.add_options(parser)
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    comparison.check_build("compare_torch.py", arguments.build)
    torch.set_grad_enabled(False)
    torch._dynamo.config.cache_size_limit = 1024
    machine, records = get_machine(), []
    cases = [Case(variant, dtype, length, features, arguments.heads, threads)
             for variant, features, dtype, length, threads in itertools.product(
                 arguments.variants, arguments.features, arguments.dtypes,
                 arguments.lengths, arguments.threads)]
    variants = {variant.name: variant for variant in VARIANTS}
    for case in cases:
        records.append(run_case(variants[case.variant], case, arguments))
        print(format_row(records[-1], arguments.peers), flush=True)
        comparison.write(arguments.out, machine, arguments.rounds, records,
                         format_page(machine, records, arguments))
    wrong = [r for r in records if not r["contenders"]["ours"]["ok"]]
    if wrong:
        sys.exit(f"compare_torch.py: error: {len(wrong)} results are over tolerance")


if __name__ == "__main__":
    main()
