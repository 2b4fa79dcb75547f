// Causal attention of several documents that lie in one row: a token attends to
// those of its own document up to itself.
//
//   out_bi = sum_{j <= i, d_bi = d_bj} softmax_j(<q_bi, k_bj> / sqrt(D)) v_bj
//
// Source: M. Krell et al., "Efficient Sequence Packing without
//         Cross-contamination", 2021, arXiv:2107.02027; causal: A.
//         Grattafiori et al., "The Llama 3 Herd of Models", 2024,
//         arXiv:2407.21783, section 3.2.
// Shapes: q, k, v, out [B, H, N, D] with D = 64; lse [B, H, N];
//   document [B, N], integers of 32 bits.
// Conventions: d_bi = document[b, i] is the number of the document of token i.
//   Numbers may be in any order and some may be missing.
//   lse_bi = log(sum_j exp(s_bij)) over the keys of query i, natural logarithm.

func.func @document_causal(
    %q: tensor<?x?x?x64xf32> {attn.name = "q", attn.dims = ["B", "H", "N", "D"]},
    %k: tensor<?x?x?x64xf32> {attn.name = "k", attn.dims = ["B", "H", "N", "D"]},
    %v: tensor<?x?x?x64xf32> {attn.name = "v", attn.dims = ["B", "H", "N", "D"]},
    %document: tensor<?x?xi32> {attn.name = "document", attn.dims = ["B", "N"], attn.fill = "segments 8"})
    -> (tensor<?x?x?x64xf32> {attn.name = "out"}, tensor<?x?x?xf32> {attn.name = "lse"})
    attributes {attn.defaults = {B = 1, H = 4, N = 1024}} {
  %out, %lse = attn.attend %q, %k, %v
      mask (%b, %h, %i, %j) {
        %query_document = tensor.extract %document[%b, %i] : tensor<?x?xi32>
        %key_document = tensor.extract %document[%b, %j] : tensor<?x?xi32>
        %same = arith.cmpi eq, %query_document, %key_document : i32
        %past = arith.cmpi sge, %i, %j : index
        %keep = arith.andi %same, %past : i1
        attn.yield %keep : i1
      }
      : tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>
      -> tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
  return %out, %lse : tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
}
