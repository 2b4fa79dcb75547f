// Multi-head latent attention in its absorbed form: all heads share one latent
// vector per token, the projections of keys and values move to queries and output.
//
//   k_hj  = [Wk_h c_j, p_j]   v_hj = Wv_h c_j
//   out_hi = sum_{j <= i} softmax_j(<q_hi, k_hj> / sqrt(192)) v_hj
//          = Wv_h sum_{j <= i} softmax_j(<[Wk_h^T q'_hi, q''_hi], [c_j, p_j]> / sqrt(192)) c_j
//
// Source: DeepSeek-AI, "DeepSeek-V2: A Strong, Economical, and Efficient
//         Mixture-of-Experts Language Model", 2024, arXiv:2405.04434, section
//         2.1, equations (9) to (18).
// Shapes: q [B, H, Nq, D] with D = 192; c [B, 1, Nk, C] with C = 576; w_uk
//   [H, 128, 512]; w_uv [H, 512, Dv] with Dv = 128; out [B, H, Nq, Dv]; lse
//   [B, H, Nq].
// Conventions: q = [q', q''], 128 features of content and 64 of position; c =
//   [c, p], 512 features of the latent vector and 64 of position; position parts
//   rotated by the caller. w_uk[h] is Wk_h, w_uv[h] is the transpose of Wv_h. The
//   last query stands at the last key. `mla` computes the same from keys and
//   values of all heads.
//   lse_i = log(sum_j exp(s_ij)) over the keys that query i
//   attends to, natural logarithm.

func.func @mla_absorbed(
    %q: tensor<?x?x?x192xf32> {attn.name = "q", attn.dims = ["B", "H", "Nq", "D"]},
    %c: tensor<?x1x?x576xf32> {attn.name = "c", attn.dims = ["B", "Hk", "Nk", "C"]},
    %w_uk: tensor<?x128x512xf32> {attn.name = "w_uk", attn.dims = ["H", "Dc", "R"]},
    %w_uv: tensor<?x512x128xf32> {attn.name = "w_uv", attn.dims = ["H", "R", "Dv"]})
    -> (tensor<?x?x?x128xf32> {attn.name = "out"}, tensor<?x?x?xf32> {attn.name = "lse"})
    attributes {attn.defaults = {B = 1, H = 4, Nq = 1, Nk = 256}} {
  %absorbed = attn.map_rows %q rows (%x: tensor<192xf32>, %b, %h, %n) {
    %content = tensor.extract_slice %x[0] [128] [1] : tensor<192xf32> to tensor<128xf32>
    %position = tensor.extract_slice %x[128] [64] [1] : tensor<192xf32> to tensor<64xf32>
    %latent = attn.contract_row %content, %w_uk[%h]
        : tensor<128xf32>, tensor<?x128x512xf32> -> tensor<512xf32>
    %row = tensor.concat dim(0) %latent, %position : (tensor<512xf32>, tensor<64xf32>) -> tensor<576xf32>
    attn.yield %row : tensor<576xf32>
  } : tensor<?x?x?x192xf32> -> tensor<?x?x?x576xf32>
  %latents, %lse = attn.attend %absorbed, %c, %c scale(0.07216878364870322) alignment(end)
      value (%x: tensor<576xf32>, %b, %h, %n) {
        %latent = tensor.extract_slice %x[0] [512] [1] : tensor<576xf32> to tensor<512xf32>
        attn.yield %latent : tensor<512xf32>
      }
      mask (%b, %h, %i, %j) {
        %keep = arith.cmpi sge, %i, %j : index
        attn.yield %keep : i1
      }
      : tensor<?x?x?x576xf32>, tensor<?x1x?x576xf32>, tensor<?x1x?x576xf32>
      -> tensor<?x?x?x512xf32>, tensor<?x?x?xf32>
  %out = attn.map_rows %latents rows (%x: tensor<512xf32>, %b, %h, %n) {
    %value = attn.contract_row %x, %w_uv[%h]
        : tensor<512xf32>, tensor<?x512x128xf32> -> tensor<128xf32>
    attn.yield %value : tensor<128xf32>
  } : tensor<?x?x?x512xf32> -> tensor<?x?x?x128xf32>
  return %out, %lse : tensor<?x?x?x128xf32>, tensor<?x?x?xf32>
}
