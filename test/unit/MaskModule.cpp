//===- MaskModule.cpp - Masks as regions of ops ---------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MaskModule.h"
#include "dialect/AttnDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Parser/Parser.h"
#include <gtest/gtest.h>

using namespace mlir;
using namespace attn;
using namespace attn::test;

void attn::test::loadMaskDialects(MLIRContext &context) {
  context.allowUnregisteredDialects();
  context.loadDialect<AttnDialect, arith::ArithDialect, func::FuncDialect,
                      math::MathDialect, tensor::TensorDialect>();
}

std::string attn::test::getModuleText(const Mask &mask) {
  std::string text = "func.func @f(";
  for (auto [number, table] : llvm::enumerate(mask.tables)) {
    text += (number ? ", %t" : "%t") + std::to_string(number) + ": tensor<";
    for (size_t dim = 0; dim < table.values.shape.size(); ++dim)
      text += "?x";
    text += table.type + ">";
  }
  text += ") { \"test.mask\"() ({ ^bb0(%b: index, %h: index";
  for (const char *name : {"i", "j"})
    for (size_t axis = 0; axis < mask.queries.size(); ++axis)
      text += ", %" + std::string(name) + std::to_string(axis) + ": index";
  return text + "):\n" + mask.body + "}) : () -> () return }";
}

MaskModule::MaskModule(MLIRContext &context, const Mask &mask) {
  std::string text = getModuleText(mask);
  module = parseSourceString<ModuleOp>(text, &context);
  if (!module) {
    ADD_FAILURE() << "does not parse: " << text;
    return;
  }
  func::FuncOp function = *module->getOps<func::FuncOp>().begin();
  for (auto [value, table] : llvm::zip(function.getArguments(), mask.tables))
    addTable(value, table.values);
  op = &function.front().front();
}

void MaskModule::addTable(Value value, Table table) {
  owned.push_back(std::move(table));
  tables[value] = &owned.back();
}
