"""Start a local web page: drop a photo, compare rainy and restored, download the result."""

from __future__ import annotations

import argparse
import importlib.util

from attentive_gan.cli.common import run

GIB = 2**30


def parse_args() -> argparse.Namespace:
    """Read the command line; nothing heavy is imported before."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog='Answers on 127.0.0.1 only; Ctrl-C ends it. See docs/app.md.'
    )
    add = parser.add_argument
    add('--weights', help='weights (.safetensors or .pth); default: those that ship')
    add('--config', help='config of the weights, where they do not describe themselves')
    add('--device', default='auto', help='auto (default), cpu, cuda or cuda:N')
    add('--precision', choices=['auto', 'float32', 'bfloat16', 'float16'], default='auto',
        help='type of numbers; auto (default): bfloat16 where the CPU or GPU has units for it')  # fmt: skip
    add('--memory', type=positive, metavar='GIB',
        help='memory budget: of the process on a CPU (default 2), of the network on a GPU')  # fmt: skip
    add('--port', type=int, choices=range(65536), default=8347, metavar='N',
        help='port on this computer; 0 takes any free one (default 8347)')  # fmt: skip
    add('--max-megapixels', type=positive, default=50.0, help='largest image (default 50)')
    add('--max-upload-mb', type=positive, default=64.0, help='largest file (default 64)')
    add('--open', action=argparse.BooleanOptionalAction, default=True, help='open the browser')
    return parser.parse_args()


def positive(text: str) -> float:
    """Read a number above 0."""
    value = float(text)
    if not 0 < value < 1e6:
        raise argparse.ArgumentTypeError(f'{text} must be above 0 and below a million')
    return value


def main() -> int:
    """Serve the page until Ctrl-C."""
    args = parse_args()

    from attentive_gan.errors import UserError

    if not all(importlib.util.find_spec(name) for name in ('flask', 'waitress')):
        raise UserError('the page needs flask and waitress; run: pip install -e ".[app]"')

    from attentive_gan import app
    from attentive_gan.inference import ImageRestorer, keep_freed_memory

    keep_freed_memory()
    bound = app.listen(args.port)
    memory = None if args.memory is None else int(args.memory * GIB)
    restorer = ImageRestorer(
        args.config, args.weights, device=args.device, precision=args.precision, memory=memory
    )
    limits = app.Limits(args.max_upload_mb, args.max_megapixels)
    app.serve(restorer, bound, limits, lambda address: announce(address, args.open))
    return 0


def announce(address: str, opened: bool) -> None:
    """Print the address, and open it."""
    print(f'{address} (Ctrl-C ends it)', flush=True)
    if opened:
        import webbrowser

        webbrowser.open(address)


if __name__ == '__main__':
    run(main)
