//===- CompilerStagesTest.cpp - Intermediate forms of the JIT core --------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/unit/CompilerPrograms.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include <gtest/gtest.h>

using namespace attn;
using namespace attn::unittest;
using llvm::ArrayRef;
using llvm::StringRef;

//===----------------------------------------------------------------------===//
// Intermediate forms
//===----------------------------------------------------------------------===//

TEST(CompilerStages, LaterFormsRun) {
  auto operands = makeOperands(1, 4, 2, 33, 50);
  auto direct = run(*mustCompile(getCausal()), getBuffers(operands));
  for (Stage stage : {Stage::Attn, Stage::Tile, Stage::Vector}) {
    auto text = emit(getCausal(), "test.mlir", {}, stage);
    ASSERT_TRUE(bool(text)) << llvm::toString(text.takeError());
    auto kernel = mustCompile(*text);
    ASSERT_TRUE(kernel);
    EXPECT_EQ(kernel->results()[1].name, "lse");
    auto results = run(*kernel, getBuffers(operands));
    ASSERT_EQ(results.size(), 2u);
    EXPECT_EQ(direct[0].data, results[0].data);
    EXPECT_EQ(direct[1].data, results[1].data);
  }
}

TEST(CompilerStages, EmitsEveryStage) {
  const std::pair<Stage, StringRef> expected[] = {
      {Stage::Attn, "attn.attend"},
      {Stage::Tile, "tile.dot"},
      {Stage::Vector, "vector.store"},
      {Stage::Llvm, "llvm.func @attn_entry_"},
      {Stage::LlvmIr, "define "},
      {Stage::Assembly, "attn_entry_causal:"},
      {Stage::Object, "\x7f"
                      "ELF"},
      {Stage::SharedObject, "\x7f"
                            "ELF"}};
  for (auto [stage, part] : expected) {
    auto text = emit(getCausal(), "test.mlir", {}, stage);
    ASSERT_TRUE(bool(text)) << llvm::toString(text.takeError());
    EXPECT_TRUE(StringRef(*text).contains(part)) << part.str();
  }
  CompileOptions options;
  options.target = "reference";
  EXPECT_EQ(
      llvm::toString(
          emit(getCausal(), "test.mlir", options, Stage::Tile).takeError()),
      "target 'reference' has no tile program: expected a cpu or cuda target");
}

TEST(CompilerStages, DumpsPhases) {
  llvm::SmallString<128> folder;
  ASSERT_FALSE(llvm::sys::fs::createUniqueDirectory("attn-test", folder));
  CompileOptions options;
  options.dumpPhasesTo = (folder + "/new").str();
  EXPECT_EQ(getCompileError(kDouble, options), "");
  for (StringRef name : {"00-parsed.mlir", "01-block-registers.mlir",
                         "04-to-llvm.mlir", "05-llvm-ir.ll"})
    EXPECT_TRUE(llvm::sys::fs::exists(options.dumpPhasesTo + "/" + name))
        << name.str();
  options.dumpPhasesTo += "/00-parsed.mlir";
  EXPECT_EQ(getCompileError(kDouble, options),
            options.dumpPhasesTo +
                "/00-parsed.mlir: cannot write: Not a directory");
  llvm::sys::fs::remove_directories(folder);
}

static llvm::cl::opt<int> kept("compiler-test-kept", llvm::cl::init(1));

TEST(CompilerStages, LeavesCommandLineOptionsAlone) {
  const char *arguments[] = {"test", "--compiler-test-kept=7"};
  ASSERT_TRUE(llvm::cl::ParseCommandLineOptions(2, arguments));
  mustCompile(kDouble);
  EXPECT_EQ(kept, 7);
}
