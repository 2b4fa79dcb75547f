//===- GpuCall.h - A call with its tensors on a GPU -------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Copies arguments and results to the memory of a GPU once, so that calls can
// be repeated and timed without the copies.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TOOLS_ATTN_RUN_GPUCALL_H
#define ATTN_TOOLS_ATTN_RUN_GPUCALL_H

#include "runtime/CudaGpu.h"
#include "runtime/LoadedKernel.h"
#include "runtime/compiler/Compiler.h"
#include <deque>

namespace attn {

/// Buffers as tensors of DLPack.
class TensorArguments {
public:
  TensorArguments(llvm::ArrayRef<Buffer> buffers, DLDevice device);

  /// Makes tensor number `index` point to other memory.
  void setData(size_t index, void *data) { tensors[index].data = data; }
  LoadedKernel::Tensors get() const { return pointers; }

private:
  std::vector<DLTensor> tensors;
  std::vector<const DLTensor *> pointers;
};

/// Memory of a GPU.
class GpuMemory {
public:
  GpuMemory(const CudaContext &context) : context(context) {}
  GpuMemory(const GpuMemory &) = delete;
  ~GpuMemory();

  /// Allocates; no bytes have the null address.
  Status allocate(int64_t bytes);
  /// Both queue on the default stream. The context is current.
  Status copyFrom(const void *host) const;
  Status copyTo(void *host) const;

  void *get() const { return reinterpret_cast<void *>(address); }
  int64_t getNumBytes() const { return bytes; }

private:
  const CudaContext &context;
  CudaDriver::Address address = 0;
  int64_t bytes = 0;
};

/// One call of a kernel that is loaded on a GPU.
class GpuCall {
public:
  /// Copies everything to the GPU. The buffers must outlive the call.
  static llvm::Expected<std::unique_ptr<GpuCall>>
  prepare(const LoadedKernel &kernel, llvm::ArrayRef<Buffer> arguments,
          llvm::ArrayRef<Buffer> results);

  /// Launches the kernel and waits until it is done.
  llvm::Error run();

  /// Copies the results back.
  llvm::Error fetch();

private:
  GpuCall(const LoadedKernel &kernel, CudaContext context,
          llvm::ArrayRef<Buffer> arguments, llvm::ArrayRef<Buffer> results);

  Status upload(llvm::ArrayRef<Buffer> buffers, TensorArguments &tensors);
  Status prepareMemory(llvm::ArrayRef<Buffer> arguments);
  Status wait();

  const LoadedKernel &kernel;
  CudaContext context;
  llvm::ArrayRef<Buffer> results;
  TensorArguments inputs, outputs;
  std::deque<GpuMemory> memory; ///< Of the arguments, then the results.
  GpuMemory workspace;
};

} // namespace attn

#endif // ATTN_TOOLS_ATTN_RUN_GPUCALL_H
