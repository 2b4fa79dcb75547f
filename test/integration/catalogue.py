#===- catalogue.py - Run the variants against their oracles ---------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Runs attn-run on the catalogue: variants x element types x shapes.

Every case runs with --check, which compares with the executable definition of
the spec, unless the target is that definition itself. With --oracle the driver
also writes the inputs, and compares the results with the NumPy function of
test/reference/ on the rounded inputs; where matrix instructions round weights,
docs/numerics.md says what is allowed besides. With --counters it looks at what the
simulator counted: see `check_counters`. With --constants it runs copies of the specs
with other constants, which the oracles get as parameters of the same names.
"""

import argparse
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import zlib

import numpy as np

from precision import PRECISIONS, allowed_error, error_of

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "reference"))
import softmax  # noqa: E402
from variants import LINEAR, VARIANTS  # noqa: E402

TIMEOUT = 600

# Targets that --check would compare with themselves.
DEFINITIONS = ("reference", "naive")

# (Nq, Nk) of variants with two sequences. 300 x 65, 1000 x 65 and 1000 x 300
# leave rows without keys where a mask keeps |i - j| < 128.
TWO_LENGTHS = [(1, 1), (1, 65), (65, 1), (63, 127), (127, 63), (300, 65),
               (65, 300), (300, 300), (1000, 65), (1000, 300), (300, 1000)]

# (Y, X) and (T, Y, X) of variants on grids: one token, lines, primes.
PLANES = [(1, 1), (1, 31), (61, 1), (13, 9), (23, 13), (31, 29)]
VIDEOS = [(1, 1, 1), (1, 1, 31), (5, 3, 7), (3, 9, 11), (11, 7, 13)]


@dataclass(frozen=True)
class Case:
    """One run: a variant, an element type, and its dynamic dimensions."""

    variant: str
    dtype: str
    dims: tuple
    constants: tuple = ()

    @property
    def dims_text(self):
        return ",".join(f"{name}={size}" for name, size in self.dims)

    def __str__(self):
        constants = "".join(f" {name}={value}"
                            for name, value in self.constants)
        return (f"{self.variant:<16} {self.dtype:<5} {self.dims_text:<24}"
                f"{constants}")


class Failure(Exception):
    """What is wrong with a case, in one or more lines."""


def lengths_of(variant, sizes):
    """The sequence lengths to try: one per size, or pairs within the sizes."""
    if "G" in variant.dynamic and "N" in variant.dynamic:
        # One sequence, and several that are packed.
        return [{"G": count, "N": n} for n in sizes for count in (1, 5)]
    if "L" in variant.dynamic:  # Few learned queries, and many.
        return [{"L": few, "N": n} for n in sizes for few in (4, 70)]
    if "M" in variant.dynamic:  # Pages of tokens: one query, and many.
        page = variant.static["S"]
        return [{"Nq": few, "M": -(-n // page), "P": 2 * -(-n // page) + 1}
                for n in sizes for few in (1, 70)]
    if "X" in variant.dynamic:
        axes, grids = (("TYX", VIDEOS) if "T" in variant.dynamic
                       else ("YX", PLANES))
        return [dict(zip(axes, grid)) for grid in grids
                if np.prod(grid) <= max(sizes)]
    if "Nq" not in variant.dynamic:
        return [{"N": n} for n in sizes]
    packed = {"G": 6} if "G" in variant.dynamic else {}
    return [{**packed, "Nq": q, "Nk": k} for q, k in TWO_LENGTHS
            if max(q, k) <= max(sizes)]


def heads_of(variant, heads):
    """Head counts: grouped variants share one key head between two."""
    if "H" not in variant.dynamic:
        return {}
    if "Hk" not in variant.dynamic:
        return {"H": heads or 3}
    heads = heads or 4
    return {"H": heads, "Hk": heads // 2 if heads % 2 == 0 else 1}


def cases_of(name, options):
    variant = VARIANTS[name]
    for dtype in options.dtype:
        for lengths in lengths_of(variant, options.n):
            batch = {"B": options.batch} if "B" in variant.dynamic else {}
            dims = {**batch, **heads_of(variant, options.heads), **lengths}
            yield Case(name, dtype, tuple(dims.items()),
                       tuple(options.constants.items()))


def make_arguments(case):
    """Seeded inputs, rounded to the element type, in the type of the files."""
    variant, precision = VARIANTS[case.variant], PRECISIONS[case.dtype]
    generator = np.random.default_rng(zlib.crc32(str(case).encode()))
    arguments = variant.random_arguments(generator, dict(case.dims))
    if "cos" in arguments:
        tokens, half = arguments["cos"].shape
        tables = softmax.rope_tables(tokens, 2 * half)
        arguments["cos"], arguments["sin"] = tables
    return {name: precision.round(x) if is_floating(x) else x
            for name, x in arguments.items()}


def is_floating(x):
    return np.issubdtype(x.dtype, np.floating)


def evaluate(case, arguments, precision, dtype, store_rounds=False):
    """The oracle in `dtype`; optionally it rounds the rows that it keeps."""
    variant = VARIANTS[case.variant]
    extra = dict(case.constants)
    if store_rounds and variant.has_stored_rows:
        extra["store"] = lambda rows: precision.round(rows).astype(dtype)
    converted = {name: x.astype(dtype) if is_floating(x) else x
                 for name, x in arguments.items()}
    return variant.function(**converted, **extra)


def rounding_of_weights(case, arguments, precision):
    """What rounding the weights to the element type may cost each element of
    `out`: at most half a unit in the last place of each weight, so that much of
    the sum of p |v|, which is the result for |v|. Nothing where values are no
    argument of their own, and in recurrences, whose weights are two tiles each."""
    if "v" not in arguments or case.variant in LINEAR:
        return 0
    absolute = {**arguments, "v": np.abs(arguments["v"])}
    out = evaluate(case, absolute, precision, precision.reference)[0]
    return precision.epsilon / 2 * np.abs(out)


def has_matrix_products(path):
    """Whether a launch used matrix instructions, which round weights."""
    counted = json.loads(path.read_text())
    return any(launch["matrix_ops"] for run in counted["runs"]
               for launch in run["launches"])


def compare(name, result, reference, naive, accumulate, stored_epsilon,
            rounding=0):
    """The largest error of a result and what is allowed there; `rounding` is
    allowed besides."""
    if result.shape != reference.shape:
        raise Failure(f"'{name}': expected shape {reference.shape}, "
                      f"got {result.shape}")
    allowed = allowed_error(reference, naive, accumulate, stored_epsilon)
    allowed = allowed + rounding
    error = error_of(result, reference)
    # A NaN, or an infinity on one side only, compares false here.
    bad = ~(error <= allowed)
    with np.errstate(divide="ignore", invalid="ignore"):
        excess = np.where(error == 0, 0, error / allowed)
    excess = np.where(np.isnan(excess), np.inf, excess)
    worst = np.unravel_index(np.argmax(excess), error.shape)
    if bad.any():
        where = ", ".join(map(str, worst))
        raise Failure(
            f"'{name}': {np.count_nonzero(bad)} of {bad.size} elements over "
            f"tolerance; [{where}] is {result[worst]:.9g}, expected "
            f"{reference[worst]:.9g}, allowed error {allowed[worst]:.2g}")
    return f"{name} {float(error[worst]):.1e} of {float(allowed[worst]):.1e}"


def compare_with_oracle(case, arguments, results, precision, rounds_weights):
    """Compares the named results, which the target computes in `precision`, with
    weights rounded to the element type or not; returns the errors in words."""
    accumulated = ("lse", "ht")
    types = {name: precision.accumulate for name in accumulated}
    for name, x in results.items():
        dtype = types.get(name, precision.file)
        if x.dtype != dtype:
            raise Failure(f"'{name}': expected a file of {np.dtype(dtype)}, "
                          f"got {x.dtype}")
    if not np.array_equal(precision.round(results["out"]), results["out"],
                          equal_nan=True):
        raise Failure(f"'out' holds numbers that are not {case.dtype}")
    want = evaluate(case, arguments, precision, precision.reference)
    naive = evaluate(case, arguments, precision, precision.accumulate,
                     store_rounds=True)
    epsilon = {name: float(np.finfo(precision.accumulate).eps)
               for name in accumulated}
    rounding = {}
    if rounds_weights:
        rounding["out"] = rounding_of_weights(case, arguments, precision)
    words = [compare(name, x, *expected, precision.accumulate,
                     epsilon.get(name, precision.epsilon),
                     rounding.get(name, 0))
             for (name, x), *expected in zip(results.items(), want, naive)]
    if "lse" not in results:
        return ", ".join(words)
    empty = np.isneginf(want[list(results).index("lse")])
    if (results["out"][empty] != 0).any():
        raise Failure("'out' is not 0 in rows without keys")
    return ", ".join(words) + (f", {empty.sum()} empty" if empty.any() else "")


def spec_with(path, constants, folder):
    """The path of a copy of a spec in `folder` that has other constants."""
    text = pathlib.Path(path).read_text()
    for name, value in constants:
        value = str(value).lower() if isinstance(value, bool) else value
        text, count = re.subn(rf"(%{name} = arith\.constant )\w+",
                              rf"\g<1>{value}", text)
        if count != 1:
            raise Failure(f"'{path}': expected one constant '%{name}', "
                          f"found {count}")
    copy = folder / pathlib.Path(path).name
    copy.write_text(text)
    return str(copy)


def run_tool(options, case, folder, extra):
    """Runs attn-run; a failing exit status becomes a Failure."""
    spec = options.specs[case.variant]
    if case.constants:
        spec = spec_with(spec, case.constants, folder)
    command = [options.attn_run, spec,
               f"--target={options.target}", f"--dtype={case.dtype}",
               f"--dims={case.dims_text}", f"--layout={options.layout}", *extra]
    if options.target not in DEFINITIONS:
        command.append("--check")
    if options.schedule:
        command.append(f"--schedule={options.schedule}")
    if options.is_simulated:
        command.append("--simulate")
        if options.jobs > 1:
            command.append("--threads=1")
    try:
        done = subprocess.run(command, capture_output=True, text=True,
                              errors="replace", timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        raise Failure(f"attn-run did not end within {TIMEOUT} s") from None
    if done.returncode != 0:
        lines = (done.stdout + done.stderr).strip().splitlines()[-5:]
        raise Failure("\n".join([f"attn-run: exit status {done.returncode}",
                                 *lines]))


def describe_site(launch, site, what):
    return (f"'{launch['kernel']}': {what} of '{site['op']}' on "
            f"{', '.join(site['buffers']) or 'shared memory'} at "
            f"{site['location']}, loop {site['loop']}")


def findings_in(launch, gathered, where="everywhere"):
    """What an op of a launch does worse than it could, in words.

    Lanes do not meet in a bank. What a warp accesses in global memory fills the
    sectors that it touches: in loops exactly; outside of loops a run of bytes
    may start within a sector, as rows of `lse` do where N is odd. `where` is
    that of --counters: "loops" asks nothing outside of loops, "banks" nothing of
    sectors. Nor is anything asked of tables of which the spec reads single
    elements.
    """
    for site in launch["sites"]:
        if site["conflicts"]:
            yield describe_site(launch, site,
                                f"{site['conflicts']} bank conflicts")
        if (set(site["buffers"]) <= gathered or where == "banks"
                or (where == "loops" and not site["loop"])):
            continue
        sectors = site["sectors"]
        if not site["loop"]:
            sectors -= site["unaligned"]
        if sectors > site["ideal"]:
            yield describe_site(
                launch, site,
                f"{site['sectors']} sectors, {site['unaligned']} unaligned, "
                f"at least {site['ideal']}")


def check_counters(path, where):
    """Raises a Failure for the first few findings; returns the totals. `where`
    is that of --counters."""
    counted = json.loads(path.read_text())
    launches = [launch for run in counted["runs"] for launch in run["launches"]]
    gathered = set(counted["gathered"])
    findings = [finding for launch in launches
                for finding in findings_in(launch, gathered, where)]
    if findings:
        raise Failure("\n".join([f"{len(findings)} findings", *findings[:5]]))
    sites = [site for launch in launches for site in launch["sites"]]
    if not sites:
        raise Failure("the simulator counted nothing")
    total = {key: sum(site[key] for site in sites)
             for key in ("sectors", "ideal")}
    return f"sectors {total['sectors']} of {total['ideal']}"


def run_case(options, case):
    """Runs one case; returns the errors in words."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        counters = folder / "counters.json"
        # They also tell whether weights are rounded.
        extra = [f"--counters={counters}"] if options.is_simulated else []
        words = []
        if options.oracle:
            words.append(run_with_oracle(options, case, folder, extra,
                                         counters))
        else:
            run_tool(options, case, folder, extra)
            words.append("checked")
        if options.counters:
            words.append(check_counters(counters, options.counters))
        return ", ".join(words)


