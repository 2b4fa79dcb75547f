// Injective linear attention (InLine): weights add up to 1 because something is
// subtracted, not because they are divided.
//
//   w_ij  = (<q_i, k_j> / sqrt(D) - mean_l <q_i, k_l> / sqrt(D) + 1) / N
//   out_i = sum_j w_ij v_j
//         = (num_i + sum_j v_j - den_i mean_j v_j) / N
//
// where num_i = sum_j <q_i, k_j> v_j / sqrt(D) and den_i = sum_j <q_i, k_j> / sqrt(D).
//
// Source: D. Han et al., "Bridging the Divide: Reconsidering Softmax and Linear
//         Attention", 2024, arXiv:2412.06590.
// Shapes: q, k [B, H, N, D] with D = 64; v, out [B, H, N, Dv] with Dv = 32.
// Conventions: no feature map, the default of the released code, whose factor
//   1 / (sqrt(D) N) the formula of the paper leaves out. Weights may be negative.
//   The convolution of values behind it is not part of it.

func.func @inline(
    %q: tensor<?x?x?x64xf32> {attn.name = "q", attn.dims = ["B", "H", "N", "D"]},
    %k: tensor<?x?x?x64xf32> {attn.name = "k", attn.dims = ["B", "H", "N", "D"]},
    %v: tensor<?x?x?x32xf32> {attn.name = "v", attn.dims = ["B", "H", "N", "Dv"]})
    -> (tensor<?x?x?x32xf32> {attn.name = "out"})
    attributes {attn.defaults = {B = 1, H = 4, N = 256}} {
  %v_sum = attn.reduce sum %v over(tokens) : tensor<?x?x?x32xf32> -> tensor<?x?x32xf32>
  %out = attn.recur %q, %k, %v scale(0.125) order(bidirectional)
      norm (%num: tensor<32xf32>, %den: f32, %b, %h, %n) {
        %tokens_axis = arith.constant 2 : index
        %tokens_index = tensor.dim %v, %tokens_axis : tensor<?x?x?x32xf32>
        %tokens_int = arith.index_cast %tokens_index : index to i64
        %tokens = arith.sitofp %tokens_int : i64 to f32
        %all = tensor.extract_slice %v_sum[%b, %h, 0] [1, 1, 32] [1, 1, 1]
           : tensor<?x?x32xf32> to tensor<32xf32>
        %mean = arith.divf %den, %tokens : f32
        %one = arith.constant 1.0 : f32
        %left = arith.subf %one, %mean : f32
        %factors = tensor.splat %left : tensor<32xf32>
        %rest = arith.mulf %all, %factors : tensor<32xf32>
        %sum = arith.addf %num, %rest : tensor<32xf32>
        %divisors = tensor.splat %tokens : tensor<32xf32>
        %y = arith.divf %sum, %divisors : tensor<32xf32>
        attn.yield %y : tensor<32xf32>
      }
      : tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x32xf32>
      -> tensor<?x?x?x32xf32>
  return %out : tensor<?x?x?x32xf32>
}
