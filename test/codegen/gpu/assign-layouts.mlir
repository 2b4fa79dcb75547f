// RUN: attn-opt %s --pass-pipeline="builtin.module(gpu.module(attn-gpu-assign-layouts))" --split-input-file --verify-diagnostics | FileCheck %s

// One step of attention. Queries pass through registers, because they are scaled,
// and are shared in front of the loop; keys and values go to shared memory
// directly, values without permutation. Scores have one column per thread at a
// time, the accumulator four.
// CHECK-LABEL: gpu.func @attend
// CHECK: %[[Q:.*]] = tile.load %{{.*}} -> tensor<64x64xf32, #tile.registers<rows = 16, columns = 8, vector = 1>>
// CHECK: %[[SCALED:.*]] = arith.mulf %[[Q]]
// CHECK: %[[QS:.*]] = tile.convert_layout %[[SCALED]] : {{.*}} -> tensor<64x64xf32, #tile.shared<row = 64, swizzle = true>>
// CHECK: scf.for
// CHECK: %[[K:.*]] = tile.load %{{.*}} -> tensor<32x64xf32, #tile.shared<row = 64, swizzle = true>>
// CHECK: %[[S:.*]] = tile.dot %[[QS]], %[[K]], %{{.*}} transpose_rhs : {{.*}} -> tensor<64x32xf32, #tile.registers<rows = 16, columns = 8, vector = 1>>
// CHECK: tile.reduce max %[[S]], %{{.*}} -> tensor<64xf32, #tile.slice<along = 1, of = <rows = 16, columns = 8, vector = 1>>>
// CHECK: %[[P:.*]] = math.exp2 %[[S]]
// CHECK: %[[PS:.*]] = tile.convert_layout %[[P]] : {{.*}} -> tensor<64x32xf32, #tile.shared<row = 32, swizzle = true>>
// CHECK: %[[V:.*]] = tile.load %{{.*}} -> tensor<32x64xf32, #tile.shared<row = 64, swizzle = false>>
// CHECK: tile.dot %[[PS]], %[[V]], %{{.*}} : {{.*}} -> tensor<64x64xf32, #tile.registers<rows = 16, columns = 8, vector = 4>>
// CHECK: %[[DEALT:.*]] = tile.convert_layout %{{.*}}#0 : {{.*}} -> tensor<64x64xf32, #tile.registers<rows = 16, columns = 8, vector = 1>>
// CHECK: tile.store %[[DEALT]], %{{.*}}
gpu.module @kernels {
  gpu.func @attend(%x: memref<?x64xf32>, %y: memref<?x64xf32>, %l: memref<?xf32>, %n: index) kernel
      attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %c32 = arith.constant 32 : index
    %scale = arith.constant dense<0.125> : tensor<64x64xf32>
    %zero = arith.constant dense<0.0> : tensor<64x64xf32>
    %zeros = arith.constant dense<0.0> : tensor<64x32xf32>
    %lowest = arith.constant dense<0xFF800000> : tensor<64xf32>
    %q = tile.load %x[%c0, %c0] : memref<?x64xf32> -> tensor<64x64xf32>
    %scaled = arith.mulf %q, %scale : tensor<64x64xf32>
    %r:2 = scf.for %j = %c0 to %n step %c32 iter_args(%a = %zero, %m = %lowest) -> (tensor<64x64xf32>, tensor<64xf32>) {
      %k = tile.load %x[%j, %c0] : memref<?x64xf32> -> tensor<32x64xf32>
      %s = tile.dot %scaled, %k, %zeros transpose_rhs : tensor<64x64xf32>, tensor<32x64xf32> -> tensor<64x32xf32>
      %m1 = tile.reduce max %s, %m : tensor<64x32xf32> -> tensor<64xf32>
      %p = math.exp2 %s : tensor<64x32xf32>
      %v = tile.load %x[%j, %c0] : memref<?x64xf32> -> tensor<32x64xf32>
      %a1 = tile.dot %p, %v, %a : tensor<64x32xf32>, tensor<32x64xf32> -> tensor<64x64xf32>
      scf.yield %a1, %m1 : tensor<64x64xf32>, tensor<64xf32>
    }
    tile.store %r#0, %y[%c0, %c0] : tensor<64x64xf32>, memref<?x64xf32>
    tile.store %r#1, %l[%c0] : tensor<64xf32>, memref<?xf32>
    gpu.return
  }
}

