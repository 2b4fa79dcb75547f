//===- attn_jit.hpp - Compile and call attention from C++ -------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// attn_jit.h and attn.h in C++17: handles that destroy themselves, views of
// tensors, and errors as exceptions of one type. Headers only; programs link
// libattn-jit.so. docs/jit.md has an example.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_ATTN_JIT_HPP
#define ATTN_ATTN_JIT_HPP

#include "attn_jit.h"
#include "attn_spec.hpp"
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace attn {

/// What all functions here throw if a call fails.
class Error : public std::runtime_error {
public:
  Error(attn_status status, const std::string &message)
      : std::runtime_error(std::string(attn_status_name(status)) + ": " +
                           message),
        status(status) {}

  attn_status getStatus() const { return status; }

private:
  attn_status status;
};

/// Throws what the last call of this thread had to say.
inline void check(attn_status status) {
  if (status != ATTN_OK)
    throw Error(status, attn_last_error());
}

/// The element type of a tensor of T.
template <typename T> constexpr DLDataType getDataType() {
  using U = std::remove_const_t<T>;
  static_assert(std::is_arithmetic<U>::value,
                "other types need their DLDataType: Tensor(data, type, shape)");
  // Booleans are 6, which the first versions of DLPack have no name for.
  return {uint8_t(std::is_same<U, bool>::value       ? 6
                  : std::is_floating_point<U>::value ? kDLFloat
                  : std::is_signed<U>::value         ? kDLInt
                                                     : kDLUInt),
          uint8_t(8 * sizeof(U)), 1};
}

/// A view of memory that somebody else owns. Strides count elements; none are
/// row-major.
class Tensor {
public:
  template <typename T>
  Tensor(T *data, std::vector<int64_t> shape, std::vector<int64_t> strides = {},
         DLDevice device = {kDLCPU, 0})
      : Tensor(data, getDataType<T>(), std::move(shape), std::move(strides),
               device) {}

  /// For types that C++ lacks: {kDLBfloat, 16, 1}, {kDLFloat, 16, 1}.
  Tensor(const void *data, DLDataType type, std::vector<int64_t> sizes,
         std::vector<int64_t> steps = {}, DLDevice device = {kDLCPU, 0})
      : shape(std::move(sizes)), strides(std::move(steps)),
        view{const_cast<void *>(data), device, 0, type, nullptr, nullptr, 0} {
    if (!strides.empty() && strides.size() != shape.size())
      throw Error(ATTN_INVALID_ARGUMENT, "strides must be as many as sizes, " +
                                             std::to_string(shape.size()) +
                                             ", got " +
                                             std::to_string(strides.size()));
  }

  /// For the C interface; valid as long as this tensor.
  DLTensor get() const {
    DLTensor tensor = view;
    tensor.ndim = static_cast<int32_t>(shape.size());
    tensor.shape = const_cast<int64_t *>(shape.data());
    tensor.strides =
        strides.empty() ? nullptr : const_cast<int64_t *>(strides.data());
    return tensor;
  }

private:
  std::vector<int64_t> shape, strides;
  DLTensor view;
};

/// Tensors as a call takes them.
class TensorPointers {
public:
  explicit TensorPointers(const std::vector<Tensor> &list) {
    for (const Tensor &tensor : list)
      tensors.push_back(tensor.get());
    for (const DLTensor &tensor : tensors)
      pointers.push_back(&tensor);
  }
  TensorPointers(const TensorPointers &) = delete;

  const DLTensor *const *data() const { return pointers.data(); }
  size_t size() const { return pointers.size(); }

private:
  std::vector<DLTensor> tensors;
  std::vector<const DLTensor *> pointers;
};

/// How to launch.
struct Launch {
  int32_t threads = 0; ///< CPU: 0 means all cores.
  void *stream = nullptr;
  void *workspace = nullptr; ///< Null: allocated for the call, on the CPU only.
  size_t workspaceBytes = 0;
};

/// A kernel that can be called, from several threads at a time.
class Kernel {
public:
  /// Takes over a handle of the C interface.
  explicit Kernel(attn_kernel *kernel) : handle(kernel, attn_kernel_destroy) {}

  attn_kernel *get() const { return handle.get(); }
  std::string getTarget() const { return attn_kernel_target(get()); }
  std::string getSchedule() const { return attn_kernel_schedule(get()); }
  /// "given", "default...", "record ..."; see attn_kernel_schedule_origin().
  std::string getScheduleOrigin() const {
    return attn_kernel_schedule_origin(get());
  }

  /// What is known of arguments and results; valid as long as the kernel.
  std::vector<attn_port> getArguments() const {
    return getPorts(attn_kernel_argument_count(get()), attn_kernel_argument);
  }
  std::vector<attn_port> getResults() const {
    return getPorts(attn_kernel_result_count(get()), attn_kernel_result);
  }

  /// The sizes that a result has for these arguments.
  std::vector<int64_t> getResultShape(const std::vector<Tensor> &arguments,
                                      size_t result = 0) const {
    TensorPointers inputs(arguments);
    attn_port port;
    check(attn_kernel_result(get(), result, &port));
    std::vector<int64_t> shape(port.ndim);
    check(attn_kernel_result_shape(get(), inputs.data(), inputs.size(), result,
                                   port.ndim, shape.data()));
    return shape;
  }

  /// Bytes of memory that a call needs.
  size_t getWorkspaceBytes(const std::vector<Tensor> &arguments) const {
    TensorPointers inputs(arguments);
    size_t bytes = 0;
    check(attn_kernel_workspace_size(get(), inputs.data(), inputs.size(),
                                     &bytes));
    return bytes;
  }

  /// Runs the kernel: reads `arguments`, writes `results`.
  void operator()(const std::vector<Tensor> &arguments,
                  const std::vector<Tensor> &results,
                  const Launch &launch = {}) const {
    TensorPointers inputs(arguments), outputs(results);
    void *workspace = launch.workspace;
    size_t bytes = launch.workspaceBytes;
    std::unique_ptr<char[]> own;
    if (!workspace && isOnCpu(inputs)) {
      check(attn_kernel_workspace_size(get(), inputs.data(), inputs.size(),
                                       &bytes));
      if (bytes) {
        size_t room = bytes + ATTN_WORKSPACE_ALIGNMENT;
        own.reset(new char[room]);
        workspace = own.get();
        std::align(ATTN_WORKSPACE_ALIGNMENT, bytes, workspace, room);
      }
    }
    attn_launch_options options = {sizeof(options), launch.threads};
    check(attn_kernel_launch(get(), inputs.data(), inputs.size(),
                             outputs.data(), outputs.size(), workspace, bytes,
                             launch.stream, &options));
  }

private:
  static bool isOnCpu(const TensorPointers &tensors) {
    return tensors.size() && tensors.data()[0]->device.device_type == kDLCPU;
  }

  std::vector<attn_port>
  getPorts(size_t count, attn_status (*describe)(const attn_kernel *, size_t,
                                                 attn_port *)) const {
    std::vector<attn_port> ports(count);
    for (size_t i = 0; i < count; ++i)
      check(describe(get(), i, &ports[i]));
    return ports;
  }

  std::unique_ptr<attn_kernel, void (*)(attn_kernel *)> handle;
};

/// What to compile for. Empty texts are defaults, as in attn_compile_options.
struct Compile {
  std::string name = "<spec>", function, target, dtype, schedule, dims;
  /// Null: $ATTN_TUNING_DB; empty: none.
  const char *tuningDatabase = nullptr;
};

/// A context: compiles specs, and keeps kernels in memory and in a folder.
class Jit {
public:
  /// Where kernels are kept, and how many bytes of them. Empty and 0: as the
  /// environment says.
  explicit Jit(const std::string &cacheDir = "", int64_t cacheMaxBytes = 0,
               bool disableCache = false)
      : handle(nullptr, attn_jit_destroy) {
    attn_jit_options options = {sizeof(options),
                                cacheDir.empty() ? nullptr : cacheDir.c_str(),
                                disableCache ? 1 : 0, cacheMaxBytes};
    attn_jit *made = nullptr;
    check(attn_jit_create(&options, &made));
    handle.reset(made);
  }

  /// The kernel of a spec on a device.
  Kernel compile(const std::string &text, const Compile &how = {},
                 DLDevice device = {kDLCPU, 0}) const {
    auto orNull = [](const std::string &given) {
      return given.empty() ? nullptr : given.c_str();
    };
    attn_compile_options options = {sizeof(options),      how.name.c_str(),
                                    orNull(how.function), orNull(how.target),
                                    orNull(how.dtype),    orNull(how.schedule),
                                    how.tuningDatabase,   orNull(how.dims)};
    attn_kernel *kernel = nullptr;
    check(attn_jit_compile(handle.get(), text.data(), text.size(), device,
                           &options, &kernel));
    return Kernel(kernel);
  }

  attn_jit_counters getCounters() const {
    attn_jit_counters counters = {};
    counters.struct_size = sizeof(counters);
    check(attn_jit_get_counters(handle.get(), &counters));
    return counters;
  }

  /// What was resolved, as JSON.
  std::string getConfig() const { return attn_jit_config(handle.get()); }

  attn_jit *get() const { return handle.get(); }

private:
  std::unique_ptr<attn_jit, void (*)(attn_jit *)> handle;
};

} // namespace attn

#endif // ATTN_ATTN_JIT_HPP
