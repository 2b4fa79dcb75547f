// One segment of one head, whose kernel is a single block, and a row map behind it,
// which makes 1 of the rows of 0 that belong to no segment.
func.func @one_block(
    %q: tensor<1x1x40x16xf32> {attn.name = "q", attn.dims = ["B", "H", "N", "D"], attn.fill = "uniform"},
    %c: tensor<2xi64> {attn.name = "c", attn.fill = "below 30"},
    %h0: tensor<1x1x16x16xf32> {attn.name = "h0", attn.fill = "uniform"})
    -> (tensor<1x1x40x16xf32> {attn.name = "out"}, tensor<1x1x16x16xf32> {attn.name = "ht"}) {
  %o, %s = attn.recur %q, %q, %q initial(%h0 : tensor<1x1x16x16xf32>) segments(%c : tensor<2xi64>) scale(0.01)
      : tensor<1x1x40x16xf32>, tensor<1x1x40x16xf32>, tensor<1x1x40x16xf32> -> tensor<1x1x40x16xf32>, tensor<1x1x16x16xf32>
  %m = attn.map_rows %o rows (%x: tensor<16xf32>, %b, %h, %i) {
    %y = math.exp %x : tensor<16xf32>
    attn.yield %y : tensor<16xf32>
  } : tensor<1x1x40x16xf32> -> tensor<1x1x40x16xf32>
  return %m, %s : tensor<1x1x40x16xf32>, tensor<1x1x16x16xf32>
}
