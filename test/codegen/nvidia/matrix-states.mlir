// RUN: attn-opt %s --pass-pipeline="builtin.module(gpu.module(attn-nvidia-matrix-states,canonicalize))" --split-input-file | FileCheck %s

// What reads a state that is carried reads two terms of it, and decayed keys have two
// as well. The number of the queries multiplies the product.
// CHECK-LABEL: gpu.func @state
// CHECK: scf.for {{.*}} iter_args(%[[S:.*]] = %{{.*}}) -> (tensor<64x64xf32>)
// CHECK:   %[[A:.*]] = arith.truncf %[[S]] : tensor<64x64xf32> to tensor<64x64xbf16>
// CHECK:   %[[A32:.*]] = arith.extf %[[A]]
// CHECK:   %[[R:.*]] = arith.subf %[[S]], %[[A32]]
// CHECK:   %[[B:.*]] = arith.truncf %[[R]] : tensor<64x64xf32> to tensor<64x64xbf16>
// CHECK:   %[[K:.*]] = tile.load
// CHECK:   %[[O1:.*]] = tile.dot %[[K]], %[[B]], %{{.*}} : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
// CHECK:   %[[O:.*]] = tile.dot %[[K]], %[[A]], %[[O1]] : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
// CHECK:   arith.mulf %[[O]], %{{.*}} : tensor<64x64xf32>
// CHECK:   %[[W:.*]] = arith.mulf
// CHECK:   %[[N1:.*]] = arith.truncf %[[W]] : tensor<64x64xf32> to tensor<64x64xbf16>
// CHECK:   %[[N2:.*]] = arith.truncf {{.*}} : tensor<64x64xf32> to tensor<64x64xbf16>
// CHECK:   %[[T1:.*]] = tile.dot %[[N2]], %[[K]], %[[S]] transpose_lhs : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
// CHECK:   %[[T:.*]] = tile.dot %[[N1]], %[[K]], %[[T1]] transpose_lhs
// CHECK:   scf.yield %[[T]]

// One that is stored, in 32 bits, takes three terms: the smallest is added first.
// CHECK-LABEL: gpu.func @stored
// CHECK:   %[[A:.*]] = arith.truncf %[[W:.*]] : tensor<64x64xf32> to tensor<64x64xbf16>
// CHECK:   %[[A2:.*]] = arith.extf %[[A]]
// CHECK:   %[[R1:.*]] = arith.subf %[[W]], %[[A2]]
// CHECK:   %[[B:.*]] = arith.truncf %[[R1]]
// CHECK:   %[[C:.*]] = arith.truncf
// CHECK:   %[[X:.*]] = tile.dot %[[C]], %{{.*}}, %{{.*}} transpose_lhs
// CHECK:   %[[Y:.*]] = tile.dot %[[B]], %{{.*}}, %[[X]] transpose_lhs
// CHECK:   tile.dot %[[A]], %{{.*}}, %[[Y]] transpose_lhs

// Weights have two terms as well.
// CHECK-LABEL: gpu.func @weights
// CHECK: %[[A:.*]] = tile.dot
// CHECK: %[[W:.*]] = arith.mulf %[[A]]
// CHECK: %[[N:.*]] = arith.truncf %[[W]]
// CHECK: %[[N2:.*]] = arith.truncf
// CHECK: %[[N3:.*]] = arith.truncf
// CHECK: %[[O3:.*]] = tile.dot %[[N3]], %{{.*}}, %{{.*}} : tensor<64x64xbf16>
// CHECK: %[[O2:.*]] = tile.dot %[[N2]], %{{.*}}, %[[O3]] : tensor<64x64xbf16>
// CHECK: %[[O:.*]] = tile.dot %[[N]], %{{.*}}, %[[O2]] : tensor<64x64xbf16>
// CHECK: tile.store %[[O]]

