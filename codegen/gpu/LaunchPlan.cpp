//===- LaunchPlan.cpp - What a host must launch ---------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/gpu/LaunchPlan.h"
#include "codegen/gpu/Passes.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace attn;
using llvm::Error;
using llvm::Expected;

/// Most blocks of a grid along x.
static constexpr int64_t kMostBlocks = (int64_t(1) << 31) - 1;

namespace {
/// A memref while the host function runs.
struct View {
  unsigned buffer = 0;
  int64_t offset = 0; ///< In elements.
  SmallVector<int64_t> sizes, strides;
};

/// Runs the host function on sizes.
class Planner {
public:
  explicit Planner(func::FuncOp host) : host(host) {}

  Expected<LaunchPlan> run(ArrayRef<ArgumentView> arguments);

private:
  Error runBlock(Block &block);
  Error runOp(Operation &op);
  Error runIf(scf::IfOp op);
  Error runFor(scf::ForOp op);
  Error fold(Operation &op);
  void allocate(memref::AllocOp op);
  void reinterpret(memref::ReinterpretCastOp op);
  Error launch(gpu::LaunchFuncOp op);
  void addParameter(Value value, KernelLaunch &launch);

  Error refuse(Operation &op) {
    return llvm::createStringError("the launches of '" + host.getName() +
                                   "' do not follow from sizes alone: '" +
                                   op.getName().getStringRef() + "'");
  }
  int64_t getNumber(Value value) {
    return cast<IntegerAttr>(numbers.lookup(value)).getInt();
  }
  int64_t getNumber(OpFoldResult value) {
    std::optional<int64_t> constant = getConstantIntValue(value);
    return constant ? *constant : getNumber(cast<Value>(value));
  }
  void assign(Value to, Value from) {
    if (isa<MemRefType>(from.getType()))
      views[to] = View(views[from]);
    else
      numbers[to] = numbers.lookup(from);
  }

  func::FuncOp host;
  LaunchPlan plan;
  DenseMap<Value, Attribute> numbers;
  DenseMap<Value, View> views;
  unsigned buffers = 0;
};
} // namespace

static int64_t getElementBytes(MemRefType type) {
  return std::max<int64_t>(1, type.getElementTypeBitWidth() / 8);
}

Expected<LaunchPlan> Planner::run(ArrayRef<ArgumentView> arguments) {
  if (arguments.size() != host.getNumArguments())
    return llvm::createStringError(
        "expected " + llvm::Twine(host.getNumArguments()) +
        " arguments and results, got " + llvm::Twine(arguments.size()));
  for (auto [value, argument] : llvm::zip(host.getArguments(), arguments))
    views[value] = {buffers++, 0, argument.sizes, argument.strides};
  if (Error error = runBlock(host.getBody().front()))
    return std::move(error);
  return std::move(plan);
}

Error Planner::runBlock(Block &block) {
  for (Operation &op : block)
    if (Error error = runOp(op))
      return error;
  return Error::success();
}

Error Planner::runOp(Operation &op) {
  return llvm::TypeSwitch<Operation *, Error>(&op)
      .Case([&](scf::IfOp branch) { return runIf(branch); })
      .Case([&](scf::ForOp loop) { return runFor(loop); })
      .Case([&](gpu::LaunchFuncOp kernel) { return launch(kernel); })
      .Case([&](memref::AllocOp alloc) {
        allocate(alloc);
        return Error::success();
      })
      .Case([&](memref::ReinterpretCastOp cast) {
        reinterpret(cast);
        return Error::success();
      })
      .Case([&](memref::CastOp cast) {
        assign(cast.getResult(), cast.getSource());
        return Error::success();
      })
      .Case([&](memref::DimOp dim) {
        int64_t size = views[dim.getSource()].sizes[getNumber(dim.getIndex())];
        numbers[dim] = Builder(dim.getContext()).getIndexAttr(size);
        return Error::success();
      })
      .Case<scf::YieldOp, func::ReturnOp, memref::DeallocOp>(
          [](auto) { return Error::success(); })
      .Default([&](Operation *other) { return fold(*other); });
}

Error Planner::runIf(scf::IfOp op) {
  Block *branch =
      getNumber(op.getCondition()) ? op.thenBlock() : op.elseBlock();
  if (!branch)
    return Error::success();
  if (Error error = runBlock(*branch))
    return error;
  for (auto [result, value] :
       llvm::zip(op.getResults(), branch->getTerminator()->getOperands()))
    assign(result, value);
  return Error::success();
}

Error Planner::runFor(scf::ForOp op) {
  if (op.getNumResults())
    return refuse(*op);
  int64_t end = getNumber(op.getUpperBound()), step = getNumber(op.getStep());
  for (int64_t i = getNumber(op.getLowerBound()); i < end; i += step) {
    numbers[op.getInductionVar()] = Builder(op.getContext()).getIndexAttr(i);
    if (Error error = runBlock(*op.getBody()))
      return error;
  }
  return Error::success();
}

