//===- Report.cpp - What a simulated launch found -------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/simulator/Report.h"
#include "llvm/Support/raw_ostream.h"

using namespace attn::sim;

llvm::StringRef attn::sim::getName(DefectKind kind) {
  static constexpr llvm::StringLiteral names[] = {"out-of-bounds",
                                                  "misaligned",
                                                  "read-only",
                                                  "uninitialized",
                                                  "race",
                                                  "unfinished-copy",
                                                  "outstanding-copy",
                                                  "divergent-barrier",
                                                  "bad-operand",
                                                  "inactive-lane",
                                                  "deadlock",
                                                  "endless",
                                                  "trap",
                                                  "division"};
  return names[static_cast<unsigned>(kind)];
}

Counters &Counters::operator+=(const Counters &other) {
  requests += other.requests;
  sectors += other.sectors;
  idealSectors += other.idealSectors;
  unalignedSectors += other.unalignedSectors;
  wavefronts += other.wavefronts;
  conflicts += other.conflicts;
  barriers += other.barriers;
  return *this;
}

bool Counters::isZero() const { return !requests && !barriers; }

static void print(llvm::raw_ostream &stream, const Dim3 &dims) {
  stream << "(" << dims[0] << "," << dims[1] << "," << dims[2] << ")";
}

static void print(llvm::raw_ostream &stream, const Place &place) {
  stream << "'" << place.op << "' at " << place.location << ", block ";
  print(stream, place.block);
  stream << " thread ";
  print(stream, place.thread);
}

std::string attn::sim::toString(const Place &place) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  print(stream, place);
  return text;
}

std::string attn::sim::toString(const Defect &defect) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  stream << getName(defect.kind) << ": ";
  print(stream, defect.place);
  stream << ": " << defect.detail;
  if (defect.other) {
    stream << ": ";
    print(stream, *defect.other);
  }
  if (defect.count > 1)
    stream << " (" << defect.count << " times)";
  return text;
}

std::string attn::sim::toString(const SiteCounters &site) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  stream << "'" << site.op << "' at " << site.location << ":";
  auto print = [&](llvm::StringRef name, int64_t value) {
    if (value)
      stream << " " << name << " " << value;
  };
  print("requests", site.counters.requests);
  print("sectors", site.counters.sectors);
  print("ideal", site.counters.idealSectors);
  print("unaligned", site.counters.unalignedSectors);
  print("wavefronts", site.counters.wavefronts);
  print("conflicts", site.counters.conflicts);
  print("barriers", site.counters.barriers);
  return text;
}
