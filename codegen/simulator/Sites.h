//===- Sites.h - Places of device code that the simulator sees --*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A site is an op of a kernel that touches memory or other threads. The pass
// `attn-simulate-device` numbers them; its calls carry what is known of them as
// attributes, and their location. From these the simulator makes its table.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_SIMULATOR_SITES_H
#define ATTN_CODEGEN_SIMULATOR_SITES_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/Error.h"
#include <optional>

namespace attn::sim {

/// What happens at a site.
enum class SiteKind {
  Load,
  Store,
  Update,
  Barrier,
  BarrierArrive,
  WarpBarrier,
  Shuffle,
  Vote,
  WarpReduce,
  CopyAsync,
  CommitCopies,
  WaitCopies,
  LoadMatrix,
  MultiplyMatrix,
  Fence,
  Trap,
  Loop,
  Divide,
};

/// The name of a kind in `attn.site_kind`, and the kind of a name.
llvm::StringRef getName(SiteKind kind);
std::optional<SiteKind> parseSiteKind(llvm::StringRef name);

/// Attributes on the calls of the simulator.
inline constexpr llvm::StringLiteral kSiteAttr = "attn.site";
inline constexpr llvm::StringLiteral kSiteKindAttr = "attn.site_kind";
inline constexpr llvm::StringLiteral kSiteOpAttr = "attn.site_op";
inline constexpr llvm::StringLiteral kSiteModeAttr = "attn.site_mode";
inline constexpr llvm::StringLiteral kSiteBytesAttr = "attn.site_bytes";
inline constexpr llvm::StringLiteral kSiteAlignAttr = "attn.site_align";
inline constexpr llvm::StringLiteral kSiteLoopAttr = "attn.site_loop";

struct Site {
  SiteKind kind = SiteKind::Load;
  /// The name of the device op, and where it stands in the source.
  std::string op;
  std::string location;
  /// Of an access: its size and alignment. 0 otherwise.
  unsigned bytes = 0;
  unsigned align = 0;
  /// The outermost loop that it is in, as in SiteCounters.
  unsigned loop = 0;
  /// What else distinguishes ops of one kind, such as "bfly" of a shuffle.
  std::string mode;

  /// Of an access: whether it reads, writes, and orders other accesses.
  bool reads = false, writes = false, acquires = false, releases = false;
};

/// A location as reports write it: FILE:LINE:COLUMN where it has one.
std::string printLocation(mlir::Location location);

/// The sites of a module after `attn-simulate-device`, by number.
llvm::Expected<std::vector<Site>> collectSites(mlir::ModuleOp module);

/// The names of the special registers ("tid.x"), by their place in the context
/// of a thread; reading one is an op `nvvm.read.ptx.sreg.NAME`.
llvm::ArrayRef<llvm::StringLiteral> getSpecialRegisters();

/// Places of the special registers that the simulator fills; the same order.
enum Register : unsigned {
  TidX,
  TidY,
  TidZ,
  NtidX,
  NtidY,
  NtidZ,
  CtaidX,
  CtaidY,
  CtaidZ,
  NctaidX,
  NctaidY,
  NctaidZ,
  LaneId,
  WarpId,
  NumWarps,
  WarpSize,
  LaneMaskEq,
  LaneMaskLt,
  LaneMaskLe,
  LaneMaskGt,
  LaneMaskGe,
  DynamicSharedSize,
  TotalSharedSize,
};

} // namespace attn::sim

#endif // ATTN_CODEGEN_SIMULATOR_SITES_H
