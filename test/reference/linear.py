#===- linear.py - Float64 oracles of linear attention ---------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""NumPy definitions of the recurrences in variants/linear/.

Each function goes from token to token, as its paper says, and shares no code
with the compiler. It computes in the element type of its arguments, like the
functions of softmax.py. A state is [B, H, K, V]; tensors are [B, H, N, D]; `g` is
the natural logarithm of a decay. `store` is what keeping mapped rows in a tensor
does to them.

test_linear.py compares with the same formulas over pairs of tokens. What is about
feature maps stands in linear_features.py, what is about weights and denominators
in linear_weights.py.
"""

import numpy as np

from softmax import Variant


def exactly(rows):
    return rows


def elu_plus_one(x):
    return np.where(x > 0, x + 1, np.exp(np.minimum(x, 0)))


def silu(x):
    return x / (1 + np.exp(-x))


def tokens_of(*operands):
    """The rows of all operands [B, H, N, ...], token by token."""
    return zip(*(np.moveaxis(x, 2, 0) for x in operands))


def zero_state(k, v):
    return np.zeros((*v.shape[:2], k.shape[-1], v.shape[-1]), v.dtype)


def outer(k, v):
    """What a token with this key and value adds to a state."""
    return k[..., :, None] * v[..., None, :]


def read(state, q):
    """state^T q, for every batch and head."""
    return (q[..., None] * state).sum(axis=-2)


def stack(rows):
    return np.stack(rows, axis=2)


EPSILON = 2.0**-20


def linear(q, k, v, store=exactly):
    """Causal averages with weights <phi(q_i), phi(k_j)>, phi(x) = elu(x) + 1.

    A. Katharopoulos et al., "Transformers are RNNs: Fast Autoregressive
    Transformers with Linear Attention", 2020, arXiv:2006.16236, sections 3.2
    and 3.3: S and z are sums up to the token.
    """
    p, r = store(elu_plus_one(q)), store(elu_plus_one(k))
    s, z, out = zero_state(r, v), np.zeros_like(r[:, :, 0]), []
    for p_t, r_t, v_t in tokens_of(p, r, v):
        s, z = s + outer(r_t, v_t), z + r_t
        weight = (p_t * z).sum(axis=-1, keepdims=True) + v.dtype.type(EPSILON)
        out.append(read(s, p_t) / weight)
    return stack(out),


def linear_bidirectional(q, k, v, store=exactly):
    """As `linear`, with sums over all tokens.

    A. Katharopoulos et al., 2020, arXiv:2006.16236, section 3.2.
    """
    p, r = store(elu_plus_one(q)), store(elu_plus_one(k))
    s, z = zero_state(r, v), np.zeros_like(r[:, :, 0])
    for r_t, v_t in tokens_of(r, v):
        s, z = s + outer(r_t, v_t), z + r_t
    weight = (p * z[:, :, None]).sum(axis=-1, keepdims=True)
    return np.einsum("bhnk,bhkv->bhnv", p, s) / (
        weight + v.dtype.type(EPSILON)),


def decayed_by_head(q, k, v, g, scale):
    """S_t = e^g_h S_(t-1) + k_t v_t^T, o_t = scale S_t^T q_t."""
    s, out = zero_state(k, v), []
    decay = np.exp(g)[None, :, None, None]
    for q_t, k_t, v_t in tokens_of(q, k, v):
        s = decay * s + outer(k_t, v_t)
        out.append(v.dtype.type(scale) * read(s, q_t))
    return stack(out),


def retention(q, k, v, g):
    """Constant decay per head.

    Y. Sun et al., "Retentive Network: A Successor to Transformer for Large
    Language Models", 2023, arXiv:2307.08621, section 2.1.
    """
    return decayed_by_head(q, k, v, g, q.shape[-1]**-0.5)


def lightning(q, k, v, g, store=exactly):
    """Constant decay per head, features silu.

    Z. Qin et al., "Various Lengths, Constant Speed: Efficient Language Modeling
    with Lightning Attention", 2024, arXiv:2405.17381, section 3; g = -lambda.
    """
    return decayed_by_head(store(silu(q)), store(silu(k)), v, g, 1)


def gla(q, k, v, g, h0):
    """A gate per token and channel of the key; from h0 to ht.

    S. Yang et al., "Gated Linear Attention Transformers with Hardware-Efficient
    Training", 2024, arXiv:2312.06635, section 4.
    """
    s, out = h0, []
    for q_t, k_t, v_t, g_t in tokens_of(q, k, v, g):
        s = np.exp(g_t)[..., None] * s + outer(k_t, v_t)
        out.append(v.dtype.type(q.shape[-1]**-0.5) * read(s, q_t))
    return stack(out), s


def gla_packed(q, k, v, g, h0, cu_seqlens):
    """`gla` of sequences behind one another, tokens c[s] .. c[s + 1] - 1 of which
    are sequence s; others have rows of 0.

    S. Yang et al., 2024, arXiv:2312.06635, section 4.
    """
    out, ht = np.zeros_like(v), h0.copy()
    scale = v.dtype.type(q.shape[-1]**-0.5)
    for s, (first, end) in enumerate(zip(cu_seqlens, cu_seqlens[1:])):
        for t in range(first, min(end, v.shape[2])):
            decay = np.exp(g[0, :, t])[..., None]
            ht[s] = decay * ht[s] + outer(k[0, :, t], v[0, :, t])
            out[0, :, t] = scale * read(ht[s], q[0, :, t])
    return out, ht


def gla_logits(q, k, v, x, h0):
    """`gla` with the gates of its layer, log(sigmoid(x)) / 16."""
    return gla(q, k, v, -np.logaddexp(0, -x) / 16, h0)


def mamba2(c, b, x, dt, g, skip):
    """A scalar decay per token and head, a step size, a skip connection.

    T. Dao, A. Gu, "Transformers are SSMs: Generalized Models and Efficient
    Algorithms Through Structured State Space Duality", 2024, arXiv:2405.21060,
    section 6 and listing 1. Head h uses group h // (H / Hk) of c and b.
    """
    c, b = (np.repeat(y, x.shape[1] // y.shape[1], axis=1) for y in (c, b))
    s, out = zero_state(b, x), []
    for c_t, b_t, x_t, dt_t, g_t in tokens_of(c, b, x, dt, g):
        s = np.exp(g_t)[..., None, None] * s + outer(b_t, dt_t[..., None] * x_t)
        out.append(read(s, c_t) + skip[:, None] * x_t)
    return stack(out), s


def mamba2_steps(c, b, x, z, bias, a, skip):
    """`mamba2` with the steps of its layer, softplus(z + bias), and decays
    exp(-exp(a) dt)."""
    dt = np.logaddexp(0, z[..., 0] + bias[:, None])
    return mamba2(c, b, x, dt, -np.exp(a)[:, None] * dt, skip)


def mamba2_reversed(c, b, x, dt, g, skip, h0):
    """As `mamba2`, from the last token, before which the state is h0, to the first.

    S_t = e^g_t S_(t+1) + dt_t b_t x_t^T: tokens in reverse, each with its own
    decay.
    """
    c, b = (np.repeat(y, x.shape[1] // y.shape[1], axis=1) for y in (c, b))
    s, out = h0, []
    for c_t, b_t, x_t, dt_t, g_t in reversed([*tokens_of(c, b, x, dt, g)]):
        s = np.exp(g_t)[..., None, None] * s + outer(b_t, dt_t[..., None] * x_t)
        out.append(read(s, c_t) + skip[:, None] * x_t)
    return stack(out[::-1]), s


def mamba2_bidirectional(c, b, x, dt, g, skip):
    """As `mamba2`, in both directions, each token once: a token reads the state from
    its left, with itself, and the decayed one from its right, without."""
    c, b = (np.repeat(y, x.shape[1] // y.shape[1], axis=1) for y in (c, b))
    tokens = [*tokens_of(c, b, x, dt, g)]
    s, left = zero_state(b, x), []
    for c_t, b_t, x_t, dt_t, g_t in tokens:
        s = np.exp(g_t)[..., None, None] * s + outer(b_t, dt_t[..., None] * x_t)
        left.append(read(s, c_t) + skip[:, None] * x_t)
    s, right = zero_state(b, x), []
    for c_t, b_t, x_t, dt_t, g_t in tokens[::-1]:
        s = np.exp(g_t)[..., None, None] * s
        right.append(read(s, c_t))
        s = s + outer(b_t, dt_t[..., None] * x_t)
    return stack(left) + stack(right[::-1]),


def project(rows, matrices):
    """rows times the matrix of their head; matrices [H, D, E]."""
    return rows @ matrices


def lsa(x, a, p, w, store=exactly):
    """A layer of linear self-attention on tokens x_i, which are rows.

    J. von Oswald et al., "Transformers Learn In-Context by Gradient Descent",
    2023, arXiv:2212.07677; R. Zhang, S. Frei, P. L. Bartlett, "Trained
    Transformers Learn Linear Models In-Context", 2023, arXiv:2306.09927:
    E + W_PV E (E^T W_KQ E) / rho with columns E, a = W_KQ^T, p = W_PV^T; w_j is
    1 / rho for keys and 0 for other tokens. The state is sum_j w_j x_j x_j^T.
    """
    s = zero_state(x, x)
    for x_t, w_t in tokens_of(x, w):
        s = s + outer(w_t[..., None] * x_t, x_t)
    read_rows = store(np.einsum("bhnk,bhkv->bhnv", store(project(x, a)), s))
    return x + project(read_rows, p),


def lsa_causal(x, a, p, store=exactly):
    """Causal linear self-attention, divided by the number of earlier tokens.

    J. von Oswald et al., "Uncovering Mesa-Optimization Algorithms in
    Transformers", 2023, arXiv:2309.05858; C. Zheng et al., 2024,
    arXiv:2405.16845: W_PV S_t W_KQ x_t / rho_t, S_t = S_(t-1) + x_t x_t^T, where
    rho_t counts the tokens before t; it is 1 for the first token.
    """
    s, out = zero_state(x, x), []
    for t, (q_t, x_t) in enumerate(tokens_of(store(project(x, a)), x)):
        s = s + outer(x_t, x_t)
        out.append(read(s, q_t) / x.dtype.type(max(t, 1)))
    return project(store(stack(out)), p),


def hgrn2(q, v, g, store=exactly):
    """A forget gate f = e^g per channel, whose complement is the key.

    Z. Qin et al., "HGRN2: Gated Linear RNNs with State Expansion", 2024,
    arXiv:2404.07904, section 3.
    """
    p = store(silu(q))
    s, out = zero_state(g, v), []
    for p_t, v_t, g_t in tokens_of(p, v, g):
        f_t = np.exp(g_t)
        s = f_t[..., None] * s + outer(1 - f_t, v_t)
        out.append(read(s, p_t))
    return stack(out),


def rwkv6(r, k, v, g, u):
    """A token reads the state before it and its own product with a bonus.

    B. Peng et al., "Eagle and Finch: RWKV with Matrix-Valued States and Dynamic
    Recurrence", 2024, arXiv:2404.05892, section 4.
    """
    s, out = zero_state(k, v), []
    for r_t, k_t, v_t, g_t in tokens_of(r, k, v, g):
        new = outer(k_t, v_t)
        out.append(read(s + u[..., None] * new, r_t))
        s = np.exp(g_t)[..., None] * s + new
    return stack(out),


def decays(generator, shape, sizes):
    """Logarithms of decays, some of them so small that little is left."""
    return -np.exp(generator.normal(-2.5, 1.5, shape))


def retention_rates(generator, shape, sizes):
    """log(1 - 2^(-5 - h)), the rates of the paper."""
    return np.log1p(-2.0**(-5 - np.arange(shape[0])))


def steps(generator, shape, sizes):
    return generator.uniform(0, 1, shape)


def shares(generator, shape, sizes):
    """Numbers that are near 1 / N."""
    return generator.uniform(0.5, 1.5, shape) / sizes["N"]


def small_matrices(generator, shape, sizes):
    """Matrices that keep the size of rows."""
    return generator.standard_normal(shape) / np.sqrt(shape[-2])


def offsets(generator, shape, sizes):
    """Where sequences begin: an empty one from three on, and some tokens behind
    the last one."""
    count = shape[0] - 1
    c = np.sort(generator.integers(0, sizes["N"] + 1, count + 1))
    c[0], c[-1] = 0, sizes["N"] - generator.integers(0, 1 + sizes["N"] // 8)
    c = np.minimum(c, c[-1])
    if count >= 3:
        empty = generator.integers(1, count - 1)
        c[empty + 1] = c[empty]
    return c.astype(np.int32)


ROWS = ("B", "H", "N", "D")
WIDE = ("B", "H", "N", "Dv")
PER_TOKEN = ("B", "H", "N")


def qkv(v=ROWS, **others):
    return {"q": ROWS, "k": ROWS, "v": v, **others}


VARIANTS = {
    "linear": Variant(linear, results=("out",)),
    "linear-bidirectional": Variant(linear_bidirectional, results=("out",)),
    "retention": Variant(
        retention, qkv(WIDE, g=("H",)), {"D": 64, "Dv": 128}, ("out",),
        {"g": retention_rates}),
    "lightning": Variant(
        lightning, qkv(g=("H",)), results=("out",), fill={"g": decays}),
    "gla": Variant(
        gla, qkv(WIDE, g=ROWS, h0=("B", "H", "D", "Dv")),
        {"D": 64, "Dv": 128}, ("out", "ht"), {"g": decays}),
    "gla-packed": Variant(
        gla_packed, qkv(WIDE, g=ROWS, h0=("G", "H", "D", "Dv"),
                        cu_seqlens=("G+1",)),
        {"B": 1, "D": 64, "Dv": 128}, ("out", "ht"),
        {"g": decays, "cu_seqlens": offsets}),
    "gla-logits": Variant(
        gla_logits, qkv(WIDE, x=ROWS, h0=("B", "H", "D", "Dv")),
        {"D": 64, "Dv": 128}, ("out", "ht")),
    "mamba2": Variant(
        mamba2,
        {"c": ("B", "Hk", "N", "D"), "b": ("B", "Hk", "N", "D"), "x": WIDE,
         "dt": PER_TOKEN, "g": PER_TOKEN, "skip": ("H",)},
        {"D": 128, "Dv": 64}, ("out", "ht"), {"g": decays, "dt": steps}),
    "mamba2-steps": Variant(
        mamba2_steps,
        {"c": ("B", "Hk", "N", "D"), "b": ("B", "Hk", "N", "D"), "x": WIDE,
         "z": (*PER_TOKEN, "One"), "bias": ("H",), "a": ("H",), "skip": ("H",)},
        {"D": 128, "Dv": 64, "One": 1}, ("out", "ht")),
    "mamba2-reversed": Variant(
        mamba2_reversed,
        {"c": ("B", "Hk", "N", "D"), "b": ("B", "Hk", "N", "D"), "x": WIDE,
         "dt": PER_TOKEN, "g": PER_TOKEN, "skip": ("H",),
         "h0": ("B", "H", "D", "Dv")},
        {"D": 128, "Dv": 64}, ("out", "ht"), {"g": decays, "dt": steps}),
    "mamba2-bidirectional": Variant(
        mamba2_bidirectional,
        {"c": ("B", "Hk", "N", "D"), "b": ("B", "Hk", "N", "D"), "x": WIDE,
         "dt": PER_TOKEN, "g": PER_TOKEN, "skip": ("H",)},
        {"D": 128, "Dv": 64}, ("out",), {"g": decays, "dt": steps}),
    "lsa": Variant(
        lsa,
        {"x": ROWS, "a": ("H", "D", "D"), "p": ("H", "D", "D"), "w": PER_TOKEN},
        {"D": 16}, ("out",),
        {"a": small_matrices, "p": small_matrices, "w": shares}),
    "lsa-causal": Variant(
        lsa_causal, {"x": ROWS, "a": ("H", "D", "D"), "p": ("H", "D", "E")},
        {"D": 32, "E": 16}, ("out",),
        {"a": small_matrices, "p": small_matrices}),
    "hgrn2": Variant(
        hgrn2, {"q": ROWS, "v": ROWS, "g": ROWS}, results=("out",),
        fill={"g": decays}),
    "rwkv6": Variant(
        rwkv6, {"r": ROWS, "k": ROWS, "v": ROWS, "g": ROWS, "u": ("H", "D")},
        results=("out",), fill={"g": decays}),
}
