// Performer (FAVOR+): averages whose weights estimate exp(<q_i, k_j> / sqrt(D)) by
// positive random features.
//
//   u(x)   = x D^(-1/4) W,  t(x) = |x|^2 D^(-1/2) / 2
//   p_i    = exp(u(q_i) - t(q_i) - max_m u(q_i)_m) + e
//   r_j    = exp(u(k_j) - t(k_j) - max_(j, m) u(k_j)_m) + e
//   out_i  = sum_j <p_i, r_j> v_j / sum_j <p_i, r_j>
//
// Source: K. Choromanski et al., "Rethinking Attention with Performers", 2020,
//         arXiv:2009.14794.
// Shapes: q, k, v, out [B, H, N, D] with D = 64; w [D, M] with M = 128.
// Conventions: the columns of w are the random directions, orthogonal in blocks and
//   scaled as the paper says; they are drawn outside. The maxima keep exponentials
//   in range: over the features of a query, and over all keys of a head, as in
//   the code of P. Wang (performer-pytorch). The factor 1 / sqrt(M) of the features
//   cancels. e = 2^-13, where that code has 1e-4.

func.func @performer(
    %q: tensor<?x?x?x64xf32> {attn.name = "q", attn.dims = ["B", "H", "N", "D"]},
    %k: tensor<?x?x?x64xf32> {attn.name = "k", attn.dims = ["B", "H", "N", "D"]},
    %v: tensor<?x?x?x64xf32> {attn.name = "v", attn.dims = ["B", "H", "N", "D"]},
    %w: tensor<64x128xf32> {attn.name = "w", attn.dims = ["D", "M"]})
    -> (tensor<?x?x?x64xf32> {attn.name = "out"})
    attributes {attn.defaults = {B = 1, H = 4, N = 256}} {
  %largest = attn.reduce max %k over(tokens)
      rows (%x: tensor<64xf32>, %b, %h, %n) {
        %eighth = arith.constant 0.125 : f32
        %root = math.sqrt %eighth : f32
        %roots = tensor.splat %root : tensor<64xf32>
        %scaled = arith.mulf %x, %roots : tensor<64xf32>
        %u = attn.contract_row %scaled, %w[]
           : tensor<64xf32>, tensor<64x128xf32> -> tensor<128xf32>
        %max = attn.reduce_row max %u : tensor<128xf32>
        %y = tensor.splat %max : tensor<1xf32>
        attn.yield %y : tensor<1xf32>
      } : tensor<?x?x?x64xf32> -> tensor<?x?x1xf32>
  %p = attn.map_rows %q
      rows (%x: tensor<64xf32>, %b, %h, %n) {
        %eighth = arith.constant 0.125 : f32
        %root = math.sqrt %eighth : f32
        %roots = tensor.splat %root : tensor<64xf32>
        %scaled = arith.mulf %x, %roots : tensor<64xf32>
        %u = attn.contract_row %scaled, %w[]
           : tensor<64xf32>, tensor<64x128xf32> -> tensor<128xf32>
        %squares = arith.mulf %scaled, %scaled : tensor<64xf32>
        %square = attn.reduce_row sum %squares : tensor<64xf32>
        %half = arith.constant 0.5 : f32
        %t = arith.mulf %square, %half : f32
        %max = attn.reduce_row max %u : tensor<128xf32>
        %shift = arith.addf %t, %max : f32
        %shifts = tensor.splat %shift : tensor<128xf32>
        %below = arith.subf %u, %shifts : tensor<128xf32>
        %power = math.exp %below : tensor<128xf32>
        %epsilon = arith.constant dense<1.220703125e-04> : tensor<128xf32>
        %y = arith.addf %power, %epsilon : tensor<128xf32>
        attn.yield %y : tensor<128xf32>
      } : tensor<?x?x?x64xf32> -> tensor<?x?x?x128xf32>
  %r = attn.map_rows %k
      rows (%x: tensor<64xf32>, %b, %h, %n) {
        %eighth = arith.constant 0.125 : f32
        %root = math.sqrt %eighth : f32
        %roots = tensor.splat %root : tensor<64xf32>
        %scaled = arith.mulf %x, %roots : tensor<64xf32>
        %u = attn.contract_row %scaled, %w[]
           : tensor<64xf32>, tensor<64x128xf32> -> tensor<128xf32>
        %squares = arith.mulf %scaled, %scaled : tensor<64xf32>
        %square = attn.reduce_row sum %squares : tensor<64xf32>
        %half = arith.constant 0.5 : f32
        %t = arith.mulf %square, %half : f32
        %first = arith.constant 0 : index
        %max = tensor.extract %largest[%b, %h, %first] : tensor<?x?x1xf32>
        %shift = arith.addf %t, %max : f32
        %shifts = tensor.splat %shift : tensor<128xf32>
        %below = arith.subf %u, %shifts : tensor<128xf32>
        %power = math.exp %below : tensor<128xf32>
        %epsilon = arith.constant dense<1.220703125e-04> : tensor<128xf32>
        %y = arith.addf %power, %epsilon : tensor<128xf32>
        attn.yield %y : tensor<128xf32>
      } : tensor<?x?x?x64xf32> -> tensor<?x?x?x128xf32>
  %out = attn.recur %p, %r, %v order(bidirectional)
      norm (%num: tensor<64xf32>, %den: f32, %b, %h, %n) {
        %divisor = tensor.splat %den : tensor<64xf32>
        %y = arith.divf %num, %divisor : tensor<64xf32>
        attn.yield %y : tensor<64xf32>
      }
      : tensor<?x?x?x128xf32>, tensor<?x?x?x128xf32>, tensor<?x?x?x64xf32>
      -> tensor<?x?x?x64xf32>
  return %out : tensor<?x?x?x64xf32>
}
