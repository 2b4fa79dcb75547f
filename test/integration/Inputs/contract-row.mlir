// Products of rows with captured matrices, wherever rows are mapped.

// A chain of two, a part of the row that goes past them, a norm after them.
func.func @rows(
    %x: tensor<?x?x?x100xf32> {attn.name = "x", attn.dims = ["B", "H", "N", "D"]},
    %first: tensor<?x?x70x33xf32> {attn.name = "first", attn.dims = ["B", "H", "D1", "D2"]},
    %second: tensor<33x150xf32> {attn.name = "second", attn.dims = ["D2", "D3"]})
    -> (tensor<?x?x?x180xf32> {attn.name = "out", attn.dims = ["B", "H", "N", "D4"]})
    attributes {attn.defaults = {B = 2, H = 3, N = 65}} {
  %out = attn.map_rows %x rows (%r: tensor<100xf32>, %b, %h, %n) {
    %head = tensor.extract_slice %r[5] [70] [1] : tensor<100xf32> to tensor<70xf32>
    %rest = tensor.extract_slice %r[70] [30] [1] : tensor<100xf32> to tensor<30xf32>
    %y = attn.contract_row %head, %first[%b, %h] : tensor<70xf32>, tensor<?x?x70x33xf32> -> tensor<33xf32>
    %bent = math.tanh %y : tensor<33xf32>
    %z = attn.contract_row %bent, %second[] : tensor<33xf32>, tensor<33x150xf32> -> tensor<150xf32>
    %squares = arith.mulf %z, %z : tensor<150xf32>
    %sum = attn.reduce_row sum %squares : tensor<150xf32>
    %one = arith.constant 1.0 : f32
    %positive = arith.addf %sum, %one : f32
    %inverse = math.rsqrt %positive : f32
    %inverses = tensor.splat %inverse : tensor<150xf32>
    %unit = arith.mulf %z, %inverses : tensor<150xf32>
    %joined = tensor.concat dim(0) %rest, %unit : (tensor<30xf32>, tensor<150xf32>) -> tensor<180xf32>
    attn.yield %joined : tensor<180xf32>
  } : tensor<?x?x?x100xf32> -> tensor<?x?x?x180xf32>
  return %out : tensor<?x?x?x180xf32>
}

// In all regions of attend; a matrix per query head keeps heads apart, one for
// all does not. Heads beyond the last matrix have a zero matrix.
func.func @regions(
    %q: tensor<?x?x?x33xf32> {attn.name = "q", attn.dims = ["B", "H", "Nq", "D"]},
    %k: tensor<?x?x?x20xf32> {attn.name = "k", attn.dims = ["B", "Hk", "Nk", "Dk"]},
    %v: tensor<?x?x?x20xf32> {attn.name = "v", attn.dims = ["B", "Hk", "Nk", "Dk"]},
    %wq: tensor<?x33x64xf32> {attn.name = "wq", attn.dims = ["Hw", "D", "E"]},
    %wk: tensor<?x20x64xf32> {attn.name = "wk", attn.dims = ["Hk", "Dk", "E"]},
    %wv: tensor<20x70xf32> {attn.name = "wv", attn.dims = ["Dk", "Ev"]})
    -> (tensor<?x?x?x70xf32> {attn.name = "out"}, tensor<?x?x?xf32> {attn.name = "lse"})
    attributes {attn.defaults = {B = 2, H = 4, Hk = 2, Hw = 4, Nq = 3, Nk = 70}} {
  %out, %lse = attn.attend %q, %k, %v scale(2.0e-03)
      query (%x: tensor<33xf32>, %b, %h, %n) {
        %y = attn.contract_row %x, %wq[%h] : tensor<33xf32>, tensor<?x33x64xf32> -> tensor<64xf32>
        attn.yield %y : tensor<64xf32>
      }
      key (%x: tensor<20xf32>, %b, %h, %n) {
        %y = attn.contract_row %x, %wk[%h] : tensor<20xf32>, tensor<?x20x64xf32> -> tensor<64xf32>
        attn.yield %y : tensor<64xf32>
      }
      value (%x: tensor<20xf32>, %b, %h, %n) {
        %y = attn.contract_row %x, %wv[] : tensor<20xf32>, tensor<20x70xf32> -> tensor<70xf32>
        attn.yield %y : tensor<70xf32>
      }
      : tensor<?x?x?x33xf32>, tensor<?x?x?x20xf32>, tensor<?x?x?x20xf32>
      -> tensor<?x?x?x70xf32>, tensor<?x?x?xf32>
  return %out, %lse : tensor<?x?x?x70xf32>, tensor<?x?x?xf32>
}

// One matrix for all heads: few queries of the heads of a key head share a block.
func.func @packed(
    %q: tensor<?x?x?x33xf32> {attn.name = "q", attn.dims = ["B", "H", "Nq", "D"]},
    %k: tensor<?x?x?x64xf32> {attn.name = "k", attn.dims = ["B", "Hk", "Nk", "E"]},
    %wq: tensor<?x33x64xf32> {attn.name = "wq", attn.dims = ["B", "D", "E"]})
    -> (tensor<?x?x?x64xf32> {attn.name = "out"})
    attributes {attn.defaults = {B = 2, H = 4, Hk = 2, Nq = 3, Nk = 70}} {
  %out = attn.attend %q, %k, %k scale(2.0e-02)
      query (%x: tensor<33xf32>, %b, %h, %n) {
        %y = attn.contract_row %x, %wq[%b] : tensor<33xf32>, tensor<?x33x64xf32> -> tensor<64xf32>
        attn.yield %y : tensor<64xf32>
      }
      : tensor<?x?x?x33xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32> -> tensor<?x?x?x64xf32>
  return %out : tensor<?x?x?x64xf32>
}

// The matrix is a tensor of rows, the keys, and has their element type.
func.func @narrow(
    %x: tensor<?x?x?x33xbf16> {attn.name = "x", attn.dims = ["B", "H", "N", "D"]},
    %k: tensor<?x?x33x40xbf16> {attn.name = "k", attn.dims = ["B", "H", "D", "E"]},
    %q: tensor<?x?x?x40xbf16> {attn.name = "q", attn.dims = ["B", "H", "N", "E"]})
    -> (tensor<?x?x?x40xbf16> {attn.name = "out"}, tensor<?x?x?x40xbf16> {attn.name = "out2"})
    attributes {attn.defaults = {B = 2, H = 3, N = 65}} {
  %out = attn.map_rows %x rows (%r: tensor<33xf32>, %b, %h, %n) {
    %y = attn.contract_row %r, %k[%b, %h] : tensor<33xf32>, tensor<?x?x33x40xbf16> -> tensor<40xf32>
    attn.yield %y : tensor<40xf32>
  } : tensor<?x?x?x33xbf16> -> tensor<?x?x?x40xbf16>
  %out2 = attn.attend %q, %k, %k : tensor<?x?x?x40xbf16>, tensor<?x?x33x40xbf16>, tensor<?x?x33x40xbf16> -> tensor<?x?x?x40xbf16>
  return %out, %out2 : tensor<?x?x?x40xbf16>, tensor<?x?x?x40xbf16>
}
