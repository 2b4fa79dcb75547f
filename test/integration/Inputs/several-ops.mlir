// Two attends that share a row map with a norm, captured tables by head and pair
// and by batch and key, a function without a polynomial of our own, and a mask
// that is no window.
func.func @two(%q: tensor<?x?x?x32xf32> {attn.name = "q", attn.dims = ["B", "H", "N", "D"]}, %k: tensor<?x?x?x32xf32> {attn.name = "k", attn.dims = ["B", "H", "N", "D"]}, %bias: tensor<?x?x?xf32> {attn.name = "bias", attn.dims = ["H", "N", "N"]}, %w: tensor<?x?xi32> {attn.name="w", attn.dims=["B","N"]}) -> (tensor<?x?x?x32xf32> {attn.name = "out"}, tensor<?x?x?x32xf32> {attn.name = "out2"}) attributes {attn.defaults = {B = 2, H = 3, N = 65}} {
  %p = attn.map_rows %q rows (%x: tensor<32xf32>, %b, %h, %n) {
    %sq = arith.mulf %x, %x : tensor<32xf32>
    %sum = attn.reduce_row sum %sq : tensor<32xf32>
    %e = arith.constant 1.0e-6 : f32
    %s2 = arith.addf %sum, %e : f32
    %inv = math.rsqrt %s2 : f32
    %iv = tensor.splat %inv : tensor<32xf32>
    %y = arith.mulf %x, %iv : tensor<32xf32>
    attn.yield %y : tensor<32xf32>
  } : tensor<?x?x?x32xf32> -> tensor<?x?x?x32xf32>
  %o = attn.attend %p, %p, %k
    score (%s: f32, %b, %h, %i, %j) {
      %t = tensor.extract %bias[%h, %i, %j] : tensor<?x?x?xf32>
      %u = arith.addf %s, %t : f32
      %c = math.sin %u : f32
      attn.yield %c : f32
    }
    mask (%b, %h, %i, %j) {
      %x = tensor.extract %w[%b, %j] : tensor<?x?xi32>
      %c0 = arith.constant 0 : i32
      %g = arith.cmpi sge, %x, %c0 : i32
      %d = arith.subi %i, %j : index
      %c3 = arith.constant 3 : index
      %r = arith.remsi %d, %c3 : index
      %z = arith.constant 0 : index
      %ne = arith.cmpi ne, %r, %z : index
      %k1 = arith.andi %g, %ne : i1
      attn.yield %k1 : i1
    } : tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32> -> tensor<?x?x?x32xf32>
  %o2 = attn.attend %o, %p, %q : tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32> -> tensor<?x?x?x32xf32>
  return %o, %o2 : tensor<?x?x?x32xf32>, tensor<?x?x?x32xf32>
}
