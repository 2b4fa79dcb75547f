// Blocks of g tokens attend to themselves.
//
//   out_i = sum_{i / g = j / g} softmax_j(<q_i, k_j> / sqrt(D)) v_j
//
// with quotients rounded down.
//
// Source: Z. Qin et al., "The Devil in Linear Transformer", 2022,
//         arXiv:2210.10340 (DiagAttention).
// Shapes: q, k, v, out [B, H, N, D] with D = 64; lse [B, H, N].
// Conventions: g = 64. The last block is shorter where g does not divide N.
//   lse_i = log(sum_j exp(s_ij)) over the block, natural logarithm.

func.func @block_diagonal(
    %q: tensor<?x?x?x64xf32> {attn.name = "q", attn.dims = ["B", "H", "N", "D"]},
    %k: tensor<?x?x?x64xf32> {attn.name = "k", attn.dims = ["B", "H", "N", "D"]},
    %v: tensor<?x?x?x64xf32> {attn.name = "v", attn.dims = ["B", "H", "N", "D"]})
    -> (tensor<?x?x?x64xf32> {attn.name = "out"}, tensor<?x?x?xf32> {attn.name = "lse"})
    attributes {attn.defaults = {B = 1, H = 4, N = 256}} {
  %block = arith.constant 64 : index
  %out, %lse = attn.attend %q, %k, %v
      mask (%b, %h, %i, %j) {
        %query_block = arith.divsi %i, %block : index
        %key_block = arith.divsi %j, %block : index
        %keep = arith.cmpi eq, %query_block, %key_block : index
        attn.yield %keep : i1
      }
      : tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>
      -> tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
  return %out, %lse : tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
}
