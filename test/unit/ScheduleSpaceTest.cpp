//===- ScheduleSpaceTest.cpp - What spaces offer, the compiler takes ------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/compiler/tuning/FunctionModel.h"
#include "tools/attn-tune/SimulatedRanking.h"
#include "llvm/Support/MemoryBuffer.h"
#include <gtest/gtest.h>

using namespace attn;
using llvm::cantFail;
using llvm::StringRef;

namespace {
/// A spec of the catalogue, for a target, and sizes.
struct Case {
  std::string spec, dtype;
  StringRef target;
  CallSizes sizes;
  std::vector<std::string> axes; ///< That its space must have.
};
} // namespace

static std::string read(StringRef spec) {
  std::string path = std::string(ATTN_VARIANTS) + "/" + spec.str();
  return (*llvm::MemoryBuffer::getFile(path))->getBuffer().str();
}

static CompileOptions getOptions(const Case &one) {
  CompileOptions options;
  options.target = one.target.str();
  options.dtype = one.dtype;
  return options;
}

/// All combinations of values, whether they can be run or not.
static std::vector<std::string> combine(const ScheduleSpace &space) {
  ScheduleSpace open = space;
  open.whyNot = [](BlockSizes) { return ""; };
  return open.getPoints();
}

static const std::vector<Case> cases = {
    {"softmax/causal.mlir",
     "bf16",
     "cuda:sm_80",
     {{"N", 512}},
     {"block_q", "block_k", "warps", "stages"}},
    {"softmax/causal.mlir",
     "",
     "cuda:sm_86",
     {{"N", 512}},
     {"block_q", "block_k"}},
    {"softmax/decode.mlir",
     "f16",
     "cuda:sm_89",
     {{"Nq", 1}, {"Nk", 4096}},
     {"block_q", "block_k", "splits", "stages"}},
    {"local/neighborhood-2d.mlir",
     "bf16",
     "cuda:sm_86",
     {{"Y", 32}, {"X", 32}},
     {"box_q", "box_k", "warps", "stages"}},
    {"linear/lightning.mlir",
     "bf16",
     "cuda:sm_90",
     {{"N", 512}},
     {"block_q", "block_k", "splits"}},
    {"softmax/causal.mlir",
     "",
     "cpu:avx512",
     {{"N", 100}},
     {"block_q", "block_k"}},
    {"linear/lightning.mlir",
     "",
     "cpu:avx2",
     {{"N", 512}},
     {"block_q", "block_k", "splits"}}};

/// Every point that a space offers is accepted by the pass that chooses
/// schedules; what a space of a GPU leaves out is refused. Some are tried.
TEST(ScheduleSpaceTest, SpacesAreWhatTheCompilerTakes) {
  constexpr size_t stride = 7;
  int refused = 0;
  for (const Case &one : cases) {
    std::string text = read(one.spec);
    CompileOptions options = getOptions(one);
    FunctionModel model =
        cantFail(FunctionModel::create(text, one.spec, options, one.sizes));
    Machine machine = cantFail(findMachine(one.target, ""));
    const OpFacts *op = model.getTuned(machine, 1);
    ASSERT_TRUE(op) << one.spec;
    std::vector<std::string> axes;
    for (const ScheduleAxis &axis : op->space.axes)
      axes.push_back(axis.name);
    EXPECT_EQ(axes, one.axes) << one.spec << " " << one.target.str();
    std::vector<std::string> all = combine(op->space);
    for (size_t n = 0; n < all.size(); n += stride) {
      std::string why = op->space.whyNot(applyPoint(all[n], {1, 1}));
      options.schedule = model.getScheduleText(all[n]);
      auto made = FunctionModel::create(text, one.spec, options, one.sizes);
      bool isLeftOut = !why.empty() && one.target.starts_with("cpu");
      if (!isLeftOut)
        EXPECT_EQ(bool(made), why.empty())
            << one.spec << " " << one.target.str() << " " << all[n] << ": "
            << why;
      if (!made) {
        ++refused;
        std::string message = llvm::toString(made.takeError());
        EXPECT_NE(message.find("schedule"), std::string::npos) << message;
      } else {
        // The point is that of the schedule that was attached.
        EXPECT_EQ(made->getChosen(machine, 1), all[n]) << one.spec;
      }
    }
  }
  EXPECT_GT(refused, 10);
}

