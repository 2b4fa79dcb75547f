// Runs the executable definition on numbers small enough to compute by hand.
//
// DEFINE: %{buffers} = --one-shot-bufferize=bufferize-function-boundaries --buffer-deallocation-pipeline --convert-linalg-to-loops
// DEFINE: %{llvm} = --arith-expand --convert-scf-to-cf --expand-strided-metadata --lower-affine --convert-math-to-libm --finalize-memref-to-llvm --convert-arith-to-llvm --convert-math-to-llvm --convert-func-to-llvm --convert-cf-to-llvm --reconcile-unrealized-casts
// DEFINE: %{run} = mlir-runner --entry-point-result=void --shared-libs=%llvm_lib/libmlir_runner_utils.so,%llvm_lib/libmlir_c_runner_utils.so
// RUN: attn-opt %s --attn-lower-to-reference %{buffers} %{llvm} | %{run} -e main | FileCheck %s

func.func private @printMemrefF64(tensor<*xf32>) attributes {llvm.emit_c_interface}

func.func private @print4(%x: tensor<?x?x?x?xf32>) {
  %u = tensor.cast %x : tensor<?x?x?x?xf32> to tensor<*xf32>
  call @printMemrefF64(%u) : (tensor<*xf32>) -> ()
  return
}

func.func private @print2(%x: tensor<?x?xf32>) {
  %u = tensor.cast %x : tensor<?x?xf32> to tensor<*xf32>
  call @printMemrefF64(%u) : (tensor<*xf32>) -> ()
  return
}

// Scores of row 0 are 0 and 1, of row 1 they are 0 and 2:
//   out = (1 e^0 + 3 e^1) / (e^0 + e^1) = 2.46212, lse = log(e^0 + e^1) = 1.31326.
// CHECK: sizes = [1, 1, 2, 1]
// CHECK-NEXT: [2.46212],
// CHECK-NEXT: [2.76159]
// CHECK: sizes = [1, 1, 2, 1]
// CHECK-NEXT: [1.31326],
// CHECK-NEXT: [2.12693]
func.func private @dense() {
  %q = arith.constant dense<[[[[1.0], [2.0]]]]> : tensor<1x1x2x1xf32>
  %k = arith.constant dense<[[[[0.0], [1.0]]]]> : tensor<1x1x2x1xf32>
  %v = arith.constant dense<[[[[1.0], [3.0]]]]> : tensor<1x1x2x1xf32>
  %o, %lse = attn.attend %q, %k, %v
      : tensor<1x1x2x1xf32>, tensor<1x1x2x1xf32>, tensor<1x1x2x1xf32> -> tensor<1x1x2x1xf32>, tensor<1x1x2xf32>
  func.call @show(%o, %lse) : (tensor<1x1x2x1xf32>, tensor<1x1x2xf32>) -> ()
  return
}

func.func private @show(%o: tensor<1x1x2x1xf32>, %lse: tensor<1x1x2xf32>) {
  %o4 = tensor.cast %o : tensor<1x1x2x1xf32> to tensor<?x?x?x?xf32>
  func.call @print4(%o4) : (tensor<?x?x?x?xf32>) -> ()
  %l = tensor.expand_shape %lse [[0], [1], [2, 3]] output_shape [1, 1, 2, 1]
     : tensor<1x1x2xf32> into tensor<1x1x2x1xf32>
  %l4 = tensor.cast %l : tensor<1x1x2x1xf32> to tensor<?x?x?x?xf32>
  func.call @print4(%l4) : (tensor<?x?x?x?xf32>) -> ()
  return
}

