//===- CallChecks.cpp - Checks of the tensors of a call -------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/CallChecks.h"
#include "runtime/DimName.h"
#include <algorithm>

using namespace attn;

static std::string toString(int64_t value) { return std::to_string(value); }

namespace {
/// One port with its layout and the tensor given for it.
struct Given {
  const char *role; ///< "argument" or "result".
  const Port &port;
  const StrideLayout &layout;
  const TensorView &tensor;

  Status error(const std::string &message) const {
    return invalidArgument(std::string(role) + " '" + port.name +
                           "': " + message);
  }
  Status dimensionError(size_t dim, const std::string &message) const {
    return error("dimension " + toString(dim) + " (" + port.dims[dim] + ") " +
                 message);
  }
  bool isResult() const { return role[0] == 'r'; }
};
} // namespace

static bool isEmpty(const TensorView &tensor) {
  return std::ranges::find(tensor.sizes, 0) != tensor.sizes.end();
}

//===----------------------------------------------------------------------===//
// One tensor
//===----------------------------------------------------------------------===//

static Status checkType(const Given &given) {
  const TensorView &tensor = given.tensor;
  if (tensor.type != given.port.type)
    return given.error("element type must be " +
                       std::string(getTypeName(given.port.type)) + ", got " +
                       std::string(getTypeName(tensor.type)));
  size_t rank = given.port.sizes.size();
  if (tensor.sizes.size() != rank)
    return given.error("expected " + toString(rank) + " dimensions, got " +
                       toString(tensor.sizes.size()));
  if (tensor.strides.size() != rank)
    return given.error("expected " + toString(rank) + " strides, got " +
                       toString(tensor.strides.size()));
  return {};
}

static Status checkSizes(const Given &given) {
  for (size_t i = 0; i < given.port.sizes.size(); ++i) {
    int64_t size = given.tensor.sizes[i], expected = given.port.sizes[i];
    if (size < 0)
      return given.dimensionError(i, "must not be negative, got " +
                                         toString(size));
    if (expected >= 0 && size != expected)
      return given.dimensionError(i, "must be " + toString(expected) +
                                         ", got " + toString(size));
  }
  return {};
}

/// The stride that the compiled code assumes for dimension `dim`, if any.
static std::optional<int64_t> getFixedStride(const Given &given, size_t dim) {
  if (given.layout.isContiguous) {
    int64_t stride = 1;
    for (size_t i = dim + 1; i < given.tensor.sizes.size(); ++i)
      stride = uint64_t(stride) * given.tensor.sizes[i]; // May wrap around.
    return stride;
  }
  int64_t stride = given.layout.strides[dim];
  return stride == StrideLayout::kAny ? std::nullopt : std::optional(stride);
}

/// Checks strides; those of dimensions of one element do not matter.
static Status checkStrides(const Given &given) {
  for (size_t i = 0; i < given.tensor.strides.size(); ++i) {
    int64_t stride = given.tensor.strides[i];
    if (given.tensor.sizes[i] <= 1)
      continue;
    if (stride < 0)
      return given.dimensionError(i, "must not have a negative stride, got " +
                                         toString(stride));
    if (given.isResult() && stride == 0)
      return given.dimensionError(i,
                                  "must not have stride 0: its elements would "
                                  "overlap");
    std::optional<int64_t> fixed = getFixedStride(given, i);
    if (fixed && stride != *fixed)
      return given.dimensionError(i, "must have stride " + toString(*fixed) +
                                         ", got " + toString(stride));
  }
  return {};
}

/// The distance in elements from the first element to the last; nothing if it
/// exceeds 64 bits. The tensor has elements.
static std::optional<int64_t> getExtent(const TensorView &tensor) {
  int64_t extent = 0;
  for (size_t i = 0; i < tensor.sizes.size(); ++i) {
    int64_t part = 0;
    if (tensor.sizes[i] > 1 &&
        (__builtin_mul_overflow(tensor.sizes[i] - 1, tensor.strides[i],
                                &part) ||
         __builtin_add_overflow(extent, part, &extent)))
      return std::nullopt;
  }
  return extent;
}

