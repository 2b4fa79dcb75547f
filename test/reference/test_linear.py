#===- test_linear.py - Recurrences against sums over pairs -----------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""The oracles of linear.py against their parallel forms.

Every variant is written once more without a state, as a matrix of weights
w[i, j] for each pair of tokens: `PARALLEL`. The decay between two tokens is the
exponential of the sum of the gates between them, which is never more than 1.
"""

import math
import unittest

import numpy as np

import linear
from linear import VARIANTS

DIMS = {"B": 2, "H": 3, "N": 9}
GROUPED = {"D": 6, "Dv": 5, "H": 4, "Hk": 2}
STATIC = {"retention": {"D": 4, "Dv": 5}, "gla": {"D": 4, "Dv": 5},
          "gla-packed": {"B": 1, "D": 4, "Dv": 5, "G": 4},
          "gla-logits": {"D": 4, "Dv": 5}, "mamba2": GROUPED,
          "mamba2-steps": {**GROUPED, "One": 1}, "mamba2-reversed": GROUPED,
          "mamba2-bidirectional": GROUPED, "lsa-causal": {"D": 6, "E": 5}}
# Tokens that come later matter to these.
BOTH_SIDES = {"linear-bidirectional", "mamba2-reversed", "mamba2-bidirectional",
              "lsa"}


def arguments_of(name, seed=0, **dims):
    dims = {**DIMS, **STATIC.get(name, {"D": 4}), **dims}
    return VARIANTS[name].random_arguments(np.random.default_rng(seed), dims)


def gates_between(g, skipped=0):
    """Sums of g over the tokens j < t <= i - skipped, [B, H, N, N, ...]; -inf
    where j is not before the first of them can be (j > i - skipped)."""
    sums = np.cumsum(g, axis=2)
    if skipped:
        before = np.concatenate([np.zeros_like(sums[:, :, :1]),
                                 sums[:, :, :-1]], axis=2)
    else:
        before = sums
    i, j = np.ogrid[:g.shape[2], :g.shape[2]]
    past = (j <= i - skipped).reshape(i.size, j.size, *[1] * (g.ndim - 3))
    return np.where(past, before[:, :, :, None] - sums[:, :, None], -np.inf)


def weights(q, k, between):
    """sum_d q_id k_jd exp(between_ijd) for all pairs."""
    if between.ndim == 4:
        between = between[..., None]
    return np.einsum("bhid,bhjd,bhijd->bhij", q, k,
                     np.exp(np.broadcast_to(between, (*between.shape[:4],
                                                      q.shape[-1]))))


def per_head(g, v):
    """A gate of each head for all tokens."""
    return np.broadcast_to(g[None, :, None], v.shape[:3])


def ratio(w, v):
    return (w @ v) / (w.sum(axis=-1, keepdims=True) + 2.0**-20)


def feature(x):
    return np.maximum(x, 0) + np.exp(np.minimum(x, 0))


def swish(x):
    return x * 0.5 * (1 + np.tanh(x / 2))


def causal_linear(q, k, v):
    return ratio(np.tril(feature(q) @ np.swapaxes(feature(k), 2, 3)), v),


def full_linear(q, k, v):
    return ratio(feature(q) @ np.swapaxes(feature(k), 2, 3), v),


def retention(q, k, v, g):
    n = np.arange(q.shape[2])
    lag = n[:, None] - n
    decay = np.where(lag >= 0, np.exp(g)[:, None, None]**np.maximum(lag, 0), 0)
    return (q @ np.swapaxes(k, 2, 3) / math.sqrt(q.shape[-1]) * decay) @ v,


def lightning(q, k, v, g):
    return retention(swish(q) * math.sqrt(q.shape[-1]), swish(k), v, g)


def gla(q, k, v, g, h0):
    total = np.cumsum(g, axis=2)
    first = np.einsum("bhik,bhkv->bhiv", q * np.exp(total), h0)
    out = weights(q, k, gates_between(g)) @ v + first
    left = k * np.exp(total[:, :, -1:] - total)
    ht = (np.exp(total[:, :, -1])[..., None] * h0
          + np.einsum("bhnk,bhnv->bhkv", left, v))
    return out / math.sqrt(q.shape[-1]), ht


def gla_packed(q, k, v, g, h0, cu_seqlens):
    """Weights between tokens of one sequence only, and the last state of each
    from the gates behind its tokens."""
    tokens = np.arange(v.shape[2])
    which = np.searchsorted(cu_seqlens, tokens, side="right") - 1
    same = (which[:, None] == which) & (which < len(h0))[:, None]
    w = np.where(same, weights(q, k, gates_between(g)), 0)
    out = w @ v
    ht = np.empty_like(h0)
    for s, first_state in enumerate(h0):
        own = tokens[which == s]
        total = np.cumsum(g[0][:, own], axis=1)
        out[0][:, own] += np.einsum("hik,hkv->hiv", q[0][:, own] * np.exp(total),
                                    first_state)
        whole = g[0][:, own].sum(axis=1)
        left = k[0][:, own] * np.exp(whole[:, None] - total)
        ht[s] = (np.exp(whole)[..., None] * first_state
                 + np.einsum("hnk,hnv->hkv", left, v[0][:, own]))
    return out / math.sqrt(q.shape[-1]), ht


def gla_logits(q, k, v, x, h0):
    return gla(q, k, v, np.log(1 / (1 + np.exp(-x))) / 16, h0)


def mamba2(c, b, x, dt, g, skip):
    share = x.shape[1] // c.shape[1]
    c, b = (np.concatenate([y[:, [h // share]] for h in range(x.shape[1])],
                           axis=1) for y in (c, b))
    w = weights(c, b, gates_between(g)) * dt[:, :, None]
    total = np.cumsum(g, axis=2)
    left = dt * np.exp(total[:, :, -1:] - total)
    ht = np.einsum("bhn,bhnk,bhnv->bhkv", left, b, x)
    return w @ x + skip[None, :, None, None] * x, ht


def scaled_weights(c, b, x, dt, g):
    """Those of mamba2, with the heads of c and b repeated."""
    share = x.shape[1] // c.shape[1]
    c, b = (np.concatenate([y[:, [h // share]] for h in range(x.shape[1])],
                           axis=1) for y in (c, b))
    return weights(c, b, gates_between(g)) * dt[:, :, None]


def flipped(x):
    return np.flip(x, axis=2)


def mamba2_reversed(c, b, x, dt, g, skip, h0):
    w = scaled_weights(*map(flipped, (c, b, x, dt, g)))
    out = flipped(w @ flipped(x)) + skip[None, :, None, None] * x
    # What is behind token t decays by the gates of t .. N - 1.
    left = flipped(np.cumsum(flipped(g), axis=2))
    share = x.shape[1] // c.shape[1]
    c, b = (np.repeat(y, share, axis=1) for y in (c, b))
    out += np.einsum("bhn,bhnk,bhkv->bhnv", np.exp(left), c, h0)
    # What token t wrote has decayed by the gates of 0 .. t - 1 in the end.
    before = np.cumsum(g, axis=2) - g
    ht = np.einsum("bhn,bhnk,bhnv->bhkv", dt * np.exp(before), b, x)
    return out, np.exp(left[:, :, 0])[..., None, None] * h0 + ht


def mamba2_bidirectional(c, b, x, dt, g, skip):
    left = scaled_weights(c, b, x, dt, g)
    right = scaled_weights(*map(flipped, (c, b, x, dt, g)))[..., ::-1, ::-1]
    w = np.tril(left) + np.triu(right, 1)
    return w @ x + skip[None, :, None, None] * x,


def lsa(x, a, p, w):
    scores = np.einsum("bhid,hde,bhje->bhij", x, a, x) * w[:, :, None]
    return x + scores @ x @ p,


def lsa_causal(x, a, p):
    scores = np.tril(np.einsum("bhid,hde,bhje->bhij", x, a, x))
    rho = np.maximum(np.arange(x.shape[2]), 1)[:, None]
    return scores / rho @ x @ p,


def mamba2_steps(c, b, x, z, bias, a, skip):
    dt = np.log1p(np.exp(z[..., 0] + bias[None, :, None]))
    return mamba2(c, b, x, dt, -dt * np.exp(a)[None, :, None], skip)


def hgrn2(q, v, g):
    return weights(swish(q), -np.expm1(g), gates_between(g)) @ v,


def rwkv6(r, k, v, g, u):
    own = np.einsum("bhnd,hd,bhnd->bhn", r, u, k)
    past = weights(r, k, gates_between(g, skipped=1))
    return past @ v + own[..., None] * v,


PARALLEL = {
    "linear": causal_linear, "linear-bidirectional": full_linear,
    "retention": retention, "lightning": lightning, "gla": gla,
    "gla-packed": gla_packed,
    "gla-logits": gla_logits, "mamba2-steps": mamba2_steps,
    "mamba2": mamba2, "mamba2-reversed": mamba2_reversed,
    "mamba2-bidirectional": mamba2_bidirectional, "lsa": lsa,
    "lsa-causal": lsa_causal, "hgrn2": hgrn2, "rwkv6": rwkv6,
}


class EveryVariant(unittest.TestCase):

    def test_recurrence_equals_the_parallel_form(self):
        for name, parallel in PARALLEL.items():
            for tokens in (1, 2, 9, 65):
                with self.subTest(variant=name, tokens=tokens):
                    arguments = arguments_of(name, seed=tokens, N=tokens)
                    got = VARIANTS[name].function(**arguments)
                    want = parallel(**arguments)
                    self.assertEqual(len(got), len(want))
                    for x, y in zip(got, want):
                        np.testing.assert_allclose(x, y, rtol=0, atol=2e-13
                                                   * np.abs(y).max())

    def test_every_variant_has_a_parallel_form(self):
        self.assertEqual(set(PARALLEL), set(VARIANTS))

    def test_computes_in_the_type_of_its_arguments(self):
        for name, variant in VARIANTS.items():
            with self.subTest(variant=name):
                arguments = {key: x.astype(np.float32)
                             if np.issubdtype(x.dtype, np.floating) else x
                             for key, x in arguments_of(name).items()}
                for result in variant.function(**arguments):
                    self.assertEqual(result.dtype, np.float32)

    def test_returns_what_it_names(self):
        for name, variant in VARIANTS.items():
            with self.subTest(variant=name):
                results = variant.function(**arguments_of(name))
                self.assertEqual(len(results), len(variant.results))

    def test_later_tokens_do_not_matter(self):
        for name in set(VARIANTS) - BOTH_SIDES:
            with self.subTest(variant=name):
                a = arguments_of(name)
                out = VARIANTS[name].function(**a)[0]
                first = {key: x[:, :, :5] if x.shape[2:3] == (9,) else x
                         for key, x in a.items()}
                np.testing.assert_array_equal(
                    VARIANTS[name].function(**first)[0], out[:, :, :5])


class SingleVariants(unittest.TestCase):

    def test_averages_of_equal_values_are_the_value(self):
        for name in ("linear", "linear-bidirectional"):
            a = arguments_of(name)
            a["v"] = np.ones_like(a["v"])
            out, = VARIANTS[name].function(**a)
            np.testing.assert_allclose(out, 1, atol=1e-5)

    def test_the_last_causal_row_is_bidirectional(self):
        a = arguments_of("linear")
        np.testing.assert_allclose(linear.linear(**a)[0][:, :, -1],
                                   linear.linear_bidirectional(**a)[0][:, :, -1],
                                   atol=1e-14)

    def test_rates_of_retention_are_those_of_the_paper(self):
        rates = np.exp(arguments_of("retention")["g"])
        np.testing.assert_allclose(rates, [31 / 32, 63 / 64, 127 / 128])

    def test_lightning_without_decay_sums_everything(self):
        a = arguments_of("lightning")
        a["g"] = np.zeros(3)
        weight = np.tril(swish(a["q"]) @ np.swapaxes(swish(a["k"]), 2, 3))
        np.testing.assert_allclose(linear.lightning(**a)[0], weight @ a["v"],
                                   atol=1e-13)

    def test_gla_goes_on_from_its_own_state(self):
        a = arguments_of("gla")
        out, ht = linear.gla(**a)
        first = {x: y if x == "h0" else y[:, :, :4] for x, y in a.items()}
        early, between = linear.gla(**first)
        second = {x: between if x == "h0" else y[:, :, 4:]
                  for x, y in a.items()}
        late, end = linear.gla(**second)
        np.testing.assert_array_equal(np.concatenate([early, late], axis=2), out)
        np.testing.assert_array_equal(end, ht)

    def test_a_very_negative_gate_of_gla_resets(self):
        a = arguments_of("gla")
        a["g"][:, :, 4] = -200
        fresh = {x: y * 0 if x == "h0" else y[:, :, 4:] for x, y in a.items()}
        np.testing.assert_allclose(linear.gla(**a)[0][:, :, 4:],
                                   linear.gla(**fresh)[0], atol=1e-14)

    def test_gla_packed_is_gla_of_each_sequence(self):
        a = arguments_of("gla-packed")
        a["cu_seqlens"] = np.array([0, 3, 3, 4, 8])
        out, ht = linear.gla_packed(**a)
        for s, (first, end) in enumerate([(0, 3), (3, 4), (4, 8)]):
            state = (0, 2, 3)[s]
            alone = {x: a[x][:, :, first:end] for x in "qkvg"}
            own, after = linear.gla(**alone, h0=a["h0"][state:state + 1])
            np.testing.assert_array_equal(out[:, :, first:end], own)
            np.testing.assert_array_equal(ht[state:state + 1], after)
        np.testing.assert_array_equal(ht[1], a["h0"][1])
        self.assertFalse(out[:, :, 8:].any())

    def test_mamba2_without_steps_is_its_skip(self):
        a = arguments_of("mamba2")
        a["dt"] = np.zeros_like(a["dt"])
        out, ht = linear.mamba2(**a)
        np.testing.assert_array_equal(out, a["skip"][:, None, None] * a["x"])
        self.assertFalse(ht.any())

    def test_mamba2_reversed_is_mamba2_of_flipped_tokens(self):
        a = arguments_of("mamba2-reversed")
        h0 = np.zeros_like(a.pop("h0"))
        out, ht = linear.mamba2_reversed(**a, h0=h0)
        flipped_arguments = {x: y if x == "skip" else flipped(y)
                             for x, y in a.items()}
        want, state = linear.mamba2(**flipped_arguments)
        np.testing.assert_array_equal(out, flipped(want))
        np.testing.assert_array_equal(ht, state)

    def test_mamba2_bidirectional_counts_a_token_once(self):
        a = arguments_of("mamba2-bidirectional")
        a["skip"] = np.zeros_like(a["skip"])
        h0 = np.zeros((2, 4, 6, 5))
        both = (linear.mamba2(**a)[0]
                + linear.mamba2_reversed(**a, h0=h0)[0])
        b, c = (np.repeat(a[x], 2, axis=1) for x in "bc")
        own = a["dt"] * (b * c).sum(axis=-1)
        np.testing.assert_allclose(
            linear.mamba2_bidirectional(**a)[0],
            both - own[..., None] * a["x"], rtol=0, atol=1e-12)

    def test_lsa_without_keys_changes_nothing(self):
        a = arguments_of("lsa")
        a["w"] = np.zeros_like(a["w"])
        np.testing.assert_array_equal(linear.lsa(**a)[0], a["x"])

    def test_lsa_causal_divides_by_the_tokens_before(self):
        a = arguments_of("lsa-causal")
        a["x"] = np.ones_like(a["x"])
        out = linear.lsa_causal(**a)[0]
        for t in range(2, 9):
            np.testing.assert_allclose(out[:, :, t] / out[:, :, 1],
                                       (t + 1) / t / 2, atol=1e-12)

    def test_hgrn2_that_forgets_nothing_learns_nothing(self):
        a = arguments_of("hgrn2")
        a["g"] = np.zeros_like(a["g"])
        self.assertFalse(linear.hgrn2(**a)[0].any())

    def test_rwkv6_without_bonus_reads_nothing_first(self):
        a = arguments_of("rwkv6")
        a["u"] = np.zeros_like(a["u"])
        out, = linear.rwkv6(**a)
        self.assertFalse(out[:, :, 0].any())
        self.assertTrue(out[:, :, 1].all())

    def test_rwkv6_with_a_bonus_of_one_is_read_undecayed(self):
        a = arguments_of("rwkv6")
        a["u"], a["g"] = np.ones_like(a["u"]), np.zeros_like(a["g"])
        weight = np.tril(a["r"] @ np.swapaxes(a["k"], 2, 3))
        np.testing.assert_allclose(linear.rwkv6(**a)[0], weight @ a["v"],
                                   atol=1e-13)


if __name__ == "__main__":
    unittest.main()
