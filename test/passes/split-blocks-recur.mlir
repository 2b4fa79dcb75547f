// RUN: attn-opt %s --attn-split-blocks --canonicalize --split-input-file --verify-diagnostics | FileCheck %s

// Independent batches, heads and columns of the state; chunks of tokens, each of
// which inserts its rows and hands on the state.
// CHECK-LABEL: func.func @causal
// CHECK-SAME: %[[Q:.*]]: tensor<?x?x?x8xbf16>, %[[V:.*]]: tensor<?x?x?x12xbf16>, %[[G:.*]]: tensor<?x?x?xf32>, %[[H0:.*]]: tensor<?x?x8x12xf32>
// CHECK: %[[N:.*]] = tensor.dim %[[V]], %c2
// CHECK: scf.forall (%[[B:.*]], %[[H:.*]], %[[BLOCK:.*]]) in (%{{.*}}, %{{.*}}, 3) shared_outs(%[[OUT:.*]] = %{{.*}}, %[[HT:.*]] = %{{.*}})
// CHECK: %[[COL:.*]] = arith.muli %[[BLOCK]], %c4
// CHECK: %[[S0:.*]] = attn.load_state %[[H0]] at(%[[B]], %[[H]], %c0, %[[COL]]) : tensor<?x?x8x12xf32> -> tensor<16x4xf32>
// CHECK: %[[ROWS:.*]] = tensor.extract_slice %[[OUT]][%[[B]], %[[H]], 0, %[[COL]]] [1, 1, %[[N]], 4] [1, 1, 1, 1] : tensor<?x?x?x12xbf16> to tensor<?x4xbf16>
// CHECK: %[[END:.*]]:2 = scf.for %[[T:.*]] = %c0 to %[[N]] step %c32 iter_args(%[[S:.*]] = %[[S0]], %[[INTO:.*]] = %[[ROWS]])
// CHECK:   %[[CHUNK:.*]], %[[NEXT:.*]] = attn.recur_chunk %[[Q]], %[[Q]], %[[V]] gate(%[[G]] : tensor<?x?x?xf32>) at(%[[B]], %[[H]], %[[T]], %[[COL]]) init(%[[S]] : tensor<16x4xf32>) length(32) scale(5.000000e-01)
// CHECK-SAME: -> rows(tensor<32x4xbf16>) state(tensor<16x4xf32>)
// CHECK:   %[[LEFT:.*]] = arith.subi %[[N]], %[[T]]
// CHECK:   %[[COUNT:.*]] = arith.minsi %[[LEFT]], %c32
// CHECK:   %[[EXIST:.*]] = tensor.extract_slice %[[CHUNK]][0, 0] [%[[COUNT]], 4] [1, 1]
// CHECK:   %[[MORE:.*]] = tensor.insert_slice %[[EXIST]] into %[[INTO]][%[[T]], 0] [%[[COUNT]], 4] [1, 1]
// CHECK:   scf.yield %[[NEXT]], %[[MORE]]
// CHECK: %[[LAST:.*]] = tensor.extract_slice %[[END]]#0[0, 0] [8, 4] [1, 1]
// CHECK: tensor.parallel_insert_slice %[[END]]#1 into %[[OUT]][%[[B]], %[[H]], 0, %[[COL]]] [1, 1, %[[N]], 4] [1, 1, 1, 1]
// CHECK: tensor.parallel_insert_slice %[[LAST]] into %[[HT]][%[[B]], %[[H]], 0, %[[COL]]] [1, 1, 8, 4] [1, 1, 1, 1]
func.func @causal(%q: tensor<?x?x?x8xbf16>, %v: tensor<?x?x?x12xbf16>, %g: tensor<?x?x?xf32>, %h0: tensor<?x?x8x12xf32>)
    -> (tensor<?x?x?x12xbf16>, tensor<?x?x8x12xf32>) {
  %o, %s = attn.recur %q, %q, %v gate(%g : tensor<?x?x?xf32>) initial(%h0 : tensor<?x?x8x12xf32>) scale(0.5)
      schedule(<block_q = 32, block_k = 4>) : tensor<?x?x?x8xbf16>, tensor<?x?x?x8xbf16>, tensor<?x?x?x12xbf16>
      -> tensor<?x?x?x12xbf16>, tensor<?x?x8x12xf32>
  return %o, %s : tensor<?x?x?x12xbf16>, tensor<?x?x8x12xf32>
}

