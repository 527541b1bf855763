"""Compare restorers on one data set: images, scores with intervals, cost, and a web page.

See docs/leaderboard.md.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .arguments import at_least, image_size
from .pair_layout import add_pair_layout_options

if TYPE_CHECKING:
    from rich.console import Console

    from attentive_gan.leaderboard import Mean, Summary


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `leaderboard`."""
    add = parser.add_argument
    add('data_root', help='folder of the data set, such as data/raindrop/test_a')
    add('--entry', action='append', default=[], metavar='NAME=VALUE',
        help='one row; VALUE is "input", "inpainting:telea", "inpainting:ns", CONFIG.py,WEIGHTS, '
        'WEIGHTS that need no config, or a folder of restored images; may be given many times')  # fmt: skip
    add('--entries', type=Path, metavar='FILE.yml', help='YAML file with more entries')
    add('--out', type=Path, default=Path('work_dirs/leaderboard'),
        help='folder of all results; earlier ones stay (default work_dirs/leaderboard)')  # fmt: skip
    add_pair_layout_options(parser)
    add('--reference', default='input', metavar='NAME',
        help='entry that differences refer to (default input, added where missing)')  # fmt: skip
    add('--device', default='cpu', help='cpu, cuda or cuda:N (default cpu)')
    add('--size', type=image_size, default=(720, 480), metavar='WxH',
        help='size at which cost is measured (default 720x480)')  # fmt: skip
    add(
        '--repeat',
        type=at_least(1),
        default=3,
        help='timed passes after one to warm up (default 3)',
    )
    add('--timing', action=argparse.BooleanOptionalAction, default=True,
        help='measure time and memory of networks')  # fmt: skip
    add('--page', action=argparse.BooleanOptionalAction, default=True, help='write index.html')


def run(args: argparse.Namespace) -> int:
    """Evaluate the entries, print the table, write the page.

    Raises:
        UserError: The data set or an entry cannot be read, or there is no such device.
    """
    import torch
    from rich.console import Console

    import attentive_gan.registration  # noqa: F401
    from attentive_gan import leaderboard
    from attentive_gan.errors import UserError

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
    width, height = args.size
    cost = leaderboard.CostSetting(width, height, args.device, args.repeat, args.timing)
    plan = leaderboard.Plan(
        args.out,
        args.reference,
        cost,
        lpips,
        _progress(console),
        lambda text: console.print(text, markup=False, highlight=False),
    )
    leaderboard.evaluate(entries, data, plan)
    summary = leaderboard.summarize(args.out, args.reference, data.manifest_sha256)
    leaderboard.write_summary(summary, args.out)
    _print_table(summary)
    if args.page:
        leaderboard.write_data_images(data, args.out)
        console.print(f'page: {leaderboard.write_page(summary, args.out)}', soft_wrap=True)
    return 1 if summary.failed else 0


def _progress(console: Console) -> Callable[[Iterable[Any], int, str], Iterable[Any]]:
    """Return a wrapper of loops that shows a bar."""
    from rich.markup import escape
    from rich.progress import track

    def wrap(pairs: Iterable[Any], total: int, label: str) -> Iterable[Any]:
        hidden = not console.is_terminal
        return track(pairs, escape(label), total, console=console, transient=True, disable=hidden)

    return wrap


def _print_table(summary: Summary) -> None:
    """Print the ranking, and why some entries are not ranked."""
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    data = summary.data
    whole = any('ntire_score' in row.result.means for row in summary.rows)
    ntire = 'ntire_score' if whole else 'ntire_score_without_lpips'
    table = Table(
        box=SIMPLE,
        pad_edge=False,
        collapse_padding=True,  # all columns fit 80 characters
        title=escape(f'{data.name}, {data.images} images, protocol qian'),
        caption='means over images; gain: paired difference of PSNR to '
        + f'{escape(summary.reference)}, with its 95 % bootstrap interval'
        + ('' if whole else '; NTIRE*: without LPIPS, above the score'),
    )
    table.add_column('', justify='right', no_wrap=True)
    table.add_column('entry', overflow='fold', min_width=12)
    for name in ('PSNR', 'gain', 'SSIM', 'NTIRE' if whole else 'NTIRE*', 'GMACs', 'ms'):
        table.add_column(name, justify='right', no_wrap=True)
    for row in summary.rows:
        means, cost = row.result.means, row.result.cost
        table.add_row(
            str(row.rank or ''), escape(row.result.name), _mean(means.get('qian_psnr'), 2),
            _interval(row.differences.get('qian_psnr')), _mean(means.get('qian_ssim'), 4),
            _mean(means.get(ntire), 2),
            _number(cost.gmacs if cost else None), _number(cost.milliseconds if cost else None),
        )  # fmt: skip
    console = Console()
    with suppress(BrokenPipeError):
        console.print(table)
        for name, reason in summary.failed:
            console.print(f'not ranked: {name}: {reason}', markup=False, highlight=False)


def _mean(mean: Mean | None, digits: int) -> str:
    """Return a mean with some decimal places."""
    return '' if mean is None else f'{mean.mean:.{digits}f}'


def _interval(mean: Mean | None) -> str:
    """Return a mean with its interval, in dB."""
    return '' if mean is None else f'{mean.mean:+.2f} [{mean.low:.2f}, {mean.high:.2f}]'


def _number(value: float | None) -> str:
    """Return a number with three digits."""
    return '' if value is None else f'{value:.3g}' if value < 1000 else f'{value:.0f}'
