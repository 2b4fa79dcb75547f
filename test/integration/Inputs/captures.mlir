// Captures of every kind: a number (rank 0), rows of bits, rows that begin before
// their tensor (zeros there), a whole vector, a constant one, and folded constants.
func.func @captures(
    %q: tensor<?x?x?x24xf32> {attn.name = "q", attn.dims = ["B", "H", "N", "D"]},
    %scale: tensor<f32> {attn.name = "scale", attn.dims = []},
    %bits: tensor<?x24xi1> {attn.name = "bits", attn.dims = ["N", "D"]},
    %table: tensor<?x24xf32> {attn.name = "table", attn.dims = ["N", "D"]},
    %keep: tensor<?xi1> {attn.name = "keep", attn.dims = ["N"]},
    %gain: tensor<24xf32> {attn.name = "gain", attn.dims = ["D"]},
    %half: tensor<?xf16> {attn.name = "half", attn.dims = ["N"]})
    -> (tensor<?x?x?x48xf32> {attn.name = "out"})
    attributes {attn.defaults = {B = 1, H = 2, N = 65}} {
  %v = attn.map_rows %q rows (%x: tensor<24xf32>, %b, %h, %n) {
    %two = arith.constant dense<2.0> : tensor<24xf32>
    %five = arith.constant 5 : index
    %three = arith.constant 3 : index
    %back = arith.subi %three, %five : index
    %bit = tensor.extract_slice %bits[%n, 0] [1, 24] [1, 1] : tensor<?x24xi1> to tensor<24xi1>
    %row = tensor.extract_slice %table[%n, %back] [1, 24] [1, 1] : tensor<?x24xf32> to tensor<24xf32>
    %double = arith.mulf %x, %two : tensor<24xf32>
    %chosen = arith.select %bit, %double, %row : tensor<24xi1>, tensor<24xf32>
    %scaled = arith.mulf %chosen, %gain : tensor<24xf32>
    %both = tensor.concat dim(0) %scaled, %gain : (tensor<24xf32>, tensor<24xf32>) -> tensor<48xf32>
    attn.yield %both : tensor<48xf32>
  } : tensor<?x?x?x24xf32> -> tensor<?x?x?x48xf32>
  %out = attn.attend %q, %q, %v
      score (%s: f32, %b, %h, %i, %j) {
        %c = tensor.extract %scale[] : tensor<f32>
        %t = tensor.extract %half[%j] : tensor<?xf16>
        %u = arith.extf %t : f16 to f32
        %0 = arith.mulf %s, %c : f32
        %1 = arith.addf %0, %u : f32
        attn.yield %1 : f32
      }
      mask (%b, %h, %i, %j) {
        %k = tensor.extract %keep[%j] : tensor<?xi1>
        %near = arith.cmpi sge, %i, %j : index
        %m = arith.andi %k, %near : i1
        attn.yield %m : i1
      } : tensor<?x?x?x24xf32>, tensor<?x?x?x24xf32>, tensor<?x?x?x48xf32> -> tensor<?x?x?x48xf32>
  return %out : tensor<?x?x?x48xf32>
}
