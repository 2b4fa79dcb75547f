// Neighborhood attention in a video: a token attends to the 7 x 7 tokens around it, of
// its own frame and of the three frames before.
//
//   out_i = sum_{j in A_i} softmax_j(<q_i, k_j> / sqrt(D)) v_j
//   A_i   = { j : j_t in A_t(i_t) and j_y in A_y(i_y) and j_x in A_x(i_x) }
//
// A_t, A_y and A_x are the sets A of neighborhood-1d along the frames, the rows and the
// columns; along the frames it is causal.
//
// Source: A. Hassani et al., "Neighborhood Attention Transformer", 2023,
//         arXiv:2204.07143, section 3.1; A. Hassani and H. Shi, "Dilated
//         Neighborhood Attention Transformer", 2022, arXiv:2209.15001; A.
//         Hassani et al., "Generalized Neighborhood Attention", 2025,
//         arXiv:2504.16922 (strides). Edges, even windows and classes of unequal
//         length are those of the authors' library NATTEN.
// Shapes: q, k, v, out [B, H, T, Y, X, D] with D = 64; lse [B, H, T, Y, X].
// Conventions: window, dilation, stride and whether it is causal are constants of
//   each axis, with 1 <= stride <= window. A window that is larger than the tokens of
//   a class sees all of them; NATTEN refuses that.
//   lse_i = log(sum_j exp(s_ij)) over A_i, natural logarithm.

