//===- Worker.cpp - Examinations in a process of their own ----------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/fuzz/Worker.h"
#include "test/fuzz/PrintSpec.h"
#include "llvm/Support/ErrorHandling.h"
#include <cerrno>
#include <csignal>
#include <cstring>
#include <poll.h>
#include <set>
#include <sys/wait.h>
#include <unistd.h>

using namespace attn::fuzz;
using llvm::StringRef;

//===----------------------------------------------------------------------===//
// Messages: a length, and so many bytes
//===----------------------------------------------------------------------===//

static bool writeAll(int descriptor, const void *from, size_t size) {
  auto *bytes = static_cast<const char *>(from);
  while (size > 0) {
    ssize_t written = write(descriptor, bytes, size);
    if (written < 0 && errno == EINTR)
      continue;
    if (written <= 0)
      return false;
    bytes += written;
    size -= written;
  }
  return true;
}

static bool readAll(int descriptor, void *to, size_t size) {
  auto *bytes = static_cast<char *>(to);
  while (size > 0) {
    ssize_t got = read(descriptor, bytes, size);
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0)
      return false;
    bytes += got;
    size -= got;
  }
  return true;
}

static bool writeMessage(int descriptor, const std::string &text) {
  uint64_t size = text.size();
  return writeAll(descriptor, &size, sizeof size) &&
         writeAll(descriptor, text.data(), size);
}

static bool readMessage(int descriptor, std::string &text) {
  uint64_t size;
  if (!readAll(descriptor, &size, sizeof size))
    return false;
  text.resize(size);
  return readAll(descriptor, text.data(), size);
}

/// "1 kind\nmessage".
static std::string serialize(const Outcome &outcome) {
  return std::to_string(int(outcome.status)) + " " + outcome.kind + "\n" +
         outcome.message;
}

static Outcome deserialize(StringRef text) {
  auto [head, message] = text.split('\n');
  auto [status, kind] = head.split(' ');
  return {Outcome::Status(status.front() - '0'), kind.str(), message.str()};
}

//===----------------------------------------------------------------------===//
// The child
//===----------------------------------------------------------------------===//

/// Does what the fault does to a text that has it.
static std::optional<Outcome> commit(const PlantedFault &fault,
                                     StringRef text) {
  if (fault.text.empty() || !text.contains(fault.text))
    return std::nullopt;
  if (fault.kind == PlantedFault::Crash)
    raise(SIGSEGV);
  while (fault.kind == PlantedFault::Hang)
    pause();
  return Outcome{Outcome::Found, "planted", "contains " + fault.text};
}

Outcome Worker::examineHere(StringRef text) const {
  if (std::optional<Outcome> outcome = commit(options.planted, text))
    return *outcome;
  auto examination = parseExamination(text);
  if (!examination)
    return {Outcome::Found, "replay", llvm::toString(examination.takeError())};
  return fuzz::examine(text, *examination);
}

void Worker::serve(int from, int to) {
  std::signal(SIGSEGV, SIG_DFL); // No stack traces of expected deaths.
  std::string text;
  while (readMessage(from, text))
    if (!writeMessage(to, serialize(examineHere(text))))
      break;
  _exit(0);
}

/// The parent's ends of all pipes. Every child inherits those of the others and
/// closes them, or no child would see the end of its requests.
static std::set<int> &getParentEnds() {
  static std::set<int> ends;
  return ends;
}

void Worker::closePipes() {
  for (int end : {requests, answers}) {
    getParentEnds().erase(end);
    close(end);
  }
}

void Worker::start() {
  int down[2], up[2];
  if (pipe(down) != 0 || pipe(up) != 0)
    llvm::report_fatal_error("cannot make a pipe");
  child = fork();
  if (child < 0)
    llvm::report_fatal_error("cannot start a process");
  if (child == 0) {
    for (int end : getParentEnds())
      close(end);
    close(down[1]);
    close(up[0]);
    serve(down[0], up[1]);
  }
  close(down[0]);
  close(up[1]);
  requests = down[1];
  answers = up[0];
  getParentEnds().insert({requests, answers});
  served = 0;
}

//===----------------------------------------------------------------------===//
// The parent
//===----------------------------------------------------------------------===//

void Worker::stop() {
  if (child < 0)
    return;
  closePipes();
  waitpid(child, nullptr, 0);
  child = -1;
}

void Worker::send(const std::string &text) {
  // What linkers and loaders leave behind in a process is bounded that way.
  constexpr int kLifetime = 500;
  if (child >= 0 && served >= kLifetime)
    stop();
  if (child < 0)
    start();
  ++served;
  sent = std::chrono::steady_clock::now();
  // If the child has died, receive() will say so.
  (void)writeMessage(requests, text);
}

Outcome Worker::reap(bool isHanging) {
  if (isHanging)
    kill(child, SIGKILL);
  closePipes();
  int status = 0;
  waitpid(child, &status, 0);
  child = -1;
  if (isHanging)
    return {Outcome::Found, "hang",
            "no result after " + std::to_string(options.seconds) + " s"};
  std::string how = WIFSIGNALED(status)
                        ? std::string("signal ") + strsignal(WTERMSIG(status))
                        : "status " + std::to_string(WEXITSTATUS(status));
  return {Outcome::Found, "crash", "the process ended with " + how};
}

std::optional<Outcome> Worker::receive(int milliseconds) {
  pollfd event{answers, POLLIN, 0};
  if (poll(&event, 1, milliseconds) <= 0) {
    auto waited = std::chrono::steady_clock::now() - sent;
    if (waited < std::chrono::seconds(options.seconds))
      return std::nullopt;
    return reap(/*isHanging=*/true);
  }
  std::string text;
  if (!readMessage(answers, text))
    return reap(/*isHanging=*/false);
  return deserialize(text);
}
