#===- plan.py - What is verified and timed on a device ---------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""The lists of cases. What tells most comes first, in case time runs out."""

import itertools
import math
import re

# Specs of the catalogue that are timed, each with these head sizes.
SPECS = ("dense", "causal", "sliding-window", "alibi", "softcap", "decode")
FEATURES = (64, 128)
WINDOW = 512

BATCH, HEADS = 2, 16
LENGTHS = (4096, 8192, 2048, 1024)
DECODE_BATCH, DECODE_HEADS, DECODE_KEY_HEADS, DECODE_KEYS = 16, 32, 4, 32768
TYPES = ("bf16", "f32", "f16")
ITEM_BYTES = {"f32": 4, "f16": 2, "bf16": 2}
EPSILONS = {"f32": 2**-23, "f16": 2**-10, "bf16": 2**-7}

# Schedules that are timed beside the default one, by their names in tables, and
# which of them for which spec: they need matrix instructions.
SCHEDULES = {"128x64": "block_q=128,block_k=64",
             "64x64-o": "block_q=64,block_k=64,overlap=1",
             "64x64-s2-o": "block_q=64,block_k=64,stages=2,overlap=1",
             "64x32-r3": "block_q=64,block_k=32,resident=3",
             "64x64-r3": "block_q=64,block_k=64,resident=3",
             "8-parts": "splits=8"}
SCHEDULED_TYPES = ("bf16",)
SCHEDULED_SPECS = {
    **dict.fromkeys(("dense", "causal"),
                    ("128x64", "64x64-o", "64x64-s2-o", "64x32-r3", "64x64-r3")),
    **dict.fromkeys(("sliding-window", "alibi", "softcap"), ("64x32-r3", "64x64-r3")),
    **dict.fromkeys(("lightning", "retention", "gla", "gla-scalar"), ("8-parts",))}
# The most features that have room.
MOST_FEATURES = {"64x64-r3": 64}

# Recurrences that are timed, and the files that they are made of.
LINEAR_SPECS = {"lightning": "lightning", "retention": "retention", "gla": "gla",
                "gla-scalar": "gla"}
LINEAR_TYPES, LINEAR_FEATURES = ("bf16",), 128


def get_timed_name(name, features, schedule=""):
    """The package of a spec that is only timed."""
    return f"time-{name}-{features}" + (f"-{schedule}" if schedule else "")


def get_schedules(name, dtype, features):
    """Names of the schedules that are timed beside the default one."""
    if dtype not in SCHEDULED_TYPES:
        return []
    return [schedule for schedule in SCHEDULED_SPECS.get(name, ())
            if features <= MOST_FEATURES.get(schedule, features)]


def get_scale(features):
    return 1 / math.sqrt(features)


def rewrite_spec(name, text, features):
    """The spec with another head size; windows become wider."""
    text, count = re.subn(r"x(?:64|128)x", f"x{features}x", text)
    if not count:
        raise ValueError(f"spec '{name}' has no head size of 64 or 128")
    if name == "sliding-window":
        text, count = re.subn(r"arith\.constant 256 : index",
                              f"arith.constant {WINDOW} : index", text)
        if count != 1:
            raise ValueError(f"spec '{name}': expected one window of 256, got {count}")
    return text


def replace_all(name, text, pattern, new):
    """`text` with what matches `pattern` replaced, which must occur."""
    text, count = re.subn(pattern, new, text)
    if not count:
        raise ValueError(f"spec '{name}' has nothing like '{pattern}'")
    return text


def rewrite_recurrence(name, text, features):
    """The spec with states of features x features; of gates per token if its name
    says so."""
    text = replace_all(name, text, r"(?<=[x<])(?:64|128)(?=x)", str(features))
    if name != "lightning":
        text = replace_all(name, text, r"scale\(0\.125\)", f"scale({get_scale(features)!r})")
    if name == "gla-scalar":
        gate = rf"(%g ?: tensor<\?x\?x\?x){features}x"
        text = replace_all(name, text, gate, r"\1")
        text = replace_all(name, text, r'("g", attn\.dims = \["B", "H", "N"), "D"', r"\1")
    return text


def count_pairs(name, length):
    """How many pairs of a query and a key the mask of a spec keeps."""
    if name == "dense":
        return length * length
    if name == "sliding-window":
        edge = min(length, WINDOW)
        return edge * (edge + 1) // 2 + (length - edge) * WINDOW
    return length * (length + 1) // 2


def list_timed(lengths=LENGTHS, dtypes=TYPES):
    """Cases of timing.py."""
    cases = [{"kind": "probe", "probe": probe} for probe in ("f32", "bf16", "f16", "copy")]
    for length in lengths:
        for dtype, features, name in itertools.product(dtypes, FEATURES, SPECS):
            if name != "decode":
                cases.append({"kind": "forward", "spec": name, "dtype": dtype,
                              "features": features, "length": length})
        if length == lengths[0]:
            cases += [{"kind": "decode", "spec": "decode", "dtype": dtype,
                       "features": features, "length": DECODE_KEYS}
                      for dtype, features in itertools.product(dtypes, FEATURES)]
    cases += [{"kind": "linear", "spec": name, "dtype": dtype, "features": LINEAR_FEATURES,
               "length": length}
              for length, dtype, name in itertools.product(lengths[:2], LINEAR_TYPES,
                                                           LINEAR_SPECS) if dtype in dtypes]
    # Each of these is compiled for several seconds first.
    cases += [{"kind": "flex", "spec": name, "dtype": dtype, "features": features,
               "length": length}
              for length, dtype, features, name in itertools.product(
                  lengths[:2], dtypes[:2], FEATURES, SPECS) if name != "decode"]
    return cases


def get_case_name(case):
    """For people, and for --filter."""
    if case.get("kind") == "probe":
        return f"probe {case['probe']}"
    if "kind" in case:
        return (f"{case['kind']} {case['spec']} {case['dtype']} D={case['features']} "
                f"N={case['length']}")
    dims = ",".join(f"{name}={size}" for name, size in case["dims"])
    return f"{case['variant']} {case['dtype']} {dims}"
