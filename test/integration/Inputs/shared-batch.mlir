// A prefix of keys that all batches share, and grouped heads: few queries of the
// heads of one key head stand in one block. Regions see the batch of the result.
func.func @prefix(
    %q: tensor<?x?x?x64xf32> {attn.name = "q", attn.dims = ["B", "H", "Nq", "D"]},
    %k: tensor<1x?x?x64xf32> {attn.name = "k", attn.dims = ["One", "Hk", "Nk", "D"]},
    %v: tensor<1x?x?x32xf32> {attn.name = "v", attn.dims = ["One", "Hk", "Nk", "Dv"]},
    %length: tensor<?xi32> {attn.name = "length", attn.dims = ["B"]},
    %bias: tensor<?x?xf32> {attn.name = "bias", attn.dims = ["B", "Nk"]},
    %sinks: tensor<?x?xf32> {attn.name = "sinks", attn.dims = ["B", "H"]})
    -> (tensor<?x?x?x32xf32> {attn.name = "out"}, tensor<?x?x?xf32> {attn.name = "lse"})
    attributes {attn.defaults = {B = 3, H = 4, Hk = 2, Nq = 3, Nk = 130}} {
  %out, %lse = attn.attend %q, %k, %v alignment(end)
      score (%s: f32, %b, %h, %i, %j) {
        %x = tensor.extract %bias[%b, %j] : tensor<?x?xf32>
        %t = arith.addf %s, %x : f32
        attn.yield %t : f32
      }
      mask (%b, %h, %i, %j) {
        %n = tensor.extract %length[%b] : tensor<?xi32>
        %first = arith.index_cast %n : i32 to index
        %keep = arith.cmpi sge, %j, %first : index
        attn.yield %keep : i1
      }
      sink (%b, %h, %i) {
        %x = tensor.extract %sinks[%b, %h] : tensor<?x?xf32>
        attn.yield %x : f32
      }
      : tensor<?x?x?x64xf32>, tensor<1x?x?x64xf32>, tensor<1x?x?x32xf32>
      -> tensor<?x?x?x32xf32>, tensor<?x?x?xf32>
  return %out, %lse : tensor<?x?x?x32xf32>, tensor<?x?x?xf32>
}

// Row maps see the batch of their own operand, which is 0 where it is shared:
// the first row of the captures is all that they read. Keys are visited twice.
func.func @row_maps(
    %q: tensor<1x?x?x33xf32> {attn.name = "q", attn.dims = ["One", "H", "L", "D"]},
    %k: tensor<?x?x?x33xf32> {attn.name = "k", attn.dims = ["B", "H", "N", "D"]},
    %v: tensor<1x?x?x33xf32> {attn.name = "v", attn.dims = ["One", "H", "N", "D"]},
    %gain: tensor<?x33xf32> {attn.name = "gain", attn.dims = ["B", "D"]})
    -> (tensor<?x?x?x33xf32> {attn.name = "out"})
    attributes {attn.defaults = {B = 3, H = 2, L = 5, N = 70}} {
  %scaled = attn.map_rows %q rows (%x: tensor<33xf32>, %b, %h, %n) {
    %g = tensor.extract_slice %gain[%b, 0] [1, 33] [1, 1] : tensor<?x33xf32> to tensor<33xf32>
    %y = arith.mulf %x, %g : tensor<33xf32>
    attn.yield %y : tensor<33xf32>
  } : tensor<1x?x?x33xf32> -> tensor<1x?x?x33xf32>
  %out = attn.attend %scaled, %k, %v
      key (%x: tensor<33xf32>, %b, %h, %n) {
        %g = tensor.extract_slice %gain[%b, 0] [1, 33] [1, 1] : tensor<?x33xf32> to tensor<33xf32>
        %y = arith.mulf %x, %g : tensor<33xf32>
        attn.yield %y : tensor<33xf32>
      }
      value (%x: tensor<33xf32>, %b, %h, %n) {
        %g = tensor.extract %gain[%b, %n] : tensor<?x33xf32>
        %gs = tensor.splat %g : tensor<33xf32>
        %y = arith.addf %x, %gs : tensor<33xf32>
        attn.yield %y : tensor<33xf32>
      }
      prob (%p: f32, %b, %h, %i, %j) {
        %g = tensor.extract %gain[%b, %j] : tensor<?x33xf32>
        %square = arith.mulf %p, %p : f32
        %w = arith.mulf %square, %g : f32
        attn.yield %w : f32
      }
      : tensor<1x?x?x33xf32>, tensor<?x?x?x33xf32>, tensor<1x?x?x33xf32>
      -> tensor<?x?x?x33xf32>
  return %out : tensor<?x?x?x33xf32>
}

// All operands are shared: one batch.
func.func @one_batch(
    %x: tensor<1x?x?x8xf32> {attn.name = "x", attn.dims = ["One", "H", "N", "D"]})
    -> (tensor<1x?x?x8xf32> {attn.name = "out"})
    attributes {attn.defaults = {H = 2, N = 70}} {
  %out = attn.attend %x, %x, %x
      : tensor<1x?x?x8xf32>, tensor<1x?x?x8xf32>, tensor<1x?x?x8xf32> -> tensor<1x?x?x8xf32>
  return %out : tensor<1x?x?x8xf32>
}