/// Checks that offsets in bytes fit into 64 bits.
static Status checkExtent(const Given &given) {
  std::optional<int64_t> extent = getExtent(given.tensor);
  int64_t bytes;
  if (!extent || *extent == std::numeric_limits<int64_t>::max() ||
      __builtin_mul_overflow(*extent + 1, getByteSize(given.port.type), &bytes))
    return given.error("sizes and strides exceed 64-bit offsets");
  return {};
}

static Status checkData(const Given &given) {
  if (!given.tensor.data)
    return given.error("data must not be null");
  uintptr_t alignment = getByteSize(given.port.type);
  if (reinterpret_cast<uintptr_t>(given.tensor.data) % alignment)
    return given.error("data must be aligned to " + toString(alignment) +
                       " bytes");
  return {};
}

static Status checkTensor(const Given &given) {
  if (Status status = checkType(given))
    return status;
  if (Status status = checkSizes(given))
    return status;
  if (isEmpty(given.tensor))
    return {};
  if (Status status = checkStrides(given))
    return status;
  if (Status status = checkExtent(given))
    return status;
  return checkData(given);
}

/// Checks how many tensors there are, then each of them.
static Status checkTensors(const char *role, const std::vector<Port> &ports,
                           const std::vector<StrideLayout> &layouts,
                           TensorViews tensors) {
  if (tensors.size() != ports.size())
    return invalidArgument("expected " + toString(ports.size()) + " " + role +
                           "s, got " + toString(tensors.size()));
  for (size_t i = 0; i < ports.size(); ++i)
    if (Status status = checkTensor({role, ports[i], layouts[i], tensors[i]}))
      return status;
  return {};
}

//===----------------------------------------------------------------------===//
// Sizes that must agree
//===----------------------------------------------------------------------===//

namespace {
/// What is known of a name of dimensions, and from where.
struct NamedSize {
  int64_t size;
  std::string owner; ///< The argument.
  std::string dim;   ///< What the dimension is called there, as "G+1".
};
} // namespace

/// Dimensions of one name have one size, apart from what they have more.
static Status checkNamedDims(const Interface &interface,
                             TensorViews arguments) {
  std::map<std::string_view, NamedSize> known;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const Port &port = interface.arguments[i];
    for (size_t dim = 0; dim < port.dims.size(); ++dim) {
      int64_t size = arguments[i].sizes[dim];
      DimName name = DimName::parse(port.dims[dim]);
      Given given{"argument", port, interface.argumentLayouts[i], arguments[i]};
      if (size < name.more)
        return given.dimensionError(dim, "must be at least " +
                                             toString(name.more) + ", got " +
                                             toString(size));
      auto [entry, isNew] = known.try_emplace(
          name.name, NamedSize{size - name.more, port.name, port.dims[dim]});
      const NamedSize &first = entry->second;
      if (size - name.more == first.size)
        continue;
      std::string other =
          first.dim == port.dims[dim] ? "" : "dimension " + first.dim + " of ";
      return given.dimensionError(
          dim, "must be " + toString(first.size + name.more) +
                   (other.empty() ? " as in " : " to fit ") + other +
                   "argument '" + first.owner + "', got " + toString(size));
    }
  }
  return {};
}

namespace {
/// Checks rules on the sizes of a call, and says in words what they are about.
class RuleChecker {
public:
  RuleChecker(const Interface &interface, TensorViews arguments)
      : interface(interface), arguments(arguments) {}

  Status check(const SizeRule &rule) const {
    int64_t size = getSize(rule.size), of = getSize(rule.of);
    if (rule.kind == SizeRule::Kind::Equal)
      return size == of ? Status()
                        : error(rule, toString(of) + " as " + getDim(rule.of) +
                                          getOwner(rule.of));
    if (of ? size % of == 0 : size == 0)
      return {};
    return error(rule, "a multiple of " + toString(of) + ", " +
                           getDim(rule.of) + getOwner(rule.of));
  }

private:
  int64_t getSize(const SizeOperand &operand) const {
    return operand.argument ? arguments[*operand.argument].sizes[operand.dim]
                            : operand.constant;
  }

