//===- NpyTest.cpp - Tests of the NumPy array files -----------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tools/support/Npy.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"
#include <gtest/gtest.h>
#include <random>

using namespace attn;
using llvm::StringRef;

namespace {

/// A file that is removed at the end of its scope.
class TemporaryFile {
public:
  TemporaryFile() {
    EXPECT_FALSE(llvm::sys::fs::createTemporaryFile("attn", "npy", path));
    remover.setFile(path);
  }
  StringRef getPath() const { return path; }
  std::string read() const {
    return (*llvm::MemoryBuffer::getFile(path))->getBuffer().str();
  }

private:
  llvm::SmallString<128> path;
  llvm::FileRemover remover;
};

} // namespace

/// Contents of a file of the given version with `header` and `elements`.
static std::string makeFile(StringRef header, StringRef elements,
                            char major = 1) {
  std::string file("\x93NUMPY");
  file += {major, 0};
  size_t size = header.size();
  for (int i = 0; i < (major == 1 ? 2 : 4); ++i, size >>= 8)
    file += static_cast<char>(size & 0xff);
  return file + header.str() + elements.str();
}

static std::string describe(StringRef descr, StringRef order, StringRef shape) {
  return ("{'descr': '" + descr + "', 'fortran_order': " + order +
          ", 'shape': " + shape + ", }\n")
      .str();
}

/// The message for `contents`, or an empty string if they are read.
static std::string getError(StringRef contents) {
  llvm::Expected<NpyArray> array = parseNpy(contents, "x.npy");
  return array ? "" : llvm::toString(array.takeError());
}

TEST(NpyTest, RoundTripsEveryType) {
  for (NpyType type :
       {NpyType::F16, NpyType::F32, NpyType::F64, NpyType::I8, NpyType::I16,
        NpyType::I32, NpyType::I64, NpyType::U8, NpyType::Bool}) {
    NpyArray array = makeNpyArray(type, {2, 3, 5});
    for (auto [i, byte] : llvm::enumerate(array.data))
      byte = type == NpyType::Bool ? i % 2 : i * 37;
    TemporaryFile file;
    ASSERT_FALSE(llvm::errorToBool(writeNpy(file.getPath(), array)));
    llvm::Expected<NpyArray> read = readNpy(file.getPath());
    ASSERT_TRUE(bool(read)) << llvm::toString(read.takeError());
    EXPECT_EQ(read->type, type);
    EXPECT_EQ(read->shape, array.shape);
    EXPECT_EQ(read->data, array.data);
    EXPECT_EQ(read->getNumElements(), 30);
  }
}

TEST(NpyTest, RoundTripsUnusualShapes) {
  for (const std::vector<int64_t> &shape :
       {std::vector<int64_t>{}, {0}, {7}, {3, 0, 2}, {1, 1, 1, 1, 1, 9}}) {
    NpyArray array = makeNpyArray(NpyType::F32, shape);
    TemporaryFile file;
    ASSERT_FALSE(llvm::errorToBool(writeNpy(file.getPath(), array)));
    llvm::Expected<NpyArray> read = readNpy(file.getPath());
    ASSERT_TRUE(bool(read)) << llvm::toString(read.takeError());
    EXPECT_EQ(read->shape, shape);
    EXPECT_EQ(read->data.size(), array.data.size());
  }
}

TEST(NpyTest, WritesWhatNumPyWrites) {
  // numpy.save(file, numpy.array([1, -2], dtype="<i2"))
  NpyArray array = makeNpyArray(NpyType::I16, {2});
  array.as<int16_t>()[0] = 1;
  array.as<int16_t>()[1] = -2;
  TemporaryFile file;
  ASSERT_FALSE(llvm::errorToBool(writeNpy(file.getPath(), array)));
  std::string header = describe("<i2", "False", "(2,)");
  header.pop_back();
  header += std::string(128 - 10 - header.size() - 1, ' ') + "\n";
  EXPECT_EQ(file.read(), makeFile(header, StringRef("\x01\x00\xfe\xff", 4)));
}

