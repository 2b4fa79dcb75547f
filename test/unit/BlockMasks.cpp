//===- BlockMasks.cpp - Masks to classify blocks of -----------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BlockMasks.h"

using namespace attn::test;

namespace {
using Name = std::string;
using Numbers = std::vector<int64_t>;

/// Writes the body of a mask, op by op.
class Writer {
public:
  Name define(const Name &rhs) {
    Name name = "%v" + std::to_string(names++);
    text += name + " = " + rhs + "\n";
    return name;
  }
  Name index(int64_t value) {
    return define("arith.constant " + std::to_string(value) + " : index");
  }
  Name op(const Name &mnemonic, const Name &x, const Name &y,
          const Name &type = "index") {
    return define("arith." + mnemonic + " " + x + ", " + y + " : " + type);
  }
  Name add(const Name &x, const Name &y) { return op("addi", x, y); }
  Name add(const Name &x, int64_t y) { return add(x, index(y)); }
  Name sub(const Name &x, const Name &y) { return op("subi", x, y); }
  Name div(const Name &x, int64_t y) { return op("divsi", x, index(y)); }
  Name rem(const Name &x, int64_t y) { return op("remsi", x, index(y)); }
  Name mul(const Name &x, int64_t y) { return op("muli", x, index(y)); }
  Name min(const Name &x, const Name &y) { return op("minsi", x, y); }
  Name max(const Name &x, const Name &y) { return op("maxsi", x, y); }
  Name compare(const Name &predicate, const Name &x, const Name &y,
               const Name &type = "index") {
    return op("cmpi " + predicate + ",", x, y, type);
  }
  Name both(const Name &x, const Name &y) { return op("andi", x, y, "i1"); }
  Name either(const Name &x, const Name &y) { return op("ori", x, y, "i1"); }
  Name select(const Name &c, const Name &x, const Name &y) {
    return define("arith.select " + c + ", " + x + ", " + y + " : index");
  }
  Name isWithin(const Name &x, const Name &begin, const Name &end) {
    return both(compare("sge", x, begin), compare("slt", x, end));
  }
  /// Element `at` of a table of rank 1 or 2.
  Name read(int table, const Name &at, const Name &type = "i32") {
    bool isPair = at.find(',') != Name::npos;
    return define("tensor.extract %t" + std::to_string(table) + "[" + at +
                  "] : tensor<" + (isPair ? "?x?x" : "?x") + type + ">");
  }
  Name toIndex(const Name &x, const Name &type = "i32") {
    return define("arith.index_cast " + x + " : " + type + " to index");
  }
  Name yield(const Name &keep) {
    return text + "\"test.yield\"(" + keep + ") : (i1) -> ()\n";
  }

private:
  std::string text;
  int names = 0;
};

/// Collects masks.
class Catalogue {
public:
  std::vector<Mask> masks;

  /// A mask over one axis, for several sizes of blocks.
  void addLine(const Name &name, int64_t queries, int64_t keys, bool isExact,
               const Name &body, std::vector<TypedTable> tables = {},
               int64_t step = 1, int64_t heads = 1);
  /// A mask over a grid.
  void addGrid(const Name &name, const Numbers &extents, const Numbers &box,
               bool isExact, const Name &body, Numbers steps = {});
};
} // namespace

void Catalogue::addLine(const Name &name, int64_t queries, int64_t keys,
                        bool isExact, const Name &body,
                        std::vector<TypedTable> tables, int64_t step,
                        int64_t heads) {
  for (auto [q, k] :
       {std::pair<int64_t, int64_t>{4, 4}, {4, 8}, {6, 4}, {16, 3}}) {
    Mask mask;
    mask.name = name;
    mask.body = body;
    mask.queries = {queries};
    mask.keys = {keys};
    mask.boxQ = {q};
    mask.boxK = {k};
    mask.steps = {step};
    mask.tables = tables;
    mask.heads = heads;
    mask.isExact = isExact;
    masks.push_back(mask);
  }
}

void Catalogue::addGrid(const Name &name, const Numbers &extents,
                        const Numbers &box, bool isExact, const Name &body,
                        Numbers steps) {
  Mask mask;
  mask.name = name;
  mask.body = body;
  mask.queries = mask.keys = extents;
  mask.boxQ = mask.boxK = box;
  mask.steps = steps.empty() ? Numbers(extents.size(), 1) : steps;
  mask.isExact = isExact;
  masks.push_back(mask);
}

