"""Compare restorers on one data set: images, scores with intervals, cost, and a page to look at."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from attentive_gan.cli.common import run

ENTRY_HELP = (
    'one row; VALUE is "input", "inpainting:telea", "inpainting:ns", CONFIG.py,WEIGHTS, or a folder of '
    'restored images; may be given many times'
)


def parse_args() -> argparse.Namespace:
    """Read the command line; nothing heavy is imported before."""
    parser = argparse.ArgumentParser(description=__doc__, epilog='See docs/leaderboard.md.')
    add = parser.add_argument
    add('data_root', help='folder of the data set, such as data/raindrop/test_a')
    add('--entry', action='append', default=[], metavar='NAME=VALUE', help=ENTRY_HELP)
    add('--entries', type=Path, metavar='FILE.yml', help='YAML file with more entries')
    add('--out', type=Path, default=Path('work_dirs/leaderboard'),
        help='folder of all results; earlier ones stay (default work_dirs/leaderboard)')  # fmt: skip
    add('--folders', nargs=2, metavar=('RAINY', 'CLEAN'),
        help='folders of the pairs, where they are not data and gt, or rainy and clean')  # fmt: skip
    add('--templates', nargs=2, default=('{}', '{}'), metavar=('RAINY', 'CLEAN'),
        help="stems of the files in --folders, such as: 'rain-{}' 'norain-{}'")  # fmt: skip
    add('--concatenated', choices=['left', 'right'],
        help='each image holds both halves side by side; the rainy one is on this side')  # fmt: skip
    add('--reference', default='input', metavar='NAME',
        help='entry that differences refer to (default input, added where missing)')  # fmt: skip
    add('--device', default='cpu', help='cpu, cuda or cuda:N (default cpu)')
    add('--size', type=size, default=(720, 480), metavar='WxH',
        help='size at which cost is measured (default 720x480)')  # fmt: skip
    add('--repeat', type=int, default=3, help='timed passes after one to warm up (default 3)')
    add('--timing', action=argparse.BooleanOptionalAction, default=True,
        help='measure time and memory of networks')  # fmt: skip
    add('--page', action=argparse.BooleanOptionalAction, default=True, help='write index.html')
    args = parser.parse_args()
    if args.repeat < 1:
        parser.error('--repeat must be at least 1')
    return args


def size(text: str) -> tuple[int, int]:
    """Read WIDTHxHEIGHT."""
    width, _, height = text.partition('x')
    if not (width.isdecimal() and height.isdecimal() and int(width) and int(height)):
        raise argparse.ArgumentTypeError(f'{text}: a size is WIDTHxHEIGHT, such as 720x480')
    return int(width), int(height)


def main() -> int:
    """Evaluate the entries, print the table, write the page."""
    args = parse_args()

    import attentive_gan.registration  # noqa: F401
    import torch
    from attentive_gan import leaderboard
    from attentive_gan.errors import UserError
    from rich.console import Console

    if args.device.startswith('cuda') and not torch.cuda.is_available():
        raise UserError(f'--device {args.device}: torch finds no CUDA device on this machine')
    console = Console(stderr=True)
    entries = leaderboard.gather_entries(args.entry, args.entries, args.reference, args.out)
    folders = tuple(args.folders) if args.folders else None
    layout = leaderboard.Layout(folders, tuple(args.templates), args.concatenated)
    data = leaderboard.open_data(args.data_root, layout)
    lpips, described = leaderboard.find_lpips(args.device)
    if lpips is None:
        console.print(described, style='dim', markup=False, highlight=False)
    cost = leaderboard.CostSetting(*args.size, args.device, args.repeat, args.timing)
    reporter = leaderboard.Reporter(
        progress(console), lambda text: console.print(text, markup=False, highlight=False)
    )
    plan = leaderboard.Plan(args.out, args.reference, cost, lpips, reporter)
    leaderboard.evaluate(entries, data, plan)
    summary = leaderboard.summarise(args.out, args.reference, data.manifest_sha256)
    leaderboard.write_summary(summary, args.out)
    show(summary)
    if args.page:
        leaderboard.write_data_images(data, args.out)
        console.print(f'page: {leaderboard.write_page(summary, args.out)}', soft_wrap=True)
    return 1 if summary.failed else 0


def progress(console: Any) -> Any:
    """Return a wrapper of loops that shows a bar."""
    from rich.markup import escape
    from rich.progress import track

    quiet = not console.is_terminal

    def wrap(pairs: Iterable[Any], total: int, label: str) -> Iterable[Any]:
        return track(pairs, escape(label), total, console=console, transient=True, disable=quiet)

    return wrap


def show(summary: Any) -> None:
    """Print the table and what is not ranked."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    data = summary.data
    table = Table(
        title=escape(f'{data.name}, {data.images} images, protocol qian'),
        caption='means over images; gain: paired difference of PSNR to '
        + f'{escape(summary.reference)}, with its 95 % bootstrap interval',
    )
    columns = ('', 'entry', 'PSNR', 'gain', 'SSIM', 'GMACs', 'ms')
    for name in columns:
        if name == 'entry':
            table.add_column(name, overflow='fold', min_width=12)
        else:
            table.add_column(name, justify='right', no_wrap=True)
    for row in summary.rows:
        means, cost = row.result.means, row.result.cost
        gain = row.differences.get('qian_psnr')
        table.add_row(
            str(row.rank or ''), escape(row.result.name), f'{means["qian_psnr"].mean:.2f}',
            interval(gain), f'{means["qian_ssim"].mean:.4f}',
            figure(cost and cost.gmacs), figure(cost and cost.milliseconds),
        )  # fmt: skip
    console = Console()
    with suppress(BrokenPipeError):
        console.print(table)
        for name, reason in summary.failed:
            console.print(f'not ranked: {name}: {reason}', markup=False, highlight=False)


def interval(mean: Any) -> str:
    """Return a mean with its interval, in dB."""
    return '' if mean is None else f'{mean.mean:+.2f} [{mean.low:.2f}, {mean.high:.2f}]'


def figure(value: float | None) -> str:
    """Return a figure with three digits."""
    return '' if value is None else f'{value:.3g}' if value < 1000 else f'{value:.0f}'


if __name__ == '__main__':
    run(main)
