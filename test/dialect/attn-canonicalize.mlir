// RUN: attn-opt %s --canonicalize --split-input-file | FileCheck %s

// CHECK-LABEL: func.func @drop_identity_rows
// CHECK-NEXT: attn.attend %{{.*}}, %{{.*}}, %{{.*}} : tensor<1x2x4x8xf32>
func.func @drop_identity_rows(%q: tensor<1x2x4x8xf32>) -> tensor<1x2x4x8xf32> {
  %o = attn.attend %q, %q, %q
      query (%x: tensor<8xf32>, %b, %h, %n) { attn.yield %x : tensor<8xf32> }
      key (%x: tensor<8xf32>, %b, %h, %n) { attn.yield %x : tensor<8xf32> }
      value (%x: tensor<8xf32>, %b, %h, %n) { attn.yield %x : tensor<8xf32> }
      : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return %o : tensor<1x2x4x8xf32>
}

// -----

// CHECK-LABEL: func.func @drop_identity_score
// CHECK-NEXT: attn.attend %{{.*}}, %{{.*}}, %{{.*}} scale(5.000000e-01) : tensor<1x2x4x8xf32>
func.func @drop_identity_score(%q: tensor<1x2x4x8xf32>) -> tensor<1x2x4x8xf32> {
  %o = attn.attend %q, %q, %q scale(0.5)
      score (%s: f32, %b, %h, %i, %j) { attn.yield %s : f32 }
      : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return %o : tensor<1x2x4x8xf32>
}

// -----

// CHECK-LABEL: func.func @drop_identity_prob
// CHECK-NEXT: attn.attend %{{.*}}, %{{.*}}, %{{.*}} normalizer(sum) : tensor<1x2x4x8xf32>
func.func @drop_identity_prob(%q: tensor<1x2x4x8xf32>) -> tensor<1x2x4x8xf32> {
  %o = attn.attend %q, %q, %q normalizer(sum)
      prob (%p: f32, %b, %h, %i, %j) {
        %one = arith.constant 1.0 : f32
        %w = arith.mulf %p, %one : f32
        attn.yield %w : f32
      } : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return %o : tensor<1x2x4x8xf32>
}

// -----

// CHECK-LABEL: func.func @negative_keep_prob_and_sink
// CHECK: prob (
// CHECK: attn.random
// CHECK: sink (
func.func @negative_keep_prob_and_sink(%q: tensor<1x2x4x8xf32>, %seed: i64) -> tensor<1x2x4x8xf32> {
  %o = attn.attend %q, %q, %q
      prob (%p: f32, %b, %h, %i, %j) {
        %u = attn.random %seed at(%i, %j) : f32
        %w = arith.mulf %p, %u : f32
        attn.yield %w : f32
      }
      sink (%b, %h, %i) {
        %zero = arith.constant 0.0 : f32
        attn.yield %zero : f32
      } : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return %o : tensor<1x2x4x8xf32>
}

// -----

// Constant folding shows that the mask is true everywhere.
// CHECK-LABEL: func.func @drop_true_mask
// CHECK-NEXT: attn.attend %{{.*}}, %{{.*}}, %{{.*}} : tensor<1x2x4x8xf32>
func.func @drop_true_mask(%q: tensor<1x2x4x8xf32>) -> tensor<1x2x4x8xf32> {
  %o = attn.attend %q, %q, %q
      mask (%b, %h, %i, %j) {
        %keep = arith.cmpi eq, %i, %i : index
        attn.yield %keep : i1
      } : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return %o : tensor<1x2x4x8xf32>
}

// -----

// A mask that is false everywhere says something: there are no keys.
// CHECK-LABEL: func.func @negative_keep_false_mask
// CHECK: mask (%{{.*}}) {
// CHECK: %[[FALSE:.*]] = arith.constant false
// CHECK: attn.yield %[[FALSE]] : i1
func.func @negative_keep_false_mask(%q: tensor<1x2x4x8xf32>) -> tensor<1x2x4x8xf32> {
  %o = attn.attend %q, %q, %q
      mask (%b, %h, %i, %j) {
        %keep = arith.constant false
        attn.yield %keep : i1
      } : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return %o : tensor<1x2x4x8xf32>
}

// -----

