// Heads that exchange scores: grouped heads, row maps that differ by head, a
// shared query, and all regions that see the mixed score.
func.func @scores(
    %q: tensor<1x6x?x32xf32> {attn.name = "q", attn.dims = ["One", "H", "Nq", "D"]},
    %k: tensor<?x3x?x32xf32> {attn.name = "k", attn.dims = ["B", "Hk", "Nk", "D"]},
    %v: tensor<?x3x?x40xf32> {attn.name = "v", attn.dims = ["B", "Hk", "Nk", "Dv"]},
    %w: tensor<6x6xf32> {attn.name = "w", attn.dims = ["H", "H"]},
    %gain: tensor<6x32xf32> {attn.name = "gain", attn.dims = ["H", "D"]})
    -> (tensor<?x6x?x40xf32> {attn.name = "out"}, tensor<?x6x?xf32> {attn.name = "lse"})
    attributes {attn.defaults = {B = 2, Nq = 65, Nk = 70}} {
  %scaled = attn.map_rows %q rows (%x: tensor<32xf32>, %b, %h, %n) {
    %y = math.tanh %x : tensor<32xf32>
    attn.yield %y : tensor<32xf32>
  } : tensor<1x6x?x32xf32> -> tensor<1x6x?x32xf32>
  %out, %lse = attn.attend %scaled, %k, %v mix_scores(%w : tensor<6x6xf32>) alignment(end)
      key (%x: tensor<32xf32>, %b, %h, %n) {
        %g = tensor.extract_slice %gain[%h, 0] [1, 32] [1, 1] : tensor<6x32xf32> to tensor<32xf32>
        %y = arith.mulf %x, %g : tensor<32xf32>
        attn.yield %y : tensor<32xf32>
      }
      score (%s: f32, %b, %h, %i, %j) {
        %cap = arith.constant 3.0 : f32
        %t = arith.minimumf %s, %cap : f32
        attn.yield %t : f32
      }
      mask (%b, %h, %i, %j) {
        %keep = arith.cmpi sge, %i, %j : index
        attn.yield %keep : i1
      }
      sink (%b, %h, %i) {
        %zero = arith.constant 0.0 : f32
        attn.yield %zero : f32
      }
      : tensor<1x6x?x32xf32>, tensor<?x3x?x32xf32>, tensor<?x3x?x40xf32>
      -> tensor<?x6x?x40xf32>, tensor<?x6x?xf32>
  return %out, %lse : tensor<?x6x?x40xf32>, tensor<?x6x?xf32>
}

// Heads that exchange weights, of masks that differ by head; without a softmax.
func.func @weights(
    %q: tensor<?x4x?x32xf32> {attn.name = "q", attn.dims = ["B", "H", "N", "D"]},
    %k: tensor<?x2x?x32xf32> {attn.name = "k", attn.dims = ["B", "Hk", "N", "D"]},
    %v: tensor<?x2x?x24xf32> {attn.name = "v", attn.dims = ["B", "Hk", "N", "Dv"]},
    %u: tensor<4x4xf32> {attn.name = "u", attn.dims = ["H", "H"]})
    -> (tensor<?x4x?x24xf32> {attn.name = "out"})
    attributes {attn.defaults = {B = 2, N = 65}} {
  %out = attn.attend %q, %k, %v mix_weights(%u : tensor<4x4xf32>) normalizer(sum)
      value (%x: tensor<24xf32>, %b, %h, %n) {
        %one = arith.constant 1 : index
        %next = arith.addi %h, %one : index
        %number = arith.index_cast %next : index to i32
        %factor = arith.sitofp %number : i32 to f32
        %factors = tensor.splat %factor : tensor<24xf32>
        %y = arith.mulf %x, %factors : tensor<24xf32>
        attn.yield %y : tensor<24xf32>
      }
      mask (%b, %h, %i, %j) {
        %reach = arith.muli %h, %i : index
        %keep = arith.cmpi sge, %reach, %j : index
        attn.yield %keep : i1
      }
      : tensor<?x4x?x32xf32>, tensor<?x2x?x32xf32>, tensor<?x2x?x24xf32> -> tensor<?x4x?x24xf32>
  return %out : tensor<?x4x?x24xf32>
}
