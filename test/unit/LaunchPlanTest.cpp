//===- LaunchPlanTest.cpp - What a host must launch -----------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/gpu/LaunchPlan.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Parser/Parser.h"
#include <gtest/gtest.h>

using namespace mlir;
using namespace attn;

namespace {
/// Plans the function `f` of a module with a kernel `k`.
class Planned {
public:
  /// `body` is that of @f(%x: rows of 8, %n: a memref<f32>), `parameters` those
  /// of the kernel.
  Planned(const std::string &body, const std::string &parameters,
          ArrayRef<ArgumentView> arguments) {
    context.loadDialect<arith::ArithDialect, func::FuncDialect, gpu::GPUDialect,
                        memref::MemRefDialect, scf::SCFDialect>();
    module = parseSourceString<ModuleOp>(
        "module attributes {gpu.container_module} {\n"
        "func.func @f(%x: memref<?x8xf32, strided<[?, 1], offset: ?>>,\n"
        "             %m: memref<index>) {\n"
        "%c0 = arith.constant 0 : index\n%c1 = arith.constant 1 : index\n"
        "%t = arith.constant 128 : index\n"
        "%n = memref.dim %x, %c0 : memref<?x8xf32, strided<[?, 1], offset: "
        "?>>\n" +
            body + "return }\ngpu.module @kernels { gpu.func @k(" + parameters +
            ") kernel attributes {tile.shared_bytes = 512 : i64} { gpu.return "
            "} } }",
        &context);
    auto host = *module->getOps<func::FuncOp>().begin();
    auto result = planLaunches(host, arguments);
    if (result)
      plan = *result;
    else
      error = llvm::toString(result.takeError());
  }

  LaunchPlan plan;
  std::string error;

private:
  MLIRContext context;
  OwningOpRef<ModuleOp> module;
};

/// An argument of `rows` rows that lie 100 elements apart, and a scalar.
std::vector<ArgumentView> rowsOf(int64_t rows) {
  return {{{rows, 8}, {100, 1}}, {{}, {}}};
}

const char *const kLaunch =
    "%g = arith.ceildivsi %n, %c2 : index\n"
    "gpu.launch_func @kernels::@k blocks in (%g, %c1, %c1) threads in "
    "(%t, %c1, %c1) args(%g : index, %x : memref<?x8xf32, strided<[?, 1], "
    "offset: ?>>)\n";
const char *const kParameters =
    "%g: index, %x: memref<?x8xf32, strided<[?, 1], offset: ?>>";

TEST(LaunchPlan, FlattensViews) {
  Planned planned(std::string("%c2 = arith.constant 2 : index\n") + kLaunch,
                  kParameters, rowsOf(5));
  ASSERT_EQ(planned.error, "");
  ASSERT_EQ(planned.plan.launches.size(), 1u);
  const KernelLaunch &launch = planned.plan.launches.front();
  EXPECT_EQ(launch.kernel, "k");
  EXPECT_EQ(launch.grid, (std::array<int64_t, 3>{3, 1, 1}));
  EXPECT_EQ(launch.block, (std::array<int64_t, 3>{128, 1, 1}));
  EXPECT_EQ(launch.sharedBytes, 512);
  // The trip count; pointer, dynamic size and dynamic stride of the view.
  ASSERT_EQ(launch.parameters.size(), 4u);
  EXPECT_EQ(launch.parameters[0].bits, 3u);
  EXPECT_TRUE(launch.parameters[1].isPointer);
  EXPECT_EQ(launch.parameters[1].buffer, 0u);
  EXPECT_EQ(launch.parameters[2].bits, 5u);
  EXPECT_EQ(launch.parameters[3].bits, 100u);
}

TEST(LaunchPlan, LeavesOutEmptyGrids) {
  Planned planned(std::string("%c2 = arith.constant 2 : index\n") + kLaunch,
                  kParameters, rowsOf(0));
  EXPECT_EQ(planned.error, "");
  EXPECT_TRUE(planned.plan.launches.empty());
}

TEST(LaunchPlan, RefusesTooManyBlocks) {
  Planned planned(std::string("%c2 = arith.constant 2 : index\n") + kLaunch,
                  kParameters, rowsOf(int64_t(1) << 32));
  EXPECT_EQ(planned.error, "kernel 'k' needs 2147483648 blocks, at most "
                           "2147483647 can be launched");
}

TEST(LaunchPlan, FollowsBranchesAndWorkspace) {
  const char *body =
      "%few = arith.cmpi ule, %n, %t : index\n"
      "scf.if %few {\n"
      "%w = memref.alloc(%n) : memref<4x?xf32>\n"
      "%r = memref.reinterpret_cast %w to offset: [8], sizes: [%n], strides: "
      "[4] : memref<4x?xf32> to memref<?xf32, strided<[4], offset: 8>>\n"
      "gpu.launch_func @kernels::@k blocks in (%n, %c1, %c1) threads in "
      "(%t, %c1, %c1) args(%r : memref<?xf32, strided<[4], offset: 8>>)\n"
      "memref.dealloc %w : memref<4x?xf32>\n"
      "}\n";
  const char *parameters = "%r: memref<?xf32, strided<[4], offset: 8>>";
  Planned few(body, parameters, rowsOf(10)),
      many(body, parameters, rowsOf(129));
  ASSERT_EQ(few.error + many.error, "");
  EXPECT_EQ(few.plan.workspaceBytes, std::vector<int64_t>{160});
  ASSERT_EQ(few.plan.launches.size(), 1u);
  const auto &parametersFound = few.plan.launches.front().parameters;
  ASSERT_EQ(parametersFound.size(), 2u);
  // Behind the two arguments of the function, eight elements in.
  EXPECT_EQ(parametersFound[0].buffer, 2u);
  EXPECT_EQ(parametersFound[0].byteOffset, 32);
  EXPECT_TRUE(many.plan.launches.empty());
  EXPECT_TRUE(many.plan.workspaceBytes.empty());
}

TEST(LaunchPlan, RefusesToLookAtData) {
  Planned planned("%v = memref.load %m[] : memref<index>\n", "", rowsOf(1));
  EXPECT_EQ(planned.error,
            "the launches of 'f' do not follow from sizes alone: "
            "'memref.load'");
}
} // namespace
