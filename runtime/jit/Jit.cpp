//===- Jit.cpp - Kernels of specs, each made once -------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/jit/Jit.h"
#include "runtime/jit/CallSizes.h"
#include <filesystem>
#include <fstream>

using namespace attn;

Jit::Jit(JitConfig config, std::unique_ptr<SpecCompiler> made)
    : compiler(std::move(made)), build(compiler->getBuild()),
      tuningDatabase(config.tuningDatabase.value) {
  if (config.useCache.value && build.empty())
    config.useCache = {false, "this build of the compiler has no identity"};
  if (config.useCache.value)
    disk.emplace(config.cacheDir.value, config.cacheMaxBytes.value);
  describeConfig(config);
}

void Jit::describeConfig(const JitConfig &config) {
  constexpr DLDevice cpu = {kDLCPU, 0};
  std::string target = "none";
  if (Result<std::string> name = compiler->chooseTarget(cpu))
    if (Result<std::string> text = compiler->describeTarget(*name, cpu))
      target = *text;
  configText = config.toJson() + ",\n  \"cpu\": " + quoteJson(target) +
               ",\n  \"build\": " + quoteJson(build) + "\n}\n";
}

//===----------------------------------------------------------------------===//
// Lookup
//===----------------------------------------------------------------------===//

static std::string toText(DLDevice device) {
  return std::to_string(device.device_type) + ':' +
         std::to_string(device.device_id);
}

/// What of a request is for the choice of a record. A schedule that is given
/// leaves nothing to choose, but sizes are checked all the same.
static std::string describeTuning(const SpecRequest &request,
                                  std::string_view database) {
  bool isAsked = !request.database.empty() && request.schedule.empty();
  return joinParts({isAsked ? database : "", printCallSizes(request.dims)});
}

Result<JitKernel> Jit::compile(const SpecRequest &request, DLDevice device) {
  std::string key =
      joinParts({toText(device), request.target, request.dtype,
                 request.function, request.schedule,
                 describeTuning(request, request.database), request.text});
  bool isMade = false;
  Result<JitKernel> kernel =
      byText.get(key, isMade, [&] { return find(request, device); });
  if (kernel && !isMade)
    ++memoryHits;
  return kernel;
}

static Status checkDtype(const std::string &dtype) {
  for (std::string_view known : {"", "f64", "f32", "f16", "bf16"})
    if (dtype == known)
      return {};
  return invalidArgument("dtype must be f64, f32, f16 or bf16, got '" + dtype +
                         "'");
}

/// The hash of what is in a file; empty if it cannot be read.
static std::string hashFile(const std::string &path) {
  std::error_code code;
  uintmax_t size = std::filesystem::file_size(path, code); // Of files only.
  if (code)
    return "";
  std::string bytes(size, '\0');
  std::ifstream file(path, std::ios::binary);
  if (!file.read(bytes.data(), std::streamsize(size)))
    return "";
  return CacheKey::of(bytes).digits;
}

/// The name of the alias of a request, whose target is `target` in full.
CacheKey Jit::makeTextKey(const SpecRequest &request,
                          const std::string &target) const {
  return CacheKey::of(joinParts(
      {"text", build, target, request.dtype, request.function, request.schedule,
       describeTuning(request, hashFile(request.database)), request.text}));
}

/// A kernel whose text has not been met before.
Result<JitKernel> Jit::find(const SpecRequest &request, DLDevice device) {
  if (Status status = checkDtype(request.dtype))
    return status;
  Result<std::string> target =
      request.target.empty() ? compiler->chooseTarget(device) : request.target;
  if (!target)
    return target.takeStatus();
  Result<std::string> described = compiler->describeTarget(*target, device);
  if (!described)
    return described.takeStatus();
  SpecRequest resolved = request;
  resolved.target = *target;
  CacheKey textKey = makeTextKey(request, *described);
  std::optional<CacheKey> known;
  std::string origin;
  if (disk)
    known = disk->findAlias(textKey, &origin);
  if (known)
    if (Kernel kernel = findKnown(*known, device))
      return JitKernel{std::move(kernel), std::move(origin)};
  return parseAndFind(resolved, device, *described, textKey, known);
}

