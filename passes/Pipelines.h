//===- Pipelines.h - The order of the passes --------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A phase is a named step of a compilation with plain IR before and after it.
// The phases that all targets share are listed here, those of a target in its
// own file (codegen/cpu/Pipeline.h).
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_PIPELINES_H
#define ATTN_PASSES_PIPELINES_H

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <functional>
#include <string>

namespace mlir {
class OpPassManager;
} // namespace mlir

namespace attn {

/// The forms that a program takes on its way down, in this order.
enum class Form { Attn, Tile, Vector, Llvm };

/// A named step of a compilation, and the form that the program has after it.
struct Phase {
  std::string name;
  Form form;
  std::function<void(mlir::OpPassManager &)>
      build; ///< Adds passes on a module.
};

/// What the phases before the waist need to know of the user and the target.
struct TileOptions {
  std::string dtype;    ///< Element type to compile for; empty: as written.
  std::string schedule; ///< As in `attn-select-schedule`; empty: chosen.
  int64_t vectorBits = 512;
  int64_t l1Bytes = 49152;
  int64_t l2Bytes = 2097152;
  int64_t rowGroup = 0;     ///< As in `attn-apply-sparsity`.
  bool countLists = false;  ///< As in `attn-to-tile`.
  int64_t longestFirst = 0; ///< As in `attn-split-blocks`.
  /// Adds the pass on functions that chooses schedules for another kind of
  /// target than a CPU; empty: `attn-select-schedule`.
  std::function<void(mlir::OpPassManager &)> selectSchedule;
};

/// From a spec to a tile program.
llvm::SmallVector<Phase> getTilePhases(const TileOptions &options);

/// From a spec to a function that counts pairs (`attn-count-pairs`), without
/// the ops that counting does not need.
llvm::SmallVector<Phase> getCountPhases(llvm::StringRef dtype);

/// From any form up to a tile program to the loops of its definition.
llvm::SmallVector<Phase> getReferencePhases(llvm::StringRef dtype,
                                            llvm::StringRef precision);

/// From any form between a spec and a tile program to its executable
/// definition: loops of scf over memref, arith and math. `precision` is that of
/// `attn-lower-to-reference`. Functions end up in destination-passing style,
/// like tile programs: tensors become memrefs of any strides but a last one of
/// 1, and results memrefs behind the arguments. Nothing that is allocated
/// leaks.
void buildReferencePipeline(mlir::OpPassManager &pm, llvm::StringRef precision);

/// Makes the above known to the optimizer as `attn-reference-pipeline`.
void registerReferencePipeline();

} // namespace attn

#endif // ATTN_PASSES_PIPELINES_H
