//===- DrawBlocks.cpp - A picture of classes of blocks -------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Equal blocks side by side become one rectangle, and all rectangles of a class
// one path, so that a picture of a thousand blocks in each direction is small.
//
//===----------------------------------------------------------------------===//

#include "tools/attn-explain/DrawBlocks.h"
#include "tools/support/CommandLine.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace attn;
using llvm::Expected;
using llvm::formatv;
using llvm::StringRef;

/// Most blocks in one direction of a picture.
static constexpr int64_t kMostBlocks = 4096;
/// Width and height of a matrix of blocks at most, and of a block.
static constexpr int64_t kMostPixels = 480, kMostCell = 16;
/// Room around it for titles and numbers.
static constexpr int64_t kLeft = 56, kTop = 74, kGap = 64, kRight = 16,
                         kBottom = 44;

static constexpr StringRef kMixedColour = "#a9c6e8", kFullColour = "#1f4e8c",
                           kFrameColour = "#555555", kMarkColour = "#d2491f";

namespace {
/// A matrix of blocks.
struct Matrix {
  int64_t rows, columns;
  llvm::function_ref<BlockFacts::Class(int64_t row, int64_t column)> get;
  std::string title, rowLabel, columnLabel;

  /// Pixels of a block; at least a fraction of one.
  double getCell() const {
    return std::min<double>(kMostCell, double(kMostPixels) /
                                           double(std::max(rows, columns)));
  }
  int64_t getWidth() const {
    return int64_t(double(columns) * getCell() + 0.5);
  }
  int64_t getHeight() const { return int64_t(double(rows) * getCell() + 0.5); }
};

/// Writes the elements of a picture.
class Drawing {
public:
  explicit Drawing(llvm::raw_ostream &os) : os(os) {}

  void draw(const Matrix &matrix, int64_t left, int64_t top);
  void mark(const Matrix &matrix, int64_t left, int64_t top, int64_t row,
            int64_t column);
  void text(int64_t x, int64_t y, const llvm::Twine &text,
            StringRef anchor = "start", StringRef more = "");
  void square(int64_t x, int64_t y, StringRef colour);

private:
  void drawClass(const Matrix &matrix, BlockFacts::Class which,
                 StringRef colour);
  void drawTicks(const Matrix &matrix, int64_t left, int64_t top);

  llvm::raw_ostream &os;
};
} // namespace

/// `text` without the characters that mean something in XML.
static std::string escape(const llvm::Twine &text) {
  std::string result;
  for (char letter : text.str())
    result += letter == '<'   ? "&lt;"
              : letter == '>' ? "&gt;"
              : letter == '&' ? "&amp;"
                              : std::string(1, letter);
  return result;
}

void Drawing::text(int64_t x, int64_t y, const llvm::Twine &text,
                   StringRef anchor, StringRef more) {
  os << formatv("<text x=\"{0}\" y=\"{1}\"", x, y);
  if (anchor != "start")
    os << " text-anchor=\"" << anchor << '"';
  os << more << '>' << escape(text) << "</text>\n";
}

void Drawing::square(int64_t x, int64_t y, StringRef colour) {
  os << formatv("<rect x=\"{0}\" y=\"{1}\" width=\"10\" height=\"10\" "
                "fill=\"{2}\" stroke=\"{3}\" stroke-width=\"0.5\"/>\n",
                x, y, colour, kFrameColour);
}

void Drawing::drawClass(const Matrix &matrix, BlockFacts::Class which,
                        StringRef colour) {
  std::string path;
  llvm::raw_string_ostream to(path);
  for (int64_t row = 0; row < matrix.rows; ++row)
    for (int64_t begin = 0; begin < matrix.columns; ++begin) {
      if (matrix.get(row, begin) != which)
        continue;
      int64_t end = begin + 1;
      while (end < matrix.columns && matrix.get(row, end) == which)
        ++end;
      to << formatv("M{0} {1}h{2}v1h-{2}z", begin, row, end - begin);
      begin = end;
    }
  if (!path.empty())
    os << "<path fill=\"" << colour << "\" d=\"" << path << "\"/>\n";
}

/// A round number such that there are five steps or so to `count`.
static int64_t getTickStep(int64_t count) {
  int64_t step = 1;
  while (count > 6 * step)
    for (int64_t factor : {2, 5, 10}) {
      int64_t next = step * factor;
      if (count <= 6 * next || factor == 10) {
        step = next;
        break;
      }
    }
  return step;
}

void Drawing::drawTicks(const Matrix &matrix, int64_t left, int64_t top) {
  auto at = [&](int64_t block) {
    return int64_t((double(block) + 0.5) * matrix.getCell());
  };
  int64_t bottom = top + matrix.getHeight();
  for (int64_t i = 0; i < matrix.columns; i += getTickStep(matrix.columns))
    text(left + at(i), bottom + 14, llvm::Twine(i), "middle");
  for (int64_t i = 0; i < matrix.rows; i += getTickStep(matrix.rows))
    text(left - 6, top + at(i) + 4, llvm::Twine(i), "end");
  text(left + matrix.getWidth() / 2, bottom + 30, matrix.columnLabel, "middle");
  int64_t middle = top + matrix.getHeight() / 2;
  text(left - 38, middle, matrix.rowLabel, "middle",
       formatv(" transform=\"rotate(-90 {0} {1})\"", left - 38, middle).str());
}

