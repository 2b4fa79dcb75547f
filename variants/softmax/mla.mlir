// Multi-head latent attention in its expanded form: causal attention whose keys
// have 128 features of content and 64 of position, and whose values have 128.
//
//   out_hi = sum_{j <= i} softmax_j(<q_hi, k_hj> / sqrt(192)) v_hj
//
// Source: DeepSeek-AI, "DeepSeek-V2: A Strong, Economical, and Efficient
//         Mixture-of-Experts Language Model", 2024, arXiv:2405.04434, section
//         2.1, equations (9) to (18).
// Shapes: q, k [B, H, N, D] with D = 192; v, out [B, H, N, Dv] with Dv = 128;
//   lse [B, H, N].
// Conventions: q_h = [content, position] and k_h = [content, position] as the
//   paper concatenates them, position parts rotated by the caller; the key's
//   position part is the same in all heads. `mla-absorbed` computes the same
//   without expanding the latent vectors.
//   lse_i = log(sum_j exp(s_ij)) over the keys that query i
//   attends to, natural logarithm.

func.func @mla(
    %q: tensor<?x?x?x192xf32> {attn.name = "q", attn.dims = ["B", "H", "N", "D"]},
    %k: tensor<?x?x?x192xf32> {attn.name = "k", attn.dims = ["B", "H", "N", "D"]},
    %v: tensor<?x?x?x128xf32> {attn.name = "v", attn.dims = ["B", "H", "N", "Dv"]})
    -> (tensor<?x?x?x128xf32> {attn.name = "out"}, tensor<?x?x?xf32> {attn.name = "lse"})
    attributes {attn.defaults = {B = 1, H = 4, N = 256}} {
  %out, %lse = attn.attend %q, %k, %v
      mask (%b, %h, %i, %j) {
        %keep = arith.cmpi sge, %i, %j : index
        attn.yield %keep : i1
      }
      : tensor<?x?x?x192xf32>, tensor<?x?x?x192xf32>, tensor<?x?x?x128xf32>
      -> tensor<?x?x?x128xf32>, tensor<?x?x?xf32>
  return %out, %lse : tensor<?x?x?x128xf32>, tensor<?x?x?xf32>
}
