// RUN: attn-opt %s --split-input-file --attn-cpu-check-vectors --verify-diagnostics

// Two registers are what a conversion from half to full width yields.
func.func @pair_of_registers(%m: memref<32xf32>, %i: index) {
  %x = vector.load %m[%i] : memref<32xf32>, vector<32xf32>
  vector.store %x, %m[%i] : memref<32xf32>, vector<32xf32>
  return
}

// -----

// Lanes of masks count as one bit, those of indices as 64.
func.func @masks_and_indices(%m: vector<512xi1>, %i: vector<16xindex>) {
  return
}

// -----

func.func @negative_three_registers(%m: memref<48xf32>, %i: index) {
  // expected-error@+1 {{'vector.load' op has a value of type 'vector<48xf32>': expected a vector of at most 1024 bits, got 1536}}
  %x = vector.load %m[%i] : memref<48xf32>, vector<48xf32>
  return
}

// -----

func.func @negative_indices(%i: index) {
  // expected-error@+1 {{'vector.broadcast' op has a value of type 'vector<17xindex>': expected a vector of at most 1024 bits, got 1088}}
  %x = vector.broadcast %i : index to vector<17xindex>
  return
}

// -----

func.func @negative_rank_2(%x: f32) {
  // expected-error@+1 {{'vector.broadcast' op has a value of type 'vector<2x2xf32>': expected a vector of rank 1, got rank 2}}
  %y = vector.broadcast %x : f32 to vector<2x2xf32>
  return
}

// -----

func.func @negative_scalable(%x: f32) {
  // expected-error@+1 {{'vector.broadcast' op has a value of type 'vector<[4]xf32>': expected a vector of fixed length}}
  %y = vector.broadcast %x : f32 to vector<[4]xf32>
  return
}

// -----

func.func @negative_in_block(%m: memref<1xf32>, %n: index) {
  scf.forall (%i) in (%n) {
    // expected-error@+1 {{'arith.constant' op has a value of type 'vector<33xf32>'}}
    %x = arith.constant dense<0.0> : vector<33xf32>
  }
  return
}
