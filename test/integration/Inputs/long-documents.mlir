// Documents in a long sequence, and a window of 1024 tokens: the largest mask that
// is classified.

!x = tensor<?x?x?x16xf32>

func.func @long_documents(
    %q: !x {attn.name = "q", attn.dims = ["B", "H", "N", "D"]},
    %document: tensor<?xi32> {attn.name = "document", attn.dims = ["N"], attn.fill = "below 3"})
    -> (!x {attn.name = "out"}) attributes {attn.defaults = {B = 1, H = 1, N = 4096}} {
  %window = arith.constant 1024 : index
  %out = attn.attend %q, %q, %q
      mask (%b, %h, %i, %j) {
        %x = tensor.extract %document[%i] : tensor<?xi32>
        %y = tensor.extract %document[%j] : tensor<?xi32>
        %same = arith.cmpi eq, %x, %y : i32
        %past = arith.cmpi sge, %i, %j : index
        %distance = arith.subi %i, %j : index
        %near = arith.cmpi slt, %distance, %window : index
        %recent = arith.andi %past, %near : i1
        %keep = arith.andi %same, %recent : i1
        attn.yield %keep : i1
      } : !x, !x, !x -> !x
  return %out : !x
}
