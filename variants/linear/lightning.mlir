// Lightning attention: constant decay per head, features silu, no denominator.
//
//   out_i = sum_(j <= i) exp((i - j) g_h) <silu(q_i), silu(k_j)> v_j
//
// Source: Z. Qin et al., "Various Lengths, Constant Speed: Efficient Language
//         Modeling with Lightning Attention", 2024, arXiv:2405.17381, section 3;
//         "Lightning Attention-2", 2024, arXiv:2401.04658, section 3.
// Shapes: q, k, v, out [B, H, N, D] with D = 64; g [H].
// Conventions: g_h = -lambda_h, at most 0. Sources disagree on the slopes lambda
//   (powers of two in the released code, multiples of 8 / H in the paper), so
//   they are an argument. The norm over all heads and the output gate of the
//   layer follow after it.

func.func @lightning(
    %q: tensor<?x?x?x64xf32> {attn.name = "q", attn.dims = ["B", "H", "N", "D"]},
    %k: tensor<?x?x?x64xf32> {attn.name = "k", attn.dims = ["B", "H", "N", "D"]},
    %v: tensor<?x?x?x64xf32> {attn.name = "v", attn.dims = ["B", "H", "N", "D"]},
    %g: tensor<?xf32> {attn.name = "g", attn.dims = ["H"], attn.fill = "decay"})
    -> (tensor<?x?x?x64xf32> {attn.name = "out"})
    attributes {attn.defaults = {B = 1, H = 4, N = 256}} {
  %p = attn.map_rows %q
      rows (%x: tensor<64xf32>, %b, %h, %n) {
        %one = arith.constant dense<1.0> : tensor<64xf32>
        %minus = arith.negf %x : tensor<64xf32>
        %power = math.exp %minus : tensor<64xf32>
        %divisor = arith.addf %power, %one : tensor<64xf32>
        %y = arith.divf %x, %divisor : tensor<64xf32>
        attn.yield %y : tensor<64xf32>
      } : tensor<?x?x?x64xf32> -> tensor<?x?x?x64xf32>
  %r = attn.map_rows %k
      rows (%x: tensor<64xf32>, %b, %h, %n) {
        %one = arith.constant dense<1.0> : tensor<64xf32>
        %minus = arith.negf %x : tensor<64xf32>
        %power = math.exp %minus : tensor<64xf32>
        %divisor = arith.addf %power, %one : tensor<64xf32>
        %y = arith.divf %x, %divisor : tensor<64xf32>
        attn.yield %y : tensor<64xf32>
      } : tensor<?x?x?x64xf32> -> tensor<?x?x?x64xf32>
  %out = attn.recur %p, %r, %v gate(%g : tensor<?xf32>)
      : tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>
      -> tensor<?x?x?x64xf32>
  return %out : tensor<?x?x?x64xf32>
}
