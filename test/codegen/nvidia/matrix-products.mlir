// RUN: attn-opt %s --pass-pipeline="builtin.module(gpu.module(attn-nvidia-matrix-products,canonicalize,cse))" --split-input-file | FileCheck %s

// Scores: the scale moves behind the product. Weights are rounded; exponentials
// may be those of the device.
// CHECK-LABEL: gpu.func @attention
// CHECK: %[[Q:.*]] = tile.load
// CHECK: %[[K:.*]] = tile.load
// CHECK: %[[V:.*]] = tile.load
// CHECK: %[[S:.*]] = tile.dot %[[Q]], %[[K]], %{{.*}} transpose_rhs : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
// CHECK: %[[SCALED:.*]] = arith.mulf %[[S]], %cst{{.*}} : tensor<64x64xf32>
// CHECK: %[[P:.*]] = math.exp2 %[[SCALED]] fastmath<afn>
// CHECK: %[[W:.*]] = arith.truncf %[[P]] : tensor<64x64xf32> to tensor<64x64xbf16>
// CHECK: tile.dot %[[W]], %[[V]], %[[P]] : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
// CHECK-NOT: arith.extf
gpu.module @kernels {
  gpu.func @attention(%x: memref<?x64xbf16>, %y: memref<?x64xf32>, %i: index) kernel {
    %c0 = arith.constant 0 : index
    %c64 = arith.constant 64 : index
    %zero = arith.constant dense<0.0> : tensor<64x64xf32>
    %scale = arith.constant dense<0.125> : tensor<64x64xf32>
    %q = tile.load %x[%i, %c0] : memref<?x64xbf16> -> tensor<64x64xbf16>
    %q32 = arith.extf %q : tensor<64x64xbf16> to tensor<64x64xf32>
    %qs = arith.mulf %q32, %scale : tensor<64x64xf32>
    %k = tile.load %x[%c0, %c0] : memref<?x64xbf16> -> tensor<64x64xbf16>
    %k32 = arith.extf %k : tensor<64x64xbf16> to tensor<64x64xf32>
    %v = tile.load %x[%c64, %c0] : memref<?x64xbf16> -> tensor<64x64xbf16>
    %v32 = arith.extf %v : tensor<64x64xbf16> to tensor<64x64xf32>
    %s = tile.dot %qs, %k32, %zero transpose_rhs : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xf32>
    %p = math.exp2 %s : tensor<64x64xf32>
    %o = tile.dot %p, %v32, %p : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xf32>
    tile.store %o, %y[%i, %c0] : tensor<64x64xf32>, memref<?x64xf32>
    gpu.return
  }

  // One number for each query multiplies its scores: queries stay exact.
  // CHECK-LABEL: gpu.func @rows
  // CHECK: %[[Q:.*]] = tile.load
  // CHECK: %[[S:.*]] = tile.dot %[[Q]], %[[Q]], %{{.*}} transpose_rhs : tensor<64x32xbf16>
  // CHECK: %[[N:.*]] = tile.broadcast %{{.*}} along 1 : tensor<64xf32> -> tensor<64x64xf32>
  // CHECK: arith.mulf %[[S]], %[[N]]
  gpu.func @rows(%x: memref<?x32xbf16>, %y: memref<?x64xf32>, %n: tensor<64xf32>, %i: index) kernel {
    %c0 = arith.constant 0 : index
    %zero = arith.constant dense<0.0> : tensor<64x64xf32>
    %q = tile.load %x[%i, %c0] : memref<?x32xbf16> -> tensor<64x32xbf16>
    %q32 = arith.extf %q : tensor<64x32xbf16> to tensor<64x32xf32>
    %b = tile.broadcast %n along 1 : tensor<64xf32> -> tensor<64x32xf32>
    %qn = arith.mulf %q32, %b : tensor<64x32xf32>
    %s = tile.dot %qn, %q32, %zero transpose_rhs : tensor<64x32xf32>, tensor<64x32xf32> -> tensor<64x64xf32>
    tile.store %s, %y[%i, %c0] : tensor<64x64xf32>, memref<?x64xf32>
    gpu.return
  }

  // One number for each key multiplies the scores of the key: keys stay exact.
  // The numbers change their threads in shared memory.
  // CHECK-LABEL: gpu.func @keys
  // CHECK-SAME: %[[N:[a-z0-9]*]]: tensor<64xf32>
  // CHECK: %[[Q:.*]] = tile.load
  // CHECK: %[[S:.*]] = tile.dot %[[Q]], %[[Q]], %{{.*}} transpose_rhs : tensor<64x32xbf16>
  // CHECK: %[[SHARED:.*]] = tile.convert_layout %[[N]] : tensor<64xf32> -> tensor<64xf32, #tile.shared
  // CHECK: %[[TURNED:.*]] = tile.convert_layout %[[SHARED]]
  // CHECK: %[[B:.*]] = tile.broadcast %[[TURNED]] along 0 : tensor<64xf32> -> tensor<64x64xf32>
  // CHECK: arith.mulf %[[S]], %[[B]]
  gpu.func @keys(%n: tensor<64xf32>, %x: memref<?x32xbf16>, %y: memref<?x64xf32>, %i: index) kernel {
    %c0 = arith.constant 0 : index
    %zero = arith.constant dense<0.0> : tensor<64x64xf32>
    %q = tile.load %x[%i, %c0] : memref<?x32xbf16> -> tensor<64x32xbf16>
    %q32 = arith.extf %q : tensor<64x32xbf16> to tensor<64x32xf32>
    %b = tile.broadcast %n along 1 : tensor<64xf32> -> tensor<64x32xf32>
    %kn = arith.mulf %q32, %b : tensor<64x32xf32>
    %s = tile.dot %q32, %kn, %zero transpose_rhs : tensor<64x32xf32>, tensor<64x32xf32> -> tensor<64x64xf32>
    tile.store %s, %y[%i, %c0] : tensor<64x64xf32>, memref<?x64xf32>
    gpu.return
  }

  // Rotated queries are the sum of three tiles of bf16, as keys of bf16 are
  // exact: what the upper 16 bits say, those of the rest, and what is left. The
  // products with the small ones are added first.
  // CHECK-LABEL: gpu.func @rotated
  // CHECK: %[[X:.*]] = arith.mulf %{{.*}}, %{{.*}} : tensor<64x64xf32>
  // CHECK: arith.addi
  // CHECK: arith.andi
  // CHECK: %[[UPPER:.*]] = arith.bitcast %{{.*}} : tensor<64x64xi32> to tensor<64x64xf32>
  // CHECK: %[[LARGE:.*]] = arith.truncf %[[UPPER]] : tensor<64x64xf32> to tensor<64x64xbf16>
  // CHECK: %[[REST:.*]] = arith.subf %[[X]], %[[UPPER]]
  // CHECK: %[[UPPER2:.*]] = arith.bitcast %{{.*}} : tensor<64x64xi32> to tensor<64x64xf32>
  // CHECK: %[[SMALL:.*]] = arith.truncf %[[UPPER2]] : tensor<64x64xf32> to tensor<64x64xbf16>
  // CHECK: %[[REST2:.*]] = arith.subf %[[REST]], %[[UPPER2]]
  // CHECK: %[[LEAST:.*]] = arith.truncf %[[REST2]] : tensor<64x64xf32> to tensor<64x64xbf16>
  // CHECK: %[[K:.*]] = tile.load
  // CHECK: %[[S0:.*]] = tile.dot %[[LEAST]], %[[K]], %{{.*}} transpose_rhs
  // CHECK: %[[S1:.*]] = tile.dot %[[SMALL]], %[[K]], %[[S0]] transpose_rhs
  // CHECK: %[[S:.*]] = tile.dot %[[LARGE]], %[[K]], %[[S1]] transpose_rhs
  // CHECK: math.exp2 %[[S]] fastmath<afn>
  // CHECK: tile.dot {{.*}} tensor<64x64xbf16>, tensor<64x64xbf16>
  gpu.func @rotated(%x: memref<?x64xbf16>, %y: memref<?x64xf32>, %r: tensor<64x64xf32>, %i: index) kernel {
    %c0 = arith.constant 0 : index
    %zero = arith.constant dense<0.0> : tensor<64x64xf32>
    %q = tile.load %x[%i, %c0] : memref<?x64xbf16> -> tensor<64x64xbf16>
    %q32 = arith.extf %q : tensor<64x64xbf16> to tensor<64x64xf32>
    %qr = arith.mulf %q32, %r : tensor<64x64xf32>
    %k = tile.load %x[%c0, %c0] : memref<?x64xbf16> -> tensor<64x64xbf16>
    %k32 = arith.extf %k : tensor<64x64xbf16> to tensor<64x64xf32>
    %s = tile.dot %qr, %k32, %zero transpose_rhs : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xf32>
    %p = math.exp2 %s : tensor<64x64xf32>
    %o = tile.dot %p, %k32, %zero : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xf32>
    tile.store %o, %y[%i, %c0] : tensor<64x64xf32>, memref<?x64xf32>
    gpu.return
  }

  // What scores go through is approximate, up to the weights: not what rows of
  // values or results are divided by.
  // CHECK-LABEL: gpu.func @squashed
  // CHECK: %[[S:.*]] = tile.dot {{.*}} transpose_rhs
  // CHECK: %[[MORE:.*]] = arith.addf %[[S]], %{{.*}} fastmath<contract>
  // CHECK: %[[RATIO:.*]] = arith.divf %[[MORE]], %{{.*}} fastmath<arcp>
  // CHECK: %[[T:.*]] = math.tanh %[[RATIO]] fastmath<afn>
  // CHECK: %[[E:.*]] = math.exp %[[T]] fastmath<afn>
  // CHECK: %[[P:.*]] = arith.divf %{{.*}}, %[[E]] fastmath<arcp>
  // CHECK: %[[SUM:.*]] = tile.reduce add %[[P]]
  // CHECK: %[[O:.*]] = tile.dot
  // CHECK: arith.divf %[[O]], %{{.*}} : tensor<64x64xf32>
  gpu.func @squashed(%x: memref<?x64xbf16>, %y: memref<?x64xf32>, %i: index) kernel {
    %c0 = arith.constant 0 : index
    %zero = arith.constant dense<0.0> : tensor<64x64xf32>
    %none = arith.constant dense<0.0> : tensor<64xf32>
    %cap = arith.constant dense<50.0> : tensor<64x64xf32>
    %q = tile.load %x[%i, %c0] : memref<?x64xbf16> -> tensor<64x64xbf16>
    %q32 = arith.extf %q : tensor<64x64xbf16> to tensor<64x64xf32>
    %k = tile.load %x[%c0, %c0] : memref<?x64xbf16> -> tensor<64x64xbf16>
    %k32 = arith.extf %k : tensor<64x64xbf16> to tensor<64x64xf32>
    %s = tile.dot %q32, %k32, %zero transpose_rhs : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xf32>
    %more = arith.addf %s, %cap : tensor<64x64xf32>
    %ratio = arith.divf %more, %cap : tensor<64x64xf32>
    %t = math.tanh %ratio : tensor<64x64xf32>
    %e = math.exp %t : tensor<64x64xf32>
    %p = arith.divf %cap, %e : tensor<64x64xf32>
    %sum = tile.reduce add %p, %none along 1 : tensor<64x64xf32> -> tensor<64xf32>
    %wide = tile.broadcast %sum along 1 : tensor<64xf32> -> tensor<64x64xf32>
    %o = tile.dot %p, %k32, %zero : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xf32>
    %mean = arith.divf %o, %wide : tensor<64x64xf32>
    tile.store %mean, %y[%i, %c0] : tensor<64x64xf32>, memref<?x64xf32>
    gpu.return
  }

  // Queries and keys that are computed: three products of f16, without that of
  // the two small tiles. Rows are multiplied by the power of 2 that moves their
  // largest number to 2^14, and scores by the inverse of that of the query and
  // of that of the key.
  // CHECK-LABEL: gpu.func @both_computed
  // CHECK-DAG: %[[EXPONENT:.*]] = arith.constant dense<2139095040> : tensor<64xi32>
  // CHECK-DAG: %[[LEAST:.*]] = arith.constant dense<226492416> : tensor<64xi32>
  // CHECK-DAG: %[[MOST:.*]] = arith.constant dense<2130706432> : tensor<64xi32>
  // CHECK-DAG: %[[UP:.*]] = arith.constant dense<-2046820352> : tensor<64xi32>
  // CHECK-DAG: %[[DOWN:.*]] = arith.constant dense<117440512> : tensor<64xi32>
  // CHECK: %[[Q:.*]] = arith.mulf %{{.*}}, %arg2
  // CHECK: %[[QA:.*]] = math.absf %[[Q]]
  // CHECK: %[[QM:.*]] = tile.reduce max %[[QA]]
  // CHECK: %[[QW:.*]] = arith.bitcast %[[QM]]
  // CHECK: %[[QE:.*]] = arith.andi %[[QW]], %[[EXPONENT]]
  // CHECK: %[[QL:.*]] = arith.maxsi %[[QE]], %[[LEAST]]
  // CHECK: %[[QX:.*]] = arith.minsi %[[QL]], %[[MOST]]
  // CHECK: %[[QU:.*]] = arith.subi %[[UP]], %[[QX]]
  // CHECK: %[[QD:.*]] = arith.subi %[[QX]], %[[DOWN]]
  // CHECK: %[[QUF:.*]] = arith.bitcast %[[QU]]
  // CHECK: %[[QUB:.*]] = tile.broadcast %[[QUF]] along 1
  // CHECK: %[[QDF:.*]] = arith.bitcast %[[QD]]
  // CHECK: %[[QS:.*]] = arith.mulf %[[Q]], %[[QUB]]
  // CHECK: %[[Q1:.*]] = arith.truncf %[[QS]] : tensor<64x64xf32> to tensor<64x64xf16>
  // CHECK: %[[Q132:.*]] = arith.extf %[[Q1]]
  // CHECK: %[[QR:.*]] = arith.subf %[[QS]], %[[Q132]]
  // CHECK: %[[Q2:.*]] = arith.truncf %[[QR]] : tensor<64x64xf32> to tensor<64x64xf16>
  // CHECK: %[[K1:.*]] = arith.truncf
  // CHECK: %[[K2:.*]] = arith.truncf
  // CHECK: %[[S0:.*]] = tile.dot %[[Q1]], %[[K2]], %{{.*}} transpose_rhs : tensor<64x64xf16>, tensor<64x64xf16>
  // CHECK: %[[S1:.*]] = tile.dot %[[Q2]], %[[K1]], %[[S0]] transpose_rhs
  // CHECK: %[[S2:.*]] = tile.dot %[[Q1]], %[[K1]], %[[S1]] transpose_rhs
  // CHECK: %[[QDB:.*]] = tile.broadcast %[[QDF]] along 1
  // CHECK: %[[S3:.*]] = arith.mulf %[[S2]], %[[QDB]]
  // CHECK: %[[COLUMNS:.*]] = tile.broadcast %{{.*}} along 0
  // CHECK: arith.mulf %[[S3]], %[[COLUMNS]]
  // CHECK-NOT: tile.dot
  gpu.func @both_computed(%x: memref<?x64xf16>, %y: memref<?x64xf32>, %r: tensor<64x64xf32>, %i: index) kernel {
    %c0 = arith.constant 0 : index
    %zero = arith.constant dense<0.0> : tensor<64x64xf32>
    %q = tile.load %x[%i, %c0] : memref<?x64xf16> -> tensor<64x64xf16>
    %q32 = arith.extf %q : tensor<64x64xf16> to tensor<64x64xf32>
    %qr = arith.mulf %q32, %r : tensor<64x64xf32>
    %k = tile.load %x[%c0, %c0] : memref<?x64xf16> -> tensor<64x64xf16>
    %k32 = arith.extf %k : tensor<64x64xf16> to tensor<64x64xf32>
    %kr = arith.mulf %k32, %r : tensor<64x64xf32>
    %s = tile.dot %qr, %kr, %zero transpose_rhs : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xf32>
    tile.store %s, %y[%i, %c0] : tensor<64x64xf32>, memref<?x64xf32>
    gpu.return
  }

  // Keys of f16 that are exact stay as they are, and computed queries are two
  // tiles of f16.
  // CHECK-LABEL: gpu.func @computed_queries
  // CHECK: %[[K:.*]] = tile.load
  // CHECK: %[[Q1:.*]] = arith.truncf
  // CHECK: %[[Q2:.*]] = arith.truncf
  // CHECK: %[[S0:.*]] = tile.dot %[[Q2]], %[[K]], %{{.*}} transpose_rhs : tensor<64x64xf16>, tensor<64x64xf16>
  // CHECK: %[[S1:.*]] = tile.dot %[[Q1]], %[[K]], %[[S0]] transpose_rhs
  // CHECK: arith.mulf %[[S1]]
  // CHECK-NOT: tile.dot
  gpu.func @computed_queries(%x: memref<?x64xf16>, %y: memref<?x64xf32>, %r: tensor<64x64xf32>, %i: index) kernel {
    %c0 = arith.constant 0 : index
    %zero = arith.constant dense<0.0> : tensor<64x64xf32>
    %k = tile.load %x[%c0, %c0] : memref<?x64xf16> -> tensor<64x64xf16>
    %k32 = arith.extf %k : tensor<64x64xf16> to tensor<64x64xf32>
    %q = tile.load %x[%i, %c0] : memref<?x64xf16> -> tensor<64x64xf16>
    %q32 = arith.extf %q : tensor<64x64xf16> to tensor<64x64xf32>
    %qr = arith.mulf %q32, %r : tensor<64x64xf32>
    %s = tile.dot %qr, %k32, %zero transpose_rhs : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xf32>
    tile.store %s, %y[%i, %c0] : tensor<64x64xf32>, memref<?x64xf32>
    gpu.return
  }

  // Heads that exchange scores: each part is exact, and its number multiplies
  // its product.
  // CHECK-LABEL: gpu.func @joined
  // CHECK: %[[S0:.*]] = tile.dot {{.*}} transpose_rhs : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
  // CHECK: %[[M0:.*]] = arith.mulf %[[S0]]
  // CHECK: %[[S1:.*]] = tile.dot {{.*}} transpose_rhs : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
  // CHECK: %[[M1:.*]] = arith.mulf %[[S1]]
  // CHECK: %[[SUM:.*]] = arith.addf %[[M0]], %[[M1]]
  // CHECK: arith.mulf %[[SUM]]
  // CHECK: tile.dot {{.*}} : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
  // CHECK: tile.dot {{.*}} : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
  // CHECK: tile.concat {{.*}} -> tensor<64x128xf32>
  gpu.func @joined(%x: memref<?x64xbf16>, %y: memref<?x128xf32>, %m: f32, %n: f32, %i: index) kernel {
    %c0 = arith.constant 0 : index
    %c64 = arith.constant 64 : index
    %zero = arith.constant dense<0.0> : tensor<64x64xf32>
    %zeros = arith.constant dense<0.0> : tensor<64x128xf32>
    %scale = arith.constant dense<0.125> : tensor<64x128xf32>
    %a = tile.load %x[%i, %c0] : memref<?x64xbf16> -> tensor<64x64xbf16>
    %a32 = arith.extf %a : tensor<64x64xbf16> to tensor<64x64xf32>
    %b = tile.load %x[%c64, %c0] : memref<?x64xbf16> -> tensor<64x64xbf16>
    %b32 = arith.extf %b : tensor<64x64xbf16> to tensor<64x64xf32>
    %ms = tile.splat %m : f32 -> tensor<64x64xf32>
    %ns = tile.splat %n : f32 -> tensor<64x64xf32>
    %am = arith.mulf %a32, %ms : tensor<64x64xf32>
    %bn = arith.mulf %b32, %ns : tensor<64x64xf32>
    %q = tile.concat %am, %bn : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x128xf32>
    %qs = arith.mulf %q, %scale : tensor<64x128xf32>
    %k = tile.concat %a32, %b32 : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x128xf32>
    %s = tile.dot %qs, %k, %zero transpose_rhs : tensor<64x128xf32>, tensor<64x128xf32> -> tensor<64x64xf32>
    %o = tile.dot %s, %k, %zeros : tensor<64x64xf32>, tensor<64x128xf32> -> tensor<64x128xf32>
    tile.store %o, %y[%i, %c0] : tensor<64x128xf32>, memref<?x128xf32>
    gpu.return
  }

  // Exact parts that meet other parts, or none, are one computed tile: here two
  // terms of f16 on each side, 128 wide.
  // CHECK-LABEL: gpu.func @joined_otherwise
  // CHECK-COUNT-3: tile.dot {{.*}} transpose_rhs : tensor<64x128xf16>, tensor<64x128xf16> -> tensor<64x64xf32>
  // CHECK-NOT: tile.dot
  gpu.func @joined_otherwise(%w: memref<?x96xbf16>, %x: memref<?x64xbf16>, %z: memref<?x32xbf16>, %y: memref<?x64xf32>, %i: index) kernel {
    %c0 = arith.constant 0 : index
    %zero = arith.constant dense<0.0> : tensor<64x64xf32>
    %a = tile.load %z[%i, %c0] : memref<?x32xbf16> -> tensor<64x32xbf16>
    %a32 = arith.extf %a : tensor<64x32xbf16> to tensor<64x32xf32>
    %b = tile.load %w[%i, %c0] : memref<?x96xbf16> -> tensor<64x96xbf16>
    %b32 = arith.extf %b : tensor<64x96xbf16> to tensor<64x96xf32>
    %q = tile.concat %a32, %b32 : tensor<64x32xf32>, tensor<64x96xf32> -> tensor<64x128xf32>
    %k = tile.load %x[%c0, %c0] : memref<?x64xbf16> -> tensor<64x64xbf16>
    %k32 = arith.extf %k : tensor<64x64xbf16> to tensor<64x64xf32>
    %kk = tile.concat %k32, %k32 : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x128xf32>
    %s = tile.dot %q, %kk, %zero transpose_rhs : tensor<64x128xf32>, tensor<64x128xf32> -> tensor<64x64xf32>
    tile.store %s, %y[%i, %c0] : tensor<64x64xf32>, memref<?x64xf32>
    gpu.return
  }

  // So are parts of 24 and 40 columns, which no instruction takes.
  // CHECK-LABEL: gpu.func @odd_parts
  // CHECK-COUNT-3: tile.dot {{.*}} transpose_rhs : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<64x64xf32>
  // CHECK-NOT: tile.dot
  gpu.func @odd_parts(%x: memref<?x64xbf16>, %v: memref<?x24xbf16>, %w: memref<?x40xbf16>, %y: memref<?x64xf32>, %i: index) kernel {
    %c0 = arith.constant 0 : index
    %zero = arith.constant dense<0.0> : tensor<64x64xf32>
    %q = tile.load %x[%i, %c0] : memref<?x64xbf16> -> tensor<64x64xbf16>
    %q32 = arith.extf %q : tensor<64x64xbf16> to tensor<64x64xf32>
    %a = tile.load %v[%c0, %c0] : memref<?x24xbf16> -> tensor<64x24xbf16>
    %a32 = arith.extf %a : tensor<64x24xbf16> to tensor<64x24xf32>
    %b = tile.load %w[%c0, %c0] : memref<?x40xbf16> -> tensor<64x40xbf16>
    %b32 = arith.extf %b : tensor<64x40xbf16> to tensor<64x40xf32>
    %k = tile.concat %a32, %b32 : tensor<64x24xf32>, tensor<64x40xf32> -> tensor<64x64xf32>
    %s = tile.dot %q32, %k, %zero transpose_rhs : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xf32>
    tile.store %s, %y[%i, %c0] : tensor<64x64xf32>, memref<?x64xf32>
    gpu.return
  }

  // One product that must stay keeps all: keys of more than 128 features that
  // are computed leave no registers to compute them in.
  // CHECK-LABEL: gpu.func @wide_computed
  // CHECK: tile.dot {{.*}} tensor<64x256xf32>, tensor<64x256xf32>
  // CHECK: tile.dot {{.*}} tensor<64x64xf32>, tensor<64x64xf32>
  gpu.func @wide_computed(%w: memref<?x256xbf16>, %x: memref<?x64xbf16>, %y: memref<?x64xf32>, %r: tensor<64x256xf32>, %i: index) kernel {
    %c0 = arith.constant 0 : index
    %zero = arith.constant dense<0.0> : tensor<64x64xf32>
    %q = tile.load %w[%i, %c0] : memref<?x256xbf16> -> tensor<64x256xbf16>
    %q32 = arith.extf %q : tensor<64x256xbf16> to tensor<64x256xf32>
    %kr = arith.mulf %q32, %r : tensor<64x256xf32>
    %s = tile.dot %q32, %kr, %zero transpose_rhs : tensor<64x256xf32>, tensor<64x256xf32> -> tensor<64x64xf32>
    %v = tile.load %x[%c0, %c0] : memref<?x64xbf16> -> tensor<64x64xbf16>
    %v32 = arith.extf %v : tensor<64x64xbf16> to tensor<64x64xf32>
    %o = tile.dot %s, %v32, %zero : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xf32>
    tile.store %o, %y[%i, %c0] : tensor<64x64xf32>, memref<?x64xf32>
    gpu.return
  }

  // A scale must not move over what the product is added to: it stays with the
  // queries, which are computed then. 24 is no multiple of 16.
  // CHECK-LABEL: gpu.func @scaled_init
  // CHECK: arith.mulf
  // CHECK-COUNT-3: tile.dot {{.*}} tensor<64x64xbf16>, tensor<64x64xbf16>
  // CHECK-NOT: arith.mulf
  gpu.func @scaled_init(%x: memref<?x64xbf16>, %y: memref<?x64xf32>, %init: tensor<64x64xf32>) kernel {
    %c0 = arith.constant 0 : index
    %scale = arith.constant dense<0.125> : tensor<64x64xf32>
    %q = tile.load %x[%c0, %c0] : memref<?x64xbf16> -> tensor<64x64xbf16>
    %q32 = arith.extf %q : tensor<64x64xbf16> to tensor<64x64xf32>
    %qs = arith.mulf %q32, %scale : tensor<64x64xf32>
    %s = tile.dot %qs, %q32, %init transpose_rhs : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xf32>
    tile.store %s, %y[%c0, %c0] : tensor<64x64xf32>, memref<?x64xf32>
    gpu.return
  }
  // CHECK-LABEL: gpu.func @narrow_values
  // CHECK: tile.dot {{.*}} tensor<64x64xf32>, tensor<64x24xf32>
  gpu.func @narrow_values(%x: memref<?x64xf16>, %z: memref<?x24xf16>, %y: memref<?x24xf32>) kernel {
    %c0 = arith.constant 0 : index
    %zero = arith.constant dense<0.0> : tensor<64x24xf32>
    %p = tile.load %x[%c0, %c0] : memref<?x64xf16> -> tensor<64x64xf16>
    %p32 = arith.extf %p : tensor<64x64xf16> to tensor<64x64xf32>
    %v = tile.load %z[%c0, %c0] : memref<?x24xf16> -> tensor<64x24xf16>
    %v32 = arith.extf %v : tensor<64x24xf16> to tensor<64x24xf32>
    %o = tile.dot %p32, %v32, %zero : tensor<64x64xf32>, tensor<64x24xf32> -> tensor<64x24xf32>
    tile.store %o, %y[%c0, %c0] : tensor<64x24xf32>, memref<?x24xf32>
    gpu.return
  }

  // Values that are computed from rows of f16 and numbers of bf16 meet weights
  // with the digits of f16: two tiles of bf16, as those of f16 alone would.
  // CHECK-LABEL: gpu.func @mixed_values
  // CHECK: tile.dot {{.*}} transpose_rhs
  // CHECK-COUNT-3: tile.dot {{.*}} : tensor<64x64xbf16>, tensor<64x64xbf16>
  // CHECK-NOT: tile.dot
  gpu.func @mixed_values(%x: memref<?x64xf16>, %z: memref<?x64xbf16>, %y: memref<?x64xf32>, %i: index) kernel {
    %c0 = arith.constant 0 : index
    %zero = arith.constant dense<0.0> : tensor<64x64xf32>
    %q = tile.load %x[%i, %c0] : memref<?x64xf16> -> tensor<64x64xf16>
    %q32 = arith.extf %q : tensor<64x64xf16> to tensor<64x64xf32>
    %k = tile.load %x[%c0, %c0] : memref<?x64xf16> -> tensor<64x64xf16>
    %k32 = arith.extf %k : tensor<64x64xf16> to tensor<64x64xf32>
    %s = tile.dot %q32, %k32, %zero transpose_rhs : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xf32>
    %p = math.exp2 %s : tensor<64x64xf32>
    %b = tile.load %z[%c0, %c0] : memref<?x64xbf16> -> tensor<64x64xbf16>
    %b32 = arith.extf %b : tensor<64x64xbf16> to tensor<64x64xf32>
    %v = arith.addf %k32, %b32 : tensor<64x64xf32>
    %o = tile.dot %p, %v, %zero : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xf32>
    tile.store %o, %y[%i, %c0] : tensor<64x64xf32>, memref<?x64xf32>
    gpu.return
  }

  // A product between blocks of rows is one of recurrences.
  // CHECK-LABEL: gpu.func @between
  // CHECK: tile.dot {{.*}} between 16 {{.*}}tensor<64x64xf32>, tensor<64x64xf32>
  gpu.func @between(%x: memref<?x64xbf16>, %y: memref<?x64xf32>) kernel {
    %c0 = arith.constant 0 : index
    %zero = arith.constant dense<0.0> : tensor<64x64xf32>
    %q = tile.load %x[%c0, %c0] : memref<?x64xbf16> -> tensor<64x64xbf16>
    %q32 = arith.extf %q : tensor<64x64xbf16> to tensor<64x64xf32>
    %s = tile.dot %q32, %q32, %zero transpose_rhs between 16 : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xf32>
    tile.store %s, %y[%c0, %c0] : tensor<64x64xf32>, memref<?x64xf32>
    gpu.return
  }
}

