// RUN: attn-opt %s --attn-select-schedule --split-input-file | FileCheck %s
// RUN: attn-opt %s --attn-gpu-select-schedule --split-input-file | FileCheck %s --check-prefix=GPU

// Boxes near to squares and cubes; small ones, unless sizes are known to be large.
// CHECK-LABEL: func @plane
// CHECK: schedule(<block_q = 64, block_k = 64, box_q = [8, 8], box_k = [8, 8]>)
// GPU-LABEL: func @plane
// GPU: schedule(<block_q = 64, block_k = 64, box_q = [8, 8], box_k = [8, 8]>)
func.func @plane(%q: tensor<?x?x?x?x64xf32>) -> tensor<?x?x?x?x64xf32> {
  %o = attn.attend %q, %q, %q : tensor<?x?x?x?x64xf32>, tensor<?x?x?x?x64xf32>, tensor<?x?x?x?x64xf32> -> tensor<?x?x?x?x64xf32>
  return %o : tensor<?x?x?x?x64xf32>
}

// -----

// CHECK-LABEL: func @known_plane
// CHECK: schedule(<block_q = 256, block_k = 128, box_q = [16, 16], box_k = [8, 16]>)
// GPU-LABEL: func @known_plane
func.func @known_plane(%q: tensor<?x?x64x64x64xf32>) -> tensor<?x?x64x64x64xf32> {
  %o = attn.attend %q, %q, %q : tensor<?x?x64x64x64xf32>, tensor<?x?x64x64x64xf32>, tensor<?x?x64x64x64xf32> -> tensor<?x?x64x64x64xf32>
  return %o : tensor<?x?x64x64x64xf32>
}

// -----

// Masked boxes are smaller on CPUs: a box of keys is half of one of queries.
// Tokens that see every third of a row, and all of a column, have boxes of every
// third, along that axis; the remainder by 5 is of something else.
// CHECK-LABEL: func @dilated_rows
// CHECK: block_q = 32, block_k = 16, box_q = [4, 8], box_k = [2, 8], step = [1, 3]>)
// GPU-LABEL: func @dilated_rows
// GPU: box_q = [8, 8], box_k = [8, 8], step = [1, 3]>)
func.func @dilated_rows(%q: tensor<?x?x?x?x64xf32>) -> tensor<?x?x?x?x64xf32> {
  %zero = arith.constant 0 : index
  %three = arith.constant 3 : index
  %five = arith.constant 5 : index
  %o = attn.attend %q, %q, %q
      mask (%b, %h, %iy, %ix, %jy, %jx) {
        %r = arith.remui %ix, %three : index
        %s = arith.remui %jx, %three : index
        %same = arith.cmpi eq, %r, %s : index
        %t = arith.remui %iy, %five : index
        %some = arith.cmpi ne, %t, %zero : index
        %keep = arith.andi %same, %some : i1
        attn.yield %keep : i1
      } : tensor<?x?x?x?x64xf32>, tensor<?x?x?x?x64xf32>, tensor<?x?x?x?x64xf32> -> tensor<?x?x?x?x64xf32>
  return %o : tensor<?x?x?x?x64xf32>
}

// -----

// A token sees every third, and its neighbours, too: no step.
// CHECK-LABEL: func @also_near
// CHECK-NOT: step
// GPU-LABEL: func @also_near
// GPU-NOT: step
func.func @also_near(%q: tensor<?x?x?x64xf32>) -> tensor<?x?x?x64xf32> {
  %three = arith.constant 3 : index
  %one = arith.constant 1 : index
  %o = attn.attend %q, %q, %q
      mask (%b, %h, %i, %j) {
        %r = arith.remui %i, %three : index
        %s = arith.remui %j, %three : index
        %same = arith.cmpi eq, %r, %s : index
        %d = arith.subi %i, %j : index
        %near = arith.cmpi eq, %d, %one : index
        %keep = arith.ori %same, %near : i1
        attn.yield %keep : i1
      } : tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32> -> tensor<?x?x?x64xf32>
  return %o : tensor<?x?x?x64xf32>
}

// -----

// The same without them, on one axis.
// CHECK-LABEL: func @dilated_line
// CHECK: schedule(<block_q = 32, block_k = 128, box_q = [32], box_k = [128], step = [4]>)
// GPU-LABEL: func @dilated_line
// GPU: step = [4]
func.func @dilated_line(%q: tensor<?x?x?x64xf32>) -> tensor<?x?x?x64xf32> {
  %three = arith.constant 3 : index
  %zero = arith.constant 0 : index
  %o = attn.attend %q, %q, %q
      mask (%b, %h, %i, %j) {
        %d = arith.subi %i, %j : index
        %r = arith.andi %d, %three : index
        %keep = arith.cmpi eq, %r, %zero : index
        attn.yield %keep : i1
      } : tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32> -> tensor<?x?x?x64xf32>
  return %o : tensor<?x?x?x64xf32>
}

// -----

// CHECK-LABEL: func @masked_space
// CHECK: schedule(<block_q = 32, block_k = 16, box_q = [2, 4, 4], box_k = [1, 4, 4]>)
// GPU-LABEL: func @masked_space
// GPU: schedule(<block_q = 64, block_k = 64, box_q = [4, 4, 4], box_k = [4, 4, 4]>)
func.func @masked_space(%q: tensor<?x?x?x?x?x64xf32>) -> tensor<?x?x?x?x?x64xf32> {
  %o = attn.attend %q, %q, %q
      mask (%b, %h, %iz, %iy, %ix, %jz, %jy, %jx) {
        %keep = arith.cmpi eq, %iz, %jz : index
        attn.yield %keep : i1
      } : tensor<?x?x?x?x?x64xf32>, tensor<?x?x?x?x?x64xf32>, tensor<?x?x?x?x?x64xf32> -> tensor<?x?x?x?x?x64xf32>
  return %o : tensor<?x?x?x?x?x64xf32>
}

// -----

// Short axes that are known.
// CHECK-LABEL: func @row
// CHECK: box_q = [1, {{[0-9]+}}], box_k = [1, {{[0-9]+}}]
// GPU-LABEL: func @row
// GPU: schedule(<block_q = 64, block_k = 64, box_q = [1, 64], box_k = [1, 64]>)
func.func @row(%q: tensor<?x?x1x?x64xf32>) -> tensor<?x?x1x?x64xf32> {
  %o = attn.attend %q, %q, %q : tensor<?x?x1x?x64xf32>, tensor<?x?x1x?x64xf32>, tensor<?x?x1x?x64xf32> -> tensor<?x?x1x?x64xf32>
  return %o : tensor<?x?x1x?x64xf32>
}

// -----

// One axis has no boxes unless they are asked for.
// CHECK-LABEL: func @line
// CHECK-NOT: box
func.func @line(%q: tensor<?x?x?x64xf32>) -> tensor<?x?x?x64xf32> {
  %o = attn.attend %q, %q, %q : tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32> -> tensor<?x?x?x64xf32>
  return %o : tensor<?x?x?x64xf32>
}
