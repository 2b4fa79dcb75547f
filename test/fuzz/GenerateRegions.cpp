//===- GenerateRegions.cpp - Random masks and scores ----------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/fuzz/GenerateSpec.h"
#include "llvm/ADT/STLExtras.h"

using namespace attn::fuzz;

//===----------------------------------------------------------------------===//
// Integers
//===----------------------------------------------------------------------===//

Expr RegionGenerator::integer(int64_t lowest, int64_t highest) {
  Expr value = makeInteger(random.between(lowest, highest));
  value.outer = random.oneIn(3);
  return value;
}

/// (+-) a i (+-) b j + c, in one of the ways in which it can be written.
Expr RegionGenerator::affine() {
  auto term = [&](const char *name) {
    Expr x = makeArgument(name);
    if (random.oneIn(4))
      x = makeOp("arith.muli", Kind::Index, {x, integer(-3, 5)});
    return x;
  };
  Expr sum =
      random.oneIn(3)
          ? argument()
          : makeOp(random.oneIn(3) ? "arith.addi" : "arith.subi", Kind::Index,
                   random.oneIn(2) ? std::vector{term("i"), term("j")}
                                   : std::vector{term("j"), term("i")});
  if (random.oneIn(2))
    sum = makeOp(random.oneIn(3) ? "arith.subi" : "arith.addi", Kind::Index,
                 {sum, integer(-20, 40)});
  if (random.oneIn(16))
    sum = makeOp("arith.addi", Kind::Index,
                 {sum, makeArgument(random.pick<std::string>({"b", "h"}))});
  return sum;
}

/// An index expression of any shape.
Expr RegionGenerator::index(int depth) {
  if (depth == 0)
    return makeArgument(
        random.pick<std::string>({"i", "i", "i", "j", "j", "j", "b", "h"}));
  auto inner = [&] { return index(depth - 1); };
  switch (random.below(12)) {
  case 0:
    return affine();
  case 1: // Not by zero, which is undefined.
    return makeOp(random.pick<std::string>(
                      {"arith.divsi", "arith.remsi", "arith.floordivsi",
                       "arith.ceildivsi", "arith.remui", "arith.divui"}),
                  Kind::Index, {inner(), makeInteger(random.between(1, 9))});
  case 2:
    return makeOp(random.pick<std::string>({"arith.maxsi", "arith.minsi",
                                            "arith.maxui", "arith.minui"}),
                  Kind::Index, {inner(), inner()});
  case 3:
    return makeOp("math.absi", Kind::Index, {inner()});
  case 4:
    return makeOp("arith.select", Kind::Index,
                  {condition(depth - 1), inner(), inner()});
  case 5:
    return makeOp(
        random.pick<std::string>({"arith.andi", "arith.ori", "arith.xori"}),
        Kind::Index, {inner(), integer(0, 15)});
  case 6:
    return makeOp(random.pick<std::string>({"arith.shrsi", "arith.shli"}),
                  Kind::Index, {inner(), makeInteger(random.between(0, 4))});
  case 7:
    return read(random.pick<std::string>({"i8", "i16", "i32", "i64"}),
                Kind::Index, int(random.between(0, 2)));
  case 8:
    return random.oneIn(2) ? makeOp("size", Kind::Index, {}) : integer(-5, 70);
  default:
    return makeOp(random.pick<std::string>({"arith.addi", "arith.subi"}),
                  Kind::Index,
                  {inner(), random.oneIn(2) ? integer(-9, 20) : inner()});
  }
}

/// The same index, computed through an integer type.
Expr RegionGenerator::inOtherWidth(Expr expr) {
  if (!random.oneIn(6))
    return expr;
  return makeOp("arith.index_cast", random.oneIn(2) ? Kind::I32 : Kind::I64,
                {std::move(expr)});
}

//===----------------------------------------------------------------------===//
// Masks
//===----------------------------------------------------------------------===//

Expr RegionGenerator::compare(Expr left, Expr right) {
  left = inOtherWidth(std::move(left));
  if (left.kind != Kind::Index)
    right = makeOp("arith.index_cast", left.kind, {std::move(right)});
  // Orders that masks are made of are more frequent than the others.
  std::string predicate = random.pick<std::string>(
      {"sge", "sge", "sge", "slt", "slt", "sle", "sle", "sgt", "sgt", "eq",
       "ne", "ult", "ule", "ugt", "uge"});
  return makeOp("arith.cmpi", Kind::Bool, {std::move(left), std::move(right)},
                predicate);
}

