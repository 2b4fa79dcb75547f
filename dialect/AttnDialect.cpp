//===- AttnDialect.cpp - The attn dialect and its attributes -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The labels in comments are those of the constraints in docs/spec.md.
//
//===----------------------------------------------------------------------===//

#include "dialect/AttnDialect.h"
#include "dialect/AttnChecks.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/Interfaces/FoldInterfaces.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "runtime/DimName.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace attn;

#include "dialect/AttnDialect.cpp.inc"
#include "dialect/AttnEnums.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "dialect/AttnAttributes.cpp.inc"

namespace {
/// Keeps constants in the region that uses them when ops are folded: hoisted
/// into the function, a constant vector would be a captured tensor.
struct KeepConstantsInside : DialectFoldInterface {
  using DialectFoldInterface::DialectFoldInterface;

  bool shouldMaterializeInto(Region *) const override { return true; }
};
} // namespace

void AttnDialect::initialize() {
  addInterfaces<KeepConstantsInside>();
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialect/AttnAttributes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialect/AttnOps.cpp.inc"
      >();
}

Type attn::getAccumulatorType(Type element) {
  return element.isF64() ? element : Float32Type::get(element.getContext());
}

/// Checks that `box`, called `name`, has `block` tokens (schedule_c4).
static LogicalResult verifyBox(function_ref<InFlightDiagnostic()> emitError,
                               StringRef name, DenseI64ArrayAttr box,
                               int64_t block) {
  ArrayRef<int64_t> sizes = box.asArrayRef();
  int64_t tokens = 1;
  // Sizes of at most 4096 do not overflow.
  for (int64_t size : sizes)
    tokens *= size < 1 || size > 4096 ? 0 : size;
  if (sizes.empty() || sizes.size() > size_t(kMostAxes) || tokens != block)
    return emitError() << "schedule 'box_" << name << "' must have 1 to "
                       << kMostAxes << " positive sizes whose product is the "
                       << block << " of 'block_" << name << "', got "
                       << listSizes(box);
  return success();
}

/// Checks what a schedule says of boxes.
static LogicalResult verifyBoxes(function_ref<InFlightDiagnostic()> emitError,
                                 int64_t blockQ, int64_t blockK, int64_t splits,
                                 DenseI64ArrayAttr boxQ, DenseI64ArrayAttr boxK,
                                 DenseI64ArrayAttr step) {
  if (!boxQ && !boxK && !step)
    return success();
  if (!boxQ || !boxK || boxQ.size() != boxK.size() ||
      (step && step.size() != boxQ.size())) // schedule_c3
    return emitError() << "schedule must have both 'box_q' and 'box_k' or "
                          "neither, and as many sizes in them and in 'step', "
                          "got "
                       << listSizes(boxQ) << ", " << listSizes(boxK) << " and "
                       << listSizes(step);
  if (failed(verifyBox(emitError, "q", boxQ, blockQ)) ||
      failed(verifyBox(emitError, "k", boxK, blockK)))
    return failure();
  auto isStep = [](int64_t size) { return size >= 1 && size <= 65536; };
  if (step && !llvm::all_of(step.asArrayRef(), isStep)) // schedule_c5
    return emitError() << "schedule 'step' must be between 1 and 65536, got "
                       << listSizes(step);
  if (splits) // schedule_c6
    return emitError() << "schedule 'splits' must be 0 with boxes, got "
                       << splits;
  return success();
}

