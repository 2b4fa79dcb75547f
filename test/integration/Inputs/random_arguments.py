"""Compares what attn-run fills arguments with to the generator of docs/tools.md.

Arguments: the seed, and the sizes separated by commas. Reads normal.npy,
uniform.npy and decay.npy, which are the arguments a, b and c.
"""

import sys

import numpy as np

GAMMA = np.uint64(0x9E3779B97F4A7C15)


def mix(bits):
    """The output function of splitmix64."""
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))


def uniform(seed, name, index):
    """Numbers in [0, 1) of the argument, at these positions."""
    key = mix(np.array([seed], np.uint64) + GAMMA)
    for letter in name.encode():
        key = mix((key ^ np.uint64(letter)) + GAMMA)
    bits = mix(key + (index.astype(np.uint64) + np.uint64(1)) * GAMMA)
    return (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53


def normal(seed, name, index):
    """Box and Muller: positions 2n and 2n + 1 are a pair."""
    even = index - index % 2
    radius = np.sqrt(-2 * np.log(1 - uniform(seed, name, even)))
    angle = 2 * np.pi * uniform(seed, name, even + 1)
    return radius * np.where(index % 2, np.sin(angle), np.cos(angle))


def main():
    seed = int(sys.argv[1])
    shape = tuple(map(int, sys.argv[2].split(",")))
    index = np.arange(np.prod(shape))
    expected = {"normal": normal(seed, "a", index),
                "uniform": uniform(seed, "b", index),
                "decay": -0.1 * np.abs(normal(seed, "c", index))}
    for name, numbers in expected.items():
        got = np.load(f"{name}.npy")
        assert got.shape == shape, (name, got.shape)
        # The last bit before rounding may differ between libraries.
        np.testing.assert_allclose(got.ravel(), numbers.astype(np.float32),
                                   rtol=2e-7)
    assert abs(expected["normal"].mean()) < 0.1
    assert abs(expected["normal"].std() - 1) < 0.1


main()
