// Prefix language model of several documents that lie in one row: in a document,
// all tokens see its prefix, and the others what came before them.
//
//   out_bi = sum_{d_bi = d_bj, j <= i or j < P_bi} softmax_j(<q_bi, k_bj> / sqrt(D)) v_bj
//
// Source: C. Raffel et al., "Exploring the Limits of Transfer Learning with a
//         Unified Text-to-Text Transformer", 2020, arXiv:1910.10683, section
//         3.2.1 and figure 4, of the documents of document-causal.
// Shapes: q, k, v, out [B, H, N, D] with D = 64; lse [B, H, N];
//   document, prefix_end [B, N], integers of 32 bits.
// Conventions: d_bi = document[b, i] is the number of the document of token i, and
//   P_bi = prefix_end[b, i] the first token of the row that is behind the prefix of
//   that document: where it begins, plus the length of its prefix.
//   lse_bi = log(sum_j exp(s_bij)) over the keys of query i, natural logarithm.

func.func @prefix_document(
    %q: tensor<?x?x?x64xf32> {attn.name = "q", attn.dims = ["B", "H", "N", "D"]},
    %k: tensor<?x?x?x64xf32> {attn.name = "k", attn.dims = ["B", "H", "N", "D"]},
    %v: tensor<?x?x?x64xf32> {attn.name = "v", attn.dims = ["B", "H", "N", "D"]},
    %document: tensor<?x?xi32> {attn.name = "document", attn.dims = ["B", "N"], attn.fill = "segments 8"},
    %prefix_end: tensor<?x?xi32> {attn.name = "prefix_end", attn.dims = ["B", "N"], attn.fill = "segments N"})
    -> (tensor<?x?x?x64xf32> {attn.name = "out"}, tensor<?x?x?xf32> {attn.name = "lse"})
    attributes {attn.defaults = {B = 1, H = 4, N = 1024}} {
  %out, %lse = attn.attend %q, %k, %v
      mask (%b, %h, %i, %j) {
        %query_document = tensor.extract %document[%b, %i] : tensor<?x?xi32>
        %key_document = tensor.extract %document[%b, %j] : tensor<?x?xi32>
        %same = arith.cmpi eq, %query_document, %key_document : i32
        %past = arith.cmpi sge, %i, %j : index
        %prefix = tensor.extract %prefix_end[%b, %i] : tensor<?x?xi32>
        %key = arith.index_cast %j : index to i32
        %common = arith.cmpi slt, %key, %prefix : i32
        %visible = arith.ori %past, %common : i1
        %keep = arith.andi %same, %visible : i1
        attn.yield %keep : i1
      }
      : tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>
      -> tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
  return %out, %lse : tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
}
