// Loads and products of matrices by whole warps.
// DEFINE: %{run} = attn-simulate %s --lower --block=32

// ldmatrix and mma.sync: a (16x16) times b (16x8), where a[i][k] = 3 i + k and
// b[k][j] = j + 1 if k is j + 2 and 0 elsewhere: y[i][j] = (3 i + j + 2) (j + 1).
// RUN: %{run} --kernel=product "--arg=y:f32[128]=none" --print=y --counters | FileCheck %s --check-prefix=PRODUCT
// The tile of a has rows of 32 bytes: 8 rows meet each bank twice.
// PRODUCT: 'nvvm.ldmatrix' {{.*}}: requests 1 wavefronts 8 conflicts 4{{$}}
// PRODUCT: 'nvvm.ldmatrix' {{.*}}: requests 1 wavefronts 2{{$}}
// PRODUCT: matrix ops 1
// PRODUCT-NEXT: 0 defects
// PRODUCT-NEXT: y: 2 6 12 20 30 42 56 72 5 12 21 32 45 60 77 96 8 {{.*}} 47 96 147 200 255 312 371 432{{$}}
gpu.module @m {
  gpu.func @product(%y: memref<16x8xf32, 1>)
      workgroup(%a: memref<16x16xf16, 3>, %b: memref<16x8xf16, 3>) kernel {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c2 = arith.constant 2 : index
    %c3 = arith.constant 3 : index
    %c4 = arith.constant 4 : index
    %c8 = arith.constant 8 : index
    %c16 = arith.constant 16 : index
    %zero16 = arith.constant 0.0 : f16
    %t = gpu.thread_id x
    %isRow = arith.cmpi ult, %t, %c16 : index
    scf.if %isRow {
      scf.for %k = %c0 to %c16 step %c1 {
        %t3 = arith.muli %t, %c3 : index
        %s = arith.addi %t3, %k : index
        %i = arith.index_cast %s : index to i32
        %v = arith.sitofp %i : i32 to f16
        memref.store %v, %a[%t, %k] : memref<16x16xf16, 3>
      }
      scf.for %j = %c0 to %c8 step %c1 {
        %j1 = arith.addi %j, %c1 : index
        %j2 = arith.addi %j, %c2 : index
        %i = arith.index_cast %j1 : index to i32
        %v = arith.sitofp %i : i32 to f16
        %isSame = arith.cmpi eq, %t, %j2 : index
        %w = arith.select %isSame, %v, %zero16 : f16
        memref.store %w, %b[%t, %j] : memref<16x8xf16, 3>
      }
    }
    gpu.barrier
    // Lanes 0..15 name the rows of the left half of a, the others of the right.
    %row = arith.remui %t, %c16 : index
    %half = arith.divui %t, %c16 : index
    %column = arith.muli %half, %c8 : index
    %fa = nvgpu.ldmatrix %a[%row, %column] {numTiles = 4 : i32, transpose = false} : memref<16x16xf16, 3> -> vector<4x2xf16>
    %fb = nvgpu.ldmatrix %b[%row, %c0] {numTiles = 2 : i32, transpose = true} : memref<16x8xf16, 3> -> vector<2x2xf16>
    %zero = arith.constant dense<0.0> : vector<2x2xf32>
    %d = nvgpu.mma.sync (%fa, %fb, %zero) {mmaShape = [16, 8, 16]} : (vector<4x2xf16>, vector<2x2xf16>, vector<2x2xf32>) -> vector<2x2xf32>
    // A lane has two columns of rows lane / 4 and lane / 4 + 8.
    %g = arith.divui %t, %c4 : index
    %q = arith.remui %t, %c4 : index
    %j0 = arith.muli %q, %c2 : index
    %j1 = arith.addi %j0, %c1 : index
    %g8 = arith.addi %g, %c8 : index
    %d00 = vector.extract %d[0, 0] : f32 from vector<2x2xf32>
    %d01 = vector.extract %d[0, 1] : f32 from vector<2x2xf32>
    %d10 = vector.extract %d[1, 0] : f32 from vector<2x2xf32>
    %d11 = vector.extract %d[1, 1] : f32 from vector<2x2xf32>
    memref.store %d00, %y[%g, %j0] : memref<16x8xf32, 1>
    memref.store %d01, %y[%g, %j1] : memref<16x8xf32, 1>
    memref.store %d10, %y[%g8, %j0] : memref<16x8xf32, 1>
    memref.store %d11, %y[%g8, %j1] : memref<16x8xf32, 1>
    gpu.return
  }

  // Rows start at multiples of 16 bytes. Every lane that names a row is checked.
  // RUN: not %{run} --kernel=rows "--arg=y:f16[64]=none" --arg=i64=4 | FileCheck %s --check-prefix=ROWS
  // ROWS: misaligned: 'nvvm.ldmatrix' at {{.*}}:[[#@LINE+11]]:10, block (0,0,0) thread (0,0,0): expected an address that is a multiple of 16, got one that is 8 more (8 times)
  // RUN: not %{run} --kernel=rows "--arg=y:f16[64]=none" --arg=i64=8 | FileCheck %s --check-prefix=LAST
  // LAST: uninitialized: 'nvvm.ldmatrix' at {{.*}} (7 times)
  // LAST: out-of-bounds: 'nvvm.ldmatrix' at {{.*}} thread (7,0,0): reads 16 bytes at offset 128 of {{.*}}, which has 128 bytes
  gpu.func @rows(%y: memref<32x2xf16, 1>, %shift: index) workgroup(%a: memref<64xf16, 3>) kernel {
    %c0 = arith.constant 0 : index
    %c8 = arith.constant 8 : index
    %t = gpu.thread_id x
    %row = arith.remui %t, %c8 : index
    %0 = arith.muli %row, %c8 : index
    %i = arith.addi %0, %shift : index
    %f = nvgpu.ldmatrix %a[%i] {numTiles = 1 : i32, transpose = false} : memref<64xf16, 3> -> vector<1x2xf16>
    %v = vector.extract %f[0] : vector<2xf16> from vector<1x2xf16>
    vector.store %v, %y[%t, %c0] {alignment = 4} : memref<32x2xf16, 1>, vector<2xf16>
    gpu.return
  }

  // Not for a part of a warp.
  // RUN: not %{run} --kernel=part "--arg=y:f32[1]=zero" | FileCheck %s --check-prefix=PART
  // PART: inactive-lane: 'nvvm.mma.sync' at {{.*}} thread (0,0,0): lane 31 takes part but has ended
  gpu.func @part(%y: memref<1xf32, 1>) kernel {
    %c0 = arith.constant 0 : index
    %c31 = arith.constant 31 : index
    %a = arith.constant dense<1.0> : vector<2x2xf16>
    %b = arith.constant dense<1.0> : vector<1x2xf16>
    %c = arith.constant dense<0.0> : vector<2x2xf32>
    %t = gpu.thread_id x
    %isIn = arith.cmpi ult, %t, %c31 : index
    scf.if %isIn {
      %d = nvgpu.mma.sync (%a, %b, %c) {mmaShape = [16, 8, 8]} : (vector<2x2xf16>, vector<1x2xf16>, vector<2x2xf32>) -> vector<2x2xf32>
      %v = vector.extract %d[0, 0] : f32 from vector<2x2xf32>
      %isFirst = arith.cmpi eq, %t, %c0 : index
      scf.if %isFirst {
        memref.store %v, %y[%c0] : memref<1xf32, 1>
      }
    }
    gpu.return
  }
}
