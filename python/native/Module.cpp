//===- Module.cpp - The C interfaces for Python
//----------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// `attn_mlir._native`: contexts and kernels of attn_jit.h as objects. What is
// convenient is written in Python; here is what has to be quick, the call.
//
//===----------------------------------------------------------------------===//

#include "python/native/TensorView.h"
#include "runtime/attn_jit.h"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/unique_ptr.h>

#include <chrono>
#include <cstdlib>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace nb = nanobind;
using namespace attn;

/// Throws the Python exception for a status that is not ATTN_OK.
static void check(attn_status status) {
  if (status == ATTN_OK)
    return;
  nb::object make =
      nb::module_::import_("attn_mlir._errors").attr("make_error");
  nb::object error = make(attn_status_name(status), attn_last_error());
  PyErr_SetObject(reinterpret_cast<PyObject *>(Py_TYPE(error.ptr())),
                  error.ptr());
  throw nb::python_error();
}

namespace {

/// Arrays of one call, in their order.
class Tensors {
public:
  void add(nb::handle object) {
    views.emplace_back(object);
    pointers.push_back(views.back().get());
  }
  const DLTensor *const *data() const { return pointers.data(); }
  size_t size() const { return pointers.size(); }

private:
  std::deque<TensorView> views;
  std::vector<const DLTensor *> pointers;
};

/// Memory for what a kernel keeps during a launch, on its device.
class Workspace {
public:
  Workspace(size_t bytes, DLDevice device) : bytes(bytes) {
    if (!bytes)
      return;
    if (device.device_type == kDLCPU)
      allocateOnHost();
    else
      allocateOnDevice(device.device_id);
  }
  ~Workspace() { std::free(onHost); }
  Workspace(const Workspace &) = delete;
  Workspace &operator=(const Workspace &) = delete;

  const size_t bytes;
  void *data = nullptr;

private:
  /// PyTorch's allocator knows until when a stream uses the memory.
  void allocateOnDevice(int index) {
    nb::object torch = nb::module_::import_("torch");
    tensor = torch.attr("empty")(bytes, nb::arg("dtype") = torch.attr("uint8"),
                                 nb::arg("device") =
                                     "cuda:" + std::to_string(index));
    data = reinterpret_cast<void *>(
        nb::cast<uintptr_t>(tensor.attr("data_ptr")()));
  }

  void allocateOnHost() {
    size_t rounded = (bytes + ATTN_WORKSPACE_ALIGNMENT - 1) /
                     ATTN_WORKSPACE_ALIGNMENT * ATTN_WORKSPACE_ALIGNMENT;
    data = onHost = std::aligned_alloc(ATTN_WORKSPACE_ALIGNMENT, rounded);
    if (!data)
      throw std::bad_alloc();
  }

  void *onHost = nullptr;
  nb::object tensor;
};

/// A compiled function on a device.
class Kernel {
public:
  Kernel(attn_kernel *kernel, DLDevice device)
      : kernel(kernel), device(device) {}
  ~Kernel() { attn_kernel_destroy(kernel); }
  Kernel(const Kernel &) = delete;
  Kernel &operator=(const Kernel &) = delete;

  const char *getTarget() const { return attn_kernel_target(kernel); }
  const char *getSchedule() const { return attn_kernel_schedule(kernel); }
  const char *getScheduleOrigin() const {
    return attn_kernel_schedule_origin(kernel);
  }

  nb::list getArguments() const {
    return describePorts(attn_kernel_argument_count(kernel),
                         attn_kernel_argument);
  }
  nb::list getResults() const {
    return describePorts(attn_kernel_result_count(kernel), attn_kernel_result);
  }

  /// Runs the kernel; allocators make arrays of given shapes for the results,
  /// which are returned.
  nb::tuple launch(nb::sequence arrays, nb::tuple allocators, uintptr_t stream,
                   int threads) const {
    Tensors arguments, results;
    for (nb::handle array : arrays)
      arguments.add(array);
    size_t count = allocators.size();
    nb::object made = nb::steal(PyTuple_New(static_cast<Py_ssize_t>(count)));
    for (size_t i = 0; i < count; ++i) {
      nb::object array = allocators[i](getShape(arguments, i));
      results.add(array);
      PyTuple_SET_ITEM(made.ptr(), static_cast<Py_ssize_t>(i),
                       array.release().ptr());
    }
    runOnce(arguments, results, stream, threads);
    return nb::borrow<nb::tuple>(made);
  }

  /// Seconds of a call of attn_kernel_launch(), without Python.
  double measure(nb::sequence arrays, nb::sequence outputs, int threads,
                 int count) const {
    Tensors arguments, results;
    for (nb::handle array : arrays)
      arguments.add(array);
    for (nb::handle array : outputs)
      results.add(array);
    using Clock = std::chrono::steady_clock;
    auto start = Clock::now();
    for (int i = 0; i < count; ++i)
      runOnce(arguments, results, 0, threads);
    return std::chrono::duration<double>(Clock::now() - start).count() / count;
  }

private:
  template <typename Query>
  nb::list describePorts(size_t count, Query query) const {
    nb::list ports;
    for (size_t i = 0; i < count; ++i) {
      attn_port port = {};
      check(query(kernel, i, &port));
      nb::list shape, dims;
      for (int32_t d = 0; d < port.ndim; ++d) {
        shape.append(port.shape[d]);
        dims.append(port.dims[d]);
      }
      ports.append(nb::make_tuple(port.name, port.dtype, nb::tuple(shape),
                                  nb::tuple(dims)));
    }
    return ports;
  }

