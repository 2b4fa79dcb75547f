//===- KeptKeys.cpp - Which keys a mask keeps, by samples -----------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A region becomes a list of steps on 64-bit integers, each executed for all
// keys before the next one, or once if it does not depend on the key.
//
//===----------------------------------------------------------------------===//

#include "codegen/cost/KeptKeys.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace attn;

/// Blocks of a head, and heads, that are looked at.
static constexpr int64_t kBlocks = 16, kHeads = 3;

using Numbers = std::vector<int64_t>;
using Function = int64_t (*)(int64_t, int64_t);

/// Division by zero is undefined in a region; here it only must not trap.
static int64_t quotient(int64_t x, int64_t y) { return y ? x / y : 0; }
static int64_t restOf(int64_t x, int64_t y) { return y ? x % y : 0; }
static int64_t floorOf(int64_t x, int64_t y) {
  return y ? llvm::divideFloorSigned(x, y) : 0;
}
static int64_t ceilOf(int64_t x, int64_t y) {
  return y ? llvm::divideCeilSigned(x, y) : 0;
}

static Function getComparison(arith::CmpIPredicate predicate) {
  using Predicate = arith::CmpIPredicate;
  switch (predicate) {
  case Predicate::eq:
    return [](int64_t x, int64_t y) -> int64_t { return x == y; };
  case Predicate::ne:
    return [](int64_t x, int64_t y) -> int64_t { return x != y; };
  case Predicate::slt:
    return [](int64_t x, int64_t y) -> int64_t { return x < y; };
  case Predicate::sle:
    return [](int64_t x, int64_t y) -> int64_t { return x <= y; };
  case Predicate::sgt:
    return [](int64_t x, int64_t y) -> int64_t { return x > y; };
  case Predicate::sge:
    return [](int64_t x, int64_t y) -> int64_t { return x >= y; };
  case Predicate::ult:
    return [](int64_t x, int64_t y) -> int64_t {
      return uint64_t(x) < uint64_t(y);
    };
  case Predicate::ule:
    return [](int64_t x, int64_t y) -> int64_t {
      return uint64_t(x) <= uint64_t(y);
    };
  case Predicate::ugt:
    return [](int64_t x, int64_t y) -> int64_t {
      return uint64_t(x) > uint64_t(y);
    };
  case Predicate::uge:
    return [](int64_t x, int64_t y) -> int64_t {
      return uint64_t(x) >= uint64_t(y);
    };
  }
  return nullptr;
}

/// What an op of two integers computes; null if it is none.
static Function getFunction(Operation *op) {
  return llvm::TypeSwitch<Operation *, Function>(op)
      .Case([](arith::CmpIOp cmp) { return getComparison(cmp.getPredicate()); })
      .Case<arith::AddIOp>(
          [](auto) { return [](int64_t x, int64_t y) { return x + y; }; })
      .Case<arith::SubIOp>(
          [](auto) { return [](int64_t x, int64_t y) { return x - y; }; })
      .Case<arith::MulIOp>(
          [](auto) { return [](int64_t x, int64_t y) { return x * y; }; })
      .Case<arith::AndIOp>(
          [](auto) { return [](int64_t x, int64_t y) { return x & y; }; })
      .Case<arith::OrIOp>(
          [](auto) { return [](int64_t x, int64_t y) { return x | y; }; })
      .Case<arith::XOrIOp>(
          [](auto) { return [](int64_t x, int64_t y) { return x ^ y; }; })
      .Case<arith::MinSIOp, arith::MinUIOp>([](auto) {
        return [](int64_t x, int64_t y) { return std::min(x, y); };
      })
      .Case<arith::MaxSIOp, arith::MaxUIOp>([](auto) {
        return [](int64_t x, int64_t y) { return std::max(x, y); };
      })
      .Case<arith::ShLIOp>([](auto) {
        return [](int64_t x, int64_t y) { return x << (y & 63); };
      })
      .Case<arith::ShRSIOp, arith::ShRUIOp>([](auto) {
        return [](int64_t x, int64_t y) { return x >> (y & 63); };
      })
      .Case<arith::DivSIOp, arith::DivUIOp>([](auto) { return quotient; })
      .Case<arith::RemSIOp, arith::RemUIOp>([](auto) { return restOf; })
      .Case<arith::FloorDivSIOp>([](auto) { return floorOf; })
      .Case<arith::CeilDivSIOp, arith::CeilDivUIOp>([](auto) { return ceilOf; })
      .Default([](Operation *) -> Function { return nullptr; });
}

