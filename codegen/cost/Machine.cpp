//===- Machine.cpp - What a machine can do --------------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// GPUs: dense peaks without sparsity and boost clocks of the data sheets,
// divided by the number of multiprocessors. Shared memory gives 128 bytes per
// cycle, special functions 16 results per cycle; of each exponential the f32
// units have about four more operations to do, which is left to overlap.
//
//===----------------------------------------------------------------------===//

#include "codegen/cost/Machine.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/TargetParser/Host.h"
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <thread>

using namespace attn;
using llvm::ArrayRef;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;
namespace json = llvm::json;

ArrayRef<Machine> attn::getKnownMachines() {
  static const Machine machines[] = {
      // name, target, measured, units, 16, 32, 64, exp, shared, cache, memory,
      // l1, l2, l3, start
      {"x86-64 core with 512 bits at 3.5 GHz", "cpu", false, 1, 115, 115, 57,
       3.5, 90, 30, 20, 32 << 10, 1 << 20, 32 << 20, 2},
      {"NVIDIA A100", "cuda:sm_80", false, 108, 2889, 180, 90, 22.6, 180, 40,
       1555, 163 << 10, 40 << 20, 0, 5},
      {"NVIDIA RTX 3090", "cuda:sm_86", false, 82, 868, 434, 7, 27.1, 217, 30,
       936, 99 << 10, 6 << 20, 0, 5},
      {"NVIDIA RTX 4090", "cuda:sm_89", false, 128, 1290, 645, 10, 40.3, 322,
       40, 1008, 99 << 10, 72 << 20, 0, 5},
      {"NVIDIA H100", "cuda:sm_90", false, 132, 7492, 507, 253, 29.3, 234, 42,
       3350, 227 << 10, 50 << 20, 0, 5},
      {"NVIDIA H200", "cuda:sm_90", false, 132, 7492, 507, 253, 29.3, 234, 42,
       4800, 227 << 10, 50 << 20, 0, 5}};
  return machines;
}

Expected<Machine> attn::findMachine(StringRef target, StringRef device) {
  StringRef kind = target.starts_with("cpu") ? "cpu" : target;
  std::vector<std::string> names;
  for (const Machine &machine : getKnownMachines()) {
    if (machine.target != kind)
      continue;
    names.push_back(machine.name);
    if (device.empty() || StringRef(machine.name).contains_insensitive(device))
      return machine;
  }
  if (names.empty())
    return llvm::createStringError(
        llvm::formatv("target '{0}': expected one with known devices, cpu, "
                      "cuda:sm_80, cuda:sm_86, cuda:sm_89 or cuda:sm_90",
                      target)
            .str());
  return llvm::createStringError(
      llvm::formatv("device '{0}': expected a device of '{1}', {2}", device,
                    target, llvm::join(names, ", "))
          .str());
}

std::string attn::getCpuName() {
  std::string model = "x86-64";
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);)
    if (StringRef(line).starts_with("model name")) {
      model = StringRef(line).split(':').second.trim().str();
      break;
    }
  unsigned cores = std::max(1u, std::thread::hardware_concurrency());
  return llvm::formatv("{0} ({1}), {2} core{3}", model,
                       llvm::sys::getHostCPUName(), cores,
                       cores == 1 ? "" : "s");
}

//===----------------------------------------------------------------------===//
// Files
//===----------------------------------------------------------------------===//

std::string attn::getMachinePath() {
  auto get = [](const char *name) {
    const char *value = std::getenv(name);
    return StringRef(value ? value : "");
  };
  llvm::SmallString<128> path(get("ATTN_CONFIG_DIR"));
  if (path.empty()) {
    path = get("XDG_CONFIG_HOME");
    if (path.empty()) {
      path = get("HOME");
      llvm::sys::path::append(path, ".config");
    }
    llvm::sys::path::append(path, "attn");
  }
  llvm::sys::path::append(path, "machine.json");
  return path.str().str();
}

namespace {
/// The numbers of a file, by name.
struct Field {
  StringRef name;
  double Machine::*rate;
};
struct IntegerField {
  StringRef name;
  int64_t Machine::*number;
};
} // namespace

static constexpr Field kRates[] = {
    {"matrix16", &Machine::matrix16}, {"matrix32", &Machine::matrix32},
    {"matrix64", &Machine::matrix64}, {"exp", &Machine::exp},
    {"shared", &Machine::shared},     {"cache", &Machine::cache},
    {"memory", &Machine::memory},     {"start", &Machine::startMicroseconds}};
static constexpr IntegerField kNumbers[] = {{"units", &Machine::units},
                                            {"l1", &Machine::l1Bytes},
                                            {"l2", &Machine::l2Bytes},
                                            {"l3", &Machine::l3Bytes}};

Expected<Machine> attn::readMachine(StringRef path) {
  auto fail = [&](const llvm::Twine &expected) {
    return llvm::createStringError("'" + path + "': expected " + expected +
                                   "; attn-tune --calibrate writes it anew");
  };
  auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/true);
  if (!buffer)
    return llvm::createStringError(
        "'" + path + "': cannot read: " + buffer.getError().message());
  Expected<json::Value> value = json::parse((*buffer)->getBuffer());
  if (!value) {
    llvm::consumeError(value.takeError());
    return fail("the parameters of a machine as JSON");
  }
  const json::Object *fields = value->getAsObject();
  auto name = fields ? fields->getString("name") : std::nullopt;
  if (!name)
    return fail("an object with a text 'name'");
  Machine machine;
  machine.name = name->str();
  machine.target = "cpu";
  machine.isMeasured = true;
  for (const Field &field : kRates) {
    auto number = fields->getNumber(field.name);
    if (!number || !std::isfinite(*number) || *number <= 0)
      return fail("a positive number '" + field.name + "'");
    machine.*field.rate = *number;
  }
  for (const IntegerField &field : kNumbers) {
    auto number = fields->getInteger(field.name);
    if (!number || *number < 1)
      return fail("a positive integer '" + field.name + "'");
    machine.*field.number = *number;
  }
  return machine;
}

Error attn::writeMachine(StringRef path, const Machine &machine) {
  json::Object fields{{"name", machine.name}};
  for (const Field &field : kRates)
    fields[field.name] = machine.*field.rate;
  for (const IntegerField &field : kNumbers)
    fields[field.name] = machine.*field.number;
  std::error_code code =
      llvm::sys::fs::create_directories(llvm::sys::path::parent_path(path));
  if (!code) {
    // A reader sees the old file or the new one.
    std::string text =
        llvm::formatv("{0:2}\n", json::Value(std::move(fields))).str();
    Error error = llvm::writeToOutput(path, [&](llvm::raw_ostream &stream) {
      stream << text;
      return Error::success();
    });
    if (!error)
      return Error::success();
    return llvm::createStringError(
        "'" + path + "': cannot write: " + llvm::toString(std::move(error)));
  }
  return llvm::createStringError("'" + path +
                                 "': cannot write: " + code.message());
}

Expected<Machine> attn::loadMachine(StringRef target, StringRef device) {
  Expected<Machine> known = findMachine(target, device);
  if (!known || known->isGpu())
    return known;
  std::string path = getMachinePath();
  if (llvm::sys::fs::exists(path)) {
    Expected<Machine> measured = readMachine(path);
    // A home that several machines share has the file of another one.
    if (!measured || measured->name == getCpuName())
      return measured;
  }
  known->units = std::max(1u, std::thread::hardware_concurrency());
  return known;
}
