// A window for the newest queries of grouped heads: rows of several heads share a
// block, and the keys are shared among splits, of which the window leaves most
// empty.
func.func @key_ranges_packed(
    %q: tensor<?x?x?x16xf32> {attn.name = "q", attn.dims = ["B", "H", "Nq", "D"]},
    %k: tensor<?x?x?x16xf32> {attn.name = "k", attn.dims = ["B", "Hk", "Nk", "D"]},
    %v: tensor<?x?x?x16xf32> {attn.name = "v", attn.dims = ["B", "Hk", "Nk", "D"]})
    -> (tensor<?x?x?x16xf32> {attn.name = "out"}, tensor<?x?x?xf32> {attn.name = "lse"})
    attributes {attn.defaults = {B = 2, H = 8, Hk = 2, Nq = 5, Nk = 131}} {
  %w = arith.constant 40 : index
  %out, %lse = attn.attend %q, %k, %v alignment(end) schedule(<block_q = 16, block_k = 16, splits = 3>)
      mask (%b, %h, %i, %j) {
        %distance = arith.subi %i, %j : index
        %near = arith.cmpi ult, %distance, %w : index
        attn.yield %near : i1
      }
      : tensor<?x?x?x16xf32>, tensor<?x?x?x16xf32>, tensor<?x?x?x16xf32>
      -> tensor<?x?x?x16xf32>, tensor<?x?x?xf32>
  return %out, %lse : tensor<?x?x?x16xf32>, tensor<?x?x?xf32>
}
