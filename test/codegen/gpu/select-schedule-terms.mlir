// RUN: attn-opt %s --attn-gpu-select-schedule=schedule=block_q=64,block_k=128 --split-input-file --verify-diagnostics | FileCheck %s

// Joined keys that are read as they were copied are one tile each, and have room.
// CHECK-LABEL: func.func @joined
// CHECK: schedule(<block_q = 64, block_k = 128>)
func.func @joined(%q: tensor<?x?x?x64xbf16>, %k: tensor<?x?x?x64xbf16>, %v: tensor<?x?x?x128xbf16>,
                  %e: tensor<?x?x64xbf16>, %f: tensor<?x?x64xbf16>) -> tensor<?x?x?x128xbf16> {
  %o = attn.attend %q, %k, %v
      query (%x: tensor<64xf32>, %b, %h, %i) {
        %row = tensor.extract_slice %f[%b, %i, 0] [1, 1, 64] [1, 1, 1] : tensor<?x?x64xbf16> to tensor<64xbf16>
        %wide = arith.extf %row : tensor<64xbf16> to tensor<64xf32>
        %joined = tensor.concat dim(0) %x, %wide : (tensor<64xf32>, tensor<64xf32>) -> tensor<128xf32>
        %half = arith.constant dense<0.5> : tensor<128xf32>
        %y = arith.mulf %joined, %half : tensor<128xf32>
        attn.yield %y : tensor<128xf32>
      }
      key (%x: tensor<64xf32>, %b, %h, %j) {
        %row = tensor.extract_slice %e[%b, %j, 0] [1, 1, 64] [1, 1, 1] : tensor<?x?x64xbf16> to tensor<64xbf16>
        %wide = arith.extf %row : tensor<64xbf16> to tensor<64xf32>
        %joined = tensor.concat dim(0) %x, %wide : (tensor<64xf32>, tensor<64xf32>) -> tensor<128xf32>
        attn.yield %joined : tensor<128xf32>
      } : tensor<?x?x?x64xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x128xbf16> -> tensor<?x?x?x128xbf16>
  return %o : tensor<?x?x?x128xbf16>
}

// -----

// Computed keys are three tiles beside queries of bf16 as they are.
func.func @computed(%q: tensor<?x?x?x128xbf16>, %k: tensor<?x?x?x128xbf16>,
                    %v: tensor<?x?x?x128xbf16>) -> tensor<?x?x?x128xbf16> {
  // expected-error @below {{schedule: blocks of 64 x 128 need 131072 bytes of shared memory, at most 101376 are available}}
  %o = attn.attend %q, %k, %v
      key (%x: tensor<128xf32>, %b, %h, %j) {
        %y = math.tanh %x : tensor<128xf32>
        attn.yield %y : tensor<128xf32>
      } : tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16>, tensor<?x?x?x128xbf16> -> tensor<?x?x?x128xbf16>
  return %o : tensor<?x?x?x128xbf16>
}

// -----

// So are joined ones that a number multiplies,
func.func @scaled(%q: tensor<?x?x?x128xbf16>, %k: tensor<?x?x?x64xbf16>, %v: tensor<?x?x?x128xbf16>,
                  %e: tensor<?x?x64xbf16>) -> tensor<?x?x?x128xbf16> {
  // expected-error @below {{schedule: blocks of 64 x 128 need 131072 bytes of shared memory, at most 101376 are available}}
  %o = attn.attend %q, %k, %v
      key (%x: tensor<64xf32>, %b, %h, %j) {
        %row = tensor.extract_slice %e[%b, %j, 0] [1, 1, 64] [1, 1, 1] : tensor<?x?x64xbf16> to tensor<64xbf16>
        %wide = arith.extf %row : tensor<64xbf16> to tensor<64xf32>
        %joined = tensor.concat dim(0) %x, %wide : (tensor<64xf32>, tensor<64xf32>) -> tensor<128xf32>
        %half = arith.constant dense<0.5> : tensor<128xf32>
        %y = arith.mulf %joined, %half : tensor<128xf32>
        attn.yield %y : tensor<128xf32>
      } : tensor<?x?x?x128xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x128xbf16> -> tensor<?x?x?x128xbf16>
  return %o : tensor<?x?x?x128xbf16>
}

// -----

// and those with rows of 32 bits.
func.func @wide_rows(%q: tensor<?x?x?x128xbf16>, %k: tensor<?x?x?x64xbf16>, %v: tensor<?x?x?x128xbf16>,
                     %e: tensor<?x?x64xf32>) -> tensor<?x?x?x128xbf16> {
  // expected-error @below {{schedule: blocks of 64 x 128 need 131072 bytes of shared memory, at most 101376 are available}}
  %o = attn.attend %q, %k, %v
      key (%x: tensor<64xf32>, %b, %h, %j) {
        %row = tensor.extract_slice %e[%b, %j, 0] [1, 1, 64] [1, 1, 1] : tensor<?x?x64xf32> to tensor<64xf32>
        %joined = tensor.concat dim(0) %x, %row : (tensor<64xf32>, tensor<64xf32>) -> tensor<128xf32>
        attn.yield %joined : tensor<128xf32>
      } : tensor<?x?x?x128xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x128xbf16> -> tensor<?x?x?x128xbf16>
  return %o : tensor<?x?x?x128xbf16>
}

