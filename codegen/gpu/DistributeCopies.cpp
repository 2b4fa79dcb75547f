//===- DistributeCopies.cpp - From global to shared memory ----------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A load into shared memory is a copy by all threads, consecutive threads
// taking consecutive elements: each row is read in whole sectors. It is there
// twice, without tests for tiles that lie inside of the view.
//
// Tiles of 16 bits are copied by asynchronous copies of 16 bytes where all rows
// of the view start at multiples of them. That is tested when the kernel runs.
// Gates of channels in kernels of matrix instructions are copied so, too.
// Whatever such a copy must not read it writes as zero: tiles at the end of a
// view are copied in a loop of those, and so are tiles whose rows have indices
// of their own, of which each is tested. Where rows are not aligned, elements
// are copied one by one.
//
//===----------------------------------------------------------------------===//

#include "codegen/gpu/DistributeTf32.h"
#include "codegen/gpu/Distributor.h"
#include "codegen/gpu/Window.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/NVGPU/IR/NVGPUDialect.h"
#include <numeric>

using namespace mlir;
using namespace attn;

namespace attn {
/// Copies a tile from a view to shared memory, in rounds of all threads.
class CopyEmitter {
public:
  CopyEmitter(Distributor &d, tile::LoadOp op)
      : d(d), b(d.b), op(op), type(Distributor::tileOf(op)),
        shape(getSharedShape(type)),
        window(
            d.makeWindow(op, op.getView(), op.getOffsets(), 2, op.getRows())),
        thread(d.threads.getThread()), buffer(d.getBuffer(op)) {}

  void emit();
  /// The same in little code, for a copy that is seldom made.
  void emitRolled();
  Value testInside();

private:
  /// Rounds whose loads come before any of their stores; of a copy that is
  /// seldom made, one, as its code stands beside that of another.
  static constexpr int64_t kBatch = 8, kSeldomBatch = 1;

  int64_t getElements() const { return shape.rows * shape.columns; }
  int64_t getRounds() const {
    return llvm::divideCeil(getElements(), d.threads.getThreads());
  }
  std::pair<Value, Value> getElement(Value round);
  void emitLoop(bool guarded, int64_t most = kBatch);
  void emitBatch(Value first, int64_t count, bool guarded);

  Distributor &d;
  ImplicitLocOpBuilder &b;
  tile::LoadOp op;
  RankedTensorType type;
  SharedShape shape;
  Window window;
  Value thread, buffer;
};
} // namespace attn

/// The element that the thread copies in a round.
std::pair<Value, Value> CopyEmitter::getElement(Value round) {
  Value number = d.add(d.mul(round, d.index(d.threads.getThreads())),
                       d.keepBesideState(thread, op));
  Value columns = d.index(shape.columns);
  return {arith::DivUIOp::create(b, number, columns),
          arith::RemUIOp::create(b, number, columns)};
}

/// Whether the whole tile lies in the view; null if it never does as a whole.
Value CopyEmitter::testInside() {
  // Of indexed rows, each is tested.
  bool isWhole = !window.isIndexed() && type.getDimSize(0) == shape.rows &&
                 type.getDimSize(1) == shape.columns &&
                 getElements() % d.threads.getThreads() == 0;
  if (!isWhole)
    return {};
  const Window window{op.getView(), op.getOffsets(), 2, op.getRows()};
  Value inside = testLeading(b, window);
  for (int64_t dim : {0, 1}) {
    if (isKnownInside(window, dim, type.getDimSize(dim)))
      continue;
    Value offset = window.offsets[window.getDim(dim)];
    auto compare = [&](arith::CmpIPredicate predicate, Value x, Value y) {
      inside = d.both(inside, arith::CmpIOp::create(b, predicate, x, y));
    };
    compare(arith::CmpIPredicate::sge, offset, d.index(0));
    compare(arith::CmpIPredicate::sle,
            d.add(offset, d.index(type.getDimSize(dim))),
            getSize(b, window, window.getDim(dim)));
  }
  return inside ? inside : arith::ConstantOp::create(b, b.getBoolAttr(true));
}

