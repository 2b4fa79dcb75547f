//===- BlockClassesTest.cpp - Classes of blocks against masks -------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What BlockClasses says of a block of pairs is compared with the mask, pair by
// pair, over all blocks of small grids: for the masks that the catalogue has or
// is going to have, written out by formula, and for random ones.
//
//===----------------------------------------------------------------------===//

#include "passes/sparsity/BlockClasses.h"
#include "MaskModule.h"
#include "dialect/AttnDialect.h"
#include "passes/Passes.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"
#include <gtest/gtest.h>
#include <map>

using namespace mlir;
using namespace attn;
using namespace attn::test;

namespace {
using Numbers = std::vector<int64_t>;

/// How many blocks there are of each class, and how many are mixed without
/// need.
struct Counts {
  int64_t empty = 0, full = 0, mixed = 0, needless = 0, wrong = 0;

  void add(const Counts &other) {
    empty += other.empty;
    full += other.full;
    mixed += other.mixed;
    needless += other.needless;
    wrong += other.wrong;
  }
  int64_t getSum() const { return empty + full + mixed; }
  void print(StringRef name) const {
    llvm::outs() << llvm::formatv(
        "{0}: {1} empty, {2} full, {3} mixed ({4:f1} %), {5} of them without "
        "need\n",
        name, empty, full, mixed, 100.0 * double(mixed) / double(getSum()),
        needless);
  }
};

/// A mask and what is emitted for blocks of it.
class Classified {
public:
  Classified(MLIRContext &context, const Mask &mask);

  bool isParsed() const { return bool(parsed); }
  bool isObstructed() const { return obstructed; }
  Counts count();

private:
  std::optional<TableBounds> findBounds(Value table, unsigned dim,
                                        unsigned axis);
  void emit(Region &region);
  Counts countHead(int64_t batch, int64_t head);
  void countBlock(ArrayRef<Numbers> queries, ArrayRef<Numbers> keys,
                  const Numbers &classes, int64_t batch, int64_t head,
                  Counts &counts);

  const Mask &mask;
  MaskModule parsed;
  Region classes;
  std::optional<RegionProgram> allowed, classify;
  bool obstructed = false;
};
} // namespace

Classified::Classified(MLIRContext &context, const Mask &mask)
    : mask(mask), parsed(context, mask) {
  if (!isParsed())
    return;
  Region &region = parsed.getRegion();
  allowed.emplace(region.front(), region.front().getTerminator()->getOperands(),
                  parsed.tables);
  emit(region);
}

/// Bounds of blocks of a table, computed here.
std::optional<TableBounds> Classified::findBounds(Value value, unsigned dim,
                                                  unsigned axis) {
  Table &table = *parsed.tables.lookup(value);
  size_t place = axis - 2, rank = mask.queries.size();
  int64_t width = place < rank ? mask.boxQ[place] : mask.boxK[place - rank];
  Operation *op = parsed.getOp();
  OpBuilder b(op);
  auto bounds = BlockBoundsOp::create(b, op->getLoc(), value.getType(),
                                      value.getType(), value, dim, width);
  Table least = table;
  least.shape[dim] = llvm::divideCeil(table.shape[dim], width);
  least.elements.assign(least.elements.size(),
                        std::numeric_limits<int64_t>::max());
  Table largest = least;
  largest.elements.assign(least.elements.size(),
                          std::numeric_limits<int64_t>::min());
  Numbers at(table.shape.size());
  for (int64_t n = 0; n < int64_t(table.elements.size()); ++n) {
    int64_t rest = n;
    for (size_t d = at.size(); d-- > 0; rest /= table.shape[d])
      at[d] = rest % table.shape[d];
    at[dim] /= width;
    int64_t &lo = *least.find(at), &hi = *largest.find(at);
    lo = std::min(lo, table.elements[n]);
    hi = std::max(hi, table.elements[n]);
  }
  for (auto [result, bound] :
       {std::pair(bounds.getLeast(), least), {bounds.getLargest(), largest}}) {
    parsed.addTable(result, bound);
  }
  return TableBounds{bounds.getLeast(), bounds.getLargest(), width};
}

