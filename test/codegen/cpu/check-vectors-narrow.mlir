// RUN: attn-opt %s --attn-cpu-check-vectors=vector-bits=128 --verify-diagnostics

func.func @negative_128_bits(%m: memref<16xf32>, %i: index) {
  %x = vector.load %m[%i] : memref<16xf32>, vector<8xf32>
  // expected-error@+1 {{'vector.load' op has a value of type 'vector<16xf32>': expected a vector of at most 256 bits, got 512}}
  %y = vector.load %m[%i] : memref<16xf32>, vector<16xf32>
  return
}
