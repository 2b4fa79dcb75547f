//===- PrintRecur.h - The text of a recurrence ----------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TEST_FUZZ_PRINTRECUR_H
#define ATTN_TEST_FUZZ_PRINTRECUR_H

#include "test/fuzz/RecurSpec.h"
#include "llvm/ADT/StringRef.h"

namespace attn::fuzz {

/// Writes one recurrence. Functions that write an op return the name of its
/// result.
class RecurPrinter {
public:
  explicit RecurPrinter(const RecurSpec &spec) : spec(spec) {}

  std::string print();

private:
  using Dims = std::vector<std::string>;

  /// Where a row is: a letter that its captures are named after, the dimension
  /// of its heads, and an operand with its dimensions whose rows attn.reduce
  /// may be asked for.
  struct Place {
    std::string letter, heads, operand;
    Dims dims;
  };
  /// A step of a map: its number, the row before it and the row's features.
  struct At {
    const Place &place;
    unsigned number;
    std::string x;
    int64_t width;
  };
  struct Operand {
    std::string name, type;
  };

  // Types and ports.
  std::string acc() const { return spec.isDouble() ? "f64" : "f32"; }
  int64_t getSize(llvm::StringRef dim) const;
  std::string tensor(const Dims &dims, llvm::StringRef element) const;
  std::string vectorType(int64_t width) const {
    return tensor({"D" + std::to_string(width)}, acc());
  }
  std::string addPort(llvm::StringRef name, const Dims &dims,
                      llvm::StringRef element, llvm::StringRef fill = "");
  Dims stateDims() const {
    return {"B", "H", "D" + std::to_string(spec.rows),
            "D" + std::to_string(spec.columns)};
  }
  Dims outDims(int64_t width) const {
    return {"B", "H", "N", "D" + std::to_string(width)};
  }
  /// Dimensions of one size may have one name.
  std::string queryDim() const {
    return spec.queryHeads == spec.heads ? "H" : "Hq";
  }
  std::string keyDim() const {
    return spec.keyHeads == spec.heads ? "H" : "Hk";
  }

  // Steps.
  std::string name() { return "%x" + std::to_string(next++); }
  std::string line(const llvm::Twine &text);
  std::string number(double value, llvm::StringRef type);
  std::string splat(llvm::StringRef scalar, int64_t width);
  std::string unary(llvm::StringRef op, llvm::StringRef x, int64_t width);
  std::string binary(llvm::StringRef op, llvm::StringRef x, llvm::StringRef y,
                     int64_t width);
  std::string slice(const At &at, int64_t start, int64_t count);
  std::string sumOfSquares(const At &at);
  std::string readRow(const At &at, llvm::StringRef capture, const Dims &dims,
                      llvm::StringRef element, llvm::StringRef indices);
  std::string printReading(const std::string &step, const At &at);
  std::string printReduced(const std::string &step, const At &at);
  std::string printDenominator(const std::string &step, const At &at);
  std::string printResizing(const std::string &step, const At &at);
  std::string printNormalizing(const std::string &step, const At &at);
  std::string printElementwise(const std::string &step, const At &at);
  /// Writes one step; `width` becomes that of its result.
  std::string printStep(const std::string &step, const At &at, int64_t &width);

  // The spec.
  std::string printRegion(llvm::StringRef keyword, llvm::StringRef arguments,
                          const Place &place, const Steps &steps,
                          llvm::StringRef row, int64_t width);
  std::string printMapRows(const Place &place, const Steps &steps,
                           llvm::StringRef from, const Dims &dims,
                           llvm::StringRef element);
  Operand printRows(llvm::StringRef letter, llvm::StringRef keyword,
                    llvm::StringRef heads, const RecurRows &rows,
                    int64_t width);
  void printGate();
  void printFactors();
  void printOptions();
  void printNorm();
  std::string printDefaults() const;

  const RecurSpec &spec;
  std::vector<std::string> ports;
  std::set<std::string> used; ///< Dimensions of ports.
  std::string body;           ///< Of the region that is being written.
  std::string prologue;       ///< What comes before the op.
  std::string clauses, regions;
  int next = 0;
};

} // namespace attn::fuzz

#endif // ATTN_TEST_FUZZ_PRINTRECUR_H
