//===- CpuKernel.cpp - A kernel that was loaded into the process ----------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/compiler/CpuKernel.h"
#include "codegen/cpu/Entries.h"
#include "runtime/compiler/CallChecks.h"

using namespace attn;
using llvm::ArrayRef;
using llvm::Error;

/// More threads than any machine has are a mistake.
static constexpr int kMostThreads = 4096;

llvm::Expected<std::unique_ptr<CpuKernel>>
CpuKernel::load(llvm::StringRef bytes, Signature signature,
                std::string schedule) {
  std::unique_ptr<CpuKernel> kernel(new CpuKernel());
  auto code = SharedObject::load(bytes);
  if (!code)
    return code.takeError();
  auto entry = (*code)->lookup(kEntryPrefix.str() + signature.function);
  if (!entry)
    return entry.takeError();
  kernel->code = std::move(*code);
  kernel->entry = reinterpret_cast<Entry>(*entry);
  kernel->signature = std::move(signature);
  kernel->chosenSchedule = std::move(schedule);
  return kernel;
}

/// The words of a memref descriptor: two pointers, offset, sizes, strides.
static std::vector<int64_t> makeDescriptor(const Buffer &buffer) {
  int64_t address = reinterpret_cast<int64_t>(buffer.data);
  std::vector<int64_t> words = {address, address, 0};
  words.insert(words.end(), buffer.sizes.begin(), buffer.sizes.end());
  words.insert(words.end(), buffer.strides.begin(), buffer.strides.end());
  return words;
}

llvm::Expected<std::vector<llvm::SmallVector<int64_t, 4>>>
CpuKernel::resultSizes(ArrayRef<Buffer> arguments) const {
  if (Error error = checkArguments(signature, arguments))
    return std::move(error);
  return getResultSizes(signature, arguments);
}

Error CpuKernel::launch(ArrayRef<Buffer> arguments, ArrayRef<Buffer> results,
                        const LaunchOptions &options) const {
  if (options.threads < 0 || options.threads > kMostThreads)
    return llvm::createStringError("threads must be between 0 and " +
                                   llvm::Twine(kMostThreads) + ", got " +
                                   llvm::Twine(options.threads));
  if (Error error = checkArguments(signature, arguments))
    return error;
  if (Error error = checkResults(signature, arguments, results))
    return error;
  std::vector<std::vector<int64_t>> descriptors(arguments.size() +
                                                results.size());
  for (auto [layout, buffer] :
       llvm::zip_equal(signature.argumentLayouts, arguments))
    descriptors[layout.position] = makeDescriptor(buffer);
  for (auto [layout, buffer] :
       llvm::zip_equal(signature.resultLayouts, results))
    descriptors[layout.position] = makeDescriptor(buffer);
  std::vector<void *> pointers;
  for (std::vector<int64_t> &descriptor : descriptors)
    pointers.push_back(descriptor.data());
  ParallelHost host(options.threads);
  int32_t status = entry(&host, pointers.data());
  if (host.isOutOfMemory())
    return llvm::createStringError("out of memory for the scratch buffers of "
                                   "blocks");
  if (status)
    return llvm::createStringError("the compiled code returned status " +
                                   llvm::Twine(status));
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Work
//===----------------------------------------------------------------------===//

llvm::Expected<const Kernel *> CpuKernel::getCounter() const {
  std::lock_guard<std::mutex> guard(counterLock);
  if (!counter) {
    auto made = makeCounter();
    if (!made)
      return made.takeError();
    counter = std::move(*made);
  }
  return counter.get();
}

/// The pairs that the mask of each attend op keeps.
llvm::Expected<std::vector<double>>
CpuKernel::countPairs(ArrayRef<Buffer> arguments) const {
  if (llvm::all_of(signature.attends, [](const AttendFacts &facts) {
        return facts.keepsAllPairs;
      }))
    return getAllPairs(signature, arguments);
  auto counter = getCounter();
  if (!counter)
    return counter.takeError();
  std::vector<int64_t> counts(signature.attends.size());
  std::vector<Buffer> results;
  for (int64_t &count : counts)
    results.push_back({&count, ElementType::I64, {1}, {1}});
  if (Error error = (*counter)->launch(arguments, results))
    return std::move(error);
  return std::vector<double>(counts.begin(), counts.end());
}

llvm::Expected<double> CpuKernel::flops(ArrayRef<Buffer> arguments) const {
  if (Error error = checkArguments(signature, arguments))
    return std::move(error);
  auto pairs = countPairs(arguments);
  if (!pairs)
    return pairs.takeError();
  double flops = 0;
  for (auto [facts, count] : llvm::zip_equal(signature.attends, *pairs))
    flops += facts.flopsPerPair * count;
  return flops;
}