  nb::object getShape(const Tensors &arguments, size_t result) const {
    attn_port port = {};
    check(attn_kernel_result(kernel, result, &port));
    std::vector<int64_t> sizes(static_cast<size_t>(port.ndim));
    check(attn_kernel_result_shape(kernel, arguments.data(), arguments.size(),
                                   result, port.ndim, sizes.data()));
    nb::object shape = nb::steal(PyTuple_New(port.ndim));
    for (int32_t d = 0; d < port.ndim; ++d)
      PyTuple_SET_ITEM(shape.ptr(), d, PyLong_FromLongLong(sizes[d]));
    return shape;
  }

  void runOnce(const Tensors &arguments, const Tensors &results,
               uintptr_t stream, int threads) const {
    size_t bytes = 0;
    check(attn_kernel_workspace_size(kernel, arguments.data(), arguments.size(),
                                     &bytes));
    Workspace workspace(bytes, device);
    attn_launch_options options = {};
    options.struct_size = sizeof(options);
    options.threads = threads;
    attn_status status = ATTN_OK;
    {
      nb::gil_scoped_release released;
      status = attn_kernel_launch(kernel, arguments.data(), arguments.size(),
                                  results.data(), results.size(),
                                  workspace.data, workspace.bytes,
                                  reinterpret_cast<void *>(stream), &options);
    }
    check(status);
  }

  attn_kernel *kernel;
  DLDevice device;
};

/// A context of the compiler.
class Jit {
public:
  Jit(const std::optional<std::string> &cacheDir, bool disableCache) {
    attn_jit_options options = {};
    options.struct_size = sizeof(options);
    options.cache_dir = cacheDir ? cacheDir->c_str() : nullptr;
    options.disable_cache = disableCache;
    check(attn_jit_create(&options, &jit));
  }
  ~Jit() { attn_jit_destroy(jit); }
  Jit(const Jit &) = delete;
  Jit &operator=(const Jit &) = delete;

  using Text = std::optional<std::string>;

  std::unique_ptr<Kernel> compile(const std::string &text, int deviceType,
                                  int deviceIndex, const Text &name,
                                  const Text &function, const Text &target,
                                  const Text &dtype, const Text &schedule,
                                  const Text &database,
                                  const Text &dims) const {
    attn_compile_options options = {};
    options.struct_size = sizeof(options);
    options.name = getOrNull(name);
    options.function = getOrNull(function);
    options.target = getOrNull(target);
    options.dtype = getOrNull(dtype);
    options.schedule = getOrNull(schedule);
    options.tuning_db = getOrNull(database);
    options.dims = getOrNull(dims);
    DLDevice device = {static_cast<DLDeviceType>(deviceType), deviceIndex};
    attn_kernel *kernel = nullptr;
    attn_status status = ATTN_OK;
    {
      nb::gil_scoped_release released;
      status = attn_jit_compile(jit, text.data(), text.size(), device, &options,
                                &kernel);
    }
    check(status);
    return std::make_unique<Kernel>(kernel, device);
  }

  nb::dict getCounters() const {
    attn_jit_counters counters = {};
    counters.struct_size = sizeof(counters);
    check(attn_jit_get_counters(jit, &counters));
    nb::dict result;
    result["compilations"] = counters.compilations;
    result["memory_hits"] = counters.memory_hits;
    result["disk_hits"] = counters.disk_hits;
    result["rejected_entries"] = counters.rejected_entries;
    result["evicted_entries"] = counters.evicted_entries;
    result["failed_writes"] = counters.failed_writes;
    return result;
  }

  const char *getConfig() const { return attn_jit_config(jit); }

private:
  static const char *getOrNull(const Text &text) {
    return text ? text->c_str() : nullptr;
  }

  attn_jit *jit = nullptr;
};

} // namespace

NB_MODULE(_native, module) {
  module.doc() = "Contexts and kernels of the JIT library.";
  nb::class_<Kernel>(module, "Kernel")
      .def("target", &Kernel::getTarget)
      .def("schedule", &Kernel::getSchedule)
      .def("schedule_origin", &Kernel::getScheduleOrigin)
      .def("arguments", &Kernel::getArguments)
      .def("results", &Kernel::getResults)
      .def("launch", &Kernel::launch, nb::arg("arrays"), nb::arg("allocators"),
           nb::arg("stream"), nb::arg("threads"))
      .def("measure", &Kernel::measure, nb::arg("arrays"), nb::arg("results"),
           nb::arg("threads"), nb::arg("count"));
  nb::class_<Jit>(module, "Jit")
      .def(nb::init<const std::optional<std::string> &, bool>(),
           nb::arg("cache_dir") = nb::none(), nb::arg("disable_cache") = false)
      .def("compile", &Jit::compile, nb::arg("text"), nb::arg("device_type"),
           nb::arg("device_index"), nb::arg("name") = nb::none(),
           nb::arg("function") = nb::none(), nb::arg("target") = nb::none(),
           nb::arg("dtype") = nb::none(), nb::arg("schedule") = nb::none(),
           nb::arg("tuning_db") = nb::none(), nb::arg("dims") = nb::none())
      .def("counters", &Jit::getCounters)
      .def("config", &Jit::getConfig);
}
