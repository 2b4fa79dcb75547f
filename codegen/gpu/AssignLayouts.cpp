//===- AssignLayouts.cpp - Where the elements of each tile live -----------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// 1. Constants, splats, positions and broadcasts cost nothing, so each use gets
//    its own: no two tiles need the same layout only because they share a zero.
//    A sum of rows that is broadcast along rows and along columns is computed
//    twice.
// 2. Operands of products go to shared memory: a load that feeds nothing else
//    goes there directly, everything else by a conversion behind its
//    definition, which for a query is in front of the loop over keys. Left
//    operands of matrix instructions stay in registers: these take them
//    there, in the layout in which they leave results.
// 3. All other tiles live in registers. LayoutClasses says which of them must
//    agree; products say how many neighbouring columns a thread should own.
// 4. The layouts become encodings of the types.
// 5. A result whose threads own neighbouring columns is dealt out again in
// front
//    of its store, one column at a time, unless its rows are known to be
//    aligned: else each store would touch a part of each sector. So is a tile
//    that is loaded to accumulate on it, behind its load.
//
//===----------------------------------------------------------------------===//

#include "codegen/gpu/LayoutClasses.h"
#include "codegen/gpu/Resources.h"
#include "codegen/gpu/RowIndices.h"
#include "codegen/gpu/SharedTiles.h"
#include "codegen/gpu/Window.h"
#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

