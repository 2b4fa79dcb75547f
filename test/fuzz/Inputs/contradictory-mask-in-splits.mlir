// A mask that keeps nothing, where blocks share two keys: those without a key ran
// their full loop from before its begin, over all keys and without the mask.
// attn-run FILE --target=cpu:avx512 --seed=740 --check
// attn-fuzz: target=cpu:avx512 seed=740 score-error=686.2 value-bound=6.000 quick

func.func @fuzzed(
    %q: tensor<?x?x?x1xf32> {attn.name = "q", attn.dims = ["B", "H", "Nq", "D"]},
    %k: tensor<?x?x?x1xf32> {attn.name = "k", attn.dims = ["B", "H", "Nk", "D"]},
    %v: tensor<?x?x?x1xf32> {attn.name = "v", attn.dims = ["B", "H", "Nk", "D"]})
    -> (tensor<?x?x?x1xf32> {attn.name = "out"})
    attributes {attn.defaults = {B = 1, D = 1, H = 1, Nk = 2, Nq = 1}} {
  %out = attn.attend %q, %k, %v
      mask (%b, %h, %i, %j) {
        %x0 = arith.constant 1 : index
        %x1 = arith.cmpi sgt, %j, %x0 : index
        %x2 = arith.constant -18 : index
        %x3 = arith.cmpi sle, %j, %x2 : index
        %x4 = arith.andi %x1, %x3 : i1
        attn.yield %x4 : i1
      }
      : tensor<?x?x?x1xf32>, tensor<?x?x?x1xf32>, tensor<?x?x?x1xf32>
      -> tensor<?x?x?x1xf32>
  return %out : tensor<?x?x?x1xf32>
}
