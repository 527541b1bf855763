"""Restoration of files, folders and videos in batches that can be resumed."""

from __future__ import annotations

from .batch import (
    BatchOptions,
    BatchPlan,
    Outcome,
    ProgressCallback,
    Report,
    plan_batch,
    restore_batch,
)
from .outputs import OutputOptions
from .sharding import Shard, parse_shard, shard_of_launcher
from .video.live_restoring import LiveReport, restore_live
from .video.live_source import LiveSource
from .video.restoring import VideoOptions, VideoReport, restore_video

__all__ = [
    'BatchOptions',
    'BatchPlan',
    'LiveReport',
    'LiveSource',
    'Outcome',
    'OutputOptions',
    'ProgressCallback',
    'Report',
    'Shard',
    'VideoOptions',
    'VideoReport',
    'parse_shard',
    'plan_batch',
    'restore_batch',
    'restore_live',
    'restore_video',
    'shard_of_launcher',
]
