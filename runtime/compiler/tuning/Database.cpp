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
#include "runtime/compiler/tuning/CompilerBuild.h"
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

/// "attn" in the header of the file, and the version of the tables. Those of
/// version 1 have no builds.
static constexpr int kApplication = 0x6174746e, kVersion = 2;
/// How long a change waits for others.
static constexpr int kBusyMilliseconds = 20000;

static constexpr char kTables[] = R"(
CREATE TABLE IF NOT EXISTS records(
  spec TEXT NOT NULL, dtype TEXT NOT NULL, target TEXT NOT NULL,
  device TEXT NOT NULL, bucket TEXT NOT NULL, compiler TEXT NOT NULL,
  schedule TEXT NOT NULL, seconds REAL NOT NULL, baseline REAL NOT NULL,
  tokens INTEGER NOT NULL, name TEXT NOT NULL, dims TEXT NOT NULL,
  build TEXT NOT NULL,
  PRIMARY KEY(spec, dtype, target, device, bucket, compiler));
CREATE TABLE IF NOT EXISTS trials(
  spec TEXT NOT NULL, dtype TEXT NOT NULL, target TEXT NOT NULL,
  device TEXT NOT NULL, bucket TEXT NOT NULL, compiler TEXT NOT NULL,
  schedule TEXT NOT NULL, verdict TEXT NOT NULL, ratio REAL NOT NULL,
  seconds REAL NOT NULL, predicted REAL NOT NULL, build TEXT NOT NULL,
  PRIMARY KEY(spec, dtype, target, device, bucket, compiler, schedule));
)";

/// Makes tables of version 1 those of this one. New columns are the last.
static constexpr char kUpgrade[] = R"(
ALTER TABLE records ADD COLUMN build TEXT NOT NULL DEFAULT '';
ALTER TABLE trials ADD COLUMN build TEXT NOT NULL DEFAULT '';
)";

static constexpr char kRecordColumns[] =
    "SELECT spec, dtype, target, device, bucket, compiler, schedule, seconds, "
    "baseline, tokens, name, dims";

/// The values of a key, in the order of its columns.
static std::vector<std::string> getValues(const TuningKey &key) {
  return {key.spec,   key.dtype,  key.target,
          key.device, key.bucket, key.compiler};
}

bool TuningRecord::isOfThisBuild() const { return build == getCompilerBuild(); }

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

Error TuningDatabase::failDamaged(StringRef reason) {
  return llvm::createStringError(
      llvm::formatv("'{0}': expected a tuning database, got a file that is "
                    "damaged or something else ({1}); it is left as it is: "
                    "move it away or name another one",
                    path, reason)
          .str());
}

/// Whether there is a journal of a writer that was killed, which a connection
/// that only reads must not play back.
bool TuningDatabase::isInterrupted() {
  return sqlite3_extended_errcode(handle.get()) == SQLITE_READONLY_ROLLBACK;
}

Error TuningDatabase::fail(StringRef what) {
  int code = sqlite3_errcode(handle.get()) & 0xff;
  StringRef reason = sqlite3_errmsg(handle.get());
  if (code == SQLITE_NOTADB || code == SQLITE_CORRUPT)
    return failDamaged(reason);
  if (isInterrupted())
    reason = "a writer was interrupted, and what it left is to be undone by "
             "somebody who may write the file and its folder";
  return llvm::createStringError(
      llvm::formatv("'{0}': cannot {1}: {2}", path, what, reason).str());
}

Error TuningDatabase::execute(const char *text) {
  if (sqlite3_exec(handle.get(), text, nullptr, nullptr, nullptr) != SQLITE_OK)
    return fail("write");
  return Error::success();
}

Expected<int64_t> TuningDatabase::getNumber(const char *text) {
  Statement statement(handle.get(), text);
  if (!statement.step())
    return fail("read");
  return statement.getInteger(0);
}

/// Fails unless the file is empty, as it is until a writer's first COMMIT, or
/// has the tables of a known version, unharmed.
Error TuningDatabase::checkContents(Mode mode) {
  Expected<int64_t> tables = getNumber("SELECT count(*) FROM sqlite_master");
  if (!tables)
    return tables.takeError();
  if (*tables == 0 && mode == Mode::Write)
    return Error::success();
  Expected<int64_t> application = getNumber("PRAGMA application_id"),
                    found = getNumber("PRAGMA user_version");
  if (!application || !found)
    return llvm::joinErrors(application.takeError(), found.takeError());
  if (*tables == 0 && *application == 0)
    return Error::success();
  if (*application != kApplication)
    return llvm::createStringError(
        llvm::formatv("'{0}': expected a tuning database, got one of another "
                      "program; it is left as it is",
                      path)
            .str());
  version = *found;
  if (version < 1 || version > kVersion)
    return llvm::createStringError(
        llvm::formatv("'{0}': expected a tuning database of version {1}, got "
                      "version {2}; export it with the program that made it",
                      path, kVersion, version)
            .str());
  Statement check(handle.get(), "PRAGMA quick_check(1)");
  if (!check.step())
    return fail("read");
  std::string result = check.getText(0);
  return result == "ok" ? Error::success()
                        : failDamaged(StringRef(result).split('\n').first);
}

