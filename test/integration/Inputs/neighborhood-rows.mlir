// Neighborhood attention with windows of 13 x 13 on a grid of 128 columns, whose
// tokens are one row-major axis: what boxes of grids are compared with. The mask
// is that of variants/local/neighborhood-2d.mlir, by quotients and remainders.
func.func @neighborhood_rows(
    %q: tensor<?x?x?x64xf32> {attn.name = "q", attn.dims = ["B", "H", "N", "D"]},
    %k: tensor<?x?x?x64xf32> {attn.name = "k", attn.dims = ["B", "H", "N", "D"]},
    %v: tensor<?x?x?x64xf32> {attn.name = "v", attn.dims = ["B", "H", "N", "D"]})
    -> (tensor<?x?x?x64xf32> {attn.name = "out"})
    attributes {attn.defaults = {B = 1, H = 1, N = 2560}} {
  %columns = arith.constant 128 : index
  %window = arith.constant 13 : index
  %left = arith.constant 6 : index
  %zero = arith.constant 0 : index
  %axis = arith.constant 2 : index
  %tokens = tensor.dim %k, %axis : tensor<?x?x?x64xf32>
  %rows = arith.divui %tokens, %columns : index
  %most_y = arith.subi %rows, %window : index
  %most_x = arith.subi %columns, %window : index
  %out = attn.attend %q, %k, %v
      mask (%b, %h, %i, %j) {
        %iy = arith.divui %i, %columns : index
        %jy = arith.divui %j, %columns : index
        %centred_y = arith.subi %iy, %left : index
        %before_end_y = arith.minsi %centred_y, %most_y : index
        %first_y = arith.maxsi %before_end_y, %zero : index
        %end_y = arith.addi %first_y, %window : index
        %from_y = arith.cmpi sge, %jy, %first_y : index
        %before_y = arith.cmpi slt, %jy, %end_y : index
        %near_y = arith.andi %from_y, %before_y : i1
        %ix = arith.remui %i, %columns : index
        %jx = arith.remui %j, %columns : index
        %centred_x = arith.subi %ix, %left : index
        %before_end_x = arith.minsi %centred_x, %most_x : index
        %first_x = arith.maxsi %before_end_x, %zero : index
        %end_x = arith.addi %first_x, %window : index
        %from_x = arith.cmpi sge, %jx, %first_x : index
        %before_x = arith.cmpi slt, %jx, %end_x : index
        %near_x = arith.andi %from_x, %before_x : i1
        %keep = arith.andi %near_y, %near_x : i1
        attn.yield %keep : i1
      }
      : tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32> -> tensor<?x?x?x64xf32>
  return %out : tensor<?x?x?x64xf32>
}
