// Image tokens that see a disc around them and the text; text that sees everything.
//
//   out_i = sum_{j in A_i} softmax_j(<q_i, k_j> / sqrt(D)) v_j
//   A_i   = { j : i or j is text, or (i_y - j_y)^2 + (i_x - j_x)^2 < r^2 }
//
// Source: S. Liu, Z. Tan, X. Wang, "CLEAR: Conv-Like Linearization Revs Pre-Trained
//         Diffusion Transformers Up", 2024, arXiv:2412.16112, without its keys of
//         lower resolution.
// Shapes: q, k, v, out [B, H, Y, X, D] with D = 64; lse [B, H, Y, X].
// Conventions: r = 8. The joint sequence of text and image is one grid, as wide as the
//   image: its first 8 rows hold the text. With images of 64 x 64 tokens that is a text
//   of 512 tokens, and the grid is a view of the sequence [B, H, 512 + 4096, D].
//   lse_i = log(sum_j exp(s_ij)) over A_i, natural logarithm.

func.func @clear(
    %q: tensor<?x?x?x?x64xf32> {attn.name = "q", attn.dims = ["B", "H", "Y", "X", "D"]},
    %k: tensor<?x?x?x?x64xf32> {attn.name = "k", attn.dims = ["B", "H", "Y", "X", "D"]},
    %v: tensor<?x?x?x?x64xf32> {attn.name = "v", attn.dims = ["B", "H", "Y", "X", "D"]})
    -> (tensor<?x?x?x?x64xf32> {attn.name = "out"}, tensor<?x?x?x?xf32> {attn.name = "lse"})
    attributes {attn.defaults = {B = 1, H = 2, Y = 24, X = 20}} {
  %text_rows = arith.constant 8 : index
  %radius = arith.constant 8 : index
  %out, %lse = attn.attend %q, %k, %v
      mask (%b, %h, %iy, %ix, %jy, %jx) {
        %from_text = arith.cmpi slt, %iy, %text_rows : index
        %to_text = arith.cmpi slt, %jy, %text_rows : index
        %text = arith.ori %from_text, %to_text : i1
        %dy = arith.subi %iy, %jy : index
        %dx = arith.subi %ix, %jx : index
        %dy_squared = arith.muli %dy, %dy : index
        %dx_squared = arith.muli %dx, %dx : index
        %distance = arith.addi %dy_squared, %dx_squared : index
        %reach = arith.muli %radius, %radius : index
        %near = arith.cmpi slt, %distance, %reach : index
        %keep = arith.ori %text, %near : i1
        attn.yield %keep : i1
      }
      : tensor<?x?x?x?x64xf32>, tensor<?x?x?x?x64xf32>, tensor<?x?x?x?x64xf32>
      -> tensor<?x?x?x?x64xf32>, tensor<?x?x?x?xf32>
  return %out, %lse : tensor<?x?x?x?x64xf32>, tensor<?x?x?x?xf32>
}
