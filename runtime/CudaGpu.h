//===- CudaGpu.h - A GPU and its context ------------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_CUDAGPU_H
#define ATTN_RUNTIME_CUDAGPU_H

#include "runtime/CudaDriver.h"

namespace attn {

/// A GPU of this machine, and what code must know of it.
struct CudaGpu {
  const CudaDriver *driver = nullptr;
  CudaDriver::Device device = 0;
  int ordinal = 0;
  int capability = 0;      ///< 90 for 9.0.
  int mostSharedBytes = 0; ///< Shared memory that a block may ask for.

  /// Opens the driver and looks for a GPU. The error tells which of both is
  /// missing.
  static Result<CudaGpu> open(int ordinal);
};

/// The primary context of a GPU, which is kept while this lives.
class CudaContext {
public:
  static Result<CudaContext> retain(const CudaGpu &gpu);
  CudaContext(CudaContext &&other) : gpu(other.gpu), context(other.context) {
    other.context = nullptr;
  }
  ~CudaContext();

  const CudaGpu &getGpu() const { return gpu; }
  const CudaDriver &getDriver() const { return *gpu.driver; }

  /// Makes the context that of this thread while it lives.
  class Current {
  public:
    Current(Current &&other) : driver(other.driver) { other.driver = nullptr; }
    ~Current();

  private:
    friend class CudaContext;
    explicit Current(const CudaDriver &driver) : driver(&driver) {}

    const CudaDriver *driver;
  };
  Result<Current> makeCurrent() const;

private:
  CudaContext(const CudaGpu &gpu, CudaDriver::Handle context)
      : gpu(gpu), context(context) {}

  CudaGpu gpu;
  CudaDriver::Handle context;
};

} // namespace attn

#endif // ATTN_RUNTIME_CUDAGPU_H
