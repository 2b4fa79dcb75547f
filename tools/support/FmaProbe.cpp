//===- FmaProbe.cpp - Measure the FMA peak of this machine ----------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Three loops are timed in turn, in short slices, and the fastest slice of each
// counts:
//   peak   sixteen independent registers: bound by the units;
//   chain  one register, each operation waits for the one before: bound by the
//          latency of an operation;
//   ticks  a chain of integer multiplications, whose latency is three cycles on
//          every x86-64 processor of the last fifteen years: gives the clock.
// The latency of the chain is the whole number of cycles next to chain / ticks,
// and the chain then gives the clock while vector units work, which some
// processors lower. All loops are assembly, so that nothing is optimised away.
//
// An FMA is x = x * x + x, which needs no register besides x and, started at
// -1/2, goes to zero as -1/n: the values stay ordinary numbers. Without FMA it
// is x = x * x and x = x + x, for which 1/2 is a fixed point.
//
//===----------------------------------------------------------------------===//

#include "tools/support/FmaProbe.h"
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>

#if !defined(__x86_64__)
#error "the FMA probe knows x86-64 only"
#endif

using namespace attn;

namespace {

/// Operations per lane in a round of `peak`: sixteen FMAs, or sixteen
/// multiplications and sixteen additions.
constexpr int kFlopsPerLane = 32;

/// Runs the body of a loop `rounds` times.
using Loop = void (*)(uint64_t rounds);

/// The loops for one instruction set and element type.
struct LoopSet {
  const char *isa;
  int lanes;
  Loop peak;
  Loop chain;
};

} // namespace

// One instruction on register N of class R, written for all sixteen registers.
#define ROUND16(OP, R, S)                                                      \
  OP(R, 0, S)                                                                  \
  OP(R, 1, S)                                                                  \
  OP(R, 2, S)                                                                  \
  OP(R, 3, S)                                                                  \
  OP(R, 4, S)                                                                  \
  OP(R, 5, S)                                                                  \
  OP(R, 6, S)                                                                  \
  OP(R, 7, S)                                                                  \
  OP(R, 8, S)                                                                  \
  OP(R, 9, S)                                                                  \
  OP(R, 10, S)                                                                 \
  OP(R, 11, S)                                                                 \
  OP(R, 12, S)                                                                 \
  OP(R, 13, S)                                                                 \
  OP(R, 14, S)                                                                 \
  OP(R, 15, S)

// The same instruction on register 0, sixteen times in a row.
#define REPEAT4(TEXT) TEXT TEXT TEXT TEXT
#define REPEAT16(TEXT) REPEAT4(REPEAT4(TEXT))

#define REGISTER(R, N) "%%" R #N
#define INIT_VEX(R, N, S) "vbroadcasts" S " %[start], " REGISTER(R, N) "\n"
#define FMA(R, N, S)                                                           \
  "vfmadd213p" S " " REGISTER(R, N) "," REGISTER(R, N) "," REGISTER(R, N) "\n"
#define INIT_SSE(R, N, S)                                                      \
  "movs" S " %[start], " REGISTER(                                             \
      R, N) "\n"                                                               \
            "unpcklp" S " " REGISTER(R, N) "," REGISTER(                       \
                R, N) "\n"                                                     \
                      "unpcklpd " REGISTER(R, N) "," REGISTER(R, N) "\n"
#define MUL(R, N, S) "mulp" S " " REGISTER(R, N) "," REGISTER(R, N) "\n"
#define ADD(R, N, S) "addp" S " " REGISTER(R, N) "," REGISTER(R, N) "\n"

#define CLOBBERS                                                               \
  "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",        \
      "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15"

// A function that initialises the registers and then runs BODY in a loop.
#define LOOP(NAME, TYPE, START, INIT, BODY, END)                               \
  static void NAME(uint64_t rounds) {                                          \
    const TYPE start = START;                                                  \
    asm volatile(INIT ".p2align 6\n1:\n" BODY "decq %[rounds]\njnz 1b\n" END   \
                 : [rounds] "+r"(rounds)                                       \
                 : [start] "m"(start)                                          \
                 : CLOBBERS);                                                  \
  }

