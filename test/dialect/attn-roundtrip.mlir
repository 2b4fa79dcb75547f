// RUN: attn-opt %s | attn-opt | FileCheck %s
// RUN: attn-opt %s --mlir-print-op-generic | attn-opt | FileCheck %s
// RUN: attn-opt %s --emit-bytecode | attn-opt | FileCheck %s

// Every op and attribute of the attn dialect, with and without each optional
// part, survives printing in both syntaxes and in bytecode.

!x = tensor<?x4x?x8xf32>
!kv = tensor<?x2x?x8xf32>
!v = tensor<?x2x?x6xf32>

// CHECK-LABEL: func.func @attend_plain
// CHECK: %{{.*}} = attn.attend %{{.*}}, %{{.*}}, %{{.*}} : tensor<?x4x?x8xf32>, tensor<?x4x?x8xf32>, tensor<?x4x?x8xf32> -> tensor<?x4x?x8xf32>{{$}}
func.func @attend_plain(%q: !x) -> !x {
  %o = attn.attend %q, %q, %q : !x, !x, !x -> !x
  return %o : !x
}

// CHECK-LABEL: func.func @attend_all_clauses
// CHECK: %{{.*}}, %{{.*}} = attn.attend %{{.*}}, %{{.*}}, %{{.*}} scale(1.250000e-01) alignment(end) schedule(<block_q = 96, block_k = 64>)
// CHECK-NEXT: query (%[[X:.*]]: tensor<8xf32>, %{{.*}}, %{{.*}}, %{{.*}}) {
// CHECK-NEXT: attn.yield %[[X]] : tensor<8xf32>
// CHECK: key (%{{.*}}: tensor<8xf32>, %{{.*}}, %{{.*}}, %{{.*}}) {
// CHECK: value (%{{.*}}: tensor<6xf32>, %{{.*}}, %{{.*}}, %{{.*}}) {
// CHECK: score (%[[S:.*]]: f32, %{{.*}}, %{{.*}}, %[[I:.*]], %{{.*}}) {
// CHECK-NEXT: %[[BIAS:.*]] = tensor.extract %{{.*}}[%[[I]]] : tensor<?xf32>
// CHECK-NEXT: arith.addf %[[S]], %[[BIAS]] : f32
// CHECK: mask (%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}) {
// CHECK: attn.yield %{{.*}} : i1
// CHECK: : tensor<?x4x?x8xf32>, tensor<?x2x?x8xf32>, tensor<?x2x?x6xf32> -> tensor<?x4x?x6xf32>, tensor<?x4x?xf32>
func.func @attend_all_clauses(%q: !x, %k: !kv, %v: !v, %bias: tensor<?xf32>)
    -> (tensor<?x4x?x6xf32>, tensor<?x4x?xf32>) {
  %o, %lse = attn.attend %q, %k, %v scale(0.125) alignment(end) schedule(<block_q = 96, block_k = 64>)
      query (%x: tensor<8xf32>, %b, %h, %n) {
        attn.yield %x : tensor<8xf32>
      }
      key (%x: tensor<8xf32>, %b, %h, %n) {
        attn.yield %x : tensor<8xf32>
      }
      value (%x: tensor<6xf32>, %b, %h, %n) {
        attn.yield %x : tensor<6xf32>
      }
      score (%s: f32, %b, %h, %i, %j) {
        %e = tensor.extract %bias[%i] : tensor<?xf32>
        %t = arith.addf %s, %e : f32
        attn.yield %t : f32
      }
      mask (%b, %h, %i, %j) {
        %keep = arith.cmpi sge, %i, %j : index
        attn.yield %keep : i1
      } : !x, !kv, !v -> tensor<?x4x?x6xf32>, tensor<?x4x?xf32>
  return %o, %lse : tensor<?x4x?x6xf32>, tensor<?x4x?xf32>
}

