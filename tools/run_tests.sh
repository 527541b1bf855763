#!/usr/bin/env bash
# Sets up (reusing what is there) and runs all checks: lint, types, layers, examples in docstrings, tests.
# Usage: bash tools/run_tests.sh [OPTIONS OF pytest]
set -euo pipefail
cd "$(dirname "$0")/.."

BIN=${ATTENTIVE_GAN_VENV:-.venv}/bin

bash tools/setup.sh dev
"$BIN/ruff" check .
"$BIN/ruff" format --check .
"$BIN/mypy"
"$BIN/lint-imports"
[ "$#" -gt 0 ] || "$BIN/python" -m pytest --doctest-modules --quiet projects
# One process per core; each file in one process, so that its fixtures are made once.
export OMP_NUM_THREADS=1
exec "$BIN/python" -m pytest --numprocesses auto --dist loadfile "$@"
