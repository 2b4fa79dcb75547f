//===- attn_jit.cpp - The C interface of the just-in-time compiler --------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/attn_jit.h"
#include "runtime/compiler/SpecCompilation.h"
#include "runtime/jit/CallSizes.h"
#include "runtime/jit/Jit.h"
#include <cstddef>

using namespace attn;

/// The size of the struct of options in API 1.2.
static constexpr size_t kFirstCompileOptions =
    offsetof(attn_compile_options, tuning_db);

struct attn_jit {
  Jit jit;
};

attn_status attn_jit_create(const attn_jit_options *options, attn_jit **jit) {
  return report([&]() -> Status {
    if (Status status = checkNotNull(jit, "jit"))
      return status;
    if (options)
      if (Status status =
              checkStructSize(sizeof(*options), options->struct_size))
        return status;
    Result<JitConfig> config = JitConfig::resolve(options);
    if (!config)
      return config.takeStatus();
    *jit = new attn_jit{{std::move(*config), makeSpecCompiler()}};
    return {};
  });
}

void attn_jit_destroy(attn_jit *jit) { delete jit; }

/// What `options` ask for, which may be null.
static Result<SpecRequest> makeRequest(const attn_compile_options *options,
                                       const Jit &jit) {
  attn_compile_options given;
  if (Status status = copyStruct(options, kFirstCompileOptions, given))
    return status;
  auto orEmpty = [](const char *text) { return text ? text : ""; };
  SpecRequest request;
  request.name = given.name ? given.name : "<spec>";
  request.function = orEmpty(given.function);
  request.target = orEmpty(given.target);
  request.dtype = orEmpty(given.dtype);
  request.schedule = orEmpty(given.schedule);
  request.database =
      given.tuning_db ? makeAbsolute(given.tuning_db) : jit.getTuningDatabase();
  Result<std::map<std::string, int64_t>> dims =
      parseCallSizes(orEmpty(given.dims));
  if (!dims)
    return dims.takeStatus();
  request.dims = std::move(*dims);
  return request;
}

attn_status attn_jit_compile(attn_jit *jit, const char *text, size_t size,
                             DLDevice device,
                             const attn_compile_options *options,
                             attn_kernel **kernel) {
  return report([&]() -> Status {
    if (Status status = checkNotNull(jit, "jit"))
      return status;
    if (Status status = checkNotNull(text, "text"))
      return status;
    if (Status status = checkNotNull(kernel, "kernel"))
      return status;
    Result<SpecRequest> request = makeRequest(options, jit->jit);
    if (!request)
      return request.takeStatus();
    request->text = {text, size};
    Result<JitKernel> found = jit->jit.compile(*request, device);
    if (!found)
      return found.takeStatus();
    *kernel = new attn_kernel{std::move(found->kernel),
                              std::move(found->scheduleOrigin)};
    return {};
  });
}

const char *attn_kernel_schedule_origin(const attn_kernel *kernel) {
  return kernel ? kernel->scheduleOrigin.c_str() : nullptr;
}

attn_status attn_jit_get_counters(const attn_jit *jit,
                                  attn_jit_counters *counters) {
  return report([&]() -> Status {
    if (Status status = checkNotNull(jit, "jit"))
      return status;
    if (Status status = checkNotNull(counters, "counters"))
      return status;
    if (Status status =
            checkStructSize(sizeof(*counters), counters->struct_size))
      return status;
    *counters = jit->jit.getCounters();
    return {};
  });
}

const char *attn_jit_config(const attn_jit *jit) {
  return jit ? jit->jit.getConfig().c_str() : nullptr;
}
