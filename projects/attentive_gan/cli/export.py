"""Write a network to a file for other programs, checked against PyTorch before it is written."""

from __future__ import annotations

import argparse
from pathlib import Path

from .common import echo


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `export`."""
    add = parser.add_argument
    add('config', help='config file, or - for the description in the weights file')
    add('weights', help='weights (.pth or .safetensors), or - for those that ship with the package')
    add('-o', '--out', type=Path, required=True, help='file to write')
    add('--format', choices=('onnx', 'exported-program', 'safetensors'),
        help='kind of file; default by its suffix: .onnx, .pt2 (torch.export) or .safetensors')  # fmt: skip


def run(args: argparse.Namespace) -> None:
    """Export, and print how far the file's results are from PyTorch's."""
    import attentive_gan.registration  # noqa: F401
    from attentive_gan.export import export, format_of

    config, weights = (None if word == '-' else word for word in (args.config, args.weights))
    done = export(config, weights, args.out, args.format or format_of(args.out))
    size = done.path.stat().st_size / 2**20
    echo(f'{done.path}: {done.name}, {size:.2f} MiB, {done.seconds:.1f} s')
    for check in done.checks:
        count, height, width = check.size
        echo(f'  {count} of {width}x{height} pixels: within {check.error:.1e} of PyTorch')
