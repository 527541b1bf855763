"""What restoring costs beyond the network itself, whole and in parts; for `tools/benchmark.py`."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from attentive_gan.apis.restore import restore
from attentive_gan.image_io import write_image
from attentive_gan.inference import ImageRestorer
from attentive_gan.inference.activation_memory import peak_activations
from attentive_gan.inference.precision import in_precision
from attentive_gan.restoration.batch import BatchOptions
from attentive_gan.restoration.images import ImageFileRestorer, ImageItem
from attentive_gan.restoration.inputs import InputFile
from attentive_gan.restoration.outputs import OutputOptions, plan_outputs
from attentive_gan.utils.timing import Timing, time_interleaved
from drawn_scenes.scenes import draw_scene
from numpy.typing import NDArray
from raindrop_renderer.sampling import add_raindrops

#: Files of the batch.
BATCH = 8
#: Side of the square tiles.
TILE = 512
#: Halos that are compared with the exact one, in pixels.
HALOS = (64, 32, 16)
#: A budget that no image reaches, in bytes.
_UNLIMITED = 2**50


@dataclass(frozen=True)
class Cost:
    """Figures of one way to restore an image."""

    way: str
    """What was done."""
    milliseconds: float
    """Median time of an image."""
    fastest_milliseconds: float
    """Shortest time."""
    slowest_milliseconds: float
    """Longest time."""
    ratio: float
    """Median time over that of the first way."""
    peak_mib: float | None = None
    """Peak of live activations in MiB (see `peak_activations`)."""
    largest_error: int | None = None
    """Largest difference from the image restored at once, in levels of 0 to 255."""
    mean_error: float | None = None
    """Mean absolute difference likewise."""


def measure_files(restorer: ImageRestorer, size: tuple[int, int], repeat: int) -> list[Cost]:
    """Time the network alone, with conversion from and to pixels, and from file to file, in turn.

    Args:
        restorer: What is timed.
        size: (width, height) of the image.
        repeat: Timed runs of each way.
    """
    rainy = rainy_image(size)
    network = in_precision(restorer.loaded.network, restorer.dtype, restorer.device)
    tensor = torch.from_numpy(rainy).permute(2, 0, 1)[None].to(restorer.loaded.like) / 255

    def run_network() -> None:
        with torch.no_grad():
            network(tensor)

    restorer.memory = _UNLIMITED
    with TemporaryDirectory() as name:
        folder = Path(name)
        works: dict[str, Callable[[], object]] = {
            'network alone': run_network,
            'from pixels to pixels': lambda: restorer.restore(rainy),
        }
        for suffix in ('jpg', 'png'):
            file = write_image(folder / f'one.{suffix}', rainy)
            works[f'from {suffix} to {suffix}'] = _from_file_to_file(restorer, file, folder / 'out')
        batch = f'from png to png, {BATCH} files'
        works[batch] = _batch(restorer, folder)
        timings = time_interleaved(works, repeat, restorer.device)
    return [
        _cost(way, timing, timings['network alone'], BATCH if way == batch else 1)
        for way, timing in timings.items()
    ]


def measure_parts(restorer: ImageRestorer, size: tuple[int, int], repeat: int) -> list[Cost]:
    """Time an image restored at once, row by row, and in tiles, with memory and error.

    Args:
        restorer: What is timed.
        size: (width, height) of the image.
        repeat: Timed runs of each way.
    """
    rainy = rainy_image(size)
    restorer.memory = _UNLIMITED
    works = _ways(restorer, rainy)
    results = {way: work() for way, work in works.items()}
    timings = time_interleaved(works, repeat, restorer.device)
    costs = []
    for way, timing in timings.items():
        difference = np.abs(results[way].astype(int) - results['at once'])
        peak = peak_activations(works[way], restorer.device) / 2**20
        errors = int(difference.max()), float(difference.mean())
        costs.append(_cost(way, timing, timings['at once'], 1, peak, *errors))
    return costs


def rainy_image(size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return a drawn scene behind rendered raindrops, RGB (H, W, 3).

    Args:
        size: (width, height).
    """
    return add_raindrops(draw_scene(1, (size[1], size[0])), 1).rainy


def _ways(restorer: ImageRestorer, rainy: NDArray[np.uint8]) -> Mapping[str, Callable[[], NDArray]]:
    """Return the ways to divide an image that the network allows."""
    width = rainy.shape[1]

    def way(tile: int | None, halo: int | None) -> Callable[[], NDArray]:
        def work() -> NDArray:
            restorer.tile, restorer.halo = tile, halo
            return restorer.restore(rainy).image

        return work

    works = {'at once': way(None, None)}
    if restorer.reach is not None:
        works['row by row'] = way(width, None)
        works |= {
            f'row by row, {-(-width // n)} columns': way(-(-width // n), None) for n in (2, 4)
        }
        exact = max(restorer.reach)
        works[f'tiles of {TILE}, exact halo of {exact}'] = way(TILE, exact)
    works |= {f'tiles of {TILE}, halo of {halo}': way(TILE, halo) for halo in HALOS}
    return works


def _from_file_to_file(restorer: ImageRestorer, file: Path, out: Path) -> Callable[[], None]:
    """Return one image's way without threads."""
    stages = ImageFileRestorer(restorer)
    output = plan_outputs([InputFile(file, Path(file.name))], out, OutputOptions())[0]

    def work() -> None:
        item = ImageItem(output)
        stages.write(item, stages.restore([item], [stages.read(item)])[0])

    return work


def _batch(restorer: ImageRestorer, folder: Path) -> Callable[[], object]:
    """Return the restoring of a folder, in which reading and writing overlap with the network."""
    (folder / 'batch').mkdir()
    for number in range(BATCH):
        shutil.copy(folder / 'one.png', folder / 'batch' / f'{number}.png')
    options = BatchOptions(outputs=OutputOptions(existing='overwrite'))
    return lambda: restore(folder / 'batch', folder / 'batch_out', options, restorer=restorer)


def _cost(
    way: str,
    timing: Timing,
    first: Timing,
    images: int,
    peak_mib: float | None = None,
    largest_error: int | None = None,
    mean_error: float | None = None,
) -> Cost:
    median, fastest, slowest = (
        1e3 * seconds / images for seconds in (timing.median, timing.fastest, timing.slowest)
    )
    ratio = median / (1e3 * first.median)
    return Cost(way, median, fastest, slowest, ratio, peak_mib, largest_error, mean_error)
