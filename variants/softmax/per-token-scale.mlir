// Attention of quantised queries and keys: every token brings the factor by which
// its features were divided.
//
//   s_bhij  = u_bhi w_bhj <q_bhi, k_bhj> / sqrt(D)
//   out_bhi = sum_j softmax_j(s_bhij) v_bhj
//
// Source: J. Zhang et al., "SageAttention: Accurate 8-Bit Attention for
//         Plug-and-play Inference Acceleration", 2025, arXiv:2410.02367, section
//         4.2 (per-token quantisation).
// Shapes: q, out [B, H, Nq, D] and k, v [B, H, Nk, D] with D = 64;
//   lse [B, H, Nq]; q_scale [B, H, Nq], k_scale [B, H, Nk].
// Conventions: u = q_scale and w = k_scale; q and k hold the quantised numbers in
//   the element type of the kernel. lse_bhi = log(sum_j exp(s_bhij)), natural
//   logarithm.

func.func @per_token_scale(
    %q: tensor<?x?x?x64xf32> {attn.name = "q", attn.dims = ["B", "H", "Nq", "D"]},
    %k: tensor<?x?x?x64xf32> {attn.name = "k", attn.dims = ["B", "H", "Nk", "D"]},
    %v: tensor<?x?x?x64xf32> {attn.name = "v", attn.dims = ["B", "H", "Nk", "D"]},
    %q_scale: tensor<?x?x?xf32> {attn.name = "q_scale", attn.dims = ["B", "H", "Nq"], attn.fill = "uniform"},
    %k_scale: tensor<?x?x?xf32> {attn.name = "k_scale", attn.dims = ["B", "H", "Nk"], attn.fill = "uniform"})
    -> (tensor<?x?x?x64xf32> {attn.name = "out"}, tensor<?x?x?xf32> {attn.name = "lse"})
    attributes {attn.defaults = {B = 1, H = 4, Nq = 256, Nk = 192}} {
  %out, %lse = attn.attend %q, %k, %v alignment(start)
      score (%s: f32, %b, %h, %i, %j) {
        %u = tensor.extract %q_scale[%b, %h, %i] : tensor<?x?x?xf32>
        %w = tensor.extract %k_scale[%b, %h, %j] : tensor<?x?x?xf32>
        %scaled_i = arith.mulf %s, %u : f32
        %scaled = arith.mulf %scaled_i, %w : f32
        attn.yield %scaled : f32
      }
      : tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>
      -> tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
  return %out, %lse : tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
}
