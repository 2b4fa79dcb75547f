// RUN: attn-opt %s --attn-split-blocks --attn-to-tile --canonicalize --cse --attn-verify-tile --split-input-file --verify-diagnostics | FileCheck %s

// Destination-passing style, names kept, results marked.
// CHECK-LABEL: func @causal
// CHECK-SAME: %[[Q:.*]]: memref<?x?x?x8xbf16, strided<[?, ?, ?, 1], offset: ?>> {attn.name = "q"}
// CHECK-SAME: %[[K:.*]]: memref<?x?x?x8xbf16, strided<[?, ?, ?, 1], offset: ?>> {attn.name = "k"}
// CHECK-SAME: %[[O:.*]]: memref<?x?x?x8xbf16, strided<[?, ?, ?, 1], offset: ?>> {attn.name = "out", attn.result}
// CHECK: scf.forall (%[[B:.*]], %[[H:.*]], %{{.*}}) in
// The queries are loaded once, before the loops, and scaled.
// CHECK:   %[[Q0:.*]] = tile.load %[[Q]][%[[B]], %[[H]], %[[ROW:.*]], %c0] {{.*}} -> tensor<16x8xbf16>
// CHECK:   %[[Q1:.*]] = arith.extf %[[Q0]] : tensor<16x8xbf16> to tensor<16x8xf32>
// CHECK:   %[[Q2:.*]] = arith.mulf %[[Q1]]
// CHECK-NOT: tile.load %[[Q]]
// CHECK:   scf.for %[[J:[a-z0-9]+]] =
// CHECK:     %[[K0:.*]] = tile.load %[[K]][%[[B]], %[[HK:.*]], %[[J]], %c0] {{.*}} -> tensor<32x8xbf16>
// CHECK:     %[[K1:.*]] = arith.extf %[[K0]]
// CHECK:     %[[S:.*]] = tile.dot %[[Q2]], %[[K1]], %{{.*}} transpose_rhs : tensor<16x8xf32>, tensor<32x8xf32> -> tensor<16x32xf32>
// CHECK:     %[[ROWS:.*]] = tile.iota %[[ROW]] along 0 : tensor<16xindex>
// CHECK:     %[[I:.*]] = tile.broadcast %[[ROWS]] along 1 : tensor<16xindex> -> tensor<16x32xindex>
// CHECK:     %[[JJ:.*]] = tile.iota %[[J]] along 1 : tensor<16x32xindex>
// CHECK:     %[[KEEP:.*]] = arith.cmpi sge, %[[I]], %[[JJ]]
// CHECK:     %[[M:.*]] = arith.select %[[KEEP]], %[[S]]
// CHECK:     %[[MAX:.*]] = tile.reduce max %[[M]]
// CHECK:     %[[T:.*]] = arith.maxnumf %[[T0:.*]], %[[MAX]]
// A reference of -inf is replaced by 0.
// CHECK:     %[[REF:.*]] = arith.select %{{.*}}, %{{.*}}, %[[T]]
// CHECK:     %[[WIDE:.*]] = tile.broadcast %[[REF]] along 1
// CHECK:     %[[DIFF:.*]] = arith.subf %[[M]], %[[WIDE]]
// CHECK:     %[[EXPONENT:.*]] = arith.mulf %[[DIFF]]
// CHECK:     %[[P:.*]] = math.exp2 %[[EXPONENT]] : tensor<16x32xf32>
// CHECK:     arith.subf %[[T0]], %[[REF]]
// CHECK:     tile.reduce add %[[P]]
// CHECK:     tile.dot %[[P]], %{{.*}} : tensor<16x32xf32>, tensor<32x8xf32> -> tensor<16x8xf32>
// The second loop bounds the keys.
// CHECK:   scf.for
// CHECK:     arith.cmpi slt, %{{.*}} : tensor<16x32xindex>
// CHECK:   arith.truncf %{{.*}} : tensor<16x8xf32> to tensor<16x8xbf16>
// CHECK:   tile.store %{{.*}}, %[[O]]
func.func @causal(%q: tensor<?x?x?x8xbf16> {attn.name = "q"}, %k: tensor<?x?x?x8xbf16> {attn.name = "k"}) -> (tensor<?x?x?x8xbf16> {attn.name = "out"}) {
  %o = attn.attend %q, %k, %k scale(0.5) schedule(<block_q = 16, block_k = 32>)
    mask (%b, %h, %i, %j) {
      %keep = arith.cmpi sge, %i, %j : index
      attn.yield %keep : i1
    } : tensor<?x?x?x8xbf16>, tensor<?x?x?x8xbf16>, tensor<?x?x?x8xbf16> -> tensor<?x?x?x8xbf16>
  return %o : tensor<?x?x?x8xbf16>
}

