// Attention to keys that stand for several tokens each.
//
//   lse_bi = log(sum_j n_bj exp(s_bij)),   s_bij = <q_bi, k_bj> / sqrt(D)
//   out_bi = sum_j n_bj exp(s_bij - lse_bi) v_bj
//
// Source: D. Bolya et al., "Token Merging: Your ViT But Faster", 2023,
//         arXiv:2210.09461, equation (1) (proportional attention).
// Shapes: q, out [B, H, Nq, D] and k, v [B, H, Nk, D] with D = 64;
//   lse [B, H, Nq]; count [B, Nk], integers of 64 bits.
// Conventions: n_bj = count[b, j]; log(n_bj) is added to the score. A key that
//   counts 0 times is not there; a query without keys has out = 0 and lse = -inf.

func.func @multiplicity(
    %q: tensor<?x?x?x64xf32> {attn.name = "q", attn.dims = ["B", "H", "Nq", "D"]},
    %k: tensor<?x?x?x64xf32> {attn.name = "k", attn.dims = ["B", "H", "Nk", "D"]},
    %v: tensor<?x?x?x64xf32> {attn.name = "v", attn.dims = ["B", "H", "Nk", "D"]},
    %count: tensor<?x?xi64> {attn.name = "count", attn.dims = ["B", "Nk"], attn.fill = "below 5"})
    -> (tensor<?x?x?x64xf32> {attn.name = "out"}, tensor<?x?x?xf32> {attn.name = "lse"})
    attributes {attn.defaults = {B = 1, H = 4, Nq = 256, Nk = 192}} {
  %out, %lse = attn.attend %q, %k, %v
      score (%s: f32, %b, %h, %i, %j) {
        %n = tensor.extract %count[%b, %j] : tensor<?x?xi64>
        %n_f = arith.sitofp %n : i64 to f32
        %weight = math.log %n_f : f32
        %counted = arith.addf %s, %weight : f32
        attn.yield %counted : f32
      }
      mask (%b, %h, %i, %j) {
        %n = tensor.extract %count[%b, %j] : tensor<?x?xi64>
        %zero = arith.constant 0 : i64
        %keep = arith.cmpi sgt, %n, %zero : i64
        attn.yield %keep : i1
      }
      : tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>
      -> tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
  return %out, %lse : tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
}
