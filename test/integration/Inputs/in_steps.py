#===- in_steps.py - A spec whose recurrences go token by token -------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Prints a spec with a schedule of one token for each of its recurrences, in generic
form; other ops keep theirs. attn-opt is found on the PATH.

    in_steps.py SPEC.mlir [SPLITS]
"""

import re
import subprocess
import sys

text = subprocess.run(["attn-opt", sys.argv[1], "--mlir-print-op-generic"], check=True,
                      capture_output=True, text=True).stdout
splits = sys.argv[2] if len(sys.argv) > 2 else "0"
schedule = f"schedule = #attn.schedule<block_q = 1, block_k = 4096, splits = {splits}>"
text, count = re.subn(r'("attn\.recur"\([^)]*\) <\{)', rf"\1{schedule}, ", text)
if not count:
    sys.exit(f"{sys.argv[1]}: no recurrence")
print(text)
