//===- TuningDatabaseTest.cpp - What databases survive --------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/compiler/tuning/CompilerBuild.h"
#include "runtime/compiler/tuning/Database.h"
#include "test/unit/TestFolder.h"
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>

using namespace attn;
using namespace attn::unittest;
using llvm::cantFail;
using Mode = TuningDatabase::Mode;

static TuningRecord makeRecord(const std::string &bucket, double ratio,
                               const std::string &schedule = "many:block_q=32",
                               const std::string &build = "") {
  TuningRecord record;
  record.key = {"0123", "f32", "cpu:avx512", "a processor", bucket, "0.1.0"};
  record.schedule = schedule;
  record.seconds = ratio;
  record.baseline = 1;
  record.tokens = 64;
  record.build = build;
  return record;
}

static std::string getSchedule(TuningDatabase &database,
                               const std::string &bucket) {
  auto found = cantFail(database.find(makeRecord(bucket, 1).key));
  return found ? found->schedule : "none";
}

namespace {
/// A second connection, of the test's own.
struct Connection {
  explicit Connection(const std::string &path) {
    EXPECT_EQ(sqlite3_open(path.c_str(), &handle), SQLITE_OK);
  }
  Connection(const Connection &) = delete;
  ~Connection() { sqlite3_close(handle); }

