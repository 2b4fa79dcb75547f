//===- CompilerPrograms.h - What tests of the JIT core share -----*- C++
//-*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TEST_UNIT_COMPILERPROGRAMS_H
#define ATTN_TEST_UNIT_COMPILERPROGRAMS_H

#include "runtime/compiler/Compiler.h"
#include <memory>
#include <string>
#include <vector>

namespace attn::unittest {

//===----------------------------------------------------------------------===//
// Programs
//===----------------------------------------------------------------------===//

/// Doubles rows through scratch memory: a program in the form that enters
/// attn-cpu-outline-parallel, one block per row.
extern const llvm::StringRef kDouble;

/// A recurrence over segments, with states before and behind them.
extern const llvm::StringRef kPacked;

/// Replaces every `from` in `text`.
std::string replaceAll(llvm::StringRef text, llvm::StringRef from,
                       llvm::StringRef to);

/// A causal spec with grouped heads and the log-sum-exp.
std::string getCausal();

/// The same without an alignment, where sizes are known only at run time.
std::string getUnalignedCausal();

/// Compiles `text`; fails the test and returns null on an error.
std::unique_ptr<Kernel> mustCompile(llvm::StringRef text,
                                    llvm::StringRef target = "cpu",
                                    llvm::StringRef dtype = "");

/// The message with which compiling `text` fails; empty if it does not.
std::string getCompileError(llvm::StringRef text,
                            const CompileOptions &options = {});

//===----------------------------------------------------------------------===//
// Buffers
//===----------------------------------------------------------------------===//

/// An array of floats in row-major order, with its buffer.
struct FloatArray {
  std::vector<float> data;
  Buffer buffer;

  explicit FloatArray(llvm::ArrayRef<int64_t> sizes, float seed = 0);
  FloatArray(FloatArray &&) = default;
};

/// Runs `kernel` on fresh results; fails the test on an error.
std::vector<FloatArray> run(const Kernel &kernel,
                            llvm::ArrayRef<Buffer> arguments, int threads = 1);

/// Queries, keys and values for the causal spec.
std::vector<FloatArray> makeOperands(int64_t b, int64_t h, int64_t hk,
                                     int64_t nq, int64_t nk);

std::vector<Buffer> getBuffers(const std::vector<FloatArray> &arrays);

/// The causal spec in double precision, written out.
std::vector<double> computeCausal(const std::vector<FloatArray> &operands);

/// Compares all elements but the last, which arrays have beyond their sizes.
void expectNear(llvm::ArrayRef<float> actual, llvm::ArrayRef<double> expected);

} // namespace attn::unittest

#endif // ATTN_TEST_UNIT_COMPILERPROGRAMS_H
