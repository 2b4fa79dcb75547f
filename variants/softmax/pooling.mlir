// Attention pooling: a few learned queries, the same for every sequence, take
// what they look for from all tokens.
//
//   out_bhl = sum_j softmax_j(<q_hl, k_bhj> / sqrt(D)) v_bhj
//
// Source: J. Lee et al., "Set Transformer: A Framework for Attention-based
//         Permutation-Invariant Neural Networks", 2019, arXiv:1810.00825,
//         section 3.2 (pooling by multihead attention, without its projections).
// Shapes: q [1, H, L, D] with D = 64, L learned queries per head; k, v
//   [B, H, N, D]; out [B, H, L, D]; lse [B, H, L].
// Conventions: the static 1 in the type of q says that all batches share it.
//   lse_l = log(sum_j exp(s_lj)), natural logarithm.

func.func @pooling(
    %q: tensor<1x?x?x64xf32> {attn.name = "q", attn.dims = ["One", "H", "L", "D"]},
    %k: tensor<?x?x?x64xf32> {attn.name = "k", attn.dims = ["B", "H", "N", "D"]},
    %v: tensor<?x?x?x64xf32> {attn.name = "v", attn.dims = ["B", "H", "N", "D"]})
    -> (tensor<?x?x?x64xf32> {attn.name = "out"}, tensor<?x?x?xf32> {attn.name = "lse"})
    attributes {attn.defaults = {B = 1, H = 4, L = 4, N = 256}} {
  %out, %lse = attn.attend %q, %k, %v
      : tensor<1x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>
      -> tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
  return %out, %lse : tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
}
