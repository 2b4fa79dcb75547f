// Cross attention inside a band: query i of one sequence attends to the keys
// |i - j| < 128 of another one.
//
//   out_i = sum_{|i - j| < 128} softmax_j(<q_i, k_j> / sqrt(D)) v_j
//
// Source: M.-T. Luong, H. Pham, C. D. Manning, "Effective Approaches to
//         Attention-based Neural Machine Translation", 2015,
//         arXiv:1508.04025, section 3.2 (monotonic local attention, p_t = t),
//         with the dot product of A. Vaswani et al., "Attention Is All You
//         Need", 2017, arXiv:1706.03762.
// Shapes: q [B, H, Nq, D], k [B, H, Nk, D] with D = 64; v [B, H, Nk, Dv],
//   out [B, H, Nq, Dv] with Dv = 32; lse [B, H, Nq].
// Conventions: both sequences start together (alignment(start)). The queries
//   i >= Nk + 127 have no key: out_i = 0 and lse_i = -inf; elsewhere lse_i is
//   the natural logarithm of sum_j exp(s_ij).

func.func @cross(
    %q: tensor<?x?x?x64xf32> {attn.name = "q", attn.dims = ["B", "H", "Nq", "D"]},
    %k: tensor<?x?x?x64xf32> {attn.name = "k", attn.dims = ["B", "H", "Nk", "D"]},
    %v: tensor<?x?x?x32xf32> {attn.name = "v", attn.dims = ["B", "H", "Nk", "Dv"]})
    -> (tensor<?x?x?x32xf32> {attn.name = "out"}, tensor<?x?x?xf32> {attn.name = "lse"})
    attributes {attn.defaults = {B = 1, H = 4, Nq = 256, Nk = 192}} {
  %reach = arith.constant 128 : index
  %minus_reach = arith.constant -128 : index
  %out, %lse = attn.attend %q, %k, %v alignment(start)
      mask (%b, %h, %i, %j) {
        %distance = arith.subi %i, %j : index
        %not_before = arith.cmpi sgt, %distance, %minus_reach : index
        %not_after = arith.cmpi slt, %distance, %reach : index
        %keep = arith.andi %not_before, %not_after : i1
        attn.yield %keep : i1
      }
      : tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x32xf32>
      -> tensor<?x?x?x32xf32>, tensor<?x?x?xf32>
  return %out, %lse : tensor<?x?x?x32xf32>, tensor<?x?x?xf32>
}
