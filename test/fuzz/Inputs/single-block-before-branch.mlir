// A row map of one block, without a loop, before the branch for few queries: the
// branch was taken for a part of the block, and the map was lost.
// attn-run FILE --target=cpu:avx512 --seed=513 --check
// attn-fuzz: target=cpu:avx512 seed=513 score-error=6833.2 value-bound=6.000 quick

func.func @fuzzed(
    %q: tensor<1x1x?x1xf32> {attn.name = "q", attn.dims = ["B", "H", "Nq", "D"]},
    %k: tensor<1x1x2x1xf32> {attn.name = "k", attn.dims = ["B", "H", "Nk", "D"]},
    %v: tensor<1x1x2x1xf32> {attn.name = "v", attn.dims = ["B", "H", "Nk", "D"]},
    %c0: tensor<1x1xf32> {attn.name = "c0", attn.dims = ["H", "H"]})
    -> (tensor<1x1x?x1xf32> {attn.name = "out"})
    attributes {attn.defaults = {B = 1, D = 1, H = 1, Nk = 2, Nq = 1}} {
  %x1 = attn.map_rows %k rows (%r: tensor<1xf32>, %b, %h, %n) {
        %x0 = tensor.extract_slice %r[0] [1] [1] : tensor<1xf32> to tensor<1xf32>
        attn.yield %x0 : tensor<1xf32>
      } : tensor<1x1x2x1xf32> -> tensor<1x1x2x1xf32>
  %out = attn.attend %q, %x1, %v mix_scores(%c0 : tensor<1x1xf32>)
      : tensor<1x1x?x1xf32>, tensor<1x1x2x1xf32>, tensor<1x1x2x1xf32>
      -> tensor<1x1x?x1xf32>
  return %out : tensor<1x1x?x1xf32>
}
