//===- attn-fuzz.cpp - Random specs against their definition --------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Makes random specs, compiles each, compares it with the executable definition
// and shrinks those that differ: docs/fuzzing.md.
//
//===----------------------------------------------------------------------===//

#include "test/fuzz/GenerateSpec.h"
#include "test/fuzz/Program.h"
#include "test/fuzz/Worker.h"
#include "tools/support/CommandLine.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include <csignal>

using namespace attn;
using namespace attn::fuzz;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;
namespace cl = llvm::cl;

//===----------------------------------------------------------------------===//
// Options
//===----------------------------------------------------------------------===//

namespace {
/// The options. Numbers are strings, so that the messages about them are ours.
struct Flags {
  cl::OptionCategory category{"Fuzzing"};

  cl::opt<std::string> seed{"seed", cl::init("0"), cl::value_desc("S"),
                            cl::desc("Which sequence of specs; default 0"),
                            cl::cat(category)};
  cl::opt<Family> family{
      "family", cl::init(Family::Attend),
      cl::desc("What the specs have; default attend"),
      cl::values(clEnumValN(Family::Attend, "attend", "One attn.attend each"),
                 clEnumValN(Family::Recur, "recur", "One attn.recur each"),
                 clEnumValN(Family::All, "all", "Each of these in turn")),
      cl::cat(category)};
  cl::opt<std::string> first{"first", cl::init("0"), cl::value_desc("N"),
                             cl::desc("Number of the first one; default 0"),
                             cl::cat(category)};
  cl::opt<std::string> count{"count", cl::init("1000"), cl::value_desc("N"),
                             cl::desc("How many; default 1000"),
                             cl::cat(category)};
  cl::opt<std::string> jobs{"jobs", cl::init("1"), cl::value_desc("N"),
                            cl::desc("Processes; default 1"),
                            cl::cat(category)};
  cl::opt<std::string> timeLimit{
      "time-limit", cl::init("0"), cl::value_desc("SECONDS"),
      cl::desc("Start no spec after this time"), cl::cat(category)};
  cl::opt<std::string> out{"out", cl::value_desc("DIR"),
                           cl::desc("Write findings to files here instead of "
                                    "standard output"),
                           cl::cat(category)};
  cl::opt<bool> shrinking{"shrink", cl::ValueDisallowed,
                          cl::desc("Make findings as small as possible"),
                          cl::cat(category)};
  cl::opt<bool> print{"print", cl::ValueDisallowed,
                      cl::desc("Print the specs and examine nothing"),
                      cl::cat(category)};
  cl::list<std::string> replays{"replay", cl::value_desc("FILE"),
                                cl::desc("Examine a finding again"),
                                cl::cat(category)};
  cl::opt<std::string> patience{
      "patience", cl::init("60"), cl::value_desc("SECONDS"),
      cl::desc("What takes longer is a finding; default 60"),
      cl::cat(category)};
  cl::opt<std::string> planted{
      "fail-if-contains", cl::value_desc("TEXT"),
      cl::desc("Fail for specs with this text, to test this tool"),
      cl::cat(category)};
  cl::opt<PlantedFault::Kind> failure{
      "fail-by", cl::init(PlantedFault::Finding),
      cl::desc("What failing means; default finding"),
      cl::values(clEnumValN(PlantedFault::Finding, "finding", "A finding"),
                 clEnumValN(PlantedFault::Crash, "crash", "A signal"),
                 clEnumValN(PlantedFault::Hang, "hang", "No answer")),
      cl::cat(category)};
};

struct Options {
  Family family;
  uint64_t seed;
  int64_t first, count, jobs, seconds;
  std::string out;
  bool shrinking, print;
  std::vector<std::string> replays;
  WorkerOptions worker;
};
} // namespace

