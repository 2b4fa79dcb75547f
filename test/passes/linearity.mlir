// RUN: attn-opt %s --attn-split-blocks | FileCheck %s

// Where the prob region is the weight times something that does not depend on it,
// one visit of the keys is enough; else statistics are given to a second one.

// CHECK-LABEL: func.func @once_argument(
// CHECK-NOT: given(
// CHECK: attn.finish %{{.*}} : tensor<16xf32>, tensor<16xf32>, tensor<16x8xf32>
func.func @once_argument(%q: tensor<?x?x?x8xf32>, %gates: tensor<?xf32>) -> tensor<?x?x?x8xf32> {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %o = attn.attend %q, %q, %q schedule(<block_q = 16, block_k = 32>)
      prob (%p: f32, %b, %h, %i, %j) {
        %g = tensor.extract %gates[%j] : tensor<?xf32>
        attn.yield %p : f32
      } : tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32> -> tensor<?x?x?x8xf32>
  return %o : tensor<?x?x?x8xf32>
}

// CHECK-LABEL: func.func @once_product(
// CHECK-NOT: given(
// CHECK: attn.finish %{{.*}} : tensor<16xf32>, tensor<16xf32>, tensor<16x8xf32>
func.func @once_product(%q: tensor<?x?x?x8xf32>, %gates: tensor<?xf32>) -> tensor<?x?x?x8xf32> {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %o = attn.attend %q, %q, %q schedule(<block_q = 16, block_k = 32>)
      prob (%p: f32, %b, %h, %i, %j) {
        %g = tensor.extract %gates[%j] : tensor<?xf32>
        %w = arith.mulf %p, %g : f32
        attn.yield %w : f32
      } : tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32> -> tensor<?x?x?x8xf32>
  return %o : tensor<?x?x?x8xf32>
}

// CHECK-LABEL: func.func @once_product_right(
// CHECK-NOT: given(
// CHECK: attn.finish %{{.*}} : tensor<16xf32>, tensor<16xf32>, tensor<16x8xf32>
func.func @once_product_right(%q: tensor<?x?x?x8xf32>, %gates: tensor<?xf32>) -> tensor<?x?x?x8xf32> {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %o = attn.attend %q, %q, %q schedule(<block_q = 16, block_k = 32>)
      prob (%p: f32, %b, %h, %i, %j) {
        %g = tensor.extract %gates[%j] : tensor<?xf32>
        %w = arith.mulf %g, %p : f32
        attn.yield %w : f32
      } : tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32> -> tensor<?x?x?x8xf32>
  return %o : tensor<?x?x?x8xf32>
}

// CHECK-LABEL: func.func @once_quotient(
// CHECK-NOT: given(
// CHECK: attn.finish %{{.*}} : tensor<16xf32>, tensor<16xf32>, tensor<16x8xf32>
func.func @once_quotient(%q: tensor<?x?x?x8xf32>, %gates: tensor<?xf32>) -> tensor<?x?x?x8xf32> {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %o = attn.attend %q, %q, %q schedule(<block_q = 16, block_k = 32>)
      prob (%p: f32, %b, %h, %i, %j) {
        %g = tensor.extract %gates[%j] : tensor<?xf32>
        %w = arith.divf %p, %g : f32
        attn.yield %w : f32
      } : tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32> -> tensor<?x?x?x8xf32>
  return %o : tensor<?x?x?x8xf32>
}

// CHECK-LABEL: func.func @once_negated(
// CHECK-NOT: given(
// CHECK: attn.finish %{{.*}} : tensor<16xf32>, tensor<16xf32>, tensor<16x8xf32>
func.func @once_negated(%q: tensor<?x?x?x8xf32>, %gates: tensor<?xf32>) -> tensor<?x?x?x8xf32> {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %o = attn.attend %q, %q, %q schedule(<block_q = 16, block_k = 32>)
      prob (%p: f32, %b, %h, %i, %j) {
        %g = tensor.extract %gates[%j] : tensor<?xf32>
        %w = arith.negf %p : f32
        attn.yield %w : f32
      } : tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32> -> tensor<?x?x?x8xf32>
  return %o : tensor<?x?x?x8xf32>
}

// The zero is a capture.
// CHECK-LABEL: func.func @once_select_zero(
// CHECK-NOT: given(
// CHECK: attn.finish %{{.*}} : tensor<16xf32>, tensor<16xf32>, tensor<16x8xf32>
func.func @once_select_zero(%q: tensor<?x?x?x8xf32>, %gates: tensor<?xf32>) -> tensor<?x?x?x8xf32> {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %o = attn.attend %q, %q, %q schedule(<block_q = 16, block_k = 32>)
      prob (%p: f32, %b, %h, %i, %j) {
        %g = tensor.extract %gates[%j] : tensor<?xf32>
        %keep = arith.cmpf oge, %g, %zero : f32
        %w = arith.select %keep, %p, %zero : f32
        attn.yield %w : f32
      } : tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32> -> tensor<?x?x?x8xf32>
  return %o : tensor<?x?x?x8xf32>
}

