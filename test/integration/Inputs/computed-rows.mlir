// Keys that are computed,
func.func @keys(
    %q: tensor<?x?x?x16xf32> {attn.name = "q", attn.dims = ["B", "H", "N", "D"]},
    %k: tensor<?x?x?x16xf32> {attn.name = "k", attn.dims = ["B", "H", "N", "D"]},
    %v: tensor<?x?x?x16xf32> {attn.name = "v", attn.dims = ["B", "H", "N", "D"]})
    -> (tensor<?x?x?x16xf32> {attn.name = "out"}) {
  %out = attn.attend %q, %k, %v
      key (%x: tensor<16xf32>, %b, %h, %j) {
        %half = arith.constant dense<0.5> : tensor<16xf32>
        %y = arith.addf %x, %half : tensor<16xf32>
        attn.yield %y : tensor<16xf32>
      } : tensor<?x?x?x16xf32>, tensor<?x?x?x16xf32>, tensor<?x?x?x16xf32> -> tensor<?x?x?x16xf32>
  return %out : tensor<?x?x?x16xf32>
}

// and queries as well.
func.func @both(
    %q: tensor<?x?x?x16xf32> {attn.name = "q", attn.dims = ["B", "H", "N", "D"]},
    %k: tensor<?x?x?x16xf32> {attn.name = "k", attn.dims = ["B", "H", "N", "D"]},
    %v: tensor<?x?x?x16xf32> {attn.name = "v", attn.dims = ["B", "H", "N", "D"]})
    -> (tensor<?x?x?x16xf32> {attn.name = "out"}) {
  %out = attn.attend %q, %k, %v
      query (%x: tensor<16xf32>, %b, %h, %i) {
        %half = arith.constant dense<0.5> : tensor<16xf32>
        %y = arith.addf %x, %half : tensor<16xf32>
        attn.yield %y : tensor<16xf32>
      }
      key (%x: tensor<16xf32>, %b, %h, %j) {
        %half = arith.constant dense<0.5> : tensor<16xf32>
        %y = arith.addf %x, %half : tensor<16xf32>
        attn.yield %y : tensor<16xf32>
      } : tensor<?x?x?x16xf32>, tensor<?x?x?x16xf32>, tensor<?x?x?x16xf32> -> tensor<?x?x?x16xf32>
  return %out : tensor<?x?x?x16xf32>
}
