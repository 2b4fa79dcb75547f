//===- GenerateCaptures.cpp - Random captures and how they are read -------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/fuzz/GenerateSpec.h"
#include "llvm/ADT/STLExtras.h"

using namespace attn::fuzz;

int attn::fuzz::addCapture(Spec &spec, std::string element,
                           std::vector<std::string> dims) {
  spec.captures.push_back({std::move(element), std::move(dims), ""});
  return int(spec.captures.size()) - 1;
}

/// Random integers: below the first size of the capture, or another bound.
int RegionGenerator::addIntegers(std::string element,
                                 std::vector<std::string> dims) {
  int number = addCapture(spec, std::move(element), std::move(dims));
  if (random.oneIn(3)) {
    std::string bound = random.pick<std::string>(
        {"1", "2", "3", "8", "50", "300", "H", spec.rows(), spec.keys()});
    spec.captures[number].fill = "below " + bound;
  }
  return number;
}

/// Dimensions of a capture of at most a few million elements.
std::vector<std::string> RegionGenerator::chooseDims(int rank) {
  constexpr int64_t kMostElements = 1 << 22;
  std::vector<std::string> dims;
  int64_t elements = 1;
  for (int i = 0; i < rank; ++i) {
    std::string dim = random.pick<std::string>(
        {"B", "H", spec.rows(), spec.keys(), spec.keys(), "C"});
    if (dim != "C" && elements * spec.sizes[dim] > kMostElements)
      dim = "H";
    if (dim == "C") {
      dim += std::to_string(spec.sizes.size());
      spec.sizes[dim] = random.between(1, 40);
      if (random.oneIn(2))
        spec.statics.insert(dim);
    }
    elements *= spec.sizes[dim];
    dims.push_back(dim);
  }
  return dims;
}

/// An index into a dimension: mostly its own index, with an offset at times,
/// so that reads before and behind the capture occur.
Expr RegionGenerator::readIndex(const std::string &dim) {
  std::string own = dim == "B"                              ? "b"
                    : dim == spec.keyHeads() || dim == "H"  ? "h"
                    : dim == spec.rows() && random.oneIn(2) ? "i"
                    : dim == spec.keys()                    ? "j"
                                                            : "i";
  Expr at = makeArgument(own);
  if (dim.front() == 'C')
    at = random.oneIn(2) ? affine() : index(1);
  if (random.oneIn(3))
    at = makeOp("arith.addi", Kind::Index,
                {at, makeInteger(random.between(-5, 5))});
  return at;
}

/// An element of a capture, which may have been there before.
Expr RegionGenerator::read(std::string element, Kind kind, int rank) {
  std::vector<int> same;
  for (auto [number, capture] : llvm::enumerate(spec.captures))
    if (capture.element == element && int(capture.dims.size()) == rank)
      same.push_back(int(number));
  Expr expr = makeOp("read", kind, {});
  if (!same.empty() && random.oneIn(2)) {
    expr.capture = random.pick(same);
  } else {
    std::vector<std::string> dims = chooseDims(rank);
    bool isInteger = element.front() == 'i' && element != "i1";
    expr.capture = isInteger ? addIntegers(element, dims)
                             : addCapture(spec, element, dims);
  }
  std::vector<std::string> dims = spec.captures[expr.capture].dims;
  for (const std::string &dim : dims)
    expr.args.push_back(readIndex(dim));
  return expr;
}
