// Masks that are no range of keys: data, gaps, residue classes. Blocks of keys are
// visited by lists.

!x = tensor<?x?x?x16xf32>

// Documents, in any order, and a window.
func.func @document_window(
    %q: !x {attn.name = "q", attn.dims = ["B", "H", "N", "D"]},
    %k: !x {attn.name = "k", attn.dims = ["B", "Hk", "N", "D"]},
    %v: !x {attn.name = "v", attn.dims = ["B", "Hk", "N", "D"]},
    %document: tensor<?x?xi32> {attn.name = "document", attn.dims = ["B", "N"], attn.fill = "below 3"})
    -> (!x {attn.name = "out"}, tensor<?x?x?xf32> {attn.name = "lse"})
    attributes {attn.defaults = {B = 2, H = 2, Hk = 1, N = 100}} {
  %width = arith.constant 40 : index
  %out, %lse = attn.attend %q, %k, %v
      mask (%b, %h, %i, %j) {
        %x = tensor.extract %document[%b, %i] : tensor<?x?xi32>
        %y = tensor.extract %document[%b, %j] : tensor<?x?xi32>
        %same = arith.cmpi eq, %x, %y : i32
        %distance = arith.subi %i, %j : index
        %near = arith.cmpi ult, %distance, %width : index
        %keep = arith.andi %same, %near : i1
        attn.yield %keep : i1
      } : !x, !x, !x -> !x, tensor<?x?x?xf32>
  return %out, %lse : !x, tensor<?x?x?xf32>
}

// The first tokens and a window, for queries that end with the keys; the sink has
// its share.
func.func @first_and_window(
    %q: !x {attn.name = "q", attn.dims = ["B", "H", "Nq", "D"]},
    %k: !x {attn.name = "k", attn.dims = ["B", "H", "Nk", "D"]},
    %v: !x {attn.name = "v", attn.dims = ["B", "H", "Nk", "D"]})
    -> (!x {attn.name = "out"}, tensor<?x?x?xf32> {attn.name = "lse"})
    attributes {attn.defaults = {B = 1, H = 2, Nq = 100, Nk = 200}} {
  %four = arith.constant 4 : index
  %width = arith.constant 20 : index
  %out, %lse = attn.attend %q, %k, %v alignment(end)
      mask (%b, %h, %i, %j) {
        %first = arith.cmpi slt, %j, %four : index
        %distance = arith.subi %i, %j : index
        %near = arith.cmpi slt, %distance, %width : index
        %past = arith.cmpi sge, %i, %j : index
        %seen = arith.ori %first, %near : i1
        %keep = arith.andi %seen, %past : i1
        attn.yield %keep : i1
      }
      sink (%b, %h, %i) {
        %zero = arith.constant 0.0 : f32
        attn.yield %zero : f32
      } : !x, !x, !x -> !x, tensor<?x?x?xf32>
  return %out, %lse : !x, tensor<?x?x?xf32>
}

// One prefix per batch, one width per head; weights are squared, so keys are
// visited twice.
func.func @prefix_and_width(
    %q: !x {attn.name = "q", attn.dims = ["B", "H", "N", "D"]},
    %k: !x {attn.name = "k", attn.dims = ["B", "H", "N", "D"]},
    %v: !x {attn.name = "v", attn.dims = ["B", "H", "N", "D"]},
    %prefix: tensor<?xi64> {attn.name = "prefix", attn.dims = ["B"], attn.fill = "below N"},
    %widths: tensor<?xi64> {attn.name = "widths", attn.dims = ["H"], attn.fill = "below N"})
    -> (!x {attn.name = "out"})
    attributes {attn.defaults = {B = 2, H = 3, N = 100}} {
  %out = attn.attend %q, %k, %v
      mask (%b, %h, %i, %j) {
        %length = tensor.extract %prefix[%b] : tensor<?xi64>
        %width = tensor.extract %widths[%h] : tensor<?xi64>
        %distance = arith.subi %i, %j : index
        %d = arith.index_cast %distance : index to i64
        %near = arith.cmpi ult, %d, %width : i64
        %key = arith.index_cast %j : index to i64
        %common = arith.cmpi slt, %key, %length : i64
        %keep = arith.ori %near, %common : i1
        attn.yield %keep : i1
      }
      prob (%p: f32, %b, %h, %i, %j) {
        %square = arith.mulf %p, %p : f32
        attn.yield %square : f32
      } : !x, !x, !x -> !x
  return %out : !x
}

