// Learned bias by clipped relative position.
//
//   s_hij  = <q_hi, k_hj> / sqrt(D) + bias[h, clip(i - j) + 64]
//   clip(x) = min(max(x, -64), 64)
//   out_hi = sum_j softmax_j(s_hij) v_hj
//
// Source: P. Shaw, J. Uszkoreit, A. Vaswani, "Self-Attention with Relative
//         Position Representations", 2018, arXiv:1803.02155, section 3.2 (the
//         clipping); C. Raffel et al., "Exploring the Limits of Transfer Learning
//         with a Unified Text-to-Text Transformer", 2020, arXiv:1910.10683,
//         section 2.1 (one number per head and offset).
// Shapes: q, k, v, out [B, H, N, D] with D = 64; lse [B, H, N];
//   bias [H, R] with R = 129.
// Conventions: bias[h, 0] serves all keys 64 and more after the query,
//   bias[h, 128] those 64 and more before it.
//   lse_hi = log(sum_j exp(s_hij)), natural logarithm.

func.func @relative_bias(
    %q: tensor<?x?x?x64xf32> {attn.name = "q", attn.dims = ["B", "H", "N", "D"]},
    %k: tensor<?x?x?x64xf32> {attn.name = "k", attn.dims = ["B", "H", "N", "D"]},
    %v: tensor<?x?x?x64xf32> {attn.name = "v", attn.dims = ["B", "H", "N", "D"]},
    %bias: tensor<?x129xf32> {attn.name = "bias", attn.dims = ["H", "R"]})
    -> (tensor<?x?x?x64xf32> {attn.name = "out"}, tensor<?x?x?xf32> {attn.name = "lse"})
    attributes {attn.defaults = {B = 1, H = 4, N = 256}} {
  %most = arith.constant 64 : index
  %least = arith.constant -64 : index
  %out, %lse = attn.attend %q, %k, %v
      score (%s: f32, %b, %h, %i, %j) {
        %offset = arith.subi %i, %j : index
        %above = arith.maxsi %offset, %least : index
        %clipped = arith.minsi %above, %most : index
        %place = arith.addi %clipped, %most : index
        %learned = tensor.extract %bias[%h, %place] : tensor<?x129xf32>
        %biased = arith.addf %s, %learned : f32
        attn.yield %biased : f32
      }
      : tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>
      -> tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
  return %out, %lse : tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
}
