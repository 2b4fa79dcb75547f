//===- DiskCache.cpp - Compiled kernels in a folder -----------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/jit/DiskCache.h"
#include <algorithm>
#include <cerrno>
#include <ctime>
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace attn;

static constexpr const char *kPackage = ".attn";
static constexpr const char *kAlias = ".alias";
/// What temporary files are called, followed by digits.
static constexpr std::string_view kTemporary = "attn-new-";
static constexpr size_t kTemporaryDigits = 16;
/// Temporary files of this age, in seconds, belong to nobody any more.
static constexpr time_t kAbandonedAfter = 3600;

namespace {
/// A file descriptor that is closed at the end.
class OpenFile {
public:
  explicit OpenFile(int file) : file(file) {}
  OpenFile(const OpenFile &) = delete;
  ~OpenFile() {
    if (file >= 0)
      ::close(file);
  }

  explicit operator bool() const { return file >= 0; }
  int get() const { return file; }

private:
  int file;
};
} // namespace

std::string DiskCache::getPath(const CacheKey &key,
                               const char *extension) const {
  return folder + '/' + key.digits + extension;
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

/// Reads up to `size` bytes; fewer where the file has become shorter.
static std::string readBytes(int file, size_t size) {
  std::string bytes(size, '\0');
  size_t done = 0;
  while (done < size) {
    ssize_t count = ::read(file, bytes.data() + done, size - done);
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0)
      break;
    done += count;
  }
  bytes.resize(done);
  return bytes;
}

/// The bytes of a file, which counts as used now.
std::optional<std::string> DiskCache::read(const std::string &path) {
  // A name that leads to a device or a pipe must not block.
  OpenFile file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat info;
  if (!file || ::fstat(file.get(), &info) != 0)
    return std::nullopt;
  if (!S_ISREG(info.st_mode) || uint64_t(info.st_size) > kMostPackageBytes) {
    reject();
    return std::nullopt;
  }
  // In a folder that may not be written this fails, and nothing depends on it.
  (void)::futimens(file.get(), nullptr);
  return readBytes(file.get(), info.st_size);
}

std::shared_ptr<const Package> DiskCache::findPackage(const CacheKey &key) {
  std::optional<std::string> bytes = read(getPath(key, kPackage));
  if (!bytes)
    return nullptr;
  Result<std::shared_ptr<const Package>> package = Package::read(*bytes);
  if (package && (*package)->manifest.cacheKey == key.digits)
    return *package;
  reject();
  return nullptr;
}

/// The key, the hash of all and of the file's own name, and the note.
static std::string writeAlias(const CacheKey &text, const CacheKey &key,
                              const std::string &note) {
  std::string check =
      CacheKey::of(joinParts({text.digits, key.digits, note})).digits;
  return key.digits + ' ' + check + '\n' + note;
}

std::optional<CacheKey> DiskCache::findAlias(const CacheKey &text,
                                             std::string *note) {
  std::optional<std::string> bytes = read(getPath(text, kAlias));
  if (!bytes)
    return std::nullopt;
  constexpr size_t line = 32 + 1 + 32 + 1;
  CacheKey key{bytes->substr(0, 32)};
  std::string rest = bytes->size() > line ? bytes->substr(line) : "";
  if (CacheKey::isValid(key.digits) && *bytes == writeAlias(text, key, rest)) {
    if (note)
      *note = std::move(rest);
    return key;
  }
  reject();
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

static bool writeBytes(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0)
      return false;
    bytes.remove_prefix(written);
  }
  return true;
}

/// Makes the folder and those above it. Nobody else may look into the latter,
/// which are the user's; who may look into ours says the process (umask).
static void makeFolder(const std::string &folder) {
  for (size_t at = folder.find('/', 1); at != std::string::npos;
       at = folder.find('/', at + 1))
    (void)::mkdir(folder.substr(0, at).c_str(), 0700);
  (void)::mkdir(folder.c_str(), 0777);
}

