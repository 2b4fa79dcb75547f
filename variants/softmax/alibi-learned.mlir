// Causal attention whose score falls linearly with the distance, at a slope that
// each head has learned.
//
//   s_hij  = <q_hi, k_hj> / sqrt(D) + m_h (j - i)
//   out_hi = sum_{j <= i} softmax_j(s_hij) v_hj
//
// Source: O. Press, N. A. Smith, M. Lewis, "Train Short, Test Long: Attention
//         with Linear Biases Enables Input Length Extrapolation", 2022,
//         arXiv:2108.12409, section 3 (trainable slopes).
// Shapes: q, k, v, out [B, H, N, D] with D = 64; lse [B, H, N];
//   slope [H].
// Conventions: m_h = slope[h] may have either sign.
//   lse_hi = log(sum_j exp(s_hij)) over the keys that the query attends to,
//   natural logarithm.

func.func @alibi_learned(
    %q: tensor<?x?x?x64xf32> {attn.name = "q", attn.dims = ["B", "H", "N", "D"]},
    %k: tensor<?x?x?x64xf32> {attn.name = "k", attn.dims = ["B", "H", "N", "D"]},
    %v: tensor<?x?x?x64xf32> {attn.name = "v", attn.dims = ["B", "H", "N", "D"]},
    %slope: tensor<?xf32> {attn.name = "slope", attn.dims = ["H"], attn.fill = "uniform"})
    -> (tensor<?x?x?x64xf32> {attn.name = "out"}, tensor<?x?x?xf32> {attn.name = "lse"})
    attributes {attn.defaults = {B = 1, H = 4, N = 256}} {
  %out, %lse = attn.attend %q, %k, %v
      score (%s: f32, %b, %h, %i, %j) {
        %m = tensor.extract %slope[%h] : tensor<?xf32>
        %offset = arith.subi %j, %i : index
        %offset_i64 = arith.index_cast %offset : index to i64
        %offset_f = arith.sitofp %offset_i64 : i64 to f32
        %bias = arith.mulf %m, %offset_f : f32
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
