//===- ReadManifest.cpp - From JSON text to a manifest --------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The text comes from a hostile file. The JSON library checks the syntax; what
// is checked here is that every key has the type and every reference the range
// that the rest of the runtime relies on.
//
// There are a hundred places where a manifest can be wrong. So in this file,
// and only here, errors are exceptions, none of which leaves readManifest().
//
//===----------------------------------------------------------------------===//

#include "runtime/package/Manifest.h"
#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>

using namespace attn;
using nlohmann::json;

namespace {
/// Why the manifest cannot be used.
struct Malformed {
  std::string message;
};

/// A value and where it stands: "kernels[0].arguments[1].dtype".
class Node {
public:
  Node(const json &value, std::string path)
      : value(value), path(std::move(path)) {}

  /// Fails with "PATH: expected EXPECTED, got VALUE".
  [[noreturn]] void fail(const std::string &expected) const {
    constexpr size_t most = 60;
    std::string text =
        value.dump(-1, ' ', true, json::error_handler_t::replace);
    if (text.size() > most)
      text = text.substr(0, most) + "...";
    std::string where = path.empty() ? "" : path + ": ";
    throw Malformed{where + "expected " + expected + ", got " + text};
  }

  bool isNull() const { return value.is_null(); }
  bool isText() const { return value.is_string(); }
  bool isList() const { return value.is_array(); }
  bool isObject() const { return value.is_object(); }
  bool isInteger() const { return value.is_number_integer(); }
  size_t size() const { return value.size(); }

  bool has(const char *key) const {
    return value.is_object() && value.contains(key);
  }
  Node at(const char *key) const {
    if (!has(key))
      fail(std::string("an object with the key '") + key + "'");
    return Node(value[key], path.empty() ? key : path + "." + key);
  }
  Node at(size_t index) const {
    return Node(value[index], path + "[" + std::to_string(index) + "]");
  }

  std::string getText() const {
    if (!value.is_string())
      fail("text");
    return value.get<std::string>();
  }
  bool getBool() const {
    if (!value.is_boolean())
      fail("true or false");
    return value.get<bool>();
  }
  int64_t getInteger(int64_t lowest, int64_t highest) const {
    // Numbers beyond int64_t are unsigned to the library.
    bool fits = value.is_number_integer() &&
                (!value.is_number_unsigned() ||
                 value.get<uint64_t>() <= uint64_t(highest));
    if (!fits || value.get<int64_t>() < lowest ||
        value.get<int64_t>() > highest)
      fail("an integer from " + std::to_string(lowest) + " to " +
           std::to_string(highest));
    return value.get<int64_t>();
  }
  /// An index below `count`.
  uint32_t getIndex(size_t count) const {
    if (count == 0)
      fail("no index, as there is nothing to refer to");
    return getInteger(0, int64_t(count) - 1);
  }

  /// Calls `read` on every element of a list.
  void forEach(size_t least, size_t most,
               const std::function<void(const Node &)> &read) const {
    if (!value.is_array() || value.size() < least || value.size() > most)
      fail(least == most ? "a list of " + std::to_string(most)
                         : "a list of " + std::to_string(least) + " to " +
                               std::to_string(most));
    for (size_t i = 0; i < value.size(); ++i)
      read(at(i));
  }

private:
  const json &value;
  std::string path;
};

/// Reads one kernel.
class KernelReader {
public:
  KernelReader(const std::vector<Section> &sections) : sections(sections) {}

  PackageKernel read(const Node &node);

private:
  Port readPort(const Node &node);
  StrideLayout readLayout(const Node &node, size_t rank);
  void readInterface(const Node &node);
  SizeOperand readOperand(const Node &node);
  SizeRule readRule(const Node &node);
  SizeExpr readExpr(const Node &node, bool hasStrides = false);
  void appendExpr(const Node &node, bool hasStrides, int depth, SizeExpr &expr);
  SizeExpr readStride(const Node &node);
  TensorMap readMap(const Node &node);
  LaunchArgument readArgument(const Node &node, const LaunchProgram &program);
  GridSize readGridSize(const Node &node, const LaunchProgram &program);
  Grid readGrid(const Node &node, const LaunchProgram &program);
  Launch readLaunch(const Node &node, const LaunchProgram &program);
  LaunchProgram readProgram(const Node &node);

  const Port *findTensor(size_t index) const {
    size_t count = kernel.interface.arguments.size();
    return index < count ? &kernel.interface.arguments[index]
                         : &kernel.interface.results[index - count];
  }
  size_t countTensors() const {
    return kernel.interface.arguments.size() + kernel.interface.results.size();
  }

