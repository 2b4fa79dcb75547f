// Flow-Attention, to all tokens: what flows out of a key and into a query is
// conserved, which makes keys compete.
//
//   p_i = sigmoid(q_i),  r_j = sigmoid(k_j)
//   I_i = <p_i + e, sum_j r_j + e>             O_j = <r_j + e, sum_i p_i + e>
//   I'_i = <p_i + e, sum_j r_j / O_j + e>      O'_j = <r_j + e, sum_i p_i / I_i + e>
//   c_j = N softmax_j(min(max(O'_j, -1), 1))
//   out_i = sigmoid(I'_i) sum_j <p_i / I_i, r_j> c_j v_j
//
// Source: H. Wu et al., "Flowformer: Linearizing Transformers with Conservation
//         Flows", 2022, arXiv:2202.06258.
// Shapes: q, k [B, H, N, D] with D = 64; v, out [B, H, N, Dv] with Dv = 32.
// Conventions: e is added to each feature; it is 2^-20, where the code has 1e-6.
//   The bound of 1 is that of its main version (others have 5, 10 or none). As many
//   queries as keys, so the factor Nq / Nk of the sigmoid is 1. Exponentials are
//   taken below the bound, so that they are at most 1. The causal form of the paper
//   is another operator.

func.func @flow(
    %q: tensor<?x?x?x64xf32> {attn.name = "q", attn.dims = ["B", "H", "N", "D"]},
    %k: tensor<?x?x?x64xf32> {attn.name = "k", attn.dims = ["B", "H", "N", "D"]},
    %v: tensor<?x?x?x32xf32> {attn.name = "v", attn.dims = ["B", "H", "N", "Dv"]})
    -> (tensor<?x?x?x32xf32> {attn.name = "out"})
    attributes {attn.defaults = {B = 1, H = 4, N = 256}} {
  %p = attn.map_rows %q
      rows (%x: tensor<64xf32>, %b, %h, %n) {
        %one = arith.constant dense<1.0> : tensor<64xf32>
        %minus = arith.negf %x : tensor<64xf32>
        %power = math.exp %minus : tensor<64xf32>
        %divisor = arith.addf %power, %one : tensor<64xf32>
        %y = arith.divf %one, %divisor : tensor<64xf32>
        attn.yield %y : tensor<64xf32>
      } : tensor<?x?x?x64xf32> -> tensor<?x?x?x64xf32>
  %r = attn.map_rows %k
      rows (%x: tensor<64xf32>, %b, %h, %n) {
        %one = arith.constant dense<1.0> : tensor<64xf32>
        %minus = arith.negf %x : tensor<64xf32>
        %power = math.exp %minus : tensor<64xf32>
        %divisor = arith.addf %power, %one : tensor<64xf32>
        %y = arith.divf %one, %divisor : tensor<64xf32>
        attn.yield %y : tensor<64xf32>
      } : tensor<?x?x?x64xf32> -> tensor<?x?x?x64xf32>
  %p_sum = attn.reduce sum %p over(tokens) : tensor<?x?x?x64xf32> -> tensor<?x?x64xf32>
  %r_sum = attn.reduce sum %r over(tokens) : tensor<?x?x?x64xf32> -> tensor<?x?x64xf32>
  %r_flow = attn.reduce sum %r over(tokens)
      rows (%x: tensor<64xf32>, %b, %h, %n) {
        %flow_epsilon = arith.constant dense<9.5367431640625e-07> : tensor<64xf32>
        %flow_all = tensor.extract_slice %p_sum[%b, %h, 0] [1, 1, 64] [1, 1, 1]
           : tensor<?x?x64xf32> to tensor<64xf32>
        %flow_own = arith.addf %x, %flow_epsilon : tensor<64xf32>
        %flow_other = arith.addf %flow_all, %flow_epsilon : tensor<64xf32>
        %flow_terms = arith.mulf %flow_own, %flow_other : tensor<64xf32>
        %flow = attn.reduce_row sum %flow_terms : tensor<64xf32>
        %flows = tensor.splat %flow : tensor<64xf32>
        %y = arith.divf %x, %flows : tensor<64xf32>
        attn.yield %y : tensor<64xf32>
      } : tensor<?x?x?x64xf32> -> tensor<?x?x64xf32>
  %p_flow = attn.reduce sum %p over(tokens)
      rows (%x: tensor<64xf32>, %b, %h, %n) {
        %flow_epsilon = arith.constant dense<9.5367431640625e-07> : tensor<64xf32>
        %flow_all = tensor.extract_slice %r_sum[%b, %h, 0] [1, 1, 64] [1, 1, 1]
           : tensor<?x?x64xf32> to tensor<64xf32>
        %flow_own = arith.addf %x, %flow_epsilon : tensor<64xf32>
        %flow_other = arith.addf %flow_all, %flow_epsilon : tensor<64xf32>
        %flow_terms = arith.mulf %flow_own, %flow_other : tensor<64xf32>
        %flow = attn.reduce_row sum %flow_terms : tensor<64xf32>
        %flows = tensor.splat %flow : tensor<64xf32>
        %y = arith.divf %x, %flows : tensor<64xf32>
        attn.yield %y : tensor<64xf32>
      } : tensor<?x?x?x64xf32> -> tensor<?x?x64xf32>
  %total = attn.reduce sum %r over(tokens)
      rows (%x: tensor<64xf32>, %b, %h, %n) {
        %flow_epsilon = arith.constant dense<9.5367431640625e-07> : tensor<64xf32>
        %flow_all = tensor.extract_slice %p_flow[%b, %h, 0] [1, 1, 64] [1, 1, 1]
           : tensor<?x?x64xf32> to tensor<64xf32>
        %flow_own = arith.addf %x, %flow_epsilon : tensor<64xf32>
        %flow_other = arith.addf %flow_all, %flow_epsilon : tensor<64xf32>
        %flow_terms = arith.mulf %flow_own, %flow_other : tensor<64xf32>
        %flow = attn.reduce_row sum %flow_terms : tensor<64xf32>
        %least = arith.constant -1.0 : f32
        %most = arith.constant 1.0 : f32
        %above = arith.maximumf %flow, %least : f32
        %bounded = arith.minimumf %above, %most : f32
        %below = arith.subf %bounded, %most : f32
        %power = math.exp %below : f32
        %y = tensor.splat %power : tensor<1xf32>
        attn.yield %y : tensor<1xf32>
      } : tensor<?x?x?x64xf32> -> tensor<?x?x1xf32>
  %u = attn.map_rows %v
      rows (%x: tensor<32xf32>, %b, %h, %n) {
        %own = tensor.extract_slice %r[%b, %h, %n, 0] [1, 1, 1, 64] [1, 1, 1, 1]
           : tensor<?x?x?x64xf32> to tensor<64xf32>
        %flow_epsilon = arith.constant dense<9.5367431640625e-07> : tensor<64xf32>
        %flow_all = tensor.extract_slice %p_flow[%b, %h, 0] [1, 1, 64] [1, 1, 1]
           : tensor<?x?x64xf32> to tensor<64xf32>
        %flow_own = arith.addf %own, %flow_epsilon : tensor<64xf32>
        %flow_other = arith.addf %flow_all, %flow_epsilon : tensor<64xf32>
        %flow_terms = arith.mulf %flow_own, %flow_other : tensor<64xf32>
        %flow = attn.reduce_row sum %flow_terms : tensor<64xf32>
        %least = arith.constant -1.0 : f32
        %most = arith.constant 1.0 : f32
        %above = arith.maximumf %flow, %least : f32
        %bounded = arith.minimumf %above, %most : f32
        %below = arith.subf %bounded, %most : f32
        %power = math.exp %below : f32
        %first = arith.constant 0 : index
        %sum = tensor.extract %total[%b, %h, %first] : tensor<?x?x1xf32>
        %tokens_axis = arith.constant 2 : index
        %tokens_index = tensor.dim %r, %tokens_axis : tensor<?x?x?x64xf32>
        %tokens_int = arith.index_cast %tokens_index : index to i64
        %tokens = arith.sitofp %tokens_int : i64 to f32
        %share = arith.divf %power, %sum : f32
        %weight = arith.mulf %share, %tokens : f32
        %weights = tensor.splat %weight : tensor<32xf32>
        %y = arith.mulf %x, %weights : tensor<32xf32>
        attn.yield %y : tensor<32xf32>
      } : tensor<?x?x?x32xf32> -> tensor<?x?x?x32xf32>
  %out = attn.recur %p, %r, %u order(bidirectional)
      norm (%num: tensor<32xf32>, %den: f32, %b, %h, %n) {
        %own = tensor.extract_slice %p[%b, %h, %n, 0] [1, 1, 1, 64] [1, 1, 1, 1]
           : tensor<?x?x?x64xf32> to tensor<64xf32>
        %in_epsilon = arith.constant dense<9.5367431640625e-07> : tensor<64xf32>
        %in_all = tensor.extract_slice %r_sum[%b, %h, 0] [1, 1, 64] [1, 1, 1]
           : tensor<?x?x64xf32> to tensor<64xf32>
        %in_own = arith.addf %own, %in_epsilon : tensor<64xf32>
        %in_other = arith.addf %in_all, %in_epsilon : tensor<64xf32>
        %in_terms = arith.mulf %in_own, %in_other : tensor<64xf32>
        %in = attn.reduce_row sum %in_terms : tensor<64xf32>
        %kept_epsilon = arith.constant dense<9.5367431640625e-07> : tensor<64xf32>
        %kept_all = tensor.extract_slice %r_flow[%b, %h, 0] [1, 1, 64] [1, 1, 1]
           : tensor<?x?x64xf32> to tensor<64xf32>
        %kept_own = arith.addf %own, %kept_epsilon : tensor<64xf32>
        %kept_other = arith.addf %kept_all, %kept_epsilon : tensor<64xf32>
        %kept_terms = arith.mulf %kept_own, %kept_other : tensor<64xf32>
        %kept = attn.reduce_row sum %kept_terms : tensor<64xf32>
        %minus = arith.negf %kept : f32
        %power = math.exp %minus : f32
        %one = arith.constant 1.0 : f32
        %positive = arith.addf %power, %one : f32
        %divisor = arith.mulf %positive, %in : f32
        %divisors = tensor.splat %divisor : tensor<32xf32>
        %y = arith.divf %num, %divisors : tensor<32xf32>
        attn.yield %y : tensor<32xf32>
      }
      : tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x32xf32>
      -> tensor<?x?x?x32xf32>
  return %out : tensor<?x?x?x32xf32>
}
