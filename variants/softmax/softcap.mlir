// Causal attention with soft-capped scores, kept inside (-c, c).
//
//   s_ij  = c tanh(<q_i, k_j> / (sqrt(D) c)),   c = 50
//   out_i = sum_{j <= i} softmax_j(s_ij) v_j
//
// Source: Gemma Team, "Gemma 2: Improving Open Language Models at a Practical
//         Size", 2024, arXiv:2408.00118, section 2 (logit soft-capping).
// Shapes: q, k, v, out [B, H, N, D] with D = 64; lse [B, H, N].
// Conventions: lse_i = log(sum_j exp(s_ij)) over the keys that query i
//   attends to, natural logarithm.

func.func @softcap(
    %q: tensor<?x?x?x64xf32> {attn.name = "q", attn.dims = ["B", "H", "N", "D"]},
    %k: tensor<?x?x?x64xf32> {attn.name = "k", attn.dims = ["B", "H", "N", "D"]},
    %v: tensor<?x?x?x64xf32> {attn.name = "v", attn.dims = ["B", "H", "N", "D"]})
    -> (tensor<?x?x?x64xf32> {attn.name = "out"}, tensor<?x?x?xf32> {attn.name = "lse"})
    attributes {attn.defaults = {B = 1, H = 4, N = 256}} {
  %out, %lse = attn.attend %q, %k, %v
      score (%s: f32, %b, %h, %i, %j) {
        %cap = arith.constant 50.0 : f32
        %relative = arith.divf %s, %cap : f32
        %squashed = math.tanh %relative : f32
        %capped = arith.mulf %squashed, %cap : f32
        attn.yield %capped : f32
      }
      mask (%b, %h, %i, %j) {
        %keep = arith.cmpi sge, %i, %j : index
        attn.yield %keep : i1
      }
      : tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>
      -> tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
  return %out, %lse : tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
}
