"""Write the generator of a checkpoint as a small half-precision .safetensors file."""

from __future__ import annotations

import argparse
from pathlib import Path

from attentive_gan.cli.common import run


def parse_args() -> argparse.Namespace:
    """Read the command line; nothing heavy is imported before."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('checkpoint', type=Path, help='.pth file of a training')
    parser.add_argument('out', type=Path, help='.safetensors file to write')
    parser.add_argument(
        '--config',
        required=True,
        help='config of the training: the file will describe its network, and need no config',
    )
    args = parser.parse_args()
    if args.out.suffix != '.safetensors':
        parser.error(f'{args.out}: the name must end in .safetensors')
    return args


def main() -> None:
    """Convert, write a card beside the file, and print the checksum to pin."""
    args = parse_args()
    import attentive_gan.registration  # noqa: F401
    from attentive_gan.checkpoints.publishing import publish_generator
    from attentive_gan.config.model_description import describe
    from attentive_gan.config.reading import load_config

    description = describe(load_config(args.config), args.config)
    digest = publish_generator(args.checkpoint, args.out, description)
    print(f'{args.out}: {args.out.stat().st_size / 2**20:.2f} MiB, SHA-256 {digest}')


if __name__ == '__main__':
    run(main)
