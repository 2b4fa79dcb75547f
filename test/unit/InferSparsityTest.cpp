//===- InferSparsityTest.cpp - Key ranges against masks -------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The `keys` regions that attn-infer-sparsity writes are compared with the
// masks, pair by pair, by evaluating both with the folders of arith and math.
//
//===----------------------------------------------------------------------===//

#include "BlockMasks.h"
#include "CompilerPrograms.h"
#include "dialect/AttnDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "passes/Passes.h"
#include <gtest/gtest.h>

using namespace mlir;
using namespace attn;

namespace {
using Numbers = SmallVector<int64_t, 4>;

//===----------------------------------------------------------------------===//
// Programs and their evaluation
//===----------------------------------------------------------------------===//

/// An attend op with a mask, after the pass.
class Masked {
public:
  /// `body` is the body of the mask region.
  Masked(const std::string &body, StringRef alignment);

  bool hasKeys() { return op && !op.getKeys().empty(); }
  bool isAllowed(const Numbers &pair) {
    return evaluate(op.getMask(), pair)[0];
  }
  /// visited_begin, visited_end, full_begin, full_end.
  Numbers getKeys(const Numbers &block) {
    return evaluate(op.getKeys(), block);
  }
  size_t getNumRemarks() const { return numRemarks; }

private:
  static Numbers evaluate(Region &region, const Numbers &arguments);

  MLIRContext context;
  size_t numRemarks = 0;
  OwningOpRef<ModuleOp> module;
  AttendOp op;
};
} // namespace

Masked::Masked(const std::string &body, StringRef alignment) {
  DialectRegistry registry;
  registry.insert<AttnDialect, arith::ArithDialect, func::FuncDialect,
                  math::MathDialect, tensor::TensorDialect>();
  context.appendDialectRegistry(registry);
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() == DiagnosticSeverity::Remark)
      ++numRemarks;
    else
      ADD_FAILURE() << diagnostic.str() << "\n" << body;
  });
  std::string text =
      "func.func @f(%x: tensor<2x3x?x8xf32>, %y: tensor<2x3x?x8xf32>,"
      " %table: tensor<?xindex>) -> tensor<2x3x?x8xf32> {\n"
      "%o = attn.attend %x, %y, %y alignment(" +
      alignment.str() + ") mask (%b, %h, %i, %j) {\n" + body +
      "} : tensor<2x3x?x8xf32>, tensor<2x3x?x8xf32>, tensor<2x3x?x8xf32>"
      " -> tensor<2x3x?x8xf32>\n"
      "return %o : tensor<2x3x?x8xf32> }";
  module = parseSourceString<ModuleOp>(text, &context);
  if (!module)
    return;
  PassManager manager(&context);
  manager.addNestedPass<func::FuncOp>(createInferSparsity());
  if (failed(manager.run(*module)))
    return;
  module->walk([&](AttendOp found) { op = found; });
}

Numbers Masked::evaluate(Region &region, const Numbers &arguments) {
  DenseMap<Value, Attribute> values;
  Builder b(region.getContext());
  for (auto [argument, number] : llvm::zip(region.getArguments(), arguments))
    values[argument] = b.getIndexAttr(number);
  for (Operation &op : region.front().without_terminator()) {
    SmallVector<Attribute> operands;
    for (Value operand : op.getOperands())
      operands.push_back(values.lookup(operand));
    SmallVector<OpFoldResult> folded;
    if (failed(op.fold(operands, folded)) || folded.size() != 1) {
      ADD_FAILURE() << "cannot evaluate " << op.getName().getStringRef().str();
      break;
    }
    auto value = dyn_cast<Value>(folded[0]);
    values[op.getResult(0)] =
        value ? values.lookup(value) : cast<Attribute>(folded[0]);
  }
  Numbers results;
  for (Value value : region.front().getTerminator()->getOperands()) {
    APInt number = cast<IntegerAttr>(values.lookup(value)).getValue();
    results.push_back(value.getType().isInteger(1) ? number.getZExtValue()
                                                   : number.getSExtValue());
  }
  return results;
}

//===----------------------------------------------------------------------===//
// Soundness
//===----------------------------------------------------------------------===//

