"""`attentive_gan.restore`: what the command-line tool does, in one call."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from attentive_gan.inference import ImageRestorer
from attentive_gan.restoration.batch import (
    BatchOptions,
    ProgressCallback,
    Report,
    plan_batch,
    restore_batch,
)


def restore(
    inputs: str | Path | Sequence[str | Path],
    out: str | Path,
    options: BatchOptions | None = None,
    listener: ProgressCallback | None = None,
    restorer: ImageRestorer | None = None,
    **network: Any,
) -> Report:
    """Restore files, folders, patterns and videos.

    Args:
        inputs: What to restore.
        out: Output folder; or the output file for a single source.
        options: Names of results, quality and limits.
        listener: Told of the progress.
        restorer: The network, if it is at hand.
        **network: Else arguments of `ImageRestorer`, such as `weights` and `device`.

    Returns:
        What became of every source; a bad one does not end the work.

    Raises:
        UserError: An input names nothing, results collide or exist, or the network cannot be loaded.
    """
    several = [inputs] if isinstance(inputs, (str, Path)) else list(inputs)
    plan = plan_batch(several, out, options or BatchOptions())
    return restore_batch(plan, restorer or ImageRestorer(**network), listener)
