// RUN: attn-opt %s --split-input-file --attn-cpu-outline-parallel --verify-diagnostics

func.func @negative_scratch(%x: memref<?xf32>, %n: index) {
  // expected-error@+1 {{a block needs 8388672 bytes of scratch memory, at most 8388608 are allowed; make block_q or block_k smaller}}
  scf.forall (%i) in (%n) {
    %a = memref.alloca() : memref<2097152xf32>
    %b = memref.alloca() : memref<1xf32>
    %f = memref.load %a[%i] : memref<2097152xf32>
    memref.store %f, %x[%i] : memref<?xf32>
  }
  return
}

// -----

func.func @negative_scratch_size_overflows(%n: index) {
  scf.forall (%i) in (%n) {
    // expected-error@+1 {{'memref.alloca' op is larger than scratch memory, got 'memref<4611686018427387904xf32>'}}
    %a = memref.alloca() : memref<4611686018427387904xf32>
  }
  return
}

// -----

func.func @negative_dynamic_alloca(%n: index) {
  scf.forall (%i) in (%n) {
    // expected-error@+1 {{'memref.alloca' op in a block must have static shape and no layout, got 'memref<?xf32>'}}
    %a = memref.alloca(%n) : memref<?xf32>
  }
  return
}

// -----

func.func @negative_yields_tensor(%n: index, %t: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error@+1 {{'scf.forall' op must not yield tensors here, expected its blocks to write memrefs}}
  %r = scf.forall (%i) in (%n) shared_outs(%o = %t) -> tensor<4xf32> {
    scf.forall.in_parallel {}
  }
  return %r : tensor<4xf32>
}

// -----

func.func @negative_captures_tensor(%x: memref<?xf32>, %n: index, %t: tensor<4xf32>) {
  // expected-error@+1 {{a block reads a tensor from outside, of type 'tensor<4xf32>'; expected it in a memref}}
  scf.forall (%i) in (%n) {
    %f = tensor.extract %t[%i] : tensor<4xf32>
    memref.store %f, %x[%i] : memref<?xf32>
  }
  return
}
