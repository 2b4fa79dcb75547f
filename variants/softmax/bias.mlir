// A number is added to each score.
//
//   s_bhij  = <q_bhi, k_bhj> / sqrt(D) + bias[b, h, i, j]
//   out_bhi = sum_j softmax_j(s_bhij) v_bhj
//
// Source: J. Jumper et al., "Highly accurate protein structure prediction with
//         AlphaFold", 2021, doi:10.1038/s41586-021-03819-2, supplement, algorithm
//         7 (attention with pair bias).
// Shapes: q, out [B, H, Nq, D] and k, v [B, H, Nk, D] with D = 64;
//   lse [B, H, Nq]; bias [B, H, Nq, Nk].
// Conventions: a bias of -inf hides a key; a query all of whose keys are hidden
//   has out = 0 and lse = -inf. Elsewhere lse_bhi is the natural logarithm of
//   sum_j exp(s_bhij).

func.func @bias(
    %q: tensor<?x?x?x64xf32> {attn.name = "q", attn.dims = ["B", "H", "Nq", "D"]},
    %k: tensor<?x?x?x64xf32> {attn.name = "k", attn.dims = ["B", "H", "Nk", "D"]},
    %v: tensor<?x?x?x64xf32> {attn.name = "v", attn.dims = ["B", "H", "Nk", "D"]},
    %bias: tensor<?x?x?x?xf32> {attn.name = "bias", attn.dims = ["B", "H", "Nq", "Nk"]})
    -> (tensor<?x?x?x64xf32> {attn.name = "out"}, tensor<?x?x?xf32> {attn.name = "lse"})
    attributes {attn.defaults = {B = 1, H = 4, Nq = 256, Nk = 192}} {
  %out, %lse = attn.attend %q, %k, %v alignment(start)
      score (%s: f32, %b, %h, %i, %j) {
        %number = tensor.extract %bias[%b, %h, %i, %j] : tensor<?x?x?x?xf32>
        %biased = arith.addf %s, %number : f32
        attn.yield %biased : f32
      }
      : tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>
      -> tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
  return %out, %lse : tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
}
