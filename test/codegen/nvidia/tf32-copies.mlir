// The right operand of a product of tf32 comes to shared memory by copies of 16
// bytes where rows start at multiples of them, by elements where they do not; each
// thread rounds what it copied before others read it. With x[r][c] = s r + c, numbers
// that tf32 has, results are those of matrix-copies.mlir.

// DEFINE: %{run} = attn-simulate %s --after=place-tiles --kernel=product --block=128 --shared=5120 "--arg=x:f32[352]=iota,const" --arg=i64=20 --print=y --counters
// RUN: %{run} --copies=issue --arg=i64=16 "--arg=y:f32[512]=none" | FileCheck %s --check-prefixes=CHECK,GROUPS
// RUN: %{run} --copies=wait --arg=i64=16 "--arg=y:f32[512]=none" | FileCheck %s --check-prefixes=CHECK,GROUPS
// RUN: %{run} --arg=i64=17 "--arg=y:f32[512]=none" | FileCheck %s --check-prefixes=CHECK,ELEMENTS
// GROUPS: 'nvvm.cp.async.shared.global' {{.*}}: requests 7 sectors 40 ideal 40
// ELEMENTS-NOT: cp.async
// CHECK: matrix ops 32
// CHECK-NEXT: 0 defects
// GROUPS-NEXT: y: 1240 3160 5080 {{.*}} 35800 37720 0 0 0 0 0 0 0 0 0 0 0 0 3160 9176 {{.*}} 1.17052e+06 1.23388e+06 0 0 0 0 0 0 0 0 0 0 0 0{{$}}
// ELEMENTS-NEXT: y: 1240 3280 5320 {{.*}} 37960 40000 0 0 0 0 0 0 0 0 0 0 0 0 3280 9944 {{.*}} 1.31704e+06 1.38844e+06 0 0 0 0 0 0 0 0 0 0 0 0{{$}}
gpu.module @kernels {
  gpu.func @product(%x: memref<?x16xf32, strided<[?, 1], offset: ?>>, %y: memref<16x32xf32>) kernel
      attributes {known_block_size = array<i32: 128, 1, 1>, tile.shared_bytes = 5120 : i64} {
    %c0 = arith.constant 0 : index
    %zero = arith.constant dense<0.0> : tensor<16x32xf32, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>
    %q = tile.load %x[%c0, %c0] : memref<?x16xf32, strided<[?, 1], offset: ?>>
      -> tensor<16x16xf32, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>
    %k = tile.load %x[%c0, %c0] async {tile.shared_offset = 0 : i64} : memref<?x16xf32, strided<[?, 1], offset: ?>>
      -> tensor<32x16xf32, #tile.shared<row = 40, swizzle = false>>
    %a = tile.await %k : tensor<32x16xf32, #tile.shared<row = 40, swizzle = false>>
    tile.barrier block
    %s = tile.dot %q, %a, %zero transpose_rhs precision(tf32)
       : tensor<16x16xf32, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>,
         tensor<32x16xf32, #tile.shared<row = 40, swizzle = false>>
      -> tensor<16x32xf32, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>
    tile.store %s, %y[%c0, %c0]
      : tensor<16x32xf32, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>, memref<16x32xf32>
    gpu.return
  }
}
