"""Train a model from a config, on one device or, with a launcher, on several."""

from __future__ import annotations

import argparse
import os
import time

from attentive_gan.cli.common import add_config_options, parse_options, run


def parse_args() -> argparse.Namespace:
    """Read the command line; nothing heavy is imported before."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config file, such as configs/attgan_raindrop.py')
    parser.add_argument('--work-dir', help='folder for logs and checkpoints')
    parser.add_argument(
        '--resume', nargs='?', const='latest', metavar='CHECKPOINT',
        help='go on with a stopped training: from its newest valid checkpoint, or from the one given',
    )  # fmt: skip
    parser.add_argument(
        '--amp', nargs='?', const='float16', choices=['float16', 'bfloat16'],
        help='mixed precision (default of the option: float16, which needs CUDA)',
    )  # fmt: skip
    parser.add_argument(
        '--minutes', type=float,
        help='train for this time instead of the iterations of the config, with a finished schedule',
    )  # fmt: skip
    parser.add_argument('--no-validate', action='store_true', help='train without validation')
    parser.add_argument(
        '--auto-scale-lr', action='store_true',
        help='scale the learning rates with the total batch size',
    )  # fmt: skip
    parser.add_argument('--seed', type=int, help='seed of all random numbers')
    return add_config_options(parser).parse_args()


def main() -> None:
    """Build the runner and train."""
    args = parse_args()
    started = time.perf_counter()
    options = parse_options(args.cfg_options)
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))

    import attentive_gan.registration  # noqa: F401
    from attentive_gan.config import reading as configuration
    from attentive_gan.config.timed import set_minutes

    config = configuration.load_config(args.config, options)
    config.launcher = args.launcher
    configuration.set_work_dir(config, args.work_dir, args.config)
    if args.seed is not None:
        config.randomness = dict(config.get('randomness', {}), seed=args.seed)
    if args.minutes is not None:
        set_minutes(config, args.minutes)
    if args.amp:
        configuration.use_mixed_precision(config, args.amp)
    if args.auto_scale_lr:
        configuration.scale_learning_rate(config)
    if args.no_validate:
        configuration.disable_validation(config)
    if args.resume:
        config.resume = True
        config.load_from = None if args.resume == 'latest' else args.resume

    runner = configuration.build_runner(config)
    runner.train()
    minutes = (time.perf_counter() - started) / 60
    runner.logger.info(f'Trained in {minutes:.1f} minutes; checkpoints and logs: {runner.work_dir}')


if __name__ == '__main__':
    run(main)
