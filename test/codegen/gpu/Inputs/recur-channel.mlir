// A recurrence with a gate per channel, from a state to a state: blocks of 16
// tokens, columns of the state in two tiles of 32.

#view = strided<[?, ?, ?, 1], offset: ?>

func.func @channel(
    %q: memref<?x?x?x64xf32, #view> {attn.name = "q", attn.dims = ["B", "H", "N", "D"]},
    %k: memref<?x?x?x64xf32, #view> {attn.name = "k", attn.dims = ["B", "H", "N", "D"]},
    %v: memref<?x?x?x64xf32, #view> {attn.name = "v", attn.dims = ["B", "H", "N", "Dv"]},
    %g: memref<?x?x?x64xf32, #view> {attn.name = "g", attn.dims = ["B", "H", "N", "D"], attn.fill = "decay"},
    %h0: memref<?x?x64x64xf32, #view> {attn.name = "h0", attn.dims = ["B", "H", "D", "Dv"]},
    %out: memref<?x?x?x64xf32, #view> {attn.name = "out", attn.dims = ["B", "H", "N", "Dv"], attn.result},
    %ht: memref<?x?x64x64xf32, #view> {attn.name = "ht", attn.dims = ["B", "H", "D", "Dv"], attn.result})
    attributes {attn.defaults = {B = 1 : i64, H = 2 : i64, N = 65 : i64}} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c16 = arith.constant 16 : index
  %c32 = arith.constant 32 : index
  %scale = arith.constant dense<0.125> : tensor<16x64xf32>
  %log2e = arith.constant dense<1.44269502> : tensor<16x64xf32>
  %ones = arith.constant dense<1.0> : tensor<64xf32>
  %none = arith.constant dense<0.0> : tensor<16x16xf32>
  %nothing = arith.constant dense<0.0> : tensor<16x32xf32>
  %b = memref.dim %q, %c0 : memref<?x?x?x64xf32, #view>
  %h = memref.dim %q, %c1 : memref<?x?x?x64xf32, #view>
  %n = memref.dim %q, %c2 : memref<?x?x?x64xf32, #view>
  scf.forall (%i, %j, %block) in (%b, %h, %c2) {
    %v0 = arith.muli %block, %c32 : index
    %s0 = tile.load %h0[%i, %j, %c0, %v0] : memref<?x?x64x64xf32, #view> -> tensor<64x32xf32>
    %last = scf.for %t = %c0 to %n step %c16 iter_args(%state = %s0) -> (tensor<64x32xf32>) {
      %qr = tile.load %q[%i, %j, %t, %c0] : memref<?x?x?x64xf32, #view> -> tensor<16x64xf32>
      %qs = arith.mulf %qr, %scale : tensor<16x64xf32>
      %kr = tile.load %k[%i, %j, %t, %c0] : memref<?x?x?x64xf32, #view> -> tensor<16x64xf32>
      %vr = tile.load %v[%i, %j, %t, %v0] : memref<?x?x?x64xf32, #view> -> tensor<16x32xf32>
      %gr = tile.load %g[%i, %j, %t, %c0] : memref<?x?x?x64xf32, #view> -> tensor<16x64xf32>
      %gl = arith.mulf %gr, %log2e : tensor<16x64xf32>
      %al = math.exp2 %gl : tensor<16x64xf32>
      %a = tile.decay_dot %qs, %kr, %al, %none : tensor<16x64xf32> -> tensor<16x16xf32>
      %e = tile.scan mul %al : tensor<16x64xf32>
      %qd = arith.mulf %qs, %e : tensor<16x64xf32>
      %in = tile.dot %qd, %state, %nothing : tensor<16x64xf32>, tensor<64x32xf32> -> tensor<16x32xf32>
      %num = tile.dot %a, %vr, %in : tensor<16x16xf32>, tensor<16x32xf32> -> tensor<16x32xf32>
      tile.store %num, %out[%i, %j, %t, %v0] : tensor<16x32xf32>, memref<?x?x?x64xf32, #view>
      %r = tile.scan mul %al reverse exclusive : tensor<16x64xf32>
      %kd = arith.mulf %kr, %r : tensor<16x64xf32>
      %w = tile.reduce mul %al, %ones along 0 : tensor<16x64xf32> -> tensor<64xf32>
      %ww = tile.broadcast %w along 1 : tensor<64xf32> -> tensor<64x32xf32>
      %sd = arith.mulf %state, %ww : tensor<64x32xf32>
      %s2 = tile.dot %kd, %vr, %sd transpose_lhs : tensor<16x64xf32>, tensor<16x32xf32> -> tensor<64x32xf32>
      scf.yield %s2 : tensor<64x32xf32>
    }
    tile.store %last, %ht[%i, %j, %c0, %v0] : tensor<64x32xf32>, memref<?x?x64x64xf32, #view>
  }
  return
}