  const std::vector<Section> &sections;
  PackageKernel kernel;
  std::vector<std::string> dimNames;
};
} // namespace

//===----------------------------------------------------------------------===//
// Expressions
//===----------------------------------------------------------------------===//

/// ["stride", TENSOR, DIMENSION].
SizeExpr KernelReader::readStride(const Node &node) {
  if (node.size() != 3)
    node.fail("[\"stride\", TENSOR, DIMENSION]");
  uint32_t tensor = node.at(1).getIndex(countTensors());
  return SizeExpr::stride(tensor,
                          node.at(2).getIndex(findTensor(tensor)->dims.size()));
}

/// Reads an expression; both its depth and its length are bounded.
void KernelReader::appendExpr(const Node &node, bool hasStrides, int depth,
                              SizeExpr &expr) {
  constexpr int mostDepth = 32;
  if (node.isInteger()) {
    expr = SizeExpr::constant(node.getInteger(INT64_MIN, INT64_MAX));
    return;
  }
  if (node.isText()) {
    auto found = std::ranges::find(dimNames, node.getText());
    if (found == dimNames.end())
      node.fail("the name of a dimension of an argument");
    expr = SizeExpr::dim(found - dimNames.begin());
    return;
  }
  if (!node.isList() || node.size() == 0 || !node.at(size_t(0)).isText())
    node.fail("an integer, the name of a dimension or [OPERATION, A, B]");
  std::string name = node.at(size_t(0)).getText();
  if (hasStrides && name == "stride") {
    expr = readStride(node);
    return;
  }
  for (int op = int(SizeExpr::Op::Add); op <= int(SizeExpr::Op::Max); ++op) {
    if (name != getOpName(SizeExpr::Op(op)))
      continue;
    if (node.size() != 3 || depth == mostDepth)
      node.fail("an operation of two operands, at most " +
                std::to_string(mostDepth) + " deep");
    SizeExpr left = SizeExpr::constant(0), right = left;
    appendExpr(node.at(1), hasStrides, depth + 1, left);
    appendExpr(node.at(2), hasStrides, depth + 1, right);
    expr = SizeExpr::binary(SizeExpr::Op(op), left, right);
    if (expr.getSteps().size() > SizeExpr::kMostSteps)
      node.fail("at most " + std::to_string(SizeExpr::kMostSteps) +
                " operations");
    return;
  }
  node.fail("one of the operations add, sub, mul, floordiv, ceildiv, mod, min, "
            "max");
}

SizeExpr KernelReader::readExpr(const Node &node, bool hasStrides) {
  SizeExpr expr = SizeExpr::constant(0);
  appendExpr(node, hasStrides, 0, expr);
  return expr;
}

//===----------------------------------------------------------------------===//
// The interface
//===----------------------------------------------------------------------===//

Port KernelReader::readPort(const Node &node) {
  Port port;
  port.name = node.at("name").getText();
  std::optional<ElementType> type = findType(node.at("dtype").getText());
  if (!type)
    node.at("dtype").fail("an element type");
  port.type = *type;
  port.fill = node.has("fill") ? node.at("fill").getText() : "normal";
  node.at("dims").forEach(0, kMostRank, [&](const Node &dim) {
    port.dims.push_back(dim.getText());
  });
  size_t rank = port.dims.size();
  node.at("sizes").forEach(rank, rank, [&](const Node &size) {
    port.sizes.push_back(size.isNull() ? -1 : size.getInteger(0, INT64_MAX));
  });
  return port;
}

/// "contiguous", or a list of strides with null where any will do.
StrideLayout KernelReader::readLayout(const Node &node, size_t rank) {
  StrideLayout layout;
  layout.isContiguous = node.isText() && node.getText() == "contiguous";
  if (!layout.isContiguous)
    node.forEach(rank, rank, [&](const Node &stride) {
      layout.strides.push_back(stride.isNull()
                                   ? StrideLayout::kAny
                                   : stride.getInteger(0, INT64_MAX));
    });
  return layout;
}

/// A constant, or [ARGUMENT, DIMENSION].
SizeOperand KernelReader::readOperand(const Node &node) {
  SizeOperand operand;
  if (node.isInteger()) {
    operand.constant = node.getInteger(0, INT64_MAX);
    return operand;
  }
  if (!node.isList() || node.size() != 2)
    node.fail("an integer or [ARGUMENT, DIMENSION]");
  const std::vector<Port> &arguments = kernel.interface.arguments;
  operand.argument = node.at(size_t(0)).getIndex(arguments.size());
  operand.dim = node.at(1).getIndex(arguments[*operand.argument].dims.size());
  return operand;
}

