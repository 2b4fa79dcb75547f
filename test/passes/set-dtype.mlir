// RUN: attn-opt %s --attn-set-dtype=dtype=bf16 | FileCheck %s --check-prefixes=CHECK,BF16
// RUN: attn-opt %s --attn-set-dtype=dtype=f64 | FileCheck %s --check-prefixes=CHECK,F64
// RUN: attn-opt %s --attn-set-dtype=dtype=f64 --attn-set-dtype=dtype=f16 | FileCheck %s --check-prefixes=CHECK,F16
// RUN: attn-opt %s --attn-set-dtype=dtype=bf16 --attn-set-dtype=dtype=f32 > %t.f32
// RUN: attn-opt %s | diff - %t.f32

// Data change; captures, regions and lse stay in the accumulator type.
// CHECK-LABEL: func.func @regions_captures
// BF16-SAME: %[[Q:.*]]: tensor<1x?x?x8xbf16> {attn.dims = ["B", "H", "N", "D"], attn.name = "q"}
// BF16-SAME: %[[SLOPES:.*]]: tensor<?xf32>
// BF16-SAME: -> (tensor<1x?x?x8xbf16> {attn.name = "out"}, tensor<1x?x?xf32> {attn.name = "lse"})
// BF16: rows (%{{.*}}: tensor<8xf32>,
// BF16: arith.constant dense<5.000000e-01> : tensor<8xf32>
// BF16: attn.yield %{{.*}} : tensor<8xf32>
// BF16: } : tensor<1x?x?x8xbf16> -> tensor<1x?x?x8xbf16>
// BF16: attn.attend {{.*}} scale(1.250000e-01)
// BF16: score (%{{.*}}: f32,
// BF16: tensor.extract %[[SLOPES]][{{.*}}] : tensor<?xf32>
// BF16: } : tensor<1x?x?x8xbf16>, tensor<1x?x?x8xbf16>, tensor<1x?x?x8xbf16> -> tensor<1x?x?x8xbf16>, tensor<1x?x?xf32>
// The accumulator type changes with f64, and everything of that type.
// F64-SAME: tensor<1x?x?x8xf64>
// F64-SAME: tensor<?xf64>
// F64-SAME: -> (tensor<1x?x?x8xf64> {attn.name = "out"}, tensor<1x?x?xf64> {attn.name = "lse"})
// F64: rows (%{{.*}}: tensor<8xf64>,
// F64: arith.constant dense<5.000000e-01> : tensor<8xf64>
// F64: attn.attend {{.*}} scale(1.250000e-01)
// F64: score (%{{.*}}: f64,
// A number of f32 keeps its value.
// F64: arith.constant 0.10000000149011612 : f64
// And back: f32 regions around f16 data.
// F16-SAME: tensor<1x?x?x8xf16>
// F16-SAME: tensor<?xf32>
// F16-SAME: -> (tensor<1x?x?x8xf16> {attn.name = "out"}, tensor<1x?x?xf32> {attn.name = "lse"})
// F16: score (%{{.*}}: f32,
// F16: arith.constant 1.000000e-01 : f32
func.func @regions_captures(
    %q: tensor<1x?x?x8xf32> {attn.name = "q", attn.dims = ["B", "H", "N", "D"]},
    %slopes: tensor<?xf32> {attn.name = "slopes"})
    -> (tensor<1x?x?x8xf32> {attn.name = "out"}, tensor<1x?x?xf32> {attn.name = "lse"})
    attributes {attn.defaults = {H = 2, N = 16}} {
  %k = attn.map_rows %q rows (%x: tensor<8xf32>, %b, %h, %n) {
    %half = arith.constant dense<0.5> : tensor<8xf32>
    %y = arith.mulf %x, %half : tensor<8xf32>
    attn.yield %y : tensor<8xf32>
  } : tensor<1x?x?x8xf32> -> tensor<1x?x?x8xf32>
  %out, %lse = attn.attend %q, %k, %q scale(0.125)
      score (%s: f32, %b, %h, %i, %j) {
        %slope = tensor.extract %slopes[%h] : tensor<?xf32>
        %tenth = arith.constant 0.1 : f32
        %sum = arith.addf %slope, %tenth : f32
        %t = arith.addf %s, %sum : f32
        attn.yield %t : f32
      } : tensor<1x?x?x8xf32>, tensor<1x?x?x8xf32>, tensor<1x?x?x8xf32>
        -> tensor<1x?x?x8xf32>, tensor<1x?x?xf32>
  return %out, %lse : tensor<1x?x?x8xf32>, tensor<1x?x?xf32>
}

