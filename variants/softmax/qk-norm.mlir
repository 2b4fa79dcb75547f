// Causal attention of queries and keys with a root-mean-square norm each.
//
//   norm(x, g)_c = g_c x_c / sqrt(sum_d x_d^2 / D + 2^-20)
//   s_ij  = <norm(q_i, gq), norm(k_j, gk)> / sqrt(D)
//   out_i = sum_{j <= i} softmax_j(s_ij) v_j
//
// Source: M. Dehghani et al., "Scaling Vision Transformers to 22 Billion
//         Parameters", 2023, arXiv:2302.05442, section 2 (norms of queries and
//         keys); with the norm of B. Zhang, R. Sennrich, "Root Mean Square Layer
//         Normalization", 2019, arXiv:1910.07467, equation (4).
// Shapes: q, k, v, out [B, H, N, D] with D = 64; lse [B, H, N];
//   q_gain, k_gain [D].
// Conventions: the gains gq, gk are shared by the heads; the norm runs over the
//   features of one head. The shift 2^-20, close to the usual 10^-6, is the same
//   number in every element type.
//   lse_i = log(sum_j exp(s_ij)) over the keys that query i
//   attends to, natural logarithm.

func.func @qk_norm(
    %q: tensor<?x?x?x64xf32> {attn.name = "q", attn.dims = ["B", "H", "N", "D"]},
    %k: tensor<?x?x?x64xf32> {attn.name = "k", attn.dims = ["B", "H", "N", "D"]},
    %v: tensor<?x?x?x64xf32> {attn.name = "v", attn.dims = ["B", "H", "N", "D"]},
    %q_gain: tensor<64xf32> {attn.name = "q_gain", attn.dims = ["D"]},
    %k_gain: tensor<64xf32> {attn.name = "k_gain", attn.dims = ["D"]})
    -> (tensor<?x?x?x64xf32> {attn.name = "out"}, tensor<?x?x?xf32> {attn.name = "lse"})
    attributes {attn.defaults = {B = 1, H = 4, N = 256}} {
  %q_norm = attn.map_rows %q rows (%x: tensor<64xf32>, %b, %h, %n) {
    %squares = arith.mulf %x, %x : tensor<64xf32>
    %sum = attn.reduce_row sum %squares : tensor<64xf32>
    %over_d = arith.constant 1.562500e-02 : f32
    %epsilon = arith.constant 9.5367431640625e-07 : f32
    %mean = arith.mulf %sum, %over_d : f32
    %shifted = arith.addf %mean, %epsilon : f32
    %inverse = math.rsqrt %shifted : f32
    %factor = tensor.splat %inverse : tensor<64xf32>
    %unit = arith.mulf %x, %factor : tensor<64xf32>
    %gain = tensor.extract_slice %q_gain[0] [64] [1] : tensor<64xf32> to tensor<64xf32>
    %y = arith.mulf %unit, %gain : tensor<64xf32>
    attn.yield %y : tensor<64xf32>
  } : tensor<?x?x?x64xf32> -> tensor<?x?x?x64xf32>
  %k_norm = attn.map_rows %k rows (%x: tensor<64xf32>, %b, %h, %n) {
    %squares = arith.mulf %x, %x : tensor<64xf32>
    %sum = attn.reduce_row sum %squares : tensor<64xf32>
    %over_d = arith.constant 1.562500e-02 : f32
    %epsilon = arith.constant 9.5367431640625e-07 : f32
    %mean = arith.mulf %sum, %over_d : f32
    %shifted = arith.addf %mean, %epsilon : f32
    %inverse = math.rsqrt %shifted : f32
    %factor = tensor.splat %inverse : tensor<64xf32>
    %unit = arith.mulf %x, %factor : tensor<64xf32>
    %gain = tensor.extract_slice %k_gain[0] [64] [1] : tensor<64xf32> to tensor<64xf32>
    %y = arith.mulf %unit, %gain : tensor<64xf32>
    attn.yield %y : tensor<64xf32>
  } : tensor<?x?x?x64xf32> -> tensor<?x?x?x64xf32>
  %out, %lse = attn.attend %q_norm, %k_norm, %v
      mask (%b, %h, %i, %j) {
        %keep = arith.cmpi sge, %i, %j : index
        attn.yield %keep : i1
      }
      : tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>
      -> tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
  return %out, %lse : tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
}
