"""The file with the scales that fit renderings to real pairs of images."""

from __future__ import annotations

from pathlib import Path

from attentive_gan.errors import UserError
from attentive_gan.utils.manifest import read_manifest

#: The options of `RaindropOptions` that are fitted.
SCALES = ('coverage_scale', 'sky_scale', 'mist_scale')


def read_calibration(path: str | Path) -> dict[str, float]:
    """Return the fitted options, such as `coverage_scale`, of a calibration.

    Args:
        path: A file of `render_raindrops.py --calibrate`.

    Raises:
        UserError: The file is missing or no calibration.
    """
    content = read_manifest(Path(path))
    if content is None:
        raise UserError(f'{path} does not exist. Make a calibration with render_raindrops.py.')
    scales = content.get('scales')
    if (
        not isinstance(scales, dict)
        or set(scales) != set(SCALES)
        or not all(
            isinstance(value, (int, float)) and 0 <= value <= 1e6 for value in scales.values()
        )
    ):
        raise UserError(f'{path} is not a calibration: it needs scales {SCALES}.')
    return {name: float(scales[name]) for name in SCALES}
