#===- attn_explain.py - Counts of attn-explain against NumPy ---------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Compares the blocks that attn-explain counts with those of whole masks.

  attn_explain.py ATTN_EXPLAIN VARIANTS

Masks are written here from their definitions, and blocks are cut out of them.
Where the analysis is exact, all counts must agree. Of a list of blocks, those of the
list must.
"""

import json
import pathlib
import subprocess
import sys

import numpy as np

INPUTS = pathlib.Path(__file__).parent / "Inputs"
sys.path.insert(0, str(INPUTS))
import block_lists  # noqa: E402


def near(n, window):
    """The keys of each token of a line of n: the window around it, pushed inwards."""
    first = np.clip(np.arange(n) - window // 2, 0, max(n - window, 0))
    keys = np.arange(n)
    return (keys >= first[:, None]) & (keys < first[:, None] + window)


def linear(n, block):
    """The blocks of tokens, in order."""
    return [np.arange(i, min(i + block, n)) for i in range(0, n, block)]


def boxes(extents, box):
    """The boxes of a plane, row by row, as numbers of tokens."""
    return [
        (ys[:, None] * extents[1] + xs).ravel()
        for ys in linear(extents[0], box[0])
        for xs in linear(extents[1], box[1])
    ]


def count(mask, queries, keys):
    """Empty, mixed and full blocks of a mask, and pairs that it keeps."""
    kinds = {"empty": 0, "mixed": 0, "full": 0}
    for rows in queries:
        for columns in keys:
            part = mask[np.ix_(rows, columns)]
            kinds["full" if part.all() else "mixed" if part.any() else "empty"] += 1
    return {**kinds, "pairs": int(mask.size), "pairs_kept": int(mask.sum())}


def causal():
    n = 200
    mask = np.tri(n, dtype=bool)
    yield "softmax/causal", f"N={n}", (32, 64), {}, [(mask, linear(n, 32), linear(n, 64))]
    # Of few queries, the last is behind the last key.
    mask = np.tri(5, 100, 95, dtype=bool)
    yield ("softmax/decode", "Nq=5,Nk=100", (16, 64), {},
           [(mask, linear(5, 16), linear(100, 64))])


def documents():
    n, batches = 150, 2
    ids = np.sort(np.random.default_rng(1).integers(0, 5, (batches, n))).astype(np.int32)
    i, j = np.ogrid[:n, :n]
    masks = [(ids[b][:, None] == ids[b]) & (i >= j) for b in range(batches)]
    yield ("local/document-causal", f"B={batches},N={n}", (16, 16), {"document": ids},
           [(mask, linear(n, 16), linear(n, 16)) for mask in masks])


def plane():
    y, x = 23, 31
    mask = (near(y, 13)[:, None, :, None] & near(x, 13)[None, :, None, :]).reshape(y * x, y * x)
    found = boxes((y, x), (4, 8))
    yield "local/neighborhood-2d", f"Y={y},X={x}", ((4, 8), (4, 8)), {}, [(mask, found, found)]


def get_schedule(sizes):
    if isinstance(sizes[0], tuple):
        return ",".join(f"box_{k}={'x'.join(map(str, s))}" for k, s in zip("qk", sizes))
    return f"block_q={sizes[0]},block_k={sizes[1]}"


def run(tool, *arguments, tables):
    command = [tool, *arguments, "--json", "--exact", "--target=cpu:avx512"]
    for name, table in tables.items():
        np.save(f"{name}.npy", table)
        command.append(f"--arg={name}={name}.npy")
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, f"{command}: {result.stderr}"
    [op] = json.loads(result.stdout)["ops"]
    return op["versions"][0]


def explain(tool, variants, spec, dims, sizes, tables):
    return run(tool, f"{variants}/{spec}.mlir", f"--dims={dims}",
               f"--schedule={get_schedule(sizes)}", tables=tables)


def count_listed(head, seen, queries, keys):
    """The same of a list: full blocks count whole, but for a last one that is shorter,
    and mixed ones as far as the mask goes."""
    counts = {"empty": 0, "mixed": 0, "full": 0, "pairs_kept": 0}
    for rows, (full, mixed) in zip(queries, head):
        for number, columns in enumerate(keys):
            is_full = number in full and len(columns) == len(keys[0])
            kind = "full" if is_full else "mixed" if number in [*full, *mixed] else "empty"
            counts[kind] += 1
            pairs = seen[np.ix_(rows, columns)]
            counts["pairs_kept"] += {"full": pairs.size, "mixed": pairs.sum(), "empty": 0}[kind]
    return {**counts, "visited": counts["full"] + counts["mixed"], "unmasked": counts["full"]}


def check_lists(tool):
    """A list per head, and the same with numbers that are no blocks, without offsets of
    the last rows, and with one far beyond the entries."""
    n = 100
    block_lists.write("listed")
    tables = {name: np.load(f"listed.{name}.npy") for name in ("offsets", "blocks", "wild")}
    far = tables["offsets"].copy()
    far[:, :, -1] = np.iinfo(np.int32).max
    for name, offsets in [("blocks", tables["offsets"]), ("wild", tables["offsets"]),
                          ("short", tables["offsets"][:, :, :5]), ("far", far)]:
        tables.setdefault(name, tables["blocks"])
        version = run(tool, INPUTS / "block-lists.mlir", "--func=listed",
                      tables={"offsets": offsets, "blocks": tables[name]})
        for head, told in enumerate(version["per_head"]):
            entries = list(tables[name][0, head])
            ends = [*offsets[0, head], *[0] * 9][:9]
            rows = [[entries[ends[2 * r + part]:ends[2 * r + part + 1]] for part in (0, 1)]
                    for r in range(4)]
            expected = count_listed(rows, np.tri(n, dtype=bool), linear(n, 32), linear(n, 16))
            got = {key: told[key] for key in expected}
            assert got == expected, f"list {name}: expected {expected}, got {got}"
        assert len(version["per_head"]) == 2
        print(f"{name} of a list: {len(version['per_head'])} heads agree")


def main(tool, variants):
    for spec, dims, sizes, tables, heads in [*causal(), *documents(), *plane()]:
        version = explain(tool, variants, spec, dims, sizes, tables)
        assert version["batches"] * version["heads"] == len(heads), (spec, version)
        for (mask, queries, keys), told in zip(heads, version["per_head"]):
            expected = count(mask, queries, keys)
            got = {key: told[key] for key in expected}
            assert got == expected, f"{spec}: expected {expected}, got {got}"
            if version.get("list") in ("made", "exact ranges"):
                assert told["visited"] == expected["mixed"] + expected["full"], (spec, told)
        print(f"{spec}: {len(heads)} masks agree")
    check_lists(tool)


if __name__ == "__main__":
    main(*sys.argv[1:])
