"""Write the generator of a checkpoint as a small half-precision .safetensors file."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import _environment  # noqa: F401  (says what is missing)
from attentive_gan.cli.arguments import file_ending
from attentive_gan.cli.common import run_tool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add = parser.add_argument
    add('checkpoint', type=Path, help='.pth file of a training')
    add('out', type=file_ending('.safetensors'), help='.safetensors file to write')
    add('--config', required=True,
        help='config of the training: the file will describe its network, and need no config')  # fmt: skip


def run(args: argparse.Namespace) -> None:
    """Convert, write a card beside the file, and print the checksum to pin."""
    import attentive_gan.registration  # noqa: F401
    from attentive_gan.checkpoints.config_description import describe
    from attentive_gan.checkpoints.publishing import publish_generator
    from attentive_gan.config.reading import load_config

    description = describe(load_config(args.config), args.config)
    digest = publish_generator(args.checkpoint, args.out, description)
    print(f'{args.out}: {args.out.stat().st_size / 2**20:.2f} MiB, SHA-256 {digest}')


if __name__ == '__main__':
    run_tool(sys.modules[__name__])
