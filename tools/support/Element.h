//===- Element.h - Numbers of every element type -------------- -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every element type is handled through float64, which holds the numbers of all
// of them but large 64-bit integers.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TOOLS_SUPPORT_ELEMENT_H
#define ATTN_TOOLS_SUPPORT_ELEMENT_H

#include "runtime/compiler/Compiler.h"

namespace attn {

/// Whether the type is one of the floating-point types.
bool isFloat(ElementType type);

/// The distance from 1 to the next number of a floating-point type.
double getEpsilon(ElementType type);

/// `value` rounded to a type, to nearest even; to an infinity where it is too
/// large. Integers are truncated.
double roundTo(ElementType type, double value);

/// The number at an address, which need not be aligned.
double loadElement(ElementType type, const char *from);

/// Stores a number that roundTo() has brought into the type.
void storeElement(ElementType type, char *to, double value);

} // namespace attn

#endif // ATTN_TOOLS_SUPPORT_ELEMENT_H
