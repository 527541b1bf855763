"""`attentive_gan.restore`: the command-line tool in one call."""

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
    out: str | Path | None = None,
    options: BatchOptions | None = None,
    callback: ProgressCallback | None = None,
    restorer: ImageRestorer | None = None,
    **network: Any,
) -> Report:
    """Restore files, folders, patterns and videos.

    Args:
        inputs: Files, folders and patterns.
        out: Output folder; or the output file for a single input; None to write NAME_dry beside each input.
        options: Names of outputs, quality and limits.
        callback: Reports the progress.
        restorer: The network, if it is loaded already.
        **network: Otherwise arguments of `ImageRestorer`, such as `weights` and `device`.

    Returns:
        The outcome of every input; a bad one does not end the work.

    Raises:
        UserError: An argument matches no file, outputs collide or exist, or the network cannot be loaded.
    """
    several = [inputs] if isinstance(inputs, (str, Path)) else list(inputs)
    plan = plan_batch(several, out, options or BatchOptions())
    return restore_batch(plan, restorer or ImageRestorer(**network), callback)
