// Decoding with a cache of keys and values: the last Nq tokens of a sequence of
// Nk tokens attend to all tokens up to their own, in groups of query heads that
// share a key head.
//
//   s_ij = <q_i, k_j> / sqrt(D)        for j <= i + Nk - Nq
//   out_i = sum_j softmax_j(s_ij) v_j
//
// q    [B, H, Nq, D]   the new tokens, Nq = 1 in plain decoding
// k, v [B, Hk, Nk, D]  a view of the first Nk rows of the cache; H = G Hk
// out  [B, H, Nq, D]   lse [B, H, Nq] natural logarithm
//
// Source: Ainslie et al., "GQA", 2023; Dao et al., "Flash-Decoding for
// long-context inference", 2023.
func.func @decode(
    %q: tensor<?x?x?x128xf32> {attn.name = "q", attn.dims = ["B", "H", "Nq", "D"]},
    %k: tensor<?x?x?x128xf32> {attn.name = "k", attn.dims = ["B", "Hk", "Nk", "D"]},
    %v: tensor<?x?x?x128xf32> {attn.name = "v", attn.dims = ["B", "Hk", "Nk", "D"]})
    -> (tensor<?x?x?x128xf32> {attn.name = "out", attn.dims = ["B", "H", "Nq", "D"]},
        tensor<?x?x?xf32> {attn.name = "lse", attn.dims = ["B", "H", "Nq"]})
    attributes {attn.defaults = {B = 1, H = 8, Hk = 1, Nq = 1, Nk = 1024}} {
  %out, %lse = attn.attend %q, %k, %v alignment(end)
      mask (%b, %h, %i, %j) {
        %keep = arith.cmpi sge, %i, %j : index
        attn.yield %keep : i1
      } : tensor<?x?x?x128xf32>, tensor<?x?x?x128xf32>, tensor<?x?x?x128xf32>
        -> tensor<?x?x?x128xf32>, tensor<?x?x?xf32>
  return %out, %lse : tensor<?x?x?x128xf32>, tensor<?x?x?xf32>
}
