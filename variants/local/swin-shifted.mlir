// Shifted windows with a learned bias: as swin, with the first window of an axis
// shorter, so that borders of windows lie inside of those of the layer before.
//
//   s_ij  = <q_i, k_j> / sqrt(D) + bias[(dy + w - 1) (2 w - 1) + dx + w - 1, h]
//   out_i = sum_{g(i_y) = g(j_y), g(i_x) = g(j_x)} softmax_j(s_ij) v_j
//   g(x)  = (x + w - t) / w
//
// with (dy, dx) = i - j and quotients rounded down. To roll the plane by -t, to cut it
// into equal windows and to mask what the roll brought together is the same.
//
// Source: Z. Liu et al., "Swin Transformer: Hierarchical Vision Transformer using
//         Shifted Windows", 2021, arXiv:2103.14030, section 3.2 and figure 4.
// Shapes: q, k, v, out [B, H, Y, X, D] with D = 32; lse [B, H, Y, X];
//   bias [R, H] with R = (2 w - 1)^2.
// Conventions: w = 7, and t = 3 is the shift; an axis that is not longer than the window
//   is not shifted. Pairs of different windows are masked, where the authors' code
//   subtracts 100 from their scores. Windows are cut where the plane ends; the code
//   pads, and lets the padding take part.
//   lse_i = log(sum_j exp(s_ij)) over the window, natural logarithm.

func.func @swin_shifted(
    %q: tensor<?x?x?x?x32xf32> {attn.name = "q", attn.dims = ["B", "H", "Y", "X", "D"]},
    %k: tensor<?x?x?x?x32xf32> {attn.name = "k", attn.dims = ["B", "H", "Y", "X", "D"]},
    %v: tensor<?x?x?x?x32xf32> {attn.name = "v", attn.dims = ["B", "H", "Y", "X", "D"]},
    %bias: tensor<169x?xf32> {attn.name = "bias", attn.dims = ["R", "H"]})
    -> (tensor<?x?x?x?x32xf32> {attn.name = "out"}, tensor<?x?x?x?xf32> {attn.name = "lse"})
    attributes {attn.defaults = {B = 1, H = 3, Y = 16, X = 20}} {
  %window = arith.constant 7 : index
  %shift = arith.constant 3 : index
  %one = arith.constant 1 : index
  %zero = arith.constant 0 : index
  %axis_y = arith.constant 2 : index
  %axis_x = arith.constant 3 : index
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
        %n_y = tensor.dim %k, %axis_y : tensor<?x?x?x?x32xf32>
        %whole_y = arith.cmpi sle, %n_y, %window : index
        %shift_of_y = arith.select %whole_y, %zero, %shift : index
        %lead_y = arith.subi %window, %shift_of_y : index
        %from_y = arith.addi %iy, %lead_y : index
        %key_from_y = arith.addi %jy, %lead_y : index
        %segment_y = arith.divsi %from_y, %window : index
        %key_segment_y = arith.divsi %key_from_y, %window : index
        %same_y = arith.cmpi eq, %segment_y, %key_segment_y : index
        %n_x = tensor.dim %k, %axis_x : tensor<?x?x?x?x32xf32>
        %whole_x = arith.cmpi sle, %n_x, %window : index
        %shift_of_x = arith.select %whole_x, %zero, %shift : index
        %lead_x = arith.subi %window, %shift_of_x : index
        %from_x = arith.addi %ix, %lead_x : index
        %key_from_x = arith.addi %jx, %lead_x : index
        %segment_x = arith.divsi %from_x, %window : index
        %key_segment_x = arith.divsi %key_from_x, %window : index
        %same_x = arith.cmpi eq, %segment_x, %key_segment_x : index
        %keep = arith.andi %same_y, %same_x : i1
        attn.yield %keep : i1
      }
      : tensor<?x?x?x?x32xf32>, tensor<?x?x?x?x32xf32>, tensor<?x?x?x?x32xf32>
      -> tensor<?x?x?x?x32xf32>, tensor<?x?x?x?xf32>
  return %out, %lse : tensor<?x?x?x?x32xf32>, tensor<?x?x?x?xf32>
}