// Nothing changes where a product has another size, or rows that are not as many for
// each warp, or where one of a single column is no sum.
// CHECK-LABEL: gpu.func @few_columns
// CHECK-NOT: truncf
// CHECK: gpu.return
// CHECK-LABEL: gpu.func @single_column
// CHECK-NOT: truncf
// CHECK: gpu.return
// CHECK-LABEL: gpu.func @few_tokens
// CHECK-NOT: truncf
// CHECK: gpu.return
gpu.module @kernels {
  gpu.func @state(%x: memref<?x64xbf16>, %y: memref<?x64xf32>, %w: memref<?x64xf32>, %n: index) kernel attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %c64 = arith.constant 64 : index
    %zero = arith.constant dense<0.0> : tensor<64x64xf32>
    %scale = arith.constant dense<0.125> : tensor<64x64xf32>
    %end = scf.for %i = %c0 to %n step %c64 iter_args(%s = %zero) -> (tensor<64x64xf32>) {
      %a = tile.load %x[%i, %c0] : memref<?x64xbf16> -> tensor<64x64xbf16>
      %k = arith.extf %a : tensor<64x64xbf16> to tensor<64x64xf32>
      %q = arith.mulf %k, %scale : tensor<64x64xf32>
      %o = tile.dot %q, %s, %zero : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xf32>
      tile.store %o, %y[%i, %c0] : tensor<64x64xf32>, memref<?x64xf32>
      %d = tile.load %w[%i, %c0] : memref<?x64xf32> -> tensor<64x64xf32>
      %kd = arith.mulf %k, %d : tensor<64x64xf32>
      %t = tile.dot %kd, %k, %s transpose_lhs : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xf32>
      scf.yield %t : tensor<64x64xf32>
    }
    gpu.return
  }
  gpu.func @stored(%x: memref<?x64xbf16>, %y: memref<?x64xf32>, %w: memref<?x64xf32>, %n: index) kernel attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %c64 = arith.constant 64 : index
    %zero = arith.constant dense<0.0> : tensor<64x64xf32>
    %end = scf.for %i = %c0 to %n step %c64 iter_args(%s = %zero) -> (tensor<64x64xf32>) {
      %a = tile.load %x[%i, %c0] : memref<?x64xbf16> -> tensor<64x64xbf16>
      %k = arith.extf %a : tensor<64x64xbf16> to tensor<64x64xf32>
      %d = tile.load %w[%i, %c0] : memref<?x64xf32> -> tensor<64x64xf32>
      %kd = arith.mulf %k, %d : tensor<64x64xf32>
      %t = tile.dot %kd, %k, %s transpose_lhs : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xf32>
      scf.yield %t : tensor<64x64xf32>
    }
    tile.store %end, %y[%c0, %c0] : tensor<64x64xf32>, memref<?x64xf32>
    gpu.return
  }
  gpu.func @weights(%x: memref<?x64xbf16>, %y: memref<?x64xf32>, %s: tensor<64x64xf32>) kernel attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %zero = arith.constant dense<0.0> : tensor<64x64xf32>
    %a = tile.load %x[%c0, %c0] : memref<?x64xbf16> -> tensor<64x64xbf16>
    %k = arith.extf %a : tensor<64x64xbf16> to tensor<64x64xf32>
    %p = tile.dot %k, %k, %zero transpose_rhs : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xf32>
    %w = arith.mulf %p, %p : tensor<64x64xf32>
    %o = tile.dot %w, %k, %zero : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xf32>
    tile.store %o, %y[%c0, %c0] : tensor<64x64xf32>, memref<?x64xf32>
    %t = tile.dot %k, %k, %s transpose_lhs : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xf32>
    tile.store %t, %y[%c0, %c0] : tensor<64x64xf32>, memref<?x64xf32>
    gpu.return
  }
  gpu.func @few_columns(%x: memref<?x64xbf16>, %y: memref<?x64xf32>, %z: tensor<64x8xf32>) kernel attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %zero = arith.constant dense<0.0> : tensor<64x64xf32>
    %factor = arith.constant dense<1.0> : tensor<64x8xf32>
    %a = tile.load %x[%c0, %c0] : memref<?x64xbf16> -> tensor<64x64xbf16>
    %k = arith.extf %a : tensor<64x64xbf16> to tensor<64x64xf32>
    %t = tile.dot %k, %k, %zero transpose_lhs : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xf32>
    %u = tile.dot %k, %factor, %z transpose_lhs : tensor<64x64xf32>, tensor<64x8xf32> -> tensor<64x8xf32>
    tile.store %t, %y[%c0, %c0] : tensor<64x64xf32>, memref<?x64xf32>
    tile.store %u, %y[%c0, %c0] : tensor<64x8xf32>, memref<?x64xf32>
    gpu.return
  }
  gpu.func @single_column(%x: memref<?x64xbf16>, %y: memref<?x64xf32>, %z: tensor<64x1xf32>) kernel attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %zero = arith.constant dense<0.0> : tensor<64x64xf32>
    %factor = arith.constant dense<2.0> : tensor<64x1xf32>
    %a = tile.load %x[%c0, %c0] : memref<?x64xbf16> -> tensor<64x64xbf16>
    %k = arith.extf %a : tensor<64x64xbf16> to tensor<64x64xf32>
    %t = tile.dot %k, %k, %zero transpose_lhs : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xf32>
    %u = tile.dot %k, %factor, %z transpose_lhs : tensor<64x64xf32>, tensor<64x1xf32> -> tensor<64x1xf32>
    tile.store %t, %y[%c0, %c0] : tensor<64x64xf32>, memref<?x64xf32>
    tile.store %u, %y[%c0, %c0] : tensor<64x1xf32>, memref<?x64xf32>
    gpu.return
  }
  gpu.func @few_tokens(%x: memref<?x64xbf16>, %y: memref<?x64xf32>, %s: tensor<64x64xf32>) kernel attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %zero = arith.constant dense<0.0> : tensor<32x64xf32>
    %a = tile.load %x[%c0, %c0] : memref<?x64xbf16> -> tensor<32x64xbf16>
    %k = arith.extf %a : tensor<32x64xbf16> to tensor<32x64xf32>
    %o = tile.dot %k, %s, %zero : tensor<32x64xf32>, tensor<64x64xf32> -> tensor<32x64xf32>
    %t = tile.dot %k, %k, %s transpose_lhs : tensor<32x64xf32>, tensor<32x64xf32> -> tensor<64x64xf32>
    tile.store %o, %y[%c0, %c0] : tensor<32x64xf32>, memref<?x64xf32>
    tile.store %t, %y[%c0, %c0] : tensor<64x64xf32>, memref<?x64xf32>
    gpu.return
  }
}

// -----