void Classified::emit(Region &region) {
  Block &block = classes.emplaceBlock();
  size_t rank = mask.queries.size(), axes = 2 * rank;
  Operation *op = parsed.getOp();
  Type index = IndexType::get(op->getContext());
  for (size_t i = 0; i < 2 + 2 * axes; ++i)
    block.addArgument(index, op->getLoc());
  ImplicitLocOpBuilder b(op->getLoc(), op->getContext());
  b.setInsertionPointToEnd(&block);
  auto find = [&](Value table, unsigned dim, unsigned axis) {
    return findBounds(table, dim, axis);
  };
  BlockClasses evaluator(region, b, find);
  evaluator.bind(0, block.getArgument(0));
  evaluator.bind(1, block.getArgument(1));
  for (size_t axis = 0; axis < axes; ++axis)
    evaluator.bind(2 + axis,
                   BlockAxis{block.getArgument(2 + 2 * axis),
                             block.getArgument(3 + 2 * axis),
                             axis < rank ? mask.steps[axis]
                                         : mask.getKeySteps()[axis - rank]});
  BlockClass result = evaluator.evaluate();
  obstructed = evaluator.getObstacle();
  classify.emplace(block, ValueRange{result.some, result.all}, parsed.tables);
}

/// The tokens of each block along one axis: classes of the step, each cut into
/// boxes.
static std::vector<Numbers> cutAxis(int64_t size, int64_t box, int64_t step) {
  std::vector<Numbers> blocks;
  for (int64_t rest = 0; rest < step; ++rest)
    for (int64_t first = rest; first < size; first += box * step) {
      Numbers &block = blocks.emplace_back();
      for (int64_t n = 0; n < box && first + n * step < size; ++n)
        block.push_back(first + n * step);
    }
  return blocks;
}

/// All ways to take one of each of `lists`.
static std::vector<std::vector<Numbers>>
combine(const std::vector<std::vector<Numbers>> &lists) {
  std::vector<std::vector<Numbers>> result{{}};
  for (const std::vector<Numbers> &list : lists) {
    std::vector<std::vector<Numbers>> longer;
    for (const std::vector<Numbers> &before : result)
      for (const Numbers &one : list) {
        longer.push_back(before);
        longer.back().push_back(one);
      }
    result = std::move(longer);
  }
  return result;
}

/// Calls `visit` with the coordinates of each token of a box.
static void forEachToken(ArrayRef<Numbers> box,
                         llvm::function_ref<void(const Numbers &)> visit) {
  Numbers at;
  std::function<void(size_t)> walk = [&](size_t axis) {
    if (axis == box.size())
      return visit(at);
    for (int64_t token : box[axis]) {
      at.push_back(token);
      walk(axis + 1);
      at.pop_back();
    }
  };
  walk(0);
}

void Classified::countBlock(ArrayRef<Numbers> queries, ArrayRef<Numbers> keys,
                            const Numbers &classes, int64_t batch, int64_t head,
                            Counts &counts) {
  bool some = false, all = true;
  forEachToken(queries, [&](const Numbers &query) {
    forEachToken(keys, [&](const Numbers &key) {
      Numbers arguments{batch, head};
      arguments.insert(arguments.end(), query.begin(), query.end());
      arguments.insert(arguments.end(), key.begin(), key.end());
      bool keeps = allowed->run(arguments)[0];
      some |= keeps;
      all &= keeps;
    });
  });
  bool isFull = classes[1], isEmpty = !classes[0];
  counts.wrong += (isEmpty && some) || (isFull && !all);
  counts.empty += isEmpty;
  counts.full += isFull && !isEmpty;
  counts.mixed += !isEmpty && !isFull;
  counts.needless += !isEmpty && !isFull && (!some || all);
}

