//===- attn_jit.cpp - The C interface of the just-in-time compiler --------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/attn_jit.h"
#include "runtime/compiler/SpecCompilation.h"
#include "runtime/jit/Jit.h"

using namespace attn;

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
    SpecRequest request;
    request.text = {text, size};
    request.name = "<spec>";
    if (options) {
      if (Status status =
              checkStructSize(sizeof(*options), options->struct_size))
        return status;
      auto take = [](std::string &field, const char *given) {
        if (given)
          field = given;
      };
      take(request.name, options->name);
      take(request.function, options->function);
      take(request.target, options->target);
      take(request.dtype, options->dtype);
      take(request.schedule, options->schedule);
    }
    Result<Jit::Kernel> found = jit->jit.compile(request, device);
    if (!found)
      return found.takeStatus();
    *kernel = new attn_kernel{std::move(*found)};
    return {};
  });
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
