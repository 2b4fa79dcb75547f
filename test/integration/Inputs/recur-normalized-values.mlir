// Values that are divided by their norm: rows behind the last token, which are 0,
// must not reach others as NaN.
func.func @f(%q: tensor<?x?x?x16xf32> {attn.name = "q", attn.dims = ["B","H","N","D"]}, %k: tensor<?x?x?x16xf32> {attn.name = "k", attn.dims = ["B","H","N","D"]}, %v: tensor<?x?x?x16xf32> {attn.name = "v", attn.dims = ["B","H","N","D"]}) -> (tensor<?x?x?x16xf32> {attn.name = "out"}, tensor<?x?x16x16xf32> {attn.name = "st"}) attributes {attn.defaults = {B = 1, H = 1, N = 17}} {
  %o, %s = attn.recur %q, %k, %v 
      value (%x: tensor<16xf32>, %b, %h, %n) {
        %sq = arith.mulf %x, %x : tensor<16xf32>
        %ss = attn.reduce_row sum %sq : tensor<16xf32>
        %r = math.sqrt %ss : f32
        %rr = tensor.splat %r : tensor<16xf32>
        %y = arith.divf %x, %rr : tensor<16xf32>
        attn.yield %y : tensor<16xf32>
      } : tensor<?x?x?x16xf32>, tensor<?x?x?x16xf32>, tensor<?x?x?x16xf32> -> tensor<?x?x?x16xf32>, tensor<?x?x16x16xf32>
  return %o, %s : tensor<?x?x?x16xf32>, tensor<?x?x16x16xf32>
}