def run_with_oracle(options, case, folder, extra, counters):
    """Runs one case on inputs of ours; returns the errors in words."""
    arguments = make_arguments(case)
    extra = list(extra)
    for name, x in arguments.items():
        np.save(folder / f"{name}.npy", x)
        extra.append(f"--arg={name}={folder / name}.npy")
    results = {name: folder / f"result-{name}.npy"
               for name in VARIANTS[case.variant].results}
    for name, path in results.items():
        extra.append(f"--save={name}={path}")
    run_tool(options, case, folder, extra)
    for name, path in results.items():
        if not path.exists():
            raise Failure(f"attn-run did not save '{name}'")
    loaded = {name: np.load(path) for name, path in results.items()}
    # The definition takes inputs of any type and computes in float64.
    dtype = "f64" if options.target == "reference" else case.dtype
    rounds_weights = options.is_simulated and has_matrix_products(counters)
    return compare_with_oracle(case, arguments, loaded, PRECISIONS[dtype],
                               rounds_weights)


def try_case(options, case):
    """Runs one case; returns whether it passed, and words about it."""
    try:
        return True, run_case(options, case)
    except Failure as failure:
        return False, str(failure)


def run_all(options):
    """Runs every case, prints a line for each; returns {case: passed}."""
    passed = {}
    cases = [case for name in options.variant
             for case in cases_of(name, options)]
    with ThreadPoolExecutor(options.jobs) as executor:
        outcomes = executor.map(lambda case: try_case(options, case), cases)
        for case, (passed[case], words) in zip(cases, outcomes):
            lines = f"{case} {words}".splitlines()
            print("\n      ".join([f"{'pass' if passed[case] else 'FAIL'}  "
                                   f"{lines[0]}", *lines[1:]]), flush=True)
    return passed