static void addRanges(Catalogue &to) {
  for (int64_t keys : {29, 37}) {
    Writer causal;
    to.addLine("causal", 29, keys, true,
               causal.yield(causal.compare("sge", "%i0", "%j0")));
    for (int64_t width : {1, 5, 12, 40}) {
      Writer window;
      Name d = window.sub("%i0", "%j0");
      to.addLine("window", 29, keys, true,
                 window.yield(
                     window.isWithin(d, window.index(0), window.index(width))));
      Writer one;
      to.addLine("window", 29, keys, true,
                 one.yield(one.compare("ult", one.sub("%i0", "%j0"),
                                       one.index(width))));
      Writer prefix;
      Name past = prefix.compare("sle", "%j0", "%i0");
      Name common = prefix.compare("slt", "%j0", prefix.index(width));
      to.addLine("prefix", 29, keys, true,
                 prefix.yield(prefix.either(past, common)));
    }
    Writer perHead;
    Name width = perHead.toIndex(perHead.read(0, "%h", "i64"), "i64");
    Name d = perHead.sub("%i0", "%j0");
    to.addLine("per-head window", 29, keys, true,
               perHead.yield(perHead.isWithin(d, perHead.index(0), width)),
               {{"i64", {{3}, {1, 6, 100}}}}, 1, 3);
  }
}

/// Numbers of documents of given lengths, one per token.
static TypedTable documents(const Numbers &lengths, const Name &type = "i32") {
  Table table{{0}, {}};
  for (size_t n = 0; n < lengths.size(); ++n)
    table.elements.insert(table.elements.end(), lengths[n], n);
  table.shape[0] = table.elements.size();
  return {type, table};
}

static void addDocuments(Catalogue &to) {
  for (const Numbers &lengths : {Numbers{30},
                                 {1, 2, 3, 4, 5, 6, 9},
                                 {16, 0, 14},
                                 {3, 13, 8, 1, 1, 4},
                                 Numbers(30, 1)}) {
    TypedTable ids = documents(lengths);
    auto same = [](Writer &w) {
      return w.compare("eq", w.read(0, "%i0"), w.read(0, "%j0"), "i32");
    };
    Writer plain, causal, window, prefix;
    to.addLine("document", 30, 30, true, plain.yield(same(plain)), {ids});
    Name past = causal.compare("sge", "%i0", "%j0");
    to.addLine("document-causal", 30, 30, true,
               causal.yield(causal.both(same(causal), past)), {ids});
    Name near = window.isWithin(window.sub("%i0", "%j0"), window.index(0),
                                window.index(7));
    to.addLine("document-window", 30, 30, true,
               window.yield(window.both(same(window), near)), {ids});
    // The first two tokens of each document are common to it.
    TypedTable ends = ids;
    int64_t first = 0;
    for (size_t n = 0; n < lengths.size(); first += lengths[n++])
      for (int64_t i = 0; i < lengths[n]; ++i)
        ends.values.elements[first + i] =
            first + std::min<int64_t>(2, lengths[n]);
    Name common =
        prefix.compare("slt", "%j0", prefix.toIndex(prefix.read(1, "%i0")));
    Name seen = prefix.either(prefix.compare("sge", "%i0", "%j0"), common);
    to.addLine("prefix-document", 30, 30, true,
               prefix.yield(prefix.both(same(prefix), seen)), {ids, ends});
  }
}

/// Sequences of queries and of keys, causal at their ends.
static void addVarlen(Catalogue &to) {
  Numbers queries{3, 0, 9, 5, 1, 7}, keys{8, 4, 9, 0, 11, 2};
  TypedTable queryIds = documents(queries), keyIds = documents(keys);
  TypedTable last = queryIds;
  int64_t row = 0, key = 0;
  for (size_t n = 0; n < queries.size(); ++n) {
    key += keys[n];
    for (int64_t i = 0; i < queries[n]; ++i)
      last.values.elements[row + i] = key - queries[n] + i;
    row += queries[n];
  }
  Writer w;
  Name same = w.compare("eq", w.read(0, "%i0"), w.read(1, "%j0"), "i32");
  Name past = w.compare("sle", "%j0", w.toIndex(w.read(2, "%i0")));
  to.addLine("varlen-causal", row, key, false, w.yield(w.both(same, past)),
             {queryIds, keyIds, last});
}

namespace {
/// Neighbourhood along one axis.
struct Neighborhood {
  int64_t size, window, stride, dilation;
  bool causal;
};
} // namespace

