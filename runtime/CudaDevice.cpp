//===- CudaDevice.cpp - Kernels on NVIDIA GPUs ----------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/CudaDevice.h"
#include "runtime/CudaGpu.h"
#include "runtime/CudaParameters.h"
#include <charconv>
#include <map>
#include <mutex>

using namespace attn;

using Handle = CudaDriver::Handle;

//===----------------------------------------------------------------------===//
// Choice
//===----------------------------------------------------------------------===//

std::optional<int> attn::rateCudaTarget(std::string_view target,
                                        CodeFormat format, int capability) {
  constexpr std::string_view prefix = "cuda:sm_";
  if (!target.starts_with(prefix))
    return std::nullopt;
  target.remove_prefix(prefix.size());
  int made = 0;
  const char *end = target.data() + target.size();
  auto [rest, error] = std::from_chars(target.data(), end, made);
  std::string_view suffix(rest, end - rest);
  if (error != std::errc() || made < 10 || (!suffix.empty() && suffix != "a"))
    return std::nullopt;
  // Code with 'a' uses what other architectures do not have.
  bool isExact = made == capability;
  if (!suffix.empty() && !isExact)
    return std::nullopt;
  if (made > capability)
    return std::nullopt;
  if (format == CodeFormat::Cubin && made / 10 != capability / 10)
    return std::nullopt;
  // Newer first, then the architecture's own, then no work for the driver.
  return made * 4 + (suffix.empty() ? 0 : 2) + (format == CodeFormat::Cubin);
}

Result<Candidate> attn::chooseCudaCode(const CodeChoice &choice, int ordinal) {
  constexpr CodeFormat formats[] = {CodeFormat::Ptx, CodeFormat::Cubin};
  std::vector<Candidate> candidates = choice.find(formats);
  std::string device = "cuda:" + std::to_string(ordinal);
  // A package without any code for GPUs needs no driver to be refused.
  if (candidates.empty())
    return choice.noCodeFor(device);
  Result<CudaGpu> gpu = CudaGpu::open(ordinal);
  if (!gpu)
    return gpu.takeStatus();
  std::optional<int> best;
  Candidate chosen;
  for (const Candidate &candidate : candidates) {
    std::optional<int> rating = rateCudaTarget(
        candidate.section->target, candidate.section->format, gpu->capability);
    if (rating && (!best || *rating > *best)) {
      best = rating;
      chosen = candidate;
    }
  }
  if (best)
    return chosen;
  return choice.noCodeFor(device + " (sm_" + std::to_string(gpu->capability) +
                          ")");
}

//===----------------------------------------------------------------------===//
// Loading
//===----------------------------------------------------------------------===//

namespace {
/// The launches of a program with their functions.
class CudaProgram : public LoadedProgram {
public:
  static Result<std::unique_ptr<LoadedProgram>>
  load(const CudaGpu &gpu, const Candidate &candidate);
  ~CudaProgram() override;

  Status run(const DeviceCall &call) const override;

private:
  CudaProgram(CudaContext context, const LaunchProgram &program)
      : context(std::move(context)), cuda(this->context.getDriver()),
        program(program) {}

  Status loadModule(const std::string &image);
  Status findFunctions();
  Status clearBuffers(const DeviceCall &call) const;
  Status askForShared(Handle function, int64_t bytes) const;
  Status launch(size_t index, const DeviceCall &call) const;
  Result<unsigned> getBlocks(const GridSize &size, unsigned most,
                             const DeviceCall &call) const;

  CudaContext context;
  const CudaDriver &cuda;
  const LaunchProgram &program;
  Handle module = nullptr;
  std::vector<Handle> functions; ///< One per launch.
  mutable std::mutex sharedLock;
  mutable std::map<Handle, int64_t> sharedBytes; ///< What functions may use.
};
} // namespace

Status CudaProgram::loadModule(const std::string &image) {
  // PTX must end with a zero, which std::string has.
  std::vector<char> log(8192);
  int options[] = {CudaDriver::kErrorLogBuffer,
                   CudaDriver::kErrorLogBufferBytes};
  void *values[] = {log.data(), reinterpret_cast<void *>(log.size() - 1)};
  Status status = cuda.check(
      cuda.cuModuleLoadDataEx(&module, image.c_str(), 2, options, values),
      "loading the code of a kernel");
  if (status && log[0])
    return {status.getCode(), status.getMessage() + ": " + log.data()};
  return status;
}

Status CudaProgram::findFunctions() {
  for (const Launch &launch : program.launches) {
    Handle function = nullptr;
    int error =
        cuda.cuModuleGetFunction(&function, module, launch.symbol.c_str());
    if (error == CudaDriver::kErrorNotFound)
      return invalidPackage("the code of the package lacks the function '" +
                            launch.symbol + "'");
    if (Status status = cuda.check(error, "cuModuleGetFunction"))
      return status;
    functions.push_back(function);
  }
  return {};
}

Result<std::unique_ptr<LoadedProgram>>
CudaProgram::load(const CudaGpu &gpu, const Candidate &candidate) {
  Result<CudaContext> context = CudaContext::retain(gpu);
  if (!context)
    return context.takeStatus();
  std::unique_ptr<CudaProgram> loaded(
      new CudaProgram(std::move(*context), *candidate.program));
  auto current = loaded->context.makeCurrent();
  if (!current)
    return current.takeStatus();
  if (Status status = loaded->loadModule(candidate.section->bytes))
    return status;
  if (Status status = loaded->findFunctions())
    return status;
  return std::unique_ptr<LoadedProgram>(std::move(loaded));
}