/// One of the shapes that masks of the literature have, with random numbers.
Expr RegionGenerator::maskPattern() {
  Expr i = makeArgument("i"), j = makeArgument("j");
  auto cmp = [](const char *predicate, Expr a, Expr b) {
    return makeOp("arith.cmpi", Kind::Bool, {std::move(a), std::move(b)},
                  predicate);
  };
  auto binary = [](const char *op, Expr a, Expr b) {
    return makeOp(op, a.kind, {a, b});
  };
  Expr distance =
      random.oneIn(2) ? binary("arith.subi", i, j) : binary("arith.subi", j, i);
  switch (random.below(10)) {
  case 0: // causal
    return cmp("sge", i, j);
  case 1: // a window
    return binary("arith.andi", cmp("sge", i, j),
                  cmp("slt", binary("arith.subi", i, j), integer(1, 40)));
  case 2: // a band
    return cmp(random.oneIn(2) ? "sle" : "slt",
               makeOp("math.absi", Kind::Index, {distance}), integer(0, 30));
  case 3: // a prefix
    return binary("arith.ori", cmp("sge", i, j), cmp("slt", j, integer(0, 40)));
  case 4: // every few keys
    return cmp("eq",
               binary("arith.remsi", random.oneIn(2) ? distance : j,
                      makeInteger(random.between(1, 9))),
               integer(0, 2));
  case 5: { // blocks, and what comes before them
    Expr size = makeInteger(random.between(1, 24));
    std::string divide = random.oneIn(2) ? "arith.divsi" : "arith.floordivsi";
    return cmp(random.oneIn(2) ? "eq" : "sge",
               makeOp(divide, Kind::Index, {i, size}),
               makeOp(divide, Kind::Index, {j, size}));
  }
  case 6: { // documents
    Expr left =
        read(random.pick<std::string>({"i8", "i32", "i64"}), Kind::Index, 1);
    Expr right = left;
    left.args = {i};
    right.args = {j};
    return cmp(random.oneIn(2) ? "eq" : "sge", left, right);
  }
  case 7: { // lengths
    Expr length = makeOp("read", Kind::Index, {makeArgument("b")});
    length.capture = addIntegers(random.oneIn(2) ? "i32" : "i64", {"B"});
    return cmp("slt", random.oneIn(4) ? i : j,
               binary("arith.addi", length, integer(0, 40)));
  }
  case 8:
    return read("i1", Kind::Bool, int(random.between(0, 4)));
  default: // heads differ
    return cmp("sge", binary("arith.muli", makeArgument("h"), integer(1, 20)),
               random.oneIn(2) ? distance : j);
  }
}

/// A truth value that does not depend on s.
Expr RegionGenerator::condition(int depth) {
  if (depth <= 0) {
    if (random.oneIn(24))
      return makeOp("kept", Kind::Bool, {},
                    std::to_string(random.between(-99, 99)));
    if (random.oneIn(24))
      return makeConstant(Kind::Bool, random.oneIn(3) ? "false" : "true");
    return random.oneIn(2) ? compare(affine(), integer(-20, 50))
                           : maskPattern();
  }
  auto inner = [&] { return condition(depth - 1); };
  switch (random.below(8)) {
  case 0:
    return makeOp("arith.xori", Kind::Bool,
                  {inner(), makeConstant(Kind::Bool, "true")});
  case 1:
    return makeOp("arith.select", Kind::Bool, {inner(), inner(), inner()});
  case 2:
    return makeOp("arith.xori", Kind::Bool, {inner(), inner()});
  case 3:
  case 4:
    return makeOp("arith.andi", Kind::Bool, {inner(), inner()});
  case 5:
    return makeOp("arith.ori", Kind::Bool, {inner(), inner()});
  case 6:
    return compare(index(depth), index(depth));
  default:
    return compare(affine(), affine());
  }
}

Expr RegionGenerator::makeMask() {
  return random.oneIn(3) ? maskPattern() : condition(int(random.between(0, 3)));
}

//===----------------------------------------------------------------------===//
// Scores
//===----------------------------------------------------------------------===//

/// A multiple of 1/64.
Expr RegionGenerator::number(double largest) {
  int64_t limit = int64_t(largest * 64);
  Expr value = makeNumber(double(random.between(-limit, limit)) / 64);
  value.outer = random.oneIn(4);
  return value;
}

/// `x`, scaled down by a power of two until it is not above `largest`.
Expr RegionGenerator::limited(Expr x, double largest) {
  double factor = 1, magnitude = getBound(spec, x).magnitude;
  while (magnitude * factor > largest && factor > 0x1p-12)
    factor /= 2;
  if (magnitude * factor > largest)
    return number(1);
  if (factor == 1)
    return x;
  return makeOp("arith.mulf", Kind::Float, {std::move(x), makeNumber(factor)});
}

/// A number that does not depend on s, at most 4.
Expr RegionGenerator::bias() {
  Expr x;
  if (random.oneIn(2)) {
    x = read(random.pick<std::string>({"f32", "f32", "f16", "bf16", "f64"}),
             Kind::Float, int(random.between(0, 4)));
  } else if (random.oneIn(4)) {
    x = read(random.pick<std::string>({"i8", "i32", "i64", "i1"}), Kind::Float,
             int(random.between(0, 2)));
  } else {
    Expr position = random.oneIn(2) ? affine() : index(2);
    x = makeOp("arith.sitofp", Kind::Float,
               {makeOp("arith.index_cast",
                       random.oneIn(3) ? Kind::I32 : Kind::I64, {position})});
  }
  if (random.oneIn(3))
    x = makeOp("arith.mulf", Kind::Float,
               {limited(x, 16), read("f32", Kind::Float, 1)});
  return limited(x, 4);
}

