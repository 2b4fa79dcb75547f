// RUN: attn-opt %s --split-input-file --verify-diagnostics \
// RUN:   --attn-cpu-expand-math | FileCheck %s
// RUN: attn-opt %s --split-input-file --verify-diagnostics \
// RUN:   --attn-cpu-expand-math="fma=false f16c=false" \
// RUN:   | FileCheck %s --check-prefix=BASE
// RUN: attn-opt %s --split-input-file --verify-diagnostics \
// RUN:   --attn-cpu-expand-math="avx512=true avx512bf16=true" \
// RUN:   | FileCheck %s --check-prefix=AVX512

// The limits let NaN pass: the comparison is false and selects %x.
// CHECK-LABEL: func.func @exp2_vector_f32(
// CHECK-SAME:      %[[X:.*]]: vector<16xf32>)
// CHECK-DAG:     %[[LOW:.*]] = arith.constant dense<-1.270000e+02> : vector<16xf32>
// CHECK:         %[[ABOVE:.*]] = arith.cmpf ogt, %[[LOW]], %[[X]]
// CHECK:         arith.select %[[ABOVE]], %[[LOW]], %[[X]]
// CHECK:         arith.shli {{.*}} : vector<16xi32>
// CHECK-NOT:     math.exp2
// CHECK-COUNT-6: math.fma
// CHECK-NOT:     math.
// CHECK:         return
// BASE-LABEL: func.func @exp2_vector_f32(
// BASE-NOT:     math.
// AVX512-LABEL: func.func @exp2_vector_f32(
// AVX512-SAME:      %[[X:.*]]: vector<16xf32>)
// AVX512:         %[[F:.*]] = llvm.call_intrinsic "llvm.x86.avx512.mask.reduce.ps.512"(%[[X]],
// AVX512-COUNT-6: math.fma
// AVX512:         %[[NORMAL:.*]] = arith.cmpf uge, %[[X]],
// AVX512:         llvm.bitcast %[[NORMAL]] : vector<16xi1> to i16
// AVX512:         llvm.call_intrinsic "llvm.x86.avx512.mask.scalef.ps.512"
// AVX512:         return
func.func @exp2_vector_f32(%x: vector<16xf32>) -> vector<16xf32> {
  %y = math.exp2 %x : vector<16xf32>
  return %y : vector<16xf32>
}

// Two registers of AVX-512, or any vector otherwise.
// CHECK-LABEL: func.func @exp2_vector_f64(
// CHECK:         arith.shli {{.*}} : vector<16xi64>
// CHECK-COUNT-12: math.fma {{.*}} : vector<16xf64>
// AVX512-LABEL: func.func @exp2_vector_f64(
// AVX512:         vector.extract_strided_slice %{{.*}} {offsets = [0], sizes = [8], strides = [1]}
// AVX512:         llvm.call_intrinsic "llvm.x86.avx512.mask.scalef.pd.512"
// AVX512:         vector.extract_strided_slice %{{.*}} {offsets = [8], sizes = [8], strides = [1]}
func.func @exp2_vector_f64(%x: vector<16xf64>) -> vector<16xf64> {
  %y = math.exp2 %x : vector<16xf64>
  return %y : vector<16xf64>
}

// CHECK-LABEL: func.func @functions(
// CHECK-NOT:     math.{{exp|log|tanh|rsqrt}}
// CHECK:         math.sqrt
// CHECK-NOT:     math.{{exp|log|tanh|rsqrt}}
// CHECK:         return
// BASE-LABEL: func.func @functions(
// BASE-NOT:     math.{{exp|log|tanh|rsqrt|fma}}
// BASE:         return
// AVX512-LABEL: func.func @functions(
// AVX512-NOT:   math.{{exp|log|tanh|rsqrt}}
// AVX512:       return
func.func @functions(%x: vector<7xf32>, %s: f64) -> (vector<7xf32>, f64) {
  %0 = math.exp %x : vector<7xf32>
  %1 = math.expm1 %0 : vector<7xf32>
  %2 = math.log %1 : vector<7xf32>
  %3 = math.log2 %2 : vector<7xf32>
  %4 = math.log1p %3 : vector<7xf32>
  %5 = math.tanh %4 : vector<7xf32>
  %6 = math.rsqrt %5 : vector<7xf32>
  %7 = math.exp2 %s : f64
  %8 = math.exp %7 : f64
  %9 = math.log2 %8 : f64
  %10 = math.tanh %9 : f64
  return %6, %10 : vector<7xf32>, f64
}

