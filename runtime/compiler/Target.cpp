//===- Target.cpp - What code is made for ---------------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/compiler/Target.h"
#include "codegen/cpu/BlockRegisters.h"
#include "codegen/cpu/Pipeline.h"

using namespace mlir;
using namespace attn;
using llvm::Expected;

Expected<Target> attn::parseTarget(StringRef name) {
  StringRef level = name, definition;
  if (StringRef chip = name; chip.consume_front("cuda:")) {
    Expected<NvidiaTarget> device = getNvidiaTarget(chip);
    if (!device)
      return device.takeError();
    return Target{"", CpuTarget(), *device};
  }
  if (name == "reference" || name == "naive") {
    definition = name == "naive" ? "spec" : "f64";
    level = "";
  } else if (!level.consume_front("cpu") ||
             (!level.empty() && !level.consume_front(":"))) {
    return llvm::createStringError("unknown target '" + name +
                                   "': expected cpu, cpu:avx512, cpu:avx2, "
                                   "cpu:baseline, cuda:sm_80, cuda:sm_86, "
                                   "cuda:sm_89, cuda:sm_90, reference or "
                                   "naive");
  }
  Expected<CpuTarget> cpu = getCpuTarget(level);
  if (!cpu)
    return cpu.takeError();
  return Target{definition, *cpu, std::nullopt};
}

SmallVector<Phase> attn::getPhases(const Target &target,
                                   const CompileOptions &options) {
  SmallVector<Phase> phases;
  if (!target.definition.empty()) {
    phases = getReferencePhases(options.dtype, target.definition);
    llvm::append_range(phases, getPlainCpuPhases());
    return phases;
  }
  TileOptions tile;
  tile.dtype = options.dtype;
  tile.schedule = options.schedule;
  if (target.nvidia) {
    tile.selectSchedule = getNvidiaSchedule(*target.nvidia, options.schedule);
    tile.longestFirst = target.nvidia->blocksAtOnce;
    phases = getTilePhases(tile);
    llvm::append_range(phases, getNvidiaPhases(*target.nvidia));
    return phases;
  }
  tile.vectorBits = target.cpu.vectorBits;
  tile.l1Bytes = target.cpu.l1Bytes;
  tile.l2Bytes = target.cpu.l2Bytes;
  tile.rowGroup =
      getStripRows(target.cpu.vectorBits, target.cpu.vectorRegisters);
  tile.countLists = true;
  phases = getTilePhases(tile);
  llvm::append_range(phases, getCpuPhases(target.cpu));
  return phases;
}

Expected<SmallVector<Phase>>
attn::getTargetPhases(const CompileOptions &options, std::string &target) {
  Expected<Target> parsed = parseTarget(options.target);
  if (!parsed)
    return parsed.takeError();
  bool isCpu = !parsed->nvidia && parsed->definition.empty();
  target = isCpu ? "cpu:" + parsed->cpu.name : options.target;
  return getPhases(*parsed, options);
}
