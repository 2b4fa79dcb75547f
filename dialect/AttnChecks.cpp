//===- AttnChecks.cpp - Checks that verifiers of attn ops share -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The labels in comments are those of the constraints in docs/spec.md.
//
//===----------------------------------------------------------------------===//

#include "dialect/AttnChecks.h"
#include "dialect/AttnDialect.h"

using namespace mlir;
using namespace attn;

static RankedTensorType tensorOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

/// The element types of operands and outputs.
bool attn::isStorageType(Type type) {
  return type.isF64() || type.isF32() || type.isF16() || type.isBF16();
}

std::string attn::listSizes(DenseI64ArrayAttr sizes) {
  if (!sizes)
    return "nothing";
  std::string text = "[";
  for (auto [number, size] : llvm::enumerate(sizes.asArrayRef()))
    text += (number ? ", " : "") + std::to_string(size);
  return text + "]";
}

int64_t attn::getNumAxes(Value tensor) {
  return tensorOf(tensor).getRank() - 3;
}

bool attn::hasSharedBatch(Value operand) {
  return tensorOf(operand).getDimSize(0) == 1;
}

Value attn::getBatchOperand(Value query, Value key, Value value) {
  for (Value operand : {query, key, value})
    if (!hasSharedBatch(operand))
      return operand;
  return query;
}

LogicalResult attn::verifyRows(Operation *op, StringRef name,
                               RankedTensorType type, int64_t mostAxes) {
  int64_t axes = type.getRank() - 3;
  if (axes < 1 || axes > mostAxes) { // attend_c1, map_rows_c1
    InFlightDiagnostic error =
        op->emitOpError() << "'" << name << "' must have rank 4 ([B, H, N, D])";
    if (mostAxes > 1)
      error << " to " << mostAxes + 3 << " ([B, H, X0, .., D])";
    return error << ", got " << type;
  }
  Type element = type.getElementType();
  if (!isStorageType(element)) // attend_c2, map_rows_c2
    return op->emitOpError() << "'" << name
                             << "' must have element type f64, f32, f16 or "
                                "bf16, got "
                             << element;
  int64_t features = type.getShape().back();
  if (ShapedType::isDynamic(features) || features < 1) // attend_c3, map_rows_c3
    return op->emitOpError() << "'" << name
                             << "' must have a static number of features (its "
                                "last dimension), got "
                             << type;
  return success();
}

/// The sizes of one dimension of two operands must not contradict.
static LogicalResult verifySameSize(Operation *op, StringRef what,
                                    StringRef nameA, int64_t a, StringRef nameB,
                                    int64_t b) {
  if (succeeded(verifyCompatibleShape({a}, {b})))
    return success();
  return op->emitOpError() << "'" << nameA << "' and '" << nameB
                           << "' must have the same " << what << ", got " << a
                           << " and " << b;
}

LogicalResult attn::verifyPairwiseOperands(Operation *op, Value query,
                                           Value key, Value value) {
  RankedTensorType q = tensorOf(query), k = tensorOf(key), v = tensorOf(value);
  if (failed(verifyRows(op, "query", q, kMostAxes)) ||
      failed(verifyRows(op, "key", k, kMostAxes)) ||
      failed(verifyRows(op, "value", v, kMostAxes)))
    return failure();
  for (auto [name, type] : {std::pair("key", k), {"value", v}})
    if (type.getRank() != q.getRank()) // attend_c23
      return op->emitOpError()
             << "'" << name << "' must have the rank of 'query', expected "
             << q.getRank() << ", got " << type.getRank();
  for (auto [name, type] : {std::pair("key", k), {"value", v}})
    if (type.getElementType() != q.getElementType()) // attend_c2
      return op->emitOpError()
             << "'" << name << "' must have the element type of "
             << "'query', expected " << q.getElementType() << ", got "
             << type.getElementType();
  auto same = [&](StringRef what, StringRef a, RankedTensorType ta, StringRef b,
                  RankedTensorType tb, int dim) {
    return verifySameSize(op, what, a, ta.getDimSize(dim), b,
                          tb.getDimSize(dim));
  };
  auto sameBatch = [&](StringRef a, Value va, StringRef b, Value vb) {
    if (hasSharedBatch(va) || hasSharedBatch(vb))
      return success();
    return same("batch size (dimension 0) or a static 1", a, tensorOf(va), b,
                tensorOf(vb), 0);
  };
  if (failed(sameBatch("query", query, "key", key)) ||
      failed(sameBatch("query", query, "value", value)) ||
      failed(sameBatch("key", key, "value", value)))
    return failure(); // attend_c5
  if (failed(same("number of heads (dimension 1)", "key", k, "value", v, 1)))
    return failure(); // attend_c6
  for (int dim = 2; dim + 1 < k.getRank(); ++dim)
    if (failed(same("number of rows (dimension " + std::to_string(dim) + ")",
                    "key", k, "value", v, dim)))
      return failure(); // attend_c7
  int64_t heads = q.getDimSize(1), keyHeads = k.getDimSize(1);
  if (!q.isDynamicDim(1) && !k.isDynamicDim(1) &&
      (keyHeads == 0 || heads % keyHeads)) // attend_c6
    return op->emitOpError() << "'query' must have a multiple of the heads of "
                             << "'key', got " << heads << " and " << keyHeads;
  return success();
}

