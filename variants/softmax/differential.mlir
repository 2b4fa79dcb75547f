// Differential attention: the difference of two causal softmax maps, the second
// one weighted by a learned number per head.
//
//   out_hi = sum_{j <= i} (softmax_j(<q1_hi, k1_hj> / sqrt(D))
//                         - lambda_h softmax_j(<q2_hi, k2_hj> / sqrt(D))) v_hj
//
// Source: T. Ye et al., "Differential Transformer", 2025, arXiv:2410.05258,
//         equation (1), before the norm and the projection of heads.
// Shapes: q1, q2, k1, k2 [B, H, N, D] with D = 64; v, out [B, H, N, Dv] with
//   Dv = 2 D = 128; lambda [H].
// Conventions: lambda_h is the number itself, not the exponents of equation (2)
//   that it is learned through.

func.func @differential(
    %q1: tensor<?x?x?x64xf32> {attn.name = "q1", attn.dims = ["B", "H", "N", "D"]},
    %k1: tensor<?x?x?x64xf32> {attn.name = "k1", attn.dims = ["B", "H", "N", "D"]},
    %q2: tensor<?x?x?x64xf32> {attn.name = "q2", attn.dims = ["B", "H", "N", "D"]},
    %k2: tensor<?x?x?x64xf32> {attn.name = "k2", attn.dims = ["B", "H", "N", "D"]},
    %v: tensor<?x?x?x128xf32> {attn.name = "v", attn.dims = ["B", "H", "N", "Dv"]},
    %lambda: tensor<?xf32> {attn.name = "lambda", attn.dims = ["H"], attn.fill = "uniform"})
    -> (tensor<?x?x?x128xf32> {attn.name = "out"})
    attributes {attn.defaults = {B = 1, H = 4, N = 256}} {
  %first = attn.attend %q1, %k1, %v
      mask (%b, %h, %i, %j) {
        %keep = arith.cmpi sge, %i, %j : index
        attn.yield %keep : i1
      }
      : tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x128xf32>
      -> tensor<?x?x?x128xf32>
  %second = attn.attend %q2, %k2, %v
      mask (%b, %h, %i, %j) {
        %keep = arith.cmpi sge, %i, %j : index
        attn.yield %keep : i1
      }
      : tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x128xf32>
      -> tensor<?x?x?x128xf32>
  %out = attn.map_rows %first rows (%x: tensor<128xf32>, %b, %h, %n) {
    %y = tensor.extract_slice %second[%b, %h, %n, 0] [1, 1, 1, 128] [1, 1, 1, 1]
       : tensor<?x?x?x128xf32> to tensor<128xf32>
    %weight = tensor.extract %lambda[%h] : tensor<?xf32>
    %factor = tensor.splat %weight : tensor<128xf32>
    %weighted = arith.mulf %y, %factor : tensor<128xf32>
    %difference = arith.subf %x, %weighted : tensor<128xf32>
    attn.yield %difference : tensor<128xf32>
  } : tensor<?x?x?x128xf32> -> tensor<?x?x?x128xf32>
  return %out : tensor<?x?x?x128xf32>
}
