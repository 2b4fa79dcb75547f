// RUN: attn-opt %s --attn-cpu-block-registers --canonicalize --cse --split-input-file | FileCheck %s
// RUN: attn-opt %s --attn-cpu-block-registers="vector-bits=256 vector-registers=16" --canonicalize --cse --split-input-file | FileCheck %s --check-prefix=AVX2
// RUN: attn-opt %s --attn-cpu-block-registers="fma=false" --canonicalize --cse --split-input-file | FileCheck %s --check-prefix=NOFMA
// RUN: not attn-opt %s --attn-cpu-block-registers="vector-bits=4096" --split-input-file 2>&1 | FileCheck %s --check-prefix=UNEVEN

// UNEVEN: error: blocks of the CPU back end must have a multiple of 128 query rows, got 48

#view = strided<[?, 1], offset: ?>

// One block of a sum of exponentials of products. Keys and values are packed as
// rows, queries into strips of three registers; a register tile has 8 x 3
// accumulators; what follows from the product stays in registers.
// CHECK-LABEL: func @sum_of_exponentials
// CHECK: scf.forall
// CHECK-DAG:   %[[STRIPS:.*]] = memref.alloca() {{.*}} : memref<1x8x48xf32>
// CHECK-DAG:   %[[ROWS:.*]] = memref.alloca() {{.*}} : memref<32x16xf32>
// CHECK-DAG:   %[[GROUP:.*]] = memref.alloca() {{.*}} : memref<16x16xf32>
// The left operand: 16 rows at a time become lanes, by 4 steps of 16
// shuffles, without the 8 of the last step that would give columns 8 to 15.
// CHECK:       scf.for {{.*}} step %c16
// CHECK:         scf.for
// CHECK:           scf.if
// CHECK:           vector.store %{{.*}}, %[[GROUP]]
// CHECK-COUNT-16: vector.load %[[GROUP]]
// CHECK-COUNT-56: vector.shuffle
// CHECK-COUNT-8: vector.store %{{.*}}, %[[STRIPS]]
// The right operand: rows.
// CHECK:       scf.for
// CHECK:         vector.store %{{.*}}, %[[ROWS]]
// The register tile: 3 vectors, 8 elements, 24 multiply-adds.
// CHECK:       scf.for {{.*}} step %c8
// CHECK:         scf.for
// CHECK-COUNT-3:   vector.load %[[STRIPS]]
// CHECK-COUNT-8:   memref.load %[[ROWS]]
// CHECK:           vector.fma
// CHECK:           scf.yield
// No buffer for scores or exponentials.
// CHECK-NOT:     vector.store
// CHECK:         math.exp2 %{{.*}} : vector<16xf32>
// CHECK-NOT:     vector.store
// CHECK:         scf.yield
// Stores by rows, those that exist.
// CHECK:       scf.for
// CHECK:         scf.if
// CHECK:           memref.store
// CHECK-NOT:   tile.
// CHECK-NOT:   tensor<

// 4 x 3 accumulators fit into 16 registers.
// AVX2-LABEL: func @sum_of_exponentials
// AVX2: memref<2x8x24xf32>
// AVX2: scf.for {{.*}} step %c4
// AVX2: vector.fma {{.*}} : vector<8xf32>

// NOFMA-LABEL: func @sum_of_exponentials
// NOFMA-NOT: vector.fma
func.func @sum_of_exponentials(%q: memref<?x8xf32, #view>, %k: memref<?x8xf32, #view>,
                               %sums: memref<?xf32, strided<[1], offset: ?>>, %n: index) {
  %c0 = arith.constant 0 : index
  %c48 = arith.constant 48 : index
  %zeros = arith.constant dense<0.0> : tensor<48x32xf32>
  %none = arith.constant dense<0.0> : tensor<48xf32>
  scf.forall (%block) in (%n) {
    %row = arith.muli %block, %c48 : index
    %x = tile.load %q[%row, %c0] : memref<?x8xf32, #view> -> tensor<48x8xf32>
    %y = tile.load %k[%c0, %c0] : memref<?x8xf32, #view> -> tensor<32x8xf32>
    %s = tile.dot %x, %y, %zeros transpose_rhs : tensor<48x8xf32>, tensor<32x8xf32> -> tensor<48x32xf32>
    %e = math.exp2 %s : tensor<48x32xf32>
    %l = tile.reduce add %e, %none : tensor<48x32xf32> -> tensor<48xf32>
    tile.store %l, %sums[%row] : tensor<48xf32>, memref<?xf32, strided<[1], offset: ?>>
  }
  return
}

