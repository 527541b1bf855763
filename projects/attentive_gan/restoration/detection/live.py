"""Detection in a camera or network stream, as its frames come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from itertools import count
from pathlib import Path
from typing import Any

from attentive_gan.errors import UserError
from attentive_gan.restoration.video.live_source import LiveSource

from .detector import Detection, RaindropDetector
from .records import Records, write_mask
from .wetness import WetnessMeter


def detect_live(
    detector: RaindropDetector,
    source: LiveSource,
    records: Records,
    mask: Path | None = None,
    told: Callable[[float, Detection], object] = lambda time, found: None,
) -> dict[str, Any]:
    """Judge frames as they come, until the source ends or is stopped.

    Args:
        detector: Judges the frames.
        source: The stream, open.
        records: Gets each judged frame.
        mask: File for the mean of all masks; None writes none.
        told: Called with time in seconds and result of each judged frame.

    Returns:
        The verdict, with the keys of `Wetness`; the number of dropped frames, and why the stream ended.

    Raises:
        UserError: The stream was stopped before its first frame was judged.
    """
    numbers = count()

    def record(time: float, found: Detection) -> None:
        records.add_frame(source.name, next(numbers), time, found)
        told(time, found)

    meter = WetnessMeter(detector, told=record)
    for frame in source.frames():
        meter.add(frame.image, frame.seconds)
    summary, mean = meter.summary(), meter.mask()
    if summary is None or mean is None:
        raise UserError(f'{source.name}: stopped before a frame was judged')
    details = asdict(summary)
    if mask is not None:
        write_mask(mask, mean, details)
    height, width = source.size
    live = {'dropped': source.dropped, 'ended': source.ended}
    return {'width': width, 'height': height} | live | details
