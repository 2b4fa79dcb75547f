"""Known answers of Philox4x32-10 (Salmon et al., 2011): `write` makes arguments
for random.mlir, `compare` checks what it computed from them, bit by bit.

The first three rows are published answers; the others come from the loop below,
which has to give the published ones too."""

import sys

import numpy as np

ROWS = 8
PUBLISHED = [0x6627e8d5, 0x408f276d, 0xd16cfe09]
MASK = 0xffffffff


def first_word(counter, key):
    counter, key = list(counter), list(key)
    for _ in range(10):
        high, low = divmod(counter[0] * 0xD2511F53, 1 << 32)
        high2, low2 = divmod(counter[2] * 0xCD9E8D57, 1 << 32)
        counter = [high2 ^ counter[1] ^ key[0], low2, high ^ counter[3] ^ key[1], low]
        key = [(key[0] + 0x9E3779B9) & MASK, (key[1] + 0xBB67AE85) & MASK]
    return counter[0]


def arguments():
    random = np.random.default_rng(7)
    words = random.integers(0, 1 << 32, (ROWS, 6), dtype=np.uint32)
    words[0], words[1] = 0, MASK
    words[2] = [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0]
    return words[:, :4], words[:, 4:]


def fraction(word):
    return np.float32((word >> 8) / 2**24)


def write():
    counters, keys = arguments()
    np.save("counters", counters.view(np.int32))
    np.save("seeds", np.ascontiguousarray(keys).view(np.int64)[:, 0])
    np.save("one", np.ones((1, 1, 1, 8), np.float32))
    np.save("ones", np.ones((1, 1, ROWS, 8), np.float32))
    np.save("unit", np.eye(ROWS, dtype=np.float32)[None, None])


def compare():
    counters, keys = ([[int(w) for w in row] for row in part] for part in arguments())
    words = [first_word(c, k) for c, k in zip(counters, keys)]
    assert words[:3] == PUBLISHED, [hex(w) for w in words[:3]]
    short = [first_word(c[:2] + [0, 0], k) for c, k in zip(counters, keys)]
    for name, expected in ("out", words), ("short", short):
        got = np.load(f"{name}.npy")[0, 0, 0]
        assert (got == [fraction(w) for w in expected]).all(), (name, got, expected)


{"write": write, "compare": compare}[sys.argv[1]]()
