// Hedgehog: averages whose weights are products of learned features, a softmax over
// features of both signs.
//
//   phi(x; W) = (softmax(x W), softmax(-x W))      over features, at least e
//   out_i     = sum_(j <= i) <phi(q_i; Wq_h), phi(k_j; Wk_h)> v_j
//               / (sum_(j <= i) <phi(q_i; Wq_h), phi(k_j; Wk_h)> + e)
//
// Source: M. Zhang, K. Bhatia, H. Kumbong, C. Re, "The Hedgehog & the Porcupine:
//         Expressive Linear Attentions with Softmax Mimicry", 2024,
//         arXiv:2402.04347; M. Zhang et al., "LoLCATs: On Low-Rank
//         Linearizing of Large Language Models", 2024, arXiv:2410.10254.
// Shapes: q, k, v, out [B, H, N, D] with D = 64; wq, wk [H, D, F] with F = 64, so
//   that phi has 2 F features.
// Conventions: sources disagree on the map; this is the one that LoLCATs calls
//   softmax_dim, without a bias. exp in place of softmax gives other weights, as a
//   factor of all features of a key does not cancel. e = 2^-40, where the code
//   has 1e-12. Rotations come before the map.

func.func @hedgehog(
    %q: tensor<?x?x?x64xf32> {attn.name = "q", attn.dims = ["B", "H", "N", "D"]},
    %k: tensor<?x?x?x64xf32> {attn.name = "k", attn.dims = ["B", "H", "N", "D"]},
    %v: tensor<?x?x?x64xf32> {attn.name = "v", attn.dims = ["B", "H", "N", "D"]},
    %wq: tensor<?x64x64xf32> {attn.name = "wq", attn.dims = ["H", "D", "F"]},
    %wk: tensor<?x64x64xf32> {attn.name = "wk", attn.dims = ["H", "D", "F"]})
    -> (tensor<?x?x?x64xf32> {attn.name = "out"})
    attributes {attn.defaults = {B = 1, H = 4, N = 256}} {
  %p = attn.map_rows %q
      rows (%x: tensor<64xf32>, %b, %h, %n) {
        %z = attn.contract_row %x, %wq[%h]
           : tensor<64xf32>, tensor<?x64x64xf32> -> tensor<64xf32>
        %minus = arith.negf %z : tensor<64xf32>
        %z_max = attn.reduce_row max %z : tensor<64xf32>
        %z_maxima = tensor.splat %z_max : tensor<64xf32>
        %z_below = arith.subf %z, %z_maxima : tensor<64xf32>
        %z_power = math.exp %z_below : tensor<64xf32>
        %z_sum = attn.reduce_row sum %z_power : tensor<64xf32>
        %z_sums = tensor.splat %z_sum : tensor<64xf32>
        %first = arith.divf %z_power, %z_sums : tensor<64xf32>
        %m_max = attn.reduce_row max %minus : tensor<64xf32>
        %m_maxima = tensor.splat %m_max : tensor<64xf32>
        %m_below = arith.subf %minus, %m_maxima : tensor<64xf32>
        %m_power = math.exp %m_below : tensor<64xf32>
        %m_sum = attn.reduce_row sum %m_power : tensor<64xf32>
        %m_sums = tensor.splat %m_sum : tensor<64xf32>
        %second = arith.divf %m_power, %m_sums : tensor<64xf32>
        %both = tensor.concat dim(0) %first, %second
           : (tensor<64xf32>, tensor<64xf32>) -> tensor<128xf32>
        %epsilon = arith.constant dense<9.094947017729282e-13> : tensor<128xf32>
        %y = arith.maximumf %both, %epsilon : tensor<128xf32>
        attn.yield %y : tensor<128xf32>
      } : tensor<?x?x?x64xf32> -> tensor<?x?x?x128xf32>
  %r = attn.map_rows %k
      rows (%x: tensor<64xf32>, %b, %h, %n) {
        %z = attn.contract_row %x, %wk[%h]
           : tensor<64xf32>, tensor<?x64x64xf32> -> tensor<64xf32>
        %minus = arith.negf %z : tensor<64xf32>
        %z_max = attn.reduce_row max %z : tensor<64xf32>
        %z_maxima = tensor.splat %z_max : tensor<64xf32>
        %z_below = arith.subf %z, %z_maxima : tensor<64xf32>
        %z_power = math.exp %z_below : tensor<64xf32>
        %z_sum = attn.reduce_row sum %z_power : tensor<64xf32>
        %z_sums = tensor.splat %z_sum : tensor<64xf32>
        %first = arith.divf %z_power, %z_sums : tensor<64xf32>
        %m_max = attn.reduce_row max %minus : tensor<64xf32>
        %m_maxima = tensor.splat %m_max : tensor<64xf32>
        %m_below = arith.subf %minus, %m_maxima : tensor<64xf32>
        %m_power = math.exp %m_below : tensor<64xf32>
        %m_sum = attn.reduce_row sum %m_power : tensor<64xf32>
        %m_sums = tensor.splat %m_sum : tensor<64xf32>
        %second = arith.divf %m_power, %m_sums : tensor<64xf32>
        %both = tensor.concat dim(0) %first, %second
           : (tensor<64xf32>, tensor<64xf32>) -> tensor<128xf32>
        %epsilon = arith.constant dense<9.094947017729282e-13> : tensor<128xf32>
        %y = arith.maximumf %both, %epsilon : tensor<128xf32>
        attn.yield %y : tensor<128xf32>
      } : tensor<?x?x?x64xf32> -> tensor<?x?x?x128xf32>
  %out = attn.recur %p, %r, %v
      norm (%num: tensor<64xf32>, %den: f32, %b, %h, %n) {
        %epsilon = arith.constant 9.094947017729282e-13 : f32
        %positive = arith.addf %den, %epsilon : f32
        %divisor = tensor.splat %positive : tensor<64xf32>
        %y = arith.divf %num, %divisor : tensor<64xf32>
        attn.yield %y : tensor<64xf32>
      }
      : tensor<?x?x?x128xf32>, tensor<?x?x?x128xf32>, tensor<?x?x?x64xf32>
      -> tensor<?x?x?x64xf32>
  return %out : tensor<?x?x?x64xf32>
}
