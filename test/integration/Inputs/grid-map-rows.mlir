// A row map on a grid of three axes that stays an op of its own: each feature
// times a table by the first axis, plus numbers by the other two.
func.func @map(
    %x: tensor<?x?x?x?x?x24xf32> {attn.name = "x", attn.dims = ["B", "H", "Z", "Y", "X", "D"]},
    %table: tensor<?x24xf32> {attn.name = "table", attn.dims = ["Z", "D"]},
    %columns: tensor<?x?xf32> {attn.name = "columns", attn.dims = ["X", "Y"]})
    -> (tensor<?x?x?x?x?x24xf32> {attn.name = "out"})
    attributes {attn.defaults = {B = 2, H = 2, Z = 3, Y = 5, X = 19}} {
  %out = attn.map_rows %x rows (%r: tensor<24xf32>, %b, %h, %iz, %iy, %ix) {
    %t = tensor.extract_slice %table[%iz, 0] [1, 24] [1, 1] : tensor<?x24xf32> to tensor<24xf32>
    %c = tensor.extract %columns[%ix, %iy] : tensor<?x?xf32>
    %cs = tensor.splat %c : tensor<24xf32>
    %p = arith.mulf %r, %t : tensor<24xf32>
    %s = arith.addf %p, %cs : tensor<24xf32>
    attn.yield %s : tensor<24xf32>
  } : tensor<?x?x?x?x?x24xf32> -> tensor<?x?x?x?x?x24xf32>
  return %out : tensor<?x?x?x?x?x24xf32>
}
