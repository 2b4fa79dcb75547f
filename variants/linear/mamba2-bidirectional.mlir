// The state space model of Mamba-2 (SSD) to both sides: what comes before a token
// reaches it from the left, what comes after it from the right.
//
//   S_t   = exp(g_t) S_(t-1) + dt_t b_t x_t^T
//   R_t   = exp(g_t) R_(t+1) + dt_t b_t x_t^T
//   out_t = (S_t + exp(g_t) R_(t+1))^T c_t + skip_h x_t
//
// Source: T. Dao, A. Gu, "Transformers are SSMs: Generalized Models and Efficient
//         Algorithms Through Structured State Space Duality", 2024,
//         arXiv:2405.21060, section 6; in both directions H. Wang et al., "LinGen:
//         Towards High-Resolution Minute-Length Text-to-Video Generation with
//         Linear Computational Complexity", 2024, arXiv:2412.09856.
// Shapes: x, out [B, H, N, Dv] with Dv = 64; c, b [B, Hk, N, D] with D = 128 (the
//   state), Hk groups of H / Hk heads; dt, g [B, H, N]; skip [H].
// Conventions: g_t = dt_t A_h with A_h < 0, computed before. Token t counts once.
//   Models that add two scans with parameters of their own, in which it counts
//   twice, are mamba2 and mamba2-reversed.

func.func @mamba2_bidirectional(
    %c: tensor<?x?x?x128xf32> {attn.name = "c", attn.dims = ["B", "Hk", "N", "D"]},
    %b: tensor<?x?x?x128xf32> {attn.name = "b", attn.dims = ["B", "Hk", "N", "D"]},
    %x: tensor<?x?x?x64xf32> {attn.name = "x", attn.dims = ["B", "H", "N", "Dv"]},
    %dt: tensor<?x?x?xf32> {attn.name = "dt", attn.dims = ["B", "H", "N"], attn.fill = "uniform"},
    %g: tensor<?x?x?xf32> {attn.name = "g", attn.dims = ["B", "H", "N"], attn.fill = "decay"},
    %skip: tensor<?xf32> {attn.name = "skip", attn.dims = ["H"]})
    -> (tensor<?x?x?x64xf32> {attn.name = "out"})
    attributes {attn.defaults = {B = 1, H = 4, Hk = 1, N = 256}} {
  %out = attn.recur %c, %b, %x gate(%g : tensor<?x?x?xf32>)
      beta(%dt : tensor<?x?x?xf32>) write(scaled) order(bidirectional)
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
      -> tensor<?x?x?x64xf32>
  return %out : tensor<?x?x?x64xf32>
}
