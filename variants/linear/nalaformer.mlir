// NaLaFormer: the norm of a query is the exponent of its features.
//
//   F_i   = ((max(q_i, 0) / |q_i|)^c_i, (max(-q_i, 0) / |q_i|)^c_i)
//   c_i   = 3 (1/2 + tanh(|q_i|))
//   G_j   = (max(k_j, 0)^3, max(-k_j, 0)^3)
//   out_i = mean_j(<R_i F_i, R_j G_j> v_j) / (<F_i, mean_j G_j> + e)
//
// R_n turns features by the token, in each half of F and G on its own.
//
// Source: W. Meng et al., "NaLaFormer: Norm-Aware Linear Attention for Transformer
//         Models", 2025, arXiv:2506.21137.
// Shapes: q, k, v, out [B, H, N, D] with D = 64; cos, sin [N, D2] with
//   D2 = D / 2 = 32.
// Conventions: the formula is that of the released code, whose keys keep their norm
//   and which does not look after a query of 0 (a division by 0). The denominator
//   takes features before they are turned. e = 2^-20, where the code has 1e-6. The
//   features of a pair stand half a head apart, as in mala. The convolution of
//   values, the norm and the gate behind it are not part of it.

func.func @nalaformer(
    %q: tensor<?x?x?x64xf32> {attn.name = "q", attn.dims = ["B", "H", "N", "D"]},
    %k: tensor<?x?x?x64xf32> {attn.name = "k", attn.dims = ["B", "H", "N", "D"]},
    %v: tensor<?x?x?x64xf32> {attn.name = "v", attn.dims = ["B", "H", "N", "D"]},
    %cos: tensor<?x32xf32> {attn.name = "cos", attn.dims = ["N", "D2"]},
    %sin: tensor<?x32xf32> {attn.name = "sin", attn.dims = ["N", "D2"]})
    -> (tensor<?x?x?x64xf32> {attn.name = "out"})
    attributes {attn.defaults = {B = 1, H = 4, N = 256}} {
  %f = attn.map_rows %q
      rows (%x: tensor<64xf32>, %b, %h, %n) {
        %zero = arith.constant dense<0.0> : tensor<64xf32>
        %squares = arith.mulf %x, %x : tensor<64xf32>
        %square = attn.reduce_row sum %squares : tensor<64xf32>
        %length = math.sqrt %square : f32
        %lengths = tensor.splat %length : tensor<64xf32>
        %direction = arith.divf %x, %lengths : tensor<64xf32>
        %opposite = arith.negf %direction : tensor<64xf32>
        %up = arith.maximumf %direction, %zero : tensor<64xf32>
        %down = arith.maximumf %opposite, %zero : tensor<64xf32>
        %bounded = math.tanh %length : f32
        %half = arith.constant 0.5 : f32
        %raised = arith.addf %bounded, %half : f32
        %three = arith.constant 3.0 : f32
        %exponent = arith.mulf %raised, %three : f32
        %exponents = tensor.splat %exponent : tensor<64xf32>
        %first = math.powf %up, %exponents : tensor<64xf32>
        %second = math.powf %down, %exponents : tensor<64xf32>
        %y = tensor.concat dim(0) %first, %second
           : (tensor<64xf32>, tensor<64xf32>) -> tensor<128xf32>
        attn.yield %y : tensor<128xf32>
      } : tensor<?x?x?x64xf32> -> tensor<?x?x?x128xf32>
  %g = attn.map_rows %k
      rows (%x: tensor<64xf32>, %b, %h, %n) {
        %zero = arith.constant dense<0.0> : tensor<64xf32>
        %minus = arith.negf %x : tensor<64xf32>
        %up = arith.maximumf %x, %zero : tensor<64xf32>
        %down = arith.maximumf %minus, %zero : tensor<64xf32>
        %up2 = arith.mulf %up, %up : tensor<64xf32>
        %first = arith.mulf %up2, %up : tensor<64xf32>
        %down2 = arith.mulf %down, %down : tensor<64xf32>
        %second = arith.mulf %down2, %down : tensor<64xf32>
        %y = tensor.concat dim(0) %first, %second
           : (tensor<64xf32>, tensor<64xf32>) -> tensor<128xf32>
        attn.yield %y : tensor<128xf32>
      } : tensor<?x?x?x64xf32> -> tensor<?x?x?x128xf32>
  %f_turned = attn.map_rows %f
      rows (%x: tensor<128xf32>, %b, %h, %n) {
        %c = tensor.extract_slice %cos[%n, 0] [1, 32] [1, 1]
           : tensor<?x32xf32> to tensor<32xf32>
        %s = tensor.extract_slice %sin[%n, 0] [1, 32] [1, 1]
           : tensor<?x32xf32> to tensor<32xf32>
        %up_lo = tensor.extract_slice %x[0] [32] [1] : tensor<128xf32> to tensor<32xf32>
        %up_hi = tensor.extract_slice %x[32] [32] [1] : tensor<128xf32> to tensor<32xf32>
        %up_lo_cos = arith.mulf %up_lo, %c : tensor<32xf32>
        %up_hi_sin = arith.mulf %up_hi, %s : tensor<32xf32>
        %up_hi_cos = arith.mulf %up_hi, %c : tensor<32xf32>
        %up_lo_sin = arith.mulf %up_lo, %s : tensor<32xf32>
        %up_lo_turned = arith.subf %up_lo_cos, %up_hi_sin : tensor<32xf32>
        %up_hi_turned = arith.addf %up_hi_cos, %up_lo_sin : tensor<32xf32>
        %down_lo = tensor.extract_slice %x[64] [32] [1] : tensor<128xf32> to tensor<32xf32>
        %down_hi = tensor.extract_slice %x[96] [32] [1] : tensor<128xf32> to tensor<32xf32>
        %down_lo_cos = arith.mulf %down_lo, %c : tensor<32xf32>
        %down_hi_sin = arith.mulf %down_hi, %s : tensor<32xf32>
        %down_hi_cos = arith.mulf %down_hi, %c : tensor<32xf32>
        %down_lo_sin = arith.mulf %down_lo, %s : tensor<32xf32>
        %down_lo_turned = arith.subf %down_lo_cos, %down_hi_sin : tensor<32xf32>
        %down_hi_turned = arith.addf %down_hi_cos, %down_lo_sin : tensor<32xf32>
        %y = tensor.concat dim(0) %up_lo_turned, %up_hi_turned, %down_lo_turned, %down_hi_turned
           : (tensor<32xf32>, tensor<32xf32>, tensor<32xf32>, tensor<32xf32>) -> tensor<128xf32>
        attn.yield %y : tensor<128xf32>
      } : tensor<?x?x?x128xf32> -> tensor<?x?x?x128xf32>
  %g_turned = attn.map_rows %g
      rows (%x: tensor<128xf32>, %b, %h, %n) {
        %c = tensor.extract_slice %cos[%n, 0] [1, 32] [1, 1]
           : tensor<?x32xf32> to tensor<32xf32>
        %s = tensor.extract_slice %sin[%n, 0] [1, 32] [1, 1]
           : tensor<?x32xf32> to tensor<32xf32>
        %up_lo = tensor.extract_slice %x[0] [32] [1] : tensor<128xf32> to tensor<32xf32>
        %up_hi = tensor.extract_slice %x[32] [32] [1] : tensor<128xf32> to tensor<32xf32>
        %up_lo_cos = arith.mulf %up_lo, %c : tensor<32xf32>
        %up_hi_sin = arith.mulf %up_hi, %s : tensor<32xf32>
        %up_hi_cos = arith.mulf %up_hi, %c : tensor<32xf32>
        %up_lo_sin = arith.mulf %up_lo, %s : tensor<32xf32>
        %up_lo_turned = arith.subf %up_lo_cos, %up_hi_sin : tensor<32xf32>
        %up_hi_turned = arith.addf %up_hi_cos, %up_lo_sin : tensor<32xf32>
        %down_lo = tensor.extract_slice %x[64] [32] [1] : tensor<128xf32> to tensor<32xf32>
        %down_hi = tensor.extract_slice %x[96] [32] [1] : tensor<128xf32> to tensor<32xf32>
        %down_lo_cos = arith.mulf %down_lo, %c : tensor<32xf32>
        %down_hi_sin = arith.mulf %down_hi, %s : tensor<32xf32>
        %down_hi_cos = arith.mulf %down_hi, %c : tensor<32xf32>
        %down_lo_sin = arith.mulf %down_lo, %s : tensor<32xf32>
        %down_lo_turned = arith.subf %down_lo_cos, %down_hi_sin : tensor<32xf32>
        %down_hi_turned = arith.addf %down_hi_cos, %down_lo_sin : tensor<32xf32>
        %y = tensor.concat dim(0) %up_lo_turned, %up_hi_turned, %down_lo_turned, %down_hi_turned
           : (tensor<32xf32>, tensor<32xf32>, tensor<32xf32>, tensor<32xf32>) -> tensor<128xf32>
        attn.yield %y : tensor<128xf32>
      } : tensor<?x?x?x128xf32> -> tensor<?x?x?x128xf32>
  %g_sum = attn.reduce sum %g over(tokens) : tensor<?x?x?x128xf32> -> tensor<?x?x128xf32>
  %out = attn.recur %f_turned, %g_turned, %v order(bidirectional)
      norm (%num: tensor<64xf32>, %den: f32, %b, %h, %n) {
        %tokens_axis = arith.constant 2 : index
        %tokens_index = tensor.dim %v, %tokens_axis : tensor<?x?x?x64xf32>
        %tokens_int = arith.index_cast %tokens_index : index to i64
        %tokens = arith.sitofp %tokens_int : i64 to f32
        %own = tensor.extract_slice %f[%b, %h, %n, 0] [1, 1, 1, 128] [1, 1, 1, 1]
           : tensor<?x?x?x128xf32> to tensor<128xf32>
        %all = tensor.extract_slice %g_sum[%b, %h, 0] [1, 1, 128] [1, 1, 1]
           : tensor<?x?x128xf32> to tensor<128xf32>
        %product_terms = arith.mulf %own, %all : tensor<128xf32>
        %product = attn.reduce_row sum %product_terms : tensor<128xf32>
        %mean = arith.divf %product, %tokens : f32
        %epsilon = arith.constant 9.5367431640625e-07 : f32
        %positive = arith.addf %mean, %epsilon : f32
        %divisor = arith.mulf %positive, %tokens : f32
        %divisors = tensor.splat %divisor : tensor<64xf32>
        %y = arith.divf %num, %divisors : tensor<64xf32>
        attn.yield %y : tensor<64xf32>
      }
      : tensor<?x?x?x128xf32>, tensor<?x?x?x128xf32>, tensor<?x?x?x64xf32>
      -> tensor<?x?x?x64xf32>
  return %out : tensor<?x?x?x64xf32>
}
