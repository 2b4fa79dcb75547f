//===- CallChecks.cpp - Checks of the buffers of a call -------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/compiler/CallChecks.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/MathExtras.h"

using namespace attn;
using llvm::ArrayRef;
using llvm::Error;
using llvm::StringRef;
using llvm::Twine;
using mlir::ShapedType;

namespace {
/// One port with its layout and the buffer given for it.
struct Given {
  StringRef role; ///< "argument" or "result".
  const Port &port;
  const PortLayout &layout;
  const Buffer &buffer;

  Error error(const Twine &message) const {
    return llvm::createStringError(role + " '" + port.name + "': " + message);
  }
  Error dimensionError(size_t dim, const Twine &message) const {
    return error("dimension " + Twine(dim) + " (" + port.dims[dim] + ") " +
                 message);
  }
  bool isEmpty() const { return llvm::is_contained(buffer.sizes, 0); }
};
} // namespace

static std::string toString(int64_t value) { return std::to_string(value); }

//===----------------------------------------------------------------------===//
// One buffer
//===----------------------------------------------------------------------===//

static Error checkType(const Given &given) {
  if (given.buffer.type != given.port.type)
    return given.error("element type must be " + getName(given.port.type) +
                       ", got " + getName(given.buffer.type));
  size_t rank = given.port.sizes.size();
  if (given.buffer.sizes.size() != rank)
    return given.error("expected " + Twine(rank) + " dimensions, got " +
                       Twine(given.buffer.sizes.size()));
  if (given.buffer.strides.size() != rank)
    return given.error("expected " + Twine(rank) + " strides, got " +
                       Twine(given.buffer.strides.size()));
  return Error::success();
}

static Error checkSizes(const Given &given) {
  for (auto [i, expected] : llvm::enumerate(given.port.sizes)) {
    int64_t size = given.buffer.sizes[i];
    if (size < 0)
      return given.dimensionError(i, "must not be negative, got " +
                                         toString(size));
    if (expected >= 0 && size != expected)
      return given.dimensionError(i, "must be " + toString(expected) +
                                         ", got " + toString(size));
  }
  return Error::success();
}

/// The stride that the compiled code assumes for dimension `dim`, if any.
static std::optional<int64_t> getFixedStride(const Given &given, size_t dim) {
  if (given.layout.isContiguous) {
    int64_t stride = 1;
    for (size_t i = dim + 1; i < given.buffer.sizes.size(); ++i)
      stride = uint64_t(stride) * given.buffer.sizes[i]; // May wrap around.
    return stride;
  }
  int64_t stride = given.layout.strides[dim];
  return ShapedType::isDynamic(stride) ? std::nullopt : std::optional(stride);
}

/// Checks strides; those of dimensions of one element do not matter.
static Error checkStrides(const Given &given) {
  for (auto [i, stride] : llvm::enumerate(given.buffer.strides)) {
    if (given.buffer.sizes[i] <= 1)
      continue;
    if (stride < 0)
      return given.dimensionError(i, "must not have a negative stride, got " +
                                         toString(stride));
    if (given.role == "result" && stride == 0)
      return given.dimensionError(i,
                                  "must not have stride 0: its elements would "
                                  "overlap");
    std::optional<int64_t> fixed = getFixedStride(given, i);
    if (fixed && stride != *fixed)
      return given.dimensionError(i, "must have stride " + toString(*fixed) +
                                         ", got " + toString(stride));
  }
  return Error::success();
}

/// Checks that offsets in bytes fit into 64 bits.
static Error checkExtent(const Given &given) {
  int64_t extent = 0;
  for (auto [size, stride] :
       llvm::zip_equal(given.buffer.sizes, given.buffer.strides)) {
    int64_t part = 0;
    if (size > 1 && (llvm::MulOverflow(size - 1, stride, part) ||
                     llvm::AddOverflow(extent, part, extent)))
      return given.error("sizes and strides exceed 64-bit offsets");
  }
  int64_t bytes;
  if (llvm::MulOverflow(extent + 1, getByteSize(given.port.type), bytes) ||
      extent == std::numeric_limits<int64_t>::max())
    return given.error("sizes and strides exceed 64-bit offsets");
  return Error::success();
}