def cell_of(outcomes):
    """What the status matrix says about the cases of one cell."""
    if not outcomes:
        return "not run"
    failed = outcomes.count(False)
    count = len(outcomes)
    return f"**{failed} of {count} fail**" if failed else f"pass ({count})"


def matrix_of(options, passed):
    """The status matrix, in Markdown: variants x element types."""
    compared = "the executable definition of its spec"
    if options.oracle:
        compared += " and with its NumPy oracle"
    heads = options.heads or "3; 4 over 2 key heads where heads are grouped"
    lines = [
        f"# Forward status on `{options.target}`", "",
        "Written by `test/integration/catalogue.py --matrix-out`; do not edit.",
        f"Every case was compared with {compared}.",
        "The number of cases stands in brackets.", "",
        f"- batch {options.batch}; heads {heads}",
        f"- tokens {', '.join(map(str, options.n))}; variants with two "
        "sequences: pairs up to the largest", "",
        "| variant | " + " | ".join(options.dtype) + " |",
        "|---" * (1 + len(options.dtype)) + "|",
    ]
    for name in options.variant:
        cells = [cell_of([ok for case, ok in passed.items()
                          if (case.variant, case.dtype) == (name, dtype)])
                 for dtype in options.dtype]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def positive_int(text):
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(
            f"expected a positive integer, got '{text}'")
    return int(text)