static Expected<Options> parseOptions(int argc, char **argv) {
  forgetOptions();
  Flags flags;
  if (Error error = parseCommandLine(
          argc, argv, "Compares random specs with their executable definition.",
          {&flags.category}))
    return error;
  Options options;
  int64_t seed;
  std::tuple<const cl::opt<std::string> *, int64_t *, int64_t> numbers[] = {
      {&flags.seed, &seed, 0},
      {&flags.first, &options.first, 0},
      {&flags.count, &options.count, 0},
      {&flags.jobs, &options.jobs, 1},
      {&flags.timeLimit, &options.seconds, 0},
      {&flags.patience, &options.worker.seconds, 1}};
  for (auto [flag, number, lowest] : numbers) {
    auto value = parseInteger(*flag, "--" + flag->ArgStr, lowest);
    if (!value)
      return value.takeError();
    *number = *value;
  }
  options.family = flags.family;
  options.seed = uint64_t(seed);
  options.out = flags.out;
  options.shrinking = flags.shrinking;
  options.print = flags.print;
  options.replays = flags.replays;
  options.worker.planted = {flags.planted, flags.failure};
  return options;
}

//===----------------------------------------------------------------------===//
// Findings
//===----------------------------------------------------------------------===//

/// The file of a spec: what was found, how to examine it, and its text.
static std::string printFile(const Program &program, const Outcome &outcome) {
  return "// " + outcome.kind + ": " + outcome.message + "\n" +
         printProgram(program);
}

/// What two findings of one fault have in common: the kind and, of messages of
/// the compiler, the words. Numbers and places differ.
static std::string getSignature(const Outcome &outcome) {
  StringRef message = outcome.message;
  if (outcome.status != Outcome::Found || outcome.kind != "compile")
    return outcome.kind;
  if (size_t at = message.find("error: "); at != StringRef::npos)
    message = message.substr(at);
  std::string signature = outcome.kind;
  llvm::copy_if(message, std::back_inserter(signature),
                [](char letter) { return !llvm::isDigit(letter); });
  return signature;
}

namespace {
/// The search: hands specs to workers and collects what they find.
class Search {
public:
  explicit Search(const Options &options)
      : options(options), targets(getTargets()) {}

  Error run();
  int64_t getNumFindings() const { return findings; }

private:
  struct Job {
    std::unique_ptr<Worker> worker;
    int64_t index = -1; ///< Of the spec that is examined; -1: none.
    Program program;
  };

  bool isTimeOver() const;
  Error collect(Job &job);
  Error report(Job &job, Outcome outcome);
  Error write(int64_t index, StringRef text);
  void summarize() const;

  const Options &options;
  std::vector<std::string> targets;
  std::chrono::steady_clock::time_point start =
      std::chrono::steady_clock::now();
  int64_t done = 0, findings = 0, refused = 0, byChance = 0;
};
} // namespace

Error Search::write(int64_t index, StringRef text) {
  if (options.out.empty()) {
    llvm::outs() << text;
    return Error::success();
  }
  if (std::error_code code = llvm::sys::fs::create_directories(options.out))
    return makeError("'{0}': cannot make this folder: {1}", options.out,
                     code.message());
  llvm::SmallString<128> path(options.out);
  llvm::sys::path::append(
      path, llvm::formatv("{0}-{1}.mlir", options.seed, index).str());
  std::error_code code;
  llvm::raw_fd_ostream stream(path, code);
  if (code)
    return makeError("'{0}': cannot write: {1}", path, code.message());
  stream << text;
  return Error::success();
}

/// Shrinks a finding, prints a line about it and writes its file.
Error Search::report(Job &job, Outcome outcome) {
  ++findings;
  llvm::outs() << llvm::formatv("spec {0}: {1}: {2}\n", job.index, outcome.kind,
                                outcome.message);
  llvm::outs().flush();
  Program program = job.program;
  if (options.shrinking) {
    constexpr int kAttempts = 2000;
    Outcome last = outcome;
    program = shrink(program, kAttempts, [&](const Program &candidate) {
      Outcome again = job.worker->examine(printProgram(candidate));
      bool isSame = getSignature(again) == getSignature(outcome);
      if (isSame)
        last = again;
      return isSame;
    });
    outcome = last;
  }
  return write(job.index, printFile(program, outcome));
}

