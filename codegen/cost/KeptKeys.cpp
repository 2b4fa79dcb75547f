//===- KeptKeys.cpp - Which keys a mask keeps, by samples -----------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cost/KeptKeys.h"
#include "passes/sparsity/FormulaText.h"
#include "passes/sparsity/MaskIntervals.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"
#include <numeric>

using namespace mlir;
using namespace attn;

/// Blocks of a head, and heads of all batches, that are looked at.
static constexpr int64_t kBlocks = 16, kHeads = 3;
/// Pairs that are asked for at most, as long as `kFewBlocks` are looked at.
static constexpr int64_t kMostPairs = int64_t(1) << 23, kFewBlocks = 4;
/// Queries of a strip that are looked at, and of one of many long rows.
static constexpr int64_t kLooks = 8, kFewLooks = 3;

static int64_t multiply(ArrayRef<int64_t> sizes) {
  return std::accumulate(sizes.begin(), sizes.end(), int64_t(1),
                         std::multiplies<>());
}

/// The coordinates of a token.
static SmallVector<int64_t> unflatten(int64_t token,
                                      ArrayRef<int64_t> extents) {
  SmallVector<int64_t> place(extents.size());
  for (size_t axis = extents.size(); axis-- > 0;) {
    place[axis] = token % extents[axis];
    token /= extents[axis];
  }
  return place;
}

/// A grid that is cut into boxes.
struct KeptKeys::Boxes {
  Boxes(ArrayRef<int64_t> extents, ArrayRef<int64_t> given, int64_t tokens)
      : extents(extents), sizes(given) {
    if (sizes.empty())
      sizes.assign({tokens});
    for (auto [extent, size] : llvm::zip_equal(extents, sizes))
      counts.push_back(llvm::divideCeil(extent, size));
  }

  /// The token at a place in a box; the nearest one if it lies outside.
  int64_t getToken(int64_t box, int64_t place) const {
    SmallVector<int64_t> at = unflatten(box, counts),
                         inside = unflatten(place, sizes);
    int64_t token = 0;
    for (size_t axis = 0; axis < sizes.size(); ++axis)
      token =
          token * extents[axis] +
          std::min(at[axis] * sizes[axis] + inside[axis], extents[axis] - 1);
    return token;
  }

  /// The box of a token, and its place there.
  std::pair<int64_t, int64_t> find(int64_t token) const {
    if (sizes.size() == 1)
      return {token / sizes[0], token % sizes[0]};
    SmallVector<int64_t> at = unflatten(token, extents);
    int64_t box = 0, place = 0;
    for (size_t axis = 0; axis < sizes.size(); ++axis) {
      box = box * counts[axis] + at[axis] / sizes[axis];
      place = place * sizes[axis] + at[axis] % sizes[axis];
    }
    return {box, place};
  }

  SmallVector<int64_t> extents, sizes, counts;
};

/// A list of blocks that the spec has as an operand.
struct KeptKeys::List {
  List(AttendOp op, ArrayRef<int64_t> extentsQ, ArrayRef<int64_t> extentsK,
       const TableOf &tableOf);

  /// Of each key whether its block is left out (0), mixed (1) or full (2).
  std::vector<int8_t> getClasses(int64_t batch, int64_t head,
                                 int64_t query) const;

  TableRef offsets, entries; ///< Null where they are not known.
  std::string names;
  Boxes queries, keys;
  bool isLine, hasSteps;
  std::vector<int32_t> boxOfKey;
};

static BlockSizes getListed(AttendOp op) {
  BlockSizes blocks{};
  if (ScheduleAttr schedule = op.getScheduleAttr())
    blocks = getBlockSizes(schedule);
  return takeListed(op, blocks);
}

