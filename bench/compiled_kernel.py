#===- compiled_kernel.py - Call compiled kernels from Python ---------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Compiles a spec with attn-compile and calls the kernel in this process.

Arrays are given as (address, sizes, strides in elements), so this serves NumPy
and PyTorch alike. Nothing about them is checked: they must have the element
types of the spec, and be given in its order, the results after the arguments.
"""

import ctypes
import pathlib
import re
import subprocess
import tempfile


class CompiledKernel:
    """One function of a spec, compiled for this machine."""

    def __init__(self, spec, dtype, build, options=()):
        build = pathlib.Path(build)
        name = re.search(r"func\.func @(\w+)", spec)[1]
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "kernel.so"
            subprocess.run([build / "bin" / "attn-compile", "-", f"--dtype={dtype}",
                            "-o", path, *options], input=spec, text=True, check=True)
            self._library = ctypes.CDLL(str(path))
        self._entry = getattr(self._library, "attn_entry_" + name)
        self._call = ctypes.CDLL(str(build / "lib" / "libattn-host.so")).attnCallKernel

    def bind(self, arrays, threads):
        """A function that runs the kernel on these arrays each time it is called."""
        descriptors = [(ctypes.c_int64 * (3 + 2 * len(sizes)))(
            address, address, 0, *sizes, *strides) for address, sizes, strides in arrays]
        pointers = (ctypes.c_void_p * len(descriptors))(
            *(ctypes.addressof(descriptor) for descriptor in descriptors))

        def run(_descriptors=descriptors):  # They live as long as the function.
            status = self._call(self._entry, pointers, threads)
            if status:
                raise RuntimeError(f"the kernel returned status {status}")

        return run
