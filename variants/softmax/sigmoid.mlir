// Causal sigmoid attention: every weight for itself, without a sum over keys.
//
//   out_i = sum_{j <= i} v_j / (1 + exp(-s_ij)),   s_ij = <q_i, k_j> / sqrt(D) - log(N)
//
// Source: J. Ramapuram et al., "Theory, Analysis, and Best Practices for Sigmoid
//         Self-Attention", 2025, arXiv:2409.04431, equation (3) and section 4
//         (the bias -log(N)).
// Shapes: q, k, v, out [B, H, N, D] with D = 64.
// Conventions: N is the number of keys of the tensor, whatever the mask leaves.

func.func @sigmoid(
    %q: tensor<?x?x?x64xf32> {attn.name = "q", attn.dims = ["B", "H", "N", "D"]},
    %k: tensor<?x?x?x64xf32> {attn.name = "k", attn.dims = ["B", "H", "N", "D"]},
    %v: tensor<?x?x?x64xf32> {attn.name = "v", attn.dims = ["B", "H", "N", "D"]})
    -> (tensor<?x?x?x64xf32> {attn.name = "out"})
    attributes {attn.defaults = {B = 1, H = 4, N = 256}} {
  %c2 = arith.constant 2 : index
  %tokens = tensor.dim %k, %c2 : tensor<?x?x?x64xf32>
  %out = attn.attend %q, %k, %v normalizer(none)
      score (%s: f32, %b, %h, %i, %j) {
        %one = arith.constant 1.0 : f32
        %tokens_i64 = arith.index_cast %tokens : index to i64
        %tokens_f = arith.sitofp %tokens_i64 : i64 to f32
        %shift = math.log %tokens_f : f32
        %opposite = arith.subf %shift, %s : f32
        %exponential = math.exp %opposite : f32
        %denominator = arith.addf %one, %exponential : f32
        %weight = arith.divf %one, %denominator : f32
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
