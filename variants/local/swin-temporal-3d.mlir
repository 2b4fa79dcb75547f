// Shifted windows of a video, with a learned bias: 8 frames of 7 x 7 tokens.
//
//   s_ij  = <q_i, k_j> / sqrt(D) + bias[((dt + 7) 13 + dy + 6) 13 + dx + 6, h]
//   out_i = sum_{g_a(i_a) = g_a(j_a) on all axes a} softmax_j(s_ij) v_j
//   g_a(x) = (x + w_a - t_a) / w_a
//
// with (dt, dy, dx) = i - j and quotients rounded down; see swin-shifted.
//
// Source: Z. Liu et al., "Video Swin Transformer", 2022, arXiv:2106.13230, section
//         3.2; with windows of many frames and few tokens, H. Wang et al., "LinGen",
//         2024, arXiv:2412.09856 (temporal Swin attention).
// Shapes: q, k, v, out [B, H, T, Y, X, D] with D = 32; lse [B, H, T, Y, X];
//   bias [R, H] with R = 15 * 13 * 13.
// Conventions: windows w = (8, 7, 7) and shifts t = (4, 3, 3); shifts of 0 are the
//   layers without. An axis that is not longer than its window is not shifted. Windows
//   are cut where the video ends; the authors' code pads.
//   lse_i = log(sum_j exp(s_ij)) over the window, natural logarithm.

func.func @swin_temporal_3d(
    %q: tensor<?x?x?x?x?x32xf32> {attn.name = "q", attn.dims = ["B", "H", "T", "Y", "X", "D"]},
    %k: tensor<?x?x?x?x?x32xf32> {attn.name = "k", attn.dims = ["B", "H", "T", "Y", "X", "D"]},
    %v: tensor<?x?x?x?x?x32xf32> {attn.name = "v", attn.dims = ["B", "H", "T", "Y", "X", "D"]},
    %bias: tensor<2535x?xf32> {attn.name = "bias", attn.dims = ["R", "H"]})
    -> (tensor<?x?x?x?x?x32xf32> {attn.name = "out"}, tensor<?x?x?x?x?xf32> {attn.name = "lse"})
    attributes {attn.defaults = {B = 1, H = 3, T = 10, Y = 8, X = 9}} {
  %window_t = arith.constant 8 : index
  %window_y = arith.constant 7 : index
  %window_x = arith.constant 7 : index
  %shift_t = arith.constant 4 : index
  %shift_y = arith.constant 3 : index
  %shift_x = arith.constant 3 : index
  %one = arith.constant 1 : index
  %zero = arith.constant 0 : index
  %axis_t = arith.constant 2 : index
  %axis_y = arith.constant 3 : index
  %axis_x = arith.constant 4 : index
  %out, %lse = attn.attend %q, %k, %v
      score (%s: f32, %b, %h, %it, %iy, %ix, %jt, %jy, %jx) {
        %reach_t = arith.subi %window_t, %one : index
        %span_t = arith.addi %window_t, %reach_t : index
        %reach_y = arith.subi %window_y, %one : index
        %span_y = arith.addi %window_y, %reach_y : index
        %reach_x = arith.subi %window_x, %one : index
        %span_x = arith.addi %window_x, %reach_x : index
        %after_t = arith.subi %it, %jt : index
        %shifted_t = arith.addi %after_t, %reach_t : index
        %after_y = arith.subi %iy, %jy : index
        %shifted_y = arith.addi %after_y, %reach_y : index
        %rows_y = arith.muli %shifted_t, %span_y : index
        %place_y = arith.addi %rows_y, %shifted_y : index
        %after_x = arith.subi %ix, %jx : index
        %shifted_x = arith.addi %after_x, %reach_x : index
        %rows_x = arith.muli %place_y, %span_x : index
        %place_x = arith.addi %rows_x, %shifted_x : index
        %learned = tensor.extract %bias[%place_x, %h] : tensor<2535x?xf32>
        %biased = arith.addf %s, %learned : f32
        attn.yield %biased : f32
      }
      mask (%b, %h, %it, %iy, %ix, %jt, %jy, %jx) {
        %n_t = tensor.dim %k, %axis_t : tensor<?x?x?x?x?x32xf32>
        %whole_t = arith.cmpi sle, %n_t, %window_t : index
        %shift_of_t = arith.select %whole_t, %zero, %shift_t : index
        %lead_t = arith.subi %window_t, %shift_of_t : index
        %from_t = arith.addi %it, %lead_t : index
        %key_from_t = arith.addi %jt, %lead_t : index
        %segment_t = arith.divsi %from_t, %window_t : index
        %key_segment_t = arith.divsi %key_from_t, %window_t : index
        %same_t = arith.cmpi eq, %segment_t, %key_segment_t : index
        %n_y = tensor.dim %k, %axis_y : tensor<?x?x?x?x?x32xf32>
        %whole_y = arith.cmpi sle, %n_y, %window_y : index
        %shift_of_y = arith.select %whole_y, %zero, %shift_y : index
        %lead_y = arith.subi %window_y, %shift_of_y : index
        %from_y = arith.addi %iy, %lead_y : index
        %key_from_y = arith.addi %jy, %lead_y : index
        %segment_y = arith.divsi %from_y, %window_y : index
        %key_segment_y = arith.divsi %key_from_y, %window_y : index
        %same_y = arith.cmpi eq, %segment_y, %key_segment_y : index
        %n_x = tensor.dim %k, %axis_x : tensor<?x?x?x?x?x32xf32>
        %whole_x = arith.cmpi sle, %n_x, %window_x : index
        %shift_of_x = arith.select %whole_x, %zero, %shift_x : index
        %lead_x = arith.subi %window_x, %shift_of_x : index
        %from_x = arith.addi %ix, %lead_x : index
        %key_from_x = arith.addi %jx, %lead_x : index
        %segment_x = arith.divsi %from_x, %window_x : index
        %key_segment_x = arith.divsi %key_from_x, %window_x : index
        %same_x = arith.cmpi eq, %segment_x, %key_segment_x : index
        %same_ty = arith.andi %same_t, %same_y : i1
        %keep = arith.andi %same_ty, %same_x : i1
        attn.yield %keep : i1
      }
      : tensor<?x?x?x?x?x32xf32>, tensor<?x?x?x?x?x32xf32>, tensor<?x?x?x?x?x32xf32>
      -> tensor<?x?x?x?x?x32xf32>, tensor<?x?x?x?x?xf32>
  return %out, %lse : tensor<?x?x?x?x?x32xf32>, tensor<?x?x?x?x?xf32>
}
