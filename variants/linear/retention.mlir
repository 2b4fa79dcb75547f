// Retention: each head forgets at a constant rate of its own.
//
//   out_i = sum_(j <= i) exp((i - j) g_h) <q_i, k_j> / sqrt(D) v_j
//
// Source: Y. Sun et al., "Retentive Network: A Successor to Transformer for Large
//         Language Models", 2023, arXiv:2307.08621, section 2.1.
// Shapes: q, k [B, H, N, D] with D = 64; v, out [B, H, N, Dv] with Dv = 128;
//   g [H].
// Conventions: g_h = log(1 - 2^(-5 - h)) in the paper, for h = 0 .. H - 1; here
//   any numbers. The rotation of queries and keys, and the norm of the output per
//   head, are row maps before and after (see rope-causal of softmax).

func.func @retention(
    %q: tensor<?x?x?x64xf32> {attn.name = "q", attn.dims = ["B", "H", "N", "D"]},
    %k: tensor<?x?x?x64xf32> {attn.name = "k", attn.dims = ["B", "H", "N", "D"]},
    %v: tensor<?x?x?x128xf32> {attn.name = "v", attn.dims = ["B", "H", "N", "Dv"]},
    %g: tensor<?xf32> {attn.name = "g", attn.dims = ["H"], attn.fill = "decay"})
    -> (tensor<?x?x?x128xf32> {attn.name = "out"})
    attributes {attn.defaults = {B = 1, H = 4, N = 256}} {
  %out = attn.recur %q, %k, %v gate(%g : tensor<?xf32>) scale(0.125)
      : tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x128xf32>
      -> tensor<?x?x?x128xf32>
  return %out : tensor<?x?x?x128xf32>
}
