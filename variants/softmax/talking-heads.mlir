// Talking heads: heads exchange their scores before the softmax, and their weights
// after it.
//
//   s_gij = <q_gi, k_gj> / sqrt(D)
//   p_hij = softmax_j(sum_g w_gh s_gij)
//   out_hi = sum_j (sum_g u_gh p_gij) v_hj
//
// Source: N. Shazeer et al., "Talking-Heads Attention", 2020, arXiv:2003.02436,
//         with as many heads of keys, of the softmax and of values.
// Shapes: q, k, v, out [B, H, N, D] with H = 4, D = 64; logits_mix (w),
//   weights_mix (u) [H, H]; lse [B, H, N].
// Conventions: matrices map from the first head to the second. H is static, as
//   rows of all heads are joined.
//   lse_hi = log(sum_j exp(sum_g w_gh s_gij)), natural logarithm.

func.func @talking_heads(
    %q: tensor<?x4x?x64xf32> {attn.name = "q", attn.dims = ["B", "H", "N", "D"]},
    %k: tensor<?x4x?x64xf32> {attn.name = "k", attn.dims = ["B", "H", "N", "D"]},
    %v: tensor<?x4x?x64xf32> {attn.name = "v", attn.dims = ["B", "H", "N", "D"]},
    %logits_mix: tensor<4x4xf32> {attn.name = "logits_mix", attn.dims = ["H", "H"]},
    %weights_mix: tensor<4x4xf32> {attn.name = "weights_mix", attn.dims = ["H", "H"]})
    -> (tensor<?x4x?x64xf32> {attn.name = "out"}, tensor<?x4x?xf32> {attn.name = "lse"})
    attributes {attn.defaults = {B = 1, N = 256}} {
  %out, %lse = attn.attend %q, %k, %v
      mix_scores(%logits_mix : tensor<4x4xf32>) mix_weights(%weights_mix : tensor<4x4xf32>)
      : tensor<?x4x?x64xf32>, tensor<?x4x?x64xf32>, tensor<?x4x?x64xf32>
      -> tensor<?x4x?x64xf32>, tensor<?x4x?xf32>
  return %out, %lse : tensor<?x4x?x64xf32>, tensor<?x4x?xf32>
}