TEST(NpyTest, ReadsEveryVersionAndAnyKeyOrder) {
  for (char major : {1, 2, 3}) {
    llvm::Expected<NpyArray> array = parseNpy(
        makeFile("{ 'shape':(2 ,1),\"fortran_order\":False,'descr':'|u1'}",
                 "ab", major),
        "x.npy");
    ASSERT_TRUE(bool(array)) << llvm::toString(array.takeError());
    EXPECT_EQ(array->shape, (std::vector<int64_t>{2, 1}));
    EXPECT_EQ(StringRef(array->data.data(), 2), "ab");
  }
}

TEST(NpyTest, ConvertsFortranOrder) {
  // Element (i, j, k) of shape (2, 3, 2) stands at i + 2 j + 6 k.
  llvm::Expected<NpyArray> array = parseNpy(
      makeFile(describe("|u1", "True", "(2, 3, 2)"), "abcdefghijkl"), "x.npy");
  ASSERT_TRUE(bool(array)) << llvm::toString(array.takeError());
  EXPECT_EQ(StringRef(array->data.data(), 12), "agciekbhdjfl");
}

TEST(NpyTest, AlignsElements) {
  NpyArray array = makeNpyArray(NpyType::F32, {3});
  EXPECT_EQ(reinterpret_cast<uintptr_t>(array.data.data()) % 64, 0u);
}

TEST(NpyTest, MakesBoolsValid) {
  llvm::Expected<NpyArray> array = parseNpy(
      makeFile(describe("|b1", "False", "(3,)"), StringRef("\x00\x01\x7f", 3)),
      "x.npy");
  ASSERT_TRUE(bool(array)) << llvm::toString(array.takeError());
  EXPECT_EQ(StringRef(array->data.data(), 3), StringRef("\x00\x01\x01", 3));
}

TEST(NpyTest, RefusesBadFiles) {
  EXPECT_EQ(getError(""),
            "x.npy: not a .npy file: the magic number is missing");
  EXPECT_EQ(getError("\x93NUMPY"),
            "x.npy: truncated .npy file: the version is missing");
  EXPECT_EQ(getError(StringRef("\x93NUMPY\x04\x00", 8)),
            "x.npy: expected .npy version 1.0, 2.0 or 3.0, got 4.0");
  EXPECT_EQ(getError(StringRef("\x93NUMPY\x01\x00\x10", 9)),
            "x.npy: truncated .npy file: the header size is missing");
  EXPECT_EQ(getError(StringRef("\x93NUMPY\x01\x00\x10\x00{", 11)),
            "x.npy: truncated .npy file: expected a header of 16 bytes, got 1");
  EXPECT_EQ(getError(StringRef("\x93NUMPY\x02\x00\xff\xff\xff\xff{", 13)),
            "x.npy: expected a header of at most 65535 bytes, got 4294967295");
  EXPECT_EQ(getError(makeFile(describe("<f4", "False", "(2, 3)"), "abc")),
            "x.npy: expected 24 bytes of elements, got 3");
}

TEST(NpyTest, RefusesBadHeaders) {
  auto headerError = [](StringRef header) {
    return getError(makeFile(header, ""));
  };
  EXPECT_EQ(headerError("abc"), "x.npy: bad .npy header: expected '{', got "
                                "'abc'");
  EXPECT_EQ(headerError("{}"),
            "x.npy: bad .npy header: key 'descr' is missing");
  EXPECT_EQ(headerError("{'descr"),
            "x.npy: bad .npy header: expected a string that ends, got "
            "''descr'");
  EXPECT_EQ(headerError("{'descr': '<f4', 'descr': '<f4'}"),
            "x.npy: bad .npy header: key 'descr' is repeated");
  EXPECT_EQ(headerError("{'extra': 1}"),
            "x.npy: bad .npy header: expected the keys 'descr', "
            "'fortran_order' and 'shape', got 'extra'");
  EXPECT_EQ(headerError("{'descr': [('a', '<f4')]}"),
            "x.npy: structured element types are not supported");
  EXPECT_EQ(headerError(describe(">f4", "False", "()")),
            "x.npy: element type '>f4' is not supported: expected one of <f2 "
            "<f4 <f8 |i1 <i2 <i4 <i8 |u1 |b1");
  EXPECT_EQ(headerError(describe("<f4", "0", "()")),
            "x.npy: bad .npy header: expected True or False, got '0, 'shape': "
            "(), }'");
  EXPECT_EQ(headerError(describe("<f4", "False", "(2, 3)") + "x"),
            "x.npy: bad .npy header: expected nothing after '}', got '\\0Ax'");
}

