// Runs the definition of the tile ops that recurrences need, on numbers small
// enough to compute by hand.
//
// DEFINE: %{buffers} = --one-shot-bufferize=bufferize-function-boundaries --buffer-deallocation-pipeline --convert-linalg-to-loops
// DEFINE: %{llvm} = --arith-expand --convert-scf-to-cf --expand-strided-metadata --lower-affine --convert-math-to-libm --finalize-memref-to-llvm --convert-arith-to-llvm --convert-math-to-llvm --convert-func-to-llvm --convert-cf-to-llvm --reconcile-unrealized-casts
// DEFINE: %{run} = mlir-runner --entry-point-result=void --shared-libs=%llvm_lib/libmlir_runner_utils.so,%llvm_lib/libmlir_c_runner_utils.so
// RUN: attn-opt %s --attn-lower-to-reference %{buffers} %{llvm} | %{run} -e main | FileCheck %s

func.func private @printMemrefF64(tensor<*xf32>) attributes {llvm.emit_c_interface}

func.func private @print2(%x: tensor<?x?xf32>) {
  %u = tensor.cast %x : tensor<?x?xf32> to tensor<*xf32>
  call @printMemrefF64(%u) : (tensor<*xf32>) -> ()
  return
}

func.func private @print3x3(%x: tensor<3x3xf32>) {
  %d = tensor.cast %x : tensor<3x3xf32> to tensor<?x?xf32>
  call @print2(%d) : (tensor<?x?xf32>) -> ()
  return
}

func.func private @print3x2(%x: tensor<3x2xf32>) {
  %d = tensor.cast %x : tensor<3x2xf32> to tensor<?x?xf32>
  call @print2(%d) : (tensor<?x?xf32>) -> ()
  return
}

// Decays 1/2, 1/4, 1/8 of one channel, rows of 1.
func.func private @decays() {
  %one = arith.constant dense<1.0> : tensor<3x1xf32>
  %a = arith.constant dense<[[0.5], [0.25], [0.125]]> : tensor<3x1xf32>
  %zero = arith.constant dense<0.0> : tensor<3x3xf32>
  %eight = arith.constant dense<8.0> : tensor<3x3xf32>

  // CHECK: sizes = [3, 3]
  // CHECK-NEXT: [9, 8, 8],
  // CHECK-NEXT: [8.25, 9, 8],
  // CHECK-NEXT: [8.03125, 8.125, 9]
  %after = tile.decay_dot %one, %one, %a, %eight : tensor<3x1xf32> -> tensor<3x3xf32>
  func.call @print3x3(%after) : (tensor<3x3xf32>) -> ()

  // CHECK: sizes = [3, 3]
  // CHECK-NEXT: [0, 0, 0],
  // CHECK-NEXT: [1, 0, 0],
  // CHECK-NEXT: [0.25, 1, 0]
  %before = tile.decay_dot %one, %one, %a, %zero strict : tensor<3x1xf32> -> tensor<3x3xf32>
  func.call @print3x3(%before) : (tensor<3x3xf32>) -> ()

  // CHECK: sizes = [3, 3]
  // CHECK-NEXT: [1, 0.5, 0.125],
  // CHECK-NEXT: [0, 1, 0.25],
  // CHECK-NEXT: [0, 0, 1]
  %back = tile.decay_dot %one, %one, %a, %zero reverse : tensor<3x1xf32> -> tensor<3x3xf32>
  func.call @print3x3(%back) : (tensor<3x3xf32>) -> ()

  // CHECK: sizes = [3, 3]
  // CHECK-NEXT: [0, 1, 0.25],
  // CHECK-NEXT: [0, 0, 1],
  // CHECK-NEXT: [0, 0, 0]
  %backBefore = tile.decay_dot %one, %one, %a, %zero reverse strict : tensor<3x1xf32> -> tensor<3x3xf32>
  func.call @print3x3(%backBefore) : (tensor<3x3xf32>) -> ()

  // Two channels; the second one forgets everything at the last row:
  // [1, 0] = 3 1 / 2 + 4 2 / 4, [2, 0] = 5 1 / 2, [2, 1] = 5 3.
  // CHECK: sizes = [3, 3]
  // CHECK-NEXT: [5, 0, 0],
  // CHECK-NEXT: [3.5, 25, 0],
  // CHECK-NEXT: [2.5, 15, 61]
  %x = arith.constant dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]> : tensor<3x2xf32>
  %b = arith.constant dense<[[0.5, 0.5], [0.5, 0.25], [1.0, 0.0]]> : tensor<3x2xf32>
  %s = tile.decay_dot %x, %x, %b, %zero : tensor<3x2xf32> -> tensor<3x3xf32>
  func.call @print3x3(%s) : (tensor<3x3xf32>) -> ()
  return
}