LogicalResult ScheduleAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                   int64_t blockQ, int64_t blockK,
                                   int64_t splits, int64_t warps,
                                   int64_t stages, int64_t overlap,
                                   int64_t resident, DenseI64ArrayAttr boxQ,
                                   DenseI64ArrayAttr boxK,
                                   DenseI64ArrayAttr step) {
  // schedule_c1
  for (auto [name, value] : {std::pair("block_q", blockQ), {"block_k", blockK}})
    if (value < 1 || value > 4096)
      return emitError() << "schedule '" << name
                         << "' must be between 1 and 4096, got " << value;
  if (splits < 0 || splits > 64) // schedule_c2
    return emitError() << "schedule 'splits' must be between 0 and 64, got "
                       << splits;
  if (warps != 0 && warps != 4 && warps != 8) // schedule_c7
    return emitError() << "schedule 'warps' must be 4 or 8, or 0 for what the "
                          "target has, got "
                       << warps;
  if (stages < 0 || stages > 8) // schedule_c8
    return emitError() << "schedule 'stages' must be between 0 and 8, got "
                       << stages;
  if (overlap < 0 || overlap > 1) // schedule_c9
    return emitError() << "schedule 'overlap' must be 0 or 1, got " << overlap;
  if (resident < 0 || resident > 8) // schedule_c10
    return emitError() << "schedule 'resident' must be between 0 and 8, got "
                       << resident;
  return verifyBoxes(emitError, blockQ, blockK, splits, boxQ, boxK, step);
}

//===----------------------------------------------------------------------===//
// Names, dimensions and fills of function arguments and results
//===----------------------------------------------------------------------===//

namespace {
/// One argument or result of a function, and how messages call it.
struct Port {
  FunctionOpInterface function;
  unsigned index;
  bool isResult;

  Type type() {
    return isResult ? function.getResultTypes()[index]
                    : function.getArgumentTypes()[index];
  }
  /// The type if it is a ranked tensor or memref, else null.
  ShapedType shape() {
    bool isRanked = isa<RankedTensorType, MemRefType>(type());
    return isRanked ? cast<ShapedType>(type()) : ShapedType();
  }
  Attribute attribute(StringRef name) {
    return isResult ? function.getResultAttr(index, name)
                    : function.getArgAttr(index, name);
  }
  InFlightDiagnostic error() {
    return function.emitOpError()
           << (isResult ? "result " : "argument ") << index << ": ";
  }
};
} // namespace

/// The ports before `port`, in the order in which a reader meets them.
static SmallVector<Port> portsBefore(Port port) {
  SmallVector<Port> ports;
  unsigned arguments =
      port.isResult ? port.function.getNumArguments() : port.index;
  for (unsigned i = 0; i < arguments; ++i)
    ports.push_back({port.function, i, false});
  for (unsigned i = 0; port.isResult && i < port.index; ++i)
    ports.push_back({port.function, i, true});
  return ports;
}

static LogicalResult verifyName(Port port, Attribute attribute) {
  auto name = dyn_cast<StringAttr>(attribute);
  if (!name || name.empty()) // names_c1
    return port.error()
           << "'attn.name' must be a string that is not empty, got "
           << attribute;
  for (Port other : portsBefore(port)) // names_c2
    if (other.attribute(kNameAttr) == name)
      return port.error() << "'attn.name' " << name << " is taken already";
  return success();
}

/// What `dim` calls, given the static size of the dimension; dynamic if it has
/// none.
static int64_t getNamedSize(DimName dim, int64_t size) {
  return ShapedType::isDynamic(size) ? size : size - dim.more;
}

/// Equal dimension names must not have different static sizes (dims_c3).
static LogicalResult verifySameSizes(Port port, Port other) {
  auto dims = dyn_cast<ArrayAttr>(port.attribute(kDimsAttr));
  auto otherDims = dyn_cast_or_null<ArrayAttr>(other.attribute(kDimsAttr));
  ShapedType type = port.shape(), otherType = other.shape();
  if (!otherDims || !otherType ||
      otherType.getRank() != (int64_t)otherDims.size())
    return success();
  for (auto [i, attribute] : llvm::enumerate(dims))
    for (auto [j, otherAttribute] : llvm::enumerate(otherDims)) {
      auto otherText = dyn_cast<StringAttr>(otherAttribute);
      if (!otherText) // Reported where it stands.
        return success();
      DimName name = DimName::parse(cast<StringAttr>(attribute).getValue());
      DimName otherName = DimName::parse(otherText.getValue());
      int64_t size = type.getDimSize(i), otherSize = otherType.getDimSize(j);
      if (name.name == otherName.name &&
          failed(verifyCompatibleShape({getNamedSize(name, size)},
                                       {getNamedSize(otherName, otherSize)})))
        return port.error()
               << "dimension " << attribute << " is " << size << " here and "
               << otherAttribute << " is " << otherSize << " in "
               << (other.isResult ? "result " : "argument ") << other.index;
    }
  return success();
}

