// LinFusion: linear attention to all tokens, normalised by means, behind a small
// network that adds to the tokens before they are projected.
//
//   f(x; U, W, T) = leaky(norm(x U + T_0) * T_1 + T_2) W + T_3
//   p_hi  = elu((x_i + f(x_i; uq, wq, tq)) aq_h) + 1
//   r_hj  = elu((x_j + f(x_j; uk, wk, tk)) ak_h) + 1
//   out_i = (mean_j <p_i, r_j> v_j) / (<p_i, mean_j r_j> + e)
//
// Source: S. Liu, W. Yu, Z. Tan, X. Wang, "LinFusion: 1 GPU, 1 Minute, 16K Image",
//         2024, arXiv:2409.02097.
// Shapes: x [B, 1, N, C] with C = 64; v, out [B, H, N, D] with D = 32; uq, uk [C, M]
//   and wq, wk [M, C] with M = 64; tq, tk [4, M]; aq, ak [H, C, D].
// Conventions: norm is a layer norm over features (e' = 2^-17, where the code has
//   1e-5), leaky(x) = max(x, x / 100). Row 0 of a table t is the bias of the first
//   matrix, rows 1 and 2 are weight and bias of the norm, row 3 is the bias of the
//   second matrix. e = 2^-13, where the code has 1e-4. x is what all heads share,
//   and v is projected before. The code divides keys and values by sqrt(N), for
//   range.