// -----

#view = strided<[?, 1], offset: ?>

// Rows without a product: lanes along the features, masked where they end.
// CHECK-LABEL: func @rows
// CHECK: scf.forall
// CHECK:   scf.for
// CHECK:     vector.load {{.*}} : memref<?x24xf32, {{.*}}>, vector<16xf32>
// CHECK:     vector.maskedload {{.*}} : memref<?x24xf32, {{.*}}>, vector<16xi1>, vector<16xf32> into vector<16xf32>
// CHECK:     vector.maskedstore
func.func @rows(%x: memref<?x24xf32, #view>, %y: memref<?x24xf32, #view>, %n: index) {
  %c0 = arith.constant 0 : index
  %c4 = arith.constant 4 : index
  scf.forall (%block) in (%n) {
    %row = arith.muli %block, %c4 : index
    %t = tile.load %x[%row, %c0] : memref<?x24xf32, #view> -> tensor<4x24xf32>
    %u = arith.mulf %t, %t : tensor<4x24xf32>
    tile.store %u, %y[%row, %c0] : tensor<4x24xf32>, memref<?x24xf32, #view>
  }
  return
}

// -----

#view = strided<[?, 1], offset: ?>

// A loop updates the accumulator in place: strips for the left operand, the
// accumulator, and one strip of exponentials; nothing is copied.
// CHECK-LABEL: func @accumulate
// CHECK: scf.forall
// CHECK-DAG: memref.alloca() {{.*}} : memref<1x8x48xf32>
// CHECK-DAG: %[[ACC:.*]] = memref.alloca() {{.*}} : memref<1x16x48xf32>
// CHECK: scf.for %{{.*}} = %c0 to %{{.*}} step %c32
// CHECK:   memref.alloca() : memref<32x48xf32>
// The product is summed from 0; then half of what was there is added.
// CHECK:   scf.for {{.*}} iter_args({{.*}} = %cst
// CHECK:     vector.fma
// CHECK:   vector.load %[[ACC]]
// CHECK:   vector.fma
// CHECK:   vector.store %{{.*}}, %[[ACC]]
// CHECK-NOT: memref.copy
func.func @accumulate(%q: memref<?x8xf32, #view>, %k: memref<?x8xf32, #view>,
                      %v: memref<?x16xf32, #view>, %o: memref<?x16xf32, #view>, %n: index) {
  %c0 = arith.constant 0 : index
  %c32 = arith.constant 32 : index
  %c48 = arith.constant 48 : index
  %half = arith.constant dense<0.5> : tensor<48x16xf32>
  %zeros = arith.constant dense<0.0> : tensor<48x32xf32>
  %start = arith.constant dense<0.0> : tensor<48x16xf32>
  scf.forall (%block) in (%n) {
    %row = arith.muli %block, %c48 : index
    %x = tile.load %q[%row, %c0] : memref<?x8xf32, #view> -> tensor<48x8xf32>
    %r = scf.for %j = %c0 to %n step %c32 iter_args(%a = %start) -> tensor<48x16xf32> {
      %y = tile.load %k[%j, %c0] : memref<?x8xf32, #view> -> tensor<32x8xf32>
      %z = tile.load %v[%j, %c0] : memref<?x16xf32, #view> -> tensor<32x16xf32>
      %s = tile.dot %x, %y, %zeros transpose_rhs : tensor<48x8xf32>, tensor<32x8xf32> -> tensor<48x32xf32>
      %e = math.exp2 %s : tensor<48x32xf32>
      %h = arith.mulf %a, %half : tensor<48x16xf32>
      %b = tile.dot %e, %z, %h : tensor<48x32xf32>, tensor<32x16xf32> -> tensor<48x16xf32>
      scf.yield %b : tensor<48x16xf32>
    }
    tile.store %r, %o[%row, %c0] : tensor<48x16xf32>, memref<?x16xf32, #view>
  }
  return
}

