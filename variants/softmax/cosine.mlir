// Cosine attention: queries and keys of length 1, and a learned scale per head.
//
//   s_hij  = g_h <q_hi, k_hj> / (max(|q_hi|, e) max(|k_hj|, e)),   e = 10^-12
//   out_hi = sum_j softmax_j(s_hij) v_hj
//
// Source: A. Henry, P. R. Dachapally, S. Pawar, Y. Chen, "Query-Key Normalization
//         for Transformers", 2020, arXiv:2010.04245, equation (5); per head as in
//         Z. Liu et al., "Swin Transformer V2: Scaling Up Capacity and
//         Resolution", 2022, arXiv:2111.09883, section 3.2 (g_h = 1 / tau_h).
// Shapes: q, k, v, out [B, H, N, D] with D = 64; lse [B, H, N];
//   gain [H].
// Conventions: g_h = gain[h]. A vector shorter than e is divided by e.
//   lse_hi = log(sum_j exp(s_hij)), natural logarithm.

func.func @cosine(
    %q: tensor<?x?x?x64xf32> {attn.name = "q", attn.dims = ["B", "H", "N", "D"]},
    %k: tensor<?x?x?x64xf32> {attn.name = "k", attn.dims = ["B", "H", "N", "D"]},
    %v: tensor<?x?x?x64xf32> {attn.name = "v", attn.dims = ["B", "H", "N", "D"]},
    %gain: tensor<?xf32> {attn.name = "gain", attn.dims = ["H"]})
    -> (tensor<?x?x?x64xf32> {attn.name = "out"}, tensor<?x?x?xf32> {attn.name = "lse"})
    attributes {attn.defaults = {B = 1, H = 4, N = 256}} {
  %q_unit = attn.map_rows %q rows (%x: tensor<64xf32>, %b, %h, %n) {
    %squares = arith.mulf %x, %x : tensor<64xf32>
    %sum = attn.reduce_row sum %squares : tensor<64xf32>
    %least = arith.constant 1.0e-24 : f32
    %bounded = arith.maximumf %sum, %least : f32
    %inverse = math.rsqrt %bounded : f32
    %factor = tensor.splat %inverse : tensor<64xf32>
    %y = arith.mulf %x, %factor : tensor<64xf32>
    attn.yield %y : tensor<64xf32>
  } : tensor<?x?x?x64xf32> -> tensor<?x?x?x64xf32>
  %k_unit = attn.map_rows %k rows (%x: tensor<64xf32>, %b, %h, %n) {
    %squares = arith.mulf %x, %x : tensor<64xf32>
    %sum = attn.reduce_row sum %squares : tensor<64xf32>
    %least = arith.constant 1.0e-24 : f32
    %bounded = arith.maximumf %sum, %least : f32
    %inverse = math.rsqrt %bounded : f32
    %factor = tensor.splat %inverse : tensor<64xf32>
    %y = arith.mulf %x, %factor : tensor<64xf32>
    attn.yield %y : tensor<64xf32>
  } : tensor<?x?x?x64xf32> -> tensor<?x?x?x64xf32>
  %out, %lse = attn.attend %q_unit, %k_unit, %v scale(1.0)
      score (%s: f32, %b, %h, %i, %j) {
        %g = tensor.extract %gain[%h] : tensor<?xf32>
        %scaled = arith.mulf %s, %g : f32
        attn.yield %scaled : f32
      }
      : tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>
      -> tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
  return %out, %lse : tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
}
