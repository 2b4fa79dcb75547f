//===- JitTest.cpp - Contexts and their caches, without a compiler --------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The compiler here gives the same kernel for every spec. Spaces do not matter
// to it, so that there are texts of equal programs. Its tuning databases are
// files with a schedule.
//
//===----------------------------------------------------------------------===//

#include "runtime/jit/Jit.h"
#include "runtime/jit/CallSizes.h"
#include "test/unit/TestFolder.h"
#include "test/unit/TestPackages.h"
#include <atomic>
#include <chrono>
#include <gtest/gtest.h>
#include <thread>

using namespace attn;
using namespace attn::unittest;

static constexpr DLDevice kCpu = {kDLCPU, 0};

namespace {
/// What compilers of one test have done.
struct Work {
  std::atomic<int> parsed = 0, compiled = 0;
};

class FakeSpec : public ParsedSpec {
public:
  FakeSpec(const SpecRequest &request, Work &work) : work(work) {
    for (char c : request.text)
      if (c != ' ')
        canonical += c;
    schedule = {request.schedule, request.schedule.empty() ? "" : "given"};
    if (request.schedule.empty() && !request.database.empty()) {
      schedule.text = readFile(request.database);
      schedule.origin = "record " + schedule.text;
    }
  }

  const std::string &getCanonicalText() const override { return canonical; }
  const SpecSchedule &getSchedule() const override { return schedule; }

  Result<std::string> makePackage(const std::string &cacheKey) override {
    // So long that threads meet.
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    ++work.compiled;
    if (canonical == "unfit")
      return Status(ATTN_INVALID_SPEC, "this does not fit");
    return mustWrite(makeCachedPackage(cacheKey));
  }

private:
  Work &work;
  std::string canonical;
  SpecSchedule schedule;
};

class FakeCompiler : public SpecCompiler {
public:
  explicit FakeCompiler(Work &work) : work(work) {}

  std::string getBuild() const override { return build; }
  Result<std::string> chooseTarget(DLDevice) const override {
    return std::string("cpu");
  }
  Result<std::string> describeTarget(const std::string &target,
                                     DLDevice) const override {
    if (target != "cpu" && target != "cpu:baseline")
      return invalidArgument("unknown target");
    return std::string("cpu:baseline");
  }
  Result<std::unique_ptr<ParsedSpec>>
  parse(const SpecRequest &request) const override {
    ++work.parsed;
    if (request.text.starts_with("bad"))
      return Status(ATTN_INVALID_SPEC, request.name + ":1:1: error: bad");
    return std::unique_ptr<ParsedSpec>(
        std::make_unique<FakeSpec>(request, work));
  }

  std::string build = "1";

private:
  Work &work;
};

class JitTest : public ::testing::Test {
protected:
  std::unique_ptr<Jit> makeJit(const std::string &build = "1",
                               bool useCache = true) {
    JitConfig config;
    config.cacheDir = {folder.path, "a test"};
    config.useCache = {useCache, "a test"};
    config.cacheMaxBytes = {uint64_t(1) << 30, "a test"};
    auto compiler = std::make_unique<FakeCompiler>(work);
    compiler->build = build;
    return std::make_unique<Jit>(std::move(config), std::move(compiler));
  }

  /// Compiles, and checks that the kernel computes what it should.
  static bool compileAndRun(Jit &jit, const std::string &text) {
    SpecRequest request;
    request.text = text;
    Result<JitKernel> kernel = jit.compile(request, kCpu);
    return kernel && runs(*kernel->kernel);
  }

  static bool runs(const SharedKernel &kernel) {
    FloatTensor x({2, 3, 4}, 1), y({4, 3}), out({2, 3, 4}, -1000);
    y.tensor.dtype = {kDLInt, 32, 1};
    alignas(ATTN_WORKSPACE_ALIGNMENT) char workspace[256];
    const DLTensor *arguments[] = {&x.tensor, &y.tensor};
    const DLTensor *results[] = {&out.tensor};
    LaunchResources resources = {workspace, sizeof(workspace), nullptr, 1};
    return !kernel.get().launch(arguments, results, resources) &&
           out.data[5] == 2 * x.data[5] + 5;
  }

  TestFolder folder;
  Work work;
};
} // namespace

