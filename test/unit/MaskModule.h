//===- MaskModule.h - Masks as regions of ops -------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TEST_UNIT_MASKMODULE_H
#define ATTN_TEST_UNIT_MASKMODULE_H

#include "BlockMasks.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include <deque>

namespace attn::test {

/// Loads the dialects that masks are written in.
void loadMaskDialects(mlir::MLIRContext &context);

/// The module that holds a mask as the region of an op.
std::string getModuleText(const Mask &mask);

/// That module, parsed, and the tables that the mask captures.
class MaskModule {
public:
  MaskModule(mlir::MLIRContext &context, const Mask &mask);

  /// Whether the mask could be parsed; a test fails otherwise.
  explicit operator bool() const { return bool(module); }
  mlir::Operation *getOp() { return op; }
  mlir::Region &getRegion() { return op->getRegion(0); }
  void addTable(mlir::Value value, Table table);

  Tables tables;

private:
  mlir::OwningOpRef<mlir::ModuleOp> module;
  mlir::Operation *op = nullptr;
  std::deque<Table> owned;
};

} // namespace attn::test

#endif // ATTN_TEST_UNIT_MASKMODULE_H
