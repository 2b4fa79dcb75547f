#===- verify.py - Compare packaged kernels with the oracles ----------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""The worker that runs kernels on a device and compares their results with the
NumPy oracles, with the inputs and tolerances of test/integration/catalogue.py.

  verify.py PACK DEVICE [--dry-run] < cases

Every kernel is launched twice, and the bits must be the same. Memory around all
tensors is watched: results must not reach into it, and what is read there is a
NaN. So is what results and workspace hold before.
"""

import argparse
import functools
import sys
import time

import numpy as np

import paths
from attn_runtime import Library, RuntimeFailure
from memory import open_device
from workers import FatalFailure, serve

import catalogue  # noqa: E402  (paths.py makes it importable.)
from precision import PRECISIONS  # noqa: E402

NUMPY_TYPES = {"f64": np.float64, "f32": np.float32, "f16": np.float16,
               "bf16": np.uint16, "i64": np.int64, "i32": np.int32, "i16": np.int16,
               "i8": np.int8, "i1": np.bool_}
# Bytes that are watched on both sides, and their value: NaN in every type.
GUARD, GUARD_BYTE = 512, 0xff


def encode(array, dtype):
    """The elements as the device has them; they are rounded already."""
    if dtype == "bf16":
        return (np.asarray(array, np.float32).view(np.uint32) >> 16).astype(np.uint16)
    return np.asarray(array, NUMPY_TYPES[dtype])


def decode(array, dtype):
    """The inverse, in the type that files have."""
    if dtype == "bf16":
        return (array.astype(np.uint32) << 16).view(np.float32)
    return array


class GuardedArray:
    """An array on the device with watched memory around it."""

    def __init__(self, device, shape, dtype):
        self._device, self._shape = device, shape
        self._type = np.dtype(NUMPY_TYPES[dtype])
        self._bytes = int(np.prod(shape, dtype=np.int64)) * self._type.itemsize
        self._base = device.allocate(self._bytes + 2 * GUARD)
        self.view = (self._base + GUARD, shape, None)
        self.clear()

    def clear(self):
        self._device.fill(self._base, GUARD_BYTE, self._bytes + 2 * GUARD)

    def write(self, array):
        self._device.write(self._base + GUARD, np.ascontiguousarray(array))

    def read(self, name):
        """The elements; the memory around them must be as it was."""
        image = np.empty(self._bytes + 2 * GUARD, np.uint8)
        self._device.read(self._base, image)
        inner = image[GUARD:GUARD + self._bytes]
        for what, guard in (("before", image[:GUARD]), ("behind", image[-GUARD:])):
            if (guard != GUARD_BYTE).any():
                raise catalogue.Failure(f"'{name}': the memory {what} it was written to")
        return inner.view(self._type).reshape(self._shape)

    def free(self):
        self._device.free(self._base)


class Call:
    """A kernel with arguments, results and workspace on the device."""

    def __init__(self, device, kernel, arguments):
        self._kernel, self._arrays = kernel, []
        self._device = device
        inputs = [self._allocate(arguments[port.name].shape, port.dtype)
                  for port in kernel.arguments]
        for array, port in zip(inputs, kernel.arguments):
            array.write(encode(arguments[port.name], port.dtype))
        self._inputs = kernel.take_arguments([array.view for array in inputs])
        shapes = kernel.get_result_shapes(self._inputs)
        self.results = {port.name: self._allocate(shape, port.dtype)
                        for port, shape in zip(kernel.results, shapes)}
        self._outputs = kernel.take_results([x.view for x in self.results.values()])
        self._size = kernel.get_workspace_bytes(self._inputs)
        self._workspace = self._allocate((self._size,), "i8")

    def _allocate(self, shape, dtype):
        self._arrays.append(GuardedArray(self._device, shape, dtype))
        return self._arrays[-1]

    def launch(self):
        """Runs the kernel; gives the bits of the results by name."""
        for array in (*self.results.values(), self._workspace):
            array.clear()
        self._kernel.launch(self._inputs, self._outputs,
                            self._workspace.view[0] if self._size else None, self._size)
        self._device.synchronize()
        return {name: array.read(name) for name, array in self.results.items()}

    def check_guards(self):
        for index, array in enumerate(self._arrays):
            array.read(f"tensor {index}")

    def free(self):
        for array in self._arrays:
            array.free()


def launch_twice(device, kernel, arguments):
    """The results by name, which must be the same each time."""
    call = Call(device, kernel, arguments)
    try:
        first, second = call.launch(), call.launch()
        call.check_guards()
    finally:
        call.free()
    for name, bits in first.items():
        if bits.tobytes() != second[name].tobytes():
            raise catalogue.Failure(f"'{name}': two launches gave different bits")
    return {port.name: decode(first[port.name], port.dtype) for port in kernel.results}


class Verifier:
    """Runs cases on one device."""

    def __init__(self, pack, device, is_dry):
        self._pack, self._is_dry = pack, is_dry
        self._device = open_device(device)
        self._library = Library(paths.find_library(pack))

    @functools.lru_cache(maxsize=1)
    def _load(self, variant, dtype):
        start = time.perf_counter()
        package = paths.read_package(self._pack, variant, dtype)
        kernel = self._library.load(package, self._device.handle)
        # Kernels with matrix instructions round weights (docs/numerics.md).
        return kernel, b"mma.sync" in package, time.perf_counter() - start

    def run(self, given):
        """The record of one case, which may be nothing but loading a package."""
        if "load" in given:
            self._load(*given["load"])
            return {"passed": True, "words": "loaded"}
        case = catalogue.Case(given["variant"], given["dtype"],
                              tuple(tuple(dim) for dim in given["dims"]))
        record = {"passed": True}
        try:
            kernel, rounds_weights, record["load_s"] = self._load(case.variant, case.dtype)
            record["target"] = kernel.target
            arguments = catalogue.make_arguments(case)
            results = launch_twice(self._device, kernel, arguments)
            record["words"] = ("launched" if self._is_dry else catalogue.compare_with_oracle(
                case, arguments, results, PRECISIONS[case.dtype], rounds_weights))
        except catalogue.Failure as failure:
            record.update(passed=False, words=str(failure))
        except RuntimeFailure as failure:
            if failure.is_fatal:
                raise FatalFailure(str(failure)) from None
            record.update(passed=False, words=str(failure))
        return record


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pack")
    parser.add_argument("device", choices=("cpu", "cuda"))
    parser.add_argument("--dry-run", action="store_true")
    options = parser.parse_args()
    try:
        verifier = Verifier(options.pack, options.device, options.dry_run)
    except (OSError, RuntimeFailure) as failure:
        sys.exit(f"verify.py: error: {failure}")
    return serve(verifier.run)


if __name__ == "__main__":
    sys.exit(main())
