#===- variants.py - All oracles, by the name of their variant --------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""The oracles of all families in one dictionary."""

import linear
import linear_features
import linear_weights
import local
import local_documents
import local_grids
import softmax
import softmax_pairs
import softmax_rows
import softmax_weights

LINEAR = {
    **linear.VARIANTS,
    **linear_features.VARIANTS,
    **linear_weights.VARIANTS,
}

VARIANTS = {
    **softmax.VARIANTS,
    **softmax_pairs.VARIANTS,
    **softmax_rows.VARIANTS,
    **softmax_weights.VARIANTS,
    **LINEAR,
    **local.VARIANTS,
    **local_documents.VARIANTS,
    **local_grids.VARIANTS,
}