/// Whether key `j` is in the window of query `i`.
static Name isNeighbor(Writer &w, const Neighborhood &of, Name i, Name j) {
  Name isOfClass;
  Name length = w.index(of.size);
  if (of.dilation > 1) {
    Name rest = w.rem(i, of.dilation);
    isOfClass = w.compare("eq", rest, w.rem(j, of.dilation));
    // ceil((size - rest) / dilation)
    length = w.op("ceildivsi", w.sub(length, rest), w.index(of.dilation));
    i = w.div(i, of.dilation);
    j = w.div(j, of.dilation);
  }
  Name group = w.mul(w.div(i, of.stride), of.stride);
  Name last = w.sub(length, w.index(1));
  Name first, end;
  if (of.causal) {
    Name leader = w.min(w.add(group, of.stride - 1), last);
    first = w.max(w.add(leader, 1 - of.window), w.index(0));
    end = w.add(i, 1);
  } else {
    Name leader = w.min(w.add(group, of.stride / 2), last);
    Name centred = w.add(leader, -(of.window / 2));
    Name most = w.sub(length, w.index(of.window));
    first = w.max(w.min(centred, most), w.index(0));
    end = w.add(first, of.window);
  }
  Name keep = w.isWithin(j, first, end);
  return of.dilation > 1 ? w.both(isOfClass, keep) : keep;
}

static void addNeighborhoods(Catalogue &to) {
  for (int64_t size : {1, 13, 24})
    for (int64_t window : {2, 3, 6, 7})
      for (int64_t stride : {1, 2, 3})
        for (bool causal : {false, true}) {
          if (stride > window || window > size)
            continue;
          Writer w;
          Name keep =
              isNeighbor(w, {size, window, stride, 1, causal}, "%i0", "%j0");
          to.addLine("neighborhood-1d", size, size, true, w.yield(keep));
        }
  for (int64_t size : {23, 24})
    for (bool causal : {false, true})
      for (int64_t step : {1, 3}) {
        Writer w;
        Name keep = isNeighbor(w, {size, 5, 2, 3, causal}, "%i0", "%j0");
        to.addLine("neighborhood-1d dilated", size, size, step == 3,
                   w.yield(keep), {}, step);
      }
  for (int64_t window : {3, 4, 5}) {
    Writer w;
    Name y = isNeighbor(w, {9, window, 1, 1, false}, "%i0", "%j0");
    Name x = isNeighbor(w, {11, 5, 2, 1, true}, "%i1", "%j1");
    to.addGrid("neighborhood-2d", {9, 11}, {2, 4}, true, w.yield(w.both(y, x)));
    Writer d;
    y = isNeighbor(d, {9, window, 1, 2, false}, "%i0", "%j0");
    x = isNeighbor(d, {11, 3, 1, 3, false}, "%i1", "%j1");
    to.addGrid("neighborhood-2d dilated", {9, 11}, {2, 2}, true,
               d.yield(d.both(y, x)), {2, 3});
  }
  Writer w;
  Name t = isNeighbor(w, {4, 3, 1, 1, true}, "%i0", "%j0");
  Name y = isNeighbor(w, {5, 3, 1, 1, false}, "%i1", "%j1");
  Name x = isNeighbor(w, {6, 4, 2, 1, false}, "%i2", "%j2");
  to.addGrid("neighborhood-3d", {4, 5, 6}, {2, 2, 2}, true,
             w.yield(w.both(t, w.both(y, x))));
}

/// The window of Swin attention that a coordinate is in.
static Name windowOf(Writer &w, const Name &y, int64_t window, int64_t shift) {
  if (shift == 0)
    return w.div(y, window);
  Name isFirst = w.compare("slt", y, w.index(shift));
  Name behind = w.add(w.div(w.add(y, -shift), window), 1);
  return w.select(isFirst, w.index(0), behind);
}

