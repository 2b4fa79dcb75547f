#===- call_package.py - Run a package through the C interface --------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""call_package.py LIBRARY PACKAGE OUT.npy: runs the kernel of a package (q, k, v to
out and lse) on q.npy, k.npy and v.npy, and prints how long a package takes to load.
"""

import ctypes
import sys
import time

import numpy

LOADS = 50


class Device(ctypes.Structure):
    _fields_ = [("device_type", ctypes.c_int32), ("device_id", ctypes.c_int32)]


class DataType(ctypes.Structure):
    _fields_ = [("code", ctypes.c_uint8), ("bits", ctypes.c_uint8),
                ("lanes", ctypes.c_uint16)]


class Tensor(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("device", Device),
                ("ndim", ctypes.c_int32), ("dtype", DataType),
                ("shape", ctypes.POINTER(ctypes.c_int64)),
                ("strides", ctypes.POINTER(ctypes.c_int64)),
                ("byte_offset", ctypes.c_uint64)]


CPU = Device(1, 0)


def make_tensor(array):
    shape = (ctypes.c_int64 * array.ndim)(*array.shape)
    return Tensor(array.ctypes.data, CPU, array.ndim, DataType(2, 32, 1), shape,
                  None, 0)


def list_tensors(tensors):
    return (ctypes.POINTER(Tensor) * len(tensors))(
        *[ctypes.pointer(tensor) for tensor in tensors])


def check(library, status):
    if status:
        sys.exit(library.attn_last_error().decode())


def load(library, path):
    package, kernel = ctypes.c_void_p(), ctypes.c_void_p()
    check(library, library.attn_package_load_file(path.encode(), ctypes.byref(package)))
    check(library, library.attn_kernel_load(package, None, CPU, ctypes.byref(kernel)))
    library.attn_package_destroy(package)
    return kernel


def run(library, kernel):
    arrays = [numpy.load(f"{name}.npy") for name in "qkv"]
    inputs = [make_tensor(array) for array in arrays]
    shape = (ctypes.c_int64 * 4)()
    check(library, library.attn_kernel_result_shape(
        kernel, list_tensors(inputs), ctypes.c_size_t(3), ctypes.c_size_t(0), 4, shape))
    out = numpy.full(tuple(shape), numpy.nan, numpy.float32)
    lse = numpy.full(tuple(shape)[:3], numpy.nan, numpy.float32)
    size = ctypes.c_size_t()
    check(library, library.attn_kernel_workspace_size(
        kernel, list_tensors(inputs), ctypes.c_size_t(3), ctypes.byref(size)))
    assert size.value == 0
    outputs = [make_tensor(out), make_tensor(lse)]
    check(library, library.attn_kernel_launch(
        kernel, list_tensors(inputs), ctypes.c_size_t(3), list_tensors(outputs),
        ctypes.c_size_t(2), None, ctypes.c_size_t(0), None, None))
    assert not numpy.isnan(lse).any()
    return out


def measure(library, path):
    """The first and the median time of a load from file to callable, in ms."""
    times = []
    for _ in range(LOADS):
        start = time.perf_counter()
        kernel = load(library, path)
        times.append(1e3 * (time.perf_counter() - start))
        library.attn_kernel_destroy(kernel)
    return times[0], sorted(times)[LOADS // 2]


def main():
    library_path, package, out = sys.argv[1:]
    library = ctypes.CDLL(library_path)
    library.attn_last_error.restype = ctypes.c_char_p
    for function in (library.attn_package_destroy, library.attn_kernel_destroy):
        function.argtypes = [ctypes.c_void_p]
        function.restype = None
    first, median = measure(library, package)
    numpy.save(out, run(library, load(library, package)))
    print(f"load: first {first:.2f} ms, median {median:.2f} ms")
    if median >= 2:
        sys.exit(f"loading must take less than 2 ms, got {median:.2f} ms")


if __name__ == "__main__":
    main()
