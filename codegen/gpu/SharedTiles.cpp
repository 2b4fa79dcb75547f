//===- SharedTiles.cpp - Tiles in shared memory ---------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/gpu/SharedTiles.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace attn;

tile::SharedAttr attn::getSharedLayout(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type ? dyn_cast_if_present<tile::SharedAttr>(type.getEncoding())
              : tile::SharedAttr();
}

SharedShape attn::getSharedShape(RankedTensorType type) {
  constexpr int64_t columnMultiple = 8;
  return {
      static_cast<int64_t>(llvm::alignTo(type.getDimSize(0), kRowMultiple)),
      static_cast<int64_t>(llvm::alignTo(type.getDimSize(1), columnMultiple))};
}

int64_t attn::getSharedBytes(RankedTensorType type) {
  int64_t row = cast<tile::SharedAttr>(type.getEncoding()).getRow();
  return getSharedShape(type).rows * row * (type.getElementTypeBitWidth() / 8);
}
