// Runs the executable definition of attn.reduce on numbers small enough to compute
// by hand.
//
// DEFINE: %{buffers} = --one-shot-bufferize=bufferize-function-boundaries --buffer-deallocation-pipeline --convert-linalg-to-loops
// DEFINE: %{llvm} = --arith-expand --convert-scf-to-cf --expand-strided-metadata --lower-affine --convert-math-to-libm --finalize-memref-to-llvm --convert-arith-to-llvm --convert-math-to-llvm --convert-func-to-llvm --convert-cf-to-llvm --reconcile-unrealized-casts
// DEFINE: %{run} = mlir-runner --entry-point-result=void --shared-libs=%llvm_lib/libmlir_runner_utils.so,%llvm_lib/libmlir_c_runner_utils.so
// RUN: attn-opt %s --attn-lower-to-reference %{buffers} %{llvm} | %{run} -e main | FileCheck %s

func.func private @printMemrefF64(tensor<*xf32>) attributes {llvm.emit_c_interface}

func.func private @show(%x: tensor<?x?x?xf32>) {
  %u = tensor.cast %x : tensor<?x?x?xf32> to tensor<*xf32>
  call @printMemrefF64(%u) : (tensor<*xf32>) -> ()
  return
}

!x = tensor<?x?x?x2xf32>
!y = tensor<?x?x2xf32>

// Two heads of three tokens: tokens are added for each head.
// CHECK: sizes = [1, 2, 2]
// CHECK-NEXT: [111, -6],
// CHECK-NEXT: [222, 9]
// The largest of the tokens.
// CHECK: sizes = [1, 2, 2]
// CHECK-NEXT: [100, -1],
// CHECK-NEXT: [200, 5]
func.func private @tokens(%x: !x) {
  %sum = attn.reduce sum %x over(tokens) : !x -> !y
  %max = attn.reduce max %x over(tokens) : !x -> !y
  %a = tensor.cast %sum : !y to tensor<?x?x?xf32>
  func.call @show(%a) : (tensor<?x?x?xf32>) -> ()
  %b = tensor.cast %max : !y to tensor<?x?x?xf32>
  func.call @show(%b) : (tensor<?x?x?xf32>) -> ()
  return
}

// Heads are added for each token, and the larger one is taken.
// CHECK: sizes = [1, 3, 2]
// CHECK-NEXT: [3, 4],
// CHECK-NEXT: [30, 1],
// CHECK-NEXT: [300, -2]
// CHECK: sizes = [1, 3, 2]
// CHECK-NEXT: [2, 5],
// CHECK-NEXT: [20, 3],
// CHECK-NEXT: [200, 1]
func.func private @heads(%x: !x) {
  %sum = attn.reduce sum %x over(heads) : !x -> !y
  %max = attn.reduce max %x over(heads) : !x -> !y
  %a = tensor.cast %sum : !y to tensor<?x?x?xf32>
  func.call @show(%a) : (tensor<?x?x?xf32>) -> ()
  %b = tensor.cast %max : !y to tensor<?x?x?xf32>
  func.call @show(%b) : (tensor<?x?x?xf32>) -> ()
  return
}

// The region sees the token, and what an earlier op computed: the first feature
// below its maximum, times 1, 2, 3 for the three tokens; all rows become one number.
// CHECK: sizes = [1, 2, 1]
// CHECK-NEXT: [-279],
// CHECK-NEXT: [-558]
func.func private @rows(%x: !x) {
  %max = attn.reduce max %x over(tokens) : !x -> !y
  %sum = attn.reduce sum %x over(tokens) rows (%r: tensor<2xf32>, %b, %h, %n) {
    %m = tensor.extract_slice %max[%b, %h, 0] [1, 1, 2] [1, 1, 1] : !y to tensor<2xf32>
    %d = arith.subf %r, %m : tensor<2xf32>
    %first = tensor.extract_slice %d[0] [1] [1] : tensor<2xf32> to tensor<1xf32>
    %one = arith.constant 1 : index
    %next = arith.addi %n, %one : index
    %int = arith.index_cast %next : index to i64
    %factor = arith.sitofp %int : i64 to f32
    %factors = tensor.splat %factor : tensor<1xf32>
    %y = arith.mulf %first, %factors : tensor<1xf32>
    attn.yield %y : tensor<1xf32>
  } : !x -> tensor<?x?x1xf32>
  %a = tensor.cast %sum : tensor<?x?x1xf32> to tensor<?x?x?xf32>
  func.call @show(%a) : (tensor<?x?x?xf32>) -> ()
  return
}

// Nothing to add is 0, nothing to compare is -inf.
// CHECK: sizes = [1, 1, 2]
// CHECK-NEXT: [0, 0]
// CHECK: sizes = [1, 1, 2]
// CHECK-NEXT: [-inf, -inf]
func.func private @empty() {
  %x = tensor.empty() : tensor<1x1x0x2xf32>
  %sum = attn.reduce sum %x over(tokens) : tensor<1x1x0x2xf32> -> tensor<1x1x2xf32>
  %max = attn.reduce max %x over(tokens) : tensor<1x1x0x2xf32> -> tensor<1x1x2xf32>
  %a = tensor.cast %sum : tensor<1x1x2xf32> to tensor<?x?x?xf32>
  func.call @show(%a) : (tensor<?x?x?xf32>) -> ()
  %b = tensor.cast %max : tensor<1x1x2xf32> to tensor<?x?x?xf32>
  func.call @show(%b) : (tensor<?x?x?xf32>) -> ()
  return
}

func.func @main() {
  %x = arith.constant dense<[[[[1.0, -1.0], [10.0, -2.0], [100.0, -3.0]],
                              [[2.0, 5.0], [20.0, 3.0], [200.0, 1.0]]]]> : tensor<1x2x3x2xf32>
  %d = tensor.cast %x : tensor<1x2x3x2xf32> to !x
  call @tokens(%d) : (!x) -> ()
  call @heads(%d) : (!x) -> ()
  call @rows(%d) : (!x) -> ()
  call @empty() : () -> ()
  return
}
