// Linear attention to all tokens: averages whose weights are products of positive
// features.
//
//   p_i   = elu(q_i) + 1,  r_j = elu(k_j) + 1
//   out_i = sum_j <p_i, r_j> v_j / (sum_j <p_i, r_j> + e)
//
// Source: A. Katharopoulos, A. Vyas, N. Pappas, F. Fleuret, "Transformers are
//         RNNs: Fast Autoregressive Transformers with Linear Attention", 2020,
//         arXiv:2006.16236, section 3.2.
// Shapes: q, k, v, out [B, H, N, D] with D = 64.
// Conventions: elu(x) + 1 = max(x, 0) + exp(min(x, 0)). e = 2^-20, where the
//   code of the paper has 1e-6.

func.func @linear_bidirectional(
    %q: tensor<?x?x?x64xf32> {attn.name = "q", attn.dims = ["B", "H", "N", "D"]},
    %k: tensor<?x?x?x64xf32> {attn.name = "k", attn.dims = ["B", "H", "N", "D"]},
    %v: tensor<?x?x?x64xf32> {attn.name = "v", attn.dims = ["B", "H", "N", "D"]})
    -> (tensor<?x?x?x64xf32> {attn.name = "out"})
    attributes {attn.defaults = {B = 1, H = 4, N = 256}} {
  %p = attn.map_rows %q
      rows (%x: tensor<64xf32>, %b, %h, %n) {
        %zero = arith.constant dense<0.0> : tensor<64xf32>
        %positive = arith.maximumf %x, %zero : tensor<64xf32>
        %negative = arith.minimumf %x, %zero : tensor<64xf32>
        %power = math.exp %negative : tensor<64xf32>
        %y = arith.addf %positive, %power : tensor<64xf32>
        attn.yield %y : tensor<64xf32>
      } : tensor<?x?x?x64xf32> -> tensor<?x?x?x64xf32>
  %r = attn.map_rows %k
      rows (%x: tensor<64xf32>, %b, %h, %n) {
        %zero = arith.constant dense<0.0> : tensor<64xf32>
        %positive = arith.maximumf %x, %zero : tensor<64xf32>
        %negative = arith.minimumf %x, %zero : tensor<64xf32>
        %power = math.exp %negative : tensor<64xf32>
        %y = arith.addf %positive, %power : tensor<64xf32>
        attn.yield %y : tensor<64xf32>
      } : tensor<?x?x?x64xf32> -> tensor<?x?x?x64xf32>
  %out = attn.recur %p, %r, %v order(bidirectional)
      norm (%num: tensor<64xf32>, %den: f32, %b, %h, %i) {
        %epsilon = arith.constant 9.5367431640625e-07 : f32
        %positive = arith.addf %den, %epsilon : f32
        %divisor = tensor.splat %positive : tensor<64xf32>
        %y = arith.divf %num, %divisor : tensor<64xf32>
        attn.yield %y : tensor<64xf32>
      }
      : tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>
      -> tensor<?x?x?x64xf32>
  return %out : tensor<?x?x?x64xf32>
}