// Data that a region captures change too; what is read is converted.
// CHECK-LABEL: func.func @data_as_capture
// BF16: %[[ROW:.*]] = tensor.extract_slice %{{.*}} : tensor<1x1x4x8xbf16> to tensor<8xbf16>
// BF16-NEXT: %[[F32:.*]] = arith.extf %[[ROW]] : tensor<8xbf16> to tensor<8xf32>
// BF16-NEXT: arith.addf %{{.*}}, %[[F32]] : tensor<8xf32>
// F64: tensor.extract_slice %{{.*}} : tensor<1x1x4x8xf64> to tensor<8xf64>
// F64-NEXT: arith.addf
func.func @data_as_capture(%x: tensor<1x1x4x8xf32>, %y: tensor<1x1x4x8xf32>)
    -> (tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>) {
  %a = attn.map_rows %x rows (%r: tensor<8xf32>, %b, %h, %n) {
    %t = math.tanh %r : tensor<8xf32>
    attn.yield %t : tensor<8xf32>
  } : tensor<1x1x4x8xf32> -> tensor<1x1x4x8xf32>
  %c = attn.map_rows %y rows (%r: tensor<8xf32>, %b, %h, %n) {
    %row = tensor.extract_slice %a[%b, %h, %n, 0] [1, 1, 1, 8] [1, 1, 1, 1]
         : tensor<1x1x4x8xf32> to tensor<8xf32>
    %sum = arith.addf %r, %row : tensor<8xf32>
    attn.yield %sum : tensor<8xf32>
  } : tensor<1x1x4x8xf32> -> tensor<1x1x4x8xf32>
  return %a, %c : tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>
}

// A type that is neither data nor the accumulator type stays.
// CHECK-LABEL: func.func @other_types
// F64-SAME: %{{.*}}: tensor<1x1x4x8xf64>, %[[TABLE:.*]]: tensor<8xf16>)
// F64: %[[BIAS:.*]] = tensor.extract %[[TABLE]]
// F64-NEXT: arith.extf %[[BIAS]] : f16 to f64
// BF16-SAME: %{{.*}}: tensor<1x1x4x8xbf16>, %{{.*}}: tensor<8xf16>)
// BF16: arith.extf %{{.*}} : f16 to f32
func.func @other_types(%x: tensor<1x1x4x8xf32>, %table: tensor<8xf16>) -> tensor<1x1x4x8xf32> {
  %o = attn.attend %x, %x, %x
      score (%s: f32, %b, %h, %i, %j) {
        %bias = tensor.extract %table[%j] : tensor<8xf16>
        %wide = arith.extf %bias : f16 to f32
        %t = arith.addf %s, %wide : f32
        attn.yield %t : f32
      } : tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32> -> tensor<1x1x4x8xf32>
  return %o : tensor<1x1x4x8xf32>
}

// Nothing to do without attn ops.
// CHECK-LABEL: func.func @unrelated(%{{.*}}: tensor<4xf32>) -> tensor<4xf32>
func.func @unrelated(%x: tensor<4xf32>) -> tensor<4xf32> {
  return %x : tensor<4xf32>
}

// Sets of a merge are data where they have the type of its output.
// CHECK-LABEL: func.func @merge_of_data
// BF16: attn.merge {{.*}} : tensor<2x1x1x?x8xbf16>, tensor<2x1x1x?xf32> -> tensor<1x1x?x8xbf16>, tensor<1x1x?xf32>
// F64: attn.merge {{.*}} : tensor<2x1x1x?x8xf64>, tensor<2x1x1x?xf64> -> tensor<1x1x?x8xf64>, tensor<1x1x?xf64>
// F16: attn.merge {{.*}} : tensor<2x1x1x?x8xf16>, tensor<2x1x1x?xf32> -> tensor<1x1x?x8xf16>, tensor<1x1x?xf32>
func.func @merge_of_data(%outs: tensor<2x1x1x?x8xf32>, %lses: tensor<2x1x1x?xf32>) -> (tensor<1x1x?x8xf32>, tensor<1x1x?xf32>) {
  %out, %lse = attn.merge %outs, %lses : tensor<2x1x1x?x8xf32>, tensor<2x1x1x?xf32> -> tensor<1x1x?x8xf32>, tensor<1x1x?xf32>
  return %out, %lse : tensor<1x1x?x8xf32>, tensor<1x1x?xf32>
}