static Error checkData(const Given &given) {
  if (!given.buffer.data)
    return given.error("data must not be null");
  uintptr_t alignment = getByteSize(given.port.type);
  if (reinterpret_cast<uintptr_t>(given.buffer.data) % alignment)
    return given.error("data must be aligned to " + Twine(alignment) +
                       " bytes");
  return Error::success();
}

static Error checkBuffer(const Given &given) {
  if (Error error = checkType(given))
    return error;
  if (Error error = checkSizes(given))
    return error;
  if (given.isEmpty())
    return Error::success();
  if (Error error = checkStrides(given))
    return error;
  if (Error error = checkExtent(given))
    return error;
  return checkData(given);
}

/// Checks how many buffers there are, then each of them.
static Error checkBuffers(StringRef role, const std::vector<Port> &ports,
                          const std::vector<PortLayout> &layouts,
                          ArrayRef<Buffer> buffers) {
  if (buffers.size() != ports.size())
    return llvm::createStringError("expected " + Twine(ports.size()) + " " +
                                   role + "s, got " + Twine(buffers.size()));
  for (size_t i = 0; i < ports.size(); ++i)
    if (Error error = checkBuffer({role, ports[i], layouts[i], buffers[i]}))
      return error;
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Sizes that must agree
//===----------------------------------------------------------------------===//

namespace {
/// Sizes of a call, and how messages call them.
class CallSizes {
public:
  CallSizes(const Signature &signature, ArrayRef<Buffer> arguments)
      : signature(signature), arguments(arguments) {}

  int64_t get(const SizeSource &source) const {
    return source.kind == SizeSource::Kind::Argument
               ? arguments[source.argument].sizes[source.dim]
               : source.constant;
  }

  bool isKnown(const SizeSource &source) const {
    return source.kind != SizeSource::Kind::Unknown;
  }

  /// "dimension 2 (N)".
  std::string getDim(const SizeSource &source) const {
    if (source.kind != SizeSource::Kind::Argument)
      return "size " + toString(source.constant);
    const Port &port = signature.arguments[source.argument];
    return "dimension " + toString(source.dim) + " (" + port.dims[source.dim] +
           ")";
  }

  /// " of argument 'q'", or nothing for a constant.
  std::string getOwner(const SizeSource &source) const {
    if (source.kind != SizeSource::Kind::Argument)
      return "";
    return " of argument '" + signature.arguments[source.argument].name + "'";
  }

  /// "argument 'k': dimension 2 (Nk) must be <expectation>, got 63".
  Error getError(const SizeSource &source, const Twine &expectation) const {
    std::string owner =
        source.kind == SizeSource::Kind::Argument
            ? "argument '" + signature.arguments[source.argument].name + "': "
            : "";
    return llvm::createStringError(owner + getDim(source) + " must be " +
                                   expectation + ", got " +
                                   toString(get(source)));
  }

  /// Checks that `source` has the size of `reference`; `why` ends the message.
  Error checkEqual(const SizeSource &source, const SizeSource &reference,
                   const Twine &why = "") const {
    if (!isKnown(source) || !isKnown(reference) ||
        get(source) == get(reference))
      return Error::success();
    return getError(source, toString(get(reference)) + " as " +
                                getDim(reference) + getOwner(reference) + why);
  }

private:
  const Signature &signature;
  ArrayRef<Buffer> arguments;
};
} // namespace

/// Dimensions of one name have one size.
static Error checkNamedDims(const Signature &signature,
                            ArrayRef<Buffer> arguments) {
  std::map<StringRef, std::pair<int64_t, StringRef>> known;
  for (auto [port, layout, buffer] : llvm::zip_equal(
           signature.arguments, signature.argumentLayouts, arguments))
    for (auto [i, dim] : llvm::enumerate(port.dims)) {
      auto [entry, isNew] =
          known.try_emplace(dim, buffer.sizes[i], StringRef(port.name));
      auto [expected, owner] = entry->second;
      if (buffer.sizes[i] != expected)
        return Given{"argument", port, layout, buffer}.dimensionError(
            i, "must be " + toString(expected) + " as in argument '" + owner +
                   "', got " + toString(buffer.sizes[i]));
    }
  return Error::success();
}

/// Query heads are shared out evenly among key heads.
static Error checkHeads(const CallSizes &sizes, const SizeSource &query,
                        const SizeSource &key) {
  if (!sizes.isKnown(query) || !sizes.isKnown(key))
    return Error::success();
  int64_t heads = sizes.get(query), keyHeads = sizes.get(key);
  if (keyHeads ? heads % keyHeads == 0 : heads == 0)
    return Error::success();
  return sizes.getError(query, "a multiple of " + toString(keyHeads) + ", " +
                                   sizes.getDim(key) + sizes.getOwner(key));
}

static Error checkAttend(const CallSizes &sizes, const AttendFacts &facts) {
  for (const SizeSource &source : facts.batches)
    if (Error error = sizes.checkEqual(source, facts.batches.front()))
      return error;
  for (size_t dim : {1, 2})
    if (Error error = sizes.checkEqual(facts.value[dim], facts.key[dim]))
      return error;
  if (Error error = checkHeads(sizes, facts.query[1], facts.key[1]))
    return error;
  if (!facts.needsEqualLengths)
    return Error::success();
  return sizes.checkEqual(facts.key[2], facts.query[2],
                          ", as the attend op has no alignment");
}

Error attn::checkArguments(const Signature &signature,
                           ArrayRef<Buffer> arguments) {
  if (Error error = checkBuffers("argument", signature.arguments,
                                 signature.argumentLayouts, arguments))
    return error;
  if (Error error = checkNamedDims(signature, arguments))
    return error;
  CallSizes sizes(signature, arguments);
  for (const AttendFacts &facts : signature.attends)
    if (Error error = checkAttend(sizes, facts))
      return error;
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Results
//===----------------------------------------------------------------------===//

llvm::Expected<ResultSizes> attn::getResultSizes(const Signature &signature,
                                                 ArrayRef<Buffer> arguments) {
  CallSizes sizes(signature, arguments);
  ResultSizes result;
  for (auto [port, sources] :
       llvm::zip_equal(signature.results, signature.resultSizes)) {
    auto &entry = result.emplace_back();
    for (auto [dim, source] : llvm::enumerate(sources)) {
      if (!sizes.isKnown(source))
        return llvm::createStringError(
            "result '" + port.name + "': nothing tells the size of dimension " +
            Twine(dim) + " (" + port.dims[dim] +
            "); expected attn.dims to name a dimension of an argument");
      entry.push_back(sizes.get(source));
    }
  }
  return result;
}

Error attn::checkResults(const Signature &signature, ArrayRef<Buffer> arguments,
                         ArrayRef<Buffer> results) {
  if (Error error = checkBuffers("result", signature.results,
                                 signature.resultLayouts, results))
    return error;
  CallSizes sizes(signature, arguments);
  for (size_t i = 0; i < results.size(); ++i)
    for (auto [dim, source] : llvm::enumerate(signature.resultSizes[i]))
      if (sizes.isKnown(source) && results[i].sizes[dim] != sizes.get(source))
        return Given{"result", signature.results[i], signature.resultLayouts[i],
                     results[i]}
            .dimensionError(dim, "must be " + toString(sizes.get(source)) +
                                     ", got " +
                                     toString(results[i].sizes[dim]));
  return Error::success();
}

std::vector<double> attn::getAllPairs(const Signature &signature,
                                      ArrayRef<Buffer> arguments) {
  CallSizes sizes(signature, arguments);
  std::vector<double> pairs;
  for (const AttendFacts &facts : signature.attends) {
    double product = 1;
    for (const SizeSource &source :
         {facts.query[1], facts.query[2], facts.key[2]})
      product *= double(sizes.get(source));
    if (!facts.batches.empty())
      product *= double(sizes.get(facts.batches.front()));
    pairs.push_back(product);
  }
  return pairs;
}
