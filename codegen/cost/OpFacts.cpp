//===- OpFacts.cpp - What the cost model knows of an op -------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cost/CostModel.h"
#include "codegen/gpu/BlockProblems.h"
#include "codegen/gpu/ScheduleSpace.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace attn;

static RankedTensorType typeOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

static int64_t getBytes(Type element) {
  return std::max<int64_t>(1, element.getIntOrFloatBitWidth() / 8);
}

static double getNumElements(Value value, const SizeOf &sizeOf) {
  double count = 1;
  for (int64_t dim = 0; dim < typeOf(value).getRank(); ++dim)
    count *= double(sizeOf(value, dim));
  return count;
}

/// Bytes of the tensors that an op reads and writes.
static double getIoBytes(Operation *op, const SizeOf &sizeOf) {
  double bytes = 0;
  auto add = [&](Value value) {
    if (auto type = dyn_cast<RankedTensorType>(value.getType()))
      bytes += getNumElements(value, sizeOf) *
               double(getBytes(type.getElementType()));
  };
  llvm::for_each(op->getOperands(), add);
  llvm::for_each(op->getResults(), add);
  return bytes;
}

/// Ops of a region that are executed for each pair, other than constants.
static double countOps(Region &region) {
  double count = 0;
  region.walk([&](Operation *op) {
    if (isa<arith::ConstantOp>(op) || op->hasTrait<OpTrait::IsTerminator>())
      return;
    count += isa<math::MathDialect>(op->getDialect()) ? 12 : 1;
  });
  return count;
}

/// Features that a block copies: of rows that are converted or mapped, or whose
/// rows are no whole registers, or of boxes.
static double getPackedWidth(Value rows, Region &map, int64_t lanes) {
  RankedTensorType type = typeOf(rows);
  Type element = type.getElementType();
  bool isPlain = getNumAxes(rows) == 1 && map.empty() &&
                 type.getShape().back() % lanes == 0 &&
                 getAccumulatorType(element) == element;
  return isPlain ? 0 : double(type.getShape().back());
}

static void setTypes(OpFacts &facts, Value rows) {
  Type element = typeOf(rows).getElementType();
  facts.elementBytes = getBytes(element);
  facts.accumulatorBytes = getBytes(getAccumulatorType(element));
}

static OpFacts describe(AttendOp op, const SizeOf &sizeOf,
                        const TableOf &tableOf, const CostTarget &target) {
  OpFacts facts;
  setTypes(facts, op.getQuery());
  int64_t batches = sizeOf(op.getBatchOperand(), 0);
  facts.heads = double(batches * sizeOf(op.getQuery(), 1));
  facts.keyHeads = double(batches * sizeOf(op.getKey(), 1));
  facts.queries = facts.keys = 1;
  SmallVector<int64_t> extents;
  for (int64_t axis = 0; axis < op.getNumAxes(); ++axis) {
    extents.push_back(sizeOf(op.getQuery(), 2 + axis));
    facts.queries *= double(extents.back());
    facts.keys *= double(sizeOf(op.getKey(), 2 + axis));
  }
  facts.widthQk = double(typeOf(op.getQuery()).getShape().back());
  facts.widthV = double(typeOf(op.getValue()).getShape().back());
  facts.exponentials = op.getNormalizer() == Normalizer::Softmax ? 1 : 0;
  facts.pairOps = countOps(op.getScore()) + countOps(op.getProb());
  facts.kept = std::make_shared<KeptKeys>(op, sizeOf, tableOf);
  if (!facts.kept->hasRange())
    facts.maskOps = countOps(op.getMask());
  if (facts.kept->hasOwnList())
    facts.listOps = facts.maskOps;
  if (target.isGpu()) {
    facts.problem = getProblem(op);
    facts.isNarrow = facts.problem.isNarrow;
    facts.space =
        getGpuScheduleSpace(op, target.sharedBytes, target.threads, extents);
    return facts;
  }
  int64_t lanes = target.vectorBits / 8 / facts.accumulatorBytes;
  facts.widthPacked = getPackedWidth(op.getKey(), op.getKeyRows(), lanes) +
                      getPackedWidth(op.getValue(), op.getValueRows(), lanes);
  facts.space = getCpuScheduleSpace(op, target.vectorBits, extents);
  return facts;
}

