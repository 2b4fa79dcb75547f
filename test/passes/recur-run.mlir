// Runs the executable definition of attn.recur on numbers small enough to compute
// by hand.
//
// DEFINE: %{buffers} = --one-shot-bufferize=bufferize-function-boundaries --buffer-deallocation-pipeline --convert-linalg-to-loops
// DEFINE: %{llvm} = --arith-expand --convert-scf-to-cf --expand-strided-metadata --lower-affine --convert-math-to-libm --finalize-memref-to-llvm --convert-arith-to-llvm --convert-math-to-llvm --convert-func-to-llvm --convert-cf-to-llvm --reconcile-unrealized-casts
// DEFINE: %{run} = mlir-runner --entry-point-result=void --shared-libs=%llvm_lib/libmlir_runner_utils.so,%llvm_lib/libmlir_c_runner_utils.so
// RUN: attn-opt %s --attn-lower-to-reference %{buffers} %{llvm} | %{run} -e main | FileCheck %s

func.func private @printMemrefF64(tensor<*xf32>) attributes {llvm.emit_c_interface}

func.func private @show(%x: tensor<1x?x?x1xf32>) {
  %u = tensor.cast %x : tensor<1x?x?x1xf32> to tensor<*xf32>
  call @printMemrefF64(%u) : (tensor<*xf32>) -> ()
  return
}

!row = tensor<1x1x3x1xf32>

// One channel, keys and queries 1, values 1, 10, 100: exp(-log 2) = 1/2 is the
// decay of all tokens of the head. S = 1, 10.5, 105.25; and in the end as well.
// CHECK: sizes = [1, 1, 3, 1]
// CHECK-NEXT: [1],
// CHECK-NEXT: [10.5],
// CHECK-NEXT: [105.25]
// CHECK: sizes = [1, 1, 1, 1]
// CHECK-NEXT: [105.25]
func.func private @causal(%x: !row, %v: !row, %g: tensor<1xf32>) {
  %o, %s = attn.recur %x, %x, %v gate(%g : tensor<1xf32>) : !row, !row, !row -> !row, tensor<1x1x1x1xf32>
  %o4 = tensor.cast %o : !row to tensor<1x?x?x1xf32>
  func.call @show(%o4) : (tensor<1x?x?x1xf32>) -> ()
  %s4 = tensor.cast %s : tensor<1x1x1x1xf32> to tensor<1x?x?x1xf32>
  func.call @show(%s4) : (tensor<1x?x?x1xf32>) -> ()
  return
}

// From the other side, from the state 8: 104, 62, 32; times 2.
// CHECK: sizes = [1, 1, 3, 1]
// CHECK-NEXT: [64],
// CHECK-NEXT: [124],
// CHECK-NEXT: [208]
func.func private @reversed(%x: !row, %v: !row, %g: tensor<1xf32>) {
  %h0 = arith.constant dense<8.0> : tensor<1x1x1x1xf32>
  %o = attn.recur %x, %x, %v gate(%g : tensor<1xf32>) initial(%h0 : tensor<1x1x1x1xf32>) scale(2.0) order(reversed)
      : !row, !row, !row -> !row
  %o4 = tensor.cast %o : !row to tensor<1x?x?x1xf32>
  func.call @show(%o4) : (tensor<1x?x?x1xf32>) -> ()
  return
}

// Each token once: 1 + 5 + 25, 0.5 + 10 + 50, 0.25 + 5 + 100.
// CHECK: sizes = [1, 1, 3, 1]
// CHECK-NEXT: [31],
// CHECK-NEXT: [60.5],
// CHECK-NEXT: [105.25]
func.func private @bidirectional(%x: !row, %v: !row, %g: tensor<1xf32>) {
  %o = attn.recur %x, %x, %v gate(%g : tensor<1xf32>) order(bidirectional) : !row, !row, !row -> !row
  %o4 = tensor.cast %o : !row to tensor<1x?x?x1xf32>
  func.call @show(%o4) : (tensor<1x?x?x1xf32>) -> ()
  return
}

// Read before the write, which is not decayed yet: 0, 1, 10.5; with a bonus of 3
// for what the token itself writes: 3, 31, 310.5.
// CHECK: sizes = [1, 1, 3, 1]
// CHECK-NEXT: [0],
// CHECK-NEXT: [1],
// CHECK-NEXT: [10.5]
// CHECK: sizes = [1, 1, 3, 1]
// CHECK-NEXT: [3],
// CHECK-NEXT: [31],
// CHECK-NEXT: [310.5]
func.func private @before(%x: !row, %v: !row, %g: tensor<1xf32>) {
  %o = attn.recur %x, %x, %v gate(%g : tensor<1xf32>) read(before) : !row, !row, !row -> !row
  %o4 = tensor.cast %o : !row to tensor<1x?x?x1xf32>
  func.call @show(%o4) : (tensor<1x?x?x1xf32>) -> ()
  %u = arith.constant dense<3.0> : tensor<1x1xf32>
  %p = attn.recur %x, %x, %v gate(%g : tensor<1xf32>) bonus(%u : tensor<1x1xf32>) read(before) : !row, !row, !row -> !row
  %p4 = tensor.cast %p : !row to tensor<1x?x?x1xf32>
  func.call @show(%p4) : (tensor<1x?x?x1xf32>) -> ()
  return
}