// -----

// Captured tensors: a scalar per head stays a scalar, per pair it is gathered.
// CHECK-LABEL: func @captures
// CHECK: tile.gather %{{.*}}[%{{.*}} : index] : {{.*}} -> f32
// CHECK: tile.gather %{{.*}}[%{{.*}}, %{{.*}} : tensor<16x16xindex>, tensor<16x16xindex>] : {{.*}} -> tensor<16x16xf32>
func.func @captures(%q: tensor<?x?x?x8xf32>, %slopes: tensor<?xf32>, %bias: tensor<?x?xf32>) -> tensor<?x?x?x8xf32> {
  %o = attn.attend %q, %q, %q schedule(<block_q = 16, block_k = 16>)
    score (%s: f32, %b, %h, %i, %j) {
      %m = tensor.extract %slopes[%h] : tensor<?xf32>
      %t = tensor.extract %bias[%i, %j] : tensor<?x?xf32>
      %0 = arith.mulf %s, %m : f32
      %1 = arith.addf %0, %t : f32
      attn.yield %1 : f32
    } : tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32> -> tensor<?x?x?x8xf32>
  return %o : tensor<?x?x?x8xf32>
}

// -----

// A map with two readers gets a buffer of its own.
// CHECK-LABEL: func @intermediate
// CHECK: %[[T:.*]] = memref.alloc
// CHECK: scf.forall
// CHECK:   math.tanh %{{.*}} : tensor<32x8xf32>
// CHECK:   tile.store %{{.*}}, %[[T]]
// CHECK: scf.forall
// CHECK:   tile.load %[[T]]
// CHECK: memref.dealloc %[[T]]
func.func @intermediate(%q: tensor<?x?x?x8xf32>) -> tensor<?x?x?x8xf32> {
  %p = attn.map_rows %q schedule(<block_q = 32, block_k = 1>) rows (%x: tensor<8xf32>, %b, %h, %n) {
    %y = math.tanh %x : tensor<8xf32>
    attn.yield %y : tensor<8xf32>
  } : tensor<?x?x?x8xf32> -> tensor<?x?x?x8xf32>
  %o = attn.attend %p, %p, %q schedule(<block_q = 16, block_k = 16>) : tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32> -> tensor<?x?x?x8xf32>
  return %o : tensor<?x?x?x8xf32>
}

// -----

// Rows of a head meet one matrix, which is a tile.
// CHECK-LABEL: func @product
// CHECK: scf.forall (%{{.*}}, %[[H:.*]], %{{.*}}) in
// CHECK: %[[X:.*]] = tile.load %arg0
// CHECK: %[[W:.*]] = tile.load %arg1[%[[H]], %{{.*}}, %{{.*}}] : {{.*}} -> tensor<8x4xbf16>
// CHECK: %[[WIDE:.*]] = arith.extf %[[W]] : tensor<8x4xbf16> to tensor<8x4xf32>
// CHECK: %[[Y:.*]] = tile.dot %[[X]], %[[WIDE]], %{{.*}} : tensor<32x8xf32>, tensor<8x4xf32> -> tensor<32x4xf32>
// CHECK: tile.store %[[Y]], %arg2
func.func @product(%x: tensor<?x?x?x8xf32>, %w: tensor<?x8x4xbf16>) -> tensor<?x?x?x4xf32> {
  %y = attn.map_rows %x schedule(<block_q = 32, block_k = 1>) rows (%r: tensor<8xf32>, %b, %h, %n) {
    %z = attn.contract_row %r, %w[%h] : tensor<8xf32>, tensor<?x8x4xbf16> -> tensor<4xf32>
    attn.yield %z : tensor<4xf32>
  } : tensor<?x?x?x8xf32> -> tensor<?x?x?x4xf32>
  return %y : tensor<?x?x?x4xf32>
}