// Gates, factors and states keep their types, as captures do, also of data.
// CHECK-LABEL: func.func @recur
// BF16-SAME: %[[Q:.*]]: tensor<1x?x?x8xbf16>, %[[K:.*]]: tensor<1x?x?x8xbf16>, %[[V:.*]]: tensor<1x?x?x6xbf16>, %{{.*}}: tensor<1x?x?xf32>, %{{.*}}: tensor<1x?x8x6xf32>)
// BF16-SAME: -> (tensor<1x?x?x6xbf16>, tensor<1x?x8x6xf32>)
// BF16: attn.recur %[[Q]], %[[K]], %[[V]] gate(%{{.*}} : tensor<1x?x?xf32>) beta(%{{.*}} : tensor<1x?x?xf32>) initial(%{{.*}} : tensor<1x?x8x6xf32>)
// BF16: norm (%{{.*}}: tensor<6xf32>, %{{.*}}: f32,
// BF16: tensor.extract_slice %[[V]]{{.*}} : tensor<1x?x?x6xbf16> to tensor<6xbf16>
// BF16: arith.extf {{.*}} : tensor<6xbf16> to tensor<6xf32>
// F64-SAME: tensor<1x?x8x6xf64>)
// F64-SAME: -> (tensor<1x?x?x6xf64>, tensor<1x?x8x6xf64>)
// F64: norm (%{{.*}}: tensor<6xf64>, %{{.*}}: f64,
// F16-SAME: -> (tensor<1x?x?x6xf16>, tensor<1x?x8x6xf32>)
func.func @recur(%q: tensor<1x?x?x8xf32>, %k: tensor<1x?x?x8xf32>, %v: tensor<1x?x?x6xf32>, %g: tensor<1x?x?xf32>, %h0: tensor<1x?x8x6xf32>)
    -> (tensor<1x?x?x6xf32>, tensor<1x?x8x6xf32>) {
  %o, %s = attn.recur %q, %k, %v gate(%g : tensor<1x?x?xf32>) beta(%g : tensor<1x?x?xf32>) initial(%h0 : tensor<1x?x8x6xf32>) write(scaled)
      norm (%num: tensor<6xf32>, %den: f32, %b, %h, %i) {
        %row = tensor.extract_slice %v[%b, %h, %i, 0] [1, 1, 1, 6] [1, 1, 1, 1] : tensor<1x?x?x6xf32> to tensor<6xf32>
        %y = arith.addf %num, %row : tensor<6xf32>
        attn.yield %y : tensor<6xf32>
      } : tensor<1x?x?x8xf32>, tensor<1x?x?x8xf32>, tensor<1x?x?x6xf32> -> tensor<1x?x?x6xf32>, tensor<1x?x8x6xf32>
  return %o, %s : tensor<1x?x?x6xf32>, tensor<1x?x8x6xf32>
}

// What attn.reduce takes is data; what it yields is a statistic.
// CHECK-LABEL: func.func @reduce
// BF16-SAME: %[[K:.*]]: tensor<1x?x?x8xbf16>) -> tensor<1x?x8xf32>
// BF16: attn.reduce sum %[[K]] over(tokens)
// BF16: rows (%{{.*}}: tensor<8xf32>,
// BF16: tensor.extract_slice %[[K]]{{.*}} : tensor<1x?x?x8xbf16> to tensor<8xbf16>
// BF16: arith.extf
// BF16: : tensor<1x?x?x8xbf16> -> tensor<1x?x8xf32>
// F64: rows (%{{.*}}: tensor<8xf64>,
// F64: : tensor<1x?x?x8xf64> -> tensor<1x?x8xf64>
// F16: : tensor<1x?x?x8xf16> -> tensor<1x?x8xf32>
func.func @reduce(%k: tensor<1x?x?x8xf32>) -> tensor<1x?x8xf32> {
  %s = attn.reduce sum %k over(tokens) rows (%x: tensor<8xf32>, %b, %h, %n) {
    %row = tensor.extract_slice %k[%b, %h, 0, 0] [1, 1, 1, 8] [1, 1, 1, 1] : tensor<1x?x?x8xf32> to tensor<8xf32>
    %y = arith.subf %x, %row : tensor<8xf32>
    attn.yield %y : tensor<8xf32>
  } : tensor<1x?x?x8xf32> -> tensor<1x?x8xf32>
  return %s : tensor<1x?x8xf32>
}

