#===- segments.py - Sequences that are packed, and the same alone ----------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Runs attn.recur with `segments`, and each sequence alone, on any target.

Chunks begin where segments do, so the numbers are the same to the last bit; but
for a token alone that follows a state, which is no chunk but a step.
Nothing here knows what a recurrence computes.
"""

import argparse
from dataclasses import dataclass
import hashlib
import itertools
import pathlib
import shutil
import subprocess
import sys
import tempfile

import numpy as np

import identities
from identities import H, K, V, Failure, Recurrence, Runner, kinds, name_of

# With empty ones at each end and in between, and some tokens behind the last.
LENGTHS = (0, 1, 63, 0, 64, 65, 2, 0)
BEHIND = 5


@dataclass(frozen=True)
class Packed(Recurrence):
    """A recurrence over segments of one batch."""

    index: str = "i32"
    weighted: bool = False  # norm multiplies with a captured weight of the token.

    def arguments(self):
        rows = super().arguments()
        if self.weighted:
            rows["w"] = ("N",)
        if self.initial and not self.shared:
            rows["h0"] = ("G", "H", "K", "V")
        return {**rows, "c": ("G+1",)}

    def clauses(self):
        return {**super().clauses(), "segments": "c"}

    def state_dims(self):
        return ("G", "H", "K", "V")

    def static(self):
        return {**super().static(), "B": 1}

    def types(self):
        return {**super().types(), "c": f"tensor<?x{self.index}>"}

    def norm(self):
        row = f"tensor<{self.columns}xf32>"
        return f"""
      norm (%num: {row}, %den: f32, %b, %h, %i) {{
        %x = tensor.extract %w[%i] : tensor<?xf32>
        %all = tensor.splat %x : {row}
        %y = arith.addf %num, %all : {row}
        attn.yield %y : {row}
      }}""" if self.weighted else super().norm()


class PackageRunner(Runner):
    """Compiles a spec for CPUs once, and runs the package on many sequences."""

    def program(self, text):
        if not self.target.startswith("cpu"):
            return super().program(text)
        package = self.folder / f"{hashlib.sha256(text.encode()).hexdigest()}.attn"
        if not package.exists():
            spec, target, dtype = super().program(text)
            tool = pathlib.Path(self.attn_run).with_name("attn-compile")
            done = subprocess.run([tool, spec, target, dtype, "--emit=package",
                                   "-o", package], capture_output=True, text=True,
                                  timeout=300)
            if done.returncode != 0:
                raise Failure(done.stderr.strip().splitlines()[-1])
        return [package, f"--target={self.target}"]


def packed(recurrence, **changed):
    """The same over segments."""
    return Packed(**{**vars(recurrence), **changed})


def offsets_of(lengths, dtype=np.int32):
    return np.cumsum([0, *lengths]).astype(dtype)


def arrays_for(recurrence, lengths, tokens, seed=0):
    """Random arguments for as many tokens, and the offsets."""
    generator = np.random.default_rng(seed)
    sizes = {"B": 1, "H": H, "Hq": H, "Hk": H // 2, "N": tokens, "K": K,
             "V": recurrence.columns, "One": 1, "G": len(lengths)}
    arrays = {name: generator.standard_normal([sizes[dim] for dim in dims])
              for name, dims in recurrence.arguments().items() if name != "c"}
    if "g" in arrays:
        arrays["g"] = -np.exp(arrays["g"] - 2)
    index = {"i32": np.int32, "i64": np.int64}[recurrence.index]
    return {**arrays, "c": offsets_of(lengths, index)}


def sequence_of(alone, arrays, number):
    """The arguments of one sequence."""
    first, end = arrays["c"][number:number + 2]
    arguments = {name: arrays[name][:, :, first:end] if "N" in dims
                 else arrays[name] for name, dims in alone.arguments().items()}
    if alone.initial and not alone.shared:
        arguments["h0"] = arrays["h0"][number:number + 1]
    return arguments


def close(got, want, what):
    """Raises a Failure unless two arrays are equal to rounding."""
    if got.shape != want.shape:
        raise Failure(f"{what}: shapes {got.shape} and {want.shape}")
    allowed = 16 * np.finfo(np.float32).eps * np.abs(want).max()
    if not np.abs(got - want).max() <= allowed:
        raise Failure(f"{what}: expected differences of at most {allowed:.1e}, got "
                      f"{np.abs(got - want).max():.1e}")


def equal(got, want, what):
    """Raises a Failure unless two arrays have the same bits."""
    if got.shape != want.shape:
        raise Failure(f"{what}: shapes {got.shape} and {want.shape}")
    if not np.isfinite(want).all():
        raise Failure(f"{what}: expected finite numbers")
    if not np.array_equal(got, want):
        raise Failure(f"{what}: {np.count_nonzero(got != want)} of {want.size} "
                      "numbers differ")


def compare(runner, alone, lengths, tokens, what=""):
    """Runs the sequences together, and each that has tokens alone."""
    together = packed(alone)
    arrays = arrays_for(together, lengths, tokens)
    got = runner.run(together, **arrays)
    what = what or name_of(alone)
    for number, (first, end) in enumerate(itertools.pairwise(arrays["c"])):
        here = f"{what}, sequence {number} of {end - first} tokens"
        states = slice(number, number + 1)
        if first == end:
            if alone.state:
                given = 0 if alone.shared else states
                initial = (arrays["h0"][given] if alone.initial
                           else np.zeros((1, H, K, alone.columns)))
                equal(got["ht"][states], initial.reshape(got["ht"][states].shape)
                      .astype(got["ht"].dtype), f"{here}: 'ht'")
            continue
        want = runner.run(alone, **sequence_of(alone, arrays, number))
        if not want["out"].any():
            raise Failure(f"{here}: expected numbers that are not all 0")
        agree = close if alone.initial and end - first == 1 else equal
        agree(got["out"][:, :, first:end], want["out"], f"{here}: 'out'")
        if alone.state:
            agree(got["ht"][states], want["ht"], f"{here}: 'ht'")
    # A NaN is not 0 either.
    if (got["out"][:, :, arrays["c"][-1]:] != 0).any():
        raise Failure(f"{what}: rows of no sequence are not 0")


def every_kind(runner):
    """All gates, writes and times of reading, with states."""
    for number, kind in enumerate(kinds()):
        # Each with some of the lengths; all of them are run below.
        lengths = np.roll(LENGTHS, number)[:3]
        compare(runner, kind, lengths, sum(lengths) + BEHIND)


def every_length(runner):
    """Lengths at the ends of chunks, and none."""
    for gate in identities.GATES:
        compare(runner, Recurrence(gate=gate, initial=True, state=True), LENGTHS,
                sum(LENGTHS) + BEHIND)


def every_order(runner):
    """From the right, and from both sides: two sweeps, or one state of all."""
    lengths = (17, 0, 33, 1)
    for gate, read in itertools.product(("", *identities.GATES),
                                        ("after", "before")):
        for order in ("reversed", "bidirectional"):
            has_states = order == "reversed"
            compare(runner,
                    Recurrence(gate=gate, read=read, order=order,
                               bonus=read == "before", initial=has_states,
                               state=has_states), lengths, sum(lengths) + BEHIND)


def denominators(runner):
    """Averages; rows of no sequence are 0 where norm would divide by 0."""
    lengths = (17, 0, 33)
    for order in ("causal", "bidirectional"):
        for gate in ("", "token"):
            compare(runner, Recurrence(gate=gate, order=order, ratio=True),
                    lengths, sum(lengths) + BEHIND)


def one_segment(runner):
    """One segment of all tokens is a sequence."""
    for gate in identities.GATES:
        alone = Recurrence(gate=gate, initial=True, state=True)
        compare(runner, alone, (65,), 65, f"{gate}, one segment")
        arrays = arrays_for(packed(alone), (65,), 65)
        got = runner.run(packed(alone), **arrays)
        del arrays["c"]
        for name, want in runner.run(alone, **arrays).items():
            equal(got[name], want, f"{gate}: '{name}'")


def single_tokens(runner):
    """A step of many sequences, as a decoder takes it."""
    compare(runner, Recurrence(gate="channel", initial=True, state=True),
            (1,) * 20, 20)


def shared_states(runner):
    """One initial state for all sequences."""
    compare(runner, Recurrence(gate="token", initial=True, state=True,
                               shared=True), (3, 0, 18), 21)


def without_states(runner):
    """Sequences begin with no state."""
    compare(runner, Recurrence(gate="token", state=True), (3, 0, 18), 21)
    compare(runner, Recurrence(gate="token"), (3, 0, 18), 22)


def offsets_of_64_bits(runner):
    small = Packed(gate="token", initial=True, state=True)
    large = packed(small, index="i64")
    arrays = arrays_for(small, LENGTHS, sum(LENGTHS))
    want = runner.run(small, **arrays)
    got = runner.run(large, **{**arrays, "c": arrays["c"].astype(np.int64)})
    for name, x in want.items():
        equal(got[name], x, f"'{name}'")


def places_of_tokens(runner):
    """Regions get the place among all tokens; what they make of the rows of no
    sequence is not stored."""
    plain = Packed(gate="token")
    weighted = packed(plain, weighted=True)
    lengths = (17, 0, 33)
    arrays = arrays_for(weighted, lengths, sum(lengths) + BEHIND)
    got = runner.run(weighted, **arrays)["out"]
    weights = arrays.pop("w").astype(got.dtype)
    want = runner.run(plain, **arrays)["out"]
    want = want + np.where(np.arange(want.shape[2]) < sum(lengths), weights,
                           0)[:, None]
    equal(got, want, "weights")


def no_segment(runner):
    """Without a sequence all rows are 0, and there is no state."""
    for tokens in (0, 1, 40):
        none = Packed(gate="token", initial=True, state=True)
        got = runner.run(none, **arrays_for(none, (), tokens))
        if got["out"].shape[2] != tokens or (got["out"] != 0).any():
            raise Failure(f"{tokens} tokens: rows are not 0")
        if got["ht"].shape != (0, H, K, V):
            raise Failure(f"{tokens} tokens: states {got['ht'].shape}")


def nans_stay_inside(runner):
    """A NaN of one sequence is none of another."""
    plain = Packed(gate="token", initial=True, state=True)
    lengths = (17, 20, 33)
    arrays = arrays_for(plain, lengths, sum(lengths) + BEHIND)
    want = runner.run(plain, **arrays)
    spoilt = {name: x.copy() for name, x in arrays.items()}
    for name in "qkvg":
        spoilt[name][:, :, 17:37] = np.nan
        spoilt[name][:, :, sum(lengths):] = np.nan
    got = runner.run(plain, **spoilt)
    if np.isfinite(got["out"][:, :, 17:37]).any():
        raise Failure("expected NaN in the sequence that has it")
    for name, states in (("out", False), ("ht", True)):
        inside = (slice(1, 2),) if states else (slice(None), slice(None),
                                                slice(17, 37))
        got[name][inside] = want[name][inside] = 0
        equal(got[name], want[name], f"'{name}'")


def wrong_offsets(runner):
    """What is computed is not specified; it is computed of what there is."""
    plain = Packed(gate="token", initial=True, state=True)
    arrays = arrays_for(plain, (40, 25), 65)
    for offsets in ([0, 40, 99], [0, 2**31 - 1, 2**31 - 1], [0, -7, 65],
                    [-2**31, 3, 65], [0, 65, 10**9]):
        got = runner.run(plain, **{**arrays,
                                   "c": np.array(offsets, np.int32)})
        if not all(np.isfinite(x).all() for x in got.values()):
            raise Failure(f"{offsets}: expected finite numbers")


CHECKS = {function.__name__.replace("_", "-"): function for function in (
    every_kind, every_length, every_order, denominators, one_segment,
    single_tokens, shared_states, without_states, offsets_of_64_bits,
    places_of_tokens, no_segment, nans_stay_inside, wrong_offsets)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--attn-run", default="attn-run", metavar="PATH")
    parser.add_argument("--target", default="cpu")
    parser.add_argument("--dtype", default="f32", choices=("f64", "f32"))
    parser.add_argument("--only", nargs="+", choices=sorted(CHECKS),
                        metavar="NAME", default=list(CHECKS),
                        help="some of " + ", ".join(CHECKS))
    options = parser.parse_args()
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        runner = PackageRunner(shutil.which(options.attn_run), options.target,
                               options.dtype, pathlib.Path(folder))
        for name in options.only:
            try:
                CHECKS[name](runner)
                print(f"pass  {name}", flush=True)
            except Failure as failure:
                failed += 1
                print(f"FAIL  {name}: {failure}", flush=True)
    print(f"{len(options.only) - failed} checks hold, {failed} fail")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
