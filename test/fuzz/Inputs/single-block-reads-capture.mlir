// A block that is the only one, and compares with an element of a capture: the
// comparison was moved in front of the block that reads the element.
// attn-run FILE --target=cpu:avx512 --seed=250 --check
// attn-fuzz: target=cpu:avx512 seed=250 score-error=135.2 value-bound=6.000 quick

func.func @fuzzed(
    %q: tensor<1x1x1x1xf32> {attn.name = "q", attn.dims = ["B", "H", "Nq", "D"]},
    %k: tensor<1x1x1x1xf32> {attn.name = "k", attn.dims = ["B", "H", "Nk", "D"]},
    %v: tensor<1x1x1x1xf32> {attn.name = "v", attn.dims = ["B", "H", "Nk", "D"]},
    %c0: tensor<1xi64> {attn.name = "c0", attn.dims = ["B"]})
    -> (tensor<1x1x1x1xf32> {attn.name = "out"})
    attributes {attn.defaults = {B = 1, D = 1, H = 1, Nk = 1, Nq = 1}} {
  %out = attn.attend %q, %k, %v schedule(<block_q = 16, block_k = 1>)
      mask (%b, %h, %i, %j) {
        %x0 = tensor.extract %c0[%b] : tensor<1xi64>
        %x1 = arith.index_cast %x0 : i64 to index
        %x2 = arith.cmpi slt, %i, %x1 : index
        attn.yield %x2 : i1
      }
      : tensor<1x1x1x1xf32>, tensor<1x1x1x1xf32>, tensor<1x1x1x1xf32>
      -> tensor<1x1x1x1xf32>
  return %out : tensor<1x1x1x1xf32>
}
