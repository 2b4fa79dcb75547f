// HGRN2: a forget gate per channel, whose complement is the key.
//
//   S_t   = Diag(f_t) S_(t-1) + (1 - f_t) v_t^T,   f_t = exp(g_t)
//   out_t = S_t^T silu(q_t)
//
// Source: Z. Qin et al., "HGRN2: Gated Linear RNNs with State Expansion", 2024,
//         arXiv:2404.07904, section 3.
// Shapes: q, g [B, H, N, D] with D = 64; v, out [B, H, N, D].
// Conventions: g is the natural logarithm of the forget gate with its lower bound,
//   at most 0; v is what the paper calls the input. The norm over all heads
//   follows after it.

func.func @hgrn2(
    %q: tensor<?x?x?x64xf32> {attn.name = "q", attn.dims = ["B", "H", "N", "D"]},
    %v: tensor<?x?x?x64xf32> {attn.name = "v", attn.dims = ["B", "H", "N", "D"]},
    %g: tensor<?x?x?x64xf32> {attn.name = "g", attn.dims = ["B", "H", "N", "D"], attn.fill = "decay"})
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
  %out = attn.recur %p, %v gate(%g : tensor<?x?x?x64xf32>) write(tied)
      : tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32> -> tensor<?x?x?x64xf32>
  return %out : tensor<?x?x?x64xf32>
}