TEST_F(JitTest, CompilesOnceInMemory) {
  auto jit = makeJit("1", false);
  for (int i = 0; i < 3; ++i)
    EXPECT_TRUE(compileAndRun(*jit, "a b"));
  // Another text of the same program.
  EXPECT_TRUE(compileAndRun(*jit, "ab"));
  EXPECT_TRUE(compileAndRun(*jit, "c"));
  attn_jit_counters counters = jit->getCounters();
  EXPECT_EQ(counters.compilations, 2u);
  EXPECT_EQ(counters.memory_hits, 3u);
  EXPECT_EQ(counters.disk_hits, 0u);
  EXPECT_EQ(work.compiled, 2);
  EXPECT_EQ(work.parsed, 3);
  EXPECT_TRUE(folder.list().empty());
}

TEST_F(JitTest, TellsOptionsApart) {
  auto jit = makeJit();
  auto compile = [&](auto change) {
    SpecRequest request;
    request.text = "a";
    change(request);
    EXPECT_TRUE(bool(jit->compile(request, kCpu)));
  };
  compile([](SpecRequest &) {});
  compile([](SpecRequest &r) { r.dtype = "bf16"; });
  compile([](SpecRequest &r) { r.schedule = "block_q=8"; });
  EXPECT_EQ(work.compiled, 3);
  // What the target and the device mean is the same.
  compile([](SpecRequest &r) { r.target = "cpu:baseline"; });
  compile([](SpecRequest &r) { r.name = "x.mlir"; });
  EXPECT_EQ(work.compiled, 3);
  EXPECT_EQ(jit->getCounters().memory_hits, 2u);
}

TEST_F(JitTest, LoadsFromTheFolderWithoutParsing) {
  EXPECT_TRUE(compileAndRun(*makeJit(), "a b"));
  EXPECT_EQ(folder.list(".attn").size(), 1u);
  EXPECT_EQ(folder.list(".alias").size(), 1u);
  auto jit = makeJit();
  EXPECT_TRUE(compileAndRun(*jit, "a b"));
  EXPECT_EQ(work.parsed, 1);
  // A new text of a known program is parsed, not compiled.
  EXPECT_TRUE(compileAndRun(*makeJit(), "ab"));
  EXPECT_EQ(work.parsed, 2);
  EXPECT_EQ(work.compiled, 1);
  EXPECT_EQ(jit->getCounters().disk_hits, 1u);
  EXPECT_EQ(jit->getCounters().compilations, 0u);
  EXPECT_EQ(folder.list(".alias").size(), 2u);
}

TEST_F(JitTest, KeepsBuildsApart) {
  EXPECT_TRUE(compileAndRun(*makeJit("1"), "a"));
  EXPECT_TRUE(compileAndRun(*makeJit("2"), "a"));
  EXPECT_EQ(work.compiled, 2);
  EXPECT_EQ(folder.list(".attn").size(), 2u);
  // A build without an identity must not use the folder.
  auto jit = makeJit("");
  EXPECT_TRUE(compileAndRun(*jit, "a"));
  EXPECT_EQ(work.compiled, 3);
  EXPECT_NE(jit->getConfig().find("has no identity"), std::string::npos);
}

TEST_F(JitTest, RebuildsAFolderOfNoise) {
  std::vector<std::string> texts = {"a", "b", "c", "d", "e"};
  auto jit = makeJit();
  for (const std::string &text : texts)
    EXPECT_TRUE(compileAndRun(*jit, text));
  unsigned state = 1;
  for (const auto &path : folder.list()) {
    std::string bytes(1 + state % 5000, '\0');
    for (char &byte : bytes)
      byte = char((state = state * 1664525 + 1013904223) >> 24);
    writeFile(path, bytes);
  }
  auto again = makeJit();
  for (const std::string &text : texts)
    EXPECT_TRUE(compileAndRun(*again, text));
  EXPECT_EQ(again->getCounters().rejected_entries, 10u);
  EXPECT_EQ(again->getCounters().compilations, 5u);
  auto last = makeJit();
  for (const std::string &text : texts)
    EXPECT_TRUE(compileAndRun(*last, text));
  EXPECT_EQ(last->getCounters().disk_hits, 5u);
  EXPECT_EQ(last->getCounters().rejected_entries, 0u);
}

