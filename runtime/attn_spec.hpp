//===- attn_spec.hpp - Specs of attention from C++ lambdas ------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A small builder in C++17, which needs nothing else of the project: lambdas
// over Index, Number and Bool are called once, and what they compute becomes
// the text of a spec. docs/spec.md says what the text means.
//
//   std::string text = attn::attend(64)
//       .mask([](auto b, auto h, auto i, auto j) { return i >= j; }).text();
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_ATTN_SPEC_HPP
#define ATTN_ATTN_SPEC_HPP

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace attn {

/// The text of a region while a lambda runs.
class RegionText {
public:
  explicit RegionText(std::string name) : name(std::move(name)) {}

  /// Appends an op with one result and returns the result's name.
  std::string add(const std::string &op) {
    std::string result = "%" + name + "." + std::to_string(count++);
    lines += "        " + result + " = " + op + "\n";
    return result;
  }

  const std::string &getLines() const { return lines; }

private:
  std::string name, lines;
  int count = 0;
};

using RegionPointer = std::shared_ptr<RegionText>;

/// What Index, Number and Bool have in common: the name of a value of a region,
/// or a constant, which becomes a value where it meets one.
template <typename Derived> class Value {
public:
  Value(RegionPointer region, std::string text)
      : region(std::move(region)), text(std::move(text)) {}

  /// The name of the value in `target`.
  std::string in(const RegionPointer &target) const {
    if (region && region != target)
      throw std::logic_error("expected values of this lambda, got one that "
                             "another lambda computed");
    if (region)
      return text;
    return target->add("arith.constant " + text +
                       (Derived::kind[0] == 'i' && Derived::kind[1] == '1'
                            ? std::string()
                            : std::string(" : ") + Derived::kind));
  }
  const RegionPointer &getRegion() const { return region; }

protected:
  explicit Value(std::string constant) : text(std::move(constant)) {}

private:
  RegionPointer region; ///< Null for constants.
  std::string text;
};

/// The region that one of the operands is a value of.
template <typename A, typename B>
const RegionPointer &regionOf(const A &a, const B &b) {
  if (!a.getRegion() && !b.getRegion())
    throw std::logic_error("expected an operand that depends on an argument of "
                           "the lambda, got two constants");
  return a.getRegion() ? a.getRegion() : b.getRegion();
}

/// An op with two operands of one type.
template <typename Result, typename T>
Result binary(const char *op, const T &a, const T &b) {
  const RegionPointer &region = regionOf(a, b);
  std::string left = a.in(region), right = b.in(region);
  return {region,
          region->add(op + (" " + left) + ", " + right + " : " + T::kind)};
}

/// True or false.
class Bool : public Value<Bool> {
public:
  static constexpr const char *kind = "i1";
  using Value::Value;
  template <typename T,
            typename = std::enable_if_t<std::is_same<T, bool>::value>>
  Bool(T constant) : Value(constant ? "true" : "false") {}

  friend Bool operator&&(const Bool &a, const Bool &b) {
    return binary<Bool>("arith.andi", a, b);
  }
  friend Bool operator||(const Bool &a, const Bool &b) {
    return binary<Bool>("arith.ori", a, b);
  }
  friend Bool operator!(const Bool &a) {
    return binary<Bool>("arith.xori", a, Bool(true));
  }
};

/// A position, a batch, a head, or what is computed from them.
class Index : public Value<Index> {
public:
  static constexpr const char *kind = "index";
  using Value::Value;
  template <typename T,
            typename = std::enable_if_t<std::is_integral<T>::value &&
                                        !std::is_same<T, bool>::value>>
  Index(T constant) : Value(std::to_string(static_cast<int64_t>(constant))) {}

#define ATTN_INDEX_OP(OPERATOR, RESULT, OP)                                    \
  friend RESULT operator OPERATOR(const Index &a, const Index &b) {            \
    return binary<RESULT>(OP, a, b);                                           \
  }
  ATTN_INDEX_OP(+, Index, "arith.addi")
  ATTN_INDEX_OP(-, Index, "arith.subi")
  ATTN_INDEX_OP(*, Index, "arith.muli")
  ATTN_INDEX_OP(/, Index, "arith.divsi") // Towards zero, as in C++.
  ATTN_INDEX_OP(%, Index, "arith.remsi")
  ATTN_INDEX_OP(<, Bool, "arith.cmpi slt,")
  ATTN_INDEX_OP(<=, Bool, "arith.cmpi sle,")
  ATTN_INDEX_OP(>, Bool, "arith.cmpi sgt,")
  ATTN_INDEX_OP(>=, Bool, "arith.cmpi sge,")
  ATTN_INDEX_OP(==, Bool, "arith.cmpi eq,")
  ATTN_INDEX_OP(!=, Bool, "arith.cmpi ne,")
#undef ATTN_INDEX_OP
  friend Index min(const Index &a, const Index &b) {
    return binary<Index>("arith.minsi", a, b);
  }
  friend Index max(const Index &a, const Index &b) {
    return binary<Index>("arith.maxsi", a, b);
  }
};

/// A score, a weight, or what is computed from them.
class Number : public Value<Number> {
public:
  static constexpr const char *kind = "f32";
  using Value::Value;
  template <typename T,
            typename = std::enable_if_t<std::is_arithmetic<T>::value &&
                                        !std::is_same<T, bool>::value>>
  Number(T constant) : Value(print(static_cast<double>(constant))) {}

#define ATTN_NUMBER_OP(OPERATOR, RESULT, OP)                                   \
  friend RESULT operator OPERATOR(const Number &a, const Number &b) {          \
    return binary<RESULT>(OP, a, b);                                           \
  }
  ATTN_NUMBER_OP(+, Number, "arith.addf")
  ATTN_NUMBER_OP(-, Number, "arith.subf")
  ATTN_NUMBER_OP(*, Number, "arith.mulf")
  ATTN_NUMBER_OP(/, Number, "arith.divf")
  ATTN_NUMBER_OP(<, Bool, "arith.cmpf olt,")
  ATTN_NUMBER_OP(<=, Bool, "arith.cmpf ole,")
  ATTN_NUMBER_OP(>, Bool, "arith.cmpf ogt,")
  ATTN_NUMBER_OP(>=, Bool, "arith.cmpf oge,")
  ATTN_NUMBER_OP(==, Bool, "arith.cmpf oeq,")
  ATTN_NUMBER_OP(!=, Bool, "arith.cmpf une,")
#undef ATTN_NUMBER_OP
  friend Number operator-(const Number &a) { return a.apply("arith.negf"); }
  friend Number min(const Number &a, const Number &b) {
    return binary<Number>("arith.minimumf", a, b);
  }
  friend Number max(const Number &a, const Number &b) {
    return binary<Number>("arith.maximumf", a, b);
  }
  friend Number pow(const Number &a, const Number &b) {
    return binary<Number>("math.powf", a, b);
  }
#define ATTN_NUMBER_FUNCTION(NAME, OP)                                         \
  friend Number NAME(const Number &a) { return a.apply(OP); }
  ATTN_NUMBER_FUNCTION(abs, "math.absf")
  ATTN_NUMBER_FUNCTION(cos, "math.cos")
  ATTN_NUMBER_FUNCTION(exp, "math.exp")
  ATTN_NUMBER_FUNCTION(exp2, "math.exp2")
  ATTN_NUMBER_FUNCTION(floor, "math.floor")
  ATTN_NUMBER_FUNCTION(log, "math.log")
  ATTN_NUMBER_FUNCTION(log2, "math.log2")
  ATTN_NUMBER_FUNCTION(sin, "math.sin")
  ATTN_NUMBER_FUNCTION(sqrt, "math.sqrt")
  ATTN_NUMBER_FUNCTION(tanh, "math.tanh")
#undef ATTN_NUMBER_FUNCTION

private:
  Number apply(const char *op) const {
    const RegionPointer &region = regionOf(*this, *this);
    return {region, region->add(op + (" " + in(region)) + " : f32")};
  }

  /// All digits of a number; as bits where it has none.
  static std::string print(double value) {
    if (std::isnan(value))
      return "0x7FC00000";
    if (std::isinf(value))
      return value > 0 ? "0x7F800000" : "0xFF800000";
    char digits[40];
    std::snprintf(digits, sizeof(digits), "%.17e", value);
    return digits;
  }
};

/// `a` where the condition holds, else `b`.
template <typename T>
T selectValue(const Bool &condition, const T &a, const T &b) {
  const RegionPointer &region =
      condition.getRegion() ? condition.getRegion() : regionOf(a, b);
  std::string test = condition.in(region), left = a.in(region);
  return {region, region->add("arith.select " + test + ", " + left + ", " +
                              b.in(region) + " : " + T::kind)};
}
inline Number select(const Bool &condition, const Number &a, const Number &b) {
  return selectValue(condition, a, b);
}
inline Index select(const Bool &condition, const Index &a, const Index &b) {
  return selectValue(condition, a, b);
}

/// An index as a number.
inline Number toNumber(const Index &index) {
  const RegionPointer &region = regionOf(index, index);
  std::string wide =
      region->add("arith.index_cast " + index.in(region) + " : index to i64");
  return {region, region->add("arith.sitofp " + wide + " : i64 to f32")};
}

/// A tensor that regions read: an argument after q, k and v. Calling it with
/// one index per dimension reads an element; outside of the tensor it is zero.
template <typename Element> class Captured {
public:
  Captured(std::string name, std::string type)
      : name(std::move(name)), type(std::move(type)) {}

  template <typename... Indices> Element operator()(Indices... given) const {
    std::vector<Index> indices = {Index(given)...};
    RegionPointer region;
    for (const Index &index : indices)
      if (index.getRegion())
        region = index.getRegion();
    if (!region)
      throw std::logic_error("expected an index of the lambda's arguments for "
                             "captured tensor '" +
                             name + "', got constants");
    std::string list;
    for (const Index &index : indices)
      list += (list.empty() ? "" : ", ") + index.in(region);
    std::string read =
        region->add("tensor.extract %" + name + "[" + list + "] : " + type);
    if constexpr (std::is_same<Element, Index>::value)
      read = region->add("arith.index_cast " + read + " : i32 to index");
    return {region, read};
  }

private:
  std::string name, type;
};

/// A spec of `attn.attend`. Regions that are not given are left out.
class Attend {
public:
  /// The numbers of features of q and k, and of v.
  explicit Attend(int64_t features, int64_t valueFeatures = 0)
      : features(features),
        valueFeatures(valueFeatures ? valueFeatures : features) {}

  /// Which keys j query i sees: a Bool of (b, h, i, j).
  template <typename F> Attend &mask(F &&region) {
    return addPairs("mask", [&](const RegionPointer &text) {
      return Bool(call(region, text)).in(text) + " : i1";
    });
  }

  /// The score of a pair: a Number of (s, b, h, i, j), s being scale * <q, k>.
  template <typename F> Attend &score(F &&region) {
    return addWeights("score", "s", region);
  }

  /// What multiplies v: a Number of (p, b, h, i, j), p being the weight.
  template <typename F> Attend &prob(F &&region) {
    return addWeights("prob", "p", region);
  }

  /// The factor of <q, k>; 1 / sqrt(features) if it is not given.
  Attend &scale(double factor) {
    char digits[40];
    std::snprintf(digits, sizeof(digits), "%.17e", factor);
    scaleText = std::string(" scale(") + digits + ")";
    return *this;
  }

  /// "softmax", "sum" or "none".
  Attend &normalizer(const std::string &name) {
    normalizerText = " normalizer(" + name + ")";
    return *this;
  }

  /// Queries and keys may differ in number. "start": query 0 stands beside key
  /// 0; "end": the last query stands beside the last key, as in decoding.
  Attend &alignment(const std::string &side) {
    alignmentText = " alignment(" + side + ")";
    return *this;
  }

  /// Returns the logarithm of the sum of exponentials as well, as `lse`.
  Attend &lse() {
    hasLse = true;
    return *this;
  }

  /// Captured f32 or i32 tensors. `dims` has a name for each dimension; equal
  /// names, also B, H, Hk, N of q, k and v, are equal sizes.
  Captured<Number> numbers(const std::string &name,
                           const std::vector<std::string> &dims) {
    return {name, addCapture(name, dims, "f32")};
  }
  Captured<Index> integers(const std::string &name,
                           const std::vector<std::string> &dims) {
    return {name, addCapture(name, dims, "i32")};
  }

  /// The spec: a function of q, k, v and the captured tensors.
  std::string text(const std::string &function = "attend") const {
    std::string keys = alignmentText.empty() ? "N" : "M";
    std::string q = type(features), v = type(valueFeatures);
    std::string results = v + (hasLse ? ", tensor<?x?x?xf32>" : "");
    return "func.func @" + function + "(\n    " +
           argument("q", q, {"B", "H", "N", "D"}) + ",\n    " +
           argument("k", q, {"B", "Hk", keys, "D"}) + ",\n    " +
           argument("v", v, {"B", "Hk", keys, "E"}) + captures + ")\n    -> (" +
           v + " {attn.name = \"out\"}" +
           (hasLse ? ", tensor<?x?x?xf32> {attn.name = \"lse\"}" : "") +
           ") {\n  %out" + (hasLse ? ", %lse" : "") +
           " = attn.attend %q, %k, %v" + scaleText + alignmentText +
           normalizerText + regions + "\n      : " + q + ", " + q + ", " + v +
           " -> " + results + "\n  return %out" + (hasLse ? ", %lse" : "") +
           " : " + results + "\n}\n";
  }

private:
  static std::string type(int64_t size) {
    return "tensor<?x?x?x" + std::to_string(size) + "xf32>";
  }

  static std::string argument(const std::string &name, const std::string &type,
                              const std::vector<std::string> &dims) {
    std::string list;
    for (const std::string &dim : dims)
      list += (list.empty() ? "\"" : ", \"") + dim + "\"";
    return "%" + name + ": " + type + " {attn.name = \"" + name +
           "\", attn.dims = [" + list + "]}";
  }

  std::string addCapture(const std::string &name,
                         const std::vector<std::string> &dims,
                         const std::string &element) {
    std::string tensor = "tensor<";
    for (size_t i = 0; i < dims.size(); ++i)
      tensor += "?x";
    tensor += element + ">";
    captures += ",\n    " + argument(name, tensor, dims);
    return tensor;
  }

  /// Calls the lambda of a pair region, with `first` before the indices.
  template <typename F, typename... First>
  static auto call(F &region, const RegionPointer &text,
                   const First &...first) {
    return region(first..., Index(text, "%at.b"), Index(text, "%at.h"),
                  Index(text, "%at.i"), Index(text, "%at.j"));
  }

  template <typename F> Attend &addPairs(const std::string &name, F &&build) {
    return addRegion(name, "", build);
  }

  template <typename F>
  Attend &addWeights(const std::string &name, const std::string &first,
                     F &region) {
    std::string value = "%at." + first;
    return addRegion(name, value + ": f32, ", [&](const RegionPointer &text) {
      return Number(call(region, text, Number(text, value))).in(text) +
             " : f32";
    });
  }

  template <typename F>
  Attend &addRegion(const std::string &name, const std::string &arguments,
                    F &&build) {
    auto text = std::make_shared<RegionText>(name);
    std::string yielded = build(text);
    regions += "\n      " + name + " (" + arguments +
               "%at.b, %at.h, %at.i, %at.j) {\n" + text->getLines() +
               "        attn.yield " + yielded + "\n      }";
    return *this;
  }

  int64_t features, valueFeatures;
  std::string captures, regions, scaleText, alignmentText, normalizerText;
  bool hasLse = false;
};

/// Begins a spec: attn::attend(64).mask(...).score(...).text().
inline Attend attend(int64_t features, int64_t valueFeatures = 0) {
  return Attend(features, valueFeatures);
}

} // namespace attn

#endif // ATTN_ATTN_SPEC_HPP
