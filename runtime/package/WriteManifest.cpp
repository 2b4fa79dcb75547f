//===- WriteManifest.cpp - From a manifest to JSON text -------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/package/Manifest.h"
#include <nlohmann/json.hpp>

using namespace attn;
using json = nlohmann::ordered_json;

/// Expressions refer to dimensions by number; their text has names.
static json writeExpr(const SizeExpr &expr,
                      const std::vector<std::string> &dims) {
  std::vector<json> stack;
  for (const SizeExpr::Step &step : expr.getSteps()) {
    switch (step.op) {
    case SizeExpr::Op::Constant:
      stack.push_back(step.value);
      break;
    case SizeExpr::Op::Dim:
      stack.push_back(dims[step.value]);
      break;
    case SizeExpr::Op::Stride:
      stack.push_back(json::array({"stride", step.value, step.dim}));
      break;
    default:
      json right = std::move(stack.back());
      stack.pop_back();
      stack.back() = json::array({getOpName(step.op), stack.back(), right});
    }
  }
  return stack.back();
}

/// A list with null in place of `open`.
static json writeSizes(const std::vector<int64_t> &sizes, int64_t open) {
  json list = json::array();
  for (int64_t size : sizes)
    list.push_back(size == open ? json(nullptr) : json(size));
  return list;
}

static json writePort(const Port &port, const StrideLayout &layout) {
  return {{"name", port.name},
          {"dtype", getTypeName(port.type)},
          {"dims", port.dims},
          {"sizes", writeSizes(port.sizes, -1)},
          {"strides", layout.isContiguous
                          ? json("contiguous")
                          : writeSizes(layout.strides, StrideLayout::kAny)},
          {"fill", port.fill}};
}

static json writeOperand(const SizeOperand &operand) {
  if (!operand.argument)
    return operand.constant;
  return json::array({*operand.argument, operand.dim});
}

static json writeRule(const SizeRule &rule) {
  json object = {
      {"kind", rule.kind == SizeRule::Kind::Equal ? "equal" : "multiple"},
      {"size", writeOperand(rule.size)},
      {"of", writeOperand(rule.of)}};
  if (!rule.why.empty())
    object["why"] = rule.why;
  return object;
}

namespace {
/// Writes what has expressions over the dimensions of one kernel.
class KernelWriter {
public:
  explicit KernelWriter(const PackageKernel &kernel)
      : kernel(kernel), dims(getDimNames(kernel.interface.arguments)) {}

  json write() const {
    json object = json::object({{"name", kernel.name}});
    writeInterface(object);
    object["flops"] = writeExprs(kernel.flops);
    object["programs"] = json::array();
    for (const LaunchProgram &program : kernel.programs)
      object["programs"].push_back(writeProgram(program));
    object["dtype"] = kernel.dtype;
    object["spec"] = kernel.spec;
    return object;
  }

private:
  void writeInterface(json &object) const {
    const Interface &interface = kernel.interface;
    object["arguments"] = json::array();
    for (size_t i = 0; i < interface.arguments.size(); ++i)
      object["arguments"].push_back(
          writePort(interface.arguments[i], interface.argumentLayouts[i]));
    object["results"] = json::array();
    for (size_t i = 0; i < interface.results.size(); ++i) {
      json port = writePort(interface.results[i], interface.resultLayouts[i]);
      port["shape"] = json::array();
      for (const std::optional<SizeExpr> &size : interface.resultShapes[i])
        port["shape"].push_back(size ? writeExpr(*size, dims) : json(nullptr));
      if (interface.results[i].inPlace)
        port["in_place"] = *interface.results[i].inPlace;
      object["results"].push_back(std::move(port));
    }
    object["rules"] = json::array();
    for (const SizeRule &rule : interface.rules)
      object["rules"].push_back(writeRule(rule));
    object["defaults"] = json::array();
    for (const auto &[dim, size] : interface.defaults)
      object["defaults"].push_back(
          json::object({{"dim", dim}, {"size", size}}));
  }

  json writeArgument(const LaunchArgument &argument) const {
    switch (argument.kind) {
    case LaunchArgument::Kind::Tensor:
      return json::object({{"tensor", argument.index}});
    case LaunchArgument::Kind::Workspace:
      return json::object({{"workspace", argument.index}});
    case LaunchArgument::Kind::I32:
      return json::object({{"i32", writeExpr(argument.value, dims)}});
    case LaunchArgument::Kind::I64:
      return json::object({{"i64", writeExpr(argument.value, dims)}});
    case LaunchArgument::Kind::TensorMap:
      break;
    }
    return json::object({{"tensor_map", writeMap(argument)}});
  }

  json writeMap(const LaunchArgument &argument) const {
    const TensorMap &map = argument.map;
    return json::object({{"tensor", argument.index},
                         {"sizes", writeExprs(map.sizes)},
                         {"strides", writeExprs(map.strides)},
                         {"box", writeExprs(map.box)},
                         {"swizzle_bytes", map.swizzleBytes}});
  }

  json writeExprs(std::span<const SizeExpr> exprs) const {
    json list = json::array();
    for (const SizeExpr &expr : exprs)
      list.push_back(writeExpr(expr, dims));
    return list;
  }

  json writeGrid(const Grid &grid) const {
    json blocks = json::array();
    for (const GridSize &size : grid.blocks) {
      json most = writeExpr(size.size, dims);
      if (size.count)
        blocks.push_back(
            json::object({{"most", most},
                          {"count", size.count->buffer},
                          {"offset", writeExpr(size.count->offset, dims)}}));
      else
        blocks.push_back(most);
    }
    return {{"blocks", blocks},
            {"threads", writeExprs(grid.threads)},
            {"shared_bytes", writeExpr(grid.sharedBytes, dims)}};
  }

  json writeProgram(const LaunchProgram &program) const {
    json object = json::object(
        {{"section", program.section}, {"schedule", program.schedule}});
    object["workspace"] = json::array();
    for (const WorkspaceBuffer &buffer : program.workspace)
      object["workspace"].push_back(
          json::object({{"name", buffer.name},
                        {"bytes", writeExpr(buffer.bytes, dims)},
                        {"zeroed", buffer.isZeroed}}));
    object["launches"] = json::array();
    for (const Launch &launch : program.launches) {
      json entry = json::object(
          {{"symbol", launch.symbol}, {"arguments", json::array()}});
      for (const LaunchArgument &argument : launch.arguments)
        entry["arguments"].push_back(writeArgument(argument));
      if (launch.grid)
        entry["grid"] = writeGrid(*launch.grid);
      object["launches"].push_back(std::move(entry));
    }
    return object;
  }

  const PackageKernel &kernel;
  std::vector<std::string> dims;
};
} // namespace

std::string attn::writeManifest(const Manifest &manifest) {
  json object = {{"producer", manifest.producer}, {"kernels", json::array()}};
  if (!manifest.cacheKey.empty())
    object["cache_key"] = manifest.cacheKey;
  for (const PackageKernel &kernel : manifest.kernels)
    object["kernels"].push_back(KernelWriter(kernel).write());
  return object.dump();
}
