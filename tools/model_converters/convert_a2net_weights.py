"""Convert published A2Net weights (latest_net_G.pth) into a checkpoint of this project."""

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
    add('source', type=Path, help="the authors' latest_net_G.pth")
    add('out', type=file_ending('.pth', '.safetensors'),
        help='output: .pth for tools/test.py, or .safetensors for the bare network')  # fmt: skip
    add('--allow-unknown', action='store_true',
        help='convert a file that is not a published one, and report it')  # fmt: skip


def run(args: argparse.Namespace) -> None:
    """Read, check, convert and write."""
    import attentive_gan.registration  # noqa: F401
    from attentive_gan.models.converters import a2net
    from attentive_gan.models.converters.pickle_file import write_generator

    published, blob = a2net.read_a2net_file(args.source, args.allow_unknown)
    state = a2net.convert_a2net(published)
    meta = {'source': args.source.name, 'git_blob': blob, 'channel_order': 'rgb'}
    write_generator(state, meta, args.out)
    known = a2net.PUBLISHED_BLOBS.get(blob) or f'UNKNOWN weights (blob {blob})'
    print(f'{args.out}: {known}, {len(state)} tensors, RGB')


if __name__ == '__main__':
    run_tool(sys.modules[__name__])
