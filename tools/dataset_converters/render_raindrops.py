"""Render raindrops on clean photos, or on drawn scenes, into a complete data set.

Writes data/N_rain.png, gt/N_clean.png, mask/N_mask.png, alpha/N_alpha.png, manifest.json and
contact_sheet.png. Started again after an interruption it goes on with what is missing. A photo that cannot
be used is named, and the exit code is 1 then. With --calibrate, amount of water, sky and mist are fitted to
real pairs first.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from attentive_gan.cli.common import run


def size(text: str) -> tuple[int, int]:
    """Read WIDTHxHEIGHT as (height, width)."""
    width, _, height = text.partition('x')
    return int(height), int(width)


def share(text: str) -> tuple[str, float]:
    """Read NAME=SHARE."""
    name, _, value = text.partition('=')
    return name, float(value)


def parse_args() -> argparse.Namespace:
    """Read the command line; nothing heavy is imported before."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    source = parser.add_argument_group('clean images')
    source.add_argument('photos', type=Path, nargs='?', help='a folder of photos, or one photo')
    source.add_argument('--scenes', type=int, help='draw so many scenes instead')
    source.add_argument('--size', type=size, metavar='WxH', help='size of scenes (720x480); photos '
                        'are cut around their middle and shrunk to it (default: as they are)')  # fmt: skip
    drops = parser.add_argument_group('raindrops')
    drops.add_argument('--pairs', '--per-photo', type=int, default=1, help='pairs per photo (1)')
    drops.add_argument('--seed', type=int, default=0, help='seed of all images (default 0)')
    drops.add_argument('--level', default='normal', choices=['light', 'normal', 'heavy'])
    drops.add_argument('--regimes', type=share, nargs='+', metavar='NAME=SHARE', help='shares of '
                       'small, discs, ghosts, focused, such as: small=0.5 discs=0.5')  # fmt: skip
    drops.add_argument('--lighting', default='auto', choices=['auto', 'day', 'night'],
                       help='auto: what a photo shows; a fifth of drawn scenes is at night')  # fmt: skip
    drops.add_argument('--frame-width', type=int, help="width of the camera's whole frame, of "
                       'which the photos are cuts')  # fmt: skip
    fit = parser.add_argument_group('fitting to real pairs')
    fit.add_argument('--calibrate', type=Path, metavar='DIR', help='real pairs: data/ and gt/, or '
                     'train/, test_a/ with them; writes calibration.json to --out')  # fmt: skip
    fit.add_argument('--folders', nargs=2, metavar=('RAINY', 'CLEAN'), help='pair folders in DIR '
                     'with equal file names, instead of data/ and gt/')  # fmt: skip
    fit.add_argument('--calibration', type=Path, metavar='FILE', help='use an earlier fit')
    parser.add_argument('--out', type=Path, required=True, help='folder to fill')
    parser.add_argument('--workers', type=int, help='processes (default: one per core)')
    parser.add_argument('--overwrite', action='store_true', help='replace pairs that this tool '
                        'wrote with other options')  # fmt: skip
    args = parser.parse_args()
    if (args.photos is None) == (args.scenes is None) and not args.calibrate:
        parser.error('name a folder of photos, or give --scenes N')
    if args.calibrate and (args.calibration or args.photos or args.scenes is not None):
        parser.error('--calibrate goes alone; render afterwards with --calibration FILE')
    return args


def calibrate(args: argparse.Namespace, raindrops: Any) -> None:
    """Fit the options to real pairs, show the statistics and write the result."""
    from attentive_gan.data_tools.calibration import calibrate, real_pairs
    from attentive_gan.data_tools.checking import splits_of
    from attentive_gan.datasets import PairFolderDataset
    from attentive_gan.datasets.raindrop_calibration import read_calibration
    from rich.console import Console
    from rich.progress import Progress
    from rich.table import Table

    if args.folders:
        rainy, clean = args.folders
        sets: list[Any] = [PairFolderDataset(
            data_root=str(args.calibrate), rainy=rainy, clean=clean, lazy_init=True
        )]  # fmt: skip
    else:
        sets = splits_of(args.calibrate)
    pairs = real_pairs(sets, 48)
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
    print(*(f'{name}={value}' for name, value in read_calibration(file).items()))
    print(f'written: {file}')


def main() -> int:
    """Calibrate, or render what is not there yet."""
    args = parse_args()
    from attentive_gan.data_tools import rendered_dataset as data
    from attentive_gan.datasets.clean_images import DrawnScene
    from attentive_gan.datasets.raindrop_calibration import read_calibration
    from raindrop_renderer.options import RaindropOptions
    from rich.progress import track

    chosen = {'level': args.level, 'lighting': args.lighting, 'frame_width': args.frame_width}
    if args.regimes:
        chosen['regimes'] = dict(args.regimes)
    if args.calibration:
        chosen |= read_calibration(args.calibration)
    raindrops = RaindropOptions(**chosen)
    if args.calibrate:
        calibrate(args, raindrops)
        return 0
    options = data.RenderedDatasetOptions(args.pairs, args.seed, raindrops, args.size)
    if args.scenes is not None:
        night = {'auto': 0.2, 'day': 0.0, 'night': 1.0}[args.lighting]
        scenes = DrawnScene(args.seed, args.size or (480, 720), night)
        sources = data.scene_sources(args.scenes, scenes)
    else:
        sources = data.photo_sources(args.photos, args.out)
    workers = args.workers
    if workers is None:  # a process takes seconds to start
        workers = max(1, min(os.cpu_count() or 1, len(sources) * args.pairs // 16))
    result = data.render_dataset(
        args.out, sources, options, workers, args.overwrite,
        lambda loop, total: track(loop, 'Rendering', total=total),
    )  # fmt: skip
    for line in result.failures:
        print(f'fault: {line}')
    if not result.rendered and not result.failures:
        print(f'{args.out} is complete already ({result.kept} pairs); nothing to do.')
    else:
        print(
            f'{args.out} holds {result.kept + result.rendered} pairs, {result.rendered} of them new.'
        )
    return 1 if result.failures else 0


if __name__ == '__main__':
    run(main)
