// LLVM's instruction combiner does not reach its fixpoint at once here, which ended the
// process where the pass was told to check that it does.
// spec 3649 of seed 3
// attn-run FILE --target=cpu:avx512 --seed=668 --check
// attn-fuzz: target=cpu:avx512 seed=668 score-error=322.4 value-bound=6.000

func.func @fuzzed(
    %q: tensor<?x?x?x3xbf16> {attn.name = "q", attn.dims = ["B", "H", "Nq", "D"]},
    %k: tensor<?x?x17x3xbf16> {attn.name = "k", attn.dims = ["B", "H", "Nk", "D"]},
    %v: tensor<?x?x17x3xbf16> {attn.name = "v", attn.dims = ["B", "H", "Nk", "D"]},
    %c0: tensor<?x17x?x17xf16> {attn.name = "c0", attn.dims = ["Nq", "Nk", "Nq", "Nk"]},
    %c1: tensor<?xf32> {attn.name = "c1", attn.dims = ["C5"]})
    -> (tensor<?x?x?x3xbf16> {attn.name = "out"}, tensor<?x?x?xf32> {attn.name = "lse"})
    attributes {attn.defaults = {B = 2, C5 = 37, D = 3, H = 4, Nk = 17, Nq = 31}} {
  %x7 = arith.constant -3 : index
  %out, %lse = attn.attend %q, %k, %v scale(0.531250000000) alignment(end) schedule(<block_q = 16, block_k = 17>)
      score (%s: f32, %b, %h, %i, %j) {
        %x0 = arith.constant -0.312500000000 : f32
        %x1 = arith.constant 4 : index
        %x2 = arith.addi %j, %x1 : index
        %x3 = arith.constant -3 : index
        %x4 = arith.addi %j, %x3 : index
        %x5 = tensor.extract %c0[%i, %x2, %i, %x4] : tensor<?x17x?x17xf16>
        %x6 = arith.extf %x5 : f16 to f32
        %x8 = arith.subi %b, %x7 : index
        %x9 = tensor.extract %c1[%x8] : tensor<?xf32>
        %x10 = arith.mulf %x6, %x9 : f32
        %x11 = arith.constant 0.062500000000 : f32
        %x12 = arith.mulf %x10, %x11 : f32
        %x13 = math.fma %s, %x0, %x12 : f32
        attn.yield %x13 : f32
      }
      mask (%b, %h, %i, %j) {
        %x14 = arith.constant 2 : index
        %x15 = arith.shrsi %i, %x14 : index
        %x16 = arith.constant 0 : index
        %x17 = arith.shli %i, %x16 : index
        %x18 = arith.cmpi slt, %x15, %x17 : index
        attn.yield %x18 : i1
      }
      : tensor<?x?x?x3xbf16>, tensor<?x?x17x3xbf16>, tensor<?x?x17x3xbf16>
      -> tensor<?x?x?x3xbf16>, tensor<?x?x?xf32>
  return %out, %lse : tensor<?x?x?x3xbf16>, tensor<?x?x?xf32>
}