TEST_F(JitTest, RebuildsWhatCannotBeLoaded) {
  EXPECT_TRUE(compileAndRun(*makeJit(), "a"));
  // Whole, but its code is none.
  auto path = folder.list(".attn")[0];
  PackageFile file = makeCachedPackage(path.stem().string());
  file.sections[0].bytes = "no code";
  writeFile(path, mustWrite(file));
  auto jit = makeJit();
  EXPECT_TRUE(compileAndRun(*jit, "a"));
  EXPECT_EQ(jit->getCounters().compilations, 1u);
  EXPECT_EQ(jit->getCounters().rejected_entries, 1u);
  EXPECT_TRUE(compileAndRun(*makeJit(), "a"));
  EXPECT_EQ(work.compiled, 2);
}

TEST_F(JitTest, AsksADatabaseThatHasChanged) {
  TestFolder elsewhere;
  SpecRequest request;
  request.text = "a";
  request.database = elsewhere.path + "/a.db";
  auto getOrigin = [&](Jit &jit) {
    Result<JitKernel> kernel = jit.compile(request, kCpu);
    return kernel ? kernel->scheduleOrigin : kernel.takeStatus().getMessage();
  };
  writeFile(request.database, "one");
  auto first = makeJit();
  EXPECT_EQ(getOrigin(*first), "record one");
  // The same contents need no parser, wherever they are.
  writeFile(elsewhere.path + "/b.db", "one");
  request.database = elsewhere.path + "/b.db";
  EXPECT_EQ(getOrigin(*makeJit()), "record one");
  EXPECT_EQ(work.parsed, 1);
  // Other contents do, and another schedule is another kernel.
  writeFile(request.database, "two");
  EXPECT_EQ(getOrigin(*makeJit()), "record two");
  EXPECT_EQ(work.parsed, 2);
  EXPECT_EQ(work.compiled, 2);
  // A kernel in memory stays.
  writeFile(elsewhere.path + "/a.db", "two");
  request.database = elsewhere.path + "/a.db";
  EXPECT_EQ(getOrigin(*first), "record one");
  // Other sizes ask, and may get the same kernel.
  request.dims = {{"N", 64}};
  EXPECT_EQ(getOrigin(*first), "record two");
  EXPECT_EQ(work.parsed, 3);
  request.schedule = "two";
  EXPECT_EQ(getOrigin(*first), "given");
  EXPECT_EQ(work.compiled, 2);
}

TEST_F(JitTest, ForgetsErrors) {
  auto jit = makeJit();
  SpecRequest request;
  request.name = "x.mlir";
  for (const char *text : {"bad", "unfit", "bad"}) {
    request.text = text;
    Result<JitKernel> kernel = jit->compile(request, kCpu);
    ASSERT_FALSE(bool(kernel));
    Status status = kernel.takeStatus();
    EXPECT_EQ(status.getCode(), ATTN_INVALID_SPEC);
    EXPECT_EQ(status.getMessage(), request.text == "unfit"
                                       ? "this does not fit"
                                       : "x.mlir:1:1: error: bad");
  }
  EXPECT_EQ(work.parsed, 3);
  EXPECT_TRUE(folder.list().empty());
  EXPECT_EQ(jit->getCounters().compilations, 0u);
}

