//===- DiskCacheTest.cpp - Compiled kernels in a folder -------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/jit/DiskCache.h"
#include "test/unit/TestFolder.h"
#include "test/unit/TestPackages.h"
#include <chrono>
#include <csignal>
#include <gtest/gtest.h>
#include <random>
#include <sys/stat.h>
#include <thread>

using namespace attn;
using namespace attn::unittest;
namespace fs = std::filesystem;

static constexpr uint64_t kPlenty = uint64_t(1) << 30;

static CacheKey getKey(int number) {
  return CacheKey::of(std::to_string(number));
}

namespace {
/// A folder, its cache, and packages for it.
class DiskCacheTest : public ::testing::Test {
protected:
  std::string makeBytes(const CacheKey &key) {
    return mustWrite(makeCachedPackage(key.digits));
  }
  void store(const CacheKey &key) { cache.storePackage(key, makeBytes(key)); }
  fs::path getFile(const CacheKey &key) {
    return fs::path(folder.path) / (key.digits + ".attn");
  }
  /// Makes a file as old as if it had been used hours ago.
  void age(const fs::path &path, int hours) {
    fs::last_write_time(path, fs::file_time_type::clock::now() -
                                  std::chrono::hours(hours));
  }

  TestFolder folder;
  DiskCache cache{folder.path, kPlenty};
};
} // namespace

TEST(CacheKeys, TellPartsApart) {
  EXPECT_EQ(joinParts({"ab", ""}), "2:ab0:");
  EXPECT_NE(joinParts({"a", "bc"}), joinParts({"ab", "c"}));
  EXPECT_EQ(CacheKey::of("").digits, "99aa06d3014798d86001c324468d497f");
  EXPECT_TRUE(CacheKey::isValid(CacheKey::of("x").digits));
  EXPECT_FALSE(CacheKey::isValid("99aa06d3014798d86001c324468d497F"));
  EXPECT_FALSE(CacheKey::isValid("99aa"));
}

TEST_F(DiskCacheTest, FindsWhatWasStored) {
  EXPECT_EQ(cache.findPackage(getKey(1)), nullptr);
  store(getKey(1));
  auto package = cache.findPackage(getKey(1));
  ASSERT_NE(package, nullptr);
  EXPECT_EQ(package->manifest.kernels[0].name, "scale");
  EXPECT_EQ(cache.findPackage(getKey(2)), nullptr);
  EXPECT_EQ(cache.findAlias(getKey(3)), std::nullopt);
  cache.storeAlias(getKey(3), getKey(1));
  EXPECT_EQ(cache.findAlias(getKey(3)), getKey(1));
  std::string note = "none";
  cache.findAlias(getKey(3), &note);
  EXPECT_EQ(note, "");
  cache.storeAlias(getKey(3), getKey(1), "record N=64\nof two lines");
  EXPECT_EQ(cache.findAlias(getKey(3), &note), getKey(1));
  EXPECT_EQ(note, "record N=64\nof two lines");
  EXPECT_EQ(cache.countRejected(), 0u);
  EXPECT_EQ(cache.countFailedWrites(), 0u);
  EXPECT_EQ(folder.list().size(), 2u); // No temporary file stays.
}

