"""Deletes old checkpoints only after the new one is on disk."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mmagic.registry import HOOKS
from mmengine.hooks import CheckpointHook

from attentive_gan.engine.runner.time_budget import crosses


class _DeferredRemoval:
    """A file backend that defers deletions until `flush`."""

    def __init__(self, backend: Any) -> None:
        self._backend = backend
        self._paths: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)

    def remove(self, path: str) -> None:
        """Defer the deletion of a file."""
        self._paths.append(path)

    def flush(self) -> None:
        """Delete the deferred files."""
        for path in self._paths:
            if self._backend.isfile(path):
                self._backend.remove(path)
        self._paths.clear()


@HOOKS.register_module()
class VerifiedCheckpointHook(CheckpointHook):
    """MMEngine's `CheckpointHook`, but old checkpoints are deleted after the new one is written.

    MMEngine deletes first, so with `max_keep_ckpts=1` an interrupted save would lose the training.
    Writing itself is atomic (`attentive_gan.utils.checkpoint_io.write_checkpoint`).

    Args:
        share: Also save after each such share of the training, in (0, 1], for trainings by time, whose
            number of iterations is unknown. None for `interval` only.
        options: Arguments of `CheckpointHook`.

    Raises:
        ValueError: The share is outside its range.
    """

    file_backend: Any
    last_ckpt: str | None

    def __init__(self, *, share: float | None = None, **options: Any) -> None:
        super().__init__(**options)
        if share is not None and not 0 < share <= 1:
            raise ValueError(f'share of VerifiedCheckpointHook must be in (0, 1], not {share}')
        self.share = share
        self._progress = 0.0
        self._due = False
        self._saved_at = -1

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Save a checkpoint if one is due by iterations, by progress or at the end."""
        before, self._progress = self._progress, runner.message_hub.get_info('progress', 0.0)
        self._due = crosses(before, self._progress, self.share)
        super().after_train_iter(runner, batch_idx, data_batch, outputs)

    def every_n_train_iters(self, runner: Any, n: int, start: int = 0) -> bool:
        """Return whether a checkpoint is due, by iterations or by progress."""
        return self._due or super().every_n_train_iters(runner, n, start)

    def before_train(self, runner: Any) -> None:
        """Prepare the folder and defer deletions."""
        super().before_train(runner)
        self._progress = runner.message_hub.get_info('progress', 0.0)
        self.file_backend = _DeferredRemoval(self.file_backend)
        if self.last_ckpt is None and runner.iter > 0:
            # Only with it MMEngine stores the best score of a validation that is run again.
            self.last_ckpt = runner.message_hub.get_info('last_ckpt', None)

    def save_now(self, runner: Any) -> str | None:
        """Save the state after the last iteration unless that was done; every process must call this.

        Returns:
            Path of the checkpoint, or None for a hook that counts epochs.
        """
        if self.by_epoch:
            return None
        if self._saved_at != runner.iter:
            meta = dict(epoch=runner.epoch, iter=runner.iter)
            self._save_checkpoint_with_step(runner, runner.iter, meta)
        return str(self.last_ckpt)

    @contextmanager
    def _removal_after_saving(self) -> Iterator[None]:
        """Delete old checkpoints if the block ends without an error."""
        yield
        self.file_backend.flush()

    def _save_checkpoint_with_step(self, runner: Any, step: int, meta: dict[str, Any]) -> None:
        with self._removal_after_saving():
            super()._save_checkpoint_with_step(runner, step, meta)
        self._saved_at = int(meta['iter'])

    def _save_best_checkpoint(self, runner: Any, metrics: dict[str, float]) -> None:
        with self._removal_after_saving():
            super()._save_best_checkpoint(runner, metrics)
