#!/usr/bin/env bash
# Usage: bash tools/dist_test.sh CONFIG CHECKPOINT PROCESSES [OPTIONS OF tools/test.py]
# One process per GPU; without GPUs the processes run on the CPU (gloo). Several machines: set NNODES,
# NODE_RANK, MASTER_ADDR and PORT on each.
set -euo pipefail

if [ $# -lt 3 ]; then sed -n 2p "$0" >&2; exit 2; fi
CONFIG=$1
CHECKPOINT=$2
PROCESSES=$3
case $PROCESSES in
    ""|0|*[!0-9]*) echo "error: PROCESSES must be a number from 1 on, not $PROCESSES" >&2; sed -n 2p "$0" >&2; exit 2 ;;
esac

exec python -m torch.distributed.run \
    --nnodes="${NNODES:-1}" \
    --node_rank="${NODE_RANK:-0}" \
    --master_addr="${MASTER_ADDR:-127.0.0.1}" \
    --master_port="${PORT:-29500}" \
    --nproc_per_node="$PROCESSES" \
    "$(dirname "$0")/test.py" "$CONFIG" "$CHECKPOINT" --launcher pytorch "${@:4}"