// -----

// A zero that two products share is copied: it has two layouts. Sixteen columns
// are two per thread.
// CHECK-LABEL: gpu.func @shared_zero
// CHECK-DAG: arith.constant dense<0.000000e+00> : tensor<16x16xf32, #tile.registers<rows = 16, columns = 8, vector = 1>>
// CHECK-DAG: arith.constant dense<0.000000e+00> : tensor<16x16xf32, #tile.registers<rows = 16, columns = 8, vector = 2>>
gpu.module @kernels {
  gpu.func @shared_zero(%x: memref<16x16xf32>, %y: memref<16x16xf32>) kernel
      attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %zero = arith.constant dense<0.0> : tensor<16x16xf32>
    %q = tile.load %x[%c0, %c0] : memref<16x16xf32> -> tensor<16x16xf32>
    %s = tile.dot %q, %q, %zero transpose_rhs : tensor<16x16xf32>, tensor<16x16xf32> -> tensor<16x16xf32>
    %o = tile.dot %s, %q, %zero : tensor<16x16xf32>, tensor<16x16xf32> -> tensor<16x16xf32>
    tile.store %o, %y[%c0, %c0] : tensor<16x16xf32>, memref<16x16xf32>
    gpu.return
  }
}

// -----

// Where rows are known to be aligned, a thread stores its columns as they are;
// not so where the rows are narrower, or the view is the caller's.
// CHECK-LABEL: gpu.func @aligned
// CHECK: %[[O:.*]] = tile.dot
// CHECK: tile.store %[[O]], %arg1
// CHECK: %[[FIRST:.*]] = tile.convert_layout %[[O]]
// CHECK: tile.store %[[FIRST]], %arg2
// CHECK: %[[SECOND:.*]] = tile.convert_layout %[[O]]
// CHECK: tile.store %[[SECOND]], %arg3
// CHECK: %[[THIRD:.*]] = tile.convert_layout %[[O]]
// CHECK: tile.store %[[THIRD]], %arg1[%{{.*}}, %arg4]
gpu.module @kernels {
  gpu.func @aligned(%x: memref<32x32xf32>, %y: memref<16x32xf32> {tile.alignment = 16 : i64},
                    %narrow: memref<16x31xf32> {tile.alignment = 16 : i64}, %given: memref<16x32xf32>,
                    %i: index) kernel
      attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %zero = arith.constant dense<0.0> : tensor<32x32xf32>
    %q = tile.load %x[%c0, %c0] : memref<32x32xf32> -> tensor<32x32xf32>
    %o = tile.dot %q, %q, %zero : tensor<32x32xf32>, tensor<32x32xf32> -> tensor<32x32xf32>
    tile.store %o, %y[%c0, %c0] : tensor<32x32xf32>, memref<16x32xf32>
    tile.store %o, %narrow[%c0, %c0] : tensor<32x32xf32>, memref<16x31xf32>
    tile.store %o, %given[%c0, %c0] : tensor<32x32xf32>, memref<16x32xf32>
    tile.store %o, %y[%c0, %i] : tensor<32x32xf32>, memref<16x32xf32>
    gpu.return
  }
}

// -----

gpu.module @kernels {
  gpu.func @negative_slice(%x: memref<16x64xf32>, %y: memref<16x64xf32>) kernel
      attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    // expected-error@below {{columns of tiles must be cut at multiples of 8 on GPUs, which those of 'tensor<16x64xf32>' are not}}
    %t = tile.load %x[%c0, %c0] : memref<16x64xf32> -> tensor<16x64xf32>
    %s = tile.slice %t from 4 : tensor<16x64xf32> -> tensor<16x16xf32>
    tile.store %s, %y[%c0, %c0] : tensor<16x16xf32>, memref<16x64xf32>
    gpu.return
  }
}

// -----