// Regions may be written in any order; argument types may be spelled out.
// CHECK-LABEL: func.func @attend_regions_in_any_order
// CHECK: attn.attend %{{.*}}, %{{.*}}, %{{.*}} alignment(start)
// CHECK: score (%{{.*}}: f32, %{{[a-z0-9]+}}, %{{[a-z0-9]+}}, %{{[a-z0-9]+}}, %{{[a-z0-9]+}}) {
// CHECK: mask (%{{[a-z0-9]+}}, %{{[a-z0-9]+}}, %{{[a-z0-9]+}}, %{{[a-z0-9]+}}) {
func.func @attend_regions_in_any_order(%q: !x) -> !x {
  %o = attn.attend %q, %q, %q alignment(start)
      mask (%b: index, %h: index, %i: index, %j: index) {
        %keep = arith.cmpi ne, %i, %j : index
        attn.yield %keep : i1
      }
      score (%s: f32, %b, %h, %i, %j) {
        attn.yield %s : f32
      } : !x, !x, !x -> !x
  return %o : !x
}

// CHECK-LABEL: func.func @attend_discardable_attribute
// CHECK: attn.attend %{{.*}}, %{{.*}}, %{{.*}} {note = "kept"} :
func.func @attend_discardable_attribute(%q: !x) -> !x {
  %o = attn.attend %q, %q, %q {note = "kept"} : !x, !x, !x -> !x
  return %o : !x
}

// The accumulator of f64 is f64, that of 16-bit types f32.
// CHECK-LABEL: func.func @attend_f64
// CHECK: score (%{{.*}}: f64,
// CHECK: -> tensor<1x1x4x8xf64>, tensor<1x1x4xf64>
func.func @attend_f64(%q: tensor<1x1x4x8xf64>) -> tensor<1x1x4xf64> {
  %o, %lse = attn.attend %q, %q, %q
      score (%s: f64, %b, %h, %i, %j) {
        attn.yield %s : f64
      } : tensor<1x1x4x8xf64>, tensor<1x1x4x8xf64>, tensor<1x1x4x8xf64>
      -> tensor<1x1x4x8xf64>, tensor<1x1x4xf64>
  return %lse : tensor<1x1x4xf64>
}

// CHECK-LABEL: func.func @attend_bf16
// CHECK: score (%{{.*}}: f32,
// CHECK: -> tensor<1x1x4x8xbf16>, tensor<1x1x4xf32>
func.func @attend_bf16(%q: tensor<1x1x4x8xbf16>) -> tensor<1x1x4xf32> {
  %o, %lse = attn.attend %q, %q, %q
      score (%s: f32, %b, %h, %i, %j) {
        attn.yield %s : f32
      } : tensor<1x1x4x8xbf16>, tensor<1x1x4x8xbf16>, tensor<1x1x4x8xbf16>
      -> tensor<1x1x4x8xbf16>, tensor<1x1x4xf32>
  return %lse : tensor<1x1x4xf32>
}

// The default normaliser is not printed.
// CHECK-LABEL: func.func @attend_prob_sink
// CHECK: attn.attend %{{.*}}, %{{.*}}, %{{.*}} schedule(<block_q = 8, block_k = 8>)
// CHECK-NEXT: prob (%[[P:.*]]: f32, %[[B:.*]], %[[H:.*]], %[[I:.*]], %[[J:.*]]) {
// CHECK-NEXT: %[[U:.*]] = attn.random %{{.*}} at(%[[I]], %[[J]], %[[H]], %[[B]]) : f32
// CHECK-NEXT: arith.mulf %[[P]], %[[U]] : f32
// CHECK: sink (%{{[a-z0-9]+}}, %[[H:[a-z0-9]+]], %[[I:[a-z0-9]+]]) {
// CHECK-NEXT: attn.random %{{.*}} at(%[[H]]) : f32
func.func @attend_prob_sink(%q: !x, %seed: i64) -> !x {
  %o = attn.attend %q, %q, %q normalizer(softmax) schedule(<block_q = 8, block_k = 8>)
      sink (%b, %h, %i) {
        %u = attn.random %seed at(%h) : f32
        attn.yield %u : f32
      }
      prob (%p: f32, %b, %h, %i, %j) {
        %u = attn.random %seed at(%i, %j, %h, %b) : f32
        %w = arith.mulf %p, %u : f32
        attn.yield %w : f32
      } : !x, !x, !x -> !x
  return %o : !x
}

