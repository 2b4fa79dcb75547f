#===- call_shared_object.py - Call a kernel without the compiler -----------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""call_shared_object.py SPEC BUILD OUT.npy: runs the kernel of a spec (q, k, v to
out and lse) on q.npy, k.npy and v.npy, and saves the result."""

import pathlib
import sys

import numpy as np

sys.path.append(str(pathlib.Path(__file__).parents[3] / "bench"))
from compiled_kernel import CompiledKernel


def describe(array):
    strides = [stride // array.itemsize for stride in array.strides]
    return array.ctypes.data, array.shape, strides


spec, build, path = sys.argv[1:]
inputs = [np.load(name + ".npy") for name in "qkv"]
kernel = CompiledKernel(pathlib.Path(spec).read_text(), "f32", build)
for threads in 1, 2:
    out = np.full_like(inputs[0], np.nan)
    lse = np.full(out.shape[:3], np.nan, np.float32)
    kernel.bind([describe(array) for array in inputs + [out, lse]], threads)()
    assert not np.isnan(lse).any()
    if threads == 2:
        assert (out == np.load(path)).all(), "two threads give other numbers than one"
    np.save(path, out)
