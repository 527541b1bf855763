"""Try a GPU within a given time: tests, benchmark, a training of the Attentive GAN, and its scores."""

from __future__ import annotations

import argparse
from pathlib import Path

import _environment  # noqa: F401  (says what is missing)
from attentive_gan.cli.common import run

ROOT = Path(__file__).resolve().parent.parent
PHASES = ('tests', 'benchmark', 'train', 'scores')


def parse_args() -> argparse.Namespace:
    """Read the command line; nothing heavy is imported before."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add('--seconds', type=float, default=560, help='time of the whole trial (default 560)')
    add('--out', type=Path, required=True, help='folder for the results: at most 8 files')
    add('--device', choices=('cuda', 'cpu'), default='cuda',
        help='cpu: a dry run with a narrow network (default cuda)')  # fmt: skip
    add('--phases', nargs='+', choices=PHASES, default=PHASES, help='default: all')
    add('--config', default='configs/attgan_pool.py',
        help='config to train (default: the published network on rendered raindrops)')  # fmt: skip
    add(
        '--pairs',
        type=Path,
        help='folder of real pairs to score on: data/N_rain.png, gt/N_clean.png',
    )
    add('--work-dir', type=Path,
        help='folder for logs and checkpoints, those of an earlier trial are replaced '
        '(default work_dirs/gpu_trial)')  # fmt: skip
    add('--cfg-options', nargs='+', default=[], metavar='FIELD=VALUE', help='change config fields')
    return parser.parse_args()


def main() -> int:
    """Run the trial."""
    args = parse_args()
    import attentive_gan.registration  # noqa: F401
    from trial import TrialPlan, run_trial

    plan = TrialPlan(
        ROOT, args.out.resolve(), args.seconds, args.device, args.phases, args.config, args.pairs,
        args.cfg_options, args.work_dir and args.work_dir.resolve(),
    )  # fmt: skip
    return 0 if run_trial(plan, lambda line: print(line, flush=True)) else 1


if __name__ == '__main__':
    run(main)
