"""Files, folders and videos: restored one after another, with nothing lost on the way."""

from __future__ import annotations

from .batch import (
    BatchOptions,
    BatchPlan,
    ProgressCallback,
    Record,
    Report,
    plan_batch,
    restore_batch,
)
from .outputs import TargetOptions
from .sharding import Shard, parse_shard, shard_of_launcher
from .video.restoring import VideoOptions, VideoReport, restore_video

__all__ = [
    'BatchOptions',
    'BatchPlan',
    'ProgressCallback',
    'Record',
    'Report',
    'Shard',
    'TargetOptions',
    'VideoOptions',
    'VideoReport',
    'parse_shard',
    'plan_batch',
    'restore_batch',
    'restore_video',
    'shard_of_launcher',
]
