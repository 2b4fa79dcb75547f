//===- ExpandMathTest.cpp - Accuracy of the CPU's math functions -*- C++
//-*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Compiles loops over vectors with each function, runs them on bit patterns
// spread over the whole type, and compares with the C library in a wider type.
// With ATTN_TEST_FULL=1 in the environment every f32 is tried and the largest
// errors, those of docs/math.md, are printed. They are also properties in the
// XML output of the tests.
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/ExpandMath.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/ExecutionEngine/CRunnerUtils.h"
#include "mlir/ExecutionEngine/ExecutionEngine.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"

#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/TargetParser/Host.h"

#include "gtest/gtest.h"

#include <cmath>
#include <cstdlib>

using namespace mlir;

namespace {

//===----------------------------------------------------------------------===//
// Compiling
//===----------------------------------------------------------------------===//

/// A function that applies `body` (of %x, giving %y) to every element.
std::string loopOver(StringRef name, StringRef body, StringRef from,
                     StringRef to, int width) {
  return llvm::formatv(
      R"(
    func.func @{0}(%in: memref<?x{2}>, %out: memref<?x{3}>)
        attributes {{llvm.emit_c_interface} {{
      %zero = arith.constant 0 : index
      %step = arith.constant {4} : index
      %size = memref.dim %in, %zero : memref<?x{2}>
      scf.for %i = %zero to %size step %step {{
        %x = vector.load %in[%i] : memref<?x{2}>, vector<{4}x{2}>
        %y = {1} : vector<{4}x{2}> {5}
        vector.store %y, %out[%i] : memref<?x{3}>, vector<{4}x{3}>
      }
      return
    })",
      name, body, from, to, width,
      from == to ? std::string()
                 : llvm::formatv("to vector<{0}x{1}>", width, to).str());
}

/// The functions under test, compiled with the given options.
class CompiledFunctions {
public:
  CompiledFunctions(StringRef source, const attn::CpuMathOptions &options) {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
    context.loadDialect<func::FuncDialect, LLVM::LLVMDialect, math::MathDialect,
                        memref::MemRefDialect, scf::SCFDialect,
                        vector::VectorDialect>();
    registerBuiltinDialectTranslation(context);
    registerLLVMDialectTranslation(context);
    OwningOpRef<ModuleOp> module =
        parseSourceString<ModuleOp>(source, &context);
    if (!module || failed(lower(*module, options)))
      return;
    ExecutionEngineOptions engineOptions;
    engineOptions.jitCodeGenOptLevel = llvm::CodeGenOptLevel::Default;
    auto created = ExecutionEngine::create(*module, engineOptions);
    if (created)
      engine = std::move(*created);
    else
      ADD_FAILURE() << llvm::toString(created.takeError());
  }

  /// Applies the function to `input`, whose size is a multiple of 16.
  template <typename From, typename To>
  void run(StringRef name, ArrayRef<From> input,
           MutableArrayRef<To> output) const {
    ASSERT_NE(engine, nullptr) << "the functions did not compile";
    auto symbol = engine->lookup(("_mlir_ciface_" + name).str());
    ASSERT_TRUE(bool(symbol)) << llvm::toString(symbol.takeError());
    auto size = static_cast<int64_t>(input.size());
    auto *data = const_cast<From *>(input.data());
    StridedMemRefType<From, 1> in{data, data, 0, {size}, {1}};
    StridedMemRefType<To, 1> out{output.data(), output.data(), 0, {size}, {1}};
    using Function =
        void(StridedMemRefType<From, 1> *, StridedMemRefType<To, 1> *);
    reinterpret_cast<Function *>(*symbol)(&in, &out);
  }

private:
  static LogicalResult lower(ModuleOp module,
                             const attn::CpuMathOptions &options) {
    PassManager passes(module.getContext());
    passes.addPass(attn::createExpandMathPass(options));
    passes.addPass(createSCFToControlFlowPass());
    passes.addPass(createConvertVectorToLLVMPass());
    passes.addPass(createConvertMathToLLVMPass());
    passes.addPass(createFinalizeMemRefToLLVMConversionPass());
    passes.addPass(createConvertFuncToLLVMPass());
    passes.addPass(createConvertControlFlowToLLVMPass());
    passes.addPass(createConvertIndexToLLVMPass());
    passes.addPass(createArithToLLVMConversionPass());
    passes.addPass(createReconcileUnrealizedCastsPass());
    return passes.run(module);
  }

  MLIRContext context;
  std::unique_ptr<ExecutionEngine> engine;
};

//===----------------------------------------------------------------------===//
// Functions, their true values and their bounds
//===----------------------------------------------------------------------===//

/// How a function of type T (f32 or f64) is checked, in the wider type W.
template <typename W> struct Expectation {
  const char *name;
  W (*exact)(W);
  double maxUlp;
  /// Results below the smallest normal number may be anything from zero to it.
  bool mayFlush;
};

using Expectation32 = Expectation<double>;
using Expectation64 = Expectation<long double>;

const Expectation32 expectations32[] = {
    {"exp2", [](double x) { return std::exp2(x); }, 1.75, true},
    {"exp", [](double x) { return std::exp(x); }, 2.0, true},
    {"expm1", [](double x) { return std::expm1(x); }, 1.5, false},
    {"log", [](double x) { return std::log(x); }, 1.0, false},
    {"log2", [](double x) { return std::log2(x); }, 2.0, false},
    {"log1p", [](double x) { return std::log1p(x); }, 1.0, false},
    {"tanh", [](double x) { return std::tanh(x); }, 3.0, false},
};

const Expectation64 expectations64[] = {
    {"exp2", [](long double x) { return std::exp2(x); }, 1.1, true},
    {"exp", [](long double x) { return std::exp(x); }, 1.1, true},
    {"expm1", [](long double x) { return std::expm1(x); }, 2.0, false},
    {"log", [](long double x) { return std::log(x); }, 1.0, false},
    {"log2", [](long double x) { return std::log2(x); }, 2.0, false},
    {"log1p", [](long double x) { return std::log1p(x); }, 1.0, false},
    {"tanh", [](long double x) { return std::tanh(x); }, 3.0, false},
};

/// All functions above on both types, plus some that libm computes.
std::string allFunctions() {
  std::string source;
  for (auto [type, width] : {std::pair("f32", 16), std::pair("f64", 8)})
    for (const char *name : {"exp2", "exp", "expm1", "log", "log2", "log1p",
                             "tanh", "erf", "sin", "rsqrt"})
      source +=
          loopOver(llvm::formatv("{0}_{1}", name, type).str(),
                   llvm::formatv("math.{0} %x", name).str(), type, type, width);
  return source;
}

//===----------------------------------------------------------------------===//
// Measuring
//===----------------------------------------------------------------------===//

/// Error of `got` in units in the last place of `exact` in T.
template <typename T, typename W> double ulpError(T got, W exact) {
  if (std::isnan(exact))
    return std::isnan(got) ? 0 : HUGE_VAL;
  const T rounded = static_cast<T>(exact);
  if (std::isinf(rounded) || std::isinf(got) || std::isnan(got))
    return rounded == got ? 0 : HUGE_VAL;
  int exponent = std::numeric_limits<T>::min_exponent - 1;
  if (std::fabs(rounded) > std::numeric_limits<T>::min())
    exponent = std::ilogb(exact);
  W difference = std::fabs(static_cast<W>(got) - exact);
  return static_cast<double>(
      std::ldexp(difference, std::numeric_limits<T>::digits - 1 - exponent));
}

/// The largest error over some inputs, and where it is.
struct WorstError {
  double ulp = 0;
  double at = 0;

  template <typename T, typename W>
  void update(const Expectation<W> &function, T x, T got) {
    W exact = function.exact(static_cast<W>(x));
    const T smallest = std::numeric_limits<T>::min();
    if (function.mayFlush && exact < static_cast<W>(smallest) && got >= 0 &&
        got <= smallest)
      return;
    double error = ulpError(got, exact);
    if (!(error <= ulp)) {
      ulp = error;
      at = static_cast<double>(x);
    }
  }
};

/// Whether every f32 is to be tried.
bool wantsAll() {
  const char *value = std::getenv("ATTN_TEST_FULL");
  return value && StringRef(value) == "1";
}

/// Runs the function on `count` bit patterns of unsigned type U, spread over
/// all of them.
template <typename T, typename U, typename W>
WorstError measure(const CompiledFunctions &compiled, StringRef suffix,
                   const Expectation<W> &function, uint64_t count) {
  constexpr uint64_t block = 1 << 14;
  const U stride = static_cast<U>(std::numeric_limits<U>::max() / count | 1);
  std::vector<T> in(block), out(block);
  WorstError worst;
  for (uint64_t first = 0; first < count; first += block) {
    for (uint64_t i = 0; i < block; ++i)
      in[i] = llvm::bit_cast<T>(static_cast<U>((first + i) * stride));
    compiled.run<T, T>((function.name + suffix).str(), in, out);
    for (uint64_t i = 0; i < block; ++i)
      worst.update(function, in[i], out[i]);
  }
  return worst;
}

template <typename T, typename U, typename W>
void expectAccurate(const attn::CpuMathOptions &options, StringRef suffix,
                    ArrayRef<Expectation<W>> functions, uint64_t count,
                    double allowance = 0) {
  CompiledFunctions compiled(allFunctions(), options);
  for (const Expectation<W> &function : functions) {
    WorstError worst = measure<T, U>(compiled, suffix, function, count);
    EXPECT_LE(worst.ulp, function.maxUlp + allowance)
        << function.name << suffix.str() << " at " << worst.at;
    testing::Test::RecordProperty((function.name + suffix).str(),
                                  std::to_string(worst.ulp));
    if (wantsAll())
      llvm::errs() << llvm::formatv("{0}{1}: {2:f4} ulp at {3}\n",
                                    function.name, suffix, worst.ulp, worst.at);
  }
}

bool hostHas(ArrayRef<StringRef> features) {
  llvm::StringMap<bool> host = llvm::sys::getHostCPUFeatures();
  return llvm::all_of(features,
                      [&](StringRef feature) { return host.lookup(feature); });
}

uint64_t count32(uint64_t usual) {
  return wantsAll() ? uint64_t(1) << 32 : usual;
}

uint64_t count64(uint64_t usual) {
  return wantsAll() ? uint64_t(1) << 28 : usual;
}

TEST(ExpandMath, functions_f32_fma) {
  // The inner loop of softmax gets the most.
  ArrayRef<Expectation32> all(expectations32);
  expectAccurate<float, uint32_t>({}, "_f32", all.take_front(1),
                                  count32(1 << 24));
  expectAccurate<float, uint32_t>({}, "_f32", all.drop_front(1),
                                  count32(1 << 20));
}

// Without FMA the sums of products round twice.
TEST(ExpandMath, functions_f32_without_fma) {
  expectAccurate<float, uint32_t>({.hasFma = false}, "_f32",
                                  ArrayRef<Expectation32>(expectations32),
                                  count32(1 << 19), 0.5);
}

TEST(ExpandMath, functions_f64_fma) {
  expectAccurate<double, uint64_t>(
      {}, "_f64", ArrayRef<Expectation64>(expectations64), count64(1 << 18));
}

TEST(ExpandMath, functions_f64_without_fma) {
  expectAccurate<double, uint64_t>({.hasFma = false}, "_f64",
                                   ArrayRef<Expectation64>(expectations64),
                                   count64(1 << 16), 0.5);
}

TEST(ExpandMath, exp2_avx512) {
  if (!hostHas({"avx512f", "avx512dq", "avx512vl"}))
    GTEST_SKIP() << "needs AVX-512";
  Expectation32 single = expectations32[0];
  Expectation64 wide = expectations64[0];
  // The fraction of a small negative argument is rounded.
  single.maxUlp = wide.maxUlp = 1.75;
  attn::CpuMathOptions options{.hasAvx512 = true};
  expectAccurate<float, uint32_t>(options, "_f32", ArrayRef(single),
                                  count32(1 << 22));
  expectAccurate<double, uint64_t>(options, "_f64", ArrayRef(wide),
                                   count64(1 << 18));
}

//===----------------------------------------------------------------------===//
// Dense ranges and special values
//===----------------------------------------------------------------------===//

/// Evenly spaced arguments where the results matter most: bit patterns alone
/// have few f64 of moderate size.
TEST(ExpandMath, functions_f64_moderate_arguments) {
  CompiledFunctions compiled(allFunctions(), {});
  constexpr size_t count = 1 << 16;
  std::vector<double> in(count), out(count);
  for (const Expectation64 &function : expectations64) {
    WorstError worst;
    bool isLog = StringRef(function.name).starts_with("log");
    for (double reach : {0.7, 3.0, 40.0, 1060.0}) {
      for (size_t i = 0; i < count; ++i) {
        in[i] = reach * (2.0 * static_cast<double>(i) / count - 1);
        if (isLog)
          in[i] = std::exp2(in[i]);
      }
      compiled.run<double, double>(std::string(function.name) + "_f64", in,
                                   out);
      for (size_t i = 0; i < count; ++i)
        worst.update(function, in[i], out[i]);
    }
    EXPECT_LE(worst.ulp, function.maxUlp)
        << function.name << " at " << worst.at;
    RecordProperty(function.name, std::to_string(worst.ulp));
  }
}

/// Arguments whose results have no tolerance, and neighbours of the limits.
template <typename T> std::vector<T> specialArguments() {
  using Limits = std::numeric_limits<T>;
  std::vector<T> values = {0,
                           1,
                           Limits::infinity(),
                           Limits::max(),
                           Limits::min(),
                           Limits::denorm_min()};
  for (T limit : {T(88), T(126), T(126.5), T(127), T(127.5), T(128), T(150),
                  T(709), T(1022), T(1023), T(1024), T(1080)})
    for (T value : {std::nextafter(limit, T(0)), limit,
                    std::nextafter(limit, Limits::infinity())})
      values.push_back(value);
  for (size_t i = 0, count = values.size(); i < count; ++i)
    values.push_back(-values[i]);
  for (int payload : {0, 1, 0x1ff, 0x12345})
    values.push_back(std::nan(std::to_string(payload).c_str()));
  while (values.size() % 16)
    values.push_back(1);
  return values;
}

template <typename T, typename W>
void expectSpecialValues(const CompiledFunctions &compiled, StringRef suffix,
                         ArrayRef<Expectation<W>> functions) {
  std::vector<T> in = specialArguments<T>(), out(in.size());
  for (const Expectation<W> &function : functions) {
    compiled.run<T, T>((function.name + suffix).str(), in, out);
    for (auto [x, y] : llvm::zip_equal(in, out)) {
      WorstError error;
      error.update(function, x, y);
      EXPECT_LE(error.ulp, function.maxUlp)
          << function.name << suffix.str() << " of " << x << " is " << y;
      // An odd function keeps the sign of zero.
      if (x == 0 && function.exact(0) == 0 && function.exact(2) != 1)
        EXPECT_EQ(std::signbit(y), std::signbit(x)) << function.name;
    }
  }
}

void expectSpecialValues(const attn::CpuMathOptions &options) {
  CompiledFunctions compiled(allFunctions(), options);
  expectSpecialValues<float>(compiled, "_f32",
                             ArrayRef<Expectation32>(expectations32));
  expectSpecialValues<double>(compiled, "_f64",
                              ArrayRef<Expectation64>(expectations64));
}

TEST(ExpandMath, special_values) { expectSpecialValues({}); }

TEST(ExpandMath, special_values_avx512) {
  if (!hostHas({"avx512f", "avx512dq", "avx512vl"}))
    GTEST_SKIP() << "needs AVX-512";
  expectSpecialValues({.hasAvx512 = true});
}

/// What softmax relies on, with or without AVX-512.
TEST(ExpandMath, exp2_exact_results) {
  for (bool avx512 : {false, true}) {
    if (avx512 && !hostHas({"avx512f", "avx512dq", "avx512vl"}))
      continue;
    CompiledFunctions compiled(allFunctions(), {.hasAvx512 = avx512});
    std::vector<float> in(256), out(256);
    for (int i = 0; i < 256; ++i)
      in[i] = static_cast<float>(i - 126);
    in[255] = -std::numeric_limits<float>::infinity();
    compiled.run<float, float>("exp2_f32", in, out);
    for (int i = 0; i < 254; ++i)
      EXPECT_EQ(out[i], std::ldexp(1.0f, i - 126));
    EXPECT_EQ(llvm::bit_cast<uint32_t>(out[255]), 0u);
    in.assign(16, -151.0f);
    compiled.run<float, float>("exp2_f32", in,
                               MutableArrayRef(out).take_front(16));
    EXPECT_EQ(llvm::bit_cast<uint32_t>(out[0]), 0u);
  }
}

TEST(ExpandMath, libm_functions) {
  CompiledFunctions compiled(allFunctions(), {});
  std::vector<float> in(1024), out(1024);
  for (int i = 0; i < 1024; ++i)
    in[i] = 0.01f * static_cast<float>(i + 1);
  const Expectation32 functions[] = {
      {"erf", [](double x) { return std::erf(x); }, 1.5, false},
      {"sin", [](double x) { return std::sin(x); }, 1.5, false},
      {"rsqrt", [](double x) { return 1 / std::sqrt(x); }, 1.5, false}};
  for (const Expectation32 &function : functions) {
    WorstError worst;
    compiled.run<float, float>(std::string(function.name) + "_f32", in, out);
    for (auto [x, y] : llvm::zip_equal(in, out))
      worst.update(function, x, y);
    EXPECT_LE(worst.ulp, function.maxUlp) << function.name;
  }
}

//===----------------------------------------------------------------------===//
// Powers without a library
//===----------------------------------------------------------------------===//

/// `power` of the first half of the input to the second half, on vectors.
constexpr const char *powerLoop = R"(
  func.func @power(%in: memref<?xf32>, %out: memref<?xf32>)
      attributes {llvm.emit_c_interface} {
    %zero = arith.constant 0 : index
    %two = arith.constant 2 : index
    %step = arith.constant 8 : index
    %size = memref.dim %in, %zero : memref<?xf32>
    %half = arith.divui %size, %two : index
    scf.for %i = %zero to %half step %step {
      %j = arith.addi %i, %half : index
      %x = vector.load %in[%i] : memref<?xf32>, vector<8xf32>
      %y = vector.load %in[%j] : memref<?xf32>, vector<8xf32>
      %z = math.powf %x, %y : vector<8xf32>
      vector.store %z, %out[%i] : memref<?xf32>, vector<8xf32>
    }
    return
  })";

/// Compares x[i]^y[i] with the library in f64.
void expectPowers(const CompiledFunctions &compiled, ArrayRef<float> x,
                  ArrayRef<float> y, double maxUlp) {
  std::vector<float> in(x), out(x.size());
  in.insert(in.end(), y.begin(), y.end());
  compiled.run<float, float>("power", in, out);
  double worst = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const double exact = std::pow(double(x[i]), double(y[i]));
    const double error = ulpError(out[i], exact);
    EXPECT_LE(error, maxUlp) << x[i] << " ^ " << y[i] << " is " << out[i];
    if (exact == 0 || std::isinf(static_cast<float>(exact)))
      EXPECT_EQ(std::signbit(out[i]), std::signbit(exact))
          << x[i] << " ^ " << y[i];
    worst = std::max(worst, error);
  }
  testing::Test::RecordProperty("power", std::to_string(worst));
  if (wantsAll())
    llvm::errs() << llvm::formatv("power: {0:f4} ulp\n", worst);
}

/// Any two numbers; then numbers of all sizes, and of moderate ones, whose
/// powers are numbers.
TEST(ExpandMath, powers_f32) {
  CompiledFunctions compiled(powerLoop, {.hasLibm = false});
  const size_t count = wantsAll() ? size_t(1) << 26 : size_t(1) << 18;
  std::vector<float> x(count), y(count);
  for (int kind = 0; kind < 4; ++kind) {
    for (size_t i = 0; i < count; ++i) {
      const auto bits = static_cast<uint32_t>(i * 0x9e3779b9u);
      const auto other = static_cast<uint32_t>(i * 0x85ebca6bu + 12345u);
      x[i] = llvm::bit_cast<float>(bits);
      y[i] = llvm::bit_cast<float>(other);
      if (kind == 0)
        continue;
      x[i] = kind == 1   ? std::fabs(x[i])
             : kind == 2 ? 4 * std::ldexp(static_cast<float>(bits), -32)
                         : 1 + std::ldexp(static_cast<float>(bits), -34);
      const double exponent = (other * 0x1p-31 - 1) * (kind == 3 ? 129 : 151);
      y[i] = static_cast<float>(exponent / std::log2(double(x[i])));
    }
    expectPowers(compiled, x, y, 1.0);
  }
}

TEST(ExpandMath, powers_f32_special_values) {
  CompiledFunctions compiled(powerLoop, {.hasLibm = false});
  constexpr float inf = std::numeric_limits<float>::infinity();
  std::vector<float> values = {0,         1,          2,         3,
                               0.5f,      1.5f,       inf,       0x1p-149f,
                               0x1p-126f, 0x1p127f,   0x1p24f,   0x1.000002p23f,
                               0x1p31f,   0.9999999f, 1.000001f, 255.0f};
  for (size_t i = 0, count = values.size(); i < count; ++i)
    values.push_back(-values[i]);
  for (const char *payload : {"0", "1", "511"})
    values.push_back(std::nanf(payload));
  std::vector<float> x, y;
  for (float base : values)
    for (float exponent : values) {
      x.push_back(base);
      y.push_back(exponent);
    }
  while (x.size() % 16) {
    x.push_back(1);
    y.push_back(1);
  }
  expectPowers(compiled, x, y, 1.0);
}

//===----------------------------------------------------------------------===//
// Small floats
//===----------------------------------------------------------------------===//

/// `x` converted to a small float by APFloat.
template <typename T>
uint16_t rounded(T x, const llvm::fltSemantics &semantics) {
  llvm::APFloat value(x);
  bool losesInfo;
  value.convert(semantics, llvm::APFloat::rmNearestTiesToEven, &losesInfo);
  return static_cast<uint16_t>(value.bitcastToAPInt().getZExtValue());
}

bool isNan(uint16_t bits, const llvm::fltSemantics &semantics) {
  return llvm::APFloat(semantics, llvm::APInt(16, bits)).isNaN();
}

/// Every small float, every middle of two, the neighbours of both in T, and
/// the first `extra` multiples of an odd bit pattern.
template <typename T, typename U>
std::vector<T> roundingArguments(const llvm::fltSemantics &semantics,
                                 uint64_t extra) {
  std::vector<T> values;
  auto addAround = [&](T x) {
    for (T value :
         {std::nextafter(x, T(-HUGE_VAL)), x, std::nextafter(x, T(HUGE_VAL))})
      values.push_back(value);
  };
  auto valueOf = [&](uint32_t bits) {
    llvm::APFloat value(semantics, llvm::APInt(16, bits & 0xffff));
    bool losesInfo;
    value.convert(llvm::APFloat::IEEEdouble(),
                  llvm::APFloat::rmNearestTiesToEven, &losesInfo);
    return static_cast<T>(value.convertToDouble());
  };
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    addAround(valueOf(bits));
    addAround(valueOf(bits) / 2 + valueOf(bits + 1) / 2);
  }
  const U stride = static_cast<U>(0x9e3779b97f4a7c15);
  for (uint64_t i = 0; i < extra; ++i)
    values.push_back(llvm::bit_cast<T>(static_cast<U>(i * stride)));
  values.resize(values.size() / 16 * 16);
  return values;
}

