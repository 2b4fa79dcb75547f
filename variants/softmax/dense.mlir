// Dense softmax attention: every query attends to every key.
//
//   out_i = sum_j softmax_j(<q_i, k_j> / sqrt(D)) v_j
//
// Source: A. Vaswani et al., "Attention Is All You Need", 2017,
//         arXiv:1706.03762, equation (1).
// Shapes: q, k, v, out [B, H, N, D] with D = 64; lse [B, H, N].
// Conventions: lse_i = log(sum_j exp(s_ij)), natural logarithm.

func.func @dense(
    %q: tensor<?x?x?x64xf32> {attn.name = "q", attn.dims = ["B", "H", "N", "D"]},
    %k: tensor<?x?x?x64xf32> {attn.name = "k", attn.dims = ["B", "H", "N", "D"]},
    %v: tensor<?x?x?x64xf32> {attn.name = "v", attn.dims = ["B", "H", "N", "D"]})
    -> (tensor<?x?x?x64xf32> {attn.name = "out"}, tensor<?x?x?xf32> {attn.name = "lse"})
    attributes {attn.defaults = {B = 1, H = 4, N = 256}} {
  %out, %lse = attn.attend %q, %k, %v
      : tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>
      -> tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
  return %out, %lse : tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
}
