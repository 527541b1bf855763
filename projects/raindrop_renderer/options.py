"""Options of the distribution of `RaindropParameters`: which raindrops, how often, and how strong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from .errors import RaindropOptionError
from .parameters import REGIMES, Regime

Level = Literal['light', 'normal', 'heavy']

Lighting = Literal['auto', 'day', 'night']

#: Factor of the coverage at each level.
LEVELS: dict[str, float] = {'light': 0.6, 'normal': 1.0, 'heavy': 1.6}


#: A broader mix than that of the published pairs, to train networks for photos of any kind: half of it are
#: the published kinds, half the kinds that networks trained on those alone do not remove
# (docs/rendering.md).
TRAINING_MIX: dict[Regime, float] = {
    'small': 0.26, 'discs': 0.2, 'ghosts': 0.08, 'highlights': 0.11, 'tiny': 0.08, 'windscreen': 0.15,
    'veil': 0.08, 'focused': 0.04,
}  # fmt: skip


def _default_mix() -> dict[Regime, float]:
    return {'small': 0.48, 'discs': 0.33, 'ghosts': 0.14, 'focused': 0.05}


@dataclass(frozen=True)
class RaindropOptions:
    """Options for `add_raindrops`; the defaults follow the published training pairs of Qian et al. (2018).

    Raises:
        RaindropOptionError: A value is out of its range; the message names it.

    Example:
        >>> RaindropOptions(level='heavy', regimes={'discs': 1}).coverage_scale
        1.0
        >>> RaindropOptions(frame_width=3)
        Traceback (most recent call last):
        raindrop_renderer.errors.RaindropOptionError: frame_width must be at least 16; got 3.
    """

    level: Level = 'normal'
    """Amount of water: 'light', 'normal' or 'heavy' multiply the coverage by 0.6, 1 and 1.6."""
    regimes: Mapping[Regime, float] = field(default_factory=_default_mix)
    """Share of each regime, 0 or more; those that are left out do not occur."""
    coverage_scale: float = 1.0
    """Multiplies the coverage, 0 to 4 (see `--calibrate`)."""
    sky_scale: float = 1.0
    """Multiplies the radiance of the sky beyond the frame, 0 to 4."""
    mist_scale: float = 1.0
    """Multiplies mist and haze, 0 to 4."""
    lighting: Lighting = 'auto'
    """'day', 'night', or 'auto' for what the clean image shows."""
    frame_width: int | None = None
    """Width in pixels of the camera's whole frame, 16 or more, of which an image is a cut; None: the
    image is the whole frame. The size of the drops in pixels grows with it."""

    def __post_init__(self) -> None:
        if self.level not in LEVELS:
            raise RaindropOptionError(f'level must be one of {tuple(LEVELS)}; got {self.level!r}.')
        unknown = set(self.regimes) - set(REGIMES)
        if unknown:
            raise RaindropOptionError(
                f'unknown regime {sorted(unknown)[0]!r}; there are {REGIMES}.'
            )
        if any(share < 0 for share in self.regimes.values()) or sum(self.regimes.values()) <= 0:
            raise RaindropOptionError(
                f'regimes need shares of 0 or more, one above 0; got {self.regimes}.'
            )
        for name in ('coverage_scale', 'sky_scale', 'mist_scale'):
            if not 0 <= getattr(self, name) <= 4:
                raise RaindropOptionError(
                    f'{name} must be within 0 to 4; got {getattr(self, name)}.'
                )
        if self.lighting not in get_args(Lighting):
            raise RaindropOptionError(
                f"lighting must be 'auto', 'day' or 'night'; got {self.lighting!r}."
            )
        if self.frame_width is not None and self.frame_width < 16:
            raise RaindropOptionError(f'frame_width must be at least 16; got {self.frame_width}.')
