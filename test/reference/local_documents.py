#===- local_documents.py - Oracles of sequences in one row -----------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Softmax attention of several sequences, side by side: variants/local/.

Each sequence is cut out, attended to on its own and put back: no mask says here
what belongs together. The conventions are those of softmax.py.
"""

from dataclasses import dataclass
from typing import Callable

import numpy as np

from softmax import SELF_ATTENTION, Variant, attend


def attend_apart(q, k, v, queries, keys, sees):
    """Attends each set of rows queries[s] to the rows keys[s] of one batch.

    sees(s, i, j) tells which key j of the set a query i of it sees; both count
    from 0 in the set. A row of no set, or of one without keys, sees no key.
    """
    out = np.zeros((*q.shape[:3], v.shape[3]), q.dtype)
    lse = np.full(q.shape[:3], -np.inf, q.dtype)
    for s, (rows, columns) in enumerate(zip(queries, keys)):
        if not len(rows) or not len(columns):
            continue
        part = attend(q[:, :, rows], k[:, :, columns], v[:, :, columns],
                      mask=lambda i, j: sees(s, i, j))
        out[:, :, rows], lse[:, :, rows] = part
    return out, lse


def attend_documents(q, k, v, document, sees):
    """Tokens of equal numbers in document [B, N] are a document of their own;
    sees(b, rows, i, j) is about the tokens `rows` of one of them."""
    results = []
    for b, numbers in enumerate(document):
        sets = [np.flatnonzero(numbers == n) for n in np.unique(numbers)]
        results.append(attend_apart(
            *(x[b:b + 1] for x in (q, k, v)), sets, sets,
            lambda s, i, j: sees(b, sets[s], i, j)))
    return tuple(np.concatenate(parts) for parts in zip(*results))


def document_causal(q, k, v, document):
    """Causal attention within each document of a row.

    M. Krell et al., "Efficient Sequence Packing without Cross-contamination",
    2021, arXiv:2107.02027; in causal form A. Grattafiori et al.,
    "The Llama 3 Herd of Models", 2024, arXiv:2407.21783, section 3.2.
    """
    return attend_documents(q, k, v, document, lambda b, rows, i, j: j <= i)


def document_window(q, k, v, document, window=1024):
    """The last `window` tokens of the document of each query.

    As document_causal, with the window of A. Q. Jiang et al., "Mistral 7B",
    2023, arXiv:2310.06825, section 2. Documents are consecutive tokens.
    """
    return attend_documents(q, k, v, document, lambda b, rows, i, j:
                            (j <= i) & (j > i - window))


def prefix_document(q, k, v, document, prefix_end):
    """In each document all tokens see the prefix, and the others what was
    before them.

    C. Raffel et al., "Exploring the Limits of Transfer Learning with a Unified
    Text-to-Text Transformer", 2020, arXiv:1910.10683, section 3.2.1, of several
    documents in a row. The prefix of the document of token i is what is before
    token prefix_end[b, i] of the row.
    """

    def sees(b, rows, i, j):
        in_prefix = rows[None, :] < prefix_end[b, rows][:, None]
        return in_prefix | (j <= i)

    return attend_documents(q, k, v, document, sees)


def varlen_causal(q, k, v, cu_seqlens_q, cu_seqlens_k):
    """Sequences of several lengths in one row, in each of them the queries are
    its last tokens.

    T. Dao, "FlashAttention-2: Faster Attention with Better Parallelism and Work
    Partitioning", 2023, arXiv:2307.08691 (its interface for sequences of
    different lengths, causal masks aligned at the end). Sequence s has the rows
    offsets[s] up to, not including, offsets[s + 1].
    """
    queries, keys = ([range(*ends) for ends in zip(offsets, offsets[1:])]
                     for offsets in (cu_seqlens_q, cu_seqlens_k))
    # Both count from the end; a key that is nearer to it comes later.
    return attend_apart(
        q, k, v, queries, keys,
        lambda s, i, j: len(keys[s]) - j >= len(queries[s]) - i)


def paged_causal(q, k, v, table, length):
    """The last tokens of each sequence, with keys and values in pages.

    W. Kwon et al., "Efficient Memory Management for Large Language Model
    Serving with PagedAttention", 2023, arXiv:2309.06180, section 4.1. The pages
    of a sequence are laid side by side and cut where its tokens end.
    """
    results = []
    for b, tokens in enumerate(length):
        # [pages, tokens, heads, D] to [1, heads, tokens, D].
        rows = [np.concatenate([pages[p] for p in table[b]]).swapaxes(0, 1)[
            None, :, :tokens] for pages in (k, v)]
        queries = q.shape[2]
        present = min(queries, tokens)
        out, lse = attend_apart(
            q[b:b + 1], *rows, [range(queries - present, queries)],
            [range(tokens)],
            lambda s, i, j: tokens - j >= present - i)
        results.append((out, lse))
    return tuple(np.concatenate(parts) for parts in zip(*results))


def cuts(generator, total, count):
    """count + 1 offsets from 0 to total, sorted; equal ones enclose nothing."""
    inner = np.sort(generator.integers(0, total + 1, count - 1))
    return np.concatenate([[0], inner, [total]])


def segments(generator, shape, sizes, count=6):
    """Sorted numbers below `count` along the last axis, some of them missing."""
    rows = [np.repeat(np.arange(count), np.diff(cuts(generator, shape[-1], count)))
            for _ in range(int(np.prod(shape[:-1])))]
    return np.array(rows, np.int32).reshape(shape)


@dataclass(frozen=True)
class Laid(Variant):
    """A variant with arguments that follow from others: layout(generator,
    arguments) returns them."""

    layout: Callable = None

    def random_arguments(self, generator, dims):
        arguments = super().random_arguments(generator, dims)
        return {**arguments, **self.layout(generator, arguments)}


def prefixes(generator, arguments):
    """A random prefix of each document: nothing, all of it, or a part."""
    ends = np.zeros_like(arguments["document"])
    for b, numbers in enumerate(arguments["document"]):
        for n in np.unique(numbers):
            tokens = np.flatnonzero(numbers == n)
            ends[b, tokens] = tokens[0] + generator.integers(0, len(tokens) + 1)
    return {"prefix_end": ends}


def random_packed(generator, arguments):
    """Sequences of random lengths, some of them 0 on one side or both. The last
    queries are of no sequence."""
    count = len(arguments["cu_seqlens_q"]) - 1
    queries, keys = (arguments[name].shape[2] for name in "qk")
    used = queries - generator.integers(0, min(queries, 4))
    return {"cu_seqlens_q": cuts(generator, used, count).astype(np.int32),
            "cu_seqlens_k": cuts(generator, keys, count).astype(np.int32)}


def cache(generator, arguments):
    """Pages in any order, and as many tokens as fit into them or fewer."""
    pages, size = arguments["k"].shape[:2]
    batch, most = arguments["table"].shape
    length = generator.integers(0, most * size + 1, batch)
    length[0] = most * size
    return {"table": generator.integers(0, pages, (batch, most), np.int32),
            "length": length.astype(np.int32)}


DOCUMENTS = {**SELF_ATTENTION, "document": ("B", "N")}

VARIANTS = {
    "document-causal": Variant(document_causal, DOCUMENTS,
                               fill={"document": segments}),
    "document-window": Variant(document_window, DOCUMENTS,
                               fill={"document": segments}),
    "prefix-document": Laid(
        prefix_document, {**DOCUMENTS, "prefix_end": ("B", "N")},
        fill={"document": segments}, layout=prefixes),
    "varlen-causal": Laid(
        varlen_causal,
        {"q": ("B", "H", "Nq", "D"), "k": ("B", "Hk", "Nk", "D"),
         "v": ("B", "Hk", "Nk", "D"), "cu_seqlens_q": ("G+1",),
         "cu_seqlens_k": ("G+1",)},
        {"B": 1, "D": 64}, layout=random_packed),
    "paged-causal": Laid(
        paged_causal,
        {"q": ("B", "H", "Nq", "D"), "k": ("P", "S", "Hk", "D"),
         "v": ("P", "S", "Hk", "D"), "table": ("B", "M"), "length": ("B",)},
        {"D": 64, "S": 16}, layout=cache),
}