// Row 0 has no key. Row 1 has key 0 only, so the infinite value of key 1 does
// not reach it; its score is 0 (a product with 0) plus slopes[5], outside: 0.
// CHECK: sizes = [1, 1, 2, 1]
// CHECK-NEXT: [0],
// CHECK-NEXT: [1]
// CHECK: sizes = [1, 1, 2, 1]
// CHECK-NEXT: [-inf],
// CHECK-NEXT: [0]
func.func private @no_keys() {
  %q = arith.constant dense<[[[[1.0], [2.0]]]]> : tensor<1x1x2x1xf32>
  %k = arith.constant dense<[[[[0.0], [1.0]]]]> : tensor<1x1x2x1xf32>
  %v = arith.constant dense<[[[[1.0], [0x7F800000]]]]> : tensor<1x1x2x1xf32>
  %slopes = arith.constant dense<[7.0, 8.0]> : tensor<2xf32>
  %c5 = arith.constant 5 : index
  %o, %lse = attn.attend %q, %k, %v
      score (%s: f32, %b, %h, %i, %j) {
        %slope = tensor.extract %slopes[%c5] : tensor<2xf32>
        %t = arith.addf %s, %slope : f32
        attn.yield %t : f32
      }
      mask (%b, %h, %i, %j) {
        %keep = arith.cmpi sgt, %i, %j : index
        attn.yield %keep : i1
      } : tensor<1x1x2x1xf32>, tensor<1x1x2x1xf32>, tensor<1x1x2x1xf32> -> tensor<1x1x2x1xf32>, tensor<1x1x2xf32>
  func.call @show(%o, %lse) : (tensor<1x1x2x1xf32>, tensor<1x1x2xf32>) -> ()
  return
}

// A score that is not a number: so is all of its row, and no other.
// CHECK: sizes = [1, 1, 2, 1]
// CHECK-NEXT: [{{-?}}nan],
// CHECK-NEXT: [2.76159]
// CHECK: sizes = [1, 1, 2, 1]
// CHECK-NEXT: [{{-?}}nan],
// CHECK-NEXT: [2.12693]
func.func private @not_a_number() {
  %q = arith.constant dense<[[[[0x7FC00000], [2.0]]]]> : tensor<1x1x2x1xf32>
  %k = arith.constant dense<[[[[0.0], [1.0]]]]> : tensor<1x1x2x1xf32>
  %v = arith.constant dense<[[[[1.0], [3.0]]]]> : tensor<1x1x2x1xf32>
  %o, %lse = attn.attend %q, %k, %v
      : tensor<1x1x2x1xf32>, tensor<1x1x2x1xf32>, tensor<1x1x2x1xf32> -> tensor<1x1x2x1xf32>, tensor<1x1x2xf32>
  func.call @show(%o, %lse) : (tensor<1x1x2x1xf32>, tensor<1x1x2xf32>) -> ()
  return
}

// Six query heads share two key heads (values 1 and 2, then 10 and 20); the one
// query has the position of the last key and sees only keys at its position.
// CHECK: sizes = [1, 6, 1, 1]
// CHECK-NEXT: [2]
// CHECK-COUNT-2: [2]
// CHECK-COUNT-3: [20]
func.func private @groups_alignment_end() {
  %q = arith.constant dense<1.0> : tensor<1x6x1x1xf32>
  %v = arith.constant dense<[[[[1.0], [2.0]], [[10.0], [20.0]]]]> : tensor<1x2x2x1xf32>
  %o = attn.attend %q, %v, %v alignment(end)
      mask (%b, %h, %i, %j) {
        %keep = arith.cmpi eq, %i, %j : index
        attn.yield %keep : i1
      } : tensor<1x6x1x1xf32>, tensor<1x2x2x1xf32>, tensor<1x2x2x1xf32> -> tensor<1x6x1x1xf32>
  %o4 = tensor.cast %o : tensor<1x6x1x1xf32> to tensor<?x?x?x?xf32>
  func.call @print4(%o4) : (tensor<?x?x?x?xf32>) -> ()
  return
}