/// "G+1" is at least 1 (dims_c4).
static LogicalResult verifyLeastSizes(Port port, ArrayAttr dims) {
  for (auto [size, attribute] : llvm::zip(port.shape().getShape(), dims)) {
    DimName name = DimName::parse(cast<StringAttr>(attribute).getValue());
    if (!ShapedType::isDynamic(size) && size < name.more)
      return port.error() << "dimension " << attribute << " must be at least "
                          << name.more << ", got " << size;
  }
  return success();
}

static LogicalResult verifyDims(Port port, Attribute attribute) {
  ShapedType type = port.shape();
  auto dims = dyn_cast<ArrayAttr>(attribute);
  auto isName = [](Attribute a) {
    auto name = dyn_cast<StringAttr>(a);
    return name && !name.empty();
  };
  if (!type || !dims || !llvm::all_of(dims, isName)) // dims_c1
    return port.error() << "'attn.dims' must be an array of names on a ranked "
                           "tensor or a view, got "
                        << attribute << " on " << port.type();
  if ((int64_t)dims.size() != type.getRank()) // dims_c2
    return port.error() << "'attn.dims' must name " << type.getRank()
                        << " dimensions, got " << dims.size();
  if (failed(verifyLeastSizes(port, dims)) ||
      failed(verifySameSizes(port, port)))
    return failure();
  for (Port other : portsBefore(port))
    if (failed(verifySameSizes(port, other)))
      return failure();
  return success();
}

/// Whether an argument of the function of `port` has a dimension `name`.
static bool hasDimension(Port port, StringRef name) {
  for (unsigned i = 0; i < port.function.getNumArguments(); ++i)
    if (auto dims = port.function.getArgAttrOfType<ArrayAttr>(i, kDimsAttr))
      for (Attribute dim : dims)
        if (auto text = dyn_cast<StringAttr>(dim);
            text && StringRef(DimName::parse(text.getValue()).name) == name)
          return true;
  return false;
}

/// Checks "below BOUND" and "segments BOUND": integers from 0 to a number or
/// the size of a dimension.
static LogicalResult verifyBound(Port port, StringRef text) {
  StringRef bound = text.split(' ').second;
  Type element = getElementTypeOrSelf(port.type());
  if (!element.isInteger() || element.isInteger(1)) // fill_c2
    return port.error() << "'attn.fill' \"" << text
                        << "\" needs integers of more than one bit, got "
                        << port.type();
  int64_t number;
  bool isNumber = !bound.getAsInteger(10, number);
  if (isNumber ? number > 0 : hasDimension(port, bound))
    return success();
  return port.error() // fill_c3
         << "'attn.fill' \"" << text
         << "\" must name a positive number or a dimension of an argument";
}

/// Checks "offsets DIM": where segments of a dimension begin.
static LogicalResult verifyOffsets(Port port, StringRef dim) {
  ShapedType type = port.shape();
  Type element = getElementTypeOrSelf(port.type());
  if (!type || type.getRank() != 1 ||
      !(element.isSignlessInteger(32) || element.isSignlessInteger(64)))
    return port.error() // fill_c4
           << "'attn.fill' \"offsets " << dim
           << "\" needs one dimension of i32 or i64, got " << port.type();
  if (hasDimension(port, dim))
    return success();
  return port.error() // fill_c5
         << "'attn.fill' \"offsets " << dim
         << "\" must name a dimension of an argument";
}

/// Checks "one of NUMBERS": floats that are one of these.
static LogicalResult verifyNumbers(Port port, StringRef numbers) {
  auto isNumber = [](StringRef text) {
    double number;
    return !text.getAsDouble(number);
  };
  if (isa<FloatType>(getElementTypeOrSelf(port.type())) &&
      llvm::all_of(llvm::split(numbers, ' '), isNumber))
    return success();
  return port.error() // fill_c6
         << "'attn.fill' \"one of " << numbers
         << "\" needs numbers with one space between them, and floats, got "
         << port.type();
}

