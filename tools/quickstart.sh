#!/usr/bin/env bash
# Sets up, draws small test pairs, trains the small Attentive GAN for minutes, tests it, and says where the
# images and scores are. Usage: bash tools/quickstart.sh [OPTIONS OF tools/train.py]
set -euo pipefail
cd "$(dirname "$0")/.."

CONFIG=configs/attgan_quickstart.py
WORK_DIR=work_dirs/attgan_quickstart
PYTHON=${ATTENTIVE_GAN_VENV:-.venv}/bin/python

bash tools/setup.sh
"$PYTHON" tools/dataset_converters/render_raindrops.py --scenes 8 --size 240x160 --level heavy --lighting day \
    --out data/drawn_raindrops/test_a --overwrite
"$PYTHON" tools/train.py "$CONFIG" --work-dir "$WORK_DIR" --resume auto "$@"
"$PYTHON" tools/test.py "$CONFIG" "$WORK_DIR/$(basename "$(cat "$WORK_DIR/last_checkpoint")")" \
    --work-dir "$WORK_DIR" --out "$WORK_DIR/scores.json"
"$PYTHON" tools/summary.py "$WORK_DIR"
