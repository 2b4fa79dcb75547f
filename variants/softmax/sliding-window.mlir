// Sliding-window attention: query i attends to the last W keys.
//
//   out_i = sum_{0 <= i - j < W} softmax_j(<q_i, k_j> / sqrt(D)) v_j
//
// Source: I. Beltagy, M. E. Peters, A. Cohan, "Longformer: The Long-Document
//         Transformer", 2020, arXiv:2004.05150, section 3.1; causal form:
//         A. Q. Jiang et al., "Mistral 7B", 2023, arXiv:2310.06825, section 2.
// Shapes: q, k, v, out [B, H, N, D] with D = 64; lse [B, H, N].
// Conventions: W = 256 counts the key of the query itself.
//   lse_i = log(sum_j exp(s_ij)) over the window, natural logarithm.

func.func @sliding_window(
    %q: tensor<?x?x?x64xf32> {attn.name = "q", attn.dims = ["B", "H", "N", "D"]},
    %k: tensor<?x?x?x64xf32> {attn.name = "k", attn.dims = ["B", "H", "N", "D"]},
    %v: tensor<?x?x?x64xf32> {attn.name = "v", attn.dims = ["B", "H", "N", "D"]})
    -> (tensor<?x?x?x64xf32> {attn.name = "out"}, tensor<?x?x?xf32> {attn.name = "lse"})
    attributes {attn.defaults = {B = 1, H = 4, N = 1024}} {
  %window = arith.constant 256 : index
  %out, %lse = attn.attend %q, %k, %v
      mask (%b, %h, %i, %j) {
        %distance = arith.subi %i, %j : index
        %causal = arith.cmpi sge, %i, %j : index
        %near = arith.cmpi slt, %distance, %window : index
        %keep = arith.andi %causal, %near : i1
        attn.yield %keep : i1
      }
      : tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>
      -> tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
  return %out, %lse : tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
}