// -----

// From the last chunk down to the first.
// CHECK-LABEL: func.func @reversed
// CHECK: scf.for %[[T:.*]] = %c0 to %[[N:.*]] step %c32
// CHECK:   %[[CHUNKS:.*]] = arith.ceildivsi %[[N]], %c32
// CHECK:   %[[END:.*]] = arith.muli %[[CHUNKS]], %c32
// CHECK:   %[[LAST:.*]] = arith.subi %[[END]], %c32
// CHECK:   %[[ROW:.*]] = arith.subi %[[LAST]], %[[T]]
// CHECK:   attn.recur_chunk {{.*}} at(%{{.*}}, %{{.*}}, %[[ROW]], %{{.*}}) {{.*}} order(reversed)
// CHECK:   tensor.insert_slice %{{.*}} into %{{.*}}[%[[ROW]], 0]
func.func @reversed(%q: tensor<?x?x?x8xf32>) -> tensor<?x?x?x8xf32> {
  %o = attn.recur %q, %q, %q order(reversed) schedule(<block_q = 32, block_k = 8>)
      : tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32> -> tensor<?x?x?x8xf32>
  return %o : tensor<?x?x?x8xf32>
}

// -----

// Without decays the state of all tokens comes first; the denominator has a part
// of its own.
// CHECK-LABEL: func.func @both_sides
// CHECK: %[[ALL:.*]]:2 = scf.for
// CHECK:   %[[NEXT:.*]]:2 = attn.recur_chunk {{.*}} init(%{{.*}}, %{{.*}} : tensor<16x8xf32>, tensor<16x1xf32>) length(32)
// CHECK:   -> state(tensor<16x8xf32>, tensor<16x1xf32>)
// CHECK:   scf.yield %[[NEXT]]#0, %[[NEXT]]#1
// CHECK: scf.for {{.*}} iter_args(%[[INTO:.*]] = %{{.*}}) -> (tensor<?x8xf32>)
// CHECK:   attn.recur_chunk {{.*}} init(%[[ALL]]#0, %[[ALL]]#1 : tensor<16x8xf32>, tensor<16x1xf32>) length(32) order(bidirectional)
// CHECK:   -> rows(tensor<32x8xf32>)
func.func @both_sides(%q: tensor<?x?x?x8xf32>) -> tensor<?x?x?x8xf32> {
  %o = attn.recur %q, %q, %q order(bidirectional) schedule(<block_q = 32, block_k = 8>)
      norm (%num: tensor<8xf32>, %den: f32, %b, %h, %i) {
        %row = tensor.splat %den : tensor<8xf32>
        %y = arith.divf %num, %row : tensor<8xf32>
        attn.yield %y : tensor<8xf32>
      } : tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32> -> tensor<?x?x?x8xf32>
  return %o : tensor<?x?x?x8xf32>
}

// -----

// With decays, a causal sweep keeps its sums, which a reversed one adds.
// CHECK-LABEL: func.func @both_sides_decay
// CHECK: %[[SUMS:.*]] = tensor.empty({{.*}}) : tensor<?x?x?x8xf32>
// CHECK: scf.forall
// CHECK: %[[MINE:.*]] = tensor.extract_slice %[[SUMS]]
// CHECK: %[[FIRST:.*]]:2 = scf.for {{.*}} iter_args(%{{.*}} = %{{.*}}, %{{.*}} = %[[MINE]])
// CHECK:   attn.recur_chunk {{.*}} length(32) unscaled {{.*}} -> rows(tensor<32x8xf32>) state(tensor<16x8xf32>)
// CHECK: scf.for
// CHECK:   attn.recur_chunk {{.*}} past(%[[FIRST]]#1 : tensor<?x8xf32>) length(32) order(reversed) {{.*}} -> rows(tensor<32x8xf16>) state(tensor<16x8xf32>)
func.func @both_sides_decay(%q: tensor<?x?x?x8xf16>, %g: tensor<?xf32>) -> tensor<?x?x?x8xf16> {
  %o = attn.recur %q, %q, %q gate(%g : tensor<?xf32>) order(bidirectional) schedule(<block_q = 32, block_k = 8>)
      : tensor<?x?x?x8xf16>, tensor<?x?x?x8xf16>, tensor<?x?x?x8xf16> -> tensor<?x?x?x8xf16>
  return %o : tensor<?x?x?x8xf16>
}