// The same in the region.
// CHECK-LABEL: func.func @once_select_zero_inside(
// CHECK-NOT: given(
// CHECK: attn.finish %{{.*}} : tensor<16xf32>, tensor<16xf32>, tensor<16x8xf32>
func.func @once_select_zero_inside(%q: tensor<?x?x?x8xf32>) -> tensor<?x?x?x8xf32> {
  %o = attn.attend %q, %q, %q schedule(<block_q = 16, block_k = 32>)
      prob (%p: f32, %b, %h, %i, %j) {
        %zero = arith.constant 0.0 : f32
        %keep = arith.cmpi sge, %i, %j : index
        %w = arith.select %keep, %p, %zero : f32
        attn.yield %w : f32
      } : tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32> -> tensor<?x?x?x8xf32>
  return %o : tensor<?x?x?x8xf32>
}

// CHECK-LABEL: func.func @once_sum_of_linear(
// CHECK-NOT: given(
// CHECK: attn.finish %{{.*}} : tensor<16xf32>, tensor<16xf32>, tensor<16x8xf32>
func.func @once_sum_of_linear(%q: tensor<?x?x?x8xf32>, %gates: tensor<?xf32>) -> tensor<?x?x?x8xf32> {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %o = attn.attend %q, %q, %q schedule(<block_q = 16, block_k = 32>)
      prob (%p: f32, %b, %h, %i, %j) {
        %g = tensor.extract %gates[%j] : tensor<?xf32>
        %t = arith.mulf %p, %g : f32
        %w = arith.addf %p, %t : f32
        attn.yield %w : f32
      } : tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32> -> tensor<?x?x?x8xf32>
  return %o : tensor<?x?x?x8xf32>
}

// CHECK-LABEL: func.func @once_difference(
// CHECK-NOT: given(
// CHECK: attn.finish %{{.*}} : tensor<16xf32>, tensor<16xf32>, tensor<16x8xf32>
func.func @once_difference(%q: tensor<?x?x?x8xf32>, %gates: tensor<?xf32>) -> tensor<?x?x?x8xf32> {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %o = attn.attend %q, %q, %q schedule(<block_q = 16, block_k = 32>)
      prob (%p: f32, %b, %h, %i, %j) {
        %g = tensor.extract %gates[%j] : tensor<?xf32>
        %t = arith.mulf %p, %g : f32
        %w = arith.subf %t, %p : f32
        attn.yield %w : f32
      } : tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32> -> tensor<?x?x?x8xf32>
  return %o : tensor<?x?x?x8xf32>
}

// CHECK-LABEL: func.func @once_select_linear(
// CHECK-NOT: given(
// CHECK: attn.finish %{{.*}} : tensor<16xf32>, tensor<16xf32>, tensor<16x8xf32>
func.func @once_select_linear(%q: tensor<?x?x?x8xf32>, %gates: tensor<?xf32>) -> tensor<?x?x?x8xf32> {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %o = attn.attend %q, %q, %q schedule(<block_q = 16, block_k = 32>)
      prob (%p: f32, %b, %h, %i, %j) {
        %g = tensor.extract %gates[%j] : tensor<?xf32>
        %keep = arith.cmpi sge, %i, %j : index
        %t = arith.mulf %p, %g : f32
        %w = arith.select %keep, %t, %p : f32
        attn.yield %w : f32
      } : tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32> -> tensor<?x?x?x8xf32>
  return %o : tensor<?x?x?x8xf32>
}

// CHECK-LABEL: func.func @once_gate_computed(
// CHECK-NOT: given(
// CHECK: attn.finish %{{.*}} : tensor<16xf32>, tensor<16xf32>, tensor<16x8xf32>
func.func @once_gate_computed(%q: tensor<?x?x?x8xf32>, %gates: tensor<?xf32>) -> tensor<?x?x?x8xf32> {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %o = attn.attend %q, %q, %q schedule(<block_q = 16, block_k = 32>)
      prob (%p: f32, %b, %h, %i, %j) {
        %g = tensor.extract %gates[%j] : tensor<?xf32>
        %t = arith.mulf %g, %g : f32
        %u = arith.addf %t, %one : f32
        %e = math.exp %u : f32
        %w = arith.mulf %p, %e : f32
        attn.yield %w : f32
      } : tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32> -> tensor<?x?x?x8xf32>
  return %o : tensor<?x?x?x8xf32>
}

