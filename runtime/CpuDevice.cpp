//===- CpuDevice.cpp - Kernels on the CPU ---------------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/CpuDevice.h"
#include "runtime/CallEntry.h"
#include "runtime/LoadedCode.h"
#include <cstring>

using namespace attn;

//===----------------------------------------------------------------------===//
// Choice
//===----------------------------------------------------------------------===//

std::string_view attn::getHostTriple() {
#if defined(__x86_64__)
  return "x86_64-linux-gnu";
#elif defined(__aarch64__)
  return "aarch64-linux-gnu";
#else
  return "unknown";
#endif
}

namespace {
/// A level of the instruction set, as in the names of targets.
struct Level {
  std::string_view target;
  bool (*isSupported)();
};
} // namespace

/// From the widest on. The extensions are those that code of a level uses.
static std::span<const Level> getLevels() {
#if defined(__x86_64__)
  static const Level levels[] = {
      {"cpu:avx512",
       [] {
         return __builtin_cpu_supports("avx512f") &&
                __builtin_cpu_supports("avx512bw") &&
                __builtin_cpu_supports("avx512cd") &&
                __builtin_cpu_supports("avx512dq") &&
                __builtin_cpu_supports("avx512vl") &&
                __builtin_cpu_supports("x86-64-v3");
       }},
      {"cpu:avx2", [] { return bool(__builtin_cpu_supports("x86-64-v3")); }},
      {"cpu:baseline", [] { return true; }}};
#else
  static const Level levels[] = {{"cpu:baseline", [] { return true; }}};
#endif
  return levels;
}

Result<Candidate> attn::chooseCpuCode(const CodeChoice &choice) {
  constexpr CodeFormat formats[] = {CodeFormat::SharedObject};
  std::vector<Candidate> candidates = choice.find(formats);
  std::string widest;
  for (const Level &level : getLevels()) {
    if (!level.isSupported())
      continue;
    if (widest.empty())
      widest = level.target;
    for (const Candidate &candidate : candidates)
      if (candidate.section->target == level.target &&
          candidate.section->triple == getHostTriple())
        return candidate;
  }
  return choice.noCodeFor("this CPU, whose widest is " + widest + " (" +
                          std::string(getHostTriple()) + ")");
}

//===----------------------------------------------------------------------===//
// Calls
//===----------------------------------------------------------------------===//

namespace {
class CpuProgram : public LoadedProgram {
public:
  CpuProgram(const LaunchProgram &program, std::unique_ptr<LoadedCode> code,
             std::vector<Entry> entries)
      : program(program), code(std::move(code)), entries(std::move(entries)) {}

  Status run(const DeviceCall &call) const override;

private:
  const LaunchProgram &program;
  std::unique_ptr<LoadedCode> code;
  std::vector<Entry> entries; ///< One per launch.
};
} // namespace

/// Fills with zeros what the program wants so.
static void clearBuffers(const LaunchProgram &program, const DeviceCall &call) {
  for (size_t i = 0; i < program.workspace.size(); ++i)
    if (program.workspace[i].isZeroed && call.workspace.sizes[i])
      std::memset(call.memory + call.workspace.offsets[i], 0,
                  call.workspace.sizes[i]);
}

Status CpuProgram::run(const DeviceCall &call) const {
  clearBuffers(program, call);
  for (size_t i = 0; i < entries.size(); ++i) {
    EntryCall entry;
    for (const LaunchArgument &argument : program.launches[i].arguments) {
      uint32_t index = argument.index;
      if (argument.kind == LaunchArgument::Kind::Tensor)
        entry.add(call.tensors[index]);
      else
        entry.addBytes(call.memory + call.workspace.offsets[index],
                       call.workspace.sizes[index]);
    }
    if (Status status = entry.run(entries[i], call.threads))
      return status;
  }
  return {};
}

Result<std::unique_ptr<LoadedProgram>>
attn::loadCpuProgram(const Candidate &candidate) {
  auto code = LoadedCode::load(candidate.section->bytes);
  if (!code)
    return code.takeStatus();
  std::vector<Entry> entries;
  for (const Launch &launch : candidate.program->launches) {
    Result<void *> symbol = (*code)->lookup(launch.symbol);
    if (!symbol)
      return symbol.takeStatus();
    entries.push_back(reinterpret_cast<Entry>(*symbol));
  }
  return std::unique_ptr<LoadedProgram>(std::make_unique<CpuProgram>(
      *candidate.program, std::move(*code), std::move(entries)));
}