/// A continuous function of `x` with a small slope.
Expr RegionGenerator::scoreStep(Expr x) {
  auto unary = [&](std::string op) { return makeOp(op, Kind::Float, {x}); };
  auto binary = [&](std::string op, Expr y) {
    return makeOp(op, Kind::Float, {x, y});
  };
  switch (random.below(9)) {
  case 0:
    return binary(random.oneIn(2) ? "arith.addf" : "arith.subf", bias());
  case 1:
    return binary("arith.mulf", random.oneIn(2) ? number(3) : bias());
  case 2: { // a soft cap
    Expr cap = makeNumber(double(1 << random.between(0, 5)));
    return makeOp("arith.mulf", Kind::Float,
                  {makeOp("math.tanh", Kind::Float,
                          {makeOp("arith.divf", Kind::Float, {x, cap})}),
                   cap});
  }
  case 3:
    return binary(random.pick<std::string>({"arith.maximumf", "arith.minimumf",
                                            "arith.maxnumf", "arith.minnumf"}),
                  random.oneIn(2) ? number(4) : bias());
  case 4:
    return unary(random.pick<std::string>({"arith.negf", "math.absf", "leaky",
                                           "exp_below", "log_square", "hypot",
                                           "sigmoid"}));
  case 5:
    return unary(random.pick<std::string>(
        {"math.sin", "math.cos", "math.atan", "math.erf", "math.tanh"}));
  case 6:
    return makeOp(
        "arith.select", Kind::Float,
        {condition(int(random.below(2))), x, limited(scoreStep(x), 9)});
  case 7:
    return makeOp("math.fma", Kind::Float, {x, number(1), bias()});
  default:
    return binary("arith.addf", limited(scoreStep(x), 9));
  }
}

Expr RegionGenerator::makeScore() {
  Expr x = makeArgument("s");
  for (int64_t steps = random.between(1, 4); steps > 0; --steps)
    x = scoreStep(std::move(x));
  x = limited(std::move(x), 16);
  if (spec.normalizer == "sum") { // which must not be about zero
    x = makeOp("hypot", Kind::Float, {x});
    if (random.oneIn(2))
      x = makeOp("arith.select", Kind::Float,
                 {condition(0), x, makeOp("arith.negf", Kind::Float, {x})});
  }
  bool isSoftmax = spec.normalizer.empty();
  if (isSoftmax && random.oneIn(10)) // a mask by another name
    x = makeOp("arith.select", Kind::Float,
               {condition(int(random.below(2))), x,
                makeConstant(Kind::Float, "-inf")});
  return x;
}

Expr RegionGenerator::makeProb(bool isLinear) {
  Expr p = makeArgument("p");
  switch (random.below(isLinear ? 4 : 6)) {
  case 0: // dropout
    return makeOp("arith.select", Kind::Float,
                  {makeOp("kept", Kind::Bool, {},
                          std::to_string(random.between(-99, 99))),
                   makeOp("arith.mulf", Kind::Float, {p, number(2)}),
                   makeNumber(0)});
  case 1:
    return makeOp("arith.select", Kind::Float,
                  {condition(1), p,
                   random.oneIn(2) ? makeNumber(0)
                                   : makeOp("arith.negf", Kind::Float, {p})});
  case 2:
    return makeOp("arith.mulf", Kind::Float, {p, bias()});
  case 3: // linear, in two steps
    return makeOp("arith.addf", Kind::Float,
                  {makeOp("arith.mulf", Kind::Float, {p, number(2)}),
                   makeOp("arith.mulf", Kind::Float, {bias(), p})});
  case 4:
    return limited(makeOp("arith.mulf", Kind::Float, {p, p}), 16);
  default:
    return limited(scoreStep(p), 16);
  }
}

Expr RegionGenerator::makeSink() {
  Expr value = makeOp("read", Kind::Float, {makeArgument("h")});
  switch (random.below(4)) {
  case 0:
    return number(4);
  case 1:
    value.capture = addCapture(spec, "f32", {"H"});
    break;
  case 2:
    value.args.push_back(makeArgument("i"));
    value.capture = addCapture(spec, "f16", {"H", spec.rows()});
    break;
  default:
    value.args = {makeArgument("b"), makeArgument("h")};
    value.capture = addCapture(spec, "bf16", {"B", "H"});
  }
  if (random.oneIn(3))
    value = makeOp("arith.mulf", Kind::Float, {value, number(2)});
  return value;
}
