// A state is updated strip by strip: a product for it may not read all of it.
//
// RUN: attn-opt %s --attn-cpu-block-registers --verify-diagnostics

#view = strided<[?, 1], offset: ?>

func.func @square(%x: memref<16x16xf32, #view>, %blocks: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zeros = arith.constant dense<0.0> : tensor<16x16xf32>
  scf.forall (%block) in (%blocks) {
    %power = scf.for %t = %c0 to %blocks step %c1 iter_args(%state = %zeros) -> (tensor<16x16xf32>) {
      %y = tile.load %x[%c0, %c0] : memref<16x16xf32, #view> -> tensor<16x16xf32>
      // expected-error@+1 {{the CPU back end cannot update a state with a product that reads all of it}}
      %next = tile.dot %y, %state, %zeros : tensor<16x16xf32>, tensor<16x16xf32> -> tensor<16x16xf32>
      scf.yield %next : tensor<16x16xf32>
    }
    tile.store %power, %x[%c0, %c0] : tensor<16x16xf32>, memref<16x16xf32, #view>
  }
  return
}
