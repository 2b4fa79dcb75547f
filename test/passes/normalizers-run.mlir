// Runs the executable definition of normalisers, prob and sink regions on numbers
// small enough to compute by hand.
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
func.func private @showLse(%lse: tensor<1x1x2xf32>) {
  %l = tensor.expand_shape %lse [[0], [1], [2, 3]] output_shape [1, 1, 2, 1]
     : tensor<1x1x2xf32> into tensor<1x1x2x1xf32>
  %l4 = tensor.cast %l : tensor<1x1x2x1xf32> to tensor<?x?x?x?xf32>
  func.call @print4(%l4) : (tensor<?x?x?x?xf32>) -> ()
  return
}

// Query 0 sees key 0 only, with a score of -1; the scores of query 1 are -2 and 6,
// those of query 2 are 0.
//   query 0: p = -1             out = -1 * 1
//   query 1: p = -2/8, 6/8      out = (-2 * 1 + 6 * 3) / 8 = 2
//   query 2: p = 0, 0           out = 0
// CHECK: sizes = [1, 1, 3, 1]
// CHECK-NEXT: [-1],
// CHECK-NEXT: [2],
// CHECK-NEXT: [0]
// With p + 1: 0, which shows that the masked pair is left out; 0.75 + 1.75 * 3;
// 1 + 3.
// CHECK: sizes = [1, 1, 3, 1]
// CHECK-NEXT: [0],
// CHECK-NEXT: [6],
// CHECK-NEXT: [4]
func.func private @sum() {
  %q = arith.constant dense<[[[[1.0], [2.0], [0.0]]]]> : tensor<1x1x3x1xf32>
  %k = arith.constant dense<[[[[-1.0], [3.0]]]]> : tensor<1x1x2x1xf32>
  %v = arith.constant dense<[[[[1.0], [3.0]]]]> : tensor<1x1x2x1xf32>
  %o = attn.attend %q, %k, %v alignment(start) normalizer(sum)
      mask (%b, %h, %i, %j) {
        %keep = arith.cmpi sge, %i, %j : index
        attn.yield %keep : i1
      } : tensor<1x1x3x1xf32>, tensor<1x1x2x1xf32>, tensor<1x1x2x1xf32> -> tensor<1x1x3x1xf32>
  %o4 = tensor.cast %o : tensor<1x1x3x1xf32> to tensor<?x?x?x?xf32>
  func.call @print4(%o4) : (tensor<?x?x?x?xf32>) -> ()
  %p = attn.attend %q, %k, %v alignment(start) normalizer(sum)
      mask (%b, %h, %i, %j) {
        %keep = arith.cmpi sge, %i, %j : index
        attn.yield %keep : i1
      }
      prob (%p: f32, %b, %h, %i, %j) {
        %one = arith.constant 1.0 : f32
        %w = arith.addf %p, %one : f32
        attn.yield %w : f32
      } : tensor<1x1x3x1xf32>, tensor<1x1x2x1xf32>, tensor<1x1x2x1xf32> -> tensor<1x1x3x1xf32>
  %p4 = tensor.cast %p : tensor<1x1x3x1xf32> to tensor<?x?x?x?xf32>
  func.call @print4(%p4) : (tensor<?x?x?x?xf32>) -> ()
  return
}

// max(s, 0) of the scores -1, 3 and -2, 6: 3 * 3 and 6 * 3.
// CHECK: sizes = [1, 1, 2, 1]
// CHECK-NEXT: [9],
// CHECK-NEXT: [18]
func.func private @none() {
  %q = arith.constant dense<[[[[1.0], [2.0]]]]> : tensor<1x1x2x1xf32>
  %k = arith.constant dense<[[[[-1.0], [3.0]]]]> : tensor<1x1x2x1xf32>
  %v = arith.constant dense<[[[[1.0], [3.0]]]]> : tensor<1x1x2x1xf32>
  %o = attn.attend %q, %k, %v normalizer(none)
      score (%s: f32, %b, %h, %i, %j) {
        %zero = arith.constant 0.0 : f32
        %r = arith.maximumf %s, %zero : f32
        attn.yield %r : f32
      } : tensor<1x1x2x1xf32>, tensor<1x1x2x1xf32>, tensor<1x1x2x1xf32> -> tensor<1x1x2x1xf32>
  %o4 = tensor.cast %o : tensor<1x1x2x1xf32> to tensor<?x?x?x?xf32>
  func.call @print4(%o4) : (tensor<?x?x?x?xf32>) -> ()
  return
}

