#!/usr/bin/env bash
# Usage: bash tools/dist_train.sh CONFIG PROCESSES [OPTIONS OF tools/train.py]
# One process per GPU; without GPUs the processes run on the CPU (gloo). Several machines: set NNODES,
# NODE_RANK, MASTER_ADDR and PORT on each.
set -euo pipefail

if [ $# -lt 2 ]; then sed -n 2p "$0" >&2; exit 2; fi
CONFIG=$1
PROCESSES=$2
case $PROCESSES in
    ""|0|*[!0-9]*) echo "error: PROCESSES must be a number from 1 on, not $PROCESSES" >&2; sed -n 2p "$0" >&2; exit 2 ;;
esac

exec python -m torch.distributed.run \
    --nnodes="${NNODES:-1}" \
    --node_rank="${NODE_RANK:-0}" \
    --master_addr="${MASTER_ADDR:-127.0.0.1}" \
    --master_port="${PORT:-29500}" \
    --nproc_per_node="$PROCESSES" \
    "$(dirname "$0")/train.py" "$CONFIG" --launcher pytorch "${@:3}"
