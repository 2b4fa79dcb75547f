//===- GpuProgramTest.cpp - Launches over the sizes of a call -------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// For sizes that are known, a program of a package must do what planLaunches()
// finds by running the host function on them: two ways to the same launches.
//
//===----------------------------------------------------------------------===//

#include "runtime/compiler/GpuProgram.h"
#include "codegen/gpu/LaunchPlan.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Parser/Parser.h"
#include "runtime/compiler/DeviceProgram.h"
#include "runtime/compiler/KernelInterface.h"
#include "runtime/compiler/SizeNumber.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include <gtest/gtest.h>
#include <random>

using namespace mlir;
using namespace attn;
using Kind = LaunchArgument::Kind;

namespace {
/// The tensors of one call.
struct CallSizes {
  std::vector<int64_t> dims;
  std::vector<std::vector<int64_t>> strides; ///< Arguments, then results.
  std::vector<ArgumentView> views;           ///< In the order of the host.

  int64_t evaluate(const SizeExpr &expr) const {
    std::vector<std::span<const int64_t>> spans(strides.begin(), strides.end());
    Result<int64_t> value = expr.evaluate({dims, spans});
    if (value)
      return *value;
    ADD_FAILURE() << value.takeStatus().getMessage();
    return -1;
  }
};

/// Makes up sizes, and strides with gaps where these are allowed.
class SizeMaker {
public:
  SizeMaker(const Signature &signature)
      : interface(makeInterface(signature)),
        names(getDimNames(interface.arguments)),
        positions(getPositions(signature)) {}

  CallSizes make(std::mt19937 &random) {
    constexpr int64_t sizes[] = {0,  1,  2,  3,   5,    8,         15,
                                 16, 17, 63, 65,  128,  300,       1000,
                                 33, 64, 96, 129, 4096, 1000000000};
    CallSizes call;
    for (size_t i = 0; i < names.size(); ++i)
      call.dims.push_back(sizes[random() % (std::size(sizes) - (i ? 1 : 0))]);
    fixStaticSizes(call);
    auto addAll = [&](const std::vector<Port> &ports,
                      const std::vector<StrideLayout> &layouts) {
      for (auto [port, layout] : llvm::zip_equal(ports, layouts))
        call.strides.push_back(
            makeStrides(getSizes(port, call), layout, random));
    };
    addAll(interface.arguments, interface.argumentLayouts);
    addAll(interface.results, interface.resultLayouts);
    for (const PortPosition &position : positions) {
      size_t tensor = getTensor(position);
      std::vector<int64_t> sizes = getSizes(getPort(position), call);
      call.views.push_back(
          {{sizes.begin(), sizes.end()},
           {call.strides[tensor].begin(), call.strides[tensor].end()}});
    }
    return call;
  }

  /// The number of the tensor that host argument `position` is.
  size_t getTensor(size_t position) const {
    return getTensor(positions[position]);
  }
  size_t getNumTensors() const { return positions.size(); }

private:
  size_t getTensor(const PortPosition &position) const {
    return position.index +
           (position.isResult ? interface.arguments.size() : 0);
  }
  const Port &getPort(const PortPosition &position) const {
    return position.isResult ? interface.results[position.index]
                             : interface.arguments[position.index];
  }
  void fixStaticSizes(CallSizes &call) const {
    for (const Port &port : interface.arguments)
      for (auto [size, dim] : llvm::zip_equal(port.sizes, port.dims))
        if (size >= 0)
          call.dims[llvm::find(names, dim) - names.begin()] = size;
  }
  std::vector<int64_t> getSizes(const Port &port, const CallSizes &call) const {
    std::vector<int64_t> sizes = port.sizes;
    for (auto [size, dim] : llvm::zip_equal(sizes, port.dims))
      if (size < 0)
        size = call.dims[llvm::find(names, dim) - names.begin()];
    return sizes;
  }
  static std::vector<int64_t> makeStrides(const std::vector<int64_t> &sizes,
                                          const StrideLayout &layout,
                                          std::mt19937 &random) {
    std::vector<int64_t> strides(sizes.size());
    int64_t next = 1;
    for (size_t dim = sizes.size(); dim-- > 0;) {
      strides[dim] = next;
      next = int64_t(sizes[dim]) * next % (int64_t(1) << 40);
      if (!layout.isContiguous)
        next += random() % 100;
    }
    return strides;
  }