gpu.module @kernels {
  gpu.func @negative_both_ways(%x: memref<16xf32>, %y: memref<16x16xf32>) kernel
      attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    // expected-error@below {{a vector, 'tensor<16xf32>', is used along rows and along columns, which GPUs do not support; compute it twice}}
    %t = tile.load %x[%c0] : memref<16xf32> -> tensor<16xf32>
    %a = tile.broadcast %t along 0 : tensor<16xf32> -> tensor<16x16xf32>
    %b = tile.broadcast %t along 1 : tensor<16xf32> -> tensor<16x16xf32>
    %s = arith.addf %a, %b : tensor<16x16xf32>
    tile.store %s, %y[%c0, %c0] : tensor<16x16xf32>, memref<16x16xf32>
    gpu.return
  }
}

// -----

gpu.module @kernels {
  // expected-error@below {{needs 'known_block_size', a multiple of 128 threads}}
  gpu.func @negative_threads() kernel attributes {known_block_size = array<i32: 64, 1, 1>} {
    gpu.return
  }
}

// -----

// A recurrence: the state is carried as an accumulator, dealt out behind its load,
// and copied to shared memory to be read. Decays of its rows have one element per
// row, like those of tokens; ops along columns have results in registers.
// CHECK-LABEL: gpu.func @state
// CHECK: %[[LOADED:.*]] = tile.load %{{.*}} -> tensor<64x32xf32, #tile.registers<rows = 16, columns = 8, vector = 1>>
// CHECK: %[[START:.*]] = tile.convert_layout %[[LOADED]] : {{.*}} -> tensor<64x32xf32, #tile.registers<rows = 16, columns = 8, vector = 4>>
// CHECK: scf.for {{.*}} iter_args(%[[STATE:.*]] = %[[START]])
// CHECK-NEXT: %[[READ:.*]] = tile.convert_layout %[[STATE]] : {{.*}} -> tensor<64x32xf32, #tile.shared<row = 32, swizzle = true>>
// CHECK: tile.scan {{.*}} : tensor<16x64xf32, #tile.shared<row = 64, swizzle = true>> -> tensor<16x64xf32, #tile.registers<rows = 16, columns = 8, vector = 1>>
// CHECK: tile.dot %{{.*}}, %[[READ]]
// CHECK: tile.reduce mul %{{.*}} along 0 : tensor<16x64xf32, #tile.shared<row = 64, swizzle = true>> -> tensor<64xf32, #tile.slice<along = 1, of = <rows = 16, columns = 8, vector = 1>>>
// CHECK: tile.broadcast {{.*}} : tensor<64xf32, #tile.slice<along = 1, of = <rows = 16, columns = 8, vector = 1>>> -> tensor<64x32xf32, #tile.registers<rows = 16, columns = 8, vector = 4>>
// CHECK: tile.dot {{.*}} transpose_lhs : tensor<16x64xf32, #tile.shared<row = 64, swizzle = true>>, {{.*}} -> tensor<64x32xf32, #tile.registers<rows = 16, columns = 8, vector = 4>>
gpu.module @kernels {
  gpu.func @state(%x: memref<?x64xf32>, %h: memref<64x32xf32>, %v: memref<?x32xf32>, %n: index) kernel
      attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %c16 = arith.constant 16 : index
    %zero = arith.constant dense<0.0> : tensor<16x32xf32>
    %one = arith.constant dense<1.0> : tensor<64xf32>
    %s0 = tile.load %h[%c0, %c0] : memref<64x32xf32> -> tensor<64x32xf32>
    %last = scf.for %t = %c0 to %n step %c16 iter_args(%s = %s0) -> (tensor<64x32xf32>) {
      %a = tile.load %x[%t, %c0] : memref<?x64xf32> -> tensor<16x64xf32>
      %b = tile.load %v[%t, %c0] : memref<?x32xf32> -> tensor<16x32xf32>
      %shared = tile.convert_layout %a : tensor<16x64xf32> -> tensor<16x64xf32, #tile.shared<row = 64, swizzle = true>>
      %e = tile.scan mul %shared : tensor<16x64xf32, #tile.shared<row = 64, swizzle = true>> -> tensor<16x64xf32>
      %q = arith.mulf %a, %e : tensor<16x64xf32>
      %o = tile.dot %q, %s, %zero : tensor<16x64xf32>, tensor<64x32xf32> -> tensor<16x32xf32>
      tile.store %o, %v[%t, %c0] : tensor<16x32xf32>, memref<?x32xf32>
      %w = tile.reduce mul %shared, %one along 0 : tensor<16x64xf32, #tile.shared<row = 64, swizzle = true>> -> tensor<64xf32>
      %ww = tile.broadcast %w along 1 : tensor<64xf32> -> tensor<64x32xf32>
      %d = arith.mulf %s, %ww : tensor<64x32xf32>
      %next = tile.dot %q, %b, %d transpose_lhs : tensor<16x64xf32>, tensor<16x32xf32> -> tensor<64x32xf32>
      scf.yield %next : tensor<64x32xf32>
    }
    tile.store %last, %h[%c0, %c0] : tensor<64x32xf32>, memref<64x32xf32>
    gpu.return
  }
}

