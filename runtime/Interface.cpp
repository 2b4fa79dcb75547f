//===- Interface.cpp - What a kernel expects of its callers ---------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/Interface.h"
#include <algorithm>

using namespace attn;

namespace {
struct TypeFacts {
  ElementType type;
  std::string_view name;
  int64_t bytes;
};
} // namespace

/// In the order of the enumeration.
static constexpr TypeFacts kTypes[] = {
    {ElementType::F64, "f64", 8}, {ElementType::F32, "f32", 4},
    {ElementType::F16, "f16", 2}, {ElementType::BF16, "bf16", 2},
    {ElementType::I64, "i64", 8}, {ElementType::I32, "i32", 4},
    {ElementType::I16, "i16", 2}, {ElementType::I8, "i8", 1},
    {ElementType::I1, "i1", 1}};

std::string_view attn::getTypeName(ElementType type) {
  return kTypes[static_cast<int>(type)].name;
}

int64_t attn::getByteSize(ElementType type) {
  return kTypes[static_cast<int>(type)].bytes;
}

std::optional<ElementType> attn::findType(std::string_view name) {
  for (const TypeFacts &facts : kTypes)
    if (facts.name == name)
      return facts.type;
  return std::nullopt;
}

std::vector<std::string> attn::getDimNames(const std::vector<Port> &arguments) {
  std::vector<std::string> names;
  for (const Port &port : arguments)
    for (const std::string &dim : port.dims)
      if (std::ranges::find(names, dim) == names.end())
        names.push_back(dim);
  return names;
}
