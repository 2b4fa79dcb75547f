// Causal attention of sequences of different lengths, packed into one row of queries
// and one of keys: in each sequence, the queries are its last tokens.
//
//   out_i = sum_{c'_s <= j <= i - c_(s+1) + c'_(s+1)} softmax_j(<q_i, k_j> / sqrt(D)) v_j
//   for the sequence s with c_s <= i < c_(s+1)
//
// Source: T. Dao, "FlashAttention-2: Faster Attention with Better Parallelism and
//         Work Partitioning", 2023, arXiv:2307.08691, and its interface for sequences
//         of different lengths; causal masks are aligned at the end.
// Shapes: q, out [1, H, Nq, D] and k, v [1, Hk, Nk, D] with D = 64; lse [1, H, Nq];
//   c = cu_seqlens_q, c' = cu_seqlens_k [G + 1] of G sequences, integers of 32 bits.
// Conventions: c and c' begin with 0 and do not decrease; sequences may be empty, on
//   one side or both. A query whose sequence has no key for it, or that belongs to
//   none, has out = 0 and lse = -inf.
//   lse_i = log(sum_j exp(s_ij)) over the keys of query i, natural logarithm.

func.func @varlen_causal(
    %q: tensor<1x?x?x64xf32> {attn.name = "q", attn.dims = ["B", "H", "Nq", "D"]},
    %k: tensor<1x?x?x64xf32> {attn.name = "k", attn.dims = ["B", "Hk", "Nk", "D"]},
    %v: tensor<1x?x?x64xf32> {attn.name = "v", attn.dims = ["B", "Hk", "Nk", "D"]},
    %of_queries: tensor<?xi32> {attn.name = "cu_seqlens_q", attn.dims = ["G+1"], attn.fill = "offsets Nq"},
    %of_keys: tensor<?xi32> {attn.name = "cu_seqlens_k", attn.dims = ["G+1"], attn.fill = "offsets Nk"})
    -> (tensor<1x?x?x64xf32> {attn.name = "out"}, tensor<1x?x?xf32> {attn.name = "lse"})
    attributes {attn.defaults = {G = 8, H = 4, Hk = 2, Nq = 512, Nk = 1024}} {
  %out, %lse = attn.attend %q, %k, %v
      segments(%of_queries, %of_keys : tensor<?xi32>, tensor<?xi32>) alignment(end)
      mask (%b, %h, %i, %j) {
        %keep = arith.cmpi sle, %j, %i : index
        attn.yield %keep : i1
      }
      : tensor<1x?x?x64xf32>, tensor<1x?x?x64xf32>, tensor<1x?x?x64xf32>
      -> tensor<1x?x?x64xf32>, tensor<1x?x?xf32>
  return %out, %lse : tensor<1x?x?x64xf32>, tensor<1x?x?xf32>
}
