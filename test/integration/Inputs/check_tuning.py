#===- check_tuning.py - Tuners that are interrupted ------------------------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Usage: check_tuning.py VARIANTS FOLDER

Kills tuners, runs two on one database, and lets the disk be full. After each
the database is whole and has every trial that a tuner reported.
"""

import json
import os
import resource
import signal
import sqlite3
import subprocess
import sys

variants, folder = sys.argv[1:]
SPEC = os.path.join(variants, "softmax", "dense.mlir")


def start(database, lengths):
    command = ["attn-tune", SPEC, "--db=" + database, "--threads=1",
               "--candidates=3", *(f"--dims=H=1,N={n}" for n in lengths)]
    return subprocess.Popen(command, text=True, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE,
                            env={**os.environ, "ATTN_CONFIG_DIR": folder})


def read(database, query):
    with sqlite3.connect(database) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return connection.execute(query).fetchall()


def count_trials(lines):
    return sum(line.startswith("tune  ") and "/3  " in line for line in lines)


def check_stopped(number, signal_number, status):
    """Ends a tuner when it has printed two trials."""
    database = os.path.join(folder, f"stopped{number}.db")
    tuner, seen = start(database, [48, 96]), []
    for line in tuner.stderr:
        seen.append(line)
        if count_trials(seen) == 2:
            tuner.send_signal(signal_number)
            break
    seen += tuner.stderr.readlines()
    tuner.wait()
    assert tuner.returncode == status, (tuner.returncode, seen)
    # The line of a trial is printed before it is stored, so the last may lack.
    trials = len(read(database, "SELECT * FROM trials"))
    assert trials >= count_trials(seen) - 1 >= 1, (trials, seen)


def check_two():
    """Two tuners on one database: both records are there."""
    database = os.path.join(folder, "two.db")
    tuners = [start(database, [48]), start(database, [96])]
    for tuner in tuners:
        _, errors = tuner.communicate()
        assert tuner.returncode == 0, errors
    buckets = read(database, "SELECT bucket FROM records ORDER BY bucket")
    assert buckets == [("N=128",), ("N=64",)], buckets
    return database


def check_full(database):
    """A disk that is full: an error, and what was there stays."""
    before = read(database, "SELECT * FROM records ORDER BY bucket")
    exported = subprocess.run(
        ["attn-tune", "--db=" + database, "--export=-"], check=True, text=True,
        capture_output=True).stdout
    record = json.loads(exported.splitlines()[0])
    path = os.path.join(folder, "many.jsonl")
    with open(path, "w") as file:
        for n in range(500):
            file.write(json.dumps({**record, "bucket": f"N={n}"}) + "\n")
    limit = os.path.getsize(database) + 8192
    result = subprocess.run(
        ["attn-tune", "--db=" + database, "--import=" + path], text=True,
        capture_output=True, preexec_fn=lambda: resource.setrlimit(
            resource.RLIMIT_FSIZE, (limit, limit)))
    assert result.returncode == 1, result
    assert result.stderr.startswith("attn-tune: error: '"), result
    assert "cannot write: " in result.stderr, result
    assert read(database, "SELECT * FROM records ORDER BY bucket") == before


check_stopped(0, signal.SIGKILL, -signal.SIGKILL)
check_stopped(1, signal.SIGINT, 130)
check_full(check_two())