namespace {
/// Evaluates what a value is for each key.
struct Step {
  enum class Kind { Apply, Select, Copy } kind;
  Function function = nullptr;
  unsigned result;
  SmallVector<unsigned, 3> operands;
};
} // namespace

/// The steps of a region. Values are numbered: first the arguments, b, h, the
/// axes of the query, the axes of the key.
struct KeptKeys::Program {
  explicit Program(Region &mask, const SizeOf &sizeOf) : sizeOf(sizeOf) {
    for (Value argument : mask.getArguments())
      numbers[argument] = count++;
    for (Operation &op : mask.front().without_terminator())
      add(&op);
    result = get(mask.front().getTerminator()->getOperand(0));
  }

  bool isKnown = true;
  unsigned count = 0, result = 0;
  DenseMap<Value, unsigned> numbers;
  std::vector<Step> steps;
  std::map<unsigned, int64_t> constants;
  const SizeOf &sizeOf;

private:
  unsigned addConstant(Value value, int64_t number) {
    constants[count] = number;
    return numbers[value] = count++;
  }
  unsigned get(Value value);
  void add(Operation *op);
};

/// The number of a value, which may stand in front of the region.
unsigned KeptKeys::Program::get(Value value) {
  if (auto it = numbers.find(value); it != numbers.end())
    return it->second;
  APInt constant;
  if (matchPattern(value, m_ConstantInt(&constant)))
    return addConstant(value, value.getType().isInteger(1)
                                  ? int64_t(constant.getZExtValue())
                                  : constant.getSExtValue());
  Operation *op = value.getDefiningOp();
  if (auto dim = dyn_cast_or_null<tensor::DimOp>(op))
    if (std::optional<int64_t> index = dim.getConstantIndex())
      return addConstant(value, sizeOf(dim.getSource(), *index));
  if (op && (getFunction(op) ||
             isa<arith::SelectOp, arith::IndexCastOp, arith::IndexCastUIOp,
                 arith::ExtSIOp, arith::ExtUIOp, arith::TruncIOp>(op))) {
    add(op);
    return numbers[value];
  }
  isKnown = false;
  return addConstant(value, 0);
}