func.func @linfusion(
    %x: tensor<?x1x?x64xf32> {attn.name = "x", attn.dims = ["B", "One", "N", "C"]},
    %v: tensor<?x?x?x32xf32> {attn.name = "v", attn.dims = ["B", "H", "N", "D"]},
    %uq: tensor<64x64xf32> {attn.name = "uq", attn.dims = ["C", "M"]},
    %wq: tensor<64x64xf32> {attn.name = "wq", attn.dims = ["M", "C"]},
    %tq: tensor<4x64xf32> {attn.name = "tq", attn.dims = ["Four", "M"]},
    %aq: tensor<?x64x32xf32> {attn.name = "aq", attn.dims = ["H", "C", "D"]},
    %uk: tensor<64x64xf32> {attn.name = "uk", attn.dims = ["C", "M"]},
    %wk: tensor<64x64xf32> {attn.name = "wk", attn.dims = ["M", "C"]},
    %tk: tensor<4x64xf32> {attn.name = "tk", attn.dims = ["Four", "M"]},
    %ak: tensor<?x64x32xf32> {attn.name = "ak", attn.dims = ["H", "C", "D"]})
    -> (tensor<?x?x?x32xf32> {attn.name = "out"})
    attributes {attn.defaults = {B = 1, H = 4, N = 256}} {
  %xq = attn.map_rows %x
      rows (%token: tensor<64xf32>, %b, %h, %n) {
        %projected = attn.contract_row %token, %uq[]
           : tensor<64xf32>, tensor<64x64xf32> -> tensor<64xf32>
        %bias = tensor.extract_slice %tq[0, 0] [1, 64] [1, 1] : tensor<4x64xf32> to tensor<64xf32>
        %hidden = arith.addf %projected, %bias : tensor<64xf32>
        %sum = attn.reduce_row sum %hidden : tensor<64xf32>
        %share = arith.constant 1.562500e-02 : f32
        %mean = arith.mulf %sum, %share : f32
        %means = tensor.splat %mean : tensor<64xf32>
        %centered = arith.subf %hidden, %means : tensor<64xf32>
        %squares = arith.mulf %centered, %centered : tensor<64xf32>
        %square = attn.reduce_row sum %squares : tensor<64xf32>
        %variance = arith.mulf %square, %share : f32
        %epsilon = arith.constant 7.62939453125e-06 : f32
        %positive = arith.addf %variance, %epsilon : f32
        %deviation = math.sqrt %positive : f32
        %deviations = tensor.splat %deviation : tensor<64xf32>
        %normed = arith.divf %centered, %deviations : tensor<64xf32>
        %weight = tensor.extract_slice %tq[1, 0] [1, 64] [1, 1] : tensor<4x64xf32> to tensor<64xf32>
        %shift = tensor.extract_slice %tq[2, 0] [1, 64] [1, 1] : tensor<4x64xf32> to tensor<64xf32>
        %weighted = arith.mulf %normed, %weight : tensor<64xf32>
        %shifted = arith.addf %weighted, %shift : tensor<64xf32>
        %hundred = arith.constant dense<100.0> : tensor<64xf32>
        %small = arith.divf %shifted, %hundred : tensor<64xf32>
        %leaky = arith.maximumf %shifted, %small : tensor<64xf32>
        %back = attn.contract_row %leaky, %wq[]
           : tensor<64xf32>, tensor<64x64xf32> -> tensor<64xf32>
        %last = tensor.extract_slice %tq[3, 0] [1, 64] [1, 1] : tensor<4x64xf32> to tensor<64xf32>
        %change = arith.addf %back, %last : tensor<64xf32>
        %y = arith.addf %token, %change : tensor<64xf32>
        attn.yield %y : tensor<64xf32>
      } : tensor<?x1x?x64xf32> -> tensor<?x1x?x64xf32>
  %xk = attn.map_rows %x
      rows (%token: tensor<64xf32>, %b, %h, %n) {
        %projected = attn.contract_row %token, %uk[]
           : tensor<64xf32>, tensor<64x64xf32> -> tensor<64xf32>
        %bias = tensor.extract_slice %tk[0, 0] [1, 64] [1, 1] : tensor<4x64xf32> to tensor<64xf32>
        %hidden = arith.addf %projected, %bias : tensor<64xf32>
        %sum = attn.reduce_row sum %hidden : tensor<64xf32>
        %share = arith.constant 1.562500e-02 : f32
        %mean = arith.mulf %sum, %share : f32
        %means = tensor.splat %mean : tensor<64xf32>
        %centered = arith.subf %hidden, %means : tensor<64xf32>
        %squares = arith.mulf %centered, %centered : tensor<64xf32>
        %square = attn.reduce_row sum %squares : tensor<64xf32>
        %variance = arith.mulf %square, %share : f32
        %epsilon = arith.constant 7.62939453125e-06 : f32
        %positive = arith.addf %variance, %epsilon : f32
        %deviation = math.sqrt %positive : f32
        %deviations = tensor.splat %deviation : tensor<64xf32>
        %normed = arith.divf %centered, %deviations : tensor<64xf32>
        %weight = tensor.extract_slice %tk[1, 0] [1, 64] [1, 1] : tensor<4x64xf32> to tensor<64xf32>
        %shift = tensor.extract_slice %tk[2, 0] [1, 64] [1, 1] : tensor<4x64xf32> to tensor<64xf32>
        %weighted = arith.mulf %normed, %weight : tensor<64xf32>
        %shifted = arith.addf %weighted, %shift : tensor<64xf32>
        %hundred = arith.constant dense<100.0> : tensor<64xf32>
        %small = arith.divf %shifted, %hundred : tensor<64xf32>
        %leaky = arith.maximumf %shifted, %small : tensor<64xf32>
        %back = attn.contract_row %leaky, %wk[]
           : tensor<64xf32>, tensor<64x64xf32> -> tensor<64xf32>
        %last = tensor.extract_slice %tk[3, 0] [1, 64] [1, 1] : tensor<4x64xf32> to tensor<64xf32>
        %change = arith.addf %back, %last : tensor<64xf32>
        %y = arith.addf %token, %change : tensor<64xf32>
        attn.yield %y : tensor<64xf32>
      } : tensor<?x1x?x64xf32> -> tensor<?x1x?x64xf32>
  // Only the shape of v is used: that of the heads.
  %p = attn.map_rows %v
      rows (%shape: tensor<32xf32>, %b, %h, %n) {
        %token = tensor.extract_slice %xq[%b, 0, %n, 0] [1, 1, 1, 64] [1, 1, 1, 1]
           : tensor<?x1x?x64xf32> to tensor<64xf32>
        %z = attn.contract_row %token, %aq[%h]
           : tensor<64xf32>, tensor<?x64x32xf32> -> tensor<32xf32>
        %zero = arith.constant dense<0.0> : tensor<32xf32>
        %positive = arith.maximumf %z, %zero : tensor<32xf32>
        %negative = arith.minimumf %z, %zero : tensor<32xf32>
        %power = math.exp %negative : tensor<32xf32>
        %y = arith.addf %positive, %power : tensor<32xf32>
        attn.yield %y : tensor<32xf32>
      } : tensor<?x?x?x32xf32> -> tensor<?x?x?x32xf32>
  %r = attn.map_rows %v
      rows (%shape: tensor<32xf32>, %b, %h, %n) {
        %token = tensor.extract_slice %xk[%b, 0, %n, 0] [1, 1, 1, 64] [1, 1, 1, 1]
           : tensor<?x1x?x64xf32> to tensor<64xf32>
        %z = attn.contract_row %token, %ak[%h]
           : tensor<64xf32>, tensor<?x64x32xf32> -> tensor<32xf32>
        %zero = arith.constant dense<0.0> : tensor<32xf32>
        %positive = arith.maximumf %z, %zero : tensor<32xf32>
        %negative = arith.minimumf %z, %zero : tensor<32xf32>
        %power = math.exp %negative : tensor<32xf32>
        %y = arith.addf %positive, %power : tensor<32xf32>
        attn.yield %y : tensor<32xf32>
      } : tensor<?x?x?x32xf32> -> tensor<?x?x?x32xf32>
  %out = attn.recur %p, %r, %v order(bidirectional)
      norm (%num: tensor<32xf32>, %den: f32, %b, %h, %n) {
        %tokens_axis = arith.constant 2 : index
        %tokens_index = tensor.dim %v, %tokens_axis : tensor<?x?x?x32xf32>
        %tokens_int = arith.index_cast %tokens_index : index to i64
        %tokens = arith.sitofp %tokens_int : i64 to f32
        %mean = arith.divf %den, %tokens : f32
        %epsilon = arith.constant 1.220703125e-04 : f32
        %positive = arith.addf %mean, %epsilon : f32
        %divisor = arith.mulf %positive, %tokens : f32
        %divisors = tensor.splat %divisor : tensor<32xf32>
        %y = arith.divf %num, %divisors : tensor<32xf32>
        attn.yield %y : tensor<32xf32>
      }
      : tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>
      -> tensor<?x?x?x32xf32>
  return %out : tensor<?x?x?x32xf32>
}
