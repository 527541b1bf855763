"""Train a model from a config, on one device or, with a launcher, on several."""

from __future__ import annotations

import argparse

from .common import add_config_options, config_options


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `train`."""
    add = parser.add_argument
    add('config', help='config file, such as configs/attgan_raindrop.py')
    add('--work-dir', help='folder for logs and checkpoints')
    add('--resume', nargs='?', const='latest', metavar='CHECKPOINT',
        help='resume from this checkpoint; without a value, from the newest intact one; '
        '"auto" starts a new training if --work-dir holds no checkpoint')  # fmt: skip
    add('--amp', nargs='?', const='float16', choices=['float16', 'bfloat16'],
        help='mixed precision (default of the option: float16, which needs CUDA)')  # fmt: skip
    add('--minutes', type=float,
        help='train for this time instead of the iterations of the config; stages and schedules '
        'keep their shares')  # fmt: skip
    add('--no-validate', action='store_true', help='train without validation')
    add('--auto-scale-lr', action='store_true',
        help='scale the learning rates with the total batch size')  # fmt: skip
    add('--seed', type=int, help='seed of all random numbers')
    add_config_options(parser)


def run(args: argparse.Namespace) -> None:
    """Train."""
    options = config_options(args)

    from attentive_gan.apis.train import train

    train(
        args.config, options, work_dir=args.work_dir, resume=args.resume, amp=args.amp,
        minutes=args.minutes, validate=not args.no_validate, auto_scale_lr=args.auto_scale_lr,
        seed=args.seed, launcher=args.launcher,
    )  # fmt: skip