// Rows [1, 2] and [3, 4] become [second, first * table[n], sum, max], where the
// table has no row 1: zeros.
// CHECK: sizes = [1, 1, 2, 4]
// CHECK-NEXT: [2, 5, 3, 2],
// CHECK-NEXT: [4, 0, 7, 4]
func.func private @map_rows() {
  %x = arith.constant dense<[[[[1.0, 2.0], [3.0, 4.0]]]]> : tensor<1x1x2x2xf32>
  %table = arith.constant dense<[[5.0]]> : tensor<1x1xf32>
  %y = attn.map_rows %x rows (%r: tensor<2xf32>, %b, %h, %n) {
    %first = tensor.extract_slice %r[0] [1] [1] : tensor<2xf32> to tensor<1xf32>
    %second = tensor.extract_slice %r[1] [1] [1] : tensor<2xf32> to tensor<1xf32>
    %t = tensor.extract_slice %table[%n, 0] [1, 1] [1, 1] : tensor<1x1xf32> to tensor<1xf32>
    %product = arith.mulf %first, %t : tensor<1xf32>
    %sum = attn.reduce_row sum %r : tensor<2xf32>
    %sums = tensor.splat %sum : tensor<1xf32>
    %max = attn.reduce_row max %r : tensor<2xf32>
    %maxs = tensor.splat %max : tensor<1xf32>
    %row = tensor.concat dim(0) %second, %product, %sums, %maxs
         : (tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<4xf32>
    attn.yield %row : tensor<4xf32>
  } : tensor<1x1x2x2xf32> -> tensor<1x1x2x4xf32>
  %y4 = tensor.cast %y : tensor<1x1x2x4xf32> to tensor<?x?x?x?xf32>
  func.call @print4(%y4) : (tensor<?x?x?x?xf32>) -> ()
  return
}

// [1, 2] and [3, 4] times [[1, 2, 3], [10, 20, 30]], the matrix of head 0; and
// times a matrix beyond the last: zeros.
// CHECK: sizes = [1, 1, 2, 6]
// CHECK-NEXT: [21, 42, 63, 0, 0, 0],
// CHECK-NEXT: [43, 86, 129, 0, 0, 0]
func.func private @contract_row() {
  %x = arith.constant dense<[[[[1.0, 2.0], [3.0, 4.0]]]]> : tensor<1x1x2x2xf32>
  %w = arith.constant dense<[[[1.0, 2.0, 3.0], [10.0, 20.0, 30.0]]]> : tensor<1x2x3xf32>
  %c5 = arith.constant 5 : index
  %y = attn.map_rows %x rows (%r: tensor<2xf32>, %b, %h, %n) {
    %product = attn.contract_row %r, %w[%h] : tensor<2xf32>, tensor<1x2x3xf32> -> tensor<3xf32>
    %outside = attn.contract_row %r, %w[%c5] : tensor<2xf32>, tensor<1x2x3xf32> -> tensor<3xf32>
    %row = tensor.concat dim(0) %product, %outside : (tensor<3xf32>, tensor<3xf32>) -> tensor<6xf32>
    attn.yield %row : tensor<6xf32>
  } : tensor<1x1x2x2xf32> -> tensor<1x1x2x6xf32>
  %y4 = tensor.cast %y : tensor<1x1x2x6xf32> to tensor<?x?x?x?xf32>
  func.call @print4(%y4) : (tensor<?x?x?x?xf32>) -> ()
  return
}

// A query that both batches share sees the keys of each: values 1 and 2.
// CHECK: sizes = [2, 1, 1, 1]
// CHECK-NEXT: [1]
// CHECK: [2]
func.func private @shared_query() {
  %q = arith.constant dense<1.0> : tensor<1x1x1x1xf32>
  %v = arith.constant dense<[[[[1.0]]], [[[2.0]]]]> : tensor<2x1x1x1xf32>
  %o = attn.attend %q, %v, %v : tensor<1x1x1x1xf32>, tensor<2x1x1x1xf32>, tensor<2x1x1x1xf32> -> tensor<2x1x1x1xf32>
  %o4 = tensor.cast %o : tensor<2x1x1x1xf32> to tensor<?x?x?x?xf32>
  func.call @print4(%o4) : (tensor<?x?x?x?xf32>) -> ()
  return
}

// The same as @dense, one key after the other; the third key is out of bounds.
// CHECK: sizes = [2, 1]
// CHECK-NEXT: [2.46212],
// CHECK-NEXT: [2.76159]
// CHECK: sizes = [2, 1]
// CHECK-NEXT: [1.31326],
// CHECK-NEXT: [2.12693]
func.func private @partial() {
  %q = arith.constant dense<[[[[1.0], [2.0]]]]> : tensor<1x1x2x1xf32>
  %k = arith.constant dense<[[[[0.0], [1.0]]]]> : tensor<1x1x2x1xf32>
  %v = arith.constant dense<[[[[1.0], [3.0]]]]> : tensor<1x1x2x1xf32>
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %t0 = arith.constant dense<0xFF800000> : tensor<2xf32>
  %l0 = arith.constant dense<0.0> : tensor<2xf32>
  %a0 = arith.constant dense<0.0> : tensor<2x1xf32>
  %s:3 = attn.partial %q, %k, %v at(%c0, %c0, %c0, %c0) init(%t0, %l0, %a0) width(1) scale(1.0)
       : tensor<1x1x2x1xf32>, tensor<1x1x2x1xf32>, tensor<1x1x2x1xf32> -> tensor<2xf32>, tensor<2xf32>, tensor<2x1xf32>
  %r:3 = attn.partial %q, %k, %v at(%c0, %c0, %c0, %c1) init(%s#0, %s#1, %s#2) width(2) bounded scale(1.0)
       : tensor<1x1x2x1xf32>, tensor<1x1x2x1xf32>, tensor<1x1x2x1xf32> -> tensor<2xf32>, tensor<2xf32>, tensor<2x1xf32>
  %o, %lse = attn.finish %r#0, %r#1, %r#2 : tensor<2xf32>, tensor<2xf32>, tensor<2x1xf32> -> tensor<2x1xf32>, tensor<2xf32>
  %o2 = tensor.cast %o : tensor<2x1xf32> to tensor<?x?xf32>
  func.call @print2(%o2) : (tensor<?x?xf32>) -> ()
  %l = tensor.expand_shape %lse [[0, 1]] output_shape [2, 1] : tensor<2xf32> into tensor<2x1xf32>
  %l2 = tensor.cast %l : tensor<2x1xf32> to tensor<?x?xf32>
  func.call @print2(%l2) : (tensor<?x?xf32>) -> ()
  return
}

// Nothing was added: output 0, log-sum-exp -inf.
// CHECK: sizes = [1, 2]
// CHECK-NEXT: [0, -inf]
func.func private @finish_no_keys() {
  %t = arith.constant dense<0xFF800000> : tensor<1xf32>
  %l = arith.constant dense<0.0> : tensor<1xf32>
  %a = arith.constant dense<0.0> : tensor<1x1xf32>
  %o, %lse = attn.finish %t, %l, %a : tensor<1xf32>, tensor<1xf32>, tensor<1x1xf32> -> tensor<1x1xf32>, tensor<1xf32>
  %l2 = tensor.expand_shape %lse [[0, 1]] output_shape [1, 1] : tensor<1xf32> into tensor<1x1xf32>
  %both = tile.concat %o, %l2 : tensor<1x1xf32>, tensor<1x1xf32> -> tensor<1x2xf32>
  %b2 = tensor.cast %both : tensor<1x2xf32> to tensor<?x?xf32>
  func.call @print2(%b2) : (tensor<?x?xf32>) -> ()
  return
}

// The view holds [[1, 2], [3, 4], [5, 6]].
func.func private @tile_ops() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %view = memref.alloc() {bufferization.manual_deallocation} : memref<3x2xf32>
  %whole = arith.constant dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]> : tensor<3x2xf32>
  tile.store %whole, %view[%c0, %c0] : tensor<3x2xf32>, memref<3x2xf32>

  // Rows 2 and 3: the second is outside.
  // CHECK: sizes = [2, 2]
  // CHECK-NEXT: [5, 6],
  // CHECK-NEXT: [0, 0]
  %end = tile.load %view[%c2, %c0] : memref<3x2xf32> -> tensor<2x2xf32>
  %end2 = tensor.cast %end : tensor<2x2xf32> to tensor<?x?xf32>
  func.call @print2(%end2) : (tensor<?x?xf32>) -> ()

  // Column 1 of rows 1, 2 and 3, plus the scalar at [0, 1].
  // CHECK: sizes = [1, 3]
  // CHECK-NEXT: [6, 8, 2]
  %rows = tile.iota %c1 along 1 : tensor<1x3xindex>
  %column = tile.gather %view[%rows, %c1 : tensor<1x3xindex>, index] : memref<3x2xf32> -> tensor<1x3xf32>
  %scalar = tile.gather %view[%c0, %c1 : index, index] : memref<3x2xf32> -> f32
  %splat = tile.splat %scalar : f32 -> tensor<1x3xf32>
  %sum = arith.addf %column, %splat : tensor<1x3xf32>
  %sum2 = tensor.cast %sum : tensor<1x3xf32> to tensor<?x?xf32>
  func.call @print2(%sum2) : (tensor<?x?xf32>) -> ()

  // Column 0 of rows -1 and 0.
  // CHECK: sizes = [1, 2]
  // CHECK-NEXT: [0, 1]
  %minus = arith.constant -1 : index
  %before = tile.iota %minus along 1 : tensor<1x2xindex>
  %outside = tile.gather %view[%before, %c0 : tensor<1x2xindex>, index] : memref<3x2xf32> -> tensor<1x2xf32>
  %outside2 = tensor.cast %outside : tensor<1x2xf32> to tensor<?x?xf32>
  func.call @print2(%outside2) : (tensor<?x?xf32>) -> ()

  // Row sums [3, 7, 11], raised to columns; largest of a row and 4: [4, 4, 6].
  // CHECK: sizes = [3, 2]
  // CHECK-NEXT: [3, 4],
  // CHECK-NEXT: [7, 4],
  // CHECK-NEXT: [11, 6]
  %zeros = arith.constant dense<0.0> : tensor<3xf32>
  %fours = arith.constant dense<4.0> : tensor<3xf32>
  %sums = tile.reduce add %whole, %zeros : tensor<3x2xf32> -> tensor<3xf32>
  %most = tile.reduce max %whole, %fours : tensor<3x2xf32> -> tensor<3xf32>
  %sumsColumn = tile.broadcast %sums along 1 : tensor<3xf32> -> tensor<3x1xf32>
  %mostColumn = tile.broadcast %most along 1 : tensor<3xf32> -> tensor<3x1xf32>
  %both = tile.concat %sumsColumn, %mostColumn : tensor<3x1xf32>, tensor<3x1xf32> -> tensor<3x2xf32>
  %both2 = tensor.cast %both : tensor<3x2xf32> to tensor<?x?xf32>
  func.call @print2(%both2) : (tensor<?x?xf32>) -> ()

  // Column 1 times its transpose, plus [2, 4, 6] in each row.
  // CHECK: sizes = [3, 3]
  // CHECK-NEXT: [6, 12, 18],
  // CHECK-NEXT: [10, 20, 30],
  // CHECK-NEXT: [14, 28, 42]
  %second = tile.slice %whole from 1 : tensor<3x2xf32> -> tensor<3x1xf32>
  %row = arith.constant dense<[2.0, 4.0, 6.0]> : tensor<3xf32>
  %init = tile.broadcast %row along 0 : tensor<3xf32> -> tensor<3x3xf32>
  %product = tile.dot %second, %second, %init transpose_rhs : tensor<3x1xf32>, tensor<3x1xf32> -> tensor<3x3xf32>
  %product2 = tensor.cast %product : tensor<3x3xf32> to tensor<?x?xf32>
  func.call @print2(%product2) : (tensor<?x?xf32>) -> ()

  // The last product, with [[1, 2], [3, 4], [5, 6]].
  // CHECK: sizes = [3, 2]
  // CHECK-NEXT: [132, 168],
  // CHECK-NEXT: [220, 280],
  // CHECK-NEXT: [308, 392]
  %none = arith.constant dense<0.0> : tensor<3x2xf32>
  %again = tile.dot %product, %whole, %none : tensor<3x3xf32>, tensor<3x2xf32> -> tensor<3x2xf32>
  %again2 = tensor.cast %again : tensor<3x2xf32> to tensor<?x?xf32>
  func.call @print2(%again2) : (tensor<?x?xf32>) -> ()

  // A store drops what is outside: only element [2, 1] changes.
  // CHECK: sizes = [3, 2]
  // CHECK-NEXT: [1, 2],
  // CHECK-NEXT: [3, 4],
  // CHECK-NEXT: [5, 132]
  tile.store %again, %view[%c2, %c1] : tensor<3x2xf32>, memref<3x2xf32>
  %stored = tile.load %view[%c0, %c0] : memref<3x2xf32> -> tensor<3x2xf32>
  %stored2 = tensor.cast %stored : tensor<3x2xf32> to tensor<?x?xf32>
  func.call @print2(%stored2) : (tensor<?x?xf32>) -> ()
  memref.dealloc %view {bufferization.manual_deallocation} : memref<3x2xf32>
  return
}

