#===- block_lists.py - Lists that programs of the catalogue make -----------===#
#
# Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===-----------------------------------------------------------------------===#
"""Used by block_balance.py and transpose_times.py."""

import pathlib
import re
import subprocess
import sys

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent
INPUTS = ROOT / "test" / "integration" / "Inputs"


def add_tools(parser):
    """Options that say which tools make lists, and of which documents."""
    parser.add_argument("--attn-run", default=ROOT / "build/bin/attn-run")
    parser.add_argument("--attn-opt", default=ROOT / "build/bin/attn-opt")
    parser.add_argument("--mean", type=int, default=4096, help="tokens of a document")


def run(*command, text=None):
    """What a command prints; the end where it fails."""
    done = subprocess.run(list(map(str, command)), input=text, text=True, capture_output=True)
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    return done.stdout


def documents(tokens, mean, seed=1):
    """Numbers of documents, whose lengths are exponential."""
    random = np.random.default_rng(seed)
    lengths = np.maximum(1, random.exponential(mean, 4 * tokens // mean + 64)).astype(int)
    return np.repeat(np.arange(len(lengths)), lengths)[:tokens].astype(np.int32)


def make_list(options, variant, schedule, sizes, rows, room, folder):
    """The files of offsets and blocks of the list of a variant, which has `rows` blocks
    of queries and at most `room` entries."""
    listed = run(options.attn_opt, ROOT / f"variants/local/{variant}.mlir", "--attn-fuse",
                 "--attn-infer-sparsity", f"--attn-select-schedule=schedule={schedule}",
                 "--attn-list-blocks")
    kept = run(sys.executable, INPUTS / "keep_list.py", text=listed)
    # Sizes of results are those of arguments.
    kept = re.sub(r"(.*= attn\.block_list .*) capacity\(%\w+\)",
                  r"%first_dim = arith.constant 0 : index "
                  r"%room = tensor.dim %L, %first_dim : tensor<?xi8> \1 capacity(%room)", kept)
    kept = kept.replace('["X", "Y", ', '["B", "H", ')
    program = folder / "list.mlir"
    program.write_text(run(options.attn_opt, "--attn-to-tile", text=kept))
    dims = {"B": 1, "H": 1, **sizes, "E": 2 * rows + 1, "L": room}
    files = {name: folder / f"{name}.npy" for name in ("offsets", "blocks")}
    command = [options.attn_run, program, "--threads=1",
               "--dims=" + ",".join(f"{name}={size}" for name, size in dims.items())]
    command += [f"--save={name}={file}" for name, file in files.items()]
    if "N" in sizes:
        np.save(folder / "document.npy", documents(sizes["N"], options.mean)[None])
        command.append(f"--arg=document={folder}/document.npy")
    run(*command)
    return files
