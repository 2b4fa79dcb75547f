#===- check_flops.py - The work that attn-run reports ----------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Checks the output of attn-run for the work of so many pairs.

  attn-run ... | check_flops.py PAIRS FEATURES
"""

import re
import sys

pairs, features = map(int, sys.argv[1:])
# Two products, and a multiplication and an addition for each feature.
expected = 4 * pairs * features
text = sys.stdin.read()
line = re.search(r"median (\S+) ms .* (\S+) GFLOP/s", text)
assert line, text
flops = float(line[1]) * float(line[2]) * 1e6
# Both numbers are printed with four digits.
assert abs(flops / expected - 1) < 2e-3, (flops, expected, text)