// Decays between tokens: sums up to the later one less those up to the earlier one, of
// gates that are not below -104. Under `exclusive` the later one's own is left out.
// CHECK-LABEL: gpu.func @decays
// CHECK: %[[G:.*]] = arith.maximumf %{{.*}}, %{{.*}} : tensor<64xf32>
// CHECK: %[[A:.*]] = tile.scan add %[[G]] exclusive
// CHECK: %[[I:.*]] = tile.broadcast %[[A]] along 1
// CHECK: %[[B:.*]] = tile.scan add %[[G]] : tensor<64xf32>
// CHECK: %[[J:.*]] = tile.broadcast %[[B]] along 0
// CHECK: %[[D:.*]] = arith.subf %[[I]], %[[J]]
// CHECK: math.exp2 %[[D]] fastmath<afn>
gpu.module @kernels {
  gpu.func @decays(%x: memref<?x64xbf16>, %y: memref<?x64xf32>, %g: tensor<64xf32>) kernel attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %zero = arith.constant dense<0.0> : tensor<64x64xf32>
    %a = tile.load %x[%c0, %c0] : memref<?x64xbf16> -> tensor<64x64xbf16>
    %k = arith.extf %a : tensor<64x64xbf16> to tensor<64x64xf32>
    %r = tile.iota %c0 along 0 : tensor<64x64xindex>
    %c = tile.iota %c0 along 1 : tensor<64x64xindex>
    %behind = arith.cmpi sgt, %r, %c : tensor<64x64xindex>
    %gates = tile.broadcast %g along 1 : tensor<64xf32> -> tensor<64x64xf32>
    %chosen = arith.select %behind, %gates, %zero : tensor<64x64xi1>, tensor<64x64xf32>
    %sums = tile.scan add %chosen exclusive : tensor<64x64xf32>
    %decay = math.exp2 %sums : tensor<64x64xf32>
    %t = tile.dot %k, %k, %decay transpose_lhs : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xf32>
    tile.store %t, %y[%c0, %c0] : tensor<64x64xf32>, memref<?x64xf32>
    gpu.return
  }
}

// -----

// Keys that are computed have two terms, which their product with queries and the
// product that updates the state both read. Decays multiply values. Exponentials and
// quotients of rows may be approximate.
// CHECK-LABEL: gpu.func @computed_keys
// CHECK:   %[[E:.*]] = math.exp %{{.*}} fastmath<afn> : tensor<64x64xf32>
// CHECK:   %[[R:.*]] = arith.divf {{.*}} fastmath<arcp> : tensor<64x64xf32>
// CHECK:   %[[A:.*]] = arith.truncf %[[R]] : tensor<64x64xf32> to tensor<64x64xbf16>
// CHECK:   %[[B:.*]] = arith.truncf %{{.*}} : tensor<64x64xf32> to tensor<64x64xbf16>
// CHECK:   tile.dot %{{.*}}, %[[B]], %{{.*}} transpose_rhs
// CHECK:   tile.dot %{{.*}}, %[[A]], %{{.*}} transpose_rhs
// CHECK:   %[[D:.*]] = tile.broadcast %{{.*}} along 1 : tensor<64xf32> -> tensor<64x32xf32>
// CHECK:   %[[V:.*]] = arith.mulf %{{.*}}, %[[D]] : tensor<64x32xf32>
// CHECK:   %[[W:.*]] = arith.truncf %[[V]] : tensor<64x32xf32> to tensor<64x32xbf16>
// CHECK:   %[[X:.*]] = arith.truncf %{{.*}} : tensor<64x32xf32> to tensor<64x32xbf16>
// CHECK:   %[[P:.*]] = tile.dot %[[A]], %[[X]], %{{.*}} transpose_lhs
// CHECK:   %[[Q:.*]] = tile.dot %[[B]], %[[W]], %[[P]] transpose_lhs
// CHECK:   tile.dot %[[A]], %[[W]], %[[Q]] transpose_lhs

// A state that is stored: decayed keys are computed again, for three terms, and
// functions are exact.
// CHECK-LABEL: gpu.func @computed_keys_stored
// CHECK:   math.exp %{{[0-9]+}} : tensor<64x64xf32>
// CHECK:   arith.divf %{{[0-9]+}}, %{{[0-9]+}} : tensor<64x64xf32>
// CHECK:   tile.dot {{.*}} transpose_rhs
// CHECK:   math.exp %{{[0-9]+}} : tensor<64x64xf32>
// CHECK:   %[[D:.*]] = tile.broadcast %{{.*}} along 1 : tensor<64xf32> -> tensor<64x64xf32>
// CHECK:   arith.mulf %{{.*}}, %[[D]] : tensor<64x64xf32>
// CHECK-COUNT-3: tile.dot {{.*}} transpose_lhs
// CHECK-NOT: tile.dot
// CHECK: gpu.return

// Without decays, too: keys are computed once, although the values are exact.
// CHECK-LABEL: gpu.func @plain_keys
// CHECK:   %[[R:.*]] = math.exp
// CHECK:   %[[A:.*]] = arith.truncf %[[R]] : tensor<64x64xf32> to tensor<64x64xbf16>
// CHECK:   %[[B:.*]] = arith.truncf %{{.*}} : tensor<64x64xf32> to tensor<64x64xbf16>
// CHECK-NOT: math.exp
// CHECK:   %[[P:.*]] = tile.dot %[[B]], %{{.*}} transpose_lhs
// CHECK:   tile.dot %[[A]], %{{.*}}, %[[P]] transpose_lhs