TEST_F(JitTest, CompilesOnceForManyThreads) {
  auto jit = makeJit();
  std::atomic<int> correct = 0;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 8; ++thread)
    threads.emplace_back([&, thread] {
      for (int i = 0; i < 40; ++i) {
        int spec = (i * (thread % 2 ? 7 : 3) + thread) % 20;
        std::string text = "spec" + std::to_string(spec);
        if (i % 3 == 0)
          text.insert(2, " "); // An equal program.
        correct += compileAndRun(*jit, text);
      }
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(correct, 8 * 40);
  attn_jit_counters counters = jit->getCounters();
  EXPECT_EQ(work.compiled, 20);
  EXPECT_EQ(counters.compilations, 20u);
  EXPECT_EQ(counters.compilations + counters.memory_hits + counters.disk_hits,
            8u * 40u);
}

TEST_F(JitTest, SharesErrorsAmongThreads) {
  auto jit = makeJit();
  std::atomic<int> refused = 0;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 8; ++thread)
    threads.emplace_back([&] {
      SpecRequest request;
      request.text = "unfit";
      Result<JitKernel> kernel = jit->compile(request, kCpu);
      refused +=
          !kernel && kernel.takeStatus().getMessage() == "this does not fit";
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(refused, 8);
}

TEST_F(JitTest, SharesAFolderAmongContexts) {
  std::vector<std::unique_ptr<Jit>> jits;
  for (int i = 0; i < 4; ++i)
    jits.push_back(makeJit());
  std::atomic<int> correct = 0;
  std::vector<std::thread> threads;
  for (auto &jit : jits)
    threads.emplace_back([&correct, &jit] {
      for (int i = 0; i < 20; ++i)
        correct += compileAndRun(*jit, std::to_string(i % 10));
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(correct, 80);
  for (auto &jit : jits)
    EXPECT_EQ(jit->getCounters().rejected_entries, 0u);
  EXPECT_EQ(folder.list(".attn").size(), 10u);
}

TEST_F(JitTest, KeepsKernelsWithoutTheirContext) {
  auto jit = makeJit();
  SpecRequest request;
  request.text = "a";
  Result<JitKernel> kernel = jit->compile(request, kCpu);
  ASSERT_TRUE(bool(kernel));
  jit.reset();
  EXPECT_TRUE(runs(*kernel->kernel));
}

TEST_F(JitTest, SharesAColdFolderAmongProcesses) {
  std::vector<pid_t> children;
  for (int child = 0; child < 4; ++child)
    children.push_back(startProcess([&, child] {
      auto jit = makeJit();
      bool isCorrect = true;
      for (int i = 0; i < 30; ++i)
        isCorrect &= compileAndRun(*jit, std::to_string((i + child * 3) % 30));
      attn_jit_counters counters = jit->getCounters();
      return isCorrect && counters.rejected_entries == 0 &&
             counters.failed_writes == 0;
    }));
  for (pid_t child : children)
    EXPECT_TRUE(finishProcess(child));
  EXPECT_EQ(folder.list().size(), 60u); // 30 packages, 30 aliases, no more.
  auto jit = makeJit();
  for (int i = 0; i < 30; ++i)
    EXPECT_TRUE(compileAndRun(*jit, std::to_string(i)));
  EXPECT_EQ(jit->getCounters().disk_hits, 30u);
  EXPECT_EQ(jit->getCounters().rejected_entries, 0u);
}

//===----------------------------------------------------------------------===//
// Configuration
//===----------------------------------------------------------------------===//

namespace {
/// The variables of the configuration, unset while this lives.
class JitConfigTest : public ::testing::Test {
protected:
  JitConfigTest() {
    for (const char *name : names) {
      const char *value = std::getenv(name);
      before.push_back(value ? std::optional<std::string>(value)
                             : std::nullopt);
      ::unsetenv(name);
    }
  }
  ~JitConfigTest() override {
    for (size_t i = 0; i < before.size(); ++i)
      if (before[i])
        ::setenv(names[i], before[i]->c_str(), 1);
      else
        ::unsetenv(names[i]);
  }

  static std::string getError(const attn_jit_options *options = nullptr) {
    Result<JitConfig> config = JitConfig::resolve(options);
    return config ? "" : config.takeStatus().getMessage();
  }

  static constexpr const char *names[] = {
      "ATTN_CACHE_DIR",     "XDG_CACHE_HOME",       "HOME",
      "ATTN_DISABLE_CACHE", "ATTN_CACHE_MAX_BYTES", "ATTN_TUNING_DB"};
  std::vector<std::optional<std::string>> before;
};
} // namespace

TEST_F(JitConfigTest, FindsAFolder) {
  auto resolve = [](const attn_jit_options *options = nullptr) {
    Result<JitConfig> config = JitConfig::resolve(options);
    EXPECT_TRUE(bool(config));
    return config->cacheDir.value + " from " + config->cacheDir.from +
           (config->useCache.value ? "" : ", not used");
  };
  EXPECT_EQ(resolve(), " from nothing says where, not used");
  ::setenv("HOME", "/home/x", 1);
  EXPECT_EQ(resolve(), "/home/x/.cache/attn from HOME");
  ::setenv("XDG_CACHE_HOME", "relative", 1);
  EXPECT_EQ(resolve(), "/home/x/.cache/attn from HOME");
  ::setenv("XDG_CACHE_HOME", "/xdg", 1);
  EXPECT_EQ(resolve(), "/xdg/attn from XDG_CACHE_HOME");
  ::setenv("ATTN_CACHE_DIR", "/a/../b", 1);
  EXPECT_EQ(resolve(), "/b from ATTN_CACHE_DIR");
  attn_jit_options options = {sizeof(options), "/c", 0, 0};
  EXPECT_EQ(resolve(&options), "/c from option cache_dir");
  ::setenv("ATTN_DISABLE_CACHE", "1", 1);
  EXPECT_EQ(resolve(&options), "/c from option cache_dir, not used");
  ::setenv("ATTN_DISABLE_CACHE", "0", 1);
  EXPECT_EQ(resolve(&options), "/c from option cache_dir");
  options.disable_cache = 1;
  EXPECT_EQ(resolve(&options), "/c from option cache_dir, not used");
}

TEST_F(JitConfigTest, FindsADatabase) {
  ::setenv("ATTN_TUNING_DB", "/a/../b.db", 1);
  Result<JitConfig> config = JitConfig::resolve(nullptr);
  ASSERT_TRUE(bool(config));
  EXPECT_EQ(config->tuningDatabase.value, "/b.db");
  EXPECT_EQ(config->tuningDatabase.from, "ATTN_TUNING_DB");
}

TEST(CallSizesTest, ReadsAndRefuses) {
  auto read = [](std::string_view text) {
    auto sizes = parseCallSizes(text);
    return sizes ? printCallSizes(*sizes) : sizes.takeStatus().getMessage();
  };
  EXPECT_EQ(read(""), "");
  EXPECT_EQ(read("N=4096,H=8"), "H=8,N=4096");
  for (std::string part :
       {"N", "=4", "N=", "N=-1", "N=4x", "N=1e3", "N=99999999999999999999"})
    EXPECT_EQ(read("H=8," + part), "dims: expected sizes such as "
                                   "'H=8,N=4096', each name once, got '" +
                                       part + "'");
  EXPECT_NE(read("N=1,N=2").find("got 'N=2'"), std::string::npos);
}

TEST_F(JitConfigTest, RefusesWhatItCannotRead) {
  attn_jit_options options = {sizeof(options), nullptr, 2, 0};
  EXPECT_EQ(getError(&options), "disable_cache must be 0 or 1, got 2");
  options = {sizeof(options), nullptr, 0, -1};
  EXPECT_EQ(getError(&options), "cache_max_bytes must not be negative, got -1");
  for (const char *value : {"1G", "-1", "0", "99999999999999999999"}) {
    ::setenv("ATTN_CACHE_MAX_BYTES", value, 1);
    EXPECT_EQ(getError(), "ATTN_CACHE_MAX_BYTES must be a positive number of "
                          "bytes, got '" +
                              std::string(value) + "'");
  }
  ::setenv("ATTN_CACHE_MAX_BYTES", "4096", 1);
  EXPECT_EQ(getError(), "");
  ::setenv("ATTN_DISABLE_CACHE", "yes", 1);
  EXPECT_EQ(getError(), "ATTN_DISABLE_CACHE must be 0 or 1, got 'yes'");
}

TEST_F(JitConfigTest, PrintsItself) {
  attn_jit_options options = {sizeof(options), "/a \"b\"", 0, 4096};
  Result<JitConfig> config = JitConfig::resolve(&options);
  ASSERT_TRUE(bool(config));
  EXPECT_EQ(config->toJson(),
            "{\n  \"cache_dir\": {\"value\": \"/a \\\"b\\\"\", \"from\": "
            "\"option cache_dir\"},\n  \"cache\": {\"value\": true, \"from\": "
            "\"default\"},\n  \"cache_max_bytes\": {\"value\": 4096, \"from\": "
            "\"option cache_max_bytes\"},\n  \"tuning_db\": {\"value\": \"\", "
            "\"from\": \"default\"}");
}
