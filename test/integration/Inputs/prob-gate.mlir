// A factor that is linear in the weight, and depends on the positions of the pair.
func.func @prob_gate(
    %q: tensor<?x?x?x64xf32> {attn.name = "q", attn.dims = ["B", "H", "Nq", "D"]},
    %k: tensor<?x?x?x64xf32> {attn.name = "k", attn.dims = ["B", "Hk", "Nk", "D"]},
    %v: tensor<?x?x?x64xf32> {attn.name = "v", attn.dims = ["B", "Hk", "Nk", "D"]})
    -> (tensor<?x?x?x64xf32> {attn.name = "out"}, tensor<?x?x?xf32> {attn.name = "lse"})
    attributes {attn.defaults = {B = 1, H = 4, Hk = 2, Nq = 63, Nk = 65}} {
  %out, %lse = attn.attend %q, %k, %v alignment(end)
      mask (%b, %h, %i, %j) {
        %keep = arith.cmpi sge, %i, %j : index
        attn.yield %keep : i1
      }
      prob (%p: f32, %b, %h, %i, %j) {
        %distance = arith.subi %i, %j : index
        %integer = arith.index_cast %distance : index to i32
        %number = arith.sitofp %integer : i32 to f32
        %gate = math.cos %number : f32
        %w = arith.mulf %p, %gate : f32
        attn.yield %w : f32
      } : tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>
        -> tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
  return %out, %lse : tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
}
