#!/usr/bin/env python3
#===- exponentials.py - How exact the exponential of a GPU is --------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Compares ex2.approx.ftz.f32 with exp2 in float64: 16 numbers per step of 2^-14
from -127 to 1. docs/numerics.md promises a relative error of 2^-22.

  python3 bench/device/exponentials.py

Prints the largest relative error and where it is; exits 1 if it is over 2^-22, or
if a result below 2^-126 is not 0.
"""

import math
import sys

import numpy as np

from attn_runtime import RuntimeFailure
from memory import CudaDevice

PROMISED, THREADS = 2.0**-22, 256
PTX = """
.version 7.8
.target sm_80
.address_size 64
.visible .entry exponentials(.param .u64 numbers, .param .u64 results) {
  .reg .b32 %r<5>;
  .reg .b64 %rd<5>;
  .reg .f32 %f<3>;
  ld.param.u64 %rd1, [numbers];
  ld.param.u64 %rd2, [results];
  cvta.to.global.u64 %rd1, %rd1;
  cvta.to.global.u64 %rd2, %rd2;
  mov.u32 %r1, %ctaid.x;
  mov.u32 %r2, %ntid.x;
  mov.u32 %r3, %tid.x;
  mad.lo.s32 %r4, %r1, %r2, %r3;
  mul.wide.s32 %rd3, %r4, 4;
  add.s64 %rd1, %rd1, %rd3;
  add.s64 %rd2, %rd2, %rd3;
  ld.global.f32 %f1, [%rd1];
  ex2.approx.ftz.f32 %f2, %f1;
  st.global.f32 [%rd2], %f2;
  ret;
}
"""


def exponentials_of(numbers):
    """What the device makes of them; as many as blocks have threads."""
    device, results = CudaDevice(), np.empty_like(numbers)
    addresses = [device.allocate(numbers.nbytes) for _ in range(2)]
    device.write(addresses[0], numbers)
    device.launch(PTX, "exponentials", numbers.size // THREADS, THREADS, addresses)
    device.read(addresses[1], results)
    for address in addresses:
        device.free(address)
    return results


def main():
    generator = np.random.default_rng(0)
    steps = np.repeat(np.arange(-127 * 2**14, 2**14) / 2.0**14, 16)
    numbers = (steps + generator.random(steps.size) / 2**14).astype(np.float32)
    numbers = numbers[:numbers.size // THREADS * THREADS]
    try:
        results = exponentials_of(numbers).astype(np.float64)
    except RuntimeFailure as failure:
        sys.exit(str(failure))
    exact = np.exp2(numbers.astype(np.float64))
    normal = exact >= 2.0**-126
    errors = np.where(normal, np.abs(results / exact - 1), 0)
    worst = int(errors.argmax())
    print(f"ex2.approx.ftz.f32: {numbers.size} numbers, largest relative error "
          f"2^{math.log2(errors[worst]):.2f} at {numbers[worst]!r}")
    nonzero = np.count_nonzero(results[exact < 2.0**-126 * (1 - PROMISED)])
    if nonzero:
        print(f"{nonzero} results below 2^-126 are not 0")
    sys.exit(1 if errors[worst] > PROMISED or nonzero else 0)


if __name__ == "__main__":
    main()
