"""Check a data set of rainy and clean images and list every fault.

Every image is decoded; sizes, alignment and copies are checked, also between the splits train,
test_a and test_b of the published layout. Writes a manifest (checksums, sizes, statistics) and a
contact sheet. The exit code is 1 when anything is wrong. `--published` checks all parts of a data set that
papers train on, with its counts; `--against` finds scenes that another data set has, too.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .common import echo
from .pair_layout import add_pair_layout_options, pair_datasets

if TYPE_CHECKING:
    from attentive_gan.data_tools.published_sets import PublishedPart

#: Names of `attentive_gan.data_tools.published_sets.PUBLISHED`.
PUBLISHED_SETS = ('raindrop', 'raindrop_clarity', 'rainds', 'uav_rain1k', 'allweather')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `check`."""
    add = parser.add_argument
    add('data_root', type=Path,
        help='folder with train, test_a and test_b, or one of them, or other pairs')  # fmt: skip
    add('--published', choices=PUBLISHED_SETS, metavar='NAME',
        help='all parts of a published data set: ' + ', '.join(PUBLISHED_SETS))  # fmt: skip
    add_pair_layout_options(parser)
    add('--against', type=Path, nargs='+', default=[], metavar='FOLDER',
        help='folders of other pairs, such as a test set: name scenes that are in both')  # fmt: skip
    add('--out', type=Path, help='folder for the results (default work_dirs/check_<name>)')
    add('--rows', type=int, default=12, help='pairs on the contact sheet')
    add('--manifest', type=Path, help='manifest of an earlier check, to find files changed since')


def run(args: argparse.Namespace) -> int:
    """Check, write the results, and list the faults.

    Raises:
        UserError: A folder or the manifest does not exist.
    """
    from rich.progress import track

    from attentive_gan.data_tools import dataset_check as checking
    from attentive_gan.data_tools.overlap import overlap_faults
    from attentive_gan.data_tools.published_sets import count_faults, published_parts
    from attentive_gan.errors import UserError
    from attentive_gan.leaderboard.data import Layout
    from attentive_gan.utils.manifest import read_manifest

    manifest = read_manifest(args.manifest) if args.manifest else None
    if args.manifest and manifest is None:
        raise UserError(f'{args.manifest} does not exist. Check the path (--manifest).')
    if args.published and (args.folders or args.concatenated):
        raise UserError(
            '--published has folders of its own; leave out --folders and --concatenated'
        )
    notes: list[str] = []
    parts: list[PublishedPart] = []
    if args.published:
        parts, notes = published_parts(args.published, args.data_root)
    datasets = (
        [part.dataset(args.data_root) for part in parts]
        if parts
        else pair_datasets(args.data_root, args)
    )

    def progress(loop: Iterable[Any], total: int) -> Iterable[Any]:
        return track(loop, 'Checking', total=total)

    others = [pair for root in args.against for pair in Layout().dataset(str(root)).find_pairs()[0]]
    result = checking.check(datasets, args.data_root, manifest, progress)
    result.faults.extend(count_faults(parts, result.counts[: len(parts)]))
    if args.against:
        result.faults.extend(overlap_faults(result.sound, others, progress))
    for line in notes:
        echo(line)
    for line in result.lines():
        echo(line)
    out = args.out or Path('work_dirs') / f'check_{args.data_root.resolve().name}'
    echo('written:', *result.write(out, args.rows))
    echo(f'{len(result.faults)} faults' if result.faults else 'no faults')
    return 1 if result.faults else 0
