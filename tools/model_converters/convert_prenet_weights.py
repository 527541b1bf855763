"""Convert published PReNet weights (net_latest.pth, LSTM) into a checkpoint of this project."""

from __future__ import annotations

import argparse
from pathlib import Path

from attentive_gan.cli.common import run


def parse_args() -> argparse.Namespace:
    """Read the command line; nothing heavy is imported before."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('source', type=Path, help="the authors' net_latest.pth, PReNet or PReNet_r")
    parser.add_argument(
        'out', type=Path,
        help='file to write: .pth for tools/test.py, or .safetensors for the bare network',
    )  # fmt: skip
    parser.add_argument(
        '--allow-unknown', action='store_true',
        help='convert a file whose content is not known, and say so',
    )  # fmt: skip
    args = parser.parse_args()
    if args.out.suffix not in ('.pth', '.safetensors'):
        parser.error(f'{args.out}: the name must end in .pth or .safetensors')
    return args


def main() -> None:
    """Read, check, convert and write."""
    args = parse_args()
    import attentive_gan.registration  # noqa: F401
    from attentive_gan.models.converters import prenet as prenet_weights
    from attentive_gan.models.converters.pickle_file import write_generator

    published, blob = prenet_weights.read_prenet_file(args.source, args.allow_unknown)
    state = prenet_weights.convert_prenet(published)
    meta = {'source': args.source.name, 'git_blob': blob, 'channel_order': 'rgb'}
    write_generator(state, meta, args.out)
    known = prenet_weights.PUBLISHED_BLOBS.get(blob)
    print(f'{args.out}: {known or f"UNKNOWN weights (blob {blob})"}, {len(state)} tensors, RGB')


if __name__ == '__main__':
    run(main)
