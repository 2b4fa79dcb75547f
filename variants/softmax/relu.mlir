// Causal ReLU attention: weights are the positive parts of the scores, divided by
// the number of tokens.
//
//   out_i = (1 / N) sum_{j <= i} max(<q_i, k_j> / sqrt(D), 0) v_j
//
// Source: M. Wortsman, J. Lee, J. Gilmer, S. Kornblith, "Replacing softmax with
//         ReLU in Vision Transformers", 2023, arXiv:2309.08586, section 3
//         (phi = L^-1 relu).
// Shapes: q, k, v, out [B, H, N, D] with D = 64.
// Conventions: N is the number of keys of the tensor, whatever the mask leaves.

func.func @relu(
    %q: tensor<?x?x?x64xf32> {attn.name = "q", attn.dims = ["B", "H", "N", "D"]},
    %k: tensor<?x?x?x64xf32> {attn.name = "k", attn.dims = ["B", "H", "N", "D"]},
    %v: tensor<?x?x?x64xf32> {attn.name = "v", attn.dims = ["B", "H", "N", "D"]})
    -> (tensor<?x?x?x64xf32> {attn.name = "out"})
    attributes {attn.defaults = {B = 1, H = 4, N = 256}} {
  %c2 = arith.constant 2 : index
  %tokens = tensor.dim %k, %c2 : tensor<?x?x?x64xf32>
  %out = attn.attend %q, %k, %v normalizer(none)
      score (%s: f32, %b, %h, %i, %j) {
        %zero = arith.constant 0.0 : f32
        %tokens_i64 = arith.index_cast %tokens : index to i64
        %tokens_f = arith.sitofp %tokens_i64 : i64 to f32
        %positive = arith.maximumf %s, %zero : f32
        %weight = arith.divf %positive, %tokens_f : f32
        attn.yield %weight : f32
      }
      mask (%b, %h, %i, %j) {
        %keep = arith.cmpi sge, %i, %j : index
        attn.yield %keep : i1
      }
      : tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>
      -> tensor<?x?x?x64xf32>
  return %out : tensor<?x?x?x64xf32>
}
