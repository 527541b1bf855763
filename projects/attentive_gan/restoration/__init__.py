"""Files, folders and videos: restored one after another, with nothing lost on the way."""

from __future__ import annotations

from .api import restore
from .batch import BatchOptions, BatchPlan, Listener, Record, Report, plan_batch, restore_batch
from .sharding import Shard, parse_shard, shard_of_launcher
from .targets import TargetOptions
from .video import VideoOptions, VideoReport, restore_video

__all__ = [
    'BatchOptions',
    'BatchPlan',
    'Listener',
    'Record',
    'Report',
    'Shard',
    'TargetOptions',
    'VideoOptions',
    'VideoReport',
    'parse_shard',
    'plan_batch',
    'restore',
    'restore_batch',
    'restore_video',
    'shard_of_launcher',
]
