# PYTHON_ARGCOMPLETE_OK
"""Remove raindrops from images and videos; train and compare the networks that do."""

from __future__ import annotations

import argparse
import importlib
import os
import sys

import attentive_gan

from .common import add_command, run

#: Subcommands, which are modules of this package, and what they do.
COMMANDS = {
    'train': 'train a model from a config',
    'test': 'test a checkpoint: scores and restored images',
    'restore': 'remove raindrops from images, folders and videos',
    'detect': 'tell how wet the glass is in images, videos and live input',
    'leaderboard': 'compare restorers on one data set',
    'export': 'write a network to an ONNX, torch.export or safetensors file',
    'render': 'render raindrops on photos or drawn scenes into a data set',
    'check': 'check a data set of image pairs and list its faults',
    'app': 'start a local web page that restores photos',
    'doctor': 'report versions, devices and optional features',
}


def build_parser(arguments: list[str]) -> argparse.ArgumentParser:
    """Return the parser; only the module of the chosen subcommand is imported.

    Args:
        arguments: Words of the command line without the program.
    """
    parser = argparse.ArgumentParser(
        'attentive-gan',
        description=__doc__,
        epilog='attentive-gan COMMAND --help lists its options.',
    )
    version = f'attentive-gan {attentive_gan.__version__}'
    parser.add_argument('--version', action='version', version=version)
    commands = parser.add_subparsers(title='commands', metavar='COMMAND', required=True)
    chosen = next((word for word in arguments if not word.startswith('-')), None)
    for name, summary in COMMANDS.items():
        subparser = commands.add_parser(name, help=summary)
        if name == chosen or '_ARGCOMPLETE' in os.environ:
            add_command(subparser, importlib.import_module(f'.{name}', __package__))
    return parser


def main() -> None:
    """Entry point of the command `attentive-gan`."""
    parser = build_parser(sys.argv[1:])
    if '_ARGCOMPLETE' in os.environ:  # set by the shell completion of argcomplete
        import argcomplete

        argcomplete.autocomplete(parser)
    args = parser.parse_args()
    run(lambda: args.run(args), args.error_code)


if __name__ == '__main__':
    main()
