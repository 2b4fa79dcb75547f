// Linear self-attention, a layer by itself: no softmax, no features, no scale; the
// divisor is a number of tokens.
//
//   out_i = x_i + (sum_j w_j <x_i A_h, x_j> x_j) P_h
//
// Source: J. von Oswald et al., "Transformers Learn In-Context by Gradient
//         Descent", 2023, arXiv:2212.07677; R. Zhang, S. Frei,
//         P. L. Bartlett, "Trained Transformers Learn Linear Models In-Context",
//         2023, arXiv:2306.09927.
// Shapes: x, out [B, H, N, D] with D = 16, tokens as rows; a, p [H, D, D];
//   w [B, H, N].
// Conventions: papers have tokens as columns; a and p are the transposes of their
//   W_KQ (W_K^T W_Q) and W_PV. w_j is 1 / rho for tokens that are keys, where rho is
//   their number, and 0 for those that are not, such as the query token of von
//   Oswald et al.; a step size may be a factor of w or of p.

func.func @lsa(
    %x: tensor<?x?x?x16xf32> {attn.name = "x", attn.dims = ["B", "H", "N", "D"]},
    %a: tensor<?x16x16xf32> {attn.name = "a", attn.dims = ["H", "D", "D"]},
    %p: tensor<?x16x16xf32> {attn.name = "p", attn.dims = ["H", "D", "D"]},
    %w: tensor<?x?x?xf32> {attn.name = "w", attn.dims = ["B", "H", "N"], attn.fill = "uniform"})
    -> (tensor<?x?x?x16xf32> {attn.name = "out"})
    attributes {attn.defaults = {B = 1, H = 4, N = 256}} {
  %q = attn.map_rows %x
      rows (%r: tensor<16xf32>, %b, %h, %n) {
        %y = attn.contract_row %r, %a[%h]
           : tensor<16xf32>, tensor<?x16x16xf32> -> tensor<16xf32>
        attn.yield %y : tensor<16xf32>
      } : tensor<?x?x?x16xf32> -> tensor<?x?x?x16xf32>
  %o = attn.recur %q, %x, %x beta(%w : tensor<?x?x?xf32>) write(scaled) order(bidirectional)
      : tensor<?x?x?x16xf32>, tensor<?x?x?x16xf32>, tensor<?x?x?x16xf32>
      -> tensor<?x?x?x16xf32>
  %out = attn.map_rows %o
      rows (%r: tensor<16xf32>, %b, %h, %n) {
        %change = attn.contract_row %r, %p[%h]
           : tensor<16xf32>, tensor<?x16x16xf32> -> tensor<16xf32>
        %own = tensor.extract_slice %x[%b, %h, %n, 0] [1, 1, 1, 16] [1, 1, 1, 1]
           : tensor<?x?x?x16xf32> to tensor<16xf32>
        %y = arith.addf %own, %change : tensor<16xf32>
        attn.yield %y : tensor<16xf32>
      } : tensor<?x?x?x16xf32> -> tensor<?x?x?x16xf32>
  return %out : tensor<?x?x?x16xf32>
}
