// Prefix language model: tokens of the prefix see each other in both directions,
// the others see what came before them.
//
//   out_bi = sum_{j <= i or j < P_b} softmax_j(<q_bi, k_bj> / sqrt(D)) v_bj
//
// Source: C. Raffel et al., "Exploring the Limits of Transfer Learning with a
//         Unified Text-to-Text Transformer", 2020, arXiv:1910.10683, section
//         3.2.1 and figure 4.
// Shapes: q, k, v, out [B, H, N, D] with D = 64; lse [B, H, N];
//   prefix [B], integers of 64 bits.
// Conventions: P_b = prefix[b] counts tokens; P_b <= 0 gives causal attention,
//   P_b >= N dense attention.
//   lse_bi = log(sum_j exp(s_bij)) over the keys that query i attends to,
//   natural logarithm.

func.func @prefix_lm(
    %q: tensor<?x?x?x64xf32> {attn.name = "q", attn.dims = ["B", "H", "N", "D"]},
    %k: tensor<?x?x?x64xf32> {attn.name = "k", attn.dims = ["B", "H", "N", "D"]},
    %v: tensor<?x?x?x64xf32> {attn.name = "v", attn.dims = ["B", "H", "N", "D"]},
    %prefix: tensor<?xi64> {attn.name = "prefix", attn.dims = ["B"], attn.fill = "below N"})
    -> (tensor<?x?x?x64xf32> {attn.name = "out"}, tensor<?x?x?xf32> {attn.name = "lse"})
    attributes {attn.defaults = {B = 1, H = 4, N = 256}} {
  %out, %lse = attn.attend %q, %k, %v
      mask (%b, %h, %i, %j) {
        %past = arith.cmpi sge, %i, %j : index
        %length = tensor.extract %prefix[%b] : tensor<?xi64>
        %key = arith.index_cast %j : index to i64
        %common = arith.cmpi slt, %key, %length : i64
        %keep = arith.ori %past, %common : i1
        attn.yield %keep : i1
      }
      : tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>
      -> tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
  return %out, %lse : tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
}
