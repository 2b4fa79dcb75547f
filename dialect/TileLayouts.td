//===- TileLayouts.td - Where the elements of a tile live --*- tablegen -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_DIALECT_TILELAYOUTS_TD
#define ATTN_DIALECT_TILELAYOUTS_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/DialectBase.td"

def Tile_Dialect : Dialect {
  let name = "tile";
  let cppNamespace = "::attn::tile";
  let summary = "How a variant is blocked: values are tiles of static shape";
  let description = [{
    A tile program is a function over strided memrefs ("views") in which
    `scf.forall` enumerates independent blocks, `scf.for` dependent ones, and
    values of static tensor type are tiles. Elementwise `arith` and `math` act
    on tiles; the ops of this dialect do the rest. `attn-verify-tile` checks that
    nothing else occurs. See `docs/rationale/tile.md`.
  }];
  let useDefaultAttributePrinterParser = 1;
}

def Tile_RegistersAttr : AttrDef<Tile_Dialect, "Registers"> {
  let mnemonic = "registers";
  let summary = "A tile of rank 2, spread over the registers of a block's threads";
  let description = [{
    The threads of a block form a grid of `rows` by `columns`; thread `t` stands
    in row `t / columns` and column `t mod columns`. With `w = vector`, element
    `(r, c)` belongs to the thread in

        row     r mod rows
        column  (c / w) mod columns

    so a thread owns every `rows`-th row, and in it groups of `w` neighbouring
    columns. Elements beyond the last row or column of a tile exist in registers
    and hold anything. `docs/rationale/gpu.md` has an example.

    With `paired`, rows of threads come in eights, and eight of them own sixteen
    neighbouring rows of the tile, each one and the eighth after it: element `(r, c)`
    belongs to the thread in row

        8 ((r / 16) mod (rows / 8)) + r mod 8

    With four columns of threads and `vector = 2`, a warp so owns what matrix
    instructions call the accumulator of a product of 16 rows.

    Example: 16 x 8 threads, four columns at a time; and four warps of a matrix product.

    ```mlir
    func.func @f(%x: tensor<64x64xf32, #tile.registers<rows = 16, columns = 8, vector = 4>>,
                 %y: tensor<64x64xf32, #tile.registers<rows = 32, columns = 4, vector = 2, paired = true>>) {
      return
    }
    ```
  }];
  let parameters = (ins "int64_t":$rows, "int64_t":$columns, "int64_t":$vector,
                    DefaultValuedParameter<"bool", "false">:$paired);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def Tile_SliceAttr : AttrDef<Tile_Dialect, "Slice"> {
  let mnemonic = "slice";
  let summary = "A tile of rank 1: what is left of a layout without one dimension";
  let description = [{
    The layout of a vector that is broadcast along `along` to a tile with layout
    `of`, or that is a reduction of such a tile: a thread owns the elements whose
    row (`along = 1`) or column (`along = 0`) it owns.

    Example: one number per row.

    ```mlir
    func.func @f(%x: tensor<64xf32, #tile.slice<along = 1, of = <rows = 16, columns = 8, vector = 1>>>) {
      return
    }
    ```
  }];
  let parameters = (ins "int64_t":$along, "::attn::tile::RegistersAttr":$of);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def Tile_SharedAttr : AttrDef<Tile_Dialect, "Shared"> {
  let mnemonic = "shared";
  let summary = "A tile in the memory that a block's threads share";
  let description = [{
    Rows follow each other at a distance of `row` elements. With `swizzle`, the
    groups of 16 bytes of row `r` are permuted: group `g` lies where group
    `g xor f(r)` would, and `f(r)` is the three lowest bits of `r` in reverse order. So
    threads that read the same group of eight consecutive rows use all 32
    banks, and so do those that write two groups of four rows, or four of two.

    Columns from the last one up to a multiple of four exist and are zero. A vector
    is a single row, without columns beyond its own.

    With `stages` of more than 1 this is a *ring*: so many tiles, in places that
    follow each other. `tile.load` fills one of them, `tile.await` returns one.

    Examples: a tile, and a ring of three.

    ```mlir
    func.func @f(%x: tensor<64x64xf32, #tile.shared<row = 64, swizzle = true>>) {
      return
    }
    func.func @g(%x: tensor<64x64xbf16, #tile.shared<row = 64, swizzle = true, stages = 3>>) {
      return
    }
    ```
  }];
  let parameters = (ins "int64_t":$row, "bool":$swizzle,
                        DefaultValuedParameter<"int64_t", "1">:$stages);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

#endif // ATTN_DIALECT_TILELAYOUTS_TD