// -----

// Products of f32 that may be rounded to tf32 stay as they are, but for the
// scale, and exponentials may be those of the device.
// CHECK-LABEL: gpu.func @tf32
// CHECK: %[[Q:.*]] = tile.load
// CHECK: %[[S:.*]] = tile.dot %[[Q]], %{{.*}}, %{{.*}} transpose_rhs precision(tf32) : tensor<64x64xf32>
// CHECK: %[[SCALED:.*]] = arith.mulf %[[S]], %cst{{.*}} : tensor<64x64xf32>
// CHECK: math.exp2 %[[SCALED]] fastmath<afn>
// CHECK: tile.dot %{{.*}} precision(tf32) : tensor<64x64xf32>
gpu.module @kernels {
  gpu.func @tf32(%x: memref<?x64xf32>, %y: memref<?x64xf32>, %i: index) kernel {
    %c0 = arith.constant 0 : index
    %zero = arith.constant dense<0.0> : tensor<64x64xf32>
    %scale = arith.constant dense<0.125> : tensor<64x64xf32>
    %q = tile.load %x[%i, %c0] : memref<?x64xf32> -> tensor<64x64xf32>
    %qs = arith.mulf %q, %scale : tensor<64x64xf32>
    %k = tile.load %x[%c0, %c0] : memref<?x64xf32> -> tensor<64x64xf32>
    %s = tile.dot %qs, %k, %zero transpose_rhs precision(tf32) : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xf32>
    %p = math.exp2 %s : tensor<64x64xf32>
    %o = tile.dot %p, %k, %p precision(tf32) : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xf32>
    tile.store %o, %y[%i, %c0] : tensor<64x64xf32>, memref<?x64xf32>
    gpu.return
  }

  // A scale stays where the product is added to something.
  // CHECK-LABEL: gpu.func @tf32_scaled_init
  // CHECK: %[[QS:.*]] = arith.mulf
  // CHECK: tile.dot %[[QS]], %{{.*}} transpose_rhs precision(tf32)
  gpu.func @tf32_scaled_init(%x: memref<?x64xf32>, %y: memref<?x64xf32>, %init: tensor<64x64xf32>) kernel {
    %c0 = arith.constant 0 : index
    %scale = arith.constant dense<0.125> : tensor<64x64xf32>
    %q = tile.load %x[%c0, %c0] : memref<?x64xf32> -> tensor<64x64xf32>
    %qs = arith.mulf %q, %scale : tensor<64x64xf32>
    %s = tile.dot %qs, %q, %init transpose_rhs precision(tf32) : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xf32>
    tile.store %s, %y[%c0, %c0] : tensor<64x64xf32>, memref<?x64xf32>
    gpu.return
  }

  // All products of a kernel or none: 24 is no multiple of 16, one product has no
  // permission, a left operand is transposed, rows have more than 128 features.
  // CHECK-LABEL: gpu.func @tf32_narrow_values
  // CHECK: arith.mulf
  // CHECK-NOT: precision
  // CHECK: math.exp2 %{{[^ ]*}} : tensor
  // CHECK-NOT: precision
  // CHECK: gpu.func @tf32_one_of_two
  // CHECK-NOT: precision
  // CHECK: gpu.func @tf32_transposed
  // CHECK-NOT: precision
  // CHECK: gpu.func @tf32_wide
  // CHECK-NOT: precision
  gpu.func @tf32_narrow_values(%x: memref<?x64xf32>, %y: memref<?x24xf32>) kernel {
    %c0 = arith.constant 0 : index
    %zero = arith.constant dense<0.0> : tensor<64x64xf32>
    %zeros = arith.constant dense<0.0> : tensor<64x24xf32>
    %scale = arith.constant dense<0.125> : tensor<64x64xf32>
    %q = tile.load %x[%c0, %c0] : memref<?x64xf32> -> tensor<64x64xf32>
    %qs = arith.mulf %q, %scale : tensor<64x64xf32>
    %s = tile.dot %qs, %q, %zero transpose_rhs precision(tf32) : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xf32>
    %p = math.exp2 %s : tensor<64x64xf32>
    %v = tile.load %y[%c0, %c0] : memref<?x24xf32> -> tensor<64x24xf32>
    %o = tile.dot %p, %v, %zeros precision(tf32) : tensor<64x64xf32>, tensor<64x24xf32> -> tensor<64x24xf32>
    tile.store %o, %y[%c0, %c0] : tensor<64x24xf32>, memref<?x24xf32>
    gpu.return
  }
  gpu.func @tf32_one_of_two(%x: memref<?x64xf32>, %y: memref<?x64xf32>) kernel {
    %c0 = arith.constant 0 : index
    %zero = arith.constant dense<0.0> : tensor<64x64xf32>
    %q = tile.load %x[%c0, %c0] : memref<?x64xf32> -> tensor<64x64xf32>
    %s = tile.dot %q, %q, %zero transpose_rhs precision(tf32) : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xf32>
    %o = tile.dot %s, %q, %zero : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xf32>
    tile.store %o, %y[%c0, %c0] : tensor<64x64xf32>, memref<?x64xf32>
    gpu.return
  }
  gpu.func @tf32_transposed(%x: memref<?x64xf32>, %y: memref<?x64xf32>) kernel {
    %c0 = arith.constant 0 : index
    %zero = arith.constant dense<0.0> : tensor<64x64xf32>
    %q = tile.load %x[%c0, %c0] : memref<?x64xf32> -> tensor<64x64xf32>
    %s = tile.dot %q, %q, %zero transpose_lhs precision(tf32) : tensor<64x64xf32>, tensor<64x64xf32> -> tensor<64x64xf32>
    tile.store %s, %y[%c0, %c0] : tensor<64x64xf32>, memref<?x64xf32>
    gpu.return
  }
  gpu.func @tf32_wide(%x: memref<?x144xf32>, %y: memref<?x64xf32>) kernel {
    %c0 = arith.constant 0 : index
    %zero = arith.constant dense<0.0> : tensor<64x64xf32>
    %q = tile.load %x[%c0, %c0] : memref<?x144xf32> -> tensor<64x144xf32>
    %s = tile.dot %q, %q, %zero transpose_rhs precision(tf32) : tensor<64x144xf32>, tensor<64x144xf32> -> tensor<64x64xf32>
    tile.store %s, %y[%c0, %c0] : tensor<64x64xf32>, memref<?x64xf32>
    gpu.return
  }
}
