// What a sweep over the rows of a state cannot compute.
//
// RUN: attn-opt %s --attn-cpu-block-registers --verify-diagnostics

#rows = strided<[?, 1], offset: ?>

// The state is gone when the sums are there.
func.func @centered(%h0: memref<16x16xf32, #rows>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zeros = arith.constant dense<0.0> : tensor<16xf32>
  scf.forall (%block) in (%c1) {
    %s = tile.load %h0[%c0, %c0] : memref<16x16xf32, #rows> -> tensor<16x16xf32>
    %sum = tile.reduce add %s, %zeros along 0 : tensor<16x16xf32> -> tensor<16xf32>
    %sums = tile.broadcast %sum along 0 : tensor<16xf32> -> tensor<16x16xf32>
    // expected-error@+1 {{the CPU back end cannot compute rows of a state from sums over its rows}}
    %next = arith.subf %s, %sums : tensor<16x16xf32>
    tile.store %next, %h0[%c0, %c0] : tensor<16x16xf32>, memref<16x16xf32, #rows>
  }
  return
}
