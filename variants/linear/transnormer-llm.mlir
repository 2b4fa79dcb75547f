// The token mixer of TransNormerLLM: lightning attention, a norm over all heads and
// a gate.
//
//   o_i   = sum_(j <= i) exp((i - j) g_h) <silu(q_i), silu(k_j)> v_j
//   out_i = o_i / (sqrt(mean over heads and features of o_i^2) + e) * u_i
//
// Source: Z. Qin et al., "TransNormerLLM: A Faster and Better Large Language Model
//         with Improved TransNormer", 2023, arXiv:2307.14995.
// Shapes: q, k, v, u, out [B, H, N, D] with D = 64; g [H].
// Conventions: g_h = -lambda_h, as in lightning. u is the projection that gates,
//   without an activation. e = 2^-27, where the released code has 1e-8. The
//   rotation of the first layer is a row map.

func.func @transnormer_llm(
    %q: tensor<?x?x?x64xf32> {attn.name = "q", attn.dims = ["B", "H", "N", "D"]},
    %k: tensor<?x?x?x64xf32> {attn.name = "k", attn.dims = ["B", "H", "N", "D"]},
    %v: tensor<?x?x?x64xf32> {attn.name = "v", attn.dims = ["B", "H", "N", "D"]},
    %u: tensor<?x?x?x64xf32> {attn.name = "u", attn.dims = ["B", "H", "N", "D"]},
    %g: tensor<?xf32> {attn.name = "g", attn.dims = ["H"], attn.fill = "decay"})
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
  %r = attn.map_rows %k
      rows (%x: tensor<64xf32>, %b, %h, %n) {
        %one = arith.constant dense<1.0> : tensor<64xf32>
        %minus = arith.negf %x : tensor<64xf32>
        %power = math.exp %minus : tensor<64xf32>
        %divisor = arith.addf %power, %one : tensor<64xf32>
        %y = arith.divf %x, %divisor : tensor<64xf32>
        attn.yield %y : tensor<64xf32>
      } : tensor<?x?x?x64xf32> -> tensor<?x?x?x64xf32>
  %o = attn.recur %p, %r, %v gate(%g : tensor<?xf32>)
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
        %normed = arith.divf %x, %divisor : tensor<64xf32>
        %gate = tensor.extract_slice %u[%b, %h, %n, 0] [1, 1, 1, 64] [1, 1, 1, 1]
           : tensor<?x?x?x64xf32> to tensor<64xf32>
        %y = arith.mulf %normed, %gate : tensor<64xf32>
        attn.yield %y : tensor<64xf32>
      } : tensor<?x?x?x64xf32> -> tensor<?x?x?x64xf32>
  return %out : tensor<?x?x?x64xf32>
}