  void run(const char *text) {
    EXPECT_EQ(sqlite3_exec(handle, text, nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(handle);
  }

  sqlite3 *handle = nullptr;
};

/// The connection that was opened last, which databases keep to themselves.
sqlite3 *opened = nullptr;

int noteConnection(sqlite3 *handle, char **, const void *) {
  opened = handle;
  return SQLITE_OK;
}

class TuningDatabaseTest : public testing::Test {
protected:
  TuningDatabaseTest() : path(folder.path + "/a.db") {
    sqlite3_auto_extension(reinterpret_cast<void (*)()>(noteConnection));
  }
  ~TuningDatabaseTest() override {
    sqlite3_cancel_auto_extension(reinterpret_cast<void (*)()>(noteConnection));
  }

  TestFolder folder;
  std::string path;
};
} // namespace

/// A writer that comes while another is between its BEGIN and its COMMIT waits,
/// and then compares with what that one has written. Were its own transaction
/// to begin by reading, it would compare with the old record, and its write
/// would be refused.
TEST_F(TuningDatabaseTest, WriterWaitsForTheOneInTheMiddle) {
  auto database = cantFail(TuningDatabase::open(path, Mode::Write));
  cantFail(database.put(makeRecord("N=64", 0.9, "many:old")));
  sqlite3 *waiting = opened;
  struct Middle {
    Connection other;
    int waits = 0;
  } middle{Connection(path)};
  middle.other.run("BEGIN IMMEDIATE; UPDATE records SET seconds = 0.5, "
                   "schedule = 'many:other'");
  sqlite3_busy_handler(
      waiting,
      [](void *data, int) {
        auto &middle = *static_cast<Middle *>(data);
        if (++middle.waits == 1)
          middle.other.run("COMMIT");
        return 1;
      },
      &middle);
  llvm::Expected<bool> isThere =
      database.put(makeRecord("N=64", 0.7, "many:late"));
  ASSERT_TRUE(bool(isThere)) << llvm::toString(isThere.takeError());
  EXPECT_FALSE(*isThere);
  EXPECT_EQ(middle.waits, 1);
  EXPECT_EQ(getSchedule(database, "N=64"), "many:other");
}

/// A process that writes and says what it has written is killed, each time
/// after another record.
TEST_F(TuningDatabaseTest, KilledWritersLoseNothing) {
  for (int round = 0; round < 8; ++round) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    pid_t child = startProcess([&] {
      auto database = cantFail(TuningDatabase::open(path, Mode::Write));
      for (int n = 0;; ++n) {
        cantFail(database.put(
            makeRecord(std::to_string(round) + ":" + std::to_string(n), 0.5)));
        if (::write(ends[1], &n, sizeof(n)) != sizeof(n))
          return false;
      }
    });
    ::close(ends[1]);
    int last = -1;
    while (last < round && ::read(ends[0], &last, sizeof(last)) > 0) {
    }
    ::kill(child, SIGKILL);
    EXPECT_FALSE(finishProcess(child));
    // What it said between our last look and its end counts too.
    while (::read(ends[0], &last, sizeof(last)) > 0) {
    }
    ::close(ends[0]);
    ASSERT_GE(last, round);
    auto database = cantFail(TuningDatabase::open(path, Mode::Write));
    for (int n = 0; n <= last; ++n)
      EXPECT_EQ(getSchedule(database,
                            std::to_string(round) + ":" + std::to_string(n)),
                "many:block_q=32");
  }
}

/// A writer that is killed after its first pages leaves a journal that is to be
/// played back. Whoever reads next does so, if it may write.
TEST_F(TuningDatabaseTest, ReadersUndoWhatAKilledWriterLeft) {
  std::string before;
  {
    auto database = cantFail(TuningDatabase::open(path, Mode::Write));
    cantFail(database.put(makeRecord("N=64", 0.9)));
    before = cantFail(database.exportText());
  }
  pid_t child = startProcess([&] {
    Connection writer(path);
    // Pages go to the file before the COMMIT that does not come.
    writer.run("PRAGMA cache_size = 1; BEGIN; UPDATE records SET name = "
               "hex(zeroblob(100000)), schedule = 'half'; DELETE FROM records");
    ::kill(::getpid(), SIGKILL);
    return false;
  });
  EXPECT_FALSE(finishProcess(child));
  std::string journal = path + "-journal";
  ASSERT_TRUE(std::filesystem::exists(journal));
  // Nobody in particular, in a folder where only the owner may write.
  ::chmod(folder.path.c_str(), 0555);
  child = startProcess([&] {
    if (::geteuid() == 0 && ::setuid(65534) != 0)
      return false;
    auto database = TuningDatabase::open(path, Mode::Read);
    return !database &&
           llvm::toString(database.takeError()) ==
               "'" + path +
                   "': cannot read: a writer was interrupted, and what it left "
                   "is to be undone by somebody who may write the file and its "
                   "folder";
  });
  EXPECT_TRUE(finishProcess(child));
  ::chmod(folder.path.c_str(), 0755);
  EXPECT_TRUE(std::filesystem::exists(journal));
  auto database = TuningDatabase::open(path, Mode::Read);
  ASSERT_TRUE(bool(database)) << llvm::toString(database.takeError());
  EXPECT_EQ(cantFail(database->exportText()), before);
  EXPECT_FALSE(std::filesystem::exists(journal));
}

/// What is there between a writer's open and its first COMMIT.
TEST_F(TuningDatabaseTest, EmptyFilesHaveNoRecordsYet) {
  writeFile(path, "");
  auto database = TuningDatabase::open(path, Mode::Read);
  ASSERT_TRUE(bool(database)) << llvm::toString(database.takeError());
  EXPECT_EQ(getSchedule(*database, "N=64"), "none");
  EXPECT_FALSE(cantFail(database->findLargest(makeRecord("N=64", 1).key)));
  EXPECT_TRUE(cantFail(database->getRecords()).empty());
  EXPECT_TRUE(cantFail(database->getTrials(makeRecord("N=64", 1).key)).empty());
  EXPECT_EQ(readFile(path), "");
  // An empty database of another program is one of another program.
  Connection(path).run("PRAGMA application_id = 7");
  auto other = TuningDatabase::open(path, Mode::Read);
  ASSERT_FALSE(bool(other));
  EXPECT_NE(llvm::toString(other.takeError()).find("of another program"),
            std::string::npos);
}

TEST_F(TuningDatabaseTest, FullDiskIsAnError) {
  auto database = cantFail(TuningDatabase::open(path, Mode::Write));
  cantFail(database.put(makeRecord("N=64", 0.9)));
  EXPECT_EQ(sqlite3_exec(opened, "PRAGMA max_page_count = 1", nullptr, nullptr,
                         nullptr),
            SQLITE_OK);
  std::string text = cantFail(database.exportText()), many;
  for (int n = 0; n < 200; ++n)
    many += std::string(text).replace(text.find("N=64"), 4,
                                      "N=" + std::to_string(n));
  llvm::Expected<int64_t> count = database.importText(many, "text");
  ASSERT_FALSE(bool(count));
  EXPECT_EQ(llvm::toString(count.takeError()),
            "'" + path + "': cannot write: database or disk is full");
  EXPECT_EQ(cantFail(database.exportText()), text);
}

TEST_F(TuningDatabaseTest, RecordsOfThisBuildComeFirst) {
  std::string own = getCompilerBuild().str();
  EXPECT_EQ(own.size(), 16u);
  auto database = cantFail(TuningDatabase::open(path, Mode::Write));
  EXPECT_TRUE(cantFail(database.put(makeRecord("N=64", 0.5, "a", "other"))));
  EXPECT_TRUE(cantFail(database.put(makeRecord("N=64", 0.9, "b", own))));
  EXPECT_FALSE(cantFail(database.put(makeRecord("N=64", 0.4, "c", "other"))));
  EXPECT_EQ(getSchedule(database, "N=64"), "b");
  EXPECT_TRUE(cantFail(database.put(makeRecord("N=64", 0.8, "d", own))));
  EXPECT_EQ(getSchedule(database, "N=64"), "d");
  // Trials of another build are no trials of this one.
  TuningTrial trial{makeRecord("N=64", 1).key, "a", "ok", 0.5, 1, 1, "other"};
  cantFail(database.put(trial));
  EXPECT_TRUE(cantFail(database.getTrials(trial.key)).empty());
  trial.build = own;
  cantFail(database.put(trial));
  EXPECT_EQ(cantFail(database.getTrials(trial.key)).size(), 1u);
}

/// Files of version 1 are read as they are, and get the new columns when they
/// are written.
TEST_F(TuningDatabaseTest, TakesUpTheFirstVersion) {
  Connection(path).run(R"(
    CREATE TABLE records(spec TEXT NOT NULL, dtype TEXT NOT NULL,
      target TEXT NOT NULL, device TEXT NOT NULL, bucket TEXT NOT NULL,
      compiler TEXT NOT NULL, schedule TEXT NOT NULL, seconds REAL NOT NULL,
      baseline REAL NOT NULL, tokens INTEGER NOT NULL, name TEXT NOT NULL,
      dims TEXT NOT NULL,
      PRIMARY KEY(spec, dtype, target, device, bucket, compiler));
    CREATE TABLE trials(spec TEXT NOT NULL, dtype TEXT NOT NULL,
      target TEXT NOT NULL, device TEXT NOT NULL, bucket TEXT NOT NULL,
      compiler TEXT NOT NULL, schedule TEXT NOT NULL, verdict TEXT NOT NULL,
      ratio REAL NOT NULL, seconds REAL NOT NULL, predicted REAL NOT NULL,
      PRIMARY KEY(spec, dtype, target, device, bucket, compiler, schedule));
    INSERT INTO records VALUES('0123', 'f32', 'cpu:avx512', 'a processor',
      'N=64', '0.1.0', 'many:old', 0.5, 1, 64, 'f', 'N=64');
    PRAGMA application_id = 1635021934;
    PRAGMA user_version = 1)");
  std::string before = readFile(path), text;
  {
    auto database = cantFail(TuningDatabase::open(path, Mode::Read));
    EXPECT_EQ(getSchedule(database, "N=64"), "many:old");
    EXPECT_FALSE(cantFail(database.getRecords())[0].isOfThisBuild());
    text = cantFail(database.exportText());
  }
  EXPECT_EQ(readFile(path), before);
  auto database = cantFail(TuningDatabase::open(path, Mode::Write));
  EXPECT_EQ(cantFail(database.exportText()), text);
  EXPECT_TRUE(cantFail(database.put(makeRecord("N=128", 0.9, "b", "x"))));
  EXPECT_EQ(cantFail(database.getRecords()).size(), 2u);
  // Lines of that version have no build.
  std::string line = text;
  line.replace(line.find("\"build\":\"\","), 11, "");
  auto other =
      cantFail(TuningDatabase::open(folder.path + "/b.db", Mode::Write));
  EXPECT_EQ(cantFail(other.importText(line, "text")), 1);
  EXPECT_EQ(cantFail(other.exportText()), text);
}
