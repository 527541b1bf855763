"""The command-line tool that restores images and videos (`tools/restore.py`, `attentive-gan-restore`).

This module stands beside the package, as importing the package takes seconds and `--help` must not.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, Literal

from .common import EXIT_INTERRUPTED, run

GIB = 2**30
#: How many reasons the summary lists; the log has all.
_LISTED = 20


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line; nothing heavy is imported before.

    Args:
        arguments: Words of the command line; default those of the process.
    """
    parser = argparse.ArgumentParser(
        description='Remove raindrops from images and videos of any size.',
        epilog='Exit code: 0 all restored, 1 some failed, 2 wrong usage. See docs/restore.md.',
    )
    add = parser.add_argument
    add('inputs', nargs='+', metavar='INPUT',
        help='files, folders (with all folders in them), or patterns such as "trip/**/*.jpg"')  # fmt: skip
    add('-o', '--out', type=Path, required=True,
        help='output folder; or the output file for a single input')  # fmt: skip
    _add_network_options(parser.add_argument_group('network'))
    _add_output_options(parser.add_argument_group('output'))
    _add_video_options(parser.add_argument_group('video'))
    _add_work_options(parser.add_argument_group('work'))
    return parser.parse_args(arguments)


def _add_network_options(group: Any) -> None:
    add = group.add_argument
    add('--weights', help='weights (.safetensors, .pth, .onnx); default: those that ship')
    add('--config', help='config of the weights, where they do not describe themselves')
    add('--device', default='auto', help='auto (default), cpu, cuda or cuda:N')
    add('--backend', choices=['torch', 'onnxruntime'], default='torch')
    add('--precision', choices=['auto', 'float32', 'bfloat16', 'float16'], default='auto',
        help='type of numbers; auto (default): bfloat16 where the CPU or GPU has units for it')  # fmt: skip
    add('--memory', type=_positive, metavar='GIB',
        help='memory budget: of the process on a CPU (default 2), of the network on a GPU')  # fmt: skip
    add('--tile', type=_natural, metavar='PIXELS',
        help='largest width that is restored at a time; default: what the budget allows')  # fmt: skip
    add('--halo', type=_not_negative, metavar='PIXELS',
        help='pixels seen around a tile; fewer than the network looks at: faster, not exact')  # fmt: skip


def _add_output_options(group: Any) -> None:
    add = group.add_argument
    add('--format', choices=['keep', 'png', 'jpg', 'webp', 'tif', 'bmp'], default='keep',
        help="format of images (default keep: the input's)")  # fmt: skip
    add('--quality', type=int, choices=range(1, 101), default=95, metavar='1..100',
        help='of JPEG (default 95)')  # fmt: skip
    add('--suffix', default='', help='put behind the names of results')
    existing = group.add_mutually_exclusive_group()
    existing.add_argument(
        '--skip-existing', action='store_true', help='keep results that are there'
    )
    existing.add_argument('--overwrite', action='store_true', help='replace results that are there')
    add('--attention', action='store_true',
        help='also write NAME_attention.png, the attention map over the image')  # fmt: skip
    add('--side-by-side', action='store_true', help='also write NAME_compare.png')


def _add_video_options(group: Any) -> None:
    add = group.add_argument
    add('--crf', type=int, choices=range(52), default=18, metavar='0..51',
        help='quality of H.264; less is better (default 18)')  # fmt: skip
    add('--hold-attention', type=float, default=0.0, metavar='A',
        help='weight of earlier frames in the attention map, 0 to below 1 (default 0)')  # fmt: skip
    add('--measure-flicker', action='store_true', help='measure flicker of source and result')


def _add_work_options(group: Any) -> None:
    add = group.add_argument
    add(
        '--shard',
        metavar='K/N',
        help='do the K-th of N parts; torchrun and Slurm set it themselves',
    )
    add('--max-megapixels', type=_positive, default=50.0, help='largest image (default 50)')
    add('--log', type=Path, metavar='FILE.jsonl', help='add a line of JSON for each input')
    add('--quiet', action='store_true', help='print nothing but errors')


def _positive(text: str) -> float:
    value = float(text)
    if value <= 0:
        raise argparse.ArgumentTypeError(f'{text} must be above 0')
    return value


def _not_negative(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f'{text} must be 0 or more')
    return value


def _natural(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f'{text} must be 1 or more')
    return value


def main() -> int:
    """Restore, and print what became of it."""
    args = parse_args()

    from attentive_gan import inference, restoration

    from .restore_output import ConsoleProgress, summary

    inference.keep_freed_memory()
    shard = restoration.parse_shard(args.shard) if args.shard else restoration.shard_of_launcher()
    existing: Literal['skip', 'overwrite', 'error'] = (
        'skip' if args.skip_existing else 'overwrite' if args.overwrite else 'error'
    )
    options = restoration.BatchOptions(
        restoration.OutputOptions(
            args.format, args.suffix, existing, args.attention, args.side_by_side
        ),
        args.quality, int(args.max_megapixels * 1e6), shard, args.log,
        restoration.VideoOptions(
            args.crf, hold_attention=args.hold_attention, measure_flicker=args.measure_flicker
        ),
    )  # fmt: skip
    plan = restoration.plan_batch(args.inputs, args.out, options)
    progress = ConsoleProgress(args.quiet)
    restorer = _restorer(args, shard.local, progress.note)
    if args.attention and not restorer.gives_attention:
        from attentive_gan.errors import UserError

        raise UserError(f'--attention: {restorer.name} draws no attention map; leave it away')
    with progress:
        report = restoration.restore_batch(plan, restorer, progress)
    summary(report, shard, args.out, args.quiet, _LISTED)
    return EXIT_INTERRUPTED if report.interrupted else 1 if report.of('failed') else 0


def _restorer(args: argparse.Namespace, local: int | None, notify: Any) -> Any:
    """Load the network; under a launcher each process takes its own GPU."""
    from attentive_gan.inference import ImageRestorer

    device = args.device
    if local is not None and device in ('auto', 'cuda'):
        import torch

        count = torch.cuda.device_count()
        device = f'cuda:{local % count}' if count else device
    return ImageRestorer(
        args.config, args.weights, device=device, backend=args.backend, precision=args.precision,
        memory=None if args.memory is None else int(args.memory * GIB), tile=args.tile, halo=args.halo,
        notify=notify,
    )  # fmt: skip


def console() -> None:
    """Entry point of the installed command."""
    run(main)


if __name__ == '__main__':
    console()