#define FMA_LOOPS(NAME, TYPE, R, S)                                            \
  LOOP(NAME##Peak, TYPE, -0.5, ROUND16(INIT_VEX, R, S), ROUND16(FMA, R, S),    \
       "vzeroupper\n")                                                         \
  LOOP(NAME##Chain, TYPE, -0.5, ROUND16(INIT_VEX, R, S),                       \
       REPEAT16(FMA(R, 0, S)), "vzeroupper\n")

#define SSE_LOOPS(NAME, TYPE, S)                                               \
  LOOP(NAME##Peak, TYPE, 0.5, ROUND16(INIT_SSE, "xmm", S),                     \
       ROUND16(MUL, "xmm", S) ROUND16(ADD, "xmm", S), "")                      \
  LOOP(NAME##Chain, TYPE, 1.0, ROUND16(INIT_SSE, "xmm", S),                    \
       REPEAT16(MUL("xmm", 0, S)), "")

FMA_LOOPS(avx512F32, float, "zmm", "s")
FMA_LOOPS(avx512F64, double, "zmm", "d")
FMA_LOOPS(avx2F32, float, "ymm", "s")
FMA_LOOPS(avx2F64, double, "ymm", "d")
SSE_LOOPS(sseF32, float, "s")
SSE_LOOPS(sseF64, double, "d")

static void integerTicks(uint64_t rounds) {
  uint64_t value = 3;
  asm volatile(
      "1:\n" REPEAT16("imulq %[value], %[value]\n") "decq %[rounds]\njnz 1b\n"
      : [rounds] "+r"(rounds), [value] "+r"(value)
      :
      : "cc");
}

static LoopSet selectLoops(bool f64) {
  if (__builtin_cpu_supports("avx512f"))
    return f64 ? LoopSet{"avx512", 8, avx512F64Peak, avx512F64Chain}
               : LoopSet{"avx512", 16, avx512F32Peak, avx512F32Chain};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    return f64 ? LoopSet{"avx2", 4, avx2F64Peak, avx2F64Chain}
               : LoopSet{"avx2", 8, avx2F32Peak, avx2F32Chain};
  return f64 ? LoopSet{"sse2", 2, sseF64Peak, sseF64Chain}
             : LoopSet{"sse2", 4, sseF32Peak, sseF32Chain};
}

static double secondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
      .count();
}

/// Lowers `best` to the time of one round if this slice was faster.
static void timeSlice(Loop loop, double &best) {
  // About 20 microseconds: long for the timer, short beside a scheduler's turn.
  constexpr uint64_t rounds = 2000;
  auto start = std::chrono::steady_clock::now();
  loop(rounds);
  best = std::min(best, secondsSince(start) / rounds);
}

double FmaPeak::getModelGflops() const {
  double flopsPerLane = isa == "sse2" ? 1 : 2;
  return ports * lanes * flopsPerLane * clockGhz;
}

FmaPeak attn::measureFmaPeak(bool f64, double seconds) {
  constexpr double none = std::numeric_limits<double>::infinity();
  LoopSet loops = selectLoops(f64);
  double peak = none, chain = none, ticks = none;
  auto start = std::chrono::steady_clock::now();
  do {
    timeSlice(loops.peak, peak);
    timeSlice(loops.chain, chain);
    timeSlice(integerTicks, ticks);
  } while (secondsSince(start) < seconds);

  FmaPeak result;
  result.isa = loops.isa;
  result.lanes = loops.lanes;
  result.gflops = loops.lanes * kFlopsPerLane / peak * 1e-9;
  // An integer multiplication takes three cycles.
  result.latency = std::clamp<int>(std::lround(3 * chain / ticks), 3, 8);
  result.clockGhz = 16 * result.latency / chain * 1e-9;
  result.ports = 1;
  double onePort = result.getModelGflops();
  result.ports = std::max<int>(std::lround(result.gflops / onePort), 1);
  return result;
}