// Two sets for four queries: e^0 and e^log(3) weigh 1 to 3; the first set is
// empty; both are; both again.
//   out = (1 * 4 + 3 * 8) / 4 = 7, lse = log(4) = 1.38629
// CHECK: sizes = [1, 1, 4, 1]
// CHECK-NEXT: [7],
// CHECK-NEXT: [8],
// CHECK-NEXT: [0],
// CHECK-NEXT: [0]
// CHECK: sizes = [1, 1, 4, 1]
// CHECK-NEXT: [1.38629],
// CHECK-NEXT: [2],
// CHECK-NEXT: [-inf],
// CHECK-NEXT: [-inf]
//
// With sinks log(4), -inf, 0 and -inf: (1 * 4 + 3 * 8) / 8 and log(8), as
// before, 0 and the sink, as before.
// CHECK: sizes = [1, 1, 4, 1]
// CHECK-NEXT: [3.5],
// CHECK-NEXT: [8],
// CHECK-NEXT: [0],
// CHECK-NEXT: [0]
// CHECK: sizes = [1, 1, 4, 1]
// CHECK-NEXT: [2.07944],
// CHECK-NEXT: [2],
// CHECK-NEXT: [0],
// CHECK-NEXT: [-inf]
func.func private @merge() {
  %outs = arith.constant dense<[[[[[4.0], [0.0], [0.0], [0.0]]]],
                                [[[[8.0], [8.0], [0.0], [0.0]]]]]> : tensor<2x1x1x4x1xf32>
  %lses = arith.constant dense<[[[[0.0, 0xFF800000, 0xFF800000, 0xFF800000]]],
                                [[[1.0986123, 2.0, 0xFF800000, 0xFF800000]]]]> : tensor<2x1x1x4xf32>
  %o, %lse = attn.merge %outs, %lses
      : tensor<2x1x1x4x1xf32>, tensor<2x1x1x4xf32> -> tensor<1x1x4x1xf32>, tensor<1x1x4xf32>
  func.call @show_four(%o, %lse) : (tensor<1x1x4x1xf32>, tensor<1x1x4xf32>) -> ()
  %sinks = arith.constant dense<[1.3862944, 0xFF800000, 0.0, 0xFF800000]> : tensor<4xf32>
  %p, %lse1 = attn.merge %outs, %lses
      sink (%b, %h, %i) {
        %s = tensor.extract %sinks[%i] : tensor<4xf32>
        attn.yield %s : f32
      } : tensor<2x1x1x4x1xf32>, tensor<2x1x1x4xf32> -> tensor<1x1x4x1xf32>, tensor<1x1x4xf32>
  func.call @show_four(%p, %lse1) : (tensor<1x1x4x1xf32>, tensor<1x1x4xf32>) -> ()
  return
}