// Zero is zero times the weight.
// CHECK-LABEL: func.func @once_zero(
// CHECK-NOT: given(
// CHECK: attn.finish %{{.*}} : tensor<16xf32>, tensor<16xf32>, tensor<16x8xf32>
func.func @once_zero(%q: tensor<?x?x?x8xf32>, %gates: tensor<?xf32>) -> tensor<?x?x?x8xf32> {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %o = attn.attend %q, %q, %q schedule(<block_q = 16, block_k = 32>)
      prob (%p: f32, %b, %h, %i, %j) {
        %g = tensor.extract %gates[%j] : tensor<?xf32>
        attn.yield %zero : f32
      } : tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32> -> tensor<?x?x?x8xf32>
  return %o : tensor<?x?x?x8xf32>
}

// CHECK-LABEL: func.func @twice_square(
// CHECK: attn.partial {{.*}} given(
// CHECK: attn.finish {{.*}} normalized
func.func @twice_square(%q: tensor<?x?x?x8xf32>, %gates: tensor<?xf32>) -> tensor<?x?x?x8xf32> {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %o = attn.attend %q, %q, %q schedule(<block_q = 16, block_k = 32>)
      prob (%p: f32, %b, %h, %i, %j) {
        %g = tensor.extract %gates[%j] : tensor<?xf32>
        %w = arith.mulf %p, %p : f32
        attn.yield %w : f32
      } : tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32> -> tensor<?x?x?x8xf32>
  return %o : tensor<?x?x?x8xf32>
}

// CHECK-LABEL: func.func @twice_offset(
// CHECK: attn.partial {{.*}} given(
// CHECK: attn.finish {{.*}} normalized
func.func @twice_offset(%q: tensor<?x?x?x8xf32>, %gates: tensor<?xf32>) -> tensor<?x?x?x8xf32> {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %o = attn.attend %q, %q, %q schedule(<block_q = 16, block_k = 32>)
      prob (%p: f32, %b, %h, %i, %j) {
        %g = tensor.extract %gates[%j] : tensor<?xf32>
        %w = arith.addf %p, %one : f32
        attn.yield %w : f32
      } : tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32> -> tensor<?x?x?x8xf32>
  return %o : tensor<?x?x?x8xf32>
}

// CHECK-LABEL: func.func @twice_offset_subtracted(
// CHECK: attn.partial {{.*}} given(
// CHECK: attn.finish {{.*}} normalized
func.func @twice_offset_subtracted(%q: tensor<?x?x?x8xf32>, %gates: tensor<?xf32>) -> tensor<?x?x?x8xf32> {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %o = attn.attend %q, %q, %q schedule(<block_q = 16, block_k = 32>)
      prob (%p: f32, %b, %h, %i, %j) {
        %g = tensor.extract %gates[%j] : tensor<?xf32>
        %w = arith.subf %g, %p : f32
        attn.yield %w : f32
      } : tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32> -> tensor<?x?x?x8xf32>
  return %o : tensor<?x?x?x8xf32>
}

// CHECK-LABEL: func.func @twice_root(
// CHECK: attn.partial {{.*}} given(
// CHECK: attn.finish {{.*}} normalized
func.func @twice_root(%q: tensor<?x?x?x8xf32>, %gates: tensor<?xf32>) -> tensor<?x?x?x8xf32> {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %o = attn.attend %q, %q, %q schedule(<block_q = 16, block_k = 32>)
      prob (%p: f32, %b, %h, %i, %j) {
        %g = tensor.extract %gates[%j] : tensor<?xf32>
        %w = math.sqrt %p : f32
        attn.yield %w : f32
      } : tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32> -> tensor<?x?x?x8xf32>
  return %o : tensor<?x?x?x8xf32>
}

// A threshold on the normalised weight.
// CHECK-LABEL: func.func @twice_select_on_weight(
// CHECK: attn.partial {{.*}} given(
// CHECK: attn.finish {{.*}} normalized
func.func @twice_select_on_weight(%q: tensor<?x?x?x8xf32>, %gates: tensor<?xf32>) -> tensor<?x?x?x8xf32> {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %o = attn.attend %q, %q, %q schedule(<block_q = 16, block_k = 32>)
      prob (%p: f32, %b, %h, %i, %j) {
        %g = tensor.extract %gates[%j] : tensor<?xf32>
        %keep = arith.cmpf oge, %p, %g : f32
        %w = arith.select %keep, %p, %zero : f32
        attn.yield %w : f32
      } : tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32> -> tensor<?x?x?x8xf32>
  return %o : tensor<?x?x?x8xf32>
}