namespace {
/// The sizes of a comparison.
struct Sizes {
  int64_t firstQuery, endQuery, numKeys;
};
} // namespace

/// Whether key `j` is allowed for some query (for all queries) of the block.
static std::pair<bool, bool> isAllowedInBlock(Masked &masked, int64_t h,
                                              int64_t first, int64_t last,
                                              int64_t j) {
  bool some = false, all = true;
  for (int64_t i = first; i <= last; ++i) {
    bool allowed = masked.isAllowed({1, h, i, j});
    some |= allowed;
    all &= allowed;
  }
  return {some, all};
}

/// Compares for one block of queries; returns whether the ranges are right.
static bool isSound(Masked &masked, int64_t h, int64_t first, int64_t last,
                    int64_t numKeys) {
  Numbers keys = masked.getKeys({1, h, first, last});
  for (int64_t j = 0; j < numKeys; ++j) {
    auto [some, all] = isAllowedInBlock(masked, h, first, last, j);
    bool visited = keys[0] <= j && j < keys[1];
    bool full = keys[2] <= j && j < keys[3];
    if ((some && !visited) || (full && !all))
      return false;
  }
  return true;
}

/// Checks all blocks of a few lengths; returns whether there is a region.
static bool checkSound(const std::string &body, StringRef alignment,
                       const Sizes &sizes) {
  Masked masked(body, alignment);
  if (!masked.hasKeys())
    return false;
  for (int64_t h = 0; h < 3; ++h)
    for (int64_t length : {1, 2, 3, 7})
      for (int64_t first = sizes.firstQuery; first + length <= sizes.endQuery;
           ++first)
        if (!isSound(masked, h, first, first + length - 1, sizes.numKeys)) {
          ADD_FAILURE() << "queries " << first << " to " << first + length - 1
                        << " of head " << h << "\n"
                        << body;
          return true;
        }
  return true;
}

//===----------------------------------------------------------------------===//
// Random masks
//===----------------------------------------------------------------------===//

/// The body of a plain mask, with the names and the yield of attend ops.
static std::string getBody(const attn::test::Mask &mask) {
  std::string body = mask.body;
  for (auto [from, to] : {std::pair("%i0", "%i"),
                          {"%j0", "%j"},
                          {"\"test.yield\"(", "attn.yield "},
                          {") : (i1) -> ()", " : i1"}})
    body = unittest::replaceAll(body, from, to);
  return body;
}

TEST(InferSparsity, RandomMasksAreSound) {
  attn::test::RandomMasks masks(/*seed=*/20260101, /*isPlain=*/true);
  int bounded = 0;
  for (int n = 0; n < 250 && !testing::Test::HasFailure(); ++n) {
    std::string body = getBody(masks.next());
    bounded += checkSound(body, "start", {0, 12, 13});
    checkSound(body, "end", {-7, 8, 11});
  }
  // Not vacuous: most random masks bound something.
  EXPECT_GE(bounded, 100);
}

//===----------------------------------------------------------------------===//
// Masks whose ranges are exact
//===----------------------------------------------------------------------===//

namespace {
struct NamedMask {
  const char *name, *body;
};
} // namespace

static constexpr const char *kWindowBody = R"(
  %w = arith.constant 6 : index
  %d = arith.subi %i, %j : index
  %a = arith.cmpi sge, %i, %j : index
  %n = arith.cmpi slt, %d, %w : index
  %k = arith.andi %a, %n : i1
  attn.yield %k : i1
)";