// Keys as they are in memory: decays multiply what a block has fewer columns of.
// CHECK-LABEL: gpu.func @few_values
// CHECK:   %[[K:.*]] = tile.load {{.*}} -> tensor<64x64xbf16>
// CHECK:   tile.store
// CHECK:   %[[V:.*]] = arith.mulf {{.*}} : tensor<64x32xf32>
// CHECK:   %[[W:.*]] = arith.truncf %[[V]] : tensor<64x32xf32> to tensor<64x32xbf16>
// CHECK:   tile.dot %[[K]], %[[W]], %{{.*}} transpose_lhs
gpu.module @kernels {
  gpu.func @computed_keys(%x: memref<?x64xbf16>, %v: memref<?x32xbf16>, %y: memref<?x64xf32>, %g: tensor<64xf32>, %n: index) kernel attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %c64 = arith.constant 64 : index
    %zero = arith.constant dense<0.0> : tensor<64x64xf32>
    %nothing = arith.constant dense<0.0> : tensor<64x32xf32>
    %one = arith.constant dense<1.0> : tensor<64x64xf32>
    %end = scf.for %i = %c0 to %n step %c64 iter_args(%s = %nothing) -> (tensor<64x32xf32>) {
      %a = tile.load %x[%i, %c0] : memref<?x64xbf16> -> tensor<64x64xbf16>
      %q = arith.extf %a : tensor<64x64xbf16> to tensor<64x64xf32>
      %power = math.exp %q : tensor<64x64xf32>
      %divisor = arith.addf %power, %one : tensor<64x64xf32>
      %k = arith.divf %q, %divisor : tensor<64x64xf32>
      %o = tile.dot %q, %k, %zero transpose_rhs : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xf32>
      tile.store %o, %y[%i, %c0] : tensor<64x64xf32>, memref<?x64xf32>
      %b = tile.load %v[%i, %c0] : memref<?x32xbf16> -> tensor<64x32xbf16>
      %values = arith.extf %b : tensor<64x32xbf16> to tensor<64x32xf32>
      %d = tile.broadcast %g along 1 : tensor<64xf32> -> tensor<64x64xf32>
      %kd = arith.mulf %k, %d : tensor<64x64xf32>
      %t = tile.dot %kd, %values, %s transpose_lhs : tensor<64x64xf32>, tensor<64x32xf32> -> tensor<64x32xf32>
      scf.yield %t : tensor<64x32xf32>
    }
    gpu.return
  }
  gpu.func @computed_keys_stored(%x: memref<?x64xbf16>, %v: memref<?x32xbf16>, %y: memref<?x64xf32>, %z: memref<?x32xf32>, %g: tensor<64xf32>, %n: index) kernel attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %c64 = arith.constant 64 : index
    %zero = arith.constant dense<0.0> : tensor<64x64xf32>
    %nothing = arith.constant dense<0.0> : tensor<64x32xf32>
    %one = arith.constant dense<1.0> : tensor<64x64xf32>
    %end = scf.for %i = %c0 to %n step %c64 iter_args(%s = %nothing) -> (tensor<64x32xf32>) {
      %a = tile.load %x[%i, %c0] : memref<?x64xbf16> -> tensor<64x64xbf16>
      %q = arith.extf %a : tensor<64x64xbf16> to tensor<64x64xf32>
      %power = math.exp %q : tensor<64x64xf32>
      %divisor = arith.addf %power, %one : tensor<64x64xf32>
      %k = arith.divf %q, %divisor : tensor<64x64xf32>
      %o = tile.dot %q, %k, %zero transpose_rhs : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xf32>
      tile.store %o, %y[%i, %c0] : tensor<64x64xf32>, memref<?x64xf32>
      %b = tile.load %v[%i, %c0] : memref<?x32xbf16> -> tensor<64x32xbf16>
      %values = arith.extf %b : tensor<64x32xbf16> to tensor<64x32xf32>
      %d = tile.broadcast %g along 1 : tensor<64xf32> -> tensor<64x64xf32>
      %kd = arith.mulf %k, %d : tensor<64x64xf32>
      %t = tile.dot %kd, %values, %s transpose_lhs : tensor<64x64xf32>, tensor<64x32xf32> -> tensor<64x32xf32>
      scf.yield %t : tensor<64x32xf32>
    }
    tile.store %end, %z[%c0, %c0] : tensor<64x32xf32>, memref<?x32xf32>
    gpu.return
  }
  gpu.func @plain_keys(%x: memref<?x64xbf16>, %v: memref<?x32xbf16>, %y: memref<?x64xf32>, %n: index) kernel attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %c64 = arith.constant 64 : index
    %zero = arith.constant dense<0.0> : tensor<64x64xf32>
    %nothing = arith.constant dense<0.0> : tensor<64x32xf32>
    %end = scf.for %i = %c0 to %n step %c64 iter_args(%s = %nothing) -> (tensor<64x32xf32>) {
      %a = tile.load %x[%i, %c0] : memref<?x64xbf16> -> tensor<64x64xbf16>
      %q = arith.extf %a : tensor<64x64xbf16> to tensor<64x64xf32>
      %k = math.exp %q : tensor<64x64xf32>
      %o = tile.dot %q, %k, %zero transpose_rhs : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xf32>
      tile.store %o, %y[%i, %c0] : tensor<64x64xf32>, memref<?x64xf32>
      %b = tile.load %v[%i, %c0] : memref<?x32xbf16> -> tensor<64x32xbf16>
      %values = arith.extf %b : tensor<64x32xbf16> to tensor<64x32xf32>
      %t = tile.dot %k, %values, %s transpose_lhs : tensor<64x64xf32>, tensor<64x32xf32> -> tensor<64x32xf32>
      scf.yield %t : tensor<64x32xf32>
    }
    gpu.return
  }
  gpu.func @few_values(%x: memref<?x64xbf16>, %v: memref<?x32xbf16>, %y: memref<?x32xf32>, %g: tensor<64xf32>, %n: index) kernel attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %c64 = arith.constant 64 : index
    %nothing = arith.constant dense<0.0> : tensor<64x32xf32>
    %end = scf.for %i = %c0 to %n step %c64 iter_args(%s = %nothing) -> (tensor<64x32xf32>) {
      %a = tile.load %x[%i, %c0] : memref<?x64xbf16> -> tensor<64x64xbf16>
      %k = arith.extf %a : tensor<64x64xbf16> to tensor<64x64xf32>
      %b = tile.load %v[%i, %c0] : memref<?x32xbf16> -> tensor<64x32xbf16>
      %values = arith.extf %b : tensor<64x32xbf16> to tensor<64x32xf32>
      %o = tile.dot %k, %s, %nothing : tensor<64x64xf32>, tensor<64x32xf32> -> tensor<64x32xf32>
      tile.store %o, %y[%i, %c0] : tensor<64x32xf32>, memref<?x32xf32>
      %d = tile.broadcast %g along 1 : tensor<64xf32> -> tensor<64x64xf32>
      %kd = arith.mulf %k, %d : tensor<64x64xf32>
      %t = tile.dot %kd, %values, %s transpose_lhs : tensor<64x64xf32>, tensor<64x32xf32> -> tensor<64x32xf32>
      scf.yield %t : tensor<64x32xf32>
    }
    gpu.return
  }
}

