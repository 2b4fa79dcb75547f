// Causal attention in which each head has a window of its own.
//
//   out_hi = sum_{0 <= i - j < W_h} softmax_j(<q_hi, k_hj> / sqrt(D)) v_hj
//
// Source: T. Fu et al., "MoA: Mixture of Sparse Attention for Automatic Large
//         Language Model Compression", 2024, arXiv:2406.14909 (spans that differ
//         between heads), without the tokens at the start that it keeps.
// Shapes: q, k, v, out [B, H, N, D] with D = 64; lse [B, H, N];
//   window [H], integers of 64 bits.
// Conventions: W_h = window[h] counts the key of the query itself. Where W_h <= 0
//   no query has a key: out_hi = 0 and lse_hi = -inf; elsewhere lse_hi is the
//   natural logarithm of sum_j exp(s_hij) over the window.

func.func @per_head_window(
    %q: tensor<?x?x?x64xf32> {attn.name = "q", attn.dims = ["B", "H", "N", "D"]},
    %k: tensor<?x?x?x64xf32> {attn.name = "k", attn.dims = ["B", "H", "N", "D"]},
    %v: tensor<?x?x?x64xf32> {attn.name = "v", attn.dims = ["B", "H", "N", "D"]},
    %window: tensor<?xi64> {attn.name = "window", attn.dims = ["H"], attn.fill = "below N"})
    -> (tensor<?x?x?x64xf32> {attn.name = "out"}, tensor<?x?x?xf32> {attn.name = "lse"})
    attributes {attn.defaults = {B = 1, H = 4, N = 256}} {
  %out, %lse = attn.attend %q, %k, %v
      mask (%b, %h, %i, %j) {
        %width = tensor.extract %window[%h] : tensor<?xi64>
        %distance = arith.subi %i, %j : index
        %distance_i64 = arith.index_cast %distance : index to i64
        %past = arith.cmpi sge, %i, %j : index
        %near = arith.cmpi slt, %distance_i64, %width : i64
        %keep = arith.andi %past, %near : i1
        attn.yield %keep : i1
      }
      : tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>
      -> tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
  return %out, %lse : tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
}
