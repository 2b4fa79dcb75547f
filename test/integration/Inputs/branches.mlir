// One of two attend ops, as a number says.
func.func @branches(
    %q: tensor<?x?x?x16xf32> {attn.name = "q", attn.dims = ["B", "H", "N", "D"]},
    %flag: tensor<1xi32> {attn.name = "flag", attn.dims = ["F"], attn.fill = "below 2"})
    -> (tensor<?x?x?x16xf32> {attn.name = "out", attn.dims = ["B", "H", "N", "D"]})
    attributes {attn.defaults = {B = 1, H = 2, N = 100}} {
  %first = arith.constant 0 : index
  %zero = arith.constant 0 : i32
  %number = tensor.extract %flag[%first] : tensor<1xi32>
  %is_zero = arith.cmpi eq, %number, %zero : i32
  %out = scf.if %is_zero -> tensor<?x?x?x16xf32> {
    // Only the past.
    %o = attn.attend %q, %q, %q mask (%b, %h, %i, %j) {
      %keep = arith.cmpi sge, %i, %j : index
      attn.yield %keep : i1
    } : tensor<?x?x?x16xf32>, tensor<?x?x?x16xf32>, tensor<?x?x?x16xf32> -> tensor<?x?x?x16xf32>
    scf.yield %o : tensor<?x?x?x16xf32>
  } else {
    %o = attn.attend %q, %q, %q : tensor<?x?x?x16xf32>, tensor<?x?x?x16xf32>, tensor<?x?x?x16xf32> -> tensor<?x?x?x16xf32>
    scf.yield %o : tensor<?x?x?x16xf32>
  }
  return %out : tensor<?x?x?x16xf32>
}
