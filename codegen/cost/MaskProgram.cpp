//===- MaskProgram.cpp - Regions of integers, for all keys at once --------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A region becomes a list of steps on 64-bit integers, each executed for all
// keys before the next one, or once if it does not depend on the key. Numbers
// of fewer bits are held as signed ones and wrap around where theirs do.
//
//===----------------------------------------------------------------------===//

#include "codegen/cost/MaskProgram.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "passes/sparsity/FormulaText.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace attn;

using Function = int64_t (*)(int64_t, int64_t);

namespace {
/// What an op of integers computes of one or two of them.
struct Evaluation {
  Function function = nullptr;
  bool isUnsigned = false; ///< Operands are filled up with zeros, not signs.
};
} // namespace

/// Bits of a number; an index has as many as a machine word.
static unsigned widthOf(Type type) {
  return isa<IntegerType>(type) ? type.getIntOrFloatBitWidth() : 64;
}

/// The lowest `width` bits of `number`, as a signed number.
static int64_t fillSigned(int64_t number, unsigned width) {
  return llvm::SignExtend64(uint64_t(number), width);
}

static int64_t fillZeros(int64_t number, unsigned width) {
  return number & llvm::maskTrailingOnes<uint64_t>(width);
}

/// `number` as steps hold those of `width` bits: signed, but bits are 0 and 1.
static int64_t wrap(int64_t number, unsigned width) {
  return width == 1 ? number & 1 : fillSigned(number, width);
}

/// Sums and products wrap around; they do so in unsigned arithmetic.
static int64_t sumOf(int64_t x, int64_t y) { return uint64_t(x) + uint64_t(y); }
static int64_t differenceOf(int64_t x, int64_t y) {
  return uint64_t(x) - uint64_t(y);
}
static int64_t productOf(int64_t x, int64_t y) {
  return uint64_t(x) * uint64_t(y);
}

/// Division by zero is undefined in a region; here it only must not trap.
/// INT64_MIN, which -1 does not divide, is not a number here.
static int64_t quotient(int64_t x, int64_t y) { return y ? x / y : 0; }
static int64_t restOf(int64_t x, int64_t y) { return y ? x % y : 0; }
static int64_t floorOf(int64_t x, int64_t y) {
  return y ? llvm::divideFloorSigned(x, y) : 0;
}
static int64_t ceilOf(int64_t x, int64_t y) {
  return y ? llvm::divideCeilSigned(x, y) : 0;
}
static int64_t unsignedQuotient(int64_t x, int64_t y) {
  return y ? uint64_t(x) / uint64_t(y) : 0;
}
static int64_t unsignedRest(int64_t x, int64_t y) {
  return y ? uint64_t(x) % uint64_t(y) : 0;
}
static int64_t unsignedCeil(int64_t x, int64_t y) {
  return sumOf(unsignedQuotient(x, y), unsignedRest(x, y) != 0);
}

