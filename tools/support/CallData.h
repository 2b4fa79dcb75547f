//===- CallData.h - What the cost model is told of arguments --*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TOOLS_SUPPORT_CALLDATA_H
#define ATTN_TOOLS_SUPPORT_CALLDATA_H

#include "codegen/cost/CallTables.h"
#include "runtime/compiler/Explain.h"
#include "tools/support/Arguments.h"

namespace attn {

/// The integers of an array, as the cost model takes them.
TableRef makeTable(const Array &array);

/// The names of the arguments that are the list of blocks of an op, by what is
/// known of its structure: random numbers are no list.
std::vector<std::string> getListArguments(const Fact &structure);

/// The arguments of integers that a run without files is given.
llvm::Expected<CallData> makeCallData(llvm::ArrayRef<Port> ports,
                                      const Dims &dims,
                                      const ArgumentOptions &options);

} // namespace attn

#endif // ATTN_TOOLS_SUPPORT_CALLDATA_H
