"""Print the test scores of a work directory by protocol, gains, and where images and logs are."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import _environment  # noqa: F401  (says what is missing)
from attentive_gan.cli.common import run_tool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    text = 'work directory of tools/train.py and tools/test.py'
    parser.add_argument('work_dir', type=Path, help=text)


def run(args: argparse.Namespace) -> int:
    """Print a table per data set, and the places of images and logs."""
    from rich.console import Console
    from rich.table import Table

    console = Console(width=100)
    reports = sorted((args.work_dir / 'scores' / 'test').glob('*.json'))
    if not reports:
        console.print(f'no test scores in {args.work_dir}; run tools/test.py first')
        return 1
    for path in reports:
        report = json.loads(path.read_text())
        title = f'{report["data_set"]}, mean of {report["images"]} images'
        table = Table(
            'protocol', 'score', 'rainy', 'restored', 'gain', title=title, title_justify='left'
        )
        for protocol in report['protocols']:
            for score, unit in (('psnr', ' dB'), ('ssim', '')):
                restored = report['means'][f'{protocol}_{score}']
                rainy = report['means'].get(f'input_{protocol}_{score}')
                before = '' if rainy is None else f'{rainy:.3f}{unit}'
                gain = '' if rainy is None else f'{restored - rainy:+.3f}{unit}'
                table.add_row(protocol, score.upper(), before, f'{restored:.3f}{unit}', gain)
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
    run_tool(sys.modules[__name__])
