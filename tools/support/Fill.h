//===- Fill.h - Reproducible random arguments ----------------- -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Element number n of an argument depends on the seed, the argument's name and
// n only: not on the layout, the other arguments or the machine. (Only the last
// bit of the C library's log, sin and cos may differ; it is gone after rounding
// to an element type, but for f64.)
//
// Random bits are splitmix64 of a counter: Steele, Lea, Flood, "Fast Splittable
// Pseudorandom Number Generators", 2014. Normal numbers come in pairs from the
// transform of Box and Muller.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TOOLS_SUPPORT_FILL_H
#define ATTN_TOOLS_SUPPORT_FILL_H

#include "tools/support/Array.h"
#include "tools/support/Dims.h"

namespace attn {

/// Fills an argument as its port says: "normal" is standard normal, "uniform"
/// in [0, 1), "decay" -0.1 |normal| (the logarithm of a factor a little below
/// one). Integers are uniform in [0, n): "below 8" and "below N" say what n is,
/// the latter by the name of a dimension; else n is the size of the first
/// dimension, so that they are indices into it. "offsets N" are offsets of
/// segments, from 0 to the size of a dimension. i1 is a fair coin.
llvm::Error fillArray(Array &array, const Port &port, const Dims &dims,
                      uint64_t seed);

} // namespace attn

#endif // ATTN_TOOLS_SUPPORT_FILL_H
