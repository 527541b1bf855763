"""Test a checkpoint: scores by protocol, per image and in the mean, and the restored images."""

from __future__ import annotations

import argparse

from .common import add_config_options, config_options


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `test`."""
    add = parser.add_argument
    add(
        'config',
        help='config file that the checkpoint was trained with, or - for the one stored in it',
    )
    add('checkpoint', help='checkpoint (.pth or .safetensors)')
    add('--out', help='JSON file for the mean scores')
    add('--work-dir', help='folder for scores and images')
    add_config_options(parser)


def run(args: argparse.Namespace) -> None:
    """Test."""
    options = config_options(args)

    from attentive_gan.apis.test import test

    config = None if args.config == '-' else args.config
    test(
        config, args.checkpoint, options, work_dir=args.work_dir, out=args.out,
        launcher=args.launcher,
    )  # fmt: skip
