//===- GpuProgram.cpp - Launches over the sizes of a call -----------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/compiler/GpuProgram.h"
#include "codegen/gpu/Passes.h"
#include "runtime/compiler/KernelInterface.h"
#include "runtime/compiler/SizeNumber.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace attn;
using llvm::Error;
using llvm::Expected;
using Kind = LaunchArgument::Kind;

namespace {
/// A memref of the host function: whole memory, seen with sizes and strides.
/// Sizes of results may be unknown.
struct View {
  Kind kind = Kind::Tensor; ///< Tensor or Workspace.
  uint32_t index = 0;
  SmallVector<std::optional<SizeNumber>> sizes, strides;
};

/// Walks through the host function.
class ProgramBuilder {
public:
  ProgramBuilder(func::FuncOp host, const Signature &signature)
      : host(host), signature(signature), interface(makeInterface(signature)),
        dims(getDimNames(interface.arguments)) {}

  Expected<LaunchProgram> run();

private:
  void addPorts();
  std::optional<SizeNumber> getSize(PortPosition position, size_t dim) const;
  Error runBlock(Block &block, const SizeNumber &condition);
  Error runOp(Operation &op, const SizeNumber &condition);
  Error runIf(scf::IfOp op, const SizeNumber &condition);
  Error runNumber(Operation &op);
  Error readSize(memref::DimOp op);
  Error allocate(memref::AllocOp op, const SizeNumber &condition);
  Error reinterpret(memref::ReinterpretCastOp op);
  Error launch(gpu::LaunchFuncOp op, const SizeNumber &condition);
  Error addArguments(Operation &op, Value value, Launch &launch);

  Error refuse(Operation &op, const Twine &what) {
    return llvm::createStringError("the launches of '" + host.getName() +
                                   "' cannot be said as expressions over "
                                   "sizes: " +
                                   what + " of '" +
                                   op.getName().getStringRef() + "'");
  }
  SizeNumber getNumber(OpFoldResult value) {
    if (std::optional<int64_t> constant = getConstantIntValue(value)) {
      auto number = dyn_cast<Value>(value);
      bool isTruth = number && number.getType().isInteger(1);
      return isTruth ? SizeNumber(*constant & 1) : SizeNumber(*constant);
    }
    return numbers.lookup(cast<Value>(value));
  }

  func::FuncOp host;
  const Signature &signature;
  Interface interface;
  std::vector<std::string> dims;
  LaunchProgram program;
  DenseMap<Value, SizeNumber> numbers;
  DenseMap<Value, View> views;
};
} // namespace

//===----------------------------------------------------------------------===//
// Arguments and results
//===----------------------------------------------------------------------===//

std::optional<SizeNumber> ProgramBuilder::getSize(PortPosition position,
                                                  size_t dim) const {
  const Port &port = position.isResult ? interface.results[position.index]
                                       : interface.arguments[position.index];
  if (port.sizes[dim] >= 0)
    return SizeNumber(port.sizes[dim]);
  if (position.isResult) {
    const auto &size = interface.resultShapes[position.index][dim];
    return size ? std::optional(SizeNumber::size(*size)) : std::nullopt;
  }
  auto found = llvm::find(dims, port.dims[dim]);
  return SizeNumber::size(SizeExpr::dim(found - dims.begin()));
}

void ProgramBuilder::addPorts() {
  for (auto [value, position] :
       llvm::zip_equal(host.getArguments(), getPositions(signature))) {
    View &view = views[value];
    view.index = position.index;
    if (position.isResult)
      view.index += interface.arguments.size();
    auto type = cast<MemRefType>(value.getType());
    auto strides = type.getStridesAndOffset().first;
    for (auto [dim, stride] : llvm::enumerate(strides)) {
      view.sizes.push_back(getSize(position, dim));
      view.strides.push_back(
          ShapedType::isDynamic(stride)
              ? SizeNumber::size(SizeExpr::stride(view.index, dim))
              : SizeNumber(stride));
    }
  }
}

Expected<LaunchProgram> ProgramBuilder::run() {
  addPorts();
  if (Error error = runBlock(host.getBody().front(), 1))
    return std::move(error);
  return std::move(program);
}

//===----------------------------------------------------------------------===//
// Ops
//===----------------------------------------------------------------------===//

Error ProgramBuilder::runBlock(Block &block, const SizeNumber &condition) {
  for (Operation &op : block)
    if (Error error = runOp(op, condition))
      return error;
  return Error::success();
}

Error ProgramBuilder::runOp(Operation &op, const SizeNumber &condition) {
  return llvm::TypeSwitch<Operation *, Error>(&op)
      .Case([&](scf::IfOp branch) { return runIf(branch, condition); })
      .Case([&](gpu::LaunchFuncOp kernel) { return launch(kernel, condition); })
      .Case([&](memref::AllocOp alloc) { return allocate(alloc, condition); })
      .Case([&](memref::ReinterpretCastOp cast) { return reinterpret(cast); })
      .Case([&](memref::CastOp cast) {
        View source = views.lookup(cast.getSource());
        views[cast] = std::move(source);
        return Error::success();
      })
      .Case([&](memref::DimOp dim) { return readSize(dim); })
      .Case<arith::ConstantOp, scf::YieldOp, func::ReturnOp, memref::DeallocOp>(
          [](auto) { return Error::success(); })
      .Default([&](Operation *other) { return runNumber(*other); });
}

