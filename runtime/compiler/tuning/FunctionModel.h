//===- FunctionModel.h - The cost model of a spec ---------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The cost model for whoever has the text of a spec and the sizes of a call:
// tuners, tools that explain, tests.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_COMPILER_TUNING_FUNCTIONMODEL_H
#define ATTN_RUNTIME_COMPILER_TUNING_FUNCTIONMODEL_H

#include "codegen/cost/CostModel.h"
#include "runtime/compiler/Compiler.h"
#include "runtime/compiler/tuning/Database.h"

namespace attn {

/// Sizes of a call by name; those that are missing are the spec's defaults.
using CallSizes = std::map<std::string, int64_t>;

/// What is wrong with the sizes that a caller gives, and not with the spec.
class CallSizesError
    : public llvm::ErrorInfo<CallSizesError, llvm::StringError> {
public:
  static char ID; // NOLINT(readability-identifier-naming)

  explicit CallSizesError(const std::string &message)
      : ErrorInfo(message, llvm::inconvertibleErrorCode()) {}
};

/// A spec, a target and sizes.
class FunctionModel {
public:
  /// Runs the phases up to the choice of schedules. `options` have the target,
  /// the function, the element type and perhaps a schedule. `data` may hold
  /// arguments that masks read, or lists of blocks; what it lacks is not known.
  static llvm::Expected<FunctionModel> create(llvm::StringRef text,
                                              llvm::StringRef name,
                                              const CompileOptions &options,
                                              const CallSizes &sizes,
                                              const CallData &data = {});

  /// The ops of the call, each with its chosen schedule and its space.
  llvm::ArrayRef<OpFacts> getOps() const { return ops; }

  /// Whether masks or lists of blocks are data that was not given.
  bool isRough() const;

  /// The op whose schedule is tuned: the one that takes longest of those that
  /// have a choice; null if there is none.
  const OpFacts *getTuned(const Machine &machine, int threads) const;

  /// The time of a call with the schedules that were chosen, or with another
  /// one ("block_q=64,block_k=128", or in parts) for all ops that have a space.
  Prediction predict(const Machine &machine, int threads) const;
  Prediction predict(const Machine &machine, int threads,
                     llvm::StringRef schedule) const;

  /// The same for each op.
  std::vector<Prediction> predictOps(const Machine &machine, int threads,
                                     llvm::StringRef schedule) const;

  /// `schedule`, a point of a space, so that it is that of the version which
  /// the call runs, and leaves the other version alone.
  std::string getScheduleText(llvm::StringRef schedule) const;

  /// The schedule that was chosen for the tuned op, in the form of a point.
  std::string getChosen(const Machine &machine, int threads) const;

  /// What the database knows the call by, on a device.
  const TuningKey &getKey() const { return key; }
  /// The product of the lengths, rounded up as in the key.
  int64_t getTokens() const { return tokens; }
  llvm::StringRef getFunctionName() const { return function; }

private:
  std::vector<OpFacts> ops;
  CostTarget target;
  TuningKey key;
  int64_t tokens = 1;
  std::string function;
};

/// The key of a spec on a device ("" for this CPU, or the usual device of the
/// target). Without `sizes` its bucket is empty. Fails with a CallSizesError if
/// one of them is of no dimension, or one is missing.
llvm::Expected<TuningKey>
makeTuningKey(llvm::StringRef text, llvm::StringRef name,
              const CompileOptions &options, llvm::StringRef device,
              const CallSizes *sizes, int64_t *tokens = nullptr);

/// Fails, with a CallSizesError, if one of `sizes` is of no dimension.
llvm::Error checkCallSizes(llvm::StringRef text, llvm::StringRef name,
                           const CompileOptions &options,
                           const CallSizes &sizes);

} // namespace attn

#endif // ATTN_RUNTIME_COMPILER_TUNING_FUNCTIONMODEL_H
