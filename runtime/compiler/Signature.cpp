//===- Signature.cpp - What a function expects of its callers -------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/compiler/Signature.h"
#include "dialect/AttnDialect.h"
#include "dialect/AttnRegions.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "runtime/DimName.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace attn;

//===----------------------------------------------------------------------===//
// Where sizes come from
//===----------------------------------------------------------------------===//

static SizeSource getConstant(int64_t size) {
  return {SizeSource::Kind::Constant, size, 0, 0};
}

/// Static sizes of `type`; unknown where it is dynamic.
static SizeSources getStaticSizes(ShapedType type) {
  SizeSources sizes;
  for (int64_t size : type.getShape())
    sizes.push_back(ShapedType::isDynamic(size) ? SizeSource()
                                                : getConstant(size));
  return sizes;
}

/// Where the number of segments comes from: it is one less than that of their
/// offsets.
static SizeSource traceSegments(Value segments) {
  int64_t known = getNumSegments(segments);
  if (!ShapedType::isDynamic(known))
    return getConstant(known);
  SizeSource source = traceSizes(segments).front();
  source.more -= 1;
  return source;
}

SizeSources attn::traceSizes(Value value) {
  auto type = cast<ShapedType>(value.getType());
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    SizeSources sizes;
    if (!isa<func::FuncOp>(argument.getOwner()->getParentOp()))
      return getStaticSizes(type);
    for (unsigned dim = 0; dim < type.getRank(); ++dim)
      sizes.push_back(
          {SizeSource::Kind::Argument, 0, argument.getArgNumber(), dim});
    return sizes;
  }
  return TypeSwitch<Operation *, SizeSources>(value.getDefiningOp())
      .Case([&](AttendOp op) {
        SizeSources sizes = traceSizes(op.getQuery());
        sizes.front() = traceSizes(op.getBatchOperand()).front();
        sizes.pop_back();
        if (value == op.getOutput())
          sizes.push_back(traceSizes(op.getValue()).back());
        if (value == op.getOutput() && !op.getValueRows().empty())
          sizes.back() = getStaticSizes(type).back();
        return sizes;
      })
      .Case([&](MapRowsOp op) {
        SizeSources sizes = traceSizes(op.getInput());
        sizes.back() = getStaticSizes(type).back();
        return sizes;
      })
      .Case([&](ReduceOp op) {
        SizeSources sizes = traceSizes(op.getInput());
        sizes.erase(sizes.begin() + op.getReducedDim());
        sizes.back() = getStaticSizes(type).back();
        return sizes;
      })
      .Case([&](RecurOp op) {
        SizeSources sizes = traceSizes(op.getValue());
        SizeSources own = getStaticSizes(type);
        sizes[3] = own[3];
        if (value == op.getState())
          sizes[2] = own[2];
        if (value == op.getState() && op.getSegments())
          sizes[0] = traceSegments(op.getSegments());
        return sizes;
      })
      .Case([&](MergeOp op) {
        SizeSources sizes = traceSizes(value == op.getOutput() ? op.getOutputs()
                                                               : op.getLses());
        sizes.erase(sizes.begin());
        return sizes;
      })
      .Case([&](scf::IfOp op) {
        unsigned number = cast<OpResult>(value).getResultNumber();
        return traceSizes(op.thenYield().getOperand(number));
      })
      .Case([](tensor::CastOp op) {
        return isa<RankedTensorType>(op.getSource().getType())
                   ? traceSizes(op.getSource())
                   : getStaticSizes(cast<ShapedType>(op.getType()));
      })
      .Default([&](Operation *) { return getStaticSizes(type); });
}

/// The dimension of an argument that tells the size called `text`.
static SizeSource findDimension(const Signature &signature, StringRef text) {
  DimName name = DimName::parse(text);
  for (auto [i, port] : llvm::enumerate(signature.arguments))
    for (auto [d, dim] : llvm::enumerate(port.dims))
      if (DimName other = DimName::parse(dim); other.name == name.name)
        return {SizeSource::Kind::Argument, 0, static_cast<unsigned>(i),
                static_cast<unsigned>(d), name.more - other.more};
  return {};
}

//===----------------------------------------------------------------------===//
// Ports
//===----------------------------------------------------------------------===//

