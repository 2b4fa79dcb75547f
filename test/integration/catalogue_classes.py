#===- catalogue_classes.py - Classes of blocks of the catalogue's masks ----===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""catalogue_classes.py ATTN_EXPLAIN VARIANTS: asks attn-explain for the classes of
all blocks of each spec with a mask, and to evaluate the mask for every pair. A block
that is called empty or full and is not is an error of the tool; here no block may be
called mixed that is not, either. Prints the share of mixed blocks. Sizes are no
multiples of blocks, and some windows are larger than their grid."""

import json
import pathlib
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

LINE, PLANE, SPACE = "block_q=16,block_k=16", "box_q=4x4,box_k=4x4", "box_q=2x2x4,box_k=2x2x4"
NARROW = "block_q=16,block_k=32"
# Spec, schedule that is asked for, sizes; several for some.
CASES = [
    ("softmax/causal", LINE, "N=131"),
    ("softmax/sliding-window", NARROW, "N=601"),
    ("softmax/prefix-lm", LINE, "N=131"),
    ("local/block-diagonal", "block_q=48,block_k=80", "N=301"),
    ("local/clear", PLANE, "Y=13,X=17"),
    ("local/clear", "", ""),
    ("local/dilated-1d", "", "N=643"),
    ("local/document-causal", LINE, "N=301"),
    ("local/document-causal", NARROW, "N=67"),
    ("local/document-window", LINE, "N=1501"),
    ("local/halo", PLANE, "Y=13,X=17"),
    ("local/neighborhood-1d", LINE, "N=131"),
    ("local/neighborhood-2d", PLANE, "Y=23,X=17"),
    ("local/neighborhood-2d", PLANE, "Y=1,X=61"),
    ("local/neighborhood-3d", SPACE, "T=5,Y=3,X=7"),
    ("local/paged-causal", LINE, "Nq=70"),
    ("local/per-head-window", LINE, "N=131"),
    ("local/prefix-document", LINE, "N=301"),
    ("local/swin", PLANE, "Y=23,X=13"),
    ("local/swin-shifted", PLANE, "Y=23,X=13"),
    ("local/swin-temporal-3d", SPACE, "T=5,Y=9,X=11"),
    ("local/var-scales", LINE, "N=341"),
    ("local/var-scales-causal", LINE, "N=341"),
    ("local/varlen-causal", LINE, "Nq=127,Nk=301"),
]
# Ranges of blocks of queries tell nothing of sequences that have queries and no keys.
INEXACT = {"local/varlen-causal"}


def explain(tool, variants, spec, schedule, dims):
    command = [tool, str(variants / f"{spec}.mlir"), "--json", "--exact", "--target=cpu:avx512"]
    command += [f"--schedule={schedule}"] * bool(schedule) + [f"--dims={dims}"] * bool(dims)
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode:
        return result.stderr.strip()
    [op] = json.loads(result.stdout)["ops"]
    [counts] = [version["sum"] for version in op["versions"] if "sum" in version]
    return counts


def judge(spec, counts):
    """What is told of a case, and whether it is as it has to be."""
    if isinstance(counts, str):
        return counts, False
    needless = counts["mixed_but_empty"] + counts["mixed_but_full"]
    told = (f"{counts['mixed']} of {counts['blocks']} blocks mixed, "
            f"{100 * counts['mixed'] / counts['blocks']:.1f} %, {needless} without need")
    # Not vacuous: the mask tells of some block, and not of all.
    is_sensible = 0 < counts["mixed"] < counts["blocks"]
    return told, is_sensible and (not needless or spec in INEXACT)


def main(tool, variants):
    variants = pathlib.Path(variants)
    missing = {f"local/{path.stem}" for path in (variants / "local").glob("*.mlir")}
    missing -= {spec for spec, _, _ in CASES}
    failures = [f"{spec}: not among the cases" for spec in sorted(missing)]
    with ThreadPoolExecutor(2) as executor:
        results = list(executor.map(lambda case: explain(tool, variants, *case), CASES))
    for (spec, schedule, dims), counts in zip(CASES, results):
        told, is_right = judge(spec, counts)
        print(f"{spec} {dims}: {told}")
        if not is_right:
            failures.append(f"{spec} {schedule} {dims}: {told}")
    print(f"{len(CASES)} cases, {len(failures)} failures")
    for failure in failures:
        print(f"FAIL {failure}")
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
