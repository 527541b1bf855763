"""Convert the authors' generator weights (gen.pkl) into a checkpoint of this project."""

from __future__ import annotations

import argparse
from pathlib import Path

from attentive_gan.cli.common import run


def parse_args() -> argparse.Namespace:
    """Read the command line; nothing heavy is imported before."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('source', type=Path, help="the authors' gen.pkl")
    parser.add_argument(
        'out', type=Path,
        help='file to write: .pth for tools/test.py, or .safetensors for the bare generator',
    )  # fmt: skip
    parser.add_argument(
        '--channel-order', choices=('rgb', 'bgr'), default='rgb',
        help='colour order that the converted generator works in (default rgb; the authors: bgr)',
    )  # fmt: skip
    parser.add_argument(
        '--allow-unknown', action='store_true',
        help="convert a file that is not the authors' published one, and say so",
    )  # fmt: skip
    args = parser.parse_args()
    if args.out.suffix not in ('.pth', '.safetensors'):
        parser.error(f'{args.out}: the name must end in .pth or .safetensors')
    return args


def main() -> None:
    """Read, check, convert and write."""
    args = parse_args()
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
    run(main)
