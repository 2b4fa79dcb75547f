// attn.merge on its own: attention over two sets of keys, which the caller
// computed, and a sink for each head and row.
func.func @cascade(
    %outs: tensor<2x?x?x?x64xf32> {attn.name = "outs", attn.dims = ["S", "B", "H", "N", "D"]},
    %lses: tensor<2x?x?x?xf32> {attn.name = "lses", attn.dims = ["S", "B", "H", "N"]},
    %sinks: tensor<?x?xf32> {attn.name = "sinks", attn.dims = ["H", "N"]})
    -> (tensor<?x?x?x64xf32> {attn.name = "out", attn.dims = ["B", "H", "N", "D"]},
        tensor<?x?x?xf32> {attn.name = "lse", attn.dims = ["B", "H", "N"]})
    attributes {attn.defaults = {B = 2, H = 3, N = 65}} {
  %out, %lse = attn.merge %outs, %lses
      sink (%b, %h, %i) {
        %s = tensor.extract %sinks[%h, %i] : tensor<?x?xf32>
        attn.yield %s : f32
      } : tensor<2x?x?x?x64xf32>, tensor<2x?x?x?xf32> -> tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
  return %out, %lse : tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
}

// Sets in the accumulator type, an output that is narrower, no log-sum-exp.
func.func @narrow(
    %outs: tensor<3x?x?x?x33xf32> {attn.name = "outs", attn.dims = ["S", "B", "H", "N", "D"]},
    %lses: tensor<3x?x?x?xf32> {attn.name = "lses", attn.dims = ["S", "B", "H", "N"]})
    -> (tensor<?x?x?x33xbf16> {attn.name = "out", attn.dims = ["B", "H", "N", "D"]})
    attributes {attn.defaults = {B = 2, H = 3, N = 65}} {
  %out = attn.merge %outs, %lses : tensor<3x?x?x?x33xf32>, tensor<3x?x?x?xf32> -> tensor<?x?x?x33xbf16>
  return %out : tensor<?x?x?x33xbf16>
}

// What is merged is read by another op.
func.func @then_attend(
    %outs: tensor<2x?x?x?x64xf32> {attn.name = "outs", attn.dims = ["S", "B", "H", "N", "D"]},
    %lses: tensor<2x?x?x?xf32> {attn.name = "lses", attn.dims = ["S", "B", "H", "N"]},
    %k: tensor<?x?x?x64xf32> {attn.name = "k", attn.dims = ["B", "H", "Nk", "D"]})
    -> (tensor<?x?x?x64xf32> {attn.name = "out", attn.dims = ["B", "H", "N", "D"]})
    attributes {attn.defaults = {B = 2, H = 3, N = 65, Nk = 130}} {
  %q = attn.merge %outs, %lses : tensor<2x?x?x?x64xf32>, tensor<2x?x?x?xf32> -> tensor<?x?x?x64xf32>
  %out = attn.attend %q, %k, %k : tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32> -> tensor<?x?x?x64xf32>
  return %out : tensor<?x?x?x64xf32>
}