// -----

// Products of 16 bits: the left operand stays in registers, in the layout of
// results, the right one is shared, in rows of all banks.
// CHECK-LABEL: gpu.func @narrow
// CHECK: tile.load {{.*}} -> tensor<64x32xbf16, #[[PAIRED:.*]]>
// CHECK: tile.load {{.*}} -> tensor<64x32xbf16, #tile.shared<row = 64, swizzle = true>>
// CHECK-NOT: tile.convert_layout {{.*}} #tile.shared
// CHECK: tile.dot {{.*}} -> tensor<64x64xf32, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>
// CHECK: tile.reduce max {{.*}} -> tensor<64xf32, #tile.slice<along = 1, of = <rows = 32, columns = 4, vector = 1, paired = true>>>
gpu.module @kernels {
  gpu.func @narrow(%x: memref<?x32xbf16>, %y: memref<?xf32>, %i: index) kernel
      attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %zero = arith.constant dense<0.0> : tensor<64x64xf32>
    %m = arith.constant dense<0.0> : tensor<64xf32>
    %q = tile.load %x[%i, %c0] : memref<?x32xbf16> -> tensor<64x32xbf16>
    %k = tile.load %x[%c0, %c0] : memref<?x32xbf16> -> tensor<64x32xbf16>
    %s = tile.dot %q, %k, %zero transpose_rhs : tensor<64x32xbf16>, tensor<64x32xbf16> -> tensor<64x64xf32>
    %r = tile.reduce max %s, %m : tensor<64x64xf32> -> tensor<64xf32>
    tile.store %r, %y[%i] : tensor<64xf32>, memref<?xf32>
    gpu.return
  }
}

// -----

gpu.module @kernels {
  gpu.func @negative_narrow_and_wide(%x: memref<?x64xbf16>, %y: memref<?x64xf32>) kernel
      attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %zero = arith.constant dense<0.0> : tensor<64x64xf32>
    %q = tile.load %x[%c0, %c0] : memref<?x64xbf16> -> tensor<64x64xbf16>
    // expected-note@below {{the product of 16 bits or tf32}}
    %s = tile.dot %q, %q, %zero : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
    // expected-error@below {{has operands of 32 bits in a kernel with a product of 16 bits or tf32; expected one kind}}
    %o = tile.dot %s, %s, %zero : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xf32>
    tile.store %o, %y[%c0, %c0] : tensor<64x64xf32>, memref<?x64xf32>
    gpu.return
  }
}

// -----

// Two bands of rows per warp: queries that are loaded stay in shared memory,
// weights do not.
// CHECK-LABEL: gpu.func @two_bands
// CHECK: tile.load {{.*}} -> tensor<128x64xf16, #tile.shared<row = 64, swizzle = true>>
// CHECK: tile.dot {{.*}} -> tensor<128x64xf32, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>
// CHECK: arith.truncf {{.*}} to tensor<128x64xf16, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>
// CHECK: tile.dot {{.*}} : tensor<128x64xf16, #tile.registers<
gpu.module @kernels {
  gpu.func @two_bands(%x: memref<?x64xf16>, %y: memref<?x64xf32>) kernel
      attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %zero = arith.constant dense<0.0> : tensor<128x64xf32>
    %q = tile.load %x[%c0, %c0] : memref<?x64xf16> -> tensor<128x64xf16>
    %k = tile.load %x[%c0, %c0] : memref<?x64xf16> -> tensor<64x64xf16>
    %s = tile.dot %q, %k, %zero transpose_rhs : tensor<128x64xf16>, tensor<64x64xf16> -> tensor<128x64xf32>
    %w = arith.truncf %s : tensor<128x64xf32> to tensor<128x64xf16>
    %o = tile.dot %w, %k, %zero : tensor<128x64xf16>, tensor<64x64xf16> -> tensor<128x64xf32>
    tile.store %o, %y[%c0, %c0] : tensor<128x64xf32>, memref<?x64xf32>
    gpu.return
  }
}