template <typename T, typename U>
void expectRounding(const CompiledFunctions &compiled, StringRef name,
                    const llvm::fltSemantics &semantics) {
  std::vector<T> in = roundingArguments<T, U>(semantics, 1 << 16);
  std::vector<uint16_t> out(in.size());
  compiled.run<T, uint16_t>(name, in, out);
  for (auto [x, y] : llvm::zip_equal(in, out)) {
    uint16_t expected = rounded(x, semantics);
    bool same =
        isNan(expected, semantics) ? isNan(y, semantics) : expected == y;
    ASSERT_TRUE(same) << name.str() << " of " << x << ": expected " << expected
                      << ", got " << y;
  }
}

template <typename T>
void expectExtension(const CompiledFunctions &compiled, StringRef name,
                     const llvm::fltSemantics &semantics) {
  std::vector<uint16_t> in(0x10000);
  std::vector<T> out(in.size());
  for (uint32_t bits = 0; bits < in.size(); ++bits)
    in[bits] = static_cast<uint16_t>(bits);
  compiled.run<uint16_t, T>(name, in, out);
  for (auto [bits, y] : llvm::zip_equal(in, out)) {
    uint16_t back = rounded(y, semantics);
    bool same = isNan(bits, semantics) ? std::isnan(y) : back == bits;
    ASSERT_TRUE(same) << name.str() << " of bits " << bits << ": got " << y;
  }
}

TEST(ExpandMath, small_float_conversions) {
  std::string source;
  for (const char *small : {"f16", "bf16"})
    for (const char *wide : {"f32", "f64"}) {
      source += loopOver(llvm::formatv("{0}_to_{1}", wide, small).str(),
                         "arith.truncf %x", wide, small, 16);
      source += loopOver(llvm::formatv("{0}_to_{1}", small, wide).str(),
                         "arith.extf %x", small, wide, 16);
    }
  CompiledFunctions compiled(source, {.hasF16C = false});
  for (auto [name, semantics] :
       {std::pair(std::string("f16"), &llvm::APFloat::IEEEhalf()),
        std::pair(std::string("bf16"), &llvm::APFloat::BFloat())}) {
    expectRounding<float, uint32_t>(compiled, "f32_to_" + name, *semantics);
    expectRounding<double, uint64_t>(compiled, "f64_to_" + name, *semantics);
    expectExtension<float>(compiled, name + "_to_f32", *semantics);
    expectExtension<double>(compiled, name + "_to_f64", *semantics);
  }
}

} // namespace
