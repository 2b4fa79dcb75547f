#!/usr/bin/env bash
# Runs the tests of a finished build: lit, GoogleTest and the Python oracles.
# The last line is "N passed, N failed". See test/run_tests.py for the options.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly python=build/venv/bin/python
if [[ ! -x $python ]]; then
  echo "test/run.sh: $python not found; run 'make setup' first" >&2
  exit 1
fi
exec "$python" -B test/run_tests.py "$@"
