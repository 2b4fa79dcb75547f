//===- SpecCompiler.h - What turns specs into packages ----------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The line between contexts and caches, which know nothing of LLVM, and the
// compiler. runtime/compiler/SpecCompilation.cpp is the implementation; tests
// of the caches have one of their own.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_JIT_SPECCOMPILER_H
#define ATTN_RUNTIME_JIT_SPECCOMPILER_H

#include "runtime/Status.h"
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace attn {

/// What is to be compiled. Empty texts are defaults.
struct SpecRequest {
  std::string_view text;
  std::string name; ///< For messages.
  std::string function, target, dtype, schedule;
  std::string database; ///< Of tuned schedules. A given schedule wins.
  std::map<std::string, int64_t> dims; ///< Sizes of calls, for the database;
                                       ///< names are checked without one, too.
};

/// The schedule that a spec is compiled with.
struct SpecSchedule {
  std::string text;   ///< Empty: the compiler chooses.
  std::string origin; ///< As attn_kernel_schedule_origin() has it.
};

/// A spec that was parsed and verified.
class ParsedSpec {
public:
  virtual ~ParsedSpec() = default;

  /// The program as the compiler prints it: equal programs have equal texts,
  /// however their values, spaces and comments are written.
  virtual const std::string &getCanonicalText() const = 0;

  /// The schedule of the request, or that of a record of its database.
  virtual const SpecSchedule &getSchedule() const = 0;

  /// Compiles it. Returns the bytes of a package with one kernel, whose
  /// manifest has the key. Call once.
  virtual Result<std::string> makePackage(const std::string &cacheKey) = 0;
};

/// A compiler. All members may be called concurrently.
class SpecCompiler {
public:
  virtual ~SpecCompiler() = default;

  /// What tells this build of the compiler from others; empty if nothing does.
  virtual std::string getBuild() const = 0;

  /// The target that is best for a device.
  virtual Result<std::string> chooseTarget(DLDevice device) const = 0;

  /// All that code for a target depends on, as text. Fails if the target does
  /// not exist or is not for the device.
  virtual Result<std::string> describeTarget(const std::string &target,
                                             DLDevice device) const = 0;

  /// Parses and verifies a spec for a target, and asks the database.
  virtual Result<std::unique_ptr<ParsedSpec>>
  parse(const SpecRequest &request) const = 0;
};

} // namespace attn

#endif // ATTN_RUNTIME_JIT_SPECCOMPILER_H