  Interface interface;
  std::vector<std::string> names;
  std::vector<PortPosition> positions;
};

/// Compares the launches of a program for some sizes with those of a plan.
class Comparison {
public:
  Comparison(const LaunchProgram &program, const LaunchPlan &plan,
             const CallSizes &call, const SizeMaker &maker)
      : program(program), plan(plan), call(call), maker(maker) {}

  void run() {
    std::vector<const Launch *> launches;
    for (const Launch &launch : program.launches)
      if (getBlocks(launch) > 0)
        launches.push_back(&launch);
    ASSERT_EQ(launches.size(), plan.launches.size());
    for (auto [launch, expected] : llvm::zip_equal(launches, plan.launches))
      compare(*launch, expected);
    for (auto [number, buffer] : buffers)
      EXPECT_EQ(call.evaluate(program.workspace[buffer].bytes),
                plan.workspaceBytes[number - maker.getNumTensors()]);
    checkWhatIsNotUsed();
  }

private:
  int64_t getBlocks(const Launch &launch) const {
    int64_t blocks = 1;
    for (const GridSize &size : launch.grid->blocks)
      blocks *= call.evaluate(size.size);
    return blocks;
  }

  void compare(const Launch &launch, const KernelLaunch &expected) {
    EXPECT_EQ(launch.symbol, expected.kernel);
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(call.evaluate(launch.grid->blocks[i].size), expected.grid[i]);
      EXPECT_EQ(call.evaluate(launch.grid->threads[i]), expected.block[i]);
    }
    EXPECT_EQ(call.evaluate(launch.grid->sharedBytes), expected.sharedBytes);
    ASSERT_EQ(launch.arguments.size(), expected.parameters.size());
    for (auto [argument, parameter] :
         llvm::zip_equal(launch.arguments, expected.parameters))
      compare(argument, parameter);
  }

  void compare(const LaunchArgument &argument,
               const KernelParameter &parameter) {
    bool isPointer =
        argument.kind == Kind::Tensor || argument.kind == Kind::Workspace;
    ASSERT_EQ(isPointer, parameter.isPointer);
    EXPECT_EQ(parameter.byteOffset, 0);
    if (!isPointer) {
      EXPECT_EQ(argument.kind, Kind::I64);
      EXPECT_EQ(parameter.bytes, 8u);
      EXPECT_EQ(call.evaluate(argument.value), int64_t(parameter.bits));
    } else if (argument.kind == Kind::Tensor) {
      ASSERT_LT(parameter.buffer, maker.getNumTensors());
      EXPECT_EQ(argument.index, maker.getTensor(parameter.buffer));
    } else {
      // Plans only count the buffers that this call needs.
      ASSERT_GE(parameter.buffer, maker.getNumTensors());
      auto [entry, isNew] =
          buffers.try_emplace(parameter.buffer, argument.index);
      EXPECT_EQ(entry->second, argument.index);
    }
  }

  void checkWhatIsNotUsed() const {
    for (auto [i, buffer] : llvm::enumerate(program.workspace)) {
      bool isUsed =
          llvm::any_of(buffers, [&](auto &entry) { return entry.second == i; });
      if (!isUsed && !plan.launches.empty()) {
        EXPECT_EQ(call.evaluate(buffer.bytes), 0) << buffer.name;
      }
    }
  }