Error Search::collect(Job &job) {
  std::optional<Outcome> outcome =
      job.worker->receive(options.jobs > 1 ? 5 : 1000);
  if (!outcome)
    return Error::success();
  if (++done % 1000 == 0) {
    llvm::outs() << done << " specs, " << findings << " findings\n";
    llvm::outs().flush();
  }
  refused += outcome->status == Outcome::Refused;
  if (outcome->status == Outcome::ByChance) {
    ++byChance;
    llvm::outs() << llvm::formatv("spec {0}: by chance: {1}\n", job.index,
                                  outcome->message);
  }
  if (outcome->status == Outcome::Found)
    if (Error error = report(job, *outcome))
      return error;
  job.index = -1;
  return Error::success();
}

bool Search::isTimeOver() const {
  return options.seconds > 0 && std::chrono::steady_clock::now() - start >
                                    std::chrono::seconds(options.seconds);
}

void Search::summarize() const {
  std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
  llvm::outs() << llvm::formatv(
      "{0} specs from seed {1} number {2}: {3} findings, {4} refused{5}, "
      "{6:f1} s\n",
      done, options.seed, options.first, findings, refused,
      byChance ? ", " + std::to_string(byChance) + " by chance" : "",
      time.count());
}

Error Search::run() {
  std::vector<Job> jobs(options.jobs);
  for (Job &job : jobs)
    job.worker = std::make_unique<Worker>(options.worker);
  int64_t next = options.first, end = options.first + options.count;
  for (;;) {
    for (Job &job : jobs)
      if (job.index < 0 && next < end && !isTimeOver()) {
        job.index = next++;
        job.program =
            generateProgram(options.family, options.seed, job.index, targets);
        job.worker->send(printProgram(job.program));
      }
    if (llvm::all_of(jobs, [](const Job &job) { return job.index < 0; }))
      break;
    for (Job &job : jobs)
      if (job.index >= 0)
        if (Error error = collect(job))
          return error;
  }
  summarize();
  return Error::success();
}

//===----------------------------------------------------------------------===//
// The program
//===----------------------------------------------------------------------===//

static void printSpecs(const Options &options) {
  std::vector<std::string> targets = getTargets();
  for (int64_t i = options.first; i < options.first + options.count; ++i)
    llvm::outs() << llvm::formatv("// spec {0} of seed {1}\n", i, options.seed)
                 << printProgram(generateProgram(options.family, options.seed,
                                                 i, targets))
                 << "\n";
}

/// Examines files; returns how many of them are findings.
static Expected<int64_t> replay(const Options &options) {
  int64_t found = 0;
  Worker worker(options.worker);
  for (const std::string &path : options.replays) {
    auto file = llvm::MemoryBuffer::getFile(path);
    if (!file)
      return makeError("'{0}': cannot read: {1}", path,
                       file.getError().message());
    Outcome outcome = worker.examine((*file)->getBuffer().str());
    bool isFinding = outcome.status == Outcome::Found;
    found += isFinding;
    llvm::outs() << path << ": "
                 << (isFinding ? outcome.kind + ": " + outcome.message
                               : "no finding")
                 << "\n";
  }
  return found;
}

/// Returns the number of findings.
static Expected<int64_t> run(int argc, char **argv) {
  Expected<Options> options = parseOptions(argc, argv);
  if (!options)
    return options.takeError();
  // A child that has died is noticed where its answer is read.
  std::signal(SIGPIPE, SIG_IGN);
  if (!options->replays.empty())
    return replay(*options);
  if (options->print) {
    printSpecs(*options);
    return 0;
  }
  Search search(*options);
  if (Error error = search.run())
    return error;
  return search.getNumFindings();
}

int main(int argc, char **argv) {
  Expected<int64_t> findings = run(argc, argv);
  if (!findings)
    return reportError(argv[0], findings.takeError());
  return *findings > 0 ? 1 : 0;
}
