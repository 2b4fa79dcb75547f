// Rank-augmented linear attention (RALA): keys count by a softmax of their product
// with the mean query.
//
//   p_i   = elu(q_i) + 1,  r_j = elu(k_j) + 1,  R_n turns features by the token
//   a_j   = softmax_j(<mean_i p_i, r_j> / sqrt(D))
//   out_i = sum_j <R_i p_i, R_j a_j r_j> v_j / (<p_i, sum_j a_j r_j> + e)
//
// Source: Q. Fan, H. Huang, R. He, "Breaking the Low-Rank Dilemma of Linear
//         Attention", 2024, arXiv:2411.07635.
// Shapes: q, k [B, H, N, D] with D = 64; v, out [B, H, N, Dv] with Dv = 32;
//   cos, sin [N, D2] with D2 = D / 2 = 32.
// Conventions: as in the released code, the mean query is one of features, and the
//   denominator takes rows before they are turned. The code multiplies a_j by N and
//   divides sums by N. e = 2^-20, where it has 1e-6. The features of a pair stand
//   half a head apart, as in mala. The convolution of values and the gate behind it
//   are not part of it.

func.func @rala(
    %q: tensor<?x?x?x64xf32> {attn.name = "q", attn.dims = ["B", "H", "N", "D"]},
    %k: tensor<?x?x?x64xf32> {attn.name = "k", attn.dims = ["B", "H", "N", "D"]},
    %v: tensor<?x?x?x32xf32> {attn.name = "v", attn.dims = ["B", "H", "N", "Dv"]},
    %cos: tensor<?x32xf32> {attn.name = "cos", attn.dims = ["N", "D2"]},
    %sin: tensor<?x32xf32> {attn.name = "sin", attn.dims = ["N", "D2"]})
    -> (tensor<?x?x?x32xf32> {attn.name = "out"})
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
  %p_sum = attn.reduce sum %p over(tokens) : tensor<?x?x?x64xf32> -> tensor<?x?x64xf32>
  %largest = attn.reduce max %r over(tokens)
      rows (%x: tensor<64xf32>, %b, %h, %n) {
        %p_all = tensor.extract_slice %p_sum[%b, %h, 0] [1, 1, 64] [1, 1, 1]
           : tensor<?x?x64xf32> to tensor<64xf32>
        %product_terms = arith.mulf %x, %p_all : tensor<64xf32>
        %product = attn.reduce_row sum %product_terms : tensor<64xf32>
        %tokens_axis = arith.constant 2 : index
        %tokens_index = tensor.dim %p, %tokens_axis : tensor<?x?x?x64xf32>
        %tokens_int = arith.index_cast %tokens_index : index to i64
        %tokens = arith.sitofp %tokens_int : i64 to f32
        %mean = arith.divf %product, %tokens : f32
        %scale = arith.constant 0.125 : f32
        %logit = arith.mulf %mean, %scale : f32
        %y = tensor.splat %logit : tensor<1xf32>
        attn.yield %y : tensor<1xf32>
      } : tensor<?x?x?x64xf32> -> tensor<?x?x1xf32>
  %total = attn.reduce sum %r over(tokens)
      rows (%x: tensor<64xf32>, %b, %h, %n) {
        %p_all = tensor.extract_slice %p_sum[%b, %h, 0] [1, 1, 64] [1, 1, 1]
           : tensor<?x?x64xf32> to tensor<64xf32>
        %product_terms = arith.mulf %x, %p_all : tensor<64xf32>
        %product = attn.reduce_row sum %product_terms : tensor<64xf32>
        %tokens_axis = arith.constant 2 : index
        %tokens_index = tensor.dim %p, %tokens_axis : tensor<?x?x?x64xf32>
        %tokens_int = arith.index_cast %tokens_index : index to i64
        %tokens = arith.sitofp %tokens_int : i64 to f32
        %mean = arith.divf %product, %tokens : f32
        %scale = arith.constant 0.125 : f32
        %logit = arith.mulf %mean, %scale : f32
        %first = arith.constant 0 : index
        %max = tensor.extract %largest[%b, %h, %first] : tensor<?x?x1xf32>
        %below = arith.subf %logit, %max : f32
        %power = math.exp %below : f32
        %y = tensor.splat %power : tensor<1xf32>
        attn.yield %y : tensor<1xf32>
      } : tensor<?x?x?x64xf32> -> tensor<?x?x1xf32>
  %weighted = attn.map_rows %r
      rows (%x: tensor<64xf32>, %b, %h, %n) {
        %p_all = tensor.extract_slice %p_sum[%b, %h, 0] [1, 1, 64] [1, 1, 1]
           : tensor<?x?x64xf32> to tensor<64xf32>
        %product_terms = arith.mulf %x, %p_all : tensor<64xf32>
        %product = attn.reduce_row sum %product_terms : tensor<64xf32>
        %tokens_axis = arith.constant 2 : index
        %tokens_index = tensor.dim %p, %tokens_axis : tensor<?x?x?x64xf32>
        %tokens_int = arith.index_cast %tokens_index : index to i64
        %tokens = arith.sitofp %tokens_int : i64 to f32
        %mean = arith.divf %product, %tokens : f32
        %scale = arith.constant 0.125 : f32
        %logit = arith.mulf %mean, %scale : f32
        %first = arith.constant 0 : index
        %max = tensor.extract %largest[%b, %h, %first] : tensor<?x?x1xf32>
        %below = arith.subf %logit, %max : f32
        %power = math.exp %below : f32
        %sum = tensor.extract %total[%b, %h, %first] : tensor<?x?x1xf32>
        %weight = arith.divf %power, %sum : f32
        %weights = tensor.splat %weight : tensor<64xf32>
        %y = arith.mulf %x, %weights : tensor<64xf32>
        attn.yield %y : tensor<64xf32>
      } : tensor<?x?x?x64xf32> -> tensor<?x?x?x64xf32>
  %weighted_sum = attn.reduce sum %weighted over(tokens) : tensor<?x?x?x64xf32> -> tensor<?x?x64xf32>
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
  %weighted_turned = attn.map_rows %weighted
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
  %out = attn.recur %p_turned, %weighted_turned, %v order(bidirectional)
      norm (%num: tensor<32xf32>, %den: f32, %b, %h, %n) {
        %own = tensor.extract_slice %p[%b, %h, %n, 0] [1, 1, 1, 64] [1, 1, 1, 1]
           : tensor<?x?x?x64xf32> to tensor<64xf32>
        %all = tensor.extract_slice %weighted_sum[%b, %h, 0] [1, 1, 64] [1, 1, 1]
           : tensor<?x?x64xf32> to tensor<64xf32>
        %product_terms = arith.mulf %own, %all : tensor<64xf32>
        %product = attn.reduce_row sum %product_terms : tensor<64xf32>
        %epsilon = arith.constant 9.5367431640625e-07 : f32
        %positive = arith.addf %product, %epsilon : f32
        %divisor = tensor.splat %positive : tensor<32xf32>
        %y = arith.divf %num, %divisor : tensor<32xf32>
        attn.yield %y : tensor<32xf32>
      }
      : tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x32xf32>
      -> tensor<?x?x?x32xf32>
  return %out : tensor<?x?x?x32xf32>
}
