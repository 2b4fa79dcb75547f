// L2ViT: linear attention with relu features, whose denominator is bounded from
// below.
//
//   p_i   = max(q_i, 0),  r_j = max(k_j, 0)
//   out_i = tau_h sum_j <p_i, r_j> v_j / max(sum_j <p_i, r_j>, 100)
//
// Source: C. Zheng, "The Linear Attention Resurrection in Vision Transformer", 2025,
//         arXiv:2501.16182.
// Shapes: q, k, v, out [B, H, N, D] with D = 32; tau [H].
// Conventions: tau is learned; the released code begins with 1 / sqrt(D). The bound
//   of 100 is that of the code. The convolutions of the local module are not part
//   of it.

func.func @l2vit(
    %q: tensor<?x?x?x32xf32> {attn.name = "q", attn.dims = ["B", "H", "N", "D"]},
    %k: tensor<?x?x?x32xf32> {attn.name = "k", attn.dims = ["B", "H", "N", "D"]},
    %v: tensor<?x?x?x32xf32> {attn.name = "v", attn.dims = ["B", "H", "N", "D"]},
    %tau: tensor<?xf32> {attn.name = "tau", attn.dims = ["H"]})
    -> (tensor<?x?x?x32xf32> {attn.name = "out"})
    attributes {attn.defaults = {B = 1, H = 4, N = 256}} {
  %p = attn.map_rows %q
      rows (%x: tensor<32xf32>, %b, %h, %n) {
        %zero = arith.constant dense<0.0> : tensor<32xf32>
        %y = arith.maximumf %x, %zero : tensor<32xf32>
        attn.yield %y : tensor<32xf32>
      } : tensor<?x?x?x32xf32> -> tensor<?x?x?x32xf32>
  %r = attn.map_rows %k
      rows (%x: tensor<32xf32>, %b, %h, %n) {
        %zero = arith.constant dense<0.0> : tensor<32xf32>
        %y = arith.maximumf %x, %zero : tensor<32xf32>
        attn.yield %y : tensor<32xf32>
      } : tensor<?x?x?x32xf32> -> tensor<?x?x?x32xf32>
  %out = attn.recur %p, %r, %v order(bidirectional)
      norm (%num: tensor<32xf32>, %den: f32, %b, %h, %n) {
        %least = arith.constant 100.0 : f32
        %bounded = arith.maximumf %den, %least : f32
        %gain = tensor.extract %tau[%h] : tensor<?xf32>
        %factor = arith.divf %gain, %bounded : f32
        %factors = tensor.splat %factor : tensor<32xf32>
        %y = arith.mulf %num, %factors : tensor<32xf32>
        attn.yield %y : tensor<32xf32>
      }
      : tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>
      -> tensor<?x?x?x32xf32>
  return %out : tensor<?x?x?x32xf32>
}
