"""Write samples of a config after its data pipeline, as the network receives them, as PNG sheets."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import _environment  # noqa: F401  (says what is missing)
from attentive_gan.cli.arguments import at_least
from attentive_gan.cli.common import add_config_options, config_options, run_tool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add = parser.add_argument
    add('config', help='config file, such as configs/attgan_raindrop.py')
    add('--output-dir', '-o', type=Path,
        help='folder for the sheets (default work_dirs/<config name>/browse)')  # fmt: skip
    add('--phase', '-p', choices=['train', 'val', 'test'], default='train',
        help='whose data set and pipeline to show (default train)')  # fmt: skip
    add('--number', '-n', type=at_least(1), default=16, help='samples (default 16)')
    add_config_options(parser)


def run(args: argparse.Namespace) -> None:
    """Build the data set and write the sheets."""
    options = config_options(args)

    from attentive_gan.config.reading import load_config
    from attentive_gan.data_tools.sheets import sample_sheets
    from attentive_gan.errors import UserError
    from attentive_gan.image_io import write_image
    from mmagic.registry import DATASETS
    from mmengine.registry import init_default_scope

    init_default_scope('mmagic')  # MMEngine's data sets of several others look for them there
    loader = load_config(args.config, options).get(f'{args.phase}_dataloader')
    if not loader:
        raise UserError(f'{args.config}: it has no {args.phase}_dataloader.')
    out = args.output_dir or Path('work_dirs') / Path(args.config).stem / 'browse'
    sheets = sample_sheets(DATASETS.build(loader.dataset), args.number)
    for number, sheet in enumerate(sheets):
        print(write_image(out / f'{args.phase}_{number:02d}.png', sheet))


if __name__ == '__main__':
    run_tool(sys.modules[__name__])