// -----

// A denominator is 16 columns of sixteenths: of the state, and of ones, which are exact.
// What is read are three terms of it, and the sum of the columns is one number for each
// query. The decay and the zeros are those of 16 columns, too.
// CHECK-LABEL: gpu.func @denominator
// CHECK-DAG: %[[PART:.*]] = arith.constant dense<6.250000e-02> : tensor<64x16xbf16>
// CHECK-DAG: %[[ZERO:.*]] = arith.constant dense<0.000000e+00> : tensor<64x16xf32>
// CHECK: scf.for {{.*}} iter_args(%{{.*}} = %{{.*}}, %[[Z:.*]] = %[[ZERO]]) -> (tensor<64x64xf32>, tensor<64x16xf32>)
// CHECK:   %[[A:.*]] = arith.truncf %[[Z]] : tensor<64x16xf32> to tensor<64x16xbf16>
// CHECK:   %[[B:.*]] = arith.truncf %{{.*}} : tensor<64x16xf32> to tensor<64x16xbf16>
// CHECK:   %[[C:.*]] = arith.truncf %{{.*}} : tensor<64x16xf32> to tensor<64x16xbf16>
// CHECK:   %[[K:.*]] = tile.load
// CHECK:   %[[R2:.*]] = tile.dot %[[K]], %[[C]], %[[ZERO]] : tensor<64x64xbf16>, tensor<64x16xbf16> -> tensor<64x16xf32>
// CHECK:   %[[R1:.*]] = tile.dot %[[K]], %[[B]], %[[R2]]
// CHECK:   %[[R:.*]] = tile.dot %[[K]], %[[A]], %[[R1]]
// CHECK:   tile.reduce add %[[R]], %{{.*}} : tensor<64x16xf32> -> tensor<64xf32>
// CHECK:   %[[D:.*]] = tile.broadcast %{{.*}} along 1 : tensor<64xf32> -> tensor<64x16xf32>
// CHECK:   %[[OLD:.*]] = arith.mulf %[[Z]], %[[D]]
// CHECK:   %[[NEW:.*]] = tile.dot %[[K]], %[[PART]], %[[OLD]] transpose_lhs : tensor<64x64xbf16>, tensor<64x16xbf16> -> tensor<64x16xf32>
// CHECK:   scf.yield %{{.*}}, %[[NEW]]

// In memory it has one column.
// CHECK-LABEL: gpu.func @denominator_parts
// CHECK: %[[L:.*]] = tile.load {{.*}} -> tensor<64x1xf32>
// CHECK: %[[SUMS:.*]] = tile.reduce add %[[L]]
// CHECK: %[[WIDE:.*]] = tile.broadcast %[[SUMS]] along 1 : tensor<64xf32> -> tensor<64x16xf32>
// CHECK: %[[INIT:.*]] = arith.mulf %[[WIDE]], %{{.*}} : tensor<64x16xf32>
// CHECK: %[[NEW:.*]] = tile.dot %{{.*}}, %{{.*}}, %[[INIT]] transpose_lhs
// CHECK: %[[TOTAL:.*]] = tile.reduce add %[[NEW]], %{{.*}} : tensor<64x16xf32> -> tensor<64xf32>
// CHECK: %[[ONE:.*]] = tile.broadcast %[[TOTAL]] along 1 : tensor<64xf32> -> tensor<64x1xf32>
// CHECK: tile.store %[[ONE]]

