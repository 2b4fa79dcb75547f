//===- Program.cpp - A spec of any family ---------------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/fuzz/Program.h"
#include "test/fuzz/GenerateSpec.h"
#include "test/fuzz/PrintSpec.h"
#include "test/fuzz/ShrinkSpec.h"

using namespace attn::fuzz;

Program attn::fuzz::generateProgram(Family family, uint64_t seed,
                                    uint64_t index,
                                    const std::vector<std::string> &targets) {
  if (family == Family::Recur)
    return generateRecur(seed, index, targets);
  if (family == Family::All && index % 2)
    return generateRecur(seed, index / 2, targets);
  return generateSpec(seed, family == Family::All ? index / 2 : index, targets);
}

std::string attn::fuzz::printProgram(const Program &program) {
  return std::visit(
      [](const auto &spec) {
        return printExamination(spec.examination) + "\n" + printSpec(spec);
      },
      program);
}

/// Simpler programs, the simplest first.
static std::vector<Program> getCandidates(const Program &program) {
  std::vector<Program> results;
  std::visit(
      [&](const auto &spec) {
        for (auto &simpler : getSimpler(spec))
          results.emplace_back(std::move(simpler));
      },
      program);
  return results;
}

Program
attn::fuzz::shrink(Program program, int attempts,
                   llvm::function_ref<bool(const Program &)> isInteresting) {
  // Candidates whose step has just failed at the front are not tried again
  // before the others: the search goes on where it was.
  size_t next = 0;
  for (size_t failed = 0; attempts > 0;) {
    std::vector<Program> candidates = getCandidates(program);
    if (failed >= candidates.size())
      break;
    Program &candidate = candidates[next % candidates.size()];
    if (auto *spec = std::get_if<Spec>(&candidate))
      updateBounds(*spec);
    --attempts;
    if (isInteresting(candidate)) {
      program = std::move(candidate);
      next %= candidates.size();
      failed = 0;
      continue;
    }
    ++next;
    ++failed;
  }
  return program;
}
