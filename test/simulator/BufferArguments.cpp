//===- BufferArguments.cpp - Arguments of attn-simulate -------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/simulator/BufferArguments.h"
#include "tools/support/CommandLine.h"
#include <random>

using namespace attn;
using namespace attn::sim;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;

static Expected<ElementType> parseType(StringRef text) {
  for (ElementType type :
       {ElementType::F64, ElementType::F32, ElementType::F16, ElementType::BF16,
        ElementType::I64, ElementType::I32, ElementType::I16, ElementType::I8})
    if (getName(type) == text)
      return type;
  return makeError("--arg: unknown type '{0}'", text);
}

static void store(NamedBuffer &buffer, int64_t index, double value) {
  storeElement(buffer.type,
               buffer.memory->data() + index * getByteSize(buffer.type),
               roundTo(buffer.type, value));
}

static Error fill(NamedBuffer &buffer, StringRef content, unsigned seed) {
  double constant = 0;
  if (content != "iota" && content != "zero" && content != "random" &&
      content.getAsDouble(constant))
    return makeError("--arg: unknown content '{0}'", content);
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  for (int64_t i = 0; i < buffer.getCount(); ++i)
    store(buffer, i,
          content == "iota"     ? i
          : content == "random" ? normal(random)
                                : constant);
  return Error::success();
}

/// Sizes, separated by "x"; nothing if they are none.
static std::optional<llvm::SmallVector<int64_t>> parseSizes(StringRef text) {
  llvm::SmallVector<StringRef> parts;
  text.split(parts, 'x');
  llvm::SmallVector<int64_t> sizes(parts.size());
  for (auto [size, part] : llvm::zip(sizes, parts))
    if (part.getAsInteger(10, size) || size < 0)
      return std::nullopt;
  return sizes;
}

/// NAME:TYPE[SIZES]=CONTENT[,const].
static Error addBuffer(StringRef text, BufferArguments &arguments) {
  auto [head, content] = text.split('=');
  auto [name, shape] = head.split(':');
  auto [typeName, rest] = shape.split('[');
  bool isClosed = rest.consume_back("]");
  auto sizes = parseSizes(rest);
  if (!isClosed || !sizes)
    return makeError("--arg: expected NAME:TYPE[COUNT]=CONTENT, got '{0}'",
                     text);
  Expected<ElementType> type = parseType(typeName);
  if (!type)
    return type.takeError();
  bool isReadOnly = content.consume_back(",const");
  bool isEmpty = content == "none";
  int64_t bytes = llvm::product_of(*sizes) * getByteSize(*type);
  auto memory = DeviceBuffer::create(bytes, {name.str(), isReadOnly, !isEmpty});
  if (!memory)
    return memory.takeError();
  NamedBuffer buffer{*type, *sizes, std::move(*memory)};
  if (!isEmpty)
    if (Error error = fill(buffer, content, 1 + arguments.buffers.size()))
      return error;
  arguments.values.push_back(Argument::pointer(*buffer.memory));
  arguments.buffers.push_back(std::move(buffer));
  return Error::success();
}

static Error addScalar(StringRef text, BufferArguments &arguments) {
  auto [typeName, number] = text.split('=');
  Expected<ElementType> type = parseType(typeName);
  if (!type)
    return type.takeError();
  double value = 0;
  if (number.getAsDouble(value))
    return makeError("--arg: expected a number, got '{0}'", number);
  Argument argument;
  argument.bytes = getByteSize(*type);
  char bytes[sizeof(argument.bits)] = {};
  storeElement(*type, bytes, roundTo(*type, value));
  std::memcpy(&argument.bits, bytes, sizeof(bytes));
  arguments.values.push_back(argument);
  return Error::success();
}

Expected<BufferArguments>
attn::parseArguments(llvm::ArrayRef<std::string> texts) {
  BufferArguments arguments;
  for (StringRef text : texts)
    if (Error error = text.contains('[') ? addBuffer(text, arguments)
                                         : addScalar(text, arguments))
      return std::move(error);
  return arguments;
}
