#===- keep_list.py - A function that makes a list of blocks ----------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Reads what attn-list-blocks printed and drops the attention: the function
returns the list of blocks alone. The sizes of the list, E and L, are those of two
arguments that nothing reads."""

import re
import sys


def main():
    text = sys.stdin.read()
    offsets, blocks = re.search(r"(%\w+), (%\w+) = attn\.block_list", text).groups()
    made = text[:re.search(r"(?m)^.*= attn\.attend", text).start()]
    types = re.findall(r"(?m)^\s*\} : (tensor<[^>]*>), (tensor<[^>]*>)$", made)[-1]
    results = (f'({types[0]} {{attn.name = "offsets", attn.dims = ["X", "Y", "E"]}}, '
               f'{types[1]} {{attn.name = "blocks", attn.dims = ["X", "Y", "L"]}})')
    sizes = ", ".join(f'%{dim}: tensor<?xi8> {{attn.name = "{dim}", attn.dims = ["{dim}"], '
                      f'attn.fill = "below 2"}}' for dim in "EL")
    made = re.sub(r"\) -> \(.*\) attributes \{.*\} \{$", f", {sizes}) -> {results} {{", made,
                  count=1, flags=re.M)
    print(f"{made}    return {offsets}, {blocks} : {types[0]}, {types[1]}\n  }}\n}}")


if __name__ == "__main__":
    main()