void Drawing::draw(const Matrix &matrix, int64_t left, int64_t top) {
  text(left, top - 8, matrix.title);
  os << formatv("<g transform=\"translate({0} {1}) scale({2:f4})\" "
                "shape-rendering=\"crispEdges\">\n",
                left, top, matrix.getCell());
  drawClass(matrix, BlockFacts::Mixed, kMixedColour);
  drawClass(matrix, BlockFacts::Full, kFullColour);
  os << "</g>\n";
  os << formatv("<rect x=\"{0}\" y=\"{1}\" width=\"{2}\" height=\"{3}\" "
                "fill=\"none\" stroke=\"{4}\"/>\n",
                left, top, matrix.getWidth(), matrix.getHeight(), kFrameColour);
  drawTicks(matrix, left, top);
}

/// A frame around one block.
void Drawing::mark(const Matrix &matrix, int64_t left, int64_t top, int64_t row,
                   int64_t column) {
  double cell = matrix.getCell();
  os << formatv("<rect x=\"{0:f1}\" y=\"{1:f1}\" width=\"{2:f1}\" "
                "height=\"{2:f1}\" fill=\"none\" stroke=\"{3}\" "
                "stroke-width=\"2\"/>\n",
                double(left) + cell * double(column),
                double(top) + cell * double(row), cell, kMarkColour);
}

//===----------------------------------------------------------------------===//
// The picture
//===----------------------------------------------------------------------===//

/// The first version whose blocks are known; null without one.
static const Version *findVersion(const Findings &findings) {
  for (const OpFindings &op : findings.ops)
    for (const Version &version : op.versions)
      if (!version.heads.empty())
        return &version;
  return nullptr;
}

static void drawLegend(Drawing &drawing, const BlockCounts &counts) {
  int64_t x = kLeft;
  for (auto [name, colour, number] :
       {std::tuple("empty", StringRef("#ffffff"), counts.empty),
        {"mixed", kMixedColour, counts.mixed},
        {"full", kFullColour, counts.full}}) {
    drawing.square(x, 40, colour);
    std::string label = formatv("{0} {1}", name, number);
    drawing.text(x + 14, 49, label);
    x += 34 + 7 * int64_t(label.size());
  }
}

static std::string getFileName(StringRef path) {
  return path.rsplit('/').second.empty() ? path.str()
                                         : path.rsplit('/').second.str();
}

static void begin(llvm::raw_ostream &os, int64_t width, int64_t height) {
  os << formatv("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" "
                "height=\"{1}\" viewBox=\"0 0 {0} {1}\" "
                "font-family=\"sans-serif\" font-size=\"11\" "
                "fill=\"#222222\">\n",
                width, height);
  os << formatv("<rect width=\"{0}\" height=\"{1}\" fill=\"#ffffff\"/>\n",
                width, height);
}

Expected<std::string> attn::drawBlocks(const Findings &findings) {
  const Version *version = findVersion(findings);
  if (!version)
    return makeError("--svg: expected an attn.attend whose blocks are known, "
                     "got none in '{0}'",
                     findings.spec);
  const BlockFacts &facts = *version->blocks;
  if (std::max(facts.rows, facts.columns) > kMostBlocks)
    return makeError("--svg: expected at most {0} blocks in a direction, got "
                     "{1} x {2}; choose smaller --dims or a --schedule with "
                     "larger blocks",
                     kMostBlocks, facts.rows, facts.columns);
  auto get = [&](int64_t row, int64_t column) {
    return version->getClass(row * facts.columns + column);
  };
  bool isGrid = facts.places[1] && !facts.places[2];
  Matrix all{facts.rows,
             facts.columns,
             get,
             "all pairs of blocks",
             facts.places[1] ? "box of queries" : "block of queries",
             facts.places[1] ? "box of keys" : "block of keys"};
  // The boxes of keys around a box of queries in the middle of the grid.
  int64_t query = facts.rows / 2;
  if (isGrid && facts.rows == facts.columns)
    query = facts.places[0] / 2 * facts.places[1] + facts.places[1] / 2;
  auto getAround = [&](int64_t row, int64_t column) {
    return get(query, row * facts.places[1] + column);
  };
  Matrix around{
      facts.places[0], facts.places[1],
      getAround,       formatv("boxes of keys for box {0} of queries", query),
      "axis 0",        "axis 1"};
  int64_t second = kLeft + all.getWidth() + kGap;
  int64_t width = kLeft + all.getWidth();
  if (isGrid) // Its title may be wider than the grid.
    width = second + std::max<int64_t>(around.getWidth(), 200);
  int64_t height = all.getHeight();
  if (isGrid)
    height = std::max(height, around.getHeight());
  std::string svg;
  llvm::raw_string_ostream os(svg);
  begin(os, std::max<int64_t>(width, 400) + kRight, kTop + height + kBottom);
  Drawing drawing(os);
  drawing.text(kLeft, 16,
               getFileName(findings.spec) + "  " + formatDims(findings.dims),
               "start", " font-weight=\"bold\"");
  drawing.text(kLeft, 31, version->schedule->get("Schedule"));
  drawLegend(drawing, version->heads.front());
  drawing.draw(all, kLeft, kTop);
  if (isGrid) {
    drawing.draw(around, second, kTop);
    if (facts.rows == facts.columns)
      drawing.mark(around, second, kTop, query / facts.places[1],
                   query % facts.places[1]);
  }
  os << "</svg>\n";
  return svg;
}