  const Port &getPort(const SizeOperand &operand) const {
    return interface.arguments[*operand.argument];
  }

  /// "dimension 2 (N)".
  std::string getDim(const SizeOperand &operand) const {
    if (!operand.argument)
      return "size " + toString(operand.constant);
    return "dimension " + toString(operand.dim) + " (" +
           getPort(operand).dims[operand.dim] + ")";
  }

  /// " of argument 'q'", or nothing for a constant.
  std::string getOwner(const SizeOperand &operand) const {
    return operand.argument ? " of argument '" + getPort(operand).name + "'"
                            : "";
  }

  /// "argument 'k': dimension 2 (Nk) must be <expectation>, got 63".
  Status error(const SizeRule &rule, const std::string &expectation) const {
    std::string owner = rule.size.argument
                            ? "argument '" + getPort(rule.size).name + "': "
                            : "";
    return invalidArgument(owner + getDim(rule.size) + " must be " +
                           expectation + rule.why + ", got " +
                           toString(getSize(rule.size)));
  }

  const Interface &interface;
  TensorViews arguments;
};
} // namespace

Status attn::checkArguments(const Interface &interface, TensorViews arguments) {
  if (Status status = checkTensors("argument", interface.arguments,
                                   interface.argumentLayouts, arguments))
    return status;
  if (Status status = checkNamedDims(interface, arguments))
    return status;
  RuleChecker checker(interface, arguments);
  for (const SizeRule &rule : interface.rules)
    if (Status status = checker.check(rule))
      return status;
  return {};
}

//===----------------------------------------------------------------------===//
// Results
//===----------------------------------------------------------------------===//

std::vector<int64_t> attn::bindDims(const Interface &interface,
                                    TensorViews arguments) {
  std::vector<std::string> names = getDimNames(interface.arguments);
  std::vector<int64_t> values(names.size());
  for (size_t i = 0; i < arguments.size(); ++i)
    for (size_t dim = 0; dim < arguments[i].sizes.size(); ++dim) {
      auto found = std::ranges::find(names, interface.arguments[i].dims[dim]);
      values[found - names.begin()] = arguments[i].sizes[dim];
    }
  return values;
}

Result<std::vector<std::vector<int64_t>>>
attn::getResultSizes(const Interface &interface, TensorViews arguments) {
  std::vector<int64_t> dims = bindDims(interface, arguments);
  std::vector<std::vector<int64_t>> sizes(interface.results.size());
  for (size_t i = 0; i < sizes.size(); ++i) {
    const Port &port = interface.results[i];
    std::string prefix = "result '" + port.name + "': ";
    for (size_t dim = 0; dim < port.dims.size(); ++dim) {
      const std::optional<SizeExpr> &expr = interface.resultShapes[i][dim];
      if (!expr)
        return invalidArgument(
            prefix + "nothing tells the size of dimension " + toString(dim) +
            " (" + port.dims[dim] +
            "); expected attn.dims to name a dimension of an argument");
      Result<int64_t> size = expr->evaluate({dims, {}});
      if (!size)
        return size.takeStatus().within(prefix);
      if (*size < 0)
        return invalidArgument(prefix + "dimension " + toString(dim) + " (" +
                               port.dims[dim] + ") must not be negative, got " +
                               toString(*size));
      sizes[i].push_back(*size);
    }
  }
  return sizes;
}

Status attn::checkResults(const Interface &interface, TensorViews arguments,
                          TensorViews results) {
  if (Status status = checkTensors("result", interface.results,
                                   interface.resultLayouts, results))
    return status;
  std::vector<int64_t> dims = bindDims(interface, arguments);
  for (size_t i = 0; i < results.size(); ++i)
    for (size_t dim = 0; dim < results[i].sizes.size(); ++dim) {
      const std::optional<SizeExpr> &expr = interface.resultShapes[i][dim];
      if (!expr)
        continue;
      Result<int64_t> size = expr->evaluate({dims, {}});
      if (!size)
        return size.takeStatus();
      if (results[i].sizes[dim] != *size)
        return Given{"result", interface.results[i], interface.resultLayouts[i],
                     results[i]}
            .dimensionError(dim, "must be " + toString(*size) + ", got " +
                                     toString(results[i].sizes[dim]));
    }
  return {};
}

