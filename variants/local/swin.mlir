// Windows with a learned bias: the plane is cut into windows of w x w tokens that
// attend to themselves.
//
//   s_ij  = <q_i, k_j> / sqrt(D) + bias[(dy + w - 1) (2 w - 1) + dx + w - 1, h]
//   out_i = sum_{i_y / w = j_y / w, i_x / w = j_x / w} softmax_j(s_ij) v_j
//
// with (dy, dx) = i - j and quotients rounded down.
//
// Source: Z. Liu et al., "Swin Transformer: Hierarchical Vision Transformer using
//         Shifted Windows", 2021, arXiv:2103.14030, section 3.2.
// Shapes: q, k, v, out [B, H, Y, X, D] with D = 32; lse [B, H, Y, X];
//   bias [R, H] with R = (2 w - 1)^2.
// Conventions: w = 7. The last windows of a row and of a column are smaller where w
//   does not divide its length; implementations pad, and let the padding take part.
//   lse_i = log(sum_j exp(s_ij)) over the window, natural logarithm.

func.func @swin(
    %q: tensor<?x?x?x?x32xf32> {attn.name = "q", attn.dims = ["B", "H", "Y", "X", "D"]},
    %k: tensor<?x?x?x?x32xf32> {attn.name = "k", attn.dims = ["B", "H", "Y", "X", "D"]},
    %v: tensor<?x?x?x?x32xf32> {attn.name = "v", attn.dims = ["B", "H", "Y", "X", "D"]},
    %bias: tensor<169x?xf32> {attn.name = "bias", attn.dims = ["R", "H"]})
    -> (tensor<?x?x?x?x32xf32> {attn.name = "out"}, tensor<?x?x?x?xf32> {attn.name = "lse"})
    attributes {attn.defaults = {B = 1, H = 3, Y = 16, X = 20}} {
  %window = arith.constant 7 : index
  %one = arith.constant 1 : index
  %out, %lse = attn.attend %q, %k, %v
      score (%s: f32, %b, %h, %iy, %ix, %jy, %jx) {
        %reach = arith.subi %window, %one : index
        %span = arith.addi %window, %reach : index
        %after_y = arith.subi %iy, %jy : index
        %shifted_y = arith.addi %after_y, %reach : index
        %after_x = arith.subi %ix, %jx : index
        %shifted_x = arith.addi %after_x, %reach : index
        %rows_x = arith.muli %shifted_y, %span : index
        %place_x = arith.addi %rows_x, %shifted_x : index
        %learned = tensor.extract %bias[%place_x, %h] : tensor<169x?xf32>
        %biased = arith.addf %s, %learned : f32
        attn.yield %biased : f32
      }
      mask (%b, %h, %iy, %ix, %jy, %jx) {
        %segment_y = arith.divsi %iy, %window : index
        %key_segment_y = arith.divsi %jy, %window : index
        %same_y = arith.cmpi eq, %segment_y, %key_segment_y : index
        %segment_x = arith.divsi %ix, %window : index
        %key_segment_x = arith.divsi %jx, %window : index
        %same_x = arith.cmpi eq, %segment_x, %key_segment_x : index
        %keep = arith.andi %same_y, %same_x : i1
        attn.yield %keep : i1
      }
      : tensor<?x?x?x?x32xf32>, tensor<?x?x?x?x32xf32>, tensor<?x?x?x?x32xf32>
      -> tensor<?x?x?x?x32xf32>, tensor<?x?x?x?xf32>
  return %out, %lse : tensor<?x?x?x?x32xf32>, tensor<?x?x?x?xf32>
}
