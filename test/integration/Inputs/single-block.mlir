// Static shapes with one block of queries, and a mask on a distance.
func.func @single_block(
    %q: tensor<1x1x33x8xf32> {attn.name = "q"}, %k: tensor<1x1x140x8xf32> {attn.name = "k"})
    -> (tensor<1x1x33x8xf32> {attn.name = "out"}) {
  %out = attn.attend %q, %k, %k alignment(end)
      mask (%b, %h, %i, %j) {
        %c40 = arith.constant 40 : index
        %d = arith.subi %i, %j : index
        %a = math.absi %d : index
        %near = arith.cmpi slt, %a, %c40 : index
        attn.yield %near : i1
      } : tensor<1x1x33x8xf32>, tensor<1x1x140x8xf32>, tensor<1x1x140x8xf32> -> tensor<1x1x33x8xf32>
  return %out : tensor<1x1x33x8xf32>
}
