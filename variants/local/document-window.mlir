// Sliding windows of several documents that lie in one row: a token attends to the
// last W ones up to itself, as far as they belong to its document.
//
//   out_bi = sum_{0 <= i - j < W, d_bi = d_bj} softmax_j(<q_bi, k_bj> / sqrt(D)) v_bj
//
// Source: the documents of document-causal, the window of A. Q. Jiang et al.,
//         "Mistral 7B", 2023, arXiv:2310.06825, section 2.
// Shapes: q, k, v, out [B, H, N, D] with D = 64; lse [B, H, N];
//   document [B, N], integers of 32 bits.
// Conventions: W = 1024 counts the key of the query itself. d_bi = document[b, i] is
//   the number of the document of token i.
//   lse_bi = log(sum_j exp(s_bij)) over the keys of query i, natural logarithm.

func.func @document_window(
    %q: tensor<?x?x?x64xf32> {attn.name = "q", attn.dims = ["B", "H", "N", "D"]},
    %k: tensor<?x?x?x64xf32> {attn.name = "k", attn.dims = ["B", "H", "N", "D"]},
    %v: tensor<?x?x?x64xf32> {attn.name = "v", attn.dims = ["B", "H", "N", "D"]},
    %document: tensor<?x?xi32> {attn.name = "document", attn.dims = ["B", "N"], attn.fill = "segments 8"})
    -> (tensor<?x?x?x64xf32> {attn.name = "out"}, tensor<?x?x?xf32> {attn.name = "lse"})
    attributes {attn.defaults = {B = 1, H = 2, N = 1536}} {
  %window = arith.constant 1024 : index
  %out, %lse = attn.attend %q, %k, %v
      mask (%b, %h, %i, %j) {
        %query_document = tensor.extract %document[%b, %i] : tensor<?x?xi32>
        %key_document = tensor.extract %document[%b, %j] : tensor<?x?xi32>
        %same = arith.cmpi eq, %query_document, %key_document : i32
        %past = arith.cmpi sge, %i, %j : index
        %distance = arith.subi %i, %j : index
        %near = arith.cmpi slt, %distance, %window : index
        %recent = arith.andi %past, %near : i1
        %keep = arith.andi %same, %recent : i1
        attn.yield %keep : i1
      }
      : tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>
      -> tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
  return %out, %lse : tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
}
