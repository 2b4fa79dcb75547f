//===- ReportPicture.cpp - Two plots as SVG -------------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tools/attn-tune/Report.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"
#include <cmath>

using namespace attn;

/// Sizes of a plot, in units of the picture.
static constexpr double kSide = 300, kMargin = 60;

namespace {
/// A plot with two logarithmic axes.
class Plot {
public:
  Plot(llvm::raw_ostream &stream, double left, std::pair<double, double> x,
       std::pair<double, double> y)
      : stream(stream), left(left), x(widen(x)), y(widen(y)) {}

  void drawFrame(llvm::StringRef xName, llvm::StringRef yName);
  void drawLine(PlotPoint from, PlotPoint to, llvm::StringRef style);
  void drawPoint(const PlotPoint &point);

private:
  /// Whole powers of ten are not asked of ranges, but something is beside each
  /// end.
  static std::pair<double, double> widen(std::pair<double, double> range) {
    return {range.first / 1.5, range.second * 1.5};
  }
  static double getShare(double value, std::pair<double, double> range) {
    return std::log(value / range.first) / std::log(range.second / range.first);
  }
  double getX(double value) const { return left + kSide * getShare(value, x); }
  double getY(double value) const {
    return kMargin + kSide * (1 - getShare(value, y));
  }
  void write(double x, double y, const char *anchor, const llvm::Twine &text) {
    stream << llvm::formatv(
        "<text x=\"{0:f1}\" y=\"{1:f1}\" text-anchor=\"{2}\">{3}</text>\n", x,
        y, anchor, text.str());
  }

  llvm::raw_ostream &stream;
  double left;
  std::pair<double, double> x, y;
};
} // namespace

/// Two digits: "0.35", "1200".
static std::string printShort(double value) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%.2g", value);
  if (value < 100 || value >= 1e6)
    return text;
  return std::to_string(int64_t(value));
}

void Plot::drawFrame(llvm::StringRef xName, llvm::StringRef yName) {
  stream << llvm::formatv("<rect x=\"{0:f1}\" y=\"{1:f1}\" width=\"{2:f1}\" "
                          "height=\"{2:f1}\" fill=\"none\" stroke=\"#888\"/>\n",
                          left, kMargin, kSide);
  double bottom = kMargin + kSide;
  write(left + kSide / 2, bottom + 36, "middle", xName);
  write(left, kMargin - 8, "start", yName);
  for (double value : {x.first, std::sqrt(x.first * x.second), x.second})
    write(getX(value), bottom + 16, "middle", printShort(value));
  for (double value : {y.first, std::sqrt(y.first * y.second), y.second})
    write(left - 4, getY(value) + 4, "end", printShort(value));
}

void Plot::drawLine(PlotPoint from, PlotPoint to, llvm::StringRef style) {
  stream << llvm::formatv("<line x1=\"{0:f1}\" y1=\"{1:f1}\" x2=\"{2:f1}\" "
                          "y2=\"{3:f1}\" {4}/>\n",
                          getX(from.x), getY(from.y), getX(to.x), getY(to.y),
                          style);
}

void Plot::drawPoint(const PlotPoint &point) {
  stream << llvm::formatv(
      "<circle cx=\"{0:f1}\" cy=\"{1:f1}\" r=\"{2}\" fill=\"{3}\"/>\n",
      getX(point.x), getY(point.y), point.isChosen ? 6 : 4,
      point.isChosen ? "#c02020" : "#3060a0");
}

/// Predicted against measured times, with the line where both are the same.
static void drawTimes(llvm::raw_ostream &stream, const Picture &picture) {
  std::pair<double, double> range(1e300, 0);
  for (const PlotPoint &point : picture.times) {
    range.first = std::min({range.first, point.x, point.y});
    range.second = std::max({range.second, point.x, point.y});
  }
  if (range.second <= 0)
    range = {1, 10};
  Plot plot(stream, kMargin, range, range);
  plot.drawFrame("predicted ms", "measured ms");
  plot.drawLine({range.first, range.first}, {range.second, range.second},
                "stroke=\"#888\" stroke-dasharray=\"4\"");
  for (const PlotPoint &point : picture.times)
    plot.drawPoint(point);
}

/// What memory and products allow, and what was reached.
static void drawRoofline(llvm::raw_ostream &stream, const Picture &picture) {
  double ridge = picture.peak / picture.bandwidth;
  double reached =
      picture.work.x > 0 && picture.work.y > 0 ? picture.work.x : ridge;
  std::pair<double, double> x(std::min(ridge, reached) / 8,
                              std::max(ridge, reached) * 8);
  double low = picture.bandwidth * x.first;
  if (picture.work.y > 0)
    low = std::min(low, picture.work.y);
  Plot plot(stream, 3 * kMargin + kSide, x, {low, picture.peak});
  plot.drawFrame("operations per byte", "GFLOP/s");
  plot.drawLine({x.first, picture.bandwidth * x.first}, {ridge, picture.peak},
                "stroke=\"#222\"");
  plot.drawLine({ridge, picture.peak}, {x.second, picture.peak},
                "stroke=\"#222\"");
  if (picture.work.x > 0 && picture.work.y > 0)
    plot.drawPoint(picture.work);
}

std::string attn::drawPicture(const Picture &picture) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  stream << llvm::formatv(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" "
      "font-family=\"sans-serif\" font-size=\"12\">\n",
      2 * kSide + 4 * kMargin, kSide + 2 * kMargin);
  stream << llvm::formatv("<text x=\"{0}\" y=\"24\" font-size=\"15\">{1}"
                          "</text>\n",
                          kMargin, picture.title);
  drawTimes(stream, picture);
  drawRoofline(stream, picture);
  stream << "</svg>\n";
  return text;
}
