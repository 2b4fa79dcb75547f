#===- check_gpu_launch.py - What a driver must be given --------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Checks the launches that the driver of the unit tests wrote down.

  check_gpu_launch.py many [--bnhd] MODULE.mlir LOG B H N      (blocks of 32 rows)
  check_gpu_launch.py few MODULE.mlir LOG B H Hk Nq Nk         (16 rows, 8 splits)

MODULE is the output of --emit=llvm, where kernels say how much shared memory
they need. All else is derived here. How many parameters there are, and of how
many bytes, the driver reads from the PTX; that each tensor is followed by its
sizes and strides is what this script knows of kernels.
"""

import re
import sys


def read_log(path):
    """The addresses of memory in the order of allocation, and the launches."""
    addresses, launches = [], []
    for line in open(path):
        if match := re.match(r"allocate (\d+) at (\d+)", line):
            addresses.append((int(match[2]), int(match[1])))
        elif match := re.match(r"launch (\w+) grid ([\d,]+) block ([\d,]+) "
                               r"shared (\d+) stream 0$", line):
            launches.append((match[1], match[2], match[3], int(match[4]), []))
        elif match := re.match(r"parameter \d+ = (\d+)$", line):
            launches[-1][4].append(int(match[1]))
        else:
            assert not line.startswith(("launch", "parameter")), line
    return addresses, launches


def read_shared(path):
    """Bytes of shared memory by name of the kernel."""
    found = {}
    for line in open(path):
        if match := re.search(r"llvm\.func @(\w+)\(.*tile\.shared_bytes = (\d+)",
                              line):
            found[match[1]] = int(match[2])
    return found


def get_strides(sizes, bnhd):
    """Of all dimensions but the last of [B, H, N, D], or of [B, H, N]."""
    if bnhd and len(sizes) == 4:
        b, h, n, d = sizes
        return [n * h * d, d, h * d, 1]
    strides = [1]
    for size in reversed(sizes[1:]):
        strides.insert(0, strides[0] * size)
    return strides


def expect_tensor(parameters, address, sizes, bnhd=False):
    """A tensor is followed by its dynamic sizes, then its dynamic strides."""
    places = [i for i, value in enumerate(parameters) if value == address]
    assert len(places) == 1, (address, parameters)
    # Widths of heads are static, and so is the last stride.
    dynamic = sizes[:3]
    expected = list(dynamic) + get_strides(sizes, bnhd)[:len(sizes) - 1]
    got = parameters[places[0] + 1:places[0] + 1 + len(expected)]
    assert got == expected, (got, expected)


def check(launch, shared, blocks):
    name, grid, block, bytes_, _ = launch
    assert grid == f"{blocks},1,1", (name, grid, blocks)
    assert block == "128,1,1", (name, block)
    assert bytes_ == shared.get(name, 0), (name, bytes_, shared)


def check_many(module, log, b, h, n, bnhd):
    addresses, launches = read_log(log)
    shared = read_shared(module)
    assert any(shared.values()), shared
    wide = b * h * n * 64 * 4
    assert [size for _, size in addresses] == [wide] * 4 + [b * h * n * 4]
    assert len(launches) == 1, launches
    check(launches[0], shared, b * h * -(-n // 32))
    for address, _ in addresses[:4]:
        expect_tensor(launches[0][4], address, [b, h, n, 64], bnhd)
    expect_tensor(launches[0][4], addresses[4][0], [b, h, n])


def check_few(module, log, b, h, hk, nq, nk):
    addresses, launches = read_log(log)
    shared = read_shared(module)
    rows = h // hk * nq  # The heads of a group share keys.
    outs, lses = (8 * b * hk * rows * width * 4 for width in (128, 1))
    pad = lambda size: -(-size // 256) * 256
    assert [size for _, size in addresses] == [
        b * h * nq * 128 * 4, b * hk * nk * 128 * 4, b * hk * nk * 128 * 4,
        b * h * nq * 128 * 4, b * h * nq * 4, pad(outs) + pad(lses)]
    assert len(launches) == 2, launches
    check(launches[0], shared, 8 * b * hk * -(-rows // 16))
    check(launches[1], shared, b * h * -(-nq // 16))
    q, k, v, out, lse, work = (address for address, _ in addresses)
    first, second = launches[0][4], launches[1][4]
    expect_tensor(first, q, [b, h, nq, 128])
    expect_tensor(first, k, [b, hk, nk, 128])
    expect_tensor(first, v, [b, hk, nk, 128])
    expect_tensor(second, out, [b, h, nq, 128])
    expect_tensor(second, lse, [b, h, nq])
    # Parts of outputs and of sums lie behind each other, for both launches.
    for parameters in (first, second):
        for place in (work, work + pad(outs)):
            assert parameters.count(place) == 1, (place, parameters)
    assert out not in first and q not in second


def main():
    kind, *arguments = sys.argv[1:]
    bnhd = "--bnhd" in arguments
    module, log, *sizes = (text for text in arguments if text != "--bnhd")
    sizes = map(int, sizes)
    if kind == "many":
        check_many(module, log, *sizes, bnhd)
    else:
        check_few(module, log, *sizes)


if __name__ == "__main__":
    main()