// -----

#view = strided<[?, 1], offset: ?>

// Strips beyond the last row of the view are left out: of the operand, of what
// is computed, and of the rows that are visited for stores.
// CHECK-LABEL: func @live_strips
// CHECK-SAME: %{{.*}}: memref<?x8xf32, {{.*}}>, %{{.*}}: memref<?x8xf32, {{.*}}>, %[[SUMS:.*]]: memref<
// CHECK: %[[SIZE:.*]] = memref.dim %[[SUMS]], %c0
// CHECK: %[[LEFT:.*]] = arith.subi %[[SIZE]], %[[ROW:.*]] : index
// CHECK: %[[SOME:.*]] = arith.maxsi %[[LEFT]], %c0
// CHECK: %[[ROWS:.*]] = arith.minsi %[[SOME]], %c96
// CHECK: %[[LIVE:.*]] = arith.ceildivui %[[ROWS]], %c32
// CHECK: %[[END:.*]] = arith.muli %[[LIVE]], %c32
// CHECK: scf.for %{{.*}} = %c0 to %[[LIVE]] step %c1
// CHECK: scf.for %{{.*}} = %c0 to %{{.*}} step %c32
// All keys are packed, whatever queries there are.
// CHECK:   scf.for %{{.*}} = %c0 to %c32 step %c1
// CHECK:   scf.for %{{.*}} = %c0 to %[[LIVE]] step %c1
// CHECK: scf.for %{{.*}} = %c0 to %[[END]] step %c1
// CHECK:   memref.store %{{.*}}, %[[SUMS]]
func.func @live_strips(%q: memref<?x8xf32, #view>, %k: memref<?x8xf32, #view>,
                       %sums: memref<?xf32, strided<[1], offset: ?>>, %n: index) {
  %c0 = arith.constant 0 : index
  %c32 = arith.constant 32 : index
  %c96 = arith.constant 96 : index
  %zeros = arith.constant dense<0.0> : tensor<96x32xf32>
  %none = arith.constant dense<0.0> : tensor<96xf32>
  scf.forall (%block) in (%n) {
    %row = arith.muli %block, %c96 : index
    %x = tile.load %q[%row, %c0] : memref<?x8xf32, #view> -> tensor<96x8xf32>
    %l = scf.for %j = %c0 to %n step %c32 iter_args(%sum = %none) -> tensor<96xf32> {
      %y = tile.load %k[%j, %c0] : memref<?x8xf32, #view> -> tensor<32x8xf32>
      %s = tile.dot %x, %y, %zeros transpose_rhs : tensor<96x8xf32>, tensor<32x8xf32> -> tensor<96x32xf32>
      %next = tile.reduce add %s, %sum : tensor<96x32xf32> -> tensor<96xf32>
      scf.yield %next : tensor<96xf32>
    }
    tile.store %l, %sums[%row] : tensor<96xf32>, memref<?xf32, strided<[1], offset: ?>>
  }
  return
}

// -----

#view = strided<[?, 1], offset: ?>

// Rows times a matrix: an element of the row meets vectors of the matrix, in
// parts of 64 terms.
// CHECK-LABEL: func @rows_times_matrix
// CHECK:       vector.store %{{.*}}, %[[MATRIX:.*]][%{{.*}}, %{{.*}}] : memref<100x32xf32>
// CHECK:       scf.for %{{.*}} step %c64 iter_args
// CHECK:         scf.for %{{.*}} step %c1 iter_args
// CHECK:           memref.load
// CHECK-COUNT-2:   vector.load %[[MATRIX]]
// CHECK:           vector.fma
// CHECK-NOT:   tile.
// NOFMA-LABEL: func @rows_times_matrix
// NOFMA-NOT: vector.fma
func.func @rows_times_matrix(%x: memref<?x100xf32, #view>, %w: memref<100x20xf32, #view>,
                             %y: memref<?x20xf32, #view>, %n: index) {
  %c0 = arith.constant 0 : index
  %c48 = arith.constant 48 : index
  %zeros = arith.constant dense<0.0> : tensor<48x20xf32>
  scf.forall (%block) in (%n) {
    %row = arith.muli %block, %c48 : index
    %rows = tile.load %x[%row, %c0] : memref<?x100xf32, #view> -> tensor<48x100xf32>
    %matrix = tile.load %w[%c0, %c0] : memref<100x20xf32, #view> -> tensor<100x20xf32>
    %product = tile.dot %rows, %matrix, %zeros : tensor<48x100xf32>, tensor<100x20xf32> -> tensor<48x20xf32>
    tile.store %product, %y[%row, %c0] : tensor<48x20xf32>, memref<?x20xf32, #view>
  }
  return
}

