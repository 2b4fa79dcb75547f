//===- Simulator.h - Run GPU kernels on this machine, and watch -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Executes the device code of a `gpu.module` thread by thread. What it finds
// and what it cannot find is told in docs/simulator.md.
//
//   auto x = DeviceBuffer::create(4 * n, {"x"});
//   auto module = SimulatedModule::load(mlirModule);
//   Launch launch;
//   launch.grid = {blocks, 1, 1};
//   launch.block = {128, 1, 1};
//   launch.arguments = {Argument::pointer(**x), Argument::scalar<int32_t>(n)};
//   Expected<Report> report = (*module)->launch("kernel", launch, options);
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_SIMULATOR_SIMULATOR_H
#define ATTN_CODEGEN_SIMULATOR_SIMULATOR_H

#include "codegen/cpu/ObjectCode.h"
#include "codegen/simulator/DeviceMemory.h"
#include "codegen/simulator/Report.h"
#include "codegen/simulator/Sites.h"
#include "llvm/ADT/StringMap.h"
#include <cstring>

namespace attn {
class SharedObject;
} // namespace attn

namespace attn::sim {

/// An argument of a kernel.
struct Argument {
  DeviceBuffer *buffer = nullptr; ///< Null for a scalar.
  int64_t offset = 0;             ///< In bytes, of a pointer into `buffer`.
  uint64_t bits = 0;              ///< Of a scalar.
  unsigned bytes = 0;             ///< Size of a scalar.

  static Argument pointer(DeviceBuffer &buffer, int64_t offset = 0) {
    return {&buffer, offset, 0, 0};
  }
  template <typename T> static Argument scalar(T value) {
    Argument argument{nullptr, 0, 0, sizeof(T)};
    std::memcpy(&argument.bits, &value, sizeof(T));
    return argument;
  }
};

struct Launch {
  Dim3 grid = {1, 1, 1};
  Dim3 block = {1, 1, 1};
  /// Bytes of dynamic shared memory.
  int64_t sharedBytes = 0;
  std::vector<Argument> arguments;
};

/// When an asynchronous copy takes effect: as early or as late as it may.
enum class CopyOrder { AtIssue, AtWait };

/// In which order threads get their turns.
enum class ThreadOrder { Forward, Reverse, Random };

struct SimulatorOptions {
  bool checkRaces = true;
  bool checkUninitialized = true;
  bool count = true;
  CopyOrder copyOrder = CopyOrder::AtIssue;
  ThreadOrder threadOrder = ThreadOrder::Forward;
  uint64_t seed = 0;    ///< Of the random order.
  unsigned workers = 1; ///< Processors that run blocks.
  /// Ops after which a thread is taken to run for ever.
  int64_t mostOps = int64_t(1) << 32;
  /// Different defects to report; more are only counted with these.
  unsigned mostDefects = 20;
};

/// A kernel, as far as callers have to know it.
struct Kernel {
  using Entry = void (*)(void *thread, void **arguments);

  Entry entry = nullptr;
  /// Bytes of each scalar argument; 0 for a pointer.
  std::vector<unsigned> argumentBytes;
  std::optional<Dim3> blockSize, largestBlock;
};

/// A variable in shared memory.
struct SharedVariable {
  std::string name;
  int64_t offset, bytes;
};

/// The variables of a module in shared memory, and where the part starts whose
/// size a launch decides.
struct SharedPlan {
  std::vector<SharedVariable> variables;
  int64_t dynamicOffset = 0;
};

/// Device code that was made executable here.
class SimulatedModule {
public:
  /// Compiles the `gpu.module`s in `module`, which stays as it is. The error
  /// names the op that cannot be simulated and its location.
  static llvm::Expected<std::unique_ptr<SimulatedModule>>
  load(mlir::ModuleOp module, CodeEffort effort = CodeEffort::Full);
  ~SimulatedModule();

  /// Runs a kernel to its end, or to where it cannot go on. Defects are part of
  /// the report; an error says that the launch itself was not possible.
  llvm::Expected<Report> launch(llvm::StringRef kernel, const Launch &launch,
                                const SimulatorOptions &options = {});

  /// The op that wrote the byte at `offset` of `buffer` last, in launches of
  /// this module that looked for races.
  std::optional<Place> getLastWriter(const DeviceBuffer &buffer,
                                     int64_t offset) const;

private:
  SimulatedModule() = default;
  llvm::Error readModule(mlir::ModuleOp module);
  llvm::Error compile(mlir::ModuleOp module, CodeEffort effort);

  std::unique_ptr<SharedObject> code;
  std::vector<Site> sites;
  llvm::StringMap<Kernel> kernels;
  SharedPlan shared;
  /// Constants and variables of the program in global memory.
  struct Global {
    std::string name;
    int64_t bytes;
    bool isConstant;
  };
  std::vector<Global> globals;
  std::vector<std::unique_ptr<DeviceBuffer>> globalBuffers;
  /// Blocks that have run in any launch; they are numbered through.
  /// Launches so far, with the numbers of their first blocks.
  struct Launched {
    uint32_t firstBlock;
    Dim3 grid, block;
  };
  std::vector<Launched> launched;
  uint32_t blocksRun = 0;
};

} // namespace attn::sim

#endif // ATTN_CODEGEN_SIMULATOR_SIMULATOR_H
