// Decoding with a cache in pages: the last Nq tokens of each sequence attend to all
// tokens up to their own, whose keys and values lie in pages of 16 tokens anywhere.
//
//   k_bj   = pages_k[table[b, j / 16], j mod 16], v_bj likewise
//   out_bi = sum_{j <= i + n_b - Nq} softmax_j(<q_bi, k_bj> / sqrt(D)) v_bj
//
// with quotients rounded down.
//
// Source: W. Kwon et al., "Efficient Memory Management for Large Language Model
//         Serving with PagedAttention", 2023, arXiv:2309.06180, section 4.1.
// Shapes: q, out [B, H, Nq, D] with D = 64; lse [B, H, Nq];
//   k, v [P, S, Hk, D] with S = 16: pages of 16 tokens of all key heads;
//   table [B, M], length [B], integers of 32 bits.
// Conventions: table[b, m] is the page of the tokens 16 m .. 16 m + 15 of sequence b, of
//   which n_b = length[b] tokens are there, at most 16 M. Entries of the table behind them
//   are not used and may hold any number. A query before the first token has no
//   key: out = 0 and lse = -inf.
//   lse_bi = log(sum_j exp(s_bij)) over the keys of query i, natural logarithm.

func.func @paged_causal(
    %q: tensor<?x?x?x64xf32> {attn.name = "q", attn.dims = ["B", "H", "Nq", "D"]},
    %k: tensor<?x16x?x64xf32> {attn.name = "k", attn.dims = ["P", "S", "Hk", "D"]},
    %v: tensor<?x16x?x64xf32> {attn.name = "v", attn.dims = ["P", "S", "Hk", "D"]},
    %table: tensor<?x?xi32> {attn.name = "table", attn.dims = ["B", "M"], attn.fill = "below P"},
    %length: tensor<?xi32> {attn.name = "length", attn.dims = ["B"], attn.fill = "below 160"})
    -> (tensor<?x?x?x64xf32> {attn.name = "out"}, tensor<?x?x?xf32> {attn.name = "lse"})
    attributes {attn.defaults = {B = 2, H = 4, Hk = 2, Nq = 1, P = 40, M = 10}} {
  %axis = arith.constant 2 : index
  %keys = attn.gather %k at(%table) : tensor<?x16x?x64xf32>, tensor<?x?xi32> -> tensor<?x?x?x64xf32>
  %values = attn.gather %v at(%table) : tensor<?x16x?x64xf32>, tensor<?x?xi32> -> tensor<?x?x?x64xf32>
  %out, %lse = attn.attend %q, %keys, %values alignment(start)
      mask (%b, %h, %i, %j) {
        %queries = tensor.dim %q, %axis : tensor<?x?x?x64xf32>
        %tokens = tensor.extract %length[%b] : tensor<?xi32>
        %present = arith.index_cast %tokens : i32 to index
        %before = arith.subi %present, %queries : index
        %position = arith.addi %i, %before : index
        %keep = arith.cmpi sle, %j, %position : index
        attn.yield %keep : i1
      }
      : tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>
      -> tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
  return %out, %lse : tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
}
