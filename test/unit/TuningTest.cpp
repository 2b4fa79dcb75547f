//===- TuningTest.cpp - Databases, duels and the cost model ---------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/compiler/tuning/FunctionModel.h"
#include "tools/attn-tune/Tuner.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include <chrono>
#include <gtest/gtest.h>
#include <thread>

using namespace attn;
using llvm::cantFail;
using llvm::StringRef;
using Mode = TuningDatabase::Mode;

namespace {
/// A folder that is gone after the test.
class TuningTest : public testing::Test {
protected:
  TuningTest() {
    EXPECT_FALSE(llvm::sys::fs::createUniqueDirectory("attn-tuning", folder));
  }
  ~TuningTest() override { llvm::sys::fs::remove_directories(folder); }

  std::string getPath(StringRef name) {
    llvm::SmallString<128> path = folder;
    llvm::sys::path::append(path, name);
    return path.str().str();
  }

  llvm::SmallString<128> folder;
};

/// A kernel that gives a wrong number, or waits.
class Altered : public Kernel {
public:
  Altered(std::unique_ptr<Kernel> kernel, bool isWrong, int milliseconds)
      : kernel(std::move(kernel)), isWrong(isWrong),
        milliseconds(milliseconds) {}

  llvm::ArrayRef<Port> arguments() const override {
    return kernel->arguments();
  }
  llvm::ArrayRef<Port> results() const override { return kernel->results(); }
  const std::map<std::string, int64_t> &defaultDims() const override {
    return kernel->defaultDims();
  }
  llvm::Expected<std::vector<llvm::SmallVector<int64_t, 4>>>
  resultSizes(llvm::ArrayRef<Buffer> arguments) const override {
    return kernel->resultSizes(arguments);
  }
  llvm::Error launch(llvm::ArrayRef<Buffer> arguments,
                     llvm::ArrayRef<Buffer> results,
                     const LaunchOptions &options) const override {
    std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
    if (llvm::Error error = kernel->launch(arguments, results, options))
      return error;
    if (isWrong)
      static_cast<float *>(results[0].data)[5] += 0.01f;
    return llvm::Error::success();
  }
  double compileSeconds() const override { return 0; }
  std::string schedule() const override { return kernel->schedule(); }
  llvm::Expected<double>
  flops(llvm::ArrayRef<Buffer> arguments) const override {
    return kernel->flops(arguments);
  }

private:
  std::unique_ptr<Kernel> kernel;
  bool isWrong;
  int milliseconds;
};
} // namespace

static TuningRecord makeRecord(StringRef bucket, double seconds,
                               StringRef schedule = "many:block_q=32") {
  TuningRecord record;
  record.key = {"0123",        "f32",        "cpu:avx512",
                "a processor", bucket.str(), "0.1.0"};
  record.schedule = schedule.str();
  record.seconds = seconds;
  record.baseline = 1;
  record.tokens = 64;
  record.name = "f";
  record.dims = "N=64";
  return record;
}

static CompileInput readDense() {
  std::string path = std::string(ATTN_VARIANTS) + "/softmax/dense.mlir";
  auto buffer = llvm::MemoryBuffer::getFile(path);
  return {(*buffer)->getBuffer().str(), path, CompileOptions()};
}

TEST_F(TuningTest, BetterRecordsStay) {
  auto database = cantFail(TuningDatabase::open(getPath("a.db"), Mode::Write));
  EXPECT_TRUE(cantFail(database.put(makeRecord("N=64", 0.8))));
  EXPECT_FALSE(cantFail(database.put(makeRecord("N=64", 0.9, "many:other"))));
  EXPECT_EQ(cantFail(database.find(makeRecord("N=64", 1).key))->seconds, 0.8);
  EXPECT_TRUE(cantFail(database.put(makeRecord("N=64", 0.7, "many:other"))));
  EXPECT_EQ(cantFail(database.find(makeRecord("N=64", 1).key))->schedule,
            "many:other");
  EXPECT_FALSE(cantFail(database.find(makeRecord("N=128", 1).key)));
}

TEST_F(TuningTest, TextHasAllRecords) {
  auto database = cantFail(TuningDatabase::open(getPath("a.db"), Mode::Write));
  cantFail(database.put(makeRecord("N=64", 0.8)));
  cantFail(database.put(makeRecord("N=128", 0.1)));
  std::string text = cantFail(database.exportText());
  auto other = cantFail(TuningDatabase::open(getPath("b.db"), Mode::Write));
  EXPECT_EQ(cantFail(other.importText(text, "text")), 2);
  EXPECT_EQ(cantFail(other.exportText()), text);
  // All lines or none.
  auto third = cantFail(TuningDatabase::open(getPath("c.db"), Mode::Write));
  llvm::Expected<int64_t> refused = third.importText(text + "{}\n", "text");
  ASSERT_FALSE(bool(refused));
  EXPECT_EQ(llvm::toString(refused.takeError()),
            "'text': line 3: expected a text 'spec'");
  EXPECT_TRUE(cantFail(third.getRecords()).empty());
}