/// Shifts by as many bits as a number has, or more, are undefined.
static int64_t shiftLeft(int64_t x, int64_t y) {
  return uint64_t(y) < 64 ? uint64_t(x) << y : 0;
}
static int64_t shiftRight(int64_t x, int64_t y) {
  return uint64_t(y) < 64 ? x >> y : 0;
}
static int64_t unsignedShiftRight(int64_t x, int64_t y) {
  return uint64_t(y) < 64 ? uint64_t(x) >> y : 0;
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

static bool isUnsignedComparison(arith::CmpIPredicate predicate) {
  using Predicate = arith::CmpIPredicate;
  return llvm::is_contained(
      {Predicate::ult, Predicate::ule, Predicate::ugt, Predicate::uge},
      predicate);
}

/// What ops of numbers that are filled up with zeros compute.
static Function getUnsigned(Operation *op) {
  return llvm::TypeSwitch<Operation *, Function>(op)
      .Case<arith::ExtUIOp, arith::IndexCastUIOp>(
          [](auto) { return [](int64_t x, int64_t) { return x; }; })
      .Case<arith::MinUIOp>([](auto) {
        return [](int64_t x, int64_t y) -> int64_t {
          return std::min<uint64_t>(x, y);
        };
      })
      .Case<arith::MaxUIOp>([](auto) {
        return [](int64_t x, int64_t y) -> int64_t {
          return std::max<uint64_t>(x, y);
        };
      })
      .Case<arith::ShLIOp>([](auto) { return shiftLeft; })
      .Case<arith::ShRUIOp>([](auto) { return unsignedShiftRight; })
      .Case<arith::DivUIOp>([](auto) { return unsignedQuotient; })
      .Case<arith::RemUIOp>([](auto) { return unsignedRest; })
      .Case<arith::CeilDivUIOp>([](auto) { return unsignedCeil; })
      .Default([](Operation *) -> Function { return nullptr; });
}

/// What ops of signed numbers compute, or of any: only some bits count then.
static Function getSigned(Operation *op) {
  return llvm::TypeSwitch<Operation *, Function>(op)
      .Case<arith::ExtSIOp, arith::IndexCastOp, arith::TruncIOp>(
          [](auto) { return [](int64_t x, int64_t) { return x; }; })
      .Case<arith::AddIOp>([](auto) { return sumOf; })
      .Case<arith::SubIOp>([](auto) { return differenceOf; })
      .Case<arith::MulIOp>([](auto) { return productOf; })
      .Case<arith::AndIOp>(
          [](auto) { return [](int64_t x, int64_t y) { return x & y; }; })
      .Case<arith::OrIOp>(
          [](auto) { return [](int64_t x, int64_t y) { return x | y; }; })
      .Case<arith::XOrIOp>(
          [](auto) { return [](int64_t x, int64_t y) { return x ^ y; }; })
      .Case<arith::MinSIOp>([](auto) {
        return [](int64_t x, int64_t y) { return std::min(x, y); };
      })
      .Case<arith::MaxSIOp>([](auto) {
        return [](int64_t x, int64_t y) { return std::max(x, y); };
      })
      .Case<math::AbsIOp>([](auto) {
        return
            [](int64_t x, int64_t) { return x < 0 ? differenceOf(0, x) : x; };
      })
      .Case<arith::ShRSIOp>([](auto) { return shiftRight; })
      .Case<arith::DivSIOp>([](auto) { return quotient; })
      .Case<arith::RemSIOp>([](auto) { return restOf; })
      .Case<arith::FloorDivSIOp>([](auto) { return floorOf; })
      .Case<arith::CeilDivSIOp>([](auto) { return ceilOf; })
      .Default([](Operation *) -> Function { return nullptr; });
}

/// What an op computes; no function if it is none of one or two integers, or of
/// more bits than fit here.
static Evaluation getEvaluation(Operation *op) {
  auto isWide = [](Type type) {
    return type.isInteger() && widthOf(type) > 64;
  };
  if (llvm::any_of(op->getOperandTypes(), isWide) ||
      llvm::any_of(op->getResultTypes(), isWide))
    return {};
  if (auto compare = dyn_cast<arith::CmpIOp>(op))
    return {getComparison(compare.getPredicate()),
            isUnsignedComparison(compare.getPredicate())};
  if (Function function = getUnsigned(op))
    return {function, /*isUnsigned=*/true};
  return {getSigned(op), /*isUnsigned=*/false};
}

MaskProgram::MaskProgram(Region &region, const SizeOf &sizeOf,
                         const TableOf &tableOf)
    : sizeOf(&sizeOf), tableOf(&tableOf) {
  for (Value argument : region.getArguments())
    numbers[argument] = count++;
  for (Operation &op : region.front().without_terminator())
    add(&op);
  for (Value result : region.front().getTerminator()->getOperands())
    results.push_back(get(result));
  this->sizeOf = nullptr;
  this->tableOf = nullptr;
}

unsigned MaskProgram::addConstant(Value value, int64_t number) {
  constants[count] = number;
  return numbers[value] = count++;
}

/// A value of which nothing is known.
unsigned MaskProgram::addUnknown(Value value) {
  hasUnknown = true;
  return addConstant(value, kUnknown);
}

/// The number of a value, which may stand in front of the region.
unsigned MaskProgram::get(Value value) {
  if (auto it = numbers.find(value); it != numbers.end())
    return it->second;
  APInt constant;
  if (matchPattern(value, m_ConstantInt(&constant)) &&
      constant.getBitWidth() <= 64)
    return addConstant(value, value.getType().isInteger(1)
                                  ? int64_t(constant.getZExtValue())
                                  : constant.getSExtValue());
  Operation *op = value.getDefiningOp();
  if (auto dim = dyn_cast_or_null<tensor::DimOp>(op))
    if (std::optional<int64_t> index = dim.getConstantIndex())
      return addConstant(value, (*sizeOf)(dim.getSource(), *index));
  if (op && (getEvaluation(op).function ||
             isa<arith::SelectOp, tensor::ExtractOp>(op))) {
    add(op);
    return numbers[value];
  }
  return addUnknown(value);
}

/// What a table that a mask reads is called: bounds of sequences by their
/// offsets.
static std::string getTableName(Value table) {
  if (auto bounds = table.getDefiningOp<SegmentBoundsOp>())
    table = bounds.getSegments();
  return getTensorName(table);
}

/// A step that reads a table.
void MaskProgram::addRead(tensor::ExtractOp op) {
  std::string name = getTableName(op.getTensor());
  if (!llvm::is_contained(tables, name))
    tables.push_back(name);
  TableRef table = (*tableOf)(op.getTensor());
  if (!table) {
    if (!llvm::is_contained(unknownTables, name))
      unknownTables.push_back(name);
    addUnknown(op.getResult());
    return;
  }
  Step step;
  step.kind = Step::Kind::Read;
  step.table = std::move(table);
  addStep(std::move(step), op);
}

void MaskProgram::addStep(Step step, Operation *op) {
  for (Value operand : op->getOperands())
    if (!isa<TensorType>(operand.getType()))
      step.operands.push_back(get(operand));
  if (step.kind == Step::Kind::Apply && step.operands.size() == 1)
    step.operands.push_back(step.operands[0]);
  step.width = widthOf(op->getOperand(op->getNumOperands() - 1).getType());
  step.resultWidth = widthOf(op->getResult(0).getType());
  step.result = numbers[op->getResult(0)] = count++;
  steps.push_back(std::move(step));
}

void MaskProgram::add(Operation *op) {
  if (op->getNumResults() != 1) {
    for (Value result : op->getResults())
      addUnknown(result);
    return;
  }
  if (auto read = dyn_cast<tensor::ExtractOp>(op))
    return addRead(read);
  Step step;
  Evaluation evaluation = getEvaluation(op);
  step.function = evaluation.function;
  step.isUnsigned = evaluation.isUnsigned;
  if (isa<arith::SelectOp>(op))
    step.kind = Step::Kind::Select;
  else if (!step.function)
    return void(get(op->getResult(0)));
  // What decides a result although the other operand is not known.
  bool isBit = op->getResult(0).getType().isInteger(1);
  if (isa<arith::AndIOp>(op))
    step.decisive = 0;
  else if (isa<arith::OrIOp>(op) && isBit)
    step.decisive = 1;
  addStep(std::move(step), op);
}

//===----------------------------------------------------------------------===//
// Execution
//===----------------------------------------------------------------------===//

namespace {
/// A number for each key, or one for all.
struct Column {
  explicit Column(const MaskProgram::Numbers &numbers)
      : data(numbers.data()), stride(numbers.size() > 1) {}
  int64_t operator[](size_t key) const { return data[key * stride]; }

  const int64_t *data;
  size_t stride;
};
} // namespace

int64_t MaskProgram::Step::apply(int64_t x, int64_t y) const {
  if (width < 64) {
    auto fill = isUnsigned ? fillZeros : fillSigned;
    x = fill(x, width);
    y = fill(y, width);
  }
  int64_t result = function(x, y);
  return resultWidth < 64 ? wrap(result, resultWidth) : result;
}

void MaskProgram::execute(const Step &step, ArrayRef<Numbers> values,
                          Numbers &out) {
  SmallVector<Column, 3> of;
  for (unsigned operand : step.operands)
    of.emplace_back(values[operand]);
  switch (step.kind) {
  case Step::Kind::Select:
    for (size_t key = 0; key < out.size(); ++key) {
      int64_t chosen = of[0][key] ? of[1][key] : of[2][key];
      bool isOpen = of[0][key] == kUnknown && of[1][key] != of[2][key];
      out[key] = isOpen ? kUnknown : chosen;
    }
    return;
  case Step::Kind::Apply:
    for (size_t key = 0; key < out.size(); ++key) {
      int64_t x = of[0][key], y = of[1][key];
      if (x != kUnknown && y != kUnknown)
        out[key] = step.apply(x, y);
      else
        out[key] =
            x == step.decisive || y == step.decisive ? step.decisive : kUnknown;
    }
    return;
  case Step::Kind::Read: {
    SmallVector<int64_t, 3> index(of.size());
    for (size_t key = 0; key < out.size(); ++key) {
      for (auto [to, from] : llvm::zip_equal(index, of))
        to = from[key];
      std::optional<int64_t> element = step.table->get(index);
      out[key] = element ? wrap(*element, step.resultWidth) : kUnknown;
    }
    return;
  }
  }
}

std::vector<MaskProgram::Numbers>
MaskProgram::run(std::vector<Numbers> arguments, int64_t width) const {
  std::vector<Numbers> values(std::move(arguments));
  values.resize(count);
  for (auto [number, value] : constants)
    values[number] = {value};
  for (const Step &step : steps) {
    bool isVaried = llvm::any_of(
        step.operands, [&](unsigned n) { return values[n].size() != 1; });
    Numbers &out = values[step.result];
    out.resize(isVaried ? width : 1);
    execute(step, values, out);
  }
  std::vector<Numbers> out;
  for (unsigned result : results)
    out.push_back(values[result]);
  return out;
}
