//===- Examination.cpp - How a file is to be examined ---------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/fuzz/PrintSpec.h"
#include "tools/support/CommandLine.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace attn;
using namespace attn::fuzz;
using llvm::formatv;
using llvm::StringRef;

static constexpr StringRef kMark = "// attn-fuzz:";

std::string attn::fuzz::printExamination(const Examination &examination) {
  std::string text =
      formatv("// attn-run FILE --target={0} --seed={1} --check{2}{3}\n",
              examination.target, examination.seed,
              examination.phases ? " --check-phases" : "",
              examination.isSimulated() ? " --simulate" : "")
          .str();
  text += formatv("{0} target={1} seed={2} score-error={3:F1} "
                  "value-bound={4:F3}",
                  kMark, examination.target, examination.seed,
                  examination.scoreError, examination.valueBound)
              .str();
  for (auto [name, flag] : {std::pair("quick", examination.quick),
                            std::pair("phases", examination.phases),
                            std::pair("threads", examination.threads),
                            std::pair("measured", examination.measured)})
    if (flag)
      text += formatv(" {0}", name).str();
  return text + "\n";
}

/// Enters one word of the line; returns whether it is known.
static bool parseWord(StringRef word, Examination &examination) {
  auto [name, value] = word.split('=');
  if (name == "target")
    examination.target = value.str();
  else if (name == "seed")
    return !value.getAsInteger(10, examination.seed);
  else if (name == "score-error")
    return !value.getAsDouble(examination.scoreError);
  else if (name == "value-bound")
    return !value.getAsDouble(examination.valueBound);
  else if (word == "quick")
    examination.quick = true;
  else if (word == "phases")
    examination.phases = true;
  else if (word == "threads")
    examination.threads = true;
  else if (word == "measured")
    examination.measured = true;
  else
    return false;
  return true;
}

llvm::Expected<Examination> attn::fuzz::parseExamination(StringRef text) {
  Examination examination;
  examination.quick = false;
  size_t at = text.find(kMark);
  if (at == StringRef::npos)
    return examination;
  StringRef words = text.substr(at + kMark.size()).split('\n').first;
  for (StringRef word : llvm::split(words.trim(), ' '))
    if (!parseWord(word, examination))
      return makeError("'{0}': expected target=, seed=, score-error=, "
                       "value-bound=, quick, phases, threads or measured, got "
                       "'{1}'",
                       kMark, word);
  return examination;
}
