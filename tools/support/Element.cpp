//===- Element.cpp - Numbers of every element type ------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tools/support/Element.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/ErrorHandling.h"
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

using namespace attn;

namespace {
/// A binary floating-point format: bits of the significand with the leading
/// one, exponent of the smallest normal number, and the largest number.
struct Format {
  int precision;
  int lowestExponent;
  double largest;
};
} // namespace

static Format getFormat(ElementType type) {
  switch (type) {
  case ElementType::F16:
    return {11, -14, 65504.0};
  case ElementType::BF16:
    return {8, -126, 0x1.fep127};
  case ElementType::F32:
    return {24, -126, std::numeric_limits<float>::max()};
  default:
    return {53, -1022, std::numeric_limits<double>::max()};
  }
}

bool attn::isFloat(ElementType type) {
  return type == ElementType::F64 || type == ElementType::F32 ||
         type == ElementType::F16 || type == ElementType::BF16;
}

double attn::getEpsilon(ElementType type) {
  return std::ldexp(1.0, 1 - getFormat(type).precision);
}

double attn::roundTo(ElementType type, double value) {
  if (!isFloat(type))
    return std::trunc(value);
  if (type == ElementType::F64 || value == 0 || !std::isfinite(value))
    return value;
  if (type == ElementType::F32)
    return static_cast<float>(value);
  Format format = getFormat(type);
  int lastBit = std::max(std::ilogb(value), format.lowestExponent) -
                (format.precision - 1);
  double rounded =
      std::ldexp(std::nearbyint(std::ldexp(value, -lastBit)), lastBit);
  if (std::abs(rounded) > format.largest)
    return std::copysign(std::numeric_limits<double>::infinity(), value);
  return rounded;
}

/// A float16 is widened by moving its bits into a float32, whose exponent range
/// then needs a factor of 2^112; infinities and NaN keep their meaning.
static double loadF16(uint16_t bits) {
  uint32_t magnitude = bits & 0x7fff;
  float value = llvm::bit_cast<float>(magnitude << 13) * 0x1p112f;
  if (magnitude >= 0x7c00)
    value = llvm::bit_cast<float>(0x7f800000u | (magnitude & 0x3ff) << 13);
  return bits & 0x8000 ? -value : value;
}

/// The bits of a number that is a float16 already.
static uint16_t storeF16(double rounded) {
  uint16_t sign = std::signbit(rounded) ? 0x8000 : 0;
  if (std::isnan(rounded))
    return sign | 0x7e00;
  if (std::isinf(rounded))
    return sign | 0x7c00;
  float scaled = static_cast<float>(std::abs(rounded)) * 0x1p-112f;
  return sign | static_cast<uint16_t>(llvm::bit_cast<uint32_t>(scaled) >> 13);
}

template <typename T> static double loadAs(const char *from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return static_cast<double>(value);
}

template <typename T> static void storeAs(char *to, T value) {
  std::memcpy(to, &value, sizeof(T));
}

double attn::loadElement(ElementType type, const char *from) {
  switch (type) {
  case ElementType::F64:
    return loadAs<double>(from);
  case ElementType::F32:
    return loadAs<float>(from);
  case ElementType::F16:
    return loadF16(static_cast<uint16_t>(loadAs<uint16_t>(from)));
  case ElementType::BF16:
    return llvm::bit_cast<float>(static_cast<uint32_t>(loadAs<uint16_t>(from))
                                 << 16);
  case ElementType::I64:
    return loadAs<int64_t>(from);
  case ElementType::I32:
    return loadAs<int32_t>(from);
  case ElementType::I16:
    return loadAs<int16_t>(from);
  case ElementType::I8:
    return loadAs<int8_t>(from);
  case ElementType::I1:
    return *from != 0;
  }
  llvm_unreachable("unknown element type");
}

void attn::storeElement(ElementType type, char *to, double value) {
  switch (type) {
  case ElementType::F64:
    return storeAs<double>(to, value);
  case ElementType::F32:
    return storeAs<float>(to, value);
  case ElementType::F16:
    return storeAs<uint16_t>(to, storeF16(value));
  case ElementType::BF16:
    return storeAs<uint16_t>(
        to, llvm::bit_cast<uint32_t>(static_cast<float>(value)) >> 16);
  case ElementType::I64:
    return storeAs<int64_t>(to, value);
  case ElementType::I32:
    return storeAs<int32_t>(to, value);
  case ElementType::I16:
    return storeAs<int16_t>(to, value);
  case ElementType::I8:
    return storeAs<int8_t>(to, value);
  case ElementType::I1:
    *to = value != 0;
    return;
  }
  llvm_unreachable("unknown element type");
}
