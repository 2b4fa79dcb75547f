//===- RecurBlocks.h - Recurrences as loops over chunks ---------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_RECURBLOCKS_H
#define ATTN_PASSES_RECURBLOCKS_H

#include "dialect/AttnDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace attn {

/// Replaces `op`, which has a schedule, by independent blocks of columns of the
/// state, each with a loop over chunks of tokens. Fails with an error on `op`
/// if the schedule does not fit.
llvm::LogicalResult splitRecurrence(RecurOp op);

/// Tells passes that make kernels of blocks what the schedule says of these.
void passOn(ScheduleAttr schedule, mlir::scf::ForallOp blocks);

} // namespace attn

#endif // ATTN_PASSES_RECURBLOCKS_H
