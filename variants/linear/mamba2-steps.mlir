// The state space model of Mamba-2 (SSD) from what its layer computes: step sizes
// before their softplus, and the logarithm of minus A.
//
//   dt_t  = softplus(z_t + bias_h),   g_t = -exp(a_h) dt_t
//   S_t   = exp(g_t) S_(t-1) + dt_t b_t x_t^T
//   out_t = S_t^T c_t + skip_h x_t,   ht = S_(N-1)
//
// Source: T. Dao, A. Gu, "Transformers are SSMs: Generalized Models and Efficient
//         Algorithms Through Structured State Space Duality", 2024,
//         arXiv:2405.21060, section 6 and listing 1.
// Shapes: x, out [B, H, N, Dv] with Dv = 64; c, b [B, Hk, N, D] with D = 128 (the
//   state), Hk groups of H / Hk heads; z [B, H, N, 1]; bias, a, skip [H];
//   ht [B, H, D, Dv].
// Conventions: softplus(z) = max(z, 0) + log(1 + exp(-abs(z))). Steps and gates are
//   f32 (f64 for f64) whatever the element type is. The released code can also
//   bound dt.

func.func @mamba2_steps(
    %c: tensor<?x?x?x128xf32> {attn.name = "c", attn.dims = ["B", "Hk", "N", "D"]},
    %b: tensor<?x?x?x128xf32> {attn.name = "b", attn.dims = ["B", "Hk", "N", "D"]},
    %x: tensor<?x?x?x64xf32> {attn.name = "x", attn.dims = ["B", "H", "N", "Dv"]},
    %z: tensor<?x?x?x1xf32> {attn.name = "z", attn.dims = ["B", "H", "N", "One"]},
    %bias: tensor<?xf32> {attn.name = "bias", attn.dims = ["H"]},
    %a: tensor<?xf32> {attn.name = "a", attn.dims = ["H"]},
    %skip: tensor<?xf32> {attn.name = "skip", attn.dims = ["H"]})
    -> (tensor<?x?x?x64xf32> {attn.name = "out"}, tensor<?x?x128x64xf32> {attn.name = "ht"})
    attributes {attn.defaults = {B = 1, H = 4, Hk = 1, N = 256}} {
  %dt = attn.map_rows %z
      rows (%raw: tensor<1xf32>, %batch, %head, %n) {
        %zero = arith.constant dense<0.0> : tensor<1xf32>
        %shift = tensor.extract %bias[%head] : tensor<?xf32>
        %shifts = tensor.splat %shift : tensor<1xf32>
        %step = arith.addf %raw, %shifts : tensor<1xf32>
        %most = arith.maximumf %step, %zero : tensor<1xf32>
        %size = math.absf %step : tensor<1xf32>
        %minus = arith.negf %size : tensor<1xf32>
        %power = math.exp %minus : tensor<1xf32>
        %rest = math.log1p %power : tensor<1xf32>
        %y = arith.addf %most, %rest : tensor<1xf32>
        attn.yield %y : tensor<1xf32>
      } : tensor<?x?x?x1xf32> -> tensor<?x?x?x1xf32>
  %g = attn.map_rows %dt
      rows (%step: tensor<1xf32>, %batch, %head, %n) {
        %log = tensor.extract %a[%head] : tensor<?xf32>
        %rate = math.exp %log : f32
        %minus = arith.negf %rate : f32
        %factor = tensor.splat %minus : tensor<1xf32>
        %y = arith.mulf %step, %factor : tensor<1xf32>
        attn.yield %y : tensor<1xf32>
      } : tensor<?x?x?x1xf32> -> tensor<?x?x?x1xf32>
  %out, %ht = attn.recur %c, %b, %x gate(%g : tensor<?x?x?x1xf32>)
      beta(%dt : tensor<?x?x?x1xf32>) write(scaled)
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
