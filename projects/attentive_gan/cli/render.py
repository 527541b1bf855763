"""Render raindrops on clean photos, or on drawn scenes, into a complete data set.

Writes data/N_rain.png, gt/N_clean.png, mask/N_mask.png, alpha/N_alpha.png, manifest.json and
contact_sheet.png; with --clips, frame F of clip N is data/N/F_rain.png and so on. Run again after an
interruption it renders what is missing. A photo that cannot be used is named, and the exit code is 1
then. With --calibrate, amount of water, sky and mist are fitted to real pairs instead; see
docs/rendering.md.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from .arguments import at_least, image_size, share
from .common import echo
from .pair_layout import add_pair_layout_options, pair_datasets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from raindrop_renderer import RaindropOptions

    from attentive_gan.data_tools.clip_jobs import ClipOptions
    from attentive_gan.data_tools.render_jobs import CleanSource, RenderedDatasetOptions

#: Rendered pairs for which a worker process is started; a start takes seconds.
_PAIRS_PER_WORKER = 16

#: Height and width of the frames of clips.
_CLIP_SIZE = (240, 360)

#: As in `datasets.camera_paths` and `raindrop_renderer`, which take time to import.
_MOVEMENTS = ('pan', 'fast-pan', 'zoom', 'turn', 'shake', 'drive', 'cut', 'still')
_WATERS = ('fixed', 'forming', 'running', 'wiped')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `render`."""
    add = parser.add_argument_group('clean images').add_argument
    add('photos', type=Path, nargs='?', help='a folder of photos, or one photo')
    add('--scenes', type=int, help='number of scenes to draw instead')
    add('--size', type=image_size, metavar='WxH', help='size of scenes (720x480); photos are '
        'center-cropped and shrunk to it (default: unchanged)')  # fmt: skip
    add = parser.add_argument_group('raindrops').add_argument
    add('--pairs', '--per-photo', type=int, default=1, help='pairs per photo (1)')
    add('--seed', type=int, default=0, help='seed of all images (default 0)')
    add('--level', default='normal', choices=['light', 'normal', 'heavy'])
    add('--regimes', type=share, nargs='+', metavar='NAME=SHARE', help='shares of small, discs, '
        'ghosts, focused, such as: small=0.5 discs=0.5')  # fmt: skip
    add('--lighting', default='auto', choices=['auto', 'day', 'night'],
        help='auto: what a photo shows; a fifth of drawn scenes is at night')  # fmt: skip
    add('--frame-width', type=int, help="width of the camera's whole frame, of which the photos "
        'are crops')  # fmt: skip
    add = parser.add_argument_group('clips of a moving camera').add_argument
    add('--clips', type=at_least(1), metavar='N', help='render N clips of frames (--size 360x240), '
        'across the photos or scenes in turn')  # fmt: skip
    add('--frames', type=at_least(1), default=24, help='frames of a clip, 24 in a second (24)')
    add('--movements', nargs='+', choices=_MOVEMENTS, default=_MOVEMENTS, metavar='NAME',
        help=f'of the camera, which clips take in turn ({" ".join(_MOVEMENTS)})')  # fmt: skip
    add('--water', nargs='+', choices=_WATERS, default=_WATERS, metavar='NAME',
        help=f'what drops do, likewise ({" ".join(_WATERS)})')  # fmt: skip
    add('--noise', type=float, default=1.0, help="deviation of the sensor's noise in levels (1)")
    fit = parser.add_argument_group('fitting to real pairs')
    fit.add_argument('--calibrate', type=Path, metavar='DIR', help='real pairs: data/ and gt/, or '
                     'train/, test_a/ with them; writes calibration.json to --out')  # fmt: skip
    add_pair_layout_options(fit)
    fit.add_argument('--calibration', type=Path, metavar='FILE', help='use an earlier fit')
    add = parser.add_argument
    add('--out', type=Path, required=True, help='output folder')
    add('--workers', type=int, help='processes (default: one per core)')
    add(
        '--overwrite',
        action='store_true',
        help='replace pairs that were rendered with other options',
    )