static std::optional<ElementType> getElementType(Type type) {
  static constexpr ElementType all[] = {
      ElementType::F64,  ElementType::F32, ElementType::F16,
      ElementType::BF16, ElementType::I64, ElementType::I32,
      ElementType::I16,  ElementType::I8,  ElementType::I1};
  std::string text;
  llvm::raw_string_ostream(text) << type;
  for (ElementType candidate : all)
    if (text == getName(candidate))
      return candidate;
  return std::nullopt;
}

/// The attributes of one argument or result.
static std::string getString(DictionaryAttr attributes, StringRef name,
                             StringRef fallback) {
  auto value = attributes ? attributes.getAs<StringAttr>(name) : StringAttr();
  return (value ? value.getValue() : fallback).str();
}

/// Names of dimensions; generated ones are the name of the port with a number.
static std::vector<std::string> getDims(DictionaryAttr attributes,
                                        const Port &port) {
  std::vector<std::string> dims;
  auto given =
      attributes ? attributes.getAs<ArrayAttr>(kDimsAttr) : ArrayAttr();
  for (size_t i = 0; i < port.sizes.size(); ++i)
    dims.push_back(given ? cast<StringAttr>(given[i]).str()
                         : port.name + std::to_string(i));
  return dims;
}

/// Describes an argument or result of type `type`; `fallback` is its name if it
/// has none.
static FailureOr<Port> describePort(func::FuncOp function, Type type,
                                    DictionaryAttr attributes,
                                    const Twine &fallback) {
  Port port;
  port.name = getString(attributes, kNameAttr, fallback.str());
  port.fill = getString(attributes, kFillAttr, "normal");
  if (!isa<RankedTensorType, MemRefType>(type))
    return function.emitOpError("'")
           << port.name << "' must be a ranked tensor or memref, got " << type;
  auto shaped = cast<ShapedType>(type);
  std::optional<ElementType> element = getElementType(shaped.getElementType());
  if (!element)
    return function.emitOpError("'")
           << port.name << "' has an element type that no buffer can have, got "
           << type;
  port.type = *element;
  for (int64_t size : shaped.getShape())
    port.sizes.push_back(ShapedType::isDynamic(size) ? -1 : size);
  port.dims = getDims(attributes, port);
  return port;
}

static std::string getResultName(size_t index) {
  return index ? "out" + std::to_string(index) : "out";
}

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

/// Whether a region of an op reads single elements of `value`.
static bool isGathered(Value value) {
  return llvm::any_of(value.getUsers(), [](Operation *user) {
    return isa<tensor::ExtractOp>(user) &&
           !isa<func::FuncOp>(user->getParentOp());
  });
}

/// Describes the arguments, and the results of a function over memrefs.
static LogicalResult describeArguments(func::FuncOp function,
                                       Signature &signature) {
  for (auto [i, type] : llvm::enumerate(function.getArgumentTypes())) {
    bool isResult = function.getArgAttr(i, kResultAttr) != nullptr;
    auto &ports = isResult ? signature.results : signature.arguments;
    auto &layouts =
        isResult ? signature.resultLayouts : signature.argumentLayouts;
    FailureOr<Port> port = describePort(
        function, type, function.getArgAttrDict(i),
        isResult ? getResultName(ports.size()) : "arg" + std::to_string(i));
    if (failed(port))
      return failure();
    ports.push_back(*port);
    PortLayout &layout = layouts.emplace_back();
    layout.position = i;
    layout.hasDims = function.getArgAttr(i, kDimsAttr) != nullptr;
    layout.isGathered = isGathered(function.getArgument(i));
  }
  return success();
}

/// Finds the sizes of a result by the names of its dimensions, where the
/// computation does not tell them.
static void findSizes(const Signature &signature, const Port &port,
                      SizeSources &sizes) {
  for (auto [size, dim] : llvm::zip_equal(sizes, port.dims))
    if (size.kind == SizeSource::Kind::Unknown)
      size = findDimension(signature, dim);
}

/// Gives the dimensions of a result the names of those that they come from.
/// Returns whether all of them have names of the spec.
static bool nameDimensions(const Signature &signature, const SizeSources &sizes,
                           Port &port) {
  bool areGiven = true;
  for (auto [size, dim] : llvm::zip_equal(sizes, port.dims)) {
    if (size.kind != SizeSource::Kind::Argument)
      continue;
    DimName from =
        DimName::parse(signature.arguments[size.argument].dims[size.dim]);
    areGiven &= signature.argumentLayouts[size.argument].hasDims &&
                from.more + size.more >= 0;
    if (from.more + size.more >= 0)
      dim = DimName{from.name, from.more + size.more}.getText();
  }
  return areGiven;
}

