// RUN: attn-opt %s --attn-infer-sparsity --attn-list-blocks --split-input-file --verify-diagnostics | FileCheck %s
// A second run changes nothing.
// RUN: attn-opt %s --attn-infer-sparsity --attn-list-blocks --split-input-file > %t.once 2> %t.remarks
// RUN: attn-opt %t.once --attn-list-blocks --split-input-file | diff %t.once -

!x = tensor<?x?x?x8xf32>

// A range says it all.
// CHECK-LABEL: func.func @window
// CHECK-NOT: attn.block_list
// CHECK: attn.attend
// CHECK: keys
func.func @window(%q: !x) -> !x {
  %width = arith.constant 100 : index
  %o = attn.attend %q, %q, %q schedule(<block_q = 64, block_k = 32>)
      mask (%b, %h, %i, %j) {
        %d = arith.subi %i, %j : index
        %keep = arith.cmpi ult, %d, %width : index
        attn.yield %keep : i1
      } : !x, !x, !x -> !x
  return %o : !x
}

// -----

!x = tensor<?x?x?x8xf32>

// Bounds for blocks of queries and of keys. The window beside the documents bounds
// the room: 163 keys, so 6 blocks and one more.
// CHECK-LABEL: func.func @document_window
// CHECK-SAME: %[[IDS:[a-z0-9]*]]: tensor<?x?xi32>
// CHECK: %[[Q0:.*]], %[[Q1:.*]] = attn.block_bounds %[[IDS]] along(1) width(64) : tensor<?x?xi32> -> tensor<?x?xi32>
// CHECK: %[[K0:.*]], %[[K1:.*]] = attn.block_bounds %[[IDS]] along(1) width(32) : tensor<?x?xi32> -> tensor<?x?xi32>
// CHECK: %[[SEVEN:.*]] = arith.constant 7
// CHECK: %[[MOST:.*]] = arith.minsi %{{.*}}, %[[SEVEN]]
// CHECK: %[[ROOM:.*]] = arith.muli %{{.*}}, %[[MOST]]
// CHECK: %[[CAPACITY:.*]] = arith.maxsi %[[ROOM]]
// CHECK: %[[OFFSETS:.*]], %[[BLOCKS:.*]] = attn.block_list queries(%{{.*}}) keys(%{{.*}}) capacity(%[[CAPACITY]]) batches(%{{.*}}) block_sizes [64, 32]
// CHECK: classes (%[[B:.*]], %{{.*}}, %[[FIRST:.*]], %[[LAST:.*]], %[[KEY:.*]], %[[LAST_KEY:.*]]) {
// CHECK: tensor.extract %[[Q0]][%[[B]],
// CHECK: tensor.extract %[[K1]][%[[B]],
// CHECK: attn.yield %{{.*}}, %{{.*}} : i1, i1
// CHECK: keys (
// CHECK: attn.attend
// CHECK-SAME: blocks(%[[OFFSETS]], %[[BLOCKS]] : tensor<?x1x?xi32>, tensor<?x1x?xi32>) block_sizes [64, 32]
// CHECK-NOT: keys
func.func @document_window(%q: !x, %ids: tensor<?x?xi32>) -> !x {
  %width = arith.constant 100 : index
  %o = attn.attend %q, %q, %q schedule(<block_q = 64, block_k = 32>)
      mask (%b, %h, %i, %j) {
        %x = tensor.extract %ids[%b, %i] : tensor<?x?xi32>
        %y = tensor.extract %ids[%b, %j] : tensor<?x?xi32>
        %same = arith.cmpi eq, %x, %y : i32
        %d = arith.subi %i, %j : index
        %near = arith.cmpi ult, %d, %width : index
        %keep = arith.andi %same, %near : i1
        attn.yield %keep : i1
      } : !x, !x, !x -> !x
  return %o : !x
}

// -----

!x = tensor<?x?x?x8xf32>

// Two ranges. Positions of queries that end with the keys are shifted; all heads
// have one list.
// CHECK-LABEL: func.func @first_and_window
// CHECK: %[[SHIFT:.*]] = arith.subi
// CHECK: attn.block_list
// CHECK-SAME: shift(%[[SHIFT]])
// CHECK-SAME: block_sizes [64, 32]
// CHECK: : tensor<1x1x?xi32>, tensor<1x1x?xi32>
func.func @first_and_window(%q: !x, %k: !x) -> !x {
  %four = arith.constant 4 : index
  %width = arith.constant 100 : index
  %o = attn.attend %q, %k, %k alignment(end) schedule(<block_q = 64, block_k = 32>)
      mask (%b, %h, %i, %j) {
        %first = arith.cmpi slt, %j, %four : index
        %d = arith.subi %i, %j : index
        %near = arith.cmpi ult, %d, %width : index
        %keep = arith.ori %first, %near : i1
        attn.yield %keep : i1
      } : !x, !x, !x -> !x
  return %o : !x
}

// -----