SizeRule KernelReader::readRule(const Node &node) {
  SizeRule rule;
  std::string kind = node.at("kind").getText();
  if (kind == "multiple")
    rule.kind = SizeRule::Kind::MultipleOf;
  else if (kind != "equal")
    node.at("kind").fail("\"equal\" or \"multiple\"");
  rule.size = readOperand(node.at("size"));
  rule.of = readOperand(node.at("of"));
  if (node.has("why"))
    rule.why = node.at("why").getText();
  return rule;
}

void KernelReader::readInterface(const Node &node) {
  Interface &interface = kernel.interface;
  node.at("arguments").forEach(0, kMostPorts, [&](const Node &port) {
    interface.arguments.push_back(readPort(port));
    interface.argumentLayouts.push_back(
        readLayout(port.at("strides"), interface.arguments.back().dims.size()));
  });
  dimNames = getDimNames(interface.arguments);
  node.at("results").forEach(0, kMostPorts, [&](const Node &port) {
    interface.results.push_back(readPort(port));
    size_t rank = interface.results.back().dims.size();
    if (port.has("in_place"))
      interface.results.back().inPlace =
          port.at("in_place").getIndex(interface.arguments.size());
    interface.resultLayouts.push_back(readLayout(port.at("strides"), rank));
    ShapeExpr &shape = interface.resultShapes.emplace_back();
    port.at("shape").forEach(rank, rank, [&](const Node &size) {
      shape.push_back(size.isNull() ? std::nullopt
                                    : std::optional(readExpr(size)));
    });
  });
  if (node.has("rules"))
    node.at("rules").forEach(0, kMostPorts, [&](const Node &rule) {
      interface.rules.push_back(readRule(rule));
    });
  if (node.has("defaults"))
    node.at("defaults").forEach(0, kMostPorts, [&](const Node &entry) {
      interface.defaults[entry.at("dim").getText()] =
          entry.at("size").getInteger(0, INT64_MAX);
    });
}

//===----------------------------------------------------------------------===//
// Programs
//===----------------------------------------------------------------------===//

static bool isCpu(const Section &section) {
  return section.format == CodeFormat::SharedObject;
}

/// Whether this runtime knows what to make of the code.
static bool isKnown(const Section &section) {
  return section.format >= CodeFormat::SharedObject &&
         section.format <= CodeFormat::CodeObject;
}

TensorMap KernelReader::readMap(const Node &node) {
  constexpr size_t mostDimensions = 5; // The hardware has no more.
  TensorMap map;
  auto readInto = [&](std::vector<SizeExpr> &exprs) {
    return [&](const Node &expr) { exprs.push_back(readExpr(expr, true)); };
  };
  node.at("sizes").forEach(1, mostDimensions, readInto(map.sizes));
  size_t rank = map.sizes.size();
  node.at("strides").forEach(rank - 1, rank - 1, readInto(map.strides));
  node.at("box").forEach(rank, rank, readInto(map.box));
  map.swizzleBytes = node.at("swizzle_bytes").getInteger(0, 128);
  if (map.swizzleBytes && map.swizzleBytes != 32 && map.swizzleBytes != 64 &&
      map.swizzleBytes != 128)
    node.at("swizzle_bytes").fail("0, 32, 64 or 128");
  return map;
}

LaunchArgument KernelReader::readArgument(const Node &node,
                                          const LaunchProgram &program) {
  LaunchArgument argument;
  if (node.has("tensor")) {
    argument.index = node.at("tensor").getIndex(countTensors());
    return argument;
  }
  if (node.has("workspace")) {
    argument.kind = LaunchArgument::Kind::Workspace;
    argument.index = node.at("workspace").getIndex(program.workspace.size());
    return argument;
  }
  bool isWide = node.has("i64"), isMap = node.has("tensor_map");
  if (isCpu(sections[program.section]))
    node.fail("an object with the key tensor or workspace");
  if (!isWide && !isMap && !node.has("i32"))
    node.fail("an object with the key tensor, workspace, i32, i64 or "
              "tensor_map");
  if (isMap) {
    Node map = node.at("tensor_map");
    argument.kind = LaunchArgument::Kind::TensorMap;
    argument.index = map.at("tensor").getIndex(countTensors());
    argument.map = readMap(map);
    return argument;
  }
  argument.kind =
      isWide ? LaunchArgument::Kind::I64 : LaunchArgument::Kind::I32;
  argument.value = readExpr(node.at(isWide ? "i64" : "i32"), true);
  return argument;
}

/// An expression, or {"most": EXPRESSION, "count": BUFFER, "offset": ...}.
GridSize KernelReader::readGridSize(const Node &node,
                                    const LaunchProgram &program) {
  if (!node.isObject())
    return {readExpr(node, true), std::nullopt};
  DeviceCount count;
  count.buffer = node.at("count").getIndex(program.workspace.size());
  count.offset = readExpr(node.at("offset"));
  return {readExpr(node.at("most"), true), count};
}