static const NamedMask kExactMasks[] = {
    {"causal", "%k = arith.cmpi sge, %i, %j : index\nattn.yield %k : i1\n"},
    {"causal, operands swapped",
     "%k = arith.cmpi ule, %j, %i : index\n attn.yield %k : i1\n"},
    {"causal, as a negation", R"(
  %t = arith.constant true
  %f = arith.cmpi slt, %i, %j : index
  %k = arith.xori %f, %t : i1
  attn.yield %k : i1
)"},
    {"keys after the query", R"(
  %k = arith.cmpi slt, %i, %j : index
  attn.yield %k : i1
)"},
    {"window", kWindowBody},
    {"window, one unsigned comparison", R"(
  %w = arith.constant 6 : index
  %d = arith.subi %i, %j : index
  %k = arith.cmpi ult, %d, %w : index
  attn.yield %k : i1
)"},
    {"window, as a negated disjunction", R"(
  %t = arith.constant true
  %w = arith.constant 6 : index
  %d = arith.subi %i, %j : index
  %a = arith.cmpi slt, %i, %j : index
  %n = arith.cmpi sge, %d, %w : index
  %o = arith.ori %a, %n : i1
  %k = arith.xori %o, %t : i1
  attn.yield %k : i1
)"},
    {"window in both directions", R"(
  %w = arith.constant 7 : index
  %d = arith.subi %i, %j : index
  %a = math.absi %d : index
  %k = arith.cmpi slt, %a, %w : index
  attn.yield %k : i1
)"},
    {"prefix", R"(
  %p = arith.constant 6 : index
  %a = arith.cmpi sge, %i, %j : index
  %n = arith.cmpi slt, %j, %p : index
  %k = arith.ori %a, %n : i1
  attn.yield %k : i1
)"},
    {"prefix, by a maximum", R"(
  %p = arith.constant 5 : index
  %m = arith.maxsi %i, %p : index
  %k = arith.cmpi sle, %j, %m : index
  attn.yield %k : i1
)"},
    {"chunks", R"(
  %c = arith.constant 6 : index
  %a = arith.divsi %i, %c : index
  %n = arith.divui %j, %c : index
  %k = arith.cmpi eq, %a, %n : index
  attn.yield %k : i1
)"},
    {"causal over chunks", R"(
  %c = arith.constant 3 : index
  %a = arith.floordivsi %i, %c : index
  %n = arith.floordivsi %j, %c : index
  %k = arith.cmpi uge, %a, %n : index
  attn.yield %k : i1
)"},
    {"two keys for each query, strided", R"(
  %c = arith.constant 2 : index
  %one = arith.constant 1 : index
  %a = arith.muli %i, %c : index
  %e = arith.addi %a, %one : index
  %l = arith.cmpi sle, %a, %j : index
  %r = arith.cmpi sge, %e, %j : index
  %k = arith.andi %l, %r : i1
  attn.yield %k : i1
)"},
    {"causal for one head, all keys for others", R"(
  %one = arith.constant 1 : index
  %a = arith.cmpi sge, %i, %j : index
  %n = arith.cmpi sge, %h, %one : index
  %k = arith.ori %a, %n : i1
  attn.yield %k : i1
)"},
    {"width by head", R"(
  %two = arith.constant 2 : index
  %w = arith.muli %h, %two : index
  %d = arith.subi %i, %j : index
  %a = arith.cmpi sge, %d, %w : index
  attn.yield %a : i1
)"},
    {"first keys for late queries", R"(
  %four = arith.constant 4 : index
  %late = arith.cmpi sge, %i, %four : index
  %early = arith.cmpi slt, %j, %four : index
  %k = arith.andi %late, %early : i1
  attn.yield %k : i1
)"},
};

/// Blocks of 4 queries and 4 keys: every visited block holds an allowed pair,
/// and every block of allowed pairs is full.
static void checkExact(Masked &masked, int64_t h, int64_t numQueries,
                       int64_t numKeys) {
  for (int64_t first = 0; first < numQueries; first += 4) {
    int64_t last = std::min(first + 3, numQueries - 1);
    Numbers keys = masked.getKeys({1, h, first, last});
    for (int64_t begin = 0; begin < numKeys; begin += 4) {
      int64_t end = std::min(begin + 4, numKeys);
      bool some = false, all = true;
      for (int64_t j = begin; j < end; ++j) {
        auto [someQuery, allQueries] =
            isAllowedInBlock(masked, h, first, last, j);
        some |= someQuery;
        all &= allQueries;
      }
      bool visited = keys[0] < keys[1] && keys[0] < end && begin < keys[1];
      EXPECT_EQ(visited, some) << "block " << first << ", " << begin;
      EXPECT_EQ(keys[2] <= begin && end <= keys[3], all)
          << "block " << first << ", " << begin;
    }
  }
}