// -----

// expected-error @+1 {{result 0 must be computed by an attn op, got an argument of the function}}
func.func @negative_returns_argument(%q: tensor<?x?x?x8xf32>) -> tensor<?x?x?x8xf32> {
  return %q : tensor<?x?x?x8xf32>
}

// -----

func.func @negative_foreign_op(%q: tensor<?x?x?x8xf32>) -> tensor<?x?x?x8xf32> {
  // expected-error @+1 {{cannot become part of a tile program; expected attn ops and index arithmetic}}
  %p = math.tanh %q : tensor<?x?x?x8xf32>
  %o = attn.map_rows %p schedule(<block_q = 32, block_k = 1>) rows (%x: tensor<8xf32>, %b, %h, %n) {
    %y = math.tanh %x : tensor<8xf32>
    attn.yield %y : tensor<8xf32>
  } : tensor<?x?x?x8xf32> -> tensor<?x?x?x8xf32>
  return %o : tensor<?x?x?x8xf32>
}

// -----

// expected-error @+1 {{result 0 must be computed by an attn op, got 'arith.subf'}}
func.func @negative_result_of_arith(%q: tensor<?x?x?x8xf32>) -> tensor<?x?x?x8xf32> {
  %o = attn.map_rows %q schedule(<block_q = 32, block_k = 1>) rows (%x: tensor<8xf32>, %b, %h, %n) {
    %y = math.tanh %x : tensor<8xf32>
    attn.yield %y : tensor<8xf32>
  } : tensor<?x?x?x8xf32> -> tensor<?x?x?x8xf32>
  %d = arith.subf %o, %q : tensor<?x?x?x8xf32>
  return %d : tensor<?x?x?x8xf32>
}

// -----

func.func @negative_constant_table(%q: tensor<?x?x?x8xf32>) -> tensor<?x?x?x8xf32> {
  // expected-error @+1 {{is a table that regions cannot capture; expected an argument of the function, got a constant}}
  %table = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %o = attn.map_rows %q schedule(<block_q = 32, block_k = 1>) rows (%x: tensor<8xf32>, %b, %h, %n) {
    %t = tensor.extract %table[%h] : tensor<2xf32>
    %s = tensor.splat %t : tensor<8xf32>
    %y = arith.mulf %x, %s : tensor<8xf32>
    attn.yield %y : tensor<8xf32>
  } : tensor<?x?x?x8xf32> -> tensor<?x?x?x8xf32>
  return %o : tensor<?x?x?x8xf32>
}

// -----

func.func @negative_constant_list(%x: tensor<?xf32>) -> (tensor<1x1x?xi32>, tensor<1x1x?xi32>) {
  %c0 = arith.constant 0 : index
  %c = tensor.dim %x, %c0 : tensor<?xf32>
  // expected-error @+1 {{is a list of blocks that programs cannot read; expected an argument of the function, got a constant}}
  %o = arith.constant dense<[[[0, 1, 2]]]> : tensor<1x1x3xi32>
  %l = arith.constant dense<[[[0, 1]]]> : tensor<1x1x2xi32>
  %a, %b = attn.transpose_list %o, %l columns(%c) : tensor<1x1x3xi32>, tensor<1x1x2xi32> -> tensor<1x1x?xi32>, tensor<1x1x?xi32>
  return %a, %b : tensor<1x1x?xi32>, tensor<1x1x?xi32>
}

// -----