// -----

// Rows of many vectors are evaluated in a loop over columns, four vectors an
// iteration, without masks; what all of them share comes before it.
// CHECK-LABEL: func @wide_rows
// CHECK: scf.for %[[ROW:[^ ]*]] =
// CHECK: %[[FACTOR:.*]] = scf.if %{{.*}} -> (f32)
// CHECK: scf.for %[[COL:[^ ]*]] = %c0 to %c192 step %c64 {
// CHECK-COUNT-4: vector.load %arg0[%{{.*}}, %{{.*}}] : memref<?x192xf32, strided<[?, 1], offset: ?>>, vector<16xf32>
// CHECK: vector.store %{{.*}}, %arg2[%{{.*}}, %{{.*}}]
// CHECK-NOT: vector.load
// CHECK-NOT: vector.masked
// Columns that are joined may lie in two vectors of a part: no loop.
// CHECK-LABEL: func @wide_joined
// CHECK-NOT: step %c64
// CHECK: return
#view = strided<[?, 1], offset: ?>
func.func @wide_rows(%x: memref<?x192xf32, #view>, %f: memref<?xf32>, %y: memref<?x192xf32, #view>, %n: index) {
  %c0 = arith.constant 0 : index
  scf.forall (%b) in (%n) {
    %t = tile.load %x[%b, %c0] : memref<?x192xf32, #view> -> tensor<16x192xf32>
    %u = tile.load %f[%b] : memref<?xf32> -> tensor<16xf32>
    %v = tile.broadcast %u along 1 : tensor<16xf32> -> tensor<16x192xf32>
    %z = arith.mulf %t, %v : tensor<16x192xf32>
    tile.store %z, %y[%b, %c0] : tensor<16x192xf32>, memref<?x192xf32, #view>
  }
  return
}

func.func @wide_joined(%x: memref<?x96xf32, #view>, %y: memref<?x192xf32, #view>, %n: index) {
  %c0 = arith.constant 0 : index
  scf.forall (%b) in (%n) {
    %t = tile.load %x[%b, %c0] : memref<?x96xf32, #view> -> tensor<16x96xf32>
    %z = tile.concat %t, %t : tensor<16x96xf32>, tensor<16x96xf32> -> tensor<16x192xf32>
    tile.store %z, %y[%b, %c0] : tensor<16x192xf32>, memref<?x192xf32, #view>
  }
  return
}

// -----

// Scalars: a loop that carries numbers, reads and writes with a test.
// CHECK-LABEL: func @scalars
// CHECK: scf.forall
// CHECK: scf.for {{.*}} iter_args(%{{.*}} = %{{.*}}) -> (index)
// CHECK: scf.if %{{.*}} -> (index)
// CHECK: memref.load
// CHECK: %[[SUM:.*]] = arith.addi
// CHECK: %[[IN:.*]] = arith.cmpi ult
// CHECK: scf.if %[[IN]] {
// CHECK-NEXT: memref.store %[[SUM]]
// CHECK: scf.yield %[[SUM]] : index
func.func @scalars(%x: memref<?xindex>, %y: memref<?xindex>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.forall (%b) in (%n) {
    %sum = scf.for %i = %c0 to %b step %c1 iter_args(%so = %c0) -> (index) {
      %e = tile.gather %x[%i : index] : memref<?xindex> -> index
      %next = arith.addi %so, %e : index
      tile.write %next, %y[%i] : memref<?xindex>
      scf.yield %next : index
    }
  }
  return
}