//===----------------------------------------------------------------------===//
// Overlaps
//===----------------------------------------------------------------------===//

namespace {
/// The bytes from the first element of a tensor to the end of the last.
struct ByteRange {
  uintptr_t first = 0, last = 0, end = 0; ///< `last` is where that one starts.
  bool isDense = false;                   ///< Every byte belongs to an element.

  bool has(uintptr_t address) const {
    return first <= address && address < end;
  }
};
} // namespace

/// Whether elements fill memory without gaps, in any order of the dimensions.
static bool isDense(const TensorView &tensor) {
  std::vector<std::pair<int64_t, int64_t>> dims; // Stride and size.
  for (size_t i = 0; i < tensor.sizes.size(); ++i)
    if (tensor.sizes[i] > 1)
      dims.emplace_back(tensor.strides[i], tensor.sizes[i]);
  std::ranges::sort(dims);
  int64_t expected = 1;
  for (auto [stride, size] : dims) {
    if (stride != expected || __builtin_mul_overflow(stride, size, &expected))
      return false;
  }
  return true;
}

/// The range of a tensor that was checked and has elements.
static ByteRange getRange(const TensorView &tensor) {
  int64_t bytes = getByteSize(tensor.type);
  ByteRange range;
  range.first = reinterpret_cast<uintptr_t>(tensor.data);
  range.last = range.first + *getExtent(tensor) * bytes;
  range.end = range.last + bytes;
  range.isDense = isDense(tensor);
  return range;
}

/// Whether an element of one is certainly an element of the other.
static bool overlap(const TensorView &a, const TensorView &b) {
  if (isEmpty(a) || isEmpty(b))
    return false;
  ByteRange x = getRange(a), y = getRange(b);
  return x.first == y.first ||
         (x.isDense && (x.has(y.first) || x.has(y.last))) ||
         (y.isDense && (y.has(x.first) || y.has(x.last)));
}

/// Whether two views have the same elements in the same places.
static bool isSameTensor(const TensorView &a, const TensorView &b) {
  if (a.data != b.data || a.type != b.type ||
      !std::ranges::equal(a.sizes, b.sizes))
    return false;
  for (size_t i = 0; i < a.sizes.size(); ++i)
    if (a.sizes[i] > 1 && a.strides[i] != b.strides[i])
      return false;
  return true;
}

/// Checks result `i` against argument `j`.
static Status checkApart(const Interface &interface, size_t i, size_t j,
                         const TensorView &result, const TensorView &argument) {
  bool isInPlace = interface.results[i].inPlace == j;
  if (!overlap(result, argument) ||
      (isInPlace && isSameTensor(result, argument)))
    return {};
  std::string names = interface.results[i].name +
                      "': must not share memory "
                      "with argument '" +
                      interface.arguments[j].name + "'";
  return invalidArgument(
      "result '" + names +
      (isInPlace ? " in part; expected other memory, or the same data, sizes "
                   "and strides"
                 : ""));
}

Status attn::checkOverlaps(const Interface &interface, TensorViews arguments,
                           TensorViews results) {
  for (size_t i = 0; i < results.size(); ++i) {
    for (size_t j = 0; j < arguments.size(); ++j)
      if (Status status = checkApart(interface, i, j, results[i], arguments[j]))
        return status;
    std::string prefix = "result '" + interface.results[i].name +
                         "': must not share memory with ";
    for (size_t j = 0; j < i; ++j)
      if (overlap(results[i], results[j]))
        return invalidArgument(prefix + "result '" + interface.results[j].name +
                               "'");
  }
  return {};
}