// -----

// Operands of tf32: queries stay in registers in the layout of a result; rows of
// keys, read in pairs, are eight elements longer than all banks, those of values
// four.
// CHECK-LABEL: gpu.func @tf32
// CHECK: tile.load {{.*}} -> tensor<64x64xf32, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>
// CHECK: %[[K:.*]] = tile.load {{.*}} -> tensor<32x64xf32, #tile.shared<row = 72, swizzle = false>>
// CHECK: tile.dot %{{.*}}, %[[K]], %{{.*}} transpose_rhs precision(tf32) : {{.*}} -> tensor<64x32xf32, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>
// CHECK: %[[V:.*]] = tile.load {{.*}} -> tensor<32x64xf32, #tile.shared<row = 68, swizzle = false>>
// CHECK: tile.dot %{{.*}}, %[[V]], %{{.*}} precision(tf32) : tensor<64x32xf32, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>
gpu.module @kernels {
  gpu.func @tf32(%x: memref<?x64xf32>, %y: memref<?x64xf32>, %n: index) kernel
      attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %c32 = arith.constant 32 : index
    %zero = arith.constant dense<0.0> : tensor<64x64xf32>
    %zeros = arith.constant dense<0.0> : tensor<64x32xf32>
    %q = tile.load %x[%c0, %c0] : memref<?x64xf32> -> tensor<64x64xf32>
    %r = scf.for %j = %c0 to %n step %c32 iter_args(%a = %zero) -> (tensor<64x64xf32>) {
      %k = tile.load %x[%j, %c0] : memref<?x64xf32> -> tensor<32x64xf32>
      %s = tile.dot %q, %k, %zeros transpose_rhs precision(tf32) : tensor<64x64xf32>, tensor<32x64xf32> -> tensor<64x32xf32>
      %v = tile.load %x[%j, %c0] : memref<?x64xf32> -> tensor<32x64xf32>
      %a1 = tile.dot %s, %v, %a precision(tf32) : tensor<64x32xf32>, tensor<32x64xf32> -> tensor<64x64xf32>
      scf.yield %a1 : tensor<64x64xf32>
    }
    tile.store %r, %y[%c0, %c0] : tensor<64x64xf32>, memref<?x64xf32>
    gpu.return
  }
}

// -----

// Two bands of rows: queries are in shared memory, read like keys. Values that
// are computed are stored for their readers.
// CHECK-LABEL: gpu.func @tf32_bands
// CHECK: %[[Q:.*]] = tile.load {{.*}} -> tensor<128x32xf32, #tile.shared<row = 40, swizzle = false>>
// CHECK: tile.convert_layout {{.*}} -> tensor<64x32xf32, #tile.shared<row = 36, swizzle = false>>
// CHECK: tile.dot %[[Q]], %{{.*}} precision(tf32)
gpu.module @kernels {
  gpu.func @tf32_bands(%x: memref<?x32xf32>, %y: memref<?x32xf32>) kernel
      attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %zero = arith.constant dense<0.0> : tensor<128x32xf32>
    %zeros = arith.constant dense<0.0> : tensor<128x64xf32>
    %q = tile.load %x[%c0, %c0] : memref<?x32xf32> -> tensor<128x32xf32>
    %k = tile.load %x[%c0, %c0] : memref<?x32xf32> -> tensor<64x32xf32>
    %v = math.absf %k : tensor<64x32xf32>
    %s = tile.dot %q, %k, %zeros transpose_rhs precision(tf32) : tensor<128x32xf32>, tensor<64x32xf32> -> tensor<128x64xf32>
    %o = tile.dot %s, %v, %zero precision(tf32) : tensor<128x64xf32>, tensor<64x32xf32> -> tensor<128x32xf32>
    tile.store %o, %y[%c0, %c0] : tensor<128x32xf32>, memref<?x32xf32>
    gpu.return
  }
}