void CopyEmitter::emitBatch(Value first, int64_t count, bool guarded) {
  Type element = type.getElementType();
  bool isTf32 = isReadAsTf32(op.getResult());
  Value leading = guarded ? testLeading(b, window) : Value();
  SmallVector<std::tuple<Value, Value, Value>> stores;
  bool isRagged = getElements() % d.threads.getThreads();
  for (int64_t n = 0; n < count; ++n) {
    auto [row, column] = getElement(d.add(first, d.index(n)));
    Value inside = leading, exists;
    if (guarded) {
      SmallVector<Value> place{row, column};
      for (auto [dim, position] : llvm::enumerate(place)) {
        Value offset = window.offsets[window.getDim(dim)];
        if (type.getDimSize(dim) != (dim ? shape.columns : shape.rows))
          inside =
              d.both(inside, d.isLess(position, d.index(type.getDimSize(dim))));
        if (dim == 0 && window.isIndexed())
          inside = d.both(inside, testRow(b, window, position));
        else if (!isKnownInside(window, dim, type.getDimSize(dim)))
          inside =
              d.both(inside, d.isLess(d.add(offset, position),
                                      getSize(b, window, window.getDim(dim))));
      }
      if (isRagged)
        exists = d.isLess(row, d.index(shape.rows));
    }
    Value read =
        guard(b, inside, element, [&] {
          return SmallVector<Value>{memref::LoadOp::create(
              b, op.getView(), getPositions(b, window, {row, column}))};
        }).front();
    if (isTf32)
      read = roundToTf32(b, read);
    stores.push_back({read, d.getPlace(type, row, column), exists});
  }
  for (auto [value, place, exists] : stores)
    guard(b, exists, {}, [&, value = value, place = place] {
      memref::StoreOp::create(b, value, buffer, place);
      return SmallVector<Value>{};
    });
}

/// Asks LLVM not to unroll a loop that seldom runs: what it would compute ahead
/// needs registers.
static void keepRolled(scf::ForOp loop) {
  MLIRContext *context = loop.getContext();
  auto yes = BoolAttr::get(context, true);
  auto unroll = LLVM::LoopUnrollAttr::get(context, /*disable=*/yes, {}, {}, {},
                                          {}, {}, {});
  loop->setAttr("llvm.loop_annotation",
                LLVM::LoopAnnotationAttr::get(context, {}, {}, {}, unroll, {},
                                              {}, {}, {}, {}, {}, {}, {}, {},
                                              {}, {}));
}

void CopyEmitter::emitLoop(bool guarded, int64_t most) {
  int64_t rounds = getRounds(), batch = std::min(most, rounds);
  int64_t inLoop = rounds / batch * batch;
  auto loop =
      scf::ForOp::create(b, d.index(0), d.index(inLoop), d.index(batch));
  if (most == kSeldomBatch)
    keepRolled(loop);
  {
    OpBuilder::InsertionGuard insertion(b);
    b.setInsertionPointToStart(loop.getBody());
    emitBatch(loop.getInductionVar(), batch, guarded);
  }
  if (inLoop < rounds)
    emitBatch(d.index(inLoop), rounds - inLoop, guarded);
}