// Sums of weights that f16 is too small for have quotients.
// CHECK-LABEL: gpu.func @denominator_f16
// CHECK: tile.dot {{.*}} transpose_lhs : tensor<64x64xf32>, tensor<64x1xf32>
gpu.module @kernels {
  gpu.func @denominator(%x: memref<?x64xbf16>, %y: memref<?x64xf32>, %d: memref<?xf32>, %g: tensor<64xf32>, %n: index) kernel attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %c64 = arith.constant 64 : index
    %zero = arith.constant dense<0.0> : tensor<64x64xf32>
    %nothing = arith.constant dense<0.0> : tensor<64x1xf32>
    %zeros = arith.constant dense<0.0> : tensor<64xf32>
    %one = arith.constant dense<1.0> : tensor<64x1xf32>
    %end:2 = scf.for %i = %c0 to %n step %c64 iter_args(%s = %zero, %z = %nothing) -> (tensor<64x64xf32>, tensor<64x1xf32>) {
      %a = tile.load %x[%i, %c0] : memref<?x64xbf16> -> tensor<64x64xbf16>
      %k = arith.extf %a : tensor<64x64xbf16> to tensor<64x64xf32>
      %o = tile.dot %k, %s, %zero : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xf32>
      tile.store %o, %y[%i, %c0] : tensor<64x64xf32>, memref<?x64xf32>
      %read = tile.dot %k, %z, %nothing : tensor<64x64xf32>, tensor<64x1xf32> -> tensor<64x1xf32>
      %den = tile.reduce add %read, %zeros : tensor<64x1xf32> -> tensor<64xf32>
      tile.store %den, %d[%i] : tensor<64xf32>, memref<?xf32>
      %t = tile.dot %k, %k, %s transpose_lhs : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xf32>
      %decay = tile.broadcast %g along 1 : tensor<64xf32> -> tensor<64x1xf32>
      %old = arith.mulf %z, %decay : tensor<64x1xf32>
      %u = tile.dot %k, %one, %old transpose_lhs : tensor<64x64xf32>, tensor<64x1xf32> -> tensor<64x1xf32>
      scf.yield %t, %u : tensor<64x64xf32>, tensor<64x1xf32>
    }
    gpu.return
  }
  gpu.func @denominator_parts(%x: memref<?x64xbf16>, %y: memref<?x1xf32>) kernel attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %one = arith.constant dense<1.0> : tensor<64x1xf32>
    %z = tile.load %y[%c0, %c0] : memref<?x1xf32> -> tensor<64x1xf32>
    %a = tile.load %x[%c0, %c0] : memref<?x64xbf16> -> tensor<64x64xbf16>
    %k = arith.extf %a : tensor<64x64xbf16> to tensor<64x64xf32>
    %u = tile.dot %k, %one, %z transpose_lhs : tensor<64x64xf32>, tensor<64x1xf32> -> tensor<64x1xf32>
    tile.store %u, %y[%c0, %c0] : tensor<64x1xf32>, memref<?x1xf32>
    gpu.return
  }
  gpu.func @denominator_f16(%x: memref<?x64xf16>, %y: memref<?x1xf32>) kernel attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %one = arith.constant dense<1.0> : tensor<64x1xf32>
    %z = tile.load %y[%c0, %c0] : memref<?x1xf32> -> tensor<64x1xf32>
    %a = tile.load %x[%c0, %c0] : memref<?x64xf16> -> tensor<64x64xf16>
    %k = arith.extf %a : tensor<64x64xf16> to tensor<64x64xf32>
    %u = tile.dot %k, %one, %z transpose_lhs : tensor<64x64xf32>, tensor<64x1xf32> -> tensor<64x1xf32>
    tile.store %u, %y[%c0, %c0] : tensor<64x1xf32>, memref<?x1xf32>
    gpu.return
  }
}

// -----

