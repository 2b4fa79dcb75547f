// Random numbers as they are: out[d] is that of row d of counters and seeds, as v
// is the identity. Of the short ones, only the first two words are asked for.
func.func @random(
    %q: tensor<?x?x?x8xf32> {attn.name = "q", attn.dims = ["B", "H", "Nq", "D"]},
    %k: tensor<?x?x?x8xf32> {attn.name = "k", attn.dims = ["B", "H", "Nk", "D"]},
    %v: tensor<?x?x?x8xf32> {attn.name = "v", attn.dims = ["B", "H", "Nk", "D"]},
    %counters: tensor<?x4xi32> {attn.name = "counters", attn.dims = ["Nk", "W"]},
    %seeds: tensor<?xi64> {attn.name = "seeds", attn.dims = ["Nk"]})
    -> (tensor<?x?x?x8xf32> {attn.name = "out"}, tensor<?x?x?x8xf32> {attn.name = "short"})
    attributes {attn.defaults = {B = 1, H = 1, Nq = 1, Nk = 8}} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %out = attn.attend %q, %k, %v alignment(start) normalizer(none)
      score (%s: f32, %b, %h, %i, %j) {
        %seed = tensor.extract %seeds[%j] : tensor<?xi64>
        %w0 = tensor.extract %counters[%j, %c0] : tensor<?x4xi32>
        %w1 = tensor.extract %counters[%j, %c1] : tensor<?x4xi32>
        %w2 = tensor.extract %counters[%j, %c2] : tensor<?x4xi32>
        %w3 = tensor.extract %counters[%j, %c3] : tensor<?x4xi32>
        %n0 = arith.index_cast %w0 : i32 to index
        %n1 = arith.index_cast %w1 : i32 to index
        %n2 = arith.index_cast %w2 : i32 to index
        %n3 = arith.index_cast %w3 : i32 to index
        %u = attn.random %seed at(%n0, %n1, %n2, %n3) : f32
        attn.yield %u : f32
      } : tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32> -> tensor<?x?x?x8xf32>
  %short = attn.attend %q, %k, %v alignment(start) normalizer(none)
      score (%s: f32, %b, %h, %i, %j) {
        %seed = tensor.extract %seeds[%j] : tensor<?xi64>
        %w0 = tensor.extract %counters[%j, %c0] : tensor<?x4xi32>
        %w1 = tensor.extract %counters[%j, %c1] : tensor<?x4xi32>
        %n0 = arith.index_cast %w0 : i32 to index
        %n1 = arith.index_cast %w1 : i32 to index
        %u = attn.random %seed at(%n0, %n1) : f32
        attn.yield %u : f32
      } : tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32> -> tensor<?x?x?x8xf32>
  return %out, %short : tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>
}
