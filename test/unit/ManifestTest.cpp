//===- ManifestTest.cpp - Manifests of packages ---------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/unit/TestPackages.h"
#include <gtest/gtest.h>

using namespace attn;
using namespace attn::unittest;

static const std::vector<Section> kCpu = {
    {"cpu:avx2", "x86_64-linux-gnu", CodeFormat::SharedObject, 64, ""}};
static const std::vector<Section> kGpu = {
    {"cuda:sm_80", "nvptx64-nvidia-cuda", CodeFormat::Ptx, 64, ""}};

static std::string getText(const PackageKernel &kernel) {
  return makePackage(kernel, {}).manifest;
}

/// The message with which a manifest is refused after `from` was replaced by
/// `to`, without the words that all of them start with.
static std::string getError(const PackageKernel &kernel,
                            const std::vector<Section> &sections,
                            const std::string &from, const std::string &to) {
  Result<Manifest> manifest =
      readManifest(replaceOnce(getText(kernel), from, to), sections);
  if (manifest)
    return "";
  std::string message = manifest.takeStatus().getMessage();
  const std::string start = "the manifest is malformed: ";
  return message.starts_with(start) ? message.substr(start.size()) : message;
}

static std::string getCpuError(const std::string &from, const std::string &to) {
  return getError(makeScaleKernel(), kCpu, from, to);
}

static std::string getGpuError(const std::string &from, const std::string &to) {
  return getError(makeGpuKernel(), kGpu, from, to);
}

TEST(Manifest, KeepsWhatWasWritten) {
  for (const auto &[kernel, sections] :
       {std::pair(makeScaleKernel(), kCpu), std::pair(makeGpuKernel(), kGpu)}) {
    PackageKernel written = kernel;
    written.spec = "func.func @f() { return } // \"\xc3\xa9\"\n";
    written.dtype = "bf16";
    written.interface.argumentLayouts[1] = {true, {}};
    written.interface.resultShapes[0][1] = std::nullopt;
    written.interface.results[0].inPlace = 1;
    written.interface.rules.push_back(
        {SizeRule::Kind::Equal, {5, std::nullopt, 0}, {0, 1, 1}, ", why"});
    std::string text = getText(written);
    Result<Manifest> read = readManifest(text, sections);
    ASSERT_TRUE(bool(read)) << read.takeStatus().getMessage();
    EXPECT_EQ(read->producer, "a test");
    ASSERT_EQ(read->kernels.size(), 1u);
    EXPECT_TRUE(read->kernels[0] == written) << text;
    EXPECT_EQ(writeManifest(*read), text);
  }
}

TEST(Manifest, IgnoresUnknownKeysOnly) {
  EXPECT_EQ(getCpuError("{\"producer\"", "{\"future\":[1,{}],\"producer\""),
            "");
  EXPECT_EQ(getCpuError("\"kind\":\"multiple\"", "\"kind\":\"power\""),
            "kernels[0].rules[0].kind: expected \"equal\" or \"multiple\", got "
            "\"power\"");
}

TEST(Manifest, RefusesToReplaceWhatIsNoArgument) {
  PackageKernel kernel = makeScaleKernel();
  kernel.interface.results[0].inPlace = 1;
  EXPECT_EQ(getError(kernel, kCpu, "\"in_place\":1", "\"in_place\":2"),
            "kernels[0].results[0].in_place: expected an integer from 0 to 1, "
            "got 2");
  EXPECT_EQ(getError(kernel, kCpu, "\"in_place\":1", "\"in_place\":null"),
            "kernels[0].results[0].in_place: expected an integer from 0 to 1, "
            "got null");
}

