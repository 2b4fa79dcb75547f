// Causal grouped-query attention: groups of query heads share a key head.
//
//   out_hi = sum_{j <= i} softmax_j(<q_hi, k_gj> / sqrt(D)) v_gj
//   g      = floor(h / (H / Hk))
//
// Source: J. Ainslie et al., "GQA: Training Generalized Multi-Query
//         Transformer Models from Multi-Head Checkpoints", 2023,
//         arXiv:2305.13245, section 2.2.
// Shapes: q, out [B, H, N, D] and k, v [B, Hk, N, D] with D = 64;
//   lse [B, H, N]. H is a multiple of Hk; Hk = 1 is multi-query attention.
// Conventions: lse_hi = log(sum_j exp(s_hij)) over the keys that the query
//   attends to, natural logarithm.

func.func @causal_gqa(
    %q: tensor<?x?x?x64xf32> {attn.name = "q", attn.dims = ["B", "H", "N", "D"]},
    %k: tensor<?x?x?x64xf32> {attn.name = "k", attn.dims = ["B", "Hk", "N", "D"]},
    %v: tensor<?x?x?x64xf32> {attn.name = "v", attn.dims = ["B", "Hk", "N", "D"]})
    -> (tensor<?x?x?x64xf32> {attn.name = "out"}, tensor<?x?x?xf32> {attn.name = "lse"})
    attributes {attn.defaults = {B = 1, H = 8, Hk = 2, N = 256}} {
  %out, %lse = attn.attend %q, %k, %v
      mask (%b, %h, %i, %j) {
        %keep = arith.cmpi sge, %i, %j : index
        attn.yield %keep : i1
      }
      : tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>
      -> tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
  return %out, %lse : tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
}
