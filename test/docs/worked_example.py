#===- worked_example.py - The numbers of the 4 x 4 example -----------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Prints and checks the example of docs/rationale/tile.md and merge.md.

  worked_example.py program ROOT   @step and @four of tile.md, with a @main that
                                   runs them on its q, k and v
  worked_example.py check ROOT     compares what @main printed (standard input)
                                   with the numbers on both pages
"""

import ast
import math
import pathlib
import re
import sys

STEPS = [(i, j) for i in (0, 2) for j in (0, 2)]
# Keys 2 and 3 without what came before, for merge.md.
ALONE = (2, 2)
PARTS = "s t p c l a".split()


def fenced(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```", page, re.S | re.M)


def assignments(text):
    """The lines 'name = numbers' of a block, and such parts of a line."""
    found = re.findall(r"\b([a-z]+) = (\[[^=]*\]|-?[0-9.]+|-inf)", text)
    return {name: ast.literal_eval(value.replace("inf", "1e999"))
            for name, value in found}


def inputs(tile_page):
    return next(numbers for numbers in map(assignments, fenced(tile_page, "text"))
                if set(numbers) == {"q", "k", "v"})


#===-----------------------------------------------------------------------===#
# The program
#===-----------------------------------------------------------------------===#

HEAD = """
func.func private @printMemrefF64(tensor<*xf32>) attributes {llvm.emit_c_interface}
func.func private @show1(%x: tensor<2xf32>) {
  %u = tensor.cast %x : tensor<2xf32> to tensor<*xf32>
  call @printMemrefF64(%u) : (tensor<*xf32>) -> ()
  return
}
func.func private @show2(%x: tensor<2x2xf32>) {
  %u = tensor.cast %x : tensor<2x2xf32> to tensor<*xf32>
  call @printMemrefF64(%u) : (tensor<*xf32>) -> ()
  return
}
func.func @main() {
  %t = arith.constant dense<0xFF800000> : tensor<2xf32>
  %l = arith.constant dense<0.0> : tensor<2xf32>
  %a = arith.constant dense<0.0> : tensor<2x2xf32>
"""

FOUR = """
  %out, %lse = call @four(%q, %k, %v) : (tensor<1x1x4x2xf32>, tensor<1x1x4x2xf32>, tensor<1x1x4x2xf32>) -> (tensor<1x1x4x2xf32>, tensor<1x1x4xf32>)
  %uo = tensor.cast %out : tensor<1x1x4x2xf32> to tensor<*xf32>
  call @printMemrefF64(%uo) : (tensor<*xf32>) -> ()
  %ul = tensor.cast %lse : tensor<1x1x4xf32> to tensor<*xf32>
  call @printMemrefF64(%ul) : (tensor<*xf32>) -> ()
  return
}
"""


def constant(name, value, shape):
    value = [[float(x) for x in row] for row in value]
    if shape == "1x1x4x2":
        value = [[value]]
    return f"  %{name} = arith.constant dense<{value}> : tensor<{shape}xf32>\n"


def call_step(name, i, j, old):
    """A call of @step on blocks i and j, continuing the call named `old`."""
    t, l, a = (f"%{old}#{n}" for n in (1, 4, 5)) if old else ("%t", "%l", "%a")
    two, pair = "tensor<2xf32>", "tensor<2x2xf32>"
    text = (f"  %i{name} = arith.constant {i} : index\n"
            f"  %j{name} = arith.constant {j} : index\n"
            f"  %{name}:6 = call @step(%q{i}, %k{j}, %v{j}, %i{name}, %j{name}, {t}, {l}, {a})"
            f" : ({pair}, {pair}, {pair}, index, index, {two}, {two}, {pair})"
            f" -> ({pair}, {two}, {pair}, {two}, {two}, {pair})\n")
    for n, type in enumerate((pair, two, pair, two, two, pair)):
        rank = 1 if type == two else 2
        text += f"  call @show{rank}(%{name}#{n}) : ({type}) -> ()\n"
    return text


def program(tile_page):
    data = inputs(tile_page)
    functions = [text for text in fenced(tile_page, "mlir")
                 if re.search(r"@(step|four)\(", text)]
    main = HEAD
    for name, rows in data.items():
        main += constant(name, rows, "1x1x4x2")
        for first in (0, 2):
            main += constant(f"{name}{first}", rows[first:first + 2], "2x2")
    for i, j in STEPS:
        main += call_step(f"r{i}{j}", i, j, f"r{i}0" if j else None)
    main += call_step("alone", *ALONE, None)
    return "".join(functions) + main + FOUR


#===-----------------------------------------------------------------------===#
# The check
#===-----------------------------------------------------------------------===#


def flat(value):
    if isinstance(value, list):
        return [x for part in value for x in flat(part)]
    return [value]


def printed(output):
    """The numbers of each tensor that was printed."""
    for part in output.split("data =")[1:]:
        data = part.split("Unranked")[0]
        yield [float(x) for x in re.findall(r"-?(?:inf|nan|[0-9.]+(?:e[-+]?\d+)?)", data)]


def expect(what, shown, computed):
    """Fails unless the four digits that are shown are those computed."""
    shown = flat(shown)
    close = len(shown) == len(computed) and all(
        x == y or abs(x - y) <= 0.51e-4 for x, y in zip(shown, computed))
    if not close:
        sys.exit(f"{what}: the page shows {shown}, the definition gives {computed}")


def merge(x, y):
    t = max(x[0], y[0])
    f, g = math.exp(x[0] - t), math.exp(y[0] - t)
    return (t, f * x[1] + g * y[1], [f * p + g * q for p, q in zip(x[2], y[2])])


def check_steps(page, steps):
    blocks = fenced(page, "text")
    for i, j in STEPS:
        title = f"queries {i}-{i + 1}, keys {j}-{j + 1}"
        shown = assignments(next(b for b in blocks if b.startswith(title)))
        for part in PARTS:
            expect(f"tile.md, {title}, {part}", shown[part], steps[i, j][part])


def check_merge(page, first, second, whole):
    block = next(b for b in fenced(page, "text") if b.startswith("query 3"))
    lines = [assignments(line) for line in block.splitlines()[1:]]
    row = [(r["t"][1], r["l"][1], r["a"][2:]) for r in (first, second, whole)]
    for title, shown, computed in zip(("keys 0-1", "keys 2-3", "merged"), lines, row):
        for part, value in zip("tla", computed):
            expect(f"merge.md, {title}, {part}", shown[part], flat(value) if part == "a" else [value])
    for merged in (merge(row[0], row[1]), merge(row[1], row[0])):
        expect("merge.md, formula", flat(list(row[2])), flat(list(merged)))
    identity = (-math.inf, 0, [0, 0])
    expect("merge.md, identity", flat(list(row[0])), flat(list(merge(row[0], identity))))


def check(tile_page, merge_page, output):
    tensors = list(printed(output))
    names = STEPS + ["alone"]
    if len(tensors) != len(names) * len(PARTS) + 2:
        sys.exit(f"expected {len(names) * len(PARTS) + 2} tensors, got {len(tensors)}")
    steps = {name: dict(zip(PARTS, tensors[n * len(PARTS):]))
             for n, name in enumerate(names)}
    check_steps(tile_page, steps)
    result = next(r for r in map(assignments, fenced(tile_page, "text")) if "out" in r)
    expect("tile.md, out", result["out"], tensors[-2])
    expect("tile.md, lse", result["lse"], tensors[-1])
    check_merge(merge_page, steps[2, 0], steps["alone"], steps[2, 2])


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in ("program", "check"):
        sys.exit(__doc__)
    folder = pathlib.Path(sys.argv[2]) / "docs" / "rationale"
    tile_page = (folder / "tile.md").read_text()
    if sys.argv[1] == "program":
        print(program(tile_page))
    else:
        check(tile_page, (folder / "merge.md").read_text(), sys.stdin.read())


if __name__ == "__main__":
    main()