/// The kernel of a key, if it is in memory or in the folder.
Jit::Kernel Jit::findKnown(const CacheKey &key, DLDevice device) {
  std::string name = key.digits + toText(device);
  if (std::optional<Kernel> kernel = byKey.find(name)) {
    ++memoryHits;
    return *kernel;
  }
  Kernel loaded = load(key, device);
  if (!loaded)
    return nullptr;
  // Somebody else may have been faster.
  bool isMade;
  Result<Kernel> kernel =
      byKey.get(name, isMade, [&]() -> Result<Kernel> { return loaded; });
  return kernel ? *kernel : loaded;
}

Result<JitKernel> Jit::parseAndFind(const SpecRequest &request, DLDevice device,
                                    const std::string &target,
                                    const CacheKey &textKey,
                                    const std::optional<CacheKey> &tried) {
  Result<std::unique_ptr<ParsedSpec>> spec = compiler->parse(request);
  if (!spec)
    return spec.takeStatus();
  const SpecSchedule &schedule = (*spec)->getSchedule();
  CacheKey key =
      CacheKey::of(joinParts({"program", build, target, request.dtype,
                              schedule.text, (*spec)->getCanonicalText()}));
  bool isMade = false;
  Result<Kernel> kernel = byKey.get(key.digits + toText(device), isMade, [&] {
    return makeKernel(**spec, key, device, tried != key);
  });
  if (kernel && !isMade)
    ++memoryHits;
  if (!kernel)
    return kernel.takeStatus();
  // A database may have been written meanwhile.
  if (disk && makeTextKey(request, target) == textKey)
    disk->storeAlias(textKey, key, schedule.origin);
  return JitKernel{*kernel, schedule.origin};
}

//===----------------------------------------------------------------------===//
// Making
//===----------------------------------------------------------------------===//

static Result<Jit::Kernel> loadPackage(std::shared_ptr<const Package> package,
                                       DLDevice device) {
  Result<const PackageKernel *> found = package->findKernel("");
  if (!found)
    return found.takeStatus();
  auto loaded = LoadedKernel::load(package, **found, device);
  if (!loaded)
    return loaded.takeStatus();
  return Jit::Kernel(std::make_shared<const SharedKernel>(std::move(*loaded)));
}

/// The kernel of a package in the folder; null if there is none that works.
Jit::Kernel Jit::load(const CacheKey &key, DLDevice device) {
  std::shared_ptr<const Package> package = disk->findPackage(key);
  if (!package)
    return nullptr;
  Result<Kernel> kernel = loadPackage(std::move(package), device);
  if (!kernel) {
    disk->reject();
    return nullptr;
  }
  ++diskHits;
  return *kernel;
}

Result<Jit::Kernel> Jit::makeKernel(ParsedSpec &spec, const CacheKey &key,
                                    DLDevice device, bool mayBeOnDisk) {
  if (disk && mayBeOnDisk)
    if (Kernel kernel = load(key, device))
      return kernel;
  Result<std::string> bytes = spec.makePackage(key.digits);
  if (!bytes)
    return bytes.takeStatus();
  ++compilations;
  Result<std::shared_ptr<const Package>> package = Package::read(*bytes);
  if (!package)
    return package.takeStatus();
  Result<Kernel> kernel = loadPackage(std::move(*package), device);
  if (kernel && disk)
    disk->storePackage(key, *bytes);
  return kernel;
}

attn_jit_counters Jit::getCounters() const {
  attn_jit_counters counters = {};
  counters.struct_size = sizeof(counters);
  counters.compilations = compilations;
  counters.memory_hits = memoryHits;
  counters.disk_hits = diskHits;
  if (disk) {
    counters.rejected_entries = disk->countRejected();
    counters.evicted_entries = disk->countEvicted();
    counters.failed_writes = disk->countFailedWrites();
  }
  return counters;
}