TEST(Manifest, LeavesCodeInUnknownFormatsAlone) {
  PackageKernel kernel = makeScaleKernel();
  kernel.programs.push_back(kernel.programs[0]);
  kernel.programs[1].section = 1;
  std::vector<Section> sections = {
      {"future:x", "a-triple", CodeFormat(99), 64, ""}, kCpu[0]};
  std::string text =
      replaceOnce(getText(kernel), "{\"tensor\":0}", "{\"a\":0}");
  Result<Manifest> read = readManifest(text, sections);
  ASSERT_TRUE(bool(read)) << read.takeStatus().getMessage();
  EXPECT_TRUE(read->kernels[0].programs[0].launches.empty());
  EXPECT_TRUE(read->kernels[0].programs[1] == kernel.programs[1]);
}

TEST(Manifest, RefusesTextThatIsNoManifest) {
  auto error = [](std::string_view text) {
    return readManifest(text, kCpu).takeStatus().getMessage();
  };
  EXPECT_EQ(error(""), "the manifest must be JSON: syntax error at byte 1");
  EXPECT_EQ(error("{\"producer\": }"),
            "the manifest must be JSON: syntax error at byte 14");
  EXPECT_EQ(error("\xff\xfe"),
            "the manifest must be JSON: syntax error at byte 1");
  EXPECT_EQ(error("1e999"),
            "the manifest must be JSON: [json.exception.out_of_range.406] "
            "number overflow parsing '1e999'");
  EXPECT_EQ(error("[]"),
            "the manifest is malformed: expected an object, got []");
  EXPECT_EQ(error("{}"), "the manifest is malformed: expected an object with "
                         "the key 'producer', got {}");
  EXPECT_EQ(error(std::string(1 << 20, '[')),
            "the manifest must be JSON: syntax error at byte 1048577");
}

TEST(Manifest, RefusesWrongInterfaces) {
  EXPECT_EQ(getCpuError("\"name\":\"scale\"", "\"name\":\"\""),
            "kernels[0].name: expected the name of a kernel, got \"\"");
  EXPECT_EQ(getCpuError("\"dtype\":\"f32\"", "\"dtype\":\"f31\""),
            "kernels[0].arguments[0].dtype: expected an element type, got "
            "\"f31\"");
  EXPECT_EQ(getCpuError("\"sizes\":[null,null,4]", "\"sizes\":[null,4]"),
            "kernels[0].arguments[0].sizes: expected a list of 3, got "
            "[null,4]");
  EXPECT_EQ(getCpuError("\"sizes\":[null,null,4]", "\"sizes\":[null,null,-1]"),
            "kernels[0].arguments[0].sizes[2]: expected an integer from 0 to "
            "9223372036854775807, got -1");
  EXPECT_EQ(getCpuError("\"sizes\":[null,null,4]",
                        "\"sizes\":[null,null,18446744073709551615]"),
            "kernels[0].arguments[0].sizes[2]: expected an integer from 0 to "
            "9223372036854775807, got 18446744073709551615");
  EXPECT_EQ(getCpuError("\"sizes\":[null,null,4]", "\"sizes\":[null,null,4.5]"),
            "kernels[0].arguments[0].sizes[2]: expected an integer from 0 to "
            "9223372036854775807, got 4.5");
  EXPECT_EQ(getCpuError("\"strides\":[null,null,1]", "\"strides\":\"dense\""),
            "kernels[0].arguments[0].strides: expected a list of 3, got "
            "\"dense\"");
  EXPECT_EQ(getCpuError("\"strides\":[null,null,1]", "\"strides\":[1]"),
            "kernels[0].arguments[0].strides: expected a list of 3, got [1]");
  EXPECT_EQ(getCpuError("\"shape\":[\"B\"", "\"shape\":[\"X\""),
            "kernels[0].results[0].shape[0]: expected the name of a dimension "
            "of an argument, got \"X\"");
  EXPECT_EQ(getCpuError("\"size\":[1,0]", "\"size\":[2,0]"),
            "kernels[0].rules[0].size[0]: expected an integer from 0 to 1, got "
            "2");
  EXPECT_EQ(getCpuError("\"size\":[1,0]", "\"size\":[1,2]"),
            "kernels[0].rules[0].size[1]: expected an integer from 0 to 1, got "
            "2");
  EXPECT_EQ(getCpuError("\"size\":[1,0]", "\"size\":[1]"),
            "kernels[0].rules[0].size: expected an integer or [ARGUMENT, "
            "DIMENSION], got [1]");
}