// -----

func.func @negative_no_schedule(%q: tensor<?x?x?x8xf32>) -> tensor<?x?x?x8xf32> {
  // expected-error@below {{has no schedule; run attn-select-schedule first}}
  %o = attn.recur %q, %q, %q : tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32> -> tensor<?x?x?x8xf32>
  return %o : tensor<?x?x?x8xf32>
}

// -----

func.func @negative_columns(%q: tensor<?x?x?x8xf32>) -> tensor<?x?x?x8xf32> {
  // expected-error@below {{schedule: 'block_k' must divide the 8 columns of the state, got 3}}
  %o = attn.recur %q, %q, %q schedule(<block_q = 32, block_k = 3>) : tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32> -> tensor<?x?x?x8xf32>
  return %o : tensor<?x?x?x8xf32>
}

// -----

func.func @negative_part_of_rows(%q: tensor<?x?x?x8xf32>) -> tensor<?x?x?x8xf32> {
  // expected-error@below {{schedule: 'block_k' must be at least the 8 columns of the state, which its regions or order need at once, got 4}}
  %o = attn.recur %q, %q, %q schedule(<block_q = 32, block_k = 4>)
      norm (%num: tensor<8xf32>, %den: f32, %b, %h, %i) { attn.yield %num : tensor<8xf32> }
      : tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32> -> tensor<?x?x?x8xf32>
  return %o : tensor<?x?x?x8xf32>
}

// -----

// Parts of the sequence: what each makes of no state and leaves of one, the states
// in front of them, then their rows.
// CHECK-LABEL: func.func @parts
// CHECK: %[[PARTS:.*]] = scf.forall (%[[P:.*]], %[[B:.*]], %[[H:.*]]) in (4, {{.*}}) shared_outs(%[[INTO:.*]] = %{{.*}}) -> (tensor<?x?x64x8xf32>)
// CHECK:   %[[SHARE:.*]] = arith.muli %{{.*}}, %c32
// CHECK:   %[[FIRST:.*]] = arith.minsi %{{.*}}, %[[N:.*]]
// CHECK:   %[[END:.*]]:2 = scf.for %[[T:.*]] = %c0 to %{{.*}} step %c32
// CHECK:     %[[TOKEN:.*]] = arith.addi %[[FIRST]], %[[T]]
// CHECK:     attn.recur_chunk {{.*}} at(%[[B]], %[[H]], %[[TOKEN]], %c0) {{.*}} -> state(tensor<16x6xf32>)
// CHECK:     attn.recur_chunk {{.*}} at(%[[B]], %[[H]], %[[TOKEN]], %c6) {{.*}} -> state(tensor<16x1xf32>)
// CHECK:   %[[ROW:.*]] = arith.muli %[[P]], %c16
// CHECK:   tensor.parallel_insert_slice %[[END]]#0 into %[[INTO]][%[[B]], %[[H]], %[[ROW]], 0] [1, 1, 16, 6]
// CHECK:   tensor.parallel_insert_slice %[[END]]#1 into %[[INTO]][%[[B]], %[[H]], %[[ROW]], 6] [1, 1, 16, 1]
// CHECK: %[[BEGINS:.*]]:2 = scf.forall (%[[B:.*]], %[[H:.*]]) in
// CHECK:   scf.for %[[P:.*]] = %c0 to %c4 step %c1
// CHECK:     %[[ROW:.*]] = arith.muli %[[P]], %c16
// CHECK:     tensor.insert_slice %[[S:.*]] into %{{.*}}[%[[ROW]], 0] [16, 6] [1, 1]
// CHECK:     attn.merge_state %[[PARTS]] at(%[[B]], %[[H]], %[[ROW]], %c0) decay(%c6) init(%[[S]])
// CHECK: scf.forall (%[[P:.*]], %[[B:.*]], %[[H:.*]]) in (4, {{.*}}) shared_outs(%[[OUT:.*]] = %{{.*}}) -> (tensor<?x?x?x6xf32>)
// CHECK:   %[[S0:.*]] = attn.load_state %[[BEGINS]]#0 at(%[[B]], %[[H]], %{{.*}}, %c0)
// CHECK:   tensor.extract_slice %[[OUT]][%[[B]], %[[H]], %[[FIRST:.*]], 0] [1, 1, %[[TOKENS:.*]], 6]
// CHECK:   scf.for {{.*}} to %[[TOKENS]] step %c32
// CHECK:   tensor.parallel_insert_slice %{{.*}} into %[[OUT]][%[[B]], %[[H]], %[[FIRST]], 0] [1, 1, %[[TOKENS]], 6]
func.func @parts(%q: tensor<?x?x?x8xf32>, %v: tensor<?x?x?x6xf32>, %g: tensor<?x?x?xf32>) -> (tensor<?x?x?x6xf32>, tensor<?x?x8x6xf32>) {
  %o, %s = attn.recur %q, %q, %v gate(%g : tensor<?x?x?xf32>) schedule(<block_q = 32, block_k = 6, splits = 4>)
      : tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>, tensor<?x?x?x6xf32> -> tensor<?x?x?x6xf32>, tensor<?x?x8x6xf32>
  return %o, %s : tensor<?x?x?x6xf32>, tensor<?x?x8x6xf32>
}

