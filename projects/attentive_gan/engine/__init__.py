"""The runner, its loops, samplers and hooks."""

from __future__ import annotations

from contextlib import suppress

from .checkpoint_hook import VerifiedCheckpointHook
from .finite_loss import StopOnNonFinite
from .iteration_times import IterationTimes
from .pictures import RestoredPictures, SampleGrid
from .pooled_dataloader import DATA_LOADERS, PooledDataLoader
from .runner import RestorationRunner
from .sampler import DrawSampler
from .score_files import MeanScoresFile, ScoreFiles
from .train_loop import ResumableTrainLoop

# An MMagic whose inferencers cannot be imported has none to mend.
with suppress(ImportError):
    from . import mmagic_inferencer

    mmagic_inferencer.apply()

__all__ = [
    'DATA_LOADERS',
    'DrawSampler',
    'IterationTimes',
    'MeanScoresFile',
    'PooledDataLoader',
    'RestorationRunner',
    'RestoredPictures',
    'ResumableTrainLoop',
    'SampleGrid',
    'ScoreFiles',
    'StopOnNonFinite',
    'VerifiedCheckpointHook',
]
