//===- RandomMasks.cpp - Masks of random ops ------------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BlockMasks.h"

using namespace attn::test;

std::string RandomMasks::define(const std::string &rhs) {
  std::string name = "%v" + std::to_string(names++);
  mask.body += name + " = " + rhs + "\n";
  return name;
}

std::string RandomMasks::binary(const std::string &op, const std::string &x,
                                const std::string &y, const std::string &type) {
  return define(op + " " + x + ", " + y + " : " + type);
}

std::string RandomMasks::constant(int64_t value, const std::string &type) {
  return define("arith.constant " + std::to_string(value) + " : " + type);
}

std::string RandomMasks::axis() {
  std::string side = pick(0, 1) ? "%i" : "%j";
  return side + std::to_string(pick(0, mask.queries.size() - 1));
}

/// An element of one of the tables: by head, or by the position of a token.
std::string RandomMasks::read(int depth, const std::string &type) {
  int64_t table = pick(0, mask.tables.size() - 1);
  const TypedTable &of = mask.tables[table];
  std::string at, shape;
  for (size_t dim = 0; dim < of.values.shape.size(); ++dim) {
    bool isLast = dim + 1 == of.values.shape.size();
    std::string place = isLast && pick(0, 4) ? axis() : pick({"%b", "%h"});
    if (isLast && pick(0, 3) == 0)
      place = index(depth - 1, "index");
    at += (dim ? ", " : "") + place;
    shape += "?x";
  }
  std::string element =
      define("tensor.extract %t" + std::to_string(table) + "[" + at +
             "] : tensor<" + shape + of.type + ">");
  if (of.type == type)
    return element;
  if (of.type == "index" || type == "index")
    return define("arith.index_cast " + element + " : " + of.type + " to " +
                  type);
  bool grows = std::stoi(type.substr(1)) > std::stoi(of.type.substr(1));
  std::string op = grows ? pick({"arith.extsi ", "arith.extui "})
                         : std::string("arith.trunci ");
  return define(op + element + " : " + of.type + " to " + type);
}

std::string RandomMasks::divide(int depth, const std::string &type) {
  std::string op =
      pick({"arith.floordivsi", "arith.divsi", "arith.ceildivsi", "arith.remsi",
            "arith.remsi", "arith.divui", "arith.remui", "arith.ceildivui"});
  std::string divisor = constant(pick(1, 5), type);
  if (type == "index" && pick(0, 3) == 0)
    divisor = binary("arith.addi", pick({"%b", "%h"}), divisor, type);
  return binary(op, index(depth - 1, type), divisor, type);
}

/// Through another type.
std::string RandomMasks::convert(int depth, const std::string &type) {
  if (pick(0, 2) == 0 && type == "index")
    return define("arith.index_castui " + condition(depth - 1) +
                  " : i1 to index");
  if (type == "index") {
    std::string from = pick({"i8", "i32", "i64"});
    return define(pick({"arith.index_cast ", "arith.index_castui "}) +
                  index(depth - 1, from) + " : " + from + " to index");
  }
  return define("arith.index_cast " + index(depth - 1, "index") +
                " : index to " + type);
}

