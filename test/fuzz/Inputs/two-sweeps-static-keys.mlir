// A mask that reads a capture, evaluated again behind the loop over keys: its
// rows were computed inside of a loop and used outside of it.
// attn-run FILE --target=cpu:baseline --seed=629 --check
// attn-fuzz: target=cpu:baseline seed=629 score-error=592.0 value-bound=96.000 quick

func.func @fuzzed(
    %q: tensor<?x?x16x1xf32> {attn.name = "q", attn.dims = ["B", "H", "N", "D"]},
    %k: tensor<?x?x16x1xf32> {attn.name = "k", attn.dims = ["B", "H", "N", "D"]},
    %v: tensor<?x?x16x1xf32> {attn.name = "v", attn.dims = ["B", "H", "N", "D"]},
    %c0: tensor<?xi8> {attn.name = "c0", attn.dims = ["C4"]})
    -> (tensor<?x?x16x1xf32> {attn.name = "out"})
    attributes {attn.defaults = {B = 1, C4 = 1, D = 1, H = 1, N = 16}} {
  %out = attn.attend %q, %k, %v schedule(<block_q = 8, block_k = 5>)
      mask (%b, %h, %i, %j) {
        %x0 = tensor.extract %c0[%i] : tensor<?xi8>
        %x1 = arith.index_cast %x0 : i8 to index
        %x2 = arith.constant 1 : index
        %x3 = arith.cmpi sge, %x1, %x2 : index
        attn.yield %x3 : i1
      }
      prob (%p: f32, %b, %h, %i, %j) {
        %x4 = math.cos %p : f32
        attn.yield %x4 : f32
      }
      : tensor<?x?x16x1xf32>, tensor<?x?x16x1xf32>, tensor<?x?x16x1xf32>
      -> tensor<?x?x16x1xf32>
  return %out : tensor<?x?x16x1xf32>
}
