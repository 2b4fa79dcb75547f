//===- RegionProgram.cpp - Regions of integer arithmetic, run fast --------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RegionProgram.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace attn::test;

int64_t *Table::find(ArrayRef<int64_t> indices) {
  int64_t place = 0;
  for (auto [index, size] : llvm::zip(indices, shape)) {
    if (index < 0 || index >= size)
      return nullptr;
    place = place * size + index;
  }
  return &elements[place];
}

namespace {
enum Kind {
  Constant,
  Add,
  Sub,
  Mul,
  DivS,
  DivU,
  FloorDiv,
  CeilDiv,
  CeilDivU,
  RemS,
  RemU,
  MinS,
  MaxS,
  MinU,
  MaxU,
  Abs,
  And,
  Or,
  XOr,
  Select,
  Compare,
  Signed,
  Unsigned,
  Extract,
  Dim,
  Other
};
} // namespace

static Kind kindOf(Operation *op) {
  return llvm::StringSwitch<Kind>(op->getName().getStringRef())
      .Case("arith.constant", Constant)
      .Case("arith.addi", Add)
      .Case("arith.subi", Sub)
      .Case("arith.muli", Mul)
      .Case("arith.divsi", DivS)
      .Case("arith.divui", DivU)
      .Case("arith.floordivsi", FloorDiv)
      .Case("arith.ceildivsi", CeilDiv)
      .Case("arith.ceildivui", CeilDivU)
      .Case("arith.remsi", RemS)
      .Case("arith.remui", RemU)
      .Case("arith.minsi", MinS)
      .Case("arith.maxsi", MaxS)
      .Case("arith.minui", MinU)
      .Case("arith.maxui", MaxU)
      .Case("math.absi", Abs)
      .Case("arith.andi", And)
      .Case("arith.ori", Or)
      .Case("arith.xori", XOr)
      .Case("arith.select", Select)
      .Case("arith.cmpi", Compare)
      .Cases({"arith.extsi", "arith.index_cast", "arith.trunci"}, Signed)
      .Cases({"arith.extui", "arith.index_castui"}, Unsigned)
      .Case("tensor.extract", Extract)
      .Case("tensor.dim", Dim)
      .Default(Other);
}

static unsigned widthOf(Type type) {
  return type.isIntOrIndex() && !type.isIndex() ? type.getIntOrFloatBitWidth()
                                                : 64;
}

/// `value` as a number of `width` bits; bits are 0 and 1.
static int64_t wrap(uint64_t value, unsigned width) {
  if (width == 64)
    return value;
  return width == 1 ? value & 1 : llvm::SignExtend64(value, width);
}

static uint64_t toUnsigned(int64_t value, unsigned width) {
  return width == 64 ? value : value & llvm::maskTrailingOnes<uint64_t>(width);
}

RegionProgram::RegionProgram(Block &block, ValueRange wanted, Tables tables)
    : tables(std::move(tables)), numArguments(block.getNumArguments()) {
  for (Value argument : block.getArguments())
    slotOf(argument);
  for (Operation &op : block) {
    if (op.getNumResults() != 1)
      continue;
    Step step{&op, {}, 0, widthOf(op.getResult(0).getType()), kindOf(&op), 0};
    for (Value operand : op.getOperands())
      step.operands.push_back(slotOf(operand));
    APInt number;
    if (matchPattern(op.getResult(0), m_ConstantInt(&number)))
      step.detail =
          step.width == 1 ? number.getZExtValue() : number.getSExtValue();
    if (auto compare = dyn_cast<arith::CmpIOp>(op)) {
      step.detail = int64_t(compare.getPredicate());
      step.width = widthOf(compare.getLhs().getType());
    }
    if (isa<arith::ExtUIOp, arith::IndexCastUIOp>(op))
      step.detail = widthOf(op.getOperand(0).getType());
    step.result = slotOf(op.getResult(0));
    steps.push_back(step);
  }
  for (Value value : wanted)
    results.push_back(slotOf(value));
  numbers.resize(slots.size());
}

