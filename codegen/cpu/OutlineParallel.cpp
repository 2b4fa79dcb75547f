//===- OutlineParallel.cpp - Functions for loops over blocks --------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Terms: a block is one iteration of an scf.forall, numbered in row-major
// order; scratch is the memory that replaces the allocas of its body.
//
// Steps for each loop: (1) scf.forall becomes a serial scf.for over the number
// of the block, which computes the indices of the block by division; (2)
// allocas become views of a buffer outside of that loop; (3) the loop moves
// into a function, with a range of its own and what it reads from outside as
// arguments.
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/SCF/Transforms/Transforms.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Interfaces/DataLayoutInterfaces.h"
#include "mlir/Transforms/RegionUtils.h"
#include "llvm/Support/MathExtras.h"

namespace attn {
#define GEN_PASS_DEF_OUTLINEPARALLEL
#include "codegen/cpu/Passes.h.inc"
} // namespace attn

using namespace mlir;
using namespace attn;

/// Scratch buffers start on cache lines.
static constexpr int64_t kScratchAlignment = 64;

/// More than a second-level cache holds: a schedule that needs it is a mistake.
static constexpr int64_t kLargestScratch = 8 << 20;

//===----------------------------------------------------------------------===//
// Step 1: a serial loop over the numbers of the blocks
//===----------------------------------------------------------------------===//

/// How often each dimension of `loop` runs: max(0, ceil((ub - lb) / step)).
static SmallVector<Value> getTripCounts(RewriterBase &rewriter,
                                        scf::ForallOp loop) {
  Location loc = loop.getLoc();
  Value zero = arith::ConstantIndexOp::create(rewriter, loc, 0);
  SmallVector<Value> counts;
  for (auto [lower, upper, step] :
       llvm::zip_equal(loop.getLowerBound(rewriter),
                       loop.getUpperBound(rewriter), loop.getStep(rewriter))) {
    Value length = rewriter.createOrFold<arith::SubIOp>(loc, upper, lower);
    Value count = rewriter.createOrFold<arith::CeilDivSIOp>(loc, length, step);
    counts.push_back(rewriter.createOrFold<arith::MaxSIOp>(loc, count, zero));
  }
  return counts;
}

/// The induction variables of block `number`.
static SmallVector<Value> getIndices(RewriterBase &rewriter, scf::ForallOp loop,
                                     Value number, ValueRange counts) {
  Location loc = loop.getLoc();
  SmallVector<Value> lower = loop.getLowerBound(rewriter);
  SmallVector<Value> step = loop.getStep(rewriter);
  SmallVector<Value> indices(counts.size());
  for (size_t d = counts.size(); d-- > 0;) {
    Value position = number;
    if (d > 0) {
      position = arith::RemUIOp::create(rewriter, loc, number, counts[d]);
      number = arith::DivUIOp::create(rewriter, loc, number, counts[d]);
    }
    Value offset = rewriter.createOrFold<arith::MulIOp>(loc, position, step[d]);
    indices[d] = rewriter.createOrFold<arith::AddIOp>(loc, offset, lower[d]);
  }
  return indices;
}

/// Replaces `loop` by a serial loop, to which it returns.
static scf::ForOp makeSerial(RewriterBase &rewriter, scf::ForallOp loop) {
  Location loc = loop.getLoc();
  rewriter.setInsertionPoint(loop);
  SmallVector<Value> counts = getTripCounts(rewriter, loop);
  Value zero = arith::ConstantIndexOp::create(rewriter, loc, 0);
  Value one = arith::ConstantIndexOp::create(rewriter, loc, 1);
  Value total = one;
  for (Value count : counts)
    total = rewriter.createOrFold<arith::MulIOp>(loc, total, count);
  auto serial = scf::ForOp::create(rewriter, loc, zero, total, one);
  rewriter.setInsertionPointToStart(serial.getBody());
  SmallVector<Value> indices =
      getIndices(rewriter, loop, serial.getInductionVar(), counts);
  rewriter.eraseOp(loop.getTerminator());
  rewriter.inlineBlockBefore(loop.getBody(), serial.getBody()->getTerminator(),
                             indices);
  rewriter.eraseOp(loop);
  return serial;
}

