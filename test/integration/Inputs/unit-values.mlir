// Attention over the signs of values: x / |x|, NaN where a value is 0.
func.func @unit_values(
    %q: tensor<?x?x?x8xf32> {attn.name = "q", attn.dims = ["B", "H", "N", "D"]},
    %k: tensor<?x?x?x8xf32> {attn.name = "k", attn.dims = ["B", "H", "N", "D"]},
    %v: tensor<?x?x?x8xf32> {attn.name = "v", attn.dims = ["B", "H", "N", "D"]})
    -> (tensor<?x?x?x8xf32> {attn.name = "out"})
    attributes {attn.defaults = {B = 1, H = 2, N = 19}} {
  %o = attn.attend %q, %k, %v
      value (%x: tensor<8xf32>, %b, %h, %n) {
        %a = math.absf %x : tensor<8xf32>
        %y = arith.divf %x, %a : tensor<8xf32>
        attn.yield %y : tensor<8xf32>
      } : tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32> -> tensor<?x?x?x8xf32>
  return %o : tensor<?x?x?x8xf32>
}
