"""Write a network to a file for other programs, checked against PyTorch before it is written."""

from __future__ import annotations

import argparse
from pathlib import Path

from attentive_gan.cli.common import run


def parse_args() -> argparse.Namespace:
    """Read the command line; nothing heavy is imported before."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config file, or - for what the weights say of themselves')
    parser.add_argument(
        'weights', help='weights (.pth or .safetensors), or - for those that ship with the package'
    )
    parser.add_argument('-o', '--out', type=Path, required=True, help='file to write')
    parser.add_argument(
        '--format', choices=('onnx', 'exported-program', 'safetensors'),
        help='kind of file; default by its suffix: .onnx, .pt2 (torch.export) or .safetensors',
    )  # fmt: skip
    return parser.parse_args()


def main() -> None:
    """Export, and print how far the file's results are from PyTorch's."""
    args = parse_args()
    import attentive_gan.registration  # noqa: F401
    from attentive_gan.export import export, format_of

    config, weights = (None if word == '-' else word for word in (args.config, args.weights))
    done = export(config, weights, args.out, args.format or format_of(args.out))
    size = done.path.stat().st_size / 2**20
    print(f'{done.path}: {done.name}, {size:.2f} MiB, {done.seconds:.1f} s')
    for check in done.checks:
        count, height, width = check.size
        print(f'  {count} of {width}x{height} pixels: within {check.error:.1e} of PyTorch')


if __name__ == '__main__':
    run(main)
