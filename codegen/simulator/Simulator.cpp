//===- Simulator.cpp - Run GPU kernels on this machine, and watch ---------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/simulator/Simulator.h"
#include "codegen/cpu/HostFeatures.h"
#include "codegen/simulator/Machine.h"
#include "codegen/simulator/Passes.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Interfaces/DataLayoutInterfaces.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "runtime/compiler/ObjectCache.h"
#include "runtime/compiler/SharedObject.h"
#include "llvm/Support/FormatVariadic.h"
#include <deque>
#include <thread>

using namespace attn;
using namespace attn::sim;
using llvm::Error;
using llvm::Expected;

/// Shared memory of the largest device, for one block.
static constexpr int64_t kMostSharedBytes = 227 << 10;
static constexpr int64_t kMostThreads = 1024;
static constexpr unsigned kMostWorkers = 256;
/// Blocks that a worker may have started and not ended.
static constexpr size_t kMostResident = 64;

//===----------------------------------------------------------------------===//
// Load
//===----------------------------------------------------------------------===//

SimulatedModule::~SimulatedModule() = default;

/// Runs the pass; its complaint becomes the error.
static Error simulateDevice(mlir::ModuleOp module) {
  std::string complaint;
  mlir::ScopedDiagnosticHandler handler(
      module.getContext(), [&](mlir::Diagnostic &diagnostic) {
        if (complaint.empty() &&
            diagnostic.getSeverity() == mlir::DiagnosticSeverity::Error)
          complaint =
              printLocation(diagnostic.getLocation()) + ": " + diagnostic.str();
        return mlir::success();
      });
  mlir::PassManager manager(module.getContext());
  manager.addPass(createSimulateDevice());
  if (mlir::failed(manager.run(module)))
    return llvm::createStringError(complaint);
  return Error::success();
}

static std::optional<Dim3> getDim3(mlir::Operation *op, llvm::StringRef name) {
  auto sizes = op->getAttrOfType<mlir::DenseI32ArrayAttr>(name);
  if (!sizes)
    return std::nullopt;
  return Dim3{sizes[0], sizes[1], sizes[2]};
}

/// Reads what the pass has left in attributes.
Error SimulatedModule::readModule(mlir::ModuleOp module) {
  Expected<std::vector<Site>> found = collectSites(module);
  if (!found)
    return found.takeError();
  sites = std::move(*found);
  if (sites.size() > UINT16_MAX)
    return llvm::createStringError("the program has too many ops that touch "
                                   "memory: " +
                                   llvm::Twine(sites.size()));
  mlir::DataLayout layout(module);
  auto ranges =
      module->getAttrOfType<mlir::DenseI64ArrayAttr>(kSharedRangesAttr);
  auto dynamic = module->getAttrOfType<mlir::IntegerAttr>(kSharedDynamicAttr);
  auto names = module->getAttrOfType<mlir::ArrayAttr>(kSharedNamesAttr);
  if (!ranges || !names || !dynamic)
    return llvm::createStringError("expected a 'gpu.module', got none");
  for (auto [i, name] :
       llvm::enumerate(names.getAsValueRange<mlir::StringAttr>()))
    shared.variables.push_back({name.str(), ranges[2 * i], ranges[2 * i + 1]});
  shared.dynamicOffset = dynamic.getInt();
  for (auto global : module.getOps<mlir::LLVM::GlobalOp>())
    globals.push_back(
        {global.getName().str(),
         static_cast<int64_t>(layout.getTypeSize(global.getType())),
         global.getConstant()});
  module.walk([&](mlir::LLVM::CallOp call) {
    auto types = call->getAttrOfType<mlir::ArrayAttr>(kKernelTypesAttr);
    if (!types)
      return;
    Kernel kernel;
    for (auto type : types.getAsValueRange<mlir::TypeAttr>())
      kernel.argumentBytes.push_back(
          llvm::isa<mlir::LLVM::LLVMPointerType>(type)
              ? 0
              : layout.getTypeSize(type).getFixedValue());
    kernel.blockSize = getDim3(call, kBlockSizeAttr);
    kernel.largestBlock = getDim3(call, kLargestBlockAttr);
    kernels[*call.getCallee()] = std::move(kernel);
  });
  return Error::success();
}

Error SimulatedModule::compile(mlir::ModuleOp module, CodeEffort effort) {
  Expected<CpuTarget> target = getCpuTarget("");
  if (!target)
    return target.takeError();
  auto object = ObjectCode::create(module, *target, effort);
  if (!object)
    return object.takeError();
  auto bytes = makeSharedObject(**object);
  if (!bytes)
    return bytes.takeError();
  auto loaded = SharedObject::load(*bytes);
  if (!loaded)
    return loaded.takeError();
  code = std::move(*loaded);
  for (auto &[name, kernel] : kernels) {
    auto entry = code->lookup(getEntryName(name));
    if (!entry)
      return entry.takeError();
    kernel.entry = reinterpret_cast<Kernel::Entry>(*entry);
  }
  for (const Global &global : globals) {
    auto address = code->lookup(global.name);
    if (!address)
      return address.takeError();
    globalBuffers.push_back(
        DeviceBuffer::wrap(static_cast<char *>(*address), global.bytes,
                           {global.name, global.isConstant, true}));
  }
  return Error::success();
}

