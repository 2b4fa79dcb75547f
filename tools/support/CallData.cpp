//===- CallData.cpp - What the cost model is told of arguments ------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tools/support/CallData.h"
#include "llvm/ADT/STLExtras.h"

using namespace attn;
using llvm::Expected;

TableRef attn::makeTable(const Array &array) {
  auto table = std::make_shared<IntegerTable>();
  table->sizes.assign(array.getSizes().begin(), array.getSizes().end());
  table->elements.reserve(array.getNumElements());
  for (int64_t i = 0; i < array.getNumElements(); ++i)
    table->elements.push_back(int64_t(array.get(i)));
  return table;
}

std::vector<std::string> attn::getListArguments(const Fact &structure) {
  std::vector<std::string> names;
  for (llvm::StringRef part : {"Offsets", "Blocks"}) {
    llvm::StringRef name = structure.get(part);
    if (name.starts_with("'")) // What is no argument has no name.
      names.push_back(name.trim('\'').str());
  }
  return names;
}

Expected<CallData> attn::makeCallData(llvm::ArrayRef<Port> ports,
                                      const Dims &dims,
                                      const ArgumentOptions &options) {
  std::vector<Port> integers;
  llvm::copy_if(ports, std::back_inserter(integers),
                [](const Port &port) { return !isFloat(port.type); });
  Expected<Arrays> arrays = makeArguments(integers, dims, {}, options);
  if (!arrays)
    return arrays.takeError();
  CallData data;
  for (auto [port, array] : llvm::zip_equal(integers, *arrays))
    data[port.name] = makeTable(array);
  return data;
}
