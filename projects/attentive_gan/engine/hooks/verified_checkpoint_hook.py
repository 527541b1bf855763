"""Keeps old checkpoints until the new one is safely on disk."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mmagic.registry import HOOKS
from mmengine.hooks import CheckpointHook

from attentive_gan.engine.runner.time_budget import crosses


class _DeferredRemoval:
    """A file backend whose deletions wait until `flush`."""

    def __init__(self, backend: Any) -> None:
        self._backend = backend
        self._paths: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)

    def remove(self, path: str) -> None:
        """Remember a file that may go."""
        self._paths.append(path)

    def flush(self) -> None:
        """Delete what was remembered."""
        for path in self._paths:
            if self._backend.isfile(path):
                self._backend.remove(path)
        self._paths.clear()


@HOOKS.register_module()
class VerifiedCheckpointHook(CheckpointHook):
    """MMEngine's `CheckpointHook`, which deletes before it writes, the other way round.

    With `max_keep_ckpts=1` a stop during a save would otherwise lose the whole training. Writing
    itself is atomic (`attentive_gan.host.write_checkpoint`).

    Args:
        share: Save after each such share of the training, in (0, 1], too; for trainings by time, which
            do not know their iterations before. None leaves it to `interval`.
        options: Arguments of `CheckpointHook`.

    Raises:
        ValueError: The share is outside its range.
    """

    file_backend: Any

    def __init__(self, *, share: float | None = None, **options: Any) -> None:
        super().__init__(**options)
        if share is not None and not 0 < share <= 1:
            raise ValueError(f'share of VerifiedCheckpointHook must be in (0, 1], not {share}')
        self.share = share
        self._progress = 0.0
        self._due = False

    def after_train_iter(
        self,
        runner: Any,
        batch_idx: int,
        data_batch: dict[str, Any] | None = None,
        outputs: dict[str, Any] | None = None,
    ) -> None:
        """Save a checkpoint when it is due by iterations, by progress or at the end."""
        before, self._progress = self._progress, runner.message_hub.get_info('progress', 0.0)
        self._due = crosses(before, self._progress, self.share)
        super().after_train_iter(runner, batch_idx, data_batch, outputs)

    def every_n_train_iters(self, runner: Any, n: int, start: int = 0) -> bool:
        """Tell whether a checkpoint is due, by iterations or by progress."""
        return self._due or super().every_n_train_iters(runner, n, start)

    def before_train(self, runner: Any) -> None:
        """Prepare the folder and let deletions wait."""
        super().before_train(runner)
        self._progress = runner.message_hub.get_info('progress', 0.0)
        self.file_backend = _DeferredRemoval(self.file_backend)

    @contextmanager
    def _removal_after_saving(self) -> Iterator[None]:
        """Delete old checkpoints only when the block has ended without an error."""
        yield
        self.file_backend.flush()

    def _save_checkpoint_with_step(self, runner: Any, step: int, meta: dict[str, Any]) -> None:
        with self._removal_after_saving():
            super()._save_checkpoint_with_step(runner, step, meta)

    def _save_best_checkpoint(self, runner: Any, metrics: dict[str, float]) -> None:
        with self._removal_after_saving():
            super()._save_best_checkpoint(runner, metrics)
