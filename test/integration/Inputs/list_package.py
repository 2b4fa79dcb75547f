#===- list_package.py - What is in a package -------------------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Lists the sections of a package, as docs/packages.md describes them, and what
is launched of each: `TARGET TRIPLE format N: KERNEL: SYMBOL...`."""

import json
import struct
import sys


def read_text(field):
    return field.split(b"\0", 1)[0].decode()


def main():
    with open(sys.argv[1], "rb") as file:
        data = file.read()
    offset, size = struct.unpack_from("<QQ", data, 24)
    kernels = json.loads(data[offset:offset + size])["kernels"]
    count, = struct.unpack_from("<I", data, 48)
    for number in range(count):
        target, triple, code = struct.unpack_from("<32s40sI", data,
                                                  64 + 128 * number)
        line = f"{read_text(target)} {read_text(triple)} format {code}"
        for kernel in kernels:
            for program in kernel["programs"]:
                if program["section"] == number:
                    symbols = [entry["symbol"] for entry in program["launches"]]
                    line += f": {kernel['name']}: {' '.join(symbols)}"
        print(line)


if __name__ == "__main__":
    main()