// Scores 0, 1 and a sink of 0: out = (1 + 3 e) / (2 + e), lse = log(2 + e); scores
// 0, 2 and a sink of -inf: as without.
// CHECK: sizes = [1, 1, 2, 1]
// CHECK-NEXT: [1.94029],
// CHECK-NEXT: [2.76159]
// CHECK: sizes = [1, 1, 2, 1]
// CHECK-NEXT: [1.55144],
// CHECK-NEXT: [2.12693]
// Row 0 has no key, only the sink.
// CHECK: sizes = [1, 1, 2, 1]
// CHECK-NEXT: [0],
// CHECK-NEXT: [1]
// CHECK: sizes = [1, 1, 2, 1]
// CHECK-NEXT: [5],
// CHECK-NEXT: [0]
func.func private @sink() {
  %q = arith.constant dense<[[[[1.0], [2.0]]]]> : tensor<1x1x2x1xf32>
  %k = arith.constant dense<[[[[0.0], [1.0]]]]> : tensor<1x1x2x1xf32>
  %v = arith.constant dense<[[[[1.0], [3.0]]]]> : tensor<1x1x2x1xf32>
  %sinks = arith.constant dense<[0.0, 0xFF800000]> : tensor<2xf32>
  %o, %lse = attn.attend %q, %k, %v
      sink (%b, %h, %i) {
        %s = tensor.extract %sinks[%i] : tensor<2xf32>
        attn.yield %s : f32
      } : tensor<1x1x2x1xf32>, tensor<1x1x2x1xf32>, tensor<1x1x2x1xf32> -> tensor<1x1x2x1xf32>, tensor<1x1x2xf32>
  %o4 = tensor.cast %o : tensor<1x1x2x1xf32> to tensor<?x?x?x?xf32>
  func.call @print4(%o4) : (tensor<?x?x?x?xf32>) -> ()
  func.call @showLse(%lse) : (tensor<1x1x2xf32>) -> ()
  %fives = arith.constant dense<[5.0, 0xFF800000]> : tensor<2xf32>
  %p, %plse = attn.attend %q, %k, %v
      mask (%b, %h, %i, %j) {
        %keep = arith.cmpi sgt, %i, %j : index
        attn.yield %keep : i1
      }
      sink (%b, %h, %i) {
        %s = tensor.extract %fives[%i] : tensor<2xf32>
        attn.yield %s : f32
      } : tensor<1x1x2x1xf32>, tensor<1x1x2x1xf32>, tensor<1x1x2x1xf32> -> tensor<1x1x2x1xf32>, tensor<1x1x2xf32>
  %p4 = tensor.cast %p : tensor<1x1x2x1xf32> to tensor<?x?x?x?xf32>
  func.call @print4(%p4) : (tensor<?x?x?x?xf32>) -> ()
  func.call @showLse(%plse) : (tensor<1x1x2xf32>) -> ()
  return
}

// Squares of the weights 0.268941, 0.731059 and 0.119203, 0.880797.
// CHECK: sizes = [1, 1, 2, 1]
// CHECK-NEXT: [1.67567],
// CHECK-NEXT: [2.34162]
func.func private @prob() {
  %q = arith.constant dense<[[[[1.0], [2.0]]]]> : tensor<1x1x2x1xf32>
  %k = arith.constant dense<[[[[0.0], [1.0]]]]> : tensor<1x1x2x1xf32>
  %v = arith.constant dense<[[[[1.0], [3.0]]]]> : tensor<1x1x2x1xf32>
  %o = attn.attend %q, %k, %v
      prob (%p: f32, %b, %h, %i, %j) {
        %w = arith.mulf %p, %p : f32
        attn.yield %w : f32
      } : tensor<1x1x2x1xf32>, tensor<1x1x2x1xf32>, tensor<1x1x2x1xf32> -> tensor<1x1x2x1xf32>
  %o4 = tensor.cast %o : tensor<1x1x2x1xf32> to tensor<?x?x?x?xf32>
  func.call @print4(%o4) : (tensor<?x?x?x?xf32>) -> ()
  return
}

