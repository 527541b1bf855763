"""Test a checkpoint: scores by protocol, per image and in the mean, and the restored images."""

from __future__ import annotations

import argparse
import os

from attentive_gan.cli.common import add_config_options, parse_options, run


def parse_args() -> argparse.Namespace:
    """Read the command line; nothing heavy is imported before."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config file that the checkpoint was trained with')
    parser.add_argument('checkpoint', help='checkpoint (.pth or .safetensors)')
    parser.add_argument('--out', help='JSON file for the mean scores')
    parser.add_argument('--work-dir', help='folder for scores and images')
    return add_config_options(parser).parse_args()


def main() -> None:
    """Build the runner, test, and write the mean scores."""
    args = parse_args()
    options = parse_options(args.cfg_options)
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))

    import attentive_gan.registration  # noqa: F401
    from attentive_gan.config import reading as configuration
    from attentive_gan.config.inference_model import without_training_parts

    config = configuration.load_config(args.config, options)
    config.launcher = args.launcher
    configuration.set_work_dir(config, args.work_dir, args.config)
    config.load_from = args.checkpoint
    config.resume = False
    config.model = without_training_parts(config.model)

    if args.out:
        config.custom_hooks = [
            *(config.get('custom_hooks') or []), dict(type='MeanScoresHook', path=args.out),
        ]  # fmt: skip
    configuration.build_runner(config).test()


if __name__ == '__main__':
    run(main)