TEST_F(TuningTest, WritersDoNotLoseEachOthersRecords) {
  std::string path = getPath("a.db");
  constexpr int writers = 4, records = 10;
  std::vector<std::thread> threads;
  for (int writer = 0; writer < writers; ++writer)
    threads.emplace_back([&, writer] {
      auto database = cantFail(TuningDatabase::open(path, Mode::Write));
      for (int n = 0; n < records; ++n)
        cantFail(database.put(
            makeRecord("N=" + std::to_string(writer * records + n), 0.5)));
    });
  for (std::thread &thread : threads)
    thread.join();
  auto database = cantFail(TuningDatabase::open(path, Mode::Read));
  EXPECT_EQ(cantFail(database.getRecords()).size(),
            size_t(writers) * size_t(records));
}

TEST_F(TuningTest, DamageIsReportedAndLeftAlone) {
  std::string path = getPath("a.db");
  {
    auto database = cantFail(TuningDatabase::open(path, Mode::Write));
    for (int n = 0; n < 200; ++n)
      cantFail(database.put(makeRecord("N=" + std::to_string(n), 0.5)));
  }
  std::string whole = (*llvm::MemoryBuffer::getFile(path))->getBuffer().str();
  int reported = 0;
  // Each page in turn is overwritten, then the file is cut in the middle.
  for (size_t at = 0; at <= whole.size(); at += 4096) {
    std::string bytes = whole;
    if (at < whole.size())
      std::fill_n(bytes.begin() + at, 4096, '\x5a');
    else
      bytes.resize(whole.size() / 2);
    std::error_code code;
    llvm::raw_fd_ostream(path, code) << bytes;
    auto opened = TuningDatabase::open(path, Mode::Write);
    if (!opened) {
      ++reported;
      std::string message = llvm::toString(opened.takeError());
      EXPECT_NE(message.find("expected a tuning database"), std::string::npos)
          << message;
    }
    EXPECT_EQ((*llvm::MemoryBuffer::getFile(path))->getBuffer(), bytes);
  }
  EXPECT_GT(reported, 5);
}

TEST_F(TuningTest, WrongCandidatesAreRefused) {
  CompileInput input = readDense();
  auto baseline = cantFail(compile(input.text, input.name, input.options));
  Dims dims = cantFail(parseDims("B=1,H=1,N=200,D=64"));
  Contest contest = cantFail(Contest::create(*baseline, dims, 1));
  EXPECT_EQ(cantFail(contest.check(*baseline)), "");
  Altered wrong(cantFail(compile(input.text, input.name, input.options)), true,
                0);
  EXPECT_NE(cantFail(contest.check(wrong)).find("the default schedule's"),
            std::string::npos);
  cantFail(contest.addDefinition(input, *baseline, {"N"}));
  EXPECT_EQ(cantFail(contest.check(*baseline)), "");
  EXPECT_NE(cantFail(contest.check(wrong)).find("the definition"),
            std::string::npos);
}

/// A tuner that only gets wrong kernels, or slow ones, records the default.
TEST_F(TuningTest, WrongAndSlowSchedulesAreNotRecorded) {
  CompileInput input = readDense();
  TuneOptions options;
  options.candidates = 2;
  options.threads = 1;
  for (bool isWrong : {true, false}) {
    auto database = cantFail(
        TuningDatabase::open(getPath(isWrong ? "a.db" : "b.db"), Mode::Write));
    auto make = [&](const std::string &schedule)
        -> llvm::Expected<std::unique_ptr<Kernel>> {
      CompileOptions own = input.options;
      own.schedule = schedule;
      auto kernel = compile(input.text, input.name, own);
      if (!kernel || schedule.empty())
        return kernel;
      return std::make_unique<Altered>(std::move(*kernel), isWrong,
                                       isWrong ? 0 : 3);
    };
    Tuner tuner(options, input, &database, make, {});
    std::string output;
    llvm::raw_string_ostream stream(output);
    cantFail(tuner.tune(cantFail(parseDims("H=1,N=64")), stream));
    EXPECT_NE(output.find("(the default is the best)"), std::string::npos);
    std::vector<TuningRecord> records = cantFail(database.getRecords());
    ASSERT_EQ(records.size(), 1u);
    EXPECT_EQ(records[0].getRatio(), 1);
    std::vector<TuningTrial> trials =
        cantFail(database.getTrials(records[0].key));
    ASSERT_EQ(trials.size(), 2u);
    for (const TuningTrial &trial : trials)
      EXPECT_EQ(trial.verdict, isWrong ? "wrong" : "slower");
  }
}

