"""Which parameters an image gets: random, with the ranges that real images show."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .options import LEVELS, RaindropOptions
from .parameters import RANGES, RaindropParameters, Regime
from .raindrops import RainyImage, Window, render_raindrops

#: Frame width in pixels at which the scale of a regime is given.
_REFERENCE_WIDTH = 720

#: An image is taken at night when its mean level is below this one.
_NIGHT_LEVEL = 55


@dataclass(frozen=True)
class _Ranges:
    """Ranges (low, high) of what differs between regimes."""

    scale: tuple[float, float]
    """Pixels per mm on the glass, in a frame of 720 pixels."""
    aperture: tuple[float, float]
    """Radius of the lens opening, mm."""
    coverage: tuple[float, float]
    """Shape and scale of the gamma distribution of the coverage."""
    radius: tuple[float, float]
    """Median radius of the drops, mm."""
    fine: tuple[float, float]
    """Coverage by very small drops."""
    mist: tuple[float, float]
    """Mean of the mist."""


_REGIME_RANGES: dict[Regime, _Ranges] = {
    'small': _Ranges((4.5, 10), (0.45, 0.85), (5, 0.055), (0.35, 0.65), (0.0, 0.025), (0.05, 0.55)),
    'discs': _Ranges((16, 28), (0.75, 1.15), (5, 0.045), (0.35, 0.65), (0.0, 0.0), (0.0, 0.4)),
    'ghosts': _Ranges((24, 38), (0.9, 1.5), (4, 0.05), (0.5, 0.8), (0.0, 0.0), (0.0, 0.35)),
    'focused': _Ranges((5, 14), (0.4, 1.0), (5, 0.055), (0.4, 0.8), (0.0, 0.025), (0.0, 0.15)),
    'highlights': _Ranges((10, 18), (0.5, 0.8), (2, 0.03), (0.2, 0.5), (0.0, 0.0), (0.0, 0.25)),
    'tiny': _Ranges((4.5, 10), (0.02, 0.16), (4, 0.025), (0.18, 0.4), (0.01, 0.05), (0.0, 0.25)),
    'windscreen': _Ranges((14, 34), (0.14, 0.4), (5, 0.085), (0.35, 0.75), (0.0, 0.02), (0.1, 0.8)),
    'veil': _Ranges((24, 40), (1.0, 1.7), (2, 0.035), (0.25, 0.5), (0.0, 0.0), (0.0, 0.3)),
}


def sample_parameters(
    seed: int, options: RaindropOptions | None = None, night: bool = False
) -> RaindropParameters:
    """Sample the parameters of one image.

    All values are rounded to four decimals: so they are the same on every machine, and a record of them
    is exact.

    Args:
        seed: Any number from 0 to 2**63 - 1; it also becomes the seed of shapes and places.
        options: What to draw from.
        night: Whether the scene is dark, with lamps.
    """
    options = options or RaindropOptions()
    random = np.random.default_rng([seed, 7])
    regimes = sorted(options.regimes)
    shares = np.array([options.regimes[name] for name in regimes])
    regime = regimes[int(np.searchsorted(np.cumsum(shares) / shares.sum(), random.random()))]
    values = _of_regime(random, _REGIME_RANGES[regime])
    values |= _of_light(random, night)
    values |= _of_particulars(np.random.default_rng([seed, 10]), regime, night)
    values['coverage'] *= options.coverage_scale * LEVELS[options.level]
    values['sky_radiance'] *= options.sky_scale
    values['mist'] *= options.mist_scale
    values['haze'] *= options.mist_scale
    return RaindropParameters(
        regime=regime,
        focus='drops' if regime == 'focused' else 'scene',
        blades=int(random.choice([0, 6, 7, 8, 9], p=[0.4, 0.25, 0.15, 0.1, 0.1])),
        lamps=int(random.integers(2, 12)) if night else 0,
        seed=seed,
        **{name: _rounded(name, value) for name, value in values.items()},
    )


def _of_regime(random: np.random.Generator, ranges: _Ranges) -> dict[str, float]:
    """Sample what depends on the regime."""
    field_of_view = random.uniform(17, 33)
    focal = _REFERENCE_WIDTH / 2 / np.tan(np.radians(field_of_view / 2))
    shape, scale = ranges.coverage
    return {
        'field_of_view': field_of_view,
        'glass_distance': focal / random.uniform(*ranges.scale),
        'aperture': random.uniform(*ranges.aperture),
        'coverage': float(np.clip(random.gamma(shape, scale), 0.04, 0.6)),
        'radius_median': random.uniform(*ranges.radius),
        'radius_spread': random.uniform(0.35, 0.55),
        'fine_coverage': random.uniform(*ranges.fine),
        'fine_radius': random.uniform(0.18, 0.3),
        'mist': random.uniform(*ranges.mist),
        'trails': max(0.0, random.uniform(-0.6, 0.25)),
    }


def _of_light(random: np.random.Generator, night: bool) -> dict[str, float]:
    """Sample light, lens and glass, for every regime."""
    return {
        'blade_angle': random.uniform(0, 360),
        'unevenness': random.uniform(0.4, 0.9),
        'sky_elevation': random.uniform(3, 11),
        'sky_radiance': random.uniform(0.005, 0.04)
        if night
        else float(np.exp(random.uniform(-0.25, 0.9))),
        'sky_warmth': random.uniform(-0.25, 0.05),
        'rim': random.uniform(0.6, 1.1),
        'mist_blur': random.uniform(0.001, 0.003),
        'haze': max(0.0, random.uniform(-0.03, 0.1)),
        'haze_blur': random.uniform(0.006, 0.02),
        'veil': max(0.0, random.normal(0.0, 0.025)),
        'veil_level': random.uniform(0.02, 0.1) if night else random.uniform(0.2, 0.6),
        'gain': float(np.exp(random.normal(-0.03, 0.05))),
        'reflection': max(0.0, random.uniform(-0.2, 0.12)) * (0.2 if night else 1.0),
        'lamp_gain': random.uniform(6, 30) if night else 1.0,
    }


def _of_particulars(random: np.random.Generator, regime: Regime, night: bool) -> dict[str, float]:
    """Sample what is particular to one regime."""
    if regime == 'highlights':
        return {
            'highlights': float(np.exp(random.uniform(np.log(15), np.log(250)))),
            'highlight_level': float(np.exp(random.uniform(np.log(0.06), np.log(1.5)))),
            'highlight_rim': random.uniform(0, 2.5),
            'highlight_texture': random.uniform(0, 0.7),
            'highlight_warmth': random.uniform(-0.3, 0.6),
        }
    if regime == 'tiny':
        return {'rim': random.uniform(0, 0.25), 'steep': random.uniform(0.6, 1)}
    if regime == 'windscreen':
        sky = float(np.exp(random.uniform(0, 1.3)))
        return ({} if night else {'sky_radiance': sky}) | {
            'sky_warmth': random.uniform(-0.35, 0.05),
            'rim': random.uniform(0.0, 0.35),
            'sky_elevation': random.uniform(2, 14),
            'steep': random.uniform(0.3, 1),
            'streaks': max(0.0, random.uniform(-0.1, 0.15)),
            'radius_spread': random.uniform(0.5, 0.8),
            'haze': max(0.0, random.uniform(-0.03, 0.15)),
        }
    if regime == 'veil':
        return {
            'unevenness': random.uniform(0.7, 1),
            'haze': random.uniform(0, 0.2),
            'reflection': max(0.0, random.uniform(-0.1, 0.12)),
        }
    return {}


def _rounded(name: str, value: float) -> float:
    """Round to four decimals, within the range of the parameter."""
    low, high = RANGES[name]
    return round(float(min(max(value, low), high)), 4)


def is_night(clean: NDArray[np.uint8]) -> bool:
    """Return whether the mean of an image (H, W, 3), uint8, is dark, as of images taken at night."""
    return float(clean[::4, ::4].mean()) < _NIGHT_LEVEL


def add_raindrops(
    clean: NDArray[np.uint8],
    seed: int,
    options: RaindropOptions | None = None,
    window: Window | None = None,
) -> RainyImage:
    """Render random raindrops on an image; equal arguments give equal bytes on any machine.

    Args:
        clean: RGB image (H, W, 3), uint8, at least 16x16.
        seed: Any number from 0 to 2**63 - 1.
        options: Distribution of the raindrops; None for the defaults.
        window: Top, left, height and width of the part that is wanted; None for the whole image.

    Raises:
        RaindropOptionError: The image is smaller than 16x16, or the window does not lie within it.

    Example:
        >>> clean = np.full((32, 48, 3), 90, np.uint8)
        >>> heavy = RaindropOptions(level='heavy', regimes={'small': 1})
        >>> image = add_raindrops(clean, seed=7, options=heavy)
        >>> image.parameters.regime, bool((image.rainy == add_raindrops(clean, 7, heavy).rainy).all())
        ('small', True)
    """
    options = options or RaindropOptions()
    dark = options.lighting == 'night' or (options.lighting == 'auto' and is_night(clean))
    parameters = sample_parameters(seed, options, night=dark)
    return render_raindrops(clean, parameters, options.frame_width, window)