!x = tensor<?x?x?x8xf32>

// What is read by head is the same for all pairs of a block.
// CHECK-LABEL: func.func @width_by_head
// CHECK-SAME: %[[WIDTHS:[a-z0-9]*]]: tensor<?xi64>
// CHECK-NOT: attn.block_bounds
// CHECK: attn.block_list
// CHECK-SAME: heads(
// CHECK: classes (%{{.*}}, %[[H:.*]], %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}) {
// CHECK: tensor.extract %[[WIDTHS]][%[[H]]]
func.func @width_by_head(%q: !x, %widths: tensor<?xi64>) -> !x {
  %o = attn.attend %q, %q, %q schedule(<block_q = 64, block_k = 32>)
      mask (%b, %h, %i, %j) {
        %w = tensor.extract %widths[%h] : tensor<?xi64>
        %width = arith.index_cast %w : i64 to index
        %d = arith.subi %i, %j : index
        %keep = arith.cmpi ult, %d, %width : index
        attn.yield %keep : i1
      } : !x, !x, !x -> !x
  return %o : !x
}

// -----

!x = tensor<?x?x?x8xf32>

// Nothing is known of any pair of blocks.
// CHECK-LABEL: func.func @unknown
// CHECK-NOT: attn.block
func.func @unknown(%q: !x, %pairs: tensor<?x?xi32>) -> !x {
  // expected-remark@below {{every block of keys is visited}}
  %o = attn.attend %q, %q, %q schedule(<block_q = 64, block_k = 32>)
      mask (%b, %h, %i, %j) {
        // expected-note@below {{'tensor.extract' has no bounds that are known}}
        %x = tensor.extract %pairs[%i, %j] : tensor<?x?xi32>
        %zero = arith.constant 0 : i32
        %keep = arith.cmpi ne, %x, %zero : i32
        attn.yield %keep : i1
      } : !x, !x, !x -> !x
  return %o : !x
}

// -----

!x = tensor<?x?x?x8xf32>

// Few queries share the keys of their one block.
// CHECK-LABEL: func.func @splits
// CHECK-NOT: attn.block
func.func @splits(%q: !x, %k: !x, %ids: tensor<?xi32>) -> !x {
  %o = attn.attend %q, %k, %k alignment(end) max_queries(16) schedule(<block_q = 16, block_k = 64, splits = 4>)
      mask (%b, %h, %i, %j) {
        %x = tensor.extract %ids[%i] : tensor<?xi32>
        %y = tensor.extract %ids[%j] : tensor<?xi32>
        %keep = arith.cmpi eq, %x, %y : i32
        attn.yield %keep : i1
      } : !x, !x, !x -> !x
  return %o : !x
}

// -----

!x = tensor<?x?x?x?x8xf32>

// Boxes. Whatever the columns are, a block of 8 rows meets at most 8 + 2 * 5 rows of
// keys, in 3 boxes and one more; nothing of the kind is known of columns.
// CHECK-LABEL: func.func @disc_of_rows
// CHECK: %[[ROWS:.*]] = arith.ceildivsi
// CHECK: %[[MOST:.*]] = arith.minsi %{{.*}}, %c6
// CHECK: arith.muli %{{.*}}, %[[MOST]]
// CHECK-NOT: arith.minsi
// CHECK: %[[OFFSETS:.*]], %[[BLOCKS:.*]] = attn.block_list queries(%{{.*}}, %{{.*}}) keys(%{{.*}}, %{{.*}}) capacity(%{{.*}}) block_sizes [64, 32] box_q [8, 8] box_k [4, 8]
// CHECK: classes (%{{.*}}, %{{.*}}, %[[IY:.*]], %[[IX:.*]], %[[LY:.*]], %[[LX:.*]], %[[JY:.*]], %[[JX:.*]], %[[MY:.*]], %[[MX:.*]]) {
// CHECK: attn.yield %{{.*}}, %{{.*}} : i1, i1
// CHECK: attn.attend
// CHECK-SAME: blocks(%[[OFFSETS]], %[[BLOCKS]] : tensor<1x1x?xi32>, tensor<1x1x?xi32>) block_sizes [64, 32]
func.func @disc_of_rows(%q: !x) -> !x {
  %five = arith.constant 5 : index
  %reach = arith.constant 40 : index
  %o = attn.attend %q, %q, %q schedule(<block_q = 64, block_k = 32, box_q = [8, 8], box_k = [4, 8]>)
      mask (%b, %h, %iy, %ix, %jy, %jx) {
        %dy = arith.subi %iy, %jy : index
        %dx = arith.subi %ix, %jx : index
        %ay = math.absi %dy : index
        %near = arith.cmpi sle, %ay, %five : index
        %square = arith.muli %dx, %dx : index
        %inside = arith.cmpi slt, %square, %reach : index
        %keep = arith.andi %near, %inside : i1
        attn.yield %keep : i1
      } : !x, !x, !x -> !x
  return %o : !x
}
