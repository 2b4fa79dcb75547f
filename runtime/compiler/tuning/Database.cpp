//===- Database.cpp - Schedules that were measured ------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The journal is the one that is deleted after each change, not the one of
// write-ahead: a database is a single file that may be copied, shipped and read
// where nobody may write.
//
//===----------------------------------------------------------------------===//

#include "runtime/compiler/tuning/Database.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Path.h"
#include <sqlite3.h>

using namespace attn;
using llvm::ArrayRef;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;

/// "attn" in the header of the file, and the version of the tables.
static constexpr int kApplication = 0x6174746e, kVersion = 1;
/// How long a change waits for others.
static constexpr int kBusyMilliseconds = 20000;

static constexpr char kTables[] = R"(
CREATE TABLE IF NOT EXISTS records(
  spec TEXT NOT NULL, dtype TEXT NOT NULL, target TEXT NOT NULL,
  device TEXT NOT NULL, bucket TEXT NOT NULL, compiler TEXT NOT NULL,
  schedule TEXT NOT NULL, seconds REAL NOT NULL, baseline REAL NOT NULL,
  tokens INTEGER NOT NULL, name TEXT NOT NULL, dims TEXT NOT NULL,
  PRIMARY KEY(spec, dtype, target, device, bucket, compiler));
CREATE TABLE IF NOT EXISTS trials(
  spec TEXT NOT NULL, dtype TEXT NOT NULL, target TEXT NOT NULL,
  device TEXT NOT NULL, bucket TEXT NOT NULL, compiler TEXT NOT NULL,
  schedule TEXT NOT NULL, verdict TEXT NOT NULL, ratio REAL NOT NULL,
  seconds REAL NOT NULL, predicted REAL NOT NULL,
  PRIMARY KEY(spec, dtype, target, device, bucket, compiler, schedule));
)";

static constexpr char kRecordColumns[] =
    "SELECT spec, dtype, target, device, bucket, compiler, schedule, seconds, "
    "baseline, tokens, name, dims FROM records ";

/// The values of a key, in the order of its columns.
static std::vector<std::string> getValues(const TuningKey &key) {
  return {key.spec,   key.dtype,  key.target,
          key.device, key.bucket, key.compiler};
}

//===----------------------------------------------------------------------===//
// Statements
//===----------------------------------------------------------------------===//

/// A statement of SQL with its values.
class TuningDatabase::Statement {
public:
  Statement(sqlite3 *handle, const char *text) {
    status = sqlite3_prepare_v2(handle, text, -1, &statement, nullptr);
  }
  Statement(const Statement &) = delete;
  Statement &operator=(const Statement &) = delete;
  ~Statement() { sqlite3_finalize(statement); }

  void bind(StringRef text) {
    if (isFine())
      status = sqlite3_bind_text(statement, ++bound, text.data(), text.size(),
                                 SQLITE_TRANSIENT);
  }
  void bindAll(ArrayRef<std::string> texts) {
    for (StringRef text : texts)
      bind(text);
  }
  void bind(double value) {
    if (isFine())
      status = sqlite3_bind_double(statement, ++bound, value);
  }
  void bind(int64_t value) {
    if (isFine())
      status = sqlite3_bind_int64(statement, ++bound, value);
  }

  /// Goes to the next row, if there is one.
  bool step() {
    if (!isFine())
      return false;
    status = sqlite3_step(statement);
    return status == SQLITE_ROW;
  }
  bool isFine() const {
    return status == SQLITE_OK || status == SQLITE_ROW || status == SQLITE_DONE;
  }

  std::string getText(int column) {
    auto *text =
        reinterpret_cast<const char *>(sqlite3_column_text(statement, column));
    return text ? text : "";
  }
  double getNumber(int column) {
    return sqlite3_column_double(statement, column);
  }
  int64_t getInteger(int column) {
    return sqlite3_column_int64(statement, column);
  }
  TuningKey getKey() {
    return {getText(0), getText(1), getText(2),
            getText(3), getText(4), getText(5)};
  }

private:
  sqlite3_stmt *statement = nullptr;
  int status, bound = 0;
};

//===----------------------------------------------------------------------===//
// Opening
//===----------------------------------------------------------------------===//

void TuningDatabase::Close::operator()(sqlite3 *handle) const {
  sqlite3_close_v2(handle);
}

TuningDatabase::TuningDatabase(sqlite3 *handle, std::string path)
    : handle(handle), path(std::move(path)) {}
TuningDatabase::TuningDatabase(TuningDatabase &&) = default;
TuningDatabase::~TuningDatabase() = default;

