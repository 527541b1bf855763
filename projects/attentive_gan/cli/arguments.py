"""Types of arguments, and options that several commands have."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

GIB = 2**30


def positive(text: str) -> float:
    """Parse a number above 0 and below a million.

    Raises:
        ArgumentTypeError: It is out of this range.
    """
    value = float(text)
    if not 0 < value < 1e6:
        raise argparse.ArgumentTypeError(f'{text} must be above 0 and below a million')
    return value


def at_least(lowest: int) -> Callable[[str], int]:
    """Return a parser of whole numbers from `lowest` on.

    Example:
        >>> at_least(1)('3')
        3
    """

    def parse(text: str) -> int:
        if int(text) < lowest:
            raise argparse.ArgumentTypeError(f'{text} must be {lowest} or more')
        return int(text)

    parse.__name__ = 'int'  # as argparse calls the type in "invalid int value"
    return parse


def image_size(text: str) -> tuple[int, int]:
    """Parse WIDTHxHEIGHT in pixels as (width, height).

    Raises:
        ArgumentTypeError: It is written otherwise, or a side is 0.

    Example:
        >>> image_size('720x480')
        (720, 480)
    """
    width, _, height = text.partition('x')
    if not (width.isdecimal() and height.isdecimal() and int(width) and int(height)):
        raise argparse.ArgumentTypeError(f'{text}: a size is WIDTHxHEIGHT, such as 720x480')
    return int(width), int(height)


def file_ending(*suffixes: str) -> Callable[[str], Path]:
    """Return a parser of file names with one of some suffixes.

    Args:
        *suffixes: Such as '.pth'.

    Example:
        >>> file_ending('.pth', '.safetensors')('out/unet.pth').name
        'unet.pth'
    """

    def parse(text: str) -> Path:
        if not text.endswith(suffixes):
            raise argparse.ArgumentTypeError(
                f'{text}: the name must end in {" or ".join(suffixes)}'
            )
        return Path(text)

    return parse


def share(text: str) -> tuple[str, float]:
    """Parse NAME=NUMBER.

    Example:
        >>> share('discs=0.5')
        ('discs', 0.5)
    """
    name, _, value = text.partition('=')
    return name, float(value)


def add_network_options(group: Any) -> None:
    """Add the options that select a network and how it is run.

    Args:
        group: Parser or group of options.
    """
    add = group.add_argument
    add('-w', '--weights', metavar='FILE',
        help='weights (.safetensors, .pth), also of other projects; default: those that ship')  # fmt: skip
    add('--config', help='config of the weights, where they do not describe themselves')
    add('--device', default='auto', help='auto (default), cpu, cuda or cuda:N')
    add('--precision', choices=['auto', 'float32', 'bfloat16', 'float16'], default='auto',
        help='number type; auto (default): bfloat16 where the CPU or GPU has units for it')  # fmt: skip
    add('--memory', type=positive, metavar='GIB',
        help='memory budget: of the process on a CPU (default 2), of the network on a GPU')  # fmt: skip
    add('--max-megapixels', type=positive, default=50.0, help='largest image (default 50)')


def network_arguments(args: argparse.Namespace) -> dict[str, Any]:
    """Return the arguments of `ImageRestorer` from the options of `add_network_options`.

    Args:
        args: The command line.
    """
    memory = None if args.memory is None else int(args.memory * GIB)
    return {
        'config': args.config, 'weights': args.weights, 'device': args.device,
        'precision': args.precision, 'memory': memory,
    }  # fmt: skip
