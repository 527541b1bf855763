"""Hooks of the runner."""

from __future__ import annotations

from .check_invalid_loss_hook import CheckInvalidLossHook
from .deferred_runtime_info_hook import DeferredRuntimeInfoHook
from .iteration_times_hook import IterationTimesHook
from .mean_scores_hook import MeanScoresHook
from .sample_grid_hook import SampleGridHook
from .save_images_hook import SaveImagesHook
from .score_files_hook import ScoreFilesHook
from .verified_checkpoint_hook import VerifiedCheckpointHook

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
