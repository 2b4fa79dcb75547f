// Scores at the ends of f32: the first 32 queries have the lowest number
// everywhere, the others that at even keys and the highest one at odd keys.
func.func @extreme_scores(
    %q: tensor<?x?x?x64xf32> {attn.name = "q", attn.dims = ["B", "H", "Nq", "D"]},
    %k: tensor<?x?x?x64xf32> {attn.name = "k", attn.dims = ["B", "Hk", "Nk", "D"]},
    %v: tensor<?x?x?x64xf32> {attn.name = "v", attn.dims = ["B", "Hk", "Nk", "D"]})
    -> (tensor<?x?x?x64xf32> {attn.name = "out"}, tensor<?x?x?xf32> {attn.name = "lse"})
    attributes {attn.defaults = {B = 1, H = 4, Hk = 2, Nq = 63, Nk = 65}} {
  %out, %lse = attn.attend %q, %k, %v alignment(start)
      score (%s: f32, %b, %h, %i, %j) {
        %lowest = arith.constant -3.40282347E+38 : f32
        %highest = arith.constant 3.40282347E+38 : f32
        %first = arith.constant 32 : index
        %two = arith.constant 2 : index
        %zero = arith.constant 0 : index
        %half = arith.remui %j, %two : index
        %even = arith.cmpi eq, %half, %zero : index
        %early = arith.cmpi ult, %i, %first : index
        %low = arith.ori %even, %early : i1
        %r = arith.select %low, %lowest, %highest : f32
        attn.yield %r : f32
      } : tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>
        -> tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
  return %out, %lse : tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
}