/// The argument whose memory `result` may have: the state that a recurrence
/// begins with, if nothing else reads it, and the states that it ends with are
/// as many and of the same type.
static std::optional<uint32_t> findInPlace(Value result) {
  auto recur = result.getDefiningOp<RecurOp>();
  if (!recur || result != recur.getState())
    return std::nullopt;
  auto initial = dyn_cast_or_null<BlockArgument>(recur.getInitial());
  if (!initial || !initial.hasOneUse() ||
      initial.getType() != result.getType() ||
      !isa<func::FuncOp>(initial.getOwner()->getParentOp()))
    return std::nullopt;
  return initial.getArgNumber();
}

/// Describes what the function returns.
static LogicalResult describeResults(func::FuncOp function,
                                     Signature &signature) {
  Operation *end = function.front().getTerminator();
  for (auto [i, type] : llvm::enumerate(function.getResultTypes())) {
    DictionaryAttr attributes = function.getResultAttrDict(i);
    FailureOr<Port> port =
        describePort(function, type, attributes, getResultName(i));
    if (failed(port))
      return failure();
    SizeSources sizes = traceSizes(end->getOperand(i));
    findSizes(signature, *port, sizes);
    PortLayout &layout = signature.resultLayouts.emplace_back();
    layout.position = function.getNumArguments() + i;
    layout.hasDims = (attributes && attributes.contains(kDimsAttr)) ||
                     nameDimensions(signature, sizes, *port);
    port->inPlace = findInPlace(end->getOperand(i));
    signature.resultSizes.push_back(sizes);
    signature.results.push_back(*port);
  }
  return success();
}

/// Sizes of results that are arguments.
static void describeResultArguments(func::FuncOp function,
                                    Signature &signature) {
  for (auto [port, layout] :
       llvm::zip_equal(signature.results, signature.resultLayouts)) {
    auto type = cast<ShapedType>(function.getArgumentTypes()[layout.position]);
    SizeSources sizes = getStaticSizes(type);
    findSizes(signature, port, sizes);
    signature.resultSizes.push_back(sizes);
  }
}

/// Features that meet in the products with keys and with values.
static double getFlopsPerPair(AttendOp op) {
  auto width = [](Value operand, Region &rows) {
    Value vector = rows.empty() ? operand : getYielded(rows);
    return double(cast<ShapedType>(vector.getType()).getShape().back());
  };
  return 2 * (width(op.getQuery(), op.getQueryRows()) +
              width(op.getValue(), op.getValueRows()));
}

static AttendFacts describeAttend(AttendOp op) {
  AttendFacts facts;
  facts.query = traceSizes(op.getQuery());
  facts.key = traceSizes(op.getKey());
  facts.value = traceSizes(op.getValue());
  for (Value operand : {op.getQuery(), op.getKey(), op.getValue()})
    if (!hasSharedBatch(operand))
      facts.batches.push_back(traceSizes(operand).front());
  facts.needsEqualLengths =
      !op.getAlignment() &&
      relatesPositions({&op.getScore(), &op.getMask(), &op.getProb()},
                       op.getNumAxes());
  return facts;
}

/// Tokens of a chunk of a recurrence, for counting. Shorter chunks compute less
/// and longer ones more; the count is the same whatever a schedule has, so that
/// schedules and other programs can be compared by it.
static constexpr double kCountedChunk = 64;

/// What a token of a head of a recurrence costs, in sweeps over the tokens in
/// chunks: products of rows of a chunk, and the reading and writing of the
/// state. Without an order of tokens there is a state of all of them and
/// nothing within chunks.
static double getFlopsPerToken(RecurOp op) {
  double rows = op.getStateRows(), columns = op.getStateColumns();
  bool isBoth = op.getOrder() == TokenOrder::Bidirectional;
  bool isOrdered = !isBoth || op.hasGate() || op.getRead() == ReadTime::Before;
  double chunk = isOrdered ? 2 * kCountedChunk * (rows + columns) : 0;
  double sweeps = isBoth && isOrdered ? 2 : 1;
  return sweeps * (chunk + 4 * rows * columns);
}

/// Completes facts that have units and flops.
static WorkFacts getWork(Operation *op, WorkFacts facts) {
  facts.isExact &= isa<func::FuncOp>(op->getParentOp()) &&
                   llvm::none_of(facts.units, [](const SizeSource &size) {
                     return size.kind == SizeSource::Kind::Unknown;
                   });
  return facts;
}