// What LLVM selects by itself stays.
// CHECK-LABEL: func.func @native(
// CHECK:         math.absf
// CHECK:         math.floor
// CHECK:         math.roundeven
// CHECK:         math.copysign
// CHECK:         math.fma
// CHECK:         vector.fma
// CHECK:         math.isnan
// BASE-LABEL: func.func @native(
// BASE:         math.copysign
// BASE-NOT:     fma
// BASE:         arith.mulf
// BASE:         arith.addf
// BASE:         arith.mulf
// BASE:         arith.addf
// BASE:         return
func.func @native(%x: vector<8xf32>) -> (vector<8xf32>, vector<8xi1>) {
  %0 = math.absf %x : vector<8xf32>
  %1 = math.floor %0 : vector<8xf32>
  %2 = math.roundeven %1 : vector<8xf32>
  %3 = math.copysign %2, %x : vector<8xf32>
  %4 = math.fma %3, %x, %x : vector<8xf32>
  %5 = vector.fma %4, %x, %x : vector<8xf32>
  %6 = math.isnan %5 : vector<8xf32>
  return %5, %6 : vector<8xf32>, vector<8xi1>
}

// -----

// CHECK-DAG:   func.func private @sinf(f32) -> f32
// CHECK-DAG:   func.func private @cosf(f32) -> f32
// CHECK-DAG:   func.func private @powf(f32, f32) -> f32
// CHECK-DAG:   func.func private @pow(f64, f64) -> f64
// CHECK-LABEL: func.func @libm(
// CHECK-COUNT-2: call @powf(
// CHECK:       call @sinf(
// CHECK:       call @cosf(
// CHECK:       call @pow(
// CHECK-NOT:   math.
// CHECK:       return
func.func @libm(%x: vector<2xf32>, %s: f32, %i: i32)
    -> (vector<2xf32>, f32, f32, f32) {
  %0 = math.powf %x, %x : vector<2xf32>
  %1, %2 = math.sincos %s : f32
  %3 = math.fpowi %s, %i : f32, i32
  return %0, %1, %2, %3 : vector<2xf32>, f32, f32, f32
}

// -----

// Arithmetic on small floats is arithmetic on f32.
// CHECK-LABEL: func.func @small_floats(
// CHECK:         arith.extf {{.*}} : vector<8xf16> to vector<8xf32>
// CHECK:         arith.addf {{.*}} : vector<8xf32>
// CHECK:         arith.truncf {{.*}} : vector<8xf32> to vector<8xf16>
// CHECK-NOT:     arith.{{extf|truncf}} {{.*}}bf16
// CHECK:         return
// BASE-LABEL: func.func @small_floats(
// BASE-NOT:     arith.{{extf|truncf}}
// BASE:         arith.addf {{.*}} : vector<8xf32>
// BASE-NOT:     arith.{{extf|truncf}}
// BASE:         return
// AVX512-LABEL: func.func @small_floats(
// AVX512:         arith.truncf {{.*}} : vector<8xf32> to vector<8xbf16>
func.func @small_floats(%h: vector<8xf16>, %b: vector<8xbf16>)
    -> (vector<8xf16>, vector<8xbf16>) {
  %0 = arith.addf %h, %h : vector<8xf16>
  %1 = math.exp2 %b : vector<8xbf16>
  return %0, %1 : vector<8xf16>, vector<8xbf16>
}

// f64 is rounded to odd in f32 first, so that it is rounded once.
// CHECK-LABEL: func.func @truncf_f64_f16(
// CHECK:         %[[SINGLE:.*]] = arith.truncf %{{.*}} : f64 to f32
// CHECK:         arith.cmpf une
// CHECK:         arith.truncf %{{.*}} : f32 to f16
func.func @truncf_f64_f16(%x: f64) -> f16 {
  %0 = arith.truncf %x : f64 to f16
  return %0 : f16
}

// -----

func.func @negative_ipowi(%x: i32) -> i32 {
  // expected-error@+1 {{'math.ipowi' op has no expansion for the CPU}}
  %0 = math.ipowi %x, %x : i32
  return %0 : i32
}

// -----

func.func @negative_exp_f128(%x: f128) -> f128 {
  // expected-error@+1 {{'math.exp' op has no expansion for the CPU on 'f128'; expected f32, f64, f16 or bf16, or a vector of one}}
  %0 = math.exp %x : f128
  return %0 : f128
}

// -----

func.func @negative_exp2_tensor(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error@+1 {{'math.exp2' op has no expansion for the CPU on 'tensor<4xf32>'}}
  %0 = math.exp2 %x : tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

func.func @negative_extf_f8(%x: f8E4M3FN) -> f32 {
  // expected-error@+1 {{'arith.extf' op has no expansion for the CPU on 'f8E4M3FN'}}
  %0 = arith.extf %x : f8E4M3FN to f32
  return %0 : f32
}
