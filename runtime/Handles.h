//===- Handles.h - What the handles of the C interfaces are -----*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// For the implementations of attn.h and attn_jit.h only.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_HANDLES_H
#define ATTN_RUNTIME_HANDLES_H

#include "runtime/LoadedKernel.h"
#include <cstring>
#include <new>

namespace attn {

/// A kernel that handles share, with the names of its dimensions as C has them.
class SharedKernel {
public:
  explicit SharedKernel(std::unique_ptr<LoadedKernel> loaded)
      : kernel(std::move(loaded)) {
    const Interface &interface = kernel->getKernel().interface;
    collectDims(interface.arguments);
    collectDims(interface.results);
  }

  const LoadedKernel &get() const { return *kernel; }

  /// The names of a tensor's dimensions; results follow the arguments.
  const char *const *getDims(size_t tensor) const {
    return dims[tensor].data();
  }

private:
  void collectDims(const std::vector<Port> &ports) {
    for (const Port &port : ports) {
      std::vector<const char *> &names = dims.emplace_back();
      for (const std::string &dim : port.dims)
        names.push_back(dim.c_str());
    }
  }

  std::unique_ptr<LoadedKernel> kernel;
  std::vector<std::vector<const char *>> dims;
};

/// The message of the last error of this thread.
std::string &getLastError();

/// Runs `body`, which returns a Status, and keeps its message. No exception
/// leaves: what throws is memory that runs out.
template <typename Body> attn_status report(Body &&body) {
  try {
    Status status = body();
    if (status)
      getLastError() = status.getMessage();
    return status.getCode();
  } catch (const std::bad_alloc &) {
    // This text is short enough to need no memory.
    getLastError() = "out of memory";
    return ATTN_OUT_OF_MEMORY;
  }
}

inline Status checkNotNull(const void *pointer, const char *name) {
  if (pointer)
    return {};
  return invalidArgument(std::string(name) + " must not be null");
}

/// Checks the first field of a struct of the caller.
inline Status checkStructSize(size_t expected, size_t given) {
  if (expected == given)
    return {};
  return invalidArgument("struct_size must be " + std::to_string(expected) +
                         ", got " + std::to_string(given));
}

/// Copies a struct of the caller, which may be null or have the size of an
/// earlier version; fields that it lacks stay zero.
template <typename Struct>
Status copyStruct(const Struct *given, size_t earlierSize, Struct &copy) {
  copy = {};
  if (!given)
    return {};
  size_t size = given->struct_size;
  if (size != earlierSize)
    if (Status status = checkStructSize(sizeof(Struct), size))
      return status;
  std::memcpy(&copy, given, size);
  return {};
}

} // namespace attn

struct attn_package {
  std::shared_ptr<const attn::Package> package;
};

struct attn_kernel {
  std::shared_ptr<const attn::SharedKernel> kernel;
  std::string scheduleOrigin = "package"; ///< See attn_jit.h.
};

#endif // ATTN_RUNTIME_HANDLES_H
