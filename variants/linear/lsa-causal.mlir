// Causal linear self-attention, as in autoregressive models: the divisor counts the
// tokens before the token.
//
//   out_t = (sum_(j <= t) <x_t A_h, x_j> x_j) P_h / max(t, 1)
//
// Source: J. von Oswald et al., "Uncovering Mesa-Optimization Algorithms in
//         Transformers", 2023, arXiv:2309.05858; C. Zheng et al., "On
//         Mesa-Optimization in Autoregressively Trained Transformers: Emergence and
//         Capability", 2024, arXiv:2405.16845.
// Shapes: x [B, H, N, D] with D = 32, tokens as rows; a [H, D, D]; p [H, D, E] with
//   E = 16; out [B, H, N, E].
// Conventions: t counts from 0. Zheng et al. have complex tokens (s_t, s_(t-1)) and
//   conjugate keys; these are the real ones. They divide by t - 1 from their
//   second token on, which is t here; the first token divides by 1. a and p are the
//   transposes of W_KQ and W_PV. No residual.

func.func @lsa_causal(
    %x: tensor<?x?x?x32xf32> {attn.name = "x", attn.dims = ["B", "H", "N", "D"]},
    %a: tensor<?x32x32xf32> {attn.name = "a", attn.dims = ["H", "D", "D"]},
    %p: tensor<?x32x16xf32> {attn.name = "p", attn.dims = ["H", "D", "E"]})
    -> (tensor<?x?x?x16xf32> {attn.name = "out"})
    attributes {attn.defaults = {B = 1, H = 4, N = 256}} {
  %q = attn.map_rows %x
      rows (%r: tensor<32xf32>, %b, %h, %n) {
        %y = attn.contract_row %r, %a[%h]
           : tensor<32xf32>, tensor<?x32x32xf32> -> tensor<32xf32>
        attn.yield %y : tensor<32xf32>
      } : tensor<?x?x?x32xf32> -> tensor<?x?x?x32xf32>
  %o = attn.recur %q, %x, %x
      norm (%num: tensor<32xf32>, %den: f32, %b, %h, %t) {
        %one = arith.constant 1 : index
        %tokens = arith.maxsi %t, %one : index
        %int = arith.index_cast %tokens : index to i64
        %count = arith.sitofp %int : i64 to f32
        %divisor = tensor.splat %count : tensor<32xf32>
        %y = arith.divf %num, %divisor : tensor<32xf32>
        attn.yield %y : tensor<32xf32>
      }
      : tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>
      -> tensor<?x?x?x32xf32>
  %out = attn.map_rows %o
      rows (%r: tensor<32xf32>, %b, %h, %n) {
        %y = attn.contract_row %r, %p[%h]
           : tensor<32xf32>, tensor<?x32x16xf32> -> tensor<16xf32>
        attn.yield %y : tensor<16xf32>
      } : tensor<?x?x?x32xf32> -> tensor<?x?x?x16xf32>
  return %out : tensor<?x?x?x16xf32>
}