static OpFacts describe(RecurOp op, const SizeOf &sizeOf,
                        const CostTarget &target) {
  OpFacts facts;
  facts.kind = OpFacts::Kind::Recur;
  setTypes(facts, op.getQuery());
  facts.heads = double(sizeOf(op.getValue(), 0) * sizeOf(op.getValue(), 1));
  facts.keyHeads = facts.heads;
  facts.queries = facts.keys = double(sizeOf(op.getValue(), 2));
  facts.widthQk = double(op.getStateRows());
  facts.widthV = double(op.getStateColumns());
  facts.decaysPerChannel =
      op.hasGatePerChannel() || op.getWrite() == WriteRule::Tied;
  facts.isBothWays = op.getOrder() == TokenOrder::Bidirectional;
  facts.pairOps =
      countOps(op.getQueryRows()) * facts.widthQk +
      countOps(op.getKeyRows()) * facts.widthQk +
      (countOps(op.getValueRows()) + countOps(op.getNorm())) * facts.widthV;
  if (op.getSegments())
    facts.groups = double(sizeOf(op.getSegments(), 0) - 1);
  if (target.isGpu()) {
    facts.isNarrow = getProblem(op, target.threads).isNarrow;
    facts.space =
        getGpuScheduleSpace(op, target.sharedBytes, target.threads, {});
  } else {
    facts.space = getCpuScheduleSpace(op, target.vectorBits, {});
  }
  return facts;
}

/// Ops that go through their rows once.
static OpFacts describeRows(Operation *op, Value rows, const SizeOf &sizeOf) {
  OpFacts facts;
  facts.kind = OpFacts::Kind::Rows;
  setTypes(facts, rows);
  facts.queries = getNumElements(rows, sizeOf);
  for (Region &region : op->getRegions())
    facts.pairOps += countOps(region);
  return facts;
}

/// Whether an op is in the branch of a version that a call does not take:
/// attn-specialize puts the one for few tokens into the first.
static bool isSkipped(Operation *op, const SizeOf &sizeOf) {
  auto branch = dyn_cast<scf::IfOp>(op->getParentOp());
  if (!branch)
    return false;
  bool isFew = op->getParentRegion() == &branch.getThenRegion();
  Value rows;
  int64_t most = 1;
  if (auto attend = dyn_cast<AttendOp>(op)) {
    rows = attend.getQuery();
    most = kFewQueries;
  } else if (auto recur = dyn_cast<RecurOp>(op)) {
    rows = recur.getValue();
  }
  return rows && isFew != (sizeOf(rows, 2) <= most);
}

std::vector<OpFacts> attn::collectFacts(Operation *function,
                                        const SizeOf &sizeOf,
                                        const TableOf &tableOf,
                                        const CostTarget &target) {
  std::vector<OpFacts> all;
  function->walk([&](Operation *op) {
    OpFacts facts;
    if (isSkipped(op, sizeOf))
      return;
    if (auto attend = dyn_cast<AttendOp>(op))
      facts = describe(attend, sizeOf, tableOf, target);
    else if (auto recur = dyn_cast<RecurOp>(op))
      facts = describe(recur, sizeOf, target);
    else if (auto map = dyn_cast<MapRowsOp>(op))
      facts = describeRows(op, map.getInput(), sizeOf);
    else if (auto merge = dyn_cast<MergeOp>(op))
      facts = describeRows(op, merge.getOutputs(), sizeOf);
    else if (auto reduce = dyn_cast<ReduceOp>(op))
      facts = describeRows(op, reduce.getInput(), sizeOf);
    else
      return;
    facts.name = op->getName().getStringRef();
    facts.isFew = hasFewTokens(op);
    facts.ioBytes = getIoBytes(op, sizeOf);
    if (auto schedule = op->getAttrOfType<ScheduleAttr>("schedule"))
      facts.chosen = getBlockSizes(schedule);
    all.push_back(std::move(facts));
  });
  return all;
}
