// All tokens are one chunk, which is known when the kernel is compiled.
func.func @f(%q: tensor<?x?x20x16xf32> {attn.name = "q", attn.dims = ["B","H","N","D"]}, %k: tensor<?x?x20x16xf32> {attn.name = "k", attn.dims = ["B","H","N","D"]}, %v: tensor<?x?x20x16xf32> {attn.name = "v", attn.dims = ["B","H","N","D"]}) -> (tensor<?x?x20x16xf32> {attn.name = "out"}) attributes {attn.defaults = {B = 2, H = 2}} {
  %o = attn.recur %q, %k, %v read(after) order(bidirectional) : tensor<?x?x20x16xf32>, tensor<?x?x20x16xf32>, tensor<?x?x20x16xf32> -> tensor<?x?x20x16xf32>
  return %o : tensor<?x?x20x16xf32>
}
