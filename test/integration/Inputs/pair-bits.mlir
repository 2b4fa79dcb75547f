// A mask that is stored pair by pair: nothing is known of a block of it.
func.func @pair_bits(
    %q: tensor<?x?x?x16xf32> {attn.name = "q", attn.dims = ["B", "H", "N", "D"]},
    %bits: tensor<?x?xi32> {attn.name = "bits", attn.dims = ["N", "N"], attn.fill = "below 2"})
    -> (tensor<?x?x?x16xf32> {attn.name = "out"})
    attributes {attn.defaults = {B = 1, H = 2, N = 128}} {
  %zero = arith.constant 0 : i32
  %out = attn.attend %q, %q, %q
      mask (%b, %h, %i, %j) {
    %bit = tensor.extract %bits[%i, %j] : tensor<?x?xi32>
    %keep = arith.cmpi ne, %bit, %zero : i32
    attn.yield %keep : i1
  } : tensor<?x?x?x16xf32>, tensor<?x?x?x16xf32>, tensor<?x?x?x16xf32> -> tensor<?x?x?x16xf32>
  return %out : tensor<?x?x?x16xf32>
}