  const LaunchProgram &program;
  const LaunchPlan &plan;
  const CallSizes &call;
  const SizeMaker &maker;
  std::map<unsigned, uint32_t> buffers; ///< From the plan's to the program's.
};
} // namespace

/// Compares both for many sizes of one spec.
static void compareWithPlans(const std::string &path, StringRef function = "") {
  SCOPED_TRACE(path + " " + function.str());
  auto text = llvm::MemoryBuffer::getFile(path);
  ASSERT_TRUE(bool(text)) << path;
  CompileOptions options;
  options.target = "cuda:sm_80";
  options.function = function;
  auto device = compileForDevice((*text)->getBuffer(), path, options);
  ASSERT_TRUE(bool(device)) << llvm::toString(device.takeError());
  func::FuncOp host = device->program->getFunction();
  auto program = makeGpuProgram(host, device->signature);
  ASSERT_TRUE(bool(program)) << llvm::toString(program.takeError());
  SizeMaker maker(device->signature);
  std::mt19937 random(1);
  int launched = 0;
  for (int i = 0; i < 200; ++i) {
    CallSizes call = maker.make(random);
    auto plan = planLaunches(host, call.views);
    if (!plan) {
      // Too many blocks, which the runtime finds as well.
      llvm::consumeError(plan.takeError());
      continue;
    }
    launched += plan->launches.size();
    Comparison(*program, *plan, call, maker).run();
    if (testing::Test::HasFailure())
      return;
  }
  EXPECT_GT(launched, 50);
}

TEST(GpuProgram, EqualsPlansOfSpecs) {
  std::vector<std::string> names = {
      "causal-gqa", "decode", "bias", "mla", "talking-heads", "rope-causal"};
  if (std::getenv("ATTN_TEST_FULL")) {
    names.clear();
    std::error_code code;
    for (llvm::sys::fs::directory_iterator file(ATTN_VARIANTS "/softmax", code),
         end;
         !code && file != end; file.increment(code)) {
      // Its blocks are too large for GPUs.
      StringRef name = llvm::sys::path::stem(file->path());
      if (name != "mla-absorbed")
        names.push_back(name.str());
    }
  }
  for (const std::string &name : names)
    compareWithPlans(ATTN_VARIANTS "/softmax/" + name + ".mlir");
}

TEST(GpuProgram, EqualsPlansOfSeveralOps) {
  std::string inputs = ATTN_TEST_INPUTS "/";
  compareWithPlans(inputs + "merge.mlir", "cascade");
  compareWithPlans(inputs + "mixed-heads.mlir", "scores");
  compareWithPlans(inputs + "key-ranges.mlir");
  compareWithPlans(inputs + "decode-sink.mlir", "two_choices");
}

//===----------------------------------------------------------------------===//
// What cannot be said
//===----------------------------------------------------------------------===//

/// The error for a host function over %x : memref<?x8xf32> with this body, in
/// which %n is the size of %x and %k a kernel of an index.
static std::string getError(const std::string &body) {
  MLIRContext context;
  context.loadDialect<arith::ArithDialect, func::FuncDialect, gpu::GPUDialect,
                      memref::MemRefDialect, scf::SCFDialect>();
  auto module = parseSourceString<ModuleOp>(
      "module attributes {gpu.container_module} {\n"
      "func.func @f(%x: memref<?x8xf32>, %m: memref<1xi64>) {\n"
      "%c0 = arith.constant 0 : index\n%c1 = arith.constant 1 : index\n"
      "%n = memref.dim %x, %c0 : memref<?x8xf32>\n" +
          body +
          "gpu.launch_func @kernels::@k blocks in (%g, %c1, %c1) threads in "
          "(%c1, %c1, %c1) args(%g : index)\nreturn }\n"
          "gpu.module @kernels { gpu.func @k(%g: index) kernel { gpu.return } "
          "} }",
      &context);
  func::FuncOp host = *module->getOps<func::FuncOp>().begin();
  FailureOr<Signature> signature = describeFunction(host);
  if (failed(signature) || failed(readLoweredTypes(host, *signature)))
    return "cannot be described";
  auto program = makeGpuProgram(host, *signature);
  return program ? "" : llvm::toString(program.takeError());
}