func.func private @show_four(%o: tensor<1x1x4x1xf32>, %lse: tensor<1x1x4xf32>) {
  %o4 = tensor.cast %o : tensor<1x1x4x1xf32> to tensor<?x?x?x?xf32>
  func.call @print4(%o4) : (tensor<?x?x?x?xf32>) -> ()
  %l = tensor.expand_shape %lse [[0], [1], [2, 3]] output_shape [1, 1, 4, 1]
     : tensor<1x1x4xf32> into tensor<1x1x4x1xf32>
  %l4 = tensor.cast %l : tensor<1x1x4x1xf32> to tensor<?x?x?x?xf32>
  func.call @print4(%l4) : (tensor<?x?x?x?xf32>) -> ()
  return
}

// Of 16 elements of 1, row 0 keeps 8 and row 1 none. With weights 1 and values
// 1 for the first 8 keys and 2 for the others, ranges leave row 0 the former and
// row 1 the latter.
// CHECK: sizes = [1, 2]
// CHECK-NEXT: [8, 0]
// CHECK: sizes = [1, 2]
// CHECK-NEXT: [1, -inf]
// CHECK: sizes = [2, 1]
// CHECK-NEXT: [8],
// CHECK-NEXT: [16]
func.func private @ranges() {
  %c0 = arith.constant 0 : index
  %c8 = arith.constant 8 : index
  %c16 = arith.constant 16 : index
  %ones = arith.constant dense<1.0> : tensor<2x16xf32>
  %zeros = arith.constant dense<0.0> : tensor<2xf32>
  %lowest = arith.constant dense<0xFF800000> : tensor<2xf32>
  %kept = tile.trim add %ones rows(1) ranges(%c8, %c16, %c8, %c8) : tensor<2x16xf32>
  %sums = tile.reduce add %kept, %zeros : tensor<2x16xf32> -> tensor<2xf32>
  func.call @print_row(%sums) : (tensor<2xf32>) -> ()
  %some = tile.trim max %ones rows(1) ranges(%c8, %c16, %c8, %c8) : tensor<2x16xf32>
  %largest = tile.reduce max %some, %lowest : tensor<2x16xf32> -> tensor<2xf32>
  func.call @print_row(%largest) : (tensor<2xf32>) -> ()

  %q = arith.constant dense<1.0> : tensor<1x1x2x1xf32>
  %k = arith.constant dense<1.0> : tensor<1x1x16x1xf32>
  %v = arith.constant dense<[[[[1.0], [1.0], [1.0], [1.0], [1.0], [1.0], [1.0], [1.0],
                               [2.0], [2.0], [2.0], [2.0], [2.0], [2.0], [2.0], [2.0]]]]> : tensor<1x1x16x1xf32>
  %none = arith.constant dense<0.0> : tensor<2x1xf32>
  %a = attn.partial %q, %k, %v at(%c0, %c0, %c0, %c0) init(%none) width(16) ranges[1](%c0, %c8, %c8, %c16) scale(1.0) normalizer(none)
      : tensor<1x1x2x1xf32>, tensor<1x1x16x1xf32>, tensor<1x1x16x1xf32> -> tensor<2x1xf32>
  %a2 = tensor.cast %a : tensor<2x1xf32> to tensor<?x?xf32>
  func.call @print2(%a2) : (tensor<?x?xf32>) -> ()
  return
}

func.func private @print_row(%x: tensor<2xf32>) {
  %r = tensor.expand_shape %x [[0, 1]] output_shape [1, 2] : tensor<2xf32> into tensor<1x2xf32>
  %d = tensor.cast %r : tensor<1x2xf32> to tensor<?x?xf32>
  func.call @print2(%d) : (tensor<?x?xf32>) -> ()
  return
}

func.func @main() {
  func.call @dense() : () -> ()
  func.call @no_keys() : () -> ()
  func.call @not_a_number() : () -> ()
  func.call @groups_alignment_end() : () -> ()
  func.call @map_rows() : () -> ()
  func.call @contract_row() : () -> ()
  func.call @shared_query() : () -> ()
  func.call @partial() : () -> ()
  func.call @finish_no_keys() : () -> ()
  func.call @tile_ops() : () -> ()
  func.call @merge() : () -> ()
  func.call @ranges() : () -> ()
  return
}
