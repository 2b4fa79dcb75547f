// Causal attention that drops a tenth of the weights.
func.func @dropout(
    %q: tensor<?x?x?x64xf32> {attn.name = "q", attn.dims = ["B", "H", "Nq", "D"]},
    %k: tensor<?x?x?x64xf32> {attn.name = "k", attn.dims = ["B", "Hk", "Nk", "D"]},
    %v: tensor<?x?x?x64xf32> {attn.name = "v", attn.dims = ["B", "Hk", "Nk", "D"]},
    %seed: tensor<i64> {attn.name = "seed", attn.dims = []})
    -> (tensor<?x?x?x64xf32> {attn.name = "out"}, tensor<?x?x?xf32> {attn.name = "lse"})
    attributes {attn.defaults = {B = 1, H = 4, Hk = 2, Nq = 63, Nk = 65}} {
  %rate = arith.constant 1.000000e-01 : f32
  %inverse = arith.constant 1.11111116 : f32
  %zero = arith.constant 0.000000e+00 : f32
  %out, %lse = attn.attend %q, %k, %v alignment(end)
      mask (%b, %h, %i, %j) {
        %keep = arith.cmpi sge, %i, %j : index
        attn.yield %keep : i1
      }
      prob (%p: f32, %b, %h, %i, %j) {
        %key = tensor.extract %seed[] : tensor<i64>
        %u = attn.random %key at(%i, %j, %h, %b) : f32
        %keep = arith.cmpf oge, %u, %rate : f32
        %scaled = arith.mulf %p, %inverse : f32
        %kept = arith.select %keep, %scaled, %zero : f32
        attn.yield %kept : f32
      } : tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>
        -> tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
  return %out, %lse : tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
}
