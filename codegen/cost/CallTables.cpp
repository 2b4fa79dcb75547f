//===- CallTables.cpp - What tensors of integers hold in a call -----------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cost/CallTables.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace attn;

std::optional<int64_t> IntegerTable::get(ArrayRef<int64_t> index) const {
  int64_t at = 0;
  for (auto [place, size] : llvm::zip_equal(index, sizes)) {
    if (place < 0 || place >= size)
      return std::nullopt;
    at = at * size + place;
  }
  return elements[at];
}

TableRef KnownTables::find(Value tensor) {
  if (auto argument = dyn_cast<BlockArgument>(tensor)) {
    unsigned number = argument.getArgNumber();
    bool isOfCall = isa<func::FuncOp>(argument.getOwner()->getParentOp());
    return isOfCall && number < ofArguments.size() ? ofArguments[number]
                                                   : TableRef();
  }
  auto [it, isNew] = computed.try_emplace(tensor);
  if (isNew)
    if (auto bounds = tensor.getDefiningOp<SegmentBoundsOp>()) {
      TableRef table = evaluate(bounds, tensor);
      return computed[tensor] = table;
    }
  return it->second;
}

/// A number of tokens, as a constant or the size of a tensor; -1 if it is
/// neither.
static int64_t getCount(Value count, const SizeOf &sizeOf) {
  APInt constant;
  if (matchPattern(count, m_ConstantInt(&constant)))
    return constant.getSExtValue();
  auto dim = count.getDefiningOp<tensor::DimOp>();
  if (std::optional<int64_t> index =
          dim ? dim.getConstantIndex() : std::nullopt)
    return sizeOf(dim.getSource(), *index);
  return -1;
}

/// What `result` of the op is, as its description defines it.
TableRef KnownTables::evaluate(SegmentBoundsOp op, Value result) {
  TableRef segments = find(op.getSegments()), bounds = find(op.getBounds());
  int64_t tokens = getCount(op.getTokens(), sizeOf),
          limit = getCount(op.getLimit(), sizeOf);
  if (!segments || !bounds || tokens < 0 || limit < 0 ||
      segments->elements.size() != bounds->elements.size())
    return nullptr;
  int64_t count = int64_t(segments->elements.size()) - 1;
  auto made = std::make_shared<IntegerTable>();
  made->sizes = {tokens};
  for (int64_t token = 0, segment = 0; token < tokens; ++token) {
    while (segment < count && segments->elements[segment + 1] <= token)
      ++segment;
    int64_t begin = limit, end = limit;
    if (segment < count) {
      begin = std::clamp<int64_t>(bounds->elements[segment], 0, limit);
      end = std::clamp(bounds->elements[segment + 1], begin, limit);
    }
    made->elements.push_back(result == op.getNumber()  ? segment
                             : result == op.getBegin() ? begin
                                                       : end);
  }
  return made;
}
