//===- Linearity.h - Whether a region is linear in an argument -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_DIALECT_LINEARITY_H
#define ATTN_DIALECT_LINEARITY_H

#include "mlir/IR/Region.h"

namespace attn {

/// Whether what `region`, a pair region, yields is proven to be its first
/// argument times something that does not depend on it.
bool isLinearInFirst(mlir::Region &region);

} // namespace attn

#endif // ATTN_DIALECT_LINEARITY_H
