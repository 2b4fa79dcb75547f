#===- rounds.py - Time contenders in turn ----------------------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Slices of calls of all contenders follow each other, round by round. A ratio is
that of two slices of one round, so that a clock that wanders and other programs
change both."""

import argparse
import datetime
import itertools
import os
import pathlib
import platform
import time


def time_slice(call, seconds):
    """Seconds of one call, from calls that last `seconds` together."""
    start = time.perf_counter()
    for count in itertools.count(1):
        call()
        elapsed = time.perf_counter() - start
        if elapsed >= seconds:
            return elapsed / count


def time_rounds(calls, rounds, seconds):
    """The times of all contenders, one of each in every round."""
    times = {name: [] for name in calls}
    names = list(calls)
    for index in range(rounds):
        shift = index % len(names)
        for name in names[shift:] + names[:shift]:
            time.sleep(0.01)  # Threads of other pools stop waiting for work.
            times[name].append(time_slice(calls[name], seconds))
    return times


def get_quantiles(values):
    ordered = sorted(values)
    return [ordered[round(share * (len(ordered) - 1))] for share in (0.1, 0.5, 0.9)]


def get_machine():
    model = platform.processor() or platform.machine()
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
        model = next(line.split(":")[1].strip() for line in lines
                     if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    return {"processor": model, "cores": len(os.sched_getaffinity(0)),
            "date": datetime.date.today().isoformat()}


def split_list(kind, allowed=None):
    """Parses the lists of command lines, whose elements are separated by commas."""
    def parse(text):
        values = [kind(part) for part in text.split(",")]
        for value in values:
            if allowed and value not in allowed:
                raise argparse.ArgumentTypeError(
                    f"expected some of {', '.join(map(str, allowed))}, got '{value}'")
        return values
    return parse
