//===- FormulaText.cpp - Index arithmetic as a reader writes it -----------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Values are written as infix formulas. A value that is used several times is
// written several times, so the number of ops in a text is limited.
//
//===----------------------------------------------------------------------===//

#include "passes/sparsity/FormulaText.h"
#include "dialect/AttnDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "passes/sparsity/IndexEmitter.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace attn;

/// Ops of a formula that is written out.
static constexpr int kMostOps = 24;

/// The function that has `argument`, if it is one of a function.
static FunctionOpInterface getFunction(BlockArgument argument) {
  return dyn_cast_or_null<FunctionOpInterface>(
      argument.getOwner()->getParentOp());
}

std::string attn::getTensorName(Value tensor) {
  auto argument = dyn_cast<BlockArgument>(tensor);
  FunctionOpInterface function =
      argument ? getFunction(argument) : FunctionOpInterface();
  if (!function)
    return "a computed tensor";
  if (auto name = function.getArgAttrOfType<StringAttr>(argument.getArgNumber(),
                                                        kNameAttr))
    return ("'" + name.getValue() + "'").str();
  return "argument " + std::to_string(argument.getArgNumber());
}

namespace {
/// How tightly the last operation of a text binds.
enum class Level { Condition, Comparison, Sum, Product, Atom };

struct Text {
  std::string text;
  Level level = Level::Atom;
};

/// Writes the values of one `keys` region.
class Writer {
public:
  explicit Writer(Region &keys) : keys(keys) {}

  Text write(Value value);
  /// Whether the formula has too many ops to be read.
  bool isLong() const { return ops > kMostOps; }

private:
  Text writeOp(Operation *op);
  std::string writeSize(tensor::DimOp op);
  std::string nested(Value value, Level level);
  Text infix(Operation *op, StringRef sign, Level level);
  Text call(Operation *op, StringRef name);

  Region &keys;
  int ops = 0;
};
} // namespace

/// `value`, in parentheses if it binds less tightly than `level`.
std::string Writer::nested(Value value, Level level) {
  Text text = write(value);
  return text.level < level ? "(" + text.text + ")" : text.text;
}

Text Writer::infix(Operation *op, StringRef sign, Level level) {
  // What is subtracted or divided by needs parentheses at the same level, too.
  Level right = level == Level::Atom ? level : Level(int(level) + 1);
  std::string lhs = nested(op->getOperand(0), level);
  return {lhs + " " + sign.str() + " " + nested(op->getOperand(1), right),
          level};
}

Text Writer::call(Operation *op, StringRef name) {
  std::string text = name.str() + "(";
  for (auto [number, operand] : llvm::enumerate(op->getOperands()))
    text += (number ? ", " : "") + write(operand).text;
  return {text + ")"};
}

/// "N" for the size of a dimension that has this name.
std::string Writer::writeSize(tensor::DimOp op) {
  std::optional<int64_t> dim = op.getConstantIndex();
  auto argument = dyn_cast<BlockArgument>(op.getSource());
  FunctionOpInterface function =
      argument ? getFunction(argument) : FunctionOpInterface();
  if (function && dim)
    if (auto dims = function.getArgAttrOfType<ArrayAttr>(
            argument.getArgNumber(), kDimsAttr))
      return cast<StringAttr>(dims[*dim]).str();
  return "size " + (dim ? std::to_string(*dim) : "") + " of " +
         getTensorName(op.getSource());
}

Text Writer::write(Value value) {
  APInt number;
  if (matchPattern(value, m_ConstantInt(&number)))
    return {number.getSExtValue() == kEndless
                ? "the end"
                : std::to_string(number.getSExtValue())};
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    static constexpr StringRef names[] = {"b", "h", "first", "last"};
    if (argument.getOwner() == &keys.front())
      return {names[argument.getArgNumber()].str()};
    return {getFunction(argument) ? getTensorName(value) : "an outer index"};
  }
  if (++ops > kMostOps)
    return {"..."};
  return writeOp(value.getDefiningOp());
}

