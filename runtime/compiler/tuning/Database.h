//===- Database.h - Schedules that were measured ----------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One file of SQLite. A record says which schedule is best for a key; a trial
// is one schedule that was measured on the way, so that tuning goes on where it
// was interrupted. Every change is a transaction of its own that excludes other
// writers: what put() has returned from is on the disk, whatever happens to the
// process, and two tuners never undo each other's work. docs/tuning.md has the
// tables.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_COMPILER_TUNING_DATABASE_H
#define ATTN_RUNTIME_COMPILER_TUNING_DATABASE_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <memory>
#include <optional>
#include <string>
#include <vector>

struct sqlite3;

namespace attn {

/// What a schedule was measured for.
struct TuningKey {
  std::string spec;     ///< Hash of the canonical text of the function.
  std::string dtype;    ///< Element type of its first argument.
  std::string target;   ///< "cpu:avx512", "cuda:sm_90".
  std::string device;   ///< Name of the processor.
  std::string bucket;   ///< Lengths, rounded up to powers of two: "N=4096".
  std::string compiler; ///< Version of the compiler.

  bool operator==(const TuningKey &) const = default;
};

/// The best schedule for a key.
struct TuningRecord {
  TuningKey key;
  std::string schedule;
  double seconds = 0;  ///< Of a call.
  double baseline = 0; ///< Of a call with the schedule that is chosen without.
  int64_t tokens = 0;  ///< Product of the lengths of the bucket.
  std::string name;    ///< Of the function, for readers.
  std::string dims;    ///< Sizes that were measured: "B=1,H=8,N=4096".
  std::string build;   ///< getCompilerBuild() of the tuner; empty: not known.

  /// Seconds over those of the default: the smaller, the better.
  double getRatio() const { return baseline > 0 ? seconds / baseline : 1; }

  /// Whether this build of the compiler was tuned, and not another one of the
  /// same version.
  bool isOfThisBuild() const;
};

/// One schedule that was tried.
struct TuningTrial {
  TuningKey key;
  std::string schedule;
  std::string verdict;  ///< "ok", "slower", "wrong" or "failed".
  double ratio = 0;     ///< Seconds over those of the default.
  double seconds = 0;   ///< Of a call.
  double predicted = 0; ///< Seconds that the model said.
  std::string build;    ///< As of a record.
};

/// An open file. Not for use by several threads at a time.
class TuningDatabase {
public:
  enum class Mode { Read, Write };

  /// Opens a file, and makes it if it is to be written. Fails if it is
  /// something else or damaged, and changes nothing then.
  static llvm::Expected<TuningDatabase> open(llvm::StringRef path, Mode mode);

  TuningDatabase(TuningDatabase &&);
  ~TuningDatabase();

  /// Stores a record, unless the file has a better one for its key: a record of
  /// this build is better than one of another, then the smaller ratio. Returns
  /// whether it is there now.
  llvm::Expected<bool> put(const TuningRecord &record);
  llvm::Error put(const TuningTrial &trial);

  /// The record for exactly this key.
  llvm::Expected<std::optional<TuningRecord>> find(const TuningKey &key);
  /// The record with the most tokens among those of all buckets of a key.
  llvm::Expected<std::optional<TuningRecord>> findLargest(const TuningKey &key);
  /// All records, in the order of their keys.
  llvm::Expected<std::vector<TuningRecord>> getRecords();
  /// What this build has tried for a key, in no particular order.
  llvm::Expected<std::vector<TuningTrial>> getTrials(const TuningKey &key);

  /// Takes the records of another file, as put() does; returns how many.
  llvm::Expected<int64_t> merge(TuningDatabase &other);
  /// Records as lines of JSON, in the order of their keys.
  llvm::Expected<std::string> exportText();
  /// Takes such lines, all or none; `name` stands for them in messages.
  llvm::Expected<int64_t> importText(llvm::StringRef text,
                                     llvm::StringRef name);

private:
  class Statement;

  TuningDatabase(sqlite3 *handle, std::string path);
  static llvm::Expected<TuningDatabase> connect(llvm::StringRef path, Mode mode,
                                                int flags,
                                                bool *isInterrupted = nullptr);
  bool isInterrupted();
  llvm::Error fail(llvm::StringRef what);
  llvm::Error failDamaged(llvm::StringRef reason);
  llvm::Error execute(const char *text);
  llvm::Expected<int64_t> getNumber(const char *text);
  llvm::Error prepare(Mode mode);
  llvm::Error checkContents(Mode mode);
  llvm::Error makeTables();
  llvm::Error transact(llvm::function_ref<llvm::Error()> body);
  template <typename... Values>
  llvm::Error insert(llvm::StringRef table, const TuningKey &key,
                     const Values &...values);
  llvm::Expected<bool> store(const TuningRecord &record);
  llvm::Expected<std::vector<TuningRecord>>
  query(const char *text, llvm::ArrayRef<std::string> values);
  llvm::Expected<int64_t> storeAll(llvm::ArrayRef<TuningRecord> records);

  struct Close {
    void operator()(sqlite3 *handle) const;
  };
  std::unique_ptr<sqlite3, Close> handle;
  std::string path;
  int64_t version = 0; ///< Of the tables; 0 if there are none yet.
};

} // namespace attn

#endif // ATTN_RUNTIME_COMPILER_TUNING_DATABASE_H
