"""Show what a training with test came to: scores by protocol, gains, and where the images are."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from attentive_gan.cli.common import run


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        'work_dir', type=Path, help='work directory of tools/train.py and tools/test.py'
    )
    return parser.parse_args()


def main() -> int:
    """Print a table per data set, and the places of images and logs."""
    args = parse_args()
    from rich.console import Console
    from rich.table import Table

    console = Console(width=100)
    reports = sorted((args.work_dir / 'scores' / 'test').glob('*.json'))
    if not reports:
        console.print(f'no test scores in {args.work_dir}; run tools/test.py first')
        return 1
    for path in reports:
        report = json.loads(path.read_text())
        means = report['means']
        title = f'{report["data_set"]}, mean of {report["images"]} images'
        table = Table(
            'protocol', 'score', 'rainy', 'restored', 'gain', title=title, title_justify='left'
        )
        for protocol in report['protocols']:
            for score, unit in (('psnr', ' dB'), ('ssim', '')):
                restored = means[f'{protocol}_{score}']
                rainy = means.get(f'input_{protocol}_{score}')
                cells = ['', f'{restored:.3f}{unit}', '']
                if rainy is not None:
                    cells = [
                        f'{rainy:.3f}{unit}',
                        f'{restored:.3f}{unit}',
                        f'{restored - rainy:+.3f}{unit}',
                    ]
                table.add_row(protocol, score.upper(), *cells)
        console.print(table)
        for protocol, text in report['protocols'].items():
            console.print(f'  {protocol}: {text}', highlight=False)
    for label, place in (
        ('images side by side', args.work_dir / 'images' / '*' / 'overview.png'),
        ('scores per image', args.work_dir / 'scores' / 'test'),
        ('training curves', f'tensorboard --logdir {args.work_dir}'),
    ):
        console.print(f'{label}: {place}', highlight=False, soft_wrap=True)
    return 0


if __name__ == '__main__':
    run(main)
