// ESSA, the attention of ESSAformer: products of squared, centred spectra; keys
// have unit length along the tokens, not along the channels.
//
//   x'    = x - mean over channels of x
//   a_i   = q'_i^2 / (|q'_i|^2 + e),  divided by max(|a_i|, e')
//   b_j   = k'_j^2 / (|k'_j|^2 + e),  channel by channel divided by
//           max(sqrt(sum_l b_l^2), e')
//   out_i = v_i + sum_j <a_i, b_j> v_j / sqrt(N)
//
// Source: M. Zhang et al., "ESSAformer: Efficient Transformer for Hyperspectral
//         Image Super-resolution", 2023, arXiv:2307.14010.
// Shapes: q, k [B, H, N, D] with D = 64; v, out [B, H, N, Dv] with Dv = 32.
// Conventions: the formula is that of the released code, which has one head of all
//   channels. e = 2^-23 and e' = 2^-40, where it has 1e-7 and 1e-12.

func.func @essa(
    %q: tensor<?x?x?x64xf32> {attn.name = "q", attn.dims = ["B", "H", "N", "D"]},
    %k: tensor<?x?x?x64xf32> {attn.name = "k", attn.dims = ["B", "H", "N", "D"]},
    %v: tensor<?x?x?x32xf32> {attn.name = "v", attn.dims = ["B", "H", "N", "Dv"]})
    -> (tensor<?x?x?x32xf32> {attn.name = "out"})
    attributes {attn.defaults = {B = 1, H = 4, N = 256}} {
  %a = attn.map_rows %q
      rows (%x: tensor<64xf32>, %b, %h, %n) {
        %sum = attn.reduce_row sum %x : tensor<64xf32>
        %share = arith.constant 1.562500e-02 : f32
        %mean = arith.mulf %sum, %share : f32
        %means = tensor.splat %mean : tensor<64xf32>
        %centered = arith.subf %x, %means : tensor<64xf32>
        %squares = arith.mulf %centered, %centered : tensor<64xf32>
        %square = attn.reduce_row sum %squares : tensor<64xf32>
        %epsilon = arith.constant 1.1920928955078125e-07 : f32
        %positive = arith.addf %square, %epsilon : f32
        %divisor = tensor.splat %positive : tensor<64xf32>
        %spectrum = arith.divf %squares, %divisor : tensor<64xf32>
        %powers = arith.mulf %spectrum, %spectrum : tensor<64xf32>
        %power = attn.reduce_row sum %powers : tensor<64xf32>
        %length = math.sqrt %power : f32
        %least = arith.constant 9.094947017729282e-13 : f32
        %bounded = arith.maximumf %length, %least : f32
        %lengths = tensor.splat %bounded : tensor<64xf32>
        %y = arith.divf %spectrum, %lengths : tensor<64xf32>
        attn.yield %y : tensor<64xf32>
      } : tensor<?x?x?x64xf32> -> tensor<?x?x?x64xf32>
  %s = attn.map_rows %k
      rows (%x: tensor<64xf32>, %b, %h, %n) {
        %sum = attn.reduce_row sum %x : tensor<64xf32>
        %share = arith.constant 1.562500e-02 : f32
        %mean = arith.mulf %sum, %share : f32
        %means = tensor.splat %mean : tensor<64xf32>
        %centered = arith.subf %x, %means : tensor<64xf32>
        %squares = arith.mulf %centered, %centered : tensor<64xf32>
        %square = attn.reduce_row sum %squares : tensor<64xf32>
        %epsilon = arith.constant 1.1920928955078125e-07 : f32
        %positive = arith.addf %square, %epsilon : f32
        %divisor = tensor.splat %positive : tensor<64xf32>
        %y = arith.divf %squares, %divisor : tensor<64xf32>
        attn.yield %y : tensor<64xf32>
      } : tensor<?x?x?x64xf32> -> tensor<?x?x?x64xf32>
  %energy = attn.reduce sum %s over(tokens)
      rows (%x: tensor<64xf32>, %b, %h, %n) {
        %y = arith.mulf %x, %x : tensor<64xf32>
        attn.yield %y : tensor<64xf32>
      } : tensor<?x?x?x64xf32> -> tensor<?x?x64xf32>
  %unit = attn.map_rows %s
      rows (%x: tensor<64xf32>, %b, %h, %n) {
        %square = tensor.extract_slice %energy[%b, %h, 0] [1, 1, 64] [1, 1, 1]
           : tensor<?x?x64xf32> to tensor<64xf32>
        %length = math.sqrt %square : tensor<64xf32>
        %least = arith.constant dense<9.094947017729282e-13> : tensor<64xf32>
        %bounded = arith.maximumf %length, %least : tensor<64xf32>
        %y = arith.divf %x, %bounded : tensor<64xf32>
        attn.yield %y : tensor<64xf32>
      } : tensor<?x?x?x64xf32> -> tensor<?x?x?x64xf32>
  %out = attn.recur %a, %unit, %v order(bidirectional)
      norm (%num: tensor<32xf32>, %den: f32, %b, %h, %n) {
        %tokens_axis = arith.constant 2 : index
        %tokens_index = tensor.dim %v, %tokens_axis : tensor<?x?x?x32xf32>
        %tokens_int = arith.index_cast %tokens_index : index to i64
        %tokens = arith.sitofp %tokens_int : i64 to f32
        %root = math.sqrt %tokens : f32
        %roots = tensor.splat %root : tensor<32xf32>
        %read = arith.divf %num, %roots : tensor<32xf32>
        %own = tensor.extract_slice %v[%b, %h, %n, 0] [1, 1, 1, 32] [1, 1, 1, 1]
           : tensor<?x?x?x32xf32> to tensor<32xf32>
        %y = arith.addf %own, %read : tensor<32xf32>
        attn.yield %y : tensor<32xf32>
      }
      : tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x32xf32>
      -> tensor<?x?x?x32xf32>
  return %out : tensor<?x?x?x32xf32>
}
