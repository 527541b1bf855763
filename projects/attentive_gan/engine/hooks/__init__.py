"""Hooks of the runner."""

from __future__ import annotations

from .check_invalid_loss_hook import CheckInvalidLossHook
from .checkpoint_hook import VerifiedCheckpointHook
from .image_hooks import SampleGridHook, SaveImagesHook
from .iteration_times_hook import IterationTimesHook
from .runtime_info_hook import DeferredRuntimeInfoHook
from .score_files_hook import MeanScoresHook, ScoreFilesHook

__all__ = [
    'CheckInvalidLossHook',
    'DeferredRuntimeInfoHook',
    'IterationTimesHook',
    'MeanScoresHook',
    'SampleGridHook',
    'SaveImagesHook',
    'ScoreFilesHook',
    'VerifiedCheckpointHook',
]
