#===- memory.py - Memory and clocks of a device ---------------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Memory, copies and events of an NVIDIA GPU through its driver, by ctypes; and
the same of the CPU, so that everything above can be tried without a GPU.
"""

import ctypes
import os
import time

import numpy as np

from attn_runtime import CPU, CUDA, RuntimeFailure

ALIGNMENT = 256


class CpuDevice:
    """Host memory, behind the functions of CudaDevice."""

    handle = CPU
    name = "cpu"

    def __init__(self):
        self._blocks = {}

    def allocate(self, size):
        block = np.empty(size + ALIGNMENT, np.uint8)
        address = block.ctypes.data + -block.ctypes.data % ALIGNMENT
        self._blocks[address] = block
        return address

    def free(self, address):
        del self._blocks[address]

    def write(self, address, array):
        ctypes.memmove(address, array.ctypes.data, array.nbytes)

    def read(self, address, array):
        ctypes.memmove(array.ctypes.data, address, array.nbytes)

    def fill(self, address, byte, size):
        ctypes.memset(address, byte, size)

    def synchronize(self):
        pass

    def measure(self, call, count):
        """Seconds of one of `count` calls."""
        start = time.perf_counter()
        for index in range(count):
            call(index)
        return (time.perf_counter() - start) / count


class CudaDevice:
    """The first GPU, in its primary context, on the default stream.

    Streams are null: the default stream that all libraries share. The context
    stays current in this thread.
    """

    handle = CUDA

    def __init__(self):
        self._driver = open_driver()
        device, context = ctypes.c_int(), ctypes.c_void_p()
        self._call("cuInit", ctypes.c_uint(0))
        self._call("cuDeviceGet", ctypes.byref(device), ctypes.c_int(0))
        self._call("cuDevicePrimaryCtxRetain", ctypes.byref(context), device)
        self._call("cuCtxPushCurrent_v2", context)
        self._events = None

    def _call(self, name, *arguments):
        error = getattr(self._driver, name)(*arguments)
        if error:
            text = ctypes.c_char_p()
            self._driver.cuGetErrorString(ctypes.c_int(error), ctypes.byref(text))
            words = (text.value or b"unknown").decode()
            raise RuntimeFailure(f"{name} failed: {words} (error {error})", True)

    def allocate(self, size):
        address = ctypes.c_uint64()
        self._call("cuMemAlloc_v2", ctypes.byref(address), ctypes.c_size_t(size))
        return address.value

    def free(self, address):
        self._call("cuMemFree_v2", ctypes.c_uint64(address))

    def write(self, address, array):
        self._call("cuMemcpyHtoDAsync_v2", ctypes.c_uint64(address),
                   ctypes.c_void_p(array.ctypes.data), ctypes.c_size_t(array.nbytes), None)
        self.synchronize()

    def read(self, address, array):
        self._call("cuMemcpyDtoHAsync_v2", ctypes.c_void_p(array.ctypes.data),
                   ctypes.c_uint64(address), ctypes.c_size_t(array.nbytes), None)
        self.synchronize()

    def fill(self, address, byte, size):
        self._call("cuMemsetD8Async", ctypes.c_uint64(address), ctypes.c_ubyte(byte),
                   ctypes.c_size_t(size), None)

    def synchronize(self):
        self._call("cuStreamSynchronize", None)

    def launch(self, ptx, name, blocks, threads, addresses):
        """Runs a kernel of some PTX whose parameters are addresses."""
        module, kernel = ctypes.c_void_p(), ctypes.c_void_p()
        self._call("cuModuleLoadData", ctypes.byref(module), ptx.encode() + b"\0")
        self._call("cuModuleGetFunction", ctypes.byref(kernel), module, name.encode())
        values = [ctypes.c_uint64(address) for address in addresses]
        pointers = (ctypes.c_void_p * len(values))(*map(ctypes.addressof, values))
        grid, block = [[ctypes.c_uint(size), ctypes.c_uint(1), ctypes.c_uint(1)]
                       for size in (blocks, threads)]
        self._call("cuLaunchKernel", kernel, *grid, *block, ctypes.c_uint(0), None,
                   pointers, None)
        self.synchronize()
        self._call("cuModuleUnload", module)

    def measure(self, call, count):
        """Seconds of one of `count` calls, between two events."""
        if self._events is None:
            self._events = [ctypes.c_void_p(), ctypes.c_void_p()]
            for event in self._events:
                self._call("cuEventCreate", ctypes.byref(event), ctypes.c_uint(0))
        first, last = self._events
        self._call("cuEventRecord", first, None)
        for index in range(count):
            call(index)
        self._call("cuEventRecord", last, None)
        self._call("cuEventSynchronize", last)
        milliseconds = ctypes.c_float()
        self._call("cuEventElapsedTime", ctypes.byref(milliseconds), first, last)
        return milliseconds.value / 1e3 / count


def open_driver():
    path = os.environ.get("ATTN_CUDA_DRIVER") or "libcuda.so.1"
    try:
        return ctypes.CDLL(path)
    except OSError as error:
        raise RuntimeFailure(f"no CUDA driver: {error}", True) from None


def describe_gpu():
    """Name, capability and driver of the first GPU; no context is made."""
    driver, device, value = open_driver(), ctypes.c_int(), ctypes.c_int()
    if driver.cuInit(0) or driver.cuDeviceGet(ctypes.byref(device), 0):
        return {"name": "no GPU"}
    name, capability = ctypes.create_string_buffer(256), []
    if hasattr(driver, "cuDeviceGetName"):
        driver.cuDeviceGetName(name, 256, device)
    for attribute in (75, 76):  # Major and minor number.
        driver.cuDeviceGetAttribute(ctypes.byref(value), attribute, device)
        capability.append(str(value.value))
    if hasattr(driver, "cuDriverGetVersion"):
        driver.cuDriverGetVersion(ctypes.byref(value))
        version = f"CUDA {value.value // 1000}.{value.value % 1000 // 10}"
    else:
        version = "unknown"
    return {"name": name.value.decode() or "unknown", "driver": version,
            "capability": ".".join(capability)}


def open_device(name):
    return CpuDevice() if name == "cpu" else CudaDevice()