def positive_ints(text):
    return [positive_int(part) for part in text.split(",")]


def constants(text):
    """{"window": 6, "causal": True} for "window=6,causal=true"."""
    pairs = dict(part.partition("=")[::2] for part in text.split(","))
    for name, value in pairs.items():
        if value not in ("true", "false") and not value.isdecimal():
            raise argparse.ArgumentTypeError(
                f"expected NAME=NUMBER, NAME=true or NAME=false, got "
                f"'{name}={value}'")
    return {name: value == "true" if value in ("true", "false") else int(value)
            for name, value in pairs.items()}


def dtypes(text):
    for part in text.split(","):
        if part not in PRECISIONS:
            raise argparse.ArgumentTypeError(
                f"expected some of {','.join(PRECISIONS)}, got '{part}'")
    return text.split(",")


def parse_options(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--attn-run", default="attn-run", metavar="PATH",
                        help="the tool (default: attn-run on PATH)")
    parser.add_argument("--variants", type=pathlib.Path, required=True,
                        metavar="DIR", help="the folder of the catalogue")
    parser.add_argument("--family", default="softmax", metavar="NAME",
                        help="the folder of a family in it (default: softmax)")
    parser.add_argument("--variant", nargs="+", action="extend",
                        metavar="NAME", help="only these (default: all)")
    parser.add_argument("--without", nargs="+", default=[], metavar="NAME",
                        help="all but these")
    parser.add_argument("--target", default="cpu")
    parser.add_argument("--layout", default="bhnd", choices=("bhnd", "bnhd"),
                        help="order of the dimensions in memory")
    parser.add_argument("--schedule", default="",
                        help="instead of the compiler's choice")
    parser.add_argument("--dtype", type=dtypes, default=list(PRECISIONS),
                        help="element types, separated by commas")
    parser.add_argument("--n", type=positive_ints, metavar="N,N...",
                        default=[1, 63, 65, 127, 300, 1000],
                        help="numbers of tokens, separated by commas")
    parser.add_argument("--constants", type=constants, default={},
                        metavar="NAME=VALUE,...",
                        help="run the specs with other constants")
    parser.add_argument("--batch", type=positive_int, default=2)
    parser.add_argument("--heads", type=positive_int,
                        help="query heads (default: 3, grouped variants 4)")
    parser.add_argument("--oracle", action="store_true",
                        help="compare with the NumPy oracles as well")
    parser.add_argument("--counters", nargs="?", const="everywhere",
                        choices=["everywhere", "loops", "banks"],
                        help="fail where a simulated kernel has bank conflicts "
                        "or accesses that are not coalesced, in loops or "
                        "everywhere (default); with 'banks', where it has bank "
                        "conflicts")
    parser.add_argument("--jobs", type=positive_int, default=1,
                        help="cases at a time (default: 1)")
    parser.add_argument("--matrix-out", type=pathlib.Path, metavar="FILE.md",
                        help="write the status matrix to this file")
    options = parser.parse_args(arguments)
    if options.target in DEFINITIONS and not options.oracle:
        parser.error(f"argument --target: '{options.target}' needs --oracle, "
                     "as there is nothing else to compare it with")
    options.is_simulated = options.target.startswith("cuda:")
    if options.counters and not options.is_simulated:
        parser.error("argument --counters: expected a cuda target, got "
                     f"'{options.target}'")
    options.attn_run = find_tool(parser, options.attn_run)
    options.specs = find_specs(parser, options)
    options.variant = [name for name in options.variant or options.specs
                       if name not in options.without]
    return options


def find_tool(parser, name):
    found = shutil.which(name)
    if not found:
        parser.error(f"argument --attn-run: no such program: '{name}'")
    return os.path.abspath(found)


def find_specs(parser, options):
    """The spec of every variant; a spec without an oracle is an error."""
    specs = {path.stem: str(path)
             for path in sorted(options.variants.glob(f"{options.family}/*.mlir"))}
    if not specs:
        parser.error(f"argument --variants: expected {options.family}/*.mlir in "
                     f"'{options.variants}', found none")
    for name in [*(options.variant or specs), *options.without]:
        if name not in specs:
            parser.error(f"no spec '{name}.mlir' in '{options.variants}'; "
                         f"there are {', '.join(specs)}")
        if name not in VARIANTS:
            parser.error(f"variant '{name}' has no oracle in test/reference/")
    return specs


def main():
    options = parse_options()
    passed = run_all(options)
    failed = list(passed.values()).count(False)
    if options.matrix_out:
        options.matrix_out.write_text(matrix_of(options, passed))
    print(f"{len(passed) - failed} cases passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