// The same from both sides, with the bonus once: 3 + (10 + 50), 30 + 1 + 100,
// 300 + (0.5 + 10).
// CHECK: sizes = [1, 1, 3, 1]
// CHECK-NEXT: [63],
// CHECK-NEXT: [131],
// CHECK-NEXT: [310.5]
func.func private @before_both(%x: !row, %v: !row, %g: tensor<1xf32>) {
  %u = arith.constant dense<3.0> : tensor<1x1xf32>
  %o = attn.recur %x, %x, %v gate(%g : tensor<1xf32>) bonus(%u : tensor<1x1xf32>) read(before) order(bidirectional) : !row, !row, !row -> !row
  %o4 = tensor.cast %o : !row to tensor<1x?x?x1xf32>
  func.call @show(%o4) : (tensor<1x?x?x1xf32>) -> ()
  return
}

// Gates of tokens: the first one meets an empty state, the last one halves.
// Weights of writes 1, 2, 0: 1, 1 + 20, 10.5. Averages: 1, 21 / 3, 10.5 / 1.5.
// CHECK: sizes = [1, 1, 3, 1]
// CHECK-NEXT: [1],
// CHECK-NEXT: [21],
// CHECK-NEXT: [10.5]
// CHECK: sizes = [1, 1, 3, 1]
// CHECK-NEXT: [1],
// CHECK-NEXT: [7],
// CHECK-NEXT: [7]
func.func private @scaled(%x: !row, %v: !row) {
  %g = arith.constant dense<[[[-5.0, 0.0, -0.69314718055994530942]]]> : tensor<1x1x3xf32>
  %beta = arith.constant dense<[[[1.0, 2.0, 0.0]]]> : tensor<1x1x3xf32>
  %o = attn.recur %x, %x, %v gate(%g : tensor<1x1x3xf32>) beta(%beta : tensor<1x1x3xf32>) write(scaled) : !row, !row, !row -> !row
  %o4 = tensor.cast %o : !row to tensor<1x?x?x1xf32>
  func.call @show(%o4) : (tensor<1x?x?x1xf32>) -> ()
  %p = attn.recur %x, %x, %v gate(%g : tensor<1x1x3xf32>) beta(%beta : tensor<1x1x3xf32>) write(scaled)
      norm (%num: tensor<1xf32>, %den: f32, %b, %h, %i) {
        %row = tensor.splat %den : tensor<1xf32>
        %y = arith.divf %num, %row : tensor<1xf32>
        attn.yield %y : tensor<1xf32>
      } : !row, !row, !row -> !row
  %p4 = tensor.cast %p : !row to tensor<1x?x?x1xf32>
  func.call @show(%p4) : (tensor<1x?x?x1xf32>) -> ()
  return
}

// The bonus counts what is written, factor included. Factors 2, bonus 3: 6,
// 2 + 60, 21 + 600.
// CHECK: sizes = [1, 1, 3, 1]
// CHECK-NEXT: [6],
// CHECK-NEXT: [62],
// CHECK-NEXT: [621]
func.func private @scaled_bonus(%x: !row, %v: !row, %g: tensor<1xf32>) {
  %beta = arith.constant dense<2.0> : tensor<1x1x3xf32>
  %u = arith.constant dense<3.0> : tensor<1x1xf32>
  %o = attn.recur %x, %x, %v gate(%g : tensor<1xf32>) beta(%beta : tensor<1x1x3xf32>) bonus(%u : tensor<1x1xf32>)
      write(scaled) read(before) : !row, !row, !row -> !row
  %o4 = tensor.cast %o : !row to tensor<1x?x?x1xf32>
  func.call @show(%o4) : (tensor<1x?x?x1xf32>) -> ()
  return
}

// Two channels of forget gates, 1/2 and 1 (log 0), whose complements 1/2 and 0
// are keys; queries (1, 1): 0.5, 5.25, 52.625.
// CHECK: sizes = [1, 1, 3, 1]
// CHECK-NEXT: [0.5],
// CHECK-NEXT: [5.25],
// CHECK-NEXT: [52.625]
func.func private @tied(%v: !row) {
  %q = arith.constant dense<1.0> : tensor<1x1x3x2xf32>
  %g = arith.constant dense<[[[[-0.69314718055994530942, 0.0], [-0.69314718055994530942, 0.0], [-0.69314718055994530942, 0.0]]]]> : tensor<1x1x3x2xf32>
  %o = attn.recur %q, %v gate(%g : tensor<1x1x3x2xf32>) write(tied) : tensor<1x1x3x2xf32>, !row -> !row
  %o4 = tensor.cast %o : !row to tensor<1x?x?x1xf32>
  func.call @show(%o4) : (tensor<1x?x?x1xf32>) -> ()
  return
}