/// Numbers of documents of `length` tokens each, [1, tokens].
static TableRef makeDocuments(int64_t tokens, int64_t length) {
  auto table = std::make_shared<IntegerTable>();
  table->sizes = {1, tokens};
  for (int64_t token = 0; token < tokens; ++token)
    table->elements.push_back(token / length);
  return table;
}

TEST_F(TuningTest, DataCountsInTheModel) {
  CompileOptions options = readDense().options;
  Machine machine = cantFail(findMachine("cpu", ""));
  const int64_t tokens = 8192;
  auto predict = [&](StringRef spec, const CallData &data) {
    std::string path = std::string(ATTN_VARIANTS) + "/" + spec.str() + ".mlir";
    std::string text = (*llvm::MemoryBuffer::getFile(path))->getBuffer().str();
    FunctionModel model = cantFail(FunctionModel::create(
        text, "spec", options, {{"H", 1}, {"N", tokens}}, data));
    EXPECT_EQ(model.isRough(), data.empty() && spec != "softmax/causal");
    return model.predict(machine, 1).flops;
  };
  auto pairs = [](double flops) { return flops / (2 * 128); };
  CallData documents{{"document", makeDocuments(tokens, 512)}};
  // Of 16 documents, a triangle each.
  EXPECT_NEAR(pairs(predict("local/document-causal", documents)) /
                  (16 * 512 * 513 / 2),
              1, 0.02);
  // What is not known counts as kept: the triangle, or the window.
  EXPECT_NEAR(predict("local/document-causal", {}) /
                  predict("softmax/causal", {}),
              1, 1e-9);
  EXPECT_NEAR(pairs(predict("local/document-window", {})) /
                  (1024 * tokens - 1024 * 1023 / 2),
              1, 0.02);
}

TEST_F(TuningTest, SegmentsCountInTheModel) {
  CompileOptions options = readDense().options;
  std::string path = std::string(ATTN_VARIANTS) + "/local/varlen-causal.mlir";
  std::string text = (*llvm::MemoryBuffer::getFile(path))->getBuffer().str();
  auto offsets = std::make_shared<IntegerTable>();
  offsets->sizes = {5};
  offsets->elements = {0, 1000, 1000, 1024, 2048};
  FunctionModel model = cantFail(FunctionModel::create(
      text, "spec", options,
      {{"H", 1}, {"Hk", 1}, {"Nq", 2048}, {"Nk", 2048}, {"G", 4}},
      {{"cu_seqlens_q", offsets}, {"cu_seqlens_k", offsets}}));
  EXPECT_FALSE(model.isRough());
  Machine machine = cantFail(findMachine("cpu", ""));
  double pairs = (1000. * 1001 + 24 * 25 + 1024 * 1025) / 2;
  EXPECT_NEAR(model.predict(machine, 1).flops / (2 * 128) / pairs, 1, 0.1);
  // Offsets of another number of sequences are no numbers to count with.
  auto fewer = std::make_shared<IntegerTable>();
  fewer->sizes = {2};
  fewer->elements = {0, 2048};
  FunctionModel rough = cantFail(FunctionModel::create(
      text, "spec", options,
      {{"H", 1}, {"Hk", 1}, {"Nq", 2048}, {"Nk", 2048}, {"G", 4}},
      {{"cu_seqlens_q", offsets}, {"cu_seqlens_k", fewer}}));
  EXPECT_TRUE(rough.isRough());
}

TEST_F(TuningTest, MasksCountInTheModel) {
  CompileInput input = readDense();
  std::string causal = std::string(ATTN_VARIANTS) + "/softmax/causal.mlir";
  std::string text = (*llvm::MemoryBuffer::getFile(causal))->getBuffer().str();
  Machine machine = cantFail(findMachine("cpu", ""));
  auto predict = [&](StringRef spec) {
    FunctionModel model = cantFail(FunctionModel::create(
        spec, "spec", input.options, {{"H", 8}, {"N", 4096}}));
    return model.predict(machine, 1);
  };
  Prediction dense = predict(input.text), masked = predict(text);
  EXPECT_NEAR(masked.seconds / dense.seconds, 0.5, 0.03);
  EXPECT_NEAR(masked.flops / dense.flops, 0.5, 0.01);
  EXPECT_EQ(dense.limit, "products");
}
