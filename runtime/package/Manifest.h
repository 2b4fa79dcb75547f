//===- Manifest.h - What a package says about its kernels -------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A kernel is an interface, which callers see, and one program per section that
// has code for it. A program is a list of launches: which function runs on how
// many blocks, and what it is given. The runtime evaluates its expressions on
// the sizes of a call; it knows nothing of attention.
//
// The text form is JSON; docs/packages.md describes it. Keys that a reader does
// not know are ignored, so that minor versions can add some. Anything else that
// it does not know is an error, never skipped.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_PACKAGE_MANIFEST_H
#define ATTN_RUNTIME_PACKAGE_MANIFEST_H

#include "runtime/Interface.h"
#include "runtime/package/PackageFile.h"
#include <array>

namespace attn {

/// Memory of the device that the launches of one call share.
struct WorkspaceBuffer {
  std::string name;
  SizeExpr bytes = SizeExpr::constant(0);
  bool isZeroed = false; ///< Filled with zeros before the first launch.

  bool operator==(const WorkspaceBuffer &) const = default;
};

/// A descriptor with which GPUs from sm_90 on copy boxes of a tensor.
/// Dimensions are those of the descriptor, the innermost first; it need not
/// have the rank of the tensor.
struct TensorMap {
  std::vector<SizeExpr> sizes;   ///< In elements.
  std::vector<SizeExpr> strides; ///< In elements; of all but the innermost.
  std::vector<SizeExpr> box;     ///< In elements.
  uint32_t swizzleBytes = 0;     ///< 0, 32, 64 or 128.

  bool operator==(const TensorMap &) const = default;
};

/// One parameter of a launch.
struct LaunchArgument {
  enum class Kind {
    Tensor,    ///< CPU: a memref descriptor; GPU: the address of its data.
    Workspace, ///< The same for a buffer of the workspace.
    I32,       ///< The value of an expression. Not on the CPU.
    I64,
    TensorMap ///< A descriptor of a tensor. Not on the CPU.
  };
  Kind kind = Kind::Tensor;
  uint32_t index = 0; ///< Tensor: arguments, then results; or the buffer.
  SizeExpr value = SizeExpr::constant(0);
  TensorMap map = {};

  bool operator==(const LaunchArgument &) const = default;
};

/// A number of blocks that an earlier launch writes to the workspace, as an
/// unsigned 32-bit integer.
struct DeviceCount {
  uint32_t buffer = 0;                     ///< Number of the workspace buffer.
  SizeExpr offset = SizeExpr::constant(0); ///< In bytes.

  bool operator==(const DeviceCount &) const = default;
};

/// One dimension of a grid.
struct GridSize {
  SizeExpr size =
      SizeExpr::constant(1);        ///< The size, or the most that it may be.
  std::optional<DeviceCount> count; ///< Where the size is, if on the device.

  bool operator==(const GridSize &) const = default;
};

/// The grid of a launch on a GPU.
struct Grid {
  std::array<GridSize, 3> blocks;
  std::array<SizeExpr, 3> threads = {
      SizeExpr::constant(1), SizeExpr::constant(1), SizeExpr::constant(1)};
  SizeExpr sharedBytes = SizeExpr::constant(0); ///< Dynamic shared memory.

  bool operator==(const Grid &) const = default;
};

/// A call of one function.
struct Launch {
  std::string symbol;
  std::vector<LaunchArgument> arguments;
  std::optional<Grid>
      grid; ///< GPUs only: a CPU entry finds its threads itself.

  bool operator==(const Launch &) const = default;
};

/// How one section computes a kernel.
struct LaunchProgram {
  uint32_t section = 0;
  std::vector<WorkspaceBuffer> workspace;
  std::vector<Launch> launches; ///< None if the format of the code is unknown.
  std::string schedule;         ///< What the compiler chose, for people.

  bool operator==(const LaunchProgram &) const = default;
};

/// A kernel of a package.
struct PackageKernel {
  std::string name;
  Interface interface;
  std::vector<LaunchProgram> programs;
  std::vector<SizeExpr> flops; ///< Operations of a call: their sum.
  std::string spec;  ///< Text of the program that was compiled, or empty.
  std::string dtype; ///< The element type it was rewritten to, or empty.

  bool operator==(const PackageKernel &) const = default;
};

/// All that is said.
struct Manifest {
  std::string producer; ///< "attn-mlir 0.1.0".
  std::string cacheKey; ///< Its name in a cache (jit/DiskCache.h), or empty.
  std::vector<PackageKernel> kernels;

  bool operator==(const Manifest &) const = default;
};

/// No kernel has more or larger parts.
inline constexpr size_t kMostKernels = 1024;
inline constexpr size_t kMostPorts = 256;
inline constexpr size_t kMostRank = 16;
inline constexpr size_t kMostLaunches = 1024;

/// Reads the text of a manifest. Every name and number in it that refers to
/// something is checked against what is there.
Result<Manifest> readManifest(std::string_view text,
                              const std::vector<Section> &sections);

/// The text of a manifest.
std::string writeManifest(const Manifest &manifest);

} // namespace attn

#endif // ATTN_RUNTIME_PACKAGE_MANIFEST_H