/// What the pass accepts has room in the end: the largest points are compiled
/// as far as PTX.
TEST(ScheduleSpaceTest, LargePointsCompile) {
  for (const Case &one : cases) {
    if (one.dtype.empty())
      continue;
    std::string text = read(one.spec);
    CompileOptions options = getOptions(one);
    options.quick = true;
    FunctionModel model =
        cantFail(FunctionModel::create(text, one.spec, options, one.sizes));
    Machine machine = cantFail(findMachine(one.target, ""));
    std::vector<std::string> points =
        model.getTuned(machine, 1)->space.getPoints();
    ASSERT_GT(points.size(), 10u);
    // Axes are in order, so the largest values are at the end.
    options.schedule = model.getScheduleText(points.back());
    auto code = emit(text, one.spec, options, Stage::Ptx);
    EXPECT_TRUE(bool(code)) << one.spec << " " << points.back() << ": "
                            << llvm::toString(code.takeError());
  }
}

/// The schedule that the compiler chooses is a point of each space.
TEST(ScheduleSpaceTest, DefaultsArePoints) {
  for (const Case &one : cases) {
    FunctionModel model = cantFail(FunctionModel::create(
        read(one.spec), one.spec, getOptions(one), one.sizes));
    Machine machine = cantFail(findMachine(one.target, ""));
    EXPECT_TRUE(
        llvm::is_contained(model.getTuned(machine, 1)->space.getPoints(),
                           model.getChosen(machine, 1)))
        << one.spec << " " << model.getChosen(machine, 1);
  }
}

/// What was measured on an H200 for dense attention, in TFLOP/s, other than for
/// schedules that spill (docs/results/device-h200-matrix.md).
TEST(ScheduleSpaceTest, MatrixBlocksAreAsFastAsMeasured) {
  struct Measured {
    int width;
    StringRef schedule;
    double teraflops;
  };
  Machine machine = cantFail(findMachine("cuda:sm_90", "H200"));
  for (const Measured &point :
       {Measured{64, "many:block_q=64,block_k=64", 227},
        Measured{64, "many:block_q=128,block_k=64", 300},
        Measured{64, "many:block_q=64,block_k=128", 259},
        Measured{64, "many:block_q=128,block_k=32", 241},
        Measured{128, "many:block_q=64,block_k=64", 294},
        Measured{128, "many:block_q=64,block_k=32", 254}}) {
    std::string text = read("softmax/dense.mlir");
    std::string width = "x" + std::to_string(point.width) + "x";
    for (size_t at = 0; (at = text.find("x64x", at)) != std::string::npos; ++at)
      text.replace(at, 4, width);
    CompileOptions options;
    options.target = "cuda:sm_90";
    options.dtype = "bf16";
    FunctionModel model = cantFail(
        FunctionModel::create(text, "spec", options, {{"H", 33}, {"N", 8192}}));
    Prediction predicted = model.predict(machine, 1, point.schedule);
    EXPECT_NEAR(1e-12 * predicted.flops / predicted.seconds, point.teraflops,
                0.06 * point.teraflops)
        << point.width << " " << point.schedule.str();
  }
}

TEST(ScheduleSpaceTest, SimulatedSizesKeepGroups) {
  auto port = [](std::vector<std::string> dims,
                 llvm::SmallVector<int64_t, 4> sizes) {
    Port made;
    made.dims = std::move(dims);
    made.sizes.assign(sizes.begin(), sizes.end());
    return made;
  };
  std::vector<Port> ports = {port({"B", "H", "N", "D"}, {-1, -1, -1, 64}),
                             port({"B", "Hk", "N", "D"}, {-1, -1, -1, 64}),
                             port({"N"}, {-1})};
  Dims dims = cantFail(parseDims("B=2,H=12,Hk=4,N=4096,D=64"));
  EXPECT_EQ(formatDims(getSimulatedSizes(ports, dims, {"N"}), ","),
            "B=1,H=3,Hk=1,N=256,D=64");
  EXPECT_EQ(formatDims(getSimulatedSizes(ports, dims, {}), ","),
            "B=1,H=3,Hk=1,N=4096,D=64");
}
