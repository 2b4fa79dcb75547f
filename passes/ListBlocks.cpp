//===- ListBlocks.cpp - Lists of blocks where ranges do not do ------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Where the keys of a block of queries are not one range that follows from
// positions (data, gaps), the mask is evaluated for pairs of blocks by interval
// arithmetic (passes/sparsity/BlockClasses.h), and attn.block_list writes down
// which are visited. What is known of ranges bounds the pairs that are asked
// for, and so the room for the list. On a grid, where there are no ranges, all
// masks have lists, of boxes.
//
//===----------------------------------------------------------------------===//

#include "dialect/AttnRegions.h"
#include "mlir/IR/Matchers.h"
#include "passes/BoxGrid.h"
#include "passes/Passes.h"
#include "passes/Report.h"
#include "passes/sparsity/BlockClasses.h"
#include "passes/sparsity/FormulaText.h"
#include "passes/sparsity/MaskIntervals.h"
#include "passes/sparsity/RangeWidth.h"
#include "passes/sparsity/TidyBlock.h"
#include <deque>

namespace attn {
#define GEN_PASS_DEF_LISTBLOCKS
#include "passes/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

namespace {
/// Gives one attn.attend its list.
class Lister {
public:
  explicit Lister(AttendOp op);

  void run();

private:
  Value constant(int64_t value) {
    return arith::ConstantIndexOp::create(b, value);
  }
  Value size(Value tensor, int64_t dim) {
    return b.createOrFold<tensor::DimOp>(tensor, dim);
  }
  std::optional<TableBounds> findBounds(Value table, unsigned dim,
                                        unsigned axis);
  bool classify(Region &classes);
  void findRanges();
  Value isInRange(ImplicitLocOpBuilder &inner, Block &classes, unsigned axis);
  Value getMostBlocks(unsigned axis, Value count);
  Value getCapacity();
  SmallVector<Value> getExtents(Value tensor);
  BlockAxis getAxis(Block &classes, unsigned axis);
  BlockListOp createList(Region &classes);