void KeptKeys::Program::add(Operation *op) {
  if (op->getNumResults() != 1)
    return void(isKnown = false);
  Value value = op->getResult(0);
  Step step{Step::Kind::Apply, getFunction(op), 0, {}};
  if (isa<arith::SelectOp>(op))
    step.kind = Step::Kind::Select;
  else if (isa<arith::IndexCastOp, arith::IndexCastUIOp, arith::ExtSIOp,
               arith::ExtUIOp, arith::TruncIOp>(op))
    step.kind = Step::Kind::Copy;
  else if (!step.function)
    return void(get(value));
  for (Value operand : op->getOperands())
    step.operands.push_back(get(operand));
  step.result = numbers[value] = count++;
  steps.push_back(std::move(step));
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

static int64_t multiply(ArrayRef<int64_t> sizes) {
  return std::accumulate(sizes.begin(), sizes.end(), int64_t(1),
                         std::multiplies<>());
}

KeptKeys::KeptKeys(AttendOp op, const SizeOf &sizeOf) {
  heads = sizeOf(op.getQuery(), 1);
  for (int64_t axis = 0; axis < op.getNumAxes(); ++axis) {
    queries.push_back(sizeOf(op.getQuery(), 2 + axis));
    keys.push_back(sizeOf(op.getKey(), 2 + axis));
  }
  numQueries = multiply(queries);
  numKeys = multiply(keys);
  isRange = op.getNumAxes() == 1 && !op.getKeys().empty();
  if (op.getAlignment() == Alignment::End)
    shift = numKeys - numQueries;
  if (op.getMask().empty())
    return;
  if (op.getMask().getArgument(1).use_empty())
    heads = 1; // Each is as the first.
  program = std::make_unique<Program>(op.getMask(), sizeOf);
}

KeptKeys::~KeptKeys() = default;

bool KeptKeys::isUnknown() const { return program && !program->isKnown; }

/// The coordinates of a token.
static SmallVector<int64_t> unflatten(int64_t token,
                                      ArrayRef<int64_t> extents) {
  SmallVector<int64_t> place(extents.size());
  for (size_t axis = extents.size(); axis-- > 0;) {
    place[axis] = token % extents[axis];
    token /= extents[axis];
  }
  return place;
}

const BitVector &KeptKeys::getRow(int64_t head, int64_t query) {
  auto [it, isNew] = rows.try_emplace({head, query});
  BitVector &row = it->second;
  if (!isNew)
    return row;
  // A number for each value, or one for each key.
  std::vector<Numbers> values(program->count, Numbers(1, 0));
  for (auto [number, value] : program->constants)
    values[number] = {value};
  SmallVector<int64_t> place = unflatten(query, queries);
  values[1] = {head};
  for (auto [axis, at] : llvm::enumerate(place))
    values[2 + axis] = {at + (axis == 0 ? shift : 0)};
  size_t axes = keys.size();
  for (size_t axis = 0; axis < axes; ++axis) {
    Numbers &at = values[2 + axes + axis];
    at.resize(numKeys);
    int64_t below = multiply(ArrayRef(keys).drop_front(axis + 1));
    for (int64_t key = 0; key < numKeys; ++key)
      at[key] = key / below % keys[axis];
  }
  for (const Step &step : program->steps) {
    bool isVaried = llvm::any_of(
        step.operands, [&](unsigned n) { return values[n].size() > 1; });
    Numbers &out = values[step.result];
    out.assign(isVaried ? numKeys : 1, 0);
    auto get = [&](unsigned operand, size_t key) {
      const Numbers &from = values[step.operands[operand]];
      return from.size() > 1 ? from[key] : from[0];
    };
    for (size_t key = 0; key < out.size(); ++key)
      out[key] = step.kind == Step::Kind::Copy ? get(0, key)
                 : step.kind == Step::Kind::Select
                     ? (get(0, key) ? get(1, key) : get(2, key))
                     : step.function(get(0, key), get(1, key));
  }
  row.resize(numKeys);
  const Numbers &kept = values[program->result];
  for (int64_t key = 0; key < numKeys; ++key)
    if (kept[kept.size() > 1 ? key : 0] & 1)
      row.set(key);
  return row;
}

//===----------------------------------------------------------------------===//
// Blocks
//===----------------------------------------------------------------------===//

/// Some of `count` things, evenly spread.
static SmallVector<int64_t> sample(int64_t count, int64_t most) {
  SmallVector<int64_t> chosen;
  for (int64_t n = 0; n < std::min(count, most); ++n)
    chosen.push_back(count <= most ? n : (2 * n + 1) * count / (2 * most));
  return chosen;
}

Visits KeptKeys::countAll(const BlockSizes &blocks) const {
  double pairs = double(numQueries) * double(numKeys);
  double steps = double(llvm::divideCeil(numQueries, blocks.q)) *
                 double(llvm::divideCeil(numKeys, blocks.k));
  return {pairs, steps, pairs};
}

/// The hull of what some rows keep: begin and end.
static std::pair<int64_t, int64_t> getHull(ArrayRef<const BitVector *> rows) {
  int64_t begin = INT64_MAX, end = 0;
  for (const BitVector *row : rows)
    if (row->any()) {
      begin = std::min<int64_t>(begin, row->find_first());
      end = std::max<int64_t>(end, row->find_last() + 1);
    }
  return {std::min(begin, end), end};
}

Visits KeptKeys::countRanges(const BlockSizes &blocks, int64_t strip,
                             int64_t head) {
  constexpr int64_t columns = 8;
  auto hullOf = [&](int64_t first, int64_t size) {
    SmallVector<const BitVector *> some;
    for (int64_t part = 0; part < 5; ++part) {
      int64_t row = first + part * (size - 1) / 4;
      some.push_back(&getRow(head, std::min(row, numQueries - 1)));
    }
    return getHull(some);
  };
  Visits visits;
  int64_t strips = llvm::divideCeil(numQueries, strip);
  SmallVector<int64_t> chosen = sample(strips, kBlocks);
  for (int64_t number : chosen) {
    auto [begin, end] = hullOf(number * strip, strip);
    int64_t length = llvm::alignTo(end, columns) - begin / columns * columns;
    visits.pairs += double(strip * length) * strips / chosen.size();
  }
  int64_t count = llvm::divideCeil(numQueries, blocks.q);
  chosen = sample(count, kBlocks);
  for (int64_t number : chosen) {
    auto [begin, end] = hullOf(number * blocks.q, blocks.q);
    int64_t steps = llvm::divideCeil(end, blocks.k) - begin / blocks.k;
    visits.steps += double(steps) * count / chosen.size();
  }
  return visits;
}

namespace {
/// A grid that is cut into boxes.
struct Boxes {
  Boxes(ArrayRef<int64_t> extents, ArrayRef<int64_t> given, int64_t tokens)
      : extents(extents), sizes(given) {
    if (sizes.empty())
      sizes.assign({tokens});
    for (auto [extent, size] : llvm::zip_equal(extents, sizes))
      counts.push_back(llvm::divideCeil(extent, size));
  }

  /// The token at a place in a box; the nearest one if it lies outside.
  int64_t getToken(int64_t box, int64_t place) const {
    SmallVector<int64_t> at = unflatten(box, counts),
                         inside = unflatten(place, sizes);
    int64_t token = 0;
    for (size_t axis = 0; axis < sizes.size(); ++axis)
      token =
          token * extents[axis] +
          std::min(at[axis] * sizes[axis] + inside[axis], extents[axis] - 1);
    return token;
  }

  /// The box of a token, and its place there.
  std::pair<int64_t, int64_t> find(int64_t token) const {
    SmallVector<int64_t> at = unflatten(token, extents);
    int64_t box = 0, place = 0;
    for (size_t axis = 0; axis < sizes.size(); ++axis) {
      box = box * counts[axis] + at[axis] / sizes[axis];
      place = place * sizes[axis] + at[axis] % sizes[axis];
    }
    return {box, place};
  }

  ArrayRef<int64_t> extents;
  SmallVector<int64_t> sizes, counts;
};
} // namespace

/// Strips visit, of each block of keys, the range that some of their rows keep.
Visits KeptKeys::countBoxes(const BlockSizes &blocks, int64_t strip,
                            int64_t head) {
  constexpr int64_t looks = 8;
  Boxes ofQueries(queries, blocks.boxQ, blocks.q),
      ofKeys(keys, blocks.boxK, blocks.k);
  std::vector<std::pair<int64_t, int64_t>> places;
  for (int64_t key = 0; key < numKeys; ++key)
    places.push_back(ofKeys.find(key));
  int64_t boxes = multiply(ofQueries.counts);
  SmallVector<int64_t> chosen = sample(boxes, kBlocks);
  int64_t rows = std::min(strip, blocks.q);
  Visits visits;
  for (int64_t number : chosen) {
    BitVector visited(multiply(ofKeys.counts));
    for (int64_t first = 0; first + rows <= blocks.q; first += rows) {
      BitVector seen(numKeys);
      for (int64_t look = 0; look < looks; ++look)
        seen |=
            getRow(head, ofQueries.getToken(number, first + look * (rows - 1) /
                                                                (looks - 1)));
      std::map<int64_t, std::pair<int64_t, int64_t>> ranges;
      for (int64_t key : seen.set_bits()) {
        auto [box, place] = places[key];
        auto [it, isNew] = ranges.try_emplace(box, place, place);
        it->second.first = std::min(it->second.first, place);
        it->second.second = std::max(it->second.second, place);
      }
      for (auto [box, range] : ranges) {
        visited.set(box);
        visits.pairs += double(rows * (range.second - range.first + 1));
      }
    }
    visits.steps += double(visited.count());
  }
  double share = double(boxes) / double(chosen.size());
  visits.pairs *= share;
  visits.steps *= share;
  return visits;
}

double KeptKeys::countKept(int64_t head) {
  SmallVector<int64_t> chosen = sample(numQueries, 2 * kBlocks);
  double kept = 0;
  for (int64_t query : chosen)
    kept += double(getRow(head, query).count());
  return kept * double(numQueries) / double(chosen.size());
}

Visits KeptKeys::count(const BlockSizes &blocks, int64_t strip) {
  if (numQueries == 0 || numKeys == 0)
    return {};
  if (!program || isUnknown())
    return countAll(blocks);
  Visits sum;
  SmallVector<int64_t> chosen = sample(heads, kHeads);
  for (int64_t head : chosen) {
    Visits visits = isRange ? countRanges(blocks, strip, head)
                            : countBoxes(blocks, strip, head);
    sum.pairs += visits.pairs / double(chosen.size());
    sum.steps += visits.steps / double(chosen.size());
    sum.kept += countKept(head) / double(chosen.size());
  }
  return sum;
}
