// Blocks with a halo: the plane is cut into blocks of 8 x 8 queries, and a block
// attends to its tokens and to those up to 3 rows and columns around it.
//
//   out_i = sum_{j in A_i} softmax_j(<q_i, k_j> / sqrt(D)) v_j
//   A_i   = { j : b - 3 <= j_a < b + 8 + 3, b = i_a / 8 * 8, on both axes a }
//
// with quotients rounded down.
//
// Source: A. Vaswani et al., "Scaling Local Self-Attention for Parameter Efficient
//         Visual Backbones", 2021, arXiv:2103.12731 (HaloNet), without its relative
//         positions <q_i, r_(j - i)>, a second product per pair, which the op does not have.
// Shapes: q, k, v, out [B, H, Y, X, D] with D = 64; lse [B, H, Y, X].
// Conventions: the halo is cut where the plane ends. Implementations that pad with
//   zeros, which then take part in the softmax, differ there.
//   lse_i = log(sum_j exp(s_ij)) over A_i, natural logarithm.

func.func @halo(
    %q: tensor<?x?x?x?x64xf32> {attn.name = "q", attn.dims = ["B", "H", "Y", "X", "D"]},
    %k: tensor<?x?x?x?x64xf32> {attn.name = "k", attn.dims = ["B", "H", "Y", "X", "D"]},
    %v: tensor<?x?x?x?x64xf32> {attn.name = "v", attn.dims = ["B", "H", "Y", "X", "D"]})
    -> (tensor<?x?x?x?x64xf32> {attn.name = "out"}, tensor<?x?x?x?xf32> {attn.name = "lse"})
    attributes {attn.defaults = {B = 1, H = 2, Y = 20, X = 24}} {
  %block = arith.constant 8 : index
  %halo = arith.constant 3 : index
  %out, %lse = attn.attend %q, %k, %v
      mask (%b, %h, %iy, %ix, %jy, %jx) {
        %halos = arith.addi %halo, %halo : index
        %size = arith.addi %block, %halos : index
        %block_y = arith.divsi %iy, %block : index
        %begin_y = arith.muli %block_y, %block : index
        %first_y = arith.subi %begin_y, %halo : index
        %end_y = arith.addi %first_y, %size : index
        %from_y = arith.cmpi sge, %jy, %first_y : index
        %before_y = arith.cmpi slt, %jy, %end_y : index
        %near_y = arith.andi %from_y, %before_y : i1
        %block_x = arith.divsi %ix, %block : index
        %begin_x = arith.muli %block_x, %block : index
        %first_x = arith.subi %begin_x, %halo : index
        %end_x = arith.addi %first_x, %size : index
        %from_x = arith.cmpi sge, %jx, %first_x : index
        %before_x = arith.cmpi slt, %jx, %end_x : index
        %near_x = arith.andi %from_x, %before_x : i1
        %keep = arith.andi %near_y, %near_x : i1
        attn.yield %keep : i1
      }
      : tensor<?x?x?x?x64xf32>, tensor<?x?x?x?x64xf32>, tensor<?x?x?x?x64xf32>
      -> tensor<?x?x?x?x64xf32>, tensor<?x?x?x?xf32>
  return %out, %lse : tensor<?x?x?x?x64xf32>, tensor<?x?x?x?xf32>
}
