// A recurrence to both sides with everything that orders and times of reading touch:
// a bonus, decays per channel, a denominator, a map of keys that is not 0 at 0, sizes
// that are no multiple of vectors.
func.func @both_sides_bonus(
    %q: tensor<?x?x?x24xf32> {attn.name = "q", attn.dims = ["B", "Hk", "N", "D"]},
    %k: tensor<?x?x?x24xf32> {attn.name = "k", attn.dims = ["B", "Hk", "N", "D"]},
    %v: tensor<?x?x?x20xf32> {attn.name = "v", attn.dims = ["B", "H", "N", "Dv"]},
    %g: tensor<?x?x?x24xf32> {attn.name = "g", attn.dims = ["B", "H", "N", "D"], attn.fill = "decay"},
    %u: tensor<?x24xf32> {attn.name = "u", attn.dims = ["H", "D"]})
    -> (tensor<?x?x?x20xf32> {attn.name = "out"})
    attributes {attn.defaults = {B = 1, H = 4, Hk = 2, N = 256}} {
  %out = attn.recur %q, %k, %v gate(%g : tensor<?x?x?x24xf32>) bonus(%u : tensor<?x24xf32>)
      scale(0.125) read(before) order(bidirectional)
      key (%x: tensor<24xf32>, %b, %h, %n) {
        %y = math.exp %x : tensor<24xf32>
        attn.yield %y : tensor<24xf32>
      }
      norm (%num: tensor<20xf32>, %den: f32, %b, %h, %i) {
        %one = arith.constant 1.0 : f32
        %a = math.absf %den : f32
        %d = arith.maximumf %a, %one : f32
        %r = tensor.splat %d : tensor<20xf32>
        %y = arith.divf %num, %r : tensor<20xf32>
        attn.yield %y : tensor<20xf32>
      }
      : tensor<?x?x?x24xf32>, tensor<?x?x?x24xf32>, tensor<?x?x?x20xf32> -> tensor<?x?x?x20xf32>
  return %out : tensor<?x?x?x20xf32>
}