TEST_F(DiskCacheTest, MakesItsFolder) {
  DiskCache deep(folder.path + "/a/b", kPlenty);
  deep.storePackage(getKey(1), makeBytes(getKey(1)));
  EXPECT_NE(deep.findPackage(getKey(1)), nullptr);
  struct stat info;
  ASSERT_EQ(::stat((folder.path + "/a").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
}

TEST_F(DiskCacheTest, RejectsDamagedAndForeignFiles) {
  store(getKey(1));
  std::string whole = readFile(getFile(getKey(1)));
  uint64_t rejected = 0;
  auto expectRejected = [&](const std::string &bytes) {
    writeFile(getFile(getKey(1)), bytes);
    EXPECT_EQ(cache.findPackage(getKey(1)), nullptr);
    EXPECT_EQ(cache.countRejected(), ++rejected);
  };
  expectRejected("");
  expectRejected(whole.substr(0, whole.size() / 2));
  std::string flipped = whole;
  flipped[whole.size() - 9] ^= 1;
  expectRejected(flipped);
  // A package, but of another key, or of none.
  expectRejected(makeBytes(getKey(2)));
  expectRejected(mustWrite(makeScalePackage()));
  fs::remove(getFile(getKey(1)));
  fs::create_directory(getFile(getKey(1)));
  EXPECT_EQ(cache.findPackage(getKey(1)), nullptr);
  EXPECT_EQ(cache.countRejected(), ++rejected);
  fs::remove(getFile(getKey(1)));
  store(getKey(1));
  EXPECT_NE(cache.findPackage(getKey(1)), nullptr);
}

TEST_F(DiskCacheTest, RejectsDamagedAliases) {
  cache.storeAlias(getKey(3), getKey(1));
  fs::path file = fs::path(folder.path) / (getKey(3).digits + ".alias");
  std::string whole = readFile(file);
  std::string other = whole;
  other[0] = other[0] == '0' ? '1' : '0';
  uint64_t rejected = 0;
  for (const std::string &bytes :
       {std::string(), whole.substr(0, 32), other, whole + "x"}) {
    writeFile(file, bytes);
    EXPECT_EQ(cache.findAlias(getKey(3)), std::nullopt);
    EXPECT_EQ(cache.countRejected(), ++rejected);
  }
  // That of another text.
  fs::path moved = fs::path(folder.path) / (getKey(4).digits + ".alias");
  writeFile(moved, whole);
  EXPECT_EQ(cache.findAlias(getKey(4)), std::nullopt);
}

TEST_F(DiskCacheTest, EvictsWhatWasNotUsedForLongest) {
  uint64_t size = makeBytes(getKey(1)).size();
  DiskCache small(folder.path, 3 * size + size / 2);
  for (int i = 1; i <= 3; ++i) {
    small.storePackage(getKey(i), makeBytes(getKey(i)));
    age(getFile(getKey(i)), 10 - i);
  }
  writeFile(folder.path + "/notes.txt", "not ours");
  age(folder.path + "/notes.txt", 100);
  EXPECT_EQ(small.countEvicted(), 0u);
  EXPECT_NE(small.findPackage(getKey(1)), nullptr); // Young again.
  small.storePackage(getKey(4), makeBytes(getKey(4)));
  EXPECT_EQ(small.countEvicted(), 1u);
  EXPECT_FALSE(fs::exists(getFile(getKey(2))));
  for (int i : {1, 3, 4})
    EXPECT_TRUE(fs::exists(getFile(getKey(i))));
  EXPECT_TRUE(fs::exists(folder.path + "/notes.txt"));
  // What exceeds the limit alone would evict everything else.
  DiskCache tiny(folder.path, size - 1);
  tiny.storePackage(getKey(5), makeBytes(getKey(5)));
  EXPECT_EQ(tiny.countFailedWrites(), 1u);
  EXPECT_EQ(folder.list(".attn").size(), 3u);
}

TEST_F(DiskCacheTest, RemovesAbandonedFilesOnly) {
  std::string old = folder.path + "/attn-new-0123456789abcdef";
  std::string young = folder.path + "/attn-new-0123456789abcdee";
  std::string foreign = folder.path + "/attn-new-stuff";
  for (const std::string &path : {old, young, foreign})
    writeFile(path, "x");
  age(old, 2);
  age(foreign, 2);
  store(getKey(1));
  EXPECT_FALSE(fs::exists(old));
  EXPECT_TRUE(fs::exists(young));
  EXPECT_TRUE(fs::exists(foreign));
}

TEST_F(DiskCacheTest, WorksWithoutAFolder) {
  writeFile(folder.path + "/file", "");
  DiskCache nowhere(folder.path + "/file/cache", kPlenty);
  nowhere.storePackage(getKey(1), makeBytes(getKey(1)));
  EXPECT_EQ(nowhere.countFailedWrites(), 1u);
  EXPECT_EQ(nowhere.findPackage(getKey(1)), nullptr);
  EXPECT_EQ(nowhere.countRejected(), 0u);
}

TEST_F(DiskCacheTest, ReadsAFolderThatMayNotBeWritten) {
  store(getKey(1));
  fs::permissions(folder.path, fs::perms(0555));
  fs::permissions(getFile(getKey(1)), fs::perms(0444));
  EXPECT_TRUE(finishProcess(startProcess([&] {
    // Root may write everywhere.
    if (::geteuid() == 0 && ::setuid(65534) != 0)
      return false;
    bool isFound = cache.findPackage(getKey(1)) != nullptr;
    store(getKey(2));
    return isFound && cache.countFailedWrites() == 1 &&
           cache.findPackage(getKey(2)) == nullptr;
  })));
  fs::permissions(folder.path, fs::perms(0755));
}

TEST_F(DiskCacheTest, SurvivesKilledWriters) {
  CacheKey key = getKey(7);
  std::string bytes(std::size_t(8) << 20, 'x');
  size_t abandoned = 0;
  for (int i = 0; i < 50 && abandoned < 3; ++i) {
    pid_t child = startProcess([&] {
      for (;;)
        cache.storePackage(key, bytes);
      return true;
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(10 + i));
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    EXPECT_FALSE(finishProcess(child));
    // The file is whole, whenever the writer died.
    if (fs::exists(getFile(key)))
      ASSERT_EQ(fs::file_size(getFile(key)), bytes.size());
    abandoned = folder.list().size() - folder.list(".attn").size();
  }
  EXPECT_GE(abandoned, 3u) << "no writer was killed while it wrote";
  for (const fs::path &path : folder.list())
    age(path, 2);
  store(key);
  EXPECT_NE(cache.findPackage(key), nullptr);
  EXPECT_EQ(folder.list().size(), 1u);
}

TEST_F(DiskCacheTest, ReadsWhatIsBeingReplaced) {
  std::string bytes = makeBytes(getKey(1));
  cache.storePackage(getKey(1), bytes);
  std::atomic<bool> isOver = false;
  std::thread writer([&] {
    for (int i = 0; i < 100; ++i)
      cache.storePackage(getKey(1), bytes);
    isOver = true;
  });
  DiskCache reader(folder.path, kPlenty);
  int missing = 0;
  while (!isOver)
    missing += reader.findPackage(getKey(1)) == nullptr;
  writer.join();
  EXPECT_EQ(missing, 0);
  EXPECT_EQ(reader.countRejected(), 0u);
}