// A permission says nothing of the element type.
// CHECK-LABEL: func.func @attend_precision
// CHECK: attn.attend %{{.*}}, %{{.*}}, %{{.*}} normalizer(none) precision(tf32) max_queries(4) :
// CHECK: attn.attend %{{.*}}, %{{.*}}, %{{.*}} : tensor<?x4x?x8xf32>
// CHECK: attn.attend %{{.*}}, %{{.*}}, %{{.*}} precision(tf32) : tensor<?x4x?x8xbf16>
func.func @attend_precision(%q: !x, %h: tensor<?x4x?x8xbf16>) -> (!x, tensor<?x4x?x8xbf16>) {
  %o = attn.attend %q, %q, %q normalizer(none) precision(tf32) max_queries(4) : !x, !x, !x -> !x
  %p = attn.attend %o, %q, %q precision(ieee) : !x, !x, !x -> !x
  %n = attn.attend %h, %h, %h precision(tf32) : tensor<?x4x?x8xbf16>, tensor<?x4x?x8xbf16>, tensor<?x4x?x8xbf16> -> tensor<?x4x?x8xbf16>
  return %p, %n : !x, tensor<?x4x?x8xbf16>
}

// CHECK-LABEL: func.func @attend_normalizers
// CHECK: attn.attend %{{.*}}, %{{.*}}, %{{.*}} alignment(start) normalizer(sum) :
// CHECK: attn.attend %{{.*}}, %{{.*}}, %{{.*}} normalizer(none) schedule(<block_q = 8, block_k = 8>) :
func.func @attend_normalizers(%q: !x) -> !x {
  %o = attn.attend %q, %q, %q alignment(start) normalizer(sum) : !x, !x, !x -> !x
  %p = attn.attend %o, %q, %q normalizer(none) schedule(<block_q = 8, block_k = 8>) : !x, !x, !x -> !x
  return %p : !x
}

// CHECK-LABEL: func.func @random_f64
// CHECK: prob (%{{.*}}: f64,
// CHECK: attn.random %{{.*}} at(%{{.*}}) : f64
func.func @random_f64(%q: tensor<1x1x4x8xf64>, %seed: i64) -> tensor<1x1x4x8xf64> {
  %o = attn.attend %q, %q, %q
      prob (%p: f64, %b, %h, %i, %j) {
        %u = attn.random %seed at(%j) : f64
        attn.yield %u : f64
      } : tensor<1x1x4x8xf64>, tensor<1x1x4x8xf64>, tensor<1x1x4x8xf64> -> tensor<1x1x4x8xf64>
  return %o : tensor<1x1x4x8xf64>
}

