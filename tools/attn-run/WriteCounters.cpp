//===- WriteCounters.cpp - What the simulator counted, as a file ----------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tools/attn-run/WriteCounters.h"
#include "tools/support/CommandLine.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"

using namespace attn;
namespace json = llvm::json;

static json::Object describe(const sim::Counters &counters) {
  return json::Object{{"requests", counters.requests},
                      {"sectors", counters.sectors},
                      {"ideal", counters.idealSectors},
                      {"unaligned", counters.unalignedSectors},
                      {"wavefronts", counters.wavefronts},
                      {"conflicts", counters.conflicts},
                      {"barriers", counters.barriers}};
}

static json::Object describe(const sim::SiteCounters &site) {
  json::Object result = describe(site.counters);
  result["op"] = site.op;
  result["location"] = site.location;
  result["loop"] = site.loop;
  result["buffers"] = json::Array(site.buffers);
  return result;
}

/// Sums over the ops of each outermost loop, and of what is in none.
static json::Array describeLoops(const sim::Report &report) {
  std::map<unsigned, sim::Counters> sums;
  for (const sim::SiteCounters &site : report.counters)
    sums[site.loop] += site.counters;
  json::Array loops;
  for (const auto &[loop, counters] : sums) {
    json::Object entry = describe(counters);
    entry["loop"] = loop;
    loops.push_back(std::move(entry));
  }
  return loops;
}

json::Value attn::describeCounters(const SimulatedKernel &kernel,
                                   const Dims &dims) {
  json::Array launches;
  for (const auto &[name, report] : kernel.getReports()) {
    json::Array sites;
    for (const sim::SiteCounters &site : report.counters)
      sites.push_back(describe(site));
    launches.push_back(json::Object{{"kernel", name},
                                    {"blocks", report.blocks},
                                    {"ops", report.ops},
                                    {"matrix_ops", report.matrixOps},
                                    {"loops", describeLoops(report)},
                                    {"sites", std::move(sites)}});
  }
  json::Object sizes;
  for (const auto &[name, size] : dims)
    sizes[name] = size;
  return json::Object{{"dims", std::move(sizes)},
                      {"launches", std::move(launches)}};
}

llvm::Error attn::writeCounters(llvm::StringRef path,
                                const SimulatedKernel &kernel,
                                json::Array runs) {
  std::error_code code;
  llvm::raw_fd_ostream file(path, code);
  if (!code) {
    json::Object content{{"schedule", kernel.schedule()},
                         {"gathered", json::Array(kernel.getGathered())},
                         {"runs", std::move(runs)}};
    file << llvm::formatv("{0:2}\n", json::Value(std::move(content)));
    file.close();
    code = file.error();
    file.clear_error();
  }
  if (code)
    return makeError("--counters: cannot write '{0}': {1}", path,
                     code.message());
  return llvm::Error::success();
}