unsigned RegionProgram::slotOf(Value value) {
  return slots.try_emplace(value, slots.size()).first->second;
}

static bool compare(arith::CmpIPredicate predicate, int64_t x, int64_t y,
                    unsigned width) {
  uint64_t p = toUnsigned(x, width), q = toUnsigned(y, width);
  using Predicate = arith::CmpIPredicate;
  switch (predicate) {
  case Predicate::eq:
    return p == q;
  case Predicate::ne:
    return p != q;
  case Predicate::slt:
    return x < y;
  case Predicate::sle:
    return x <= y;
  case Predicate::sgt:
    return x > y;
  case Predicate::sge:
    return x >= y;
  case Predicate::ult:
    return p < q;
  case Predicate::ule:
    return p <= q;
  case Predicate::ugt:
    return p > q;
  case Predicate::uge:
    return p >= q;
  }
  return false;
}

/// Quotients; what they do not define is 0.
static int64_t divide(int kind, int64_t x, int64_t y, unsigned width) {
  uint64_t p = toUnsigned(x, width), q = toUnsigned(y, width);
  if (y == 0 || (y == -1 && x == std::numeric_limits<int64_t>::min()))
    return 0;
  switch (kind) {
  case DivS:
    return x / y;
  case RemS:
    return x % y;
  case FloorDiv:
    return x / y - (x % y != 0 && (x < 0) != (y < 0));
  case CeilDiv:
    return x / y + (x % y != 0 && (x < 0) == (y < 0));
  case DivU:
    return p / q;
  case CeilDivU:
    return p / q + (p % q != 0);
  default:
    return p % q;
  }
}

int64_t RegionProgram::execute(const Step &step, const int64_t *numbers) {
  auto x = [&](unsigned i) { return numbers[step.operands[i]]; };
  auto u = [&](unsigned i) { return toUnsigned(x(i), step.width); };
  switch (step.kind) {
  case Constant:
    return step.detail;
  case Add:
    return uint64_t(x(0)) + uint64_t(x(1));
  case Sub:
    return uint64_t(x(0)) - uint64_t(x(1));
  case Mul:
    return uint64_t(x(0)) * uint64_t(x(1));
  case DivS:
  case DivU:
  case FloorDiv:
  case CeilDiv:
  case CeilDivU:
  case RemS:
  case RemU:
    return divide(step.kind, x(0), x(1), step.width);
  case MinS:
    return std::min(x(0), x(1));
  case MaxS:
    return std::max(x(0), x(1));
  case MinU:
    return std::min(u(0), u(1));
  case MaxU:
    return std::max(u(0), u(1));
  case Abs:
    return x(0) < 0 ? -uint64_t(x(0)) : x(0);
  case And:
    return x(0) & x(1);
  case Or:
    return x(0) | x(1);
  case XOr:
    return x(0) ^ x(1);
  case Select:
    return x(0) ? x(1) : x(2);
  case Compare:
    return compare(arith::CmpIPredicate(step.detail), x(0), x(1), step.width);
  case Signed:
    return x(0);
  case Unsigned:
    return toUnsigned(x(0), step.detail);
  case Extract: {
    SmallVector<int64_t> indices;
    for (unsigned slot : ArrayRef(step.operands).drop_front())
      indices.push_back(numbers[slot]);
    int64_t *element = tables.lookup(step.op->getOperand(0))->find(indices);
    return element ? *element : 0;
  }
  case Dim:
    return tables.lookup(step.op->getOperand(0))->shape[x(1)];
  default:
    llvm::errs() << "cannot run " << *step.op << "\n";
    abort();
  }
}

std::vector<int64_t> RegionProgram::run(ArrayRef<int64_t> arguments) {
  for (unsigned i = 0; i < numArguments; ++i)
    numbers[i] = arguments[i];
  for (const Step &step : steps) {
    unsigned width = step.kind == Compare ? 1 : step.width;
    numbers[step.result] = wrap(execute(step, numbers.data()), width);
  }
  std::vector<int64_t> values;
  for (unsigned slot : results)
    values.push_back(numbers[slot]);
  return values;
}