// A third of the tokens near by, and a hole in the middle.
func.func @dilated_ring(
    %q: !x {attn.name = "q", attn.dims = ["B", "H", "N", "D"]},
    %k: !x {attn.name = "k", attn.dims = ["B", "H", "N", "D"]},
    %v: !x {attn.name = "v", attn.dims = ["B", "H", "N", "D"]})
    -> (!x {attn.name = "out"}, tensor<?x?x?xf32> {attn.name = "lse"})
    attributes {attn.defaults = {B = 1, H = 2, N = 150}} {
  %three = arith.constant 3 : index
  %inner = arith.constant 20 : index
  %outer = arith.constant 70 : index
  %out, %lse = attn.attend %q, %k, %v
      mask (%b, %h, %i, %j) {
        %d = arith.subi %i, %j : index
        %distance = math.absi %d : index
        %beyond = arith.cmpi sgt, %distance, %inner : index
        %within = arith.cmpi slt, %distance, %outer : index
        %x = arith.remsi %i, %three : index
        %y = arith.remsi %j, %three : index
        %same = arith.cmpi eq, %x, %y : index
        %ring = arith.andi %beyond, %within : i1
        %keep = arith.andi %ring, %same : i1
        attn.yield %keep : i1
      } : !x, !x, !x -> !x, tensor<?x?x?xf32>
  return %out, %lse : !x, tensor<?x?x?xf32>
}

// A list that the caller made: full blocks are not masked, others are.
func.func @listed(
    %q: !x {attn.name = "q", attn.dims = ["B", "H", "N", "D"]},
    %k: !x {attn.name = "k", attn.dims = ["B", "H", "N", "D"]},
    %v: !x {attn.name = "v", attn.dims = ["B", "H", "N", "D"]},
    %offsets: tensor<1x?x?xi32> {attn.name = "offsets", attn.dims = ["One", "H", "E"], attn.fill = "below 1"},
    %blocks: tensor<1x?x?xi32> {attn.name = "blocks", attn.dims = ["One", "H", "L"], attn.fill = "below 1"})
    -> (!x {attn.name = "out"}, tensor<?x?x?xf32> {attn.name = "lse"})
    attributes {attn.defaults = {B = 2, H = 2, N = 100, E = 9, L = 16}} {
  %out, %lse = attn.attend %q, %k, %v
      blocks(%offsets, %blocks : tensor<1x?x?xi32>, tensor<1x?x?xi32>) block_sizes [32, 16]
      mask (%b, %h, %i, %j) {
        %past = arith.cmpi sge, %i, %j : index
        attn.yield %past : i1
      } : !x, !x, !x -> !x, tensor<?x?x?xf32>
  return %out, %lse : !x, tensor<?x?x?xf32>
}

// A list of the caller on a grid of 7 x 13 tokens: 4 boxes of queries and 7 of keys,
// of which some reach beyond the grid.
!g = tensor<?x?x?x?x16xf32>

func.func @listed_boxes(
    %q: !g {attn.name = "q", attn.dims = ["B", "H", "Y", "X", "D"]},
    %k: !g {attn.name = "k", attn.dims = ["B", "H", "V", "U", "D"]},
    %v: !g {attn.name = "v", attn.dims = ["B", "H", "V", "U", "D"]},
    %offsets: tensor<1x?x?xi32> {attn.name = "offsets", attn.dims = ["One", "H", "E"], attn.fill = "below 1"},
    %blocks: tensor<1x?x?xi32> {attn.name = "blocks", attn.dims = ["One", "H", "L"], attn.fill = "below 1"})
    -> (!g {attn.name = "out"}, tensor<?x?x?x?xf32> {attn.name = "lse"})
    attributes {attn.defaults = {B = 2, H = 2, Y = 7, X = 13, V = 7, U = 13, E = 9, L = 16}} {
  %out, %lse = attn.attend %q, %k, %v
      blocks(%offsets, %blocks : tensor<1x?x?xi32>, tensor<1x?x?xi32>) block_sizes [32, 16]
      alignment(start) schedule(<block_q = 32, block_k = 16, box_q = [4, 8], box_k = [1, 16]>)
      mask (%b, %h, %iy, %ix, %jy, %jx) {
        %past = arith.cmpi sge, %ix, %jx : index
        attn.yield %past : i1
      } : !g, !g, !g -> !g, tensor<?x?x?x?xf32>
  return %out, %lse : !g, tensor<?x?x?x?xf32>
}
