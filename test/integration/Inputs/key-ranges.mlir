// Masks whose ranges of keys differ by head, for queries that are the newest
// tokens: the first keys and a window (head 0), a band around the query (head
// 1), chunks (head 2), all keys but the query's own (other heads).

func.func @key_ranges(
    %q: tensor<?x?x?x16xf32> {attn.name = "q", attn.dims = ["B", "H", "Nq", "D"]},
    %k: tensor<?x?x?x16xf32> {attn.name = "k", attn.dims = ["B", "H", "Nk", "D"]},
    %v: tensor<?x?x?x16xf32> {attn.name = "v", attn.dims = ["B", "H", "Nk", "D"]})
    -> (tensor<?x?x?x16xf32> {attn.name = "out"}, tensor<?x?x?xf32> {attn.name = "lse"})
    attributes {attn.defaults = {B = 1, H = 4, Nq = 131, Nk = 131}} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c5 = arith.constant 5 : index
  %c40 = arith.constant 40 : index
  %out, %lse = attn.attend %q, %k, %v alignment(end)
      mask (%b, %h, %i, %j) {
        %distance = arith.subi %i, %j : index
        %sink = arith.cmpi slt, %j, %c5 : index
        %near = arith.cmpi ult, %distance, %c40 : index
        %window = arith.ori %sink, %near : i1
        %absolute = math.absi %distance : index
        %band = arith.cmpi sle, %absolute, %c40 : index
        %chunk_i = arith.floordivsi %i, %c40 : index
        %chunk_j = arith.floordivsi %j, %c40 : index
        %chunk = arith.cmpi eq, %chunk_i, %chunk_j : index
        %other = arith.cmpi ne, %i, %j : index
        %is_0 = arith.cmpi eq, %h, %c0 : index
        %is_1 = arith.cmpi eq, %h, %c1 : index
        %is_2 = arith.cmpi eq, %h, %c2 : index
        %last = arith.select %is_2, %chunk, %other : i1
        %rest = arith.select %is_1, %band, %last : i1
        %keep = arith.select %is_0, %window, %rest : i1
        attn.yield %keep : i1
      }
      : tensor<?x?x?x16xf32>, tensor<?x?x?x16xf32>, tensor<?x?x?x16xf32>
      -> tensor<?x?x?x16xf32>, tensor<?x?x?xf32>
  return %out, %lse : tensor<?x?x?x16xf32>, tensor<?x?x?xf32>
}