/// A path that no other writer has, in this process or another.
static std::string makeTemporaryPath(const std::string &folder) {
  static std::atomic<uint64_t> count = 0;
  timespec now;
  ::clock_gettime(CLOCK_REALTIME, &now);
  std::string text =
      joinParts({std::to_string(::getpid()), std::to_string(++count),
                 std::to_string(now.tv_sec), std::to_string(now.tv_nsec)});
  return folder + '/' + std::string(kTemporary) +
         CacheKey::of(text).digits.substr(0, kTemporaryDigits);
}

bool DiskCache::tryWrite(const std::string &path, std::string_view bytes) {
  if (bytes.size() > maxBytes)
    return false;
  std::string temporary = makeTemporaryPath(folder);
  auto create = [&] {
    return ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                  0666);
  };
  int descriptor = create();
  if (descriptor < 0 && errno == ENOENT) {
    makeFolder(folder);
    descriptor = create();
  }
  OpenFile file(descriptor);
  if (!file)
    return false;
  if (writeBytes(file.get(), bytes) && ::fsync(file.get()) == 0 &&
      ::rename(temporary.c_str(), path.c_str()) == 0)
    return true;
  (void)::unlink(temporary.c_str());
  return false;
}

void DiskCache::write(const std::string &path, std::string_view bytes) {
  if (tryWrite(path, bytes))
    evict(path);
  else
    ++failedWrites;
}

void DiskCache::storePackage(const CacheKey &key, std::string_view bytes) {
  write(getPath(key, kPackage), bytes);
}

void DiskCache::storeAlias(const CacheKey &text, const CacheKey &key,
                           const std::string &note) {
  write(getPath(text, kAlias), writeAlias(text, key, note));
}

//===----------------------------------------------------------------------===//
// Eviction
//===----------------------------------------------------------------------===//

namespace {
/// A file of the cache.
struct CachedFile {
  std::string path;
  uint64_t bytes;
  timespec used;
  bool isTemporary;
};
} // namespace

/// Whether a file has a name that this cache gives.
static bool isOurs(std::string_view name, bool &isTemporary) {
  isTemporary = name.starts_with(kTemporary) &&
                name.size() == kTemporary.size() + kTemporaryDigits;
  return isTemporary ||
         (CacheKey::isValid(name.substr(0, 32)) &&
          (name.substr(32) == kPackage || name.substr(32) == kAlias));
}

static std::vector<CachedFile> listFiles(const std::string &folder) {
  std::vector<CachedFile> files;
  DIR *directory = ::opendir(folder.c_str());
  if (!directory)
    return files;
  while (const dirent *entry = ::readdir(directory)) {
    struct stat info;
    CachedFile file;
    file.path = folder + '/' + entry->d_name;
    if (isOurs(entry->d_name, file.isTemporary) &&
        ::lstat(file.path.c_str(), &info) == 0 && S_ISREG(info.st_mode)) {
      file.bytes = info.st_size;
      file.used = info.st_mtim;
      files.push_back(std::move(file));
    }
  }
  ::closedir(directory);
  return files;
}

void DiskCache::evict(const std::string &newest) {
  std::vector<CachedFile> files = listFiles(folder);
  uint64_t total = 0;
  for (const CachedFile &file : files)
    total += file.bytes;
  time_t now = ::time(nullptr);
  std::erase_if(files, [&](const CachedFile &file) {
    // What a writer is making is left alone, what it has left behind is not.
    if (!file.isTemporary || now - file.used.tv_sec < kAbandonedAfter)
      return file.isTemporary || file.path == newest;
    if (::unlink(file.path.c_str()) == 0)
      total -= file.bytes;
    return true;
  });
  if (total <= maxBytes)
    return;
  std::ranges::sort(files, [](const CachedFile &a, const CachedFile &b) {
    return std::pair(a.used.tv_sec, a.used.tv_nsec) <
           std::pair(b.used.tv_sec, b.used.tv_nsec);
  });
  for (const CachedFile &file : files) {
    if (total <= maxBytes)
      return;
    if (::unlink(file.path.c_str()) != 0)
      continue;
    total -= file.bytes;
    ++evicted;
  }
}
