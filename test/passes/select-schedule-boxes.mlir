// RUN: attn-opt %s --attn-select-schedule=schedule=box_q=4x8,step=2x1 | FileCheck %s
// RUN: attn-opt %s --attn-select-schedule=schedule=block_q=64,block_k=32 | FileCheck %s --check-prefix=BLOCKS

// A box of queries that is asked for says how many there are, and keeps the step;
// boxes that are not asked for are chosen. Row maps have none.

// CHECK-LABEL: func @plane
// CHECK: attn.map_rows %{{.*}} schedule(<block_q = 32, block_k = {{[0-9]+}}>)
// CHECK: attn.attend {{.*}} schedule(<block_q = 32, block_k = 64, box_q = [4, 8], box_k = [8, 8], step = [2, 1]>)
// BLOCKS-LABEL: func @plane
// BLOCKS: attn.attend {{.*}} schedule(<block_q = 64, block_k = 32, box_q = [8, 8], box_k = [4, 8]>)
func.func @plane(%q: tensor<?x?x?x?x64xf32>) -> tensor<?x?x?x?x64xf32> {
  %m = attn.map_rows %q rows (%r: tensor<64xf32>, %b, %h, %y, %x) {
    %s = arith.addf %r, %r : tensor<64xf32>
    attn.yield %s : tensor<64xf32>
  } : tensor<?x?x?x?x64xf32> -> tensor<?x?x?x?x64xf32>
  %o = attn.attend %m, %q, %q : tensor<?x?x?x?x64xf32>, tensor<?x?x?x?x64xf32>, tensor<?x?x?x?x64xf32> -> tensor<?x?x?x?x64xf32>
  return %o : tensor<?x?x?x?x64xf32>
}

// A schedule of the spec is kept; what is asked for replaces a box of another
// number of tokens.
// CHECK-LABEL: func @given
// CHECK: attn.attend {{.*}} schedule(<block_q = 32, block_k = 16, box_q = [4, 8], box_k = [2, 8], step = [2, 1]>)
// BLOCKS-LABEL: func @given
// BLOCKS: attn.attend {{.*}} schedule(<block_q = 64, block_k = 32, box_q = [2, 32], box_k = [4, 8], step = [3, 1]>)
func.func @given(%q: tensor<?x?x?x?x64xf32>) -> tensor<?x?x?x?x64xf32> {
  %o = attn.attend %q, %q, %q schedule(<block_q = 64, block_k = 16, box_q = [2, 32], box_k = [2, 8], step = [3, 1]>)
     : tensor<?x?x?x?x64xf32>, tensor<?x?x?x?x64xf32>, tensor<?x?x?x?x64xf32> -> tensor<?x?x?x?x64xf32>
  return %o : tensor<?x?x?x?x64xf32>
}

// Short axes that are known.
// CHECK-LABEL: func @row
// CHECK: box_q = [4, 8], box_k = [1, 64], step = [2, 1]
// BLOCKS-LABEL: func @row
// BLOCKS: box_q = [1, 64], box_k = [1, 32]
func.func @row(%q: tensor<?x?x1x?x64xf32>) -> tensor<?x?x1x?x64xf32> {
  %o = attn.attend %q, %q, %q : tensor<?x?x1x?x64xf32>, tensor<?x?x1x?x64xf32>, tensor<?x?x1x?x64xf32> -> tensor<?x?x1x?x64xf32>
  return %o : tensor<?x?x1x?x64xf32>
}