Expected<std::unique_ptr<SimulatedModule>>
SimulatedModule::load(mlir::ModuleOp module, CodeEffort effort) {
  mlir::DialectRegistry registry;
  mlir::registerBuiltinDialectTranslation(registry);
  mlir::registerLLVMDialectTranslation(registry);
  module.getContext()->appendDialectRegistry(registry);
  // Only the device code is needed; the host code around it may be anything.
  mlir::OwningOpRef<mlir::ModuleOp> copy =
      mlir::ModuleOp::create(module.getLoc());
  for (auto device : module.getOps<mlir::gpu::GPUModuleOp>())
    copy->push_back(device->clone());
  std::unique_ptr<SimulatedModule> simulated(new SimulatedModule());
  if (Error error = simulateDevice(*copy))
    return std::move(error);
  if (Error error = simulated->readModule(*copy))
    return std::move(error);
  if (Error error = simulated->compile(*copy, effort))
    return std::move(error);
  return simulated;
}

//===----------------------------------------------------------------------===//
// Checks of a launch
//===----------------------------------------------------------------------===//

static std::string print(const Dim3 &sizes) {
  return llvm::formatv("({0}, {1}, {2})", sizes[0], sizes[1], sizes[2]);
}

static Error checkSizes(const Launch &launch, const Kernel &kernel,
                        const SharedPlan &shared) {
  int64_t threads = 1, blocks = 1;
  for (unsigned axis = 0; axis < 3; ++axis) {
    int64_t size = launch.block[axis], count = launch.grid[axis];
    if (size < 1 || count < 1 || size > kMostThreads || count > INT32_MAX)
      return llvm::createStringError("expected sizes of at least 1, got grid " +
                                     print(launch.grid) + " and block " +
                                     print(launch.block));
    threads *= size;
    blocks *= count;
    if (blocks > INT32_MAX)
      return llvm::createStringError("expected fewer than 2^31 blocks, got " +
                                     print(launch.grid));
  }
  if (threads > kMostThreads)
    return llvm::createStringError("expected at most 1024 threads, got block " +
                                   print(launch.block));
  if (kernel.blockSize && *kernel.blockSize != launch.block)
    return llvm::createStringError("the kernel was made for block " +
                                   print(*kernel.blockSize) + ", got " +
                                   print(launch.block));
  for (unsigned axis = 0; axis < 3; ++axis)
    if (kernel.largestBlock &&
        (*kernel.largestBlock)[axis] < launch.block[axis])
      return llvm::createStringError("the kernel was made for at most block " +
                                     print(*kernel.largestBlock) + ", got " +
                                     print(launch.block));
  int64_t sharedBytes = launch.sharedBytes;
  for (const SharedVariable &variable : shared.variables)
    sharedBytes += variable.bytes;
  if (launch.sharedBytes < 0 || sharedBytes > kMostSharedBytes ||
      shared.dynamicOffset + launch.sharedBytes > kSharedWindow)
    return llvm::createStringError(
        "expected at most " + llvm::Twine(kMostSharedBytes) +
        " bytes of shared memory, got " + llvm::Twine(sharedBytes));
  return Error::success();
}

