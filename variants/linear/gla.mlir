// Gated linear attention: each channel of the key decays at a rate that depends on
// the token, from a given state to the one that is returned.
//
//   S_t   = Diag(exp(g_t)) S_(t-1) + k_t v_t^T,   S_(-1) = h0
//   out_t = S_t^T q_t / sqrt(D),   ht = S_(N-1)
//
// Source: S. Yang, B. Wang, Y. Shen, R. Panda, Y. Kim, "Gated Linear Attention
//         Transformers with Hardware-Efficient Training", 2024, arXiv:2312.06635,
//         section 4.
// Shapes: q, k, g [B, H, N, D] with D = 64; v, out [B, H, N, Dv] with Dv = 128;
//   h0, ht [B, H, D, Dv].
// Conventions: g is the natural logarithm of the gate, at most 0; the layer of the
//   paper has g = log(sigmoid(x)) / 16. A large negative g ends a sequence.

func.func @gla(
    %q: tensor<?x?x?x64xf32> {attn.name = "q", attn.dims = ["B", "H", "N", "D"]},
    %k: tensor<?x?x?x64xf32> {attn.name = "k", attn.dims = ["B", "H", "N", "D"]},
    %v: tensor<?x?x?x128xf32> {attn.name = "v", attn.dims = ["B", "H", "N", "Dv"]},
    %g: tensor<?x?x?x64xf32> {attn.name = "g", attn.dims = ["B", "H", "N", "D"], attn.fill = "decay"},
    %h0: tensor<?x?x64x128xf32> {attn.name = "h0", attn.dims = ["B", "H", "D", "Dv"]})
    -> (tensor<?x?x?x128xf32> {attn.name = "out"}, tensor<?x?x64x128xf32> {attn.name = "ht"})
    attributes {attn.defaults = {B = 1, H = 4, N = 256}} {
  %out, %ht = attn.recur %q, %k, %v gate(%g : tensor<?x?x?x64xf32>)
      initial(%h0 : tensor<?x?x64x128xf32>) scale(0.125)
      : tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x128xf32>
      -> tensor<?x?x?x128xf32>, tensor<?x?x64x128xf32>
  return %out, %ht : tensor<?x?x?x128xf32>, tensor<?x?x64x128xf32>
}
