//===- AttnSyntax.h - Custom syntax of the regions of attn ops -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_DIALECT_ATTNSYNTAX_H
#define ATTN_DIALECT_ATTNSYNTAX_H

#include "mlir/IR/OpImplementation.h"

namespace attn {

/// Parses `(%a: type, %b, ...) { ... }`; arguments without a type are `index`.
mlir::ParseResult parseRegionWithArguments(mlir::OpAsmParser &parser,
                                           mlir::Region &region);

/// Prints a region that is not empty on a line of its own, after its keyword.
void printRegionWithArguments(mlir::OpAsmPrinter &printer,
                              llvm::StringRef keyword, mlir::Region &region);

/// The ODS directive `custom<AttendRegions>`.
mlir::ParseResult
parseAttendRegions(mlir::OpAsmParser &parser, mlir::Region &queryRows,
                   mlir::Region &keyRows, mlir::Region &valueRows,
                   mlir::Region &score, mlir::Region &mask, mlir::Region &keys,
                   mlir::Region &prob, mlir::Region &sink);
void printAttendRegions(mlir::OpAsmPrinter &printer, mlir::Operation *op,
                        mlir::Region &queryRows, mlir::Region &keyRows,
                        mlir::Region &valueRows, mlir::Region &score,
                        mlir::Region &mask, mlir::Region &keys,
                        mlir::Region &prob, mlir::Region &sink);

/// The ODS directive `custom<PartialRegions>`.
mlir::ParseResult parsePartialRegions(mlir::OpAsmParser &parser,
                                      mlir::Region &queryRows,
                                      mlir::Region &keyRows,
                                      mlir::Region &valueRows,
                                      mlir::Region &score, mlir::Region &mask,
                                      mlir::Region &keys, mlir::Region &prob);
void printPartialRegions(mlir::OpAsmPrinter &printer, mlir::Operation *op,
                         mlir::Region &queryRows, mlir::Region &keyRows,
                         mlir::Region &valueRows, mlir::Region &score,
                         mlir::Region &mask, mlir::Region &keys,
                         mlir::Region &prob);

/// The ODS directive `custom<RecurRows>`: two operands, or three with a key.
mlir::ParseResult
parseRecurRows(mlir::OpAsmParser &parser,
               mlir::OpAsmParser::UnresolvedOperand &query,
               std::optional<mlir::OpAsmParser::UnresolvedOperand> &key,
               mlir::OpAsmParser::UnresolvedOperand &value);
void printRecurRows(mlir::OpAsmPrinter &printer, mlir::Operation *op,
                    mlir::Value query, mlir::Value key, mlir::Value value);

/// The ODS directive `custom<RecurRowTypes>`: the types of these operands.
mlir::ParseResult parseRecurRowTypes(mlir::OpAsmParser &parser,
                                     mlir::Type &query, mlir::Type &key,
                                     mlir::Type &value);
void printRecurRowTypes(mlir::OpAsmPrinter &printer, mlir::Operation *op,
                        mlir::Type query, mlir::Type key, mlir::Type value);

/// The ODS directive `custom<RecurRegions>`.
mlir::ParseResult parseRecurRegions(mlir::OpAsmParser &parser,
                                    mlir::Region &queryRows,
                                    mlir::Region &keyRows,
                                    mlir::Region &valueRows,
                                    mlir::Region &norm);
void printRecurRegions(mlir::OpAsmPrinter &printer, mlir::Operation *op,
                       mlir::Region &queryRows, mlir::Region &keyRows,
                       mlir::Region &valueRows, mlir::Region &norm);

/// The ODS directive `custom<RecurChunkRegions>`: the same behind other
/// clauses.
mlir::ParseResult parseRecurChunkRegions(mlir::OpAsmParser &parser,
                                         mlir::Region &queryRows,
                                         mlir::Region &keyRows,
                                         mlir::Region &valueRows,
                                         mlir::Region &norm);
void printRecurChunkRegions(mlir::OpAsmPrinter &printer, mlir::Operation *op,
                            mlir::Region &queryRows, mlir::Region &keyRows,
                            mlir::Region &valueRows, mlir::Region &norm);

/// The ODS directive `custom<FirstTokens>`: the first query and the first key
/// of a block, `%i, %j`; where they have more than one index, `[%y, %x], [%v,
/// %u]`.
mlir::ParseResult parseFirstTokens(
    mlir::OpAsmParser &parser,
    llvm::SmallVectorImpl<mlir::OpAsmParser::UnresolvedOperand> &query,
    llvm::SmallVectorImpl<mlir::OpAsmParser::UnresolvedOperand> &key);
void printFirstTokens(mlir::OpAsmPrinter &printer, mlir::Operation *op,
                      mlir::OperandRange query, mlir::OperandRange key);

/// The ODS directive `custom<SinkRegion>`.
mlir::ParseResult parseSinkRegion(mlir::OpAsmParser &parser,
                                  mlir::Region &sink);
void printSinkRegion(mlir::OpAsmPrinter &printer, mlir::Operation *op,
                     mlir::Region &sink);

/// The ODS directive `custom<OptionalSinkRegion>`.
mlir::ParseResult parseOptionalSinkRegion(mlir::OpAsmParser &parser,
                                          mlir::Region &sink);
void printOptionalSinkRegion(mlir::OpAsmPrinter &printer, mlir::Operation *op,
                             mlir::Region &sink);

/// The ODS directive `custom<SameTypes>`: results have the operands' types.
mlir::ParseResult parseSameTypes(mlir::OpAsmParser &parser,
                                 llvm::SmallVectorImpl<mlir::Type> &operands,
                                 llvm::SmallVectorImpl<mlir::Type> &results);
void printSameTypes(mlir::OpAsmPrinter &printer, mlir::Operation *op,
                    mlir::TypeRange operands, mlir::TypeRange results);

/// The ODS directive `custom<RowRegion>`.
mlir::ParseResult parseRowRegion(mlir::OpAsmParser &parser, mlir::Region &rows);
void printRowRegion(mlir::OpAsmPrinter &printer, mlir::Operation *op,
                    mlir::Region &rows);

/// The ODS directive `custom<BlockListRegions>`.
mlir::ParseResult parseBlockListRegions(mlir::OpAsmParser &parser,
                                        mlir::Region &classes,
                                        mlir::Region &keys);
void printBlockListRegions(mlir::OpAsmPrinter &printer, mlir::Operation *op,
                           mlir::Region &classes, mlir::Region &keys);

/// The ODS directive `custom<OptionalRowRegion>`.
mlir::ParseResult parseOptionalRowRegion(mlir::OpAsmParser &parser,
                                         mlir::Region &rows);
void printOptionalRowRegion(mlir::OpAsmPrinter &printer, mlir::Operation *op,
                            mlir::Region &rows);

} // namespace attn

#endif // ATTN_DIALECT_ATTNSYNTAX_H
