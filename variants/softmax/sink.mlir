// Causal attention with a learned sink: a score of one more key whose value is 0,
// so that the weights of a query may sum to less than 1.
//
//   lse_hi = log(exp(sink_h) + sum_{j <= i} exp(s_hij)),   s = <q, k> / sqrt(D)
//   out_hi = sum_{j <= i} exp(s_hij - lse_hi) v_hj
//
// Source: OpenAI, "gpt-oss-120b & gpt-oss-20b Model Card", 2025, arXiv:2508.10925,
//         section 2 (a learned bias in the denominator); after G. Xiao et al.,
//         "Efficient Streaming Language Models with Attention Sinks", 2024,
//         arXiv:2309.17453, section 3.2 (zero sink).
// Shapes: q, k, v, out [B, H, N, D] with D = 64; lse [B, H, N];
//   sink [H].
// Conventions: lse includes the sink, natural logarithm.

func.func @sink(
    %q: tensor<?x?x?x64xf32> {attn.name = "q", attn.dims = ["B", "H", "N", "D"]},
    %k: tensor<?x?x?x64xf32> {attn.name = "k", attn.dims = ["B", "H", "N", "D"]},
    %v: tensor<?x?x?x64xf32> {attn.name = "v", attn.dims = ["B", "H", "N", "D"]},
    %sink: tensor<?xf32> {attn.name = "sink", attn.dims = ["H"]})
    -> (tensor<?x?x?x64xf32> {attn.name = "out"}, tensor<?x?x?xf32> {attn.name = "lse"})
    attributes {attn.defaults = {B = 1, H = 4, N = 256}} {
  %out, %lse = attn.attend %q, %k, %v
      mask (%b, %h, %i, %j) {
        %keep = arith.cmpi sge, %i, %j : index
        attn.yield %keep : i1
      }
      sink (%b, %h, %i) {
        %logit = tensor.extract %sink[%h] : tensor<?xf32>
        attn.yield %logit : f32
      }
      : tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>
      -> tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
  return %out, %lse : tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
}
