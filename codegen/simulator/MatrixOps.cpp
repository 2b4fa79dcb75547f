//===- MatrixOps.cpp - Loads and products of matrix fragments -------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX spreads a matrix over the lanes of a warp. With g = lane / 4, t = lane %
// 4 and elements of 16 bits, register r of a lane holds
//
//   ldmatrix     matrix r: row g, columns 2t and 2t + 1 (transposed: the row is
//                the column)
//   mma A        row g + 8 (r % 2), columns 2t + 8 (r / 2) and the next
//   mma B        column g, rows 2t + 8 r and the next
//   mma C, D     row g + 8 (r / 2), column 2t + r % 2, 32 bits each
//
// and with elements of 32 bits (tf32) A: row g + 8 (r % 2), column t + 4 (r /
// 2), B: column g, row t + 4 r.
//
//===----------------------------------------------------------------------===//

#include "codegen/simulator/Machine.h"
#include "llvm/ADT/APFloat.h"
#include <bit>

using namespace attn::sim;

using Lanes = llvm::ArrayRef<DeviceThread *>;

static constexpr unsigned kRowBytes = 16;
static constexpr unsigned kMatrixRows = 8;

void Block::loadMatrix(Lanes lanes) {
  llvm::StringRef mode = launch.sites[lanes.front()->site].mode;
  bool isTransposed = mode.ends_with(".trans");
  unsigned matrices = mode[1] - '0';
  uint16_t values[4][kMatrixRows][8];
  std::memset(values, 0xFF, sizeof(values));
  for (DeviceThread *lane : lanes) {
    unsigned matrix = lane->lane / kMatrixRows, row = lane->lane % kMatrixRows;
    if (matrix >= matrices)
      continue;
    char *address = reinterpret_cast<char *>(lane->slots[0]);
    if (access(*lane, lane->site, address, kRowBytes, kRowBytes,
               /*reads=*/true, /*writes=*/false, makeStamp(*lane, lane->site)))
      std::memcpy(values[matrix][row], address, kRowBytes);
  }
  for (DeviceThread *lane : lanes) {
    unsigned g = lane->lane / 4, t = lane->lane % 4;
    for (unsigned i = 0; i < matrices; ++i) {
      uint32_t low = isTransposed ? values[i][2 * t][g] : values[i][g][2 * t];
      uint32_t high =
          isTransposed ? values[i][2 * t + 1][g] : values[i][g][2 * t + 1];
      lane->slots[i] = low | high << 16;
    }
  }
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

static float fromHalf(uint16_t bits) {
  // Exponent and mantissa move to their places in a float; scaling by 2^112
  // corrects the bias, also of numbers below the normal ones.
  uint32_t sign = uint32_t(bits & 0x8000) << 16;
  uint32_t rest = bits & 0x7FFF;
  if (rest >= 0x7C00)
    return std::bit_cast<float>(sign | 0x7F800000 | (rest & 0x3FF) << 13);
  float scaled = std::bit_cast<float>(rest << 13) * 0x1p112f;
  return std::bit_cast<float>(sign | std::bit_cast<uint32_t>(scaled));
}

static float fromBFloat(uint16_t bits) {
  return std::bit_cast<float>(uint32_t(bits) << 16);
}

namespace {
/// The factors and sums of one product, m16n8kK. Products of factors are exact
/// in float64, in which they are added.
struct Product {
  static constexpr unsigned kRows = 16, kColumns = 8, kMostDepth = 16;
  double a[kRows][kMostDepth];
  double b[kMostDepth][kColumns];
  double sums[kRows][kColumns];
  unsigned depth;

  void run() {
    for (unsigned row = 0; row < kRows; ++row)
      for (unsigned k = 0; k < depth; ++k)
        for (unsigned column = 0; column < kColumns; ++column)
          sums[row][column] += a[row][k] * b[k][column];
  }
};
} // namespace

/// The two numbers of 16 bits in a register.
static std::pair<float, float> unpack(int64_t slot, bool isBFloat) {
  uint16_t low = slot, high = slot >> 16;
  if (isBFloat)
    return {fromBFloat(low), fromBFloat(high)};
  return {fromHalf(low), fromHalf(high)};
}

/// Gathers the factors in 16 bits; returns how many registers they take.
static unsigned gather16(Lanes lanes, bool isBFloat, Product &product) {
  unsigned registersA = product.depth / 4, registersB = product.depth / 8;
  for (DeviceThread *lane : lanes) {
    unsigned g = lane->lane / 4, t = lane->lane % 4;
    for (unsigned r = 0; r < registersA; ++r) {
      double *to = &product.a[g + 8 * (r % 2)][2 * t + 8 * (r / 2)];
      std::tie(to[0], to[1]) = unpack(lane->slots[r], isBFloat);
    }
    for (unsigned r = 0; r < registersB; ++r) {
      unsigned k = 2 * t + 8 * r;
      std::tie(product.b[k][g], product.b[k + 1][g]) =
          unpack(lane->slots[registersA + r], isBFloat);
    }
  }
  return registersA + registersB;
}

/// The same for tf32, of which the device ignores the last 13 bits.
static unsigned gather32(Lanes lanes, Product &product) {
  auto read = [](int64_t slot) {
    return std::bit_cast<float>(static_cast<uint32_t>(slot) & ~0x1FFFu);
  };
  unsigned registersA = product.depth / 2, registersB = product.depth / 4;
  for (DeviceThread *lane : lanes) {
    unsigned g = lane->lane / 4, t = lane->lane % 4;
    for (unsigned r = 0; r < registersA; ++r)
      product.a[g + 8 * (r % 2)][t + 4 * (r / 2)] = read(lane->slots[r]);
    for (unsigned r = 0; r < registersB; ++r)
      product.b[t + 4 * r][g] = read(lane->slots[registersA + r]);
  }
  return registersA + registersB;
}

void Block::multiplyMatrix(Lanes lanes) {
  llvm::StringRef mode = launch.sites[lanes.front()->site].mode;
  Product product;
  product.depth = mode.starts_with("m16n8k16") ? 16 : 8;
  unsigned sums = mode.contains(".tf32.")
                      ? gather32(lanes, product)
                      : gather16(lanes, mode.contains(".bf16."), product);
  auto forEachSum = [&](auto visit) {
    for (DeviceThread *lane : lanes)
      for (unsigned r = 0; r < 4; ++r)
        visit(lane, r,
              product.sums[lane->lane / 4 + 8 * (r / 2)]
                          [2 * (lane->lane % 4) + r % 2]);
  };
  forEachSum([&](DeviceThread *lane, unsigned r, double &sum) {
    sum = std::bit_cast<float>(static_cast<uint32_t>(lane->slots[sums + r]));
  });
  product.run();
  forEachSum([&](DeviceThread *lane, unsigned r, double &sum) {
    lane->slots[r] = std::bit_cast<uint32_t>(static_cast<float>(sum));
  });
}
