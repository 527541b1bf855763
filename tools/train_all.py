"""Train configs one after another under an equal budget; run again, it resumes.

See docs/leaderboard.md.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import _environment  # noqa: F401  (says what is missing)
from attentive_gan.cli.arguments import at_least, positive
from attentive_gan.cli.common import parse_options, run_tool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add = parser.add_argument
    add('configs', nargs='+', help='config files')
    budget = parser.add_mutually_exclusive_group(required=True)
    budget.add_argument('--iterations', type=at_least(1),
                        help='iterations of each; schedules are scaled')  # fmt: skip
    budget.add_argument('--minutes', type=positive,
                        help='minutes of each; a short training measures its speed')  # fmt: skip
    add('--data', metavar='CONFIG', help='train and test all on the data of this config')
    add('--work-dir', type=Path, default=Path('work_dirs/all'),
        help='folder of all trainings (default work_dirs/all)')  # fmt: skip
    add('--gpus', type=at_least(1), default=1, help='processes of each training (default 1)')
    add('--cfg-options', nargs='+', default=[], metavar='FIELD=VALUE',
        help='change config fields, in the configs that have them')  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Train, and print the summary."""
    options = parse_options(args.cfg_options)

    import attentive_gan.registration  # noqa: F401
    from attentive_gan.sweep.plan import Budget, plan_sweep
    from attentive_gan.sweep.report import summarize_sweep
    from attentive_gan.sweep.run import run_sweep
    from rich.console import Console

    console = Console(stderr=True)
    budget = Budget(args.iterations, args.minutes)
    sweep = plan_sweep(args.configs, budget, args.work_dir, args.data, options, args.gpus)
    states = run_sweep(
        sweep, lambda text: console.print(text, markup=False, highlight=False, soft_wrap=True)
    )
    rows = summarize_sweep(sweep, states)
    print_table(rows)
    console.print(f'leaderboard entries: {args.work_dir / "entries.yml"}', soft_wrap=True)
    return 1 if any(row['state'] != 'done' for row in rows) else 0


def print_table(rows: list[dict[str, Any]]) -> None:
    """Print the trainings with the PSNRs of restored images, and why some failed."""
    from rich.console import Console
    from rich.table import Table

    names = dict.fromkeys(name for row in rows for name in row)
    scores = [name for name in names if name.endswith('_psnr') and '/input_' not in name]
    table = Table(
        title='PSNR of the last validation in dB, s = seconds, M = millions of parameters'
    )
    heads = [name.removesuffix('_psnr').replace('/', '\n') for name in scores]
    for head in ('name', 'state', 'iterations', 'minutes', 's/iter.', 'M', *heads):
        left = head in ('name', 'state')
        table.add_column(head, justify='left' if left else 'right', overflow='fold')
    for row in rows:
        table.add_row(
            row['name'], row['state'], str(row['iterations'] or ''), f'{row["minutes"]:.1f}',
            str(row.get('seconds_per_iteration', '')), str(row.get('parameters_millions', '')),
            *(f'{row[name]:.2f}' if row.get(name) is not None else '' for name in scores),
        )  # fmt: skip
    console = Console()
    console.print(table)
    for row in rows:
        if row['reason']:
            console.print(f'{row["name"]} failed: {row["reason"]}', markup=False, highlight=False)


if __name__ == '__main__':
    run_tool(sys.modules[__name__])
