// Causal attention with the logit of a sink per head.
func.func @sink(
    %q: tensor<?x?x?x64xf32> {attn.name = "q", attn.dims = ["B", "H", "Nq", "D"]},
    %k: tensor<?x?x?x64xf32> {attn.name = "k", attn.dims = ["B", "Hk", "Nk", "D"]},
    %v: tensor<?x?x?x64xf32> {attn.name = "v", attn.dims = ["B", "Hk", "Nk", "D"]},
    %sinks: tensor<?xf32> {attn.name = "sinks", attn.dims = ["H"]})
    -> (tensor<?x?x?x64xf32> {attn.name = "out"}, tensor<?x?x?xf32> {attn.name = "lse"})
    attributes {attn.defaults = {B = 1, H = 4, Hk = 2, Nq = 63, Nk = 65}} {
  %out, %lse = attn.attend %q, %k, %v alignment(end)
      mask (%b, %h, %i, %j) {
        %keep = arith.cmpi sge, %i, %j : index
        attn.yield %keep : i1
      }
      sink (%b, %h, %i) {
        %s = tensor.extract %sinks[%h] : tensor<?xf32>
        attn.yield %s : f32
      } : tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>
        -> tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
  return %out, %lse : tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
}
