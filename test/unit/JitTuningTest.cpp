//===- JitTuningTest.cpp - Tuned schedules through the C interface --------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/attn_jit.h"
#include "runtime/compiler/tuning/CompilerBuild.h"
#include "runtime/compiler/tuning/FunctionModel.h"
#include "test/unit/TestFolder.h"
#include <cstddef>
#include <gtest/gtest.h>
#include <sqlite3.h>

using namespace attn;
using namespace attn::unittest;
using llvm::cantFail;

static constexpr char kSmall[] = "many:block_q=16,block_k=16";

#define T "tensor<?x?x?x16xf32>"
#define DIMS "attn.dims = [\"B\", \"H\", \"N\", \"D\"]"
static const std::string text =
    "func.func @dense(%q: " T " {" DIMS "}, %k: " T " {" DIMS "}, %v: " T
    " {" DIMS "}) -> " T " {\n"
    "  %out = attn.attend %q, %k, %v : " T ", " T ", " T " -> " T "\n"
    "  return %out : " T "\n}\n";

namespace {
/// What became of a compilation.
struct Compiled {
  std::string schedule, origin, error;
};

/// A context.
class Context {
public:
  explicit Context(const std::string &cache) {
    attn_jit_options options = {sizeof(options), cache.c_str(), 0, 0};
    EXPECT_EQ(attn_jit_create(&options, &jit), ATTN_OK) << attn_last_error();
  }
  Context(const Context &) = delete;
  ~Context() { attn_jit_destroy(jit); }

  Compiled compile(const attn_compile_options &options) const {
    attn_kernel *kernel = nullptr;
    attn_status status = attn_jit_compile(jit, text.data(), text.size(),
                                          {kDLCPU, 0}, &options, &kernel);
    if (status != ATTN_OK)
      return {"", "",
              attn_status_name(status) + std::string(": ") + attn_last_error()};
    Compiled made = {attn_kernel_schedule(kernel),
                     attn_kernel_schedule_origin(kernel), ""};
    attn_kernel_destroy(kernel);
    return made;
  }

  /// For calls of these sizes; null is the option left out.
  Compiled compile(const char *database, const char *dims,
                   const char *schedule = nullptr) const {
    attn_compile_options options = {};
    options.struct_size = sizeof(options);
    options.schedule = schedule;
    options.tuning_db = database;
    options.dims = dims;
    return compile(options);
  }

  attn_jit_counters getCounters() const {
    attn_jit_counters counters = {};
    counters.struct_size = sizeof(counters);
    EXPECT_EQ(attn_jit_get_counters(jit, &counters), ATTN_OK);
    return counters;
  }

  std::string getConfig() const { return attn_jit_config(jit); }

private:
  attn_jit *jit = nullptr;
};

/// A database, and a folder for contexts.
class JitTuning : public ::testing::Test {
protected:
  /// Records a schedule for lengths of up to `length`.
  void record(int64_t length, const std::string &schedule,
              const std::string &build = getCompilerBuild().str()) {
    CallSizes sizes = {{"N", length}};
    TuningRecord made;
    made.key = cantFail(makeTuningKey(text, "spec", CompileOptions(), "",
                                      &sizes, &made.tokens));
    made.schedule = schedule;
    made.seconds = ratio *= 0.9; // Better than those before.
    made.baseline = 1;
    made.dims = "B=1,H=1,N=" + std::to_string(length);
    made.build = build;
    auto opened =
        cantFail(TuningDatabase::open(path, TuningDatabase::Mode::Write));
    EXPECT_TRUE(cantFail(opened.put(made)));
  }

  TestFolder folder;
  std::string path = folder.path + "/a.db", cache = folder.path + "/cache";
  const char *database = path.c_str();
  double ratio = 1;
};
} // namespace

TEST_F(JitTuning, TakesTheRecordOfTheSizes) {
  record(64, kSmall);
  record(128, "many:block_q=16,block_k=32");
  Context jit(cache);
  std::vector<std::pair<const char *, std::string>> cases = {
      {"N=64", "record N=64 many:block_q=16,block_k=16"},
      {"H=3,N=33", "record N=64 many:block_q=16,block_k=16"},
      {"N=65", "record N=128 many:block_q=16,block_k=32"},
      {nullptr, "record N=128 many:block_q=16,block_k=32"},
      {"N=300", "default, no record of N=512"}};
  for (const auto &[dims, origin] : cases) {
    Compiled made = jit.compile(database, dims);
    EXPECT_EQ(made.origin, origin) << made.error;
    // What the record says is what was compiled.
    size_t at = origin.find("block_q");
    if (at != std::string::npos)
      EXPECT_TRUE(made.schedule.ends_with(origin.substr(at))) << made.schedule;
  }
  // One for each schedule.
  EXPECT_EQ(jit.getCounters().compilations, 3u);
  EXPECT_EQ(jit.compile(database, "N=64", "block_q=16,block_k=16").origin,
            "given");
  EXPECT_EQ(jit.compile("", "N=64").origin, "default");
}

TEST_F(JitTuning, ReadsTheEnvironment) {
  record(64, kSmall);
  ::setenv("ATTN_TUNING_DB", database, 1);
  Context jit(cache);
  ::unsetenv("ATTN_TUNING_DB");
  EXPECT_EQ(jit.compile(nullptr, "N=64").origin,
            "record N=64 many:block_q=16,block_k=16");
  EXPECT_NE(jit.getConfig().find("a.db\", \"from\": \"ATTN_TUNING_DB\""),
            std::string::npos);
  EXPECT_EQ(Context(cache).compile(nullptr, "N=64").origin, "default");
}

