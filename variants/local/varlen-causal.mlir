// Causal attention of sequences of different lengths, packed into one row of queries
// and one of keys: in each sequence, the queries are its last tokens.
//
//   out_i = sum_{s_i = t_j, j <= last_i} softmax_j(<q_i, k_j> / sqrt(D)) v_j
//
// Source: T. Dao, "FlashAttention-2: Faster Attention with Better Parallelism and
//         Work Partitioning", 2023, arXiv:2307.08691, and its interface for sequences
//         of different lengths; causal masks are aligned at the end.
// Shapes: q, out [1, H, Nq, D] and k, v [1, Hk, Nk, D] with D = 64; lse [1, H, Nq];
//   query_sequence [Nq], key_sequence [Nk], last [Nq], integers of 32 bits.
// Conventions: s_i = query_sequence[i] and t_j = key_sequence[j] are numbers of
//   sequences. That interface has offsets instead, cu_q and cu_k: sequence s has the
//   queries cu_q[s] .. cu_q[s + 1] - 1. From them follow the sequence of each token
//   and last[i] = i - cu_q[s + 1] + cu_k[s + 1], the last key that query i sees.
//   The caller computes the three arrays. Sequences may be empty; a query whose
//   sequence has no key for it has out = 0 and lse = -inf.
//   lse_i = log(sum_j exp(s_ij)) over the keys of query i, natural logarithm.

func.func @varlen_causal(
    %q: tensor<1x?x?x64xf32> {attn.name = "q", attn.dims = ["B", "H", "Nq", "D"]},
    %k: tensor<1x?x?x64xf32> {attn.name = "k", attn.dims = ["B", "Hk", "Nk", "D"]},
    %v: tensor<1x?x?x64xf32> {attn.name = "v", attn.dims = ["B", "Hk", "Nk", "D"]},
    %query_sequence: tensor<?xi32> {attn.name = "query_sequence", attn.dims = ["Nq"], attn.fill = "segments 8"},
    %key_sequence: tensor<?xi32> {attn.name = "key_sequence", attn.dims = ["Nk"], attn.fill = "segments 8"},
    %last: tensor<?xi32> {attn.name = "last", attn.dims = ["Nq"], attn.fill = "segments Nk"})
    -> (tensor<1x?x?x64xf32> {attn.name = "out"}, tensor<1x?x?xf32> {attn.name = "lse"})
    attributes {attn.defaults = {H = 4, Hk = 2, Nq = 512, Nk = 1024}} {
  %out, %lse = attn.attend %q, %k, %v alignment(start)
      mask (%b, %h, %i, %j) {
        %sequence_i = tensor.extract %query_sequence[%i] : tensor<?xi32>
        %sequence_j = tensor.extract %key_sequence[%j] : tensor<?xi32>
        %same = arith.cmpi eq, %sequence_i, %sequence_j : i32
        %last_i = tensor.extract %last[%i] : tensor<?xi32>
        %key = arith.index_cast %j : index to i32
        %past = arith.cmpi sle, %key, %last_i : i32
        %keep = arith.andi %same, %past : i1
        attn.yield %keep : i1
      }
      : tensor<1x?x?x64xf32>, tensor<1x?x?x64xf32>, tensor<1x?x?x64xf32>
      -> tensor<1x?x?x64xf32>, tensor<1x?x?xf32>
  return %out, %lse : tensor<1x?x?x64xf32>, tensor<1x?x?xf32>
}
