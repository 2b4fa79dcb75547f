// The state space model of Mamba-2 (SSD) from the last token to the first.
//
//   S_t   = exp(g_t) S_(t+1) + dt_t b_t x_t^T
//   out_t = S_t^T c_t + skip_h x_t,   ht = S_0
//
// Source: T. Dao, A. Gu, "Transformers are SSMs: Generalized Models and Efficient
//         Algorithms Through Structured State Space Duality", 2024,
//         arXiv:2405.21060, section 6; reversed scans are one half of the
//         bidirectional models of L. Zhu et al., "Vision Mamba", 2024,
//         arXiv:2401.09417.
// Shapes: x, out [B, H, N, Dv] with Dv = 64; c, b [B, Hk, N, D] with D = 128 (the
//   state), Hk groups of H / Hk heads; dt, g [B, H, N]; skip [H];
//   h0, ht [B, H, D, Dv].
// Conventions: g_t = dt_t A_h with A_h < 0, computed before. What token j > t wrote
//   has decayed by the gates of t .. j - 1 when t reads it. h0 is the state that
//   stands behind the last token.

func.func @mamba2_reversed(
    %c: tensor<?x?x?x128xf32> {attn.name = "c", attn.dims = ["B", "Hk", "N", "D"]},
    %b: tensor<?x?x?x128xf32> {attn.name = "b", attn.dims = ["B", "Hk", "N", "D"]},
    %x: tensor<?x?x?x64xf32> {attn.name = "x", attn.dims = ["B", "H", "N", "Dv"]},
    %dt: tensor<?x?x?xf32> {attn.name = "dt", attn.dims = ["B", "H", "N"], attn.fill = "uniform"},
    %g: tensor<?x?x?xf32> {attn.name = "g", attn.dims = ["B", "H", "N"], attn.fill = "decay"},
    %skip: tensor<?xf32> {attn.name = "skip", attn.dims = ["H"]},
    %h0: tensor<?x?x128x64xf32> {attn.name = "h0", attn.dims = ["B", "H", "D", "Dv"]})
    -> (tensor<?x?x?x64xf32> {attn.name = "out"}, tensor<?x?x128x64xf32> {attn.name = "ht"})
    attributes {attn.defaults = {B = 1, H = 4, Hk = 1, N = 256}} {
  %out, %ht = attn.recur %c, %b, %x gate(%g : tensor<?x?x?xf32>)
      beta(%dt : tensor<?x?x?xf32>)
      initial(%h0 : tensor<?x?x128x64xf32>) write(scaled) order(reversed)
      norm (%num: tensor<64xf32>, %den: f32, %batch, %head, %i) {
        %row = tensor.extract_slice %x[%batch, %head, %i, 0] [1, 1, 1, 64] [1, 1, 1, 1]
             : tensor<?x?x?x64xf32> to tensor<64xf32>
        %factor = tensor.extract %skip[%head] : tensor<?xf32>
        %factors = tensor.splat %factor : tensor<64xf32>
        %added = arith.mulf %factors, %row : tensor<64xf32>
        %y = arith.addf %num, %added : tensor<64xf32>
        attn.yield %y : tensor<64xf32>
      }
      : tensor<?x?x?x128xf32>, tensor<?x?x?x128xf32>, tensor<?x?x?x64xf32>
      -> tensor<?x?x?x64xf32>, tensor<?x?x128x64xf32>
  return %out, %ht : tensor<?x?x?x64xf32>, tensor<?x?x128x64xf32>
}