TEST(NpyTest, RefusesBadShapes) {
  auto shapeError = [](StringRef shape) {
    return getError(makeFile(describe("<f4", "False", shape), ""));
  };
  EXPECT_EQ(shapeError("(2, -3)"),
            "x.npy: bad .npy header: expected a size that is not negative, got "
            "'-3), }'");
  EXPECT_EQ(shapeError("(99999999999999999999,)"),
            "x.npy: size '99999999999999999999' does not fit into 64 bits");
  EXPECT_EQ(shapeError("(4294967296, 4294967296)"),
            "x.npy: the size of shape (4294967296, 4294967296) does not fit "
            "into 64 bits");
  EXPECT_EQ(shapeError("(9000000000000000000, 0)"), "");
  EXPECT_EQ(shapeError("(1000000000000,)"),
            "x.npy: expected 4000000000000 bytes of elements, got 0");
  std::string ones = "(";
  for (int i = 0; i < 65; ++i)
    ones += "1,";
  EXPECT_EQ(shapeError(ones + ")"),
            "x.npy: expected at most 64 dimensions, got 65");
}

TEST(NpyTest, RefusesWhatIsNoFile) {
  auto pathError = [](StringRef path) {
    return llvm::toString(readNpy(path).takeError());
  };
  EXPECT_EQ(pathError("/nonexistent/x.npy"),
            "/nonexistent/x.npy: cannot read: No such file or directory");
  EXPECT_EQ(pathError("/"), "/: cannot read: not a regular file");
  EXPECT_EQ(pathError("/dev/zero"),
            "/dev/zero: cannot read: not a regular file");
}

TEST(NpyTest, RefusesToWrite) {
  NpyArray array = makeNpyArray(NpyType::F32, {4});
  EXPECT_EQ(llvm::toString(writeNpy("/nonexistent/x.npy", array)),
            "/nonexistent/x.npy: cannot write: No such file or directory");
  EXPECT_EQ(llvm::toString(writeNpy("/dev/full", array)),
            "/dev/full: cannot write: No space left on device");
  array.shape = {5};
  EXPECT_EQ(llvm::toString(writeNpy("x.npy", array)),
            "x.npy: shape and data of the array disagree");
  array.shape = {-2, -2};
  EXPECT_EQ(llvm::toString(writeNpy("x.npy", array)),
            "x.npy: shape and data of the array disagree");
}

/// Replaces, inserts or removes one random byte.
static void mutate(std::string &text, std::mt19937 &random) {
  static constexpr StringRef alphabet(
      "{}(),:'\"-0123456789 Truefals<|>f\x00\xff", 35);
  size_t position = random() % (text.size() + 1);
  char byte = alphabet[random() % alphabet.size()];
  switch (random() % 3) {
  case 0:
    text.insert(position, 1, byte);
    break;
  case 1:
    text.erase(position, random() % 4);
    break;
  default:
    if (position < text.size())
      text[position] = byte;
  }
}

TEST(NpyTest, SurvivesRandomBytes) {
  std::mt19937 random(2022);
  const std::string valid =
      makeFile(describe("<i4", "True", "(2, 3)"), std::string(24, 'x'));
  int accepted = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string contents = valid;
    // Leave the magic number alone in most rounds, to reach what follows.
    for (int i = 0, n = random() % 6; i < n; ++i)
      mutate(contents, random);
    if (round % 16)
      contents.replace(0, std::min<size_t>(6, contents.size()), "\x93NUMPY");
    llvm::Expected<NpyArray> array = parseNpy(contents, "x.npy");
    if (!array) {
      std::string message = llvm::toString(array.takeError());
      EXPECT_TRUE(StringRef(message).starts_with("x.npy: "));
      EXPECT_FALSE(StringRef(message).contains('\n')) << message;
      continue;
    }
    ++accepted;
    EXPECT_LE(array->data.size(), contents.size());
  }
  EXPECT_GT(accepted, 1000);
  EXPECT_LT(accepted, 19000);
}
