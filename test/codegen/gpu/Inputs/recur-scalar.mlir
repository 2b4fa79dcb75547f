// A recurrence with a gate per token and a denominator: blocks of 32 tokens, all
// 64 columns of the state at once, keys of 128 features.

#view = strided<[?, ?, ?, 1], offset: ?>
#line = strided<[?, ?, 1], offset: ?>

func.func @scalar(
    %q: memref<?x?x?x128xf32, #view> {attn.name = "q", attn.dims = ["B", "H", "N", "D"]},
    %k: memref<?x?x?x128xf32, #view> {attn.name = "k", attn.dims = ["B", "H", "N", "D"], attn.fill = "uniform"},
    %v: memref<?x?x?x64xf32, #view> {attn.name = "v", attn.dims = ["B", "H", "N", "Dv"]},
    %g: memref<?x?x?xf32, #line> {attn.name = "g", attn.dims = ["B", "H", "N"], attn.fill = "decay"},
    %out: memref<?x?x?x64xf32, #view> {attn.name = "out", attn.dims = ["B", "H", "N", "Dv"], attn.result},
    %ht: memref<?x?x128x64xf32, #view> {attn.name = "ht", attn.dims = ["B", "H", "D", "Dv"], attn.result})
    attributes {attn.defaults = {B = 1 : i64, H = 2 : i64, N = 65 : i64}} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c32 = arith.constant 32 : index
  %log2e = arith.constant dense<1.44269502> : tensor<32xf32>
  %ones = arith.constant dense<1.0> : tensor<128xf32>
  %one1 = arith.constant dense<1.0> : tensor<32x1xf32>
  %zero1 = arith.constant dense<0.0> : tensor<32x1xf32>
  %none = arith.constant dense<0.0> : tensor<32xf32>
  %least = arith.constant dense<1.0> : tensor<32xf32>
  %square = arith.constant dense<0.0> : tensor<32x32xf32>
  %nothing = arith.constant dense<0.0> : tensor<32x64xf32>
  %s0 = arith.constant dense<0.0> : tensor<128x64xf32>
  %z0 = arith.constant dense<0.0> : tensor<128x1xf32>
  %b = memref.dim %q, %c0 : memref<?x?x?x128xf32, #view>
  %h = memref.dim %q, %c1 : memref<?x?x?x128xf32, #view>
  %n = memref.dim %q, %c2 : memref<?x?x?x128xf32, #view>
  scf.forall (%i, %j) in (%b, %h) {
    %last:2 = scf.for %t = %c0 to %n step %c32 iter_args(%state = %s0, %z = %z0)
        -> (tensor<128x64xf32>, tensor<128x1xf32>) {
      %qr = tile.load %q[%i, %j, %t, %c0] : memref<?x?x?x128xf32, #view> -> tensor<32x128xf32>
      %qs = arith.mulf %qr, %qr : tensor<32x128xf32>
      %kr = tile.load %k[%i, %j, %t, %c0] : memref<?x?x?x128xf32, #view> -> tensor<32x128xf32>
      %vr = tile.load %v[%i, %j, %t, %c0] : memref<?x?x?x64xf32, #view> -> tensor<32x64xf32>
      %gr = tile.load %g[%i, %j, %t] : memref<?x?x?xf32, #line> -> tensor<32xf32>
      %gl = arith.mulf %gr, %log2e : tensor<32xf32>
      %al = math.exp2 %gl : tensor<32xf32>
      %alc = tile.broadcast %al along 1 : tensor<32xf32> -> tensor<32x1xf32>
      %d = tile.decay_dot %one1, %one1, %alc, %square : tensor<32x1xf32> -> tensor<32x32xf32>
      %s = tile.dot %qs, %kr, %square transpose_rhs : tensor<32x128xf32>, tensor<32x128xf32> -> tensor<32x32xf32>
      %a = arith.mulf %s, %d : tensor<32x32xf32>
      %e = tile.scan mul %al : tensor<32xf32>
      %ec = tile.broadcast %e along 1 : tensor<32xf32> -> tensor<32x64xf32>
      %in0 = tile.dot %qs, %state, %nothing : tensor<32x128xf32>, tensor<128x64xf32> -> tensor<32x64xf32>
      %in = arith.mulf %in0, %ec : tensor<32x64xf32>
      %num = tile.dot %a, %vr, %in : tensor<32x32xf32>, tensor<32x64xf32> -> tensor<32x64xf32>
      %qz = tile.dot %qs, %z, %zero1 : tensor<32x128xf32>, tensor<128x1xf32> -> tensor<32x1xf32>
      %qzr = tile.reduce add %qz, %none : tensor<32x1xf32> -> tensor<32xf32>
      %qze = arith.mulf %qzr, %e : tensor<32xf32>
      %den = tile.reduce add %a, %qze : tensor<32x32xf32> -> tensor<32xf32>
      %denr = arith.maximumf %den, %least : tensor<32xf32>
      %denc = tile.broadcast %denr along 1 : tensor<32xf32> -> tensor<32x64xf32>
      %rows = arith.divf %num, %denc : tensor<32x64xf32>
      tile.store %rows, %out[%i, %j, %t, %c0] : tensor<32x64xf32>, memref<?x?x?x64xf32, #view>
      %r = tile.scan mul %al reverse exclusive : tensor<32xf32>
      %rc = tile.broadcast %r along 1 : tensor<32xf32> -> tensor<32x128xf32>
      %kd = arith.mulf %kr, %rc : tensor<32x128xf32>
      %alw = tile.broadcast %al along 1 : tensor<32xf32> -> tensor<32x128xf32>
      %w = tile.reduce mul %alw, %ones along 0 : tensor<32x128xf32> -> tensor<128xf32>
      %ww = tile.broadcast %w along 1 : tensor<128xf32> -> tensor<128x64xf32>
      %sd = arith.mulf %state, %ww : tensor<128x64xf32>
      %s2 = tile.dot %kd, %vr, %sd transpose_lhs : tensor<32x128xf32>, tensor<32x64xf32> -> tensor<128x64xf32>
      %wz = tile.broadcast %w along 1 : tensor<128xf32> -> tensor<128x1xf32>
      %zd = arith.mulf %z, %wz : tensor<128x1xf32>
      %z2 = tile.dot %kd, %one1, %zd transpose_lhs : tensor<32x128xf32>, tensor<32x1xf32> -> tensor<128x1xf32>
      scf.yield %s2, %z2 : tensor<128x64xf32>, tensor<128x1xf32>
    }
    tile.store %last#0, %ht[%i, %j, %c0, %c0] : tensor<128x64xf32>, memref<?x?x128x64xf32, #view>
  }
  return
}