namespace attn {
#define GEN_PASS_DEF_GPUASSIGNLAYOUTS
#include "codegen/gpu/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

/// Banks of shared memory, of 32 bits.
static constexpr int64_t kBanks = 32;
/// Columns of threads: so many lanes of a warp share the rows of a tile.
static constexpr int64_t kColumns = 8;
/// The same where products are matrix instructions.
static constexpr int64_t kMatrixColumns = 4;

static RankedTensorType tileOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

static bool isTile(Value value) {
  return isa<RankedTensorType>(value.getType());
}

//===----------------------------------------------------------------------===//
// 1. Free ops
//===----------------------------------------------------------------------===//

/// Whether a copy of `op` costs nothing.
static bool isFree(Operation *op) {
  if (isa<tile::SplatOp, tile::IotaOp, tile::BroadcastOp>(op))
    return true;
  return isa<arith::ConstantOp>(op) && isTile(op->getResult(0));
}

/// Whether `op` computes an index vector: of the rows of a box, of which
/// queries and keys may have the same.
static bool isIndexVector(Operation *op) {
  auto type = op->getNumResults() == 1
                  ? dyn_cast<RankedTensorType>(op->getResult(0).getType())
                  : RankedTensorType();
  return type && type.getRank() == 1 && type.getElementType().isIndex() &&
         isComputable(op->getResult(0));
}

/// Whether tiles occur whose rows have indices of their own.
static bool hasIndexedRows(gpu::GPUFuncOp kernel) {
  WalkResult result = kernel.walk([](Operation *op) {
    auto load = dyn_cast<tile::LoadOp>(op);
    auto store = dyn_cast<tile::StoreOp>(op);
    bool isIndexed = (load && !load.getRows().empty()) ||
                     (store && !store.getRows().empty());
    return isIndexed ? WalkResult::interrupt() : WalkResult::advance();
  });
  return result.wasInterrupted();
}

/// Gives every use of a free op a copy of its own, and those of index vectors
/// of boxes, which threads compute for rows, for columns and for what they
/// copy.
static void copyFreeOps(gpu::GPUFuncOp kernel) {
  bool hasBoxes = hasIndexedRows(kernel);
  // Users before producers, so that copies of broadcasts copy what they use.
  SmallVector<Operation *> ops;
  kernel.walk([&](Operation *op) {
    if (isFree(op) || (hasBoxes && isIndexVector(op)))
      ops.push_back(op);
  });
  for (Operation *op : llvm::reverse(ops)) {
    SmallVector<OpOperand *> uses;
    for (OpOperand &use : op->getUses())
      uses.push_back(&use);
    for (OpOperand *use : llvm::drop_begin(uses, uses.empty() ? 0 : 1)) {
      OpBuilder b(op->getContext());
      b.setInsertionPointAfter(op);
      use->set(b.clone(*op)->getResult(0));
    }
  }
}

/// Sums rows twice where the sums are broadcast in both directions: the key of
/// a step of a recurrence may be its value, too.
static void copySums(gpu::GPUFuncOp kernel) {
  SmallVector<tile::ReduceOp> sums;
  kernel.walk([&](tile::ReduceOp op) {
    if (op.getAlong() == 0)
      sums.push_back(op);
  });
  for (tile::ReduceOp op : sums) {
    auto isAlongRows = [](OpOperand &use) {
      auto broadcast = dyn_cast<tile::BroadcastOp>(use.getOwner());
      return broadcast && broadcast.getAlong() == 1;
    };
    if (llvm::all_of(op->getUses(), isAlongRows) ||
        llvm::none_of(op->getUses(), isAlongRows))
      continue;
    OpBuilder b(op);
    op.getResult().replaceUsesWithIf(b.clone(*op)->getResult(0), isAlongRows);
  }
}

//===----------------------------------------------------------------------===//
// 2. Operands of products
//===----------------------------------------------------------------------===//

/// Whether the left operand of a product of 16 bits is there before the loop
/// that the product is in.
static bool isQuery(tile::DotOp dot) {
  return dot.getLhs().getDefiningOp<tile::LoadOp>() ||
         dot.getLhs().getParentBlock() != dot->getBlock();
}

/// Columns of all such operands of a kernel.
static int64_t countQueryColumns(gpu::GPUFuncOp kernel) {
  llvm::SmallPtrSet<Value, 4> queries;
  kernel.walk([&](tile::DotOp dot) {
    if (isNarrow(dot) && isQuery(dot))
      queries.insert(dot.getLhs());
  });
  int64_t columns = 0;
  for (Value query : queries)
    columns += tileOf(query).getDimSize(1);
  return columns;
}

/// Whether a product reads its left operand from shared memory. One of 16 bits
/// does so if it is transposed, if it is loaded in each iteration of a loop, or
/// if it is a query and the sums need the registers: warps have more than one
/// band of 16 rows, or queries have many columns. Between blocks of rows both
/// operands are one tile, or terms of one, which are there.
static bool isLhsShared(tile::DotOp dot) {
  if (!isNarrow(dot) || dot.getTransposeLhs() || dot.getBetween())
    return true;
  if (!isQuery(dot))
    return false;
  Operation *load = dot.getLhs().getDefiningOp<tile::LoadOp>();
  if (load && isa<scf::ForOp>(load->getParentOp()))
    return true;
  constexpr int64_t band = 16, lanes = 32;
  auto kernel = dot->getParentOfType<gpu::GPUFuncOp>();
  int64_t warps = (*kernel.getKnownBlockSize())[0] / lanes;
  return tileOf(dot.getLhs()).getDimSize(0) > warps * band ||
         countQueryColumns(kernel) > kRegisterColumns;
}

/// Whether `use` reads an operand of a product from shared memory.
static bool isFactor(OpOperand &use) {
  if (isa<tile::DecayDotOp>(use.getOwner()))
    return tileOf(use.get()).getElementTypeBitWidth() == 16;
  auto dot = dyn_cast<tile::DotOp>(use.getOwner());
  if (!dot)
    return false;
  return use.getOperandNumber() == 1 ||
         (use.getOperandNumber() == 0 && isLhsShared(dot));
}

/// Whether `use` is the right operand of a product that reads its rows along
/// the columns of the result.
static bool isPlainRhs(OpOperand &use) {
  auto dot = dyn_cast<tile::DotOp>(use.getOwner());
  return dot && use.getOperandNumber() == 1 && !dot.getTransposeRhs();
}

/// Whether `use` is a left operand of a product that is read along columns.
static bool isTransposedLhs(OpOperand &use) {
  auto dot = dyn_cast<tile::DotOp>(use.getOwner());
  return dot && use.getOperandNumber() == 0 && dot.getTransposeLhs();
}

/// Whether `value` is loaded in each iteration of a loop with a product of 16
/// bits that updates a state: then it is copied to shared memory, 16 bytes at a
/// time, and read from there. Lanes that load two columns each fill a quarter
/// of a sector.
static bool isCopied(Value value) {
  auto load = value.getDefiningOp<tile::LoadOp>();
  auto loop = load ? dyn_cast<scf::ForOp>(load->getParentOp()) : nullptr;
  RankedTensorType type = tileOf(value);
  return loop && type.getRank() == 2 && type.getElementTypeBitWidth() == 16 &&
         llvm::any_of(loop.getOps<tile::DotOp>(), [](tile::DotOp dot) {
           return isNarrow(dot) && dot.getTransposeLhs();
         });
}

/// Whether `use` is an operand of a product of tf32.
static bool isTf32Factor(OpOperand &use) {
  auto dot = dyn_cast<tile::DotOp>(use.getOwner());
  return dot && isTf32(dot) && isFactor(use);
}

/// The type of what is loaded for products alone.
static RankedTensorType getCopyType(Value value) {
  RankedTensorType type = tileOf(value);
  bool isPlain = llvm::all_of(value.getUses(), isPlainRhs);
  if (llvm::any_of(value.getUses(), isTf32Factor))
    return getWordsType(type, /*readsPairs=*/!isPlain);
  // Lanes that write narrow rows write several of them at once.
  bool swizzle = !isPlain || type.getDimSize(1) % kBanks ||
                 type.getElementTypeBitWidth() < 32;
  return getSharedType(type, swizzle);
}

/// Puts the operands of products of one definition into shared memory.
static void share(Value value) {
  if (llvm::none_of(value.getUses(), isFactor) && !isCopied(value))
    return;
  RankedTensorType type = tileOf(value);
  if (value.getDefiningOp<tile::LoadOp>() &&
      llvm::all_of(value.getUses(), isFactor)) {
    value.setType(getCopyType(value));
    return;
  }
  OpBuilder b(value.getContext());
  b.setInsertionPointAfterValue(value);
  if (isCopied(value)) {
    RankedTensorType own = type;
    value.setType(getSharedType(type, /*swizzle=*/true));
    for (OpOperand &use : llvm::make_early_inc_range(value.getUses()))
      if (!isFactor(use)) {
        b.setInsertionPoint(use.getOwner());
        use.set(tile::ConvertLayoutOp::create(b, value.getLoc(), own, value));
      }
    return;
  }
  bool isReadDown = llvm::all_of(value.getUses(), [](OpOperand &use) {
    return !isFactor(use) || (isTransposedLhs(use) &&
                              !isNarrow(cast<tile::DotOp>(use.getOwner())));
  });
  // Pairs of neighbours are written as well as read.
  if (llvm::any_of(value.getUses(), isTf32Factor))
    type = getWordsType(
        type, /*readsPairs=*/!llvm::all_of(value.getUses(), [](OpOperand &use) {
          return !isFactor(use) || isPlainRhs(use);
        }));
  else
    type = isReadDown ? getColumnsType(type) : getSharedType(type, true);
  auto shared = tile::ConvertLayoutOp::create(b, value.getLoc(), type, value);
  value.replaceUsesWithIf(shared, isFactor);
}

static void shareFactors(gpu::GPUFuncOp kernel) {
  SmallVector<Value> tiles;
  kernel.walk<WalkOrder::PreOrder>([&](Operation *op) {
    for (Value result : op->getResults())
      if (isTile(result))
        tiles.push_back(result);
    for (Region &region : op->getRegions())
      for (Value argument : region.getArguments())
        if (isTile(argument))
          tiles.push_back(argument);
  });
  for (Value tile : tiles)
    share(tile);
}

//===----------------------------------------------------------------------===//
// 3. Tiles in registers
//===----------------------------------------------------------------------===//

static bool isShared(Value value) {
  return isTile(value) &&
         isa_and_present<tile::SharedAttr>(tileOf(value).getEncoding());
}

/// Joins the tiles that a loop carries.
static void collect(scf::ForOp loop, LayoutClasses &classes) {
  for (auto [init, argument, yielded, result] :
       llvm::zip_equal(loop.getInitArgs(), loop.getRegionIterArgs(),
                       loop.getYieldedValues(), loop.getResults()))
    if (isTile(init)) {
      classes.join(argument, init);
      classes.join(argument, yielded);
      classes.join(argument, result);
    }
}

/// Joins parts with the whole that they are cut from or make up.
static void collectParts(Value whole, ArrayRef<std::pair<Value, int64_t>> parts,
                         LayoutClasses &classes) {
  for (auto [part, start] : parts) {
    classes.join(whole, part);
    classes.cutAt(whole, start);
  }
}

static void collect(tile::ConcatOp op, LayoutClasses &classes) {
  if (isPadding(op, kColumns)) {
    classes.join(op.getResult(), op.getParts()[0]);
    return;
  }
  int64_t start = 0;
  SmallVector<std::pair<Value, int64_t>> parts;
  for (Value part : op.getParts()) {
    parts.push_back({part, start});
    start += tileOf(part).getDimSize(1);
  }
  collectParts(op.getResult(), parts, classes);
}

static void collect(tile::BroadcastOp op, LayoutClasses &classes) {
  classes.setAlong(op.getVector(), op.getAlong());
  if (op.getAlong() == 0)
    classes.join(op.getResult(), op.getVector());
}

static void collect(tile::DotOp op, LayoutClasses &classes) {
  classes.join(op.getInit(), op.getResult());
  classes.wishVector(op.getResult(), op.getTransposeRhs() ? 1 : 4);
}

/// Joins all tiles among operands and results.
static void collectElementwise(Operation *op, LayoutClasses &classes) {
  SmallVector<Value> tiles;
  for (Value value : op->getOperands())
    if (isTile(value))
      tiles.push_back(value);
  for (Value value : op->getResults())
    if (isTile(value))
      tiles.push_back(value);
  for (size_t i = 1; i < tiles.size(); ++i)
    classes.join(tiles[0], tiles[i]);
}

/// What `op` says of the layouts of its operands and results.
static void collect(Operation *op, LayoutClasses &classes) {
  for (Value result : op->getResults())
    if (isTile(result) && !isShared(result))
      classes.add(result);
  llvm::TypeSwitch<Operation *>(op)
      .Case<scf::ForOp, tile::ConcatOp, tile::BroadcastOp, tile::DotOp>(
          [&](auto special) { collect(special, classes); })
      .Case([&](tile::SliceOp slice) {
        collectParts(slice.getValue(), {{slice.getResult(), slice.getStart()}},
                     classes);
      })
      .Case([&](tile::ReduceOp reduce) {
        classes.join(reduce.getInit(), reduce.getResult());
        if (reduce.getAlong() == 1)
          classes.setAlong(reduce.getResult(), 1);
      })
      .Case([&](tile::DecayDotOp dot) {
        classes.join(dot.getInit(), dot.getResult());
      })
      .Case<scf::YieldOp, tile::LoadOp, tile::StoreOp, tile::ConvertLayoutOp,
            tile::ScanOp>([](auto) {})
      .Default([&](Operation *plain) { collectElementwise(plain, classes); });
}

//===----------------------------------------------------------------------===//
// 4. Encodings
//===----------------------------------------------------------------------===//

/// Gives `value` the type with the layout.
static LogicalResult encode(Value value, Attribute layout) {
  RankedTensorType type = tileOf(value).cloneWithEncoding(layout);
  value.setType(type);
  auto constant = value.getDefiningOp<arith::ConstantOp>();
  if (!constant)
    return success();
  auto elements = dyn_cast<SplatElementsAttr>(constant.getValue());
  if (!elements)
    return constant.emitError(
        "tiles of constants must hold one number on GPUs");
  constant.setValueAttr(elements.resizeSplat(type));
  return success();
}

//===----------------------------------------------------------------------===//
// 5. Results
//===----------------------------------------------------------------------===//

/// Whether columns can be dealt out one by one: all threads have as many.
static bool canDealOut(RankedTensorType type, tile::RegistersAttr layout) {
  int64_t round = layout.getColumns() * layout.getVector();
  return layout.getVector() > 1 && type.getDimSize(1) % round == 0;
}

static void dealOutResult(tile::StoreOp store) {
  RankedTensorType type = tileOf(store.getValue());
  auto layout = dyn_cast<tile::RegistersAttr>(type.getEncoding());
  if (!layout || !canDealOut(type, layout) ||
      hasAlignedRows(store, layout.getVector()) ||
      (layout.getVector() == 2 && storesPairs(store)))
    return;
  OpBuilder b(store);
  auto single = tile::RegistersAttr::get(b.getContext(), layout.getRows(),
                                         layout.getColumns(), /*vector=*/1,
                                         layout.getPaired());
  auto dealt = tile::ConvertLayoutOp::create(
      b, store.getLoc(), type.cloneWithEncoding(single), store.getValue());
  store.getValueMutable().assign(dealt);
}

/// The converse for tiles that accumulators start from or are added to.
static void dealOutLoad(tile::LoadOp load) {
  RankedTensorType type = tileOf(load);
  auto layout = dyn_cast<tile::RegistersAttr>(type.getEncoding());
  bool isAdded = llvm::any_of(load->getUsers(), [](Operation *user) {
    return isa<scf::ForOp>(user) || OpTrait::hasElementwiseMappableTraits(user);
  });
  if (!layout || !canDealOut(type, layout) || !isAdded)
    return;
  OpBuilder b(load.getContext());
  b.setInsertionPointAfter(load);
  auto single = tile::RegistersAttr::get(b.getContext(), layout.getRows(),
                                         layout.getColumns(), /*vector=*/1,
                                         layout.getPaired());
  load.getResult().setType(type.cloneWithEncoding(single));
  auto dealt =
      tile::ConvertLayoutOp::create(b, load.getLoc(), type, load.getResult());
  load.getResult().replaceAllUsesExcept(dealt, dealt);
}

/// Whether the products of a kernel are of matrix instructions, all or none:
/// one layout of threads has to serve them.
static FailureOr<bool> hasNarrowProducts(gpu::GPUFuncOp kernel) {
  tile::DotOp narrow, wide;
  kernel.walk([&](tile::DotOp dot) { (isNarrow(dot) ? narrow : wide) = dot; });
  if (narrow && wide) {
    auto error = wide.emitOpError("has operands of 32 bits in a kernel with a "
                                  "product of 16 bits or tf32; expected one "
                                  "kind");
    error.attachNote(narrow.getLoc()) << "the product of 16 bits or tf32";
    return error;
  }
  return static_cast<bool>(narrow);
}

static LogicalResult assignLayouts(gpu::GPUFuncOp kernel) {
  auto size = kernel.getKnownBlockSize();
  if (!size || (*size)[0] % (kColumns * kRowMultiple))
    return kernel.emitError("needs 'known_block_size', a multiple of ")
           << kColumns * kRowMultiple << " threads";
  FailureOr<bool> isForMatrices = hasNarrowProducts(kernel);
  if (failed(isForMatrices))
    return failure();
  copySums(kernel);
  copyFreeOps(kernel);
  shareFactors(kernel);
  int64_t columns = *isForMatrices ? kMatrixColumns : kColumns;
  LayoutClasses classes({(*size)[0] / columns, columns, *isForMatrices});
  kernel.walk([&](Operation *op) { collect(op, classes); });
  for (Value value : classes.getTiles()) {
    FailureOr<Attribute> layout = classes.getLayout(value);
    if (failed(layout) || failed(encode(value, *layout)))
      return failure();
  }
  kernel.walk(dealOutResult);
  kernel.walk(dealOutLoad);
  return success();
}

namespace {
struct GpuAssignLayouts : attn::impl::GpuAssignLayoutsBase<GpuAssignLayouts> {
  void runOnOperation() override {
    for (auto kernel : getOperation().getOps<gpu::GPUFuncOp>())
      if (failed(assignLayouts(kernel)))
        return signalPassFailure();
  }
};
} // namespace