// Everything a row region may hold.
// CHECK-LABEL: func.func @map_rows
// CHECK: attn.map_rows %{{.*}} schedule(<block_q = 32, block_k = 1>)
// CHECK-NEXT: rows (%[[X:.*]]: tensor<8xf32>, %[[B:.*]], %[[H:.*]], %[[N:.*]]) {
// CHECK: tensor.extract_slice %{{.*}}[%[[N]], 0] [1, 4] [1, 1] : tensor<?x4xf32> to tensor<4xf32>
// CHECK: tensor.extract_slice %[[X]][4] [4] [1] : tensor<8xf32> to tensor<4xf32>
// CHECK: tensor.extract %{{.*}}[%[[N]], %[[H]]] : tensor<?x4xf32>
// CHECK: tensor.dim %{{.*}}, %{{.*}} : tensor<?x4xf32>
// CHECK: tensor.splat %{{.*}} : tensor<4xf32>
// CHECK: attn.reduce_row sum %{{.*}} : tensor<8xf32>
// CHECK: attn.reduce_row max %{{.*}} : tensor<8xf32>
// CHECK: tensor.concat dim(0)
// CHECK: attn.yield %{{.*}} : tensor<12xf32>
// CHECK: : tensor<?x4x?x8xf32> -> tensor<?x4x?x12xf32>
func.func @map_rows(%q: !x, %table: tensor<?x4xf32>) -> tensor<?x4x?x12xf32> {
  %y = attn.map_rows %q schedule(<block_q = 32, block_k = 1>) rows (%x: tensor<8xf32>, %b, %h, %n) {
    %c0 = arith.constant 0 : index
    %half = arith.constant dense<0.5> : tensor<4xf32>
    %row = tensor.extract_slice %table[%n, 0] [1, 4] [1, 1] : tensor<?x4xf32> to tensor<4xf32>
    %hi = tensor.extract_slice %x[4] [4] [1] : tensor<8xf32> to tensor<4xf32>
    %e = tensor.extract %table[%n, %h] : tensor<?x4xf32>
    %size = tensor.dim %table, %c0 : tensor<?x4xf32>
    %size_i64 = arith.index_cast %size : index to i64
    %size_f = arith.sitofp %size_i64 : i64 to f32
    %f = arith.mulf %e, %size_f : f32
    %all = tensor.splat %f : tensor<4xf32>
    %sum = attn.reduce_row sum %x : tensor<8xf32>
    %max = attn.reduce_row max %x : tensor<8xf32>
    %norm = arith.divf %sum, %max : f32
    %norms = tensor.splat %norm : tensor<4xf32>
    %a = math.fma %row, %half, %hi : tensor<4xf32>
    %z = tensor.concat dim(0) %a, %all, %norms
       : (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<12xf32>
    attn.yield %z : tensor<12xf32>
  } : !x -> tensor<?x4x?x12xf32>
  return %y : tensor<?x4x?x12xf32>
}

// CHECK-LABEL: func.func @partial_plain
// CHECK: attn.partial %{{.*}}, %{{.*}}, %{{.*}} at(%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}) init(%{{.*}}, %{{.*}}, %{{.*}}) width(16) scale(1.000000e+00) : tensor<?x4x?x8xf32>, tensor<?x4x?x8xf32>, tensor<?x4x?x8xf32> -> tensor<4xf32>, tensor<4xf32>, tensor<4x8xf32>
func.func @partial_plain(%q: !x, %at: index, %t: tensor<4xf32>, %l: tensor<4xf32>, %a: tensor<4x8xf32>) -> tensor<4xf32> {
  %r:3 = attn.partial %q, %q, %q at(%at, %at, %at, %at) init(%t, %l, %a) width(16) scale(1.0)
      : !x, !x, !x -> tensor<4xf32>, tensor<4xf32>, tensor<4x8xf32>
  return %r#0 : tensor<4xf32>
}

// CHECK-LABEL: func.func @partial_all_clauses
// CHECK: width(16) bounded scale(5.000000e-01) alignment(end) precision(tf32)
// CHECK-NEXT: value (%{{.*}}: tensor<8xf32>, %{{.*}}, %{{.*}}, %{{.*}}) {
// CHECK: mask (%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}) {
func.func @partial_all_clauses(%q: !x, %at: index, %t: tensor<4xf32>, %l: tensor<4xf32>, %a: tensor<4x4xf32>) -> tensor<4x4xf32> {
  %r:3 = attn.partial %q, %q, %q at(%at, %at, %at, %at) init(%t, %l, %a) width(16) bounded scale(0.5) alignment(end) precision(tf32)
      value (%x: tensor<8xf32>, %b, %h, %n) {
        %lo = tensor.extract_slice %x[0] [4] [1] : tensor<8xf32> to tensor<4xf32>
        attn.yield %lo : tensor<4xf32>
      }
      mask (%b, %h, %i, %j) {
        %keep = arith.cmpi sge, %i, %j : index
        attn.yield %keep : i1
      } : !x, !x, !x -> tensor<4xf32>, tensor<4xf32>, tensor<4x4xf32>
  return %r#2 : tensor<4x4xf32>
}

// The tuples of all normalisers: statistics only, and given.
// CHECK-LABEL: func.func @partial_tuples
// CHECK: attn.partial {{.*}} init(%{{.*}}, %{{.*}}) width(16) scale(1.000000e+00) : {{.*}} -> tensor<4xf32>, tensor<4xf32>{{$}}
// CHECK: attn.partial {{.*}} init(%{{.*}}) given(%{{.*}}, %{{.*}} : tensor<4xf32>, tensor<4xf32>) width(16) bounded scale(1.000000e+00)
// CHECK-NEXT: prob (
// CHECK: attn.partial {{.*}} init(%{{.*}}) width(16) scale(1.000000e+00) normalizer(sum) : {{.*}} -> tensor<4xf32>{{$}}
// CHECK: attn.partial {{.*}} init(%{{.*}}) given(%{{.*}} : tensor<4xf32>) width(16) scale(1.000000e+00) alignment(start) normalizer(sum) : {{.*}} -> tensor<4x8xf32>{{$}}
// CHECK: attn.partial {{.*}} init(%{{.*}}, %{{.*}}) width(16) scale(1.000000e+00) normalizer(sum) : {{.*}} -> tensor<4xf32>, tensor<4x8xf32>{{$}}
// CHECK: attn.partial {{.*}} init(%{{.*}}) width(16) scale(1.000000e+00) normalizer(none) : {{.*}} -> tensor<4x8xf32>{{$}}
func.func @partial_tuples(%q: !x, %at: index, %t: tensor<4xf32>, %a: tensor<4x8xf32>) {
  %s:2 = attn.partial %q, %q, %q at(%at, %at, %at, %at) init(%t, %t) width(16) scale(1.0)
      : !x, !x, !x -> tensor<4xf32>, tensor<4xf32>
  %r = attn.partial %q, %q, %q at(%at, %at, %at, %at) init(%a) given(%s#0, %s#1 : tensor<4xf32>, tensor<4xf32>) width(16) bounded scale(1.0)
      prob (%p: f32, %b, %h, %i, %j) {
        attn.yield %p : f32
      } : !x, !x, !x -> tensor<4x8xf32>
  %l = attn.partial %q, %q, %q at(%at, %at, %at, %at) init(%t) width(16) scale(1.0) normalizer(sum)
      : !x, !x, !x -> tensor<4xf32>
  %b = attn.partial %q, %q, %q at(%at, %at, %at, %at) init(%a) given(%l : tensor<4xf32>) width(16) scale(1.0) alignment(start) normalizer(sum)
      : !x, !x, !x -> tensor<4x8xf32>
  %c:2 = attn.partial %q, %q, %q at(%at, %at, %at, %at) init(%t, %a) width(16) scale(1.0) normalizer(sum)
      : !x, !x, !x -> tensor<4xf32>, tensor<4x8xf32>
  %d = attn.partial %q, %q, %q at(%at, %at, %at, %at) init(%a) width(16) scale(1.0) normalizer(none)
      : !x, !x, !x -> tensor<4x8xf32>
  return
}

// CHECK-LABEL: func.func @add_sink
// CHECK: %[[S:.*]]:2 = attn.add_sink %{{.*}}, %{{.*}} at(%{{.*}}, %{{.*}}, %{{.*}})
// CHECK-NEXT: sink (%{{[a-z0-9]+}}, %{{[a-z0-9]+}}, %{{[a-z0-9]+}}) {
// CHECK: } : tensor<4xf32>, tensor<4xf32>{{$}}
// CHECK: attn.add_sink %[[S]]#0, %[[S]]#1, %{{.*}} at(
// CHECK: attn.random
// CHECK: } {note = "kept"} : tensor<4xf32>, tensor<4xf32>, tensor<4x8xf32>{{$}}
func.func @add_sink(%x: index, %seed: i64, %t: tensor<4xf32>, %a: tensor<4x8xf32>) {
  %s:2 = attn.add_sink %t, %t at(%x, %x, %x) sink (%b, %h, %i) {
    %zero = arith.constant 0.0 : f32
    attn.yield %zero : f32
  } : tensor<4xf32>, tensor<4xf32>
  %r:3 = attn.add_sink %s#0, %s#1, %a at(%x, %x, %x) sink (%b, %h, %i) {
    %u = attn.random %seed at(%h) : f32
    attn.yield %u : f32
  } {note = "kept"} : tensor<4xf32>, tensor<4xf32>, tensor<4x8xf32>
  return
}

// CHECK-LABEL: func.func @finish_tuples
// CHECK: attn.finish %{{.*}}, %{{.*}}, %{{.*}} normalized : tensor<4xf32>, tensor<4xf32>, tensor<4x8xf32> -> tensor<4x8xf32>, tensor<4xf32>
// CHECK: attn.finish %{{.*}}, %{{.*}} : tensor<4xf32>, tensor<4x8xf32> -> tensor<4x8xf32>
// CHECK: attn.finish %{{.*}} : tensor<4x8xf32> -> tensor<4x8xf16>
func.func @finish_tuples(%t: tensor<4xf32>, %a: tensor<4x8xf32>) {
  %o, %lse = attn.finish %t, %t, %a normalized : tensor<4xf32>, tensor<4xf32>, tensor<4x8xf32> -> tensor<4x8xf32>, tensor<4xf32>
  %p = attn.finish %t, %a : tensor<4xf32>, tensor<4x8xf32> -> tensor<4x8xf32>
  %r = attn.finish %a : tensor<4x8xf32> -> tensor<4x8xf16>
  return
}

// CHECK-LABEL: func.func @keys
// CHECK: mask (%{{.*}}, %{{.*}}, %[[I:.*]], %[[J:.*]]) {
// CHECK: keys (%{{.*}}, %{{.*}}, %[[FIRST:.*]], %[[LAST:.*]]) {
// CHECK: attn.yield %c0{{.*}}, %{{.*}}, %c0{{.*}}, %{{.*}} : index, index, index, index
// CHECK: attn.partial {{.*}} width(16)
// CHECK-NEXT: keys (%{{.*}}, %{{.*}}, %[[FIRST:.*]], %[[LAST:.*]]) {
// CHECK: attn.yield %[[FIRST]], %[[LAST]], %[[FIRST]], %[[FIRST]]
func.func @keys(%q: !x, %at: index, %t: tensor<4xf32>, %l: tensor<4xf32>, %a: tensor<4x8xf32>) -> (!x, tensor<4xf32>) {
  %o = attn.attend %q, %q, %q
      mask (%b, %h, %i, %j) {
        %keep = arith.cmpi sge, %i, %j : index
        attn.yield %keep : i1
      }
      keys (%b, %h, %first, %last) {
        %none = arith.constant 0 : index
        %one = arith.constant 1 : index
        %visited_end = arith.addi %last, %one : index
        %full_end = arith.addi %first, %one : index
        attn.yield %none, %visited_end, %none, %full_end : index, index, index, index
      } : !x, !x, !x -> !x
  %r:3 = attn.partial %q, %q, %q at(%at, %at, %at, %at) init(%t, %l, %a) width(16) scale(0.5)
      keys (%b, %h, %first, %last) {
        attn.yield %first, %last, %first, %first : index, index, index, index
      } : !x, !x, !x -> tensor<4xf32>, tensor<4xf32>, tensor<4x8xf32>
  return %o, %r#0 : !x, tensor<4xf32>
}

// CHECK-LABEL: func.func @finish
// CHECK: %{{.*}}, %{{.*}} = attn.finish %{{.*}}, %{{.*}}, %{{.*}} : tensor<4xf32>, tensor<4xf32>, tensor<4x8xf32> -> tensor<4x8xbf16>, tensor<4xf32>
func.func @finish(%t: tensor<4xf32>, %l: tensor<4xf32>, %a: tensor<4x8xf32>) -> tensor<4x8xbf16> {
  %o, %lse = attn.finish %t, %l, %a : tensor<4xf32>, tensor<4xf32>, tensor<4x8xf32> -> tensor<4x8xbf16>, tensor<4xf32>
  return %o : tensor<4x8xbf16>
}

// CHECK-LABEL: func.func private @ports
// CHECK-SAME: tensor<?x8xf32> {attn.dims = ["N", "D"], attn.fill = "uniform", attn.name = "x"}
// CHECK-SAME: memref<?xf32> {attn.dims = ["N"], attn.name = "y", attn.result}
// CHECK-SAME: -> (tensor<?x8xf32> {attn.dims = ["N", "D"], attn.name = "out"})
// CHECK-SAME: attributes {attn.defaults = {D = 8 : i64, N = 256 : i64}}
func.func private @ports(
    tensor<?x8xf32> {attn.name = "x", attn.dims = ["N", "D"], attn.fill = "uniform"},
    memref<?xf32> {attn.name = "y", attn.dims = ["N"], attn.result})
    -> (tensor<?x8xf32> {attn.name = "out", attn.dims = ["N", "D"]})
    attributes {attn.defaults = {N = 256, D = 8}}

// A dynamic size fits a static one of the same name.
// CHECK-LABEL: func.func private @ports_dynamic_size
func.func private @ports_dynamic_size(
    tensor<?xf32> {attn.dims = ["N"], attn.fill = "decay"},
    tensor<4xf32> {attn.dims = ["N"], attn.fill = "normal"})

// CHECK-LABEL: func.func private @schedule
// CHECK-SAME: s = #attn.schedule<block_q = 1, block_k = 4096>
func.func private @schedule() attributes {s = #attn.schedule<block_q = 1, block_k = 4096>}

// CHECK-LABEL: func.func private @schedule_splits
// CHECK-SAME: s = #attn.schedule<block_q = 16, block_k = 64, splits = 8>
func.func private @schedule_splits() attributes {s = #attn.schedule<block_q = 16, block_k = 64, splits = 8>}

// CHECK-LABEL: func.func @attend_max_queries
// CHECK: attn.attend %{{.*}}, %{{.*}}, %{{.*}} normalizer(sum) max_queries(16) schedule(<block_q = 16, block_k = 64>) :
func.func @attend_max_queries(%q: !x) -> !x {
  %o = attn.attend %q, %q, %q normalizer(sum) max_queries(16) schedule(<block_q = 16, block_k = 64, splits = 0>) : !x, !x, !x -> !x
  return %o : !x
}

// CHECK-LABEL: func.func @partial_ranges
// CHECK: attn.partial {{.*}} width(16) ranges[2](%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}) scale(1.000000e+00) normalizer(none)
func.func @partial_ranges(%q: !x, %k: !kv, %v: !v, %i: index, %a: tensor<4x6xf32>) -> tensor<4x6xf32> {
  %r = attn.partial %q, %k, %v at(%i, %i, %i, %i) init(%a) width(16) ranges[2](%i, %i, %i, %i) scale(1.0) normalizer(none)
      : !x, !kv, !v -> tensor<4x6xf32>
  return %r : tensor<4x6xf32>
}

// CHECK-LABEL: func.func @partial_packed
// CHECK: attn.partial {{.*}} width(16) bounded packed scale(1.000000e+00) normalizer(none)
func.func @partial_packed(%q: !x, %k: !kv, %v: !v, %i: index, %a: tensor<4x6xf32>) -> tensor<4x6xf32> {
  %r = attn.partial %q, %k, %v at(%i, %i, %i, %i) init(%a) width(16) bounded packed scale(1.0) normalizer(none)
      : !x, !kv, !v -> tensor<4x6xf32>
  return %r : tensor<4x6xf32>
}

// CHECK-LABEL: func.func @merge
// CHECK: %{{[^,]*}} = attn.merge %{{.*}}, %{{.*}} : tensor<2x?x4x?x8xf32>, tensor<2x?x4x?xf32> -> tensor<?x4x?x8xbf16>{{$}}
func.func @merge(%outs: tensor<2x?x4x?x8xf32>, %lses: tensor<2x?x4x?xf32>) -> tensor<?x4x?x8xbf16> {
  %o = attn.merge %outs, %lses : tensor<2x?x4x?x8xf32>, tensor<2x?x4x?xf32> -> tensor<?x4x?x8xbf16>
  return %o : tensor<?x4x?x8xbf16>
}

// CHECK-LABEL: func.func @merge_all_clauses
// CHECK: %{{.*}}, %{{.*}} = attn.merge %{{.*}}, %{{.*}} schedule(<block_q = 16, block_k = 64>)
// CHECK-NEXT: sink (%{{[a-z0-9]+}}, %{{[a-z0-9]+}}, %{{[a-z0-9]+}}) {
// CHECK: attn.yield %{{.*}} : f32
// CHECK: } : tensor<1x?x4x?x8xbf16>, tensor<1x?x4x?xf32> -> tensor<?x4x?x8xbf16>, tensor<?x4x?xf32>
func.func @merge_all_clauses(%outs: tensor<1x?x4x?x8xbf16>, %lses: tensor<1x?x4x?xf32>) -> (tensor<?x4x?x8xbf16>, tensor<?x4x?xf32>) {
  %o, %lse = attn.merge %outs, %lses schedule(<block_q = 16, block_k = 64>)
      sink (%b, %h, %i) {
        %zero = arith.constant 0.0 : f32
        attn.yield %zero : f32
      } : tensor<1x?x4x?x8xbf16>, tensor<1x?x4x?xf32> -> tensor<?x4x?x8xbf16>, tensor<?x4x?xf32>
  return %o, %lse : tensor<?x4x?x8xbf16>, tensor<?x4x?xf32>
}

// CHECK-LABEL: func.func @contract_row
// CHECK: attn.contract_row %{{.*}}, %arg1[] : tensor<8xf32>, tensor<8x4xf32> -> tensor<4xf32>
// CHECK: attn.contract_row %{{.*}}, %arg2[%{{.*}}, %{{.*}}] : tensor<4xf32>, tensor<?x?x4x6xbf16> -> tensor<6xf32>
func.func @contract_row(%x: tensor<?x?x?x8xf32>, %w: tensor<8x4xf32>, %u: tensor<?x?x4x6xbf16>) -> tensor<?x?x?x6xf32> {
  %y = attn.map_rows %x rows (%r: tensor<8xf32>, %b, %h, %n) {
    %s = attn.contract_row %r, %w[] : tensor<8xf32>, tensor<8x4xf32> -> tensor<4xf32>
    %t = attn.contract_row %s, %u[%b, %h] : tensor<4xf32>, tensor<?x?x4x6xbf16> -> tensor<6xf32>
    attn.yield %t : tensor<6xf32>
  } : tensor<?x?x?x8xf32> -> tensor<?x?x?x6xf32>
  return %y : tensor<?x?x?x6xf32>
}

// CHECK-LABEL: func.func @mixed_heads
// CHECK: attn.attend %arg0, %arg0, %arg0 mix_scores(%arg1 : tensor<2x2xf32>) mix_weights(%arg2 : tensor<2x2xbf16>) scale(1.000000e+00)
// CHECK: attn.attend %arg0, %arg0, %arg0 mix_weights(%arg1 : tensor<2x2xf32>) :
func.func @mixed_heads(%x: tensor<?x2x?x8xf32>, %w: tensor<2x2xf32>, %u: tensor<2x2xbf16>) -> tensor<?x2x?x8xf32> {
  %y = attn.attend %x, %x, %x mix_scores(%w : tensor<2x2xf32>) mix_weights(%u : tensor<2x2xbf16>) scale(1.0)
      : tensor<?x2x?x8xf32>, tensor<?x2x?x8xf32>, tensor<?x2x?x8xf32> -> tensor<?x2x?x8xf32>
  %z = attn.attend %x, %x, %x mix_weights(%w : tensor<2x2xf32>)
      : tensor<?x2x?x8xf32>, tensor<?x2x?x8xf32>, tensor<?x2x?x8xf32> -> tensor<?x2x?x8xf32>
  return %z : tensor<?x2x?x8xf32>
}