FailureOr<int64_t> attn::verifyPairwiseRegions(Operation *op,
                                               const PairwiseRegions &regions,
                                               Value query, Value key,
                                               Value value) {
  Type element = getAccumulatorType(tensorOf(query).getElementType());
  int64_t axes = getNumAxes(query);
  auto rows = [&](Region &region, StringRef name, Value operand) {
    int64_t width = tensorOf(operand).getShape().back();
    return verifyRowRegion(op, region, name, width, element, axes);
  };
  auto dq = rows(regions.queryRows, "query", query);
  auto dk = rows(regions.keyRows, "key", key);
  auto dv = rows(regions.valueRows, "value", value);
  if (failed(dq) || failed(dk) || failed(dv) ||
      failed(verifyPairRegion(op, regions.score, "score", element, axes)) ||
      failed(verifyMaskRegion(op, regions.mask, axes)) ||
      failed(verifyKeysRegion(op, regions.keys)) ||
      failed(verifyPairRegion(op, regions.prob, "prob", element, axes)))
    return failure();
  if (axes > 1 && !regions.keys.empty()) // attend_c24
    return op->emitOpError("region 'keys' needs one axis of tokens, got ")
           << axes;
  if (*dq != *dk) // attend_c4
    return op->emitOpError()
           << "'query' and 'key' rows must have the same number "
           << "of features, got " << *dq << " and " << *dk;
  return *dv;
}

LogicalResult attn::verifyResult(Operation *op, StringRef name, Value result,
                                 ArrayRef<int64_t> shape, Type element) {
  auto type = tensorOf(result);
  auto expected = RankedTensorType::get(shape, element);
  if (type.getElementType() != element ||
      failed(verifyCompatibleShape(type.getShape(), shape)))
    return op->emitOpError()
           << "'" << name << "' must be " << expected << ", got " << type;
  return success();
}

/// A size in words: "2", or "a dynamic size".
static std::string sizeInWords(int64_t size) {
  return ShapedType::isDynamic(size) ? "a dynamic size" : std::to_string(size);
}

LogicalResult
attn::verifySegments(Operation *op, Value segments,
                     ArrayRef<std::pair<StringRef, Value>> packed) {
  RankedTensorType type = tensorOf(segments);
  Type element = type.getElementType();
  if (type.getRank() != 1 || type.getDimSize(0) == 0 ||
      !(element.isSignlessInteger(32) || element.isSignlessInteger(64)))
    return op->emitOpError(
               "'segments' must be a tensor of i32 or i64 with one "
               "offset more than there are segments ([G + 1]), got ")
           << type; // recur_c19
  for (auto [name, operand] : packed)
    if (!hasSharedBatch(operand)) // recur_c20
      return op->emitOpError(
                 "with 'segments' the sequences lie in one batch: '")
             << name
             << "' must have the static batch size (dimension 0) 1, got "
             << sizeInWords(tensorOf(operand).getDimSize(0));
  return success();
}

int64_t attn::getNumSegments(Value segments) {
  int64_t offsets = tensorOf(segments).getDimSize(0);
  return ShapedType::isDynamic(offsets) ? offsets : offsets - 1;
}
