#===- chunked_linear.py - Linear attention with decay in PyTorch -----------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Chunkwise linear attention as one would write it with PyTorch's products.

  S_t = Diag(exp(g_t)) S_(t-1) + k_t v_t^T,   out_t = S_t^T q_t

q, k [B, H, N, K], v [B, H, N, V]; gates g are logarithms, at most 0, for each
head [H], token [B, H, N] or channel [B, H, N, K]. With G the sum of the gates of
a chunk up to a token,

  A   = tril(<q_i exp(G_i), k_j exp(-G_j)>)     within the chunk
  out = A v + (q exp(G)) S
  S'  = exp(G_last) S + (k exp(G_last - G))^T v

No exponent is ever large: for gates of heads and tokens A is q k^T times a
matrix exp(G_i - G_j), and for gates of channels rows are taken 16 at a time, whose
exponents are relative to the first one of them (see `get_channel_scores`).

`run_batched` computes all chunks at once and keeps the state before each of them;
`run_stepwise` takes one chunk after the other, of all heads, in the caches;
`run_compiled` does so with steps that torch.compile has fused.

This is written for comparisons on CPUs; it computes no gradients.
"""

import functools

import torch

CHUNK = 64
ROWS = 16
# Rows of a sub-block get exponents up to this, far below the overflow of f32.
LARGEST_EXPONENT = 60.0


class Chunks:
    """A sequence in chunks: tensors [B, H, M, CHUNK, ...]."""

    def __init__(self, q, k, v, g):
        if q.shape[2] % CHUNK:
            raise ValueError(f"expected a multiple of {CHUNK} tokens, got {q.shape[2]}")
        self.q, self.k, self.v = (x.unflatten(2, (-1, CHUNK)) for x in (q, k, v))
        self.has_channels = g.dim() == 4
        if g.dim() == 1:
            # The same for all chunks, and so computed once.
            g = g[None, :, None, None].expand(1, -1, 1, CHUNK)
        else:
            g = g.unflatten(2, (-1, CHUNK))
        self.sums = g.cumsum(3)
        if self.has_channels:
            width = self.sums[..., ROWS - 1::ROWS, :].diff(
                dim=3, prepend=torch.zeros_like(self.sums[..., :1, :]))
            self.is_mild = width.min().item() >= -LARGEST_EXPONENT
        else:
            # With a last dimension of 1 they are factors of rows.
            self.decays = get_decays(self.sums)
            self.sums = self.sums[..., None]
            self.factors = get_factors(self.sums)

    def get_scores(self):
        """A of all chunks."""
        if self.has_channels:
            return get_channel_scores(self.q, self.k, self.sums, self.is_mild)
        return (self.q @ self.k.transpose(-1, -2)).mul_(self.decays)

    def get_factors(self, at=slice(None)):
        """What rows of queries and of keys, and the state, are multiplied with."""
        if self.has_channels:
            return get_factors(self.sums[:, :, at])
        return [self.pick(factor, at) for factor in self.factors]

    def pick(self, factors, at):
        """The factors of the chunks `at`; those of heads are shared by all."""
        is_shared = factors.shape[2] == 1
        return factors[:, :, (0 if isinstance(at, int) else slice(None)) if is_shared else at]


def get_factors(sums):
    """exp(G), exp(G_last - G) and exp(G_last)."""
    last = sums[..., -1:, :]
    return sums.exp(), (last - sums).exp_(), last.exp().transpose(-1, -2)


def get_decays(sums):
    """exp(G_i - G_j) for j <= i, else 0."""
    difference = sums[..., :, None] - sums[..., None, :]
    future = torch.ones(CHUNK, CHUNK, dtype=torch.bool).triu(1)
    return difference.masked_fill_(future, -torch.inf).exp_()


def get_channel_scores(q, k, sums, is_mild):
    """A with a decay of its own for each channel.

    Rows of queries are taken 16 at a time, and all exponents are relative to the
    first row r of them: those of queries, G_i - G_r, and of keys before it,
    G_r - G_j, are at most 0. Those of the keys beside them are not; where decays
    are so hard that they might overflow, these 16 x 16 pairs are computed one by
    one instead."""
    scores = q.new_zeros(*q.shape[:-1], CHUNK)
    for start in range(0, CHUNK, ROWS):
        rows, end = slice(start, start + ROWS), start + ROWS
        anchor = sums[..., start:start + 1, :]
        left = q[..., rows, :] * (sums[..., rows, :] - anchor).exp_()
        until = end if is_mild else start
        right = k[..., :until, :] * (anchor - sums[..., :until, :]).exp_()
        scores[..., rows, :until] = left @ right.transpose(-1, -2)
        if not is_mild:
            scores[..., rows, rows] = get_pairs(q[..., rows, :], k[..., rows, :],
                                                sums[..., rows, :])
    return scores.tril_()


def get_pairs(q, k, sums):
    """sum_c q_ic k_jc exp(G_ic - G_jc) for j <= i, key by key."""
    columns = []
    for j in range(ROWS):
        decay = (sums - sums[..., j:j + 1, :]).clamp_(max=0).exp_()
        columns.append((decay.mul_(q) * k[..., j:j + 1, :]).sum(-1))
    return torch.stack(columns, -1)


def get_first_state(chunks, initial):
    b, h = chunks.v.shape[:2]
    if initial is not None:
        return initial.clone()
    return chunks.q.new_zeros(b, h, chunks.k.shape[-1], chunks.v.shape[-1])


def map_queries(q, map_rows, scale):
    q = map_rows(q) if map_rows else q
    return q * scale if scale != 1 else q


def map_keys(k, map_rows):
    return map_rows(k) if map_rows else k


def run_batched(q, k, v, g, initial=None, map_rows=None, scale=1.0):
    """The rows of the output and the last state. `map_rows` is the feature map of
    queries and keys."""
    chunks = Chunks(map_queries(q, map_rows, scale), map_keys(k, map_rows), v, g)
    before, behind, across = chunks.get_factors()
    states = (chunks.k * behind).transpose(-1, -2) @ chunks.v
    state = get_first_state(chunks, initial)
    for m in range(states.shape[2]):
        # What a chunk adds gives way to the state before it.
        added = states[:, :, m].clone()
        states[:, :, m] = state
        state = state.mul_(chunks.pick(across, m)).add_(added)
    out = chunks.get_scores() @ chunks.v
    out += (chunks.q * before) @ states
    return out.flatten(2, 3), state


def take_step(q, k, v, factors, get_scores, state, map_rows, scale):
    """The rows of one chunk, and the state behind it. All is done while the rows
    are in the caches, the feature maps too."""
    q, k = map_queries(q, map_rows, scale), map_keys(k, map_rows)
    before, behind, across = factors
    rows = get_scores(q, k) @ v + (q * before) @ state
    return rows, state * across + (k * behind).transpose(-1, -2) @ v


def take_shared_step(q, k, v, decays, factors, state, map_rows, scale):
    """With a gate for each head or token."""
    return take_step(q, k, v, factors, lambda q, k: (q @ k.transpose(-1, -2)) * decays,
                     state, map_rows, scale)


def take_channel_step(q, k, v, sums, is_mild, state, map_rows, scale):
    """With a gate for each channel."""
    return take_step(q, k, v, get_factors(sums),
                     lambda q, k: get_channel_scores(q, k, sums, is_mild),
                     state, map_rows, scale)


def run_stepwise(q, k, v, g, initial=None, map_rows=None, scale=1.0,
                 steps=(take_shared_step, take_channel_step)):
    """The same, chunk by chunk."""
    chunks = Chunks(q, k, v, g)
    state = get_first_state(chunks, initial)
    out = torch.empty_like(chunks.v)
    for m in range(out.shape[2]):
        rows = [x[:, :, m] for x in (chunks.q, chunks.k, chunks.v)]
        if chunks.has_channels:
            out[:, :, m], state = steps[1](*rows, chunks.sums[:, :, m], chunks.is_mild,
                                           state, map_rows, scale)
        else:
            out[:, :, m], state = steps[0](*rows, chunks.pick(chunks.decays, m),
                                           chunks.get_factors(m), state, map_rows, scale)
    return out.flatten(2, 3), state


def run_compiled(*arguments, **options):
    """The same, with steps that torch.compile made of those above."""
    return run_stepwise(*arguments, **options, steps=compile_steps())


@functools.cache
def compile_steps():
    return tuple(torch.compile(step, dynamic=False)
                 for step in (take_shared_step, take_channel_step))
