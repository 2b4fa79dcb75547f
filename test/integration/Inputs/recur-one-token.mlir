// One token, which is known when the kernel is compiled: a single chunk.

func.func @gla(
    %q: tensor<?x?x1x64xf32> {attn.name = "q", attn.dims = ["B", "H", "N", "D"]},
    %k: tensor<?x?x1x64xf32> {attn.name = "k", attn.dims = ["B", "H", "N", "D"]},
    %v: tensor<?x?x1x128xf32> {attn.name = "v", attn.dims = ["B", "H", "N", "Dv"]},
    %g: tensor<?x?x1x64xf32> {attn.name = "g", attn.dims = ["B", "H", "N", "D"], attn.fill = "decay"},
    %h0: tensor<?x?x64x128xf32> {attn.name = "h0", attn.dims = ["B", "H", "D", "Dv"]})
    -> (tensor<?x?x1x128xf32> {attn.name = "out"}, tensor<?x?x64x128xf32> {attn.name = "ht"})
    attributes {attn.defaults = {B = 1, H = 4, N = 1}} {
  %out, %ht = attn.recur %q, %k, %v gate(%g : tensor<?x?x1x64xf32>)
      initial(%h0 : tensor<?x?x64x128xf32>) scale(0.125)
      : tensor<?x?x1x64xf32>, tensor<?x?x1x64xf32>, tensor<?x?x1x128xf32>
      -> tensor<?x?x1x128xf32>, tensor<?x?x64x128xf32>
  return %out, %ht : tensor<?x?x1x128xf32>, tensor<?x?x64x128xf32>
}
