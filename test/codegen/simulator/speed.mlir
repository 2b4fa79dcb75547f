// Two programs whose speed docs/results/simulator.md gives: one of multiplications
// and additions on values from shared memory, one of products of matrices.
// DEFINE: %{run} = attn-simulate %s --lower --speed --counters
// RUN: %{run} --kernel=fma --grid=2 --block=128 "--arg=x:f32[2048]=1,const" "--arg=y:f32[1024]=none" --print=y | FileCheck %s --check-prefix=FMA
// FMA: million accesses/s
// FMA: 0 defects
// FMA-NEXT: y: 64 64
// RUN: %{run} --kernel=mma --grid=2 --block=128 "--arg=x:f16[2048]=1,const" "--arg=y:f32[256]=none" --arg=i64=10 --print=y | FileCheck %s --check-prefix=MMA
// MMA: matrix ops 320
// MMA: matrix ops/s
// MMA: 0 defects
// MMA-NEXT: y: 640 640
gpu.module @m {
  // 128 threads, 4 columns of a product 16 x 64 x 32 each: the inner loop reads
  // one number that half a warp shares, and four neighbours.
  gpu.func @fma(%x: memref<2048xf32, 1>, %y: memref<2x128x4xf32, 1>)
      workgroup(%a: memref<16x64xf32, 3>, %b: memref<64x32xf32, 3>) kernel {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c4 = arith.constant 4 : index
    %c8 = arith.constant 8 : index
    %c16 = arith.constant 16 : index
    %c32 = arith.constant 32 : index
    %c64 = arith.constant 64 : index
    %c128 = arith.constant 128 : index
    %zero = arith.constant dense<0.0> : vector<4xf32>
    %t = gpu.thread_id x
    %block = gpu.block_id x
    scf.for %i = %c0 to %c16 step %c1 {
      %0 = arith.muli %i, %c128 : index
      %at = arith.addi %0, %t : index
      %v = memref.load %x[%at] : memref<2048xf32, 1>
      %row = arith.divui %at, %c32 : index
      %column = arith.remui %at, %c32 : index
      memref.store %v, %b[%row, %column] : memref<64x32xf32, 3>
      %isA = arith.cmpi ult, %i, %c8 : index
      scf.if %isA {
        %rowA = arith.divui %at, %c64 : index
        %columnA = arith.remui %at, %c64 : index
        memref.store %v, %a[%rowA, %columnA] : memref<16x64xf32, 3>
      }
    }
    gpu.barrier
    %row = arith.divui %t, %c8 : index
    %q = arith.remui %t, %c8 : index
    %column = arith.muli %q, %c4 : index
    %sum = scf.for %k = %c0 to %c64 step %c1 iter_args(%s = %zero) -> vector<4xf32> {
      %l = memref.load %a[%row, %k] : memref<16x64xf32, 3>
      %r = vector.load %b[%k, %column] {alignment = 16} : memref<64x32xf32, 3>, vector<4xf32>
      %ls = vector.broadcast %l : f32 to vector<4xf32>
      %next = vector.fma %ls, %r, %s : vector<4xf32>
      scf.yield %next : vector<4xf32>
    }
    vector.store %sum, %y[%block, %t, %c0] {alignment = 16} : memref<2x128x4xf32, 1>, vector<4xf32>
    gpu.return
  }

  // Each warp loads a fragment of 16 x 16 and one of 16 x 16, and multiplies them
  // into four sums of 16 x 8, over and over.
  gpu.func @mma(%x: memref<2048xf16, 1>, %y: memref<256xf32, 1>, %rounds: index)
      workgroup(%tile: memref<64x24xf16, 3>) kernel {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c8 = arith.constant 8 : index
    %c16 = arith.constant 16 : index
    %c32 = arith.constant 32 : index
    %c64 = arith.constant 64 : index
    %c128 = arith.constant 128 : index
    %zero = arith.constant dense<0.0> : vector<2x2xf32>
    %t = gpu.thread_id x
    %block = gpu.block_id x
    scf.for %i = %c0 to %c8 step %c1 {
      %0 = arith.muli %i, %c128 : index
      %at = arith.addi %0, %t : index
      %v = memref.load %x[%at] : memref<2048xf16, 1>
      %row = arith.divui %at, %c16 : index
      %column = arith.remui %at, %c16 : index
      memref.store %v, %tile[%row, %column] : memref<64x24xf16, 3>
    }
    gpu.barrier
    %lane = arith.remui %t, %c32 : index
    %row = arith.remui %lane, %c16 : index
    %half = arith.divui %lane, %c16 : index
    %column = arith.muli %half, %c8 : index
    %rowB = arith.addi %row, %c32 : index
    %s0, %s1, %s2, %s3 = scf.for %k = %c0 to %rounds step %c1
        iter_args(%p0 = %zero, %p1 = %zero, %p2 = %zero, %p3 = %zero)
        -> (vector<2x2xf32>, vector<2x2xf32>, vector<2x2xf32>, vector<2x2xf32>) {
      %a = nvgpu.ldmatrix %tile[%row, %column] {numTiles = 4 : i32, transpose = false} : memref<64x24xf16, 3> -> vector<4x2xf16>
      %b = nvgpu.ldmatrix %tile[%rowB, %column] {numTiles = 4 : i32, transpose = true} : memref<64x24xf16, 3> -> vector<4x2xf16>
      %b0 = vector.extract_strided_slice %b {offsets = [0], sizes = [2], strides = [1]} : vector<4x2xf16> to vector<2x2xf16>
      %b1 = vector.extract_strided_slice %b {offsets = [2], sizes = [2], strides = [1]} : vector<4x2xf16> to vector<2x2xf16>
      %n0 = nvgpu.mma.sync (%a, %b0, %p0) {mmaShape = [16, 8, 16]} : (vector<4x2xf16>, vector<2x2xf16>, vector<2x2xf32>) -> vector<2x2xf32>
      %n1 = nvgpu.mma.sync (%a, %b1, %p1) {mmaShape = [16, 8, 16]} : (vector<4x2xf16>, vector<2x2xf16>, vector<2x2xf32>) -> vector<2x2xf32>
      %n2 = nvgpu.mma.sync (%a, %b0, %p2) {mmaShape = [16, 8, 16]} : (vector<4x2xf16>, vector<2x2xf16>, vector<2x2xf32>) -> vector<2x2xf32>
      %n3 = nvgpu.mma.sync (%a, %b1, %p3) {mmaShape = [16, 8, 16]} : (vector<4x2xf16>, vector<2x2xf16>, vector<2x2xf32>) -> vector<2x2xf32>
      scf.yield %n0, %n1, %n2, %n3 : vector<2x2xf32>, vector<2x2xf32>, vector<2x2xf32>, vector<2x2xf32>
    }
    %u0 = arith.addf %s0, %s1 : vector<2x2xf32>
    %u1 = arith.addf %s2, %s3 : vector<2x2xf32>
    %u = arith.addf %u0, %u1 : vector<2x2xf32>
    %r = vector.extract %u[0, 0] : f32 from vector<2x2xf32>
    %1 = arith.muli %block, %c128 : index
    %i = arith.addi %1, %t : index
    memref.store %r, %y[%i] : memref<256xf32, 1>
    gpu.return
  }
}
