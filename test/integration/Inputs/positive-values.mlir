// Dense attention over magnitudes of values: an error of one direction in weights
// or values adds up.
func.func @positive_values(
    %q: tensor<?x?x?x64xf32> {attn.name = "q", attn.dims = ["B", "H", "N", "D"]},
    %k: tensor<?x?x?x64xf32> {attn.name = "k", attn.dims = ["B", "H", "N", "D"]},
    %v: tensor<?x?x?x64xf32> {attn.name = "v", attn.dims = ["B", "H", "N", "D"]})
    -> (tensor<?x?x?x64xf32> {attn.name = "out"})
    attributes {attn.defaults = {B = 1, H = 1, N = 300}} {
  %o = attn.attend %q, %k, %v precision(tf32)
      value (%x: tensor<64xf32>, %b, %h, %n) {
        %a = math.absf %x : tensor<64xf32>
        attn.yield %a : tensor<64xf32>
      } : tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32> -> tensor<?x?x?x64xf32>
  return %o : tensor<?x?x?x64xf32>
}
