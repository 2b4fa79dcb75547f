#===- paths.py - Where a pack has its parts --------------------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""The folders of a pack, which are those of the repository for what both have.

Importing this makes the oracles and the rules for tolerances importable.
"""

import ctypes
import gzip
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

for folder in ("bench", "test/integration", "test/reference"):
    sys.path.insert(0, str(ROOT / folder))

# For importers that find their modules by these folders.
SOURCES = ["bench/device/*.py", "bench/compare_torch.py", "bench/compiled_kernel.py",
           "bench/comparison.py", "bench/rounds.py",
           "test/integration/catalogue.py", "test/integration/precision.py",
           "test/reference/[!t]*.py"]


def get_package_path(pack, name, dtype):
    return pathlib.Path(pack) / "packages" / f"{name}-{dtype}.attn.gz"


def read_package(pack, name, dtype):
    return gzip.decompress(get_package_path(pack, name, dtype).read_bytes())


def find_library(pack):
    """libattn of a pack, once what it needs is loaded."""
    folder = pathlib.Path(pack) / "lib"
    for path in sorted(folder.glob("*.so*")):
        if not path.name.startswith("libattn"):
            # It is found by its name from here on.
            ctypes.CDLL(str(path), ctypes.RTLD_GLOBAL)
    return folder / "libattn.so.1"
