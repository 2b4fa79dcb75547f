//===- ResultArguments.cpp - Functions that only count --------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/ResultArguments.h"
#include "dialect/AttnDialect.h"
#include "dialect/TileDialect.h"

using namespace mlir;
using namespace attn;

LogicalResult attn::returnNothing(func::FuncOp function) {
  if (!function.getBody().hasOneBlock())
    return function.emitOpError("must have one block, got ")
           << function.getBlocks().size();
  function.front().getTerminator()->setOperands({});
  function.removeResAttrsAttr();
  function.setFunctionType(FunctionType::get(function.getContext(),
                                             function.getArgumentTypes(), {}));
  return success();
}

FailureOr<Value> attn::addResult(func::FuncOp function, int64_t size,
                                 Type element) {
  Builder b(function.getContext());
  Type type = tile::getViewType(RankedTensorType::get(size, element));
  auto isResult =
      b.getDictionaryAttr(b.getNamedAttr(kResultAttr, b.getUnitAttr()));
  unsigned position = function.getNumArguments();
  if (failed(
          function.insertArgument(position, type, isResult, function.getLoc())))
    return failure();
  return Value(function.getArgument(position));
}