void CopyEmitter::emit() {
  Value inside = testInside();
  if (!inside)
    return emitLoop(/*guarded=*/true);
  auto choice = scf::IfOp::create(b, inside, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard insertion(b);
  b.setInsertionPointToStart(choice.thenBlock());
  emitLoop(/*guarded=*/false);
  b.setInsertionPointToStart(choice.elseBlock());
  emitLoop(/*guarded=*/true);
}

void CopyEmitter::emitRolled() {
  d.keepSeldom(window, thread, op);
  emitLoop(/*guarded=*/true, kSeldomBatch);
}

//===----------------------------------------------------------------------===//
// Groups of 16 bytes
//===----------------------------------------------------------------------===//

namespace attn {
/// Copies a tile by asynchronous copies of 16 bytes.
class GroupCopyEmitter {
public:
  GroupCopyEmitter(Distributor &d, tile::LoadOp op)
      : d(d), b(d.b), op(op), type(Distributor::tileOf(op)),
        shape(getSharedShape(type)),
        window(
            d.makeWindow(op, op.getView(), op.getOffsets(), 2, op.getRows())),
        parameter(getParameter(op.getView())), columns(getGroupColumns(type)),
        perRow(shape.columns / columns), groups(shape.rows * perRow),
        buffer(d.getBuffer(op)) {}

  /// Whether rows of the tile are groups that all lie in rows of the view.
  bool isPossible();
  void emit();
  /// The same element by element. Each thread copies the elements of its
  /// groups, which it may change before others read them.
  void emitElements();

private:
  std::pair<Value, Value> getGroup(Value number);
  void emitWhole();
  void emitGuarded();
  Value testGroup(Value leading, Value row, Value column);
  void copy(Value place, Value view, ValueRange at, Value elements);

  Distributor &d;
  ImplicitLocOpBuilder &b;
  tile::LoadOp op;
  RankedTensorType type;
  SharedShape shape;
  Window window;
  Value parameter; ///< Of the kernel, whose rows the view has.
  int64_t columns, perRow, groups;
  Value buffer;
};
} // namespace attn

/// Bytes of an asynchronous copy.
static constexpr int64_t kGroupBytes = 16;

/// Whether a copy is one of 32 bits that runs ahead: of a product of tf32.
static bool isOfWords(tile::LoadOp op) {
  return op.getAsync() &&
         cast<RankedTensorType>(op.getType()).getElementTypeBitWidth() == 32;
}

bool GroupCopyEmitter::isPossible() {
  // Groups are inside as a whole or not at all. A block of columns that may be
  // cut off is that of a recurrence, which has no registers for the addresses
  // of groups, unless it asks for copies that run ahead.
  int64_t size = window.getType().getShape().back();
  bool areWhole =
      isKnownInside(window, 1, type.getDimSize(1)) ||
      (op.getStage() && !ShapedType::isDynamic(size) && size % columns == 0);
  bool isWanted =
      type.getElementTypeBitWidth() == 16 || isOfWords(op) || d.decaysInBands();
  return isWanted && areWhole && isMultiple(window.offsets.back(), columns) &&
         type.getDimSize(1) % columns == 0 && isa<BlockArgument>(parameter);
}

memref::ExtractStridedMetadataOp Distributor::getMetadata(Value parameter) {
  memref::ExtractStridedMetadataOp &known = metadata[parameter];
  if (!known)
    known =
        memref::ExtractStridedMetadataOp::create(threads.atEntry(), parameter);
  return known;
}

Value Distributor::testAligned(Value parameter) {
  Value &known = aligned[parameter];
  if (known)
    return known;
  memref::ExtractStridedMetadataOp view = getMetadata(parameter);
  ImplicitLocOpBuilder &at = threads.atEntry();
  int64_t bits = cast<MemRefType>(parameter.getType()).getElementTypeBitWidth();
  auto bytes = [&](Value elements) -> Value {
    return arith::MulIOp::create(at, elements, index(bits / 8));
  };
  Value places = arith::AddIOp::create(
      at, memref::ExtractAlignedPointerAsIndexOp::create(at, parameter),
      bytes(view.getOffset()));
  for (Value stride : view.getStrides().drop_back())
    places = arith::OrIOp::create(at, places, bytes(stride));
  Value rest = arith::RemUIOp::create(at, places, index(kGroupBytes));
  return known = arith::CmpIOp::create(at, arith::CmpIPredicate::eq, rest,
                                       index(0));
}

/// Row and first column of a group.
std::pair<Value, Value> GroupCopyEmitter::getGroup(Value number) {
  Value row = arith::DivUIOp::create(b, number, d.index(perRow));
  Value inRow = arith::RemUIOp::create(b, number, d.index(perRow));
  return {row, d.mul(inRow, d.index(columns))};
}

void GroupCopyEmitter::copy(Value place, Value view, ValueRange at,
                            Value elements) {
  auto token = nvgpu::DeviceAsyncTokenType::get(b.getContext());
  nvgpu::DeviceAsyncCopyOp::create(b, token, buffer, ValueRange{place}, view,
                                   at, b.getIndexAttr(columns), elements,
                                   /*bypassL1=*/b.getUnitAttr());
}

/// Numbers of 32 bits that the loop around `op` carries; tiles are such
/// already.
static int64_t countCarried(tile::LoadOp op) {
  auto loop = dyn_cast<scf::ForOp>(op->getParentOp());
  return loop ? llvm::count_if(
                    loop.getRegionIterArgs(),
                    [](Value argument) { return argument.getType().isF32(); })
              : 0;
}

/// Whether the loop around `op` carries more than a quarter of the registers of
/// a thread, as a state of two bands of rows does with a denominator. Then not
/// even the start of a tile has room through the loop.
static bool carriesMuch(tile::LoadOp op) {
  constexpr int64_t quarter = 64;
  return countCarried(op) > quarter;
}

/// Whether the loop around `op` follows another one, over whole blocks of keys,
/// and carries sums that take half of the registers of a thread. What it seldom
/// needs has no room through the first loop.
static bool isSecondOfWide(tile::LoadOp op) {
  constexpr int64_t half = 128;
  if (countCarried(op) < half)
    return false;
  Operation *before = op->getParentOp()->getPrevNode();
  while (before && !isa<scf::ForOp>(before))
    before = before->getPrevNode();
  return before;
}

/// A tile that lies in the view as a whole. The view is one row of elements
/// here: what a thread adds to the start of the tile is computed once.
void GroupCopyEmitter::emitWhole() {
  memref::ExtractStridedMetadataOp view = d.getMetadata(parameter);
  auto flat = memref::ReinterpretCastOp::create(
      d.threads.atEntry(),
      MemRefType::get({ShapedType::kDynamic}, type.getElementType()),
      view.getBaseBuffer(), /*offset=*/OpFoldResult(b.getIndexAttr(0)),
      /*sizes=*/ArrayRef<OpFoldResult>{d.index(0)},
      /*strides=*/ArrayRef<OpFoldResult>{b.getIndexAttr(1)});
  Value start = view.getOffset();
  SmallVector<Value> offsets(carriesMuch(op) ? ValueRange(window.offsets)
                                             : ValueRange(op.getOffsets()));
  if (d.hasTermsBesideState() || isSecondOfWide(op))
    for (Value &offset : MutableArrayRef(offsets).drop_back(2))
      if (!getConstantIntValue(offset))
        offset = d.keepInLoop(offset, op);
  for (auto [offset, stride] : llvm::zip_equal(offsets, view.getStrides()))
    start = d.add(start, d.mul(offset, stride));
  // So many copies on, the thread is in the same column again: behind 128
  // groups in rows of 8, 384 in rows of 24.
  int64_t threads = d.threads.getThreads();
  int64_t period = perRow / std::gcd(threads, perRow);
  int64_t rows = period * threads / perRow, count = groups / threads;
  Value stride = view.getStrides()[window.getDim(0)];
  Value step = period < count ? d.mul(stride, d.index(rows)) : Value();
  // LLVM adds it to the start of the view, two registers for each.
  if (step && d.hasTermsBesideState())
    step = d.keepInLoop(step, op);
  SmallVector<Value> from;
  for (int64_t n = 0; n < count; ++n) {
    int64_t first = n % period * threads, rounds = n / period;
    Value number = d.keepBesideState(d.threads.getThread(), op);
    if (first)
      number = d.add(number, d.index(first));
    auto [row, column] = getGroup(number);
    // One after the other: the multiples of a step would take registers.
    if (rounds)
      from[n % period] = d.add(from[n % period], step);
    else
      from.push_back(d.add(start, d.add(d.mul(row, stride), column)));
    if (rounds)
      row = d.add(row, d.index(rounds * rows));
    copy(d.getPlace(type, row, column), flat, from[n % period], Value());
  }
}

/// Whether the element at `row` and `column` lies in the view.
Value GroupCopyEmitter::testGroup(Value leading, Value row, Value column) {
  Value inside = leading;
  if (type.getDimSize(0) != shape.rows)
    inside = d.both(inside, d.isLess(row, d.index(type.getDimSize(0))));
  if (window.isIndexed()) {
    inside = d.both(inside, testRow(b, window, row));
  } else {
    Value position = d.add(window.offsets[window.getDim(0)], row);
    inside = d.both(inside,
                    d.isLess(position, getSize(b, window, window.getDim(0))));
  }
  if (!isKnownInside(window, 1, type.getDimSize(1))) {
    Value position = d.add(window.offsets.back(), column);
    inside = d.both(inside,
                    d.isLess(position, getSize(b, window, window.getDim(1))));
  }
  return inside;
}

/// A tile of which parts may lie outside: those are written as zero.
void GroupCopyEmitter::emitGuarded() {
  Value thread = d.threads.getThread();
  Window window = this->window;
  // Indexed rows have no other copy: they are not seldom.
  if (!window.isIndexed())
    d.keepSeldom(window, thread, op);
  Value leading = testLeading(b, window);
  thread = d.keepBesideState(thread, op);
  auto loop = scf::ForOp::create(b, thread, d.index(groups),
                                 d.index(d.threads.getThreads()));
  // There is no other copy of indexed rows.
  if (!window.isIndexed())
    keepRolled(loop);
  OpBuilder::InsertionGuard insertion(b);
  b.setInsertionPointToStart(loop.getBody());
  auto [row, column] = getGroup(loop.getInductionVar());
  Value inside = testGroup(leading, row, column);
  Value elements =
      arith::SelectOp::create(b, inside, d.index(columns), d.index(0));
  copy(d.getPlace(type, row, column), parameter,
       getPositions(b, window, {row, column}), elements);
}

void GroupCopyEmitter::emitElements() {
  Value thread = d.threads.getThread();
  Window window = this->window;
  d.keepSeldom(window, thread, op);
  Value leading = testLeading(b, window);
  auto loop = scf::ForOp::create(b, thread, d.index(groups),
                                 d.index(d.threads.getThreads()));
  keepRolled(loop);
  OpBuilder::InsertionGuard insertion(b);
  b.setInsertionPointToStart(loop.getBody());
  auto [row, column] = getGroup(loop.getInductionVar());
  for (int64_t n = 0; n < columns; ++n) {
    Value at = d.add(column, d.index(n));
    Value inside = testGroup(leading, row, at);
    if (type.getDimSize(1) != shape.columns)
      inside = d.both(inside, d.isLess(at, d.index(type.getDimSize(1))));
    Value read = guard(b, inside, type.getElementType(), [&, row = row] {
                   return SmallVector<Value>{memref::LoadOp::create(
                       b, op.getView(), getPositions(b, window, {row, at}))};
                 }).front();
    memref::StoreOp::create(b, read, buffer, d.getPlace(type, row, at));
  }
}

void GroupCopyEmitter::emit() {
  CopyEmitter elements(d, op);
  Value isAligned = d.testAligned(parameter), isInside = elements.testInside();
  OpBuilder::InsertionGuard insertion(b);
  // A block of columns is copied in little code, for the same reason.
  bool areAllColumns = isKnownInside(window, 1, type.getDimSize(1));
  if (isInside && areAllColumns && groups % d.threads.getThreads() == 0) {
    auto whole = scf::IfOp::create(b, d.both(isAligned, isInside),
                                   /*withElseRegion=*/true);
    b.setInsertionPointToStart(whole.thenBlock());
    emitWhole();
    b.setInsertionPointToStart(whole.elseBlock());
  }
  auto choice = scf::IfOp::create(b, isAligned, /*withElseRegion=*/true);
  b.setInsertionPointToStart(choice.thenBlock());
  emitGuarded();
  b.setInsertionPointToStart(choice.elseBlock());
  isOfWords(op) ? emitElements() : elements.emitRolled();
}

void Distributor::copyToShared(tile::LoadOp op) {
  // Buffers are known behind the branch, too.
  GroupCopyEmitter groups(*this, op);
  CopyEmitter elements(*this, op);
  guard(b, op.getWhen(), {}, [&] {
    if (groups.isPossible())
      groups.emit();
    else
      isOfWords(op) ? groups.emitElements() : elements.emit();
    return SmallVector<Value>{};
  });
  // Awaits of a ring count the copies, however they were made.
  if (!groups.isPossible() && !op.getStage())
    return;
  NVVM::CpAsyncCommitGroupOp::create(b);
  hasOpenCopies |= !op.getAsync();
  // Others read what a thread copies behind a barrier. Loops over chunks copy
  // several tiles in front of one, and wait there for all of them.
  if (!updatesState())
    awaitCopies();
}

/// Rounds the groups that the thread copied.
void Distributor::roundCopied(tile::AwaitOp op) {
  RankedTensorType type = tileOf(op);
  SharedShape shape = getSharedShape(type);
  int64_t columns = getGroupColumns(type), perRow = shape.columns / columns;
  int64_t groups = shape.rows * perRow, all = threads.getThreads();
  // So many groups on, the thread is in the same column again.
  int64_t period = perRow / std::gcd(all, perRow);
  int64_t distance = period * all / perRow *
                     cast<tile::SharedAttr>(type.getEncoding()).getRow();
  auto vector = VectorType::get(columns, type.getElementType());
  SmallVector<Value> places;
  Value thread = threads.getThread();
  if (isShortOfRegisters())
    thread = keepInLoop(thread, op);
  for (int64_t n = 0; n * all < groups; ++n) {
    Value number = add(thread, index(n * all));
    if (n < period) {
      Value row = arith::DivUIOp::create(b, number, index(perRow));
      Value group = arith::RemUIOp::create(b, number, index(perRow));
      places.push_back(getPlace(type, row, mul(group, index(columns))));
    }
    Value place = add(places[n % period], index(n / period * distance));
    Value exists =
        (n + 1) * all <= groups ? Value() : isLess(number, index(groups));
    guard(b, exists, {}, [&] {
      Values values = readShared(op, place, columns);
      for (Value &value : values)
        value = roundToTf32(b, value);
      vector::StoreOp::create(
          b, vector::FromElementsOp::create(b, vector, values), getBuffer(op),
          ValueRange{place}, /*nontemporal=*/false, llvm::Align(kGroupBytes));
      return Values{};
    });
  }
}

void Distributor::awaitCopies() {
  if (hasOpenCopies)
    NVVM::CpAsyncWaitGroupOp::create(b, 0);
  hasOpenCopies = false;
}
