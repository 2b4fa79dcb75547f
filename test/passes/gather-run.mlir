// Runs the executable definition of attn.gather on numbers small enough to see.
//
// DEFINE: %{buffers} = --one-shot-bufferize=bufferize-function-boundaries --buffer-deallocation-pipeline --convert-linalg-to-loops
// DEFINE: %{llvm} = --arith-expand --convert-scf-to-cf --expand-strided-metadata --lower-affine --convert-math-to-libm --finalize-memref-to-llvm --convert-arith-to-llvm --convert-math-to-llvm --convert-func-to-llvm --convert-cf-to-llvm --reconcile-unrealized-casts
// DEFINE: %{run} = mlir-runner --entry-point-result=void --shared-libs=%llvm_lib/libmlir_runner_utils.so,%llvm_lib/libmlir_c_runner_utils.so
// RUN: attn-opt %s --attn-lower-to-reference %{buffers} %{llvm} | %{run} -e main | FileCheck %s

func.func private @printMemrefF64(tensor<*xf32>) attributes {llvm.emit_c_interface}

// Three pages of two tokens of two heads: 100 page + 10 token + head. The first batch
// has pages 2 and 0, the second page 1 and one that is not there.
// CHECK: sizes = [2, 2, 4, 1]
// CHECK-NEXT: [200],
// CHECK-NEXT: [210],
// CHECK-NEXT: [0],
// CHECK-NEXT: [10]
// CHECK-NEXT: [201],
// CHECK-NEXT: [211],
// CHECK-NEXT: [1],
// CHECK-NEXT: [11]
// CHECK-NEXT: [100],
// CHECK-NEXT: [110],
// CHECK-NEXT: [0],
// CHECK-NEXT: [0]
// CHECK-NEXT: [101],
// CHECK-NEXT: [111],
// CHECK-NEXT: [0],
// CHECK-NEXT: [0]
func.func @main() {
  %pages = arith.constant dense<[[[[0.0], [1.0]], [[10.0], [11.0]]],
                                 [[[100.0], [101.0]], [[110.0], [111.0]]],
                                 [[[200.0], [201.0]], [[210.0], [211.0]]]]> : tensor<3x2x2x1xf32>
  %table = arith.constant dense<[[2, 0], [1, 3]]> : tensor<2x2xi32>
  %y = attn.gather %pages at(%table) : tensor<3x2x2x1xf32>, tensor<2x2xi32> -> tensor<2x2x4x1xf32>
  %u = tensor.cast %y : tensor<2x2x4x1xf32> to tensor<*xf32>
  call @printMemrefF64(%u) : (tensor<*xf32>) -> ()
  return
}
