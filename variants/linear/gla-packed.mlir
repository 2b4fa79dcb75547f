// Gated linear attention of sequences that lie one behind the other, each from a
// state of its own to a state of its own: `gla` without padding.
//
//   S_t   = Diag(exp(g_t)) S_(t-1) + k_t v_t^T     for t = c_s .. c_(s+1) - 1
//   out_t = S_t^T q_t / sqrt(D),   S_(c_s - 1) = h0_s,   ht_s = S_(c_(s+1) - 1)
//
// Source: S. Yang, B. Wang, Y. Shen, R. Panda, Y. Kim, "Gated Linear Attention
//         Transformers with Hardware-Efficient Training", 2024, arXiv:2312.06635,
//         section 4; the packing with `cu_seqlens` is that of the authors'
//         flash-linear-attention.
// Shapes: q, k, g [1, H, N, D] with D = 64; v, out [1, H, N, Dv] with Dv = 128;
//   h0, ht [G, H, D, Dv] of G sequences; c = cu_seqlens [G + 1].
// Conventions: g is the natural logarithm of the gate, at most 0. c begins with 0 and
//   does not decrease; sequences may be empty. Tokens from the last of c on belong to
//   none, and out is 0 there.

func.func @gla_packed(
    %q: tensor<1x?x?x64xf32> {attn.name = "q", attn.dims = ["B", "H", "N", "D"]},
    %k: tensor<1x?x?x64xf32> {attn.name = "k", attn.dims = ["B", "H", "N", "D"]},
    %v: tensor<1x?x?x128xf32> {attn.name = "v", attn.dims = ["B", "H", "N", "Dv"]},
    %g: tensor<1x?x?x64xf32> {attn.name = "g", attn.dims = ["B", "H", "N", "D"], attn.fill = "decay"},
    %h0: tensor<?x?x64x128xf32> {attn.name = "h0", attn.dims = ["G", "H", "D", "Dv"]},
    %c: tensor<?xi32> {attn.name = "cu_seqlens", attn.dims = ["G+1"], attn.fill = "offsets N"})
    -> (tensor<1x?x?x128xf32> {attn.name = "out"}, tensor<?x?x64x128xf32> {attn.name = "ht"})
    attributes {attn.defaults = {G = 4, H = 4, N = 256}} {
  %out, %ht = attn.recur %q, %k, %v gate(%g : tensor<1x?x?x64xf32>)
      initial(%h0 : tensor<?x?x64x128xf32>) segments(%c : tensor<?xi32>) scale(0.125)
      : tensor<1x?x?x64xf32>, tensor<1x?x?x64xf32>, tensor<1x?x?x128xf32>
      -> tensor<1x?x?x128xf32>, tensor<?x?x64x128xf32>
  return %out, %ht : tensor<1x?x?x128xf32>, tensor<?x?x64x128xf32>
}
