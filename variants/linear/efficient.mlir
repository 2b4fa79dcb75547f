// Efficient attention: a softmax over the features of a query, and one over the
// tokens for each feature of the keys.
//
//   p_i   = softmax over features of q_i
//   r_j   = exp(k_j) / sum_l exp(k_l)               feature by feature
//   out_i = sum_j <p_i, r_j> v_j
//
// Source: Z. Shen et al., "Efficient Attention: Attention with Linear Complexities",
//         2018, arXiv:1812.01243.
// Shapes: q, k [B, H, N, D] with D = 64; v, out [B, H, N, Dv] with Dv = 32.
// Conventions: weights of a query add up to 1, so there is no denominator.

func.func @efficient(
    %q: tensor<?x?x?x64xf32> {attn.name = "q", attn.dims = ["B", "H", "N", "D"]},
    %k: tensor<?x?x?x64xf32> {attn.name = "k", attn.dims = ["B", "H", "N", "D"]},
    %v: tensor<?x?x?x32xf32> {attn.name = "v", attn.dims = ["B", "H", "N", "Dv"]})
    -> (tensor<?x?x?x32xf32> {attn.name = "out"})
    attributes {attn.defaults = {B = 1, H = 4, N = 256}} {
  %largest = attn.reduce max %k over(tokens) : tensor<?x?x?x64xf32> -> tensor<?x?x64xf32>
  %total = attn.reduce sum %k over(tokens)
      rows (%x: tensor<64xf32>, %b, %h, %n) {
        %max = tensor.extract_slice %largest[%b, %h, 0] [1, 1, 64] [1, 1, 1]
           : tensor<?x?x64xf32> to tensor<64xf32>
        %below = arith.subf %x, %max : tensor<64xf32>
        %power = math.exp %below : tensor<64xf32>
        attn.yield %power : tensor<64xf32>
      } : tensor<?x?x?x64xf32> -> tensor<?x?x64xf32>
  %p = attn.map_rows %q
      rows (%x: tensor<64xf32>, %b, %h, %n) {
        %max = attn.reduce_row max %x : tensor<64xf32>
        %maxima = tensor.splat %max : tensor<64xf32>
        %below = arith.subf %x, %maxima : tensor<64xf32>
        %power = math.exp %below : tensor<64xf32>
        %sum = attn.reduce_row sum %power : tensor<64xf32>
        %sums = tensor.splat %sum : tensor<64xf32>
        %y = arith.divf %power, %sums : tensor<64xf32>
        attn.yield %y : tensor<64xf32>
      } : tensor<?x?x?x64xf32> -> tensor<?x?x?x64xf32>
  %r = attn.map_rows %k
      rows (%x: tensor<64xf32>, %b, %h, %n) {
        %max = tensor.extract_slice %largest[%b, %h, 0] [1, 1, 64] [1, 1, 1]
           : tensor<?x?x64xf32> to tensor<64xf32>
        %below = arith.subf %x, %max : tensor<64xf32>
        %power = math.exp %below : tensor<64xf32>
        %sum = tensor.extract_slice %total[%b, %h, 0] [1, 1, 64] [1, 1, 1]
           : tensor<?x?x64xf32> to tensor<64xf32>
        %y = arith.divf %power, %sum : tensor<64xf32>
        attn.yield %y : tensor<64xf32>
      } : tensor<?x?x?x64xf32> -> tensor<?x?x?x64xf32>
  %out = attn.recur %p, %r, %v order(bidirectional)
      : tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x32xf32>
      -> tensor<?x?x?x32xf32>
  return %out : tensor<?x?x?x32xf32>
}
