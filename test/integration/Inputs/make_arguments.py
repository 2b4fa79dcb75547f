"""Writes q.npy, k.npy and v.npy, normal float32 [1, 2, N, 64]; argument: N."""

import sys

import numpy as np

random = np.random.default_rng(1)
for name in "qkv":
    np.save(name, random.standard_normal((1, 2, int(sys.argv[1]), 64), "f4"))
