"""Runs specs with 1, 2 and 5 threads; their results must have the same bits."""

import pathlib
import subprocess
import sys
import tempfile

for spec in sys.argv[1:]:
    results = set()
    for threads in (1, 2, 5):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "out.npy"
            subprocess.run(["attn-run", spec, "--target=cpu", "--dims=B=2,Nq=300,Nk=333",
                            f"--threads={threads}", f"--save=out={file}"],
                           check=True, stdout=subprocess.DEVNULL)
            results.add(file.read_bytes())
    if len(results) != 1:
        sys.exit(f"{spec}: results depend on the number of threads")
