"""Show what the network will see: samples of a config after its pipeline, as PNG sheets."""

from __future__ import annotations

import argparse
from pathlib import Path

from attentive_gan.cli.common import add_config_options, parse_options, run


def parse_args() -> argparse.Namespace:
    """Read the command line; nothing heavy is imported before."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config file, such as configs/attgan_raindrop.py')
    parser.add_argument(
        '--output-dir', '-o', type=Path,
        help='folder for the sheets (default work_dirs/<config name>/browse)',
    )  # fmt: skip
    parser.add_argument(
        '--phase', '-p', choices=['train', 'val', 'test'], default='train',
        help='whose data set and pipeline to show (default train)',
    )  # fmt: skip
    parser.add_argument('--number', '-n', type=int, default=16, help='samples (default 16)')
    return add_config_options(parser).parse_args()


def main() -> None:
    """Build the data set and write the sheets."""
    args = parse_args()
    options = parse_options(args.cfg_options)

    from attentive_gan.config.reading import load_config
    from attentive_gan.data_tools.sheets import sample_sheets
    from attentive_gan.errors import UserError
    from attentive_gan.image_io import write_image
    from mmagic.registry import DATASETS

    loader = load_config(args.config, options).get(f'{args.phase}_dataloader')
    if args.number < 1 or not loader:
        wrong = '--number must be 1 or more' if loader else f'it has no {args.phase}_dataloader'
        raise UserError(f'{args.config}: {wrong}.')
    dataset = DATASETS.build(loader.dataset)
    out = args.output_dir or Path('work_dirs') / Path(args.config).stem / 'browse'
    for number, sheet in enumerate(sample_sheets(dataset, args.number)):
        print(write_image(out / f'{args.phase}_{number:02d}.png', sheet))


if __name__ == '__main__':
    run(main)
