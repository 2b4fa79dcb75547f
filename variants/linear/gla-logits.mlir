// Gated linear attention from the logits of its gates, as its layer has them.
//
//   g_t   = log(sigmoid(x_t)) / 16
//   S_t   = Diag(exp(g_t)) S_(t-1) + k_t v_t^T,   S_(-1) = h0
//   out_t = S_t^T q_t / sqrt(D),   ht = S_(N-1)
//
// Source: S. Yang, B. Wang, Y. Shen, R. Panda, Y. Kim, "Gated Linear Attention
//         Transformers with Hardware-Efficient Training", 2024, arXiv:2312.06635,
//         section 4.
// Shapes: q, k, x [B, H, N, D] with D = 64; v, out [B, H, N, Dv] with Dv = 128;
//   h0, ht [B, H, D, Dv].
// Conventions: log(sigmoid(x)) = min(x, 0) - log(1 + exp(-abs(x))). Gates and their
//   logits are f32 (f64 for f64) whatever the element type is.

func.func @gla_logits(
    %q: tensor<?x?x?x64xf32> {attn.name = "q", attn.dims = ["B", "H", "N", "D"]},
    %k: tensor<?x?x?x64xf32> {attn.name = "k", attn.dims = ["B", "H", "N", "D"]},
    %v: tensor<?x?x?x128xf32> {attn.name = "v", attn.dims = ["B", "H", "N", "Dv"]},
    %x: tensor<?x?x?x64xf32> {attn.name = "x", attn.dims = ["B", "H", "N", "D"]},
    %h0: tensor<?x?x64x128xf32> {attn.name = "h0", attn.dims = ["B", "H", "D", "Dv"]})
    -> (tensor<?x?x?x128xf32> {attn.name = "out"}, tensor<?x?x64x128xf32> {attn.name = "ht"})
    attributes {attn.defaults = {B = 1, H = 4, N = 256}} {
  %g = attn.map_rows %x
      rows (%r: tensor<64xf32>, %b, %h, %n) {
        %zero = arith.constant dense<0.0> : tensor<64xf32>
        %share = arith.constant dense<6.250000e-02> : tensor<64xf32>
        %least = arith.minimumf %r, %zero : tensor<64xf32>
        %size = math.absf %r : tensor<64xf32>
        %minus = arith.negf %size : tensor<64xf32>
        %power = math.exp %minus : tensor<64xf32>
        %rest = math.log1p %power : tensor<64xf32>
        %log = arith.subf %least, %rest : tensor<64xf32>
        %y = arith.mulf %log, %share : tensor<64xf32>
        attn.yield %y : tensor<64xf32>
      } : tensor<?x?x?x64xf32> -> tensor<?x?x?x64xf32>
  %out, %ht = attn.recur %q, %k, %v gate(%g : tensor<?x?x?x64xf32>)
      initial(%h0 : tensor<?x?x64x128xf32>) scale(0.125)
      : tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x128xf32>
      -> tensor<?x?x?x128xf32>, tensor<?x?x64x128xf32>
  return %out, %ht : tensor<?x?x?x128xf32>, tensor<?x?x64x128xf32>
}