/// Ops on numbers have a folder, which is run on what they are given.
Error Planner::fold(Operation &op) {
  SmallVector<Attribute> operands;
  for (Value operand : op.getOperands())
    operands.push_back(numbers.lookup(operand));
  if (llvm::is_contained(operands, Attribute()) || op.getNumRegions())
    return refuse(op);
  SmallVector<OpFoldResult> results;
  if (failed(op.fold(operands, results)) ||
      results.size() != op.getNumResults())
    return refuse(op);
  for (auto [result, value] : llvm::zip(op.getResults(), results)) {
    auto attribute = dyn_cast<Attribute>(value);
    numbers[result] =
        attribute ? attribute : numbers.lookup(cast<Value>(value));
  }
  return Error::success();
}

void Planner::allocate(memref::AllocOp op) {
  View view{buffers++, 0, {}, {}};
  auto dynamic = op.getDynamicSizes().begin();
  for (int64_t size : op.getType().getShape())
    view.sizes.push_back(ShapedType::isDynamic(size) ? getNumber(*dynamic++)
                                                     : size);
  int64_t elements = 1;
  view.strides.resize(view.sizes.size());
  for (size_t dim = view.sizes.size(); dim-- > 0;) {
    view.strides[dim] = elements;
    elements *= view.sizes[dim];
  }
  plan.workspaceBytes.push_back(elements * getElementBytes(op.getType()));
  views[op] = std::move(view);
}

void Planner::reinterpret(memref::ReinterpretCastOp op) {
  View view{
      views[op.getSource()].buffer, getNumber(op.getMixedOffsets()[0]), {}, {}};
  for (OpFoldResult size : op.getMixedSizes())
    view.sizes.push_back(getNumber(size));
  for (OpFoldResult stride : op.getMixedStrides())
    view.strides.push_back(getNumber(stride));
  views[op] = std::move(view);
}

/// Appends the parameters that stand for `value`: see attn-nvidia-to-nvvm.
void Planner::addParameter(Value value, KernelLaunch &launch) {
  auto type = dyn_cast<MemRefType>(value.getType());
  auto addNumber = [&](int64_t number, unsigned bytes = 8) {
    launch.parameters.push_back(
        {false, 0, 0, static_cast<uint64_t>(number), bytes});
  };
  if (!type) {
    unsigned bits = value.getType().isIndex()
                        ? 64
                        : value.getType().getIntOrFloatBitWidth();
    auto real = dyn_cast<FloatAttr>(numbers.lookup(value));
    addNumber(real ? real.getValue().bitcastToAPInt().getZExtValue()
                   : getNumber(value),
              std::max(1u, bits / 8));
    return;
  }
  const View &view = views[value];
  launch.parameters.push_back(
      {true, view.buffer, view.offset * getElementBytes(type)});
  auto [strides, offset] = type.getStridesAndOffset();
  for (auto [dim, size] : llvm::enumerate(type.getShape()))
    if (ShapedType::isDynamic(size))
      addNumber(view.sizes[dim]);
  for (auto [dim, stride] : llvm::enumerate(strides))
    if (ShapedType::isDynamic(stride))
      addNumber(view.strides[dim]);
}

Error Planner::launch(gpu::LaunchFuncOp op) {
  gpu::KernelDim3 grid = op.getGridSizeOperandValues();
  gpu::KernelDim3 block = op.getBlockSizeOperandValues();
  KernelLaunch launch{
      op.getKernelName().str(),
      {getNumber(grid.x), getNumber(grid.y), getNumber(grid.z)},
      {getNumber(block.x), getNumber(block.y), getNumber(block.z)},
      0,
      {}};
  if (llvm::is_contained(launch.grid, 0))
    return Error::success();
  if (launch.grid[0] > kMostBlocks)
    return llvm::createStringError(
        "kernel '" + launch.kernel + "' needs " + llvm::Twine(launch.grid[0]) +
        " blocks, at most " + llvm::Twine(kMostBlocks) + " can be launched");
  Operation *kernel =
      SymbolTable::lookupNearestSymbolFrom(op, op.getKernelAttr());
  if (auto bytes = kernel->getAttrOfType<IntegerAttr>(kSharedBytesAttr))
    launch.sharedBytes = bytes.getInt();
  for (Value operand : op.getKernelOperands())
    addParameter(operand, launch);
  plan.launches.push_back(std::move(launch));
  return Error::success();
}

Expected<LaunchPlan> attn::planLaunches(func::FuncOp host,
                                        ArrayRef<ArgumentView> arguments) {
  return Planner(host).run(arguments);
}
