//===- Printer.h - Writes a spec as text ----------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TEST_FUZZ_PRINTER_H
#define ATTN_TEST_FUZZ_PRINTER_H

#include "test/fuzz/PrintSpec.h"
#include "llvm/ADT/ArrayRef.h"

namespace attn::fuzz {

/// Writes one spec. Constants that stand outside of regions are collected while
/// regions are written, and come out before them. Functions that write an op
/// return the name of its result.
class Printer {
public:
  explicit Printer(const Spec &spec) : spec(spec) {}

  std::string print();

private:
  // Types.
  std::string typeOf(Kind kind) const;
  std::string acc() const { return typeOf(Kind::Float); }
  std::string size(llvm::StringRef name) const;
  std::string tensor(llvm::ArrayRef<std::string> dims,
                     llvm::StringRef element) const;
  std::string port(llvm::StringRef name, llvm::ArrayRef<std::string> dims,
                   llvm::StringRef element, llvm::StringRef fill = "") const;
  /// The types of the operand q, k or v, or of a result, so many features wide.
  std::string operandType(char operand, llvm::StringRef width) const;
  std::string outType() const;
  std::string lseType() const;

  // Expressions.
  std::string name() { return "%x" + std::to_string(next++); }
  std::string line(const llvm::Twine &text);
  std::string number(double value) { return print(makeNumber(value)); }
  std::string unary(llvm::StringRef op, llvm::StringRef x);
  std::string binary(llvm::StringRef op, llvm::StringRef x, llvm::StringRef y);
  std::string print(const Expr &expr);
  std::string printConstant(const Expr &expr);
  std::string printRead(const Expr &expr);
  std::string printSize();
  std::string printKept(const Expr &expr);
  std::string convertElement(llvm::StringRef value, llvm::StringRef element,
                             Kind kind);
  std::string expand(llvm::StringRef op, llvm::StringRef x);
  std::string printOp(const Expr &expr, llvm::ArrayRef<std::string> args);

  // Row maps.
  std::string vectorType(int64_t width, llvm::StringRef element) const;
  std::string splat(llvm::StringRef scalar, llvm::StringRef type);
  std::string slice(llvm::StringRef x, int64_t width, int64_t start,
                    int64_t count);
  std::string readRow(const RowStep &step, int64_t width);
  std::string printIndices(const RowStep &step);
  std::string printContract(const RowStep &step, llvm::StringRef x,
                            int64_t &width);
  std::string printReading(const RowStep &step, llvm::StringRef x,
                           int64_t width);
  std::string printResizing(const RowStep &step, llvm::StringRef x,
                            int64_t &width);
  std::string printStep(const RowStep &step, llvm::StringRef x, int64_t &width);
  std::string printRowsBody(const RowMap &map);
  std::string printMap(char operand, const RowMap &map, std::string &width);

  // The spec.
  void addRegion(llvm::StringRef keyword, const llvm::Twine &arguments,
                 llvm::StringRef text);
  void addRegion(llvm::StringRef keyword, const llvm::Twine &arguments,
                 const std::optional<Expr> &expr);
  void printRegions();
  std::string printMixing() const;
  std::string printSchedule() const;
  std::string printOptions() const;
  std::string printAttend();
  std::string printSignature() const;

  const Spec &spec;
  std::string body;     ///< Of the region that is being written.
  std::string prologue; ///< What comes before the attend.
  std::string regions;  ///< Of the attend.
  int next = 0;
};

} // namespace attn::fuzz

#endif // ATTN_TEST_FUZZ_PRINTER_H
