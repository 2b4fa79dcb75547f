//===- CommandLine.cpp - Command lines of the tools -----------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tools/support/CommandLine.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/ToolOutputFile.h"
#include "llvm/Support/raw_ostream.h"

using namespace attn;
using llvm::ArrayRef;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;
namespace cl = llvm::cl;

//===----------------------------------------------------------------------===//
// Options
//===----------------------------------------------------------------------===//

void attn::forgetOptions() { cl::ResetCommandLineParser(); }

/// llvm::cl prints some errors itself, in a form of its own. This finds them
/// first: a missing value at the end, and a value that a flag does not take.
static Error checkValues(ArrayRef<char *> arguments) {
  auto &options = cl::getRegisteredOptions();
  for (auto [index, argument] : llvm::enumerate(arguments)) {
    StringRef text = argument;
    if (text == "--")
      break;
    if (!text.consume_front("-"))
      continue;
    text.consume_front("-");
    auto [name, value] = text.split('=');
    auto found = options.find(name);
    if (found == options.end())
      continue;
    cl::ValueExpected expected = found->second->getValueExpectedFlag();
    bool hasValue = text.contains('=');
    if (expected == cl::ValueDisallowed && hasValue)
      return makeError("--{0}: expected no value, got '{1}'", name, value);
    if (expected == cl::ValueRequired && !hasValue &&
        index + 1 == arguments.size())
      return makeError("--{0}: expected a value, got none", name);
  }
  return Error::success();
}

/// The tool's own options that are no lists. While parsing they may occur any
/// number of times, so that the message about it can be ours.
static llvm::SmallVector<cl::Option *>
takeScalars(ArrayRef<const cl::OptionCategory *> categories) {
  llvm::SmallVector<cl::Option *> scalars;
  for (auto &entry : cl::getRegisteredOptions()) {
    cl::Option *option = entry.second;
    if (option->getNumOccurrencesFlag() != cl::Optional ||
        !llvm::is_contained(categories, option->Categories.front()))
      continue;
    option->setNumOccurrencesFlag(cl::ZeroOrMore);
    scalars.push_back(option);
  }
  return scalars;
}

/// The message of llvm::cl about an option, in our form.
static Error makeOptionError(StringRef message) {
  StringRef option = message.split('\'').second.split('\'').first;
  if (message.contains("Unknown command line argument"))
    return makeError("unknown option '{0}'; --help lists the options", option);
  return makeError("{0}", message.split('\n').first);
}

Error attn::parseCommandLine(int argc, char **argv, StringRef overview,
                             ArrayRef<const cl::OptionCategory *> categories) {
  std::string tool = llvm::sys::path::filename(argv[0]).str();
  cl::SetVersionPrinter([tool](llvm::raw_ostream &stream) {
    stream << tool << " " ATTN_VERSION " (LLVM " LLVM_VERSION_STRING ")\n";
  });
  cl::HideUnrelatedOptions(categories);
  if (Error error = checkValues(ArrayRef(argv, argc).drop_front()))
    return error;
  llvm::SmallVector<cl::Option *> scalars = takeScalars(categories);
  std::string messages;
  llvm::raw_string_ostream stream(messages);
  if (!cl::ParseCommandLineOptions(argc, argv, overview, &stream))
    return makeOptionError(messages);
  for (cl::Option *option : scalars)
    if (option->getNumOccurrences() > 1)
      return makeError("--{0}: expected once, got it {1} times", option->ArgStr,
                       option->getNumOccurrences());
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

int attn::reportError(StringRef tool, Error error) {
  std::string text = llvm::toString(std::move(error));
  StringRef line = StringRef(text).trim().split('\n').first;
  // Diagnostics read "FILE:LINE:COLUMN: error: MESSAGE".
  auto [location, message] = line.split(": error: ");
  line.consume_front("error: ");
  llvm::errs() << llvm::sys::path::filename(tool) << ": error: ";
  if (message.empty())
    llvm::errs() << line << '\n';
  else
    llvm::errs() << location << ": " << message << '\n';
  return 1;
}

Expected<int64_t> attn::parseInteger(StringRef text, const llvm::Twine &what,
                                     int64_t lowest, int64_t highest) {
  int64_t value;
  if (!text.getAsInteger(10, value) && value >= lowest && value <= highest)
    return value;
  std::string range =
      highest == std::numeric_limits<int64_t>::max()
          ? llvm::formatv("from {0} on", lowest).str()
          : llvm::formatv("from {0} to {1}", lowest, highest).str();
  return makeError("{0}: expected an integer {1}, got '{2}'", what.str(), range,
                   text);
}

Error attn::writeOutput(StringRef path, StringRef contents) {
  std::error_code code;
  llvm::ToolOutputFile file(path, code, llvm::sys::fs::OF_None);
  if (code)
    return makeError("'{0}': cannot write: {1}", path, code.message());
  file.os() << contents;
  file.os().flush();
  if (file.os().has_error()) {
    code = file.os().error();
    file.os().clear_error();
    return makeError("'{0}': cannot write: {1}", path, code.message());
  }
  file.keep();
  return Error::success();
}