TEST(Manifest, RefusesKernelsOfOneName) {
  Manifest manifest;
  manifest.kernels = {makeScaleKernel(), makeScaleKernel()};
  EXPECT_EQ(
      readManifest(writeManifest(manifest), kCpu).takeStatus().getMessage(),
      "the manifest is malformed: kernels[1].name: expected a name that "
      "no other kernel has, got \"scale\"");
}

TEST(Manifest, RefusesWrongExpressions) {
  auto error = [](const std::string &expr) {
    std::string message = getCpuError("\"shape\":[\"B\"", "\"shape\":[" + expr);
    const std::string start = "kernels[0].results[0].shape[0]";
    EXPECT_TRUE(message.starts_with(start)) << message;
    return message.substr(std::min(start.size(), message.size()));
  };
  EXPECT_EQ(error("true"), ": expected an integer, the name of a dimension or "
                           "[OPERATION, A, B], got true");
  EXPECT_EQ(error("[]"), ": expected an integer, the name of a dimension or "
                         "[OPERATION, A, B], got []");
  EXPECT_EQ(error("[\"pow\",1,2]"),
            ": expected one of the operations add, sub, mul, floordiv, "
            "ceildiv, mod, min, max, got [\"pow\",1,2]");
  EXPECT_EQ(error("[\"add\",1]"), ": expected an operation of two operands, at "
                                  "most 32 deep, got [\"add\",1]");
  EXPECT_EQ(error("[\"add\",1,\"Z\"]"),
            "[2]: expected the name of a dimension of an argument, got \"Z\"");
  // Strides of results are not known when their sizes are asked for.
  EXPECT_EQ(error("[\"stride\",0,0]"),
            ": expected one of the operations add, sub, mul, floordiv, "
            "ceildiv, mod, min, max, got [\"stride\",0,0]");
  std::string deep = "1", wide = "1";
  for (int i = 0; i < 33; ++i)
    deep = "[\"add\"," + deep + ",1]";
  EXPECT_NE(error(deep).find("at most 32 deep"), std::string::npos);
  for (int i = 0; i < 8; ++i)
    wide = "[\"add\"," + wide + "," + wide + "]";
  EXPECT_NE(error(wide).find("at most 256 operations"), std::string::npos);
}

TEST(Manifest, RefusesWrongCpuPrograms) {
  EXPECT_EQ(getCpuError("\"section\":0", "\"section\":1"),
            "kernels[0].programs[0].section: expected an integer from 0 to 0, "
            "got 1");
  EXPECT_EQ(getCpuError("\"tensor\":2", "\"tensor\":3"),
            "kernels[0].programs[0].launches[0].arguments[1].tensor: expected "
            "an integer from 0 to 2, got 3");
  EXPECT_EQ(getCpuError("{\"workspace\":0}", "{\"workspace\":1}"),
            "kernels[0].programs[0].launches[0].arguments[2].workspace: "
            "expected an integer from 0 to 0, got 1");
  EXPECT_EQ(getCpuError("{\"workspace\":0}", "{\"i64\":1}"),
            "kernels[0].programs[0].launches[0].arguments[2]: expected an "
            "object with the key tensor or workspace, got {\"i64\":1}");
  EXPECT_EQ(getCpuError("\"zeroed\":true", "\"zeroed\":1"),
            "kernels[0].programs[0].workspace[0].zeroed: expected true or "
            "false, got 1");
  EXPECT_EQ(getCpuError("\"symbol\":\"attn_entry_add\"", "\"symbol\":\"\""),
            "kernels[0].programs[0].launches[1].symbol: expected the name of a "
            "function, got \"\"");
  EXPECT_EQ(getCpuError("\"launches\":[", "\"launches\":[],\"x\":["),
            "kernels[0].programs[0].launches: expected a list of 1 to 1024, "
            "got []");
  // What only GPUs have, among it counts on the device.
  EXPECT_EQ(getCpuError("\"symbol\":\"attn_entry_add\"",
                        "\"symbol\":\"f\",\"grid\":{\"blocks\":[{\"count\":0,"
                        "\"offset\":0,\"most\":1},1,1],\"threads\":[1,1,1]}"),
            "kernels[0].programs[0].launches[1].grid: expected no grid, as "
            "grids and counts on the device are not supported on the CPU, got "
            "{\"blocks\":[{\"count\":0,\"most\":1,\"offset\":0},1,1],"
            "\"threads\":[1...");
}