// -----

// Parts of the columns, too: each block has a column for its decays.
// CHECK-LABEL: func.func @parts_of_columns
// CHECK: scf.forall (%[[P:.*]], %[[B:.*]], %[[H:.*]], %[[C:.*]]) in (4, %{{.*}}, %{{.*}}, 2) shared_outs(%[[INTO:.*]] = %{{.*}}) -> (tensor<?x?x64x40xf32>)
// CHECK:   %[[COL:.*]] = arith.muli %[[C]], %c16
// CHECK:   attn.recur_chunk {{.*}} at(%[[B]], %[[H]], %{{.*}}, %[[COL]]) {{.*}} -> state(tensor<16x16xf32>)
// CHECK:   %[[DECAY:.*]] = arith.addi %[[C]], %c32
// CHECK:   tensor.parallel_insert_slice %{{.*}} into %[[INTO]][%[[B]], %[[H]], %{{.*}}, %[[COL]]] [1, 1, 16, 16]
// CHECK:   tensor.parallel_insert_slice %{{.*}} into %[[INTO]][%[[B]], %[[H]], %{{.*}}, %[[DECAY]]] [1, 1, 16, 1]
// CHECK: scf.forall (%[[B:.*]], %[[H:.*]], %[[C:.*]]) in (%{{.*}}, %{{.*}}, 2)
// CHECK:   %[[COL:.*]] = arith.muli %[[C]], %c16
// CHECK:   %[[DECAY:.*]] = arith.addi %[[C]], %c32
// CHECK:   attn.merge_state %{{.*}} at(%[[B]], %[[H]], %{{.*}}, %[[COL]]) decay(%[[DECAY]])
// CHECK: scf.forall (%{{.*}}, %[[B:.*]], %[[H:.*]], %[[C:.*]]) in (4, %{{.*}}, %{{.*}}, 2)
// CHECK:   %[[COL:.*]] = arith.muli %[[C]], %c16
// CHECK:   attn.load_state %{{.*}} at(%[[B]], %[[H]], %{{.*}}, %[[COL]])
func.func @parts_of_columns(%q: tensor<?x?x?x8xf32>, %v: tensor<?x?x?x32xf32>, %g: tensor<?x?x?xf32>) -> tensor<?x?x?x32xf32> {
  %o = attn.recur %q, %q, %v gate(%g : tensor<?x?x?xf32>) schedule(<block_q = 32, block_k = 16, splits = 4>)
      : tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>, tensor<?x?x?x32xf32> -> tensor<?x?x?x32xf32>
  return %o : tensor<?x?x?x32xf32>
}

// -----

func.func @negative_parts_of_both_sides(%q: tensor<?x?x?x8xf32>) -> tensor<?x?x?x8xf32> {
  // expected-error@below {{schedule: 'splits' needs 'order(causal)' or 'order(reversed)' and no region 'value', got 2}}
  %o = attn.recur %q, %q, %q order(bidirectional) schedule(<block_q = 32, block_k = 8, splits = 2>)
      : tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32>, tensor<?x?x?x8xf32> -> tensor<?x?x?x8xf32>
  return %o : tensor<?x?x?x8xf32>
}

// -----

