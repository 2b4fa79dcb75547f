//===- TestFolder.h - A folder that tests may fill --------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TEST_UNIT_TESTFOLDER_H
#define ATTN_TEST_UNIT_TESTFOLDER_H

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace attn::unittest {

/// A new folder, removed at the end with what is in it.
class TestFolder {
public:
  TestFolder() {
    std::string name =
        std::filesystem::temp_directory_path() / "attn-test-XXXXXX";
    path = ::mkdtemp(name.data());
  }
  TestFolder(const TestFolder &) = delete;
  ~TestFolder() { std::filesystem::remove_all(path); }

  /// The files whose names end with `ending`, in no order.
  std::vector<std::filesystem::path>
  list(const std::string &ending = "") const {
    std::vector<std::filesystem::path> found;
    for (const auto &entry : std::filesystem::directory_iterator(path))
      if (entry.path().string().ends_with(ending))
        found.push_back(entry.path());
    return found;
  }

  std::string path;
};

inline std::string readFile(const std::filesystem::path &path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

inline void writeFile(const std::filesystem::path &path,
                      const std::string &bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

/// Runs `body` in a process of its own; returns its number.
inline pid_t startProcess(const std::function<bool()> &body) {
  pid_t child = ::fork();
  if (child == 0)
    ::_exit(body() ? 0 : 1);
  return child;
}

/// Whether a process has ended, and its body was true.
inline bool finishProcess(pid_t child) {
  int status = 0;
  return ::waitpid(child, &status, 0) == child && WIFEXITED(status) &&
         WEXITSTATUS(status) == 0;
}

} // namespace attn::unittest

#endif // ATTN_TEST_UNIT_TESTFOLDER_H
