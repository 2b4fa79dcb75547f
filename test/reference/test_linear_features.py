#===- test_linear_features.py - Features and weights against pairs ---------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""The oracles of linear_features.py and linear_weights.py against matrices of
weights, one for each pair of tokens (`PAIRS`), written with scalar loops or from
the formulas of the papers, and properties of single variants."""

from dataclasses import replace
import math
import unittest

import numpy as np

import linear_features
import linear_weights

VARIANTS = {**linear_features.VARIANTS, **linear_weights.VARIANTS}

DIMS = {"B": 2, "H": 3, "N": 9}
SMALL = {"D": 4, "Dv": 5, "D2": 2, "F": 3, "M": 7, "C": 7}

E = 2.0**-20


def arguments_of(name, seed=0, **dims):
    """Without rows so large that weights of pairs lose digits."""
    variant = VARIANTS[name]
    variant = replace(variant, fill={
        key: fill for key, fill in variant.fill.items()
        if fill is not linear_features.rows_of_any_size})
    static = {dim: SMALL.get(dim, size) for dim, size in variant.static.items()}
    return variant.random_arguments(np.random.default_rng(seed),
                                    {**DIMS, **static, **dims})


def products(x, y):
    return x @ np.swapaxes(y, -1, -2)


def rows_to_one(w):
    return w / w.sum(axis=-1, keepdims=True)


def feature(x):
    return np.maximum(x, 0) + np.exp(np.minimum(x, 0))


def softmax(x, axis):
    """1 / sum_j exp(x_j - x_i): nothing is subtracted beforehand."""
    x = np.moveaxis(x, axis, -1)
    with np.errstate(over="ignore"):
        p = 1 / np.exp(x[..., None, :] - x[..., :, None]).sum(axis=-1)
    return np.moveaxis(p, -1, axis)


def hedgehog(q, k, v, wq, wk):
    def phi(x, w):
        y = np.einsum("bhnd,hdf->bhnf", x, w)
        return np.concatenate([softmax(y, -1), softmax(-y, -1)], axis=-1)
    w = np.tril(products(phi(q, wq), phi(k, wk)))
    return w / (w.sum(axis=-1, keepdims=True) + 2.0**-40) @ v


def performer(q, k, v, w):
    """Without the maxima, which cancel but for the epsilon."""
    def phi(x, shift):
        x = x / x.shape[-1]**0.25
        u = np.einsum("bhnd,dm->bhnm", x, w)
        square = np.linalg.norm(x, axis=-1, keepdims=True)**2
        return (np.exp(u - square / 2)
                + 2.0**-13 * np.exp(shift(u))), shift(u)
    p, _ = phi(q, lambda u: u.max(axis=-1, keepdims=True))
    r, _ = phi(k, lambda u: u.max(axis=(-1, -2), keepdims=True))
    return rows_to_one(products(p, r)) @ v


def linfusion(x, v, uq, wq, tq, aq, uk, wk, tk, ak):
    def phi(u, w, t, a):
        hidden = x @ u + t[0]
        normed = (hidden - hidden.mean(-1, keepdims=True)) / np.sqrt(
            hidden.var(-1, keepdims=True) + 2.0**-17) * t[1] + t[2]
        leaky = np.maximum(normed, normed / 100)
        tokens = (x + leaky @ w + t[3])[:, 0]
        return feature(np.stack([tokens @ a[h] for h in range(len(a))], axis=1))
    w = products(phi(uq, wq, tq, aq), phi(uk, wk, tk, ak)) / v.shape[2]
    return w / (w.sum(axis=-1, keepdims=True) + 2.0**-13) @ v


def normed_over_heads(o):
    out = np.empty_like(o)
    for b in range(o.shape[0]):
        for n in range(o.shape[2]):
            row = o[b, :, n].ravel()
            out[b, :, n] = o[b, :, n] / (
                np.linalg.norm(row) / math.sqrt(row.size) + 2.0**-27)
    return out


def transnormer_norm(q, k, v):
    return normed_over_heads(np.tril(products(feature(q), feature(k))) @ v)


def transnormer_llm(q, k, v, u, g):
    swish = [x * 0.5 * (1 + np.tanh(x / 2)) for x in (q, k)]
    n = np.arange(q.shape[2])
    lag = np.maximum(n[:, None] - n, 0)
    decay = np.tril(np.exp(g)[:, None, None]**lag)
    return normed_over_heads(products(*swish) * decay @ v) * u


def efficient(q, k, v):
    return products(softmax(q, -1), softmax(k, 2)) @ v


def essa(q, k, v):
    def spectrum(x):
        x = x - x.mean(-1, keepdims=True)
        return x**2 / (np.linalg.norm(x, axis=-1, keepdims=True)**2 + 2.0**-23)
    a, b = spectrum(q), spectrum(k)
    a = a / np.linalg.norm(a, axis=-1, keepdims=True)
    b = b / np.linalg.norm(b, axis=2, keepdims=True)
    return v + products(a, b) @ v / math.sqrt(v.shape[2])


def turned(x, cos, sin):
    """Each pair as a complex number."""
    half = x.shape[-1] // 2
    z = (x[..., :half] + 1j * x[..., half:]) * (cos + 1j * sin)
    return np.concatenate([z.real, z.imag], axis=-1)


def mala(q, k, v, cos, sin):
    s = 1 / (math.sqrt(q.shape[-1]) * v.shape[2])
    p, r = feature(q), feature(k)
    z = s * products(p, r).sum(axis=-1, keepdims=True)
    w = s * products(turned(p, cos, sin), turned(r, cos, sin))
    return ((1 + 1 / (z + E)) * w - z / v.shape[2]) @ v


def rala(q, k, v, cos, sin):
    p, r = feature(q), feature(k)
    logits = products(r, p).mean(axis=-1, keepdims=True) / math.sqrt(q.shape[-1])
    r = v.shape[2] * softmax(logits, 2) * r
    w = products(turned(p, cos, sin), turned(r, cos, sin)) / v.shape[2]
    return w / (products(p, r).mean(axis=-1, keepdims=True) + E) @ v


def nalaformer(q, k, v, cos, sin):
    norm = np.linalg.norm(q, axis=-1, keepdims=True)
    power = 3 * (0.5 + np.tanh(norm))
    weight = numerator = 0
    for sign in (1, -1):
        f = np.where(sign * q > 0, np.abs(q / norm)**power, 0)
        g = np.where(sign * k > 0, np.abs(k)**3, 0)
        numerator = numerator + products(turned(f, cos, sin),
                                         turned(g, cos, sin))
        weight = weight + products(f, g)
    return numerator / v.shape[2] / (
        weight.mean(axis=-1, keepdims=True) + E) @ v


def l2vit(q, k, v, tau):
    w = products(np.where(q > 0, q, 0), np.where(k > 0, k, 0))
    total = w.sum(axis=-1, keepdims=True)
    return tau[None, :, None, None] * w / np.where(total > 100, total, 100) @ v


def inline(q, k, v):
    s = products(q, k) / math.sqrt(q.shape[-1])
    return (s - s.mean(axis=-1, keepdims=True) + 1) / v.shape[2] @ v


def flow(q, k, v):
    """Sums of flows over all pairs."""
    p, r = (0.5 * (1 + np.tanh(x / 2)) for x in (q, k))
    pe, rk = p + E, r + E

    def flow_of(x, total):
        return np.einsum("bhnd,bhd->bhn", x, total.sum(axis=2) + E)
    i, o = flow_of(pe, r), flow_of(rk, p)
    kept_in = flow_of(pe, r / o[..., None])
    kept_out = np.clip(flow_of(rk, p / i[..., None]), -1, 1)
    competition = v.shape[2] * softmax(kept_out, 2)
    w = products(p / i[..., None], r) * competition[:, :, None]
    return 0.5 * (1 + np.tanh(kept_in / 2))[..., None] * (w @ v)


PAIRS = {
    "hedgehog": hedgehog, "performer": performer, "linfusion": linfusion,
    "transnormer-norm": transnormer_norm, "transnormer-llm": transnormer_llm,
    "efficient": efficient, "essa": essa, "mala": mala, "rala": rala,
    "nalaformer": nalaformer, "l2vit": l2vit, "inline": inline, "flow": flow,
}
CAUSAL = {"hedgehog", "transnormer-norm", "transnormer-llm"}


class EveryVariant(unittest.TestCase):

    def test_sums_over_tokens_equal_sums_over_pairs(self):
        for name, pairs in PAIRS.items():
            for tokens in (1, 2, 9, 65):
                with self.subTest(variant=name, tokens=tokens):
                    arguments = arguments_of(name, seed=tokens, N=tokens)
                    got, = VARIANTS[name].function(**arguments)
                    want = pairs(**arguments)
                    np.testing.assert_allclose(
                        got, want, rtol=0, atol=1e-12 * np.abs(want).max())

    def test_every_variant_has_weights_of_pairs(self):
        self.assertEqual(set(PAIRS), set(VARIANTS))

    def test_computes_in_the_type_of_its_arguments(self):
        for name, variant in VARIANTS.items():
            with self.subTest(variant=name):
                arguments = {key: x.astype(np.float32)
                             for key, x in arguments_of(name).items()}
                for result in variant.function(**arguments):
                    self.assertEqual(result.dtype, np.float32)

    def test_later_tokens_matter_unless_it_is_causal(self):
        for name in VARIANTS:
            with self.subTest(variant=name):
                a = arguments_of(name)
                out = VARIANTS[name].function(**a)[0]
                a["v"] = a["v"].copy()
                a["v"][:, :, 5:] += 1
                changed = VARIANTS[name].function(**a)[0]
                self.assertEqual(
                    np.array_equal(changed[:, :, :5], out[:, :, :5]),
                    name in CAUSAL)


class SingleVariants(unittest.TestCase):

    def test_weights_that_add_up_to_one(self):
        """Equal values are what comes out; of turned rows only if not turned."""
        for name, close in (("hedgehog", 1e-9), ("performer", 1e-12),
                            ("efficient", 1e-12), ("inline", 1e-12),
                            ("linfusion", 1e-3), ("mala", 1e-5), ("rala", 1e-5),
                            ("nalaformer", 1e-2)):
            with self.subTest(variant=name):
                a = arguments_of(name)
                a["v"] = np.ones_like(a["v"])
                if "cos" in a:
                    a["cos"], a["sin"] = np.ones((9, 2)), np.zeros((9, 2))
                if name == "nalaformer":
                    a["q"] = a["k"]  # Keys in the direction of a query.
                np.testing.assert_allclose(VARIANTS[name].function(**a)[0], 1,
                                           atol=close)

    def test_features_of_performer_estimate_exponentials(self):
        generator = np.random.default_rng(0)
        d, m = 8, 20000
        w = generator.standard_normal((d, m))
        q, k = generator.standard_normal((2, 1, 1, 1, d)) / 2
        k = np.concatenate([k, generator.standard_normal((1, 1, 1, d)) / 2],
                           axis=2)
        v = np.eye(2)[None, None]
        got = linear_features.performer(q, k, v, w)[0][0, 0, 0]
        s = products(q, k)[0, 0, 0] / math.sqrt(d)
        np.testing.assert_allclose(got, softmax(s, 0), atol=0.02)

    def test_norm_over_heads_is_of_all_heads(self):
        out = VARIANTS["transnormer-norm"].function(
            **arguments_of("transnormer-norm"))[0]
        np.testing.assert_allclose((out * out).mean(axis=(1, 3)), 1, atol=1e-6)
        self.assertGreater(np.ptp((out * out).mean(axis=3)), 0.1)

    def test_l2vit_is_an_average_where_the_bound_does_not_act(self):
        a = arguments_of("l2vit")
        a["q"], a["k"] = 50 * np.abs(a["q"]), np.abs(a["k"])
        a["v"], a["tau"] = np.ones_like(a["v"]), np.ones(3)
        np.testing.assert_allclose(VARIANTS["l2vit"].function(**a)[0], 1)
        a["q"] = a["q"] / 1e6
        self.assertLess(VARIANTS["l2vit"].function(**a)[0].max(), 0.1)

    def test_inline_is_the_mean_and_a_covariance(self):
        q, k, v = arguments_of("inline").values()
        k = k - k.mean(axis=2, keepdims=True)
        mean = v.mean(axis=2, keepdims=True)
        covariance = np.einsum("bhjk,bhjv->bhkv", k, v - mean) / (
            v.shape[2] * math.sqrt(q.shape[-1]))
        got, = VARIANTS["inline"].function(**arguments_of("inline"))
        np.testing.assert_allclose(got, mean + q @ covariance, atol=1e-13)

    def test_rala_of_equal_keys_is_linear_attention(self):
        a = arguments_of("rala")
        a["k"] = np.broadcast_to(a["k"][:, :, :1], a["k"].shape)
        a["cos"], a["sin"] = np.ones((9, 2)), np.zeros((9, 2))
        np.testing.assert_allclose(
            VARIANTS["rala"].function(**a)[0],
            np.broadcast_to(a["v"].mean(axis=2, keepdims=True), a["v"].shape),
            atol=1e-5)

    def test_long_and_short_queries_of_nalaformer_differ(self):
        a = arguments_of("nalaformer")
        a["q"] = a["q"] / np.linalg.norm(a["q"], axis=-1, keepdims=True)
        long, short = ({**a, "q": x * a["q"]} for x in (10, 0.1))
        difference = (VARIANTS["nalaformer"].function(**long)[0]
                      - VARIANTS["nalaformer"].function(**short)[0])
        self.assertGreater(np.abs(difference).max(), 0.1)

    def test_equal_flows_are_a_mean(self):
        """One unit flows into each of equal queries, and all keys are equal."""
        a = arguments_of("flow")
        for x in "qk":
            a[x] = np.broadcast_to(a[x][:, :, :1], a[x].shape)
        mean = np.broadcast_to(a["v"].mean(axis=2, keepdims=True), a["v"].shape)
        np.testing.assert_allclose(VARIANTS["flow"].function(**a)[0],
                                   mean / (1 + math.exp(-1)), atol=1e-4)

    def test_essa_does_not_see_scale_or_mean_of_a_key(self):
        a = arguments_of("essa")
        out = VARIANTS["essa"].function(**a)[0]
        a["k"] = 3 * a["k"] + 5
        np.testing.assert_allclose(VARIANTS["essa"].function(**a)[0], out,
                                   atol=1e-4)


if __name__ == "__main__":
    unittest.main()