// A block per segment, to which operands and output end with it. The block of the
// last one stores rows of 0 behind it.
// CHECK-LABEL: func.func @segments
// CHECK-SAME: %[[Q:.*]]: tensor<1x2x?x8xf32>, %[[V:.*]]: tensor<1x2x?x6xf32>, %[[G:.*]]: tensor<1x2x?xf32>, %[[C:.*]]: tensor<?xi32>
// CHECK: %[[N:.*]] = tensor.dim %[[V]], %c2
// CHECK: %[[COUNT:.*]] = arith.maxsi %{{.*}}, %c0
// CHECK: %[[BLOCKS:.*]] = arith.maxsi %[[COUNT]], %c1
// CHECK: scf.forall (%[[S:.*]], %[[H:.*]]) in (%[[BLOCKS]], 2) shared_outs(%[[OUT:.*]] = %{{.*}}, %[[LAST:.*]] = %{{.*}}) ->
// CHECK:   tensor.extract %[[C]]
// CHECK:   %[[FIRST:.*]] = arith.minsi %{{.*}}, %[[N]]
// CHECK:   tensor.extract %[[C]]
// CHECK:   arith.maxsi %{{.*}}, %[[FIRST]]
// CHECK:   %[[END:.*]] = arith.minsi %{{.*}}, %[[N]]
// CHECK:   %[[TOKENS:.*]] = arith.subi %[[END]], %[[FIRST]]
// CHECK:   %[[ROWS:.*]] = tensor.extract_slice %[[Q]][0, 0, 0, 0]
// CHECK:   %[[VALUES:.*]] = tensor.extract_slice %[[V]][0, 0, 0, 0]
// CHECK:   %[[GATES:.*]] = tensor.extract_slice %[[G]][0, 0, 0]
// CHECK:   attn.load_state %{{.*}} at(%[[S]], %[[H]],
// CHECK:   %[[UNTIL:.*]] = tensor.extract_slice %[[OUT]][0, 0, 0, 0]
// CHECK:   tensor.extract_slice %[[UNTIL]][0, %[[H]], %[[FIRST]], 0] [1, 1, %[[TOKENS]], 6]
// CHECK:   scf.for %[[T:.*]] = %c0{{.*}} to %[[TOKENS]] step
// CHECK:     %[[TOKEN:.*]] = arith.addi %[[FIRST]], %[[T]]
// CHECK:     attn.recur_chunk %[[ROWS]], %[[ROWS]], %[[VALUES]] gate(%[[GATES]] : tensor<1x2x?xf32>) at(%c0, %[[H]], %[[TOKEN]], %c0)
// CHECK:   arith.select {{.*}}, %c8, %c0
// CHECK:   %[[BEHIND:.*]] = arith.select
// CHECK:   tensor.extract_slice %[[OUT]][0, %[[H]], %[[END]], 0] [1, 1, %[[BEHIND]], 6]
// CHECK:   scf.for {{.*}} to %[[BEHIND]] step
// CHECK:   tensor.parallel_insert_slice %{{.*}} into %[[LAST]][%[[S]], %[[H]], {{.*}}]
func.func @segments(%q: tensor<1x2x?x8xf32>, %v: tensor<1x2x?x6xf32>, %g: tensor<1x2x?xf32>, %c: tensor<?xi32>, %h0: tensor<?x2x8x6xf32>)
    -> (tensor<1x2x?x6xf32>, tensor<?x2x8x6xf32>) {
  %o, %s = attn.recur %q, %q, %v gate(%g : tensor<1x2x?xf32>) initial(%h0 : tensor<?x2x8x6xf32>) segments(%c : tensor<?xi32>)
      schedule(<block_q = 32, block_k = 6>)
      : tensor<1x2x?x8xf32>, tensor<1x2x?x8xf32>, tensor<1x2x?x6xf32> -> tensor<1x2x?x6xf32>, tensor<?x2x8x6xf32>
  return %o, %s : tensor<1x2x?x6xf32>, tensor<?x2x8x6xf32>
}

// -----

func.func @negative_parts_of_segments(%q: tensor<1x2x?x8xf32>, %c: tensor<?xi32>) -> tensor<1x2x?x8xf32> {
  // expected-error@below {{schedule: with 'segments' must have no 'splits', as segments are visited in parallel, got 2}}
  %o = attn.recur %q, %q, %q segments(%c : tensor<?xi32>) schedule(<block_q = 32, block_k = 8, splits = 2>)
      : tensor<1x2x?x8xf32>, tensor<1x2x?x8xf32>, tensor<1x2x?x8xf32> -> tensor<1x2x?x8xf32>
  return %o : tensor<1x2x?x8xf32>
}