CudaProgram::~CudaProgram() {
  if (!module)
    return;
  if (auto current = context.makeCurrent())
    cuda.cuModuleUnload(module);
}

Result<std::unique_ptr<LoadedProgram>>
attn::loadCudaProgram(const Candidate &candidate, int ordinal) {
  Result<CudaGpu> gpu = CudaGpu::open(ordinal);
  if (!gpu)
    return gpu.takeStatus();
  return CudaProgram::load(*gpu, candidate);
}

//===----------------------------------------------------------------------===//
// Calls
//===----------------------------------------------------------------------===//

Status CudaProgram::clearBuffers(const DeviceCall &call) const {
  for (size_t i = 0; i < program.workspace.size(); ++i) {
    if (!program.workspace[i].isZeroed || !call.workspace.sizes[i])
      continue;
    auto address = reinterpret_cast<CudaDriver::Address>(
        call.memory + call.workspace.offsets[i]);
    if (Status status =
            cuda.check(cuda.cuMemsetD8Async(address, 0, call.workspace.sizes[i],
                                            call.stream),
                       "cuMemsetD8Async"))
      return status;
  }
  return {};
}

/// The size of a dimension of the grid. One that is on the device is read back,
/// which waits for the stream.
Result<unsigned> CudaProgram::getBlocks(const GridSize &size, unsigned most,
                                        const DeviceCall &call) const {
  Result<int64_t> limit = evaluateWithin(size.size, call, 0, most, "grid size");
  if (!limit)
    return limit.takeStatus();
  if (!size.count)
    return unsigned(*limit);
  uint32_t blocks = 0, buffer = size.count->buffer;
  Result<int64_t> offset =
      evaluateWithin(size.count->offset, call, 0,
                     call.workspace.sizes[buffer] - int64_t(sizeof(blocks)),
                     "offset of a count");
  if (!offset)
    return offset.takeStatus();
  auto address = reinterpret_cast<CudaDriver::Address>(
      call.memory + call.workspace.offsets[buffer] + *offset);
  if (Status status = cuda.check(
          cuda.cuMemcpyDtoHAsync(&blocks, address, sizeof(blocks), call.stream),
          "cuMemcpyDtoHAsync"))
    return status;
  if (Status status = cuda.check(cuda.cuStreamSynchronize(call.stream),
                                 "cuStreamSynchronize"))
    return status;
  if (blocks > *limit)
    return Status(ATTN_DEVICE_ERROR, "a count on the device must be at most " +
                                         std::to_string(*limit) + ", got " +
                                         std::to_string(blocks));
  return blocks;
}

/// Asks for shared memory beyond what every kernel gets. What has been granted
/// is never taken back, as another thread may be about to use it.
Status CudaProgram::askForShared(Handle function, int64_t bytes) const {
  constexpr int64_t defaultBytes = 48 * 1024;
  if (bytes <= defaultBytes)
    return {};
  std::lock_guard<std::mutex> lock(sharedLock);
  int64_t &granted = sharedBytes[function];
  if (bytes <= granted)
    return {};
  if (Status status = cuda.check(
          cuda.cuFuncSetAttribute(function, CudaDriver::kMaxDynamicSharedBytes,
                                  int(bytes)),
          "cuFuncSetAttribute"))
    return status;
  granted = bytes;
  return {};
}

Status CudaProgram::launch(size_t index, const DeviceCall &call) const {
  const Launch &launch = program.launches[index];
  constexpr unsigned mostBlocks[] = {0x7fffffff, 65535, 65535};
  unsigned blocks[3], threads[3];
  for (int i = 0; i < 3; ++i) {
    Result<unsigned> size =
        getBlocks(launch.grid->blocks[i], mostBlocks[i], call);
    if (!size)
      return size.takeStatus();
    Result<int64_t> width =
        evaluateWithin(launch.grid->threads[i], call, 1, 1024, "block size");
    if (!width)
      return width.takeStatus();
    blocks[i] = *size;
    threads[i] = *width;
  }
  // Drivers refuse grids without blocks.
  if (!blocks[0] || !blocks[1] || !blocks[2])
    return {};
  Result<int64_t> shared =
      evaluateWithin(launch.grid->sharedBytes, call, 0,
                     context.getGpu().mostSharedBytes, "shared memory");
  if (!shared)
    return shared.takeStatus();
  CudaParameters parameters(launch.arguments.size());
  for (size_t i = 0; i < launch.arguments.size(); ++i)
    if (Status status = parameters.set(i, launch.arguments[i], call, cuda))
      return status;
  if (Status status = askForShared(functions[index], *shared))
    return status;
  return cuda.check(cuda.cuLaunchKernel(functions[index], blocks[0], blocks[1],
                                        blocks[2], threads[0], threads[1],
                                        threads[2], unsigned(*shared),
                                        call.stream, parameters.get(), nullptr),
                    "cuLaunchKernel");
}

Status CudaProgram::run(const DeviceCall &call) const {
  auto current = context.makeCurrent();
  if (!current)
    return current.takeStatus();
  if (Status status = clearBuffers(call))
    return status;
  for (size_t i = 0; i < program.launches.size(); ++i)
    if (Status status = launch(i, call))
      return std::move(status).within("launch of '" +
                                      program.launches[i].symbol + "': ");
  return {};
}