func.func private @scans() {
  %x = arith.constant dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]> : tensor<3x2xf32>
  // CHECK: sizes = [3, 2]
  // CHECK-NEXT: [1, 2],
  // CHECK-NEXT: [4, 6],
  // CHECK-NEXT: [9, 12]
  %sums = tile.scan add %x : tensor<3x2xf32>
  func.call @print3x2(%sums) : (tensor<3x2xf32>) -> ()
  // CHECK: sizes = [3, 2]
  // CHECK-NEXT: [15, 24],
  // CHECK-NEXT: [5, 6],
  // CHECK-NEXT: [1, 1]
  %left = tile.scan mul %x reverse exclusive : tensor<3x2xf32>
  func.call @print3x2(%left) : (tensor<3x2xf32>) -> ()
  // A vector: 1, 3, 2. Then the products of the columns, from 2 and 1 on.
  // CHECK: sizes = [3, 2]
  // CHECK-NEXT: [-inf, 6],
  // CHECK-NEXT: [1, 6],
  // CHECK-NEXT: [3, 2]
  %v = arith.constant dense<[1.0, 3.0, 2.0]> : tensor<3xf32>
  %most = tile.scan max %v exclusive : tensor<3xf32>
  %products = tile.scan mul %v reverse : tensor<3xf32>
  %mostColumn = tile.broadcast %most along 1 : tensor<3xf32> -> tensor<3x1xf32>
  %productsColumn = tile.broadcast %products along 1 : tensor<3xf32> -> tensor<3x1xf32>
  %both = tile.concat %mostColumn, %productsColumn : tensor<3x1xf32>, tensor<3x1xf32> -> tensor<3x2xf32>
  func.call @print3x2(%both) : (tensor<3x2xf32>) -> ()
  // CHECK: sizes = [3, 2]
  // CHECK-NEXT: [30, 48],
  // CHECK-NEXT: [30, 48],
  // CHECK-NEXT: [30, 48]
  %from = arith.constant dense<[2.0, 1.0]> : tensor<2xf32>
  %columns = tile.reduce mul %x, %from along 0 : tensor<3x2xf32> -> tensor<2xf32>
  %rows = tile.broadcast %columns along 0 : tensor<2xf32> -> tensor<3x2xf32>
  func.call @print3x2(%rows) : (tensor<3x2xf32>) -> ()
  return
}

// Columns of x times (1, 10, 100): 531 and 642, plus 0 and 1.
func.func private @product() {
  %x = arith.constant dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]> : tensor<3x2xf32>
  %y = arith.constant dense<[[1.0], [10.0], [100.0]]> : tensor<3x1xf32>
  %init = arith.constant dense<[[0.0], [1.0]]> : tensor<2x1xf32>
  // CHECK: sizes = [2, 1]
  // CHECK-NEXT: [531],
  // CHECK-NEXT: [643]
  %s = tile.dot %x, %y, %init transpose_lhs : tensor<3x2xf32>, tensor<3x1xf32> -> tensor<2x1xf32>
  %d = tensor.cast %s : tensor<2x1xf32> to tensor<?x?xf32>
  func.call @print2(%d) : (tensor<?x?xf32>) -> ()
  return
}

