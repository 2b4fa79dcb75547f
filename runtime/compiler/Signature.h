//===- Signature.h - What a function expects of its callers -----*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Sizes are known only when a kernel is called, so what the verifiers of ops
// cannot check is collected here before the function is lowered: where the
// sizes of results come from, and which sizes must agree.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_COMPILER_SIGNATURE_H
#define ATTN_RUNTIME_COMPILER_SIGNATURE_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "runtime/compiler/Compiler.h"

namespace attn {

/// Where a size comes from.
struct SizeSource {
  enum class Kind { Unknown, Constant, Argument };
  Kind kind = Kind::Unknown;
  int64_t constant = 0;
  unsigned argument = 0, dim = 0;
  int64_t more = 0; ///< What it has more than that dimension of the argument.
};
using SizeSources = llvm::SmallVector<SizeSource, 4>;

/// Where the sizes of `value`, a ranked tensor, come from.
SizeSources traceSizes(mlir::Value value);

/// What an `attn.attend` asks of the sizes of its operands.
struct AttendFacts {
  SizeSources query, key, value;
  SizeSources batches; ///< Of the operands whose batch is not shared.
  bool needsEqualLengths = false; ///< Nq == Nk: positions are compared.
};

/// The work of an `attn.attend`, whose units are pairs of a query and a key of
/// a head, or of an `attn.recur`, whose units are tokens of a head.
struct WorkFacts {
  SizeSources units;   ///< Their number is the product of these sizes ...
  bool isExact = true; ///< ... less what masks and control flow leave out.
  double flopsPerUnit = 0;
};

/// What the compiler knows of a port beside what callers need.
struct PortLayout {
  bool hasDims = false;                  ///< Dimensions have names of the spec.
  bool isContiguous = false;             ///< A memref without layout.
  llvm::SmallVector<int64_t, 4> strides; ///< ShapedType::kDynamic where open.
  unsigned position = 0;                 ///< Among all arguments of the code.
  bool isGathered = false; ///< A region reads elements at places it computes.
};

/// A function as its callers see it.
struct Signature {
  std::string function;
  std::vector<Port> arguments, results;
  std::vector<PortLayout> argumentLayouts, resultLayouts;
  std::vector<SizeSources> resultSizes;
  std::vector<AttendFacts> attends;
  std::vector<WorkFacts> work; ///< In the order of a walk.
  std::map<std::string, int64_t> defaults;
};

/// Describes a function over ranked tensors, or one over memrefs whose results
/// are marked with `attn.result`. Fails with a diagnostic if there is a type
/// that no buffer can have.
mlir::FailureOr<Signature> describeFunction(mlir::func::FuncOp function);

/// Writes names of ports and dimensions of results down as attributes where the
/// function has none, so that later forms of the program describe themselves as
/// well. Generated names of dimensions are not written.
void annotateFunction(mlir::func::FuncOp function, const Signature &signature);

/// Takes element types and layouts from the lowered function, whose arguments
/// are the arguments and then the results of the original one.
llvm::LogicalResult readLoweredTypes(mlir::func::FuncOp lowered,
                                     Signature &signature);

} // namespace attn

#endif // ATTN_RUNTIME_COMPILER_SIGNATURE_H
