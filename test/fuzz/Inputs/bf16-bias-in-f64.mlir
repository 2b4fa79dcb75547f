// A bf16 capture of an f64 spec: the definition could not be compiled.
// attn-run FILE --target=cpu:baseline --seed=660 --check --check-phases
// attn-fuzz: target=cpu:baseline seed=660 score-error=24.2 value-bound=6.000 quick phases

func.func @fuzzed(
    %q: tensor<?x?x?x1xf64> {attn.name = "q", attn.dims = ["B", "H", "N", "D"]},
    %k: tensor<?x?x?x1xf64> {attn.name = "k", attn.dims = ["B", "H", "N", "D"]},
    %v: tensor<?x?x?x1xf64> {attn.name = "v", attn.dims = ["B", "H", "N", "D"]},
    %c0: tensor<?x?xbf16> {attn.name = "c0", attn.dims = ["H", "N"]})
    -> (tensor<?x?x?x1xf64> {attn.name = "out"})
    attributes {attn.defaults = {B = 1, D = 1, H = 1, N = 1}} {
  %out = attn.attend %q, %k, %v schedule(<block_q = 16, block_k = 1>)
      score (%s: f64, %b, %h, %i, %j) {
        %x0 = tensor.extract %c0[%h, %i] : tensor<?x?xbf16>
        %x1 = arith.extf %x0 : bf16 to f64
        attn.yield %x1 : f64
      }
      : tensor<?x?x?x1xf64>, tensor<?x?x?x1xf64>, tensor<?x?x?x1xf64>
      -> tensor<?x?x?x1xf64>
  return %out : tensor<?x?x?x1xf64>
}