// Of logits of gates, gates are made, and steps are factors too: they keep their
// types, as gates that are arguments do.
// CHECK-LABEL: func.func @gates
// BF16-SAME: %{{.*}}: tensor<1x?x?x8xbf16>, %{{.*}}: tensor<1x?x?x1xf32>)
// BF16: attn.map_rows
// BF16: : tensor<1x?x?x1xf32> -> tensor<1x?x?x1xf32>
// BF16: attn.map_rows
// BF16: : tensor<1x?x?x1xf32> -> tensor<1x?x?x1xf32>
// BF16: attn.recur {{.*}} gate(%{{.*}} : tensor<1x?x?x1xf32>) beta(%{{.*}} : tensor<1x?x?x1xf32>)
// F64: attn.recur {{.*}} gate(%{{.*}} : tensor<1x?x?x1xf64>) beta(%{{.*}} : tensor<1x?x?x1xf64>)
func.func @gates(%q: tensor<1x?x?x8xf32>, %x: tensor<1x?x?x1xf32>) -> tensor<1x?x?x8xf32> {
  %dt = attn.map_rows %x rows (%r: tensor<1xf32>, %b, %h, %n) {
    %y = math.exp %r : tensor<1xf32>
    attn.yield %y : tensor<1xf32>
  } : tensor<1x?x?x1xf32> -> tensor<1x?x?x1xf32>
  %g = attn.map_rows %dt rows (%r: tensor<1xf32>, %b, %h, %n) {
    %y = arith.negf %r : tensor<1xf32>
    attn.yield %y : tensor<1xf32>
  } : tensor<1x?x?x1xf32> -> tensor<1x?x?x1xf32>
  %o = attn.recur %q, %q, %q gate(%g : tensor<1x?x?x1xf32>) beta(%dt : tensor<1x?x?x1xf32>) write(scaled)
     : tensor<1x?x?x8xf32>, tensor<1x?x?x8xf32>, tensor<1x?x?x8xf32> -> tensor<1x?x?x8xf32>
  return %o : tensor<1x?x?x8xf32>
}

// Gates that are made of keys are data, as keys are.
// CHECK-LABEL: func.func @gates_of_keys
// BF16: attn.map_rows
// BF16: : tensor<1x?x?x8xbf16> -> tensor<1x?x?x8xbf16>
// BF16: attn.recur {{.*}} gate(%{{.*}} : tensor<1x?x?x8xbf16>)
func.func @gates_of_keys(%q: tensor<1x?x?x8xf32>) -> tensor<1x?x?x8xf32> {
  %g = attn.map_rows %q rows (%r: tensor<8xf32>, %b, %h, %n) {
    %a = math.absf %r : tensor<8xf32>
    %y = arith.negf %a : tensor<8xf32>
    attn.yield %y : tensor<8xf32>
  } : tensor<1x?x?x8xf32> -> tensor<1x?x?x8xf32>
  %o = attn.recur %q, %q, %q gate(%g : tensor<1x?x?x8xf32>)
     : tensor<1x?x?x8xf32>, tensor<1x?x?x8xf32>, tensor<1x?x?x8xf32> -> tensor<1x?x?x8xf32>
  return %o : tensor<1x?x?x8xf32>
}

// What queries are made of is data, and what keys are made of, also where gates are
// made of it too.
// CHECK-LABEL: func.func @rows_of_queries
// BF16-SAME: %{{.*}}: tensor<1x?x?x8xbf16>, %{{.*}}: tensor<1x?x?x8xbf16>)
// BF16-COUNT-2: : tensor<1x?x?x8xbf16> -> tensor<1x?x?x8xbf16>
func.func @rows_of_queries(%q: tensor<1x?x?x8xf32>, %x: tensor<1x?x?x8xf32>) -> tensor<1x?x?x8xf32> {
  %p = attn.map_rows %q rows (%r: tensor<8xf32>, %b, %h, %n) {
    %y = math.absf %r : tensor<8xf32>
    attn.yield %y : tensor<8xf32>
  } : tensor<1x?x?x8xf32> -> tensor<1x?x?x8xf32>
  %g = attn.map_rows %x rows (%r: tensor<8xf32>, %b, %h, %n) {
    %a = math.absf %r : tensor<8xf32>
    %y = arith.negf %a : tensor<8xf32>
    attn.yield %y : tensor<8xf32>
  } : tensor<1x?x?x8xf32> -> tensor<1x?x?x8xf32>
  %o = attn.recur %p, %g, %p gate(%g : tensor<1x?x?x8xf32>)
     : tensor<1x?x?x8xf32>, tensor<1x?x?x8xf32>, tensor<1x?x?x8xf32> -> tensor<1x?x?x8xf32>
  return %o : tensor<1x?x?x8xf32>
}
