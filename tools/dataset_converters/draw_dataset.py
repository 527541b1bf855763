"""Draw the embedded data set: scenes by rule with simple raindrops, in the published layout."""

from __future__ import annotations

import argparse
from pathlib import Path

from attentive_gan_cli import run


def parse_args() -> argparse.Namespace:
    """Read the command line; nothing heavy is imported before."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        '--out', type=Path, default=Path('data/drawn_raindrops'),
        help='folder to fill (default data/drawn_raindrops)',
    )  # fmt: skip
    parser.add_argument('--pairs', type=int, default=48, help='training pairs (default 48)')
    parser.add_argument('--test-pairs', type=int, default=8, help='test pairs (default 8)')
    parser.add_argument(
        '--size', type=int, nargs=2, default=(240, 160), metavar=('WIDTH', 'HEIGHT'),
        help='size in pixels (default 240 160)',
    )  # fmt: skip
    parser.add_argument('--seed', type=int, default=0, help='seed of all pictures (default 0)')
    return parser.parse_args()


def main() -> None:
    """Draw what is not there yet."""
    args = parse_args()
    from attentive_gan.datasets import DrawnDatasetOptions, draw_dataset, is_complete
    from rich.progress import track

    width, height = args.size
    options = DrawnDatasetOptions(args.pairs, args.test_pairs, width, height, args.seed)
    if is_complete(args.out, options):
        print(f'{args.out} is complete already; nothing to do.')
        return
    total = args.pairs + args.test_pairs
    for _ in track(draw_dataset(args.out, options), 'Drawing', total=total):
        pass
    print(f'{args.out} holds {args.pairs} training and {args.test_pairs} test pairs.')


if __name__ == '__main__':
    run(main)
