#===- grid_lists.py - Lists of boxes against the pairs of a mask ------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Makes the lists of boxes of catalogue masks and compares each entry with the
pairs that the oracle of the variant keeps: a box is full if all of its pairs are,
mixed if some are, else not listed, and in its place in the list. Prints the counts."""

import argparse
import itertools
import pathlib
import re
import subprocess
import sys
import tempfile

import numpy as np

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "reference"))
import local  # noqa: E402
import local_grids  # noqa: E402

AXES = "TYX"

# Variant, schedule that is asked for, sizes of the grid.
CASES = [
    ("neighborhood-1d", "box_q=32,box_k=16", (131,)),
    ("neighborhood-2d", "", (17, 41)),
    ("neighborhood-2d", "box_q=4x16,box_k=2x8", (1, 67)),
    ("neighborhood-2d", "box_q=4x4,box_k=4x4", (9, 29)),
    ("neighborhood-3d", "", (5, 11, 9)),
    ("neighborhood-3d", "box_q=2x2x4,box_k=2x4x4", (7, 5, 13)),
    ("swin", "box_q=4x4,box_k=8x4", (16, 23)),
    ("clear", "box_q=4x8,box_k=4x4", (21, 19)),
    ("dilated-1d", "", (643,)),
    ("var-scales", "box_q=16,box_k=16", (340,)),
]


class Failure(Exception):
    """What is wrong, in one line."""


def seen_pairs(variant, sizes):
    """Which pairs the oracle keeps, [tokens, tokens]: all weights are equal, and
    values tell the keys apart."""
    oracle = {**local.VARIANTS, **local_grids.VARIANTS}[variant]
    tokens = int(np.prod(sizes))
    zeros = np.zeros((1, 1, *sizes, 1))
    values = np.eye(tokens).reshape(1, 1, *sizes, tokens)
    extra = [np.zeros((169, 1))] if variant == "swin" else []
    out = oracle.function(zeros, zeros, values, *extra)[0]
    return out.reshape(tokens, tokens) > 0


def tokens_of_boxes(sizes, box, step):
    """The tokens of each box, by number, and the residues of its class."""
    places = []
    for size, width, distance in zip(sizes, box, step):
        count = -(-(-(-size // distance)) // width)
        places.append([(rest, [t for t in range(rest + distance * width * n,
                                                rest + distance * width * (n + 1),
                                                distance) if t < size])
                       for rest in range(distance) for n in range(count)])
    boxes = []
    for chosen in itertools.product(*places):
        grid = np.array(list(itertools.product(*(tokens for _, tokens in chosen))), int)
        flat = np.ravel_multi_index(grid.T, sizes) if len(grid) else np.array([], int)
        boxes.append((tuple(rest for rest, _ in chosen), flat))
    return boxes


def expected_rows(seen, queries, keys):
    """The full and the mixed boxes of each box of queries."""
    order = sorted(range(len(keys)), key=lambda n: (keys[n][0], n))
    for _, rows in queries:
        full, mixed = [], []
        for number in order:
            pairs = seen[np.ix_(rows, keys[number][1])]
            if pairs.size and pairs.any():
                (full if pairs.all() else mixed).append(number)
        yield full, mixed


def list_program(options, variant, schedule, folder):
    """The program that makes the list, and the boxes of its schedule."""
    def opt(*arguments, text=None):
        return subprocess.run([options.attn_opt, *arguments], input=text, text=True,
                              check=True, capture_output=True).stdout

    listed = opt(options.variants / f"{variant}.mlir", "--attn-fuse", "--attn-infer-sparsity",
                 f"--attn-select-schedule={'schedule=' + schedule if schedule else ''}",
                 "--attn-list-blocks")
    kept = subprocess.run([sys.executable, HERE / "Inputs" / "keep_list.py"], input=listed,
                          text=True, check=True, capture_output=True).stdout
    # Sizes of results are those of arguments.
    kept = re.sub(r"(.*= attn\.block_list .*) capacity\(%\w+\)",
                  r"%first_dim = arith.constant 0 : index "
                  r"%room = tensor.dim %L, %first_dim : tensor<?xi8> \1 capacity(%room)", kept)
    (folder / "list.mlir").write_text(opt("--attn-to-tile", text=kept))
    chosen = re.search(r"schedule\(<(.*?)>\)", listed).group(1)
    box_q, box_k, step = ([int(n) for n in found.group(1).split(",")] if found else None
                          for found in (re.search(rf"{name} = \[(.*?)\]", chosen)
                                        for name in ("box_q", "box_k", "step")))
    return box_q, box_k, step or [1] * len(box_q)


def make(options, variant, schedule, sizes, folder):
    """The offsets and the blocks of a list, and the boxes of queries and of keys."""
    box_q, box_k, step = list_program(options, variant, schedule, folder)
    queries = tokens_of_boxes(sizes, box_q, step)
    keys = tokens_of_boxes(sizes, box_k, step)
    names = AXES[-len(sizes):] if len(sizes) > 1 else "N"
    dims = {"B": 1, "H": 1, **dict(zip(names, sizes)), "E": 2 * len(queries) + 1,
            "L": len(queries) * len(keys)}
    command = [options.attn_run, folder / "list.mlir", "--threads=1",
               "--dims=" + ",".join(f"{name}={size}" for name, size in dims.items())]
    command += [f"--save={name}={folder / name}.npy" for name in ("offsets", "blocks")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    if done.returncode:
        raise Failure((done.stdout + done.stderr).strip().splitlines()[-1])
    return np.load(folder / "offsets.npy"), np.load(folder / "blocks.npy"), queries, keys


def check(options, variant, schedule, sizes, folder):
    """Counts of full and mixed boxes, and of all pairs of boxes."""
    offsets, blocks, queries, keys = make(options, variant, schedule, sizes, folder)
    offsets, blocks = offsets.ravel(), blocks.ravel()
    counts = [0, 0]
    for row, parts in enumerate(expected_rows(seen_pairs(variant, sizes), queries, keys)):
        for part, expected in enumerate(parts):
            got = blocks[offsets[2 * row + part]:offsets[2 * row + part + 1]].tolist()
            if got != expected:
                raise Failure(f"box {row}, {('full', 'mixed')[part]}: got {got}, "
                              f"expected {expected}")
            counts[part] += len(expected)
    return *counts, len(queries) * len(keys)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--attn-run", default="attn-run")
    parser.add_argument("--attn-opt", default="attn-opt")
    parser.add_argument("--variants", type=pathlib.Path, required=True)
    options = parser.parse_args()
    failures = 0
    for variant, schedule, sizes in CASES:
        name = f"{variant} {'x'.join(map(str, sizes))} {schedule}".strip()
        with tempfile.TemporaryDirectory() as folder:
            try:
                full, mixed, pairs = check(options, variant, schedule, sizes,
                                           pathlib.Path(folder))
                print(f"{name}: {pairs} pairs of boxes, {full} full, {mixed} mixed, all exact")
            except Failure as failure:
                failures += 1
                print(f"{name}: {failure}")
    print(f"{len(CASES)} lists, {failures} failures")
    return failures > 0


if __name__ == "__main__":
    sys.exit(main())
