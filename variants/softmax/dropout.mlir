// Causal attention with dropout of the weights, as in training.
//
//   p_ij  = softmax_j(<q_i, k_j> / sqrt(D)) over j <= i
//   out_i = sum_{j <= i} keep_bhij p_ij / (1 - rate) v_j
//   keep_bhij = u_bhij >= rate,   u_bhij = attn.random(seed; i, j, h, b)
//
// Source: N. Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks
//         from Overfitting", 2014, JMLR 15; on attention weights: A. Vaswani et
//         al., "Attention Is All You Need", 2017, arXiv:1706.03762; generator: J.
//         K. Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", 2011.
// Shapes: q, k, v, out [B, H, N, D] with D = 64; lse [B, H, N];
//   seed [], an integer of 64 bits; rate [].
// Conventions: u is the uniform number in [0, 1) that `attn.random` defines: the
//   same for every target, block size and number of threads. rate < 1.
//   lse_i is that of all keys j <= i, whether dropped or not; natural logarithm.

func.func @dropout(
    %q: tensor<?x?x?x64xf32> {attn.name = "q", attn.dims = ["B", "H", "N", "D"]},
    %k: tensor<?x?x?x64xf32> {attn.name = "k", attn.dims = ["B", "H", "N", "D"]},
    %v: tensor<?x?x?x64xf32> {attn.name = "v", attn.dims = ["B", "H", "N", "D"]},
    %seed: tensor<i64> {attn.name = "seed", attn.dims = []},
    %rate: tensor<f32> {attn.name = "rate", attn.dims = [], attn.fill = "uniform"})
    -> (tensor<?x?x?x64xf32> {attn.name = "out"}, tensor<?x?x?xf32> {attn.name = "lse"})
    attributes {attn.defaults = {B = 1, H = 4, N = 256}} {
  %out, %lse = attn.attend %q, %k, %v
      mask (%b, %h, %i, %j) {
        %keep = arith.cmpi sge, %i, %j : index
        attn.yield %keep : i1
      }
      prob (%p: f32, %b, %h, %i, %j) {
        %one = arith.constant 1.0 : f32
        %zero = arith.constant 0.0 : f32
        %key = tensor.extract %seed[] : tensor<i64>
        %r = tensor.extract %rate[] : tensor<f32>
        %u = attn.random %key at(%i, %j, %h, %b) : f32
        %stays = arith.cmpf oge, %u, %r : f32
        %share = arith.subf %one, %r : f32
        %factor = arith.divf %one, %share : f32
        %kept = arith.select %stays, %factor, %zero : f32
        %dropped = arith.mulf %p, %kept : f32
        attn.yield %dropped : f32
      }
      : tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>
      -> tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
  return %out, %lse : tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
}
