//===- Compiler.h - From the text of a spec to a callable kernel -*- C++
//-*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The JIT core. `compile` takes the text of a spec (or of any later form of the
// program) to a shared object that is loaded into the process, and returns a
// Kernel that can be called with strided buffers. Tools are thin clients.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_COMPILER_COMPILER_H
#define ATTN_RUNTIME_COMPILER_COMPILER_H

#include "runtime/Interface.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace attn {

/// Name as in MLIR ("f32").
llvm::StringRef getName(ElementType type);

/// A strided buffer that the caller owns. Strides count elements; that of the
/// last dimension must be 1 (any value where the size is 1 or less). So the
/// first rows of a cache are an argument (docs/rationale/decode.md).
struct Buffer {
  void *data = nullptr;
  ElementType type = ElementType::F32;
  llvm::SmallVector<int64_t, 4> sizes;
  llvm::SmallVector<int64_t, 4> strides;
};

/// What to compile, and for what.
struct CompileOptions {
  /// "cpu" (the widest instruction set of this machine), "cpu:avx512",
  /// "cpu:avx2", "cpu:baseline"; "reference" (the float64 definition), "naive"
  /// (the definition's loops in the precision of the spec).
  std::string target = "cpu";
  std::string function;     ///< Which function; may be empty if there is one.
  std::string dtype;        ///< f64, f32, f16, bf16; empty: as written.
  std::string schedule;     ///< "block_q=96,block_k=64"; empty: chosen.
  std::string dumpPhasesTo; ///< Folder for the IR after each phase; or empty.
  bool quick = false;       ///< Less work in LLVM: compiles fast, runs slowly.
};

/// How far `emit` goes.
enum class Stage {
  Attn,
  Tile,
  Vector,
  Llvm,
  LlvmIr,
  Assembly,
  Object,
  SharedObject,
  Ptx,
  Cubin
};

/// How often and how wide to run.
struct LaunchOptions {
  int threads = 1; ///< 0: all cores.
};

/// A compiled function. Calls are const and may run concurrently.
class Kernel {
public:
  virtual ~Kernel() = default;

  virtual llvm::ArrayRef<Port> arguments() const = 0;
  virtual llvm::ArrayRef<Port> results() const = 0;

  /// Sizes that the spec assumes where none are given.
  virtual const std::map<std::string, int64_t> &defaultDims() const = 0;

  /// Checks the arguments' types, sizes and strides against the spec (equal
  /// dimension names, head grouping, alignment) and returns the sizes of the
  /// results; the error names the argument, the expected and the given.
  virtual llvm::Expected<std::vector<llvm::SmallVector<int64_t, 4>>>
  resultSizes(llvm::ArrayRef<Buffer> arguments) const = 0;

  /// Runs the kernel: reads `arguments`, writes `results`. Checks both first.
  virtual llvm::Error launch(llvm::ArrayRef<Buffer> arguments,
                             llvm::ArrayRef<Buffer> results,
                             const LaunchOptions &options = {}) const = 0;

  /// Seconds from text to callable, and the schedule that was used.
  virtual double compileSeconds() const = 0;
  virtual std::string schedule() const = 0;

  /// Floating-point operations of one call on these arguments, 0 if nobody
  /// knows them: two per product
  /// and sum of the two matrix products of attend ops, for the pairs that masks
  /// keep. These are counted: the first call compiles code for that if there is
  /// a mask. Each call with masks takes as long as it takes to evaluate them
  /// for every query, or for every pair where they read captured tensors.
  virtual llvm::Expected<double>
  flops(llvm::ArrayRef<Buffer> arguments) const = 0;
};

/// Compiles one function of `text`; `name` stands for it in messages. Parser
/// and verifier messages, with locations, are part of the error.
llvm::Expected<std::unique_ptr<Kernel>> compile(llvm::StringRef text,
                                                llvm::StringRef name,
                                                const CompileOptions &options);

/// Compiles up to `stage` and returns the text or the bytes of that form.
llvm::Expected<std::string> emit(llvm::StringRef text, llvm::StringRef name,
                                 const CompileOptions &options, Stage stage);

/// Compiles for the target of each of `options` and returns the bytes of a
/// package (docs/packages.md). Beside targets and schedules, options must
/// agree.
llvm::Expected<std::string> emitPackage(llvm::StringRef text,
                                        llvm::StringRef name,
                                        llvm::ArrayRef<CompileOptions> options);

/// A spec that was parsed and verified, before it is compiled: whoever has met
/// its canonical text before may have a package of it.
class PackageCompilation {
public:
  virtual ~PackageCompilation() = default;

  /// The program as it is printed, with all names and sizes of its interface.
  virtual const std::string &getCanonicalText() const = 0;

  /// The bytes of the package, whose manifest gets the key. Call once.
  virtual llvm::Expected<std::string> emit(llvm::StringRef cacheKey) = 0;
};

/// Parses a spec for the target of `options`.
llvm::Expected<std::unique_ptr<PackageCompilation>>
parseForPackage(llvm::StringRef text, llvm::StringRef name,
                const CompileOptions &options);

/// All that packages for a target depend on beside the spec and the options:
/// "cpu:avx512 l1=32768 l2=1048576 tune=znver4". Fails for a target that has no
/// packages.
llvm::Expected<std::string> describeTarget(llvm::StringRef target);

} // namespace attn

#endif // ATTN_RUNTIME_COMPILER_COMPILER_H
