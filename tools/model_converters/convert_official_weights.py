"""Convert the authors' generator weights (gen.pkl) into a checkpoint of this project."""

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
    add('source', type=Path, help="the authors' gen.pkl")
    add('out', type=file_ending('.pth', '.safetensors'),
        help='output: .pth for tools/test.py, or .safetensors for the bare generator')  # fmt: skip
    add('--channel-order', choices=('rgb', 'bgr'), default='rgb',
        help='color order of the converted generator (default rgb; the authors: bgr)')  # fmt: skip
    add('--allow-unknown', action='store_true',
        help="convert a file that is not the authors' published one, and report it")  # fmt: skip


def run(args: argparse.Namespace) -> None:
    """Read, check, convert and write."""
    import attentive_gan.registration  # noqa: F401
    from attentive_gan.models.converters import attentive_gan as published_weights
    from attentive_gan.models.converters.pickle_file import write_generator

    published, blob = published_weights.read_generator_file(args.source, args.allow_unknown)
    state = published_weights.convert_generator(published, args.channel_order)
    order = args.channel_order
    meta = {'source': args.source.name, 'git_blob': blob, 'channel_order': order}
    write_generator(state, meta, args.out)
    is_known = blob in published_weights.PUBLISHED_BLOBS
    known = "the authors' published weights" if is_known else f'UNKNOWN weights (blob {blob})'
    print(f'{args.out}: {known}, {len(state)} tensors, channel order {order}')


if __name__ == '__main__':
    run_tool(sys.modules[__name__])
