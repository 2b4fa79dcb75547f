// One step of decoding: few queries, grouped heads, all keys so far.
//
//   out_i = sum_j softmax_j(<q_i, k_j> / sqrt(D)) v_j
//
// Query head h uses the keys and values of head floor(h * Hk / H).

func.func @decode(
    %q: tensor<?x?x?x64xf32> {attn.name = "q", attn.dims = ["B", "H", "Nq", "D"]},
    %k: tensor<?x?x?x64xf32> {attn.name = "k", attn.dims = ["B", "Hk", "Nk", "D"]},
    %v: tensor<?x?x?x64xf32> {attn.name = "v", attn.dims = ["B", "Hk", "Nk", "D"]})
    -> (tensor<?x?x?x64xf32> {attn.name = "out"})
    attributes {attn.defaults = {B = 1, H = 8, Hk = 2, Nq = 1, Nk = 4096}} {
  %out = attn.attend %q, %k, %v
      : tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>
      -> tensor<?x?x?x64xf32>
  return %out : tensor<?x?x?x64xf32>
}