// -----

// So are joined ones that meet queries which are not joined,
func.func @plain_queries(%q: tensor<?x?x?x128xbf16>, %k: tensor<?x?x?x64xbf16>, %v: tensor<?x?x?x128xbf16>,
                         %e: tensor<?x?x64xbf16>) -> tensor<?x?x?x128xbf16> {
  // expected-error @below {{schedule: blocks of 64 x 128 need 131072 bytes of shared memory, at most 101376 are available}}
  %o = attn.attend %q, %k, %v
      key (%x: tensor<64xf32>, %b, %h, %j) {
        %row = tensor.extract_slice %e[%b, %j, 0] [1, 1, 64] [1, 1, 1] : tensor<?x?x64xbf16> to tensor<64xbf16>
        %wide = arith.extf %row : tensor<64xbf16> to tensor<64xf32>
        %joined = tensor.concat dim(0) %x, %wide : (tensor<64xf32>, tensor<64xf32>) -> tensor<128xf32>
        attn.yield %joined : tensor<128xf32>
      } : tensor<?x?x?x128xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x128xbf16> -> tensor<?x?x?x128xbf16>
  return %o : tensor<?x?x?x128xbf16>
}

// -----

// or queries that are joined at another column: both are two tiles then,
func.func @joined_otherwise(%q: tensor<?x?x?x32xbf16>, %k: tensor<?x?x?x64xbf16>, %v: tensor<?x?x?x128xbf16>,
                            %e: tensor<?x?x64xbf16>, %f: tensor<?x?x96xbf16>) -> tensor<?x?x?x128xbf16> {
  // expected-error @below {{schedule: blocks of 64 x 128 need 131072 bytes of shared memory, at most 101376 are available}}
  %o = attn.attend %q, %k, %v
      query (%x: tensor<32xf32>, %b, %h, %i) {
        %row = tensor.extract_slice %f[%b, %i, 0] [1, 1, 96] [1, 1, 1] : tensor<?x?x96xbf16> to tensor<96xbf16>
        %wide = arith.extf %row : tensor<96xbf16> to tensor<96xf32>
        %joined = tensor.concat dim(0) %x, %wide : (tensor<32xf32>, tensor<96xf32>) -> tensor<128xf32>
        attn.yield %joined : tensor<128xf32>
      }
      key (%x: tensor<64xf32>, %b, %h, %j) {
        %row = tensor.extract_slice %e[%b, %j, 0] [1, 1, 64] [1, 1, 1] : tensor<?x?x64xbf16> to tensor<64xbf16>
        %wide = arith.extf %row : tensor<64xbf16> to tensor<64xf32>
        %joined = tensor.concat dim(0) %x, %wide : (tensor<64xf32>, tensor<64xf32>) -> tensor<128xf32>
        attn.yield %joined : tensor<128xf32>
      } : tensor<?x?x?x32xbf16>, tensor<?x?x?x64xbf16>, tensor<?x?x?x128xbf16> -> tensor<?x?x?x128xbf16>
  return %o : tensor<?x?x?x128xbf16>
}

// -----

// or at the same one, which is no multiple of 16.
func.func @odd_parts(%q: tensor<?x?x?x40xbf16>, %k: tensor<?x?x?x40xbf16>, %v: tensor<?x?x?x128xbf16>,
                     %e: tensor<?x?x88xbf16>) -> tensor<?x?x?x128xbf16> {
  // expected-error @below {{schedule: blocks of 64 x 128 need 131072 bytes of shared memory, at most 101376 are available}}
  %o = attn.attend %q, %k, %v
      query (%x: tensor<40xf32>, %b, %h, %i) {
        %row = tensor.extract_slice %e[%b, %i, 0] [1, 1, 88] [1, 1, 1] : tensor<?x?x88xbf16> to tensor<88xbf16>
        %wide = arith.extf %row : tensor<88xbf16> to tensor<88xf32>
        %joined = tensor.concat dim(0) %x, %wide : (tensor<40xf32>, tensor<88xf32>) -> tensor<128xf32>
        attn.yield %joined : tensor<128xf32>
      }
      key (%x: tensor<40xf32>, %b, %h, %j) {
        %row = tensor.extract_slice %e[%b, %j, 0] [1, 1, 88] [1, 1, 1] : tensor<?x?x88xbf16> to tensor<88xbf16>
        %wide = arith.extf %row : tensor<88xbf16> to tensor<88xf32>
        %joined = tensor.concat dim(0) %x, %wide : (tensor<40xf32>, tensor<88xf32>) -> tensor<128xf32>
        attn.yield %joined : tensor<128xf32>
      } : tensor<?x?x?x40xbf16>, tensor<?x?x?x40xbf16>, tensor<?x?x?x128xbf16> -> tensor<?x?x?x128xbf16>
  return %o : tensor<?x?x?x128xbf16>
}
