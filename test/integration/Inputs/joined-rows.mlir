// Rows of bf16 that are joined from rows of two tensors: at other columns of
// queries than of keys,
func.func @otherwise(%q: tensor<?x?x?x32xbf16> {attn.name = "q", attn.dims = ["B", "H", "N", "D"]},
                  %k: tensor<?x?x?x64xbf16> {attn.name = "k", attn.dims = ["B", "H", "M", "E"]},
                  %v: tensor<?x?x?x64xbf16> {attn.name = "v", attn.dims = ["B", "H", "M", "E"]},
                  %e: tensor<?x?x64xbf16> {attn.name = "e", attn.dims = ["B", "M", "E"]},
                  %f: tensor<?x?x96xbf16> {attn.name = "f", attn.dims = ["B", "N", "F"]})
    -> (tensor<?x?x?x64xbf16> {attn.name = "out"}) attributes {attn.defaults = {B = 1, H = 1, N = 65, M = 70}} {
  %o = attn.attend %q, %k, %v scale(0.1)
      query (%x: tensor<32xf32>, %b, %h, %i) {
        %narrow = tensor.extract_slice %f[%b, %i, 0] [1, 1, 96] [1, 1, 1] : tensor<?x?x96xbf16> to tensor<96xbf16>
        %row = arith.extf %narrow : tensor<96xbf16> to tensor<96xf32>
        %joined = tensor.concat dim(0) %x, %row : (tensor<32xf32>, tensor<96xf32>) -> tensor<128xf32>
        attn.yield %joined : tensor<128xf32>
      }
      key (%x: tensor<64xf32>, %b, %h, %j) {
        %narrow = tensor.extract_slice %e[%b, %j, 0] [1, 1, 64] [1, 1, 1] : tensor<?x?x64xbf16> to tensor<64xbf16>
        %row = arith.extf %narrow : tensor<64xbf16> to tensor<64xf32>
        %joined = tensor.concat dim(0) %x, %row : (tensor<64xf32>, tensor<64xf32>) -> tensor<128xf32>
        attn.yield %joined : tensor<128xf32>
      } : tensor<?x?x?x32xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16> -> tensor<?x?x?x64xbf16>
  return %o : tensor<?x?x?x64xbf16>
}

// of keys alone,
func.func @plain(%q: tensor<?x?x?x128xbf16> {attn.name = "q", attn.dims = ["B", "H", "N", "D"]},
                  %k: tensor<?x?x?x64xbf16> {attn.name = "k", attn.dims = ["B", "H", "M", "E"]},
                  %v: tensor<?x?x?x64xbf16> {attn.name = "v", attn.dims = ["B", "H", "M", "E"]},
                  %e: tensor<?x?x64xbf16> {attn.name = "e", attn.dims = ["B", "M", "E"]})
    -> (tensor<?x?x?x64xbf16> {attn.name = "out"}) attributes {attn.defaults = {B = 1, H = 1, N = 65, M = 70}} {
  %o = attn.attend %q, %k, %v scale(0.1)
      key (%x: tensor<64xf32>, %b, %h, %j) {
        %narrow = tensor.extract_slice %e[%b, %j, 0] [1, 1, 64] [1, 1, 1] : tensor<?x?x64xbf16> to tensor<64xbf16>
        %row = arith.extf %narrow : tensor<64xbf16> to tensor<64xf32>
        %joined = tensor.concat dim(0) %x, %row : (tensor<64xf32>, tensor<64xf32>) -> tensor<128xf32>
        attn.yield %joined : tensor<128xf32>
      } : tensor<?x?x?x128xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16> -> tensor<?x?x?x64xbf16>
  return %o : tensor<?x?x?x64xbf16>
}

// and, values too, at a column that is no multiple of 16.
func.func @odd(%q: tensor<?x?x?x24xbf16> {attn.name = "q", attn.dims = ["B", "H", "N", "D"]},
                  %k: tensor<?x?x?x24xbf16> {attn.name = "k", attn.dims = ["B", "H", "M", "D"]},
                  %v: tensor<?x?x?x24xbf16> {attn.name = "v", attn.dims = ["B", "H", "M", "D"]},
                  %e: tensor<?x?x40xbf16> {attn.name = "e", attn.dims = ["B", "M", "E"]},
                  %f: tensor<?x?x40xbf16> {attn.name = "f", attn.dims = ["B", "N", "E"]})
    -> (tensor<?x?x?x64xbf16> {attn.name = "out"}) attributes {attn.defaults = {B = 1, H = 1, N = 65, M = 70}} {
  %o = attn.attend %q, %k, %v scale(0.1)
      query (%x: tensor<24xf32>, %b, %h, %i) {
        %narrow = tensor.extract_slice %f[%b, %i, 0] [1, 1, 40] [1, 1, 1] : tensor<?x?x40xbf16> to tensor<40xbf16>
        %row = arith.extf %narrow : tensor<40xbf16> to tensor<40xf32>
        %joined = tensor.concat dim(0) %x, %row : (tensor<24xf32>, tensor<40xf32>) -> tensor<64xf32>
        attn.yield %joined : tensor<64xf32>
      }
      key (%x: tensor<24xf32>, %b, %h, %j) {
        %narrow = tensor.extract_slice %e[%b, %j, 0] [1, 1, 40] [1, 1, 1] : tensor<?x?x40xbf16> to tensor<40xbf16>
        %row = arith.extf %narrow : tensor<40xbf16> to tensor<40xf32>
        %joined = tensor.concat dim(0) %x, %row : (tensor<24xf32>, tensor<40xf32>) -> tensor<64xf32>
        attn.yield %joined : tensor<64xf32>
      }
      value (%x: tensor<24xf32>, %b, %h, %j) {
        %narrow = tensor.extract_slice %e[%b, %j, 0] [1, 1, 40] [1, 1, 1] : tensor<?x?x40xbf16> to tensor<40xbf16>
        %row = arith.extf %narrow : tensor<40xbf16> to tensor<40xf32>
        %joined = tensor.concat dim(0) %x, %row : (tensor<24xf32>, tensor<40xf32>) -> tensor<64xf32>
        attn.yield %joined : tensor<64xf32>
      } : tensor<?x?x?x24xbf16>, tensor<?x?x?x24xbf16>, tensor<?x?x?x24xbf16> -> tensor<?x?x?x64xbf16>
  return %o : tensor<?x?x?x64xbf16>
}
