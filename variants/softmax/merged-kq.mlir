// One query per head over all tokens, with one matrix for the product of the key
// and query projections; the keys and the values are the tokens themselves.
//
//   out_h = sum_j softmax_j(<x_hj, W_h z_h>) x_hj
//
// Source: D. A. Tarzanagh et al., "Transformers as Support Vector Machines",
//         2023, arXiv:2308.16898: softmax(X W z) with W = K Q^T.
// Shapes: z [B, H, 1, E] with E = 64; x [B, H, N, D] with D = 64; w [H, E, D];
//   out [B, H, 1, D]; lse [B, H, 1].
// Conventions: w[h] is the transpose of W_h, so that (W z)_d = sum_e z_e w_ed.
//   There is no scale. A value projection, the same for all tokens, may be
//   applied to out.
//   lse = log(sum_j exp(s_j)), natural logarithm.

func.func @merged_kq(
    %z: tensor<?x?x1x64xf32> {attn.name = "z", attn.dims = ["B", "H", "One", "E"]},
    %x: tensor<?x?x?x64xf32> {attn.name = "x", attn.dims = ["B", "H", "N", "D"]},
    %w: tensor<?x64x64xf32> {attn.name = "w", attn.dims = ["H", "E", "D"]})
    -> (tensor<?x?x1x64xf32> {attn.name = "out"}, tensor<?x?x1xf32> {attn.name = "lse"})
    attributes {attn.defaults = {B = 1, H = 4, N = 256}} {
  %projected = attn.map_rows %z rows (%r: tensor<64xf32>, %b, %h, %n) {
    %row = attn.contract_row %r, %w[%h] : tensor<64xf32>, tensor<?x64x64xf32> -> tensor<64xf32>
    attn.yield %row : tensor<64xf32>
  } : tensor<?x?x1x64xf32> -> tensor<?x?x1x64xf32>
  %out, %lse = attn.attend %projected, %x, %x scale(1.0)
      : tensor<?x?x1x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>
      -> tensor<?x?x1x64xf32>, tensor<?x?x1xf32>
  return %out, %lse : tensor<?x?x1x64xf32>, tensor<?x?x1xf32>
}