// The same in two visits: the references are 1 and 2, the sums 1 + 1/e and
// 1 + 1/e^2.
// CHECK: sizes = [2, 3]
// CHECK-NEXT: [1, 1.36788, 1.67567],
// CHECK-NEXT: [2, 1.13534, 2.34162]
func.func private @given() {
  %q = arith.constant dense<[[[[1.0], [2.0]]]]> : tensor<1x1x2x1xf32>
  %k = arith.constant dense<[[[[0.0], [1.0]]]]> : tensor<1x1x2x1xf32>
  %v = arith.constant dense<[[[[1.0], [3.0]]]]> : tensor<1x1x2x1xf32>
  %c0 = arith.constant 0 : index
  %t0 = arith.constant dense<0xFF800000> : tensor<2xf32>
  %l0 = arith.constant dense<0.0> : tensor<2xf32>
  %a0 = arith.constant dense<0.0> : tensor<2x1xf32>
  %s:2 = attn.partial %q, %k, %v at(%c0, %c0, %c0, %c0) init(%t0, %l0) width(2) scale(1.0)
       : tensor<1x1x2x1xf32>, tensor<1x1x2x1xf32>, tensor<1x1x2x1xf32> -> tensor<2xf32>, tensor<2xf32>
  %a = attn.partial %q, %k, %v at(%c0, %c0, %c0, %c0) init(%a0)
       given(%s#0, %s#1 : tensor<2xf32>, tensor<2xf32>) width(3) bounded scale(1.0)
       prob (%p: f32, %b, %h, %i, %j) {
         %w = arith.mulf %p, %p : f32
         attn.yield %w : f32
       } : tensor<1x1x2x1xf32>, tensor<1x1x2x1xf32>, tensor<1x1x2x1xf32> -> tensor<2x1xf32>
  %o, %lse = attn.finish %s#0, %s#1, %a normalized : tensor<2xf32>, tensor<2xf32>, tensor<2x1xf32> -> tensor<2x1xf32>, tensor<2xf32>
  %t = tensor.expand_shape %s#0 [[0, 1]] output_shape [2, 1] : tensor<2xf32> into tensor<2x1xf32>
  %l = tensor.expand_shape %s#1 [[0, 1]] output_shape [2, 1] : tensor<2xf32> into tensor<2x1xf32>
  %all = tile.concat %t, %l, %o : tensor<2x1xf32>, tensor<2x1xf32>, tensor<2x1xf32> -> tensor<2x3xf32>
  %all2 = tensor.cast %all : tensor<2x3xf32> to tensor<?x?xf32>
  func.call @print2(%all2) : (tensor<?x?xf32>) -> ()
  return
}

// Sums are given for the normaliser sum, -1 and 3 over 4: 1/16 + 3 * 9/16; for a
// sum of 0 the weight is 0, whatever the score is.
// CHECK: sizes = [2, 1]
// CHECK-NEXT: [1.75],
// CHECK-NEXT: [0]
func.func private @given_sum() {
  %q = arith.constant dense<[[[[1.0], [2.0]]]]> : tensor<1x1x2x1xf32>
  %k = arith.constant dense<[[[[-1.0], [3.0]]]]> : tensor<1x1x2x1xf32>
  %v = arith.constant dense<[[[[1.0], [3.0]]]]> : tensor<1x1x2x1xf32>
  %c0 = arith.constant 0 : index
  %l = arith.constant dense<[4.0, 0.0]> : tensor<2xf32>
  %a0 = arith.constant dense<0.0> : tensor<2x1xf32>
  %a = attn.partial %q, %k, %v at(%c0, %c0, %c0, %c0) init(%a0) given(%l : tensor<2xf32>) width(2) scale(1.0) normalizer(sum)
       prob (%p: f32, %b, %h, %i, %j) {
         %w = arith.mulf %p, %p : f32
         attn.yield %w : f32
       } : tensor<1x1x2x1xf32>, tensor<1x1x2x1xf32>, tensor<1x1x2x1xf32> -> tensor<2x1xf32>
  %o = attn.finish %l, %a normalized : tensor<2xf32>, tensor<2x1xf32> -> tensor<2x1xf32>
  %o2 = tensor.cast %o : tensor<2x1xf32> to tensor<?x?xf32>
  func.call @print2(%o2) : (tensor<?x?xf32>) -> ()
  return
}

// Row 0: reference 0, sum 2, accumulator 6, with a sink of 1: 1, 2/e + 1, 6/e. Row
// 1: no key and a sink of 3. Row 2: no key and a sink of -inf. The sinks begin at
// position 1.
// CHECK: sizes = [3, 3]
// CHECK-NEXT: [1, 1.73576, 2.20728],
// CHECK-NEXT: [3, 1, 0],
// CHECK-NEXT: [-inf, 0, 0]
func.func private @add_sink() {
  %t0 = arith.constant dense<[0.0, 0xFF800000, 0xFF800000]> : tensor<3xf32>
  %l0 = arith.constant dense<[2.0, 0.0, 0.0]> : tensor<3xf32>
  %a0 = arith.constant dense<[[6.0], [0.0], [0.0]]> : tensor<3x1xf32>
  %sinks = arith.constant dense<[7.0, 1.0, 3.0, 0xFF800000]> : tensor<4xf32>
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r:3 = attn.add_sink %t0, %l0, %a0 at(%c0, %c0, %c1) sink (%b, %h, %i) {
    %s = tensor.extract %sinks[%i] : tensor<4xf32>
    attn.yield %s : f32
  } : tensor<3xf32>, tensor<3xf32>, tensor<3x1xf32>
  %t = tensor.expand_shape %r#0 [[0, 1]] output_shape [3, 1] : tensor<3xf32> into tensor<3x1xf32>
  %l = tensor.expand_shape %r#1 [[0, 1]] output_shape [3, 1] : tensor<3xf32> into tensor<3x1xf32>
  %all = tile.concat %t, %l, %r#2 : tensor<3x1xf32>, tensor<3x1xf32>, tensor<3x1xf32> -> tensor<3x3xf32>
  %all2 = tensor.cast %all : tensor<3x3xf32> to tensor<?x?xf32>
  func.call @print2(%all2) : (tensor<?x?xf32>) -> ()
  return
}

func.func @main() {
  func.call @sum() : () -> ()
  func.call @none() : () -> ()
  func.call @sink() : () -> ()
  func.call @prob() : () -> ()
  func.call @given() : () -> ()
  func.call @given_sum() : () -> ()
  func.call @add_sink() : () -> ()
  return
}