KeptKeys::List::List(AttendOp op, ArrayRef<int64_t> extentsQ,
                     ArrayRef<int64_t> extentsK, const TableOf &tableOf)
    : offsets(tableOf(op.getOffsets())), entries(tableOf(op.getBlocks())),
      names(getTensorName(op.getOffsets()) + " and " +
            getTensorName(op.getBlocks())),
      queries(extentsQ, getListed(op).boxQ, getListed(op).q),
      keys(extentsK, getListed(op).boxK, getListed(op).k),
      isLine(getListed(op).boxK.empty()),
      hasSteps(!getListed(op).step.empty()) {
  for (int64_t key = 0; key < multiply(extentsK); ++key)
    boxOfKey.push_back(int32_t(keys.find(key).first));
}

std::vector<int8_t> KeptKeys::List::getClasses(int64_t batch, int64_t head,
                                               int64_t query) const {
  auto get = [&](const IntegerTable &table, int64_t at) -> int64_t {
    int64_t ofBatch = std::min(batch, table.sizes[0] - 1),
            ofHead = std::min(head, table.sizes[1] - 1);
    return table.get({ofBatch, ofHead, at}).value_or(-1);
  };
  std::vector<int8_t> ofBox(multiply(keys.counts));
  int64_t row = queries.find(query).first;
  for (int8_t kind : {1, 2}) { // What is in both is full.
    int64_t part = 2 * row + (kind == 2 ? 0 : 1);
    for (int64_t at = std::max<int64_t>(get(*offsets, part), 0),
                 end = std::min(get(*offsets, part + 1), entries->sizes[2]);
         at < end; ++at) {
      int64_t box = get(*entries, at);
      if (box < 0 || box >= int64_t(ofBox.size()))
        continue;
      // The last block of a line is mixed if it is shorter.
      bool isWhole =
          !isLine || (box + 1) * keys.sizes[0] <= int64_t(boxOfKey.size());
      ofBox[box] = std::max<int8_t>(ofBox[box], isWhole ? kind : 1);
    }
  }
  std::vector<int8_t> classes;
  for (int32_t box : boxOfKey)
    classes.push_back(ofBox[box]);
  return classes;
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

KeptKeys::KeptKeys(AttendOp op, const SizeOf &sizeOf, const TableOf &tableOf) {
  for (int64_t axis = 0; axis < op.getNumAxes(); ++axis) {
    queries.push_back(sizeOf(op.getQuery(), 2 + axis));
    keys.push_back(sizeOf(op.getKey(), 2 + axis));
  }
  numQueries = multiply(queries);
  numKeys = multiply(keys);
  if (op.getAlignment() == Alignment::End)
    shift = numKeys - numQueries;
  bool isOneRange = op.getNumAxes() == 1 && !op.getKeys().empty();
  ScheduleAttr schedule = op.getScheduleAttr();
  bool isFew = schedule && schedule.getSplits();
  if (op.getOffsets()) {
    list = std::make_unique<List>(op, queries, keys, tableOf);
    looksAt(op, sizeOf, /*ofList=*/true);
  }
  if (op.getMask().empty())
    return;
  isRange = isOneRange && !list && (isFew || hasExactRanges(op));
  makesList = !list && !isFew && !isRange;
  looksAt(op, sizeOf, /*ofList=*/false);
  mask = std::make_unique<MaskProgram>(op.getMask(), sizeOf, tableOf);
  if (isOneRange)
    range = std::make_unique<MaskProgram>(op.getKeys(), sizeOf, tableOf);
}

KeptKeys::~KeptKeys() = default;

/// Finds out which batches and heads differ.
void KeptKeys::looksAt(AttendOp op, const SizeOf &sizeOf, bool ofList) {
  auto differ = [&](unsigned dim) {
    if (ofList)
      return cast<RankedTensorType>(op.getOffsets().getType())
                 .getDimSize(dim) != 1;
    return !op.getMask().getArgument(dim).use_empty();
  };
  if (differ(0))
    batches = sizeOf(op.getBatchOperand(), 0);
  if (differ(1))
    heads = sizeOf(op.getQuery(), 1);
}

bool KeptKeys::hasList() const {
  return list && list->offsets && list->entries && !list->hasSteps;
}

bool KeptKeys::isUnknown() const {
  return (mask && mask->isUnknown()) || (list && !hasList());
}

std::string KeptKeys::getAssumption() const {
  std::vector<std::string> parts;
  if (mask && mask->isUnknown()) {
    ArrayRef<std::string> unknown = mask->getUnknownTables();
    std::string what = unknown.empty()
                           ? "what the model cannot compute"
                           : llvm::join(unknown, ", ") + ", not known here";
    parts.push_back("the mask reads " + what +
                    ": pairs that it may keep are taken as kept");
  } else if (mask && !mask->getTables().empty()) {
    parts.push_back("counted with the numbers of " +
                    llvm::join(mask->getTables(), ", "));
  }
  if (hasList())
    parts.push_back("counted with the list in " + list->names);
  else if (list)
    parts.push_back("the list in " + list->names +
                    " is not known here: all blocks are taken as listed");
  return llvm::join(parts, "; ");
}

/// The keys from `begin` up to `end` that the `keys` region leaves to a query.
std::pair<int64_t, int64_t> KeptKeys::getRange(const Head &head, int64_t first,
                                               int64_t last) const {
  if (!range)
    return {0, numKeys};
  auto bounds = range->run(
      {{head.first}, {head.second}, {first + shift}, {last + shift}}, 1);
  auto get = [&](unsigned number, int64_t otherwise) {
    int64_t bound = bounds[number][0];
    return bound == MaskProgram::kUnknown
               ? otherwise
               : std::clamp<int64_t>(bound, 0, numKeys);
  };
  int64_t begin = get(0, 0);
  return {begin, std::max(begin, get(1, numKeys))};
}

/// The arguments of the mask for a query and the keys of a range.
std::vector<MaskProgram::Numbers> KeptKeys::getArguments(const Head &head,
                                                         int64_t query,
                                                         int64_t begin,
                                                         int64_t end) const {
  std::vector<MaskProgram::Numbers> arguments{{head.first}, {head.second}};
  for (auto [axis, at] : llvm::enumerate(unflatten(query, queries)))
    arguments.push_back({at + (axis == 0 ? shift : 0)});
  for (size_t axis = 0; axis < keys.size(); ++axis) {
    int64_t below = multiply(ArrayRef(keys).drop_front(axis + 1));
    MaskProgram::Numbers &at = arguments.emplace_back();
    for (int64_t key = begin; key < end; ++key)
      at.push_back(key / below % keys[axis]);
  }
  return arguments;
}

const KeptKeys::Row &KeptKeys::getRow(const Head &head, int64_t query) {
  auto [it, isNew] = rows.try_emplace({head, query});
  Row &row = it->second;
  if (!isNew)
    return row;
  auto [begin, end] = getRange(head, query, query);
  BitVector kept(end - begin, !mask);
  if (mask) {
    MaskProgram::Numbers results =
        mask->run(getArguments(head, query, begin, end), end - begin)[0];
    for (int64_t key = 0; key < end - begin; ++key) {
      int64_t result = results[results.size() == 1 ? 0 : key];
      if (result == MaskProgram::kUnknown || (result & 1))
        kept.set(key);
    }
  }
  if (hasList())
    for (auto [key, kind] :
         llvm::enumerate(list->getClasses(head.first, head.second, query))) {
      if (kind == 2)
        kept.set(key);
      else if (kind == 0)
        kept.reset(key);
    }
  // Only what lies between the first and the last one is worth its memory.
  if (kept.none())
    return row;
  int64_t first = kept.find_first(), last = kept.find_last();
  row.begin = begin + first;
  row.kept = BitVector(last - first + 1);
  for (unsigned key : kept.set_bits())
    row.kept.set(key - first);
  return row;
}

//===----------------------------------------------------------------------===//
// Blocks
//===----------------------------------------------------------------------===//

/// Some of `count` things, evenly spread.
static SmallVector<int64_t> sample(int64_t count, int64_t most) {
  SmallVector<int64_t> chosen;
  for (int64_t n = 0; n < std::min(count, most); ++n)
    chosen.push_back(count <= most ? n : (2 * n + 1) * count / (2 * most));
  return chosen;
}

Visits KeptKeys::countAll(const BlockSizes &blocks) const {
  double pairs = double(numQueries) * double(numKeys);
  double steps = double(llvm::divideCeil(numQueries, blocks.q)) *
                 double(llvm::divideCeil(numKeys, blocks.k));
  return {pairs, steps, pairs, 0};
}

Visits KeptKeys::countRanges(const BlockSizes &blocks, int64_t strip,
                             const Head &head) {
  constexpr int64_t columns = 8;
  // The hull of what some rows keep: begin and end.
  auto hullOf = [&](int64_t first,
                    int64_t size) -> std::pair<int64_t, int64_t> {
    int64_t begin = INT64_MAX, end = 0;
    for (int64_t part = 0; part < 5; ++part) {
      int64_t at = first + part * (size - 1) / 4;
      const Row &row = getRow(head, std::min(at, numQueries - 1));
      if (row.kept.empty())
        continue;
      begin = std::min(begin, row.begin);
      end = std::max(end, row.getEnd());
    }
    return {std::min(begin, end), end};
  };
  Visits visits;
  int64_t strips = llvm::divideCeil(numQueries, strip);
  SmallVector<int64_t> chosen = sample(strips, kBlocks);
  for (int64_t number : chosen) {
    auto [begin, end] = hullOf(number * strip, strip);
    int64_t length = llvm::alignTo(end, columns) - begin / columns * columns;
    visits.pairs += double(strip * length) * strips / chosen.size();
  }
  int64_t count = llvm::divideCeil(numQueries, blocks.q);
  chosen = sample(count, kBlocks);
  for (int64_t number : chosen) {
    auto [begin, end] = hullOf(number * blocks.q, blocks.q);
    int64_t steps = llvm::divideCeil(end, blocks.k) - begin / blocks.k;
    visits.steps += double(steps) * count / chosen.size();
  }
  return visits;
}

/// How many boxes of queries are looked at, and queries of each strip, of which
/// a box has so many: fewer where rows are long.
std::pair<int64_t, int64_t> KeptKeys::getLooks(const Head &head,
                                               int64_t strips) const {
  int64_t query = numQueries / 2;
  auto [begin, end] = getRange(head, query, query);
  int64_t pairs = std::max<int64_t>(strips * kLooks * (end - begin), 1);
  int64_t boxes = kMostPairs / pairs;
  return {std::clamp(boxes, kFewBlocks, kBlocks),
          boxes < kFewBlocks ? kFewLooks : kLooks};
}

namespace {
/// Of each key its box, and its place there; of each box how many keys it has.
struct KeyPlaces {
  std::vector<std::pair<int64_t, int64_t>> places;
  std::vector<int64_t> counts;
};

/// What a box of queries visits.
struct BoxVisits {
  explicit BoxVisits(int64_t keyBoxes)
      : pairs(keyBoxes), strips(keyBoxes), isMixed(keyBoxes) {}

  /// Adds a strip of `rows` queries: of each block of keys the range that some
  /// of them keep. `some` are the keys that some of the queries keep that were
  /// looked at, `every` those that all do.
  void addStrip(const BitVector &some, const BitVector &every,
                const KeyPlaces &keys, int64_t rows);
  /// Adds what was visited by a box of `most` strips.
  void addTo(Visits &visits, double &mixedPairs, int64_t most) const;

  std::vector<int64_t> pairs;  ///< Of each box of keys; 0 if it is not visited.
  std::vector<int64_t> strips; ///< That visit a box of keys.
  BitVector isMixed;           ///< Boxes of keys of which strips drop pairs.
};
} // namespace

void BoxVisits::addStrip(const BitVector &some, const BitVector &every,
                         const KeyPlaces &keys, int64_t rows) {
  std::map<int64_t, std::pair<int64_t, int64_t>> ranges;
  std::map<int64_t, int64_t> keptByAll;
  for (int64_t key : some.set_bits()) {
    auto [box, place] = keys.places[key];
    keptByAll[box] += every.test(key);
    auto [it, isNew] = ranges.try_emplace(box, place, place);
    it->second.first = std::min(it->second.first, place);
    it->second.second = std::max(it->second.second, place);
  }
  for (auto [box, range] : ranges) {
    pairs[box] += rows * (range.second - range.first + 1);
    ++strips[box];
    if (keptByAll[box] < keys.counts[box])
      isMixed.set(box);
  }
}

void BoxVisits::addTo(Visits &visits, double &mixedPairs, int64_t most) const {
  for (auto [box, count] : llvm::enumerate(pairs)) {
    visits.steps += count > 0;
    visits.pairs += double(count);
    bool isFull = strips[box] == most && !isMixed.test(box);
    mixedPairs += isFull ? 0 : double(count);
  }
}

Visits KeptKeys::countBoxes(const BlockSizes &blocks, int64_t strip,
                            const Head &head) {
  Boxes ofQueries(queries, blocks.boxQ, blocks.q),
      ofKeys(keys, blocks.boxK, blocks.k);
  int64_t boxes = multiply(ofQueries.counts),
          keyBoxes = multiply(ofKeys.counts);
  KeyPlaces places;
  places.counts.resize(keyBoxes);
  for (int64_t key = 0; key < numKeys; ++key) {
    places.places.push_back(ofKeys.find(key));
    ++places.counts[places.places.back().first];
  }
  int64_t rows = std::min(strip, blocks.q), strips = blocks.q / rows;
  auto [mostBoxes, looks] = getLooks(head, strips);
  SmallVector<int64_t> chosen = sample(boxes, mostBoxes);
  Visits visits;
  double mixedPairs = 0;
  for (int64_t number : chosen) {
    BoxVisits visited(keyBoxes);
    for (int64_t first = 0; first + rows <= blocks.q; first += rows) {
      BitVector some(numKeys), every(numKeys, true);
      for (int64_t look = 0; look < looks; ++look) {
        int64_t place = first + look * (rows - 1) / (looks - 1);
        const Row &row = getRow(head, ofQueries.getToken(number, place));
        BitVector kept(numKeys);
        for (unsigned key : row.kept.set_bits())
          kept.set(row.begin + key);
        some |= kept;
        every &= kept;
      }
      visited.addStrip(some, every, places, rows);
    }
    visited.addTo(visits, mixedPairs, strips);
    visits.asked += double(countAsked(blocks, head, number, keyBoxes));
  }
  double share = double(boxes) / double(chosen.size());
  visits.mixed = visits.pairs > 0 ? mixedPairs / visits.pairs : 0;
  visits.pairs *= share;
  visits.steps *= share;
  visits.asked *= share;
  return visits;
}

/// How many blocks of keys a list is made from, for block `number` of queries.
int64_t KeptKeys::countAsked(const BlockSizes &blocks, const Head &head,
                             int64_t number, int64_t keyBoxes) const {
  if (!range)
    return keyBoxes;
  int64_t first = number * blocks.q;
  auto [begin, end] =
      getRange(head, first, std::min(first + blocks.q, numQueries) - 1);
  return int64_t(llvm::divideCeil(end, blocks.k)) - begin / blocks.k;
}

double KeptKeys::countKept(const Head &head) {
  SmallVector<int64_t> chosen = sample(numQueries, 2 * kBlocks);
  double kept = 0;
  for (int64_t query : chosen)
    kept += double(getRow(head, query).kept.count());
  return kept * double(numQueries) / double(chosen.size());
}

Visits KeptKeys::count(const BlockSizes &blocks, int64_t strip) {
  if (numQueries == 0 || numKeys == 0)
    return {};
  if (!mask && !hasList())
    return countAll(blocks);
  Visits sum;
  sum.mixed = 0;
  SmallVector<int64_t> chosen = sample(batches * heads, kHeads);
  for (int64_t number : chosen) {
    Head head{number / heads, number % heads};
    Visits visits = isRange ? countRanges(blocks, strip, head)
                            : countBoxes(blocks, strip, head);
    visits.kept = countKept(head);
    double share = 1 / double(chosen.size());
    sum.pairs += share * visits.pairs;
    sum.steps += share * visits.steps;
    sum.kept += share * visits.kept;
    sum.asked += share * visits.asked;
    sum.mixed += share * visits.mixed;
  }
  return sum;
}