static Error checkArguments(const Launch &launch, const Kernel &kernel) {
  if (launch.arguments.size() != kernel.argumentBytes.size())
    return llvm::createStringError(
        "the kernel takes " + llvm::Twine(kernel.argumentBytes.size()) +
        " arguments, got " + llvm::Twine(launch.arguments.size()));
  for (auto [index, argument] : llvm::enumerate(launch.arguments)) {
    unsigned expected = kernel.argumentBytes[index];
    if (!expected && !argument.buffer)
      return llvm::createStringError("argument " + llvm::Twine(index) +
                                     " is a pointer, got a scalar");
    if (expected && (argument.buffer || argument.bytes != expected))
      return llvm::createStringError(
          "argument " + llvm::Twine(index) + " is a scalar of " +
          llvm::Twine(expected) + " bytes, got " +
          (argument.buffer ? std::string("a pointer")
                           : std::to_string(argument.bytes) + " bytes"));
  }
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Launch
//===----------------------------------------------------------------------===//

/// Takes blocks from `next` until there are none. A block whose threads only
/// look at memory steps back, so that others can change it.
static bool runBlocks(LaunchState &state, std::atomic<int64_t> &next,
                      Totals &totals) {
  std::vector<std::unique_ptr<Block>> idle;
  std::deque<std::unique_ptr<Block>> resident;
  for (;;) {
    bool isFull = resident.size() >= kMostResident;
    int64_t number = isFull || state.isStopped ? INT64_MAX : next++;
    std::unique_ptr<Block> block;
    if (number < state.getBlockCount()) {
      if (idle.empty())
        idle.push_back(std::make_unique<Block>(state, totals));
      block = std::move(idle.back());
      idle.pop_back();
      if (!block->isUsable())
        return false;
      block->begin(number);
    } else if (!resident.empty() && !state.isStopped) {
      block = std::move(resident.front());
      resident.pop_front();
    } else {
      return true;
    }
    if (block->advance() == Block::Progress::Finished)
      idle.push_back(std::move(block));
    else
      resident.push_back(std::move(block));
  }
}

/// Makes the report of what the workers counted.
static Report makeReport(LaunchState &state, const Totals &totals) {
  Report report;
  report.defects = state.defects.take();
  for (auto [site, counters, buffers] :
       llvm::zip_equal(state.sites, totals.counters, totals.buffers)) {
    if (counters.isZero())
      continue;
    std::vector<std::string> names;
    for (DeviceBuffer *buffer : state.buffers) // In the order of parameters.
      if (llvm::is_contained(buffers, buffer))
        names.push_back(buffer->getTraits().name);
    report.counters.push_back(
        {site.op, site.location, site.loop, std::move(names), counters});
  }
  report.ops = totals.ops;
  report.accesses = totals.accesses;
  report.matrixOps = totals.matrixOps;
  report.blocks = totals.blocks;
  return report;
}

Expected<Report> SimulatedModule::launch(llvm::StringRef name,
                                         const Launch &launch,
                                         const SimulatorOptions &options) {
  auto found = kernels.find(name);
  if (found == kernels.end())
    return llvm::createStringError("there is no kernel '" + name + "'");
  const Kernel &kernel = found->second;
  if (Error error = checkSizes(launch, kernel, shared))
    return std::move(error);
  if (Error error = checkArguments(launch, kernel))
    return std::move(error);
  if (options.workers < 1 || options.workers > kMostWorkers)
    return llvm::createStringError("expected 1 to 256 workers, got " +
                                   llvm::Twine(options.workers));
  LaunchState state{kernel,
                    shared,
                    sites,
                    launch,
                    options,
                    /*buffers=*/{},
                    /*argumentPointers=*/{},
                    blocksRun + 1,
                    Defects(options.mostDefects),
                    /*meetings=*/{}};
  std::vector<uint64_t> values;
  for (const Argument &argument : launch.arguments) {
    values.push_back(argument.buffer
                         ? reinterpret_cast<uint64_t>(argument.buffer->data()) +
                               argument.offset
                         : argument.bits);
    if (argument.buffer && !llvm::is_contained(state.buffers, argument.buffer))
      state.buffers.push_back(argument.buffer);
  }
  for (uint64_t &value : values)
    state.argumentPointers.push_back(&value);
  for (auto &buffer : globalBuffers)
    state.buffers.push_back(buffer.get());

  std::atomic<int64_t> next = 0;
  std::atomic<bool> hasMemory = true;
  std::vector<Totals> totals(options.workers, Totals(sites.size()));
  auto work = [&](unsigned worker) {
    if (!runBlocks(state, next, totals[worker]))
      hasMemory = false;
  };
  std::vector<std::thread> workers;
  for (unsigned i = 1; i < options.workers; ++i)
    workers.emplace_back(work, i);
  work(0);
  for (std::thread &worker : workers)
    worker.join();
  if (!hasMemory)
    return llvm::createStringError("no memory for the threads of a block");
  launched.push_back({state.firstBlock, launch.grid, launch.block});
  blocksRun += state.getBlockCount();
  for (Totals &other : llvm::drop_begin(totals))
    totals[0].merge(other);
  return makeReport(state, totals[0]);
}

std::optional<Place> SimulatedModule::getLastWriter(const DeviceBuffer &buffer,
                                                    int64_t offset) const {
  std::optional<Stamp> stamp = buffer.getLastWrite(offset);
  if (!stamp)
    return std::nullopt;
  auto next = llvm::upper_bound(launched, stamp->block,
                                [](uint32_t block, const Launched &launch) {
                                  return block < launch.firstBlock;
                                });
  if (next == launched.begin())
    return std::nullopt;
  const Launched &launch = *std::prev(next);
  const Site &site = sites[stamp->site];
  return Place{site.op, site.location,
               getPlaceIn(launch.grid, stamp->block - launch.firstBlock),
               getPlaceIn(launch.block, stamp->thread)};
}
