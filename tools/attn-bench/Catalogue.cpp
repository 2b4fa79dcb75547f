//===- Catalogue.cpp - Benchmarks as data ---------------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tools/attn-bench/Catalogue.h"
#include "tools/support/CommandLine.h"
#include "tools/support/KernelFlags.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVectorExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include <cstring>

using namespace attn;
using llvm::ArrayRef;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;
namespace json = llvm::json;

/// As many threads as one may ask for.
static constexpr int64_t kMostThreads = 1024;

//===----------------------------------------------------------------------===//
// Fields
//===----------------------------------------------------------------------===//

/// A value in one line of limited length.
static std::string formatValue(const json::Value &value) {
  constexpr size_t limit = 60;
  std::string text = llvm::formatv("{0}", value).str();
  return text.size() <= limit ? text : text.substr(0, limit) + "...";
}

namespace {
/// Reads the fields of one entry. A field that is absent leaves what its
/// variable has.
class Entry {
public:
  Entry(std::string where, const json::Object &fields)
      : where(std::move(where)), fields(fields) {}

  const std::string &getWhere() const { return where; }

  /// Adds the name of the entry to what messages say.
  void setName(StringRef name) { where += (" ('" + name + "')").str(); }

  /// "FILE: benchmark N ('NAME'): 'FIELD'".
  std::string getPlace(StringRef field) const {
    return (where + ": '" + field + "'").str();
  }

  Error fail(StringRef field, StringRef expected,
             const json::Value &value) const {
    return makeError("{0}: expected {1}, got {2}", getPlace(field), expected,
                     formatValue(value));
  }

  /// Fails if the entry has a field that nobody reads.
  Error checkNames(ArrayRef<StringRef> known) const;

  Error read(StringRef field, std::string &value) const;
  Error read(StringRef field, bool &value) const;
  Error read(StringRef field, std::vector<std::string> &values) const;
  Error read(StringRef field, std::vector<int> &values, int64_t lowest,
             int64_t highest) const;

  const json::Value *find(StringRef field) const { return fields.get(field); }

private:
  /// Reads a list that is not empty, if it is there; `convert` yields nothing
  /// for an element that is not as `expected` says.
  template <typename T, typename Convert>
  Error readList(StringRef field, StringRef expected, std::vector<T> &values,
                 Convert convert) const;

  std::string where;
  const json::Object &fields;
};
} // namespace

Error Entry::checkNames(ArrayRef<StringRef> known) const {
  for (const auto &[name, value] : fields)
    if (!llvm::is_contained(known, StringRef(name)))
      return makeError("{0}: unknown field '{1}'; expected {2}", where,
                       StringRef(name), llvm::join(known, ", "));
  return Error::success();
}

Error Entry::read(StringRef field, std::string &value) const {
  const json::Value *found = find(field);
  if (!found)
    return Error::success();
  auto text = found->getAsString();
  if (!text)
    return fail(field, "a string", *found);
  value = text->str();
  return Error::success();
}

Error Entry::read(StringRef field, bool &value) const {
  const json::Value *found = find(field);
  if (!found)
    return Error::success();
  std::optional<bool> given = found->getAsBoolean();
  if (!given)
    return fail(field, "true or false", *found);
  value = *given;
  return Error::success();
}

template <typename T, typename Convert>
Error Entry::readList(StringRef field, StringRef expected,
                      std::vector<T> &values, Convert convert) const {
  const json::Value *found = find(field);
  if (!found)
    return Error::success();
  const json::Array *list = found->getAsArray();
  if (!list || list->empty())
    return fail(field, expected, *found);
  values.clear();
  for (const json::Value &element : *list) {
    std::optional<T> value = convert(element);
    if (!value)
      return fail(field, expected, element);
    values.push_back(std::move(*value));
  }
  return Error::success();
}

Error Entry::read(StringRef field, std::vector<std::string> &values) const {
  auto convert = [](const json::Value &element) -> std::optional<std::string> {
    auto text = element.getAsString();
    return text ? std::optional(text->str()) : std::nullopt;
  };
  return readList(field, "a list of strings", values, convert);
}

Error Entry::read(StringRef field, std::vector<int> &values, int64_t lowest,
                  int64_t highest) const {
  auto convert = [&](const json::Value &element) -> std::optional<int> {
    auto number = element.getAsInteger();
    bool fits = number && *number >= lowest && *number <= highest;
    return fits ? std::optional<int>(*number) : std::nullopt;
  };
  std::string expected =
      llvm::formatv("a list of integers from {0} to {1}", lowest, highest);
  return readList(field, expected, values, convert);
}

