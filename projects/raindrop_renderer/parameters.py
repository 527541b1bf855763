"""The physical parameters of a rendering, with units and ranges."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Literal, get_args

from .errors import RaindropOptionError

#: Kinds of images behind wet glass: `small` sharp drops by the hundred, soft `discs`, few large
#: `ghosts`, drops in focus before a blurred scene (`focused`, as in Raindrop Clarity), defocused
#: `highlights` of lamps or the sun, `tiny` drops and scene both in focus, heavy drops with dark rims and
#: running water on a `windscreen`, or a faint `veil` of very soft drops.
Regime = Literal['small', 'discs', 'ghosts', 'focused', 'highlights', 'tiny', 'windscreen', 'veil']

REGIMES: tuple[Regime, ...] = get_args(Regime)

#: Smallest and largest value of each numeric field of `RaindropParameters`.
RANGES: dict[str, tuple[float, float]] = {
    'field_of_view': (5, 90),
    'glass_distance': (20, 2000),
    'aperture': (0, 5),
    'blades': (0, 9),
    'blade_angle': (0, 360),
    'coverage': (0, 0.8),
    'radius_median': (0.1, 3),
    'radius_spread': (0, 0.8),
    'fine_coverage': (0, 0.3),
    'fine_radius': (0.03, 0.5),
    'unevenness': (0, 1),
    'trails': (0, 1),
    'steep': (0, 1),
    'streaks': (0, 1),
    'sky_elevation': (0, 90),
    'sky_radiance': (0, 4),
    'sky_warmth': (-0.8, 0.8),
    'rim': (0, 1.5),
    'mist': (0, 0.8),
    'mist_blur': (0, 0.02),
    'haze': (0, 0.5),
    'haze_blur': (0, 0.05),
    'veil': (0, 0.5),
    'veil_level': (0, 1),
    'gain': (0.5, 1.5),
    'reflection': (0, 0.5),
    'lamp_gain': (1, 64),
    'lamps': (0, 40),
    'highlights': (0, 1000),
    'highlight_level': (0, 8),
    'highlight_rim': (0, 8),
    'highlight_texture': (0, 1),
    'highlight_warmth': (-1, 1),
    'seed': (0, 2**63 - 1),
}


@dataclass(frozen=True)
class RaindropParameters:
    """One image's raindrops; with equal parameters an image gets equal bytes on any machine.

    Lengths on the glass are in mm, angles in degrees, radiances in shares of the image's white. The
    focal length in pixels is f = W / 2 / tan(field_of_view / 2); a length of 1 mm on the glass is
    f / glass_distance pixels, and the radius of a point's blur is aperture * f / glass_distance pixels.

    Raises:
        RaindropOptionError: A value is out of its range (`RANGES`) or not of its kind.

    Example:
        >>> parameters = RaindropParameters(coverage=0.4, seed=7)
        >>> RaindropParameters.from_record({'coverage': 0.4, 'seed': 7}) == parameters
        True
        >>> RaindropParameters(blades=2)
        Traceback (most recent call last):
        raindrop_renderer.errors.RaindropOptionError: blades must be 0 or at least 3.
    """

    regime: Regime = 'small'
    """Name of the kind of image; it is a label, the numbers below decide."""
    focus: Literal['scene', 'drops'] = 'scene'
    """What is sharp; the other one is blurred by the aperture."""
    field_of_view: float = 24.0
    """Horizontal field of view of the frame, degrees."""
    glass_distance: float = 240.0
    """Distance from the lens to the glass, mm."""
    aperture: float = 0.6
    """Radius of the lens opening, mm; 0 blurs nothing."""
    blades: int = 0
    """Number of straight sides of the lens opening, 3 to 9; 0 is a circle."""
    blade_angle: float = 0.0
    """Rotation of the lens opening, degrees."""
    coverage: float = 0.25
    """Share of the glass under drops of the main population, before they hide each other."""
    radius_median: float = 0.6
    """Median of the log-normal radius of the main drops, mm."""
    radius_spread: float = 0.45
    """Standard deviation of the natural logarithm of that radius."""
    fine_coverage: float = 0.02
    """Share of the glass under very small drops between the others."""
    fine_radius: float = 0.12
    """Median radius of the very small drops, mm."""
    unevenness: float = 0.7
    """How much the density of drops changes over the glass; 0 is even."""
    trails: float = 0.0
    """Share of the larger drops with a column of shrinking drops above them."""
    steep: float = 0.0
    """Share of the main drops with contact angles of 56 to 74 degrees, whose wide rims reflect all light
    (dark where `rim` is low)."""
    streaks: float = 0.0
    """Share of the larger drops with a streak of water above them."""
    sky_elevation: float = 6.0
    """Where the sky begins beyond the frame, degrees above its middle."""
    sky_radiance: float = 0.9
    """Radiance of that sky just above its edge."""
    sky_warmth: float = 0.0
    """Red minus blue of the sky, as a share of its radiance."""
    rim: float = 0.85
    """Radiance that a drop reflects where it does not transmit, as a share of the surroundings' mean."""
    mist: float = 0.3
    """Share of the scene's light that a film of water refracts a little, mean over the glass."""
    mist_blur: float = 0.0016
    """Standard deviation of the film's blur, share of the frame's width."""
    haze: float = 0.03
    """Share of the scene's light that is scattered widely, mean over the glass."""
    haze_blur: float = 0.012
    """Radius within which it is scattered, share of the frame's width."""
    veil: float = 0.03
    """Share of the light that is replaced by a flat veil."""
    veil_level: float = 0.4
    """Radiance of the veil."""
    gain: float = 1.0
    """Exposure of the rainy image against the clean one."""
    reflection: float = 0.0
    """Radiance of a blurred reflection in the glass, added to a part of the image."""
    lamp_gain: float = 1.0
    """How much brighter than white the clipped lights of the scene are, as drops show them."""
    lamps: int = 0
    """Number of lamps beyond the frame, which drops show (night)."""
    highlights: float = 0.0
    """Number of bright discs per frame with sides of 3:2; their radius is that of the blur."""
    highlight_level: float = 0.3
    """Median radiance of the discs; its natural logarithm has a standard deviation of 0.9."""
    highlight_rim: float = 1.0
    """Radiance that is added at the rim of the discs, in shares of that of their middle."""
    highlight_texture: float = 0.3
    """Unevenness of the discs, as a share of their radiance."""
    highlight_warmth: float = 0.0
    """Red minus blue of the discs, as a share of their radiance."""
    seed: int = 0
    """Seed of shapes and places."""

    def __post_init__(self) -> None:
        for name, (low, high) in RANGES.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                raise RaindropOptionError(
                    f'raindrop parameter {name} must be a number; got {value!r}.'
                )
            if not low <= value <= high:
                raise RaindropOptionError(
                    f'raindrop parameter {name} must be within {low} to {high}; got {value}.'
                )
        if self.regime not in REGIMES:
            raise RaindropOptionError(f'regime must be one of {REGIMES}; got {self.regime!r}.')
        if self.focus not in ('scene', 'drops'):
            raise RaindropOptionError(f"focus must be 'scene' or 'drops'; got {self.focus!r}.")
        if self.blades in (1, 2):
            raise RaindropOptionError('blades must be 0 or at least 3.')

    def without_water(self) -> RaindropParameters:
        """Return the same camera and scene behind a dry glass, which changes nothing but the focus."""
        return replace(
            self,
            coverage=0,
            fine_coverage=0,
            mist=0,
            haze=0,
            veil=0,
            gain=1,
            reflection=0,
            highlights=0,
        )

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> RaindropParameters:
        """Make the parameters from a mapping of field names to values, such as in a manifest.

        Raises:
            RaindropOptionError: There is an unknown name or a value out of its range.
        """
        unknown = set(record) - {field.name for field in fields(cls)}
        if unknown:
            raise RaindropOptionError(f'unknown raindrop parameter {sorted(unknown)[0]!r}.')
        return cls(**record)
