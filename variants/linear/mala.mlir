// Magnitude-aware linear attention (MALA): a factor and an offset per query in place
// of a denominator.
//
//   p_i   = elu(q_i) + 1,  r_j = elu(k_j) + 1,  R_n turns features by the token
//   z_i   = <p_i, mean_j r_j> / sqrt(D)
//   out_i = (1 + 1 / (z_i + e)) mean_j(<R_i p_i, R_j r_j> v_j) / sqrt(D) - z_i mean_j v_j
//
// Source: Q. Fan, H. Huang, Y. Ai, R. He, "Rectifying Magnitude Neglect in Linear
//         Attention", 2025, arXiv:2507.00698.
// Shapes: q, k, v, out [B, H, N, D] with D = 64; cos, sin [N, D2] with
//   D2 = D / 2 = 32.
// Conventions: as in the released code, there are factors of 1 / sqrt(D) and 1 / N
//   that the formula of the paper leaves out, and z_i takes rows before they are
//   turned, so that weights add up to 1 only without rotation (cos = 1, sin = 0).
//   e = 2^-20, where the code has 1e-6. The features of a pair that is turned stand
//   half a head apart, by any tables; the code turns neighbours, by row and column of
//   an image.
//   The convolution of values and the gate behind it are not part of it.

func.func @mala(
    %q: tensor<?x?x?x64xf32> {attn.name = "q", attn.dims = ["B", "H", "N", "D"]},
    %k: tensor<?x?x?x64xf32> {attn.name = "k", attn.dims = ["B", "H", "N", "D"]},
    %v: tensor<?x?x?x64xf32> {attn.name = "v", attn.dims = ["B", "H", "N", "D"]},
    %cos: tensor<?x32xf32> {attn.name = "cos", attn.dims = ["N", "D2"]},
    %sin: tensor<?x32xf32> {attn.name = "sin", attn.dims = ["N", "D2"]})
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
  %p_turned = attn.map_rows %p
      rows (%x: tensor<64xf32>, %b, %h, %n) {
        %c = tensor.extract_slice %cos[%n, 0] [1, 32] [1, 1]
           : tensor<?x32xf32> to tensor<32xf32>
        %s = tensor.extract_slice %sin[%n, 0] [1, 32] [1, 1]
           : tensor<?x32xf32> to tensor<32xf32>
        %lo = tensor.extract_slice %x[0] [32] [1] : tensor<64xf32> to tensor<32xf32>
        %hi = tensor.extract_slice %x[32] [32] [1] : tensor<64xf32> to tensor<32xf32>
        %lo_cos = arith.mulf %lo, %c : tensor<32xf32>
        %hi_sin = arith.mulf %hi, %s : tensor<32xf32>
        %hi_cos = arith.mulf %hi, %c : tensor<32xf32>
        %lo_sin = arith.mulf %lo, %s : tensor<32xf32>
        %lo_turned = arith.subf %lo_cos, %hi_sin : tensor<32xf32>
        %hi_turned = arith.addf %hi_cos, %lo_sin : tensor<32xf32>
        %y = tensor.concat dim(0) %lo_turned, %hi_turned
           : (tensor<32xf32>, tensor<32xf32>) -> tensor<64xf32>
        attn.yield %y : tensor<64xf32>
      } : tensor<?x?x?x64xf32> -> tensor<?x?x?x64xf32>
  %r_turned = attn.map_rows %r
      rows (%x: tensor<64xf32>, %b, %h, %n) {
        %c = tensor.extract_slice %cos[%n, 0] [1, 32] [1, 1]
           : tensor<?x32xf32> to tensor<32xf32>
        %s = tensor.extract_slice %sin[%n, 0] [1, 32] [1, 1]
           : tensor<?x32xf32> to tensor<32xf32>
        %lo = tensor.extract_slice %x[0] [32] [1] : tensor<64xf32> to tensor<32xf32>
        %hi = tensor.extract_slice %x[32] [32] [1] : tensor<64xf32> to tensor<32xf32>
        %lo_cos = arith.mulf %lo, %c : tensor<32xf32>
        %hi_sin = arith.mulf %hi, %s : tensor<32xf32>
        %hi_cos = arith.mulf %hi, %c : tensor<32xf32>
        %lo_sin = arith.mulf %lo, %s : tensor<32xf32>
        %lo_turned = arith.subf %lo_cos, %hi_sin : tensor<32xf32>
        %hi_turned = arith.addf %hi_cos, %lo_sin : tensor<32xf32>
        %y = tensor.concat dim(0) %lo_turned, %hi_turned
           : (tensor<32xf32>, tensor<32xf32>) -> tensor<64xf32>
        attn.yield %y : tensor<64xf32>
      } : tensor<?x?x?x64xf32> -> tensor<?x?x?x64xf32>
  %r_sum = attn.reduce sum %r over(tokens) : tensor<?x?x?x64xf32> -> tensor<?x?x64xf32>
  %v_sum = attn.reduce sum %v over(tokens) : tensor<?x?x?x64xf32> -> tensor<?x?x64xf32>
  %out = attn.recur %p_turned, %r_turned, %v scale(0.125) order(bidirectional)
      norm (%num: tensor<64xf32>, %den: f32, %b, %h, %n) {
        %tokens_axis = arith.constant 2 : index
        %tokens_index = tensor.dim %v, %tokens_axis : tensor<?x?x?x64xf32>
        %tokens_int = arith.index_cast %tokens_index : index to i64
        %tokens = arith.sitofp %tokens_int : i64 to f32
        %own = tensor.extract_slice %p[%b, %h, %n, 0] [1, 1, 1, 64] [1, 1, 1, 1]
           : tensor<?x?x?x64xf32> to tensor<64xf32>
        %r_all = tensor.extract_slice %r_sum[%b, %h, 0] [1, 1, 64] [1, 1, 1]
           : tensor<?x?x64xf32> to tensor<64xf32>
        %v_all = tensor.extract_slice %v_sum[%b, %h, 0] [1, 1, 64] [1, 1, 1]
           : tensor<?x?x64xf32> to tensor<64xf32>
        %product_terms = arith.mulf %own, %r_all : tensor<64xf32>
        %product = attn.reduce_row sum %product_terms : tensor<64xf32>
        %scale = arith.constant 0.125 : f32
        %scaled = arith.mulf %product, %scale : f32
        %z = arith.divf %scaled, %tokens : f32
        %epsilon = arith.constant 9.5367431640625e-07 : f32
        %positive = arith.addf %z, %epsilon : f32
        %one = arith.constant 1.0 : f32
        %inverse = arith.divf %one, %positive : f32
        %factor = arith.addf %one, %inverse : f32
        %share = arith.divf %factor, %tokens : f32
        %shares = tensor.splat %share : tensor<64xf32>
        %first = arith.mulf %num, %shares : tensor<64xf32>
        %offset = arith.divf %z, %tokens : f32
        %offsets = tensor.splat %offset : tensor<64xf32>
        %second = arith.mulf %v_all, %offsets : tensor<64xf32>
        %y = arith.subf %first, %second : tensor<64xf32>
        attn.yield %y : tensor<64xf32>
      }
      : tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>
      -> tensor<?x?x?x64xf32>
  return %out : tensor<?x?x?x64xf32>
}