Error TuningDatabase::fail(StringRef what) {
  int code = sqlite3_errcode(handle.get()) & 0xff;
  StringRef reason = sqlite3_errmsg(handle.get());
  if (code == SQLITE_NOTADB || code == SQLITE_CORRUPT)
    return llvm::createStringError(
        llvm::formatv("'{0}': expected a tuning database, got a file that is "
                      "damaged or something else ({1}); it is left as it is: "
                      "move it away or name another one",
                      path, reason)
            .str());
  return llvm::createStringError(
      llvm::formatv("'{0}': cannot {1}: {2}", path, what, reason).str());
}

Error TuningDatabase::execute(const char *text) {
  if (sqlite3_exec(handle.get(), text, nullptr, nullptr, nullptr) != SQLITE_OK)
    return fail("write");
  return Error::success();
}

/// Fails unless the file is empty or has the tables of this version, unharmed.
Error TuningDatabase::checkContents(Mode mode) {
  auto getNumber = [&](const char *text) -> Expected<int64_t> {
    Statement statement(handle.get(), text);
    if (!statement.step())
      return fail("read");
    return statement.getInteger(0);
  };
  Expected<int64_t> tables = getNumber("SELECT count(*) FROM sqlite_master");
  if (!tables)
    return tables.takeError();
  if (*tables == 0 && mode == Mode::Write)
    return Error::success();
  Expected<int64_t> application = getNumber("PRAGMA application_id"),
                    version = getNumber("PRAGMA user_version");
  if (!application || !version)
    return llvm::joinErrors(application.takeError(), version.takeError());
  if (*application != kApplication)
    return llvm::createStringError(
        llvm::formatv("'{0}': expected a tuning database, got one of another "
                      "program; it is left as it is",
                      path)
            .str());
  if (*version != kVersion)
    return llvm::createStringError(
        llvm::formatv("'{0}': expected a tuning database of version {1}, got "
                      "version {2}; export it with the program that made it",
                      path, kVersion, *version)
            .str());
  Statement check(handle.get(), "PRAGMA quick_check(1)");
  if (!check.step())
    return fail("read");
  if (check.getText(0) != "ok")
    return llvm::createStringError(
        llvm::formatv("'{0}': expected a tuning database, got a file that is "
                      "damaged or something else ({1}); it is left as it is: "
                      "move it away or name another one",
                      path, StringRef(check.getText(0)).split('\n').first)
            .str());
  return Error::success();
}

Error TuningDatabase::prepare(Mode mode) {
  sqlite3_busy_timeout(handle.get(), kBusyMilliseconds);
  if (Error error = checkContents(mode))
    return error;
  if (mode == Mode::Read)
    return Error::success();
  return transact([&]() -> Error {
    std::string text =
        llvm::formatv("PRAGMA application_id = {0}; PRAGMA user_version = {1};",
                      kApplication, kVersion);
    if (Error error = execute(text.c_str()))
      return error;
    return execute(kTables);
  });
}

Expected<TuningDatabase> TuningDatabase::open(StringRef path, Mode mode) {
  if (llvm::sys::fs::is_directory(path))
    return llvm::createStringError(
        llvm::formatv("'{0}': expected a tuning database, got a folder", path)
            .str());
  StringRef folder = llvm::sys::path::parent_path(path);
  if (mode == Mode::Write && !folder.empty())
    if (std::error_code code = llvm::sys::fs::create_directories(folder))
      return llvm::createStringError(
          llvm::formatv("'{0}': cannot make this folder: {1}", folder,
                        code.message())
              .str());
  int flags = mode == Mode::Read ? SQLITE_OPEN_READONLY
                                 : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  sqlite3 *handle = nullptr;
  int status =
      sqlite3_open_v2(path.str().c_str(), &handle, flags, /*zVfs=*/nullptr);
  TuningDatabase database(handle, path.str());
  if (status != SQLITE_OK)
    return database.fail(mode == Mode::Read ? "read" : "write");
  if (Error error = database.prepare(mode))
    return std::move(error);
  return database;
}