Error ProgramBuilder::runIf(scf::IfOp op, const SizeNumber &condition) {
  if (op.getNumResults())
    return refuse(*op, "the results");
  SizeNumber taken = getNumber(op.getCondition());
  if (Error error = runBlock(*op.thenBlock(), condition * taken))
    return error;
  if (!op.elseBlock())
    return Error::success();
  SizeNumber other = SizeNumber::apply(SizeExpr::Op::Sub, 1, taken);
  return runBlock(*op.elseBlock(), condition * other);
}

Error ProgramBuilder::runNumber(Operation &op) {
  SmallVector<SizeNumber> operands;
  for (Value operand : op.getOperands()) {
    if (!getConstantIntValue(operand) && !numbers.contains(operand))
      return refuse(op, "an operand");
    operands.push_back(getNumber(operand));
  }
  std::optional<SizeNumber> result;
  if (op.getNumResults() == 1)
    result = evaluateOp(op, operands);
  if (!result)
    return refuse(op, "the value");
  numbers[op.getResult(0)] = *result;
  return Error::success();
}

Error ProgramBuilder::readSize(memref::DimOp op) {
  std::optional<int64_t> index = op.getConstantIndex();
  const View &view = views[op.getSource()];
  if (!index || !view.sizes[*index])
    return refuse(*op, "the size");
  numbers[op] = *view.sizes[*index];
  return Error::success();
}

static int64_t getElementBytes(MemRefType type) {
  return std::max<int64_t>(1, type.getElementTypeBitWidth() / 8);
}

Error ProgramBuilder::allocate(memref::AllocOp op,
                               const SizeNumber &condition) {
  View view{Kind::Workspace, uint32_t(program.workspace.size()), {}, {}};
  auto dynamic = op.getDynamicSizes().begin();
  for (int64_t size : op.getType().getShape())
    view.sizes.push_back(ShapedType::isDynamic(size) ? getNumber(*dynamic++)
                                                     : SizeNumber(size));
  SizeNumber elements = 1;
  view.strides.resize(view.sizes.size());
  for (size_t dim = view.sizes.size(); dim-- > 0;) {
    view.strides[dim] = elements;
    elements = *view.sizes[dim] * elements;
  }
  SizeNumber bytes =
      condition * (elements * SizeNumber(getElementBytes(op.getType())));
  program.workspace.push_back(
      {"part " + std::to_string(view.index), bytes.getExpr(), false});
  views[op] = std::move(view);
  return Error::success();
}

Error ProgramBuilder::reinterpret(memref::ReinterpretCastOp op) {
  if (!isConstantIntValue(op.getMixedOffsets()[0], 0))
    return refuse(*op, "the offset");
  const View &source = views[op.getSource()];
  View view{source.kind, source.index, {}, {}};
  for (OpFoldResult size : op.getMixedSizes())
    view.sizes.push_back(getNumber(size));
  for (OpFoldResult stride : op.getMixedStrides())
    view.strides.push_back(getNumber(stride));
  views[op] = std::move(view);
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Launches
//===----------------------------------------------------------------------===//

static LaunchArgument makeScalar(const SizeNumber &value) {
  LaunchArgument argument;
  argument.kind = Kind::I64;
  argument.value = value.getExpr();
  return argument;
}

/// Appends the parameters that stand for `value`: see attn-nvidia-to-nvvm.
Error ProgramBuilder::addArguments(Operation &op, Value value, Launch &launch) {
  auto type = dyn_cast<MemRefType>(value.getType());
  if (!type) {
    if (!value.getType().isIndex() && !value.getType().isInteger(64))
      return refuse(op, "a scalar operand");
    launch.arguments.push_back(makeScalar(getNumber(value)));
    return Error::success();
  }
  const View &view = views[value];
  LaunchArgument &pointer = launch.arguments.emplace_back();
  pointer.kind = view.kind;
  pointer.index = view.index;
  for (auto [dim, size] : llvm::enumerate(type.getShape())) {
    if (!ShapedType::isDynamic(size))
      continue;
    if (!view.sizes[dim])
      return refuse(op, "the size of an operand");
    launch.arguments.push_back(makeScalar(*view.sizes[dim]));
  }
  for (auto [dim, stride] : llvm::enumerate(type.getStridesAndOffset().first))
    if (ShapedType::isDynamic(stride))
      launch.arguments.push_back(makeScalar(*view.strides[dim]));
  return Error::success();
}

Error ProgramBuilder::launch(gpu::LaunchFuncOp op,
                             const SizeNumber &condition) {
  Launch launch;
  launch.symbol = op.getKernelName().str();
  Grid &grid = launch.grid.emplace();
  gpu::KernelDim3 blocks = op.getGridSizeOperandValues();
  gpu::KernelDim3 threads = op.getBlockSizeOperandValues();
  for (auto [size, value] :
       llvm::zip_equal(grid.blocks, ArrayRef{blocks.x, blocks.y, blocks.z}))
    size.size = getNumber(value).getExpr();
  for (auto [size, value] :
       llvm::zip_equal(grid.threads, ArrayRef{threads.x, threads.y, threads.z}))
    size = getNumber(value).getExpr();
  grid.blocks[0].size = (condition * getNumber(blocks.x)).getExpr();
  Operation *kernel =
      SymbolTable::lookupNearestSymbolFrom(op, op.getKernelAttr());
  if (auto bytes = kernel->getAttrOfType<IntegerAttr>(kSharedBytesAttr))
    grid.sharedBytes = SizeExpr::constant(bytes.getInt());
  for (Value operand : op.getKernelOperands())
    if (Error error = addArguments(*op, operand, launch))
      return error;
  program.launches.push_back(std::move(launch));
  return Error::success();
}

Expected<LaunchProgram> attn::makeGpuProgram(func::FuncOp host,
                                             const Signature &signature) {
  return ProgramBuilder(host, signature).run();
}