/// Turns the loops inside `loop` that could run in parallel into serial ones:
/// the outer one gives enough to do.
static LogicalResult makeInnerSerial(RewriterBase &rewriter,
                                     scf::ForallOp loop) {
  SmallVector<scf::ForallOp> inner;
  loop.getBody()->walk([&](scf::ForallOp op) { inner.push_back(op); });
  for (scf::ForallOp op : inner)
    if (failed(scf::forallToForLoop(rewriter, op)))
      return op.emitOpError("cannot be turned into loops");
  return success();
}

//===----------------------------------------------------------------------===//
// Step 2: scratch memory
//===----------------------------------------------------------------------===//

namespace {
/// Where the allocas of a body go.
struct ScratchLayout {
  SmallVector<std::pair<memref::AllocaOp, int64_t>> offsets;
  int64_t bytes = 0;
};
} // namespace

static FailureOr<ScratchLayout> layOutScratch(scf::ForallOp loop) {
  ScratchLayout layout;
  DataLayout dataLayout = DataLayout::closest(loop);
  WalkResult result = loop.getBody()->walk([&](memref::AllocaOp op) {
    MemRefType type = op.getType();
    if (!type.hasStaticShape() || !type.getLayout().isIdentity()) {
      op.emitOpError("in a block must have static shape and no layout, got ")
          << type;
      return WalkResult::interrupt();
    }
    layout.offsets.push_back({op, layout.bytes});
    int64_t size = dataLayout.getTypeSize(type.getElementType());
    // Sizes that overflow are caught here, before they are added up.
    int64_t elements = type.getNumElements();
    if (elements < 0 || elements > kLargestScratch) {
      op.emitOpError("is larger than scratch memory, got ") << type;
      return WalkResult::interrupt();
    }
    layout.bytes += llvm::alignTo(size * elements, kScratchAlignment);
    return WalkResult::advance();
  });
  if (result.wasInterrupted())
    return failure();
  if (layout.bytes > kLargestScratch)
    return loop.emitError("a block needs ")
           << layout.bytes << " bytes of scratch memory, at most "
           << kLargestScratch
           << " are allowed; make block_q or block_k smaller";
  return layout;
}

/// Makes the buffer before `serial`, and the allocas views of it.
static Value makeScratch(RewriterBase &rewriter, scf::ForOp serial,
                         const ScratchLayout &layout) {
  rewriter.setInsertionPoint(serial);
  auto type = MemRefType::get({layout.bytes}, rewriter.getI8Type());
  Value scratch =
      memref::AllocaOp::create(rewriter, serial.getLoc(), type,
                               rewriter.getI64IntegerAttr(kScratchAlignment));
  rewriter.setInsertionPointToStart(serial.getBody());
  for (auto [alloca, start] : layout.offsets) {
    Location loc = alloca.getLoc();
    // Views use types in the default memory space, as scratch does.
    Value offset = arith::ConstantIndexOp::create(rewriter, loc, start);
    Value view = memref::ViewOp::create(rewriter, loc, alloca.getType(),
                                        scratch, offset, ValueRange());
    rewriter.replaceOp(alloca, view);
  }
  return scratch;
}

//===----------------------------------------------------------------------===//
// Step 3: a function
//===----------------------------------------------------------------------===//

/// What `serial` reads from outside, but for its scratch. Constants are copied
/// into it.
static SmallVector<Value> takeCaptures(RewriterBase &rewriter,
                                       scf::ForOp serial, Value scratch) {
  SetVector<Value> used;
  getUsedValuesDefinedAbove(serial.getRegion(), used);
  SmallVector<Value> captures;
  rewriter.setInsertionPointToStart(serial.getBody());
  for (Value value : used) {
    Operation *definition = value.getDefiningOp();
    if (definition && definition->hasTrait<OpTrait::ConstantLike>())
      replaceAllUsesInRegionWith(
          value, rewriter.clone(*definition)->getResult(0), serial.getRegion());
    else if (value != scratch)
      captures.push_back(value);
  }
  return captures;
}