TEST(Manifest, RefusesSectionsWithTwoPrograms) {
  PackageKernel kernel = makeScaleKernel();
  kernel.programs.push_back(kernel.programs[0]);
  EXPECT_EQ(getError(kernel, kCpu, "scale", "scale"),
            "kernels[0].programs[1].section: expected a section without "
            "another program, got 0");
}

TEST(Manifest, RefusesWrongGpuPrograms) {
  EXPECT_EQ(getGpuError("\"i64\":\"B\"", "\"f32\":\"B\""),
            "kernels[0].programs[0].launches[0].arguments[1]: expected an "
            "object with the key tensor, workspace, i32, i64 or tensor_map, "
            "got {\"f32\":\"B\"}");
  EXPECT_EQ(getGpuError("\"swizzle_bytes\":128", "\"swizzle_bytes\":16"),
            "kernels[0].programs[0].launches[1].arguments[5].tensor_map."
            "swizzle_bytes: expected 0, 32, 64 or 128, got 16");
  EXPECT_EQ(getGpuError("\"box\":[4,64]", "\"box\":[4]"),
            "kernels[0].programs[0].launches[1].arguments[5].tensor_map.box: "
            "expected a list of 2, got [4]");
  EXPECT_EQ(getGpuError("\"tensor_map\":{\"tensor\":0",
                        "\"tensor_map\":{\"tensor\":9"),
            "kernels[0].programs[0].launches[1].arguments[5].tensor_map."
            "tensor: expected an integer from 0 to 2, got 9");
  EXPECT_EQ(getGpuError("[\"stride\",0,1]", "[\"stride\",0,3]"),
            "kernels[0].programs[0].launches[1].arguments[3].i32[2]: expected "
            "an integer from 0 to 2, got 3");
  EXPECT_EQ(getGpuError("[\"stride\",0,1]", "[\"stride\",3,1]"),
            "kernels[0].programs[0].launches[1].arguments[3].i32[1]: expected "
            "an integer from 0 to 2, got 3");
  EXPECT_EQ(getGpuError("[\"stride\",0,1]", "[\"stride\",0]"),
            "kernels[0].programs[0].launches[1].arguments[3].i32: expected "
            "[\"stride\", TENSOR, DIMENSION], got [\"stride\",0]");
  EXPECT_EQ(getGpuError("\"count\":0", "\"count\":2"),
            "kernels[0].programs[0].launches[1].grid.blocks[1].count: expected "
            "an integer from 0 to 1, got 2");
  EXPECT_EQ(getGpuError("\"threads\":[128,1,1]", "\"threads\":[128]"),
            "kernels[0].programs[0].launches[0].grid.threads: expected a list "
            "of 3, got [128]");
  EXPECT_EQ(getGpuError("\"grid\":", "\"Grid\":").substr(0, 83),
            "kernels[0].programs[0].launches[0]: expected an object with the "
            "key 'grid', as the ");
}
