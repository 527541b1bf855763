"""Fits amount of water, brightness of the sky and mist of renderings to real pairs of images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from raindrop_renderer.options import RaindropOptions
from raindrop_renderer.raindrops import RainyImage
from raindrop_renderer.sampling import add_raindrops, sample_parameters

from attentive_gan.datasets.pair_dataset import PairDataset
from attentive_gan.datasets.pair_reading import read_pair
from attentive_gan.datasets.pair_statistics import RaindropStatistics, raindrop_statistics, spread
from attentive_gan.datasets.pairing import raise_faults
from attentive_gan.datasets.raindrop_calibration import SCALES
from attentive_gan.errors import UserError
from attentive_gan.image_io.resizing import resize
from attentive_gan.utils.manifest import write_manifest
from attentive_gan.utils.types import ImageArray

from .calibration_search import Vector, search
from .sheets import evenly_spaced

#: Puts raindrops on an image: (clean, seed, options).
Renderer = Callable[[ImageArray, int, RaindropOptions], RainyImage]

#: The statistics that are matched, and which differences of them count as equally large.
UNITS = {'psnr': 1.0, 'mask_coverage': 0.04, 'detail_ratio': 0.04, 'brighter_share': 0.04}

#: How much a scale is pulled towards 1, per unit of its logarithm: it decides where images do not.
_PULL = 0.2

#: Images are shrunk to this width, to which the statistics refer.
_WIDTH = 720

#: PSNR that counts for a rendering without any drop, dB.
_UNCHANGED = 60.0


#: Name of the file that a calibration is written to.
CALIBRATION = 'calibration.json'

#: Title and format of each statistic in the table.
_ROWS = {
    'psnr': ('PSNR (dB)', '{:.1f}'),
    'mask_coverage': ('mask coverage', '{:.1%}'),
    'detail_ratio': ('detail ratio, median', '{:.2f}'),
    'detail_ratio_p10': ('detail ratio, 10th percentile', '{:.2f}'),
    'brighter_share': ('brighter share of the mask', '{:.1%}'),
}


@dataclass(frozen=True)
class Calibration:
    """Fitted options, with the statistics before and after the fit."""

    options: RaindropOptions
    """The options with fitted scales."""
    real: list[RaindropStatistics]
    """Statistics of the real pairs."""
    before: list[RaindropStatistics]
    """Statistics of renderings with the options before the fit; their seeds took no part in it."""
    after: list[RaindropStatistics]
    """The same with the fitted options, same images and seeds."""

    def record(self) -> dict[str, Any]:
        """Return scales, other options and the spread of all statistics, for a JSON file."""
        return {
            'scales': {name: getattr(self.options, name) for name in SCALES},
            'options': asdict(self.options),
            'pairs': len(self.real),
            'statistics': {
                name: spread(getattr(self, name)) for name in ('real', 'before', 'after')
            },
        }

    def write(self, folder: Path) -> Path:
        """Write `calibration.json` to a folder and return its path.

        Raises:
            UserError: The file cannot be written.
        """
        write_manifest(folder / CALIBRATION, self.record())
        return folder / CALIBRATION

    def table(self) -> list[tuple[str, ...]]:
        """Return a heading and a row of text per statistic: p10, p50 and p90 of real, before and after."""
        spreads = [spread(statistics) for statistics in (self.real, self.before, self.after)]
        rows: list[tuple[str, ...]] = [
            ('p10 / p50 / p90', 'real', 'rendered before', 'rendered after')
        ]
        for name, (title, form) in _ROWS.items():
            rows.append((title, *(_percentiles(one[name], form) for one in spreads)))
        return rows


def _percentiles(values: dict[str, float | None], form: str) -> str:
    shown = [values[key] for key in ('p10', 'p50', 'p90')]
    return ' / '.join('-' if value is None else form.format(value) for value in shown)


def real_pairs(datasets: Sequence[PairDataset], count: int) -> list[tuple[ImageArray, ImageArray]]:
    """Decode pairs spread evenly over data sets.

    Args:
        datasets: Data sets made with `lazy_init=True`.
        count: Number of pairs at most.

    Returns:
        (rainy, clean), RGB (H, W, 3), uint8.

    Raises:
        UserError: A data set is missing, empty or faulty.
    """
    pairs = []
    for dataset in datasets:
        found, faults = dataset.find_pairs()
        raise_faults(faults, dataset.root)
        pairs += found
    if not pairs:
        raise UserError(f'{datasets[0].root} holds no pairs. Name a folder of real pairs.')
    return [read_pair(pair.entry()) for pair in evenly_spaced(pairs, count)]


def calibrate(
    pairs: Sequence[tuple[ImageArray, ImageArray]],
    options: RaindropOptions | None = None,
    *,
    seed: int = 0,
    renders: int = 48,
    renderer: Renderer = add_raindrops,
    on_render: Callable[[], None] = lambda: None,
) -> Calibration:
    """Fit `coverage_scale`, `sky_scale` and `mist_scale` so that renderings have real statistics.

    The fit renders the pairs' own clean images, always with the same seeds, and matches the mean of the
    quartiles of PSNR, mask coverage, detail ratio and brighter share, by damped Gauss-Newton steps on the
    logarithms of the scales; a step that does not help is not taken. The scales that the options come with
    are the start. At most (1 + 4 * 6 + 2) * `renders` images are rendered. Equal arguments give equal
    results.

    Args:
        pairs: Real (rainy, clean) images, RGB (H, W, 3), uint8; they are shrunk to 720 columns.
        options: Level, regimes, lighting and frame width, which stay as they are.
        seed: Seed of the renderings, 0 or more.
        renders: Number of renderings by which options are judged; the pairs take turns.
        renderer: Puts raindrops on an image.
        on_render: Is called after each rendering.

    Raises:
        UserError: There are no pairs, or `renders` is below 1.
    """
    if not pairs or renders < 1:
        raise UserError('A calibration needs at least one pair and one rendering.')
    trial = _Trial(pairs, options or RaindropOptions(), seed, renders, renderer, on_render)
    fitted = search(trial.residual)
    start = np.zeros(len(SCALES))
    return Calibration(
        options=trial.options_at(fitted),
        real=trial.real,
        before=trial.measure(start, fresh=True),
        after=trial.measure(fitted, fresh=True),
    )


class _Trial:
    """Renders the clean images of real pairs with given scales and compares the statistics."""

    def __init__(
        self,
        pairs: Sequence[tuple[ImageArray, ImageArray]],
        options: RaindropOptions,
        seed: int,
        renders: int,
        renderer: Renderer,
        on_render: Callable[[], None],
    ) -> None:
        self.options = options
        self.seeds = [_seeds(options, renders, [seed, fresh]) for fresh in (0, 1)]
        self.renderer = renderer
        self.on_render = on_render
        shrunk = [_shrunk(rainy, clean) for rainy, clean in pairs]
        self.real = [raindrop_statistics(rainy, clean) for rainy, clean, _ in shrunk]
        self.clean = [(clean, factor) for _, clean, factor in shrunk]
        self.target = _locations(self.real)

    def options_at(self, logarithms: Vector) -> RaindropOptions:
        """Return the options with their scales multiplied by the exponentials of (3,) values."""
        factors = np.exp(logarithms)
        scales: dict[str, Any] = {
            name: round(float(np.clip(getattr(self.options, name) * factor, 0, 4)), 4)
            for name, factor in zip(SCALES, factors, strict=True)
        }
        return replace(self.options, **scales)

    def measure(self, logarithms: Vector, fresh: bool = False) -> list[RaindropStatistics]:
        """Render and measure; `fresh` takes seeds that the search does not use."""
        options = self.options_at(logarithms)
        found = []
        for number, seed in enumerate(self.seeds[int(fresh)]):
            clean, factor = self.clean[number % len(self.clean)]
            width = options.frame_width
            cut = replace(options, frame_width=max(16, round(width * factor)) if width else None)
            image = self.renderer(clean, seed, cut)
            found.append(raindrop_statistics(image.rainy, image.clean))
            self.on_render()
        return found

    def residual(self, logarithms: Vector) -> Vector:
        """Return the differences of the statistics in their units, and the pull towards the start."""
        rendered = _locations(self.measure(logarithms))
        differences = [
            (rendered.get(name, wanted) - wanted) / UNITS[name]
            for name, wanted in self.target.items()
        ]
        return np.array([*differences, *(_PULL * logarithms)])


def _seeds(options: RaindropOptions, count: int, entropy: list[int]) -> list[int]:
    """Return seeds whose images have the regimes in exactly their shares, as far as a count can.

    With free seeds a few more or less images of one regime would outweigh what is fitted.
    """
    total = sum(options.regimes.values())
    wanted = {name: share / total * count for name, share in options.regimes.items()}
    left = {name: int(number) for name, number in wanted.items()}
    by_remainder = sorted(wanted, key=lambda name: left[name] - wanted[name])
    for name in by_remainder[: count - sum(left.values())]:
        left[name] += 1
    chosen: list[int] = []
    random = np.random.default_rng(entropy)
    while len(chosen) < count:
        seed = int(random.integers(2**62))
        regime = sample_parameters(seed, options).regime
        if left[regime]:
            left[regime] -= 1
            chosen.append(seed)
    return chosen


def _locations(statistics: Sequence[RaindropStatistics]) -> dict[str, float]:
    """Return the mean of the quartiles of each matched statistic; outliers do not move it far."""
    result = {}
    for name in UNITS:
        values = [getattr(one, name) for one in statistics]
        if name == 'psnr':
            values = [_UNCHANGED if value is None else value for value in values]
        defined = [value for value in values if value is not None]
        if defined:
            result[name] = float(np.mean(np.percentile(defined, [25, 50, 75])))
    return result


def _shrunk(rainy: ImageArray, clean: ImageArray) -> tuple[ImageArray, ImageArray, float]:
    """Shrink a pair to `_WIDTH` columns where it is wider; return it with the factor."""
    height, width = clean.shape[:2]
    factor = min(1.0, _WIDTH / width)
    if factor == 1.0:
        return rainy, clean, factor
    size = (max(1, round(height * factor)), _WIDTH)
    return resize(rainy, size), resize(clean, size), factor