static LogicalResult verifyCaptures(scf::ForOp serial, ValueRange captures) {
  for (Value value : captures)
    if (isa<TensorType>(value.getType()))
      return serial.emitError("a block reads a tensor from outside, of type ")
             << value.getType() << "; expected it in a memref";
  return success();
}

/// Makes the function that runs `serial` on a range of its own, and moves the
/// loop into it. `outside` becomes its arguments behind the range.
static func::FuncOp makeFunction(RewriterBase &rewriter, SymbolTable &symbols,
                                 func::FuncOp parent, scf::ForOp serial,
                                 ValueRange outside) {
  Location loc = serial.getLoc();
  SmallVector<Type> types(2, rewriter.getIndexType());
  llvm::append_range(types, outside.getTypes());
  auto function =
      func::FuncOp::create(loc, (parent.getName() + "_blocks").str(),
                           rewriter.getFunctionType(types, {}));
  function.setPrivate();
  symbols.insert(function, std::next(Block::iterator(parent)));
  Block *entry = function.addEntryBlock();
  rewriter.setInsertionPointToStart(entry);
  Value one = arith::ConstantIndexOp::create(rewriter, loc, 1);
  auto end = func::ReturnOp::create(rewriter, loc);
  for (auto [value, argument] :
       llvm::zip_equal(outside, entry->getArguments().drop_front(2)))
    replaceAllUsesInRegionWith(value, argument, serial.getRegion());
  rewriter.moveOpBefore(serial, end);
  serial.setLowerBound(entry->getArgument(0));
  serial.setUpperBound(entry->getArgument(1));
  serial.setStep(one);
  return function;
}

/// Turns one loop into a call of a function.
static LogicalResult outline(scf::ForallOp loop, SymbolTable &symbols) {
  if (loop.getNumResults())
    return loop.emitOpError(
        "must not yield tensors here, expected its blocks to "
        "write memrefs");
  auto parent = loop->getParentOfType<func::FuncOp>();
  if (!parent)
    return loop.emitOpError("must be in a function");
  IRRewriter rewriter(loop.getContext());
  if (failed(makeInnerSerial(rewriter, loop)))
    return failure();
  FailureOr<ScratchLayout> layout = layOutScratch(loop);
  if (failed(layout))
    return failure();

  Location loc = loop.getLoc();
  scf::ForOp serial = makeSerial(rewriter, loop);
  Value scratch = makeScratch(rewriter, serial, *layout);
  SmallVector<Value> outside = takeCaptures(rewriter, serial, scratch);
  if (failed(verifyCaptures(serial, outside)))
    return failure();
  outside.insert(outside.begin(), scratch);

  SmallVector<Value> operands = {serial.getLowerBound(),
                                 serial.getUpperBound()};
  llvm::append_range(operands, outside);
  Operation *place = scratch.getDefiningOp();
  func::FuncOp function =
      makeFunction(rewriter, symbols, parent, serial, outside);
  rewriter.setInsertionPointAfter(place);
  auto call = func::CallOp::create(rewriter, loc, function, operands);
  call->setAttr(kScratchBytesAttr, rewriter.getI64IntegerAttr(layout->bytes));
  return success();
}

namespace {
struct OutlineParallel : attn::impl::OutlineParallelBase<OutlineParallel> {
  void runOnOperation() override {
    SmallVector<scf::ForallOp> loops;
    getOperation()->walk<WalkOrder::PreOrder>([&](scf::ForallOp loop) {
      loops.push_back(loop);
      return WalkResult::skip();
    });
    SymbolTable symbols(getOperation());
    for (scf::ForallOp loop : loops)
      if (failed(outline(loop, symbols)))
        return signalPassFailure();
  }
};
} // namespace
