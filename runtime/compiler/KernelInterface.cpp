//===- KernelInterface.cpp - The interface of a compiled function ---------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/compiler/KernelInterface.h"
#include "llvm/ADT/STLExtras.h"

using namespace attn;
using llvm::ArrayRef;
using mlir::ShapedType;
using Kind = SizeSource::Kind;

//===----------------------------------------------------------------------===//
// Rules
//===----------------------------------------------------------------------===//

static SizeOperand getOperand(const SizeSource &source) {
  SizeOperand operand;
  if (source.kind == Kind::Argument) {
    operand.argument = source.argument;
    operand.dim = source.dim;
  } else {
    operand.constant = source.constant;
  }
  return operand;
}

/// Adds a rule, unless nothing is known of a size or both are constants, which
/// verifiers have compared.
static void addRule(Interface &interface, SizeRule::Kind kind,
                    const SizeSource &size, const SizeSource &of,
                    std::string why = "") {
  bool isOpen = size.kind != Kind::Unknown && of.kind != Kind::Unknown &&
                !size.more && !of.more && // Rules are on sizes as they are.
                (size.kind == Kind::Argument || of.kind == Kind::Argument);
  if (isOpen)
    interface.rules.push_back(
        {kind, getOperand(size), getOperand(of), std::move(why)});
}

/// What an attend op asks of sizes.
static void addRules(Interface &interface, const AttendFacts &facts) {
  auto equal = SizeRule::Kind::Equal;
  for (size_t i = 1; i < facts.batches.size(); ++i)
    addRule(interface, equal, facts.batches[i], facts.batches[0]);
  addRule(interface, equal, facts.value[1], facts.key[1]);
  // Between heads and features, a size per axis of tokens.
  for (size_t dim = 2; dim + 1 < facts.key.size(); ++dim)
    addRule(interface, equal, facts.value[dim], facts.key[dim]);
  // Query heads are shared out evenly among key heads.
  addRule(interface, SizeRule::Kind::MultipleOf, facts.query[1], facts.key[1]);
  for (size_t dim = 2; dim + 1 < facts.key.size(); ++dim)
    if (facts.needsEqualLengths)
      addRule(interface, equal, facts.key[dim], facts.query[dim],
              ", as the attend op has no alignment");
}

//===----------------------------------------------------------------------===//
// Sizes
//===----------------------------------------------------------------------===//

/// The size as an expression over the dimensions; nothing if it is not known.
static std::optional<SizeExpr> getExpr(const Signature &signature,
                                       ArrayRef<std::string> names,
                                       const SizeSource &source) {
  if (source.kind == Kind::Unknown)
    return std::nullopt;
  if (source.kind == Kind::Constant)
    return SizeExpr::constant(source.constant);
  const std::string &dim =
      signature.arguments[source.argument].dims[source.dim];
  SizeExpr size = SizeExpr::dim(llvm::find(names, dim) - names.begin());
  return source.more ? SizeExpr::binary(SizeExpr::Op::Add, size,
                                        SizeExpr::constant(source.more))
                     : size;
}

static std::vector<StrideLayout> getLayouts(ArrayRef<PortLayout> layouts) {
  std::vector<StrideLayout> result;
  for (const PortLayout &layout : layouts) {
    StrideLayout &entry = result.emplace_back();
    entry.isContiguous = layout.isContiguous;
    if (!layout.isContiguous)
      for (int64_t stride : layout.strides)
        entry.strides.push_back(
            ShapedType::isDynamic(stride) ? StrideLayout::kAny : stride);
  }
  return result;
}

Interface attn::makeInterface(const Signature &signature) {
  Interface interface;
  interface.arguments = signature.arguments;
  interface.results = signature.results;
  interface.argumentLayouts = getLayouts(signature.argumentLayouts);
  interface.resultLayouts = getLayouts(signature.resultLayouts);
  interface.defaults = signature.defaults;
  std::vector<std::string> names = getDimNames(signature.arguments);
  for (const SizeSources &sizes : signature.resultSizes) {
    ShapeExpr &shape = interface.resultShapes.emplace_back();
    for (const SizeSource &size : sizes)
      shape.push_back(getExpr(signature, names, size));
  }
  for (const AttendFacts &facts : signature.attends)
    addRules(interface, facts);
  return interface;
}

std::vector<PortPosition> attn::getPositions(const Signature &signature) {
  std::vector<PortPosition> positions(signature.arguments.size() +
                                      signature.results.size());
  for (auto [i, layout] : llvm::enumerate(signature.argumentLayouts))
    positions[layout.position] = {false, i};
  for (auto [i, layout] : llvm::enumerate(signature.resultLayouts))
    positions[layout.position] = {true, i};
  return positions;
}

//===----------------------------------------------------------------------===//
// Work
//===----------------------------------------------------------------------===//

std::vector<SizeExpr> attn::makeFlopCounts(const Signature &signature) {
  std::vector<std::string> names = getDimNames(signature.arguments);
  std::vector<SizeExpr> counts;
  for (const WorkFacts &facts : signature.work) {
    std::optional<SizeExpr> count =
        SizeExpr::constant(int64_t(facts.flopsPerUnit));
    for (const SizeSource &source : facts.units) {
      std::optional<SizeExpr> size = getExpr(signature, names, source);
      count = count && size ? std::optional(SizeExpr::binary(SizeExpr::Op::Mul,
                                                             *count, *size))
                            : std::nullopt;
    }
    if (!count || !facts.isExact)
      return {};
    counts.push_back(*count);
  }
  return counts;
}

std::vector<double> attn::getAllUnits(const Signature &signature,
                                      ArrayRef<Buffer> arguments) {
  std::vector<double> units;
  for (const WorkFacts &facts : signature.work) {
    double product = 1;
    for (const SizeSource &source : facts.units)
      product *= source.kind == Kind::Argument
                     ? double(arguments[source.argument].sizes[source.dim] +
                              source.more)
                     : double(source.constant);
    units.push_back(product);
  }
  return units;
}

//===----------------------------------------------------------------------===//
// Calls
//===----------------------------------------------------------------------===//

int64_t attn::getExtent(const Buffer &buffer) {
  int64_t last = 0;
  for (auto [size, stride] : llvm::zip(buffer.sizes, buffer.strides)) {
    if (size == 0)
      return 0;
    last += (size - 1) * stride;
  }
  return (last + 1) * getByteSize(buffer.type);
}

std::vector<TensorView> attn::getViews(ArrayRef<Buffer> buffers) {
  std::vector<TensorView> views;
  for (const Buffer &buffer : buffers)
    views.push_back({buffer.data,
                     buffer.type,
                     {buffer.sizes.begin(), buffer.sizes.size()},
                     {buffer.strides.begin(), buffer.strides.size()}});
  return views;
}

llvm::Expected<std::vector<llvm::SmallVector<int64_t, 4>>>
attn::getResultSizes(const Interface &interface, ArrayRef<Buffer> arguments) {
  std::vector<TensorView> inputs = getViews(arguments);
  if (Status status = checkArguments(interface, inputs))
    return toError(std::move(status));
  auto sizes = getResultSizes(interface, TensorViews(inputs));
  if (!sizes)
    return toError(sizes.takeStatus());
  std::vector<llvm::SmallVector<int64_t, 4>> result;
  for (const std::vector<int64_t> &size : *sizes)
    result.emplace_back(size.begin(), size.end());
  return result;
}

llvm::Error attn::toError(Status status) {
  if (!status)
    return llvm::Error::success();
  return llvm::createStringError(status.getMessage());
}
