// Attention with linear biases: causal, and scores fall with the distance.
//
//   s_hij  = <q_hi, k_hj> / sqrt(D) + m_h (j - i),   m_h = 2^(-8 (h + 1) / H)
//   out_hi = sum_{j <= i} softmax_j(s_hij) v_hj
//
// Source: O. Press, N. A. Smith, M. Lewis, "Train Short, Test Long: Attention
//         with Linear Biases Enables Input Length Extrapolation", 2022,
//         arXiv:2108.12409, section 3.
// Shapes: q, k, v, out [B, H, N, D] with D = 64; lse [B, H, N].
// Conventions: the formula of the slopes m_h serves every H, not only powers
//   of two. lse_hi = log(sum_j exp(s_hij)) over the keys that the query
//   attends to, natural logarithm.

func.func @alibi(
    %q: tensor<?x?x?x64xf32> {attn.name = "q", attn.dims = ["B", "H", "N", "D"]},
    %k: tensor<?x?x?x64xf32> {attn.name = "k", attn.dims = ["B", "H", "N", "D"]},
    %v: tensor<?x?x?x64xf32> {attn.name = "v", attn.dims = ["B", "H", "N", "D"]})
    -> (tensor<?x?x?x64xf32> {attn.name = "out"}, tensor<?x?x?xf32> {attn.name = "lse"})
    attributes {attn.defaults = {B = 1, H = 4, N = 256}} {
  %c1 = arith.constant 1 : index
  %heads = tensor.dim %q, %c1 : tensor<?x?x?x64xf32>
  %out, %lse = attn.attend %q, %k, %v
      score (%s: f32, %b, %h, %i, %j) {
        %one = arith.constant 1 : index
        %minus_eight = arith.constant -8.0 : f32
        %rank = arith.addi %h, %one : index
        %rank_i64 = arith.index_cast %rank : index to i64
        %rank_f = arith.sitofp %rank_i64 : i64 to f32
        %heads_i64 = arith.index_cast %heads : index to i64
        %heads_f = arith.sitofp %heads_i64 : i64 to f32
        %numerator = arith.mulf %minus_eight, %rank_f : f32
        %exponent = arith.divf %numerator, %heads_f : f32
        %slope = math.exp2 %exponent : f32
        %offset = arith.subi %j, %i : index
        %offset_i64 = arith.index_cast %offset : index to i64
        %offset_f = arith.sitofp %offset_i64 : i64 to f32
        %bias = arith.mulf %slope, %offset_f : f32
        %biased = arith.addf %s, %bias : f32
        attn.yield %biased : f32
      }
      mask (%b, %h, %i, %j) {
        %keep = arith.cmpi sge, %i, %j : index
        attn.yield %keep : i1
      }
      : tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>
      -> tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
  return %out, %lse : tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
}