TEST_F(JitTuning, NewRecordsAreNotHiddenByTheCache) {
  record(64, kSmall);
  Context first(cache);
  Compiled old = first.compile(database, "N=64");
  EXPECT_EQ(old.origin, "record N=64 many:block_q=16,block_k=16");
  {
    Context again(cache);
    EXPECT_EQ(again.compile(database, "N=64").origin, old.origin);
    EXPECT_EQ(again.getCounters().disk_hits, 1u);
  }
  record(64, "many:block_q=16,block_k=32");
  Compiled made = Context(cache).compile(database, "N=64");
  EXPECT_EQ(made.origin, "record N=64 many:block_q=16,block_k=32");
  EXPECT_NE(made.schedule, old.schedule);
  // A context keeps what it has, so that results do not change on the way.
  EXPECT_EQ(first.compile(database, "N=64").origin, old.origin);
}

TEST_F(JitTuning, RecordsOfAnotherBuildAreChecked) {
  record(64, kSmall, "another");
  record(128, "many:block_q=7,block_k=16", "another");
  record(256, "many:block_q=16,block_p=16", "another");
  Context jit(cache);
  EXPECT_EQ(jit.compile(database, "N=64").origin,
            "record N=64 many:block_q=16,block_k=16, of another build");
  for (const char *dims : {"N=128", "N=256"}) {
    std::string origin = jit.compile(database, dims).origin;
    EXPECT_EQ(origin.find("default, the record " + std::string(dims)), 0u)
        << origin;
    EXPECT_NE(origin.find(" is of another build, which this one cannot run: "),
              std::string::npos)
        << origin;
  }
}

TEST_F(JitTuning, DamagedDatabasesAreReportedAndLeftAlone) {
  Context jit(cache);
  EXPECT_EQ(jit.compile(database, "N=64").error,
            "ATTN_IO_ERROR: '" + path +
                "': cannot read: unable to open database file");
  std::string bytes(200, 'x');
  writeFile(path, bytes);
  EXPECT_EQ(jit.compile(database, "N=64").error,
            "ATTN_IO_ERROR: '" + path +
                "': expected a tuning database, got a file that is damaged or "
                "something else (file is not a database); it is left as it is: "
                "move it away or name another one");
  EXPECT_EQ(readFile(path), bytes);
  // It is not remembered.
  ::unlink(database);
  record(64, kSmall);
  EXPECT_EQ(
      jit.compile(database, "M=64").error,
      "ATTN_INVALID_ARGUMENT: dims: unknown dimension 'M'; expected B, D, H, "
      "N");
  EXPECT_EQ(jit.compile(database, "N").error,
            "ATTN_INVALID_ARGUMENT: dims: expected sizes such as "
            "'H=8,N=4096', each name once, got 'N'");
  EXPECT_EQ(jit.compile(database, "N=64").error, "");
}

TEST_F(JitTuning, NamesOfSizesAreCheckedWithoutADatabase) {
  Context jit(cache);
  EXPECT_EQ(jit.compile(nullptr, nullptr).error, "");
  for (const char *schedule : {"", "block_q=16,block_k=16"}) {
    EXPECT_EQ(jit.compile("", "H=2,N=64", schedule).error, "");
    // That the kernel is there already does not hide it.
    EXPECT_EQ(jit.compile("", "M=64", schedule).error,
              "ATTN_INVALID_ARGUMENT: dims: unknown dimension 'M'; expected B, "
              "D, H, N");
  }
}

/// A file that opens as a tuning database and has not its tables.
TEST_F(JitTuning, WhatSqliteCannotReadIsAnIoError) {
  record(64, kSmall);
  sqlite3 *handle = nullptr;
  ASSERT_EQ(sqlite3_open(database, &handle), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(handle, "ALTER TABLE records RENAME TO other", nullptr,
                         nullptr, nullptr),
            SQLITE_OK);
  sqlite3_close(handle);
  EXPECT_EQ(Context(cache).compile(database, "N=64").error,
            "ATTN_IO_ERROR: '" + path +
                "': cannot read: no such table: "
                "records");
}

TEST_F(JitTuning, RelativePathsCountFromWhereTheCallIsMade) {
  record(64, kSmall);
  TestFolder empty;
  std::filesystem::path before = std::filesystem::current_path();
  Context jit(cache);
  std::filesystem::current_path(folder.path);
  EXPECT_EQ(jit.compile("a.db", "N=64").origin,
            "record N=64 many:block_q=16,block_k=16");
  std::filesystem::current_path(empty.path);
  EXPECT_EQ(jit.compile("a.db", "N=64").error,
            "ATTN_IO_ERROR: '" + empty.path +
                "/a.db': cannot read: unable to open database file");
  std::filesystem::current_path(before);
}

/// A program that was compiled with the header of API 1.2.
TEST_F(JitTuning, TakesTheFirstStructOfOptions) {
  attn_compile_options options = {};
  options.struct_size = offsetof(attn_compile_options, tuning_db);
  options.schedule = "block_q=16,block_k=16";
  // What follows is not of the struct.
  options.tuning_db = options.dims = reinterpret_cast<const char *>(8);
  EXPECT_EQ(Context(cache).compile(options).origin, "given");
}