// Channels that decay: two products, between blocks of 32 and of 16 tokens. Rows of
// both blocks of a pair are one tile, queries and keys times decays up to the border;
// of bf16 it has three terms, whose products are six: all but those of the small ones.
// Within 16 rows are as they were loaded. The scale comes behind.
// CHECK-LABEL: gpu.func @channels
// CHECK-DAG: %[[SIXTEEN:.*]] = arith.constant dense<16> : tensor<64x64xindex>
// CHECK-DAG: %[[SIDE:.*]] = arith.constant dense<32> : tensor<64x64xindex>
// CHECK: %[[K:.*]] = tile.load
// CHECK: %[[D:.*]] = tile.load
// CHECK: %[[Q:.*]] = tile.load
// CHECK: %[[BIT:.*]] = arith.andi %{{.*}}, %[[SIDE]]
// CHECK: %[[QUERY:.*]] = arith.cmpi eq, %[[BIT]], %[[SIDE]]
// CHECK-DAG: %[[QUERIES:.*]] = arith.extf %[[Q]]
// CHECK-DAG: %[[KEYS:.*]] = arith.extf %[[K]]
// CHECK: %[[ROWS:.*]] = arith.select %[[QUERY]], %[[QUERIES]], %[[KEYS]]
// CHECK: %[[NEAR:.*]] = tile.scan mul %[[D]] across 32
// CHECK: %[[X:.*]] = arith.mulf %[[ROWS]], %[[NEAR]]
// CHECK: %[[A:.*]] = arith.truncf %[[X]] : tensor<64x64xf32> to tensor<64x64xbf16>
// CHECK: %[[B:.*]] = arith.truncf
// CHECK: %[[C:.*]] = arith.truncf
// CHECK: tile.dot %[[A]], %[[C]], %{{.*}} transpose_rhs between 32
// CHECK-NEXT: tile.dot %[[B]], %[[B]], %{{.*}} transpose_rhs between 32
// CHECK-NEXT: tile.dot %[[C]], %[[A]], %{{.*}} transpose_rhs between 32
// CHECK-NEXT: tile.dot %[[A]], %[[B]], %{{.*}} transpose_rhs between 32
// CHECK-NEXT: tile.dot %[[B]], %[[A]], %{{.*}} transpose_rhs between 32
// CHECK-NEXT: tile.dot %[[A]], %[[A]], %{{.*}} transpose_rhs between 32
// CHECK-NOT: between 32
// CHECK: arith.andi %{{.*}}, %[[SIXTEEN]]
// CHECK: tile.scan mul %[[D]] across 16
// CHECK-COUNT-5: tile.dot %{{.*}} transpose_rhs between 16 : tensor<64x64xbf16>
// CHECK: %[[S:.*]] = tile.dot %{{.*}} transpose_rhs between 16 : tensor<64x64xbf16>
// CHECK: %[[BEHIND:.*]] = arith.cmpi ugt
// CHECK: %[[KEPT:.*]] = arith.select %[[BEHIND]], %[[S]]
// CHECK: %[[W:.*]] = tile.decay_dot %[[Q]], %[[K]], %[[D]], %{{.*}} within 16 : tensor<64x64xbf16>, tensor<64x64xbf16>, tensor<64x64xf32>
// CHECK: %[[ALL:.*]] = arith.addf %[[W]], %[[KEPT]]
// CHECK: arith.mulf %[[ALL]], %

// In reverse, and strict, rows decay the other way, without their own, and queries are
// those of the first block.
// CHECK-LABEL: gpu.func @channels_reverse
// CHECK: %[[ZERO:.*]] = arith.constant dense<0> : tensor<64x64xindex>
// CHECK: arith.cmpi eq, %{{.*}}, %[[ZERO]]
// CHECK: tile.scan mul %{{.*}} reverse exclusive across 32
// CHECK: tile.scan mul %{{.*}} reverse exclusive across 16
// CHECK: arith.cmpi ult
// CHECK: tile.decay_dot {{.*}} reverse strict within 16

// Two terms of f16 have three products.
// CHECK-LABEL: gpu.func @channels_f16
// CHECK-COUNT-3: tile.dot %{{.*}} transpose_rhs between 32 : tensor<64x64xf16>
// CHECK-NOT: between 32
// CHECK-COUNT-3: tile.dot %{{.*}} transpose_rhs between 16 : tensor<64x64xf16>
// CHECK-NOT: between 16
// CHECK: gpu.return
gpu.module @kernels {
  gpu.func @channels(%x: memref<?x64xbf16>, %z: memref<?x64xbf16>, %y: memref<?x64xf32>, %w: memref<?x64xf32>, %n: index) kernel attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %c64 = arith.constant 64 : index
    %zero = arith.constant dense<0.0> : tensor<64x64xf32>
    %scale = arith.constant dense<0.125> : tensor<64x64xf32>
    %end = scf.for %i = %c0 to %n step %c64 iter_args(%s = %zero) -> (tensor<64x64xf32>) {
      %a = tile.load %x[%i, %c0] : memref<?x64xbf16> -> tensor<64x64xbf16>
      %k = arith.extf %a : tensor<64x64xbf16> to tensor<64x64xf32>
      %d = tile.load %w[%i, %c0] : memref<?x64xf32> -> tensor<64x64xf32>
      %b = tile.load %z[%i, %c0] : memref<?x64xbf16> -> tensor<64x64xbf16>
      %e = arith.extf %b : tensor<64x64xbf16> to tensor<64x64xf32>
      %q = arith.mulf %e, %scale : tensor<64x64xf32>
      %p = tile.decay_dot %q, %k, %d, %zero : tensor<64x64xf32> -> tensor<64x64xf32>
      %o = tile.dot %p, %k, %zero : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xf32>
      tile.store %o, %y[%i, %c0] : tensor<64x64xf32>, memref<?x64xf32>
      %t = tile.dot %k, %k, %s transpose_lhs : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xf32>
      scf.yield %t : tensor<64x64xf32>
    }
    gpu.return
  }
  gpu.func @channels_reverse(%x: memref<?x64xbf16>, %y: memref<?x64xf32>, %w: memref<?x64xf32>, %n: index) kernel attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %c64 = arith.constant 64 : index
    %zero = arith.constant dense<0.0> : tensor<64x64xf32>
    %end = scf.for %i = %c0 to %n step %c64 iter_args(%s = %zero) -> (tensor<64x64xf32>) {
      %a = tile.load %x[%i, %c0] : memref<?x64xbf16> -> tensor<64x64xbf16>
      %k = arith.extf %a : tensor<64x64xbf16> to tensor<64x64xf32>
      %d = tile.load %w[%i, %c0] : memref<?x64xf32> -> tensor<64x64xf32>
      %p = tile.decay_dot %k, %k, %d, %zero reverse strict : tensor<64x64xf32> -> tensor<64x64xf32>
      tile.store %p, %y[%i, %c0] : tensor<64x64xf32>, memref<?x64xf32>
      %t = tile.dot %k, %k, %s transpose_lhs : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xf32>
      scf.yield %t : tensor<64x64xf32>
    }
    gpu.return
  }
  gpu.func @channels_f16(%x: memref<?x64xf16>, %y: memref<?x64xf32>, %w: memref<?x64xf32>, %n: index) kernel attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %c64 = arith.constant 64 : index
    %zero = arith.constant dense<0.0> : tensor<64x64xf32>
    %end = scf.for %i = %c0 to %n step %c64 iter_args(%s = %zero) -> (tensor<64x64xf32>) {
      %a = tile.load %x[%i, %c0] : memref<?x64xf16> -> tensor<64x64xf16>
      %k = arith.extf %a : tensor<64x64xf16> to tensor<64x64xf32>
      %d = tile.load %w[%i, %c0] : memref<?x64xf32> -> tensor<64x64xf32>
      %p = tile.decay_dot %k, %k, %d, %zero : tensor<64x64xf32> -> tensor<64x64xf32>
      tile.store %p, %y[%i, %c0] : tensor<64x64xf32>, memref<?x64xf32>
      %t = tile.dot %k, %k, %s transpose_lhs : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xf32>
      scf.yield %t : tensor<64x64xf32>
    }
    gpu.return
  }
}