func.func @neighborhood_3d(
    %q: tensor<?x?x?x?x?x64xf32> {attn.name = "q", attn.dims = ["B", "H", "T", "Y", "X", "D"]},
    %k: tensor<?x?x?x?x?x64xf32> {attn.name = "k", attn.dims = ["B", "H", "T", "Y", "X", "D"]},
    %v: tensor<?x?x?x?x?x64xf32> {attn.name = "v", attn.dims = ["B", "H", "T", "Y", "X", "D"]})
    -> (tensor<?x?x?x?x?x64xf32> {attn.name = "out"}, tensor<?x?x?x?x?xf32> {attn.name = "lse"})
    attributes {attn.defaults = {B = 1, H = 2, T = 5, Y = 9, X = 10}} {
  %window_t = arith.constant 4 : index
  %window_y = arith.constant 7 : index
  %window_x = arith.constant 7 : index
  %dilation_t = arith.constant 1 : index
  %dilation_y = arith.constant 1 : index
  %dilation_x = arith.constant 1 : index
  %stride_t = arith.constant 1 : index
  %stride_y = arith.constant 1 : index
  %stride_x = arith.constant 1 : index
  %causal_t = arith.constant true
  %causal_y = arith.constant false
  %causal_x = arith.constant false
  %one = arith.constant 1 : index
  %two = arith.constant 2 : index
  %zero = arith.constant 0 : index
  %axis_t = arith.constant 2 : index
  %axis_y = arith.constant 3 : index
  %axis_x = arith.constant 4 : index
  %out, %lse = attn.attend %q, %k, %v
      mask (%b, %h, %it, %iy, %ix, %jt, %jy, %jx) {
        // Along the frames, as in neighborhood-1d.
        %n_t = tensor.dim %k, %axis_t : tensor<?x?x?x?x?x64xf32>
        %class_t = arith.remsi %it, %dilation_t : index
        %key_class_t = arith.remsi %jt, %dilation_t : index
        %same_t = arith.cmpi eq, %class_t, %key_class_t : index
        %place_t = arith.divsi %it, %dilation_t : index
        %key_place_t = arith.divsi %jt, %dilation_t : index
        %last_token_t = arith.subi %n_t, %one : index
        %span_t = arith.subi %last_token_t, %class_t : index
        %last_t = arith.divsi %span_t, %dilation_t : index
        %length_t = arith.addi %last_t, %one : index
        %group_t = arith.divsi %place_t, %stride_t : index
        %group_first_t = arith.muli %group_t, %stride_t : index
        %half_stride_t = arith.divsi %stride_t, %two : index
        %middle_t = arith.addi %group_first_t, %half_stride_t : index
        %stride_less_t = arith.subi %stride_t, %one : index
        %group_last_t = arith.addi %group_first_t, %stride_less_t : index
        %leader_t = arith.minsi %group_last_t, %last_t : index
        %left_t = arith.divsi %window_t, %two : index
        %centred_t = arith.subi %middle_t, %left_t : index
        %most_t = arith.subi %length_t, %window_t : index
        %before_end_t = arith.minsi %centred_t, %most_t : index
        %around_first_t = arith.maxsi %before_end_t, %zero : index
        %around_end_t = arith.addi %around_first_t, %window_t : index
        %behind_t = arith.subi %leader_t, %window_t : index
        %past_first_t = arith.addi %behind_t, %one : index
        %past_end_t = arith.addi %place_t, %one : index
        %first_t = arith.select %causal_t, %past_first_t, %around_first_t : index
        %end_t = arith.select %causal_t, %past_end_t, %around_end_t : index
        %from_first_t = arith.cmpi sge, %key_place_t, %first_t : index
        %before_t = arith.cmpi slt, %key_place_t, %end_t : index
        %near_t = arith.andi %from_first_t, %before_t : i1
        %keep_t = arith.andi %same_t, %near_t : i1
        // Along the rows, as in neighborhood-1d.
        %n_y = tensor.dim %k, %axis_y : tensor<?x?x?x?x?x64xf32>
        %class_y = arith.remsi %iy, %dilation_y : index
        %key_class_y = arith.remsi %jy, %dilation_y : index
        %same_y = arith.cmpi eq, %class_y, %key_class_y : index
        %place_y = arith.divsi %iy, %dilation_y : index
        %key_place_y = arith.divsi %jy, %dilation_y : index
        %last_token_y = arith.subi %n_y, %one : index
        %span_y = arith.subi %last_token_y, %class_y : index
        %last_y = arith.divsi %span_y, %dilation_y : index
        %length_y = arith.addi %last_y, %one : index
        %group_y = arith.divsi %place_y, %stride_y : index
        %group_first_y = arith.muli %group_y, %stride_y : index
        %half_stride_y = arith.divsi %stride_y, %two : index
        %middle_y = arith.addi %group_first_y, %half_stride_y : index
        %stride_less_y = arith.subi %stride_y, %one : index
        %group_last_y = arith.addi %group_first_y, %stride_less_y : index
        %leader_y = arith.minsi %group_last_y, %last_y : index
        %left_y = arith.divsi %window_y, %two : index
        %centred_y = arith.subi %middle_y, %left_y : index
        %most_y = arith.subi %length_y, %window_y : index
        %before_end_y = arith.minsi %centred_y, %most_y : index
        %around_first_y = arith.maxsi %before_end_y, %zero : index
        %around_end_y = arith.addi %around_first_y, %window_y : index
        %behind_y = arith.subi %leader_y, %window_y : index
        %past_first_y = arith.addi %behind_y, %one : index
        %past_end_y = arith.addi %place_y, %one : index
        %first_y = arith.select %causal_y, %past_first_y, %around_first_y : index
        %end_y = arith.select %causal_y, %past_end_y, %around_end_y : index
        %from_first_y = arith.cmpi sge, %key_place_y, %first_y : index
        %before_y = arith.cmpi slt, %key_place_y, %end_y : index
        %near_y = arith.andi %from_first_y, %before_y : i1
        %keep_y = arith.andi %same_y, %near_y : i1
        // Along the columns, as in neighborhood-1d.
        %n_x = tensor.dim %k, %axis_x : tensor<?x?x?x?x?x64xf32>
        %class_x = arith.remsi %ix, %dilation_x : index
        %key_class_x = arith.remsi %jx, %dilation_x : index
        %same_x = arith.cmpi eq, %class_x, %key_class_x : index
        %place_x = arith.divsi %ix, %dilation_x : index
        %key_place_x = arith.divsi %jx, %dilation_x : index
        %last_token_x = arith.subi %n_x, %one : index
        %span_x = arith.subi %last_token_x, %class_x : index
        %last_x = arith.divsi %span_x, %dilation_x : index
        %length_x = arith.addi %last_x, %one : index
        %group_x = arith.divsi %place_x, %stride_x : index
        %group_first_x = arith.muli %group_x, %stride_x : index
        %half_stride_x = arith.divsi %stride_x, %two : index
        %middle_x = arith.addi %group_first_x, %half_stride_x : index
        %stride_less_x = arith.subi %stride_x, %one : index
        %group_last_x = arith.addi %group_first_x, %stride_less_x : index
        %leader_x = arith.minsi %group_last_x, %last_x : index
        %left_x = arith.divsi %window_x, %two : index
        %centred_x = arith.subi %middle_x, %left_x : index
        %most_x = arith.subi %length_x, %window_x : index
        %before_end_x = arith.minsi %centred_x, %most_x : index
        %around_first_x = arith.maxsi %before_end_x, %zero : index
        %around_end_x = arith.addi %around_first_x, %window_x : index
        %behind_x = arith.subi %leader_x, %window_x : index
        %past_first_x = arith.addi %behind_x, %one : index
        %past_end_x = arith.addi %place_x, %one : index
        %first_x = arith.select %causal_x, %past_first_x, %around_first_x : index
        %end_x = arith.select %causal_x, %past_end_x, %around_end_x : index
        %from_first_x = arith.cmpi sge, %key_place_x, %first_x : index
        %before_x = arith.cmpi slt, %key_place_x, %end_x : index
        %near_x = arith.andi %from_first_x, %before_x : i1
        %keep_x = arith.andi %same_x, %near_x : i1
        %keep_ty = arith.andi %keep_t, %keep_y : i1
        %keep = arith.andi %keep_ty, %keep_x : i1
        attn.yield %keep : i1
      }
      : tensor<?x?x?x?x?x64xf32>, tensor<?x?x?x?x?x64xf32>, tensor<?x?x?x?x?x64xf32>
      -> tensor<?x?x?x?x?x64xf32>, tensor<?x?x?x?x?xf32>
  return %out, %lse : tensor<?x?x?x?x?x64xf32>, tensor<?x?x?x?x?xf32>
}
