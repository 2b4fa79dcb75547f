// RWKV-6: a decay per token and channel; a token is read with a weight of its own
// before it is written.
//
//   out_t = (S_(t-1) + Diag(u_h) k_t v_t^T)^T r_t
//   S_t   = Diag(exp(g_t)) S_(t-1) + k_t v_t^T
//
// Source: B. Peng et al., "Eagle and Finch: RWKV with Matrix-Valued States and
//         Dynamic Recurrence", 2024, arXiv:2404.05892, section 4 (Finch).
// Shapes: r, k, g [B, H, N, D] with D = 64; v, out [B, H, N, D]; u [H, D].
// Conventions: g_t = -exp(w_t) < 0 is the natural logarithm of the decay; u is
//   called bonus or time_first. Token shifts before it, and the norm per head and
//   the gate behind it, are not part of it.

func.func @rwkv6(
    %r: tensor<?x?x?x64xf32> {attn.name = "r", attn.dims = ["B", "H", "N", "D"]},
    %k: tensor<?x?x?x64xf32> {attn.name = "k", attn.dims = ["B", "H", "N", "D"]},
    %v: tensor<?x?x?x64xf32> {attn.name = "v", attn.dims = ["B", "H", "N", "D"]},
    %g: tensor<?x?x?x64xf32> {attn.name = "g", attn.dims = ["B", "H", "N", "D"], attn.fill = "decay"},
    %u: tensor<?x64xf32> {attn.name = "u", attn.dims = ["H", "D"]})
    -> (tensor<?x?x?x64xf32> {attn.name = "out"})
    attributes {attn.defaults = {B = 1, H = 4, N = 256}} {
  %out = attn.recur %r, %k, %v gate(%g : tensor<?x?x?x64xf32>)
      bonus(%u : tensor<?x64xf32>) read(before)
      : tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>
      -> tensor<?x?x?x64xf32>
  return %out : tensor<?x?x?x64xf32>
}