  AttendOp op;
  ImplicitLocOpBuilder b;
  int64_t blockQ, blockK;
  unsigned axes;
  SmallVector<int64_t> boxQ, boxK, step; ///< Also where blocks are no boxes.
  SmallVector<Value> numQueries, numKeys;
  /// Of a grid, the ranges of keys along each axis as `keys` regions.
  std::deque<Region> ranges;
  /// The most keys in the range along each axis; null where it is not known.
  SmallVector<Value> mostKeys;
  /// Bounds by tensor, dimension and width.
  DenseMap<std::tuple<Value, unsigned, int64_t>, BlockBoundsOp> bounds;
};
} // namespace

/// Queries are arguments 2 and following of masks, an index per axis, and keys
/// those behind them.
static constexpr unsigned kQueryAxis = 2;

/// The most tokens of a block whose bounds are known.
static constexpr int64_t kMostWidth = 4096;

Lister::Lister(AttendOp op)
    : op(op), b(op.getLoc(), op), blockQ(op.getScheduleAttr().getBlockQ()),
      blockK(op.getScheduleAttr().getBlockK()), axes(op.getNumAxes()),
      boxQ{blockQ}, boxK{blockK}, step(axes, 1) {
  ScheduleAttr schedule = op.getScheduleAttr();
  if (!schedule.hasBoxes())
    return;
  boxQ.assign(schedule.getBoxQ().asArrayRef());
  boxK.assign(schedule.getBoxK().asArrayRef());
  if (schedule.getStep())
    step.assign(schedule.getStep().asArrayRef());
}

std::optional<TableBounds> Lister::findBounds(Value table, unsigned dim,
                                              unsigned axis) {
  auto type = cast<RankedTensorType>(table.getType());
  Type element = type.getElementType();
  if (!element.isIndex() && element.getIntOrFloatBitWidth() < 8)
    return std::nullopt;
  unsigned place = (axis - kQueryAxis) % axes;
  ArrayRef<int64_t> box = axis < kQueryAxis + axes ? boxQ : boxK;
  // Bounds know no residue classes: they are those of all tokens between.
  int64_t width = box[place] * step[place];
  if (width > kMostWidth)
    return std::nullopt;
  BlockBoundsOp &found = bounds[{table, dim, width}];
  if (!found) {
    SmallVector<int64_t> shape(type.getShape());
    shape[dim] = ShapedType::kDynamic;
    Type result = type.clone(shape);
    found = BlockBoundsOp::create(b, result, result, table,
                                  b.getI64IntegerAttr(dim),
                                  b.getI64IntegerAttr(width));
  }
  return TableBounds{found.getLeast(), found.getLargest(), width};
}

/// What index argument `axis` of the mask, counted from the first query, is in
/// a pair of blocks.
BlockAxis Lister::getAxis(Block &classes, unsigned axis) {
  // First tokens of queries, last ones, and the same of keys.
  unsigned first = 2 + axis + (axis < axes ? 0 : axes);
  return {classes.getArgument(first), classes.getArgument(first + axes),
          step[axis % axes]};
}

/// Fills `classes`; whether that says anything.
bool Lister::classify(Region &classes) {
  Block &block = classes.emplaceBlock();
  for (unsigned i = 0; i < 2 + 4 * axes; ++i)
    block.addArgument(b.getIndexType(), op.getLoc());
  ImplicitLocOpBuilder inner(op.getLoc(), op.getContext());
  inner.setInsertionPointToEnd(&block); // It belongs to no op yet.
  auto find = [&](Value table, unsigned dim, unsigned axis) {
    return findBounds(table, dim, axis);
  };
  BlockClasses evaluator(op.getMask(), inner, find);
  evaluator.bind(0, block.getArgument(0));
  evaluator.bind(1, block.getArgument(1));
  for (unsigned axis = 0; axis < 2 * axes; ++axis)
    evaluator.bind(kQueryAxis + axis, getAxis(block, axis));
  BlockClass result = evaluator.evaluate();
  // There is room for no more than these.
  for (unsigned axis = 0; axis < ranges.size(); ++axis)
    if (mostKeys[axis])
      result.some = inner.createOrFold<arith::AndIOp>(
          result.some, isInRange(inner, block, axis));
  YieldOp::create(inner, ValueRange{result.some, result.all});
  tidy(block);
  auto yield = cast<YieldOp>(block.getTerminator());
  return !matchPattern(yield.getOperand(0), m_One()) ||
         !matchPattern(yield.getOperand(1), m_Zero());
}

//===----------------------------------------------------------------------===//
// Room
//===----------------------------------------------------------------------===//

/// Finds how many keys a block of queries meets along each axis of a grid,
/// whatever their other indices are, and which range they are in.
void Lister::findRanges() {
  for (unsigned axis = 0; axis < axes; ++axis) {
    Region &keys = ranges.emplace_back();
    Block &block = keys.emplaceBlock();
    for (int i = 0; i < 4; ++i)
      block.addArgument(b.getIndexType(), op.getLoc());
    MaskIntervals intervals(op.getMask(), block, /*startsAtZero=*/true, axis);
    SmallVector<Value> bounds = intervals.emit(intervals.evaluate());
    ImplicitLocOpBuilder inner(op.getLoc(), op.getContext());
    inner.setInsertionPointToEnd(&block); // It belongs to no op.
    YieldOp::create(inner, bounds);
    tidy(block);
    mostKeys.push_back(
        RangeWidth(b, keys, (boxQ[axis] - 1) * step[axis]).emit());
  }
}

/// Whether the keys of a pair of blocks reach into the range of keys that has
/// been found along `axis`.
Value Lister::isInRange(ImplicitLocOpBuilder &inner, Block &classes,
                        unsigned axis) {
  BlockAxis queries = getAxis(classes, axis);
  BlockAxis keys = getAxis(classes, axes + axis);
  IRMapping mapping;
  mapping.map(ranges[axis].getArguments(),
              ValueRange{classes.getArgument(0), classes.getArgument(1),
                         queries.first, queries.last});
  Block &block = ranges[axis].front();
  for (Operation &inside : block.without_terminator())
    inner.clone(inside, mapping);
  auto get = [&](unsigned bound) {
    return mapping.lookupOrDefault(block.getTerminator()->getOperand(bound));
  };
  Value begins = arith::CmpIOp::create(inner, arith::CmpIPredicate::sge,
                                       keys.last, get(0));
  Value ends = arith::CmpIOp::create(inner, arith::CmpIPredicate::slt,
                                     keys.first, get(1));
  return arith::AndIOp::create(inner, begins, ends);
}

/// The most blocks along `axis` that a block of queries meets, `count` if that
/// is not known.
Value Lister::getMostBlocks(unsigned axis, Value count) {
  Value most = mostKeys[axis];
  if (!most)
    return count;
  auto divide = [&](Value value, int64_t by) {
    return b.createOrFold<arith::CeilDivSIOp>(value, constant(by));
  };
  // A range that begins inside of a block touches one more, in each class.
  Value touched = b.createOrFold<arith::AddIOp>(
      divide(divide(most, step[axis]), boxK[axis]), constant(1));
  touched = b.createOrFold<arith::MulIOp>(touched, constant(step[axis]));
  return b.createOrFold<arith::MinSIOp>(count, touched);
}

/// The sizes of `tensor` along the axes of tokens.
SmallVector<Value> Lister::getExtents(Value tensor) {
  SmallVector<Value> extents;
  for (unsigned axis = 0; axis < axes; ++axis)
    extents.push_back(size(tensor, 2 + axis));
  return extents;
}

/// Room for the entries of one head: it follows from sizes.
Value Lister::getCapacity() {
  BoxGrid queries(b, numQueries, boxQ, step), keys(b, numKeys, boxK, step);
  Value entries = queries.getCount();
  for (auto [axis, count] : llvm::enumerate(keys.getPlaces()))
    entries =
        b.createOrFold<arith::MulIOp>(entries, getMostBlocks(axis, count));
  return b.createOrFold<arith::MaxSIOp>(entries, constant(1));
}

//===----------------------------------------------------------------------===//
// The list
//===----------------------------------------------------------------------===//

BlockListOp Lister::createList(Region &classes) {
  auto isUsed = [&](unsigned number) {
    return !classes.getArgument(number).use_empty() ||
           (!op.getKeys().empty() &&
            !op.getKeys().getArgument(number).use_empty());
  };
  Value batches = isUsed(0) ? size(op.getBatchOperand(), 0) : Value();
  Value heads = isUsed(1) ? size(op.getQuery(), 1) : Value();
  Value shift;
  if (op.getAlignment() == Alignment::End)
    shift = b.createOrFold<arith::SubIOp>(numKeys.front(), numQueries.front());
  auto type = RankedTensorType::get({batches ? ShapedType::kDynamic : 1,
                                     heads ? ShapedType::kDynamic : 1,
                                     ShapedType::kDynamic},
                                    b.getI32Type());
  ScheduleAttr schedule = op.getScheduleAttr();
  auto list = BlockListOp::create(
      b, type, type, numQueries, numKeys, getCapacity(), shift, batches, heads,
      b.getDenseI64ArrayAttr({blockQ, blockK}), schedule.getBoxQ(),
      schedule.getBoxK(), schedule.getStep());
  list.getClasses().takeBody(classes);
  list.getKeys().takeBody(op.getKeys());
  return list;
}

/// Reports whether `op` gets a list, or why not.
static void reportList(AttendOp op, StringRef decision) {
  report(op.getLoc(), "list") << FactValue("Decision", decision);
}

/// Reports the tensor that `bounds` are of.
static void reportBounds(BlockBoundsOp bounds) {
  report(bounds.getLoc(), "bounds")
      << FactValue("Table", getTensorName(bounds.getTable()))
      << FactValue("Dim", bounds.getAlong())
      << FactValue("Width", bounds.getWidth());
}

void Lister::run() {
  if (hasExactRanges(op))
    return reportList(op, "exact ranges");
  if (op.getScheduleAttr().hasBoxes())
    findRanges();
  else
    mostKeys = {op.getKeys().empty()
                    ? Value()
                    : RangeWidth(b, op.getKeys(), blockQ - 1).emit()};
  Region classes;
  if (!classify(classes)) {
    for (auto &[key, unused] : bounds)
      unused.erase();
    return reportList(op, "nothing known");
  }
  reportList(op, "made");
  numQueries = getExtents(op.getQuery());
  numKeys = getExtents(op.getKey());
  // What `keys` of one axis says is in the mask as well.
  if (op.getScheduleAttr().hasBoxes())
    op.getKeys().getBlocks().clear();
  // Dead ops of the region were the only ones to read some of them.
  BlockListOp list = createList(classes);
  for (auto &[key, candidate] : bounds)
    if (candidate->use_empty())
      candidate.erase();
    else
      reportBounds(candidate);
  op.getOffsetsMutable().assign(list.getOffsets());
  op.getBlocksMutable().assign(list.getBlocks());
  op.setBlockSizes(ArrayRef<int64_t>{blockQ, blockK});
}

namespace {
struct ListBlocks : attn::impl::ListBlocksBase<ListBlocks> {
  void runOnOperation() override {
    SmallVector<AttendOp> ops;
    getOperation().walk([&](AttendOp op) {
      if (!op.getMask().empty() && !op.getOffsets())
        ops.push_back(op);
    });
    for (AttendOp op : ops) {
      if (!op.getScheduleAttr()) {
        op.emitOpError("has no schedule; run attn-select-schedule first");
        return signalPassFailure();
      }
      // Few queries have one block, and share its keys.
      if (op.getScheduleAttr().getSplits())
        reportList(op, "few queries");
      else
        Lister(op).run();
    }
  }
};
} // namespace
