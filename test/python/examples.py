#===- examples.py - Well-known score and mask functions -------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Score and mask functions as people write them for FlexAttention, on sequences of
`LENGTH` tokens; NumPy stands for PyTorch where that is missing."""

import math

import numpy as np

from naive import normal, to_library, xp

BATCH, HEADS, LENGTH = 2, 4, 70
_rng = np.random.default_rng(7)


def causal(b, h, q_idx, kv_idx):
    return q_idx >= kv_idx


WINDOW = 16


def sliding_window(b, h, q_idx, kv_idx):
    return (q_idx >= kv_idx) & (q_idx - kv_idx <= WINDOW)


def and_masks(*mask_mods):
    def and_mask(b, h, q_idx, kv_idx):
        result = True
        for mask in mask_mods:
            result = mask(b, h, q_idx, kv_idx) & result
        return result
    return and_mask


def or_masks(*mask_mods):
    def or_mask(b, h, q_idx, kv_idx):
        result = False
        for mask in mask_mods:
            result = mask(b, h, q_idx, kv_idx) | result
        return result
    return or_mask


prefix_length = to_library(np.array([5, 33]))


def prefix(b, h, q_idx, kv_idx):
    return kv_idx < prefix_length[b]


def generate_alibi(heads):
    def alibi(score, b, h, q_idx, kv_idx):
        scale = xp.exp2(-((h + 1) * 8.0 / heads))
        return score + (kv_idx - q_idx) * scale
    return alibi


def generate_softcap(cap):
    def softcap(score, b, h, q_idx, kv_idx):
        return cap * xp.tanh(score / cap)
    return softcap


def tanh(score, b, h, q_idx, kv_idx):
    return xp.tanh(score) * 3


document_id = to_library(np.sort(_rng.integers(0, 5, LENGTH)))


def document(b, h, q_idx, kv_idx):
    return (q_idx >= kv_idx) & (document_id[q_idx] == document_id[kv_idx])


def generate_natten(width, kernel):
    height = LENGTH // width

    def get_place(index):
        return index // width, index % width

    def natten(b, h, q_idx, kv_idx):
        q_y, q_x = get_place(q_idx)
        kv_y, kv_x = get_place(kv_idx)
        # Windows at the border are moved inside.
        centre_x = xp.clip(q_x, kernel // 2, width - 1 - kernel // 2)
        centre_y = xp.clip(q_y, kernel // 2, height - 1 - kernel // 2)
        return (xp.abs(centre_x - kv_x) <= kernel // 2) & (xp.abs(centre_y - kv_y) <= kernel // 2)
    return natten


def dilated(b, h, q_idx, kv_idx):
    return (xp.abs(q_idx - kv_idx) <= 12) & ((q_idx - kv_idx) % 3 == 0)


bias_table = normal(_rng, HEADS, 2 * LENGTH - 1)


def relative_bias(score, b, h, q_idx, kv_idx):
    return score + bias_table[h, q_idx - kv_idx + LENGTH - 1]


def relative_position(score, b, h, q_idx, kv_idx):
    return score + (q_idx - kv_idx)


# Nodes of a tree in the order in which they are met: a node sees its ancestors.
parents = [-1] + [int(_rng.integers(0, n)) for n in range(1, LENGTH)]
depth = np.zeros((LENGTH, LENGTH), bool)
for _node in range(LENGTH):
    _up = _node
    while _up >= 0:
        depth[_node, _up] = True
        _up = parents[_up]
is_ancestor = to_library(depth)


def tree(b, h, q_idx, kv_idx):
    return is_ancestor[q_idx, kv_idx]


def checkerboard(score, b, h, q_idx, kv_idx):
    score = xp.where(xp.abs(kv_idx - q_idx) % 2 == 1, score * 0.5, score)
    return xp.where((kv_idx - q_idx) % 2 == 0, score * 2.0, score)


slope_of_head = normal(_rng, HEADS)


def head_bias(score, b, h, q_idx, kv_idx):
    return score + 2 * slope_of_head[h]


keep_key = to_library(_rng.random((BATCH, LENGTH)) < 0.7)


def padding(b, h, q_idx, kv_idx):
    return keep_key[b, kv_idx]


def never(b, h, q_idx, kv_idx):
    return (q_idx >= kv_idx) & (q_idx > 3)


def cosine_decay(score, b, h, q_idx, kv_idx):
    distance = xp.abs(q_idx - kv_idx) / LENGTH
    return score + xp.log(xp.maximum(xp.cos(distance * math.pi / 2), xp.asarray(1e-3)))


# Name, score function, mask function.
EXAMPLES = [
    ("causal", None, causal),
    ("window", None, sliding_window),
    ("prefix", None, or_masks(prefix, causal)),
    ("alibi", generate_alibi(HEADS), causal),
    ("softcap", generate_softcap(2.0), None),
    ("document", None, document),
    ("natten", None, generate_natten(10, 5)),
    ("dilated", None, dilated),
    ("tanh", tanh, and_masks(causal, padding)),
    ("relative bias", relative_bias, None),
    ("relative position", relative_position, causal),
    ("tree", None, tree),
    ("checkerboard", checkerboard, None),
    ("head bias", head_bias, never),
    ("cosine decay", cosine_decay, None),
]