//===----------------------------------------------------------------------===//
// Entries
//===----------------------------------------------------------------------===//

/// The name of an entry, which is part of the names of its benchmarks.
static Expected<std::string> readName(const Entry &entry) {
  constexpr StringRef expected = "letters, digits, '-', '_' and '.'";
  std::string name;
  if (Error error = entry.read("name", name))
    return error;
  auto isAllowed = [](char c) {
    return llvm::isAlnum(c) || std::strchr("-_.", c);
  };
  if (!name.empty() && llvm::all_of(name, isAllowed))
    return name;
  return entry.fail("name", expected, name);
}

/// Applies "replace": every text that is a key becomes its value.
static Error replaceTexts(const Entry &entry, std::string &spec) {
  const json::Value *found = entry.find("replace");
  if (!found)
    return Error::success();
  const json::Object *texts = found->getAsObject();
  if (!texts)
    return entry.fail("replace", "an object of strings", *found);
  for (const auto &[from, value] : *texts) {
    StringRef key = from;
    auto to = value.getAsString();
    if (!to)
      return entry.fail("replace", "an object of strings", value);
    if (key.empty() || !StringRef(spec).contains(key))
      return makeError("{0}: expected a text of the spec, got '{1}'",
                       entry.getPlace("replace"), key);
    spec = llvm::join(llvm::split(spec, key), *to);
  }
  return Error::success();
}

/// Finds the spec, whose path is relative to the data file, and reads it.
static Error readSpecOf(const Entry &entry, StringRef dataFile,
                        Benchmark &benchmark) {
  std::string path;
  if (Error error = entry.read("spec", path))
    return error;
  if (path.empty())
    return entry.fail("spec", "the path of a spec", path);
  llvm::SmallString<128> full(llvm::sys::path::parent_path(dataFile));
  if (llvm::sys::path::is_absolute(path))
    full = path;
  else
    llvm::sys::path::append(full, path);
  Expected<std::string> text = readSpec(full);
  if (!text)
    return makeError("{0}: {1}", entry.getPlace("spec"),
                     llvm::toString(text.takeError()));
  benchmark.specPath = full.str();
  benchmark.specText = std::move(*text);
  return replaceTexts(entry, benchmark.specText);
}

static Error readBound(const Entry &entry, Bound &bound) {
  std::string name = "compute";
  if (Error error = entry.read("bound", name))
    return error;
  if (name != "compute" && name != "memory")
    return entry.fail("bound", "\"compute\" or \"memory\"", name);
  bound = name == "memory" ? Bound::Memory : Bound::Compute;
  return Error::success();
}

/// Reads what all benchmarks of an entry share.
static Expected<Benchmark> readShared(const Entry &entry, StringRef dataFile) {
  Benchmark shared;
  shared.where = entry.getWhere();
  if (Error error = readSpecOf(entry, dataFile, shared))
    return error;
  if (Error error = readBound(entry, shared.bound))
    return error;
  if (Error error = entry.read("in_place", shared.inPlace))
    return error;
  if (Error error = entry.read("function", shared.options.function))
    return error;
  if (Error error = entry.read("schedule", shared.options.schedule))
    return error;
  if (Error error = entry.read("target", shared.options.target))
    return error;
  if (Error error = checkTarget(shared.options.target))
    return makeError("{0}: {1}", entry.getPlace("target"),
                     llvm::toString(std::move(error)));
  return shared;
}

static Expected<std::vector<Dims>> readDims(const Entry &entry) {
  std::vector<std::string> texts;
  if (Error error = entry.read("dims", texts))
    return error;
  std::vector<Dims> sizes;
  for (StringRef text : texts) {
    Expected<Dims> parsed = parseDims(text, entry.getPlace("dims"));
    if (!parsed)
      return parsed.takeError();
    sizes.push_back(std::move(*parsed));
  }
  if (sizes.empty())
    sizes.emplace_back();
  return sizes;
}

static Expected<std::vector<std::string>> readDtypes(const Entry &entry) {
  std::vector<std::string> dtypes = {"f32"};
  if (Error error = entry.read("dtypes", dtypes))
    return error;
  for (StringRef dtype : dtypes)
    if (Error error = checkDtype(dtype, entry.getPlace("dtypes")))
      return error;
  return dtypes;
}

