//===- Worker.h - Examinations in a process of their own ------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A crash or a hang of the compiler or of its code is a finding, not the end of
// the search. The parent sends texts through a pipe to a child, which sends
// outcomes back; a child that dies or does not answer is replaced. The parent
// itself never compiles, so that forking it stays safe.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TEST_FUZZ_WORKER_H
#define ATTN_TEST_FUZZ_WORKER_H

#include "test/fuzz/Examine.h"
#include <chrono>
#include <sys/types.h>

namespace attn::fuzz {

/// A fault of the worker itself, so that tests see what becomes of it.
struct PlantedFault {
  enum Kind { Finding, Crash, Hang };
  std::string text; ///< Of the specs that have it; none if empty.
  Kind kind = Finding;
};

/// How a worker examines.
struct WorkerOptions {
  int64_t seconds = 60; ///< For one examination, then it counts as a hang.
  PlantedFault planted;
};

/// A child process that examines one text after the other.
class Worker {
public:
  explicit Worker(WorkerOptions options) : options(std::move(options)) {}
  ~Worker() { stop(); }
  Worker(const Worker &) = delete;

  /// Hands over a text; the worker must be idle.
  void send(const std::string &text);

  /// The outcome of what was sent; nothing if there is none yet and the time
  /// is not over. Waits for so many milliseconds, but not beyond that time.
  std::optional<Outcome> receive(int milliseconds);

  /// send() and receive().
  Outcome examine(const std::string &text) {
    send(text);
    for (;;)
      if (std::optional<Outcome> outcome = receive(1000))
        return *outcome;
  }

private:
  void start();
  void stop();
  void closePipes();
  [[noreturn]] void serve(int requests, int replies);
  Outcome examineHere(llvm::StringRef text) const;
  /// Ends the child and says how it died.
  Outcome reap(bool isHanging);

  WorkerOptions options;
  pid_t child = -1;
  int requests = -1, answers = -1;
  int served = 0;
  std::chrono::steady_clock::time_point sent;
};

} // namespace attn::fuzz

#endif // ATTN_TEST_FUZZ_WORKER_H