/// Runs `body` while nobody else writes; undoes it if it fails.
Error TuningDatabase::transact(llvm::function_ref<Error()> body) {
  if (Error error = execute("BEGIN IMMEDIATE"))
    return error;
  if (Error error = body()) {
    sqlite3_exec(handle.get(), "ROLLBACK", nullptr, nullptr, nullptr);
    return error;
  }
  if (Error error = execute("COMMIT")) {
    sqlite3_exec(handle.get(), "ROLLBACK", nullptr, nullptr, nullptr);
    return error;
  }
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Records and trials
//===----------------------------------------------------------------------===//

Expected<std::vector<TuningRecord>>
TuningDatabase::query(const char *text, ArrayRef<std::string> values) {
  Statement statement(handle.get(),
                      (kRecordColumns + std::string(text)).c_str());
  statement.bindAll(values);
  std::vector<TuningRecord> records;
  while (statement.step())
    records.push_back({statement.getKey(), statement.getText(6),
                       statement.getNumber(7), statement.getNumber(8),
                       statement.getInteger(9), statement.getText(10),
                       statement.getText(11)});
  if (!statement.isFine())
    return fail("read");
  return records;
}

Expected<std::optional<TuningRecord>>
TuningDatabase::find(const TuningKey &key) {
  Expected<std::vector<TuningRecord>> found =
      query("WHERE spec = ? AND dtype = ? AND target = ? AND device = ? AND "
            "bucket = ? AND compiler = ?",
            getValues(key));
  if (!found)
    return found.takeError();
  return found->empty() ? std::nullopt : std::optional(found->front());
}

Expected<std::optional<TuningRecord>>
TuningDatabase::findLargest(const TuningKey &key) {
  Expected<std::vector<TuningRecord>> found =
      query("WHERE spec = ? AND dtype = ? AND target = ? AND device = ? AND "
            "compiler = ? ORDER BY tokens DESC, bucket LIMIT 1",
            {key.spec, key.dtype, key.target, key.device, key.compiler});
  if (!found)
    return found.takeError();
  return found->empty() ? std::nullopt : std::optional(found->front());
}

Expected<std::vector<TuningRecord>> TuningDatabase::getRecords() {
  return query("ORDER BY name, spec, dtype, target, device, bucket, compiler",
               {});
}

/// Stores a record inside of a transaction.
Expected<bool> TuningDatabase::store(const TuningRecord &record) {
  Expected<std::optional<TuningRecord>> known = find(record.key);
  if (!known)
    return known.takeError();
  if (*known && (*known)->getRatio() <= record.getRatio())
    return (*known)->schedule == record.schedule;
  Statement statement(handle.get(), "INSERT OR REPLACE INTO records VALUES "
                                    "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  statement.bindAll(getValues(record.key));
  statement.bind(record.schedule);
  statement.bind(record.seconds);
  statement.bind(record.baseline);
  statement.bind(record.tokens);
  statement.bind(record.name);
  statement.bind(record.dims);
  statement.step();
  if (!statement.isFine())
    return fail("write");
  return true;
}

Expected<bool> TuningDatabase::put(const TuningRecord &record) {
  bool isThere = false;
  Error error = transact([&]() -> Error {
    Expected<bool> stored = store(record);
    if (!stored)
      return stored.takeError();
    isThere = *stored;
    return Error::success();
  });
  if (error)
    return std::move(error);
  return isThere;
}

Error TuningDatabase::put(const TuningTrial &trial) {
  return transact([&]() -> Error {
    Statement statement(handle.get(), "INSERT OR REPLACE INTO trials VALUES "
                                      "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    statement.bindAll(getValues(trial.key));
    statement.bind(trial.schedule);
    statement.bind(trial.verdict);
    statement.bind(trial.ratio);
    statement.bind(trial.seconds);
    statement.bind(trial.predicted);
    statement.step();
    return statement.isFine() ? Error::success() : fail("write");
  });
}

Expected<std::vector<TuningTrial>>
TuningDatabase::getTrials(const TuningKey &key) {
  Statement statement(
      handle.get(),
      "SELECT spec, dtype, target, device, bucket, compiler, schedule, "
      "verdict, ratio, seconds, predicted FROM trials WHERE spec = ? AND "
      "dtype = ? AND target = ? AND device = ? AND bucket = ? AND compiler = "
      "?");
  statement.bindAll(getValues(key));
  std::vector<TuningTrial> trials;
  while (statement.step())
    trials.push_back({statement.getKey(), statement.getText(6),
                      statement.getText(7), statement.getNumber(8),
                      statement.getNumber(9), statement.getNumber(10)});
  if (!statement.isFine())
    return fail("read");
  return trials;
}

Expected<int64_t> TuningDatabase::storeAll(ArrayRef<TuningRecord> records) {
  int64_t count = 0;
  Error error = transact([&]() -> Error {
    for (const TuningRecord &record : records) {
      Expected<bool> stored = store(record);
      if (!stored)
        return stored.takeError();
      count += *stored;
    }
    return Error::success();
  });
  if (error)
    return std::move(error);
  return count;
}

Expected<int64_t> TuningDatabase::merge(TuningDatabase &other) {
  Expected<std::vector<TuningRecord>> records = other.getRecords();
  if (!records)
    return records.takeError();
  return storeAll(*records);
}
