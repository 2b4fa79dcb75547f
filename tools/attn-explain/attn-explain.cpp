//===- attn-explain.cpp - What the compiler found and decided ------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Prints which structure a mask has, how many blocks it leaves, and which
// schedule was chosen and why. See docs/tools.md for the options.
//
//===----------------------------------------------------------------------===//

#include "tools/attn-explain/DrawBlocks.h"
#include "tools/attn-explain/Print.h"
#include "tools/support/CommandLine.h"

using namespace attn;
using llvm::Error;
using llvm::Expected;

/// With --exact: blocks whose class is not true are a defect of the compiler.
static Error checkClasses(const Findings &findings) {
  int64_t wrong = 0;
  for (const OpFindings &op : findings.ops)
    for (const Version &version : op.versions)
      wrong += version.sum.wrong;
  if (wrong)
    return makeError("{0} blocks are called empty and keep pairs, or full and "
                     "lack some; this is a defect of the compiler",
                     wrong);
  return Error::success();
}

static Error run(int argc, char **argv) {
  Expected<ExplainOptions> options = parseOptions(argc, argv);
  if (!options)
    return options.takeError();
  auto findings = find(*options);
  if (!findings)
    return findings.takeError();
  if (!options->svg.empty()) {
    Expected<std::string> picture = drawBlocks(**findings);
    if (!picture)
      return picture.takeError();
    if (Error error = writeOutput(options->svg, *picture))
      return error;
  }
  if (options->json)
    printJson(llvm::outs(), **findings);
  else
    printText(llvm::outs(), **findings, options->candidates);
  return checkClasses(**findings);
}

int main(int argc, char **argv) {
  if (Error error = run(argc, argv))
    return reportError(argv[0], std::move(error));
  return 0;
}