// CHECK-LABEL: func.func @twice_select_other(
// CHECK: attn.partial {{.*}} given(
// CHECK: attn.finish {{.*}} normalized
func.func @twice_select_other(%q: tensor<?x?x?x8xf32>, %gates: tensor<?xf32>) -> tensor<?x?x?x8xf32> {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %o = attn.attend %q, %q, %q schedule(<block_q = 16, block_k = 32>)
      prob (%p: f32, %b, %h, %i, %j) {
        %g = tensor.extract %gates[%j] : tensor<?xf32>
        %keep = arith.cmpi sge, %i, %j : index
        %w = arith.select %keep, %p, %one : f32
        attn.yield %w : f32
      } : tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32> -> tensor<?x?x?x8xf32>
  return %o : tensor<?x?x?x8xf32>
}

// CHECK-LABEL: func.func @twice_reciprocal(
// CHECK: attn.partial {{.*}} given(
// CHECK: attn.finish {{.*}} normalized
func.func @twice_reciprocal(%q: tensor<?x?x?x8xf32>, %gates: tensor<?xf32>) -> tensor<?x?x?x8xf32> {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %o = attn.attend %q, %q, %q schedule(<block_q = 16, block_k = 32>)
      prob (%p: f32, %b, %h, %i, %j) {
        %g = tensor.extract %gates[%j] : tensor<?xf32>
        %w = arith.divf %one, %p : f32
        attn.yield %w : f32
      } : tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32> -> tensor<?x?x?x8xf32>
  return %o : tensor<?x?x?x8xf32>
}

// CHECK-LABEL: func.func @twice_quotient_of_weights(
// CHECK: attn.partial {{.*}} given(
// CHECK: attn.finish {{.*}} normalized
func.func @twice_quotient_of_weights(%q: tensor<?x?x?x8xf32>, %gates: tensor<?xf32>) -> tensor<?x?x?x8xf32> {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %o = attn.attend %q, %q, %q schedule(<block_q = 16, block_k = 32>)
      prob (%p: f32, %b, %h, %i, %j) {
        %g = tensor.extract %gates[%j] : tensor<?xf32>
        %w = arith.divf %p, %p : f32
        attn.yield %w : f32
      } : tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32> -> tensor<?x?x?x8xf32>
  return %o : tensor<?x?x?x8xf32>
}

// Does not depend on the weight at all.
// CHECK-LABEL: func.func @twice_independent(
// CHECK: attn.partial {{.*}} given(
// CHECK: attn.finish {{.*}} normalized
func.func @twice_independent(%q: tensor<?x?x?x8xf32>, %gates: tensor<?xf32>) -> tensor<?x?x?x8xf32> {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %o = attn.attend %q, %q, %q schedule(<block_q = 16, block_k = 32>)
      prob (%p: f32, %b, %h, %i, %j) {
        %g = tensor.extract %gates[%j] : tensor<?xf32>
        attn.yield %g : f32
      } : tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32> -> tensor<?x?x?x8xf32>
  return %o : tensor<?x?x?x8xf32>
}

// Linear in weights that are not negative, which is not looked at.
// CHECK-LABEL: func.func @twice_absolute(
// CHECK: attn.partial {{.*}} given(
// CHECK: attn.finish {{.*}} normalized
func.func @twice_absolute(%q: tensor<?x?x?x8xf32>, %gates: tensor<?xf32>) -> tensor<?x?x?x8xf32> {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %o = attn.attend %q, %q, %q schedule(<block_q = 16, block_k = 32>)
      prob (%p: f32, %b, %h, %i, %j) {
        %g = tensor.extract %gates[%j] : tensor<?xf32>
        %w = math.absf %p : f32
        attn.yield %w : f32
      } : tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32> -> tensor<?x?x?x8xf32>
  return %o : tensor<?x?x?x8xf32>
}

// CHECK-LABEL: func.func @twice_minimum(
// CHECK: attn.partial {{.*}} given(
// CHECK: attn.finish {{.*}} normalized
func.func @twice_minimum(%q: tensor<?x?x?x8xf32>, %gates: tensor<?xf32>) -> tensor<?x?x?x8xf32> {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %o = attn.attend %q, %q, %q schedule(<block_q = 16, block_k = 32>)
      prob (%p: f32, %b, %h, %i, %j) {
        %g = tensor.extract %gates[%j] : tensor<?xf32>
        %w = arith.minimumf %p, %g : f32
        attn.yield %w : f32
      } : tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32> -> tensor<?x?x?x8xf32>
  return %o : tensor<?x?x?x8xf32>
}
