"""Check a data set of rainy and clean images and list every fault.

Every image is decoded; sizes, alignment and copies are checked, also between the splits train,
test_a and test_b of the published layout. Writes a manifest (checksums, sizes, statistics) and a
contact sheet. The exit code is 1 when anything is wrong.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from attentive_gan.cli.common import run


def parse_args() -> argparse.Namespace:
    """Read the command line; nothing heavy is imported before."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        'data_root', type=Path,
        help='folder with train, test_a and test_b, or one of them, or pairs in another layout',
    )  # fmt: skip
    parser.add_argument(
        '--folders', nargs=2, metavar=('RAINY', 'CLEAN'),
        help='pair folders with other names than data and gt, such as: --folders input target',
    )  # fmt: skip
    parser.add_argument(
        '--templates', nargs=2, default=('{}', '{}'), metavar=('RAINY', 'CLEAN'),
        help="stems of the files in --folders, such as: --templates 'rain-{}' 'norain-{}'",
    )  # fmt: skip
    parser.add_argument(
        '--concatenated', choices=['left', 'right'],
        help='each image holds both halves side by side; the rainy one is on this side',
    )  # fmt: skip
    parser.add_argument(
        '--out', type=Path, help='folder for the results (default work_dirs/check_<name>)'
    )
    parser.add_argument('--rows', type=int, default=12, help='pairs on the contact sheet')
    parser.add_argument(
        '--manifest', type=Path, help='manifest of an earlier check, to find files changed since'
    )
    return parser.parse_args()


def main() -> int:
    """Check, write the results, and list the faults."""
    args = parse_args()
    import attentive_gan.datasets as data
    from attentive_gan.data_tools.checking import check, splits_of
    from attentive_gan.errors import UserError
    from attentive_gan.utils.manifest import read_manifest
    from rich.progress import track

    root, options = args.data_root, {'data_root': str(args.data_root), 'lazy_init': True}
    if args.concatenated:
        datasets = [data.ConcatenatedPairDataset(rainy_side=args.concatenated, **options)]
    elif args.folders:
        names = {'rainy': args.folders[0], 'clean': args.folders[1]}
        stems = {'rainy_template': args.templates[0], 'clean_template': args.templates[1]}
        datasets = [data.PairFolderDataset(**names, **stems, **options)]
    else:
        datasets = splits_of(root)
    manifest = read_manifest(args.manifest) if args.manifest else None
    if args.manifest and manifest is None:
        raise UserError(f'{args.manifest} does not exist. Check the path (--manifest).')
    result = check(
        datasets, root, manifest, lambda loop, total: track(loop, 'Checking', total=total)
    )
    for line in result.lines():
        print(line)
    out = args.out or Path('work_dirs') / f'check_{root.resolve().name}'
    print('written:', *result.write(out, args.rows))
    print(f'{len(result.faults)} faults' if result.faults else 'no faults')
    return 1 if result.faults else 0


if __name__ == '__main__':
    run(main)
