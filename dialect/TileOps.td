//===- TileOps.td - The tile dialect: how a variant is blocked -*- tablegen -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_DIALECT_TILEOPS_TD
#define ATTN_DIALECT_TILEOPS_TD

include "dialect/TileLayouts.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpBase.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class Tile_Op<string mnemonic, list<Trait> traits = []>
    : Op<Tile_Dialect, mnemonic, traits>;

defvar Tile_Tile = AnyStaticShapeTensor;
defvar Tile_View = AnyStridedMemRef;

def Tile_LoadOp : Tile_Op<"load", [AttrSizedOperandSegments]> {
  let summary = "Read a tile from a view";
  let description = [{
    The trailing dimensions of the view, as many as the tile has, are read from
    the given offsets on; leading dimensions are fixed by their offset. Elements
    outside of the view read as zero.

    With `rows(y, x)`, index vectors of one element per row, the rows of the tile
    need not follow each other: that many dimensions in front of the last one
    (all of them for a tile of rank 1) are indexed by the vectors, each added to
    the offset of its dimension: `result[i, d] = view[..., o_y + y[i], o_x + x[i],
    o + d]`.

    With `async` the result must not be read but through `tile.await`: until then it is on
    its way to shared memory. With `stage` the result is a ring that has it in this
    place, and else what the ring `into` has; what `into` had in this place must have
    been read. With `when`, which is the same for all threads of a block, nothing is
    copied where it does not hold, and then the result must not be read.

    Example: rows `%i .. %i + 3` of head `%h` of batch `%b`.

    ```mlir
    func.func @rows(%q: memref<?x?x?x8xf32, strided<[?, ?, ?, 1], offset: ?>>,
                    %b: index, %h: index, %i: index) -> tensor<4x8xf32> {
      %c0 = arith.constant 0 : index
      %t = tile.load %q[%b, %h, %i, %c0]
         : memref<?x?x?x8xf32, strided<[?, ?, ?, 1], offset: ?>> -> tensor<4x8xf32>
      return %t : tensor<4x8xf32>
    }
    ```

    A box of 2 x 2 tokens of a grid:

    ```mlir
    func.func @box(%q: memref<?x?x8xf32, strided<[?, ?, 1], offset: ?>>,
                   %y: index, %x: index) -> tensor<4x8xf32> {
      %c0 = arith.constant 0 : index
      %two = arith.constant dense<2> : tensor<4xindex>
      %row = tile.iota %c0 along 0 : tensor<4xindex>
      %ys = arith.divui %row, %two : tensor<4xindex>
      %xs = arith.remui %row, %two : tensor<4xindex>
      %t = tile.load %q[%y, %x, %c0] rows(%ys, %xs : tensor<4xindex>, tensor<4xindex>)
         : memref<?x?x8xf32, strided<[?, ?, 1], offset: ?>> -> tensor<4x8xf32>
      return %t : tensor<4x8xf32>
    }
    ```
  }];
  let arguments = (ins Arg<Tile_View, "", [MemRead]>:$view, Variadic<Index>:$offsets,
                   Variadic<Tile_Tile>:$rows, Optional<Index>:$stage, Optional<Tile_Tile>:$into,
                   Optional<I1>:$when, UnitAttr:$async);
  let results = (outs Tile_Tile:$result);
  let builders = [
    OpBuilder<(ins "::mlir::Type":$result, "::mlir::Value":$view,
                   "::mlir::ValueRange":$offsets,
                   CArg<"::mlir::ValueRange", "{}">:$rows), [{
      build($_builder, $_state, result, view, offsets, rows, ::mlir::Value(),
            ::mlir::Value(), ::mlir::Value(), ::mlir::UnitAttr());
    }]>
  ];
  let assemblyFormat = [{
    $view `[` $offsets `]` (`rows` `(` $rows^ `:` type($rows) `)`)?
    (`stage` `(` $stage^ `)`)? (`into` `(` $into^ `:` type($into) `)`)?
    (`when` `(` $when^ `)`)? (`async` $async^)? attr-dict `:` type($view) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Tile_StoreOp : Tile_Op<"store", [AttrSizedOperandSegments]> {
  let summary = "Write a tile to a view";
  let description = [{
    The converse of `tile.load`: elements that fall outside of the view are
    dropped. Rows that `rows` sends to the same place must not both be inside.

    Example:

    ```mlir
    func.func @rows(%t: tensor<4x8xf32>, %o: memref<?x8xf32, strided<[?, 1], offset: ?>>,
                    %i: index) {
      %c0 = arith.constant 0 : index
      tile.store %t, %o[%i, %c0]
         : tensor<4x8xf32>, memref<?x8xf32, strided<[?, 1], offset: ?>>
      return
    }
    ```
  }];
  let arguments = (ins Tile_Tile:$value, Arg<Tile_View, "", [MemWrite]>:$view,
                   Variadic<Index>:$offsets, Variadic<Tile_Tile>:$rows);
  let builders = [
    OpBuilder<(ins "::mlir::Value":$value, "::mlir::Value":$view,
                   "::mlir::ValueRange":$offsets), [{
      build($_builder, $_state, value, view, offsets, ::mlir::ValueRange());
    }]>
  ];
  let assemblyFormat = [{
    $value `,` $view `[` $offsets `]` (`rows` `(` $rows^ `:` type($rows) `)`)?
    attr-dict `:` type($value) `,` type($view)
  }];
  let hasVerifier = 1;
}

def Tile_GatherOp : Tile_Op<"gather"> {
  let summary = "Read single elements of a view, one per tile element";
  let description = [{
    `result[x] = view[index_0[x], index_1[x], ...]`; an index is an index tile of
    the shape of the result or an `index` that all elements share. With scalar
    indices only, the result is a scalar. Elements outside of the view read as
    zero.

    Example: a bias table indexed by head and distance.

    ```mlir
    func.func @bias(%table: memref<?x?xf32, strided<[?, 1], offset: ?>>, %h: index,
                    %d: tensor<4x8xindex>) -> tensor<4x8xf32> {
      %t = tile.gather %table[%h, %d : index, tensor<4x8xindex>]
         : memref<?x?xf32, strided<[?, 1], offset: ?>> -> tensor<4x8xf32>
      return %t : tensor<4x8xf32>
    }
    ```
  }];
  let arguments = (ins Arg<Tile_View, "", [MemRead]>:$view,
                   Variadic<AnyTypeOf<[Index, Tile_Tile]>>:$indices);
  let results = (outs AnyType:$result);
  let assemblyFormat = [{
    $view `[` ($indices^ `:` type($indices))? `]` attr-dict `:` type($view) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Tile_WriteOp : Tile_Op<"write", [
    TypesMatchWith<"'scalar' has the element type of 'view'", "view", "scalar",
                   "::llvm::cast<::mlir::MemRefType>($_self).getElementType()">]> {
  let summary = "Write one scalar to a view";
  let description = [{
    `view[index_0, index_1, ...] = scalar`; outside of the view nothing is
    written. The converse is a `tile.gather` without tiles. Of all threads of a
    block, one writes.

    Example:

    ```mlir
    func.func @set(%x: i32, %list: memref<?xi32, strided<[1], offset: ?>>, %n: index) {
      tile.write %x, %list[%n] : memref<?xi32, strided<[1], offset: ?>>
      return
    }
    ```
  }];
  let arguments = (ins AnyTypeOf<[AnyFloat, AnySignlessIntegerOrIndex]>:$scalar,
                   Arg<Tile_View, "", [MemWrite]>:$view, Variadic<Index>:$indices);
  let assemblyFormat = [{
    $scalar `,` $view `[` $indices `]` attr-dict `:` type($view)
  }];
  let hasVerifier = 1;
}

def Tile_SplatOp : Tile_Op<"splat", [Pure]> {
  let summary = "A tile with the same scalar everywhere";
  let description = [{
    Example:

    ```mlir
    func.func @all(%x: f32) -> tensor<4x8xf32> {
      %t = tile.splat %x : f32 -> tensor<4x8xf32>
      return %t : tensor<4x8xf32>
    }
    ```
  }];
  let arguments = (ins AnyTypeOf<[AnyFloat, AnySignlessIntegerOrIndex]>:$scalar);
  let results = (outs Tile_Tile:$result);
  let assemblyFormat = "$scalar attr-dict `:` type($scalar) `->` type($result)";
  let hasVerifier = 1;
}

def Tile_IotaOp : Tile_Op<"iota", [Pure]> {
  let summary = "Consecutive indices along one dimension";
  let description = [{
    `result[x_0, x_1] = start + x_along`

    Example: the key positions of a block of scores.

    ```mlir
    func.func @positions(%j: index) -> tensor<4x8xindex> {
      %t = tile.iota %j along 1 : tensor<4x8xindex>
      return %t : tensor<4x8xindex>
    }
    ```
  }];
  let arguments = (ins Index:$start, I64Attr:$along);
  let results = (outs Tile_Tile:$result);
  let assemblyFormat = "$start `along` $along attr-dict `:` type($result)";
  let hasVerifier = 1;
}

def Tile_BroadcastOp : Tile_Op<"broadcast", [Pure]> {
  let summary = "Repeat a vector along a new dimension";
  let description = [{
    `along 1`: `result[i, j] = vector[i]`; `along 0`: `result[i, j] = vector[j]`.

    Example:

    ```mlir
    func.func @columns(%m: tensor<4xf32>) -> tensor<4x8xf32> {
      %t = tile.broadcast %m along 1 : tensor<4xf32> -> tensor<4x8xf32>
      return %t : tensor<4x8xf32>
    }
    ```
  }];
  let arguments = (ins Tile_Tile:$vector, I64Attr:$along);
  let results = (outs Tile_Tile:$result);
  let assemblyFormat = [{
    $vector `along` $along attr-dict `:` type($vector) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Tile_Precision : I32EnumAttr<"Precision",
    "what the operands of products may be rounded to", [
      I32EnumAttrCase<"IEEE", 0, "ieee">,
      I32EnumAttrCase<"TF32", 1, "tf32">]> {
  let cppNamespace = "::attn::tile";
}

def Tile_DotOp : Tile_Op<"dot", [Pure, AllTypesMatch<["init", "result"]>]> {
  let summary = "Matrix product of two tiles, added to a third";
  let description = [{
    `result[i, j] = init[i, j] + sum over k of lhs[i, k] * rhs[k, j]`, with
    `rhs[j, k]` under `transpose_rhs` and `lhs[k, i]` under `transpose_lhs`.
    Products and sums are IEEE in the element type of `init`; fused multiply-add
    is allowed, and the order of the sum is not fixed.

    Operands may be of f16 or bf16 where `init` is of f32: their products are exact, and
    the additions are those of the matrix units of the target. Targets introduce such
    products (`attn-nvidia-matrix-products`).

    Under `precision(tf32)` elements of `lhs` and `rhs`, of f32, may be rounded to tf32,
    which has 11 bits, before they are multiplied: a permission of the spec that CPUs
    make no use of. Behind `attn-nvidia-matrix-products` it says that the product is one of
    matrix instructions.

    Under `between n` rows and columns come in pairs of blocks of n. Only elements
    in the row block of one and the column block of the other of a pair have a sum:
    `i / n != j / n` and `i / (2 n) == j / (2 n)`. The others keep `init`. Targets
    introduce it for decaying products (`attn-nvidia-matrix-states`).

    Example: scores of 4 queries against 16 keys.

    ```mlir
    func.func @scores(%q: tensor<4x8xf32>, %k: tensor<16x8xf32>,
                      %zero: tensor<4x16xf32>) -> tensor<4x16xf32> {
      %s = tile.dot %q, %k, %zero transpose_rhs
         : tensor<4x8xf32>, tensor<16x8xf32> -> tensor<4x16xf32>
      return %s : tensor<4x16xf32>
    }
    ```
  }];
  let arguments = (ins Tile_Tile:$lhs, Tile_Tile:$rhs, Tile_Tile:$init,
                   UnitAttr:$transposeRhs, UnitAttr:$transposeLhs,
                   OptionalAttr<I64Attr>:$between,
                   DefaultValuedAttr<Tile_Precision, "::attn::tile::Precision::IEEE">:$precision);
  let results = (outs Tile_Tile:$result);
  let assemblyFormat = [{
    $lhs `,` $rhs `,` $init (`transpose_lhs` $transposeLhs^)?
    (`transpose_rhs` $transposeRhs^)? (`between` $between^)?
    (`precision` `(` $precision^ `)`)? attr-dict
    `:` type($lhs) `,` type($rhs) `->` type($result)
  }];
  let hasVerifier = 1;
  let builders = [
    OpBuilder<(ins "::mlir::Type":$result, "::mlir::Value":$lhs,
                   "::mlir::Value":$rhs, "::mlir::Value":$init,
                   CArg<"::mlir::UnitAttr", "{}">:$transposeRhs,
                   CArg<"::mlir::UnitAttr", "{}">:$transposeLhs,
                   CArg<"::mlir::IntegerAttr", "{}">:$between,
                   CArg<"::attn::tile::Precision",
                        "::attn::tile::Precision::IEEE">:$precision), [{
      build($_builder, $_state, ::mlir::TypeRange(result), lhs, rhs, init,
            transposeRhs, transposeLhs, between,
            PrecisionAttr::get($_builder.getContext(), precision));
    }]>
  ];
  let extraClassDeclaration = [{
    /// The number of products that are summed to one element.
    int64_t getDepth();
  }];
}

def Tile_DecayDotOp : Tile_Op<"decay_dot", [Pure, AllTypesMatch<["init", "result"]>,
    AllShapesMatch<["lhs", "rhs", "decay"]>]> {
  let summary = "Products of rows that decay with the rows between them";
  let description = [{
    Row t of `decay` holds factors that everything before row t is multiplied
    with on its way past it:

    `result[i, j] = init[i, j]
       + sum over k of lhs[i, k] * rhs[j, k] * a[i, j, k]`

    | | pairs with a sum | `a[i, j, k]` |
    |---|---|---|
    | | `j <= i` | product of `decay[t, k]` over `j < t <= i` |
    | `strict` | `j < i` | product of `decay[t, k]` over `j < t < i` |
    | `reverse` | `j >= i` | product of `decay[t, k]` over `i <= t < j` |
    | `reverse strict` | `j > i` | product of `decay[t, k]` over `i < t < j` |

    Other pairs keep `init`; an empty product is 1. The factors are between 0 and
    1, so no product of them overflows, as quotients of products or exponentials
    of sums might. With depth 1 and rows of 1 the result is the matrix of decays
    between tokens.

    Under `within n` rows come in blocks of n, and only pairs of one block have a
    sum. `tile.dot` has those between blocks. `lhs` and `rhs` may be of f16 or bf16
    where `decay` is of f32.

    Example: scores of a block of 4 tokens, whose 8 channels decay each on their
    own.

    ```mlir
    func.func @scores(%q: tensor<4x8xf32>, %k: tensor<4x8xf32>, %a: tensor<4x8xf32>,
                      %zero: tensor<4x4xf32>) -> tensor<4x4xf32> {
      %s = tile.decay_dot %q, %k, %a, %zero : tensor<4x8xf32> -> tensor<4x4xf32>
      return %s : tensor<4x4xf32>
    }
    ```
  }];
  let arguments = (ins Tile_Tile:$lhs, Tile_Tile:$rhs, Tile_Tile:$decay,
                   Tile_Tile:$init, UnitAttr:$reverse, UnitAttr:$strict,
                   OptionalAttr<I64Attr>:$within);
  let results = (outs Tile_Tile:$result);
  let assemblyFormat = [{
    $lhs `,` $rhs `,` $decay `,` $init (`reverse` $reverse^)?
    (`strict` $strict^)? (`within` $within^)? attr-dict
    `:` custom<SameTypes>(type($lhs), type($rhs), type($decay)) `->` type($result)
  }];
  let hasVerifier = 1;
  let builders = [
    OpBuilder<(ins "::mlir::Type":$result, "::mlir::Value":$lhs,
                   "::mlir::Value":$rhs, "::mlir::Value":$decay,
                   "::mlir::Value":$init,
                   CArg<"::mlir::UnitAttr", "{}">:$reverse,
                   CArg<"::mlir::UnitAttr", "{}">:$strict,
                   CArg<"::mlir::IntegerAttr", "{}">:$within), [{
      build($_builder, $_state, ::mlir::TypeRange(result), lhs, rhs, decay,
            init, reverse, strict, within);
    }]>
  ];
}

def Tile_ReduceKind : I32EnumAttr<"ReduceKind", "how elements are combined", [
      I32EnumAttrCase<"Add", 0, "add">, I32EnumAttrCase<"Max", 1, "max">,
      I32EnumAttrCase<"Mul", 2, "mul">]> {
  let cppNamespace = "::attn::tile";
}

def Tile_ReduceOp : Tile_Op<"reduce", [Pure, AllTypesMatch<["init", "result"]>]> {
  let summary = "Combine the elements of each row or column of a tile";
  let description = [{
    `result[i] = init[i] (+) x[i, 0] (+) x[i, 1] ...` with `(+)` addition (`add`),
    maximum (`max`) or multiplication (`mul`); under `along 0`
    `result[j] = init[j] (+) x[0, j] (+) x[1, j] ...`. The order is not fixed. A NaN reaches a
    sum or product; `max` may drop it (the exponentials of the same row keep it).

    Example:

    ```mlir
    func.func @largest(%s: tensor<4x16xf32>, %m: tensor<4xf32>) -> tensor<4xf32> {
      %r = tile.reduce max %s, %m : tensor<4x16xf32> -> tensor<4xf32>
      return %r : tensor<4xf32>
    }
    ```
  }];
  let arguments = (ins Tile_ReduceKind:$kind, Tile_Tile:$value, Tile_Tile:$init,
                   DefaultValuedAttr<I64Attr, "1">:$along);
  let results = (outs Tile_Tile:$result);
  let assemblyFormat = [{
    $kind $value `,` $init (`along` $along^)? attr-dict
    `:` type($value) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Tile_ScanOp : Tile_Op<"scan", [Pure, AllShapesMatch<["value", "result"]>,
    AllElementTypesMatch<["value", "result"]>]> {
  let summary = "Combine each row with those before it";
  let description = [{
    `result[i] = x[0] (+) x[1] ... (+) x[i]` with `(+)` as for `tile.reduce`, row by
    row for a tile of rank 2, in this order. Under `reverse` the rows are
    `x[n - 1] ... x[i]`. Under `exclusive` row i itself is left out, and what is
    left of the first row (`reverse`: of the last) is the neutral element. Under
    `within n` rows come in blocks of n, and each block is scanned for itself.

    Under `across n` blocks of n rows come in pairs, and rows are combined from the
    border between the two on, on both sides: with b the first row of the second block,
    `result[i]` is `x[b] (+) ... (+) x[i]` there and `x[i + 1] (+) ... (+) x[b - 1]` in
    the first block. So `result[i] (+) result[j]` is what lies between a row i of the
    second block and a row j of the first, with row i. Under `reverse` it is row j that
    belongs to its result and not row i, under `exclusive` none of both.

    Example: how much of what each token wrote is left after the last one.

    ```mlir
    func.func @left(%a: tensor<4x8xf32>) -> tensor<4x8xf32> {
      %r = tile.scan mul %a reverse exclusive : tensor<4x8xf32>
      return %r : tensor<4x8xf32>
    }
    ```
  }];
  let arguments = (ins Tile_ReduceKind:$kind, Tile_Tile:$value,
                   UnitAttr:$reverse, UnitAttr:$exclusive,
                   OptionalAttr<I64Attr>:$within,
                   OptionalAttr<I64Attr>:$across);
  let results = (outs Tile_Tile:$result);
  let assemblyFormat = [{
    $kind $value (`reverse` $reverse^)? (`exclusive` $exclusive^)?
    (`within` $within^)? (`across` $across^)? attr-dict
    `:` custom<ResultType>(type($value), type($result))
  }];
  let hasVerifier = 1;
  let builders = [
    OpBuilder<(ins "::mlir::Type":$result, "::attn::tile::ReduceKindAttr":$kind,
                   "::mlir::Value":$value,
                   CArg<"::mlir::UnitAttr", "{}">:$reverse,
                   CArg<"::mlir::UnitAttr", "{}">:$exclusive,
                   CArg<"::mlir::IntegerAttr", "{}">:$within,
                   CArg<"::mlir::IntegerAttr", "{}">:$across), [{
      build($_builder, $_state, ::mlir::TypeRange(result), kind, value,
            reverse, exclusive, within, across);
    }]>
  ];
}

def Tile_TrimOp : Tile_Op<"trim", [Pure, AllTypesMatch<["value", "result"]>]> {
  let summary = "Keep a range of columns in each group of rows";
  let description = [{
    Rows come in groups of `rows`; group n has the range
    `begin_n .. end_n - 1` of columns, `ranges` being
    `begin_0, end_0, begin_1, end_1, ...`:

    `result[i, j] = value[i, j]` where column j is in the range of row i, else
    what `kind` leaves as it is: 0 for `add`, -inf for `max`, 1 for `mul`.

    Bounds are multiples of 8, at least 0 and at most the number of columns.
    Reductions of the result, and products that have it as left operand, need not
    visit other columns: a back end that sees this computes nothing there.

    Example: of 16 keys, the first 2 rows see 8, the others all.

    ```mlir
    func.func @sums(%p: tensor<4x16xf32>, %l: tensor<4xf32>) -> tensor<4xf32> {
      %c0 = arith.constant 0 : index
      %c8 = arith.constant 8 : index
      %c16 = arith.constant 16 : index
      %t = tile.trim add %p rows(2) ranges(%c0, %c8, %c0, %c16) : tensor<4x16xf32>
      %r = tile.reduce add %t, %l : tensor<4x16xf32> -> tensor<4xf32>
      return %r : tensor<4xf32>
    }
    ```
  }];
  let arguments = (ins Tile_ReduceKind:$kind, Tile_Tile:$value,
                   Variadic<Index>:$ranges, I64Attr:$rows);
  let results = (outs Tile_Tile:$result);
  let assemblyFormat = [{
    $kind $value `rows` `(` $rows `)` `ranges` `(` $ranges `)` attr-dict
    `:` type($value)
  }];
  let hasVerifier = 1;
}

def Tile_SliceOp : Tile_Op<"slice", [Pure]> {
  let summary = "Consecutive columns of a tile";
  let description = [{
    `result[i, d] = value[i, start + d]`

    Example: the second half of the features.

    ```mlir
    func.func @half(%x: tensor<4x8xf32>) -> tensor<4x4xf32> {
      %y = tile.slice %x from 4 : tensor<4x8xf32> -> tensor<4x4xf32>
      return %y : tensor<4x4xf32>
    }
    ```
  }];
  let arguments = (ins Tile_Tile:$value, I64Attr:$start);
  let results = (outs Tile_Tile:$result);
  let assemblyFormat = [{
    $value `from` $start attr-dict `:` type($value) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Tile_ConcatOp : Tile_Op<"concat", [Pure]> {
  let summary = "Tiles side by side";
  let description = [{
    The columns of the operands, in order.

    Example:

    ```mlir
    func.func @join(%a: tensor<4x4xf32>, %b: tensor<4x4xf32>) -> tensor<4x8xf32> {
      %y = tile.concat %a, %b : tensor<4x4xf32>, tensor<4x4xf32> -> tensor<4x8xf32>
      return %y : tensor<4x8xf32>
    }
    ```
  }];
  let arguments = (ins Variadic<Tile_Tile>:$parts);
  let results = (outs Tile_Tile:$result);
  let assemblyFormat = "$parts attr-dict `:` type($parts) `->` type($result)";
  let hasVerifier = 1;
}

def Tile_ConvertLayoutOp : Tile_Op<"convert_layout", [Pure]> {
  let summary = "The same tile in another layout";
  let description = [{
    The value does not change; the result's encoding says where its elements are
    from here on. GPU passes introduce it (`attn-gpu-assign-layouts`), to put what
    threads computed where other threads can read it, and to deal columns of a result
    out again in front of its store: from some layout in registers to one of as many
    threads with `vector = 1`.

    Example: weights of keys on their way to a product.

    ```mlir
    func.func @share(%p: tensor<64x64xf32, #tile.registers<rows = 16, columns = 8, vector = 1>>)
        -> tensor<64x64xf32, #tile.shared<row = 64, swizzle = true>> {
      %s = tile.convert_layout %p
         : tensor<64x64xf32, #tile.registers<rows = 16, columns = 8, vector = 1>>
        -> tensor<64x64xf32, #tile.shared<row = 64, swizzle = true>>
      return %s : tensor<64x64xf32, #tile.shared<row = 64, swizzle = true>>
    }
    ```
  }];
  let arguments = (ins Tile_Tile:$value);
  let results = (outs Tile_Tile:$result);
  let assemblyFormat = "$value attr-dict `:` type($value) `->` type($result)";
  let hasVerifier = 1;
}

def Tile_AwaitOp : Tile_Op<"await"> {
  let summary = "A tile whose copy has arrived";
  let description = [{
    The result is `value`, which `tile.load` with `async` has begun to copy to shared
    memory, perhaps in an earlier iteration of a loop that carries it. Of the copies that
    the thread has begun, all but the `pending` last ones have arrived as well. What
    other threads copied is seen behind a `tile.barrier block`. Of a ring, the result is
    the tile in place `stage`. Introduced by `attn-gpu-pipeline-copies`.

    Examples:

    ```mlir
    func.func @keys(%k: memref<?x64xbf16, strided<[?, 1], offset: ?>>, %j: index) {
      %c0 = arith.constant 0 : index
      %t = tile.load %k[%j, %c0] async : memref<?x64xbf16, strided<[?, 1], offset: ?>>
        -> tensor<64x64xbf16, #tile.shared<row = 64, swizzle = true>>
      %a = tile.await %t : tensor<64x64xbf16, #tile.shared<row = 64, swizzle = true>>
      return
    }
    #ring = #tile.shared<row = 64, swizzle = true, stages = 2>
    func.func @ring(%k: memref<?x64xbf16, strided<[?, 1], offset: ?>>, %j: index) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c64 = arith.constant 64 : index
      %r = tile.load %k[%j, %c0] stage(%c0) async
         : memref<?x64xbf16, strided<[?, 1], offset: ?>> -> tensor<64x64xbf16, #ring>
      %next = arith.addi %j, %c64 : index
      %s = tile.load %k[%next, %c0] stage(%c1) into(%r : tensor<64x64xbf16, #ring>) async
         : memref<?x64xbf16, strided<[?, 1], offset: ?>> -> tensor<64x64xbf16, #ring>
      %a = tile.await %s stage(%c0) pending 1 : tensor<64x64xbf16, #ring>
        -> tensor<64x64xbf16, #tile.shared<row = 64, swizzle = true>>
      return
    }
    ```
  }];
  let arguments = (ins Tile_Tile:$value, Optional<Index>:$stage,
                   DefaultValuedAttr<I64Attr, "0">:$pending);
  let results = (outs Tile_Tile:$result);
  let builders = [
    OpBuilder<(ins "::mlir::Value":$value), [{
      build($_builder, $_state, value.getType(), value, ::mlir::Value());
    }]>
  ];
  let assemblyFormat = [{
    $value (`stage` `(` $stage^ `)`)? (`pending` $pending^)? attr-dict
    `:` custom<ResultType>(type($value), type($result))
  }];
  let hasVerifier = 1;
}

def Tile_Scope : I32EnumAttr<"Scope", "which threads wait for each other", [
      I32EnumAttrCase<"Warp", 0, "warp">, I32EnumAttrCase<"Block", 1, "block">]> {
  let cppNamespace = "::attn::tile";
}

def Tile_BarrierOp : Tile_Op<"barrier"> {
  let summary = "Threads wait for each other";
  let description = [{
    What threads of the warp or the block wrote to shared memory before is seen
    by all of them afterwards. Introduced by `attn-gpu-insert-barriers`.

    Example:

    ```mlir
    func.func @wait() {
      tile.barrier warp
      tile.barrier block
      return
    }
    ```
  }];
  let arguments = (ins Tile_Scope:$scope);
  let assemblyFormat = "$scope attr-dict";
}

#endif // ATTN_DIALECT_TILEOPS_TD
