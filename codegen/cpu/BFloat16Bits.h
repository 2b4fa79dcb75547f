//===- BFloat16Bits.h - bf16 as integers in the LLVM dialect ----*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_CPU_BFLOAT16BITS_H
#define ATTN_CODEGEN_CPU_BFLOAT16BITS_H

#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/IR/PatternMatch.h"

namespace attn {

/// Makes bf16 an integer of 16 bits. LLVM would keep a bf16 value in a wider
/// register between blocks and round it again by calls of a library that is not
/// there; all arithmetic on bf16 is integer arithmetic by now.
void populateBFloat16AsBits(mlir::LLVMTypeConverter &types,
                            mlir::RewritePatternSet &patterns);

} // namespace attn

#endif // ATTN_CODEGEN_CPU_BFLOAT16BITS_H
