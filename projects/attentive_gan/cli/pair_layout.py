"""Options for data sets of image pairs in another layout than data/N_rain.png and gt/N_clean.png."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from attentive_gan.datasets import PairDataset


def add_pair_layout_options(group: Any) -> None:
    """Add the options that name folders, templates or the side of pairs.

    Args:
        group: Parser or group of options.
    """
    add = group.add_argument
    add('--folders', nargs=2, metavar=('RAINY', 'CLEAN'),
        help='folders of the pairs, where they are not data and gt')  # fmt: skip
    add('--templates', nargs=2, default=('{}', '{}'), metavar=('RAINY', 'CLEAN'),
        help="stems of the files in --folders, such as: 'rain-{}' 'norain-{}'")  # fmt: skip
    add('--concatenated', choices=['left', 'right'],
        help='each image holds both halves side by side; the rainy one is on this side')  # fmt: skip


def pair_datasets(root: Path, args: argparse.Namespace) -> Sequence[PairDataset]:
    """Return the data sets in a folder, before their files are listed.

    Args:
        root: Folder of the pairs, or of the splits of the published layout.
        args: Command line with the options of `add_pair_layout_options`.
    """
    from attentive_gan import datasets
    from attentive_gan.data_tools.dataset_check import splits_of

    common: dict[str, Any] = {'data_root': str(root), 'lazy_init': True}
    if args.concatenated:
        return [datasets.ConcatenatedPairDataset(rainy_side=args.concatenated, **common)]
    if args.folders:
        (rainy, clean), (rainy_template, clean_template) = args.folders, args.templates
        return [
            datasets.PairFolderDataset(
                rainy=rainy, clean=clean, rainy_template=rainy_template,
                clean_template=clean_template, **common,
            )
        ]  # fmt: skip
    return splits_of(root)
