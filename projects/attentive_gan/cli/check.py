"""Check a data set of rainy and clean images and list every fault.

Every image is decoded; sizes, alignment and copies are checked, also between the splits train,
test_a and test_b of the published layout. Writes a manifest (checksums, sizes, statistics) and a
contact sheet. The exit code is 1 when anything is wrong.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from .common import echo
from .pair_layout import add_pair_layout_options, pair_datasets


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `check`."""
    add = parser.add_argument
    add('data_root', type=Path,
        help='folder with train, test_a and test_b, or one of them, or other pairs')  # fmt: skip
    add_pair_layout_options(parser)
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
    from attentive_gan.errors import UserError
    from attentive_gan.utils.manifest import read_manifest

    manifest = read_manifest(args.manifest) if args.manifest else None
    if args.manifest and manifest is None:
        raise UserError(f'{args.manifest} does not exist. Check the path (--manifest).')
    result = checking.check(
        pair_datasets(args.data_root, args), args.data_root, manifest,
        lambda loop, total: track(loop, 'Checking', total=total),
    )  # fmt: skip
    for line in result.lines():
        echo(line)
    out = args.out or Path('work_dirs') / f'check_{args.data_root.resolve().name}'
    echo('written:', *result.write(out, args.rows))
    echo(f'{len(result.faults)} faults' if result.faults else 'no faults')
    return 1 if result.faults else 0