// CHECK-LABEL: func.func @negative_keep_regions
// CHECK: query (
// CHECK: math.tanh
// CHECK: score (
// CHECK: arith.negf
// CHECK: mask (
// CHECK: arith.cmpi
func.func @negative_keep_regions(%q: tensor<1x2x4x8xf32>) -> tensor<1x2x4x8xf32> {
  %o = attn.attend %q, %q, %q
      query (%x: tensor<8xf32>, %b, %h, %n) {
        %y = math.tanh %x : tensor<8xf32>
        attn.yield %y : tensor<8xf32>
      }
      score (%s: f32, %b, %h, %i, %j) {
        %t = arith.negf %s : f32
        attn.yield %t : f32
      }
      mask (%b, %h, %i, %j) {
        %keep = arith.cmpi ne, %i, %j : index
        attn.yield %keep : i1
      } : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return %o : tensor<1x2x4x8xf32>
}

// -----

// What else the op says stays, its regions included.
// CHECK-LABEL: func.func @drop_unused_lse
// CHECK: %[[O:.*]] = attn.attend %{{.*}}, %{{.*}}, %{{.*}} scale(5.000000e-01) alignment(end) precision(tf32) schedule(<block_q = 16, block_k = 32>)
// CHECK-NEXT: mask (
// CHECK: sink (
// CHECK: -> tensor<1x2x4x8xf32>{{$}}
// CHECK: return %[[O]] :
func.func @drop_unused_lse(%q: tensor<1x2x4x8xf32>) -> tensor<1x2x4x8xf32> {
  %o, %lse = attn.attend %q, %q, %q scale(0.5) alignment(end) precision(tf32) schedule(<block_q = 16, block_k = 32>)
      mask (%b, %h, %i, %j) {
        %keep = arith.cmpi sge, %i, %j : index
        attn.yield %keep : i1
      }
      sink (%b, %h, %i) {
        %zero = arith.constant 0.0 : f32
        attn.yield %zero : f32
      } : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>, tensor<1x2x4xf32>
  return %o : tensor<1x2x4x8xf32>
}

// -----

// CHECK-LABEL: func.func @negative_keep_used_lse
// CHECK: %{{.*}}, %[[LSE:.*]] = attn.attend
// CHECK: return %[[LSE]] :
func.func @negative_keep_used_lse(%q: tensor<1x2x4x8xf32>) -> tensor<1x2x4xf32> {
  %o, %lse = attn.attend %q, %q, %q
      : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>, tensor<1x2x4xf32>
  return %lse : tensor<1x2x4xf32>
}

// -----

// CHECK-LABEL: func.func @drop_identity_map
// CHECK-SAME: %[[Q:.*]]: tensor<1x2x4x8xf32>
// CHECK-NEXT: return %[[Q]]
func.func @drop_identity_map(%q: tensor<1x2x4x8xf32>) -> tensor<1x2x4x8xf32> {
  %y = attn.map_rows %q rows (%x: tensor<8xf32>, %b, %h, %n) {
    attn.yield %x : tensor<8xf32>
  } : tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return %y : tensor<1x2x4x8xf32>
}

// -----

// The result states a size that the operand does not.
// CHECK-LABEL: func.func @negative_keep_identity_map_of_other_type
// CHECK: attn.map_rows
func.func @negative_keep_identity_map_of_other_type(%q: tensor<1x2x?x8xf32>) -> tensor<1x2x4x8xf32> {
  %y = attn.map_rows %q rows (%x: tensor<8xf32>, %b, %h, %n) {
    attn.yield %x : tensor<8xf32>
  } : tensor<1x2x?x8xf32> -> tensor<1x2x4x8xf32>
  return %y : tensor<1x2x4x8xf32>
}

// -----

// CHECK-LABEL: func.func @negative_keep_map
// CHECK: attn.map_rows
// CHECK: math.tanh
func.func @negative_keep_map(%q: tensor<1x2x4x8xf32>) -> tensor<1x2x4x8xf32> {
  %y = attn.map_rows %q rows (%x: tensor<8xf32>, %b, %h, %n) {
    %z = math.tanh %x : tensor<8xf32>
    attn.yield %z : tensor<8xf32>
  } : tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return %y : tensor<1x2x4x8xf32>
}

// -----

// Without side effects, what nobody reads goes.
// CHECK-LABEL: func.func @drop_unused_ops
// CHECK-NEXT: return
func.func @drop_unused_ops(%q: tensor<1x2x4x8xf32>, %t: tensor<4xf32>, %a: tensor<4x8xf32>) {
  %o = attn.attend %q, %q, %q : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  %y = attn.map_rows %q rows (%x: tensor<8xf32>, %b, %h, %n) {
    %z = math.tanh %x : tensor<8xf32>
    attn.yield %z : tensor<8xf32>
  } : tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  %rows, %lse = attn.finish %t, %t, %a : tensor<4xf32>, tensor<4xf32>, tensor<4x8xf32> -> tensor<4x8xf16>, tensor<4xf32>
  return
}
