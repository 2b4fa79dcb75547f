#===- attn_runtime.py - Call libattn from Python --------------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Kernels of packages through the C interface (runtime/attn.h), by ctypes.

Nothing but the standard library and NumPy is needed. Tensors are given as
(address, sizes, strides or None) in memory of the device; memory.py has
some.
"""

import ctypes
from dataclasses import dataclass

OK, DEVICE_ERROR = 0, 6


class RuntimeFailure(Exception):
    """What a function of the runtime, or of the driver, reports."""

    def __init__(self, message, is_fatal=False):
        super().__init__(message)
        self.is_fatal = is_fatal  # The context may be of no use any more.


class Device(ctypes.Structure):
    """DLDevice."""
    _fields_ = [("type", ctypes.c_int32), ("id", ctypes.c_int32)]


CPU, CUDA = Device(1, 0), Device(2, 0)


class DataType(ctypes.Structure):
    """DLDataType."""
    _fields_ = [("code", ctypes.c_uint8), ("bits", ctypes.c_uint8),
                ("lanes", ctypes.c_uint16)]


class Tensor(ctypes.Structure):
    """DLTensor."""
    _fields_ = [("data", ctypes.c_void_p), ("device", Device),
                ("ndim", ctypes.c_int32), ("dtype", DataType),
                ("shape", ctypes.POINTER(ctypes.c_int64)),
                ("strides", ctypes.POINTER(ctypes.c_int64)),
                ("byte_offset", ctypes.c_uint64)]


class PortStruct(ctypes.Structure):
    """attn_port."""
    _fields_ = [("name", ctypes.c_char_p), ("dtype", ctypes.c_char_p),
                ("dlpack_dtype", DataType), ("ndim", ctypes.c_int32),
                ("shape", ctypes.POINTER(ctypes.c_int64)),
                ("dims", ctypes.POINTER(ctypes.c_char_p))]


@dataclass(frozen=True)
class Port:
    """An argument or a result of a kernel."""

    name: str
    dtype: str
    dlpack_dtype: DataType
    ndim: int

    @property
    def item_bytes(self):
        return self.dlpack_dtype.bits // 8


class TensorArray:
    """What the runtime takes as `const DLTensor *const *`."""

    def __init__(self, ports, views, device):
        if len(ports) != len(views):
            raise RuntimeFailure(f"expected {len(ports)} tensors, got {len(views)}")
        self.tensors = [self._make(port, *view, device)
                        for port, view in zip(ports, views)]
        self.pointers = (ctypes.POINTER(Tensor) * len(self.tensors))(
            *[ctypes.pointer(tensor) for tensor in self.tensors])

    @staticmethod
    def _make(port, address, sizes, strides, device):
        numbers = ctypes.c_int64 * len(sizes)
        return Tensor(address, device, len(sizes), port.dlpack_dtype, numbers(*sizes),
                      numbers(*strides) if strides else None, 0)


class Library:
    """libattn, opened from a file."""

    def __init__(self, path):
        library = self.functions = ctypes.CDLL(str(path))
        pointer, size, number = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
        for name, result, arguments in [
                ("attn_last_error", ctypes.c_char_p, []),
                ("attn_package_load_memory", number, [ctypes.c_char_p, size, pointer]),
                ("attn_package_destroy", None, [pointer]),
                ("attn_kernel_load", number, [pointer, ctypes.c_char_p, Device, pointer]),
                ("attn_kernel_destroy", None, [pointer]),
                ("attn_kernel_target", ctypes.c_char_p, [pointer]),
                ("attn_kernel_argument_count", size, [pointer]),
                ("attn_kernel_result_count", size, [pointer]),
                ("attn_kernel_argument", number, [pointer, size, pointer]),
                ("attn_kernel_result", number, [pointer, size, pointer]),
                ("attn_kernel_result_shape", number,
                 [pointer, pointer, size, size, ctypes.c_int32, pointer]),
                ("attn_kernel_workspace_size", number, [pointer, pointer, size, pointer]),
                ("attn_kernel_launch", number,
                 [pointer, pointer, size, pointer, size, pointer, size, pointer, pointer])]:
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments

    def check(self, status):
        if status != OK:
            raise RuntimeFailure(self.functions.attn_last_error().decode(errors="replace"),
                                 status == DEVICE_ERROR)

    def load(self, package, device):
        """The only kernel of a package, which is given as bytes."""
        handle = ctypes.c_void_p()
        self.check(self.functions.attn_package_load_memory(
            package, len(package), ctypes.byref(handle)))
        try:
            return Kernel(self, handle, device)
        finally:
            self.functions.attn_package_destroy(handle)


class Kernel:
    """A kernel that was loaded on a device."""

    def __init__(self, library, package, device):
        self._library, self._device = library, device
        self._functions = library.functions
        self._handle = ctypes.c_void_p()
        library.check(self._functions.attn_kernel_load(
            package, None, device, ctypes.byref(self._handle)))
        self.target = self._functions.attn_kernel_target(self._handle).decode()
        self.arguments = self._get_ports("argument")
        self.results = self._get_ports("result")

    def close(self):
        if self._handle:
            self._functions.attn_kernel_destroy(self._handle)
        self._handle = None

    def _get_ports(self, role):
        count = getattr(self._functions, f"attn_kernel_{role}_count")(self._handle)
        ports = []
        for index in range(count):
            port = PortStruct()
            self._library.check(getattr(self._functions, f"attn_kernel_{role}")(
                self._handle, index, ctypes.byref(port)))
            # A copy: what is in the struct lives as long as the kernel.
            dtype = DataType(port.dlpack_dtype.code, port.dlpack_dtype.bits,
                             port.dlpack_dtype.lanes)
            ports.append(Port(port.name.decode(), port.dtype.decode(), dtype, port.ndim))
        return ports

    def take_arguments(self, views):
        return TensorArray(self.arguments, views, self._device)

    def take_results(self, views):
        return TensorArray(self.results, views, self._device)

    def get_result_shapes(self, arguments):
        shapes = []
        for index, port in enumerate(self.results):
            shape = (ctypes.c_int64 * port.ndim)()
            self._library.check(self._functions.attn_kernel_result_shape(
                self._handle, arguments.pointers, len(self.arguments), index, port.ndim,
                shape))
            shapes.append(tuple(shape))
        return shapes

    def get_workspace_bytes(self, arguments):
        size = ctypes.c_size_t()
        self._library.check(self._functions.attn_kernel_workspace_size(
            self._handle, arguments.pointers, len(self.arguments), ctypes.byref(size)))
        return size.value

    def launch(self, arguments, results, workspace=None, workspace_bytes=0, stream=None):
        self._library.check(self._functions.attn_kernel_launch(
            self._handle, arguments.pointers, len(self.arguments), results.pointers,
            len(self.results), workspace, workspace_bytes, stream, None))