static void addWindows(Catalogue &to) {
  for (int64_t shift : {0, 3}) {
    const char *name = shift ? "swin-shifted" : "swin";
    auto same = [&](Writer &w, const Name &i, const Name &j) {
      return w.compare("eq", windowOf(w, i, 7, shift),
                       windowOf(w, j, 7, shift));
    };
    Writer line, grid, video;
    to.addLine(name, 28, 28, true, line.yield(same(line, "%i0", "%j0")));
    Name y = same(grid, "%i0", "%j0"), x = same(grid, "%i1", "%j1");
    Name both = grid.yield(grid.both(y, x));
    to.addGrid(name, {14, 9}, {7, 3}, true, both);
    to.addGrid(name, {14, 9}, {4, 4}, true, both);
    y = same(video, "%i1", "%j1");
    x = same(video, "%i2", "%j2");
    Name t = video.compare("eq", windowOf(video, "%i0", 2, shift / 3),
                           windowOf(video, "%j0", 2, shift / 3));
    to.addGrid("swin-temporal-3d", {4, 8, 7}, {2, 4, 4}, true,
               video.yield(video.both(t, video.both(y, x))));
  }
  Writer halo;
  Name keep;
  for (const char *axis : {"0", "1"}) {
    Name i = Name("%i") + axis, j = Name("%j") + axis;
    Name first = halo.mul(halo.div(i, 4), 4);
    Name within = halo.isWithin(j, halo.add(first, -2), halo.add(first, 6));
    keep = keep.empty() ? within : halo.both(keep, within);
  }
  Name body = halo.yield(keep);
  to.addGrid("halo", {8, 12}, {4, 4}, true, body);
  to.addGrid("halo", {8, 12}, {2, 3}, true, body);
  Writer diagonal;
  to.addLine("block-diagonal", 30, 30, true,
             diagonal.yield(diagonal.compare("eq", diagonal.div("%i0", 6),
                                             diagonal.div("%j0", 6))));
  for (int64_t step : {1, 3}) {
    Writer w;
    Name d = w.sub("%i0", "%j0");
    Name distance = w.define("math.absi " + d + " : index");
    Name near = w.compare("sle", distance, w.index(9));
    Name same = w.compare("eq", w.rem("%i0", 3), w.rem("%j0", 3));
    to.addLine("dilated-1d", 29, 29, step == 3, w.yield(w.both(near, same)), {},
               step);
    Writer one;
    d = one.rem(one.define("math.absi " + one.sub("%i0", "%j0") + " : index"),
                3);
    to.addLine("dilated-1d", 29, 29, false,
               one.yield(one.compare("eq", d, one.index(0))), {}, step);
  }
}

static void addDiscs(Catalogue &to) {
  for (int64_t radius : {1, 3, 4}) {
    Writer w;
    auto square = [&](const Name &x) { return w.op("muli", x, x); };
    Name sum = w.add(square(w.sub("%i0", "%j0")), square(w.sub("%i1", "%j1")));
    Name body = w.yield(w.compare("slt", sum, w.index(radius * radius)));
    to.addGrid("disc", {9, 10}, {2, 2}, true, body);
    to.addGrid("disc", {9, 10}, {3, 4}, true, body);
    // Text tokens first, then an image, row by row: bounding boxes.
    for (int64_t text : {0, 8}) {
      Writer c;
      Name isText = c.either(c.compare("slt", "%i0", c.index(text)),
                             c.compare("slt", "%j0", c.index(text)));
      Name i = c.add("%i0", -text), j = c.add("%j0", -text);
      auto squareOf = [&](const Name &x) { return c.op("muli", x, x); };
      Name near = c.add(squareOf(c.sub(c.div(i, 8), c.div(j, 8))),
                        squareOf(c.sub(c.rem(i, 8), c.rem(j, 8))));
      Name keep =
          c.either(isText, c.compare("slt", near, c.index(radius * radius)));
      Mask mask;
      mask.name = "clear, row by row";
      mask.body = c.yield(keep);
      mask.queries = mask.keys = {text + 64};
      mask.steps = {1};
      // Parts of rows and whole rows are boxes.
      for (int64_t box : {4, 8, 16}) {
        mask.boxQ = mask.boxK = {box};
        mask.isExact = text % box == 0;
        to.masks.push_back(mask);
      }
    }
  }
}

/// Numbers of scales by comparisons with their first tokens.
static void addScales(Catalogue &to) {
  const Numbers firsts{1, 5, 14, 30};
  for (const char *predicate : {"eq", "sge"}) {
    Writer w;
    auto scaleOf = [&](const Name &token) {
      Name sum = w.index(0);
      for (int64_t first : firsts) {
        Name isIn = w.compare("sge", token, w.index(first));
        sum = w.add(sum,
                    w.define("arith.index_castui " + isIn + " : i1 to index"));
      }
      return sum;
    };
    Name i = scaleOf("%i0"), j = scaleOf("%j0");
    to.addLine(*predicate == 'e' ? "var-scales" : "var-scales-causal", 55, 55,
               true, w.yield(w.compare(predicate, i, j)));
    Writer t;
    Name keep = t.compare(predicate, t.read(0, "%i0"), t.read(0, "%j0"), "i32");
    to.addLine(*predicate == 'e' ? "var-scales" : "var-scales-causal", 55, 55,
               true, t.yield(keep), {documents({1, 4, 9, 16, 25})});
  }
}

std::vector<Mask> attn::test::getCatalogueMasks() {
  Catalogue all;
  addRanges(all);
  addDocuments(all);
  addVarlen(all);
  addNeighborhoods(all);
  addWindows(all);
  addDiscs(all);
  addScales(all);
  return all.masks;
}
