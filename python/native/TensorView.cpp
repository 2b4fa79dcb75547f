//===- TensorView.cpp - Arrays of Python as tensors of DLPack -------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// NumPy's arrays give a Py_buffer, which is quicker than DLPack and also there
// for arrays that must not be written. Arrays of ml_dtypes.bfloat16 have no
// buffer of their own and are viewed as integers of 16 bits. Tensors of PyTorch
// give a capsule of DLPack, through the function in C.
//
//===----------------------------------------------------------------------===//

#include "python/native/TensorView.h"

#include <cstring>

namespace nb = nanobind;
using namespace attn;

/// kDLBool, which older headers of DLPack do not have.
static constexpr uint8_t dlBool = 6;

/// The element type of a buffer; code 255 where it is none that we know.
static DLDataType getDataType(const Py_buffer &buffer) {
  const char *format = buffer.format ? buffer.format : "B";
  if (*format == '@' || *format == '=' || *format == '<')
    ++format;
  auto bits = static_cast<uint8_t>(buffer.itemsize * 8);
  if (std::strlen(format) != 1)
    return {255, bits, 1};
  if (std::strchr("efd", *format))
    return {kDLFloat, bits, 1};
  if (*format == '?')
    return {dlBool, bits, 1};
  if (std::strchr("LQ", *format) && buffer.itemsize == 8)
    return {kDLUInt, bits, 1};
  // Kernels know integers by their size; regions say whether they have a sign.
  // Those of 64 bits have one, so that others would be wrong from 2^63 on.
  if (std::strchr("bBhHiIlLqQ", *format))
    return {kDLInt, bits, 1};
  return {255, bits, 1};
}

/// torch._C._to_dlpack, once the program has imported PyTorch; null before.
static PyObject *getTorchExporter() {
  static PyObject *exporter = nullptr;
  if (exporter)
    return exporter;
  PyObject *torch = PyDict_GetItemString(PyImport_GetModuleDict(), "torch");
  if (!torch)
    return nullptr;
  exporter = nb::object(nb::handle(torch).attr("_C").attr("_to_dlpack"))
                 .release()
                 .ptr();
  return exporter;
}

/// A capsule of DLPack for an object that has no buffer.
static nb::object exportCapsule(nb::handle object) {
  if (nb::getattr(object, "requires_grad", nb::none()).is(nb::bool_(true)))
    nb::module_::import_("attn_mlir._arrays").attr("refuse_gradient")("tensor");
  if (PyObject *exporter = getTorchExporter()) {
    if (PyObject *result = PyObject_CallOneArg(exporter, object.ptr()))
      return nb::steal(result);
    PyErr_Clear();
  }
  return object.attr("__dlpack__")();
}

/// Whether `object` is an array of ml_dtypes.bfloat16.
static bool isBfloat16(nb::handle object) {
  nb::object name =
      nb::getattr(nb::getattr(object, "dtype", nb::none()), "name", nb::none());
  return nb::isinstance<nb::str>(name) &&
         std::strcmp(nb::cast<const char *>(name), "bfloat16") == 0;
}

// The object is whole after the other constructor, so that what throws below
// still releases the buffer.
TensorView::TensorView(nb::handle object) : TensorView() {
  if (PyObject_CheckBuffer(object.ptr()))
    viewBuffer(object);
  else
    viewCapsule(exportCapsule(object));
}

TensorView::~TensorView() {
  if (hasBuffer)
    PyBuffer_Release(&buffer);
}

void TensorView::viewBuffer(nb::handle object) {
  bool isBrain = false;
  if (PyObject_GetBuffer(object.ptr(), &buffer, PyBUF_FULL_RO)) {
    // The error is put aside, as Python is asked.
    nb::python_error error;
    if (!isBfloat16(object)) {
      error.restore();
      throw nb::python_error();
    }
    nb::object bits = object.attr("view")("uint16");
    if (PyObject_GetBuffer(bits.ptr(), &buffer, PyBUF_FULL_RO))
      throw nb::python_error();
    isBrain = true;
  }
  hasBuffer = true;
  if (buffer.ndim > maxRank)
    throw nb::value_error("expected at most 8 dimensions");
  own.data = buffer.buf;
  own.device = {kDLCPU, 0};
  own.ndim = buffer.ndim;
  own.dtype = isBrain ? DLDataType{kDLBfloat, 16, 1} : getDataType(buffer);
  own.shape = reinterpret_cast<int64_t *>(buffer.shape);
  for (int i = 0; i < buffer.ndim; ++i) {
    if (buffer.strides[i] % buffer.itemsize && buffer.shape[i] > 1)
      throw nb::value_error("expected strides of whole elements");
    strides[i] = buffer.strides[i] / buffer.itemsize;
  }
  own.strides = strides;
}

void TensorView::viewCapsule(nb::object givenCapsule) {
  capsule = std::move(givenCapsule);
  // The capsule is not consumed: it frees what it has when it goes away.
  void *managed = PyCapsule_GetPointer(capsule.ptr(), "dltensor");
  if (!managed)
    throw nb::python_error();
  tensor = &static_cast<DLManagedTensor *>(managed)->dl_tensor;
  if (tensor->dtype.code != kDLUInt || tensor->dtype.bits == 64)
    return;
  own = *tensor;
  own.dtype.code = kDLInt;
  tensor = &own;
}