func.func private @print4x4(%x: tensor<4x4xf32>) {
  %d = tensor.cast %x : tensor<4x4xf32> to tensor<?x?xf32>
  call @print2(%d) : (tensor<?x?xf32>) -> ()
  return
}

// Blocks of two rows. What is within them and what is between them is the whole.
func.func private @blocks() {
  %x = arith.constant dense<[[1.0, 2.0, 3.0, 4.0], [2.0, 2.0, 2.0, 2.0], [3.0, 1.0, 5.0, 7.0], [4.0, 3.0, 2.0, 1.0]]> : tensor<4x4xf32>
  %zero = arith.constant dense<0.0> : tensor<4x4xf32>
  %eight = arith.constant dense<8.0> : tensor<4x4xf32>
  // CHECK: sizes = [4, 4]
  // CHECK-NEXT: [1, 2, 3, 4],
  // CHECK-NEXT: [2, 4, 6, 8],
  // CHECK-NEXT: [3, 1, 5, 7],
  // CHECK-NEXT: [12, 3, 10, 7]
  %down = tile.scan mul %x within 2 : tensor<4x4xf32>
  func.call @print4x4(%down) : (tensor<4x4xf32>) -> ()
  // CHECK: sizes = [4, 4]
  // CHECK-NEXT: [2, 2, 2, 2],
  // CHECK-NEXT: [0, 0, 0, 0],
  // CHECK-NEXT: [4, 3, 2, 1],
  // CHECK-NEXT: [0, 0, 0, 0]
  %up = tile.scan add %x reverse exclusive within 2 : tensor<4x4xf32>
  func.call @print4x4(%up) : (tensor<4x4xf32>) -> ()

  // Rows of 1 2 times columns of 1: row i of block 0 with column j of block 1.
  // CHECK: sizes = [4, 4]
  // CHECK-NEXT: [8, 8, 18, 18],
  // CHECK-NEXT: [8, 8, 16, 16],
  // CHECK-NEXT: [24, 24, 8, 8],
  // CHECK-NEXT: [18, 18, 8, 8]
  %one = arith.constant dense<1.0> : tensor<4x4xf32>
  %between = tile.dot %x, %one, %eight transpose_rhs between 2 : tensor<4x4xf32>, tensor<4x4xf32> -> tensor<4x4xf32>
  func.call @print4x4(%between) : (tensor<4x4xf32>) -> ()

  %a = arith.constant dense<[[0.5, 0.5, 1.0, 0.0], [0.5, 0.25, 1.0, 0.5], [1.0, 0.0, 0.5, 0.5], [0.5, 0.125, 0.25, 1.0]]> : tensor<4x4xf32>
  // [1, 0] = 2 / 2 + 4 / 4 + 6 + 8 / 2 = 12, [3, 2] = 12 / 2 + 3 / 8 + 10 / 4 + 7.
  // CHECK: sizes = [4, 4]
  // CHECK-NEXT: [38, 8, 8, 8],
  // CHECK-NEXT: [20, 24, 8, 8],
  // CHECK-NEXT: [8, 8, 92, 8],
  // CHECK-NEXT: [8, 8, 23.875, 38]
  %within = tile.decay_dot %x, %x, %a, %eight within 2 : tensor<4x4xf32> -> tensor<4x4xf32>
  func.call @print4x4(%within) : (tensor<4x4xf32>) -> ()

  // The pairs of rows 2 and 3 with rows 0 and 1, by products and by decays.
  // CHECK: sizes = [4, 4]
  // CHECK-NEXT: [0, 0, 0, 0],
  // CHECK-NEXT: [0, 0, 0, 0],
  // CHECK-NEXT: [0, 0, 0, 0],
  // CHECK-NEXT: [0, 0, 0, 0]
  %prefix = tile.scan mul %a within 2 : tensor<4x4xf32>
  %suffix = tile.scan mul %a reverse exclusive within 2 : tensor<4x4xf32>
  %q = arith.mulf %x, %prefix : tensor<4x4xf32>
  %k = arith.mulf %x, %suffix : tensor<4x4xf32>
  %all = tile.decay_dot %x, %x, %a, %zero : tensor<4x4xf32> -> tensor<4x4xf32>
  %own = tile.decay_dot %x, %x, %a, %zero within 2 : tensor<4x4xf32> -> tensor<4x4xf32>
  %other = tile.dot %q, %k, %own transpose_rhs between 2 : tensor<4x4xf32>, tensor<4x4xf32> -> tensor<4x4xf32>
  %c0 = arith.constant 0 : index
  %i = tile.iota %c0 along 0 : tensor<4x4xindex>
  %j = tile.iota %c0 along 1 : tensor<4x4xindex>
  %behind = arith.cmpi uge, %i, %j : tensor<4x4xindex>
  %sum = arith.select %behind, %other, %zero : tensor<4x4xi1>, tensor<4x4xf32>
  %rest = arith.subf %all, %sum : tensor<4x4xf32>
  func.call @print4x4(%rest) : (tensor<4x4xf32>) -> ()
  return
}