static WorkFacts describeWork(AttendOp op) {
  SizeSources query = traceSizes(op.getQuery());
  WorkFacts facts;
  SizeSources key = traceSizes(op.getKey());
  facts.units = {traceSizes(op.getBatchOperand())[0], query[1]};
  for (int64_t axis = 0; axis < op.getNumAxes(); ++axis)
    llvm::append_values(facts.units, query[2 + axis], key[2 + axis]);
  facts.isExact = op.getMask().empty();
  facts.flopsPerUnit = getFlopsPerPair(op);
  return getWork(op, facts);
}

static WorkFacts describeWork(RecurOp op) {
  WorkFacts facts;
  facts.units = traceSizes(op.getValue());
  facts.units.pop_back();
  facts.flopsPerUnit = getFlopsPerToken(op);
  return getWork(op, facts);
}

FailureOr<Signature> attn::describeFunction(func::FuncOp function) {
  Signature signature;
  signature.function = function.getName().str();
  if (failed(describeArguments(function, signature)))
    return failure();
  describeResultArguments(function, signature);
  if (failed(describeResults(function, signature)))
    return failure();
  function.walk([&](Operation *op) {
    if (auto attend = dyn_cast<AttendOp>(op)) {
      signature.attends.push_back(describeAttend(attend));
      signature.work.push_back(describeWork(attend));
    } else if (auto recur = dyn_cast<RecurOp>(op)) {
      signature.work.push_back(describeWork(recur));
    }
  });
  if (auto defaults = function->getAttrOfType<DictionaryAttr>(kDefaultsAttr))
    for (NamedAttribute entry : defaults)
      signature.defaults[entry.getName().str()] =
          cast<IntegerAttr>(entry.getValue()).getInt();
  return signature;
}

void attn::annotateFunction(func::FuncOp function, const Signature &signature) {
  Builder builder(function.getContext());
  auto set = [&](unsigned position, StringRef name, Attribute value) {
    unsigned arguments = function.getNumArguments();
    if (position < arguments && !function.getArgAttr(position, name))
      function.setArgAttr(position, name, value);
    if (position >= arguments &&
        !function.getResultAttr(position - arguments, name))
      function.setResultAttr(position - arguments, name, value);
  };
  for (auto [port, layout] :
       llvm::zip_equal(signature.arguments, signature.argumentLayouts))
    set(layout.position, kNameAttr, builder.getStringAttr(port.name));
  for (auto [port, layout] :
       llvm::zip_equal(signature.results, signature.resultLayouts)) {
    SmallVector<StringRef> dims(port.dims.begin(), port.dims.end());
    set(layout.position, kNameAttr, builder.getStringAttr(port.name));
    if (layout.hasDims)
      set(layout.position, kDimsAttr, builder.getStrArrayAttr(dims));
  }
}

//===----------------------------------------------------------------------===//
// The lowered function
//===----------------------------------------------------------------------===//

static LogicalResult readLoweredType(func::FuncOp lowered, Port &port,
                                     PortLayout &layout) {
  auto type = dyn_cast<MemRefType>(lowered.getArgumentTypes()[layout.position]);
  std::optional<ElementType> element =
      type ? getElementType(type.getElementType()) : std::nullopt;
  int64_t offset;
  layout.strides.clear(); // Of an earlier phase.
  if (!element || failed(type.getStridesAndOffset(layout.strides, offset)) ||
      !llvm::is_contained({ShapedType::kDynamic, int64_t(0)}, offset))
    return lowered.emitOpError("argument ")
           << layout.position << " must be a strided memref, got "
           << lowered.getArgumentTypes()[layout.position];
  port.type = *element;
  layout.isContiguous = type.getLayout().isIdentity();
  return success();
}

LogicalResult attn::readLoweredTypes(func::FuncOp lowered,
                                     Signature &signature) {
  size_t expected = signature.arguments.size() + signature.results.size();
  if (lowered.getNumArguments() != expected)
    return lowered.emitOpError("must have ")
           << expected << " arguments after lowering, got "
           << lowered.getNumArguments();
  for (auto [port, layout] :
       llvm::zip_equal(signature.arguments, signature.argumentLayouts))
    if (failed(readLoweredType(lowered, port, layout)))
      return failure();
  for (auto [port, layout] :
       llvm::zip_equal(signature.results, signature.resultLayouts))
    if (failed(readLoweredType(lowered, port, layout)))
      return failure();
  return success();
}
