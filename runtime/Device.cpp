//===- Device.cpp - Code that was loaded on a device ----------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/Device.h"
#include <algorithm>

using namespace attn;

std::vector<Candidate>
CodeChoice::find(std::span<const CodeFormat> formats) const {
  std::vector<Candidate> candidates;
  for (const LaunchProgram &program : kernel.programs) {
    const Section &section = sections[program.section];
    bool isKnown = std::ranges::find(formats, section.format) != formats.end();
    if (isKnown && (target.empty() || section.target == target))
      candidates.push_back({&program, &section});
  }
  return candidates;
}

Status CodeChoice::noCodeFor(const std::string &device) const {
  std::string targets;
  for (const LaunchProgram &program : kernel.programs) {
    const Section &section = sections[program.section];
    targets += (targets.empty() ? "" : ", ") + section.target + " (" +
               section.triple + ")";
  }
  std::string wanted = target.empty() ? "" : target + " on ";
  return {ATTN_NO_CODE_FOR_DEVICE, "kernel '" + kernel.name +
                                       "' has no code for " + wanted + device +
                                       "; the package has " + targets};
}
