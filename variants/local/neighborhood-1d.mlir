// Neighborhood attention on one axis: query i attends to the w tokens around it,
// also at the ends of the axis, where the window is pushed inwards.
//
//   out_i = sum_{j in A_i} softmax_j(<q_i, k_j> / sqrt(D)) v_j
//   A_i   = { j : j mod d = i mod d and first_i <= j / d < end_i }
//
// With quotients rounded down, r = i mod d the residue class of the query, p = i / d
// its place in it, and L = ceil((N - r) / d) the number of tokens of the class:
//
//   not causal: first_i = max(min(c_i - w / 2, L - w), 0), end_i = first_i + w,
//               c_i = p / s * s + s / 2
//   causal:     first_i = c_i - w + 1, end_i = p + 1,
//               c_i = min(p / s * s + s - 1, L - 1)
//
// A group of s queries shares the window of c_i, in its middle or at its end.
//
// Source: A. Hassani et al., "Neighborhood Attention Transformer", 2023,
//         arXiv:2204.07143, section 3.1; A. Hassani and H. Shi, "Dilated
//         Neighborhood Attention Transformer", 2022, arXiv:2209.15001; A.
//         Hassani et al., "Generalized Neighborhood Attention", 2025,
//         arXiv:2504.16922 (strides). Edges, even windows and classes of unequal
//         length are those of the authors' library NATTEN.
// Shapes: q, k, v, out [B, H, N, D] with D = 64; lse [B, H, N].
// Conventions: w, d, s and whether it is causal are the constants below, with
//   1 <= s <= w and d >= 1. An even window has one token more before the query
//   than behind it. Where w > L a query sees its whole class; NATTEN refuses that.
//   lse_i = log(sum_j exp(s_ij)) over A_i, natural logarithm.

func.func @neighborhood_1d(
    %q: tensor<?x?x?x64xf32> {attn.name = "q", attn.dims = ["B", "H", "N", "D"]},
    %k: tensor<?x?x?x64xf32> {attn.name = "k", attn.dims = ["B", "H", "N", "D"]},
    %v: tensor<?x?x?x64xf32> {attn.name = "v", attn.dims = ["B", "H", "N", "D"]})
    -> (tensor<?x?x?x64xf32> {attn.name = "out"}, tensor<?x?x?xf32> {attn.name = "lse"})
    attributes {attn.defaults = {B = 1, H = 4, N = 256}} {
  %window = arith.constant 64 : index
  %dilation = arith.constant 1 : index
  %stride = arith.constant 1 : index
  %causal = arith.constant false
  %one = arith.constant 1 : index
  %two = arith.constant 2 : index
  %zero = arith.constant 0 : index
  %axis = arith.constant 2 : index
  %out, %lse = attn.attend %q, %k, %v
      mask (%b, %h, %i, %j) {
        %n = tensor.dim %k, %axis : tensor<?x?x?x64xf32>
        %class = arith.remsi %i, %dilation : index
        %key_class = arith.remsi %j, %dilation : index
        %same = arith.cmpi eq, %class, %key_class : index
        %place = arith.divsi %i, %dilation : index
        %key_place = arith.divsi %j, %dilation : index
        // The last place of the class, (N - 1 - class) / d.
        %last_token = arith.subi %n, %one : index
        %span = arith.subi %last_token, %class : index
        %last = arith.divsi %span, %dilation : index
        %length = arith.addi %last, %one : index
        // The middle of the group, and its last query.
        %group = arith.divsi %place, %stride : index
        %group_first = arith.muli %group, %stride : index
        %half_stride = arith.divsi %stride, %two : index
        %middle = arith.addi %group_first, %half_stride : index
        %stride_less = arith.subi %stride, %one : index
        %group_last = arith.addi %group_first, %stride_less : index
        %leader = arith.minsi %group_last, %last : index
        // Around the middle, pushed inwards.
        %left = arith.divsi %window, %two : index
        %centred = arith.subi %middle, %left : index
        %most = arith.subi %length, %window : index
        %before_end = arith.minsi %centred, %most : index
        %around_first = arith.maxsi %before_end, %zero : index
        %around_end = arith.addi %around_first, %window : index
        // Up to the query.
        %behind = arith.subi %leader, %window : index
        %past_first = arith.addi %behind, %one : index
        %past_end = arith.addi %place, %one : index
        %first = arith.select %causal, %past_first, %around_first : index
        %end = arith.select %causal, %past_end, %around_end : index
        %from_first = arith.cmpi sge, %key_place, %first : index
        %before = arith.cmpi slt, %key_place, %end : index
        %near = arith.andi %from_first, %before : i1
        %keep = arith.andi %same, %near : i1
        attn.yield %keep : i1
      }
      : tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>
      -> tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
  return %out, %lse : tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
}
