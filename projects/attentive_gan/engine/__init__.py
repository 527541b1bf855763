"""The runner, its loops, samplers and hooks."""

from __future__ import annotations

from contextlib import suppress

from .bfloat16 import Bfloat16OptimWrapper
from .checkpoint_hook import VerifiedCheckpointHook
from .finite_loss import StopOnNonFinite
from .images import RestoredImages, SampleGrid
from .iteration_times import IterationTimes
from .pooled_dataloader import DATA_LOADERS, PooledDataLoader
from .progress_schedule import ProgressLR
from .runner import RestorationRunner
from .runtime_info import DeferredRuntimeInfoHook
from .sampler import DrawSampler
from .score_files import MeanScoresFile, ScoreFiles
from .timed_loop import TimedTrainLoop
from .train_loop import ResumableTrainLoop

# An MMagic whose inferencers cannot be imported has none to mend.
with suppress(ImportError):
    from . import mmagic_inferencer

    mmagic_inferencer.apply()

__all__ = [
    'DATA_LOADERS',
    'Bfloat16OptimWrapper',
    'DeferredRuntimeInfoHook',
    'DrawSampler',
    'IterationTimes',
    'MeanScoresFile',
    'PooledDataLoader',
    'ProgressLR',
    'RestorationRunner',
    'RestoredImages',
    'ResumableTrainLoop',
    'SampleGrid',
    'ScoreFiles',
    'StopOnNonFinite',
    'TimedTrainLoop',
    'VerifiedCheckpointHook',
]