static std::string makeName(StringRef name, const Benchmark &benchmark) {
  std::string sizes = formatDims(benchmark.dims, ",");
  return llvm::formatv("{0}/{1}{2}{3}/threads:{4}", name,
                       benchmark.options.dtype, sizes.empty() ? "" : "/", sizes,
                       benchmark.threads)
      .str();
}

/// Appends the benchmarks of an entry.
static Error readEntry(Entry &entry, StringRef dataFile,
                       std::vector<Benchmark> &benchmarks) {
  Expected<std::string> name = readName(entry);
  if (!name)
    return name.takeError();
  entry.setName(*name);
  if (Error error = entry.checkNames(
          {"name", "about", "spec", "function", "replace", "dims", "dtypes",
           "threads", "target", "schedule", "bound", "in_place"}))
    return error;
  Expected<Benchmark> benchmark = readShared(entry, dataFile);
  if (!benchmark)
    return benchmark.takeError();
  Expected<std::vector<std::string>> dtypes = readDtypes(entry);
  if (!dtypes)
    return dtypes.takeError();
  Expected<std::vector<Dims>> sizes = readDims(entry);
  if (!sizes)
    return sizes.takeError();
  std::vector<int> threads = {1};
  if (Error error = entry.read("threads", threads, 1, kMostThreads))
    return error;
  for (const std::string &dtype : *dtypes)
    for (const Dims &dims : *sizes)
      for (int count : threads) {
        benchmark->options.dtype = dtype;
        benchmark->dims = dims;
        benchmark->threads = count;
        benchmark->name = makeName(*name, *benchmark);
        benchmarks.push_back(*benchmark);
      }
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Files
//===----------------------------------------------------------------------===//

/// Two benchmarks of the same name could not be told apart in the output.
static Error checkUnique(ArrayRef<Benchmark> benchmarks) {
  std::map<StringRef, StringRef> seen;
  for (const Benchmark &benchmark : benchmarks) {
    auto [found, isNew] = seen.try_emplace(benchmark.name, benchmark.where);
    if (!isNew)
      return makeError("{0}: expected other names than in {1}, got '{2}' again",
                       benchmark.where, found->second, benchmark.name);
  }
  return Error::success();
}

static Expected<json::Value> readJson(StringRef path) {
  if (llvm::sys::fs::is_directory(path))
    return makeError("'{0}': expected a data file, got a folder", path);
  auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/true);
  if (!buffer)
    return makeError("'{0}': cannot read: {1}", path,
                     buffer.getError().message());
  Expected<json::Value> value = json::parse((*buffer)->getBuffer());
  if (!value)
    return makeError("'{0}': expected JSON: {1}", path,
                     llvm::toString(value.takeError()));
  return value;
}

/// The list of entries of a data file.
static Expected<const json::Array *> getEntries(StringRef path,
                                                const json::Value &value) {
  const json::Object *object = value.getAsObject();
  if (!object)
    return makeError("'{0}': expected an object with a list 'benchmarks', "
                     "got {1}",
                     path, formatValue(value));
  Entry top(llvm::formatv("'{0}'", path).str(), *object);
  if (Error error = top.checkNames({"about", "benchmarks"}))
    return error;
  const json::Value *found = top.find("benchmarks");
  if (!found || !found->getAsArray())
    return top.fail("benchmarks", "a list of objects",
                    found ? *found : json::Value(nullptr));
  return found->getAsArray();
}

/// Appends the benchmarks of a data file.
static Error readFile(StringRef path, std::vector<Benchmark> &benchmarks) {
  Expected<json::Value> value = readJson(path);
  if (!value)
    return value.takeError();
  Expected<const json::Array *> entries = getEntries(path, *value);
  if (!entries)
    return entries.takeError();
  for (auto [index, element] : llvm::enumerate(**entries)) {
    std::string where =
        llvm::formatv("'{0}': benchmark {1}", path, index + 1).str();
    const json::Object *fields = element.getAsObject();
    if (!fields)
      return makeError("{0}: expected an object, got {1}", where,
                       formatValue(element));
    Entry entry(std::move(where), *fields);
    if (Error error = readEntry(entry, path, benchmarks))
      return error;
  }
  return Error::success();
}

Expected<std::vector<Benchmark>>
attn::readCatalogue(ArrayRef<std::string> paths) {
  std::vector<Benchmark> benchmarks;
  for (StringRef path : paths)
    if (Error error = readFile(path, benchmarks))
      return error;
  if (Error error = checkUnique(benchmarks))
    return error;
  return benchmarks;
}
