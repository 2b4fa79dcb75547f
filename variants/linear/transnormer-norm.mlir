// NormAttention of TransNormer: causal linear attention whose denominator is the
// root mean square of a token over all heads.
//
//   p_i   = elu(q_i) + 1,  r_j = elu(k_j) + 1
//   o_i   = sum_(j <= i) <p_i, r_j> v_j
//   out_i = o_i / (sqrt(mean over heads and features of o_i^2) + e)
//
// Source: Z. Qin et al., "The Devil in Linear Transformer", 2022,
//         arXiv:2210.10340.
// Shapes: q, k, v, out [B, H, N, D] with D = 64.
// Conventions: elu(x) + 1 = max(x, 0) + exp(min(x, 0)). e = 2^-27, where the
//   released code has 1e-8. Rotations of p and r, which some models have, are row
//   maps (see rope-causal of softmax).

func.func @transnormer_norm(
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
  %o = attn.recur %p, %r, %v
      : tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>
      -> tensor<?x?x?x64xf32>
  %squares = attn.reduce sum %o over(heads)
      rows (%x: tensor<64xf32>, %b, %h, %n) {
        %squared = arith.mulf %x, %x : tensor<64xf32>
        %sum = attn.reduce_row sum %squared : tensor<64xf32>
        %y = tensor.splat %sum : tensor<1xf32>
        attn.yield %y : tensor<1xf32>
      } : tensor<?x?x?x64xf32> -> tensor<?x?x1xf32>
  %out = attn.map_rows %o
      rows (%x: tensor<64xf32>, %b, %h, %n) {
        %first = arith.constant 0 : index
        %sum = tensor.extract %squares[%b, %n, %first] : tensor<?x?x1xf32>
        %heads_axis = arith.constant 1 : index
        %heads_index = tensor.dim %o, %heads_axis : tensor<?x?x?x64xf32>
        %heads_int = arith.index_cast %heads_index : index to i64
        %heads = arith.sitofp %heads_int : i64 to f32
        %width = arith.constant 64.0 : f32
        %features = arith.mulf %heads, %width : f32
        %mean = arith.divf %sum, %features : f32
        %root = math.sqrt %mean : f32
        %epsilon = arith.constant 7.450580596923828e-09 : f32
        %positive = arith.addf %root, %epsilon : f32
        %divisor = tensor.splat %positive : tensor<64xf32>
        %y = arith.divf %x, %divisor : tensor<64xf32>
        attn.yield %y : tensor<64xf32>
      } : tensor<?x?x?x64xf32> -> tensor<?x?x?x64xf32>
  return %out : tensor<?x?x?x64xf32>
}
