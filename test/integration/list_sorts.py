#===- list_sorts.py - Transposed lists and orders against NumPy ------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Transposes random lists, lists with numbers that are none, empty ones and those
that programs of the catalogue make, once and twice, and sorts their rows by cost;
compares all entries with NumPy."""

import argparse
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

HERE = pathlib.Path(__file__).parent
SPEC = HERE / "Inputs" / "list-sorts.mlir"
COSTS = (4, 5)


def make_list(parts, room):
    """Offsets and blocks of heads, each a list of rows, each two lists."""
    offsets = [[0, *np.cumsum([len(part) for row in head for part in row])] for head in parts]
    blocks = np.full((1, len(parts), room), -7, np.int32)
    for head, rows in enumerate(parts):
        entries = [number for row in rows for part in row for number in part][:room]
        blocks[0, head, :len(entries)] = entries
    return np.array([offsets], np.int32), blocks


def read_parts(offsets, blocks):
    """The rows of each head, as above, entries beyond `blocks` left out."""
    return [[[entries[ends[2 * row + part]:ends[2 * row + part + 1]].tolist()
              for part in (0, 1)] for row in range((len(ends) - 1) // 2)]
            for ends, entries in zip(offsets[0], blocks[0])]


def transpose(parts, columns):
    """What attn.transpose_list is to make of the rows of each head."""
    result = []
    for head in parts:
        rows = [([], []) for _ in range(columns)]
        for number, row in enumerate(head):
            for part in (0, 1):
                for entry in row[part]:
                    if 0 <= entry < columns:
                        rows[entry][part].append(number)
        result.append([list(row) for row in rows])
    return result


def random_rows(random, rows, columns, density, wild=0):
    """Rows of two ascending parts without a common number; some numbers are none."""
    head = []
    for _ in range(rows):
        some = np.flatnonzero(random.random(columns) < density)
        full = random.random(len(some)) < 0.5
        row = [some[full].tolist(), some[~full].tolist()]
        row[1] += [columns, -1, 1 << 30][:wild]
        head.append(row)
    return head


class Runner:
    def __init__(self, options, folder):
        self.options, self.folder = options, pathlib.Path(folder)

    def run(self, function, arguments, results, *extra, **sizes):
        command = [self.options.attn_run, SPEC, f"--func={function}", *extra,
                   "--dims=" + ",".join(f"{name}={size}" for name, size in sizes.items())]
        if self.options.target:
            command += [f"--target={self.options.target}", "--simulate"]
        for name, array in arguments.items():
            np.save(self.folder / f"{name}.npy", array)
            command.append(f"--arg={name}={self.folder / name}.npy")
        command += [f"--save={name}={self.folder / name}.npy" for name in results]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{function} {sizes}: {(done.stdout + done.stderr).strip()}")
        return [np.load(self.folder / f"{name}.npy") for name in results]

    def check(self, name, parts, columns, room=None, **more):
        longest = max(sum(len(part) for row in head for part in row) for head in parts)
        room = longest if room is None else room
        offsets, blocks = make_list(parts, room)
        self.check_list(name, offsets, blocks, columns, **more)

    def check_list(self, name, offsets, blocks, columns, defined=False):
        sizes = dict(B=1, H=offsets.shape[1], E=offsets.shape[2], L=blocks.shape[2], C=columns)
        arguments = {"offsets": offsets, "blocks": blocks}
        results = ["new_offsets", "new_blocks"]
        extra = ["--check", "--check-phases"] if defined else []
        parts = read_parts(offsets, blocks)
        is_whole = all(0 <= entry < columns for head in parts for row in head for part in row
                       for entry in part)
        rows = (offsets.shape[2] - 1) // 2
        expected = transpose(parts, columns)
        compare(f"{name}, once", expected,
                self.run("transpose", arguments, results, *extra, T=2 * columns + 1, **sizes))
        again = transpose(expected, rows)
        if is_whole and again != [[[sorted(p) for p in row] for row in head] for head in parts]:
            sys.exit(f"{name}: the transpose of the transpose is not the list")
        compare(f"{name}, twice", again,
                self.run("twice", arguments, results, **sizes))
        counts = np.diff(offsets[0].astype(np.int64))
        costs = get_costs(counts)
        order, = self.run("order", {"offsets": offsets}, ["order"], *extra, R=rows, B=1,
                          H=sizes["H"], E=sizes["E"])
        if not np.array_equal(order[0], np.argsort(-costs, axis=1, kind="stable")):
            sys.exit(f"{name}: got the order {order[0].tolist()} of {costs.tolist()}")
        entries = sum(len(part) for head in expected for row in head for part in row)
        print(f"{name}: {len(parts)} heads, {rows} x {columns}, {entries} entries, all equal")


    def check_malformed(self, *extra):
        """Offsets that decrease, of which there is no room for all entries, an even
        number of them, and costs beyond i32."""
        room, rows = 40, 30
        offsets = np.array([[[0, room] * rows + [0]]], np.int32)
        blocks = np.ones((1, 1, room), np.int32)
        sizes = dict(B=1, H=1, E=2 * rows + 1, L=room, C=3, T=7)
        results = ["new_offsets", "new_blocks"]
        ends, entries = self.run("transpose", {"offsets": offsets, "blocks": blocks}, results,
                                 *extra, **sizes)
        check_equal("decreasing offsets", ends, [0, 0, 0, room, room, room, room])
        check_equal("decreasing offsets", entries, [0] * room)
        even = np.arange(8, dtype=np.int32)[None, None]
        blocks = np.zeros((1, 1, 6), np.int32)
        sizes.update(E=8, L=6, C=1, T=3)
        ends, entries = self.run("transpose", {"offsets": even, "blocks": blocks}, results,
                                 *extra, **sizes)
        check_equal("even offsets", ends, [0, 3, 6])
        check_equal("even offsets", entries, [0, 1, 2] * 2)
        counts = np.array([0, 0, 550, 0, 0, 600, 10, 0, -600, 0]) * 10**6
        offsets = np.array([[[0, *np.cumsum(counts)]]], np.int32)
        order, = self.run("order", {"offsets": offsets}, ["order"], *extra, R=5, B=1, H=1, E=11)
        check_equal("large costs", order, np.argsort(-get_costs(counts[None]), kind="stable"))
        print("malformed: all equal")


def get_costs(counts):
    """What rows cost, the nearest number of i32."""
    costs = COSTS[0] * counts[:, ::2] + COSTS[1] * counts[:, 1::2]
    limits = np.iinfo(np.int32)
    return np.clip(costs, limits.min, limits.max)


def check_equal(name, got, expected):
    if not np.array_equal(got.ravel(), np.ravel(expected)):
        sys.exit(f"{name}: got {got.ravel().tolist()}, expected {np.ravel(expected).tolist()}")


def compare(name, expected, result):
    offsets, blocks = result
    got = read_parts(offsets, blocks)
    starts = offsets[0, :, 0]
    if got != expected or starts.any():
        for head, rows in enumerate(expected):
            for row, parts in enumerate(rows):
                if got[head][row] != parts:
                    sys.exit(f"{name}: head {head}, row {row}: got {got[head][row]}, "
                             f"expected {parts}")
        sys.exit(f"{name}: got {len(got[0])} rows that begin at {starts}, "
                 f"expected {len(expected[0])} that begin at 0")


def catalogue_lists(options, folder):
    """Lists that programs of the catalogue make."""
    sys.path.insert(0, str(HERE))
    import grid_lists  # noqa: E402
    for variant, schedule, sizes in [("neighborhood-2d", "", (17, 41)),
                                     ("clear", "box_q=4x8,box_k=4x4", (21, 19)),
                                     ("dilated-1d", "", (643,))]:
        offsets, blocks, _, keys = grid_lists.make(options, variant, schedule, sizes,
                                                   pathlib.Path(folder))
        yield variant, offsets, blocks, len(keys)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--attn-run", default="attn-run")
    parser.add_argument("--attn-opt", default="attn-opt")
    parser.add_argument("--variants", type=pathlib.Path, required=True)
    parser.add_argument("--target", help="a device, simulated, and fewer lists")
    options = parser.parse_args()
    random = np.random.default_rng(7)
    with tempfile.TemporaryDirectory() as folder:
        runner = Runner(options, folder)
        densities = (0, 0.02, 0.3, 1)
        runner.check("random", [random_rows(random, 70, 45, density) for density in densities], 45)
        runner.check("wild", [random_rows(random, 9, 5, 0.5, wild) for wild in (0, 1, 3)], 5,
                     room=30)
        runner.check_malformed(*([] if options.target else ["--check", "--check-phases"]))
        if not options.target:
            # All have as many entries, so that all of the result is defined.
            even = [[[[c for c in range(7) if (r + c + h) % 7 in (0, 3)],
                      [(r + h + 2) % 7]] for r in range(5)] for h in range(3)]
            runner.check("defined", even, 7, defined=True)
            runner.check("no rows", [[], []], 4, room=2)
            runner.check("no columns", [[[[], []]] * 3], 0, room=2)
            runner.check("no room", [[[[], []]] * 3], 4, room=0)
        if not options.target:
            for name, offsets, blocks, columns in catalogue_lists(options, folder):
                runner.check_list(name, offsets, blocks, columns)


if __name__ == "__main__":
    main()
