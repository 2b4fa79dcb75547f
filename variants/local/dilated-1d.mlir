// Dilated sliding window: query i attends to every d-th token around it.
//
//   out_i = sum_{j in A_i} softmax_j(<q_i, k_j> / sqrt(D)) v_j
//   A_i   = { j : abs(i - j) <= R and (i - j) mod d = 0 }
//
// Source: I. Beltagy, M. E. Peters, A. Cohan, "Longformer: The Long-Document
//         Transformer", 2020, arXiv:2004.05150, section 3.1 and figure 2c.
// Shapes: q, k, v, out [B, H, N, D] with D = 64; lse [B, H, N].
// Conventions: R = 256 and d = 4, so a query has 129 keys; the window is cut at the
//   ends of the sequence (neighborhood-1d pushes it inwards).
//   lse_i = log(sum_j exp(s_ij)) over A_i, natural logarithm.

func.func @dilated_1d(
    %q: tensor<?x?x?x64xf32> {attn.name = "q", attn.dims = ["B", "H", "N", "D"]},
    %k: tensor<?x?x?x64xf32> {attn.name = "k", attn.dims = ["B", "H", "N", "D"]},
    %v: tensor<?x?x?x64xf32> {attn.name = "v", attn.dims = ["B", "H", "N", "D"]})
    -> (tensor<?x?x?x64xf32> {attn.name = "out"}, tensor<?x?x?xf32> {attn.name = "lse"})
    attributes {attn.defaults = {B = 1, H = 4, N = 1024}} {
  %reach = arith.constant 256 : index
  %dilation = arith.constant 4 : index
  %out, %lse = attn.attend %q, %k, %v
      mask (%b, %h, %i, %j) {
        %class = arith.remsi %i, %dilation : index
        %key_class = arith.remsi %j, %dilation : index
        %same = arith.cmpi eq, %class, %key_class : index
        %after = arith.subi %i, %j : index
        %before = arith.subi %j, %i : index
        %distance = arith.maxsi %after, %before : index
        %near = arith.cmpi sle, %distance, %reach : index
        %keep = arith.andi %same, %near : i1
        attn.yield %keep : i1
      }
      : tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>
      -> tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
  return %out, %lse : tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
}
