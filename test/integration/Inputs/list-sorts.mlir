// Lists that are transposed once and twice, and the order of their rows. C is the
// number of columns, E that of offsets, T that of the new ones.

!list = tensor<?x?x?xi32>

func.func @transpose(
    %offsets: !list {attn.name = "offsets", attn.dims = ["B", "H", "E"], attn.fill = "below 1"},
    %blocks: !list {attn.name = "blocks", attn.dims = ["B", "H", "L"], attn.fill = "below 1"},
    %columns: tensor<?xi8> {attn.name = "columns", attn.dims = ["C"], attn.fill = "below 2"},
    %ends: tensor<?xi8> {attn.name = "ends", attn.dims = ["T"], attn.fill = "below 2"})
    -> (!list {attn.name = "new_offsets", attn.dims = ["B", "H", "T"]},
        !list {attn.name = "new_blocks", attn.dims = ["B", "H", "L"]})
    attributes {attn.defaults = {B = 1, H = 1, E = 3, L = 1, C = 2, T = 5}} {
  %zero = arith.constant 0 : index
  %c = tensor.dim %columns, %zero : tensor<?xi8>
  %o, %l = attn.transpose_list %offsets, %blocks columns(%c) : !list, !list -> !list, !list
  return %o, %l : !list, !list
}

func.func @twice(
    %offsets: !list {attn.name = "offsets", attn.dims = ["B", "H", "E"], attn.fill = "below 1"},
    %blocks: !list {attn.name = "blocks", attn.dims = ["B", "H", "L"], attn.fill = "below 1"},
    %columns: tensor<?xi8> {attn.name = "columns", attn.dims = ["C"], attn.fill = "below 2"})
    -> (!list {attn.name = "new_offsets", attn.dims = ["B", "H", "E"]},
        !list {attn.name = "new_blocks", attn.dims = ["B", "H", "L"]})
    attributes {attn.defaults = {B = 1, H = 1, E = 3, L = 1, C = 2}} {
  %zero = arith.constant 0 : index
  %two = arith.constant 2 : index
  %c = tensor.dim %columns, %zero : tensor<?xi8>
  %ends = tensor.dim %offsets, %two : !list
  %r = arith.divsi %ends, %two : index
  %o, %l = attn.transpose_list %offsets, %blocks columns(%c) : !list, !list -> !list, !list
  %oo, %ll = attn.transpose_list %o, %l columns(%r) : !list, !list -> !list, !list
  return %oo, %ll : !list, !list
}

func.func @order(
    %offsets: !list {attn.name = "offsets", attn.dims = ["B", "H", "E"], attn.fill = "below 1"},
    %rows: tensor<?xi8> {attn.name = "rows", attn.dims = ["R"], attn.fill = "below 2"})
    -> (!list {attn.name = "order", attn.dims = ["B", "H", "R"]})
    attributes {attn.defaults = {B = 1, H = 1, E = 3, R = 1}} {
  %zero = arith.constant 0 : index
  %r = tensor.dim %rows, %zero : tensor<?xi8>
  %order = attn.block_order %offsets count(%r) costs [4, 5] : !list -> !list
  return %order : !list
}
