// Scores that are not normalised, 0 where they are negative.
func.func @none_relu(
    %q: tensor<?x?x?x64xf32> {attn.name = "q", attn.dims = ["B", "H", "Nq", "D"]},
    %k: tensor<?x?x?x64xf32> {attn.name = "k", attn.dims = ["B", "Hk", "Nk", "D"]},
    %v: tensor<?x?x?x64xf32> {attn.name = "v", attn.dims = ["B", "Hk", "Nk", "D"]})
    -> (tensor<?x?x?x64xf32> {attn.name = "out"})
    attributes {attn.defaults = {B = 1, H = 4, Hk = 2, Nq = 63, Nk = 65}} {
  %out = attn.attend %q, %k, %v alignment(end) normalizer(none)
      score (%s: f32, %b, %h, %i, %j) {
        %zero = arith.constant 0.0 : f32
        %r = arith.maximumf %s, %zero : f32
        attn.yield %r : f32
      }
      mask (%b, %h, %i, %j) {
        %keep = arith.cmpi sge, %i, %j : index
        attn.yield %keep : i1
      } : tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>
        -> tensor<?x?x?x64xf32>
  return %out : tensor<?x?x?x64xf32>
}