Grid KernelReader::readGrid(const Node &node, const LaunchProgram &program) {
  if (isCpu(sections[program.section]))
    node.fail("no grid, as grids and counts on the device are not supported on "
              "the CPU");
  Grid grid;
  size_t i = 0, j = 0;
  node.at("blocks").forEach(3, 3, [&](const Node &size) {
    grid.blocks[i++] = readGridSize(size, program);
  });
  node.at("threads").forEach(3, 3, [&](const Node &size) {
    grid.threads[j++] = readExpr(size, true);
  });
  if (node.has("shared_bytes"))
    grid.sharedBytes = readExpr(node.at("shared_bytes"), true);
  return grid;
}

Launch KernelReader::readLaunch(const Node &node,
                                const LaunchProgram &program) {
  Launch launch;
  launch.symbol = node.at("symbol").getText();
  if (launch.symbol.empty() || launch.symbol.find('\0') != std::string::npos)
    node.at("symbol").fail("the name of a function");
  node.at("arguments").forEach(0, 4 * kMostPorts, [&](const Node &argument) {
    launch.arguments.push_back(readArgument(argument, program));
  });
  if (node.has("grid"))
    launch.grid = readGrid(node.at("grid"), program);
  else if (!isCpu(sections[program.section]))
    node.fail("an object with the key 'grid', as the code is for a GPU");
  return launch;
}

LaunchProgram KernelReader::readProgram(const Node &node) {
  LaunchProgram program;
  program.section = node.at("section").getIndex(sections.size());
  // Later formats may be launched in ways that have no words here yet.
  if (!isKnown(sections[program.section]))
    return program;
  if (node.has("workspace"))
    node.at("workspace").forEach(0, kMostPorts, [&](const Node &buffer) {
      program.workspace.push_back(
          {buffer.at("name").getText(), readExpr(buffer.at("bytes")),
           buffer.has("zeroed") && buffer.at("zeroed").getBool()});
    });
  if (node.has("schedule"))
    program.schedule = node.at("schedule").getText();
  node.at("launches").forEach(1, kMostLaunches, [&](const Node &launch) {
    program.launches.push_back(readLaunch(launch, program));
  });
  return program;
}

PackageKernel KernelReader::read(const Node &node) {
  auto getOptional = [&](const char *key) {
    return node.has(key) ? node.at(key).getText() : "";
  };
  kernel.name = node.at("name").getText();
  if (kernel.name.empty() || kernel.name.find('\0') != std::string::npos)
    node.at("name").fail("the name of a kernel");
  kernel.spec = getOptional("spec");
  kernel.dtype = getOptional("dtype");
  readInterface(node);
  if (node.has("flops"))
    node.at("flops").forEach(0, kMostPorts, [&](const Node &count) {
      kernel.flops.push_back(readExpr(count));
    });
  std::set<uint32_t> seen;
  node.at("programs").forEach(1, kMostSections, [&](const Node &program) {
    kernel.programs.push_back(readProgram(program));
    if (!seen.insert(kernel.programs.back().section).second)
      program.at("section").fail("a section without another program");
  });
  return kernel;
}

//===----------------------------------------------------------------------===//
// The manifest
//===----------------------------------------------------------------------===//

static Manifest read(const json &root, const std::vector<Section> &sections) {
  Manifest manifest;
  Node node(root, "");
  if (!node.isObject())
    node.fail("an object");
  manifest.producer = node.at("producer").getText();
  if (node.has("cache_key"))
    manifest.cacheKey = node.at("cache_key").getText();
  std::set<std::string> names;
  node.at("kernels").forEach(1, kMostKernels, [&](const Node &kernel) {
    manifest.kernels.push_back(KernelReader(sections).read(kernel));
    if (!names.insert(manifest.kernels.back().name).second)
      kernel.at("name").fail("a name that no other kernel has");
  });
  return manifest;
}

Result<Manifest> attn::readManifest(std::string_view text,
                                    const std::vector<Section> &sections) {
  try {
    return read(json::parse(text), sections);
  } catch (const json::parse_error &error) {
    return invalidPackage("the manifest must be JSON: syntax error at byte " +
                          std::to_string(error.byte));
  } catch (const json::exception &error) {
    // Numbers like 1e999.
    return invalidPackage(std::string("the manifest must be JSON: ") +
                          error.what());
  } catch (const Malformed &error) {
    return invalidPackage("the manifest is malformed: " + error.message);
  }
}
