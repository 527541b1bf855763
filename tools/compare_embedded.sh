#!/usr/bin/env bash
# Trains the Attentive GAN, its ablations and all baselines on the embedded data set under an equal, small
# budget, compares them, and opens the page. Usage: bash tools/compare_embedded.sh
# ITERATIONS=N sets the budget of each (default 120). A stopped run goes on where it was.
set -euo pipefail
cd "$(dirname "$0")/.."

ITERATIONS=${ITERATIONS:-120}
WORK_DIR=work_dirs/compare_embedded_$ITERATIONS
DATA=data/drawn_raindrops/test_a
PYTHON=${ATTENTIVE_GAN_VENV:-.venv}/bin/python

bash tools/setup.sh
if [ ! -f "$DATA/manifest.json" ]; then  # the last file that is written
    "$PYTHON" tools/dataset_converters/render_raindrops.py --scenes 8 --size 240x160 --level heavy \
        --lighting day --out "$DATA"
fi

failed=0
"$PYTHON" tools/train_all.py configs/attgan_raindrop.py \
    configs/{unet,eigen2013,pix2pix,durn,prenet,restormer,nafnet,swinir}/*_raindrop.py \
    configs/attentive_gan/ablations/*_raindrop.py \
    --data configs/attentive_gan/attgan_1xb2-500_drawn.py --iterations "$ITERATIONS" --work-dir "$WORK_DIR" \
    --cfg-options model.perceptual_loss=None || failed=1
"$PYTHON" tools/leaderboard.py "$DATA" --out "$WORK_DIR/leaderboard" --size 240x160 \
    --entries "$WORK_DIR/entries.yml" --entry "inpainting=inpainting:telea" \
    --entry "attgan-small=configs/attgan_small.py,projects/attentive_gan/weights/attgan_small.safetensors" \
    || failed=1

PAGE=$WORK_DIR/leaderboard/index.html
if [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ] && command -v xdg-open >/dev/null; then
    xdg-open "$PAGE"
elif command -v open >/dev/null && [ "$(uname)" = Darwin ]; then
    open "$PAGE"
else
    echo "Open $PAGE in a browser."
fi
exit "$failed"
