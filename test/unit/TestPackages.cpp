//===- TestPackages.cpp - Packages that tests make by hand ----------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/unit/TestPackages.h"
#include "runtime/CpuDevice.h"
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>

using namespace attn;
using namespace attn::unittest;
using Op = SizeExpr::Op;
using Kind = LaunchArgument::Kind;

static StrideLayout makeLayout(size_t rank) {
  StrideLayout layout;
  layout.strides.assign(rank, StrideLayout::kAny);
  layout.strides.back() = 1;
  return layout;
}

static Interface makeInterface() {
  Interface interface;
  interface.arguments = {
      {"x", ElementType::F32, {-1, -1, 4}, {"B", "N", "D"}, "normal"},
      {"y", ElementType::I32, {-1, -1}, {"M", "N"}, "uniform"}};
  interface.results = {
      {"out", ElementType::F32, {-1, -1, 4}, {"B", "N", "D"}, "normal"}};
  interface.argumentLayouts = {makeLayout(3), makeLayout(2)};
  interface.resultLayouts = {makeLayout(3)};
  interface.resultShapes = {
      {SizeExpr::dim(0), SizeExpr::dim(1), SizeExpr::constant(4)}};
  SizeRule rule;
  rule.kind = SizeRule::Kind::MultipleOf;
  rule.size.argument = 1;
  rule.of.argument = 0;
  interface.rules = {rule};
  interface.defaults = {{"B", 2}, {"N", 3}, {"M", 4}};
  return interface;
}

PackageKernel attn::unittest::makeScaleKernel() {
  PackageKernel kernel;
  kernel.name = "scale";
  kernel.interface = makeInterface();
  kernel.flops = {
      SizeExpr::binary(Op::Mul, SizeExpr::dim(0), SizeExpr::dim(1))};
  LaunchProgram program;
  program.schedule = "some blocks";
  program.workspace = {
      {"number",
       SizeExpr::binary(Op::Mul, SizeExpr::dim(1), SizeExpr::constant(4)),
       true}};
  program.launches = {
      {"attn_entry_double",
       {{Kind::Tensor, 0}, {Kind::Tensor, 2}, {Kind::Workspace, 0}},
       std::nullopt},
      {"attn_entry_add",
       {{Kind::Tensor, 2}, {Kind::Workspace, 0}},
       std::nullopt}};
  kernel.programs = {program};
  return kernel;
}

PackageFile attn::unittest::makeScalePackage(const char *path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream bytes;
  bytes << file.rdbuf();
  Section section;
  section.target = "cpu:baseline";
  section.triple = getHostTriple();
  section.bytes = bytes.str();
  return makePackage(makeScaleKernel(), {section});
}

/// Boxes of [N, 4] of x, whose rows are those of all batches.
static LaunchArgument makeMapArgument() {
  LaunchArgument argument;
  argument.kind = Kind::TensorMap;
  argument.map.sizes = {
      SizeExpr::constant(4),
      SizeExpr::binary(Op::Mul, SizeExpr::dim(0), SizeExpr::dim(1))};
  argument.map.strides = {SizeExpr::stride(0, 1)};
  argument.map.box = {SizeExpr::constant(4), SizeExpr::constant(64)};
  argument.map.swizzleBytes = 128;
  return argument;
}

PackageKernel attn::unittest::makeGpuKernel() {
  PackageKernel kernel = makeScaleKernel();
  kernel.programs.clear();
  LaunchProgram program;
  program.workspace = {{"counts", SizeExpr::constant(8), true},
                       {"partial", SizeExpr::dim(1), false}};
  Launch first;
  first.symbol = "count_blocks";
  first.arguments = {{Kind::Workspace, 0}, {Kind::I64, 0, SizeExpr::dim(0)}};
  first.grid.emplace();
  first.grid->blocks[0].size =
      SizeExpr::binary(Op::CeilDiv, SizeExpr::dim(1), SizeExpr::constant(64));
  first.grid->threads[0] = SizeExpr::constant(128);
  Launch second;
  second.symbol = "attend";
  second.arguments = {{Kind::Tensor, 0},
                      {Kind::Tensor, 2},
                      {Kind::Workspace, 1},
                      {Kind::I32, 0, SizeExpr::stride(0, 1)},
                      {Kind::I64, 0, SizeExpr::dim(1)},
                      makeMapArgument()};
  second.grid.emplace();
  second.grid->blocks[1].size = SizeExpr::dim(0);
  second.grid->blocks[1].count = {0, SizeExpr::constant(0)};
  second.grid->threads[0] = SizeExpr::constant(256);
  second.grid->sharedBytes = SizeExpr::constant(65536);
  program.launches = {first, second};
  kernel.programs = {program};
  return kernel;
}

PackageFile attn::unittest::makeCachedPackage(const std::string &cacheKey) {
  PackageFile file = makeScalePackage();
  file.manifest = replaceOnce(file.manifest, "{\"",
                              "{\"cache_key\":\"" + cacheKey + "\",\"");
  return file;
}

PackageFile attn::unittest::makePackage(const PackageKernel &kernel,
                                        std::vector<Section> sections) {
  Manifest manifest;
  manifest.producer = "a test";
  manifest.kernels = {kernel};
  PackageFile file;
  file.manifest = writeManifest(manifest);
  file.sections = std::move(sections);
  return file;
}

std::string attn::unittest::mustWrite(const PackageFile &file) {
  Result<std::string> bytes = writePackageFile(file);
  if (bytes)
    return *bytes;
  ADD_FAILURE() << bytes.takeStatus().getMessage();
  return "";
}

std::string attn::unittest::replaceOnce(std::string text,
                                        const std::string &from,
                                        const std::string &to) {
  size_t position = text.find(from);
  EXPECT_NE(position, std::string::npos) << "no '" << from << "'";
  return position == std::string::npos
             ? text
             : text.replace(position, from.size(), to);
}

FloatTensor::FloatTensor(std::vector<int64_t> sizes, float first)
    : shape(std::move(sizes)), strides(shape.size()) {
  int64_t count = 1;
  for (size_t i = shape.size(); i-- > 0; count *= shape[i])
    strides[i] = count;
  for (int64_t i = 0; i < count; ++i)
    data.push_back(first + float(i));
  tensor = {data.data(),
            {kDLCPU, 0},
            int32_t(shape.size()),
            {kDLFloat, 32, 1},
            shape.data(),
            strides.data(),
            0};
}