std::string RandomMasks::index(int depth, const std::string &type) {
  if (depth <= 0 && type != "index")
    return define("arith.index_cast " + axis() + " : index to " + type);
  auto operand = [&] { return index(depth - 1, type); };
  switch (depth <= 0 ? pick(0, 4) : pick(0, 15)) {
  case 0: // Sums of larger ones wrap around.
    if (type == "i8")
      return constant(pick(-9, 9) * pick(1, 13), type);
    if (pick(0, 30))
      return constant(pick(-9, 9), type);
    return constant(pick(1, 3) << (type == "i32" ? 29 : pick(20, 60)), type);
  case 1:
    return type == "index" ? pick({"%b", "%h"}) : operand();
  case 2:
  case 3:
  case 4:
    return type == "index" ? axis() : convert(depth, type);
  case 5: {
    std::string x = operand();
    return binary("arith.muli", x, pick(0, 1) ? x : operand(), type);
  }
  case 6:
    return binary("arith.muli", operand(), constant(pick(-3, 3), type), type);
  case 7:
  case 8:
    return divide(depth, type);
  case 9:
    return binary(
        pick({"arith.minsi", "arith.maxsi", "arith.minui", "arith.maxui"}),
        operand(), operand(), type);
  case 10:
    return define("math.absi " + operand() + " : " + type);
  case 11: {
    std::string bit = condition(depth - 1), x = operand(), y = operand();
    return define("arith.select " + bit + ", " + x + ", " + y + " : " + type);
  }
  case 12:
    return isPlain ? axis() : read(depth, type);
  case 13:
    return !isPlain && pick(0, 1)
               ? convert(depth, type)
               : binary("arith.andi", operand(),
                        constant((1 << pick(0, 4)) - 1, type), type);
  default:
    return binary(pick({"arith.addi", "arith.subi"}), operand(), operand(),
                  type);
  }
}

std::string RandomMasks::condition(int depth) {
  switch (depth <= 0 ? 9 : pick(0, 12)) {
  case 0:
    return define(pick({"arith.constant true", "arith.constant false"}));
  case 1:
    return binary("arith.xori", condition(depth - 1),
                  define("arith.constant true"), "i1");
  case 2: {
    std::string bit = condition(depth - 1), x = condition(depth - 1),
                y = condition(depth - 1);
    return define("arith.select " + bit + ", " + x + ", " + y + " : i1");
  }
  case 3:
    return binary(pick({"arith.xori", "arith.cmpi eq,", "arith.cmpi ne,"}),
                  condition(depth - 1), condition(depth - 1), "i1");
  case 4:
  case 5:
    return binary("arith.andi", condition(depth - 1), condition(depth - 1),
                  "i1");
  case 6:
  case 7:
    return binary("arith.ori", condition(depth - 1), condition(depth - 1),
                  "i1");
  default: {
    std::string type =
        isPlain || pick(0, 5) ? "index" : pick({"i8", "i32", "i64"});
    std::string x = index(2, type), y = index(2, type);
    return binary("arith.cmpi " +
                      pick({"eq", "ne", "slt", "sle", "sgt", "sge", "ult",
                            "ule", "ugt", "uge"}) +
                      ",",
                  x, y, type);
  }
  }
}

void RandomMasks::addTables() {
  for (const char *type : {"i8", "i32", "i64", "index"}) {
    bool isPair = pick(0, 1), ascends = pick(0, 1);
    TypedTable table{type, {{pick(3, 9)}, {}}};
    if (isPair)
      table.values.shape.insert(table.values.shape.begin(), 2);
    int64_t size = table.values.shape.back() * (isPair ? 2 : 1), so = 0;
    for (int64_t n = 0; n < size; ++n) {
      so = ascends ? so + pick(0, 2) : pick(-12, 12);
      if (!ascends && pick(0, 3) == 0)
        so *= 10;
      bool isHuge = pick(0, 60) == 0 && table.type == "i64";
      table.values.elements.push_back(isHuge ? (int64_t(1) << 62) + so : so);
    }
    mask.tables.push_back(table);
  }
}

Mask RandomMasks::next() {
  mask = Mask();
  names = 0;
  size_t rank = isPlain ? 1 : pick(1, 3);
  const int64_t most = rank == 1 ? 11 : rank == 2 ? 4 : 2;
  for (size_t axis = 0; axis < rank; ++axis) {
    mask.queries.push_back(pick(1, most));
    mask.keys.push_back(pick(1, most));
    mask.boxQ.push_back(pick(1, 5));
    mask.boxK.push_back(pick(1, 5));
    mask.steps.push_back(pick(0, 2) ? 1 : pick(1, 4));
    mask.keySteps.push_back(pick(0, 2) ? 1 : pick(1, 4));
  }
  mask.heads = 2;
  if (!isPlain)
    addTables();
  std::string keep = condition(3);
  mask.body += "\"test.yield\"(" + keep + ") : (i1) -> ()\n";
  return mask;
}