// -----

// Gates of which only exponentials of sums are taken are bounded and multiplied
// once, for all of them. Scales of rows are multiplied with other numbers of the
// rows, rows are stored as soon as they are known, and numbers that stay the same
// are not computed in each iteration.
// CHECK-LABEL: gpu.func @gates
// CHECK: %[[G:.*]] = arith.maximumf %{{.*}}, %{{.*}} : tensor<64xf32>
// CHECK: %[[L:.*]] = arith.mulf %[[G]], %{{.*}} : tensor<64xf32>
// CHECK: %[[H:.*]] = arith.divsi
// CHECK: scf.for
// CHECK: tile.load %{{.*}}[%[[H]], %{{.*}}]
// CHECK: %[[P:.*]] = tile.scan add %[[L]]
// CHECK: %[[E:.*]] = math.exp2 %[[P]]
// CHECK: %[[S:.*]] = arith.mulf %[[E]], %{{.*}} : tensor<64xf32>
// CHECK: %[[B:.*]] = tile.broadcast %[[S]] along 1
// CHECK: %[[O:.*]] = arith.mulf %{{.*}}, %[[B]]
// CHECK-NEXT: tile.store %[[O]]
// CHECK: tile.scan add %[[L]]
// CHECK: tile.scan add %[[L]]
// CHECK: %[[D:.*]] = arith.subf
// CHECK: math.exp2 %[[D]]
// CHECK: tile.dot {{.*}} transpose_lhs
gpu.module @kernels {
  gpu.func @gates(%x: memref<?x?x64xbf16>, %y: memref<?x64xf32>, %g: tensor<64xf32>, %n: index) kernel attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %c64 = arith.constant 64 : index
    %log2e = arith.constant dense<1.5> : tensor<64xf32>
    %log2es = arith.constant dense<1.5> : tensor<64x64xf32>
    %scale = arith.constant dense<0.125> : tensor<64x64xf32>
    %zero = arith.constant dense<0.0> : tensor<64x64xf32>
    %end = scf.for %i = %c0 to %n step %c64 iter_args(%s = %zero) -> (tensor<64x64xf32>) {
      %h = arith.divsi %n, %c64 : index
      %a = tile.load %x[%h, %i, %c0] : memref<?x?x64xbf16> -> tensor<64x64xbf16>
      %k = arith.extf %a : tensor<64x64xbf16> to tensor<64x64xf32>
      %sums = tile.scan add %g : tensor<64xf32>
      %exponents = arith.mulf %sums, %log2e : tensor<64xf32>
      %prefix = math.exp2 %exponents : tensor<64xf32>
      %q = arith.mulf %k, %scale : tensor<64x64xf32>
      %p = tile.dot %q, %s, %zero : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xf32>
      %rows = tile.broadcast %prefix along 1 : tensor<64xf32> -> tensor<64x64xf32>
      %o = arith.mulf %p, %rows : tensor<64x64xf32>
      %r = tile.iota %c0 along 0 : tensor<64x64xindex>
      %c = tile.iota %c0 along 1 : tensor<64x64xindex>
      %behind = arith.cmpi sgt, %r, %c : tensor<64x64xindex>
      %gates = tile.broadcast %g along 1 : tensor<64xf32> -> tensor<64x64xf32>
      %chosen = arith.select %behind, %gates, %zero : tensor<64x64xi1>, tensor<64x64xf32>
      %between = tile.scan add %chosen : tensor<64x64xf32>
      %powers = arith.mulf %between, %log2es : tensor<64x64xf32>
      %decays = math.exp2 %powers : tensor<64x64xf32>
      %t = tile.dot %k, %k, %decays transpose_lhs : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xf32>
      tile.store %o, %y[%i, %c0] : tensor<64x64xf32>, memref<?x64xf32>
      scf.yield %t : tensor<64x64xf32>
    }
    gpu.return
  }
}