TEST(InferSparsity, OneRangePerQueryIsExact) {
  for (const NamedMask &mask : kExactMasks) {
    SCOPED_TRACE(mask.name);
    EXPECT_TRUE(checkSound(mask.body, "start", {0, 14, 17}));
    EXPECT_TRUE(checkSound(mask.body, "end", {-9, 9, 12}));
    Masked masked(mask.body, "start");
    ASSERT_TRUE(masked.hasKeys());
    for (int64_t h = 0; h < 3; ++h)
      checkExact(masked, h, /*numQueries=*/19, /*numKeys=*/22);
  }
}

//===----------------------------------------------------------------------===//
// Masks that leave more than one range, or are not known
//===----------------------------------------------------------------------===//

TEST(InferSparsity, TwoRangesAreVisitedAsOne) {
  // Four keys at the beginning, and a window.
  Masked masked(R"(
  %four = arith.constant 4 : index
  %w = arith.constant 10 : index
  %d = arith.subi %i, %j : index
  %sink = arith.cmpi slt, %j, %four : index
  %near = arith.cmpi ult, %d, %w : index
  %k = arith.ori %sink, %near : i1
  attn.yield %k : i1
)",
                "start");
  ASSERT_TRUE(masked.hasKeys());
  // The longer range is full: first the keys at the beginning, then the window.
  EXPECT_EQ(masked.getKeys({0, 0, 0, 3}), (Numbers{0, 4, -6, 4}));
  EXPECT_EQ(masked.getKeys({0, 0, 40, 43})[2], 34);
  EXPECT_EQ(masked.getKeys({0, 0, 40, 43})[3], 41);
}

TEST(InferSparsity, WorkedExample) {
  // The table of docs/rationale/sparsity.md.
  Masked masked(R"(
  %w = arith.constant 10 : index
  %d = arith.subi %i, %j : index
  %a = arith.cmpi sge, %i, %j : index
  %n = arith.cmpi slt, %d, %w : index
  %k = arith.andi %a, %n : i1
  attn.yield %k : i1
)",
                "start");
  ASSERT_TRUE(masked.hasKeys());
  EXPECT_EQ(masked.getKeys({0, 0, 0, 3}), (Numbers{-9, 4, -6, 1}));
  EXPECT_EQ(masked.getKeys({0, 0, 4, 7}), (Numbers{-5, 8, -2, 5}));
  EXPECT_EQ(masked.getKeys({0, 0, 8, 11}), (Numbers{-1, 12, 2, 9}));
  EXPECT_EQ(masked.getKeys({0, 0, 12, 15}), (Numbers{3, 16, 6, 13}));
}

TEST(InferSparsity, CapturedDataHasNoBounds) {
  std::string read = "%limit = tensor.extract %table[%i] : tensor<?xindex>\n"
                     "%known = arith.cmpi slt, %j, %limit : index\n";
  Masked unknown(read + "attn.yield %known : i1\n", "start");
  EXPECT_FALSE(unknown.hasKeys());
  // A list of blocks will tell.
  EXPECT_EQ(unknown.getNumRemarks(), 0u);
  // What is known beside it still counts.
  Masked half(read + "%past = arith.cmpi sge, %i, %j : index\n"
                     "%k = arith.andi %known, %past : i1\n"
                     "attn.yield %k : i1\n",
              "start");
  ASSERT_TRUE(half.hasKeys());
  EXPECT_EQ(half.getNumRemarks(), 0u);
  Numbers keys = half.getKeys({0, 0, 8, 11});
  EXPECT_EQ(keys, (Numbers{0, 12, 0, 0}));
}

TEST(InferSparsity, LargeNumbersAreLeftAlone) {
  // i + 2^62 - 1 + 2^62 wraps around; nothing may be concluded.
  Masked masked(R"(
  %large = arith.constant 4611686018427387904 : index
  %a = arith.addi %i, %large : index
  %b2 = arith.addi %a, %large : index
  %k = arith.cmpi slt, %b2, %j : index
  attn.yield %k : i1
)",
                "start");
  EXPECT_FALSE(masked.hasKeys());
}