def run(args: argparse.Namespace) -> int:
    """Calibrate, or render what is missing.

    Raises:
        UserError: A file or folder cannot be read or written, or holds other data.
        RaindropOptionError: An option is out of its range.
    """
    if args.clips and args.photos is None and args.scenes is None:
        args.scenes = args.clips
    if (args.photos is None) == (args.scenes is None) and not args.calibrate:
        args.error('name a folder of photos, or give --scenes N')
    if args.clips and args.pairs != 1:
        args.error('--pairs is for single images; --clips gives the number of clips')
    if args.calibrate and (args.calibration or args.photos or args.scenes is not None):
        args.error(
            '--calibrate takes no images to render; render afterwards with --calibration FILE'
        )

    from raindrop_renderer import RaindropOptions

    from attentive_gan.datasets.raindrop_calibration import read_calibration

    chosen = {'level': args.level, 'lighting': args.lighting, 'frame_width': args.frame_width}
    if args.regimes:
        chosen['regimes'] = dict(args.regimes)
    if args.calibration:
        chosen |= read_calibration(args.calibration)
    raindrops = RaindropOptions(**chosen)
    if args.calibrate:
        _calibrate(args, raindrops)
        return 0
    return _render(args, raindrops)


def _calibrate(args: argparse.Namespace, raindrops: RaindropOptions) -> None:
    """Fit the options to real pairs, print the statistics and write the result."""
    from rich.console import Console
    from rich.progress import Progress
    from rich.table import Table

    from attentive_gan.data_tools.calibration import calibrate, real_pairs
    from attentive_gan.datasets.raindrop_calibration import read_calibration

    pairs = real_pairs(pair_datasets(args.calibrate, args), 48)
    with Progress(transient=True) as progress:
        task = progress.add_task('Fitting', total=None)
        result = calibrate(
            pairs, raindrops, seed=args.seed, on_render=lambda: progress.advance(task)
        )
    heading, *rows = result.table()
    table = Table(*heading)
    for row in rows:
        table.add_row(*row)
    Console(width=100).print(table)
    file = result.write(args.out)
    echo(*(f'{name}={value}' for name, value in read_calibration(file).items()))
    echo(f'written: {file}')


def _render(args: argparse.Namespace, raindrops: RaindropOptions) -> int:
    """Render what is missing, and print how many pairs there are."""
    from rich.progress import track

    from attentive_gan.data_tools.rendered_dataset import render_dataset

    options = _options(args, raindrops)
    sources = _sources(args)
    images = args.clips * args.frames if args.clips else len(sources) * args.pairs
    workers = args.workers
    if workers is None:
        workers = max(1, min(os.cpu_count() or 1, images // _PAIRS_PER_WORKER))
    result = render_dataset(
        args.out, sources, options, workers, args.overwrite,
        lambda loop, total: track(loop, 'Rendering', total=total),
    )  # fmt: skip
    noun = 'clips' if args.clips else 'pairs'
    for line in result.failures:
        echo(f'fault: {line}')
    if not result.rendered and not result.failures:
        echo(f'{args.out} is complete already ({result.kept} {noun}); nothing to do.')
    else:
        total = result.kept + result.rendered
        echo(f'{args.out} holds {total} {noun}, {result.rendered} of them new.')
    return 1 if result.failures else 0


def _options(
    args: argparse.Namespace, raindrops: RaindropOptions
) -> RenderedDatasetOptions | ClipOptions:
    """Return what is to be rendered."""
    from attentive_gan.data_tools.clip_jobs import ClipOptions
    from attentive_gan.data_tools.render_jobs import RenderedDatasetOptions

    size = args.size[::-1] if args.size else None
    if not args.clips:
        return RenderedDatasetOptions(args.pairs, args.seed, raindrops, size)
    return ClipOptions(
        args.clips,
        args.frames,
        size or _CLIP_SIZE,
        tuple(args.movements),
        tuple(args.water),
        args.noise,
        args.seed,
        raindrops,
    )


def _sources(args: argparse.Namespace) -> Sequence[CleanSource]:
    """Return the clean images."""
    from attentive_gan.data_tools.rendered_dataset import photo_sources, scene_sources
    from attentive_gan.datasets.camera_paths import scene_size
    from attentive_gan.datasets.clean_images import DrawnScene

    if args.scenes is None:
        return photo_sources(args.photos, args.out)
    night = {'auto': 0.2, 'day': 0.0, 'night': 1.0}[args.lighting]
    size = args.size[::-1] if args.size else (480, 720)
    if args.clips:
        size = scene_size(args.size[::-1] if args.size else _CLIP_SIZE)
    return scene_sources(args.scenes, DrawnScene(args.seed, size, night))
