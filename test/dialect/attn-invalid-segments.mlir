// RUN: attn-opt %s --split-input-file --verify-diagnostics

// Every rule of packed sequences, broken once; the label before a function is that of
// the rule in docs/spec.md.

// attend_c27
func.func @negative_segments_of_i16(%q: tensor<1x2x4x8xf32>, %k: tensor<1x2x4x8xf32>, %v: tensor<1x2x4x8xf32>, %c: tensor<?xi16>) {
  // expected-error@below {{'segments' must be a tensor of i32 or i64 with one offset more than there are segments ([G + 1]), got 'tensor<?xi16>'}}
  %o = attn.attend %q, %k, %v segments(%c : tensor<?xi16>) : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// attend_c27
func.func @negative_segments_of_keys_empty(%q: tensor<1x2x4x8xf32>, %k: tensor<1x2x4x8xf32>, %v: tensor<1x2x4x8xf32>, %c: tensor<?xi32>, %d: tensor<0xi32>) {
  // expected-error@below {{'segments' must be a tensor of i32 or i64 with one offset more than there are segments ([G + 1]), got 'tensor<0xi32>'}}
  %o = attn.attend %q, %k, %v segments(%c, %d : tensor<?xi32>, tensor<0xi32>) : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// attend_c27
func.func @negative_segments_contradict(%q: tensor<1x2x4x8xf32>, %k: tensor<1x2x4x8xf32>, %v: tensor<1x2x4x8xf32>, %c: tensor<4xi32>, %d: tensor<6xi64>) {
  // expected-error@below {{offsets must be those of the same segments, got 3 segments and 5}}
  %o = attn.attend %q, %k, %v segments(%c, %d : tensor<4xi32>, tensor<6xi64>) : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// attend_c28
func.func @negative_segments_of_two_batches(%q: tensor<1x2x4x8xf32>, %k: tensor<2x2x4x8xf32>, %v: tensor<2x2x4x8xf32>, %c: tensor<?xi32>) {
  // expected-error@below {{with 'segments' the sequences lie in one batch: 'key' must have the static batch size (dimension 0) 1, got 2}}
  %o = attn.attend %q, %k, %v segments(%c : tensor<?xi32>) : tensor<1x2x4x8xf32>, tensor<2x2x4x8xf32>, tensor<2x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// attend_c29
func.func @negative_segments_and_blocks(%q: tensor<1x2x4x8xf32>, %k: tensor<1x2x4x8xf32>, %v: tensor<1x2x4x8xf32>, %c: tensor<?xi32>, %l: tensor<1x1x?xi32>) {
  // expected-error@below {{cannot have 'segments' and 'blocks': positions are those in a segment}}
  %o = attn.attend %q, %k, %v blocks(%l, %l : tensor<1x1x?xi32>, tensor<1x1x?xi32>) block_sizes [4, 4] segments(%c : tensor<?xi32>) : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// attend_c29
func.func @negative_segments_and_keys(%q: tensor<1x2x4x8xf32>, %k: tensor<1x2x4x8xf32>, %v: tensor<1x2x4x8xf32>, %c: tensor<?xi32>) {
  // expected-error@below {{cannot have 'segments' and a region 'keys': positions are those in a segment}}
  %o = attn.attend %q, %k, %v segments(%c : tensor<?xi32>) keys (%b, %h, %first, %last) {
        attn.yield %first, %last, %first, %last : index, index, index, index
      } : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// attend_c29
func.func @negative_segments_on_a_grid(%q: tensor<1x2x4x3x8xf32>, %k: tensor<1x2x4x3x8xf32>, %v: tensor<1x2x4x3x8xf32>, %c: tensor<?xi32>) {
  // expected-error@below {{cannot have 'segments' and more than one axis of tokens: positions are those in a segment}}
  %o = attn.attend %q, %k, %v segments(%c : tensor<?xi32>) : tensor<1x2x4x3x8xf32>, tensor<1x2x4x3x8xf32>, tensor<1x2x4x3x8xf32> -> tensor<1x2x4x3x8xf32>
  return
}

// -----

// attend_c30
func.func @negative_segments_of_other_keys(%q: tensor<1x2x4x8xf32>, %k: tensor<1x2x5x8xf32>, %v: tensor<1x2x5x8xf32>, %c: tensor<?xi32>) {
  // expected-error@below {{'query' and 'key' need offsets of their own in 'segments' where they have different numbers of rows, got 4 and 5}}
  %o = attn.attend %q, %k, %v segments(%c : tensor<?xi32>) : tensor<1x2x4x8xf32>, tensor<1x2x5x8xf32>, tensor<1x2x5x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// attend_c31
func.func @negative_segments_without_alignment(%q: tensor<1x2x4x8xf32>, %k: tensor<1x2x4x8xf32>, %v: tensor<1x2x4x8xf32>, %c: tensor<?xi32>, %d: tensor<?xi32>) {
  // expected-error@below {{needs 'alignment(start)' or 'alignment(end)': its regions use %i and %j, and 'segments' have offsets of their own for keys}}
  %o = attn.attend %q, %k, %v segments(%c, %d : tensor<?xi32>, tensor<?xi32>) mask (%b, %h, %i, %j) {
        %keep = arith.cmpi sge, %i, %j : index
        attn.yield %keep : i1
      } : tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32> -> tensor<1x2x4x8xf32>
  return
}

// -----

// segment_bounds_c1
func.func @negative_bounds_of_f32(%c: tensor<?xi32>, %d: tensor<?xf32>, %n: index) {
  // expected-error@below {{'segments' must be a tensor of i32 or i64 with one offset more than there are segments ([G + 1]), got 'tensor<?xf32>'}}
  %x:3 = attn.segment_bounds %c, %d tokens(%n) limit(%n) : tensor<?xi32>, tensor<?xf32> -> tensor<?xi32>
  return
}

// -----

// segment_bounds_c2
func.func @negative_bounds_contradict(%c: tensor<3xi32>, %d: tensor<4xi32>, %n: index) {
  // expected-error@below {{offsets must be those of the same segments, got 2 segments and 3}}
  %x:3 = attn.segment_bounds %c, %d tokens(%n) limit(%n) : tensor<3xi32>, tensor<4xi32> -> tensor<?xi32>
  return
}

// -----

// segment_bounds_c3
func.func @negative_bounds_as_i64(%c: tensor<?xi32>, %n: index) {
  // expected-error@below {{results must be tensors of i32 of rank 1 ([tokens]), got 'tensor<?xi64>'}}
  %x:3 = attn.segment_bounds %c, %c tokens(%n) limit(%n) : tensor<?xi32>, tensor<?xi32> -> tensor<?xi64>
  return
}
