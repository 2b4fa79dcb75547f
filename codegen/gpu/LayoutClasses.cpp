//===- LayoutClasses.cpp - Which tiles must have one layout ---------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/gpu/LayoutClasses.h"
#include "mlir/IR/Diagnostics.h"

using namespace mlir;
using namespace attn;

static RankedTensorType tileOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

void LayoutClasses::add(Value tile) {
  if (!numbers.try_emplace(tile, tiles.size()).second)
    return;
  parents.push_back(tiles.size());
  tiles.push_back(tile);
  Facts &own = facts.emplace_back();
  RankedTensorType type = tileOf(tile);
  // All threads should own as many columns.
  if (type.getRank() == 2)
    while (own.limit > 1 && type.getDimSize(1) % (grid.columns * own.limit))
      own.limit /= 2;
}

int LayoutClasses::find(Value tile) {
  int number = numbers.lookup(tile);
  while (parents[number] != number)
    number = parents[number] = parents[parents[number]];
  return number;
}

void LayoutClasses::join(Value a, Value b) {
  add(a);
  add(b);
  int into = find(a), from = find(b);
  if (into == from)
    return;
  parents[from] = into;
  Facts &target = facts[into];
  const Facts &source = facts[from];
  if (source.wish && (!target.wish || source.wish < target.wish))
    target.wish = source.wish;
  target.limit = std::min(target.limit, source.limit);
  target.isCut |= source.isCut;
  for (int along : {0, 1})
    target.hasAlong[along] |= source.hasAlong[along];
}

void LayoutClasses::wishVector(Value tile, int64_t columns) {
  add(tile);
  Facts &own = facts[find(tile)];
  own.wish = own.wish ? std::min(own.wish, columns) : columns;
}

void LayoutClasses::cutAt(Value tile, int64_t column) {
  add(tile);
  Facts &own = facts[find(tile)];
  while (own.limit > 1 && column % (grid.columns * own.limit))
    own.limit /= 2;
  own.isCut |= column % grid.getCutMultiple() != 0;
}

void LayoutClasses::setAlong(Value vector, int64_t along) {
  add(vector);
  facts[find(vector)].hasAlong[along] = true;
}

FailureOr<Attribute> LayoutClasses::getLayout(Value tile) {
  const Facts &own = facts[find(tile)];
  MLIRContext *context = tile.getContext();
  if (own.isCut)
    return emitError(tile.getLoc())
           << "columns of tiles must be cut at multiples of "
           << grid.getCutMultiple() << " on GPUs, which those of "
           << tile.getType() << " are not";
  if (own.hasAlong[0] && own.hasAlong[1])
    return emitError(tile.getLoc())
           << "a vector, " << tile.getType()
           << ", is used along rows and along columns, which GPUs do not "
              "support; compute it twice";
  int64_t vector = grid.isForMatrices
                       ? 2
                       : std::min(own.limit, std::max<int64_t>(own.wish, 1));
  bool isRows = tileOf(tile).getRank() == 1 && !own.hasAlong[0];
  auto registers =
      tile::RegistersAttr::get(context, grid.rows, grid.columns,
                               isRows ? 1 : vector, grid.isForMatrices);
  if (tileOf(tile).getRank() == 2)
    return Attribute(registers);
  return Attribute(tile::SliceAttr::get(context, isRows ? 1 : 0, registers));
}