TEST(GpuProgram, RefusesWhatSizesDoNotTell) {
  EXPECT_EQ(getError("%g = arith.addi %n, %c1 : index\n"), "");
  EXPECT_EQ(getError("%d = memref.load %m[%c0] : memref<1xi64>\n"
                     "%g = arith.index_cast %d : i64 to index\n"),
            "the launches of 'f' cannot be said as expressions over sizes: an "
            "operand of 'memref.load'");
  // Rounds towards zero, which is not what packages do with negative numbers.
  EXPECT_EQ(getError("%d = arith.subi %c1, %n : index\n"
                     "%g = arith.divsi %d, %n : index\n"),
            "the launches of 'f' cannot be said as expressions over sizes: the "
            "value of 'arith.divsi'");
  EXPECT_EQ(getError("%g = arith.xori %n, %c1 : index\n"),
            "the launches of 'f' cannot be said as expressions over sizes: the "
            "value of 'arith.xori'");
}

//===----------------------------------------------------------------------===//
// Numbers
//===----------------------------------------------------------------------===//

/// Evaluates an op on %a and %b, which follow from sizes, in the language of
/// packages.
static std::optional<int64_t> evaluate(const std::string &op, int64_t a,
                                       int64_t b) {
  MLIRContext context;
  context.loadDialect<arith::ArithDialect, func::FuncDialect>();
  auto module = parseSourceString<ModuleOp>(
      "func.func @f(%a: index, %b: index, %t: i1) { %r = " + op + " return }",
      &context);
  func::FuncOp function = *module->getOps<func::FuncOp>().begin();
  Operation &first = function.getBody().front().front();
  SizeNumber x = SizeNumber::size(SizeExpr::dim(0));
  SizeNumber y = SizeNumber::size(SizeExpr::dim(1));
  SmallVector<SizeNumber> operands = {x, y};
  if (isa<arith::SelectOp>(first))
    operands = {SizeNumber(a > b), x, y};
  std::optional<SizeNumber> value = evaluateOp(first, operands);
  if (!value)
    return std::nullopt;
  int64_t dims[] = {a, b};
  Result<int64_t> result = value->getExpr().evaluate({dims, {}});
  return result ? std::optional(*result) : std::nullopt;
}

TEST(GpuProgram, ComputesLikeArith) {
  for (int64_t a : {0, 1, 6, 7, 64})
    for (int64_t b : {1, 2, 7, 64}) {
      SCOPED_TRACE(std::to_string(a) + " and " + std::to_string(b));
      auto compare = [&](const char *predicate) {
        return evaluate(
            std::string("arith.cmpi ") + predicate + ", %a, %b : index", a, b);
      };
      EXPECT_EQ(compare("eq"), a == b);
      EXPECT_EQ(compare("ne"), a != b);
      EXPECT_EQ(compare("slt"), a < b);
      EXPECT_EQ(compare("sle"), a <= b);
      EXPECT_EQ(compare("ugt"), a > b);
      EXPECT_EQ(compare("uge"), a >= b);
      auto apply = [&](const char *op) {
        return evaluate(std::string("arith.") + op + " %a, %b : index", a, b);
      };
      EXPECT_EQ(apply("addi"), a + b);
      EXPECT_EQ(apply("subi"), a - b);
      EXPECT_EQ(apply("divsi"), a / b);
      EXPECT_EQ(apply("remui"), a % b);
      EXPECT_EQ(apply("ceildivui"), (a + b - 1) / b);
      EXPECT_EQ(apply("minui"), std::min(a, b));
      EXPECT_EQ(evaluate("arith.select %t, %a, %b : index", a, b),
                a > b ? a : b);
    }
}
