#===- matrix_sizes.py - Matrix instructions for other numbers of features --===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Simulates a spec of 64 features with other numbers of them, in 16 bits.

  matrix_sizes.py SPEC.mlir --features=64,96,... --tokens=1,63,... [--once]

Every run is compared with the definition, and must use matrix instructions
and meet no bank conflict in any loop. With --once, which needs numbers of
tokens that blocks divide, each byte of keys and values must be read once per
block of queries.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile

SECTOR, ITEM = 32, 2


def with_features(text, features):
    """The spec with so many features in the place of 64, and of halves."""
    half = str(features // 2)
    text = re.sub(r"(?<=[x<])64(?=xf32>)", str(features), text)
    text = re.sub(r"(?<=[x<])32(?=xf32>)", half, text)
    text = text.replace("[64]", f"[{features}]").replace("[32]", f"[{half}]")
    return text.replace(", 32]", f", {half}]")


def simulate(spec, dtype, tokens, heads, counters):
    """The launches of a run, each with what was counted."""
    dims = f"B=1,N={tokens}" + (f",H={heads}" if heads else "")
    done = subprocess.run(
        ["attn-run", spec, "--target=cuda:sm_80", "--simulate", "--check",
         f"--dtype={dtype}", f"--dims={dims}", f"--counters={counters}"],
        capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{spec} {dtype} {dims}: {done.stdout}{done.stderr}")
    return json.loads(pathlib.Path(counters).read_text())["runs"][0]["launches"]


def sectors_of(launch, buffer):
    return sum(site["sectors"] for site in launch["sites"]
               if site["buffers"] == [buffer])


def problems_of(launches, features, tokens, is_once):
    """What is wrong with a run, in words."""
    if not any(launch["matrix_ops"] for launch in launches):
        yield "no matrix instructions"
    for launch in launches:
        conflicts = sum(loop["conflicts"] for loop in launch["loops"])
        if conflicts:
            yield f"{launch['kernel']}: {conflicts} bank conflicts"
        if not is_once or not launch["matrix_ops"]:
            continue
        expected = launch["blocks"] * tokens * features * ITEM // SECTOR
        for buffer in ("k", "v"):
            if (found := sectors_of(launch, buffer)) != expected:
                yield (f"{launch['kernel']}: {found} sectors of {buffer} read, "
                       f"expected {expected}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("spec", type=pathlib.Path)
    parser.add_argument("--features", required=True)
    parser.add_argument("--tokens", required=True)
    parser.add_argument("--dtype", default="bf16,f16")
    parser.add_argument("--heads", type=int, default=1, help="0: as the spec says")
    parser.add_argument("--once", action="store_true")
    options = parser.parse_args()
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for features in map(int, options.features.split(",")):
            spec = pathlib.Path(folder) / options.spec.name
            spec.write_text(with_features(options.spec.read_text(), features))
            for dtype in options.dtype.split(","):
                for tokens in map(int, options.tokens.split(",")):
                    launches = simulate(spec, dtype, tokens, options.heads,
                                        f"{folder}/counters.json")
                    found = list(problems_of(launches, features, tokens,
                                             options.once))
                    failed += bool(found)
                    print(f"{options.spec.stem} D={features} {dtype} N={tokens}: "
                          f"{'; '.join(found) or 'ok'}", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
