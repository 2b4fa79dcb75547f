//===- Arguments.cpp - The arguments of a run -----------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tools/support/Arguments.h"
#include "tools/support/CommandLine.h"
#include "tools/support/Fill.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace attn;
using llvm::ArrayRef;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;

//===----------------------------------------------------------------------===//
// Files
//===----------------------------------------------------------------------===//

Expected<std::vector<NamedFile>>
attn::parseNamedFiles(StringRef option, ArrayRef<std::string> texts) {
  std::vector<NamedFile> files;
  for (StringRef text : texts) {
    auto [name, path] = text.split('=');
    if (name.empty() || path.empty())
      return makeError("--{0}: expected NAME=FILE.npy, got '{1}'", option,
                       text);
    files.push_back({name.str(), path.str()});
  }
  return files;
}

static std::string formatNames(ArrayRef<Port> ports) {
  return llvm::join(
      llvm::map_range(ports, [](const Port &port) { return port.name; }), ", ");
}

/// Floating-point files are rounded to the type of the argument; integers must
/// have it.
static Error checkType(const Port &port, const NpyArray &file,
                       ElementType type) {
  if (isFloat(port.type) ? isFloat(type) : type == port.type)
    return Error::success();
  return makeError("argument '{0}': expected {1} numbers, got {2}", port.name,
                   isFloat(port.type) ? "floating-point"
                                      : getName(port.type).str(),
                   getNpyTypeName(file.type));
}

Expected<ArgumentFiles> ArgumentFiles::read(ArrayRef<NamedFile> files,
                                            const Kernel &kernel) {
  ArgumentFiles all;
  for (const auto &[name, path] : files) {
    const Port *port = llvm::find_if(kernel.arguments(), [&](const Port &port) {
      return port.name == name;
    });
    if (port == kernel.arguments().end())
      return makeError("--arg: unknown argument '{0}'; expected {1}", name,
                       formatNames(kernel.arguments()));
    if (all.find(name))
      return makeError("--arg: '{0}' is given twice", name);
    Expected<NpyArray> file = readNpy(path);
    if (!file)
      return file.takeError();
    Expected<Array> array = toArray(path, *file);
    if (!array)
      return array.takeError();
    if (Error error = checkType(*port, *file, array->getType()))
      return error;
    all.sizes.push_back({name, path, {file->shape.begin(), file->shape.end()}});
    all.contents.push_back(std::move(*array));
  }
  return all;
}

const Array *ArgumentFiles::find(StringRef argument) const {
  for (auto [file, array] : llvm::zip(sizes, contents))
    if (file.argument == argument)
      return &array;
  return nullptr;
}

//===----------------------------------------------------------------------===//
// Arguments and results
//===----------------------------------------------------------------------===//

Expected<Arrays> attn::makeArguments(ArrayRef<Port> ports, const Dims &dims,
                                     const ArgumentFiles &files,
                                     const ArgumentOptions &options) {
  Arrays arguments;
  for (const Port &port : ports) {
    Expected<Array> array = Array::create(port.name, port.type,
                                          getSizes(port, dims), options.layout);
    if (!array)
      return array.takeError();
    if (const Array *file = files.find(port.name))
      array->copyFrom(*file);
    else if (Error error = fillArray(*array, port, dims, options.seed))
      return error;
    arguments.push_back(std::move(*array));
  }
  return arguments;
}

Expected<Arrays> attn::convertArguments(const Arrays &arguments,
                                        ArrayRef<Port> ports, Layout layout) {
  Arrays converted;
  for (auto [argument, port] : llvm::zip(arguments, ports)) {
    Expected<Array> array =
        Array::create(port.name, port.type, argument.getSizes(), layout);
    if (!array)
      return array.takeError();
    array->copyFrom(argument);
    converted.push_back(std::move(*array));
  }
  return converted;
}

Expected<Arrays> attn::makeResults(const Kernel &kernel,
                                   const Arrays &arguments, Layout layout) {
  auto sizes = kernel.resultSizes(getBuffers(arguments));
  if (!sizes)
    return sizes.takeError();
  Arrays results;
  for (auto [port, size] : llvm::zip(kernel.results(), *sizes)) {
    Expected<Array> array = Array::create(port.name, port.type, size, layout);
    if (!array)
      return array.takeError();
    results.push_back(std::move(*array));
  }
  return results;
}

int64_t attn::getNumBytes(const Arrays &arrays) {
  int64_t bytes = 0;
  for (const Array &array : arrays)
    bytes += array.getNumBytes();
  return bytes;
}

std::vector<Buffer> attn::getBuffers(const Arrays &arrays) {
  std::vector<Buffer> buffers;
  for (const Array &array : arrays)
    buffers.push_back(array.getBuffer());
  return buffers;
}