// Two heads of values share a query and a key; head h has the gate h log 1/2 and,
// by its region, h added. Mapped rows: values times 2.
// CHECK: sizes = [1, 2, 2, 1]
// CHECK-NEXT: [2],
// CHECK-NEXT: [4]
// CHECK: [3],
// CHECK-NEXT: [4]
func.func private @heads() {
  %x = arith.constant dense<1.0> : tensor<1x1x2x1xf32>
  %v = arith.constant dense<1.0> : tensor<1x2x2x1xf32>
  %g = arith.constant dense<[0.0, -0.69314718055994530942]> : tensor<2xf32>
  %add = arith.constant dense<[0.0, 1.0]> : tensor<2xf32>
  %o = attn.recur %x, %x, %v gate(%g : tensor<2xf32>)
      value (%r: tensor<1xf32>, %b, %h, %n) {
        %y = arith.addf %r, %r : tensor<1xf32>
        attn.yield %y : tensor<1xf32>
      }
      norm (%num: tensor<1xf32>, %den: f32, %b, %h, %i) {
        %a = tensor.extract %add[%h] : tensor<2xf32>
        %row = tensor.splat %a : tensor<1xf32>
        %y = arith.addf %num, %row : tensor<1xf32>
        attn.yield %y : tensor<1xf32>
      } : tensor<1x1x2x1xf32>, tensor<1x1x2x1xf32>, tensor<1x2x2x1xf32> -> tensor<1x2x2x1xf32>
  %o4 = tensor.cast %o : tensor<1x2x2x1xf32> to tensor<1x?x?x1xf32>
  func.call @show(%o4) : (tensor<1x?x?x1xf32>) -> ()
  return
}

// A state that both batches share: 8 + 1, and 8 + 2.
// CHECK: sizes = [1, 2, 1, 1]
// CHECK-NEXT: [9]
// CHECK: [10]
func.func private @shared_state() {
  %x = arith.constant dense<1.0> : tensor<2x1x1x1xf32>
  %v = arith.constant dense<[[[[1.0]]], [[[2.0]]]]> : tensor<2x1x1x1xf32>
  %h0 = arith.constant dense<8.0> : tensor<1x1x1x1xf32>
  %o = attn.recur %x, %x, %v initial(%h0 : tensor<1x1x1x1xf32>)
      : tensor<2x1x1x1xf32>, tensor<2x1x1x1xf32>, tensor<2x1x1x1xf32> -> tensor<2x1x1x1xf32>
  %flat = tensor.collapse_shape %o [[0, 1, 2, 3]] : tensor<2x1x1x1xf32> into tensor<2xf32>
  %o4 = tensor.expand_shape %flat [[0, 1, 2, 3]] output_shape [1, 2, 1, 1] : tensor<2xf32> into tensor<1x2x1x1xf32>
  %o5 = tensor.cast %o4 : tensor<1x2x1x1xf32> to tensor<1x?x?x1xf32>
  func.call @show(%o5) : (tensor<1x?x?x1xf32>) -> ()
  return
}

// Without tokens the state stays.
// CHECK: sizes = [1, 1, 1, 1]
// CHECK-NEXT: [8]
func.func private @no_tokens() {
  %none = arith.constant dense<1.0> : tensor<1x1x0x1xf32>
  %h0 = arith.constant dense<8.0> : tensor<1x1x1x1xf32>
  %o, %s = attn.recur %none, %none, %none initial(%h0 : tensor<1x1x1x1xf32>)
      : tensor<1x1x0x1xf32>, tensor<1x1x0x1xf32>, tensor<1x1x0x1xf32> -> tensor<1x1x0x1xf32>, tensor<1x1x1x1xf32>
  %s4 = tensor.cast %s : tensor<1x1x1x1xf32> to tensor<1x?x?x1xf32>
  func.call @show(%s4) : (tensor<1x?x?x1xf32>) -> ()
  return
}

func.func @main() {
  %x = arith.constant dense<1.0> : !row
  %v = arith.constant dense<[[[[1.0], [10.0], [100.0]]]]> : !row
  %g = arith.constant dense<-0.69314718055994530942> : tensor<1xf32>
  func.call @causal(%x, %v, %g) : (!row, !row, tensor<1xf32>) -> ()
  func.call @reversed(%x, %v, %g) : (!row, !row, tensor<1xf32>) -> ()
  func.call @bidirectional(%x, %v, %g) : (!row, !row, tensor<1xf32>) -> ()
  func.call @before(%x, %v, %g) : (!row, !row, tensor<1xf32>) -> ()
  func.call @before_both(%x, %v, %g) : (!row, !row, tensor<1xf32>) -> ()
  func.call @scaled(%x, %v) : (!row, !row) -> ()
  func.call @scaled_bonus(%x, %v, %g) : (!row, !row, tensor<1xf32>) -> ()
  func.call @tied(%v) : (!row) -> ()
  func.call @heads() : () -> ()
  func.call @shared_state() : () -> ()
  func.call @no_tokens() : () -> ()
  return
}
