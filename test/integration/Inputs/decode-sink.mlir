// Few queries, heads in groups, a sink for each head and position: the sink
// counts once, although keys are shared among blocks.
func.func @decode_sink(
    %q: tensor<?x?x?x32xf32> {attn.name = "q", attn.dims = ["B", "H", "Nq", "D"]},
    %k: tensor<?x?x?x32xf32> {attn.name = "k", attn.dims = ["B", "Hk", "Nk", "D"]},
    %v: tensor<?x?x?x16xf32> {attn.name = "v", attn.dims = ["B", "Hk", "Nk", "Dv"]},
    %sinks: tensor<?x?xf32> {attn.name = "sinks", attn.dims = ["H", "Nk"]})
    -> (tensor<?x?x?x16xf32> {attn.name = "out", attn.dims = ["B", "H", "Nq", "Dv"]},
        tensor<?x?x?xf32> {attn.name = "lse", attn.dims = ["B", "H", "Nq"]})
    attributes {attn.defaults = {B = 2, H = 6, Hk = 2, Nq = 5, Nk = 200}} {
  %out, %lse = attn.attend %q, %k, %v alignment(end)
      mask (%b, %h, %i, %j) {
        %keep = arith.cmpi sge, %i, %j : index
        attn.yield %keep : i1
      }
      sink (%b, %h, %i) {
        %s = tensor.extract %sinks[%h, %i] : tensor<?x?xf32>
        attn.yield %s : f32
      } : tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>, tensor<?x?x?x16xf32>
        -> tensor<?x?x?x16xf32>, tensor<?x?x?xf32>
  return %out, %lse : tensor<?x?x?x16xf32>, tensor<?x?x?xf32>
}

// Two choices, the second one on what the first one yields; parts of the second
// could not be merged, so its keys are not shared.
func.func @two_choices(
    %q: tensor<?x?x?x32xf32> {attn.name = "q", attn.dims = ["B", "H", "Nq", "D"]},
    %k: tensor<?x?x?x32xf32> {attn.name = "k", attn.dims = ["B", "Hk", "Nk", "D"]})
    -> (tensor<?x?x?x32xf32> {attn.name = "out", attn.dims = ["B", "H", "Nq", "D"]})
    attributes {attn.defaults = {B = 2, H = 6, Hk = 2, Nq = 5, Nk = 200}} {
  %p = attn.attend %q, %k, %k
      : tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32> -> tensor<?x?x?x32xf32>
  %out = attn.attend %p, %k, %k normalizer(none)
      : tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32> -> tensor<?x?x?x32xf32>
  return %out : tensor<?x?x?x32xf32>
}