static LogicalResult verifyFill(Port port, Attribute attribute) {
  auto fill = dyn_cast<StringAttr>(attribute);
  StringRef text = fill ? fill.getValue() : StringRef();
  if (llvm::is_contained({"normal", "uniform", "decay"}, text))
    return success();
  if (text.starts_with("below ") || text.starts_with("segments "))
    return verifyBound(port, text);
  if (text.consume_front("offsets "))
    return verifyOffsets(port, text);
  if (text.consume_front("one of "))
    return verifyNumbers(port, text);
  return port.error() // fill_c1
         << "'attn.fill' must be \"normal\", \"uniform\", \"decay\", "
            "\"below\" or \"segments\" and a number or dimension, \"offsets\" "
            "of a dimension, or \"one of\" some numbers, got "
         << attribute;
}

static LogicalResult verifyResult(Port port, Attribute attribute) {
  if (isa<UnitAttr>(attribute) && isa<MemRefType>(port.type())) // result_c1
    return success();
  return port.error() << "'attn.result' must be a unit attribute on a memref, "
                         "got "
                      << attribute << " on " << port.type();
}

static LogicalResult verifyPort(Port port, NamedAttribute attribute) {
  if (attribute.getName() == kNameAttr)
    return verifyName(port, attribute.getValue());
  if (attribute.getName() == kDimsAttr)
    return verifyDims(port, attribute.getValue());
  if (attribute.getName() == kFillAttr && !port.isResult)
    return verifyFill(port, attribute.getValue());
  if (attribute.getName() == kResultAttr && !port.isResult)
    return verifyResult(port, attribute.getValue());
  InFlightDiagnostic error = port.error() // ports_c1
                             << "unknown attribute '"
                             << attribute.getName().getValue()
                             << "', expected 'attn.name'";
  return port.isResult ? error << " or 'attn.dims'"
                       : error << ", 'attn.dims', 'attn.fill' or 'attn.result'";
}

LogicalResult AttnDialect::verifyRegionArgAttribute(Operation *op, unsigned,
                                                    unsigned argIndex,
                                                    NamedAttribute attribute) {
  // Only the verifier of functions asks.
  return verifyPort({cast<FunctionOpInterface>(op), argIndex, false},
                    attribute);
}

LogicalResult AttnDialect::verifyRegionResultAttribute(
    Operation *op, unsigned, unsigned resultIndex, NamedAttribute attribute) {
  // Only the verifier of functions asks.
  return verifyPort({cast<FunctionOpInterface>(op), resultIndex, true},
                    attribute);
}

static LogicalResult verifyDefaults(Operation *function, Attribute defaults) {
  auto isSize = [](NamedAttribute entry) {
    auto size = dyn_cast<IntegerAttr>(entry.getValue());
    return size && size.getValue().isStrictlyPositive() &&
           size.getValue().isSignedIntN(64);
  };
  auto sizes = dyn_cast<DictionaryAttr>(defaults);
  if (sizes && llvm::all_of(sizes, isSize)) // defaults_c1
    return success();
  return function->emitOpError(
             "'attn.defaults' must map dimension names to positive "
             "64-bit sizes, got ")
         << defaults;
}

LogicalResult AttnDialect::verifyOperationAttribute(Operation *op,
                                                    NamedAttribute attribute) {
  bool isFunction = isa<FunctionOpInterface>(op);
  if (attribute.getName() == kDefaultsAttr && isFunction)
    return verifyDefaults(op, attribute.getValue());
  if (attribute.getName() == kDefaultsAttr) // defaults_c2
    return op->emitOpError("cannot carry 'attn.defaults', expected a function");
  // What back ends write at functions of the LLVM dialect is their affair.
  bool isLowered = op->getName().getDialectNamespace() == "llvm";
  if (isFunction && !isLowered) // defaults_c3
    return op->emitOpError("unknown attribute '")
           << attribute.getName().getValue() << "', expected 'attn.defaults'";
  return success();
}
