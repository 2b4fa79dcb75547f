// Values of rows that are stored, from strips: what they are computed from may
// be loaded, beyond the end of the view as well.
// RUN: attn-run %s --target=cpu --check
// RUN: attn-run %s --target=cpu:avx2 --dims=N=49 --check
// RUN: attn-run %s --target=cpu:baseline --dims=N=1 --check

#view = strided<[?, 1], offset: ?>
#column = strided<[1], offset: ?>

func.func @weighted_sums(%q: memref<?x8xf32, #view> {attn.name = "q", attn.dims = ["N", "D"]},
                         %k: memref<?x8xf32, #view> {attn.name = "k", attn.dims = ["M", "D"]},
                         %w: memref<?xf32, #column> {attn.name = "w", attn.dims = ["N"]},
                         %out: memref<?xf32, #column> {attn.name = "out", attn.dims = ["N"], attn.result})
    attributes {attn.defaults = {N = 90, M = 32}} {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %c48 = arith.constant 48 : index
  %zeros = arith.constant dense<0.0> : tensor<48x32xf32>
  %none = arith.constant dense<0.0> : tensor<48xf32>
  scf.forall (%block) in (%c2) {
    %row = arith.muli %block, %c48 : index
    %x = tile.load %q[%row, %c0] : memref<?x8xf32, #view> -> tensor<48x8xf32>
    %y = tile.load %k[%c0, %c0] : memref<?x8xf32, #view> -> tensor<32x8xf32>
    %s = tile.dot %x, %y, %zeros transpose_rhs : tensor<48x8xf32>, tensor<32x8xf32> -> tensor<48x32xf32>
    %l = tile.reduce add %s, %none : tensor<48x32xf32> -> tensor<48xf32>
    %f = tile.load %w[%row] : memref<?xf32, #column> -> tensor<48xf32>
    %r = arith.mulf %l, %f : tensor<48xf32>
    tile.store %r, %out[%row] : tensor<48xf32>, memref<?xf32, #column>
  }
  return
}
