//===- Dims.cpp - The sizes of one run ------------------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tools/support/Dims.h"
#include "runtime/DimName.h"
#include "tools/support/Array.h"
#include "tools/support/CommandLine.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVectorExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace attn;
using llvm::ArrayRef;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;

Expected<Dims> attn::parseDims(StringRef text, StringRef givenBy) {
  Dims dims;
  for (StringRef part : llvm::split(text, ',')) {
    auto [name, value] = part.split('=');
    if (name.empty() || !part.contains('='))
      return makeError("{0}: expected NAME=SIZE, got '{1}'", givenBy, part);
    Expected<int64_t> size =
        parseInteger(value, givenBy + ": '" + name + "'", 0);
    if (!size)
      return size.takeError();
    if (!dims.try_emplace(name.str(), *size).second)
      return makeError("{0}: '{1}' is given twice", givenBy, name);
  }
  return dims;
}

Expected<std::vector<Dims>>
attn::parseAllDims(llvm::ArrayRef<std::string> texts) {
  std::vector<Dims> all;
  for (StringRef text : texts) {
    Expected<Dims> parsed = parseDims(text);
    if (!parsed)
      return parsed.takeError();
    all.push_back(std::move(*parsed));
  }
  if (all.empty())
    all.emplace_back();
  return all;
}

std::string attn::formatDims(const Dims &dims, StringRef separator) {
  return llvm::join(llvm::map_range(dims,
                                    [](const auto &dim) {
                                      return dim.first + "=" +
                                             std::to_string(dim.second);
                                    }),
                    separator);
}

llvm::SmallVector<int64_t, 4> attn::getSizes(const Port &port,
                                             const Dims &dims) {
  return llvm::map_to_vector<4>(port.dims, [&](const std::string &text) {
    DimName dim = DimName::parse(text);
    return dims.lookup(std::string(dim.name)) + dim.more;
  });
}

namespace {
/// Collects what is said about the dimensions, and by whom.
class DimTable {
public:
  /// Records that `source` gives `size` to a dimension, as "G" or "G+1".
  Error define(StringRef text, int64_t size, const llvm::Twine &source) {
    DimName dim = DimName::parse(text);
    StringRef name(dim.name);
    if (size < dim.more)
      return makeError("dimension '{0}': expected at least {1}, but {2} says "
                       "{3}",
                       text, dim.more, source.str(), size);
    size -= dim.more;
    auto [found, isNew] = table.try_emplace(name.str(), size, source.str());
    const auto &[oldSize, oldSource] = found->second;
    if (isNew || oldSize == size)
      return Error::success();
    return makeError("dimension '{0}': {1} says {2}, but {3} says {4}", name,
                     oldSource, oldSize, source.str(), size);
  }

  std::optional<int64_t> lookup(const std::string &name) const {
    auto found = table.find(name);
    return found == table.end() ? std::nullopt
                                : std::optional(found->second.first);
  }

private:
  std::map<std::string, std::pair<int64_t, std::string>> table;
};
} // namespace

/// The names of all dimensions of all arguments, each once.
static std::vector<std::string> getNames(const Kernel &kernel) {
  std::vector<std::string> names;
  for (const Port &port : kernel.arguments())
    for (const std::string &text : port.dims)
      if (std::string name(DimName::parse(text).name);
          !llvm::is_contained(names, name))
        names.push_back(name);
  return names;
}

static Error defineStatic(DimTable &table, const Kernel &kernel) {
  for (const Port &port : kernel.arguments())
    for (auto [name, size] : llvm::zip(port.dims, port.sizes))
      if (size >= 0)
        if (Error error = table.define(
                name, size, "the spec (argument '" + port.name + "')"))
          return error;
  return Error::success();
}

static Error defineGiven(DimTable &table, const Kernel &kernel,
                         const Dims &given, StringRef givenBy) {
  std::vector<std::string> names = getNames(kernel);
  for (const auto &[name, size] : given) {
    if (!llvm::is_contained(names, name))
      return makeError("{0}: unknown dimension '{1}'; expected {2}", givenBy,
                       name, llvm::join(names, ", "));
    if (Error error = table.define(name, size, givenBy))
      return error;
  }
  return Error::success();
}

/// How the spec writes the sizes: "[B, H, N, 64]".
static std::string formatExpected(const Port &port) {
  auto name = [](const auto &dim) {
    auto [name, size] = dim;
    return size < 0 ? name : std::to_string(size);
  };
  return "[" +
         llvm::join(llvm::map_range(llvm::zip(port.dims, port.sizes), name),
                    ", ") +
         "]";
}

static Error defineFile(DimTable &table, const Port &port,
                        const FileSizes &file) {
  bool fits = file.sizes.size() == port.sizes.size();
  for (auto [expected, got] : llvm::zip(port.sizes, file.sizes))
    fits &= expected < 0 || expected == got;
  if (!fits)
    return makeError("argument '{0}': expected sizes {1}, got {2} in '{3}'",
                     port.name, formatExpected(port), formatSizes(file.sizes),
                     file.path);
  for (auto [name, size] : llvm::zip(port.dims, file.sizes))
    if (Error error = table.define(name, size, "'" + file.path + "'"))
      return error;
  return Error::success();
}

static Error defineFiles(DimTable &table, const Kernel &kernel,
                         ArrayRef<FileSizes> files) {
  for (const FileSizes &file : files)
    for (const Port &port : kernel.arguments())
      if (port.name == file.argument)
        if (Error error = defineFile(table, port, file))
          return error;
  return Error::success();
}

Expected<Dims> attn::resolveDims(const Kernel &kernel, const Dims &given,
                                 ArrayRef<FileSizes> files, StringRef givenBy) {
  DimTable table;
  if (Error error = defineStatic(table, kernel))
    return error;
  if (Error error = defineGiven(table, kernel, given, givenBy))
    return error;
  if (Error error = defineFiles(table, kernel, files))
    return error;
  Dims dims;
  for (const std::string &name : getNames(kernel)) {
    std::optional<int64_t> size = table.lookup(name);
    if (auto found = kernel.defaultDims().find(name);
        !size && found != kernel.defaultDims().end())
      size = found->second;
    if (!size)
      return makeError("dimension '{0}' has no size in the spec; {1} must give "
                       "it",
                       name, givenBy);
    dims[name] = *size;
  }
  return dims;
}