Counts Classified::countHead(int64_t batch, int64_t head) {
  std::vector<std::vector<Numbers>> queryAxes, keyAxes;
  for (size_t axis = 0; axis < mask.queries.size(); ++axis) {
    queryAxes.push_back(
        cutAxis(mask.queries[axis], mask.boxQ[axis], mask.steps[axis]));
    keyAxes.push_back(
        cutAxis(mask.keys[axis], mask.boxK[axis], mask.getKeySteps()[axis]));
  }
  Counts counts;
  auto keyBoxes = combine(keyAxes);
  for (const auto &queries : combine(queryAxes))
    for (const auto &keys : keyBoxes) {
      Numbers arguments{batch, head};
      for (const auto &box : {queries, keys})
        for (const Numbers &axis : box) {
          arguments.push_back(axis.front());
          arguments.push_back(axis.back());
        }
      countBlock(queries, keys, classify->run(arguments), batch, head, counts);
    }
  return counts;
}

Counts Classified::count() {
  Counts counts;
  for (int64_t batch = 0; batch < mask.batches; ++batch)
    for (int64_t head = 0; head < mask.heads; ++head)
      counts.add(countHead(batch, head));
  return counts;
}

TEST(BlockClasses, MasksOfTheCatalogueOverAllBlocks) {
  MLIRContext context;
  loadMaskDialects(context);
  std::map<std::string, Counts> totals;
  for (const Mask &mask : getCatalogueMasks()) {
    SCOPED_TRACE(mask.name + "\n" + mask.body);
    Classified classified(context, mask);
    ASSERT_TRUE(classified.isParsed());
    EXPECT_FALSE(classified.isObstructed());
    Counts counts = classified.count();
    EXPECT_EQ(counts.wrong, 0);
    if (mask.isExact)
      EXPECT_EQ(counts.needless, 0);
    totals[mask.name + (mask.isExact ? "" : " (not exact)")].add(counts);
  }
  // These are promised to be exact.
  for (const char *name :
       {"causal", "window", "prefix", "document", "document-causal",
        "document-window", "neighborhood-1d", "neighborhood-2d",
        "neighborhood-3d", "swin", "swin-shifted", "clear, row by row",
        "var-scales", "var-scales-causal"}) {
    const Counts &counts = totals[name];
    EXPECT_GT(counts.empty, 0) << name;
    EXPECT_GT(counts.mixed, 0) << name;
  }
  for (const auto &[name, counts] : totals)
    counts.print(name);
}

TEST(BlockClasses, RandomMasksAreSound) {
  MLIRContext context;
  loadMaskDialects(context);
  RandomMasks masks(/*seed=*/20260102);
  Counts total;
  int64_t bounded = 0, obstructed = 0;
  for (int n = 0; n < 10000 && !testing::Test::HasFailure(); ++n) {
    Mask mask = masks.next();
    Classified classified(context, mask);
    ASSERT_TRUE(classified.isParsed());
    Counts counts = classified.count();
    EXPECT_EQ(counts.wrong, 0) << getModuleText(mask);
    bounded += counts.empty + counts.full > 0;
    obstructed += classified.isObstructed();
    total.add(counts);
  }
  llvm::outs() << "10000 masks, of " << bounded << " some blocks are known, of "
               << obstructed << " some op is not\n";
  total.print("all blocks");
  // Not vacuous: most masks tell something of some block.
  EXPECT_GE(bounded, 5000);
}

TEST(BlockClasses, ObstaclesAreNamed) {
  MLIRContext context;
  loadMaskDialects(context);
  Mask mask;
  mask.queries = mask.keys = {8};
  mask.boxQ = mask.boxK = {4};
  mask.steps = {1};
  mask.tables = {{"i32", {{8}, Numbers(8, 1)}}};
  // A position that queries and keys both determine has no blocks.
  mask.body = R"(
    %d = arith.subi %i0, %j0 : index
    %x = tensor.extract %t0[%d] : tensor<?xi32>
    %zero = arith.constant 0 : i32
    %k = arith.cmpi ne, %x, %zero : i32
    "test.yield"(%k) : (i1) -> ()
  )";
  EXPECT_TRUE(Classified(context, mask).isObstructed());
}