/// The other operand of a minimum with what does not bound.
static Value skipEndless(Operation *op) {
  APInt number;
  for (unsigned i : {0, 1})
    if (isa<arith::MinSIOp>(op) &&
        matchPattern(op->getOperand(i), m_ConstantInt(&number)) &&
        number.getSExtValue() == kEndless)
      return op->getOperand(1 - i);
  return {};
}

/// "x + 1" and "x - 1" for sums with constants.
static std::optional<std::string> writeShift(Operation *op, std::string x) {
  APInt number;
  if (!isa<arith::AddIOp>(op) ||
      !matchPattern(op->getOperand(1), m_ConstantInt(&number)) ||
      !number.isNegative())
    return std::nullopt;
  return x + " - " + std::to_string(-number.getSExtValue());
}

Text Writer::writeOp(Operation *op) {
  if (auto dim = dyn_cast<tensor::DimOp>(op))
    return {writeSize(dim)};
  if (isa<arith::IndexCastOp>(op))
    return write(op->getOperand(0));
  if (Value other = skipEndless(op))
    return write(other);
  if (auto chosen = dyn_cast<arith::SelectOp>(op))
    return {nested(chosen.getCondition(), Level::Comparison) + " ? " +
                nested(chosen.getTrueValue(), Level::Comparison) + " : " +
                nested(chosen.getFalseValue(), Level::Comparison),
            Level::Condition};
  if (isa<arith::AddIOp>(op))
    if (auto text = writeShift(op, nested(op->getOperand(0), Level::Sum)))
      return {*text, Level::Sum};
  if (auto compared = dyn_cast<arith::CmpIOp>(op)) {
    static constexpr StringRef signs[] = {"==", "!=", "<",  "<=", ">",
                                          ">=", "<",  "<=", ">",  ">="};
    return infix(op, signs[size_t(compared.getPredicate())], Level::Comparison);
  }
  StringRef name = op->getName().getStringRef();
  StringRef sign = llvm::StringSwitch<StringRef>(name)
                       .Case("arith.addi", "+")
                       .Case("arith.subi", "-")
                       .Case("arith.muli", "*")
                       .Case("arith.divsi", "/")
                       .Case("arith.remsi", "mod")
                       .Case("arith.andi", "and")
                       .Case("arith.ori", "or")
                       .Case("arith.xori", "xor")
                       .Default("");
  if (!sign.empty())
    return infix(op, sign,
                 isa<arith::AddIOp, arith::SubIOp>(op) ? Level::Sum
                 : isa<arith::MulIOp, arith::DivSIOp, arith::RemSIOp>(op)
                     ? Level::Product
                     : Level::Condition);
  return call(op, llvm::StringSwitch<StringRef>(name)
                      .Case("arith.maxsi", "max")
                      .Case("arith.minsi", "min")
                      .Case("arith.floordivsi", "floordiv")
                      .Case("arith.ceildivsi", "ceildiv")
                      .Default(name));
}

/// Two of the values that `keys` yields.
static std::string printRange(Region &keys, unsigned begin) {
  ValueRange bounds = keys.front().getTerminator()->getOperands();
  APInt least, end;
  if (matchPattern(bounds[begin], m_ConstantInt(&least)) &&
      matchPattern(bounds[begin + 1], m_ConstantInt(&end))) {
    if (end.sle(least))
      return "none";
    if (end.getSExtValue() == kEndless && least.isZero())
      return "all";
  }
  Writer writer(keys);
  std::string text = writer.write(bounds[begin]).text + " <= key < ";
  text += writer.write(bounds[begin + 1]).text;
  return writer.isLong() ? "long formulas, which attn-compile --emit=attn shows"
                         : text;
}

std::string attn::printVisited(Region &keys) { return printRange(keys, 0); }
std::string attn::printFull(Region &keys) { return printRange(keys, 2); }
