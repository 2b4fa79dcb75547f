//===- Sites.cpp - Places of device code that the simulator sees ----------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/simulator/Sites.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace attn;
using namespace attn::sim;

/// In the order of SiteKind.
static constexpr llvm::StringLiteral kKindNames[] = {
    "load",         "store",   "update",      "barrier",     "arrive",
    "warp_barrier", "shuffle", "vote",        "warp_reduce", "copy_async",
    "commit",       "wait",    "load_matrix", "multiply",    "fence",
    "trap",         "loop",    "divide"};

StringRef sim::getName(SiteKind kind) {
  return kKindNames[static_cast<unsigned>(kind)];
}

std::optional<SiteKind> sim::parseSiteKind(StringRef name) {
  const auto *found = llvm::find(kKindNames, name);
  if (found == std::end(kKindNames))
    return std::nullopt;
  return static_cast<SiteKind>(found - std::begin(kKindNames));
}

ArrayRef<llvm::StringLiteral> sim::getSpecialRegisters() {
  static constexpr llvm::StringLiteral names[] = {
      "tid.x",          "tid.y",
      "tid.z",          "ntid.x",
      "ntid.y",         "ntid.z",
      "ctaid.x",        "ctaid.y",
      "ctaid.z",        "nctaid.x",
      "nctaid.y",       "nctaid.z",
      "laneid",         "warpid",
      "nwarpid",        "warpsize",
      "lanemask.eq",    "lanemask.lt",
      "lanemask.le",    "lanemask.gt",
      "lanemask.ge",    "dynamic.smem.size",
      "total.smem.size"};
  return names;
}

std::string sim::printLocation(Location location) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  if (auto file = location->findInstanceOf<FileLineColLoc>())
    stream << file.getFilename().getValue() << ":" << file.getLine() << ":"
           << file.getColumn();
  else
    location.print(stream);
  return text;
}

/// A non-negative integer attribute, or 0.
static unsigned getUnsigned(Operation *op, StringRef name) {
  auto attribute = op->getAttrOfType<IntegerAttr>(name);
  return attribute ? attribute.getInt() : 0;
}

static std::string getText(Operation *op, StringRef name) {
  auto attribute = op->getAttrOfType<StringAttr>(name);
  return attribute ? attribute.str() : "";
}

/// Reads the mode of an access: "load", "store" or "update", and for atomic
/// ones the ordering after a dot.
static void readOrder(Site &site) {
  StringRef order = StringRef(site.mode).split('.').second;
  site.acquires = llvm::is_contained({"acquire", "acq_rel", "seq_cst"}, order);
  site.releases = llvm::is_contained({"release", "acq_rel", "seq_cst"}, order);
  StringRef what = StringRef(site.mode).split('.').first;
  site.reads = what != "store";
  site.writes = what != "load";
}

llvm::Expected<std::vector<Site>> sim::collectSites(ModuleOp module) {
  std::vector<Site> sites;
  WalkResult result = module.walk([&](LLVM::CallOp call) {
    auto number = call->getAttrOfType<IntegerAttr>(kSiteAttr);
    if (!number)
      return WalkResult::advance();
    auto kind = parseSiteKind(getText(call, kSiteKindAttr));
    if (!kind || number.getInt() < 0)
      return WalkResult::interrupt();
    Site site{*kind,
              getText(call, kSiteOpAttr),
              printLocation(call.getLoc()),
              getUnsigned(call, kSiteBytesAttr),
              getUnsigned(call, kSiteAlignAttr),
              getUnsigned(call, kSiteLoopAttr),
              getText(call, kSiteModeAttr)};
    readOrder(site);
    sites.resize(std::max<size_t>(sites.size(), number.getInt() + 1));
    sites[number.getInt()] = std::move(site);
    return WalkResult::advance();
  });
  if (result.wasInterrupted())
    return llvm::createStringError("a call has a damaged 'attn.site_kind'");
  return sites;
}