func.func @negative_constant_list_to_sort(%x: tensor<?xf32>) -> tensor<1x1x?xi32> {
  %c0 = arith.constant 0 : index
  %c = tensor.dim %x, %c0 : tensor<?xf32>
  // expected-error @+1 {{is a list of blocks that programs cannot read; expected an argument of the function, got a constant}}
  %o = arith.constant dense<[[[0, 1, 2]]]> : tensor<1x1x3xi32>
  %order = attn.block_order %o count(%c) costs [1, 1] : tensor<1x1x3xi32> -> tensor<1x1x?xi32>
  return %order : tensor<1x1x?xi32>
}

// -----

func.func @negative_constant_list_of_attend(%q: tensor<?x1x?x8xf32>) -> tensor<?x1x?x8xf32> {
  // expected-error @+1 {{is a list of blocks that programs cannot read; expected an argument of the function, got a constant}}
  %o = arith.constant dense<[[[0, 1, 2]]]> : tensor<1x1x3xi32>
  %l = arith.constant dense<[[[0, 1]]]> : tensor<1x1x2xi32>
  %y = attn.attend %q, %q, %q blocks(%o, %l : tensor<1x1x3xi32>, tensor<1x1x2xi32>) block_sizes [64, 32]
      schedule(<block_q = 64, block_k = 32>) : tensor<?x1x?x8xf32>, tensor<?x1x?x8xf32>, tensor<?x1x?x8xf32> -> tensor<?x1x?x8xf32>
  return %y : tensor<?x1x?x8xf32>
}

// -----

// A block of several heads, whose matrices differ.
func.func @negative_matrices_of_packed_heads(%q: tensor<?x4x?x8xf32>, %k: tensor<?x2x?x8xf32>, %w: tensor<?x8x8xf32>) -> tensor<?x4x?x8xf32> {
  %c0 = arith.constant 0 : index
  %t = arith.constant dense<0xFF800000> : tensor<16xf32>
  %l = arith.constant dense<0.0> : tensor<16xf32>
  %r:2 = attn.partial %q, %k, %k at(%c0, %c0, %c0, %c0) init(%t, %l) width(16) packed scale(1.0)
      query (%x: tensor<8xf32>, %b, %h, %n) {
        // expected-error @+1 {{needs one matrix for all rows of a block, got one per head in a block of several heads}}
        %y = attn.contract_row %x, %w[%h] : tensor<8xf32>, tensor<?x8x8xf32> -> tensor<8xf32>
        attn.yield %y : tensor<8xf32>
      } : tensor<?x4x?x8xf32>, tensor<?x2x?x8xf32>, tensor<?x2x?x8xf32> -> tensor<16xf32>, tensor<16xf32>
  %o = attn.map_rows %q schedule(<block_q = 32, block_k = 1>) rows (%x: tensor<8xf32>, %b, %h, %n) {
    %y = math.tanh %x : tensor<8xf32>
    attn.yield %y : tensor<8xf32>
  } : tensor<?x4x?x8xf32> -> tensor<?x4x?x8xf32>
  return %o : tensor<?x4x?x8xf32>
}

// -----

// A permission to round operands is one of f32, of both products.
// CHECK-LABEL: func @precision
// CHECK: tile.dot {{.*}} transpose_rhs precision(tf32) : tensor<16x8xf32>
// CHECK: tile.dot {{.*}} precision(tf32) : tensor<16x32xf32>
func.func @precision(%q: tensor<?x?x?x8xf32>) -> tensor<?x?x?x8xf32> {
  %o = attn.attend %q, %q, %q precision(tf32) schedule(<block_q = 16, block_k = 32>)
    : tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32> -> tensor<?x?x?x8xf32>
  return %o : tensor<?x?x?x8xf32>
}

// -----

// CHECK-LABEL: func @precision_bf16
// CHECK: tile.dot
// CHECK-NOT: precision
func.func @precision_bf16(%q: tensor<?x?x?x8xbf16>) -> tensor<?x?x?x8xbf16> {
  %o = attn.attend %q, %q, %q precision(tf32) schedule(<block_q = 16, block_k = 32>)
    : tensor<?x?x?x8xbf16>, tensor<?x?x?x8xbf16>, tensor<?x?x?x8xbf16> -> tensor<?x?x?x8xbf16>
  return %o : tensor<?x?x?x8xbf16>
}
