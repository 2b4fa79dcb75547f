#===- segments_bounds.py - Offsets of any kind touch nothing else ----------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""segments_bounds.py SPEC BUILD: calls the kernel of gla-packed.mlir with offsets
that decrease, are negative or too large. Around every tensor lies memory that
must not be written; that around arguments is NaN, so that a read of it shows."""

import pathlib
import sys

import numpy as np

sys.path.append(str(pathlib.Path(__file__).parents[3] / "bench"))
from compiled_kernel import CompiledKernel

H, N, D, V, G = 2, 40, 64, 128, 3
MARGIN = 1 << 14  # Elements before and after a tensor.


def guarded(shape, around, contents):
    """A tensor in the middle of a larger one, and the larger one."""
    count = int(np.prod(shape))
    whole = np.full(count + 2 * MARGIN, around, np.float32)
    part = whole[MARGIN:MARGIN + count].reshape(shape)
    part[...] = contents
    return part, whole


def describe(array):
    return (array.ctypes.data, array.shape,
            [stride // array.itemsize for stride in array.strides])


def offsets(generator):
    """Right ones, and ones that are wrong in many ways."""
    yield [0, 10, 10, 40]
    yield from ([0, 30, 10, 40], [40, 30, 20, 10], [0, 41, 5, 39],
                [-5, 60, -1, 100], [2**31 - 1, -2**31, 2**31 - 1, -2**31],
                [39, 40, 41, 42], [-3, -2, -1, 0])
    for _ in range(200):
        yield generator.integers(-80, 120, G + 1)


def main():
    spec, build = sys.argv[1:]
    generator = np.random.default_rng(0)
    kernel = CompiledKernel(pathlib.Path(spec).read_text(), "f32", build)
    shapes = [(1, H, N, D), (1, H, N, D), (1, H, N, V), (1, H, N, D), (G, H, D, V)]
    inputs = [guarded(shape, np.nan, generator.standard_normal(shape))
              for shape in shapes]
    inputs[3][0][...] = -np.abs(inputs[3][0])
    results = [guarded(shape, 7, 0) for shape in ((1, H, N, V), (G, H, D, V))]
    c = np.zeros(G + 1, np.int32)
    run = kernel.bind([describe(part) for part, _ in inputs] + [describe(c)]
                      + [describe(part) for part, _ in results], 1)
    count = 0
    for c[:] in offsets(generator):
        run()
        for part, whole in results:
            outside = np.concatenate([whole[:MARGIN], whole[-MARGIN:]])
            assert (outside == 7).all(), f"{c}: written outside"
            assert np.isfinite(part).all(), f"{c}: read outside"
        if count == 0:
            assert results[0][0].all(axis=-1).all(), "expected rows of all tokens"
        count += 1
    print(f"{count} lists of offsets")


main()