/// Brings the tables to this version, unless somebody else just has.
Error TuningDatabase::makeTables() {
  Expected<int64_t> found = getNumber("PRAGMA user_version");
  if (!found)
    return found.takeError();
  if (*found == kVersion)
    return Error::success();
  if (Error error = execute(*found == 1 ? kUpgrade : kTables))
    return error;
  std::string text =
      llvm::formatv("PRAGMA application_id = {0}; PRAGMA user_version = {1};",
                    kApplication, kVersion);
  return execute(text.c_str());
}

Error TuningDatabase::prepare(Mode mode) {
  sqlite3_busy_timeout(handle.get(), kBusyMilliseconds);
  if (Error error = checkContents(mode))
    return error;
  if (mode == Mode::Read || version == kVersion)
    return Error::success();
  if (Error error = transact([&] { return makeTables(); }))
    return error;
  version = kVersion;
  return Error::success();
}

/// Opens a file with flags of SQLite. `isInterrupted`, which may be null, says
/// whether it failed because a writer was killed.
Expected<TuningDatabase> TuningDatabase::connect(StringRef path, Mode mode,
                                                 int flags,
                                                 bool *isInterrupted) {
  sqlite3 *handle = nullptr;
  int status =
      sqlite3_open_v2(path.str().c_str(), &handle, flags, /*zVfs=*/nullptr);
  TuningDatabase database(handle, path.str());
  if (status != SQLITE_OK)
    return database.fail(mode == Mode::Read ? "read" : "write");
  if (Error error = database.prepare(mode)) {
    if (isInterrupted)
      *isInterrupted = database.isInterrupted();
    return std::move(error);
  }
  return database;
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
  if (mode == Mode::Write)
    return connect(path, mode, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  bool isInterrupted = false;
  Expected<TuningDatabase> database =
      connect(path, mode, SQLITE_OPEN_READONLY, &isInterrupted);
  if (database || !isInterrupted)
    return database;
  // The first look at a file that may be written undoes the change. Where this
  // fails, reading fails again and says so.
  llvm::consumeError(database.takeError());
  llvm::consumeError(connect(path, mode, SQLITE_OPEN_READWRITE).takeError());
  return connect(path, mode, SQLITE_OPEN_READONLY);
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
  std::vector<TuningRecord> records;
  if (version == 0) // There are no tables yet.
    return records;
  StringRef build = version == 1 ? ", '' AS build" : ", build";
  std::string whole =
      llvm::formatv("{0}{1} FROM records {2}", kRecordColumns, build, text);
  Statement statement(handle.get(), whole.c_str());
  statement.bindAll(values);
  while (statement.step())
    records.push_back({statement.getKey(), statement.getText(6),
                       statement.getNumber(7), statement.getNumber(8),
                       statement.getInteger(9), statement.getText(10),
                       statement.getText(11), statement.getText(12)});
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

/// Puts a row into a table, in place of that with the same key.
template <typename... Values>
Error TuningDatabase::insert(StringRef table, const TuningKey &key,
                             const Values &...values) {
  std::vector<std::string> keys = getValues(key);
  std::vector<StringRef> marks(keys.size() + sizeof...(values), "?");
  std::string text = llvm::formatv("INSERT OR REPLACE INTO {0} VALUES ({1})",
                                   table, llvm::join(marks, ", "));
  Statement statement(handle.get(), text.c_str());
  statement.bindAll(keys);
  (statement.bind(values), ...);
  statement.step();
  return statement.isFine() ? Error::success() : fail("write");
}

/// Whether `known` stays where `other` is offered.
static bool isBetter(const TuningRecord &known, const TuningRecord &other) {
  if (known.isOfThisBuild() != other.isOfThisBuild())
    return known.isOfThisBuild();
  return known.getRatio() <= other.getRatio();
}

/// Stores a record inside of a transaction.
Expected<bool> TuningDatabase::store(const TuningRecord &record) {
  Expected<std::optional<TuningRecord>> known = find(record.key);
  if (!known)
    return known.takeError();
  if (*known && isBetter(**known, record))
    return (*known)->schedule == record.schedule;
  if (Error error = insert("records", record.key, record.schedule,
                           record.seconds, record.baseline, record.tokens,
                           record.name, record.dims, record.build))
    return std::move(error);
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
  return transact([&] {
    return insert("trials", trial.key, trial.schedule, trial.verdict,
                  trial.ratio, trial.seconds, trial.predicted, trial.build);
  });
}

Expected<std::vector<TuningTrial>>
TuningDatabase::getTrials(const TuningKey &key) {
  std::vector<TuningTrial> trials;
  if (version < 2) // There are none yet, or they are of another build.
    return trials;
  Statement statement(
      handle.get(),
      "SELECT spec, dtype, target, device, bucket, compiler, schedule, "
      "verdict, ratio, seconds, predicted, build FROM trials WHERE spec = ? "
      "AND dtype = ? AND target = ? AND device = ? AND bucket = ? AND "
      "compiler = ? AND build = ?");
  statement.bindAll(getValues(key));
  statement.bind(getCompilerBuild());
  while (statement.step())
    trials.push_back({statement.getKey(), statement.getText(6),
                      statement.getText(7), statement.getNumber(8),
                      statement.getNumber(9), statement.getNumber(10),
                      statement.getText(11)});
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
