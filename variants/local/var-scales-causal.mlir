// Attention from scale to scale: the sequence holds an image in ten resolutions,
// one after the other, and a token attends to those of its own and of coarser ones.
//
//   out_i = sum_{s(i) >= s(j)} softmax_j(<q_i, k_j> / sqrt(D)) v_j
//
// s(i) is the scale of token i, the number of scales that begin at or before it,
// less one: scale t has p_t^2 tokens, p = 1, 2, 3, 4, 5, 6, 8, 10, 13, 16.
//
// Source: K. Tian et al., "Visual Autoregressive Modeling: Scalable Image
//         Generation via Next-Scale Prediction", 2024, arXiv:2404.02905.
// Shapes: q, k, v, out [B, H, N, D] with D = 64; lse [B, H, N].
// Conventions: an image of 256 x 256 pixels has N = 680 tokens. A shorter sequence
//   is its beginning; tokens beyond belong to the last scale.
//   lse_i = log(sum_j exp(s_ij)) over the keys of query i, natural logarithm.

func.func @var_scales_causal(
    %q: tensor<?x?x?x64xf32> {attn.name = "q", attn.dims = ["B", "H", "N", "D"]},
    %k: tensor<?x?x?x64xf32> {attn.name = "k", attn.dims = ["B", "H", "N", "D"]},
    %v: tensor<?x?x?x64xf32> {attn.name = "v", attn.dims = ["B", "H", "N", "D"]})
    -> (tensor<?x?x?x64xf32> {attn.name = "out"}, tensor<?x?x?xf32> {attn.name = "lse"})
    attributes {attn.defaults = {B = 1, H = 4, N = 680}} {
  %first1 = arith.constant 1 : index
  %first2 = arith.constant 5 : index
  %first3 = arith.constant 14 : index
  %first4 = arith.constant 30 : index
  %first5 = arith.constant 55 : index
  %first6 = arith.constant 91 : index
  %first7 = arith.constant 155 : index
  %first8 = arith.constant 255 : index
  %first9 = arith.constant 424 : index
  %out, %lse = attn.attend %q, %k, %v
      mask (%b, %h, %i, %j) {
        %query_in1 = arith.cmpi sge, %i, %first1 : index
        %query_in2 = arith.cmpi sge, %i, %first2 : index
        %query_in3 = arith.cmpi sge, %i, %first3 : index
        %query_in4 = arith.cmpi sge, %i, %first4 : index
        %query_in5 = arith.cmpi sge, %i, %first5 : index
        %query_in6 = arith.cmpi sge, %i, %first6 : index
        %query_in7 = arith.cmpi sge, %i, %first7 : index
        %query_in8 = arith.cmpi sge, %i, %first8 : index
        %query_in9 = arith.cmpi sge, %i, %first9 : index
        %query_n1 = arith.extui %query_in1 : i1 to i32
        %query_n2 = arith.extui %query_in2 : i1 to i32
        %query_n3 = arith.extui %query_in3 : i1 to i32
        %query_n4 = arith.extui %query_in4 : i1 to i32
        %query_n5 = arith.extui %query_in5 : i1 to i32
        %query_n6 = arith.extui %query_in6 : i1 to i32
        %query_n7 = arith.extui %query_in7 : i1 to i32
        %query_n8 = arith.extui %query_in8 : i1 to i32
        %query_n9 = arith.extui %query_in9 : i1 to i32
        %query_s2 = arith.addi %query_n1, %query_n2 : i32
        %query_s3 = arith.addi %query_s2, %query_n3 : i32
        %query_s4 = arith.addi %query_s3, %query_n4 : i32
        %query_s5 = arith.addi %query_s4, %query_n5 : i32
        %query_s6 = arith.addi %query_s5, %query_n6 : i32
        %query_s7 = arith.addi %query_s6, %query_n7 : i32
        %query_s8 = arith.addi %query_s7, %query_n8 : i32
        %query_scale = arith.addi %query_s8, %query_n9 : i32
        %key_in1 = arith.cmpi sge, %j, %first1 : index
        %key_in2 = arith.cmpi sge, %j, %first2 : index
        %key_in3 = arith.cmpi sge, %j, %first3 : index
        %key_in4 = arith.cmpi sge, %j, %first4 : index
        %key_in5 = arith.cmpi sge, %j, %first5 : index
        %key_in6 = arith.cmpi sge, %j, %first6 : index
        %key_in7 = arith.cmpi sge, %j, %first7 : index
        %key_in8 = arith.cmpi sge, %j, %first8 : index
        %key_in9 = arith.cmpi sge, %j, %first9 : index
        %key_n1 = arith.extui %key_in1 : i1 to i32
        %key_n2 = arith.extui %key_in2 : i1 to i32
        %key_n3 = arith.extui %key_in3 : i1 to i32
        %key_n4 = arith.extui %key_in4 : i1 to i32
        %key_n5 = arith.extui %key_in5 : i1 to i32
        %key_n6 = arith.extui %key_in6 : i1 to i32
        %key_n7 = arith.extui %key_in7 : i1 to i32
        %key_n8 = arith.extui %key_in8 : i1 to i32
        %key_n9 = arith.extui %key_in9 : i1 to i32
        %key_s2 = arith.addi %key_n1, %key_n2 : i32
        %key_s3 = arith.addi %key_s2, %key_n3 : i32
        %key_s4 = arith.addi %key_s3, %key_n4 : i32
        %key_s5 = arith.addi %key_s4, %key_n5 : i32
        %key_s6 = arith.addi %key_s5, %key_n6 : i32
        %key_s7 = arith.addi %key_s6, %key_n7 : i32
        %key_s8 = arith.addi %key_s7, %key_n8 : i32
        %key_scale = arith.addi %key_s8, %key_n9 : i32
        %keep = arith.cmpi sge, %query_scale, %key_scale : i32
        attn.yield %keep : i1
      }
      : tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>
      -> tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
  return %out, %lse : tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
}