// Rows of both blocks of a pair, combined from the border on: rows 0 and 1 | 2 and 3.
func.func private @across() {
  %x = arith.constant dense<[[1.0, 2.0, 3.0, 4.0], [2.0, 2.0, 2.0, 2.0], [3.0, 1.0, 5.0, 7.0], [4.0, 3.0, 2.0, 1.0]]> : tensor<4x4xf32>
  // CHECK: sizes = [4, 4]
  // CHECK-NEXT: [2, 2, 2, 2],
  // CHECK-NEXT: [1, 1, 1, 1],
  // CHECK-NEXT: [3, 1, 5, 7],
  // CHECK-NEXT: [12, 3, 10, 7]
  %own = tile.scan mul %x across 2 : tensor<4x4xf32>
  func.call @print4x4(%own) : (tensor<4x4xf32>) -> ()
  // CHECK: sizes = [4, 4]
  // CHECK-NEXT: [3, 4, 5, 6],
  // CHECK-NEXT: [2, 2, 2, 2],
  // CHECK-NEXT: [0, 0, 0, 0],
  // CHECK-NEXT: [3, 1, 5, 7]
  %reverse = tile.scan add %x reverse across 2 : tensor<4x4xf32>
  func.call @print4x4(%reverse) : (tensor<4x4xf32>) -> ()
  // CHECK: sizes = [4, 4]
  // CHECK-NEXT: [2, 2, 2, 2],
  // CHECK-NEXT: [0, 0, 0, 0],
  // CHECK-NEXT: [0, 0, 0, 0],
  // CHECK-NEXT: [3, 1, 5, 7]
  %none = tile.scan add %x exclusive across 2 : tensor<4x4xf32>
  func.call @print4x4(%none) : (tensor<4x4xf32>) -> ()
  // Pairs of blocks of one row: 0 | 1 and 2 | 3.
  // CHECK: sizes = [4, 4]
  // CHECK-NEXT: [0, 0, 0, 0],
  // CHECK-NEXT: [2, 2, 2, 2],
  // CHECK-NEXT: [0, 0, 0, 0],
  // CHECK-NEXT: [4, 3, 2, 1]
  %short = tile.scan add %x across 1 : tensor<4x4xf32>
  func.call @print4x4(%short) : (tensor<4x4xf32>) -> ()
  return
}

func.func @main() {
  func.call @decays() : () -> ()
  func.call @scans() : () -> ()
  func.call @product() : () -> ()
  func.call @blocks() : () -> ()
  func.call @across() : () -> ()
  return
}
