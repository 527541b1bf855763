"""Start a local web page: drop a photo, compare rainy and restored, download the result.

It answers on 127.0.0.1 only; Ctrl-C ends it. See docs/app.md.
"""

from __future__ import annotations

import argparse
import importlib.util

from .arguments import add_network_options, network_arguments, positive
from .common import echo


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `app`."""
    add_network_options(parser)
    add = parser.add_argument
    add('--port', type=int, choices=range(65536), default=8347, metavar='N',
        help='port on this computer; 0 takes any free one (default 8347)')  # fmt: skip
    add('--max-upload-mb', type=positive, default=64.0, help='largest file (default 64)')
    add(
        '--max-seconds', type=positive, default=600.0, help='longest work on an image (default 600)'
    )
    add('--open', action=argparse.BooleanOptionalAction, default=True, help='open the browser')


def run(args: argparse.Namespace) -> None:
    """Serve the page until Ctrl-C.

    Raises:
        UserError: A package is missing, the port is in use, or the network cannot be loaded.
    """
    from attentive_gan.errors import UserError

    if not all(importlib.util.find_spec(name) for name in ('flask', 'waitress')):
        raise UserError('the page needs flask and waitress; run: pip install -e ".[app]"')

    from attentive_gan import app
    from attentive_gan.inference import ImageRestorer, keep_freed_memory

    keep_freed_memory()
    bound = app.listen(args.port)
    restorer = ImageRestorer(**network_arguments(args))
    limits = app.Limits(
        upload_megabytes=args.max_upload_mb, megapixels=args.max_megapixels,
        image_seconds=args.max_seconds,
    )  # fmt: skip
    app.serve(restorer, bound, limits, lambda address: _announce(address, args.open))


def _announce(address: str, opened: bool) -> None:
    """Print the address, and open it."""
    echo(f'{address} (Ctrl-C ends it)')
    if opened:
        import webbrowser

        webbrowser.open(address)
