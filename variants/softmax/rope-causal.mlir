// Causal attention with rotary position embedding of queries and keys.
//
//   s_ij  = <R_i q_i, R_j k_j> / sqrt(D)
//   out_i = sum_{j <= i} softmax_j(s_ij) v_j
//
// R_n turns the pair of features (c, c + D/2) by the angle of token n:
//
//   (R_n x)_c       = x_c cos[n, c]       - x_{c+D/2} sin[n, c]
//   (R_n x)_{c+D/2} = x_{c+D/2} cos[n, c] + x_c sin[n, c],   0 <= c < D/2
//
// Source: J. Su et al., "RoFormer: Enhanced Transformer with Rotary Position
//         Embedding", 2021, arXiv:2104.09864, equation (34).
// Shapes: q, k, v, out [B, H, N, D] with D = 64; cos, sin [N, D2] with
//   D2 = D / 2 = 32; lse [B, H, N].
// Conventions: the features of a pair stand half a head apart (rotate-half),
//   not side by side as in the paper; the two differ by a fixed permutation of
//   features. The paper's tables are the cosine and sine of n 10000^(-2c/D).
//   lse_i = log(sum_j exp(s_ij)) over the keys that query i attends to,
//   natural logarithm.

func.func @rope_causal(
    %q: tensor<?x?x?x64xf32> {attn.name = "q", attn.dims = ["B", "H", "N", "D"]},
    %k: tensor<?x?x?x64xf32> {attn.name = "k", attn.dims = ["B", "H", "N", "D"]},
    %v: tensor<?x?x?x64xf32> {attn.name = "v", attn.dims = ["B", "H", "N", "D"]},
    %cos: tensor<?x32xf32> {attn.name = "cos", attn.dims = ["N", "D2"]},
    %sin: tensor<?x32xf32> {attn.name = "sin", attn.dims = ["N", "D2"]})
    -> (tensor<?x?x?x64xf32> {attn.name = "out"}, tensor<?x?x?xf32> {attn.name = "lse"})
    attributes {attn.defaults = {B = 1, H = 4, N = 256}} {
  %q_turned = attn.map_rows %q
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
  %k_turned = attn.map_rows %k
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
  %out, %lse = attn.attend %q_turned, %k_turned, %v
      mask (%b, %h, %i, %j) {
        %keep = arith.cmpi sge, %i, %j : index
        attn.yield %keep : i1
      }
      : tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>
      -> tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
  return %out, %lse : tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
}
